package blob

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// past lists a blob with its snapshots or versions.
func (b *blobJob) past(ctx context.Context, side plugin.Side) (history, error) {
	a := b.On(side)
	c, err := a.Blobs(ctx)
	if err != nil {
		return history{}, b.Fail("reach the blob service", side, err)
	}
	q := queryFor(b.Setting, a.Facts)
	q.Prefix = b.name
	var own []*listing.Entry
	passed := false
	for more := true; more && !passed; more = q.Marker != "" {
		q.Marker, err = listing.Page(ctx, c.NewContainerClient(b.container), q, func(e *listing.Entry) bool {
			if passed = e.Name != b.name; !passed {
				own = append(own, e)
			}
			return !passed
		})
		if err != nil {
			return history{}, b.Fail("list the past of the blob", side, err, readBlobs, readTags)
		}
	}
	return historyOf(own), nil
}

// comparePast says what of a blob's past differs.
func (b *blobJob) comparePast(ctx context.Context) ([]string, error) {
	src, err := b.past(ctx, plugin.Source)
	if err != nil {
		return nil, err
	}
	dst, err := b.past(ctx, plugin.Target)
	if err != nil || !src.differs(dst) {
		return nil, err
	}
	return []string{b.Setting(setHistory)}, nil
}

// replicateHistory copies a blob with its past, oldest first. A snapshot is made by
// writing its content as the blob and taking a snapshot of that; a version, by writing
// over it. What the target has of the past must be the beginning of the source's.
func (b *blobJob) replicateHistory(ctx context.Context, c *copier.Copier) (plugin.Outcome, error) {
	src, err := b.past(ctx, plugin.Source)
	if err != nil {
		return plugin.Outcome{}, err
	}
	dst, err := b.past(ctx, plugin.Target)
	if err != nil && !isMissing(err) {
		return plugin.Outcome{}, err
	}
	if src.now == nil {
		return plugin.Outcome{}, b.gone()
	}
	now := seenOf(src.now)
	done := src.shared(dst)
	if done < 0 {
		return plugin.Outcome{}, b.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target has %s that the source has not", b.Setting(setHistory)))
	}
	steps := src.steps(done)
	current := dst.now
	if current != nil && done == len(src.past) && judge(now, seenOf(current), b.To.Facts).state != other {
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	}
	// Between two steps the target's blob is one of the source's past: that is this program's doing.
	if current != nil && !b.Overwrite && !src.knows(current) {
		return plugin.Outcome{}, b.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target differs"))
	}
	out := plugin.Outcome{Status: plugin.Created, Warnings: part.NotCarried(b.ref.Lost)}
	if dst.now != nil {
		out.Status = plugin.Updated
	}
	for _, e := range steps {
		if current, err = b.step(ctx, c, e, current, &out); err != nil {
			return plugin.Outcome{}, err
		}
	}
	return out, nil
}

// steps are the entries to write: what is left of the past, and the present.
func (h history) steps(done int) []*listing.Entry {
	return append(h.past[done:len(h.past):len(h.past)], h.now)
}

// knows tells whether an entry of the target is like one of h.
func (h history) knows(e *listing.Entry) bool {
	for _, own := range h.steps(0) {
		if samePast(seenOf(own), seenOf(e)) {
			return true
		}
	}
	return false
}

// step makes the target's blob what e is, unless it is that, and takes a snapshot if e is
// one. It returns what the target then has.
func (b *blobJob) step(ctx context.Context, c *copier.Copier, e, current *listing.Entry, out *plugin.Outcome) (*listing.Entry, error) {
	what := seenOf(e)
	if current == nil || !samePast(what, seenOf(current)) || (e.Version != "" && !e.Current) {
		o, _ := b.order(what)
		o.Snapshot, o.Version, o.Clear, o.If = e.Snapshot, "", b.Overwrite, ifAbsent()
		if e.Version != "" && !e.Current {
			o.Version = e.Version
		}
		if current != nil {
			o.If = ifETag(current.ETag)
		}
		res, err := c.Copy(ctx, o)
		if err != nil {
			return nil, b.copyFailed(err)
		}
		out.Bytes, out.Path = out.Bytes+res.Bytes, res.Path
		out.Warnings = append(out.Warnings, res.Warnings...)
		if current, err = b.look(ctx, plugin.Target); err != nil {
			return nil, err
		}
	}
	if e.Snapshot == "" || current == nil {
		return current, nil
	}
	to, err := b.To.Blobs(ctx)
	if err != nil {
		return nil, b.Fail("reach the blob service", plugin.Target, err)
	}
	etag := azcore.ETag(current.ETag)
	_, err = to.NewContainerClient(b.container).NewBlobClient(b.name).CreateSnapshot(b.To.Once(ctx), &azblob.CreateSnapshotOptions{
		AccessConditions: &azblob.AccessConditions{ModifiedAccessConditions: &azblob.ModifiedAccessConditions{IfMatch: &etag}},
	})
	if err != nil {
		return nil, b.Fail("take a snapshot", plugin.Target, err, writeBlobs)
	}
	return current, nil
}

// history is a blob with its snapshots or its former versions, oldest first.
type history struct {
	past []*listing.Entry
	now  *listing.Entry // nil if the blob itself is gone
}

// historyOf sorts entries of one name: the service lists them oldest first.
func historyOf(entries []*listing.Entry) history {
	var h history
	for _, e := range entries {
		if e.Snapshot != "" || (e.Version != "" && !e.Current) {
			h.past = append(h.past, e)
		} else {
			h.now = e
		}
	}
	return h
}

// differs tells whether the target has another past. What cannot be told by size and
// checksum counts as the same.
func (h history) differs(there history) bool {
	return len(h.past) != len(there.past) || h.shared(there) != len(h.past)
}

// shared returns how many of h's oldest members the target has as its own oldest ones; -1
// if the target has some that do not match.
func (h history) shared(there history) int {
	if len(there.past) > len(h.past) {
		return -1
	}
	for i, e := range there.past {
		if !samePast(seenOf(h.past[i]), seenOf(e)) {
			return -1
		}
	}
	return len(there.past)
}

func samePast(a, b seen) bool {
	return a.size == b.size && a.Type == b.Type && (a.MD5 == b.MD5 || a.MD5 == "" || b.MD5 == "") && part.SameMetadata(a.Metadata, b.Metadata)
}
