package storage_test

import (
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// one is a laboratory with a container of the target account, signed in by key.
func one(t *testing.T) (*lab, *service.Client, *container.Client) {
	t.Helper()
	l := newLab(t, "", nil)
	svc := l.withKey(t, target)
	return l, svc, made(t, svc, "box")
}

func upload(tb testing.TB, c *container.Client, name, content string) blockblob.UploadResponse {
	tb.Helper()
	r, err := c.NewBlockBlobClient(name).Upload(tb.Context(), body(content), nil)
	ok(tb, err)
	return r
}

// TestPutAndGet: what a Put Blob says comes back.
func TestPutAndGet(t *testing.T) {
	t.Parallel()
	_, _, c := one(t)
	b := c.NewBlockBlobClient("dir/ünï code+%.txt")
	sum := md5.Sum([]byte("hello"))
	_, err := b.Upload(t.Context(), body("hello"), &blockblob.UploadOptions{
		HTTPHeaders: &blob.HTTPHeaders{BlobContentType: ptr("text/plain"), BlobContentEncoding: ptr("x"), BlobContentLanguage: ptr("de"), BlobContentDisposition: ptr("inline"), BlobCacheControl: ptr("no-cache")},
		Metadata:    map[string]*string{"owner": ptr("me")}, Tags: map[string]string{"a": "1"}, Tier: ptr(blob.AccessTierCool),
		TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]),
	})
	ok(t, err)
	p, err := b.GetProperties(t.Context(), nil)
	ok(t, err)
	if *p.ContentType != "text/plain" || *p.ContentLanguage != "de" || *p.ContentDisposition != "inline" || *p.CacheControl != "no-cache" ||
		*p.ContentLength != 5 || *p.AccessTier != "Cool" || *p.TagCount != 1 || !slices.Equal(p.ContentMD5, sum[:]) || *p.Metadata["Owner"] != "me" || p.AccessTierChangeTime == nil {
		t.Errorf("%+v", p)
	}
	got, err := text(t.Context(), b.BlobClient(), &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 1, Count: 3}, RangeGetContentMD5: ptr(true)})
	if err != nil || got != "ell" {
		t.Errorf("range: %q %v", got, err)
	}
	for name, c := range map[string]struct {
		run  func() error
		want string
	}{
		"range behind the end": {func() error {
			_, err := text(t.Context(), b.BlobClient(), &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 9}})
			return err
		}, "InvalidRange"},
		"wrong MD5": {func() error {
			_, err := b.Upload(t.Context(), body("other"), &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum[:])})
			return err
		}, "Md5Mismatch"},
		"wrong CRC64": {func() error {
			_, err := b.Upload(t.Context(), body("other"), &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(7)})
			return err
		}, "Crc64Mismatch"},
		"right CRC64": {func() error {
			_, err := b.Upload(t.Context(), body("hello"), &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeComputeCRC64()})
			return err
		}, ""},
		"bad metadata": {func() error {
			_, err := b.SetMetadata(t.Context(), map[string]*string{"no-good": ptr("x")}, nil)
			return err
		}, "InvalidMetadata"},
		"no blob": {func() error { _, err := c.NewBlobClient("none").GetTags(t.Context(), nil); return err }, "BlobNotFound"},
	} {
		wantCode(t, name, c.run(), c.want)
	}
}

