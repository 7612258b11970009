package answers

import (
	"context"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// headers are all that a blob can have.
func headers() *blob.HTTPHeaders {
	return &blob.HTTPHeaders{
		BlobContentType: to.Ptr("text/html; charset=utf-8"), BlobContentEncoding: to.Ptr("identity"), BlobContentLanguage: to.Ptr("de-DE, en"),
		BlobContentDisposition: to.Ptr(`attachment; filename="a b.html"`), BlobCacheControl: to.Ptr("max-age=60"),
	}
}

func checked(v blob.TransferValidationType) *blockblob.UploadOptions {
	return &blockblob.UploadOptions{TransactionalValidation: v}
}

func putQuestions() []question {
	tier := func(t blob.AccessTier) *blockblob.UploadOptions { return &blockblob.UploadOptions{Tier: &t} }
	tags := func(pairs ...string) *blockblob.UploadOptions {
		m := map[string]string{}
		for i := 0; i+1 < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return &blockblob.UploadOptions{Tags: m}
	}
	eleven := make([]string, 0, 22)
	for i := range 11 {
		eleven = append(eleven, "k"+string(rune('a'+i)), "v")
	}
	named := func(name string) ask { return all(put(name, "x", nil), head(name, nil)) }
	return []question{
		{name: "put a blob", ask: all(put("a", "hello", nil), head("a", nil), read("a", nil))},
		{name: "put an empty blob", ask: all(put("empty", "", nil), head("empty", nil), read("empty", nil))},
		{name: "put a blob with every header", ask: all(put("rich", "<html>", &blockblob.UploadOptions{HTTPHeaders: headers(), Metadata: values("team", "a=b; c", "x_1", "", "umlaut", "%C3%BC"), Tags: map[string]string{"team": "red", "cost centre": "7/8"}, Tier: to.Ptr(blob.AccessTierCool)}), head("rich", nil), read("rich", nil))},
		{name: "put over it: headers, metadata and tags are gone", ask: all(put("rich", "x", nil), head("rich", nil))},
		{name: "put with its MD5", ask: all(put("md5", "hello", checked(blob.TransferValidationTypeMD5(sum("hello")))), head("md5", nil))},
		{name: "put with a wrong MD5", ask: put("md5", "hello", checked(blob.TransferValidationTypeMD5(sum("other"))))},
		{name: "put with a short MD5", ask: put("md5", "hello", checked(blob.TransferValidationTypeMD5([]byte("short"))))},
		{name: "put with its CRC64", ask: put("crc", "hello", checked(blob.TransferValidationTypeComputeCRC64()))},
		{name: "put with a wrong CRC64", ask: put("crc", "hello", checked(blob.TransferValidationTypeCRC64(1)))},
		{name: "put with an MD5 to keep", ask: all(put("kept", "hello", &blockblob.UploadOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentMD5: sum("hello")}}), head("kept", nil))},
		{name: "put with a wrong MD5 to keep", ask: all(put("kept2", "hello", &blockblob.UploadOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentMD5: sum("other")}}), head("kept2", nil))},
		{name: "put with a wrong MD5 and one to keep that is right", ask: put("kept3", "hello", &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum("other")), HTTPHeaders: &blob.HTTPHeaders{BlobContentMD5: sum("hello")}})},
		{name: "put with an MD5 to keep and a CRC64", ask: put("kept4", "hello", &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeComputeCRC64(), HTTPHeaders: &blob.HTTPHeaders{BlobContentMD5: sum("hello")}})},
		{name: "put hot", ask: all(put("hot", "x", tier(blob.AccessTierHot)), head("hot", nil))},
		{name: "put cold", ask: all(put("cold", "x", tier(blob.AccessTierCold)), head("cold", nil))},
		{name: "put into the archive", ask: all(put("archived", "x", tier(blob.AccessTierArchive)), head("archived", nil), read("archived", nil))},
		{name: "put into a tier that does not exist", ask: put("warm", "x", tier("Warm"))},
		{name: "put into a tier of page blobs", ask: put("p4", "x", tier(blob.AccessTierP4))},
		{name: "put with a bad metadata key", ask: put("bad", "x", &blockblob.UploadOptions{Metadata: values("a-b", "1")})},
		{name: "put with much metadata", ask: put("bad", "x", &blockblob.UploadOptions{Metadata: values("big", strings.Repeat("m", 8<<10))})},
		{name: "put with eleven tags", ask: put("bad", "x", tags(eleven...))},
		{name: "put with a tag of a bad character", ask: put("bad", "x", tags("a", "x&y"))},
		{name: "put with a long tag", ask: put("bad", "x", tags(strings.Repeat("k", 129), "v"))},
		{name: "put with a name of unicode", ask: named("ümläut/日本 語 ☃.txt")},
		{name: "put with a name of signs", ask: named(`dir/with space&<amp>"'+%,;=@!$()*[]~`)},
		{name: "put with a name of 1,024", ask: named(strings.Repeat("n", 1024))},
		{name: "put with a name of 1,025", ask: put(strings.Repeat("n", 1025), "x", nil)},
		{name: "put with a name that ends with a dot", ask: named("trailing.")},
		{name: "put with a name that has slashes in a row", ask: named("a//b")},
		{name: "put into no container", ask: inside("nothing", func(ctx context.Context, c *container.Client) error {
			_, err := c.NewBlockBlobClient("a").Upload(ctx, text("x"), nil)
			return err
		})},
		{name: "put into the root", ask: inside("$root", func(ctx context.Context, c *container.Client) error {
			_, err := c.NewBlockBlobClient("index.txt").Upload(ctx, text("x"), nil)
			return err
		})},
		{name: "put with a customer's key", ask: put("cpk", "x", &blockblob.UploadOptions{CPKInfo: &blob.CPKInfo{
			EncryptionAlgorithm: to.Ptr(blob.EncryptionAlgorithmTypeAES256), EncryptionKey: to.Ptr("MDEyMzQ1NjcwMTIzNDU2NzAxMjM0NTY3MDEyMzQ1Njc="), EncryptionKeySHA256: to.Ptr("3QFFFpRA5+XANHqwwbT4yXDmrT/2JaLt/FKHjzhOdoE="),
		}})},
	}
}

