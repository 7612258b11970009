package copies

import (
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// How long an asynchronous copy from another account takes. Within an account, and for
// small blobs, the service is done before it answers.
const (
	atOnce = 16 << 20
	perSec = 256 << 20
)

// Copy answers Copy Blob and, with x-ms-requires-sync, Copy Blob From URL.
func Copy(r *req.Request) *wire.Error {
	sync := strings.EqualFold(r.Header("X-Ms-Requires-Sync"), "true")
	c, b, guard, err := target(r)
	if err == nil {
		err = noBody(r)
	}
	if err != nil {
		return err
	}
	s, err := open(r, http.MethodGet, nil)
	if err != nil {
		return s.told(err, sync)
	}
	if err := s.describe(r, b, sync); err != nil {
		return err
	}
	if !sync {
		if err := s.blocks(r, b); err != nil {
			return err
		}
	}
	// The source is shown with all its parameters, the SAS included (Azure: Get Blob).
	b.Copy = &model.Copy{ID: uuid.NewString(), Source: s.url, Status: "success", Started: r.Now, Completed: r.Now}
	if !sync && !s.same && b.Size() > atOnce {
		b.Copy.Status, b.Copy.Completed = "pending", time.Time{}
		b.Copy.Ready = r.Now.Add(time.Duration(b.Size()) * time.Second / perSec)
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		if err := guard.Check(r, t); err != nil {
			return err
		}
		if err := over(r, t, b, sync); err != nil {
			return err
		}
		blobs.Written(r, t.Replace(b))
		return nil
	})
	if err != nil {
		return err
	}
	r.Out.Set("X-Ms-Copy-Id", b.Copy.ID)
	r.Out.Set("X-Ms-Copy-Status", b.Copy.Status)
	return r.Answer(http.StatusAccepted)
}

// over checks what a copy takes the place of: a blob of the same type, that is not in the
// archive and, but for Copy Blob From URL, has no lease that will end. Its tier stays where
// the request gives none (Azure: Copy Blob, Remarks).
func over(r *req.Request, t *model.Tx, b *model.Blob, sync bool) *wire.Error {
	old := t.Live()
	switch {
	case old == nil:
		return nil
	case old.Type != b.Type:
		return req.WrongType()
	case old.Tier.Name == "Archive":
		return req.Conflict("BlobArchived", "This operation is not permitted on an archived blob.")
	case !sync && t.Lease.DurationText(r.Now) == "fixed":
		return req.Unmet("InfiniteLeaseDurationRequired", "The lease ID matched, but the specified lease must be an infinite-duration lease.")
	}
	if b.Tier.Inferred && !old.Tier.Inferred {
		b.Tier = model.Tier{Name: old.Tier.Name, Changed: old.Tier.Changed}
	}
	return nil
}

// describe makes b what the source is, but for what the request says of it.
func (s source) describe(r *req.Request, b *model.Blob, sync bool) *wire.Error {
	from := model.Type(s.Header.Get("X-Ms-Blob-Type"))
	switch {
	case sync && from != model.Block && from != "":
		return req.WrongType()
	case sync && s.Content.Size() > longestCopy:
		return req.Conflict("CannotVerifyCopySource", "The source is longer than Copy Blob From URL can copy.") // words not confirmed
	case from == "": // a file
		from = model.Block
	}
	if sync {
		if err := sums(r, s.Content); err != nil {
			return err
		}
	}
	b.Type = from
	b.Headers = headersOf(s.Header)
	if len(b.Meta) == 0 {
		b.Meta = metadataOf(s.Header)
	}
	switch from {
	case model.Page:
		b.Pages = content.SparseOf(s.Content)
		b.Sequence, _ = strconv.ParseInt(s.Header.Get("X-Ms-Blob-Sequence-Number"), 10, 64) // ours
		b.Tier = model.Tier{}
	case model.Append:
		b.Data, b.Tier = s.Content, model.Tier{}
		b.Appends, _ = strconv.Atoi(s.Header.Get("X-Ms-Blob-Committed-Block-Count"))
		b.Sealed = strings.EqualFold(cmp.Or(r.Header("X-Ms-Seal-Blob"), s.Header.Get("X-Ms-Blob-Sealed")), "true")
	case model.Block:
		b.Data = s.Content
	}
	if sync {
		return s.tags(r, b)
	}
	return nil
}

// headersOf reads the HTTP headers of a source's answer.
func headersOf(h http.Header) model.Headers {
	out := model.Headers{
		ContentType: h.Get("Content-Type"), Encoding: h.Get("Content-Encoding"), Language: h.Get("Content-Language"),
		Disposition: h.Get("Content-Disposition"), CacheControl: h.Get("Cache-Control"),
	}
	if sum, err := base64.StdEncoding.DecodeString(h.Get("Content-Md5")); err == nil && len(sum) == 16 {
		out.MD5 = sum
	}
	return out
}

