package storage

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// tree is a random account: blobs by container and name.
type tree map[string]map[string]leaf

type leaf struct {
	typ      string
	content  []byte
	headers  blob.HTTPHeaders
	metadata map[string]*string
	tags     map[string]string
	tier     string
}

var (
	containerNames = rapid.StringMatching(`[a-z0-9](-?[a-z0-9]){2,20}`)
	// Segments "." and ".." are left out: clients of HTTP resolve them on the way.
	blobNames = rapid.StringOfN(rapid.RuneFrom([]rune("aZ09-_./ äö日本🙂%&<>'\"+#?=~!$()*,;:@[]{}|^`\\")), 1, 60, 1000).Filter(func(s string) bool {
		return !slices.ContainsFunc(strings.Split(s, "/"), func(part string) bool { return part == "." || part == ".." })
	})
	values   = rapid.StringMatching(`[!-~]([ -~]{0,30}[!-~])?`)
	metaKeys = rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_]{0,12}`)
	tagText  = rapid.StringMatching(`[A-Za-z0-9 +./:=_-]{1,20}`)
)

func leaves(t *rapid.T) leaf {
	l := leaf{typ: rapid.SampledFrom([]string{"block", "block", "block", "page", "append"}).Draw(t, "type"), metadata: map[string]*string{}}
	size := rapid.IntRange(0, 3000).Draw(t, "size")
	if l.typ == "page" {
		size = size / 512 * 512
	}
	l.content = bytes.Repeat([]byte{byte(rapid.IntRange(0, 255).Draw(t, "content"))}, size)
	if rapid.Bool().Draw(t, "headers") {
		value := func(label string) *string { v := values.Draw(t, label); return &v }
		l.headers = blob.HTTPHeaders{BlobContentType: value("type"), BlobContentLanguage: value("language"), BlobContentEncoding: value("encoding"), BlobCacheControl: value("cache"), BlobContentDisposition: value("disposition")}
	}
	for k, v := range rapid.MapOfN(metaKeys, values, 0, 4).Draw(t, "metadata") {
		l.metadata[strings.ToLower(k)] = &v
	}
	if rapid.Bool().Draw(t, "tagged") {
		l.tags = rapid.MapOfN(tagText, tagText, 1, 10).Draw(t, "tags")
	}
	if l.typ == "block" {
		l.tier = rapid.SampledFrom([]string{"", "", "Hot", "Cool", "Cold"}).Draw(t, "tier")
	}
	return l
}

func trees(t *rapid.T) tree {
	return rapid.MapOfN(containerNames, rapid.MapOfN(blobNames, rapid.Custom(leaves), 0, 6), 1, 3).Draw(t, "tree")
}

// grow writes a tree with the SDK.
func (tr tree) grow(ctx context.Context, s *service.Client) error {
	for name, blobs := range tr {
		c := s.NewContainerClient(name)
		if _, err := c.Create(ctx, nil); err != nil {
			return err
		}
		for name, l := range blobs {
			if err := l.write(ctx, c, name); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
		}
	}
	return nil
}

func (l leaf) write(ctx context.Context, c *container.Client, name string) error {
	body := func(b []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(b)) }
	switch l.typ {
	case "page":
		_, err := c.NewPageBlobClient(name).Create(ctx, int64(len(l.content)), &pageblob.CreateOptions{HTTPHeaders: &l.headers, Metadata: l.metadata, Tags: l.tags})
		if err == nil && len(l.content) > 512 {
			_, err = c.NewPageBlobClient(name).UploadPages(ctx, body(l.content[512:]), blob.HTTPRange{Offset: 512, Count: int64(len(l.content) - 512)}, nil)
		}
		return err
	case "append":
		_, err := c.NewAppendBlobClient(name).Create(ctx, &appendblob.CreateOptions{HTTPHeaders: &l.headers, Metadata: l.metadata, Tags: l.tags})
		if err == nil && len(l.content) > 0 {
			_, err = c.NewAppendBlobClient(name).AppendBlock(ctx, body(l.content), nil)
		}
		return err
	}
	opt := &blockblob.UploadOptions{HTTPHeaders: &l.headers, Metadata: l.metadata, Tags: l.tags}
	if l.tier != "" {
		tier := blob.AccessTier(l.tier)
		opt.Tier = &tier
	}
	_, err := c.NewBlockBlobClient(name).Upload(ctx, body(l.content), opt)
	return err
}

// seen lists an account with the SDK: one line for each container and blob.
func seen(ctx context.Context, s *service.Client) (map[string]string, error) {
	out := map[string]string{}
	pager := s.NewListContainersPager(nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range page.ContainerItems {
			out[*c.Name] = "container"
			if err := seenIn(ctx, s.NewContainerClient(*c.Name), *c.Name, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func seenIn(ctx context.Context, c *container.Client, name string, out map[string]string) error {
	pager := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true, Tags: true}})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, b := range page.Segment.BlobItems {
			resp, err := c.NewBlobClient(*b.Name).DownloadStream(ctx, nil)
			if err != nil {
				return err
			}
			content, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil {
				return err
			}
			p, text := b.Properties, func(s *string) string {
				if s == nil {
					return "-"
				}
				return *s
			}
			line := fmt.Sprintf("%s %x %q %q %q %q %q", *p.BlobType, md5.Sum(content), text(p.ContentType), text(p.ContentEncoding), text(p.ContentLanguage), text(p.ContentDisposition), text(p.CacheControl))
			if p.AccessTier != nil {
				line += fmt.Sprintf(" %s", *p.AccessTier)
			}
			for _, k := range slices.Sorted(maps.Keys(b.Metadata)) {
				line += fmt.Sprintf(" %s=%q", k, *b.Metadata[k])
			}
			if b.BlobTags != nil {
				var tags []string
				for _, tag := range b.BlobTags.BlobTagSet {
					tags = append(tags, fmt.Sprintf(" #%q=%q", *tag.Key, *tag.Value))
				}
				slices.Sort(tags)
				line += strings.Join(tags, "")
			}
			out[name+"/"+*b.Name] = line
		}
	}
	return nil
}

// few is how many random trees are tried unless -rapid.checks says so: each is much for one
// check.
const few = "30"

// TestRandomTrees: whatever an account holds, the target holds after a run, and a second
// run finds nothing to do.
func TestRandomTrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := newLab(t, side{}, side{})
		defer func() { _ = l.Close() }()
		what := trees(rt)
		if err := what.grow(t.Context(), l.client(l.source)); err != nil {
			rt.Fatalf("seeding: %v", err)
		}
		r := blobs("copy", rapid.SampledFrom([]string{"server", "stream"}).Draw(rt, "path"))
		for _, want := range []plugin.Status{plugin.Created, plugin.Unchanged} {
			for key, out := range l.all(r) {
				if out.Status != want {
					rt.Fatalf("%s: %+v, want %s", key, out, want)
				}
			}
		}
		from, err1 := seen(t.Context(), l.client(l.source))
		to, err2 := seen(t.Context(), l.client(l.target))
		if err1 != nil || err2 != nil {
			rt.Fatalf("%v, %v", err1, err2)
		}
		if diff := cmp.Diff(from, to); diff != "" {
			rt.Fatalf("(-source +target)\n%s", diff)
		}
	})
}
