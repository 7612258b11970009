// Package azurite runs the storage plugin, unchanged, between two accounts of Azurite, a
// server that nobody here wrote.
//
// What Azurite (3.37) does not do, and the emulator alone covers:
//
//   - blobs: Put Blob From URL, Append Block From URL and Put Page From URL (501, so every blob
//     goes through the program here), a source that is opened with a token, versions, soft
//     delete, immutability and legal holds, rehydration, customer-provided keys, hierarchical
//     namespaces;
//   - tables: a Double that is a whole number comes back as an Int32, entity group transactions
//     under a host name are not understood, and properties are not counted;
//   - file shares, roles of principals, and Resource Manager.
//
// Package answers lists, call by call, where its answers differ from the emulator's.
package azurite

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func (s *server) blobs(t *testing.T, name string) *service.Client {
	t.Helper()
	cred, err := service.NewSharedKeyCredential(name, accountKey)
	must(t, err)
	c, err := service.NewClientWithSharedKeyCredential("https://"+name+".blob.core.windows.net/", cred, &service.ClientOptions{ClientOptions: s.options()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func to[T any](v T) *T { return &v }

func body(b []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(b)) }

// content is n bytes that differ from one another.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> (i % 5))
	}
	return b
}

// must fails the test at an error of seeding.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("seeding: %v", err)
	}
}

// bigSize is more than the plugin sends in one piece.
const bigSize = 20<<20 + 123

func seedBlobs(t *testing.T, s *service.Client) {
	ctx := t.Context()
	data := s.NewContainerClient("data")
	_, err := data.Create(ctx, &container.CreateOptions{Metadata: map[string]*string{"owner": to("red"), "empty": to("x")}})
	must(t, err)
	_, err = data.SetAccessPolicy(ctx, &container.SetAccessPolicyOptions{ContainerACL: []*container.SignedIdentifier{
		{ID: to("readers"), AccessPolicy: &container.AccessPolicy{Start: to(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), Expiry: to(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)), Permission: to("r")}},
		{ID: to("open"), AccessPolicy: &container.AccessPolicy{Permission: to("rl")}},
	}})
	must(t, err)
	for _, name := range []string{"plain", "empty", "ümläut/日本 語.txt", "trailing.", "dir/with space&<amp>\"'+%", strings.Repeat("n", 1023)} {
		b := content(1000)
		if name == "empty" {
			b = nil
		}
		_, err := data.NewBlockBlobClient(name).Upload(ctx, body(b), nil)
		must(t, err)
	}
	_, err = data.NewBlockBlobClient("rich").Upload(ctx, body(content(3000)), &blockblob.UploadOptions{
		HTTPHeaders: &blob.HTTPHeaders{
			BlobContentType: to("text/html; charset=utf-8"), BlobContentEncoding: to("identity"), BlobContentLanguage: to("de-DE"),
			BlobContentDisposition: to(`attachment; filename="a b.html"`), BlobCacheControl: to("max-age=60"),
		},
		Metadata: map[string]*string{"Camel_Case": to("kept"), "plain": to("a=b; c")}, Tags: map[string]string{"team": "red", "cost centre": "7/8"},
		Tier: to(blob.AccessTierCool),
	})
	must(t, err)
	_, err = data.NewBlockBlobClient("wrong.md5").Upload(ctx, body(content(100)), nil)
	must(t, err)
	other := md5.Sum([]byte("other"))
	_, err = data.NewBlockBlobClient("wrong.md5").SetHTTPHeaders(ctx, blob.HTTPHeaders{BlobContentType: to("text/plain"), BlobContentMD5: other[:]}, nil)
	must(t, err)
	_, err = data.NewBlockBlobClient("folder").Upload(ctx, body(nil), &blockblob.UploadOptions{Metadata: map[string]*string{"hdi_isfolder": to("true")}})
	must(t, err)
	seedBig(t, data)
	page := data.NewPageBlobClient("disk.vhd")
	_, err = page.Create(ctx, 1<<20, &pageblob.CreateOptions{SequenceNumber: to(int64(9)), Metadata: map[string]*string{"os": to("none")}})
	must(t, err)
	for _, offset := range []int64{0, 512 * 100, 1<<20 - 512} {
		_, err = page.UploadPages(ctx, body(content(512)), blob.HTTPRange{Offset: offset, Count: 512}, nil)
		must(t, err)
	}
	log := data.NewAppendBlobClient("app.log")
	_, err = log.Create(ctx, &appendblob.CreateOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentType: to("text/plain")}})
	must(t, err)
	for range 3 {
		_, err = log.AppendBlock(ctx, body(content(700)), nil)
		must(t, err)
	}
	_, err = s.NewContainerClient("nothing").Create(ctx, nil)
	must(t, err)
}

// seedBig writes a blob in blocks, which leaves it without an MD5.
func seedBig(t *testing.T, c *container.Client) {
	b := content(bigSize)
	var ids []string
	client := c.NewBlockBlobClient("big.bin")
	for at := 0; at < len(b); at += 8 << 20 {
		piece := b[at:min(at+8<<20, len(b))]
		id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08d", at))
		sum := md5.Sum(piece)
		_, err := client.StageBlock(t.Context(), id, body(piece), &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum[:])})
		must(t, err)
		ids = append(ids, id)
	}
	_, err := client.CommitBlockList(t.Context(), ids, nil)
	must(t, err)
}

