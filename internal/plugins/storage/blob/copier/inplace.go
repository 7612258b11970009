package copier

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"golang.org/x/sync/errgroup"
)

// Page and append blobs show what they hold while they are written. They are made with
// Mark in their metadata and lose it with the last request, so that a part is never taken
// for a whole.

// marked returns the metadata of an unfinished copy.
func (w *work) marked() map[string]*string {
	m := maps.Clone(w.Metadata)
	if m == nil {
		m = map[string]*string{}
	}
	of := string(w.ETag)
	m[Mark] = &of
	return m
}

// finish takes the mark away.
func (w *work) finish(ctx context.Context) error {
	_, err := w.dst.NewBlobClient(w.Name).SetMetadata(ctx, w.Metadata, nil)
	return atTarget("finish the blob", err)
}

// pages writes a page blob; send writes one stretch of it.
func (w *work) pages(ctx context.Context, send func(ctx context.Context, to *pageblob.Client, offset, n int64) error) error {
	to := w.dst.NewPageBlobClient(w.Name)
	var there []span
	if w.Part == "" {
		_, err := to.Create(ctx, w.Size, &pageblob.CreateOptions{
			SequenceNumber: &w.Sequence, HTTPHeaders: w.Headers, Metadata: w.marked(), Tags: w.Tags, AccessConditions: &w.If,
		})
		if err != nil {
			return atTarget("create the page blob", err)
		}
	} else {
		var err error
		if there, err = spans(ctx, to, nil); err != nil {
			return atTarget("see which pages are there", err)
		}
	}
	src, err := w.pageSource(ctx)
	if err != nil {
		return err
	}
	full, err := spans(ctx, src, w.ifSource())
	if err != nil {
		return atSource(err)
	}
	g, ctx2 := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, s := range full {
		for offset := s.from; offset < s.to; offset += pageChunk {
			n := min(pageChunk, s.to-offset)
			if covered(there, offset, n) {
				w.Add(n, false)
				continue
			}
			if ctx2.Err() != nil {
				break
			}
			g.Go(func() error {
				if err := send(ctx2, to, offset, n); err != nil {
					return err
				}
				w.Add(n, true)
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return w.finish(ctx)
}

// pageSource returns the source as a page blob.
func (w *work) pageSource(ctx context.Context) (*pageblob.Client, error) {
	from, err := w.From.Blobs(ctx) // made already: nothing is asked
	if err != nil {
		return nil, err
	}
	c := from.NewContainerClient(w.Container).NewPageBlobClient(w.Name)
	switch {
	case w.Snapshot != "":
		return c.WithSnapshot(w.Snapshot)
	case w.Version != "":
		return c.WithVersionID(w.Version)
	}
	return c, nil
}

// span is a stretch of pages that hold something, from inclusive, to exclusive.
type span struct{ from, to int64 }

// spans lists them in order (https://learn.microsoft.com/rest/api/storageservices/get-page-ranges).
func spans(ctx context.Context, c *pageblob.Client, only *blob.AccessConditions) ([]span, error) {
	var out []span
	pager := c.NewGetPageRangesPager(&pageblob.GetPageRangesOptions{AccessConditions: only})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.PageRange {
			out = append(out, span{*r.Start, *r.End + 1})
		}
	}
	return out, nil
}

// covered tells whether a stretch lies within one of those that are there, which stand in
// their order and do not overlap.
func covered(there []span, offset, n int64) bool {
	at, exact := slices.BinarySearchFunc(there, offset, func(s span, offset int64) int { return cmp.Compare(s.from, offset) })
	if !exact {
		at--
	}
	return at >= 0 && at < len(there) && offset+n <= there[at].to
}

// maxAppends is how many blocks an append blob can have
// (https://learn.microsoft.com/rest/api/storageservices/append-block).
const maxAppends = 50_000

// appends writes an append blob, one block after another; send appends one.
func (w *work) appends(ctx context.Context, block int64, send func(ctx context.Context, to *appendblob.Client, offset, n int64) error) error {
	to := w.dst.NewAppendBlobClient(w.Name)
	offset := w.Done
	if w.Part == "" {
		offset = 0
		opt := &appendblob.CreateOptions{HTTPHeaders: w.Headers, Metadata: w.marked(), Tags: w.Tags, AccessConditions: &w.If}
		if w.Size == 0 && !w.Sealed {
			opt.Metadata = w.Metadata
		}
		if _, err := to.Create(ctx, opt); err != nil {
			return atTarget("create the append blob", err)
		}
		if w.Size == 0 && !w.Sealed {
			return nil
		}
	}
	w.Add(offset, false)
	block = max(block, (w.Size+maxAppends-1)/maxAppends)
	for offset < w.Size {
		n := min(block, w.Size-offset)
		if err := w.sent(ctx, to, offset, n, send(ctx, to, offset, n)); err != nil {
			return err
		}
		w.Add(n, true)
		offset += n
	}
	if w.Sealed {
		if _, err := to.Seal(ctx, nil); err != nil {
			return atTarget("seal the append blob", err)
		}
	}
	return w.finish(ctx)
}

// sent judges the answer to an append. If an answer was lost and the request came a second
// time, the service refuses it because the block is there.
func (w *work) sent(ctx context.Context, to *appendblob.Client, offset, n int64, err error) error {
	if bloberror.HasCode(err, bloberror.AppendPositionConditionNotMet) {
		p, lookErr := to.GetProperties(ctx, nil)
		if lookErr == nil && p.ContentLength != nil && *p.ContentLength == offset+n {
			return nil
		}
	}
	return atTarget("append to the blob", err)
}
