// Package shelf keeps one kind of Key Vault object by name, with Azure's life cycle of
// soft delete: alive, being deleted, deleted, being recovered, purged. Names are unique
// without regard to case. A page costs what is on it, however many objects there are.
//
// A Shelf has no lock: its owner has.
package shelf

import (
	"strings"
	"time"

	"github.com/tidwall/btree"
)

// Status is where an object is in its life.
type Status int

// The statuses of a name.
const (
	Absent     Status = iota // never made, or purged
	Live                     // readable and writable
	Deleting                 // deleted a moment ago: neither readable nor listed, name not free
	Deleted                  // in the deleted list, can be recovered or purged
	Recovering               // recovered a moment ago: not writable yet
)

// Entry is an object with what its soft delete says of it.
type Entry[T any] struct {
	Object    *T
	Status    Status
	DeletedAt time.Time // zero unless deleting or deleted
	PurgeAt   time.Time // when the retention ends; zero unless deleting or deleted
}

// Shelf holds the objects of one kind.
type Shelf[T any] struct {
	live       btree.Map[string, *T]
	deleted    btree.Map[string, grave[T]]
	recovering map[string]window
}

// grave is a deleted object; times are Unix nanoseconds to keep a million of them small.
type grave[T any] struct {
	obj                     *T
	deleted, settled, purge int64
}

// window is the time in which a recovered object cannot be written; in its first part it
// cannot be read either.
type window struct{ visible, writable int64 }

// Len is the number of live objects.
func (s *Shelf[T]) Len() int { return s.live.Len() }

// Find tells what a name stands for at now. The entry's Object is nil if it is absent.
func (s *Shelf[T]) Find(name string, now time.Time) Entry[T] {
	k := strings.ToLower(name)
	if obj, ok := s.live.Get(k); ok {
		return Entry[T]{Object: obj, Status: s.liveStatus(k, now)}
	}
	g, ok := s.deleted.Get(k)
	if !ok {
		return Entry[T]{}
	}
	if now.UnixNano() >= g.purge {
		s.deleted.Delete(k)
		return Entry[T]{}
	}
	return g.entry(now)
}

func (s *Shelf[T]) liveStatus(key string, now time.Time) Status {
	w, ok := s.recovering[key]
	if !ok {
		return Live
	}
	if now.UnixNano() < w.writable {
		return Recovering
	}
	delete(s.recovering, key)
	return Live
}

// Get returns the live object of that name if it can be read at now.
func (s *Shelf[T]) Get(name string, now time.Time) (*T, bool) {
	k := strings.ToLower(name)
	obj, ok := s.live.Get(k)
	if !ok || s.hidden(k, now) {
		return nil, false
	}
	return obj, true
}

func (s *Shelf[T]) hidden(key string, now time.Time) bool {
	w, ok := s.recovering[key]
	return ok && now.UnixNano() < w.visible
}

// Put makes or replaces the live object of that name.
func (s *Shelf[T]) Put(name string, obj *T) { s.live.Set(strings.ToLower(name), obj) }

// Load is Put for names that arrive in ascending order; it is faster.
func (s *Shelf[T]) Load(name string, obj *T) { s.live.Load(strings.ToLower(name), obj) }

// Drop removes the live object of that name for good.
func (s *Shelf[T]) Drop(name string) {
	k := strings.ToLower(name)
	s.live.Delete(k)
	delete(s.recovering, k)
}

// Delete moves a live object to the deleted ones. It appears there after settle, and is
// gone for good after retention. ok is false if there is no live object of that name.
func (s *Shelf[T]) Delete(name string, now time.Time, settle, retention time.Duration) (Entry[T], bool) {
	k := strings.ToLower(name)
	obj, ok := s.live.Delete(k)
	if !ok {
		return Entry[T]{}, false
	}
	delete(s.recovering, k)
	g := grave[T]{obj: obj, deleted: now.UnixNano(), settled: now.Add(settle).UnixNano(), purge: now.Add(retention).UnixNano()}
	s.deleted.Set(k, g)
	return g.entry(now), true
}

// Recover brings a deleted object back. It is readable after hide and writable after
// hold. ok is false if there is no deleted object of that name.
func (s *Shelf[T]) Recover(name string, now time.Time, hide, hold time.Duration) (*T, bool) {
	k := strings.ToLower(name)
	if s.Find(name, now).Status != Deleted {
		return nil, false
	}
	g, _ := s.deleted.Delete(k)
	s.live.Set(k, g.obj)
	if hold > 0 {
		if s.recovering == nil {
			s.recovering = map[string]window{}
		}
		s.recovering[k] = window{visible: now.Add(hide).UnixNano(), writable: now.Add(hold).UnixNano()}
	}
	return g.obj, true
}

// Purge removes a deleted object for good. ok is false if there is none of that name.
func (s *Shelf[T]) Purge(name string, now time.Time) bool {
	if s.Find(name, now).Status != Deleted {
		return false
	}
	s.deleted.Delete(strings.ToLower(name))
	return true
}

// Page returns up to n readable live objects in the order of their names, after the
// marker (a key from an earlier call; "" for the first page), and the marker of the next
// page, "" if there is none. Objects that keep refuses are left out.
func (s *Shelf[T]) Page(after string, n int, now time.Time, keep func(*T) bool) (page []Entry[T], next string) {
	last := ""
	s.live.Ascend(after, func(k string, obj *T) bool {
		if k == after && after != "" || s.hidden(k, now) || !keep(obj) {
			return true
		}
		if len(page) == n {
			next = last
			return false
		}
		page, last = append(page, Entry[T]{Object: obj, Status: Live}), k
		return true
	})
	return page, next
}

// DeletedPage is Page over the deleted objects.
func (s *Shelf[T]) DeletedPage(after string, n int, now time.Time) (page []Entry[T], next string) {
	last, expired := "", []string(nil)
	s.deleted.Ascend(after, func(k string, g grave[T]) bool {
		if now.UnixNano() >= g.purge {
			expired = append(expired, k)
			return true
		}
		if k == after && after != "" || now.UnixNano() < g.settled {
			return true
		}
		if len(page) == n {
			next = last
			return false
		}
		page, last = append(page, g.entry(now)), k
		return true
	})
	for _, k := range expired {
		s.deleted.Delete(k)
	}
	return page, next
}

// All calls f with every live object in the order of the names.
func (s *Shelf[T]) All(f func(*T)) {
	s.live.Scan(func(_ string, obj *T) bool {
		f(obj)
		return true
	})
}

func (g grave[T]) entry(now time.Time) Entry[T] {
	e := Entry[T]{Object: g.obj, Status: Deleted, DeletedAt: time.Unix(0, g.deleted), PurgeAt: time.Unix(0, g.purge)}
	if now.UnixNano() < g.settled {
		e.Status = Deleting
	}
	return e
}
