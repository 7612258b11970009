package copier

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	mib         = 1 << 20
	maxBlocks   = 50_000  // of a blob: https://learn.microsoft.com/rest/api/storageservices/put-block-list
	streamBlock = 8 * mib // through this program
	serverBlock = 32 * mib
	pageChunk   = 4 * mib // the most of a Put Page
	atOnce      = 8       // parts of one blob
)

// plan divides a blob into blocks.
type plan struct {
	size, block int64
	prefix      [16]byte
}

// planFor returns a plan whose block IDs say what they are blocks of: a later attempt, in
// this process or in another one, finds what is there and sends only the rest.
func planFor(o *Order, block int64) plan {
	if least := (o.Size + maxBlocks - 1) / maxBlocks; block < least {
		block = (least + mib - 1) / mib * mib
	}
	p := plan{size: o.Size, block: block}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%s\n%d\n%d", o.From.ID, o.Name, o.Snapshot, o.Version, o.ETag, o.Size, block))
	copy(p.prefix[:], sum[:])
	return p
}

func (p plan) count() int64 { return (p.size + p.block - 1) / p.block }

// id returns the ID of a block; all have the same length, as the service wants it.
func (p plan) id(i int64) string {
	b := binary.BigEndian.AppendUint64(p.prefix[:], uint64(i))
	return base64.StdEncoding.EncodeToString(b)
}

// span returns where a block begins and how long it is.
func (p plan) span(i int64) (offset, n int64) {
	offset = i * p.block
	return offset, min(p.block, p.size-offset)
}

// ids returns the IDs in order.
func (p plan) ids() []string {
	out := make([]string, p.count())
	for i := range out {
		out[i] = p.id(int64(i))
	}
	return out
}

// thereOf asks which blocks of the plan the target has already, by index. Blocks of other
// IDs are left alone if they have the same length, since the service can hold both.
func (w *work) thereOf(ctx context.Context, to *blockblob.Client, p plan) (map[int64]bool, error) {
	list, err := to.GetBlockList(ctx, blockblob.BlockListTypeUncommitted, nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, atTarget("see which blocks are there", err)
	}
	sizes := map[string]int64{}
	for _, b := range list.UncommittedBlocks {
		if b.Name == nil || b.Size == nil {
			continue
		}
		if len(*b.Name) != len(p.id(0)) {
			return nil, w.clear(ctx, to)
		}
		sizes[*b.Name] = *b.Size
	}
	out := map[int64]bool{}
	for i := range p.count() {
		if _, n := p.span(i); sizes[p.id(i)] == n {
			out[i] = true
		}
	}
	return out, nil
}

// put sends a block.
type put func(ctx context.Context, i int64, id string, offset, n int64) error

// reserve waits until n bytes, or a request, more may be under way, and returns what gives
// them back.
type reserve func(ctx context.Context, n int64) (release func(), err error)

// blocks sends the blocks that are not there yet, several at once. They are reserved for
// and started in order: one that waits for those before it never holds what they need.
func (w *work) blocks(ctx context.Context, p plan, there map[int64]bool, room reserve, send put) error {
	outer := ctx
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range p.count() {
		offset, n := p.span(i)
		if there[i] {
			w.Add(n, false)
			continue
		}
		release, err := room(ctx, n)
		if err != nil {
			break // the context ended: by the caller, or by a block that failed
		}
		g.Go(func() error {
			defer release()
			if err := send(ctx, i, p.id(i), offset, n); err != nil {
				return err
			}
			w.Add(n, true)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return outer.Err()
}

// clear throws away blocks that nobody committed, if the order allows it: IDs of another
// length stand in the way of ours. An empty blob takes their place until ours is committed.
func (w *work) clear(ctx context.Context, to *blockblob.Client) error {
	if !w.Clear {
		return way.At(plugin.Target, "write the blob", ErrForeignBlocks)
	}
	resp, err := to.CommitBlockList(ctx, []string{}, &blockblob.CommitBlockListOptions{AccessConditions: &w.If})
	if err != nil {
		return atTarget("throw away the blocks of another upload", err)
	}
	w.If = blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: resp.ETag}}
	return nil
}

// commit makes the blocks the blob.
func (w *work) commit(ctx context.Context, to *blockblob.Client, p plan) error {
	opt := &blockblob.CommitBlockListOptions{HTTPHeaders: w.Headers, Metadata: w.Metadata, Tags: w.Tags, Tier: tier(w.Tier), AccessConditions: &w.If}
	_, err := to.CommitBlockList(ctx, p.ids(), opt)
	return atTarget("write the blob", err)
}

func tier(name string) *blob.AccessTier {
	if name == "" {
		return nil
	}
	t := blob.AccessTier(name)
	return &t
}
