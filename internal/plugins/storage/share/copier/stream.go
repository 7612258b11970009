package copier

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // it is the service's checksum, not a protection
	"errors"
	"fmt"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// hold calls f with a buffer of n bytes, at most a chunk, when there is memory for it.
func (c *Copier) hold(ctx context.Context, n int64, f func(buf []byte) error) error {
	if err := c.memory.Acquire(ctx, n); err != nil {
		return err
	}
	defer c.memory.Release(n)
	return c.lend(n, f)
}

// lend calls f with a buffer of n bytes for which there is memory.
func (c *Copier) lend(n int64, f func(buf []byte) error) error {
	if n <= smallBuffer {
		return f(make([]byte, n))
	}
	b := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(b)
	return f((*b)[:n])
}

// smallBuffer is what is cheaper to make anew than to take from the pool.
const smallBuffer = 64 << 10

// through reads a range from the source and writes it to the target, which checks its MD5.
func (c *Copier) through(ctx context.Context, w *work, offset, n int64) error {
	return c.hold(ctx, n, func(buf []byte) error {
		etag, err := read(ctx, w.src, offset, buf)
		if err != nil {
			return atSource(err)
		}
		if err := w.sameSource(etag); err != nil {
			return err
		}
		sum := md5.Sum(buf) //nolint:gosec // see above
		_, err = w.dst.UploadRange(ctx, offset, streaming.NopCloser(bytes.NewReader(buf)), &file.UploadRangeOptions{
			TransactionalValidation: file.TransferValidationTypeMD5(sum[:]),
		})
		return atTarget("write the file", err)
	})
}

// read fills buf with a file's bytes from offset, and returns the ETag that they have.
func read(ctx context.Context, c *file.Client, offset int64, buf []byte) (*azcore.ETag, error) {
	resp, err := c.DownloadStream(ctx, &file.DownloadStreamOptions{Range: file.HTTPRange{Offset: offset, Count: int64(len(buf))}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it is read to its end, or given up
	_, err = io.ReadFull(resp.Body, buf)
	return resp.ETag, err
}

// errDiffer ends a comparison early.
var errDiffer = errors.New("the contents differ")

// Same reads the content at both sides, which have o.Size bytes, where either holds
// something, and tells whether it is equal. etag is the target's: ErrSourceChanged and
// ErrTargetChanged say that a side changed meanwhile.
func (c *Copier) Same(ctx context.Context, o Order, etag azcore.ETag) (bool, error) {
	w, err := open(ctx, o)
	if err != nil {
		return false, err
	}
	here, err := w.ranges(ctx, w.src)
	if err != nil {
		return false, err
	}
	there, err := w.written(ctx)
	if err != nil {
		return false, err
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, s := range union(here, there) {
		for offset := s.from; offset < s.to && inner.Err() == nil; offset += chunk {
			n := min(chunk, s.to-offset)
			g.Go(func() error { return c.compare(inner, w, etag, offset, n) })
		}
	}
	err = g.Wait()
	if errors.Is(err, errDiffer) {
		return false, nil
	}
	if err == nil {
		err = ctx.Err()
	}
	return err == nil, err
}

// compare reads one stretch at both sides.
func (c *Copier) compare(ctx context.Context, w *work, etag azcore.ETag, offset, n int64) error {
	if err := c.memory.Acquire(ctx, 2*n); err != nil { // at once: half of it helps nobody
		return err
	}
	defer c.memory.Release(2 * n)
	return c.lend(n, func(here []byte) error {
		tag, err := read(ctx, w.src, offset, here)
		if err != nil {
			return atSource(err)
		}
		if err := w.sameSource(tag); err != nil {
			return err
		}
		return c.lend(n, func(there []byte) error {
			tag, err := read(ctx, w.dst, offset, there)
			if err != nil {
				return way.At(plugin.Target, "read the file", err)
			}
			if tag != nil && !etag.Equals(*tag) {
				return way.At(plugin.Target, "read the file", fmt.Errorf("%w (ETag %s became %s)", ErrTargetChanged, etag, *tag))
			}
			if !bytes.Equal(here, there) {
				return errDiffer
			}
			return nil
		})
	})
}
