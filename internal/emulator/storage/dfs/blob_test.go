package dfs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// entries lists blobs flat: name, resource type and permissions.
func (l *lab) entries(c *container.Client, opt *container.ListBlobsFlatOptions) []string {
	l.Helper()
	var out []string
	for pager := c.NewListBlobsFlatPager(opt); pager.More(); {
		p, err := pager.NextPage(l.Context())
		l.ok(err)
		for _, b := range p.Segment.BlobItems {
			kind := ""
			if b.Properties.ResourceType != nil {
				kind = " " + *b.Properties.ResourceType
			}
			if b.Properties.Permissions != nil {
				kind += " " + *b.Properties.Permissions + " " + *b.Properties.Owner
			}
			for k, v := range b.Metadata {
				kind += " " + k + "=" + *v
			}
			out = append(out, *b.Name+kind)
		}
	}
	return out
}

// TestBlobs: what the blob service makes of a hierarchy, and the other way about.
func TestBlobs(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	c := l.blobs(lake, "docs")
	put := func(name string) error {
		_, err := c.NewBlockBlobClient(name).Upload(t.Context(), body("content of "+name), nil)
		return err
	}
	l.want("a blob below nothing", put("a/b/c"), "")
	l.want("beside", put("a-b"), "")
	l.want("a blob below a blob", put("a/b/c/d"), "PathConflict")
	l.want("a blob over a directory", put("a/b"), "ResourceTypeMismatch")
	_, err := c.NewBlockBlobClient("a/b").StageBlock(t.Context(), "MDE=", body("x"), nil)
	l.want("a block over a directory", err, "ResourceTypeMismatch")
	_, err = fs.NewDirectoryClient("empty").Create(t.Context(), nil)
	l.ok(err)
	want := []string{"a directory hdi_isfolder=true", "a/b directory hdi_isfolder=true", "a/b/c file", "a-b file", "empty directory hdi_isfolder=true"}
	for _, page := range []int32{1, 5000} {
		got := l.entries(c, &container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true}, MaxResults: &page})
		if !slices.Equal(got, want) {
			t.Errorf("flat, %d a page: %q", page, got)
		}
	}
	if got := l.entries(c, &container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Permissions: true}, Prefix: ptr("a/")}); !slices.Equal(got, []string{"a/b directory rwxr-x--- $superuser", "a/b/c file rw-r----- $superuser"}) {
		t.Errorf("with permissions: %q", got)
	}
	for _, page := range []int32{1, 5000} {
		if got := l.hierarchy(c, "", page); got != "a/ a-b empty/" {
			t.Errorf("by hierarchy, %d a page: %s", page, got)
		}
	}
	_, err = c.NewBlobClient("a").Delete(t.Context(), nil)
	l.want("delete a full directory", err, "DirectoryIsNotEmpty")
	p, err := c.NewBlobClient("a").GetProperties(t.Context(), nil)
	l.ok(err)
	if *p.ContentLength != 0 || p.Metadata["hdi_isfolder"] == nil && p.Metadata["Hdi_isfolder"] == nil {
		t.Errorf("properties of a directory: %+v", p)
	}
	_, err = c.NewBlobClient("a").SetMetadata(t.Context(), map[string]*string{"k": ptr("v")}, nil)
	l.ok(err)
	d, err := fs.NewDirectoryClient("a").GetProperties(t.Context(), nil)
	l.ok(err)
	if *d.ResourceType != "directory" || len(d.Metadata) != 2 {
		t.Errorf("a directory with metadata: %+v", d.Metadata)
	}
	_, err = c.NewBlobClient("a").CreateSnapshot(t.Context(), nil)
	l.want("snapshot of a directory", err, "OperationNotSupportedOnDirectory")
	_, err = c.NewBlobClient("a").SetTier(t.Context(), blob.AccessTierCool, nil)
	l.want("tier of a directory", err, "OperationNotSupportedOnDirectory")
	_, err = c.NewBlockBlobClient("stub/deep").Upload(t.Context(), body(""), &blockblob.UploadOptions{Metadata: map[string]*string{"hdi_isfolder": ptr("true")}})
	l.ok(err)
	if got := strings.Join(l.paths(fs, "stub", true, 0), " "); got != "stub/deep/" {
		t.Errorf("a blob that says it is a directory: %s", got)
	}
	l.write(fs, "stub/deep/f", "hello")
	_, err = c.NewBlockBlobClient("stub").Upload(t.Context(), body(""), &blockblob.UploadOptions{Metadata: map[string]*string{"hdi_isfolder": ptr("true"), "k": ptr("v")}})
	l.ok(err)
	d, err = fs.NewDirectoryClient("stub").GetProperties(t.Context(), nil)
	l.ok(err)
	if got := strings.Join(l.paths(fs, "stub", true, 0), " "); got != "stub/deep/ stub/deep/f" || *d.ResourceType != "directory" || len(d.Metadata) != 2 {
		t.Errorf("the same of a directory that is there: %s %+v", got, d.Metadata)
	}
	_, err = c.NewBlockBlobClient("stub").Upload(t.Context(), body(""), nil)
	l.want("a blob where a directory is", err, "ResourceTypeMismatch")
	for _, name := range []string{"a/b/c", "a/b", "a"} {
		_, err = c.NewBlobClient(name).Delete(t.Context(), nil)
		l.want("delete "+name, err, "")
	}
}