// TestConditions: all four headers, on reads and writes.
func TestConditions(t *testing.T) {
	t.Parallel()
	l, _, c := one(t)
	up := upload(t, c, "x", "1")
	b := c.NewBlockBlobClient("x")
	past, future := l.now().Add(-time.Hour), l.now().Add(time.Hour)
	other := azcore.ETag(`"0x1"`)
	cases := map[string]struct {
		cond  blob.ModifiedAccessConditions
		read  string
		write string
	}{
		"match":           {blob.ModifiedAccessConditions{IfMatch: up.ETag}, "", ""},
		"match any":       {blob.ModifiedAccessConditions{IfMatch: ptr(azcore.ETagAny)}, "", ""},
		"match other":     {blob.ModifiedAccessConditions{IfMatch: &other}, "ConditionNotMet", "ConditionNotMet"},
		"none match":      {blob.ModifiedAccessConditions{IfNoneMatch: &other}, "", ""},
		"none match any":  {blob.ModifiedAccessConditions{IfNoneMatch: ptr(azcore.ETagAny)}, "UnsatisfiableCondition", "BlobAlreadyExists"},
		"modified since":  {blob.ModifiedAccessConditions{IfModifiedSince: &past}, "", ""},
		"not since":       {blob.ModifiedAccessConditions{IfModifiedSince: &future}, "ConditionNotMet", "ConditionNotMet"},
		"unmodified":      {blob.ModifiedAccessConditions{IfUnmodifiedSince: &future}, "", ""},
		"modified before": {blob.ModifiedAccessConditions{IfUnmodifiedSince: &past}, "ConditionNotMet", "ConditionNotMet"},
		"tags":            {blob.ModifiedAccessConditions{IfTags: ptr(`"a" = '1'`)}, "ConditionNotMet", "ConditionNotMet"},
	}
	on := func(c blob.ModifiedAccessConditions) *blob.AccessConditions {
		return &blob.AccessConditions{ModifiedAccessConditions: &c}
	}
	for name, x := range cases {
		_, err := b.GetProperties(t.Context(), &blob.GetPropertiesOptions{AccessConditions: on(x.cond)})
		wantCode(t, "read: "+name, err, x.read)
	}
	for name, x := range cases {
		if name == "match" { // the writes before it have moved the ETag
			continue
		}
		_, err := b.Upload(t.Context(), body("2"), &blockblob.UploadOptions{AccessConditions: on(x.cond)})
		wantCode(t, "write: "+name, err, x.write)
	}
}

// TestBlocks: stage, list, commit, and commit again with old and new blocks.
func TestBlocks(t *testing.T) {
	t.Parallel()
	l, _, c := one(t)
	b := c.NewBlockBlobClient("x")
	id := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, data := range map[string]string{"01": "one", "02": "two", "03": "three"} {
		_, err := b.StageBlock(t.Context(), id(name), body(data), nil)
		ok(t, err)
	}
	_, err := b.StageBlock(t.Context(), id("longer"), body("x"), nil)
	wantCode(t, "ID of another length", err, "InvalidBlobOrBlock")
	list, err := b.GetBlockList(t.Context(), blockblob.BlockListTypeAll, nil)
	if err != nil || len(list.UncommittedBlocks) != 3 || len(list.CommittedBlocks) != 0 {
		t.Fatalf("%+v %v", list, err)
	}
	_, err = b.GetProperties(t.Context(), nil)
	wantCode(t, "nothing committed", err, "BlobNotFound")
	_, err = b.CommitBlockList(t.Context(), []string{id("09")}, nil)
	wantCode(t, "unknown block", err, "InvalidBlockList")
	_, err = b.CommitBlockList(t.Context(), []string{id("01"), id("03")}, &blockblob.CommitBlockListOptions{Metadata: map[string]*string{"k": ptr("v")}})
	ok(t, err)
	wantText(t, b.BlobClient(), "onethree")
	_, err = b.StageBlock(t.Context(), id("04"), body("four"), nil)
	ok(t, err)
	_, err = b.CommitBlockList(t.Context(), []string{id("04"), id("01")}, nil)
	ok(t, err)
	wantText(t, b.BlobClient(), "fourone")
	list, err = b.GetBlockList(t.Context(), blockblob.BlockListTypeCommitted, nil)
	if err != nil || len(list.CommittedBlocks) != 2 || *list.BlobContentLength != 7 {
		t.Errorf("%+v %v", list, err)
	}
	_, err = c.NewBlockBlobClient("staged").StageBlock(t.Context(), id("01"), body("x"), nil)
	ok(t, err)
	l.pass(8 * 24 * time.Hour)
	fresh := l.withKeyAt(t, target)
	_, err = fresh.NewContainerClient("box").NewBlockBlobClient("staged").GetBlockList(t.Context(), blockblob.BlockListTypeAll, nil)
	wantCode(t, "blocks after a week", err, "BlobNotFound")
}

