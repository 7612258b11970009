package dfs

import (
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// longestAppend is how long the body of an append may be (Azure: Path Update; the limit is
// that of a block).
const longestAppend = 4000 << 20

// position reads the query parameter that append and flush must have.
func position(r *req.Request) (int64, *wire.Error) {
	text := r.Param("position")
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case text == "":
		return 0, missingQuery("position")
	case err != nil || n < 0:
		return 0, req.BadQuery("position", text)
	}
	return n, nil
}

// appendData answers Path Update with append: the data waits at its place to be flushed.
func appendData(r *req.Request) *wire.Error {
	if err := r.Allow("aw", "", "containers/blobs/write", "containers/blobs/add/action"); err != nil {
		return err
	}
	at, err := position(r)
	if err != nil {
		return err
	}
	if _, err := r.OpenContainer(); err != nil {
		return err
	}
	data, sums, err := r.Body(content.Ingest{Drop: r.Store.Settings().Drop}, longestAppend)
	if err != nil {
		return err
	}
	whole := strings.EqualFold(r.Param("flush"), "true")
	err = update(r, func(t *model.Tx, b *model.Blob) *wire.Error {
		if b.Dir {
			return mismatch()
		}
		pending := maps.Clone(t.Pending)
		if pending == nil {
			pending = map[int64]content.Content{}
		}
		pending[at] = data
		if !whole {
			t.Pending = pending
			return nil
		}
		return commit(t, b, pending, at+data.Size(), false, func(*model.Blob) *wire.Error { return nil })
	})
	if err != nil {
		return err
	}
	if !whole { // the file is as it was
		r.Out.Del("Etag")
		r.Out.Del("Last-Modified")
	}
	r.Sums(sums)
	r.Out.Set("X-Ms-Request-Server-Encrypted", "true")
	return r.Answer(http.StatusAccepted)
}

func mismatch() *wire.Error {
	return req.Conflict("ResourceTypeMismatch", "The resource type specified in the request does not match the type of the resource.")
}

// flush answers Path Update with flush.
func flush(r *req.Request) *wire.Error {
	if err := r.Allow("aw", "", "containers/blobs/write", "containers/blobs/add/action"); err != nil {
		return err
	}
	if r.R.ContentLength > 0 {
		return req.Bad("ContentLengthMustBeZero", "The Content-Length request header must be zero.")
	}
	end, err := position(r)
	if err != nil {
		return err
	}
	retain := strings.EqualFold(r.Param("retainuncommitteddata"), "true")
	err = update(r, func(t *model.Tx, b *model.Blob) *wire.Error {
		if b.Dir {
			return mismatch()
		}
		if err := t.Immutable(b); err != nil {
			return err
		}
		return commit(t, b, t.Pending, end, retain, func(next *model.Blob) *wire.Error {
			next.Headers.MD5 = nil
			var err *wire.Error
			next.Headers, err = headers(r, next.Headers)
			return err
		})
	})
	if err != nil {
		return err
	}
	r.Out.Set("Content-Length", "0")
	return r.Answer(http.StatusOK)
}

// commit puts what is pending behind a file, up to end, if nothing is missing between.
func commit(t *model.Tx, old *model.Blob, pending map[int64]content.Content, end int64, retain bool, finish func(*model.Blob) *wire.Error) *wire.Error {
	b := old.Clone()
	left := maps.Clone(pending)
	for b.Size() < end {
		data, ok := left[b.Size()]
		if !ok || data.Size() == 0 {
			break
		}
		delete(left, b.Size())
		b.Data = content.Join(b.Data, data)
	}
	switch {
	case b.Size() != end:
		return req.Bad("InvalidFlushPosition", "The uploaded data is not contiguous or the position query parameter value is not equal to the length of the file after appending the uploaded data.")
	case !old.ByPath && b.Size() != old.Size():
		return req.Conflict("InvalidFlushOperation", "The resource was created or modified by the Blob Service API and cannot be written to by the Data Lake Storage Service API.")
	}
	if err := finish(b); err != nil {
		return err
	}
	if t.Pending = nil; retain && len(left) > 0 {
		t.Pending = left
	}
	t.Alter(b)
	return nil
}
