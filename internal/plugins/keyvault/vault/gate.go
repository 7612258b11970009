package vault

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// gate lets one request of a vault's clients fetch the challenge, holds the others back
// meanwhile, and answers them with it. It stands right behind the SDK's authentication
// policy, so that no policy of the caller's counts requests that were never sent.
type gate struct {
	turn      chan struct{} // holds a token while a challenge is fetched
	challenge atomic.Pointer[string]
}

func newGate() *gate { return &gate{turn: make(chan struct{}, 1)} }

// Do implements policy.Policy.
func (g *gate) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	if raw.Header.Get("Authorization") != "" {
		resp, err := req.Next()
		if err == nil && resp.StatusCode == http.StatusUnauthorized {
			g.challenge.Store(nil) // it may be out of date: the vault may have moved to another tenant
		}
		return resp, err
	}
	select {
	case g.turn <- struct{}{}:
	case <-raw.Context().Done():
		return nil, raw.Context().Err()
	}
	defer func() { <-g.turn }()
	if known := g.challenge.Load(); known != nil {
		return answer(raw, *known), nil
	}
	resp, err := req.Next()
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		if text := resp.Header.Get("WWW-Authenticate"); text != "" {
			g.challenge.Store(&text)
		}
	}
	return resp, err
}

// answer is the vault's answer to a request without a token.
func answer(req *http.Request, challenge string) *http.Response {
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized)),
		StatusCode: http.StatusUnauthorized,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Www-Authenticate": {challenge}},
		Body:    http.NoBody,
		Request: req,
	}
}
