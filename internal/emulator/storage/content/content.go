// Package content is what blobs and files hold: immutable octets of a known length that
// may be in memory, generated from a seed, zero, or hashed and dropped. It costs memory
// for octets that a client sent, and for nothing else.
package content

import (
	"errors"
	"io"
	"slices"
	"sort"
)

// ErrDropped is the error of reading octets that were hashed and dropped.
var ErrDropped = errors.New("the content was dropped when it was written")

// kind is where the octets of a part come from.
type kind uint8

const (
	inMemory kind = iota
	generated
	zeros
	dropped
)

// part is a run of octets of one kind.
type part struct {
	end  int64 // offset in the content behind the last octet
	kind kind
	data []byte // inMemory
	seed uint64 // generated: octets of this seed …
	off  int64  // … from here
}

// Content is immutable; the zero value is empty. A Content shares memory with those that
// were made from it.
type Content struct {
	parts []part
}

// Of returns a content that holds b itself: b must not be changed any more.
func Of(b []byte) Content { return single(part{kind: inMemory, data: b}, int64(len(b))) }

// Virtual returns the first n octets of a seed.
func Virtual(seed uint64, n int64) Content { return single(part{kind: generated, seed: seed}, n) }

// Zeros returns n zero octets.
func Zeros(n int64) Content { return single(part{kind: zeros}, n) }

// Dropped returns n octets that cannot be read any more.
func Dropped(n int64) Content { return single(part{kind: dropped}, n) }

func single(p part, n int64) Content {
	if n <= 0 {
		return Content{}
	}
	p.end = n
	return Content{parts: []part{p}}
}

// Size is the number of octets.
func (c Content) Size() int64 {
	if len(c.parts) == 0 {
		return 0
	}
	return c.parts[len(c.parts)-1].end
}

// Readable tells whether nothing of the content was dropped.
func (c Content) Readable() bool {
	return !slices.ContainsFunc(c.parts, func(p part) bool { return p.kind == dropped })
}

// Join returns all contents, one behind the other.
func Join(cs ...Content) Content {
	n := 0
	for _, c := range cs {
		n += len(c.parts)
	}
	out := Content{parts: make([]part, 0, n)}
	for _, c := range cs {
		out = out.Append(c)
	}
	return out
}

// Append returns c with d behind it. The result may share the list of parts with c, so
// that a long run of appends is cheap: of one content, only one may be appended to; take
// Fork for others.
func (c Content) Append(d Content) Content {
	base := c.Size()
	for _, p := range d.parts {
		p.end += base
		c.parts = append(c.parts, p)
	}
	return c
}

// Fork returns the same content, which may be appended to apart from c.
func (c Content) Fork() Content { return Content{parts: slices.Clip(c.parts)} }

// Slice returns n octets from off on, or as many as there are.
func (c Content) Slice(off, n int64) Content {
	size := c.Size()
	off = min(max(off, 0), size)
	n = min(n, size-off)
	if n <= 0 {
		return Content{}
	}
	if off == 0 && n == size {
		return c.Fork()
	}
	var out Content
	end := off + n
	for i := c.find(off); i < len(c.parts); i++ {
		p, start := c.parts[i], c.start(i)
		if start >= end {
			break
		}
		out.parts = append(out.parts, p.cut(max(off-start, 0), min(end, p.end)-start, out.Size()))
	}
	return out
}

// find is the index of the part that holds the octet at off.
func (c Content) find(off int64) int {
	return sort.Search(len(c.parts), func(i int) bool { return c.parts[i].end > off })
}

func (c Content) start(i int) int64 {
	if i == 0 {
		return 0
	}
	return c.parts[i-1].end
}

// cut takes the octets from … to of a part and places them at base.
func (p part) cut(from, to, base int64) part {
	switch p.kind {
	case inMemory:
		p.data = p.data[from:to]
	case generated:
		p.off += from
	case zeros, dropped:
	}
	p.end = base + to - from
	return p
}

// WriteTo implements io.WriterTo. The error is ErrDropped or the writer's.
func (c Content) WriteTo(w io.Writer) (int64, error) {
	var sum int64
	for i, p := range c.parts {
		n, err := p.writeTo(w, p.end-c.start(i))
		sum += n
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

func (p part) writeTo(w io.Writer, size int64) (int64, error) {
	switch p.kind {
	case inMemory:
		n, err := w.Write(p.data)
		return int64(n), err
	case generated, zeros:
		return p.writeMade(w, size)
	case dropped:
	}
	return 0, ErrDropped
}

// writeMade writes generated octets and zeros, run by run and without a copy.
func (p part) writeMade(w io.Writer, size int64) (int64, error) {
	var sum int64
	for sum < size {
		run := noughts
		if p.kind == generated {
			run = runAt(p.seed, p.off+sum)
		}
		run = run[:min(int64(len(run)), size-sum)]
		n, err := w.Write(run)
		sum += int64(n)
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Bytes returns the octets in one slice, which must not be changed. It is meant for short
// contents.
func (c Content) Bytes() ([]byte, error) {
	if len(c.parts) == 1 && c.parts[0].kind == inMemory {
		return c.parts[0].data, nil
	}
	out := writer(make([]byte, 0, c.Size()))
	_, err := c.WriteTo(&out)
	return out, err
}

// writer collects what is written.
type writer []byte

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
