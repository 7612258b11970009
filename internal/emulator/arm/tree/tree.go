// Package tree keeps ARM resources in order: by ID, for whatever lies under an ID, and by
// subscription and type, for lists that need not look at every resource there is.
package tree

import (
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Tracked is the collection of everything that a subscription's list of resources shows.
const Tracked = "*"

// Entry is a stored resource or resource group. It is never changed once it is in a
// Tree; a new state is a new Entry.
type Entry struct {
	ID      armid.ID
	Key     string // ID.Key()
	Tracked bool   // shown in the list of all resources
	Res     wire.Resource
}

// Tree is a set of entries. It is safe for concurrent use. The zero value is empty.
type Tree struct {
	mu    sync.RWMutex // guards what follows
	byKey btree.Map[string, *Entry]
	lists map[string]*btree.Map[string, *Entry] // by list name
}

// list names the ordered set of a subscription's resources of a type.
func list(subscription, typ string) string { return strings.ToLower(subscription + "|" + typ) }

// Get finds an entry by its key; nil if there is none.
func (t *Tree) Get(key string) *Entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, _ := t.byKey.Get(key)
	return e
}

// Put adds or replaces the entry of e.Key if all of must are there, and tells whether
// it did.
func (t *Tree) Put(e *Entry, must ...string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range must {
		if _, ok := t.byKey.Get(m); !ok {
			return false
		}
	}
	t.put(e)
	return true
}

// Update replaces the entry of a key by what change makes of it and returns the new one;
// nil if there is none. change works on a copy and must not touch what that points to.
func (t *Tree) Update(key string, change func(*Entry)) *Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, ok := t.byKey.Get(key)
	if !ok {
		return nil
	}
	e := *old
	change(&e)
	t.put(&e)
	return &e
}

// put stores an entry in every index. The caller holds mu.
func (t *Tree) put(e *Entry) {
	t.byKey.Set(e.Key, e)
	t.set(list(e.ID.Subscription, e.Res.Type), e)
	if e.Tracked {
		t.set(list(e.ID.Subscription, Tracked), e)
	}
}

func (t *Tree) set(name string, e *Entry) {
	if t.lists == nil {
		t.lists = map[string]*btree.Map[string, *Entry]{}
	}
	m := t.lists[name]
	if m == nil {
		m = &btree.Map[string, *Entry]{}
		t.lists[name] = m
	}
	m.Set(e.Key, e)
}

// Delete removes the entry of a key and returns it; nil if there was none.
func (t *Tree) Delete(key string) *Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.byKey.Delete(key)
	if !ok {
		return nil
	}
	for _, typ := range []string{e.Res.Type, Tracked} {
		name := list(e.ID.Subscription, typ)
		if m := t.lists[name]; m != nil {
			m.Delete(key)
			if m.Len() == 0 {
				delete(t.lists, name)
			}
		}
	}
	return e
}

// Subtree lists the entry of a key and all that lies under it, parents before children.
func (t *Tree) Subtree(key string) []*Entry {
	var out []*Entry
	t.mu.RLock()
	defer t.mu.RUnlock()
	if e, ok := t.byKey.Get(key); ok {
		out = append(out, e)
	}
	t.byKey.Ascend(key+"/", func(k string, e *Entry) bool {
		if !strings.HasPrefix(k, key+"/") {
			return false
		}
		out = append(out, e)
		return true
	})
	return out
}

// Scan lists up to n entries of a subscription and type (or Tracked) that lie under a
// scope's key, in the order of their keys, beginning behind the key after ("" begins at
// the start).
func (t *Tree) Scan(subscription, typ, scope, after string, n int) []*Entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	m := t.lists[list(subscription, typ)]
	if m == nil {
		return nil
	}
	prefix := scope + "/"
	out := make([]*Entry, 0, min(n, m.Len()))
	m.Ascend(max(prefix, after), func(k string, e *Entry) bool {
		if !strings.HasPrefix(k, prefix) {
			return false
		}
		if k != after {
			out = append(out, e)
		}
		return len(out) < n
	})
	return out
}
