package file

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// rename answers Rename File and Rename Directory, within one share.
func (x *call) rename() *wire.Error {
	from, err := x.renamed()
	if err != nil {
		return err
	}
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return err
	}
	x.account.mu.Lock()
	sh, n, err := x.move(from, md)
	x.account.mu.Unlock()
	if err != nil {
		return err
	}
	x.show(sh, n)
	x.out.Set("X-Ms-Request-Server-Encrypted", "true")
	return x.answer(http.StatusOK)
}

// renamed reads x-ms-file-rename-source: the address of what is to be renamed, in this share.
func (x *call) renamed() (tree.Path, *wire.Error) {
	v := x.R.Header.Get("X-Ms-File-Rename-Source")
	if v == "" {
		return nil, noHeader("x-ms-file-rename-source")
	}
	u, err := url.Parse(v)
	if err != nil {
		return nil, badHeader("x-ms-file-rename-source", "")
	}
	share, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if !strings.EqualFold(u.Host, x.R.Host) || share != x.share {
		return nil, badHeader("x-ms-file-rename-source", withoutSignature(v))
	}
	p, bad := tree.ParsePath(rest, x.R.Header.Get("X-Ms-Source-Allow-Trailing-Dot") == "true")
	if bad == nil && len(p) == 0 {
		bad = badHeader("x-ms-file-rename-source", withoutSignature(v))
	}
	return p, bad
}

// move renames under the account's lock.
func (x *call) move(from tree.Path, md meta.Map) (*tree.Share, *tree.Node, *wire.Error) {
	h := x.R.Header
	sh, err := x.find()
	if err != nil {
		return nil, nil, err
	}
	n := sh.Get(from)
	if n == nil {
		return nil, nil, notFound()
	}
	if (n.Kind == tree.Directory) != x.isDirectory() {
		return nil, nil, typeMismatch()
	}
	if len(x.path) == 0 || n.Kind == tree.Directory && within(x.path, from) {
		return nil, nil, bad("InvalidInput", "One of the request inputs is not valid.")
	}
	if _, err := sh.In(x.path); err != nil {
		return nil, nil, err
	}
	if err := n.Lease.CheckWrite(h.Get("X-Ms-Source-Lease-Id"), "File", x.Now); err != nil {
		return nil, nil, err
	}
	if err := x.replace(sh, n); err != nil {
		return nil, nil, err
	}
	changed := n.Clone()
	if len(md) > 0 {
		changed.Metadata = md
	}
	if v := h.Get("X-Ms-Content-Type"); v != "" {
		changed.Headers.Type = v
	}
	if err := x.describe(sh, changed, false); err != nil {
		return nil, nil, err
	}
	x.stamp(changed)
	sh.Put(changed)
	sh.Move(sh.Get(from), x.path)
	return sh, sh.Get(x.path), nil
}

// within tells whether a path is below a directory.
func within(p, dir tree.Path) bool {
	return len(p) > len(dir) && strings.EqualFold(p[:len(dir)].String(), dir.String())
}

// replace makes room for what is renamed: a file that is there is replaced if the request
// says so, a directory never.
func (x *call) replace(sh *tree.Share, n *tree.Node) *wire.Error {
	h := x.R.Header
	old := sh.Get(x.path)
	switch {
	case old == nil || old == n:
		return nil
	case !strings.EqualFold(h.Get("X-Ms-File-Rename-Replace-If-Exists"), "true") || old.Kind == tree.Directory || n.Kind == tree.Directory:
		return exists()
	case old.Attributes&tree.ReadOnly != 0 && !strings.EqualFold(h.Get("X-Ms-File-Rename-Ignore-Readonly"), "true"):
		return readOnly()
	}
	if err := old.Lease.CheckWrite(h.Get("X-Ms-Destination-Lease-Id"), "File", x.Now); err != nil {
		return err
	}
	sh.Remove(old)
	return nil
}

// nfs refuses links in a share of SMB; the code could not be confirmed.
func nfs(sh *tree.Share) *wire.Error {
	if sh.Protocol == "NFS" {
		return nil
	}
	return bad("UnsupportedQueryParameter", "One of the query parameters specified in the request URI is not supported.")
}

// createLink answers Create Symbolic Link.
func (x *call) createLink() *wire.Error {
	target, err := url.PathUnescape(x.R.Header.Get("X-Ms-Link-Text"))
	if err != nil || target == "" {
		return badHeader("x-ms-link-text", x.R.Header.Get("X-Ms-Link-Text"))
	}
	sh, n, bad := x.create(tree.Link, func(sh *tree.Share, n, old *tree.Node) *wire.Error {
		if err := nfs(sh); err != nil {
			return err
		}
		if old != nil {
			return exists()
		}
		n.Text = target
		if err := x.describe(sh, n, true); err != nil {
			return err
		}
		n.Mode = "0777"
		return nil
	})
	if bad != nil {
		return bad
	}
	x.show(sh, n)
	return x.answer(http.StatusCreated)
}

// getLink answers Get Symbolic Link.
func (x *call) getLink() *wire.Error {
	_, n, err := x.node()
	if err != nil {
		return err
	}
	if n.Kind != tree.Link {
		return typeMismatch()
	}
	x.out["ETag"] = []string{n.ETag}
	x.out.Set("Last-Modified", httpTime(n.Modified))
	x.out.Set("X-Ms-Link-Text", url.PathEscape(n.Text))
	return x.answer(http.StatusOK)
}

// createHardLink answers Create Hard Link: another name for a file.
func (x *call) createHardLink() *wire.Error {
	v := x.R.Header.Get("X-Ms-File-Target-File")
	target, err := tree.ParsePath(v, true)
	if err != nil || len(target) == 0 {
		return badHeader("x-ms-file-target-file", v)
	}
	x.account.mu.Lock()
	sh, n, err := x.link(target)
	x.account.mu.Unlock()
	if err != nil {
		return err
	}
	x.show(sh, n)
	x.out.Set("X-Ms-Link-Count", strconv.Itoa(n.Links))
	return x.answer(http.StatusCreated)
}

func (x *call) link(target tree.Path) (*tree.Share, *tree.Node, *wire.Error) {
	sh, err := x.find()
	if err != nil {
		return nil, nil, err
	}
	if err := nfs(sh); err != nil {
		return nil, nil, err
	}
	n := sh.Get(target)
	switch {
	case n == nil:
		return nil, nil, notFound()
	case n.Kind != tree.File:
		return nil, nil, typeMismatch()
	case len(x.path) == 0 || sh.Get(x.path) != nil:
		return nil, nil, exists()
	}
	if _, err := sh.In(x.path); err != nil {
		return nil, nil, err
	}
	n = n.Clone()
	n.Changed = x.Now
	return sh, sh.Link(n, x.path), nil
}

// leaseFile answers Lease File.
func (x *call) leaseFile() *wire.Error {
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return err
	}
	old := sh.Get(x.path)
	switch {
	case old == nil:
		return notFound()
	case old.Kind != tree.File:
		return typeMismatch()
	}
	l, status, err := x.lease(old.Lease, false)
	if err != nil {
		return err
	}
	n := old.Clone()
	n.Lease = l
	sh.Put(n)
	x.out["ETag"] = []string{n.ETag}
	x.out.Set("Last-Modified", httpTime(n.Modified))
	return x.answer(status)
}
