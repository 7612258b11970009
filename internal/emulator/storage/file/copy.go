package file

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// source is what a copy starts from.
type source struct {
	header  http.Header
	content content.Content
}

// fetch reads the source of a copy, or the range of it that text names. One in this
// account is read with the caller's own rights unless its address has a SAS; any other is
// read as its service lets the address do.
func (x *call) fetch(text string) (source, *wire.Error) {
	from := x.R.Header.Get("X-Ms-Copy-Source")
	u, err := url.Parse(from)
	if err != nil || u.Host == "" {
		return source{}, badHeader("x-ms-copy-source", from)
	}
	if strings.EqualFold(u.Host, x.R.Host) && !u.Query().Has("sig") && x.R.Header.Get("X-Ms-Copy-Source-Authorization") == "" {
		return x.own(u, text)
	}
	if x.Fetch == nil {
		return source{}, cannotVerify(0, "")
	}
	h := http.Header{}
	h.Set("X-Ms-Version", x.Version)
	for name, as := range map[string]string{
		"X-Ms-Copy-Source-Authorization": "Authorization", "X-Ms-File-Request-Intent": "X-Ms-File-Request-Intent", "X-Ms-Source-Allow-Trailing-Dot": "X-Ms-Allow-Trailing-Dot",
	} {
		if v := x.R.Header.Get(name); v != "" {
			h.Set(as, v)
		}
	}
	if text != "" {
		h.Set("X-Ms-Range", text)
	}
	got := x.Fetch(x.R.Context(), kit.Source{Method: http.MethodGet, URL: from, Header: h})
	if got.Status != http.StatusOK && got.Status != http.StatusPartialContent {
		return source{}, cannotVerify(got.Status, got.Code)
	}
	return source{got.Header, got.Content}, nil
}

// cannotVerify is Azure's refusal of a source that it cannot read: 404 where the source's
// service says so, 403 for what it does not let the address do, 400 otherwise.
func cannotVerify(status int, code string) *wire.Error {
	e := missing("CannotVerifyCopySource", "Could not verify the copy source within the specified time.")
	if status == http.StatusForbidden || status == http.StatusUnauthorized {
		e.Status = http.StatusForbidden
		e.Message = "This request is not authorized to perform this operation."
	}
	if status != 0 {
		e = kit.WithDetail(kit.WithDetail(e, "CopySourceStatusCode", strconv.Itoa(status)), "CopySourceErrorCode", code)
	}
	return e
}

// own reads a source in the same account.
func (x *call) own(u *url.URL, text string) (source, *wire.Error) {
	request := x.R.Clone(x.R.Context())
	request.Method, request.URL, request.Header = http.MethodGet, u, http.Header{"X-Ms-Range": {text}}
	rec := &recorder{header: http.Header{}}
	outer := *x.Call
	outer.R, outer.W, outer.Path = request, rec, strings.TrimPrefix(u.Path, "/")
	inner := &call{Call: &outer, server: x.server, account: x.account, query: u.Query(), out: rec.header}
	share, rest, _ := strings.Cut(outer.Path, "/")
	path, err := tree.ParsePath(rest, x.R.Header.Get("X-Ms-Source-Allow-Trailing-Dot") == "true")
	if err != nil {
		return source{}, err
	}
	inner.share, inner.path = share, path
	if err := inner.allowed(operation{need: []string{"read"}, sas: "r", typ: "o"}); err != nil {
		return source{}, err
	}
	if err := inner.getFile(); err != nil {
		return source{}, err
	}
	return source{rec.header, rec.content}, nil
}

// recorder takes a content that does not leave the service.
type recorder struct {
	header  http.Header
	content content.Content
}

var _ kit.Taker = (*recorder)(nil)

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(int) {}

// Write implements http.ResponseWriter; contents are taken instead.
func (r *recorder) Write(p []byte) (int, error) { return len(p), nil }

// Take implements kit.Taker.
func (r *recorder) Take(c content.Content) { r.content = c }

// sourceRange reads what Put Range From URL writes: n octets.
func (x *call) sourceRange(n int64) (content.Content, *wire.Error) {
	h := x.R.Header
	text := h.Get("X-Ms-Source-Range")
	from, to, ok := parseRange(text)
	switch {
	case text == "":
		return content.Content{}, noHeader("x-ms-source-range")
	case !ok || to-from+1 != n:
		return content.Content{}, badHeader("x-ms-source-range", text)
	case n > largestRange:
		return content.Content{}, tooLarge()
	case x.R.ContentLength > 0:
		return content.Content{}, badHeader("Content-Length", strconv.FormatInt(x.R.ContentLength, 10))
	}
	src, err := x.fetch(text)
	if err != nil {
		return content.Content{}, err
	}
	if src.content.Size() != n {
		return content.Content{}, badRange()
	}
	sums, bad := content.Sum(src.content)
	if bad != nil {
		return content.Content{}, &wire.Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: bad.Error()}
	}
	crc := base64.StdEncoding.EncodeToString(sums.CRC64Bytes())
	if err := checkCRC(h, crc); err != nil {
		return content.Content{}, err
	}
	x.out.Set("X-Ms-Content-Crc64", crc)
	return src.content, nil
}