// TestAppends: positions, sizes, seal.
func TestAppends(t *testing.T) {
	t.Parallel()
	_, _, c := one(t)
	b := c.NewAppendBlobClient("log")
	_, err := b.Create(t.Context(), nil)
	ok(t, err)
	for i, s := range []string{"a", "bc"} {
		r, err := b.AppendBlock(t.Context(), body(s), nil)
		if err != nil || *r.BlobCommittedBlockCount != int32(i+1) {
			t.Fatal(err)
		}
	}
	_, err = b.AppendBlock(t.Context(), body("d"), &appendblob.AppendBlockOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: ptr[int64](1)}})
	wantCode(t, "wrong position", err, "AppendPositionConditionNotMet")
	_, err = b.AppendBlock(t.Context(), body("d"), &appendblob.AppendBlockOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{MaxSize: ptr[int64](3)}})
	wantCode(t, "too long", err, "MaxBlobSizeConditionNotMet")
	_, err = b.Seal(t.Context(), nil)
	ok(t, err)
	_, err = b.AppendBlock(t.Context(), body("d"), nil)
	wantCode(t, "sealed", err, "BlobIsSealed")
	wantText(t, b.BlobClient(), "abc")
	_, err = c.NewBlockBlobClient("log").StageBlock(t.Context(), "MDE=", body("x"), nil)
	wantCode(t, "block of an append blob", err, "InvalidBlobType")
}

// TestPages: write, clear, list, the difference from a snapshot, sequence numbers, size.
func TestPages(t *testing.T) {
	t.Parallel()
	_, _, c := one(t)
	b := c.NewPageBlobClient("disk")
	_, err := b.Create(t.Context(), 1000, nil)
	wantCode(t, "no whole pages", err, "InvalidHeaderValue")
	_, err = b.Create(t.Context(), 4096, &pageblob.CreateOptions{SequenceNumber: ptr[int64](3)})
	ok(t, err)
	page := strings.Repeat("x", 512)
	put := func(off int64, s string, o *pageblob.UploadPagesOptions) error {
		_, err := b.UploadPages(t.Context(), body(s), blob.HTTPRange{Offset: off, Count: int64(len(s))}, o)
		return err
	}
	ok(t, put(0, page+page, nil))
	ok(t, put(2048, page, nil))
	wantCode(t, "behind the end", put(4096, page, nil), "InvalidPageRange")
	wantCode(t, "sequence number", put(0, page, &pageblob.UploadPagesOptions{SequenceNumberAccessConditions: &pageblob.SequenceNumberAccessConditions{IfSequenceNumberLessThan: ptr[int64](3)}}), "SequenceNumberConditionNotMet")
	ranges := func(o *pageblob.GetPageRangesOptions) string {
		r, err := b.NewGetPageRangesPager(o).NextPage(t.Context())
		ok(t, err)
		return pageText(r.PageRange, nil)
	}
	if got := ranges(nil); got != "0-1023 2048-2559" {
		t.Errorf("ranges %s", got)
	}
	snap, err := b.CreateSnapshot(t.Context(), nil)
	ok(t, err)
	_, err = b.ClearPages(t.Context(), blob.HTTPRange{Offset: 0, Count: 512}, nil)
	ok(t, err)
	ok(t, put(3072, page, nil))
	diff, err := b.NewGetPageRangesDiffPager(&pageblob.GetPageRangesDiffOptions{PrevSnapshot: snap.Snapshot}).NextPage(t.Context())
	if err != nil || pageText(diff.PageRange, diff.ClearRange) != "3072-3583 clear 0-511" {
		t.Errorf("difference: %s %v", pageText(diff.PageRange, diff.ClearRange), err)
	}
	_, err = b.Resize(t.Context(), 2560, nil)
	ok(t, err)
	if got := ranges(nil); got != "512-1023 2048-2559" {
		t.Errorf("after resize: %s", got)
	}
	action := pageblob.SequenceNumberActionTypeIncrement
	got, err := b.UpdateSequenceNumber(t.Context(), &pageblob.UpdateSequenceNumberOptions{ActionType: &action})
	if err != nil || *got.BlobSequenceNumber != 4 {
		t.Errorf("%v %v", got.BlobSequenceNumber, err)
	}
	content, err := text(t.Context(), b.BlobClient(), nil)
	if err != nil || len(content) != 2560 || content[512:1024] != page || content[0] != 0 {
		t.Errorf("%d octets, %v", len(content), err)
	}
}

