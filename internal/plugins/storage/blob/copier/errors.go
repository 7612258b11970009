package copier

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Error says at which side a copy failed, and at what.
type Error struct {
	Side plugin.Side
	Op   string // what could not be done: "write the blob"
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
	if bloberror.HasCode(err, bloberror.ConditionNotMet) {
		err = fmt.Errorf("%w: %w", ErrSourceChanged, err)
	}
	return &Error{plugin.Source, "read the blob", err}
}

// atTarget wraps what a write answered, also one that let the target's service read from
// the source.
func atTarget(op string, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) { // it says already where it happened
		return err
	}
	switch {
	case bloberror.HasCode(err, bloberror.SourceConditionNotMet):
		err = fmt.Errorf("%w: %w", ErrSourceChanged, err)
	case bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.TargetConditionNotMet, bloberror.BlobAlreadyExists, bloberror.AppendPositionConditionNotMet):
		err = fmt.Errorf("%w: %w", ErrTargetChanged, err)
	case refusedSource(err):
		err = fmt.Errorf("%w: %w", ErrNoServerCopy, err)
	}
	return &Error{plugin.Target, op, err}
}

// refusedSource tells whether the target's service could not read the source, or does not
// know how to: for a firewalled source, and for one whose signature it does not take
// (https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).
func refusedSource(err error) bool {
	if bloberror.HasCode(err, bloberror.CannotVerifyCopySource, bloberror.CopyAcrossAccountsNotSupported) {
		return true
	}
	var answer *azcore.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotImplemented
}
