package blobs

import (
	"net/http"
	"strconv"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// AppendBlock answers Append Block.
func AppendBlock(r *req.Request) *wire.Error {
	if err := r.Allow("aw", "", "containers/blobs/write", "containers/blobs/add/action"); err != nil {
		return err
	}
	if n, err := r.Length(); err != nil || n == 0 {
		if err == nil {
			err = req.BadHeader("Content-Length", "0")
		}
		return err
	}
	if _, err := r.OpenContainer(); err != nil {
		return err
	}
	data, sums, err := r.Body(content.Ingest{Drop: r.Store.Settings().Drop}, longestAppend)
	if err != nil {
		return err
	}
	r.Sums(sums)
	return Append(r, data)
}

// Append puts data behind an append blob's and answers 201.
func Append(r *req.Request, data content.Content) *wire.Error {
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		old, err := appendable(r, t, cond)
		if err != nil {
			return err
		}
		if err := position(r, old, data.Size()); err != nil {
			return err
		}
		b := old.Clone()
		b.Data, b.Appends, b.Headers.MD5 = old.Data.Append(data), old.Appends+1, nil
		Written(r, t.Alter(b))
		r.Out.Set("X-Ms-Blob-Append-Offset", strconv.FormatInt(old.Size(), 10))
		r.Out.Set("X-Ms-Blob-Committed-Block-Count", strconv.Itoa(b.Appends))
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusCreated)
}

// appendable is the append blob that a write may change.
func appendable(r *req.Request, t *model.Tx, cond req.Conditions) (*model.Blob, *wire.Error) {
	old := t.Live()
	switch {
	case old == nil:
		return nil, model.BlobNotFound()
	case old.Type != model.Append:
		return nil, req.WrongType()
	}
	if err := (Guard{Cond: cond}).Check(r, t); err != nil {
		return nil, err
	}
	if w := t.Container.Worm; w == nil || !w.AllowAppend && !w.AllowAppends {
		if err := t.Immutable(old); err != nil {
			return nil, err
		}
	}
	switch {
	case old.Sealed:
		return nil, req.Conflict("BlobIsSealed", "The specified blob is sealed and its contents can't be modified unless the blob is re-created after a delete.")
	case old.Appends >= mostBlocks:
		return nil, req.Conflict("BlockCountExceedsLimit", "The committed block count cannot exceed the maximum limit of 50,000 blocks.")
	}
	return old, nil
}

// position checks x-ms-blob-condition-appendpos and x-ms-blob-condition-maxsize.
func position(r *req.Request, b *model.Blob, n int64) *wire.Error {
	at, err := r.Int("x-ms-blob-condition-appendpos", b.Size())
	if err != nil {
		return err
	}
	if at != b.Size() {
		return req.Unmet("AppendPositionConditionNotMet", "The append position condition specified was not met.")
	}
	most, err := r.Int("x-ms-blob-condition-maxsize", b.Size()+n)
	if err != nil {
		return err
	}
	if b.Size()+n > most {
		return req.Unmet("MaxBlobSizeConditionNotMet", "The max blob size condition specified was not met.")
	}
	return nil
}

// Seal answers Append Blob Seal.
func Seal(r *req.Request) *wire.Error {
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
		if old.Type != model.Append {
			return req.WrongType()
		}
		if err := (Guard{Cond: cond}).Check(r, t); err != nil {
			return err
		}
		if err := position(r, old, 0); err != nil {
			return err
		}
		b := old.Clone()
		b.Sealed = true
		t.Swap(old, b) // neither ETag nor time of change move
		r.ETag(b.ETag, b.Modified)
		r.Out.Set("X-Ms-Blob-Sealed", "true")
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusOK)
}