// since are the conditions on the time of change.
func since(modified, unmodified time.Time) *blob.AccessConditions {
	m := &blob.ModifiedAccessConditions{}
	if !modified.IsZero() {
		m.IfModifiedSince = &modified
	}
	if !unmodified.IsZero() {
		m.IfUnmodifiedSince = &unmodified
	}
	return &blob.AccessConditions{ModifiedAccessConditions: m}
}

// tagged is a condition on tags.
func tagged(expression string) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfTags: &expression}}
}

func conditionQuestions() []question {
	write := func(c *blob.AccessConditions) ask {
		return put("a", "hello", &blockblob.UploadOptions{AccessConditions: c})
	}
	anew := func(c *blob.AccessConditions) ask {
		return put("none", "hello", &blockblob.UploadOptions{AccessConditions: c})
	}
	reads := func(c *blob.AccessConditions) ask { return read("a", &blob.DownloadStreamOptions{AccessConditions: c}) }
	heads := func(c *blob.AccessConditions) ask { return head("a", &blob.GetPropertiesOptions{AccessConditions: c}) }
	removes := func(c *blob.AccessConditions) ask { return remove("a", &blob.DeleteOptions{AccessConditions: c}) }
	current := func(match bool, f func(*blob.AccessConditions) ask) ask {
		return func(ctx context.Context, w world) (string, error) {
			r, err := w.blobs.NewContainerClient(box).NewBlobClient("a").GetProperties(ctx, nil)
			if err != nil {
				return "", err
			}
			c := &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: r.ETag}}
			if match {
				c = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: r.ETag}}
			}
			return f(c)(ctx, w)
		}
	}
	const stale = `"0x8D000000000000A"`
	return []question{
		{name: "write if it matches", ask: current(true, write)},
		{name: "write if it matches another", ask: write(when(stale, ""))},
		{name: "write if it is there", ask: write(when("*", ""))},
		{name: "write if it is not there", ask: write(when("", "*"))},
		{name: "write unless it matches", ask: current(false, write)},
		{name: "write unless it matches another", ask: write(when("", stale))},
		{name: "write if modified since long ago", ask: write(since(past, time.Time{}))},
		{name: "write if modified since tomorrow", ask: write(since(future, time.Time{}))},
		{name: "write unless modified since long ago", ask: write(since(time.Time{}, past))},
		{name: "write unless modified since tomorrow", ask: write(since(time.Time{}, future))},
		{name: "write if tags match", ask: all(put("a", "hello", &blockblob.UploadOptions{Tags: map[string]string{"team": "red"}}), write(tagged(`"team" = 'red'`)))},
		{name: "write if tags match others", ask: write(tagged(`"team" = 'blue'`))},
		{name: "write if tags match nonsense", ask: write(tagged(`team ==`))},
		{name: "a new one if it matches", ask: anew(when(stale, ""))},
		{name: "a new one if it is there", ask: anew(when("*", ""))},
		{name: "a new one if unmodified", ask: anew(since(time.Time{}, future))},
		{name: "a new one if modified", ask: all(anew(since(past, time.Time{})), remove("none", nil))},
		{name: "a new one if it is not there", ask: all(anew(when("", "*")), remove("none", nil))},
		{name: "read if it matches", ask: current(true, reads)},
		{name: "read if it matches another", ask: reads(when(stale, ""))},
		{name: "read unless it matches", ask: current(false, reads)},
		{name: "read if it is not there", ask: reads(when("", "*"))},
		{name: "read if modified since tomorrow", ask: reads(since(future, time.Time{}))},
		{name: "read if modified since long ago", ask: reads(since(past, time.Time{}))},
		{name: "read unless modified since long ago", ask: reads(since(time.Time{}, past))},
		{name: "read nothing if it matches", ask: read("none", &blob.DownloadStreamOptions{AccessConditions: when(stale, "")})},
		{name: "properties if it matches another", ask: heads(when(stale, ""))},
		{name: "properties unless it matches", ask: current(false, heads)},
		{name: "properties if modified since tomorrow", ask: heads(since(future, time.Time{}))},
		{name: "delete if it matches another", ask: removes(when(stale, ""))},
		{name: "delete if modified since tomorrow", ask: removes(since(future, time.Time{}))},
		{name: "metadata if it matches another", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			_, err := c.SetMetadata(ctx, nil, &blob.SetMetadataOptions{AccessConditions: when(stale, "")})
			return err
		})},
		{name: "tags if tags match others", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			_, err := c.SetTags(ctx, map[string]string{"a": "b"}, &blob.SetTagsOptions{AccessConditions: tagged(`"team" = 'blue'`)})
			return err
		})},
	}
}