func pageText(pages []*pageblob.PageRange, cleared []*pageblob.ClearRange) string {
	out := ""
	for _, p := range pages {
		out += fmt.Sprintf("%d-%d ", *p.Start, *p.End)
	}
	for _, p := range cleared {
		out += fmt.Sprintf("clear %d-%d ", *p.Start, *p.End)
	}
	return strings.TrimSpace(out)
}

// TestTags: set, get, find, conditions on them.
func TestTags(t *testing.T) {
	t.Parallel()
	_, svc, c := one(t)
	for i := range 3 {
		upload(t, c, fmt.Sprintf("b%d", i), "x")
		_, err := c.NewBlobClient(fmt.Sprintf("b%d", i)).SetTags(t.Context(), map[string]string{"n": fmt.Sprint(i), "all": "yes"}, nil)
		ok(t, err)
	}
	got, err := c.NewBlobClient("b1").GetTags(t.Context(), nil)
	if err != nil || len(got.BlobTagSet) != 2 || *got.BlobTagSet[1].Value != "1" {
		t.Errorf("%v %v", got, err)
	}
	find := func(where string) string {
		r, err := svc.FilterBlobs(t.Context(), where, nil)
		if err != nil {
			return code(err)
		}
		out := ""
		for _, b := range r.Blobs {
			out += *b.Name + " "
		}
		return out
	}
	for where, want := range map[string]string{
		`n >= '1' AND all = 'yes'`:             "b1 b2 ",
		`@container = 'box' AND "n" = '0'`:     "b0 ",
		`@container = 'elsewhere' AND n = '0'`: "",
		`n = `:                                 "InvalidQueryParameterValue",
		`n < '1'`:                              "b0 ",
	} {
		if got := find(where); got != want {
			t.Errorf("%s: %q, want %q", where, got, want)
		}
	}
	_, err = c.NewBlobClient("b1").Delete(t.Context(), &blob.DeleteOptions{AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfTags: ptr(`n = '7'`)}}})
	wantCode(t, "delete under a condition on tags", err, "ConditionNotMet")
	_, err = c.NewBlobClient("b1").SetTags(t.Context(), map[string]string{"!": "x"}, nil)
	wantCode(t, "bad tag", err, "InvalidTag")
	listed := 0
	p := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Tags: true, Metadata: true}})
	page, err := p.NextPage(t.Context())
	ok(t, err)
	for _, b := range page.Segment.BlobItems {
		listed += len(b.BlobTags.BlobTagSet)
	}
	if listed != 6 {
		t.Errorf("%d tags listed", listed)
	}
}

// TestTiers: the archive keeps a blob until it has come out.
func TestTiers(t *testing.T) {
	t.Parallel()
	l, _, c := one(t)
	upload(t, c, "x", "cold")
	b := c.NewBlobClient("x")
	set := func(tier blob.AccessTier, o *blob.SetTierOptions) error {
		_, err := b.SetTier(t.Context(), tier, o)
		return err
	}
	ok(t, set(blob.AccessTierArchive, nil))
	_, err := text(t.Context(), b, nil)
	wantCode(t, "archived", err, "BlobArchived")
	high := blob.RehydratePriorityHigh
	ok(t, set(blob.AccessTierHot, &blob.SetTierOptions{RehydratePriority: &high}))
	p, err := b.GetProperties(t.Context(), nil)
	if err != nil || *p.ArchiveStatus != "rehydrate-pending-to-hot" || *p.AccessTier != "Archive" {
		t.Errorf("%v %v", p.ArchiveStatus, err)
	}
	wantCode(t, "another way out", set(blob.AccessTierCool, nil), "BlobBeingRehydrated")
	l.pass(2 * time.Hour)
	b = l.withKeyAt(t, target).NewContainerClient("box").NewBlobClient("x")
	wantText(t, b, "cold")
	_, err = b.SetTier(t.Context(), "Lukewarm", nil)
	wantCode(t, "unknown", err, "InvalidHeaderValue")
}

