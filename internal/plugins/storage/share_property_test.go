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
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// branch is a random directory: what is in it by name.
type branch map[string]twig

// twig is a file, or a directory if in is not nil.
type twig struct {
	in       branch
	size     int64
	holds    [][2]int64 // offset and length of what is written
	smb      file.SMBProperties
	sddl     string
	metadata map[string]*string
	headers  file.HTTPHeaders
}

var (
	fileNames  = rapid.StringOfN(rapid.RuneFrom([]rune("aZ09-_. äö日本🙂%&'+#=~!$()@[]{}^`,;")), 1, 30, 200).Filter(func(s string) bool { return s != "." && s != ".." })
	attributes = []string{"None", "Archive", "Hidden", "System", "ReadOnly|Archive", "NotContentIndexed|Offline"}
)

func twigs(t *rapid.T, deep int) twig {
	n := twig{metadata: map[string]*string{}}
	moment := func(label string) *time.Time {
		return to.Ptr(time.Unix(rapid.Int64Range(0, 2_000_000_000).Draw(t, label), rapid.Int64Range(0, 9_999_999).Draw(t, label)*100).UTC())
	}
	n.smb.CreationTime, n.smb.LastWriteTime, n.smb.ChangeTime = moment("created"), moment("written"), moment("changed")
	n.smb.Attributes, _ = file.ParseNTFSFileAttributes(to.Ptr(rapid.SampledFrom(attributes).Draw(t, "attributes")))
	n.sddl = "O:BAG:BAD:" + strings.Repeat("(A;;FR;;;BU)", rapid.SampledFrom([]int{1, 2, 900}).Draw(t, "entries"))
	for k, v := range rapid.MapOfN(metaKeys, values, 0, 3).Draw(t, "metadata") {
		n.metadata[strings.ToLower(k)] = &v
	}
	if deep > 0 && rapid.Bool().Draw(t, "directory") {
		n.in = branches(t, deep-1)
		return n
	}
	n.size = rapid.SampledFrom([]int64{0, 1, 511, 512, 5000, 5000, 5000, 5 << 20}).Draw(t, "size")
	for at := int64(0); at < n.size; at += 1 << 20 {
		if rapid.Bool().Draw(t, "written") {
			n.holds = append(n.holds, [2]int64{at, min(rapid.Int64Range(1, 1<<20).Draw(t, "length"), n.size-at)})
		}
	}
	if rapid.Bool().Draw(t, "headers") {
		value := func(label string) *string { v := values.Draw(t, label); return &v }
		n.headers = file.HTTPHeaders{ContentType: value("type"), ContentLanguage: value("language"), ContentEncoding: value("encoding"), CacheControl: value("cache"), ContentDisposition: value("disposition"), ContentMD5: bytes.Repeat([]byte{5}, 16)}
	}
	return n
}

// branches are directories of names that differ not by case alone: SMB takes those for one.
func branches(t *rapid.T, deep int) branch {
	seen, out := map[string]bool{}, branch{}
	for _, name := range rapid.SliceOfN(fileNames, 0, 5).Draw(t, "names") {
		if key := strings.ToLower(name); !seen[key] {
			seen[key], out[name] = true, twigs(t, deep)
		}
	}
	return out
}