func readQuestions() []question {
	md5Of := func(off, n int64) *blob.DownloadStreamOptions {
		o := ranged(off, n)
		o.RangeGetContentMD5 = to.Ptr(true)
		return o
	}
	return []question{
		{name: "read a range", ask: all(put("a", "0123456789", nil), read("a", ranged(2, 3)))},
		{name: "read from an offset on", ask: read("a", ranged(7, 0))},
		{name: "read a range that goes beyond the end", ask: read("a", ranged(8, 100))},
		{name: "read a range beyond the end", ask: read("a", ranged(10, 5))},
		{name: "read a range of an empty blob", ask: read("empty", ranged(0, 1))},
		{name: "read a range with its MD5", ask: read("a", md5Of(2, 3))},
		{name: "read all with the range's MD5", ask: read("a", &blob.DownloadStreamOptions{RangeGetContentMD5: to.Ptr(true)})},
		{name: "read a long range with its MD5", ask: all(ofBlocks("long", func(ctx context.Context, c *blockblob.Client) error {
			_, err := c.Upload(ctx, body(octets(5<<20)), nil)
			return err
		}), read("long", md5Of(0, 4<<20+1)))},
		{name: "read nothing", ask: read("none", nil)},
		{name: "properties of nothing", ask: head("none", nil)},
		{name: "read a blob of no container", ask: inside("nothing", func(ctx context.Context, c *container.Client) error {
			_, err := c.NewBlobClient("a").DownloadStream(ctx, nil)
			return err
		})},
		{name: "read a snapshot that is not there", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			s, err := c.WithSnapshot("2020-01-02T03:04:05.0000000Z")
			if err != nil {
				return err
			}
			_, err = s.DownloadStream(ctx, nil)
			return err
		})},
		{name: "read a snapshot that is no time", ask: about("a", func(ctx context.Context, c *blob.Client) error {
			s, err := c.WithSnapshot("yesterday")
			if err != nil {
				return err
			}
			_, err = s.GetProperties(ctx, nil)
			return err
		})},
		{name: "delete nothing", ask: remove("none", nil)},
		{name: "delete", ask: all(put("gone", "x", nil), remove("gone", nil), remove("gone", nil))},
	}
}

