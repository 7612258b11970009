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
		common, whole := w.common(name, e)
		switch {
		case common == "" && !w.Visit(name, e):
			return
		case common == "":
		case whole == nil && c.key(common) < c.key(w.From): // a page may have ended at it
			k.seek(after(c.key(common)))
		case !w.Visit(common, whole):
			return
		default:
			k.seek(after(c.key(common)))
		}
	}
}

// common is the common prefix that a name is listed as, with the entry of one that is a
// directory itself; "" if it is listed as it is.
func (w Walk) common(name string, e *Entry) (string, *Entry) {
	if w.Delimiter == "" {
		return "", nil
	}
	if i := strings.Index(name[len(w.Prefix):], w.Delimiter); i >= 0 {
		return name[:len(w.Prefix)+i+len(w.Delimiter)], nil
	}
	if b := e.Live(); b != nil && b.Dir && w.Delimiter == "/" {
		return name + "/", e
	}
	return "", nil
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
