package file

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// describe applies the headers of a request that tell properties of the file system. Of a
// new node, what no header tells is the service's default; of an old one it stays.
func (x *call) describe(sh *tree.Share, n *tree.Node, isNew bool) *wire.Error {
	h := x.R.Header
	if err := x.times(n, isNew); err != nil {
		return err
	}
	if sh.Protocol == "NFS" {
		return describeNFS(h, n, isNew)
	}
	if h.Get("X-Ms-Mode")+h.Get("X-Ms-Owner")+h.Get("X-Ms-Group") != "" {
		return unsupportedHeader("x-ms-mode")
	}
	if err := attributes(h, n, isNew); err != nil {
		return err
	}
	return x.permission(sh, n, isNew)
}

func unsupportedHeader(name string) *wire.Error {
	e := bad("UnsupportedHeader", "One of the HTTP headers specified in the request is not supported.")
	e.Message += " " + name
	return e
}

// times reads the three times. The time of change is now unless it is told.
func (x *call) times(n *tree.Node, isNew bool) *wire.Error {
	n.Changed = x.Now
	for _, t := range []struct {
		header string
		at     *time.Time
	}{{"X-Ms-File-Creation-Time", &n.Created}, {"X-Ms-File-Last-Write-Time", &n.Written}, {"X-Ms-File-Change-Time", &n.Changed}} {
		v := x.R.Header.Get(t.header)
		switch {
		case strings.EqualFold(v, "now") || v == "" && isNew:
			*t.at = x.Now
		case v == "" || strings.EqualFold(v, "preserve") && !isNew:
		default:
			at, err := time.Parse("2006-01-02T15:04:05.999999999Z07:00", v)
			if err != nil {
				return badHeader(strings.ToLower(t.header), v)
			}
			*t.at = at.UTC().Truncate(100 * time.Nanosecond)
		}
	}
	return nil
}

// attributes reads those of NTFS. A new file is marked for archiving unless it is restored.
func attributes(h http.Header, n *tree.Node, isNew bool) *wire.Error {
	given := h.Get("X-Ms-File-Attributes")
	if given != "" && (isNew || !strings.EqualFold(given, "preserve")) {
		a, ok := tree.ParseAttributes(given)
		if !ok || n.Kind == tree.File && a&tree.DirectoryFlag != 0 || n.Kind == tree.Directory && a&tree.Temporary != 0 {
			return badHeader("x-ms-file-attributes", given)
		}
		n.Attributes = a
	}
	switch {
	case n.Kind == tree.Directory:
		n.Attributes |= tree.DirectoryFlag
	case isNew && (given == "" || !restores(h)):
		n.Attributes |= tree.Archive
	}
	return nil
}

// restores tells whether a new file is to have its properties as they are given: with
// x-ms-file-property-semantics Restore, which counts with a security descriptor alone.
func restores(h http.Header) bool {
	given := h.Get("X-Ms-File-Permission")+h.Get("X-Ms-File-Permission-Key") != ""
	return given && strings.EqualFold(h.Get("X-Ms-File-Property-Semantics"), "Restore")
}

// permission reads the security descriptor: its text, the key of one that is there, or
// "inherit", which here is the parent's descriptor itself.
func (x *call) permission(sh *tree.Share, n *tree.Node, isNew bool) *wire.Error {
	h := x.R.Header
	text, key := h.Get("X-Ms-File-Permission"), h.Get("X-Ms-File-Permission-Key")
	switch {
	case text != "" && key != "":
		return bad("InvalidInput", "One of the request inputs is not valid.")
	case key != "":
		if _, ok := sh.Permission(key); !ok {
			return badHeader("x-ms-file-permission-key", key)
		}
		n.Permission = key
	case strings.EqualFold(text, "inherit") || text == "" && isNew:
		parent, err := sh.In(n.Path)
		if err != nil {
			return err
		}
		n.Permission = parent.Permission
	case text == "" || strings.EqualFold(text, "preserve") && !isNew:
	default:
		d := tree.Descriptor{Text: text, Format: cmp.Or(strings.ToLower(h.Get("X-Ms-File-Permission-Format")), "sddl")}
		if len(text) > longestDescriptor || !valid(d) {
			return badHeader("x-ms-file-permission", "")
		}
		n.Permission = sh.AddPermission(d)
	}
	return nil
}

// describeNFS reads mode, owner and group. The modes without a header could not be
// confirmed for directories.
func describeNFS(h http.Header, n *tree.Node, isNew bool) *wire.Error {
	if h.Get("X-Ms-File-Permission")+h.Get("X-Ms-File-Permission-Key") != "" {
		return unsupportedHeader("x-ms-file-permission")
	}
	if isNew {
		n.Mode, n.Owner, n.Group = "0664", "0", "0"
		if n.Kind == tree.Directory {
			n.Mode = "0755"
		}
	}
	if v := h.Get("X-Ms-Mode"); v != "" {
		bits, err := strconv.ParseUint(v, 8, 16)
		if err != nil || bits > 0o7777 {
			return badHeader("x-ms-mode", v)
		}
		n.Mode = "0000"[:max(4-len(v), 0)] + v
	}
	for name, dst := range map[string]*string{"X-Ms-Owner": &n.Owner, "X-Ms-Group": &n.Group} {
		v := h.Get(name)
		if v == "" {
			continue
		}
		if _, err := strconv.ParseUint(v, 10, 32); err != nil {
			return badHeader(strings.ToLower(name), v)
		}
		*dst = v
	}
	return nil
}

