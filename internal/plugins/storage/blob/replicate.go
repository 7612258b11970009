package blob

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// looks is how often an item is looked at anew because something changed meanwhile.
const looks = 3

// isMissing tells whether a service answered that a thing is not there.
func isMissing(err error) bool {
	e := errs.Find(classify.Error("look", plugin.Target, "", "", err))
	return e != nil && e.Status == http.StatusNotFound
}

// look returns what a side has under the job's name; nil if nothing. One listing tells
// more than the headers of a blob do: index tags, and metadata as it was written.
func (b *blobJob) look(ctx context.Context, side plugin.Side) (*listing.Entry, error) {
	a := b.On(side)
	c, err := a.Blobs(ctx)
	if err != nil {
		return nil, b.Fail("reach the blob service", side, err)
	}
	q := queryFor(b.Setting, a.Facts)
	q.Prefix, q.Max, q.History = b.name, 1, "" // nothing that begins with a name comes before it
	var found *listing.Entry
	for more := true; more && found == nil; more = q.Marker != "" {
		q.Marker, err = listing.Page(ctx, c.NewContainerClient(b.container), q, func(e *listing.Entry) bool {
			found = e
			return false
		})
		if err != nil {
			return nil, b.Fail("look at the blob", side, err, readBlobs, readTags)
		}
	}
	if found != nil && found.Name != b.name {
		return nil, nil
	}
	return found, nil
}

// source returns the blob as the item has it, or as it is where the item has no room.
func (b *blobJob) source(ctx context.Context) (seen, error) {
	if b.ref.Props != nil {
		return seen{*b.ref.Props, b.Item.Size, b.Item.Modified, b.Item.Rev}, nil
	}
	e, err := b.look(ctx, plugin.Source)
	if err != nil {
		return seen{}, err
	}
	if e == nil {
		return seen{}, b.gone()
	}
	return seenOf(e), nil
}

// gone says that the source has lost the blob since it was listed.
func (b *blobJob) gone() error {
	return b.Problem("copy", plugin.Source, errs.NotFound, errors.New("it was deleted after it was listed"))
}

// impossible says why a blob can never be at this target; "" if it can.
func (b *blobJob) impossible(src seen) string {
	to := b.To.Facts
	switch {
	case src.Type == pageBlob && to.HNS:
		return "page blobs cannot be in an account with a hierarchical namespace"
	case to.HNS && !b.From.HNS && !placed(b.name):
		return "its name has a part that is empty, which a hierarchical namespace does not keep"
	case src.Type == pageBlob && (strings.EqualFold(to.Kind, "BlockBlobStorage") || strings.EqualFold(to.Kind, "BlobStorage")):
		return "the target is a " + to.Kind + " account, which has no page blobs"
	case src.Type != pageBlob && to.Premium() && !strings.EqualFold(to.Kind, "BlockBlobStorage"):
		return "the target has premium performance for page blobs, and takes no others"
	default:
		return ""
	}
}

// tierArchive cannot be read (https://learn.microsoft.com/azure/storage/blobs/archive-rehydrate-overview).
const tierArchive = "Archive"

// replicate copies one blob.
func (b *blobJob) replicate(ctx context.Context, c *copier.Copier) (plugin.Outcome, error) {
	if known := b.ref.AtThere.For(b.To, time.Now()); known == proven || known == alike {
		return b.found(b.ref.New), nil
	}
	src, err := b.source(ctx)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if why := b.impossible(src); why != "" {
		return part.Skipped(why)
	}
	blind := b.ref.AtThere.Absent(b.To) && !b.mayBeBrought(src)
	if err := b.begin(); err != nil {
		return plugin.Outcome{}, err
	}
	for try := 1; ; try++ {
		out, err := b.once(ctx, c, src, blind)
		switch {
		case err == nil:
			return b.withAccess(ctx, out)
		case try == looks:
			return out, err
		case errors.Is(err, copier.ErrTargetChanged):
			blind = false
		case errors.Is(err, copier.ErrSourceChanged):
			e, lookErr := b.look(ctx, plugin.Source)
			if lookErr != nil {
				return out, lookErr
			}
			if e == nil {
				return out, b.gone()
			}
			src = seenOf(e)
		default:
			return out, err
		}
	}
}

func (b *blobJob) once(ctx context.Context, c *copier.Copier, src seen, blind bool) (plugin.Outcome, error) {
	if b.ref.Past > 0 {
		return b.replicateHistory(ctx, c)
	}
	return b.attempt(ctx, c, src, blind)
}