// hierarchy lists by the delimiter "/"; directories have their kind.
func (l *lab) hierarchy(c *container.Client, prefix string, page int32) string {
	l.Helper()
	var out []string
	for pager := c.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{Prefix: &prefix, MaxResults: &page}); pager.More(); {
		p, err := pager.NextPage(l.Context())
		l.ok(err)
		for _, d := range p.Segment.BlobPrefixes {
			if d.Properties == nil || d.Properties.ResourceType == nil || *d.Properties.ResourceType != "directory" {
				l.Errorf("%s is no directory", *d.Name)
			}
			out = append(out, *d.Name)
		}
		for _, b := range p.Segment.BlobItems {
			out = append(out, *b.Name)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
	})
	return strings.Join(out, " ")
}

// TestCopies: copies by URL make directories too and keep the target's list.
func TestCopies(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs, c := l.files(lake, "docs"), l.blobs(lake, "docs")
	l.write(fs, "from/f", "hello")
	from := l.signedBlob("docs/from/f")
	_, err := c.NewBlobClient("to/f").CopyFromURL(t.Context(), from, nil)
	l.ok(err)
	_, err = c.NewBlobClient("to2/f").StartCopyFromURL(t.Context(), from, nil)
	l.ok(err)
	_, err = c.NewBlockBlobClient("to3/f").UploadBlobFromURL(t.Context(), from, nil)
	l.ok(err)
	if got := strings.Join(l.paths(fs, "", true, 0), " "); got != "from/ from/f to/ to/f to2/ to2/f to3/ to3/f" {
		t.Errorf("after the copies: %s", got)
	}
	if got := l.read(fs, "to3/f"); got != "hello" {
		t.Errorf("content %q", got)
	}
	_, err = c.NewBlobClient("to").CopyFromURL(t.Context(), from, nil)
	l.want("copy over a directory", err, "ResourceTypeMismatch")
	_, err = c.NewPageBlobClient("page").Create(t.Context(), 512, nil)
	l.want("page blob", err, "FeatureNotSupportedForHnsAccount")
	_, err = c.NewBlobClient("to/f").SetTags(t.Context(), map[string]string{"a": "b"}, nil)
	if code(err) == "" {
		t.Error("tags are taken")
	}
	r, err := c.NewBlobClient("to").DownloadStream(t.Context(), &blob.DownloadStreamOptions{})
	l.ok(err)
	_ = r.Body.Close()
	if *r.ContentLength != 0 {
		t.Errorf("a directory is %d octets long", *r.ContentLength)
	}
}

// signedBlob is the URL of a blob of the lake with a signature.
func (l *lab) signedBlob(path string) string {
	return strings.Replace(l.signed(path), ".dfs.", ".blob.", 1)
}

// TestFlat: an account without a hierarchy has paths as far as blobs can give them.
func TestFlat(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(flat, "docs")
	l.write(fs, "a/b/one", "hello")
	_, err := fs.NewDirectoryClient("d").Create(t.Context(), nil)
	l.ok(err)
	if got := strings.Join(l.paths(fs, "", true, 0), " "); got != "a/b/one d/" {
		t.Errorf("recursive: %s", got)
	}
	if got := strings.Join(l.paths(fs, "", false, 0), " "); got != "a/ d/" {
		t.Errorf("not recursive: %s", got)
	}
	if got := l.read(fs, "a/b/one"); got != "hello" {
		t.Errorf("content %q", got)
	}
	if got := l.entries(l.blobs(flat, "docs"), nil); !slices.Equal(got, []string{"a/b/one", "d"}) {
		t.Errorf("as blobs: %q", got)
	}
	_, err = fs.NewFileClient("a/b/one").Rename(t.Context(), "x", nil)
	l.want("rename", err, "HierarchicalNamespaceNotEnabled")
	_, err = fs.NewFileClient("a/b/one").GetAccessControl(t.Context(), nil)
	l.want("list", err, "HierarchicalNamespaceNotEnabled")
	_, err = fs.NewFileClient("a/b/one").Delete(t.Context(), nil)
	l.ok(err)
}
