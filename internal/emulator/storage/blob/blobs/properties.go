package blobs

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// changeBase changes the base blob under its lease and conditions and answers.
func changeBase(r *req.Request, status int, change func(t *model.Tx, old *model.Blob) (*model.Blob, *wire.Error)) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
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
		if old == nil {
			return model.BlobNotFound()
		}
		if err := (Guard{Cond: cond}).Check(r, t); err != nil {
			return err
		}
		b, err := change(t, old)
		if err != nil {
			return err
		}
		r.ETag(b.ETag, b.Modified)
		if b.Version != "" {
			r.Out.Set("X-Ms-Version-Id", b.Version)
		}
		if b.Type == model.Page {
			r.Out.Set("X-Ms-Blob-Sequence-Number", strconv.FormatInt(b.Sequence, 10))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(status)
}

// SetHeaders answers Set Blob Properties: all HTTP headers at once, and of a page blob its
// size or sequence number instead.
func SetHeaders(r *req.Request) *wire.Error {
	h, err := r.Headers()
	if err != nil {
		return err
	}
	return changeBase(r, http.StatusOK, func(t *model.Tx, old *model.Blob) (*model.Blob, *wire.Error) {
		b := old.Clone()
		if b.Copy != nil && b.Copy.Status != "pending" { // Azure: Get Blob, x-ms-copy-id
			b.Copy = nil
		}
		action := strings.ToLower(r.Header("X-Ms-Sequence-Number-Action"))
		if r.Header("X-Ms-Blob-Content-Length") == "" && action == "" {
			b.Headers = h
			return t.Alter(b), nil
		}
		if old.Type != model.Page { // status 400 (Azure: Set Blob Properties); the code is not confirmed
			return nil, req.Bad("InvalidOperation", "The operation is for page blobs alone.")
		}
		if err := resize(r, b, action); err != nil {
			return nil, err
		}
		if h.ContentType != "" || h.MD5 != nil {
			b.Headers = h
		}
		return t.Alter(b), nil
	})
}

// resize changes the size or the sequence number of a page blob.
func resize(r *req.Request, b *model.Blob, action string) *wire.Error {
	if r.Header("X-Ms-Blob-Content-Length") != "" {
		n, err := r.Int("x-ms-blob-content-length", 0)
		if err != nil {
			return err
		}
		if n%512 != 0 || n > longestBlob {
			return req.BadHeader("x-ms-blob-content-length", strconv.FormatInt(n, 10))
		}
		b.Pages = b.Pages.Resize(n)
	}
	return number(r, b, action)
}

// number changes the sequence number, which max and update must be given and increment
// must not.
func number(r *req.Request, b *model.Blob, action string) *wire.Error {
	given := r.Header("X-Ms-Blob-Sequence-Number")
	n, err := r.Int("x-ms-blob-sequence-number", 0)
	switch {
	case err != nil:
		return err
	case given == "" && (action == "max" || action == "update"):
		return req.MissingHeader("x-ms-blob-sequence-number")
	case given != "" && action == "increment":
		return req.BadHeader("x-ms-blob-sequence-number", given)
	}
	switch action {
	case "":
	case "max":
		b.Sequence = max(b.Sequence, n)
	case "update":
		b.Sequence = n
	case "increment":
		b.Sequence++
	default:
		return req.BadHeader("x-ms-sequence-number-action", action)
	}
	return nil
}

// SetMetadata answers Set Blob Metadata.
func SetMetadata(r *req.Request) *wire.Error {
	m, err := r.Metadata()
	if err != nil {
		return err
	}
	return changeBase(r, http.StatusOK, func(t *model.Tx, old *model.Blob) (*model.Blob, *wire.Error) {
		if err := t.Immutable(old); err != nil && !t.Settings.Versioning {
			return nil, err
		}
		b := old.Clone().WithMeta(m)
		r.Out.Set("X-Ms-Request-Server-Encrypted", "true")
		return t.NewVersion(b), nil
	})
}

// Snapshot answers Snapshot Blob.
func Snapshot(r *req.Request) *wire.Error {
	if err := r.Allow("wc", "", "containers/blobs/write", "containers/blobs/add/action"); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	m, err := r.Metadata()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		old := t.Live()
		if old == nil {
			return model.BlobNotFound()
		}
		if old.Dir {
			return req.OnDirectory()
		}
		if err := cond.CheckWrite(old); err != nil {
			return err
		}
		if err := t.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
			return err
		}
		snap := t.TakeSnapshot(func(b *model.Blob) {
			if len(m) > 0 {
				b.Meta = m
				t.Stamp(b)
			}
		})
		r.ETag(snap.ETag, snap.Modified)
		r.Out.Set("X-Ms-Snapshot", snap.Snapshot)
		r.Out.Set("X-Ms-Request-Server-Encrypted", "false")
		if t.Base.Version != "" {
			r.Out.Set("X-Ms-Version-Id", t.Base.Version)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusCreated)
}

// Lease answers Lease Blob.
func Lease(r *req.Request) *wire.Error {
	letters := "w"
	if strings.EqualFold(r.Header("X-Ms-Lease-Action"), "break") {
		letters = "wd"
	}
	if err := r.Allow(letters, "", "containers/blobs/write"); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	status := 0
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		b := t.Live()
		if b == nil {
			return model.BlobNotFound()
		}
		if err := cond.CheckWrite(b); err != nil {
			return err
		}
		next, code, err := r.Lease(t.Lease)
		if err != nil {
			return err
		}
		t.Lease, status = next, code
		r.ETag(b.ETag, b.Modified)
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(status)
}
