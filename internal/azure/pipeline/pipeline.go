// Package pipeline builds the HTTP pipeline through which every Azure client of one side
// sends its requests: retry, telemetry, counting, throttle reports, logging by allow-list
// and the transport. Requests are retried here and nowhere else; items are retried above.
package pipeline

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Options say what the pipeline of one side is made of.
type Options struct {
	Side    plugin.Side
	Cloud   azcloud.Configuration
	Version string // of this program; stands in the User-Agent
	// Transport sends the requests; nil: one of NewTransport for Workers.
	Transport policy.Transporter
	Workers   int             // requests at work at once that the connection pool is sized for; default 16
	Counter   *Counter        // counts requests; may be nil
	Throttled func(Throttle)  // is told of every throttled answer; may be nil; must be quick and safe for concurrent use
	Policies  []policy.Policy // run for each try of a request, before it is counted; such as a pace
	Logger    *slog.Logger    // gets one line at level Debug per try of a request; may be nil
	// RetryDelay replaces the first wait between tries, for tests; 0: the default.
	RetryDelay time.Duration
}

// Throttle is an answer by which a service asks to slow down.
type Throttle struct {
	Side   plugin.Side
	Host   string
	Status int           // 429 or 503
	Wait   time.Duration // what Retry-After asked for; 0 if it did not say
}

// New returns the client options that every SDK client of one side is to be made with.
func New(opt Options) policy.ClientOptions {
	if opt.Transport == nil {
		opt.Transport = &http.Client{Transport: NewTransport(opt.Workers)}
	}
	return policy.ClientOptions{
		Cloud:            opt.Cloud,
		Transport:        opt.Transport,
		Retry:            retryOptions(opt.RetryDelay),
		Telemetry:        policy.TelemetryOptions{ApplicationID: applicationID(opt.Version)},
		PerCallPolicies:  []policy.Policy{opener{}},
		PerRetryPolicies: append(slices.Clone(opt.Policies), &observer{opt: opt}, Detach()),
	}
}
