package file

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// largestRange is how much one Put Range writes.
const largestRange = 4 << 20

// parseRange reads "bytes=a-b" and "bytes=a-"; to is -1 if it is open.
func parseRange(s string) (from, to int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes=")
	a, b, dash := strings.Cut(s, "-")
	if !ok || !dash {
		return 0, 0, false
	}
	from, err := strconv.ParseInt(a, 10, 64)
	if err != nil || from < 0 {
		return 0, 0, false
	}
	if b == "" {
		return from, -1, true
	}
	to, err = strconv.ParseInt(b, 10, 64)
	return from, to, err == nil && to >= from
}

// readRange is the part of the content that is asked for; partial is false if it is all.
func (x *call) readRange(size int64) (r content.Range, partial bool, err *wire.Error) {
	text := cmp.Or(x.R.Header.Get("X-Ms-Range"), x.R.Header.Get("Range"))
	from, to, ok := parseRange(text)
	switch {
	case text == "" || !ok:
		return content.Range{N: size}, false, nil
	case from >= size:
		return r, false, badRange()
	case to < 0 || to >= size:
		to = size - 1
	}
	return content.Range{Off: from, N: to - from + 1}, true, nil
}

// writeRange is the range that a write must have.
func (x *call) writeRange() (content.Range, *wire.Error) {
	text := cmp.Or(x.R.Header.Get("X-Ms-Range"), x.R.Header.Get("Range"))
	from, to, ok := parseRange(text)
	switch {
	case text == "":
		return content.Range{}, noHeader("x-ms-range")
	case !ok || to < 0:
		return content.Range{}, badHeader("x-ms-range", text)
	}
	return content.Range{Off: from, N: to - from + 1}, nil
}

