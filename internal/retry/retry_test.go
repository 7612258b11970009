package retry_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/retry"
)

func TestNext(t *testing.T) {
	t.Parallel()
	passing := &errs.Error{Op: "x", Kind: errs.Unavailable}
	asked := &errs.Error{Op: "x", Kind: errs.Throttled, RetryAfter: time.Minute}
	for name, tt := range map[string]struct {
		policy   retry.Policy
		attempt  int
		err      error
		min, max time.Duration
		again    bool
	}{
		"first":                          {retry.Default(), 1, passing, time.Second / 2, time.Second, true},
		"second":                         {retry.Default(), 2, passing, time.Second, 2 * time.Second, true},
		"last":                           {retry.Default(), 3, passing, 0, 0, false},
		"cannot pass":                    {retry.Default(), 1, errors.New("x"), 0, 0, false},
		"the service asked":              {retry.Default(), 1, asked, time.Minute, time.Minute, true},
		"bounded":                        {retry.Policy{Attempts: 99, Base: time.Second, Max: 8 * time.Second}, 60, passing, 4 * time.Second, 8 * time.Second, true},
		"overflow":                       {retry.Policy{Attempts: 99, Base: 1 << 60, Max: 8 * time.Second}, 21, passing, 4 * time.Second, 8 * time.Second, true},
		"no wait":                        {retry.Policy{Attempts: 2}, 1, passing, 0, 0, true},
		"no wait but the service's own":  {retry.Policy{Attempts: 2}, 1, asked, time.Minute, time.Minute, true},
		"no attempts are one":            {retry.Policy{}, 1, passing, 0, 0, false},
		"backoff longer than asked wins": {retry.Policy{Attempts: 9, Base: time.Hour, Max: time.Hour}, 1, asked, time.Hour / 2, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 50 {
				wait, again := tt.policy.Next(tt.attempt, tt.err)
				if again != tt.again || wait < tt.min || wait > tt.max {
					t.Fatalf("Next = %s, %t; want %s to %s, %t", wait, again, tt.min, tt.max, tt.again)
				}
			}
		})
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name, header, value string
		want                time.Duration
	}{
		{"none", "Retry-After", "", 0},
		{"seconds", "Retry-After", "7", 7 * time.Second},
		{"milliseconds", "retry-after-ms", "250", 250 * time.Millisecond},
		{"Azure's milliseconds", "x-ms-retry-after-ms", "1500", 1500 * time.Millisecond},
		{"a date", "Retry-After", now.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		{"a date that is over", "Retry-After", now.Add(-time.Minute).Format(http.TimeFormat), 0},
		{"nonsense", "Retry-After", "soon", 0},
	}
	for _, tt := range tests {
		h := http.Header{}
		h.Set(tt.header, tt.value)
		if got := retry.After(h, now); got != tt.want {
			t.Errorf("%s: After = %v, want %v", tt.name, got, tt.want)
		}
	}
}
