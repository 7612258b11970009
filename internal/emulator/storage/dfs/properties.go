package dfs

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/access"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// readProperties reads x-ms-properties, "name=Base64, …"; nil if it is absent.
func readProperties(r *req.Request) (meta.Map, *wire.Error) {
	text := r.Header("X-Ms-Properties")
	if text == "" {
		return nil, nil
	}
	m := meta.Map{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		raw, err := base64.StdEncoding.DecodeString(value)
		switch {
		case !ok || err != nil:
			return nil, req.BadHeader("x-ms-properties", text)
		case name == "":
			return nil, req.Bad("InvalidPropertyName", "A property name cannot be empty.")
		case !meta.Identifier(name):
			return nil, req.Bad("InvalidPropertyName", "The property name contains invalid characters.")
		}
		m[strings.ToLower(name)] = string(raw)
	}
	return m, m.Check()
}

// formatProperties undoes readProperties.
func formatProperties(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+base64.StdEncoding.EncodeToString([]byte(m[k])))
	}
	return strings.Join(out, ",")
}

// headers are the HTTP headers that a file is to have, with those that the request does not
// speak of as they were.
func headers(r *req.Request, was model.Headers) (model.Headers, *wire.Error) {
	for name, to := range map[string]*string{
		"X-Ms-Content-Type": &was.ContentType, "X-Ms-Content-Encoding": &was.Encoding, "X-Ms-Content-Language": &was.Language,
		"X-Ms-Content-Disposition": &was.Disposition, "X-Ms-Cache-Control": &was.CacheControl,
	} {
		if v := r.Header(name); v != "" {
			*to = v
		}
	}
	if v := r.Header("X-Ms-Content-Md5"); v != "" {
		sum, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(sum) != 16 {
			return was, req.BadHeader("x-ms-content-md5", v)
		}
		was.MD5 = sum
	}
	return was, nil
}

// read answers Path Read.
func read(r *req.Request) *wire.Error {
	if isDirectory(r.Store.Look(r.Container, r.Blob, r.Now)) {
		return req.OnDirectory()
	}
	typed(r)
	return blobs.Get(r)
}

// properties answers Get Properties and Get Status.
func properties(r *req.Request) *wire.Error {
	if r.Blob == "" {
		return rootProperties(r)
	}
	need := model.Rights{Path: r.Blob} // whoever may pass the directories above
	if err := r.AllowPath("re", need, "containers/blobs/read"); err != nil {
		return err
	}
	typed(r)
	inner := *r
	call := *r.Call
	call.Grant = access.Everything() // what it needs was asked for
	inner.Call = &call
	return blobs.Properties(&inner)
}

// typed says what a path is where the blob service does not: without a hierarchy.
func typed(r *req.Request) {
	if b := r.Store.Look(r.Container, r.Blob, r.Now); b != nil && b.Access == nil {
		r.Out.Set("X-Ms-Resource-Type", kindOf(b))
	}
}

// isDirectory tells whether a blob is a directory, or stands for one.
func isDirectory(b *model.Blob) bool {
	return b != nil && (b.Dir || strings.EqualFold(b.Meta[model.FolderMark], "true") && b.Size() == 0)
}

func kindOf(b *model.Blob) string {
	if isDirectory(b) {
		return "directory"
	}
	return "file"
}

// rootProperties are those of the root directory.
func rootProperties(r *req.Request) *wire.Error {
	if err := r.AllowPath("re", model.Rights{}, "containers/blobs/read"); err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	s := c.View()
	r.ETag(s.ETag, s.Modified)
	r.Out.Set("X-Ms-Resource-Type", "directory")
	showAccess(r, s.Root, false)
	return r.Answer(http.StatusOK)
}

// showAccess writes whose a path is, and with the list what others may do.
func showAccess(r *req.Request, a *posix.Access, list bool) {
	if a == nil {
		return
	}
	r.Out.Set("X-Ms-Owner", a.Owner)
	r.Out.Set("X-Ms-Group", a.Group)
	r.Out.Set("X-Ms-Permissions", a.Permissions())
	if list {
		r.Out.Set("X-Ms-Acl", a.ACL.Text())
	}
}

// setProperties answers Path Update with setProperties: all properties at once, and the
// headers that the request has.
func setProperties(r *req.Request) *wire.Error {
	m, err := readProperties(r)
	if err != nil {
		return err
	}
	return change(r, func(t *model.Tx, b *model.Blob) *wire.Error {
		var err *wire.Error
		if b.Headers, err = headers(r, b.Headers); err != nil {
			return err
		}
		if m != nil {
			b.WithMeta(m)
		}
		t.Alter(b)
		return nil
	})
}

// change alters a path under its lease and conditions and answers 200.
func change(r *req.Request, alter func(t *model.Tx, b *model.Blob) *wire.Error) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	if err := update(r, func(t *model.Tx, b *model.Blob) *wire.Error { return alter(t, b.Clone()) }); err != nil {
		return err
	}
	return r.Answer(http.StatusOK)
}

// update runs a change of a path that must be there.
func update(r *req.Request, alter func(t *model.Tx, b *model.Blob) *wire.Error) *wire.Error {
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	return c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		live := t.Live()
		if live == nil {
			return model.BlobNotFound()
		}
		if err := (blobs.Guard{Cond: cond}).Check(r, t); err != nil {
			return err
		}
		after, changed, err := leaseAfter(r, t.Lease)
		if err != nil {
			return err
		}
		if err := alter(t, live); err != nil {
			return err
		}
		if changed {
			t.Lease = after
		}
		if b := t.Live(); b != nil {
			r.ETag(b.ETag, b.Modified)
		}
		return nil
	})
}
