// Package req is a request to Blob Storage as its operations read it: the container and
// blob it is about, conditions, ranges, properties and checksums, and the refusals that
// many operations share.
package req

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/access"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Request is one request to Blob Storage.
type Request struct {
	*kit.Call
	Store     *model.Account
	Query     url.Values
	In        http.Header // of the request
	Out       http.Header // of the answer
	Container string
	Blob      string
}

// New reads what a call is about. A path without a slash names a container, or a blob of
// the container $root for the operations of blobs.
func New(c *kit.Call, store *model.Account) *Request {
	r := &Request{Call: c, Store: store, Query: c.R.URL.Query(), In: c.R.Header, Out: c.W.Header()}
	r.Container, r.Blob, _ = strings.Cut(c.Path, "/")
	if store.Hierarchical() {
		r.Blob = Clean(r.Blob)
	}
	return r
}

// Clean is a path without empty elements, as a hierarchical namespace reads it; that it
// takes them is not confirmed.
func Clean(path string) string {
	if !strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") && !strings.Contains(path, "//") {
		return path
	}
	parts := strings.Split(path, "/")
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}

// Param returns a query parameter.
func (r *Request) Param(name string) string { return access.Param(r.Query, name) }

// Header returns a request header.
func (r *Request) Header(name string) string { return r.In.Get(name) }

// Answer sends a status without a body.
func (r *Request) Answer(status int) *wire.Error {
	r.W.WriteHeader(status)
	return nil
}

// Scope is the container's or blob's part of a resource ID, for role assignments.
func (r *Request) Scope() string {
	if r.Container == "" {
		return ""
	}
	return "/blobServices/default/containers/" + r.Container
}

// services is the namespace of the actions.
const services = "Microsoft.Storage/storageAccounts/blobServices/"

// Allow asks the grant for one of some actions, written below blobServices/, at the level
// of the request: service, container or blob.
func (r *Request) Allow(letters, public string, actions ...string) *wire.Error {
	n := kit.Need{Scope: r.Scope(), Letters: letters, Type: "o", Container: r.Container, Object: r.Blob, Public: public}
	switch {
	case r.Container == "":
		n.Type = "s"
	case r.Blob == "":
		n.Type = "c"
	}
	for _, a := range actions {
		n.Actions = append(n.Actions, services+a)
	}
	err := r.Grant.Check(n)
	if err != nil && len(actions) > 0 && r.listed(r.rights(actions[0])) {
		return nil
	}
	return err
}

// ETag writes the headers of a changed thing.
func (r *Request) ETag(etag string, modified time.Time) {
	r.Out["Etag"] = []string{`"` + etag + `"`}
	r.Out["Last-Modified"] = []string{modified.UTC().Format(http.TimeFormat)}
}

// Int reads a whole number from a header; def if it is absent.
func (r *Request) Int(header string, def int64) (int64, *wire.Error) {
	v := r.Header(header)
	if v == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return 0, BadHeader(header, v)
	}
	return n, nil
}

// Length is the length of the request's body: MissingContentLengthHeader without one.
func (r *Request) Length() (int64, *wire.Error) {
	if r.R.ContentLength < 0 {
		return 0, Refuse(http.StatusLengthRequired, "MissingContentLengthHeader", "The Content-Length header was not specified.")
	}
	return r.R.ContentLength, nil
}

// Selected is the snapshot or version that a request names.
func (r *Request) Selected() (snapshot, version string, err *wire.Error) {
	snapshot, version = r.Param("snapshot"), r.Param("versionid")
	if snapshot != "" && version != "" {
		return "", "", Refuse(http.StatusBadRequest, "MutuallyExclusiveQueryParameters", "snapshot and versionid cannot be used together.") // words not confirmed
	}
	for name, v := range map[string]string{"snapshot": snapshot, "versionid": version} {
		if _, bad := time.Parse(time.RFC3339Nano, v); v != "" && bad != nil {
			return "", "", BadQuery(name, v)
		}
	}
	return snapshot, version, nil
}

// Pick finds the blob that a request is about: the base blob, a snapshot or a version.
func (r *Request) Pick(e *model.Entry) (*model.Blob, *wire.Error) {
	snapshot, version, err := r.Selected()
	if err != nil {
		return nil, err
	}
	b := e.Live()
	if snapshot != "" || version != "" {
		if b = e.Find(snapshot, version); b != nil && !b.Deleted.IsZero() {
			b = nil
		}
	}
	if b == nil {
		return nil, model.BlobNotFound()
	}
	return b, nil
}

// OpenContainer finds the container of the request.
func (r *Request) OpenContainer() (*model.Container, *wire.Error) {
	return r.Store.Container(r.Container)
}
