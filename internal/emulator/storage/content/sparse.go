package content

import (
	"slices"
	"sort"
)

// Range is a run of octets that were written: n octets from Off on.
type Range struct {
	Off, N int64
}

// End is the offset behind the range.
func (r Range) End() int64 { return r.Off + r.N }

// extent is a written run of a Sparse.
type extent struct {
	off  int64
	data Content
}

func (e extent) end() int64 { return e.off + e.data.Size() }

// Sparse is a content of which parts were written and the rest is zero: a page blob or a
// file. It is immutable, as Content is: each change returns a new value.
type Sparse struct {
	size    int64
	extents []extent // ascending, without overlaps
}

// NewSparse returns n octets of which none were written.
func NewSparse(n int64) Sparse { return Sparse{size: n} }

// SparseOf returns a content as one of which the runs of zeros were not written.
func SparseOf(c Content) Sparse {
	s := NewSparse(c.Size())
	for i, p := range c.parts {
		if start := c.start(i); p.kind != zeros {
			s = s.Write(start, c.Slice(start, p.end-start))
		}
	}
	return s
}

// Size is the number of octets, written or not.
func (s Sparse) Size() int64 { return s.size }

// Resize cuts or lengthens the content.
func (s Sparse) Resize(n int64) Sparse {
	if n < s.size {
		s = s.Clear(n, s.size-n)
	}
	s.size = n
	return s
}

// Write puts c at off. It must end within the size.
func (s Sparse) Write(off int64, c Content) Sparse {
	if c.Size() == 0 {
		return s
	}
	from, to, left, right := s.around(off, off+c.Size())
	middle := make([]extent, 0, 3)
	middle = append(middle, left...)
	middle = append(middle, extent{off, c})
	middle = append(middle, right...)
	return s.replace(from, to, middle)
}

// Clear makes n octets from off on unwritten.
func (s Sparse) Clear(off, n int64) Sparse {
	from, to, left, right := s.around(off, off+n)
	return s.replace(from, to, append(left, right...))
}

// around finds the extents that off … end touches, and what of them stays on either side.
func (s Sparse) around(off, end int64) (from, to int, left, right []extent) {
	from = sort.Search(len(s.extents), func(i int) bool { return s.extents[i].end() > off })
	to = from
	for to < len(s.extents) && s.extents[to].off < end {
		to++
	}
	if from < to {
		if e := s.extents[from]; e.off < off {
			left = append(left, extent{e.off, e.data.Slice(0, off-e.off)})
		}
		if e := s.extents[to-1]; e.end() > end {
			right = append(right, extent{end, e.data.Slice(end-e.off, e.end()-end)})
		}
	}
	return from, to, left, right
}

func (s Sparse) replace(from, to int, middle []extent) Sparse {
	if from == len(s.extents) { // behind the last: the usual way of writing
		s.extents = append(slices.Clip(s.extents), middle...)
		return s
	}
	s.extents = slices.Concat(s.extents[:from], middle, s.extents[to:])
	return s
}

// Content returns n octets from off on, zeros where nothing was written.
func (s Sparse) Content(off, n int64) Content {
	end := min(off+n, s.size)
	var out Content
	at := off
	for i := sort.Search(len(s.extents), func(i int) bool { return s.extents[i].end() > off }); i < len(s.extents); i++ {
		e := s.extents[i]
		if e.off >= end {
			break
		}
		start := max(e.off, at)
		out = out.Append(Zeros(start - at)).Append(e.data.Slice(start-e.off, min(end, e.end())-start))
		at = min(end, e.end())
	}
	return out.Append(Zeros(end - at))
}

// Ranges returns what was written of n octets from off on; neighbours are joined.
func (s Sparse) Ranges(off, n int64) []Range {
	end := min(off+n, s.size)
	var out []Range
	for _, e := range s.extents {
		a, b := max(e.off, off), min(e.end(), end)
		switch {
		case a >= b:
		case len(out) > 0 && out[len(out)-1].End() == a:
			out[len(out)-1].N += b - a
		default:
			out = append(out, Range{a, b - a})
		}
	}
	return out
}
