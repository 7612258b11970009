package blobs

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// PutPage answers Put Page: it writes or clears pages.
func PutPage(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	rg, err := r.Pages("X-Ms-Range")
	if err != nil {
		return err
	}
	n, err := r.Length()
	if err != nil {
		return err
	}
	switch action := strings.ToLower(r.Header("X-Ms-Page-Write")); {
	case action == "clear" && n == 0:
		return ChangePages(r, func(p content.Sparse) content.Sparse { return p.Clear(rg.Off, rg.N) }, rg)
	case action == "clear", action == "update" && n != rg.N:
		return req.BadHeader("Content-Length", strconv.FormatInt(n, 10))
	case action != "update":
		return req.BadHeader("x-ms-page-write", action)
	case n > longestPage:
		return req.Refuse(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit.")
	}
	data, sums, err := r.Body(content.Ingest{Drop: r.Store.Settings().Drop}, longestPage)
	if err != nil {
		return err
	}
	r.Sums(sums)
	return ChangePages(r, func(p content.Sparse) content.Sparse { return p.Write(rg.Off, data) }, rg)
}

// ChangePages writes the pages of the range and answers 201.
func ChangePages(r *req.Request, change func(content.Sparse) content.Sparse, rg content.Range) *wire.Error {
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		old := t.Live()
		switch {
		case old == nil:
			return model.BlobNotFound()
		case old.Type != model.Page:
			return req.WrongType()
		}
		if err := (Guard{Cond: cond, Overwrite: true}).Check(r, t); err != nil {
			return err
		}
		if err := sequence(r, old); err != nil {
			return err
		}
		if rg.End() > old.Size() {
			return req.Refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidPageRange", "The page range specified is invalid.")
		}
		b := old.Clone()
		b.Pages, b.Headers.MD5 = change(old.Pages), nil
		Written(r, t.Alter(b))
		r.Out.Set("X-Ms-Blob-Sequence-Number", strconv.FormatInt(b.Sequence, 10))
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusCreated)
}

// sequence checks the conditions on the sequence number.
func sequence(r *req.Request, b *model.Blob) *wire.Error {
	for name, ok := range map[string]func(c int) bool{
		"X-Ms-If-Sequence-Number-Le": func(c int) bool { return c <= 0 },
		"X-Ms-If-Sequence-Number-Lt": func(c int) bool { return c < 0 },
		"X-Ms-If-Sequence-Number-Eq": func(c int) bool { return c == 0 },
	} {
		if r.Header(name) == "" {
			continue
		}
		n, err := r.Int(name, 0)
		if err != nil {
			return err
		}
		if !ok(cmp.Compare(b.Sequence, n)) {
			return req.Unmet("SequenceNumberConditionNotMet", "The sequence number condition specified was not met.")
		}
	}
	return nil
}

// pageList is the answer of Get Page Ranges.
type pageList struct {
	XMLName xml.Name    `xml:"PageList"`
	Pages   []pageRange `xml:"PageRange"`
	Cleared []pageRange `xml:"ClearRange"`
	Next    string      `xml:"NextMarker"`
}

type pageRange struct {
	Start int64 `xml:"Start"`
	End   int64 `xml:"End"`
}

// mostRanges is how many ranges Get Page Ranges answers with at once.
const mostRanges = 10_000

// PageRanges answers Get Page Ranges, also the difference from an earlier snapshot.
func PageRanges(r *req.Request) *wire.Error {
	if err := r.Allow("r", "blob", "containers/blobs/read"); err != nil {
		return err
	}
	f, err := look(r)
	if err != nil {
		return err
	}
	if f.blob.Type != model.Page {
		return req.WrongType()
	}
	rg, _, err := r.Range(max(f.blob.Size(), 1))
	if err != nil {
		return err
	}
	written := f.blob.Pages.Ranges(rg.Off, rg.N)
	var out pageList
	if prev := r.Param("prevsnapshot"); prev != "" {
		before, err := snapshot(r, prev)
		if err != nil {
			return err
		}
		out.Pages, out.Cleared = difference(before, f.blob, rg)
	} else {
		out.Pages = shownRanges(written)
	}
	if err := out.page(r); err != nil {
		return err
	}
	r.ETag(f.blob.ETag, f.blob.Modified)
	r.Out.Set("X-Ms-Blob-Content-Length", strconv.FormatInt(f.blob.Size(), 10))
	return r.WriteXML(out)
}

// page cuts the list down to what the marker and maxresults ask for.
func (l *pageList) page(r *req.Request) *wire.Error {
	most := mostRanges
	if v := r.Param("maxresults"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return req.BadQuery("maxresults", v)
		}
		most = min(n, mostRanges)
	}
	if m := r.Param("marker"); m != "" {
		from, err := strconv.ParseInt(m, 10, 64)
		if err != nil {
			return req.BadQuery("marker", m)
		}
		behind := func(p pageRange) bool { return p.Start < from }
		l.Pages, l.Cleared = slices.DeleteFunc(l.Pages, behind), slices.DeleteFunc(l.Cleared, behind)
	}
	if len(l.Pages) > most {
		l.Next = strconv.FormatInt(l.Pages[most].Start, 10)
		next := l.Pages[most].Start
		l.Pages = l.Pages[:most]
		l.Cleared = slices.DeleteFunc(l.Cleared, func(p pageRange) bool { return p.Start >= next })
	}
	return nil
}

func shownRanges(in []content.Range) []pageRange {
	out := make([]pageRange, 0, len(in))
	for _, g := range in {
		out = append(out, pageRange{g.Off, g.End() - 1})
	}
	return out
}

func snapshot(r *req.Request, id string) (*model.Blob, *wire.Error) {
	c, err := r.OpenContainer()
	if err != nil {
		return nil, err
	}
	var b *model.Blob
	err = c.Read(r.Blob, r.Now, func(e *model.Entry) *wire.Error {
		if b = e.Find(id, ""); b == nil || !b.Deleted.IsZero() {
			return req.Conflict("PreviousSnapshotNotFound", "The previous snapshot is not found.")
		}
		return nil
	})
	return b, err
}

// difference compares page by page: what was written since and what was cleared.
func difference(before, after *model.Blob, rg content.Range) (pages, cleared []pageRange) {
	was := wholePages(before.Pages.Ranges(rg.Off, rg.N))
	for _, g := range after.Pages.Ranges(rg.Off, rg.N) {
		for off := g.Off; off < g.End(); off += 512 {
			same := was[off] && equal(before.Content(off, 512), after.Content(off, 512))
			delete(was, off)
			if !same {
				pages = join(pages, off)
			}
		}
	}
	gone := make([]int64, 0, len(was))
	for off := range was {
		gone = append(gone, off)
	}
	slices.Sort(gone)
	for _, off := range gone {
		cleared = join(cleared, off)
	}
	return pages, cleared
}

func wholePages(ranges []content.Range) map[int64]bool {
	out := map[int64]bool{}
	for _, g := range ranges {
		for off := g.Off; off < g.End(); off += 512 {
			out[off] = true
		}
	}
	return out
}

func join(all []pageRange, off int64) []pageRange {
	if n := len(all); n > 0 && all[n-1].End+1 == off {
		all[n-1].End = off + 511
		return all
	}
	return append(all, pageRange{off, off + 511})
}

func equal(a, b content.Content) bool {
	x, err1 := a.Bytes()
	y, err2 := b.Bytes()
	return err1 == nil && err2 == nil && slices.Equal(x, y)
}
