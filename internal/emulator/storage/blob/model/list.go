package model

import (
	"strings"
	"time"

	"github.com/tidwall/btree"
)

// cursor walks over the names of a container in order, real and generated ones.
type cursor struct {
	c      *Container
	iter   btree.MapIter[string, *Entry]
	real   bool // iter stands at an entry
	number int  // of the next generated blob
	count  int
}

func (c *Container) cursor(from string) *cursor {
	k := &cursor{c: c, iter: c.entries.Iter()}
	k.seek(from)
	return k
}

func (k *cursor) seek(from string) {
	k.real = k.iter.Seek(k.c.key(from))
	if v := k.c.virtual; v != nil {
		k.number, k.count = v.from(from), v.Count
	}
}

// next returns the name and entry under the cursor and goes on; ok is false at the end.
func (k *cursor) next() (name string, e *Entry, ok bool) {
	generated := ""
	if k.number < k.count {
		generated = k.c.virtual.name(k.number)
	}
	switch {
	case !k.real && generated == "":
		return "", nil, false
	case !k.real || generated != "" && generated < k.c.name(k.iter.Key()):
		e = &Entry{Base: k.c.virtual.at(k.number)}
		k.number++
		return generated, e, true
	}
	name, e = k.c.name(k.iter.Key()), k.iter.Value()
	if name == generated {
		k.number++ // a real one stands in its place
	}
	k.real = k.iter.Next()
	return name, e, true
}

// Walk says which names to visit.
type Walk struct {
	From, Prefix string
	Delimiter    string              // "": none
	Visible      func(e *Entry) bool // what does not count, not even for a common prefix
	Visit        func(name string, e *Entry) bool
}

// Walk calls w.Visit with every name from w.From on that begins with the prefix, in order,
// until it returns false. Names that have the delimiter behind the prefix are given once
// as a common prefix, with a nil entry. Entries must not be changed, nor kept after the
// call. Directories of a hierarchical namespace are common prefixes too, where the
// delimiter is a slash; they come with their entry.
func (c *Container) Walk(w Walk, now time.Time) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	from := w.From
	if c.key(from) < c.key(w.Prefix) {
		from = w.Prefix
	}
	k := c.cursor(from)
	for {
		name, e, ok := k.next()
		if !ok || !strings.HasPrefix(name, w.Prefix) {
			return
		}
		if !e.settled(now) { // what time has finished is not written down under a reading lock
			e = &Entry{Base: e.Base, Old: e.Old, Lease: e.Lease, Staged: e.Staged, Pending: e.Pending}
			e.settle(now)
		}
		if e.Empty() || !w.Visible(e) {
			continue
		}
		if i := strings.Index(name[len(w.Prefix):], w.Delimiter); w.Delimiter != "" && i >= 0 {
			common := name[:len(w.Prefix)+i+len(w.Delimiter)]
			if c.key(common) >= c.key(w.From) && !w.Visit(common, nil) { // a page may have ended at it
				return
			}
			k.seek(after(c.key(common)))
			continue
		}
		if b := e.Live(); b != nil && b.Dir && w.Delimiter == "/" {
			if !w.Visit(name+"/", e) {
				return
			}
			k.seek(after(c.key(name + "/")))
			continue
		}
		if !w.Visit(name, e) {
			return
		}
	}
}

// after is the first name behind all that begin with prefix.
func after(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xFF {
			b[i]++
			return string(b[:i+1])
		}
	}
	return prefix + "\xFF"
}
