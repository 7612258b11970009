package dfs

import (
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// create answers Path Create: a file, a directory, or one that is renamed.
func create(r *req.Request) *wire.Error {
	if r.R.ContentLength > 0 {
		return req.Bad("ContentLengthMustBeZero", "The Content-Length request header must be zero.")
	}
	if r.Header("X-Ms-Rename-Source") != "" {
		return rename(r)
	}
	resource := strings.ToLower(r.Param("resource"))
	switch {
	case resource == "":
		return missingQuery("resource")
	case resource != "file" && resource != "directory":
		return req.BadQuery("resource", resource)
	}
	fresh, err := blobs.AllowCreate(r)
	if err != nil {
		return err
	}
	n, err := readNew(r, resource == "directory")
	if err != nil {
		return err
	}
	n.fresh = fresh
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error { return n.put(r, t) })
	if err != nil {
		return err
	}
	r.Out.Set("X-Ms-Request-Server-Encrypted", "true")
	return r.Answer(http.StatusCreated)
}

// newPath is a path that a request wants to have.
type newPath struct {
	*model.Blob
	cond  req.Conditions
	rules rules
	fresh bool // the caller may not overwrite
	props bool // the request says what the properties are
}

func readNew(r *req.Request, directory bool) (newPath, *wire.Error) {
	n := newPath{}
	var err *wire.Error
	if err := blobs.CheckName(r.Blob); err != nil {
		return n, err
	}
	if n.cond, err = r.Conditions(); err != nil {
		return n, err
	}
	if n.rules, err = readRules(r, directory); err != nil {
		return n, err
	}
	m, err := readProperties(r)
	if err != nil {
		return n, err
	}
	n.props = m != nil
	if directory {
		n.Blob = model.NewDirectory(nil, m)
		if !r.Store.Hierarchical() { // an empty blob stands for it
			n.Dir = false
		}
	} else {
		n.Blob = (&model.Blob{Type: model.Block, Tier: r.DefaultTier(model.Block), ByPath: true}).WithMeta(m)
	}
	if n.Headers, err = headers(r, model.Headers{ContentType: req.DefaultType}); err != nil {
		return n, err
	}
	n.Expires, err = readExpiry(r, r.Now)
	return n, err
}

// put makes the path. A directory that is there stays with what it holds; a file is
// overwritten, and its lease broken.
func (n newPath) put(r *req.Request, t *model.Tx) *wire.Error {
	old := t.Live()
	if err := n.check(r, t, old); err != nil {
		return err
	}
	if old != nil && old.Dir {
		b := old.Clone()
		if n.props {
			b.WithMeta(n.Meta)
		}
		b = t.Alter(b)
		r.ETag(b.ETag, b.Modified)
		return nil
	}
	var err *wire.Error
	if old == nil || n.rules.given {
		if n.Access, err = n.rules.inherited(r, t, n.Dir); err != nil {
			return err
		}
	}
	begins, err := leaseAtStart(r)
	if err != nil {
		return err
	}
	if old != nil {
		t.Lease, _, _ = t.Lease.Break(0, t.Now) // a path without a lease stays so
	}
	b := t.Replace(n.Blob)
	if begins.ID != "" {
		t.Lease = begins
	}
	r.ETag(b.ETag, b.Modified)
	return nil
}

// check refuses what conditions, rights and the paths that are there forbid.
func (n newPath) check(r *req.Request, t *model.Tx, old *model.Blob) *wire.Error {
	if old != nil && (n.cond.NoneMatch == "*" || isDirectory(old) != isDirectory(n.Blob)) {
		return exists(kindOf(old))
	}
	switch err := n.cond.CheckWrite(old); {
	case err != nil:
		return err
	case n.fresh && old != nil:
		return blobs.Overwrite()
	case old != nil && r.Header("X-Ms-Lease-Id") != "":
		if err := t.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
			return err
		}
	}
	if !isDirectory(old) {
		if err := t.Immutable(old); err != nil {
			return err
		}
	}
	return t.Way()
}

// rules are what a request says of the rights of a new path.
type rules struct {
	owner, group string
	mode, umask  posix.Mode
	list         posix.ACL
	given        bool
}

// readRules reads x-ms-permissions, x-ms-umask, x-ms-acl, x-ms-owner and x-ms-group.
func readRules(r *req.Request, directory bool) (rules, *wire.Error) {
	out := rules{owner: r.Header("X-Ms-Owner"), group: r.Header("X-Ms-Group"), mode: posix.NewFile, umask: posix.Umask}
	if directory {
		out.mode = posix.NewDirectory
	}
	for name, to := range map[string]*posix.Mode{"X-Ms-Permissions": &out.mode, "X-Ms-Umask": &out.umask} {
		v := r.Header(name)
		if v == "" {
			continue
		}
		m, err := posix.ParseMode(v)
		if err != nil {
			return out, req.BadHeader(strings.ToLower(name), v)
		}
		*to, out.given = m, true
	}
	if v := r.Header("X-Ms-Acl"); v != "" {
		list, err := posix.Parse(v, true)
		if err != nil || r.Header("X-Ms-Permissions") != "" {
			return out, req.BadHeader("x-ms-acl", v)
		}
		out.list, out.given = list, true
	}
	out.given = out.given || out.owner != "" || out.group != ""
	if !out.given || r.Store.Hierarchical() {
		return out, nil
	}
	return out, onlyHierarchical(r)
}

// inherited is what a new path gets from its directory and from the request.
func (u rules) inherited(r *req.Request, t *model.Tx, directory bool) (*posix.Access, *wire.Error) {
	a := t.Above().Inherit(r.Caller(), directory, u.mode, u.umask)
	if u.owner != "" {
		a.Owner = u.owner
	}
	if u.group != "" {
		a.Group = u.group
	}
	if u.list != nil {
		var err error
		if a, err = a.Replace(u.list, directory); err != nil {
			return nil, req.BadHeader("x-ms-acl", u.list.Text())
		}
	}
	return &a, nil
}

// readExpiry reads x-ms-expiry-option and x-ms-expiry-time (Azure: Set Blob Expiry); the
// zero time if they are absent.
func readExpiry(r *req.Request, now time.Time) (time.Time, *wire.Error) {
	return blobs.Expiry(r, now, now)
}
