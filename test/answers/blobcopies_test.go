package answers

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
)

// outcome is what became of one operation of a batch.
func outcome(item *container.BatchResponseItem) string {
	var re *azcore.ResponseError
	if errors.As(item.Error, &re) {
		return fmt.Sprintf("%d:%d %s", *item.ContentID, re.StatusCode, re.ErrorCode)
	}
	return fmt.Sprint(*item.ContentID, ":", item.Error)
}

// from is where a copy starts: a blob of an account, with or without a signature.
type from func(ctx context.Context, w world) (string, error)

// mine is a blob of the box, theirs one of the second account.
func mine(name string) from {
	return func(_ context.Context, w world) (string, error) {
		return w.blobs.NewContainerClient(box).NewBlobClient(name).URL(), nil
	}
}

func theirs(name string) from {
	return func(_ context.Context, w world) (string, error) {
		return w.second.NewContainerClient("source").NewBlobClient(name).URL(), nil
	}
}

func theirsSigned(name string, permissions sas.BlobPermissions) from {
	return func(_ context.Context, w world) (string, error) {
		return w.second.NewContainerClient("source").NewBlobClient(name).GetSASURL(permissions, future, nil)
	}
}

func mineSnapshot(name string) from {
	return func(ctx context.Context, w world) (string, error) {
		c := w.blobs.NewContainerClient(box).NewBlobClient(name)
		r, err := c.CreateSnapshot(ctx, nil)
		if err != nil {
			return "", err
		}
		s, err := c.WithSnapshot(*r.Snapshot)
		if err != nil {
			return "", err
		}
		return s.URL(), nil
	}
}

// to runs a copy to a blob of the box.
func (f from) to(name string, copies func(ctx context.Context, source string, c *container.Client) error) ask {
	return func(ctx context.Context, w world) (string, error) {
		source, err := f(ctx, w)
		if err != nil {
			return "", err
		}
		return name, copies(ctx, source, w.blobs.NewContainerClient(box))
	}
}

// start is Copy Blob, which need not be done when it answers.
func (f from) start(name string, opt *blob.StartCopyFromURLOptions) ask {
	return f.to(name, func(ctx context.Context, source string, c *container.Client) error {
		_, err := c.NewBlobClient(name).StartCopyFromURL(ctx, source, opt)
		return err
	})
}

// whole is Copy Blob From URL.
func (f from) whole(name string, opt *blob.CopyFromURLOptions) ask {
	return f.to(name, func(ctx context.Context, source string, c *container.Client) error {
		_, err := c.NewBlobClient(name).CopyFromURL(ctx, source, opt)
		return err
	})
}

// upload is Put Blob From URL, block Put Block From URL.
func (f from) upload(name string, opt *blockblob.UploadBlobFromURLOptions) ask {
	return f.to(name, func(ctx context.Context, source string, c *container.Client) error {
		_, err := c.NewBlockBlobClient(name).UploadBlobFromURL(ctx, source, opt)
		return err
	})
}

func (f from) block(name, id string, opt *blockblob.StageBlockFromURLOptions) ask {
	return f.to(name, func(ctx context.Context, source string, c *container.Client) error {
		_, err := c.NewBlockBlobClient(name).StageBlockFromURL(ctx, blockID(id), source, opt)
		return err
	})
}

// sources fills the second account.
func sources(ctx context.Context, w world) (string, error) {
	c := w.second.NewContainerClient("source")
	if _, err := c.Create(ctx, nil); err != nil {
		return "", err
	}
	_, err := c.NewBlockBlobClient("rich").Upload(ctx, text("0123456789"), &blockblob.UploadOptions{HTTPHeaders: headers(), Metadata: values("team", "red"), Tags: map[string]string{"t": "v"}})
	return "", err
}