// headers reads the HTTP headers that a file is to be served with.
func (x *call) headers() (tree.Headers, *wire.Error) {
	h := x.R.Header
	out := tree.Headers{
		Type: cmp.Or(h.Get("X-Ms-Content-Type"), "application/octet-stream"), Encoding: h.Get("X-Ms-Content-Encoding"),
		Language: h.Get("X-Ms-Content-Language"), CacheControl: h.Get("X-Ms-Cache-Control"), Disposition: h.Get("X-Ms-Content-Disposition"),
	}
	if v := h.Get("X-Ms-Content-Md5"); v != "" {
		sum, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(sum) != 16 {
			return out, bad("InvalidMd5", "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.")
		}
		out.MD5 = sum
	}
	return out, nil
}

// show writes the headers of an answer that tell a node's properties.
func (x *call) show(sh *tree.Share, n *tree.Node) {
	x.out["ETag"] = []string{n.ETag}
	x.out.Set("Last-Modified", httpTime(n.Modified))
	x.out.Set("X-Ms-File-Creation-Time", iso(n.Created))
	x.out.Set("X-Ms-File-Last-Write-Time", iso(n.Written))
	x.out.Set("X-Ms-File-Change-Time", iso(n.Changed))
	x.out.Set("X-Ms-File-Id", strconv.FormatUint(n.ID, 10))
	x.account.mu.RLock()
	x.out.Set("X-Ms-File-Parent-Id", strconv.FormatUint(parentID(sh, n), 10))
	x.account.mu.RUnlock()
	if sh.Protocol == "NFS" {
		x.out.Set("X-Ms-Mode", n.Mode)
		x.out.Set("X-Ms-Owner", n.Owner)
		x.out.Set("X-Ms-Group", n.Group)
		x.out.Set("X-Ms-File-File-Type", n.Type())
		if n.Kind != tree.Directory {
			x.out.Set("X-Ms-Link-Count", strconv.Itoa(max(n.Links, 1)))
		}
		return
	}
	x.out.Set("X-Ms-File-Attributes", n.Attributes.String())
	x.out.Set("X-Ms-File-Permission-Key", n.Permission)
}

// change lets f make a new node of the one at the path, under the account's lock, stores
// it, and answers. A file that is leased is changed by who names the lease.
func (x *call) change(f func(*tree.Share, *tree.Node) *wire.Error) (*tree.Share, *tree.Node, *wire.Error) {
	x.account.mu.Lock()
	defer x.account.mu.Unlock()
	sh, err := x.find()
	if err != nil {
		return nil, nil, err
	}
	old := sh.Get(x.path)
	if old == nil {
		return nil, nil, notFound()
	}
	if err := old.Lease.CheckWrite(x.R.Header.Get("X-Ms-Lease-Id"), "File", x.Now); err != nil {
		return nil, nil, err
	}
	n := old.Clone()
	if err := f(sh, n); err != nil {
		return nil, nil, err
	}
	x.stamp(n)
	sh.Put(n)
	return sh, n, nil
}

// stamp marks a node as changed now.
func (x *call) stamp(n *tree.Node) { n.ETag, n.Modified = x.account.stamps.ETag(x.Now), x.Now }

// isDirectory tells whether the request is about a directory.
func (x *call) isDirectory() bool {
	return strings.EqualFold(x.query.Get("restype"), "directory") || len(x.path) == 0
}

// setProperties answers Set File Properties and Set Directory Properties. The HTTP headers
// of a file that the request does not name are taken away.
func (x *call) setProperties() *wire.Error {
	headers, err := x.headers()
	if err != nil {
		return err
	}
	size := int64(-1)
	if v := x.R.Header.Get("X-Ms-Content-Length"); v != "" {
		if size, err = fileSize(v); err != nil {
			return err
		}
	}
	sh, n, err := x.change(func(sh *tree.Share, n *tree.Node) *wire.Error {
		if (n.Kind == tree.Directory) != x.isDirectory() {
			return typeMismatch()
		}
		if n.Kind == tree.File {
			n.Headers = headers
		}
		if size >= 0 && n.Kind == tree.File {
			n.Content = n.Content.Resize(size)
			n.Written = x.Now
		}
		return x.describe(sh, n, false)
	})
	if err != nil {
		return err
	}
	x.show(sh, n)
	x.out.Set("X-Ms-Request-Server-Encrypted", "true")
	return x.answer(http.StatusOK)
}

// setMetadata answers Set File Metadata and Set Directory Metadata.
func (x *call) setMetadata() *wire.Error {
	md, err := meta.FromHeader(x.R.Header)
	if err != nil {
		return err
	}
	_, n, err := x.change(func(_ *tree.Share, n *tree.Node) *wire.Error {
		if (n.Kind == tree.Directory) != x.isDirectory() {
			return typeMismatch()
		}
		n.Metadata = md
		return nil
	})
	if err != nil {
		return err
	}
	x.out["ETag"] = []string{n.ETag}
	x.out.Set("Last-Modified", httpTime(n.Modified))
	x.out.Set("X-Ms-Request-Server-Encrypted", "true")
	return x.answer(http.StatusOK)
}
