package template

import "fmt"

// Error is what is wrong with a template or with what it was given.
type Error struct {
	Code    string // InvalidTemplate, or another code of ARM's
	Message string
	Cause   error // what a Runtime answered; nil if it is the template's own fault
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// invalid is the refusal of a template before anything was deployed. The message may be
// an error's, which is in Azure's words already.
func invalid(format string, args ...any) *Error {
	return &Error{Code: "InvalidTemplate", Message: fmt.Sprintf("Deployment template validation failed: '"+format+"'.", args...)}
}

// unprocessed is a failure to evaluate a part of a template that deploys a resource.
func unprocessed(id string, at Position, err error) *Error {
	return &Error{Code: "InvalidTemplate", Message: fmt.Sprintf("Unable to process template language expressions for resource '%s' at %s. '%v'", id, at, err), Cause: err}
}