// attempt looks at the target, unless it is thought to lack the blob, and copies.
func (b *blobJob) attempt(ctx context.Context, c *copier.Copier, src seen, blind bool) (plugin.Outcome, error) {
	d := decision{If: ifAbsent()}
	if !blind {
		var err error
		if d, err = b.decide(ctx, c, src); err != nil || d.same {
			return b.found(b.ref.AtThere.Absent(b.To)), err
		}
	}
	if src.Tier == tierArchive {
		return b.archived(ctx)
	}
	if d.there != nil && !d.unfinished && src.size > touchOver && sameContent(src, *d.there) {
		return b.touch(ctx, src, *d.there)
	}
	o, lost := b.order(src)
	o.If, o.Clear = d.If, b.Overwrite
	if d.unfinished {
		o.Part, o.Done = azcore.ETag(d.there.etag), d.there.size
	}
	res, err := c.Copy(ctx, o)
	if err != nil {
		return plugin.Outcome{}, b.copyFailed(err)
	}
	out := plugin.Outcome{Status: plugin.Created, Bytes: res.Bytes, Path: res.Path, Warnings: append(part.NotCarried(b.ref.Lost, lost), res.Warnings...)}
	if d.there != nil && !d.ours {
		out.Status = plugin.Updated
	}
	return out, nil
}

// decision is what to do about what the target has.
type decision struct {
	same       bool
	there      *seen // nil: nothing
	ours       bool  // a copy that some run did not finish
	unfinished bool  // and that can be gone on with
	If         azblob.AccessConditions
}

// decide looks at the target. What differs there is an error of kind Conflict, unless it
// may be replaced.
func (b *blobJob) decide(ctx context.Context, c *copier.Copier, src seen) (decision, error) {
	e, err := b.look(ctx, plugin.Target)
	if err != nil || e == nil {
		return decision{If: ifAbsent()}, err
	}
	there := seenOf(e)
	d := decision{there: &there, If: ifETag(there.etag)}
	if of, ours := there.unfinished(); ours {
		d.ours, d.unfinished = true, of == src.etag && there.Type == src.Type
		return d, nil
	}
	v := judge(src, there, b.To.Facts)
	if v.state == unsure {
		same, err := b.read(ctx, c, src, there)
		if err != nil {
			return d, err
		}
		if v.state = proven; !same {
			v = verdict{other, []string{"content"}}
		}
	}
	if v.state != other {
		d.same = true
		return d, nil
	}
	if !b.Overwrite {
		return d, b.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target differs in %s", strings.Join(v.fields, ", ")))
	}
	return d, nil
}

// read reads both sides and tells whether they are equal.
func (b *blobJob) read(ctx context.Context, c *copier.Copier, src, there seen) (bool, error) {
	o, _ := b.order(src)
	same, err := c.Same(ctx, o, azcore.ETag(there.etag))
	if err != nil {
		return false, b.copyFailed(err)
	}
	return same, nil
}

func ifAbsent() azblob.AccessConditions {
	star := azcore.ETagAny
	return azblob.AccessConditions{ModifiedAccessConditions: &azblob.ModifiedAccessConditions{IfNoneMatch: &star}}
}

func ifETag(etag string) azblob.AccessConditions {
	e := azcore.ETag(etag)
	return azblob.AccessConditions{ModifiedAccessConditions: &azblob.ModifiedAccessConditions{IfMatch: &e}}
}

// order is what the copier needs to know, and what the target cannot hold.
func (b *blobJob) order(src seen) (copier.Order, []string) {
	fits, lost := src.fit(b.To.Facts)
	if b.Setting(setTags) != tagsCopied {
		fits.Tags = nil
	}
	most, err := single(b.Setting)
	if err != nil {
		most = 0 // Discover has said so; in blocks every blob can go
	}
	o := copier.Order{
		From: b.From, To: b.To, Container: b.container, Name: b.name, Type: src.kind(), Size: src.size, ETag: azcore.ETag(src.etag),
		Properties: fits.carried(), Via: via(b.Setting(setCopy)), Single: most, Progress: b.Progress,
	}
	return o, lost
}

// copyFailed says what could not be done, on which side, and what it needs.
func (b *blobJob) copyFailed(err error) error {
	side, op := plugin.Target, "copy"
	var at *way.Error
	if errors.As(err, &at) {
		side, op = at.Side, at.Op
	}
	if errors.Is(err, copier.ErrForeignBlocks) {
		e := b.Problem(op, side, errs.Conflict, err)
		e.Hint = "wait for the other upload to end, or use --overwrite to throw its blocks away"
		return e
	}
	if side == plugin.Target && hasNoPlace(err, b.From.Facts, b.To.Facts) {
		e := b.Problem(op, side, errs.Conflict, err)
		e.Hint = "in a hierarchical namespace a file has no blobs below it, nor a directory's name: rename one of the two at the source, or leave it out with --exclude"
		return e
	}
	actions := []string{writeBlobs}
	switch {
	case side == plugin.Source:
		actions = []string{readBlobs, delegate}
	case len(b.tags()) > 0:
		actions = append(actions, writeTags)
	}
	return b.Fail(op, side, err, actions...)
}

func (b *blobJob) tags() map[string]string {
	if b.ref.Props == nil {
		return map[string]string{"": ""} // unknown: it may have some
	}
	return b.ref.Props.Tags
}
