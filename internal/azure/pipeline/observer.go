package pipeline

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/retry"
)

// The retry policy of azcore: exponential with jitter, or what Retry-After asks for. A
// Retry-After above maxRetryWait is not waited for: the answer goes up to the engine, which
// knows what else there is to do meanwhile.
const (
	retries      = 3 // after the first try
	retryWait    = 800 * time.Millisecond
	maxRetryWait = time.Minute
)

func retryOptions(first time.Duration) policy.RetryOptions {
	if first == 0 {
		first = retryWait
	}
	return policy.RetryOptions{
		MaxRetries:    retries,
		RetryDelay:    first,
		MaxRetryDelay: maxRetryWait,
		StatusCodes: []int{
			http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		},
	}
}

// applicationID is the first word of the User-Agent. azcore cuts it at 24 characters and
// replaces spaces.
func applicationID(version string) string {
	if version == "" {
		return "atg"
	}
	return "atg/" + version
}

// observer is a policy that sees every try of every request, and every answer.
type observer struct{ opt Options }

// history is what became of the earlier tries of one request. The retry policy copies a
// request for each try but hands its values on.
type history struct {
	tries int
	last  int // status of the last answer
}

// opener gives each request its history, once per call.
type opener struct{}

// Do implements policy.Policy.
func (opener) Do(req *policy.Request) (*http.Response, error) {
	req.SetOperationValue(&history{})
	return req.Next()
}

// Do implements policy.Policy.
func (o *observer) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	start := time.Now()
	resp, err := req.Next()
	n := Counts{Requests: 1}
	if err != nil {
		n.Failed = 1
	}
	if throttled(resp) {
		n.Throttled = 1
		o.report(raw.URL.Host, resp)
	}
	if isRetry(req, resp) {
		n.Retries = 1
	}
	o.opt.Counter.add(raw.URL.Host, n)
	o.log(raw, resp, err, time.Since(start))
	return resp, err
}

// isRetry tells whether this try repeats an earlier one that failed, and notes its answer.
// A request that is sent again with the token that a 401 asked for is no retry.
func isRetry(req *policy.Request, resp *http.Response) bool {
	var h *history
	if !req.OperationValue(&h) {
		return false
	}
	again := h.tries > 0 && h.last != http.StatusUnauthorized
	h.tries, h.last = h.tries+1, 0
	if resp != nil {
		h.last = resp.StatusCode
	}
	return again
}

func throttled(resp *http.Response) bool {
	if resp == nil {
		return false
	}
	return resp.StatusCode == http.StatusTooManyRequests ||
		resp.StatusCode == http.StatusServiceUnavailable && retry.After(resp.Header, time.Now()) > 0
}

func (o *observer) report(host string, resp *http.Response) {
	if o.opt.Throttled != nil {
		o.opt.Throttled(Throttle{Side: o.opt.Side, Host: host, Status: resp.StatusCode, Wait: retry.After(resp.Header, time.Now())})
	}
}

// log writes what may be known of a request: no body, no header but its id, no value of
// the query, and no error text, since that may quote the URL.
func (o *observer) log(raw *http.Request, resp *http.Response, err error, took time.Duration) {
	l := o.opt.Logger
	if l == nil || !l.Enabled(raw.Context(), slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("side", string(o.opt.Side)),
		slog.String("method", raw.Method),
		slog.String("host", raw.URL.Host),
		slog.String("path", raw.URL.EscapedPath()),
		slog.String("query", strings.Join(queryNames(raw), ",")),
		slog.Duration("took", took),
	}
	if resp != nil {
		attrs = append(attrs, slog.Int("status", resp.StatusCode), slog.String("requestId", requestID(resp.Header)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", errorWord(err)))
	}
	l.LogAttrs(context.WithoutCancel(raw.Context()), slog.LevelDebug, "request", attrs...)
}

func queryNames(raw *http.Request) []string {
	return slices.Sorted(maps.Keys(raw.URL.Query()))
}

// requestID returns the service's id of a request, under the names that ARM, Key Vault,
// Storage and Entra ID use.
func requestID(h http.Header) string {
	for _, name := range []string{"x-ms-request-id", "x-ms-correlation-request-id", "client-request-id"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// errorWord names the sort of a transport error without quoting it.
func errorWord(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var timed net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timed) && timed.Timeout():
		return "timeout"
	case errors.As(err, &dns):
		return "name not found"
	case errors.As(err, &op):
		return op.Op + " failed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection cut"
	}
	return "no answer"
}
