package pace

import (
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Policy returns a pipeline policy that sends each try of a request of one side at the
// limiter's pace. It belongs among the policies per retry (policy.ClientOptions.PerRetryPolicies).
func (l *Limiter) Policy(side plugin.Side) policy.Policy { return &pacer{l, side} }

type pacer struct {
	limiter *Limiter
	side    plugin.Side
}

// Do implements policy.Policy.
func (p *pacer) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	done, err := p.limiter.Wait(raw.Context(), p.side, raw.Method, raw.URL.Host, raw.URL.Path)
	if err != nil {
		return nil, err
	}
	resp, err := req.Next()
	done(answerOf(resp))
	return resp, err
}

// answerOf reads an answer. A request without one may have reached the host: it counts.
func answerOf(resp *http.Response) Answer {
	a := Answer{Sent: true}
	if resp == nil {
		return a
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		a.Throttled, a.RetryAfter = true, retry.After(resp.Header, time.Now())
	}
	return a
}
