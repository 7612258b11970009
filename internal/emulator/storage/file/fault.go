package file

import (
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The errors of Azure Files (Azure: Azure Files error codes; Common REST API error codes).

func bad(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: code, Message: message}
}

func conflict(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: code, Message: message}
}

func missing(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: code, Message: message}
}

func badHeader(name, value string) *wire.Error {
	e := bad("InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
	return kit.WithDetail(kit.WithDetail(e, "HeaderName", name), "HeaderValue", value)
}

func noHeader(name string) *wire.Error {
	e := bad("MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified.")
	return kit.WithDetail(e, "HeaderName", name)
}

func badQuery(name, value string) *wire.Error {
	e := bad("InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid.")
	return kit.WithDetail(kit.WithDetail(e, "QueryParameterName", name), "QueryParameterValue", value)
}

func unsupportedVerb() *wire.Error {
	return &wire.Error{Status: http.StatusMethodNotAllowed, Code: "UnsupportedHttpVerb", Message: "The resource doesn't support specified Http Verb."}
}

func shareNotFound() *wire.Error {
	return missing("ShareNotFound", "The specified share does not exist.")
}

func snapshotNotFound() *wire.Error {
	return missing("ShareSnapshotNotFound", "The specified share snapshot does not exist.")
}

func notFound() *wire.Error {
	return missing("ResourceNotFound", "The specified resource does not exist.")
}

func typeMismatch() *wire.Error {
	return conflict("ResourceTypeMismatch", "The specified resource type does not match the type of the existing resource.")
}

func exists() *wire.Error {
	return conflict("ResourceAlreadyExists", "The specified resource already exists.")
}

func readOnly() *wire.Error {
	return conflict("ReadOnlyAttribute", "The specified resource is read-only and cannot be modified at this time.")
}

func badRange() *wire.Error {
	return &wire.Error{Status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange", Message: "The range specified is invalid for the current size of the resource."}
}

func tooLarge() *wire.Error {
	return &wire.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestBodyTooLarge", Message: "The request body is too large and exceeds the maximum permissible limit."}
}
