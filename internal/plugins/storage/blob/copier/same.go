package copier

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// errDiffer ends a comparison early.
var errDiffer = errors.New("the contents differ")

// Same reads the content at both sides, which has o.Size bytes, and tells whether it is
// equal. Of page blobs it reads what holds something on either side. etag is the target's:
// ErrSourceChanged and ErrTargetChanged say that a side changed meanwhile.
func (c *Copier) Same(ctx context.Context, o Order, etag azcore.ETag) (bool, error) {
	w, err := open(ctx, o)
	if err != nil {
		return false, err
	}
	parts := []span{{0, o.Size}}
	if o.Type == blob.BlobTypePageBlob {
		if parts, err = w.occupied(ctx, etag); err != nil {
			return false, err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, s := range parts {
		for offset := s.from; offset < s.to; offset += pageChunk {
			n := min(pageChunk, s.to-offset)
			if ctx.Err() != nil {
				break
			}
			g.Go(func() error { return stream{c}.compare(ctx, w, etag, offset, n) })
		}
	}
	err = g.Wait()
	if errors.Is(err, errDiffer) {
		return false, nil
	}
	return err == nil, err
}

// occupied returns the stretches that hold something at either side; they may overlap.
func (w *work) occupied(ctx context.Context, etag azcore.ETag) ([]span, error) {
	src, err := w.pageSource(ctx)
	if err != nil {
		return nil, err
	}
	out, err := spans(ctx, src, w.ifSource())
	if err != nil {
		return nil, atSource(err)
	}
	more, err := spans(ctx, w.dst.NewPageBlobClient(w.Name), ifMatch(etag))
	if err != nil {
		return nil, atTarget("read the page ranges", err)
	}
	here := out
	for _, s := range more {
		if !covered(here, s.from, s.to-s.from) {
			out = append(out, s)
		}
	}
	return out, nil
}

func ifMatch(etag azcore.ETag) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &etag}}
}

// compare reads one stretch at both sides.
func (s stream) compare(ctx context.Context, w *work, etag azcore.ETag, offset, n int64) error {
	return s.hold(ctx, 2*n, func(buf []byte) error {
		here, there := buf[:n], buf[n:2*n]
		if err := w.read(ctx, offset, here); err != nil {
			return err
		}
		resp, err := w.dst.NewBlobClient(w.Name).DownloadStream(ctx, &blob.DownloadStreamOptions{
			Range: blob.HTTPRange{Offset: offset, Count: n}, AccessConditions: ifMatch(etag),
		})
		if err != nil {
			return readTarget(err)
		}
		defer func() { _ = resp.Body.Close() }() // it is read to its end, or given up
		if _, err := io.ReadFull(resp.Body, there); err != nil {
			return readTarget(err)
		}
		if !bytes.Equal(here, there) {
			return errDiffer
		}
		return nil
	})
}

func readTarget(err error) error {
	if bloberror.HasCode(err, bloberror.ConditionNotMet) {
		return atTarget("read the blob", err)
	}
	return way.At(plugin.Target, "read the blob", err)
}
