package answers

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// list lists the box, page by page.
func list(opt container.ListBlobsFlatOptions) ask {
	return listIn(box, opt)
}

func listIn(name string, opt container.ListBlobsFlatOptions) ask {
	return func(ctx context.Context, w world) (string, error) {
		var out []string
		for p := w.blobs.NewContainerClient(name).NewListBlobsFlatPager(&opt); p.More(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				return "", err
			}
			out = append(out, fields(page.ListBlobsFlatSegmentResponse))
		}
		return strings.Join(out, " "), nil
	}
}

func tree(delimiter string, opt container.ListBlobsHierarchyOptions) ask {
	return func(ctx context.Context, w world) (string, error) {
		var out []string
		for p := w.blobs.NewContainerClient("forest").NewListBlobsHierarchyPager(delimiter, &opt); p.More(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				return "", err
			}
			out = append(out, fields(page.ListBlobsHierarchySegmentResponse))
		}
		return strings.Join(out, " "), nil
	}
}

// plant fills a container for lists.
func plant(ctx context.Context, w world) (string, error) {
	c := w.blobs.NewContainerClient("forest")
	if _, err := c.Create(ctx, nil); err != nil {
		return "", err
	}
	for i, name := range []string{"a", "a/1", "a/2", "a/b/3", "b/4", "c", "ünï/☃", "x y&<z>"} {
		opt := &blockblob.UploadOptions{Metadata: values("n", fmt.Sprint(i)), Tags: map[string]string{"n": fmt.Sprint(i)}}
		if _, err := c.NewBlockBlobClient(name).Upload(ctx, text(name), opt); err != nil {
			return "", err
		}
	}
	_, err := c.NewBlockBlobClient("draft").StageBlock(ctx, blockID("1"), text("x"), nil)
	return "", err
}

func listQuestions() []question {
	n := func(n int32) *int32 { return &n }
	return []question{
		{name: "blobs to list", ask: plant},
		{name: "list", ask: listIn("forest", container.ListBlobsFlatOptions{})},
		{name: "list two by two", ask: listIn("forest", container.ListBlobsFlatOptions{MaxResults: n(2)})},
		{name: "list by prefix", ask: listIn("forest", container.ListBlobsFlatOptions{Prefix: to.Ptr("a/")})},
		{name: "list by a prefix of unicode", ask: listIn("forest", container.ListBlobsFlatOptions{Prefix: to.Ptr("ünï/")})},
		{name: "list by a prefix that nothing has", ask: listIn("forest", container.ListBlobsFlatOptions{Prefix: to.Ptr("zzz")})},
		{name: "list with metadata", ask: listIn("forest", container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true}})},
		{name: "list with tags", ask: listIn("forest", container.ListBlobsFlatOptions{Prefix: to.Ptr("a"), Include: container.ListBlobsInclude{Tags: true}})},
		{name: "list with uncommitted blobs", ask: listIn("forest", container.ListBlobsFlatOptions{Prefix: to.Ptr("d"), Include: container.ListBlobsInclude{UncommittedBlobs: true}})},
		{name: "list with everything", ask: listIn("forest", container.ListBlobsFlatOptions{Prefix: to.Ptr("c"), Include: container.ListBlobsInclude{Copy: true, Deleted: true, Metadata: true, Snapshots: true, Tags: true, UncommittedBlobs: true, LegalHold: true, ImmutabilityPolicy: true}})},
		{name: "list with versions", ask: listIn("forest", container.ListBlobsFlatOptions{Prefix: to.Ptr("c"), Include: container.ListBlobsInclude{Versions: true}})},
		{name: "list nothing", ask: listIn("forest", container.ListBlobsFlatOptions{MaxResults: n(0)})},
		{name: "list from a marker that is none", ask: listIn("forest", container.ListBlobsFlatOptions{Marker: to.Ptr("2!xx!yy")})},
		{name: "list no container", ask: listIn("nothing", container.ListBlobsFlatOptions{})},
		{name: "list the kinds", ask: list(container.ListBlobsFlatOptions{Prefix: to.Ptr("disk"), Include: container.ListBlobsInclude{Tags: true, Metadata: true}})},
		{name: "list append blobs", ask: list(container.ListBlobsFlatOptions{Prefix: to.Ptr("log")})},
		{name: "list a blob of every header", ask: all(put("rich", "<html>", &blockblob.UploadOptions{HTTPHeaders: headers(), Metadata: values("team", "a=b; c"), Tags: map[string]string{"cost centre": "7/8"}, Tier: to.Ptr(blob.AccessTierCool)}), list(container.ListBlobsFlatOptions{Prefix: to.Ptr("rich"), Include: container.ListBlobsInclude{Tags: true, Metadata: true}}))},
		{name: "list a leased blob", ask: list(container.ListBlobsFlatOptions{Prefix: to.Ptr("leased2")})},
		{name: "list folders", ask: tree("/", container.ListBlobsHierarchyOptions{})},
		{name: "list folders one by one", ask: tree("/", container.ListBlobsHierarchyOptions{MaxResults: n(1)})},
		{name: "list a folder", ask: tree("/", container.ListBlobsHierarchyOptions{Prefix: to.Ptr("a/")})},
		{name: "list by another delimiter", ask: tree("b", container.ListBlobsHierarchyOptions{})},
		{name: "list by a delimiter of two", ask: tree("/b", container.ListBlobsHierarchyOptions{})},
		{name: "list folders with snapshots", ask: tree("/", container.ListBlobsHierarchyOptions{Include: container.ListBlobsInclude{Snapshots: true}})},
		{name: "list folders with tags", ask: tree("/", container.ListBlobsHierarchyOptions{Prefix: to.Ptr("a/"), Include: container.ListBlobsInclude{Tags: true, Metadata: true}})},
	}
}

