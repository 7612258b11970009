package req

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Range reads x-ms-range or Range of a read; ok is false if there is none, or one that
// HTTP has a server ignore.
func (r *Request) Range(size int64) (rg content.Range, ok bool, err *wire.Error) {
	text := cmp.Or(r.Header("X-Ms-Range"), r.Header("Range"))
	from, to, bounded, valid := parse(text)
	if !valid {
		return content.Range{Off: 0, N: size}, false, nil
	}
	if from >= size {
		return rg, false, BadRange()
	}
	if !bounded || to >= size {
		to = size - 1
	}
	return content.Range{Off: from, N: to - from + 1}, true, nil
}

// Pages reads the range that a write to a page blob must have: whole pages.
func (r *Request) Pages(header string) (content.Range, *wire.Error) {
	text := r.Header(header)
	if text == "" && header == "X-Ms-Range" {
		text = r.Header("Range")
	}
	from, to, bounded, valid := parse(text)
	switch {
	case text == "":
		return content.Range{}, MissingHeader(header)
	case !valid || !bounded:
		return content.Range{}, BadHeader(header, text)
	case from%512 != 0 || (to+1)%512 != 0:
		return content.Range{}, Refuse(416, "InvalidPageRange", "The page range specified is invalid.")
	}
	return content.Range{Off: from, N: to - from + 1}, nil
}

// SourceRange reads x-ms-source-range; ok is false if there is none.
func (r *Request) SourceRange() (rg content.Range, ok bool, err *wire.Error) {
	text := r.Header("X-Ms-Source-Range")
	if text == "" {
		return rg, false, nil
	}
	from, to, bounded, valid := parse(text)
	if !valid || !bounded {
		return rg, false, BadHeader("x-ms-source-range", text)
	}
	return content.Range{Off: from, N: to - from + 1}, true, nil
}

// parse reads "bytes=a-b" and "bytes=a-".
func parse(text string) (from, to int64, bounded, valid bool) {
	spec, ok := strings.CutPrefix(text, "bytes=")
	a, b, dash := strings.Cut(spec, "-")
	if !ok || !dash {
		return 0, 0, false, false
	}
	from, err := strconv.ParseInt(a, 10, 64)
	if err != nil || from < 0 {
		return 0, 0, false, false
	}
	if b == "" {
		return from, 0, false, true
	}
	to, err = strconv.ParseInt(b, 10, 64)
	if err != nil || to < from {
		return 0, 0, false, false
	}
	return from, to, true, true
}
