package req

import (
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Refuse makes a refusal.
func Refuse(status int, code, message string) *wire.Error {
	return &wire.Error{Status: status, Code: code, Message: message}
}

// Bad is a refusal with status 400.
func Bad(code, message string) *wire.Error { return Refuse(http.StatusBadRequest, code, message) }

// Conflict is a refusal with status 409.
func Conflict(code, message string) *wire.Error { return Refuse(http.StatusConflict, code, message) }

// Unmet is a refusal with status 412.
func Unmet(code, message string) *wire.Error {
	return Refuse(http.StatusPreconditionFailed, code, message)
}

// BadHeader is InvalidHeaderValue.
func BadHeader(name, value string) *wire.Error {
	e := Bad("InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
	return kit.WithDetail(kit.WithDetail(e, "HeaderName", name), "HeaderValue", value)
}

// MissingHeader is MissingRequiredHeader.
func MissingHeader(name string) *wire.Error {
	return kit.WithDetail(Bad("MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified."), "HeaderName", name)
}

// BadQuery is InvalidQueryParameterValue.
func BadQuery(name, value string) *wire.Error {
	e := Bad("InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid.")
	return kit.WithDetail(kit.WithDetail(e, "QueryParameterName", name), "QueryParameterValue", value)
}

// BadXML is InvalidXmlDocument.
func BadXML() *wire.Error {
	return Bad("InvalidXmlDocument", "XML specified is not syntactically valid.")
}

// WrongType is InvalidBlobType.
func WrongType() *wire.Error {
	return Conflict("InvalidBlobType", "The blob type is invalid for this operation.")
}

// OnDirectory is the refusal of what directories of a hierarchical namespace cannot do. The
// words are the service's; that this is the code is not confirmed.
func OnDirectory() *wire.Error {
	return Conflict("OperationNotSupportedOnDirectory", "The requested operation is not supported on a directory.")
}

// BadRange is InvalidRange.
func BadRange() *wire.Error {
	return Refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The range specified is invalid for the current size of the resource.")
}

// NotImplemented is the emulator's own refusal of what Azure can and it cannot.
func NotImplemented(what string) *wire.Error {
	return Refuse(http.StatusNotImplemented, "NotImplemented", "This emulator does not implement "+what+".")
}
