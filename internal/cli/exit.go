package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
)

// The exit codes.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitPartial      = 3
	exitSignIn       = 4
	exitPermission   = 5
	exitDifferent    = 6
	exitLocked       = 11
	exitInterrupted  = 130
	exitTerminated   = 143
	exitCodesPreface = "What the exit code of atg says. A code that is not listed here means that it\nfailed; codes may be added."
)

// exitCode is one row of the table of exit codes.
type exitCode struct {
	code    int
	meaning string
}

// exitCodes is the one table: the help topic and the generated document come from it.
var exitCodes = []exitCode{
	{exitDone, "done, or nothing to do"},
	{exitFailed, "failed"},
	{exitUsage, "usage error: a flag, an argument or an input file is wrong"},
	{exitPartial, "partial: the run finished, but some items failed, or some source resources could not be listed or have no target"},
	{exitSignIn, "cannot sign in"},
	{exitPermission, "permissions are missing; found before any write"},
	{exitDifferent, "differences found; only by verify, and by plan --exit-code"},
	{exitLocked, "another process works on the run"},
	{exitInterrupted, "interrupted by SIGINT (Ctrl-C); atg run resume goes on"},
	{exitTerminated, "ended by SIGTERM; atg run resume goes on"},
}

// Interrupted is the cause with which the context ends when a signal came in.
type Interrupted struct{ Code int } // exitInterrupted or exitTerminated

// InterruptedBy is the cause for a signal.
func InterruptedBy(s os.Signal) Interrupted {
	if s == syscall.SIGTERM {
		return Interrupted{exitTerminated}
	}
	return Interrupted{exitInterrupted}
}

// Error implements error.
func (i Interrupted) Error() string {
	if i.Code == exitTerminated {
		return "ended by SIGTERM"
	}
	return "interrupted"
}

// usageError is a mistake in the command line. command is the command's path.
type usageError struct {
	command string
	err     error
}

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// resultError ends a command whose result was shown already: only its code matters.
type resultError struct{ code int }

func (r resultError) Error() string { return fmt.Sprintf("exit code %d", r.code) }

// codeOf is the exit code for the error of a command.
func codeOf(err error) int {
	var (
		result resultError
		usage  *usageError
		signal Interrupted
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &result):
		return result.code
	case errors.As(err, &signal):
		return signal.Code
	case errors.As(err, &usage):
		return exitUsage
	}
	if e := errs.Find(err); e != nil && e.Code == "RunLocked" {
		return exitLocked
	}
	switch errs.KindOf(err) {
	case errs.Invalid:
		return exitUsage
	case errs.Unauthenticated:
		return exitSignIn
	case errs.PermissionDenied:
		return exitPermission
	default:
		return exitFailed
	}
}

// resultOf turns a report into the error that ends the command; nil if all is well.
// differences tells whether differences are worth a code of their own.
func resultOf(ctx context.Context, r *engine.Report, differences bool) error {
	var signal Interrupted
	switch {
	case r.Run.Canceled && errors.As(context.Cause(ctx), &signal):
		return resultError{signal.Code}
	case r.Run.Canceled:
		return resultError{exitFailed}
	case r.FailTotal > 0 || !r.Run.Complete:
		return resultError{exitPartial}
	case differences && differs(r):
		return resultError{exitDifferent}
	case len(r.Unpaired) > 0 && r.Run.Command != "plan":
		return resultError{exitPartial}
	default:
		return nil
	}
}

// differs tells whether the target lacks something or holds something else. What cannot
// be copied at all is no difference: no run could mend it.
func differs(r *engine.Report) bool {
	return len(r.Different) > 0 || len(r.Missing) > 0 || r.Plan["missing"] > 0 || len(r.Unpaired) > 0
}