// grow writes a tree with the SDK: times last, since writing moves them.
func (b branch) grow(ctx context.Context, sh *share.Client, d *directory.Client) error {
	for _, name := range slices.Sorted(maps.Keys(b)) {
		n := b[name]
		var err error
		if n.in != nil {
			c := d.NewSubdirectoryClient(name)
			_, err = c.Create(ctx, &directory.CreateOptions{Metadata: n.metadata})
			if err == nil {
				err = n.in.grow(ctx, sh, c)
			}
			if err == nil {
				var rights *file.Permissions
				if rights, err = n.rights(ctx, sh); err == nil {
					_, err = c.SetProperties(ctx, &directory.SetPropertiesOptions{FileSMBProperties: &n.smb, FilePermissions: rights})
				}
			}
		} else {
			err = n.write(ctx, sh, d.NewFileClient(name))
		}
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	return nil
}

// rights are the permission of a twig: a key where the text is too long for a header.
func (n twig) rights(ctx context.Context, sh *share.Client) (*file.Permissions, error) {
	if len(n.sddl) <= 8<<10 {
		return &file.Permissions{Permission: &n.sddl}, nil
	}
	made, err := sh.CreatePermission(ctx, n.sddl, nil)
	return &file.Permissions{PermissionKey: made.FilePermissionKey}, err
}

func (n twig) write(ctx context.Context, sh *share.Client, c *file.Client) error {
	if _, err := c.Create(ctx, n.size, &file.CreateOptions{Metadata: n.metadata}); err != nil {
		return err
	}
	for _, h := range n.holds {
		body := bytes.Repeat([]byte{byte(h[0]>>20) + 1}, int(h[1]))
		if _, err := c.UploadRange(ctx, h[0], streaming.NopCloser(bytes.NewReader(body)), nil); err != nil {
			return err
		}
	}
	rights, err := n.rights(ctx, sh)
	if err == nil {
		_, err = c.SetHTTPHeaders(ctx, &file.SetHTTPHeadersOptions{HTTPHeaders: &n.headers, SMBProperties: &n.smb, Permissions: rights})
	}
	return err
}

// seenShare lists a share with the SDK: one line for each directory and file.
func seenShare(ctx context.Context, s *share.Client, d *directory.Client, path string, out map[string]string) error {
	pager := d.NewListFilesAndDirectoriesPager(nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, x := range page.Segment.Directories {
			c := d.NewSubdirectoryClient(*x.Name)
			p, err := c.GetProperties(ctx, nil)
			if err != nil {
				return err
			}
			line, err := seenRights(ctx, s, p.FilePermissionKey)
			if err != nil {
				return err
			}
			out[path+"/"+*x.Name] = fmt.Sprint("directory ", *p.FileAttributes, p.FileCreationTime, p.FileLastWriteTime, p.FileChangeTime, line, seenMetadata(p.Metadata))
			if err := seenShare(ctx, s, c, path+"/"+*x.Name, out); err != nil {
				return err
			}
		}
		for _, x := range page.Segment.Files {
			if out[path+"/"+*x.Name], err = seenFile(ctx, s, d.NewFileClient(*x.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func seenFile(ctx context.Context, s *share.Client, c *file.Client) (string, error) {
	p, err := c.GetProperties(ctx, nil)
	if err != nil {
		return "", err
	}
	line, err := seenRights(ctx, s, p.FilePermissionKey)
	if err != nil {
		return "", err
	}
	ranges, err := c.GetRangeList(ctx, nil)
	if err != nil {
		return "", err
	}
	for _, r := range ranges.Ranges {
		line += fmt.Sprintf(" %d-%d", *r.Start, *r.End)
	}
	resp, err := c.DownloadStream(ctx, nil)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	text := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	return fmt.Sprint("file ", *p.ContentLength, *p.FileAttributes, p.FileCreationTime, p.FileLastWriteTime, p.FileChangeTime, line, seenMetadata(p.Metadata),
		text(p.ContentType), text(p.ContentEncoding), text(p.ContentLanguage), text(p.ContentDisposition), text(p.CacheControl), fmt.Sprintf(" %x %x", p.ContentMD5, md5.Sum(data))), err
}

func seenRights(ctx context.Context, s *share.Client, key *string) (string, error) {
	p, err := s.GetPermission(ctx, *key, nil)
	if err != nil {
		return "", err
	}
	return *p.Permission, nil
}

func seenMetadata(m map[string]*string) string {
	line := ""
	for _, k := range slices.Sorted(maps.Keys(m)) {
		line += fmt.Sprintf(" %s=%q", k, *m[k])
	}
	return line
}

// TestRandomShares: whatever a share holds, the target holds after a run, and a second run
// finds nothing to do.
func TestRandomShares(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := newLab(t, side{data: `{"shares": [{"name": "sss"}]}`}, side{})
		defer func() { _ = l.Close() }()
		ctx := t.Context()
		src, dst := l.shares(l.source).NewShareClient("sss"), l.shares(l.target).NewShareClient("sss")
		if err := branches(rt, 3).grow(ctx, src, src.NewRootDirectoryClient()); err != nil {
			rt.Fatalf("seeding: %v", err)
		}
		r := files("copy", rapid.SampledFrom([]string{"server", "stream"}).Draw(rt, "path"))
		for _, want := range []plugin.Status{plugin.Created, plugin.Unchanged} {
			for key, out := range l.all(r) {
				if out.Status != want {
					rt.Fatalf("%s: %+v, want %s", key, out, want)
				}
			}
		}
		from, to := map[string]string{}, map[string]string{}
		err1 := seenShare(ctx, src, src.NewRootDirectoryClient(), "", from)
		err2 := seenShare(ctx, dst, dst.NewRootDirectoryClient(), "", to)
		if err1 != nil || err2 != nil {
			rt.Fatalf("%v, %v", err1, err2)
		}
		if diff := cmp.Diff(from, to); diff != "" {
			rt.Fatalf("(-source +target)\n%s", diff)
		}
	})
}