// take reads a body of n octets and checks it against Content-MD5.
func (x *call) take(n int64) (content.Content, *wire.Error) {
	if n > largestRange {
		return content.Content{}, tooLarge()
	}
	claimed := x.R.Header.Get("Content-MD5")
	x.account.mu.RLock()
	in := content.Ingest{MD5: true, Drop: x.account.discard}
	x.account.mu.RUnlock()
	data, sums, err := in.Read(x.R.Body, n)
	switch {
	case errors.Is(err, content.ErrShort):
		return data, bad("IncompleteBody", "The request body is incomplete.")
	case err != nil:
		return data, bad("InvalidInput", "One of the request inputs is not valid.")
	}
	if claimed != "" {
		want, err := base64.StdEncoding.DecodeString(claimed)
		if err != nil || len(want) != 16 {
			return data, bad("InvalidMd5", "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.")
		}
		if !bytes.Equal(want, sums.MD5) {
			return data, bad("Md5Mismatch", "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
		}
	}
	x.out.Set("Content-MD5", base64.StdEncoding.EncodeToString(sums.MD5))
	return data, nil
}

// putRange answers Put Range and Put Range From URL.
func (x *call) putRange() *wire.Error {
	r, err := x.writeRange()
	if err != nil {
		return err
	}
	var data content.Content
	clearing := false
	switch mode := strings.ToLower(x.R.Header.Get("X-Ms-Write")); {
	case x.R.Header.Get("X-Ms-Copy-Source") != "":
		data, err = x.sourceRange(r.N)
	case mode == "clear":
		clearing = true
		if x.R.ContentLength > 0 {
			err = badHeader("Content-Length", strconv.FormatInt(x.R.ContentLength, 10))
		}
	case mode != "update":
		err = badHeader("x-ms-write", mode)
	case x.R.ContentLength != r.N && r.N <= largestRange:
		err = badHeader("Content-Length", strconv.FormatInt(x.R.ContentLength, 10))
	default:
		data, err = x.take(r.N)
	}
	if err != nil {
		x.out.Del("Content-MD5")
		return err
	}
	_, n, err := x.change(func(_ *tree.Share, n *tree.Node) *wire.Error { return x.apply(n, r, data, clearing) })
	if err != nil {
		x.out.Del("Content-MD5")
		return err
	}
	x.out["ETag"] = []string{n.ETag}
	x.out.Set("Last-Modified", httpTime(n.Modified))
	x.out.Set("X-Ms-File-Last-Write-Time", iso(n.Written))
	x.out.Set("X-Ms-Request-Server-Encrypted", "true")
	return x.answer(http.StatusCreated)
}

// apply changes a range of a file.
func (x *call) apply(n *tree.Node, r content.Range, data content.Content, clearing bool) *wire.Error {
	switch {
	case n.Kind == tree.Directory:
		return typeMismatch()
	case n.Attributes&tree.ReadOnly != 0:
		return readOnly()
	case r.End() > n.Content.Size():
		return badRange()
	}
	if clearing {
		n.Content = cleared(n.Content, r)
	} else {
		n.Content = n.Content.Write(r.Off, data)
	}
	if !strings.EqualFold(x.R.Header.Get("X-Ms-File-Last-Write-Time"), "preserve") {
		n.Written = x.Now
	}
	return nil
}

// sector is the unit in which a file is given space.
const sector = 512

// cleared gives back the space of whole sectors, and writes zeros to parts of them.
func cleared(s content.Sparse, r content.Range) content.Sparse {
	from, to := (r.Off+sector-1)/sector*sector, r.End()/sector*sector
	if r.End() == s.Size() {
		to = r.End()
	}
	if from >= to {
		return s.Write(r.Off, content.Zeros(r.N))
	}
	s = s.Clear(from, to-from)
	if r.Off < from {
		s = s.Write(r.Off, content.Zeros(from-r.Off))
	}
	if to < r.End() {
		s = s.Write(to, content.Zeros(r.End()-to))
	}
	return s
}

// rangeList is the document of List Ranges.
type rangeList struct {
	XMLName xml.Name    `xml:"Ranges"`
	Ranges  []wireRange `xml:"Range"`
	Cleared []wireRange `xml:"ClearRange"`
}

type wireRange struct{ Start, End int64 }

// listRanges answers List Ranges, or what changed since a snapshot.
func (x *call) listRanges() *wire.Error {
	_, n, err := x.file()
	if err != nil {
		return err
	}
	r, _, err := x.readRange(n.Content.Size())
	if err != nil {
		return err
	}
	doc := rangeList{Ranges: sectors(n.Content.Ranges(r.Off, r.N), n.Content.Size())}
	if prev := x.query.Get("prevsharesnapshot"); prev != "" {
		old, err := x.before(prev, n)
		if err != nil {
			return err
		}
		doc.Ranges, doc.Cleared = difference(old, n.Content, r)
	}
	x.out["ETag"] = []string{n.ETag}
	x.out.Set("Last-Modified", httpTime(n.Modified))
	x.out.Set("X-Ms-Content-Length", strconv.FormatInt(n.Content.Size(), 10))
	kit.WriteXML(x.W, http.StatusOK, doc)
	return nil
}

// before is the content that a file had in a snapshot: none if it was not there.
func (x *call) before(moment string, n *tree.Node) (content.Sparse, *wire.Error) {
	x.account.mu.RLock()
	defer x.account.mu.RUnlock()
	sh, ok := x.account.shares[x.share]
	if !ok {
		return content.Sparse{}, shareNotFound()
	}
	snap := sh.At(moment)
	if snap == nil {
		return content.Sparse{}, missing("PreviousSnapshotNotFound", "The previous snapshot is not found.") // code not confirmed
	}
	old := snap.Get(n.Path)
	if old == nil || old.Kind != tree.File {
		return content.Sparse{}, nil
	}
	return old.Content, nil
}

// sectors widens ranges to whole sectors within the file and joins those that then touch.
func sectors(in []content.Range, size int64) []wireRange {
	var out []wireRange
	for _, r := range in {
		from, to := r.Off/sector*sector, min((r.End()+sector-1)/sector*sector, size)-1
		if len(out) > 0 && out[len(out)-1].End+1 >= from {
			out[len(out)-1].End = max(out[len(out)-1].End, to)
			continue
		}
		out = append(out, wireRange{from, to})
	}
	return out
}

// unit is how finely contents are compared.
const unit = 4 << 10

// difference finds what was written and what was cleared between two contents.
func difference(old, now content.Sparse, within content.Range) (written, cleared []wireRange) {
	var w, c []content.Range
	for _, r := range now.Ranges(within.Off, within.N) {
		for at := r.Off; at < r.End(); at += unit {
			n := min(unit, r.End()-at)
			if !same(old, now, at, n) {
				w = append(w, content.Range{Off: at, N: n})
			}
		}
	}
	for _, r := range old.Ranges(within.Off, within.N) {
		at := r.Off
		for _, kept := range now.Ranges(r.Off, r.N) {
			if kept.Off > at {
				c = append(c, content.Range{Off: at, N: kept.Off - at})
			}
			at = kept.End()
		}
		if end := min(r.End(), now.Size()); at < end {
			c = append(c, content.Range{Off: at, N: end - at})
		}
	}
	return sectors(w, now.Size()), sectors(c, now.Size())
}

// same tells whether a piece was written in both contents and is equal. What was dropped
// is never equal.
func same(a, b content.Sparse, at, n int64) bool {
	r := a.Ranges(at, n)
	if len(r) != 1 || r[0].Off != at || r[0].N != n {
		return false
	}
	x, errX := a.Content(at, n).Bytes()
	y, errY := b.Content(at, n).Bytes()
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