func blockQuestions() []question {
	md5Of := func(s string) *blockblob.StageBlockOptions {
		return &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum(s))}
	}
	everything := all(blockList("blocks", blockblob.BlockListTypeCommitted), blockList("blocks", blockblob.BlockListTypeUncommitted), blockList("blocks", blockblob.BlockListTypeAll))
	raw := func(id, content string) ask {
		return ofBlocks("raw", func(ctx context.Context, c *blockblob.Client) error {
			_, err := c.StageBlock(ctx, id, text(content), nil)
			return err
		})
	}
	return []question{
		{name: "stage", ask: all(stage("blocks", "block1", nil), stage("blocks", "block2", md5Of("block2")), stage("blocks", "block3", &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeComputeCRC64()}))},
		{name: "stage with a wrong MD5", ask: stage("blocks", "block4", md5Of("other"))},
		{name: "stage with a wrong CRC64", ask: stage("blocks", "block4", &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(1)})},
		{name: "stage an ID of another length", ask: stage("blocks", "block10", nil)},
		{name: "stage an ID of 64 octets", ask: raw(blockID(strings.Repeat("i", 64)), "x")},
		{name: "stage an ID of 65 octets", ask: raw(blockID(strings.Repeat("i", 65)), "x")},
		{name: "stage an ID that is no Base64", ask: raw("not base64!", "x")},
		{name: "stage nothing", ask: raw(blockID(strings.Repeat("j", 64)), "")},
		{name: "blocks before the first commit", ask: everything},
		{name: "properties before the first commit", ask: head("blocks", nil)},
		{name: "read before the first commit", ask: read("blocks", nil)},
		{name: "commit two of them, turned round", ask: all(commit("blocks", nil, "block3", "block1"), head("blocks", nil), read("blocks", nil), everything)},
		{name: "commit with headers, metadata, tags and tier", ask: all(stage("blocks", "block5", nil), commit("blocks", &blockblob.CommitBlockListOptions{HTTPHeaders: headers(), Metadata: values("a", "1"), Tags: map[string]string{"t": "v"}, Tier: to.Ptr(blob.AccessTierCool)}, "block5", "block1"), head("blocks", nil), read("blocks", nil))},
		{name: "commit a block that is gone", ask: commit("blocks", nil, "block3")},
		{name: "commit a block that never was", ask: commit("blocks", nil, "block1", "block9")},
		{name: "commit if it is not there", ask: commit("blocks", &blockblob.CommitBlockListOptions{AccessConditions: when("", "*")}, "block1")},
		{name: "commit a block twice", ask: all(commit("blocks", nil, "block1", "block1"), read("blocks", nil), everything)},
		{name: "stage over a committed blob", ask: all(stage("blocks", "block6", nil), everything, read("blocks", nil))},
		{name: "put over uncommitted blocks", ask: all(put("blocks", "whole", nil), everything, head("blocks", nil))},
		{name: "commit no block", ask: all(commit("nil", nil), head("nil", nil), read("nil", nil), blockList("nil", blockblob.BlockListTypeAll))},
		{name: "block list of nothing", ask: blockList("none", blockblob.BlockListTypeAll)},
		{name: "block list of a kind that does not exist", ask: blockList("blocks", "some")},
		{name: "commit with a wrong MD5 of the list", ask: commit("blocks", &blockblob.CommitBlockListOptions{TransactionalContentMD5: sum("other")}, "block1")}, //nolint:staticcheck // deprecated because it is of no use but here
		{name: "commit with a wrong MD5 to keep", ask: all(stage("blocks2", "1", nil), commit("blocks2", &blockblob.CommitBlockListOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentMD5: sum("other")}}, "1"), head("blocks2", nil))},
		{name: "stage into no container", ask: inside("nothing", func(ctx context.Context, c *container.Client) error {
			_, err := c.NewBlockBlobClient("a").StageBlock(ctx, blockID("a"), text("x"), nil)
			return err
		})},
		{name: "delete uncommitted blocks", ask: all(stage("half", "1", nil), remove("half", nil))},
		{name: "commit with an ETag that is not its own", ask: commit("blocks", &blockblob.CommitBlockListOptions{AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: to.Ptr(azcore.ETag(`"0x1"`))}}})},
	}
}
