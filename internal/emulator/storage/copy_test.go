package storage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

const toCopy = `"containers":[{"name":"box","blobs":[
	{"name":"text","content":"hello world","contentType":"text/plain","cacheControl":"no-store","metadata":{"k":"v"},"tags":{"t":"1"}},
	{"name":"cold","content":"brr","tier":"Archive"},
	{"name":"blocks","size":40,"seed":1,"blockSize":16},
	{"name":"log","type":"append","content":"line"},
	{"name":"disk","type":"page","size":2048,"ranges":[{"offset":512,"size":512,"seed":2}],"sequenceNumber":9},
	{"name":"big","size":104857600,"seed":3}]}]`

// signed is the URL of a source blob with a SAS.
func signed(tb testing.TB, l *lab, name string) string {
	tb.Helper()
	cred, err := service.NewSharedKeyCredential(source, key(source))
	ok(tb, err)
	p, err := sas.BlobSignatureValues{ContainerName: "box", Permissions: "rt", ExpiryTime: l.now().Add(time.Hour)}.SignWithSharedKey(cred)
	ok(tb, err)
	return blobURL(source) + "box/" + name + "?" + p.Encode()
}

// TestFromURL covers the writes that take their content from a source in another tenant.
func TestFromURL(t *testing.T) {
	t.Parallel()
	l := newLab(t, toCopy, nil)
	c := made(t, l.withToken(t, target, "fabrikam"), "into")
	text := signed(t, l, "text")
	tag := blockblob.BlobCopySourceTagsCopy
	_, err := c.NewBlockBlobClient("put").UploadBlobFromURL(t.Context(), text, &blockblob.UploadBlobFromURLOptions{CopySourceTags: &tag})
	ok(t, err)
	p, err := c.NewBlobClient("put").GetProperties(t.Context(), nil)
	if err != nil || *p.ContentType != "text/plain" || *p.CacheControl != "no-store" || *p.TagCount != 1 || p.ContentMD5 == nil {
		t.Errorf("%+v %v", p, err)
	}
	wantText(t, c.NewBlobClient("put"), "hello world")
	b := c.NewBlockBlobClient("blocks")
	_, err = b.StageBlockFromURL(t.Context(), "MDE=", text, &blockblob.StageBlockFromURLOptions{Range: blob.HTTPRange{Offset: 6, Count: 5}})
	ok(t, err)
	_, err = b.CommitBlockList(t.Context(), []string{"MDE="}, nil)
	ok(t, err)
	wantText(t, b.BlobClient(), "world")
	a := c.NewAppendBlobClient("log")
	_, err = a.Create(t.Context(), nil)
	ok(t, err)
	_, err = a.AppendBlockFromURL(t.Context(), text, &appendblob.AppendBlockFromURLOptions{Range: blob.HTTPRange{Offset: 0, Count: 5}})
	ok(t, err)
	wantText(t, a.BlobClient(), "hello")
	d := c.NewPageBlobClient("disk")
	_, err = d.Create(t.Context(), 1024, nil)
	ok(t, err)
	_, err = d.UploadPagesFromURL(t.Context(), signed(t, l, "disk"), 512, 0, 512, &pageblob.UploadPagesFromURLOptions{})
	ok(t, err)
	r, err := d.NewGetPageRangesPager(nil).NextPage(t.Context())
	if err != nil || pageText(r.PageRange, nil) != "0-511" {
		t.Errorf("%s %v", pageText(r.PageRange, nil), err)
	}
	_, err = c.NewBlobClient("sync").CopyFromURL(t.Context(), text, &blob.CopyFromURLOptions{SourceContentMD5: []byte("0123456789abcdef")})
	wantCode(t, "wrong MD5 of the source", err, "Md5Mismatch")
	got, err := c.NewBlobClient("sync").CopyFromURL(t.Context(), text, nil)
	if err != nil || *got.CopyStatus != "success" {
		t.Errorf("%v %v", got, err)
	}
	if p, err := c.NewBlobClient("sync").GetProperties(t.Context(), nil); err != nil || *p.Metadata["K"] != "v" || *p.CopySource != text {
		t.Errorf("%+v %v", p, err)
	}
}

