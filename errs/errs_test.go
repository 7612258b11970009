package errs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	inner := &errs.Error{Op: "read", Kind: errs.Throttled, RetryAfter: 3 * time.Second, Hint: "wait"}
	tests := []struct {
		name string
		err  error
		want errs.Kind
	}{
		{"nil", nil, ""},
		{"plain", errors.New("x"), errs.Internal},
		{"own kind", &errs.Error{Op: "x", Kind: errs.NotFound}, errs.NotFound},
		{"outer kind wins", &errs.Error{Op: "x", Kind: errs.Conflict, Err: inner}, errs.Conflict},
		{"empty kind looks inside", &errs.Error{Op: "x", Err: fmt.Errorf("wrapped: %w", inner)}, errs.Throttled},
		{"wrapped", fmt.Errorf("wrapped: %w", inner), errs.Throttled},
		{"canceled", fmt.Errorf("x: %w", context.Canceled), errs.Canceled},
		{"deadline", &errs.Error{Op: "x", Err: context.DeadlineExceeded}, errs.Canceled},
		{"no kind anywhere", &errs.Error{Op: "x"}, errs.Internal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := errs.KindOf(tt.err); got != tt.want {
				t.Errorf("KindOf = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOuterErrorsKeepWhatInnerOnesSay(t *testing.T) {
	t.Parallel()
	err := &errs.Error{Op: "copy", Err: &errs.Error{Op: "read", Kind: errs.Throttled, RetryAfter: time.Minute, Hint: "wait"}}
	if got := errs.RetryAfter(err); got != time.Minute {
		t.Errorf("RetryAfter = %v", got)
	}
	if got := errs.HintOf(err); got != "wait" {
		t.Errorf("HintOf = %q", got)
	}
	if errs.RetryAfter(errors.New("x")) != 0 || errs.HintOf(nil) != "" {
		t.Error("an error that says nothing says something")
	}
}

func TestRetryable(t *testing.T) {
	t.Parallel()
	want := map[errs.Kind]bool{errs.Throttled: true, errs.Unavailable: true, errs.Integrity: true}
	for _, kind := range errs.Kinds() {
		if got := errs.Retryable(&errs.Error{Op: "x", Kind: kind}); got != want[kind] {
			t.Errorf("Retryable(%s) = %v", kind, got)
		}
	}
}

func TestErrorIsOneLine(t *testing.T) {
	t.Parallel()
	err := &errs.Error{
		Op: "read the value", Side: "source", Resource: "kv", Item: "secrets/a", Code: "Forbidden", Err: errors.New("no"),
	}
	const want = "read the value of secrets/a in kv (source): Forbidden: no"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
