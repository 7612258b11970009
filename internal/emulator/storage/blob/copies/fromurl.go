package copies

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The longest sources (Azure: Put Blob From URL, Copy Blob From URL, Put Block From URL,
// Append Block From URL, Put Page From URL).
const (
	longestPut    = 5000 << 20
	longestCopy   = 256 << 20
	longestBlock  = 4000 << 20
	longestAppend = 100 << 20
	longestPage   = 4 << 20
)

// noBody refuses a request that sends content of its own.
func noBody(r *req.Request) *wire.Error {
	n, err := r.Length()
	if err == nil && n > 0 {
		err = req.BadHeader("Content-Length", strconv.FormatInt(n, 10))
	}
	return err
}

// ranged reads the source's range, which most says how long may be.
func ranged(r *req.Request, most int64) (content.Content, *wire.Error) {
	if err := noBody(r); err != nil {
		return content.Content{}, err
	}
	rg, given, err := r.SourceRange()
	if err != nil {
		return content.Content{}, err
	}
	var want *content.Range
	if given {
		want = &rg
	}
	s, err := open(r, http.MethodGet, want)
	if err != nil {
		return content.Content{}, err
	}
	switch {
	case given && s.Content.Size() != rg.N:
		return content.Content{}, req.BadRange()
	case s.Content.Size() > most:
		return content.Content{}, req.Refuse(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit.")
	}
	return s.Content, sums(r, s.Content)
}

// sums checks and writes the checksum of what was read. It is computed where the request
// has one to compare with; the service computes a CRC64 of all, which a measurement of
// copies would mostly measure.
func sums(r *req.Request, c content.Content) *wire.Error {
	if err := r.CheckSource(c); err != nil {
		return err
	}
	if v := r.Header("X-Ms-Source-Content-Md5"); v != "" {
		r.Out.Set("Content-Md5", v)
	}
	if v := r.Header("X-Ms-Source-Content-Crc64"); v != "" {
		r.Out.Set("X-Ms-Content-Crc64", v)
	}
	return nil
}

// PutBlock answers Put Block From URL.
func PutBlock(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	id, err := blobs.BlockID(r)
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	data, err := ranged(r, longestBlock)
	if err != nil {
		return err
	}
	if err := blobs.Stage(r, c, id, data); err != nil {
		return err
	}
	return r.Answer(http.StatusCreated)
}

// AppendBlock answers Append Block From URL.
func AppendBlock(r *req.Request) *wire.Error {
	if err := r.Allow("aw", "", "containers/blobs/write", "containers/blobs/add/action"); err != nil {
		return err
	}
	data, err := ranged(r, longestAppend)
	if err != nil {
		return err
	}
	return blobs.Append(r, data)
}

// PutPage answers Put Page From URL.
func PutPage(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	to, err := r.Pages("X-Ms-Range")
	if err != nil {
		return err
	}
	if v := r.Header("X-Ms-Page-Write"); !strings.EqualFold(v, "update") {
		return req.BadHeader("x-ms-page-write", v)
	}
	from, err := r.Pages("X-Ms-Source-Range")
	if err != nil {
		return err
	}
	if from.N != to.N {
		return req.BadHeader("x-ms-source-range", r.Header("X-Ms-Source-Range"))
	}
	data, err := ranged(r, longestPage)
	if err != nil {
		return err
	}
	return blobs.ChangePages(r, func(p content.Sparse) content.Sparse { return p.Write(to.Off, data) }, to)
}

// target is where a copy goes: the container, the new blob as the request's headers
// describe it, and the checks of the overwrite.
func target(r *req.Request) (*model.Container, *model.Blob, blobs.Guard, *wire.Error) {
	fresh, err := blobs.AllowCreate(r)
	if err != nil {
		return nil, nil, blobs.Guard{}, err
	}
	cond, err := r.Conditions()
	if err != nil {
		return nil, nil, blobs.Guard{}, err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return nil, nil, blobs.Guard{}, err
	}
	b, err := blobs.Fresh(r, c, model.Block, false)
	return c, b, blobs.Guard{Cond: cond, Fresh: fresh, Overwrite: true}, err
}

// PutBlob answers Put Blob From URL: a block blob with the octets of a blob of any type.
// HTTP headers come from the source unless x-ms-copy-source-blob-properties is false or the
// request has its own. That metadata does not come along is not confirmed.
func PutBlob(r *req.Request) *wire.Error {
	if t := r.Header("X-Ms-Blob-Type"); t != string(model.Block) {
		return req.BadHeader("x-ms-blob-type", t)
	}
	c, b, guard, err := target(r)
	if err == nil {
		err = noBody(r)
	}
	if err != nil {
		return err
	}
	s, err := open(r, http.MethodGet, nil)
	if err != nil {
		return err
	}
	if s.Content.Size() > longestPut {
		return req.Conflict("CannotVerifyCopySource", "The source is longer than Put Blob From URL can copy.") // words not confirmed
	}
	if err := sums(r, s.Content); err != nil {
		return err
	}
	if !strings.EqualFold(r.Header("X-Ms-Copy-Source-Blob-Properties"), "false") {
		b.Headers = inherit(b.Headers, headersOf(s.Header))
	}
	if b.Headers.ContentType == "" {
		b.Headers.ContentType = req.DefaultType
	}
	if err := s.tags(r, b); err != nil {
		return err
	}
	b.Data = s.Content
	if v := r.Out.Get("Content-Md5"); v == "" && b.Headers.MD5 != nil {
		r.Out.Set("Content-Md5", b.Headers.MD5Text())
	}
	return blobs.Store(r, c, b, guard)
}
