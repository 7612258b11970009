package answers

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
)

func createAppend(name string, opt *appendblob.CreateOptions) ask {
	return ofAppends(name, func(ctx context.Context, c *appendblob.Client) error {
		_, err := c.Create(ctx, opt)
		return err
	})
}

func appends(name, content string, opt *appendblob.AppendBlockOptions) ask {
	return ofAppends(name, func(ctx context.Context, c *appendblob.Client) error {
		_, err := c.AppendBlock(ctx, text(content), opt)
		return err
	})
}

func appendQuestions() []question {
	at := func(position, most *int64) *appendblob.AppendBlockOptions {
		return &appendblob.AppendBlockOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: position, MaxSize: most}}
	}
	seal := func(name string, opt *appendblob.SealOptions) ask {
		return ofAppends(name, func(ctx context.Context, c *appendblob.Client) error {
			_, err := c.Seal(ctx, opt)
			return err
		})
	}
	return []question{
		{name: "create an append blob", ask: all(createAppend("log", &appendblob.CreateOptions{HTTPHeaders: headers(), Metadata: values("a", "1"), Tags: map[string]string{"t": "v"}}), head("log", nil), read("log", nil))},
		{name: "append", ask: all(appends("log", "one", nil), appends("log", "two", nil), head("log", nil), read("log", nil))},
		{name: "append at a position", ask: appends("log", "three", at(to.Ptr(int64(6)), nil))},
		{name: "append at another position", ask: appends("log", "x", at(to.Ptr(int64(6)), nil))},
		{name: "append up to a size", ask: appends("log", "four", at(nil, to.Ptr(int64(15))))},
		{name: "append beyond a size", ask: appends("log", "x", at(nil, to.Ptr(int64(15))))},
		{name: "append with its MD5", ask: appends("log", "five", &appendblob.AppendBlockOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum("five"))})},
		{name: "append with a wrong MD5", ask: appends("log", "five", &appendblob.AppendBlockOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum("six"))})},
		{name: "append with a wrong CRC64", ask: appends("log", "five", &appendblob.AppendBlockOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(7)})},
		{name: "append nothing", ask: appends("log", "", nil)},
		{name: "append if it matches another", ask: appends("log", "x", &appendblob.AppendBlockOptions{AccessConditions: when(`"0x1"`, "")})},
		{name: "append to a block blob", ask: appends("a", "x", nil)},
		{name: "append to nothing", ask: appends("none", "x", nil)},
		{name: "create over an append blob", ask: all(createAppend("log2", nil), appends("log2", "x", nil), createAppend("log2", nil), head("log2", nil))},
		{name: "create if it is not there", ask: createAppend("log", &appendblob.CreateOptions{AccessConditions: when("", "*")})},
		{name: "block list of an append blob", ask: blockList("log", "all")},
		{name: "stage a block of an append blob", ask: stage("log", "1", nil)},
		{name: "seal at another position", ask: seal("log", &appendblob.SealOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: to.Ptr(int64(1))}})},
		{name: "seal", ask: all(seal("log", nil), head("log", nil))},
		{name: "seal again", ask: seal("log", nil)},
		{name: "append to a sealed blob", ask: appends("log", "x", nil)},
		{name: "metadata of a sealed blob", ask: setMetadata("log", values("b", "2"), nil)},
		{name: "seal a block blob", ask: seal("a", nil)},
	}
}

// pages is a range of page blobs.
func pages(off, n int64) blob.HTTPRange { return blob.HTTPRange{Offset: off, Count: n} }

func createPages(name string, size int64, opt *pageblob.CreateOptions) ask {
	return ofPages(name, func(ctx context.Context, c *pageblob.Client) error {
		_, err := c.Create(ctx, size, opt)
		return err
	})
}

func writePages(name string, off int64, n int, opt *pageblob.UploadPagesOptions) ask {
	return ofPages(name, func(ctx context.Context, c *pageblob.Client) error {
		_, err := c.UploadPages(ctx, body(octets(n)), pages(off, int64(n)), opt)
		return err
	})
}

