// Package blobs holds the operations of Blob Storage on blobs: reading, writing in one
// request, in blocks, pages and appends, properties, tags, tiers, snapshots, leases,
// deletion and immutability.
package blobs

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// hashedRange is the longest range of which a checksum is computed on request.
const hashedRange = 4 << 20

// found is a blob that was looked up, with its lease.
type found struct {
	blob    *model.Blob
	lease   lease.Lease
	current bool // the base blob
}

// look finds the blob of a read and checks lease and conditions.
func look(r *req.Request) (found, *wire.Error) {
	cond, err := r.Conditions()
	if err != nil {
		return found{}, err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return found{}, err
	}
	var f found
	err = c.Read(r.Blob, r.Now, func(e *model.Entry) *wire.Error {
		b, err := r.Pick(e)
		if err != nil {
			return err
		}
		f = found{b, e.Lease, b == e.Base}
		if f.current {
			if err := e.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return f, err
	}
	if err := cond.CheckRead(f.blob); err != nil {
		if err.Status == http.StatusNotModified {
			r.ETag(f.blob.ETag, f.blob.Modified)
		}
		return f, err
	}
	return f, nil
}

// Get answers Get Blob.
func Get(r *req.Request) *wire.Error {
	if err := r.Allow("r", "blob", "containers/blobs/read"); err != nil {
		return err
	}
	f, err := look(r)
	if err != nil {
		return err
	}
	b := f.blob
	if b.Tier.Name == "Archive" {
		return req.Conflict("BlobArchived", "This operation is not permitted on an archived blob.")
	}
	if b.Copy != nil && b.Copy.Status == "pending" {
		return req.Conflict("PendingCopyOperation", "There is currently a pending copy operation.") // what a read of an unfinished copy answers is not confirmed
	}
	rg, ranged, err := r.Range(b.Size())
	if err != nil {
		r.Out.Set("Content-Range", "bytes */"+strconv.FormatInt(b.Size(), 10))
		return err
	}
	describe(r, f)
	status := http.StatusOK
	data := b.Content(rg.Off, rg.N)
	if ranged {
		status = http.StatusPartialContent
		r.Out.Set("Content-Range", "bytes "+strconv.FormatInt(rg.Off, 10)+"-"+strconv.FormatInt(rg.End()-1, 10)+"/"+strconv.FormatInt(b.Size(), 10))
	}
	if err := checksum(r, b, data, ranged); err != nil {
		return err
	}
	return send(r, status, data)
}

// checksum writes the hash of the whole blob, or that of the range if it is asked for.
func checksum(r *req.Request, b *model.Blob, data content.Content, ranged bool) *wire.Error {
	wantMD5, wantCRC := r.Header("X-Ms-Range-Get-Content-Md5") == "true", r.Header("X-Ms-Range-Get-Content-Crc64") == "true"
	if !ranged && (wantMD5 || wantCRC) {
		return req.BadHeader("x-ms-range-get-content-md5", "true")
	}
	if ranged {
		r.Out.Del("Content-Md5")
		if b.Headers.MD5 != nil {
			r.Out.Set("X-Ms-Blob-Content-Md5", b.Headers.MD5Text())
		}
	}
	if !wantMD5 && !wantCRC {
		return nil
	}
	if data.Size() > hashedRange {
		return req.Bad("OutOfRangeInput", "One of the request inputs is out of range.")
	}
	sums, err := content.Sum(data)
	if err != nil {
		return dropped(err)
	}
	if wantMD5 {
		r.Out.Set("Content-Md5", model.Headers{MD5: sums.MD5}.MD5Text())
	} else {
		r.Out.Set("X-Ms-Content-Crc64", model.Headers{MD5: sums.CRC64Bytes()}.MD5Text())
	}
	return nil
}

// dropped is the emulator's own refusal to read what it was told not to keep.
func dropped(err error) *wire.Error {
	return req.Refuse(http.StatusInternalServerError, "InternalError", "The blob cannot be read: "+err.Error())
}

// send writes the body, or hands it over within the process.
func send(r *req.Request, status int, data content.Content) *wire.Error {
	if !data.Readable() {
		return dropped(content.ErrDropped)
	}
	if t, ok := r.W.(kit.Taker); ok {
		r.W.WriteHeader(status)
		t.Take(data)
		return nil
	}
	r.Out["Content-Length"] = []string{strconv.FormatInt(data.Size(), 10)}
	r.W.WriteHeader(status)
	_, _ = data.WriteTo(r.W) // the client may have gone
	return nil
}

// Properties answers Get Blob Properties and Get Blob Metadata.
func Properties(r *req.Request) *wire.Error {
	if err := r.Allow("r", "blob", "containers/blobs/read"); err != nil {
		return err
	}
	f, err := look(r)
	if err != nil {
		return err
	}
	if r.Param("comp") == "metadata" {
		r.ETag(f.blob.ETag, f.blob.Modified)
		f.blob.Meta.Write(r.Out)
		return r.Answer(http.StatusOK)
	}
	describe(r, f)
	describeTier(r.Out, f.blob.Tier)
	r.Out["Content-Length"] = []string{strconv.FormatInt(f.blob.Size(), 10)}
	return r.Answer(http.StatusOK)
}

// describe writes the headers that say what a blob is. They are set by their canonical
// names directly: Get Blob is the operation that is timed most.
func describe(r *req.Request, f found) {
	b, h := f.blob, r.Out
	put := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	r.ETag(b.ETag, b.Modified)
	put("Content-Type", b.Headers.ContentType)
	put("Content-Encoding", b.Headers.Encoding)
	put("Content-Language", b.Headers.Language)
	put("Content-Disposition", b.Headers.Disposition)
	put("Cache-Control", b.Headers.CacheControl)
	put("Content-Md5", b.Headers.MD5Text())
	put("Accept-Ranges", "bytes")
	put("X-Ms-Blob-Type", string(b.Type))
	put("X-Ms-Creation-Time", b.Created.UTC().Format(http.TimeFormat))
	put("X-Ms-Server-Encrypted", "true")
	put("X-Ms-Encryption-Scope", b.Scope)
	put("X-Ms-Version-Id", b.Version)
	if b.Version != "" && f.current {
		put("X-Ms-Is-Current-Version", "true")
	}
	if f.current {
		put("X-Ms-Lease-Status", f.lease.Status(r.Now))
		put("X-Ms-Lease-State", f.lease.State(r.Now))
		put("X-Ms-Lease-Duration", f.lease.DurationText(r.Now))
	}
	if len(b.Tags) > 0 {
		put("X-Ms-Tag-Count", strconv.Itoa(len(b.Tags)))
	}
	switch b.Type {
	case model.Page:
		put("X-Ms-Blob-Sequence-Number", strconv.FormatInt(b.Sequence, 10))
	case model.Append:
		put("X-Ms-Blob-Committed-Block-Count", strconv.Itoa(b.Appends))
		put("X-Ms-Blob-Sealed", strconv.FormatBool(b.Sealed))
	case model.Block:
	}
	describeCopy(put, b, r.Now)
	if b.Policy != nil {
		put("X-Ms-Immutability-Policy-Until-Date", b.Policy.Until.UTC().Format(http.TimeFormat))
		put("X-Ms-Immutability-Policy-Mode", strings.ToLower(b.Policy.Mode))
	}
	if b.Hold {
		put("X-Ms-Legal-Hold", "true")
	}
	describeAccess(put, r.Version, b)
	b.Meta.Write(h)
	override(r)
}

// describeAccess says what a path of a hierarchical namespace is and whose (Azure: Get Blob
// Properties; the list since version 2023-11-03).
func describeAccess(put func(name, value string), version string, b *model.Blob) {
	if b.Access == nil {
		return
	}
	put("X-Ms-Resource-Type", b.ResourceType())
	put("X-Ms-Owner", b.Access.Owner)
	put("X-Ms-Group", b.Access.Group)
	put("X-Ms-Permissions", b.Access.Permissions())
	if version >= "2023-11-03" {
		put("X-Ms-Acl", b.Access.ACL.Text())
	}
	if !b.Expires.IsZero() {
		put("X-Ms-Expiry-Time", b.Expires.UTC().Format(http.TimeFormat))
	}
}

// describeTier writes the tier, which Get Blob Properties answers with and Get Blob does not.
func describeTier(h http.Header, t model.Tier) {
	if t.Name == "" {
		return
	}
	h.Set("X-Ms-Access-Tier", t.Name)
	if t.Inferred {
		h.Set("X-Ms-Access-Tier-Inferred", "true")
	}
	if !t.Changed.IsZero() {
		h.Set("X-Ms-Access-Tier-Change-Time", t.Changed.UTC().Format(http.TimeFormat))
	}
	if t.To != "" {
		h.Set("X-Ms-Archive-Status", "rehydrate-pending-to-"+strings.ToLower(t.To))
		h.Set("X-Ms-Rehydrate-Priority", t.Priority)
	}
}

func describeCopy(put func(name, value string), b *model.Blob, now time.Time) {
	c := b.Copy
	if c == nil {
		return
	}
	put("X-Ms-Copy-Id", c.ID)
	put("X-Ms-Copy-Source", c.Source)
	put("X-Ms-Copy-Status", c.Status)
	put("X-Ms-Copy-Progress", c.ProgressAt(now, b.Size()))
	put("X-Ms-Copy-Status-Description", c.Description)
	if !c.Completed.IsZero() {
		put("X-Ms-Copy-Completion-Time", c.Completed.UTC().Format(http.TimeFormat))
	}
	if c.Incremental {
		put("X-Ms-Incremental-Copy", "true")
	}
}

// override lets a signature say what the answer's headers are.
func override(r *req.Request) {
	if !r.Query.Has("sig") {
		return
	}
	for param, name := range map[string]string{
		"rscc": "Cache-Control", "rscd": "Content-Disposition", "rsce": "Content-Encoding", "rscl": "Content-Language", "rsct": "Content-Type",
	} {
		if v := r.Query.Get(param); v != "" {
			r.Out.Set(name, v)
		}
	}
}
