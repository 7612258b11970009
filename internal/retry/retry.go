// Package retry computes how long to wait before trying again. It is pure: it reads
// no clock and sleeps nowhere.
package retry

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Policy is exponential backoff with jitter.
type Policy struct {
	Attempts int           // tries in all, the first included; at least 1
	Base     time.Duration // wait before the second try
	Max      time.Duration // longest wait that backoff alone asks for
}

// Default is the item-level policy: requests were already retried in the HTTP pipeline,
// so an item is tried again only a few times.
func Default() Policy { return Policy{Attempts: 3, Base: time.Second, Max: 30 * time.Second} }

// Next says whether to try again after attempt (1 = the first) failed with err, and
// after which wait. The service's own Retry-After wins over backoff when it is longer.
func (p Policy) Next(attempt int, err error) (time.Duration, bool) {
	if attempt >= p.Attempts || !errs.Retryable(err) {
		return 0, false
	}
	wait := min(p.Base<<min(attempt-1, 20), p.Max)
	if wait <= 0 {
		wait = p.Max
	}
	if wait > 0 {
		wait = wait/2 + rand.N(wait/2+1) // half fixed, half random: callers spread out
	}
	return max(wait, errs.RetryAfter(err)), true
}

// After returns how long an answer's headers ask to wait, or 0. It reads those that Azure's
// SDK reads, in its order: milliseconds first, then seconds or a date.
func After(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if ms, err := strconv.Atoi(h.Get(name)); err == nil && ms > 0 {
			return time.Duration(ms) * time.Millisecond
		}
	}
	text := h.Get("Retry-After")
	if s, err := strconv.Atoi(text); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
