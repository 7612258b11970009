// Package copies holds the operations of Blob Storage that take what they write from
// another blob, of any account, by its URL.
package copies

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// longestURL is how long x-ms-copy-source may be.
const longestURL = 2 << 10

// source is what a copy starts from, as the service that holds it answers.
type source struct {
	kit.Fetched
	url  string
	same bool // in the same account
}

// open reads the source: its head, or n octets from off on, or all of it.
func open(r *req.Request, method string, rg *content.Range) (source, *wire.Error) {
	from := r.Header("X-Ms-Copy-Source")
	u, err := url.Parse(from)
	switch {
	case from == "":
		return source{}, req.MissingHeader("x-ms-copy-source")
	case err != nil, !u.IsAbs(), len(from) > longestURL:
		return source{}, req.BadHeader("x-ms-copy-source", from)
	}
	s := source{url: from, same: strings.EqualFold(u.Host, r.R.Host)}
	h := http.Header{}
	for to, name := range map[string]string{
		"If-Match": "X-Ms-Source-If-Match", "If-None-Match": "X-Ms-Source-If-None-Match", "X-Ms-If-Tags": "X-Ms-Source-If-Tags",
		"If-Modified-Since": "X-Ms-Source-If-Modified-Since", "If-Unmodified-Since": "X-Ms-Source-If-Unmodified-Since",
		"Authorization": "X-Ms-Copy-Source-Authorization", "X-Ms-File-Request-Intent": "X-Ms-File-Request-Intent",
	} {
		if v := r.Header(name); v != "" {
			h.Set(to, v)
		}
	}
	if rg != nil {
		h.Set("X-Ms-Range", fmt.Sprintf("bytes=%d-%d", rg.Off, rg.End()-1))
	}
	h.Set("X-Ms-Version", r.Version)
	s.Fetched = r.Fetch(r.R.Context(), kit.Source{Method: method, URL: from, Header: h, Grant: s.grant(r, u), To: r.Account})
	return s, s.failure()
}

// grant is the caller's own right to read a source in the same account, where the URL
// brings none.
func (s source) grant(r *req.Request, u *url.URL) kit.Grant {
	if !s.same || u.Query().Has("sig") || r.Header("X-Ms-Copy-Source-Authorization") != "" {
		return nil
	}
	container, blob, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	need := kit.Need{
		Actions: []string{"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"}, Scope: "/blobServices/default/containers/" + container,
		Letters: "r", Type: "o", Container: container, Object: blob, Public: "blob",
	}
	if r.Grant.Check(need) != nil {
		return nil
	}
	return r.Grant
}

// failure turns the source's refusal into the copy's.
func (s source) failure() *wire.Error {
	switch {
	case s.Status == 0:
		return verify(http.StatusNotFound, "The specified resource does not exist.")
	case s.Status < http.StatusMultipleChoices:
		return nil
	case s.Status == http.StatusNotModified, s.Status == http.StatusPreconditionFailed, s.Code == "UnsatisfiableCondition":
		return req.Unmet("SourceConditionNotMet", "The source condition specified using HTTP conditional header(s) is not met.")
	case s.Status == http.StatusRequestedRangeNotSatisfiable:
		return req.BadRange()
	case s.Code == "BlobArchived":
		return req.Conflict("BlobArchived", "This operation is not permitted on an archived blob.")
	}
	return s.refused()
}

// told is the refusal of a copy: Copy Blob says of its own account what is not there
// (BlobNotFound; seen in the live tests of Azure's SDK for .NET, StartCopyFromUriAsync_Error),
// Copy Blob From URL does not.
func (s source) told(err *wire.Error, sync bool) *wire.Error {
	if !sync && s.same && s.Status == http.StatusNotFound && s.Code != "" {
		return req.Refuse(s.Status, s.Code, reasons[s.Status])
	}
	return err
}

// reasons are the words for what the source answered (HTTP status by status).
var reasons = map[int]string{
	http.StatusNotFound:     "The specified resource does not exist.",
	http.StatusForbidden:    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
	http.StatusUnauthorized: "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
	http.StatusConflict:     "Public access is not permitted on this storage account.",
}

// refused is CannotVerifyCopySource with the status and the error code of the source.
func (s source) refused() *wire.Error {
	message, ok := reasons[s.Status]
	switch {
	case s.Status == http.StatusForbidden && s.Message != "":
		message = s.Message // seen in Azure/azure-storage-azcopy#2829
	case !ok:
		message = "Could not verify the copy source within the specified time."
	}
	e := verify(s.Status, message)
	e.Header = map[string]string{"X-Ms-Copy-Source-Status-Code": strconv.Itoa(s.Status), "X-Ms-Copy-Source-Error-Code": s.Code}
	return e
}

func verify(status int, message string) *wire.Error {
	return req.Refuse(status, "CannotVerifyCopySource", message)
}