// inherit fills what the request left out.
func inherit(own, from model.Headers) model.Headers {
	out := model.Headers{
		ContentType: cmp.Or(own.ContentType, from.ContentType), Encoding: cmp.Or(own.Encoding, from.Encoding), Language: cmp.Or(own.Language, from.Language),
		Disposition: cmp.Or(own.Disposition, from.Disposition), CacheControl: cmp.Or(own.CacheControl, from.CacheControl), MD5: own.MD5,
	}
	if out.MD5 == nil {
		out.MD5 = from.MD5
	}
	return out
}

func metadataOf(h http.Header) meta.Map {
	out := meta.Map{}
	for k, v := range h {
		if name, ok := strings.CutPrefix(strings.ToLower(k), "x-ms-meta-"); ok && len(v) > 0 {
			out[name] = v[0]
		}
	}
	return out
}

// sub reads another aspect of the source, such as its tags.
func (s source) sub(r *req.Request, comp string) kit.Fetched {
	u, err := url.Parse(s.url)
	if err != nil {
		return kit.Fetched{}
	}
	grant := s.grant(r, u)
	q := u.Query()
	q.Set("comp", comp)
	u.RawQuery = q.Encode()
	h := http.Header{"X-Ms-Version": {r.Version}}
	if v := r.Header("X-Ms-Copy-Source-Authorization"); v != "" {
		h.Set("Authorization", v)
	}
	return r.Fetch(r.R.Context(), kit.Source{Method: http.MethodGet, URL: u.String(), Header: h, Grant: grant, To: r.Account})
}

// tags takes the source's tags where x-ms-copy-source-tag-option asks for them.
func (s source) tags(r *req.Request, b *model.Blob) *wire.Error {
	switch v := r.Header("X-Ms-Copy-Source-Tag-Option"); strings.ToUpper(v) {
	case "", "REPLACE":
		return nil
	case "COPY":
	default:
		return req.BadHeader("x-ms-copy-source-tag-option", v)
	}
	if b.Tags != nil {
		return req.BadHeader("x-ms-tags", r.Header("X-Ms-Tags"))
	}
	s.Fetched = s.sub(r, "tags")
	if err := s.failure(); err != nil {
		return err
	}
	var in struct {
		Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
	}
	body, err := s.Content.Bytes()
	if err == nil {
		err = xml.Unmarshal(body, &in)
	}
	if err != nil {
		return verify(http.StatusConflict, "The tags of the source cannot be read.") // words not confirmed
	}
	for _, t := range in.Tags {
		if b.Tags == nil {
			b.Tags = map[string]string{}
		}
		b.Tags[t.Key] = t.Value
	}
	return nil
}

// blocks takes over the committed blocks of a source that was written in blocks.
func (s source) blocks(r *req.Request, b *model.Blob) *wire.Error {
	if b.Type != model.Block || s.Header.Get("X-Ms-Blob-Type") == "" {
		return nil
	}
	list := s.sub(r, "blocklist")
	if list.Status != http.StatusOK {
		return nil // what may read the blob may not always read its blocks
	}
	var in struct {
		Blocks []struct {
			Name string
			Size int64
		} `xml:"CommittedBlocks>Block"`
	}
	body, err := list.Content.Bytes()
	if err != nil || xml.Unmarshal(body, &in) != nil {
		return nil //nolint:nilerr // the blob is complete without the names of its blocks
	}
	for _, blk := range in.Blocks {
		b.Blocks = append(b.Blocks, model.CommittedBlock{ID: blk.Name, Size: blk.Size})
	}
	return nil
}

// Abort answers Abort Copy Blob: the target stays, with nothing in it.
func Abort(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	if v := r.Header("X-Ms-Copy-Action"); !strings.EqualFold(v, "abort") {
		return req.BadHeader("x-ms-copy-action", v)
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		b := t.Live()
		switch {
		case b == nil:
			return model.BlobNotFound()
		case b.Copy == nil || b.Copy.Status != "pending":
			return req.Conflict("NoPendingCopyOperation", "There is currently no pending copy operation.")
		case b.Copy.ID != r.Param("copyid"):
			return req.Conflict("CopyIdMismatch", "The specified copy ID did not match the copy ID for the pending copy operation.")
		}
		if err := t.Lease.CheckWrite(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
			return err
		}
		next, copied := b.Clone(), *b.Copy
		copied.Status, copied.Completed = "aborted", r.Now
		next.Copy, next.Data, next.Pages, next.Blocks = &copied, content.Content{}, content.NewSparse(0), nil
		t.Alter(next)
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusNoContent)
}
