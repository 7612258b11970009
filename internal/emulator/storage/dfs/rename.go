package dfs

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// rename answers Path Create with x-ms-rename-source.
func rename(r *req.Request) *wire.Error {
	if err := onlyHierarchical(r); err != nil {
		return err
	}
	from, err := renameSource(r)
	if err != nil {
		return err
	}
	if err := allowRename(r, from); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	there, err := from.Conditions()
	if err != nil {
		return err
	}
	m, err := readProperties(r)
	if err != nil {
		return err
	}
	move := model.Move{
		Source: from.Container, From: from.Blob, Target: r.Container, To: r.Blob,
		Check: func(src, dst *model.Tx) *wire.Error {
			if err := (blobs.Guard{Cond: there}).Check(from, src); err != nil {
				return ofSource(err)
			}
			return checkTarget(r, cond, dst)
		},
	}
	if m != nil {
		move.Change = func(b *model.Blob) { b.WithMeta(m) }
	}
	b, err := r.Store.Rename(move, r.Now)
	if err != nil {
		return err
	}
	r.ETag(b.ETag, b.Modified)
	return r.Answer(http.StatusCreated)
}

// renameSource is the request as it is about the source: x-ms-rename-source is
// "/FILESYSTEM/PATH", percent-encoded, perhaps with a signature behind.
func renameSource(r *req.Request) (*req.Request, *wire.Error) {
	text := r.Header("X-Ms-Rename-Source")
	u, err := url.Parse(text)
	if err != nil {
		return nil, invalidSource()
	}
	out := *r
	out.Container, out.Blob, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	out.Blob = req.Clean(out.Blob)
	if out.Container == "" || out.Blob == "" || r.Blob == "" {
		return nil, invalidSource()
	}
	out.In = http.Header{}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		out.In.Set(name, r.Header("X-Ms-Source-"+name))
	}
	out.In.Set("X-Ms-Lease-Id", r.Header("X-Ms-Source-Lease-Id"))
	return &out, nil
}

func invalidSource() *wire.Error {
	return req.Bad("InvalidSourceUri", "The source URI is invalid.")
}

// allowRename: the source may leave its directory and come into the target's, where what is
// overwritten leaves.
func allowRename(r, from *req.Request) *wire.Error {
	for what, letters := range map[*req.Request]string{from: "md", r: "mwc"} {
		if err := what.AllowPath(letters, model.Leave(what.Blob), "containers/blobs/move/action", "containers/blobs/write"); err != nil {
			return err
		}
	}
	return nil
}

// ofSource words a refusal that is about the source.
func ofSource(e *wire.Error) *wire.Error {
	if e.Code == "ConditionNotMet" || e.Code == "BlobAlreadyExists" {
		return req.Unmet("SourceConditionNotMet", "The source condition specified using HTTP conditional header(s) is not met.")
	}
	return e
}

// checkTarget applies conditions, lease and immutability of the path that is overwritten.
func checkTarget(r *req.Request, cond req.Conditions, dst *model.Tx) *wire.Error {
	old := dst.Live()
	if old != nil && cond.NoneMatch == "*" {
		return exists(kindOf(old))
	}
	if err := cond.CheckWrite(old); err != nil {
		return err
	}
	if id := r.Header("X-Ms-Lease-Id"); id != "" {
		if err := dst.Lease.CheckRead(id, "Blob", r.Now); err != nil {
			return err
		}
	}
	return dst.Immutable(old)
}