// TestSourceRefused: the source account decides, and the copy tells what it said.
func TestSourceRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, toCopy, nil)
	c := made(t, l.withToken(t, target, "fabrikam"), "into")
	plain := blobURL(source) + "box/text"
	copied := func(url string, o *blockblob.UploadBlobFromURLOptions) error {
		_, err := c.NewBlockBlobClient("x").UploadBlobFromURL(t.Context(), url, o)
		return err
	}
	bearer := func(tenantName string) *blockblob.UploadBlobFromURLOptions {
		token, err := l.credential(t, tenantName).GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://storage.azure.com/.default"}})
		ok(t, err)
		return &blockblob.UploadBlobFromURLOptions{CopySourceAuthorization: ptr("Bearer " + token.Token)}
	}
	past := l.now().Add(-time.Hour)
	for name, x := range map[string]struct {
		err  error
		want string
	}{
		"token of the source's tenant": {copied(plain, bearer("contoso")), ""},
		"token of the target's tenant": {copied(plain, bearer("fabrikam")), "CannotVerifyCopySource"},
		"nothing":                      {copied(plain, nil), "CannotVerifyCopySource"},
		"bent":                         {copied(strings.Replace(signed(t, l, "text"), "sp=", "sp=w", 1), nil), "CannotVerifyCopySource"},
		"no such blob":                 {copied(signed(t, l, "none"), nil), "CannotVerifyCopySource"},
		"no such account":              {copied("https://nobody.blob.core.windows.net/a/b", nil), "CannotVerifyCopySource"},
		"outside":                      {copied("https://example.com/a/b", nil), "CannotVerifyCopySource"},
		"archived":                     {copied(signed(t, l, "cold"), nil), "BlobArchived"},
		"condition": {
			copied(signed(t, l, "text"), &blockblob.UploadBlobFromURLOptions{SourceModifiedAccessConditions: &blob.SourceModifiedAccessConditions{SourceIfUnmodifiedSince: &past}}),
			"SourceConditionNotMet",
		},
	} {
		wantCode(t, name, x.err, x.want)
	}
	closed := newLab(t, toCopy, map[string]any{"networkAcls": map[string]any{"defaultAction": "Deny", "ipRules": []any{map[string]any{"value": "203.0.113.10"}}}})
	into := made(t, closed.withKey(t, target), "into")
	_, err := into.NewBlockBlobClient("x").UploadBlobFromURL(t.Context(), signed(t, closed, "text"), nil)
	wantCode(t, "source behind a firewall", err, "CannotVerifyCopySource")
}

// TestCopyBlob keeps type, blocks, ranges, properties; long copies take their time.
func TestCopyBlob(t *testing.T) {
	t.Parallel()
	l := newLab(t, toCopy, nil)
	c := made(t, l.withKey(t, target), "into")
	for _, name := range []string{"text", "blocks", "log", "disk"} {
		r, err := c.NewBlobClient(name).StartCopyFromURL(t.Context(), signed(t, l, name), nil)
		if err != nil || *r.CopyStatus != blob.CopyStatusTypeSuccess {
			t.Errorf("%s: %v %v", name, r.CopyStatus, err)
		}
	}
	want, got := fields(t, l, source, "box"), fields(t, l, target, "into")
	for _, name := range []string{"text", "blocks", "log", "disk"} {
		if want[name] != got[name] {
			t.Errorf("%s: source %s\ntarget %s", name, want[name], got[name])
		}
	}
	big := c.NewBlobClient("big")
	r, err := big.StartCopyFromURL(t.Context(), signed(t, l, "big"), nil)
	if err != nil || *r.CopyStatus != blob.CopyStatusTypePending {
		t.Fatalf("%v %v", r.CopyStatus, err)
	}
	_, err = c.NewBlockBlobClient("big").Upload(t.Context(), body("x"), nil)
	wantCode(t, "write while pending", err, "PendingCopyOperation")
	_, err = big.AbortCopyFromURL(t.Context(), "another", nil)
	wantCode(t, "another copy", err, "CopyIdMismatch")
	_, err = big.AbortCopyFromURL(t.Context(), *r.CopyID, nil)
	ok(t, err)
	p, err := big.GetProperties(t.Context(), nil)
	if err != nil || *p.CopyStatus != blob.CopyStatusTypeAborted || *p.ContentLength != 0 {
		t.Errorf("%+v %v", p, err)
	}
	_, err = big.AbortCopyFromURL(t.Context(), *r.CopyID, nil)
	wantCode(t, "aborted twice", err, "NoPendingCopyOperation")
	_, err = big.StartCopyFromURL(t.Context(), signed(t, l, "big"), nil)
	ok(t, err)
	l.pass(time.Second / 8)
	if p, err := big.GetProperties(t.Context(), nil); err != nil || *p.CopyProgress == "0/104857600" {
		t.Errorf("progress %v: %v", *p.CopyProgress, err)
	}
	l.pass(time.Second)
	if p, err := big.GetProperties(t.Context(), nil); err != nil || *p.CopyStatus != blob.CopyStatusTypeSuccess {
		t.Errorf("%v %v", *p.CopyStatus, err)
	}
	within(t, c)
}

// within copies in one account, where the caller's own right is enough.
func within(t *testing.T, c *container.Client) {
	t.Helper()
	_, err := c.NewBlobClient("again").StartCopyFromURL(t.Context(), c.NewBlobClient("text").URL(), nil)
	ok(t, err)
	wantText(t, c.NewBlobClient("again"), "hello world")
}

// fields are what tells two blobs apart, by name.
func fields(tb testing.TB, l *lab, account, in string) map[string]string {
	tb.Helper()
	objects, err := l.emu.Objects(l.id(tb, account))
	ok(tb, err)
	out := map[string]string{}
	for _, o := range objects {
		name, found := strings.CutPrefix(o.Key, "blobs/"+in+"/")
		if !found {
			continue
		}
		text := ""
		for _, k := range []string{"type", "size", "sha256", "contentType", "cacheControl", "contentMD5", "metadata", "blocks", "ranges", "sequenceNumber", "appends"} {
			text += fmt.Sprintf("%s=%q ", k, o.Fields[k])
		}
		out[name] = text
	}
	return out
}
