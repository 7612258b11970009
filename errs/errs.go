// Package errs holds the one error type that crosses room borders: what was
// being done, to which thing, on which side, why it failed and what to type next.
//
// It is a leaf: it imports nothing of this project.
package errs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of failure an error is. It decides retry, exit code and hint.
type Kind string

// The kinds. Each stands for one way a user or the engine can react.
const (
	Invalid          Kind = "invalid"           // the input or the request is wrong: mend it
	Unauthenticated  Kind = "unauthenticated"   // no valid token could be had
	PermissionDenied Kind = "permission-denied" // the principal lacks a right
	NotFound         Kind = "not-found"         // the thing is not there
	Conflict         Kind = "conflict"          // the thing exists in another form or state
	Throttled        Kind = "throttled"         // the service asked to slow down
	Unavailable      Kind = "unavailable"       // the service or the way to it failed for now
	Quota            Kind = "quota"             // a limit that waiting does not lift
	Unsupported      Kind = "unsupported"       // the service or this tool cannot do it
	Integrity        Kind = "integrity"         // what was read back is not what was written
	Canceled         Kind = "canceled"          // the user or a deadline stopped it
	Internal         Kind = "internal"          // a defect of this program
)

// Kinds lists every kind, in the order in which they are declared.
func Kinds() []Kind {
	return []Kind{
		Invalid, Unauthenticated, PermissionDenied, NotFound, Conflict, Throttled,
		Unavailable, Quota, Unsupported, Integrity, Canceled, Internal,
	}
}

// Error is a failure with everything its reader needs. Only Op and Kind must be set;
// an empty Kind is taken from Err.
type Error struct {
	Op         string        // what could not be done, as a phrase: "read the secret values"
	Kind       Kind          // how to react; empty: that of Err, or Internal
	Side       string        // "source" or "target"; empty where neither applies
	Resource   string        // resource ID or name
	Item       string        // item key within the resource
	Code       string        // the service's own error code: "SecretDisabled", "AADSTS7000215"
	Status     int           // HTTP status; 0 if there was no answer
	RequestID  string        // the service's id of the failed request
	Action     string        // the permission that is missing, where the service named it
	Hint       string        // one command to type, or one thing to do
	RetryAfter time.Duration // how long the service asked to wait; 0 if it did not say
	Err        error         // the cause
}

// Error returns one line: op, resource, side, code and cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Item != "" {
		fmt.Fprintf(&b, " of %s", e.Item)
	}
	if e.Resource != "" {
		fmt.Fprintf(&b, " in %s", e.Resource)
	}
	if e.Side != "" {
		fmt.Fprintf(&b, " (%s)", e.Side)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ": %s", e.Code)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Find returns the outermost *Error in err's chain, or nil.
func Find(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// KindOf returns the kind of err: that of the outermost *Error that has one,
// Canceled for a context's end, Internal for anything else. It is "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	for e := Find(err); e != nil; e = Find(e.Err) {
		if e.Kind != "" {
			return e.Kind
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Canceled
	}
	return Internal
}

// Retryable tells whether the same call may succeed later with nothing changed.
func Retryable(err error) bool {
	switch KindOf(err) {
	case Throttled, Unavailable, Integrity:
		return true
	default:
		return false
	}
}

// RetryAfter returns how long the service asked to wait, or 0.
func RetryAfter(err error) time.Duration {
	for e := Find(err); e != nil; e = Find(e.Err) {
		if e.RetryAfter > 0 {
			return e.RetryAfter
		}
	}
	return 0
}

// HintOf returns the outermost hint in err's chain, or "".
func HintOf(err error) string {
	for e := Find(err); e != nil; e = Find(e.Err) {
		if e.Hint != "" {
			return e.Hint
		}
	}
	return ""
}