// counter counts requests, by what they do.
type counter struct{ writes, reads, lists atomic.Int64 }

// Do implements policy.Policy.
func (c *counter) Do(req *policy.Request) (*http.Response, error) {
	q := req.Raw().URL.Query()
	switch {
	case q.Get("comp") == "list":
		c.lists.Add(1)
	case req.Raw().Method == http.MethodGet || req.Raw().Method == http.MethodHead:
		c.reads.Add(1)
	default:
		c.writes.Add(1)
	}
	return req.Next()
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	s := start(t)
	from, at := s.blobs(t, source), s.blobs(t, target)
	seedBlobs(t, from)
	n := &counter{}
	a, b := s.endpoint(source), s.endpoint(target)
	a.Options.PerCallPolicies, b.Options.PerCallPolicies = []policy.Policy{n}, []policy.Policy{n}
	pairs := []engine.Pair{{Plugin: storage.New(), Source: a, Target: b, Rule: "test"}}
	opt := engine.Options{
		Run: "azurite", Command: "apply", Mode: plugin.Replication,
		Settings: map[string]plugin.Settings{"storage": {"parts": "blobs", "verify": "unsummed"}},
	}
	first, err := local.New().Apply(t.Context(), pairs, opt)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Failures) > 0 || first.Fidelity.Verified != first.Fidelity.Items || first.Fidelity.Items != 14 {
		t.Errorf("%d of %d items verified, want 14\nfailures %+v\nskipped %+v\nunproven %+v\ndifferent %+v", first.Fidelity.Verified, first.Fidelity.Items, first.Failures, first.Skipped, first.Unproven, first.Different)
	}
	if diff := cmp.Diff(inventory(t, from), inventory(t, at)); diff != "" {
		t.Errorf("the accounts differ (-source +target):\n%s", diff)
	}
	n.writes.Store(0)
	second, err := local.New().Apply(t.Context(), pairs, opt)
	if err != nil {
		t.Fatal(err)
	}
	if n.writes.Load() > 0 || second.Outcomes[plugin.Unchanged] != 14 {
		t.Errorf("a second run makes %d writes: %v", n.writes.Load(), second.Outcomes)
	}
}

// inventory is an account as the SDK alone shows it: one line for each container and blob.
func inventory(t *testing.T, s *service.Client) []string {
	t.Helper()
	ctx := t.Context()
	var out []string
	names := s.NewListContainersPager(&service.ListContainersOptions{Include: service.ListContainersInclude{Metadata: true}})
	for names.More() {
		page, err := names.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.ContainerItems {
			client := s.NewContainerClient(*c.Name)
			acl, err := client.GetAccessPolicy(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprintf("container %s %s", *c.Name, metadata(c.Metadata))
			var policies []string
			for _, p := range acl.SignedIdentifiers {
				policies = append(policies, fmt.Sprintf(" %s %v %v %v", *p.ID, text(p.AccessPolicy.Start), text(p.AccessPolicy.Expiry), text(p.AccessPolicy.Permission)))
			}
			slices.Sort(policies)
			out = append(out, line+strings.Join(policies, ""))
			out = append(out, blobLines(ctx, t, client)...)
		}
	}
	return out
}

func text[T any](p *T) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprint(*p)
}

func metadata(m map[string]*string) string {
	var out []string
	for k, v := range m {
		out = append(out, k+"="+text(v))
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// blobLines reads every blob: what its listing, its tags, its page ranges and its content are.
func blobLines(ctx context.Context, t *testing.T, c *container.Client) []string {
	t.Helper()
	var out []string
	pager := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true, Tags: true, UncommittedBlobs: true}})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Segment.BlobItems {
			client := c.NewBlobClient(*b.Name)
			resp, err := client.DownloadStream(ctx, nil)
			if err != nil {
				t.Fatalf("%s: %v", *b.Name, err)
			}
			all, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			p := b.Properties
			line := fmt.Sprintf("blob %s %s %d %x md5=%x type=%s enc=%s lang=%s disp=%s cache=%s tier=%s/%s seq=%s meta=%s", *b.Name, text(p.BlobType), len(all), md5.Sum(all), p.ContentMD5,
				text(p.ContentType), text(p.ContentEncoding), text(p.ContentLanguage), text(p.ContentDisposition), text(p.CacheControl), text(p.AccessTier), text(p.AccessTierInferred), text(p.BlobSequenceNumber), metadata(b.Metadata))
			if b.BlobTags != nil {
				var tags []string
				for _, tag := range b.BlobTags.BlobTagSet {
					tags = append(tags, " tag:"+*tag.Key+"="+*tag.Value)
				}
				slices.Sort(tags)
				line += strings.Join(tags, "")
			}
			if *p.BlobType == blob.BlobTypePageBlob {
				ranges, err := c.NewPageBlobClient(*b.Name).NewGetPageRangesPager(nil).NextPage(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range ranges.PageRange {
					line += fmt.Sprintf(" %d-%d", *r.Start, *r.End)
				}
			}
			out = append(out, line)
		}
	}
	return out
}