// TestListing: prefix, hierarchy, pages, generated blobs among written ones.
func TestListing(t *testing.T) {
	t.Parallel()
	l := newLab(t, `"virtual":{"container":"box","count":12,"size":100,"seed":5,"prefix":"v/","perFolder":4}`, nil)
	c := l.withKey(t, source).NewContainerClient("box")
	upload(t, c, "a", "1")
	upload(t, c, "v/1/05", "written over")
	upload(t, c, "v/1/x", "between")
	_, err := c.NewBlobClient("v/2/08").Delete(t.Context(), nil)
	ok(t, err)
	if got := list(t, c, container.ListBlobsInclude{UncommittedBlobs: true}); got != "a v/0/00 v/0/01 v/0/02 v/0/03 v/1/04 v/1/05 v/1/06 v/1/07 v/1/x v/2/09 v/2/10 v/2/11 " {
		t.Errorf("flat: %s", got)
	}
	wantText(t, c.NewBlobClient("v/1/05"), "written over")
	generated, err := text(t.Context(), c.NewBlobClient("v/1/06"), nil)
	if err != nil || len(generated) != 100 {
		t.Errorf("%d octets: %v", len(generated), err)
	}
	p, err := c.NewBlobClient("v/1/06").GetProperties(t.Context(), nil)
	sum := md5.Sum([]byte(generated))
	if err != nil || !slices.Equal(p.ContentMD5, sum[:]) {
		t.Errorf("MD5 %x: %v", p.ContentMD5, err)
	}
	out := ""
	for pager := c.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{Prefix: ptr("v/"), MaxResults: ptr[int32](1)}); pager.More(); {
		page, err := pager.NextPage(t.Context())
		ok(t, err)
		for _, x := range page.Segment.BlobPrefixes {
			out += *x.Name + " "
		}
		for _, x := range page.Segment.BlobItems {
			out += *x.Name + " "
		}
	}
	if out != "v/0/ v/1/ v/2/ " {
		t.Errorf("hierarchy: %s", out)
	}
	_, err = c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Marker: ptr("9!x")}).NextPage(t.Context())
	wantCode(t, "bad marker", err, "OutOfRangeInput")
	long := strings.Repeat("n", 1023)
	upload(t, c, long, "long")
	wantText(t, c.NewBlobClient(long), "long")
	_, err = c.NewBlockBlobClient(strings.Repeat("n", 1025)).Upload(t.Context(), body("x"), nil)
	wantCode(t, "too long a name", err, "OutOfRangeInput")
}

