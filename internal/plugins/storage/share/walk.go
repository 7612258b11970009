package share

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/shares"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// maxCursor bounds a cursor: an item is a name tag. What lies deeper has none.
const maxCursor = 2 << 10

// cursor is a place in an account's listing: behind a directory or file, or behind the
// share's own item. A path may be as long as an item; so its names are known by checksums.
type cursor struct {
	share string
	path  []string
}

func (c cursor) String() string {
	if text := c.share + "|" + strings.Join(c.path, "."); len(text) <= maxCursor {
		return text
	}
	return ""
}

func readCursor(s string) cursor {
	share, path, _ := strings.Cut(s, "|")
	c := cursor{share: share}
	if path != "" {
		c.path = strings.Split(path, ".")
	}
	return c
}

func nameSum(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// walk lists one share of the source beside that of the target: a directory's entries in
// the order of the service, each directory followed by what is in it. It holds one page of
// each directory on the way down, and no more.
type walk struct {
	part.Listing
	share string
	nfs   bool
	yield func(plugin.Item, error) bool
}

// place is a directory on the way.
type place struct {
	path string
	sums []string
	dst  *side // nil: the target is not looked at
}

func (p place) child(name string) place {
	path := name
	if p.path != "" {
		path = p.path + "/" + name
	}
	return place{path: path, sums: append(slices.Clip(p.sums), nameSum(name))}
}

// directory yields what is in a directory, behind the entry that after leads to. It returns
// false if the stream has to end.
func (w *walk) directory(ctx context.Context, at place, after []string) bool {
	marker, again := "", after != nil
	for {
		entries, next, err := w.page(ctx, at.path, marker)
		if err != nil {
			return w.yield(plugin.Item{}, w.Fail("list the directory "+w.share+"/"+at.path, err, node.Read, node.ReadAsBackup)) && ctx.Err() == nil
		}
		if after != nil {
			found := slices.IndexFunc(entries, func(e listing.Entry) bool { return nameSum(e.Name) == after[0] })
			if found >= 0 {
				entries = entries[found:]
			} else if entries = nil; next == "" && again { // it is gone: all is listed, lest something is missed
				after, again, marker = nil, false, ""
				continue
			}
		}
		for i := range entries {
			if !w.entry(ctx, at, &entries[i], after) {
				return false
			}
			after = nil
		}
		if marker = next; marker == "" {
			return true
		}
	}
}

func (w *walk) page(ctx context.Context, path, marker string) ([]listing.Entry, string, error) {
	c, err := w.Source.Directory(ctx, w.share, path)
	if err != nil {
		return nil, "", err
	}
	return listing.Page(ctx, c, marker, w.nfs)
}

// entry yields one entry and what is in it. Of one that after leads to, only what is behind
// after is left.
func (w *walk) entry(ctx context.Context, at place, e *listing.Entry, after []string) bool {
	if ctx.Err() != nil {
		w.yield(plugin.Item{}, w.Fail("list the share "+w.share, ctx.Err()))
		return false
	}
	here := at.child(e.Name)
	r := ref{NFS: w.nfs}
	if at.dst != nil {
		there, known := at.dst.find(ctx, e.Name)
		r.AtThere, here.dst = w.note(ctx, e, there, known), nothing()
		if there != nil || !known {
			here.dst = newSide(node.Place{Account: w.Target, Share: w.share, Path: here.path}, w.nfs)
		}
	}
	passed := after != nil && (e.Directory || len(after) == 1) // else it was a directory when it was passed
	if !passed && !w.yield(w.item(at, here, e, r), nil) {
		return false
	}
	if !e.Directory {
		return true
	}
	if len(after) > 1 {
		return w.directory(ctx, here, after[1:])
	}
	return w.directory(ctx, here, nil)
}

// note says what the target has in the place of an entry.
func (w *walk) note(ctx context.Context, e, there *listing.Entry, known bool) *hint.Hint {
	switch {
	case !known:
		return nil
	case there == nil:
		return hint.New(w.Target, hint.Absent, time.Now())
	}
	is := judge(e, there)
	if is == alike && !w.samePermission(ctx, e.Permission, there.Permission) {
		is = unsure
	}
	return hint.New(w.Target, is, time.Now())
}

// samePermission tells whether two keys stand for the same text. A text that cannot be had
// is a matter of the item's own look, which says why.
func (w *walk) samePermission(ctx context.Context, src, dst string) bool {
	if src == "" || dst == "" {
		return src == dst
	}
	a, err1 := node.Descriptor(ctx, node.Place{Account: w.Source, Share: w.share}, src)
	b, err2 := node.Descriptor(ctx, node.Place{Account: w.Target, Share: w.share}, dst)
	return err1 == nil && err2 == nil && a == b
}

// item makes the item of an entry.
func (w *walk) item(at, here place, e *listing.Entry, r ref) plugin.Item {
	it := plugin.Item{
		Key: plugin.Key(shares.Prefix + w.share + "/" + here.path), Parent: plugin.Key(shares.Prefix + w.share), Kind: kindFile,
		Size: e.Size, Rev: e.ETag, Modified: e.Written, Ref: plugin.Encode(r), Cursor: cursor{w.share, here.sums}.String(),
	}
	if at.path != "" {
		it.Parent += plugin.Key("/" + at.path)
	}
	if e.Directory {
		it.Kind, it.Size = kindDirectory, 0
	}
	return it
}