func tagQuestions() []question {
	find := func(where string, opt *service.FilterBlobsOptions) ask {
		return func(ctx context.Context, w world) (string, error) {
			r, err := w.blobs.FilterBlobs(ctx, where, opt)
			return fields(r.FilterBlobSegment), err
		}
	}
	within := func(name, where string) ask {
		return func(ctx context.Context, w world) (string, error) {
			r, err := w.blobs.NewContainerClient(name).FilterBlobs(ctx, where, nil)
			return fields(r.FilterBlobSegment), err
		}
	}
	return []question{
		{name: "find by a tag", ask: find(`"n" = '3'`, nil)},
		{name: "find by a range of a tag", ask: find(`"n" > '1' and "n" <= '4'`, nil)},
		{name: "find within a container", ask: within("forest", `n >= '6'`)},
		{name: "find by container", ask: find(`@container = 'forest' AND "n" = '0'`, nil)},
		{name: "find by another container", ask: find(`@container = 'answers' AND "n" = '0'`, nil)},
		{name: "find by a tag with a space", ask: find(`"cost centre" = '7/8'`, nil)},
		{name: "find two", ask: find(`"n" >= '0'`, &service.FilterBlobsOptions{MaxResults: to.Ptr(int32(2))})},
		{name: "find nothing", ask: find(`"n" = '99'`, nil)},
		{name: "find by nonsense", ask: find(`n == 3`, nil)},
		{name: "find by a number", ask: find(`"n" = 3`, nil)},
		{name: "find by or", ask: find(`"n" = '1' OR "n" = '2'`, nil)},
		{name: "find by not", ask: find(`"n" <> '1'`, nil)},
		{name: "find by an empty expression", ask: find(``, nil)},
		{name: "find within a container by container", ask: within("forest", `@container = 'forest' AND n = '1'`)},
		{name: "find within no container", ask: within("nothing", `n = '1'`)},
	}
}

func batchQuestions() []question {
	ofBox := func(fill func(*container.BatchBuilder) error) ask {
		return func(ctx context.Context, w world) (string, error) {
			c := w.blobs.NewContainerClient(box)
			b, err := c.NewBatchBuilder()
			if err != nil {
				return "", err
			}
			if err := fill(b); err != nil {
				return "", err
			}
			r, err := c.SubmitBatch(ctx, b, nil)
			var out []string
			for _, item := range r.Responses {
				out = append(out, outcome(item))
			}
			return strings.Join(out, " "), err
		}
	}
	ofAccount := func(names ...string) ask {
		return func(ctx context.Context, w world) (string, error) {
			b, err := w.blobs.NewBatchBuilder()
			if err != nil {
				return "", err
			}
			for _, name := range names {
				if err := b.Delete(box, name, nil); err != nil {
					return "", err
				}
			}
			r, err := w.blobs.SubmitBatch(ctx, b, nil)
			var out []string
			for _, item := range r.Responses {
				out = append(out, outcome(item))
			}
			return strings.Join(out, " "), err
		}
	}
	return []question{
		{name: "batch: delete", ask: all(put("b1", "x", nil), put("b2", "x", nil), ofBox(func(b *container.BatchBuilder) error {
			for _, name := range []string{"b1", "none", "b2"} {
				if err := b.Delete(name, nil); err != nil {
					return err
				}
			}
			return nil
		}), head("b1", nil))},
		{name: "batch: set tiers", ask: all(put("b1", "x", nil), put("b 2", "x", nil), ofBox(func(b *container.BatchBuilder) error {
			if err := b.SetTier("b1", blob.AccessTierCool, nil); err != nil {
				return err
			}
			return b.SetTier("b 2", blob.AccessTierCold, nil)
		}), head("b1", nil), head("b 2", nil))},
		{name: "batch: set a tier that does not exist", ask: ofBox(func(b *container.BatchBuilder) error { return b.SetTier("b1", "Warm", nil) })},
		{name: "batch: delete of the account", ask: all(ofAccount("b1", "b 2"), head("b1", nil))},
		{name: "batch: nothing", ask: ofAccount()},
		{name: "batch: 257 operations", ask: func(ctx context.Context, w world) (string, error) {
			names := make([]string, 257)
			for i := range names {
				names[i] = fmt.Sprint("many", i)
			}
			return ofAccount(names...)(ctx, w)
		}},
	}
}