// TestContainers: metadata, access policies, names, and $root.
func TestContainers(t *testing.T) {
	t.Parallel()
	_, svc, c := one(t)
	_, err := c.Create(t.Context(), nil)
	wantCode(t, "again", err, "ContainerAlreadyExists")
	for name, want := range map[string]string{"ab": "OutOfRangeInput", "Upper": "InvalidResourceName", "a--b": "InvalidResourceName"} {
		_, err := svc.NewContainerClient(name).Create(t.Context(), nil)
		wantCode(t, name, err, want)
	}
	_, err = c.SetMetadata(t.Context(), &container.SetMetadataOptions{Metadata: map[string]*string{"a": ptr("b")}})
	ok(t, err)
	public, expiry := container.PublicAccessTypeBlob, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = c.SetAccessPolicy(t.Context(), &container.SetAccessPolicyOptions{Access: &public, ContainerACL: []*container.SignedIdentifier{{ID: ptr("p"), AccessPolicy: &container.AccessPolicy{Expiry: &expiry, Permission: ptr("rl")}}}})
	ok(t, err)
	acl, err := c.GetAccessPolicy(t.Context(), nil)
	if err != nil || *acl.BlobPublicAccess != public || len(acl.SignedIdentifiers) != 1 || !acl.SignedIdentifiers[0].AccessPolicy.Expiry.Equal(expiry) {
		t.Errorf("%+v %v", acl, err)
	}
	p, err := c.GetProperties(t.Context(), nil)
	if err != nil || *p.Metadata["A"] != "b" || *p.BlobPublicAccess != public {
		t.Errorf("%+v %v", p, err)
	}
	root := made(t, svc, "$root")
	upload(t, root, "at-root", "x")
	if r, err := svc.NewListContainersPager(&service.ListContainersOptions{Prefix: ptr("b"), Include: service.ListContainersInclude{Metadata: true}}).NextPage(t.Context()); err != nil || len(r.ContainerItems) != 1 || *r.ContainerItems[0].Metadata["a"] != "b" {
		t.Errorf("%v %v", r.ContainerItems, err)
	}
	_, err = c.Delete(t.Context(), nil)
	ok(t, err)
	_, err = c.GetProperties(t.Context(), nil)
	wantCode(t, "deleted", err, "ContainerNotFound")
}

// TestService: properties, statistics, account, website, batch.
func TestService(t *testing.T) {
	t.Parallel()
	l, svc, c := one(t)
	_, err := svc.SetProperties(t.Context(), &service.SetPropertiesOptions{
		DeleteRetentionPolicy: &service.RetentionPolicy{Enabled: ptr(true), Days: ptr[int32](3)},
		StaticWebsite:         &service.StaticWebsite{Enabled: ptr(true), IndexDocument: ptr("index.html"), ErrorDocument404Path: ptr("404.html")},
	})
	ok(t, err)
	p, err := svc.GetProperties(t.Context(), nil)
	if err != nil || *p.DeleteRetentionPolicy.Days != 3 || !*p.StaticWebsite.Enabled || p.Logging == nil {
		t.Errorf("%+v %v", p, err)
	}
	web := svc.NewContainerClient("$web")
	upload(t, web, "index.html", "<p>home")
	upload(t, web, "404.html", "<p>lost")
	site := "https://" + target + ".z6.web.core.windows.net/"
	if r := get(t, l, site, nil); r.StatusCode != http.StatusOK {
		t.Errorf("home: %d", r.StatusCode)
	}
	if r := get(t, l, site+"nothing", nil); r.StatusCode != http.StatusNotFound || r.ContentLength != 7 {
		t.Errorf("lost: %d", r.StatusCode)
	}
	a, err := svc.GetAccountInfo(t.Context(), nil)
	if err != nil || *a.AccountKind != service.AccountKindStorageV2 || *a.SKUName != service.SKUNameStandardRAGRS {
		t.Errorf("%+v %v", a, err)
	}
	_, err = svc.GetStatistics(t.Context(), nil)
	wantCode(t, "statistics at the primary", err, "InvalidQueryParameterValue")
	cred, err := service.NewSharedKeyCredential(target, key(target))
	ok(t, err)
	second, err := service.NewClientWithSharedKeyCredential("https://"+target+"-secondary.blob.core.windows.net/", cred, &service.ClientOptions{ClientOptions: l.options()})
	ok(t, err)
	if st, err := second.GetStatistics(t.Context(), nil); err != nil || *st.GeoReplication.Status != "live" {
		t.Errorf("statistics: %v", err)
	}
	_, err = second.NewContainerClient("box").Create(t.Context(), nil)
	wantCode(t, "write at the secondary", err, "WriteOperationNotSupportedOnSecondary")
	batch(t, svc, c)
}