func clearPages(name string, off, n int64) ask {
	return ofPages(name, func(ctx context.Context, c *pageblob.Client) error {
		_, err := c.ClearPages(ctx, pages(off, n), nil)
		return err
	})
}

func pageRanges(name string, opt *pageblob.GetPageRangesOptions) ask {
	return func(ctx context.Context, w world) (string, error) {
		var out []string
		for p := w.blobs.NewContainerClient(box).NewPageBlobClient(name).NewGetPageRangesPager(opt); p.More(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				return "", err
			}
			out = append(out, fields(page.PageList))
		}
		return strings.Join(out, " "), nil
	}
}

// sinceSnapshot takes a snapshot, changes the blob and asks what is different.
func sinceSnapshot(name string, change ask) ask {
	return func(ctx context.Context, w world) (string, error) {
		c := w.blobs.NewContainerClient(box).NewPageBlobClient(name)
		s, err := c.CreateSnapshot(ctx, nil)
		if err != nil {
			return "", err
		}
		if _, err := change(ctx, w); err != nil {
			return "", err
		}
		page, err := c.NewGetPageRangesDiffPager(&pageblob.GetPageRangesDiffOptions{PrevSnapshot: s.Snapshot}).NextPage(ctx)
		return fields(page.PageList), err
	}
}

