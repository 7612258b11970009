package dfs

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// words are the service's own for what the blob service calls otherwise (Azure: Path, error
// responses).
var words = map[string][2]string{
	"ContainerNotFound":                {"FilesystemNotFound", "The specified filesystem does not exist."},
	"ContainerAlreadyExists":           {"FilesystemAlreadyExists", "The specified filesystem already exists."},
	"BlobNotFound":                     {"PathNotFound", "The specified path does not exist."},
	"BlobAlreadyExists":                {"PathAlreadyExists", "The specified path already exists."},
	"LeaseIdMismatchWithBlobOperation": {"LeaseIdMismatch", "The lease ID specified did not match the lease ID for the resource."},
	"LeaseNotPresentWithBlobOperation": {"LeaseNotPresent", "There is currently no lease on the resource."},
	"BlobImmutableDueToPolicy":         {"PathImmutableDueToPolicy", "This operation is not permitted as the path is immutable due to a policy."},
	"UnauthorizedBlobOverwrite":        {"UnauthorizedPathOverwrite", "This request is not authorized to perform path overwrites."},
}

// failure is the body of a refusal.
type failure struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// refuse answers with JSON.
func refuse(w http.ResponseWriter, e *wire.Error) {
	code, message := e.Code, e.Message
	if own, ok := words[code]; ok {
		code, message = own[0], own[1]
	}
	h := w.Header()
	for k := range h { // what an operation said of the path before it failed
		if strings.HasPrefix(k, "X-Ms-Meta-") {
			h.Del(k)
		}
	}
	for k, v := range e.Header {
		h.Set(k, v)
	}
	wire.NoteCode(w, code)
	h.Set("X-Ms-Error-Code", code)
	if e.Status == http.StatusNotModified {
		w.WriteHeader(e.Status)
		return
	}
	var body failure
	body.Error.Code = code
	body.Error.Message = message + "\nRequestId:" + h.Get(wire.HeaderRequestID) + "\nTime:" + time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z")
	text, err := json.Marshal(body)
	if err != nil {
		text = nil // strings can always be written
	}
	h.Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(e.Status)
	_, _ = w.Write(text) // the client may have gone
}

func missingQuery(name string) *wire.Error {
	return req.Bad("MissingRequiredQueryParameter", "A query parameter that's mandatory for this request is not specified: "+name+".")
}

// onlyHierarchical refuses what an account without a hierarchical namespace cannot do; code
// and words are not confirmed.
func onlyHierarchical(r *req.Request) *wire.Error {
	if r.Store.Hierarchical() {
		return nil
	}
	return req.Bad("HierarchicalNamespaceNotEnabled", "This operation is only supported on an account with a hierarchical namespace.")
}

func notAuthorized() *wire.Error {
	return req.Refuse(http.StatusForbidden, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.")
}

// exists is the refusal of a path that is taken, with what takes it.
func exists(kind string) *wire.Error {
	e := req.Conflict("PathAlreadyExists", "The specified path already exists.")
	e.Header = map[string]string{"X-Ms-Existing-Resource-Type": kind}
	return e
}