func batch(t *testing.T, svc *service.Client, c *container.Client) {
	t.Helper()
	upload(t, c, "one", "1")
	upload(t, c, "two", "2")
	submit := func(fill func(*service.BatchBuilder) error) (codes []string) {
		b, err := svc.NewBatchBuilder()
		ok(t, err)
		ok(t, fill(b))
		r, err := svc.SubmitBatch(t.Context(), b, nil)
		ok(t, err)
		for _, x := range r.Responses {
			codes = append(codes, code(x.Error))
		}
		return codes
	}
	got := submit(func(b *service.BatchBuilder) error {
		return errors.Join(b.Delete("box", "two", nil), b.Delete("box", "three", nil))
	})
	got = append(got, submit(func(b *service.BatchBuilder) error { return b.SetTier("box", "one", blob.AccessTierCool, nil) })...)
	if !slices.Equal(got, []string{"", "BlobNotFound", ""}) {
		t.Errorf("batches: %v", got)
	}
	if p, err := c.NewBlobClient("one").GetProperties(t.Context(), nil); err != nil || *p.AccessTier != "Cool" {
		t.Errorf("%v", err)
	}
}

// TestImmutableVersions: policies and holds of single blobs.
func TestImmutableVersions(t *testing.T) {
	t.Parallel()
	l := newLab(t, `"containers":[{"name":"box","versionImmutability":true,"blobs":[{"name":"x","content":"1"}]},{"name":"plain","blobs":[{"name":"x","content":"1"}]}]`, nil)
	c := l.withKey(t, source).NewContainerClient("box")
	b := c.NewBlobClient("x")
	until := l.now().Add(24 * time.Hour)
	_, err := b.SetImmutabilityPolicy(t.Context(), until, nil)
	ok(t, err)
	_, err = b.Delete(t.Context(), nil)
	wantCode(t, "retained", err, "BlobImmutableDueToPolicy")
	_, err = b.DeleteImmutabilityPolicy(t.Context(), nil)
	ok(t, err)
	_, err = b.SetLegalHold(t.Context(), true, nil)
	ok(t, err)
	_, err = c.NewBlockBlobClient("x").Upload(t.Context(), body("2"), nil)
	wantCode(t, "held", err, "BlobImmutableDueToPolicy")
	_, err = b.SetLegalHold(t.Context(), false, nil)
	ok(t, err)
	_, err = b.Delete(t.Context(), nil)
	ok(t, err)
	_, err = l.withKey(t, source).NewContainerClient("plain").NewBlobClient("x").SetLegalHold(t.Context(), true, nil)
	wantCode(t, "container without", err, "ImmutableStorageWithVersioningNotEnabled")
}

// TestDroppedWrites keeps sizes and hashes alone.
func TestDroppedWrites(t *testing.T) {
	t.Parallel()
	l := newLab(t, `"discardWrites":true`, nil)
	c := made(t, l.withKey(t, source), "box")
	upload(t, c, "x", "hello")
	p, err := c.NewBlobClient("x").GetProperties(t.Context(), nil)
	sum := md5.Sum([]byte("hello"))
	if err != nil || *p.ContentLength != 5 || !slices.Equal(p.ContentMD5, sum[:]) {
		t.Errorf("%+v %v", p, err)
	}
	_, err = text(t.Context(), c.NewBlobClient("x"), nil)
	wantCode(t, "read", err, "InternalError")
}

// withKeyAt is withKey for a laboratory whose clock was moved: its requests are stamped
// with the laboratory's time by a SAS instead of the client's clock.
func (l *lab) withKeyAt(tb testing.TB, account string) *service.Client {
	tb.Helper()
	cred, err := service.NewSharedKeyCredential(account, key(account))
	ok(tb, err)
	p, err := sas.AccountSignatureValues{Permissions: "rwdlactx", ResourceTypes: "sco", ExpiryTime: l.now().Add(time.Hour)}.SignWithSharedKey(cred)
	ok(tb, err)
	return l.bare(tb, blobURL(account)+"?"+p.Encode())
}
