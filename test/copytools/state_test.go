package copytools

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	fileservice "github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"
)

// state is what makes one blob or file differ from another, by name: type, headers,
// metadata, MD5, content. Tags are among it if asked for.
func (w *world) state(t *testing.T, account, in, prefix string, tags bool) map[string]string {
	t.Helper()
	c := w.blobs(t, account).NewContainerClient(in)
	out := map[string]string{}
	pager := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix})
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		must(t, err)
		for _, item := range page.Segment.BlobItems {
			b := c.NewBlobClient(*item.Name)
			text := blobState(t, b)
			if tags {
				text += " tags " + blobTags(t, b)
			}
			out[strings.TrimPrefix(*item.Name, prefix)] = text
		}
	}
	return out
}

func blobState(t *testing.T, b *blob.Client) string {
	t.Helper()
	p, err := b.GetProperties(t.Context(), nil)
	must(t, err)
	r, err := b.DownloadStream(t.Context(), nil)
	must(t, err)
	return fmt.Sprintf("%s %d bytes, type %s language %s cache %s MD5 %x metadata %s %s",
		*p.BlobType, *p.ContentLength, value(p.ContentType), value(p.ContentLanguage), value(p.CacheControl), p.ContentMD5, pairs(p.Metadata), sum(t, r.Body))
}

func pageRanges(t *testing.T, c *container.Client, name string) string {
	t.Helper()
	page, err := c.NewPageBlobClient(name).NewGetPageRangesPager(nil).NextPage(t.Context())
	must(t, err)
	var out []string
	for _, r := range page.PageRange {
		out = append(out, fmt.Sprintf("%d-%d", *r.Start, *r.End))
	}
	return strings.Join(out, ",")
}

func blobTags(t *testing.T, b *blob.Client) string {
	t.Helper()
	got, err := b.GetTags(t.Context(), nil)
	must(t, err)
	var out []string
	for _, tag := range got.BlobTagSet {
		out = append(out, *tag.Key+"="+*tag.Value)
	}
	return strings.Join(out, ",")
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func pairs(m map[string]*string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, strings.ToLower(k)+"="+value(m[k]))
	}
	return strings.Join(out, ",")
}

func sum(t *testing.T, body io.ReadCloser) string {
	t.Helper()
	defer func() { _ = body.Close() }()
	h := sha256.New()
	_, err := io.Copy(h, body)
	must(t, err)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// shareState is state for the directories and files of a share.
func (w *world) shareState(t *testing.T, account, share string) map[string]string {
	t.Helper()
	cred, err := fileservice.NewSharedKeyCredential(account, key(account))
	must(t, err)
	c, err := fileservice.NewClientWithSharedKeyCredential(fileURL(account, ""), cred, &fileservice.ClientOptions{ClientOptions: w.options()})
	must(t, err)
	out := map[string]string{}
	walkShare(t, c.NewShareClient(share).NewRootDirectoryClient(), "", out)
	return out
}

func walkShare(t *testing.T, d *directory.Client, path string, out map[string]string) {
	t.Helper()
	pager := d.NewListFilesAndDirectoriesPager(nil)
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		must(t, err)
		for _, sub := range page.Segment.Directories {
			out[path+*sub.Name+"/"] = "directory"
			walkShare(t, d.NewSubdirectoryClient(*sub.Name), path+*sub.Name+"/", out)
		}
		for _, f := range page.Segment.Files {
			out[path+*f.Name] = fileState(t, d.NewFileClient(*f.Name))
		}
	}
}

func fileState(t *testing.T, f *file.Client) string {
	t.Helper()
	p, err := f.GetProperties(t.Context(), nil)
	must(t, err)
	r, err := f.DownloadStream(t.Context(), nil)
	must(t, err)
	return fmt.Sprintf("%d bytes, type %s metadata %s %s", *p.ContentLength, value(p.ContentType), pairs(p.Metadata), sum(t, r.Body))
}

// same compares two states.
func same(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: source %s\ntarget %s", name, text, got[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("target has %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}