func pageQuestions() []question {
	number := func(kind pageblob.SequenceNumberActionType, n *int64) ask {
		return ofPages("disk", func(ctx context.Context, c *pageblob.Client) error {
			_, err := c.UpdateSequenceNumber(ctx, &pageblob.UpdateSequenceNumberOptions{ActionType: &kind, SequenceNumber: n})
			return err
		})
	}
	resize := func(name string, n int64) ask {
		return ofPages(name, func(ctx context.Context, c *pageblob.Client) error {
			_, err := c.Resize(ctx, n, nil)
			return err
		})
	}
	sequence := func(c pageblob.SequenceNumberAccessConditions) ask {
		return writePages("disk", 0, 512, &pageblob.UploadPagesOptions{SequenceNumberAccessConditions: &c})
	}
	return []question{
		{name: "create a page blob", ask: all(createPages("disk", 8192, &pageblob.CreateOptions{SequenceNumber: to.Ptr(int64(7)), HTTPHeaders: headers(), Metadata: values("a", "1"), Tags: map[string]string{"t": "v"}}), head("disk", nil))},
		{name: "create a page blob that is not aligned", ask: createPages("odd", 1000, nil)},
		{name: "create an empty page blob", ask: all(createPages("nopages", 0, nil), head("nopages", nil), read("nopages", nil), pageRanges("nopages", nil))},
		{name: "create a page blob with a premium tier", ask: createPages("premium", 512, &pageblob.CreateOptions{Tier: to.Ptr(pageblob.PremiumPageBlobAccessTierP10)})},
		{name: "write pages", ask: all(writePages("disk", 0, 1024, nil), writePages("disk", 4096, 512, nil), read("disk", ranged(4096, 16)), head("disk", nil))},
		{name: "write pages with their MD5", ask: writePages("disk", 4096, 512, &pageblob.UploadPagesOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum(string(octets(512))))})},
		{name: "write pages with a wrong MD5", ask: writePages("disk", 512, 512, &pageblob.UploadPagesOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum("x"))})},
		{name: "write pages with a wrong CRC64", ask: writePages("disk", 512, 512, &pageblob.UploadPagesOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(1)})},
		{name: "write at a bad offset", ask: writePages("disk", 100, 512, nil)},
		{name: "write a bad length", ask: writePages("disk", 0, 100, nil)},
		{name: "write beyond the end", ask: writePages("disk", 8192, 512, nil)},
		{name: "page ranges", ask: pageRanges("disk", nil)},
		{name: "page ranges within a range", ask: pageRanges("disk", &pageblob.GetPageRangesOptions{Range: pages(512, 4096)})},
		{name: "page ranges two by two", ask: all(writePages("disk", 6144, 512, nil), pageRanges("disk", &pageblob.GetPageRangesOptions{MaxResults: to.Ptr(int32(2))}))},
		{name: "clear pages", ask: all(clearPages("disk", 512, 512), pageRanges("disk", nil), read("disk", ranged(510, 4)))},
		{name: "clear at a bad offset", ask: clearPages("disk", 1, 512)},
		{name: "clear beyond the end", ask: clearPages("disk", 8192, 512)},
		{name: "pages that differ", ask: sinceSnapshot("disk", all(writePages("disk", 2048, 512, nil), clearPages("disk", 4096, 512)))},
		{name: "pages that differ from no snapshot", ask: ofPages("disk", func(ctx context.Context, c *pageblob.Client) error {
			_, err := c.NewGetPageRangesDiffPager(&pageblob.GetPageRangesDiffOptions{PrevSnapshot: to.Ptr("2020-01-02T03:04:05.0000000Z")}).NextPage(ctx)
			return err
		})},
		{name: "sequence number: maximum", ask: all(number(pageblob.SequenceNumberActionTypeMax, to.Ptr(int64(5))), number(pageblob.SequenceNumberActionTypeMax, to.Ptr(int64(9))))},
		{name: "sequence number: update", ask: number(pageblob.SequenceNumberActionTypeUpdate, to.Ptr(int64(3)))},
		{name: "sequence number: increment", ask: number(pageblob.SequenceNumberActionTypeIncrement, nil)},
		{name: "sequence number: increment by a number", ask: number(pageblob.SequenceNumberActionTypeIncrement, to.Ptr(int64(3)))},
		{name: "sequence number: no action", ask: number("some", to.Ptr(int64(3)))},
		{name: "sequence number: update to none", ask: number(pageblob.SequenceNumberActionTypeUpdate, nil)},
		{name: "write if the sequence number is at most 4", ask: sequence(pageblob.SequenceNumberAccessConditions{IfSequenceNumberLessThanOrEqualTo: to.Ptr(int64(4))})},
		{name: "write if the sequence number is less than 4", ask: sequence(pageblob.SequenceNumberAccessConditions{IfSequenceNumberLessThan: to.Ptr(int64(4))})},
		{name: "write if the sequence number is 4", ask: sequence(pageblob.SequenceNumberAccessConditions{IfSequenceNumberEqualTo: to.Ptr(int64(4))})},
		{name: "write if the sequence number is 5", ask: sequence(pageblob.SequenceNumberAccessConditions{IfSequenceNumberEqualTo: to.Ptr(int64(5))})},
		{name: "resize", ask: all(resize("disk", 6144), pageRanges("disk", nil), head("disk", nil), resize("disk", 10240), pageRanges("disk", nil))},
		{name: "resize to a bad length", ask: resize("disk", 1000)},
		{name: "resize a block blob", ask: resize("a", 1024)},
		{name: "write pages of a block blob", ask: writePages("a", 0, 512, nil)},
		{name: "page ranges of a block blob", ask: pageRanges("a", nil)},
		{name: "page ranges of nothing", ask: pageRanges("none", nil)},
		{name: "write pages of nothing", ask: writePages("none", 0, 512, nil)},
		{name: "create pages if there are none", ask: createPages("disk", 512, &pageblob.CreateOptions{AccessConditions: when("", "*")})},
		{name: "a block blob over a page blob", ask: all(createPages("turn", 512, nil), put("turn", "x", nil), head("turn", nil), createAppend("turn", nil), head("turn", nil))},
		{name: "set a tier of a page blob", ask: about("disk", func(ctx context.Context, c *blob.Client) error {
			_, err := c.SetTier(ctx, blob.AccessTierHot, nil)
			return err
		})},
		{name: "copy incrementally", ask: ofPages("increment", func(ctx context.Context, c *pageblob.Client) error {
			_, err := c.StartCopyIncremental(ctx, strings.Replace(c.URL(), "increment", "disk", 1), "2020-01-02T03:04:05.0000000Z", nil)
			return err
		})},
	}
}
