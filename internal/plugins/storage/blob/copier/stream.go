package copier

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // it is the service's checksum, not a protection
	"hash"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"github.com/minio/crc64nvme"
)

// stream reads from the source and writes to the target.
type stream struct{ *Copier }

// room waits until there is memory for n bytes. A piece larger than all of it goes alone.
func (s stream) room(ctx context.Context, n int64) (func(), error) {
	n = min(n, memory)
	if err := s.memory.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { s.memory.Release(n) }, nil
}

// hold calls f with a buffer of n bytes when there is memory for it.
func (s stream) hold(ctx context.Context, n int64, f func(buf []byte) error) error {
	release, err := s.room(ctx, n)
	if err != nil {
		return err
	}
	defer release()
	return s.lend(n, f)
}

// lend calls f with a buffer of n bytes for which there is room.
func (s stream) lend(n int64, f func(buf []byte) error) error {
	if n <= smallBuffer || n > streamBlock {
		return f(make([]byte, n))
	}
	b := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(b)
	return f((*b)[:n])
}

// smallBuffer is what is cheaper to make anew than to take from the pool.
const smallBuffer = 64 << 10

// read fills buf with the source's bytes from offset.
func (w *work) read(ctx context.Context, offset int64, buf []byte) error {
	if len(buf) == 0 {
		return nil
	}
	resp, err := w.src.DownloadStream(ctx, &blob.DownloadStreamOptions{
		Range: blob.HTTPRange{Offset: offset, Count: int64(len(buf))}, AccessConditions: w.ifSource(),
	})
	if err != nil {
		return atSource(err)
	}
	defer func() { _ = resp.Body.Close() }() // it is read to its end, or given up
	_, err = io.ReadFull(resp.Body, buf)
	return atSource(err)
}

func body(b []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(b)) }

// check lets the service refuse b unless it arrives as it is. Azure Storage's CRC64 is that
// of NVMe, which takes a hundredth of the time of an MD5.
func check(b []byte) blob.TransferValidationType {
	return blob.TransferValidationTypeCRC64(crc64nvme.Checksum(b))
}

func (s stream) block(ctx context.Context, w *work) error {
	to := w.dst.NewBlockBlobClient(w.Name)
	if w.Size > streamBlock {
		return s.inBlocks(ctx, w, to)
	}
	wrong := false
	err := s.hold(ctx, w.Size, func(buf []byte) error {
		if err := w.read(ctx, 0, buf); err != nil {
			return err
		}
		opt := &blockblob.UploadOptions{HTTPHeaders: w.Headers, Metadata: w.Metadata, Tags: w.Tags, Tier: tier(w.Tier), AccessConditions: &w.If}
		if w.Headers.BlobContentMD5 == nil {
			opt.TransactionalValidation = check(buf)
		} else if got := md5.Sum(buf); !bytes.Equal(w.Headers.BlobContentMD5, got[:]) { //nolint:gosec // see the import
			wrong = true
			return nil
		} // else Put Blob holds the content against the MD5, and does not take a CRC64 beside it
		if _, err := to.Upload(ctx, body(buf), opt); err != nil {
			return atTarget("write the blob", err)
		}
		w.Add(w.Size, true)
		return nil
	})
	if wrong { // Put Blob refuses such an MD5, Put Block List does not look at it
		return s.inBlocks(ctx, w, to)
	}
	return err
}

const wrongMD5 = "The MD5 that the source shows is not that of its content; it was copied as it is."

// checksum holds the MD5 of the whole content that went through against the source's. One
// without an MD5 is not given one: it would hold up every copy, since an MD5 is computed
// from front to back, and the target would have what the source has not.
func (w *work) checksum(got []byte) {
	if !bytes.Equal(w.Headers.BlobContentMD5, got) {
		w.notes = append(w.notes, wrongMD5)
	}
}

// inOrder hashes blocks in their order while they are sent in any.
type inOrder struct {
	hash   hash.Hash
	hashed []chan struct{} // closed once the block of that index is in the hash
}

func newInOrder(n int64) *inOrder {
	o := &inOrder{md5.New(), make([]chan struct{}, n)} //nolint:gosec // see the import
	for i := range o.hashed {
		o.hashed[i] = make(chan struct{})
	}
	return o
}

// add takes block i when those before it are in the hash.
func (o *inOrder) add(ctx context.Context, i int64, b []byte) error {
	if i > 0 {
		select {
		case <-o.hashed[i-1]:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	_, _ = o.hash.Write(b) // a hash never fails
	close(o.hashed[i])
	return nil
}

func (s stream) inBlocks(ctx context.Context, w *work, to *blockblob.Client) error {
	p := planFor(&w.Order, streamBlock)
	there, err := w.thereOf(ctx, to, p)
	if err != nil {
		return err
	}
	var whole *inOrder
	if w.Headers.BlobContentMD5 != nil && len(there) == 0 { // else a part of the content does not come by here
		whole = newInOrder(p.count())
	}
	err = w.blocks(ctx, p, there, s.room, func(ctx context.Context, i int64, id string, offset, n int64) error {
		return s.lend(n, func(buf []byte) error {
			if err := w.read(ctx, offset, buf); err != nil {
				return err
			}
			if whole != nil {
				if err := whole.add(ctx, i, buf); err != nil {
					return err
				}
			}
			_, err := to.StageBlock(ctx, id, body(buf), &blockblob.StageBlockOptions{TransactionalValidation: check(buf)})
			return atTarget("write a block", err)
		})
	})
	if err != nil {
		return err
	}
	if whole != nil {
		w.checksum(whole.hash.Sum(nil))
	}
	return w.commit(ctx, to, p)
}

func (s stream) page(ctx context.Context, w *work) error {
	return w.pages(ctx, func(ctx context.Context, to *pageblob.Client, offset, n int64) error {
		return s.hold(ctx, n, func(buf []byte) error {
			if err := w.read(ctx, offset, buf); err != nil {
				return err
			}
			_, err := to.UploadPages(ctx, body(buf), blob.HTTPRange{Offset: offset, Count: n}, &pageblob.UploadPagesOptions{
				TransactionalValidation: check(buf),
			})
			return atTarget("write pages", err)
		})
	})
}

func (s stream) appendTo(ctx context.Context, w *work) error {
	return w.appends(ctx, pageChunk, func(ctx context.Context, to *appendblob.Client, offset, n int64) error {
		return s.hold(ctx, n, func(buf []byte) error {
			if err := w.read(ctx, offset, buf); err != nil {
				return err
			}
			_, err := to.AppendBlock(ctx, body(buf), &appendblob.AppendBlockOptions{
				TransactionalValidation:        check(buf),
				AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: &offset},
			})
			return err
		})
	})
}
