package blob

import (
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/copies"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// operation answers one operation of Blob Storage.
type operation func(s *Server, r *req.Request) *wire.Error

func plain(f func(*req.Request) *wire.Error) operation {
	return func(_ *Server, r *req.Request) *wire.Error { return f(r) }
}

// service, container and object are the operations by method, restype and comp (Azure: Blob
// service REST API).
var (
	service = map[string]operation{
		"GET  list":               plain(containers.List),
		"GET service properties":  (*Server).getProperties,
		"PUT service properties":  (*Server).setProperties,
		"GET service stats":       (*Server).stats,
		"GET account properties":  (*Server).account,
		"HEAD account properties": (*Server).account,
		"POST account properties": (*Server).account,
		"POST  batch":             plain(batch),
		"GET  blobs":              plain(containers.Find),
	}
	container = map[string]operation{
		"PUT container ":              plain(containers.Create),
		"DELETE container ":           plain(containers.Delete),
		"GET container ":              plain(containers.Get),
		"HEAD container ":             plain(containers.Get),
		"GET container metadata":      plain(containers.Get),
		"HEAD container metadata":     plain(containers.Get),
		"PUT container metadata":      plain(containers.SetMetadata),
		"GET container acl":           plain(containers.GetACL),
		"HEAD container acl":          plain(containers.GetACL),
		"PUT container acl":           plain(containers.SetACL),
		"PUT container lease":         plain(containers.Lease),
		"PUT container undelete":      plain(containers.Restore),
		"GET container list":          plain(containers.ListBlobs),
		"GET container blobs":         plain(containers.Find),
		"POST container batch":        plain(batch),
		"GET account properties":      (*Server).account,
		"HEAD account properties":     (*Server).account,
		"GET container account":       (*Server).account,
		"PUT container rename":        notThere("Rename Container"),
		"GET container immutablecont": notThere("immutability of containers on the data plane"),
	}
	object = map[string]operation{
		"PUT  ":                        plain(putBlob),
		"GET  ":                        plain(blobs.Get),
		"HEAD  ":                       plain(blobs.Properties),
		"DELETE  ":                     plain(blobs.Delete),
		"GET  metadata":                plain(blobs.Properties),
		"HEAD  metadata":               plain(blobs.Properties),
		"PUT  metadata":                plain(blobs.SetMetadata),
		"PUT  properties":              plain(blobs.SetHeaders),
		"PUT  block":                   plain(putBlock),
		"PUT  blocklist":               plain(blobs.PutBlockList),
		"GET  blocklist":               plain(blobs.GetBlockList),
		"PUT  page":                    plain(putPage),
		"GET  pagelist":                plain(blobs.PageRanges),
		"PUT  appendblock":             plain(appendBlock),
		"PUT  seal":                    plain(blobs.Seal),
		"PUT  tags":                    plain(blobs.SetTags),
		"GET  tags":                    plain(blobs.GetTags),
		"PUT  tier":                    plain(blobs.SetTier),
		"PUT  snapshot":                plain(blobs.Snapshot),
		"PUT  undelete":                plain(blobs.Undelete),
		"PUT  lease":                   plain(blobs.Lease),
		"PUT  copy":                    plain(copies.Abort),
		"PUT  immutabilitypolicies":    plain(blobs.SetPolicy),
		"DELETE  immutabilitypolicies": plain(blobs.DeletePolicy),
		"PUT  legalhold":               plain(blobs.SetHold),
		"GET account properties":       (*Server).account,
		"HEAD account properties":      (*Server).account,
		"PUT  incrementalcopy":         notThere("Incremental Copy Blob"),
		"POST  query":                  notThere("Query Blob Contents"),
		"PUT  expiry":                  plain(blobs.SetExpiry),
	}
)

func notThere(what string) operation {
	return func(*Server, *req.Request) *wire.Error { return req.NotImplemented(what) }
}

// route finds the operation of a request.
func route(r *req.Request) (operation, *wire.Error) {
	restype, comp := strings.ToLower(r.Param("restype")), strings.ToLower(r.Param("comp"))
	table := object
	switch {
	case r.Container == "":
		table = service
	case r.Blob == "" && (restype == "container" || restype == "account"):
		table = container
	case r.Blob == "": // a blob of the root container
		r.Container, r.Blob = "$root", r.Container
	}
	key := r.R.Method + " " + restype + " " + comp
	if op, ok := table[key]; ok {
		return op, nil
	}
	if r.R.Method == http.MethodOptions {
		return nil, req.Refuse(http.StatusForbidden, "CorsPreflightFailure", "CORS not enabled or no matching rule found for this request.")
	}
	for known := range table {
		_, rest, _ := strings.Cut(known, " ")
		if rest == restype+" "+comp {
			return nil, req.Refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb.")
		}
	}
	return nil, req.BadQuery("comp", comp)
}

// putBlob tells the operations apart that are a PUT of the blob itself.
func putBlob(r *req.Request) *wire.Error {
	switch {
	case r.Header("X-Ms-Copy-Source") == "":
		return blobs.Put(r)
	case r.Header("X-Ms-Blob-Type") != "":
		return copies.PutBlob(r)
	}
	return copies.Copy(r)
}

// fromURL tells whether a write takes its content from another blob.
func fromURL(r *req.Request) bool { return r.Header("X-Ms-Copy-Source") != "" }

func putBlock(r *req.Request) *wire.Error {
	if fromURL(r) {
		return copies.PutBlock(r)
	}
	return blobs.PutBlock(r)
}

func putPage(r *req.Request) *wire.Error {
	if fromURL(r) {
		return copies.PutPage(r)
	}
	return blobs.PutPage(r)
}

func appendBlock(r *req.Request) *wire.Error {
	if fromURL(r) {
		return copies.AppendBlock(r)
	}
	return blobs.AppendBlock(r)
}
