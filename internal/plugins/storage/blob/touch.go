package blob

import (
	"context"
	"maps"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// touchOver is the size from which on a blob whose content is the same is not written
// anew: below it, one copy costs less than a request for each property.
const touchOver = 4 << 20

// touch brings the properties of a blob up to date whose content is the same. Each write
// is made on the condition that nobody else wrote since.
func (b *blobJob) touch(ctx context.Context, src, there seen) (plugin.Outcome, error) {
	to, err := b.To.Blobs(ctx)
	if err != nil {
		return plugin.Outcome{}, b.Fail("reach the blob service", plugin.Target, err)
	}
	b.To.Wrote()
	c := to.NewContainerClient(b.container).NewBlobClient(b.name)
	fits, lost := src.fit(b.To.Facts)
	carried := fits.carried()
	etag := azcore.ETag(there.etag)
	on := func() *azblob.AccessConditions { c := ifETag(string(etag)); return &c }
	next := func(e *azcore.ETag) {
		if e != nil {
			etag = *e
		}
	}
	headers, err := c.SetHTTPHeaders(ctx, *carried.Headers, &azblob.SetHTTPHeadersOptions{AccessConditions: on()})
	if err != nil {
		return plugin.Outcome{}, b.touchFailed(err)
	}
	next(headers.ETag)
	if !part.SameMetadata(src.Metadata, there.Metadata) {
		resp, err := c.SetMetadata(ctx, carried.Metadata, &azblob.SetMetadataOptions{AccessConditions: on()})
		if err != nil {
			return plugin.Outcome{}, b.touchFailed(err)
		}
		next(resp.ETag)
	}
	if b.Setting(setTags) == tagsCopied && !maps.Equal(fits.Tags, there.Tags) {
		if _, err := c.SetTags(ctx, fits.Tags, nil); err != nil {
			return plugin.Outcome{}, b.Fail("set the index tags", plugin.Target, err, writeTags)
		}
	}
	if fits.Tier != "" && fits.Tier != there.Tier {
		if _, err := c.SetTier(ctx, azblob.AccessTier(fits.Tier), nil); err != nil {
			return plugin.Outcome{}, b.Fail("set the tier", plugin.Target, err, writeBlobs)
		}
	}
	return plugin.Outcome{Status: plugin.Updated, Warnings: part.NotCarried(b.ref.Lost, lost)}, nil
}

func (b *blobJob) touchFailed(err error) error {
	return b.copyFailed(&way.Error{Side: plugin.Target, Op: "set the blob's properties", Err: err})
}

// archived deals with a blob that cannot be read: it is reported or, where the user asks
// for it, brought back, which takes hours
// (https://learn.microsoft.com/azure/storage/blobs/archive-rehydrate-overview).
func (b *blobJob) archived(ctx context.Context) (plugin.Outcome, error) {
	if b.Setting(setArchive) != archiveRehydrated {
		return part.Skipped("it is in the archive tier, which cannot be read; --set storage.archive=rehydrate brings it back at the source")
	}
	if b.ref.Archive != "" {
		return part.Skipped("it is being brought back from the archive tier, which takes up to 15 hours: run again then")
	}
	from, err := b.From.Blobs(ctx)
	if err != nil {
		return plugin.Outcome{}, b.Fail("reach the blob service", plugin.Source, err)
	}
	priority := azblob.RehydratePriorityStandard
	c := from.NewContainerClient(b.container).NewBlobClient(b.name)
	if _, err := c.SetTier(ctx, azblob.AccessTierCool, &azblob.SetTierOptions{RehydratePriority: &priority}); err != nil {
		return plugin.Outcome{}, b.Fail("bring the blob back from the archive tier", plugin.Source, err, writeBlobs)
	}
	return part.Skipped("it was asked back from the archive tier into cool, which takes up to 15 hours: run again then")
}
