package copier

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// server lets the target's service read from the source's.
type server struct{ *Copier }

// signed calls f with the source's URL and a signature, which goes into a header of the
// request and nowhere else. A signature that is refused is made once more: it may have been
// revoked meanwhile. Without one there is no copy from server to server.
func (w *work) signed(ctx context.Context, f func(url string) error) error {
	for again := false; ; again = true {
		query, err := w.From.ReadSAS(ctx, w.Container, false)
		if err != nil {
			if !errs.Retryable(classify.Error("sign", plugin.Source, "", "", err)) && ctx.Err() == nil {
				err = fmt.Errorf("%w: no signature for the source: %w", way.ErrNoServerCopy, err)
			}
			return way.At(plugin.Source, "sign for the target to read", err)
		}
		join := "?"
		if strings.Contains(w.source, "?") {
			join = "&"
		}
		err = f(w.source + join + query.Reveal())
		if again || !bloberror.HasCode(err, bloberror.CannotVerifyCopySource) {
			return err
		}
		w.From.Refused(query)
	}
}

func (s server) block(ctx context.Context, w *work) error {
	to := w.dst.NewBlockBlobClient(w.Name)
	if w.Size > w.Single {
		return s.inBlocks(ctx, w, to)
	}
	no := false
	opt := &blockblob.UploadBlobFromURLOptions{
		HTTPHeaders: w.Headers, Metadata: w.Metadata, Tags: w.Tags, Tier: tier(w.Tier), AccessConditions: &w.If,
		CopySourceBlobProperties: &no, SourceModifiedAccessConditions: w.ifSourceCopied(),
		SourceContentMD5: w.Headers.BlobContentMD5,
	}
	err := w.signed(ctx, func(url string) error {
		_, err := to.UploadBlobFromURL(ctx, url, opt)
		if bloberror.HasCode(err, bloberror.MD5Mismatch) {
			opt.SourceContentMD5 = nil
			w.notes = append(w.notes, wrongMD5)
			_, err = to.UploadBlobFromURL(ctx, url, opt)
		}
		return atTarget("write the blob", err)
	})
	if err != nil {
		return err
	}
	w.Add(w.Size, true)
	return nil
}

func (s server) inBlocks(ctx context.Context, w *work, to *blockblob.Client) error {
	p := planFor(&w.Order, serverBlock)
	there, err := w.thereOf(ctx, to, p)
	if err != nil {
		return err
	}
	err = w.blocks(ctx, p, there, s.slot, func(ctx context.Context, _ int64, id string, offset, n int64) error {
		return w.signed(ctx, func(url string) error {
			_, err := to.StageBlockFromURL(ctx, id, url, &blockblob.StageBlockFromURLOptions{
				Range: blob.HTTPRange{Offset: offset, Count: n}, SourceModifiedAccessConditions: w.ifSourceCopied(),
			})
			return atTarget("write a block", err)
		})
	})
	if err != nil {
		return err
	}
	return w.commit(ctx, to, p)
}

// slot waits until a request more may be under way.
func (s server) slot(ctx context.Context, _ int64) (func(), error) {
	if err := s.requests.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { s.requests.Release(1) }, nil
}

// with calls f with a signed URL when a request more may be under way.
func (s server) with(ctx context.Context, w *work, f func(url string) error) error {
	release, err := s.slot(ctx, 1)
	if err != nil {
		return err
	}
	defer release()
	return w.signed(ctx, f)
}

func (s server) page(ctx context.Context, w *work) error {
	return w.pages(ctx, func(ctx context.Context, to *pageblob.Client, offset, n int64) error {
		return s.with(ctx, w, func(url string) error {
			_, err := to.UploadPagesFromURL(ctx, url, offset, offset, n, &pageblob.UploadPagesFromURLOptions{
				SourceModifiedAccessConditions: w.ifSourceCopied(),
			})
			return atTarget("write pages", err)
		})
	})
}

func (s server) appendTo(ctx context.Context, w *work) error {
	return w.appends(ctx, serverBlock, func(ctx context.Context, to *appendblob.Client, offset, n int64) error {
		return s.with(ctx, w, func(url string) error {
			_, err := to.AppendBlockFromURL(ctx, url, &appendblob.AppendBlockFromURLOptions{
				Range: blob.HTTPRange{Offset: offset, Count: n}, SourceModifiedAccessConditions: w.ifSourceCopied(),
				AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: &offset},
			})
			return err
		})
	})
}