// checkCRC compares the checksum of a source with what the request says of it.
func checkCRC(h http.Header, crc string) *wire.Error {
	if want := h.Get("X-Ms-Source-Content-Crc64"); want != "" && want != crc {
		return bad("Crc64Mismatch", "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.")
	}
	match, none := h.Get("X-Ms-Source-If-Match-Crc64"), h.Get("X-Ms-Source-If-None-Match-Crc64")
	if match != "" && match != crc || none != "" && none == crc {
		return &wire.Error{Status: http.StatusPreconditionFailed, Code: "SourceConditionNotMet", Message: "The source condition specified using HTTP conditional header(s) is not met."}
	}
	return nil
}

// copyFile answers Copy File. The copy is done when the answer leaves.
func (x *call) copyFile() *wire.Error {
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return err
	}
	src, err := x.fetch("")
	if err != nil {
		return err
	}
	size := src.content.Size()
	if size > largestFile {
		return bad("InvalidInput", "One of the request inputs is not valid.")
	}
	_, n, err := x.create(tree.File, func(sh *tree.Share, n, old *tree.Node) *wire.Error {
		if err := x.overwritable(old); err != nil {
			return err
		}
		if old != nil {
			sh.Remove(old)
		}
		n.Content = content.NewSparse(size).Write(0, src.content)
		n.Headers = servedWith(src.header)
		if len(md) == 0 {
			n.Metadata, _ = meta.FromHeader(src.header) // it was checked when it was stored
		}
		n.Copy = &tree.Copy{
			ID: uuid.NewString(), Source: withoutSignature(x.R.Header.Get("X-Ms-Copy-Source")), Status: "success",
			Progress: strconv.FormatInt(size, 10) + "/" + strconv.FormatInt(size, 10), Completed: x.Now,
		}
		return x.inheritSource(sh, n, src.header)
	})
	if err != nil {
		return err
	}
	x.out["ETag"] = []string{n.ETag}
	x.out.Set("Last-Modified", httpTime(n.Modified))
	x.out.Set("X-Ms-Copy-Id", n.Copy.ID)
	x.out.Set("X-Ms-Copy-Status", n.Copy.Status)
	return x.answer(http.StatusAccepted)
}

// overwritable is replaceable for a copy, which may be told to ignore that the file there
// is read-only.
func (x *call) overwritable(old *tree.Node) *wire.Error {
	if old != nil && old.Kind == tree.File && strings.EqualFold(x.R.Header.Get("X-Ms-File-Copy-Ignore-Readonly"), "true") {
		old = old.Clone()
		old.Attributes &^= tree.ReadOnly
	}
	return x.replaceable(old)
}

// inheritSource applies the headers of a copy: "source" as a time, as attributes or as a
// mode of copying takes over what the source has.
func (x *call) inheritSource(sh *tree.Share, n *tree.Node, from http.Header) *wire.Error {
	h := x.R.Header.Clone()
	for _, name := range []string{"X-Ms-File-Creation-Time", "X-Ms-File-Last-Write-Time", "X-Ms-File-Change-Time", "X-Ms-File-Attributes"} {
		if strings.EqualFold(h.Get(name), "source") {
			h.Set(name, from.Get(name))
		}
	}
	for mode, names := range map[string][]string{
		"X-Ms-File-Permission-Copy-Mode": {"X-Ms-File-Permission-Key"}, "X-Ms-File-Mode-Copy-Mode": {"X-Ms-Mode"}, "X-Ms-File-Owner-Copy-Mode": {"X-Ms-Owner", "X-Ms-Group"},
	} {
		if !strings.EqualFold(h.Get(mode), "source") {
			continue
		}
		for _, name := range names {
			h.Set(name, from.Get(name))
		}
	}
	inner := *x
	request := x.R.Clone(x.R.Context())
	request.Header = h
	outer := *x.Call
	outer.R = request
	inner.Call = &outer
	if err := inner.describe(sh, n, true); err != nil {
		return err
	}
	if strings.EqualFold(h.Get("X-Ms-File-Copy-Set-Archive"), "true") {
		n.Attributes |= tree.Archive
	}
	return nil
}

// servedWith takes over the HTTP headers of a source.
func servedWith(h http.Header) tree.Headers {
	out := tree.Headers{
		Type: h.Get("Content-Type"), Encoding: h.Get("Content-Encoding"), Language: h.Get("Content-Language"),
		CacheControl: h.Get("Cache-Control"), Disposition: h.Get("Content-Disposition"),
	}
	if sum, err := base64.StdEncoding.DecodeString(h.Get("Content-MD5")); err == nil && len(sum) == 16 {
		out.MD5 = sum
	}
	return out
}

// withoutSignature is an address as it may be shown: without what authorizes it.
func withoutSignature(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	q := u.Query()
	if q.Has("sig") {
		snapshot := q.Get("sharesnapshot")
		q = url.Values{}
		if snapshot != "" {
			q.Set("sharesnapshot", snapshot)
		}
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// abortCopy answers Abort Copy File: no copy is ever pending here.
func (x *call) abortCopy() *wire.Error {
	if !strings.EqualFold(x.R.Header.Get("X-Ms-Copy-Action"), "abort") {
		return badHeader("x-ms-copy-action", x.R.Header.Get("X-Ms-Copy-Action"))
	}
	_, n, err := x.file()
	if err != nil {
		return err
	}
	if n.Copy != nil && n.Copy.ID != x.query.Get("copyid") {
		return conflict("CopyIdMismatch", "The specified copy ID did not match the copy ID for the pending copy operation.")
	}
	return conflict("NoPendingCopyOperation", "There is currently no pending copy operation.")
}
