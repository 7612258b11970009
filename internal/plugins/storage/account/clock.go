package account

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// clock is the time at the service, as the Date of its answers tells it. Signatures and
// their keys are judged by that time: a machine whose clock is wrong would make ones that
// are not valid yet, or not any more.
type clock struct{ ahead atomic.Int64 } // nanoseconds by which the service is ahead of this machine

// now returns the time at the service; this machine's as long as nothing was answered.
func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())).UTC() }

// Do implements policy.Policy: it reads the Date of answers.
func (c *clock) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil {
		return resp, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.ahead.Store(int64(time.Until(at)))
	}
	return resp, nil
}