func copyQuestions() []question {
	reader := sas.BlobPermissions{Read: true}
	stale := &blob.SourceModifiedAccessConditions{SourceIfMatch: to.Ptr(azcore.ETag(`"0x1"`))}
	rich := theirsSigned("rich", reader)
	return []question{
		{name: "sources in another account", ask: sources},
		{name: "copy within the account", ask: all(put("from", "0123456789", &blockblob.UploadOptions{HTTPHeaders: headers(), Metadata: values("a", "1"), Tags: map[string]string{"t": "v"}}), mine("from").start("copy1", nil), head("copy1", nil), read("copy1", nil))},
		{name: "copy with metadata, tags and tier of its own", ask: all(mine("from").start("copy2", &blob.StartCopyFromURLOptions{Metadata: values("b", "2"), BlobTags: map[string]string{"u": "w"}, Tier: to.Ptr(blob.AccessTierCold)}), head("copy2", nil), getTags("copy2"))},
		{name: "copy from another account with a signature", ask: all(rich.start("copy3", nil), head("copy3", nil), read("copy3", nil))},
		{name: "copy from another account without a signature", ask: theirs("rich").start("copy4", nil)},
		{name: "copy from another account with a signature that cannot read", ask: theirsSigned("rich", sas.BlobPermissions{List: true}).start("copy4", nil)},
		{name: "copy what is not there", ask: mine("none").start("copy4", nil)},
		{name: "copy what is not in the other account", ask: theirsSigned("none", reader).start("copy4", nil)},
		{name: "copy from nowhere", ask: from(func(context.Context, world) (string, error) { return "nowhere", nil }).start("copy4", nil)},
		{name: "copy a snapshot", ask: all(mineSnapshot("from").start("copy5", nil), read("copy5", nil))},
		{name: "copy a snapshot over its base", ask: all(put("promote", "one", nil), mineSnapshot("promote").start("promote", nil), read("promote", nil))},
		{name: "copy if the source matches another", ask: mine("from").start("copy6", &blob.StartCopyFromURLOptions{SourceModifiedAccessConditions: stale})},
		{name: "copy if it is not there", ask: mine("from").start("copy1", &blob.StartCopyFromURLOptions{AccessConditions: when("", "*")})},
		{name: "copy an append blob", ask: all(mine("log").start("copylog", nil), head("copylog", nil), read("copylog", nil))},
		{name: "copy a page blob", ask: all(mine("disk").start("copydisk", nil), head("copydisk", nil), pageRanges("copydisk", nil))},
		{name: "copy a blob of blocks", ask: all(stage("built", "1", nil), stage("built", "2", nil), commit("built", nil, "1", "2"), mine("built").start("copybuilt", nil), blockList("copybuilt", blockblob.BlockListTypeAll))},
		{name: "copy over a leased blob", ask: mine("from").start("leased2", nil)},
		{name: "copy over a blob of another kind", ask: all(mine("from").start("copydisk", nil), head("copydisk", nil))},
		{name: "copy over a cool blob", ask: all(put("cool", "x", &blockblob.UploadOptions{Tier: to.Ptr(blob.AccessTierCool)}), mine("from").start("cool", nil), head("cool", nil))},
		{name: "copy over an archived blob", ask: all(put("icy", "x", &blockblob.UploadOptions{Tier: to.Ptr(blob.AccessTierArchive)}), mine("from").start("icy", nil))},
		{name: "copy over a leased blob, as its holder", ask: mine("from").start("leased2", &blob.StartCopyFromURLOptions{AccessConditions: holding(lease1)})},
		{name: "copy over a blob that is leased for a time", ask: all(put("leased4", "x", nil), acquire("leased4", lease1, 60), mine("from").start("leased4", &blob.StartCopyFromURLOptions{AccessConditions: holding(lease1)}))},
		{name: "headers of a copy", ask: all(mine("from").start("copy8", nil), setHeaders("copy8", headers(), nil), head("copy8", nil))},
		{name: "copy from the archive", ask: mine("archived").start("copy7", nil)},
		{name: "copy a cool blob", ask: all(mine("rich").start("copycool", nil), head("copycool", nil))},
		{name: "abort a copy that is done", ask: about("copy1", func(ctx context.Context, c *blob.Client) error {
			r, err := c.GetProperties(ctx, nil)
			if err != nil {
				return err
			}
			_, err = c.AbortCopyFromURL(ctx, *r.CopyID, nil)
			return err
		})},
		{name: "abort a copy that never was", ask: about("from", func(ctx context.Context, c *blob.Client) error {
			_, err := c.AbortCopyFromURL(ctx, lease1, nil)
			return err
		})},
		{name: "list with copies", ask: list(container.ListBlobsFlatOptions{Prefix: to.Ptr("copy1"), Include: container.ListBlobsInclude{Copy: true}})},
		{name: "write over a copy", ask: all(put("copy1", "x", nil), head("copy1", nil))},
		{name: "copy at once", ask: all(mine("from").whole("sync1", nil), head("sync1", nil), read("sync1", nil))},
		{name: "copy at once from another account", ask: all(rich.whole("sync2", &blob.CopyFromURLOptions{Metadata: values("b", "2"), Tier: to.Ptr(blob.AccessTierCool), SourceContentMD5: sum("0123456789")}), head("sync2", nil))},
		{name: "copy at once with a wrong MD5", ask: rich.whole("sync3", &blob.CopyFromURLOptions{SourceContentMD5: sum("other")})},
		{name: "copy at once without a signature", ask: theirs("rich").whole("sync3", nil)},
		{name: "copy at once what is not there", ask: mine("none").whole("sync3", nil)},
		{name: "copy at once if the source matches another", ask: mine("from").whole("sync3", &blob.CopyFromURLOptions{SourceModifiedAccessConditions: stale})},
		{name: "copy an append blob at once", ask: mine("log").whole("sync3", nil)},
		{name: "stage from a URL", ask: all(rich.block("pieces", "1", &blockblob.StageBlockFromURLOptions{Range: blob.HTTPRange{Offset: 2, Count: 3}}), rich.block("pieces", "2", nil), commit("pieces", nil, "1", "2"), read("pieces", nil))},
		{name: "stage from a URL beyond the end", ask: rich.block("pieces", "3", &blockblob.StageBlockFromURLOptions{Range: blob.HTTPRange{Offset: 8, Count: 8}})},
		{name: "stage from a URL with its MD5", ask: rich.block("pieces", "3", &blockblob.StageBlockFromURLOptions{SourceContentValidation: blob.SourceContentValidationTypeMD5(sum("0123456789"))})},
		{name: "stage from a URL with a wrong MD5", ask: rich.block("pieces", "3", &blockblob.StageBlockFromURLOptions{SourceContentValidation: blob.SourceContentValidationTypeMD5(sum("x"))})},
		{name: "stage from a URL without a signature", ask: theirs("rich").block("pieces", "3", nil)},
		{name: "stage from a URL that is not there", ask: theirsSigned("none", reader).block("pieces", "3", nil)},
		{name: "upload from a URL", ask: all(rich.upload("up1", nil), head("up1", nil), read("up1", nil))},
		{name: "upload from a URL with headers of its own", ask: all(rich.upload("up2", &blockblob.UploadBlobFromURLOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentType: to.Ptr("text/plain")}, Metadata: values("b", "2"), SourceContentMD5: sum("0123456789"), CopySourceBlobProperties: to.Ptr(false)}), head("up2", nil))},
		{name: "upload from a URL with a wrong MD5", ask: rich.upload("up3", &blockblob.UploadBlobFromURLOptions{SourceContentMD5: sum("x")})},
		{name: "upload from a URL without a signature", ask: theirs("rich").upload("up3", nil)},
		{name: "append from a URL", ask: all(createAppend("log3", nil), rich.to("log3", func(ctx context.Context, source string, c *container.Client) error {
			_, err := c.NewAppendBlobClient("log3").AppendBlockFromURL(ctx, source, &appendblob.AppendBlockFromURLOptions{Range: blob.HTTPRange{Offset: 1, Count: 4}})
			return err
		}), read("log3", nil))},
		{name: "write pages from a URL", ask: all(createPages("disk2", 1024, nil), mine("disk").to("disk2", func(ctx context.Context, source string, c *container.Client) error {
			_, err := c.NewPageBlobClient("disk2").UploadPagesFromURL(ctx, source, 0, 512, 512, nil)
			return err
		}), pageRanges("disk2", nil))},
	}
}
