package copier

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/fileerror"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Error says at which side a copy failed, and at what.
type Error struct {
	Side plugin.Side
	Op   string // what could not be done: "write the file"
	Err  error
}

// Error returns the cause's text: the caller says the rest.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// atSource wraps what reading the source answered.
func atSource(err error) error {
	if err == nil {
		return nil
	}
	return &Error{plugin.Source, "read the file", err}
}

// atTarget wraps what a request to the target answered, also one that let its service read
// from the source.
func atTarget(op string, err error) error {
	if err == nil {
		return nil
	}
	if refusedSource(err) {
		err = fmt.Errorf("%w: %w", ErrNoServerCopy, err)
	}
	return &Error{plugin.Target, op, err}
}

// cannotVerify is the code for a source that the service cannot read; the SDK does not name it.
const cannotVerify fileerror.Code = "CannotVerifyCopySource"

// refusedSource tells whether the target's service could not read the source, or does not
// know how to: for a firewalled source, and for one whose signature it does not take.
func refusedSource(err error) bool {
	if fileerror.HasCode(err, cannotVerify) {
		return true
	}
	var answer *azcore.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotImplemented
}
