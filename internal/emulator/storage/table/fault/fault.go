// Package fault has the errors of Table Storage with their statuses and words (Azure:
// Table Storage error codes; Common REST API error codes).
package fault

import (
	"fmt"
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func bad(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: code, Message: message}
}

// Input is a request that cannot be understood; why is told to the client.
func Input(why string) *wire.Error {
	if why == "" {
		why = "One of the request inputs is not valid."
	}
	return bad("InvalidInput", why)
}

// ETag is a condition that is no entity tag.
func ETag(v string) *wire.Error {
	return Input("The etag value '" + v + "' specified in one of the request headers is not valid. Please make sure only one etag value is specified and is valid.")
}

// NeedValue is an entity without its keys.
func NeedValue() *wire.Error {
	return bad("PropertiesNeedValue", "The values are not specified for all properties in the entity.")
}

// OutOfRange is a parameter, a key most often, with a value that it may not have.
func OutOfRange(parameter, value string) *wire.Error {
	return bad("OutOfRangeInput", fmt.Sprintf("The '%s' parameter of value '%s' is out of range.", parameter, value))
}

// NameLength is a table name that is too short or too long, NameCharacters one with
// characters that it may not have, spelled as the service spells it.
func NameLength() *wire.Error {
	return bad("OutOfRangeInput", "The specified resource name length is not within the permissible limits.")
}

// NameCharacters is a table name with characters that it may not have.
func NameCharacters() *wire.Error {
	return bad("InvalidResourceName", "The specifed resource name contains invalid characters.") //nolint:misspell // the service's own spelling
}

// PropertyName is a property name that is no C# identifier.
func PropertyName() *wire.Error {
	return bad("PropertyNameInvalid", "The property name is invalid.")
}

// NameTooLong is a property name of more than 255 characters.
func NameTooLong() *wire.Error {
	return bad("PropertyNameTooLong", "The property name exceeds the maximum allowed length (255).")
}

// TooManyProperties is an entity with more than 252 properties of its own.
func TooManyProperties() *wire.Error {
	return bad("TooManyProperties", "The entity contains more properties than allowed. Each entity can include up to 252 properties to store data. Each entity also has 3 system properties.")
}

// ValueTooLarge is a property of more than 64 KiB.
func ValueTooLarge() *wire.Error {
	return bad("PropertyValueTooLarge", "The property value exceeds the maximum allowed size (64KB). If the property value is a string, it is UTF-16 encoded and the maximum number of characters should be 32K or less.")
}

// TooLarge is an entity of more than 1 MiB.
func TooLarge() *wire.Error {
	return bad("EntityTooLarge", "The entity is larger than the maximum allowed size (1MB).")
}

// Duplicate is a property that is there twice.
func Duplicate() *wire.Error {
	return bad("DuplicatePropertiesSpecified", "A property is specified more than one time.")
}

// DuplicateRow is an entity that a batch names twice.
func DuplicateRow() *wire.Error {
	return bad("InvalidDuplicateRow", "The batch request contains multiple changes with same row key. An entity can appear only once in a batch request.")
}

// Partitions is a batch whose entities do not share table and partition.
func Partitions() *wire.Error {
	return bad("CommandsInBatchActOnDifferentPartitions", "All commands in a batch must operate on same entity group.")
}

// MissingHeader is a request without a header that it needs.
func MissingHeader() *wire.Error {
	return bad("MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified.")
}

// BodyTooLarge is a body of more than 4 MiB.
func BodyTooLarge() *wire.Error {
	return &wire.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestBodyTooLarge", Message: "The request body is too large and exceeds the maximum permissible limit."}
}

// TableNotFound is an operation on a table that does not exist.
func TableNotFound() *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "TableNotFound", Message: "The table specified does not exist."}
}

// NotFound is an entity, or a table to be deleted, that does not exist.
func NotFound() *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "The specified resource does not exist."}
}

// TableExists is a table that is made twice.
func TableExists() *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: "TableAlreadyExists", Message: "The table specified already exists."}
}

// EntityExists is an entity that is inserted twice.
func EntityExists() *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: "EntityAlreadyExists", Message: "The specified entity already exists."}
}

// Condition is an entity that has changed since.
func Condition() *wire.Error {
	return &wire.Error{Status: http.StatusPreconditionFailed, Code: "UpdateConditionNotSatisfied", Message: "The update condition specified in the request was not satisfied."}
}

// Atom is a request or answer in Atom, which versions from 2015-12-11 on do not have.
func Atom() *wire.Error {
	return &wire.Error{Status: http.StatusUnsupportedMediaType, Code: "AtomFormatNotSupported", Message: "Atom format is not supported."}
}

// NotImplemented is what OData has and Table Storage has not.
func NotImplemented() *wire.Error {
	return &wire.Error{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "The requested operation is not implemented on the specified resource."}
}

// Method is a method that a resource does not know.
func Method() *wire.Error {
	return &wire.Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed", Message: "The requested method is not allowed on the specified resource."}
}
