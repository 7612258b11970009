package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// credential gives out one token and counts the calls.
type credential struct{ calls atomic.Int64 }

func (c *credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.calls.Add(1)
	if o.TenantID != "tenant" || len(o.Scopes) != 1 || o.Scopes[0] != "https://vault.azure.net/.default" {
		return azcore.AccessToken{}, fmt.Errorf("asked for a token of %+v", o)
	}
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// wire is a vault that challenges, and answers by a function.
type wire struct {
	answer func(r *http.Request) (*http.Response, error)

	mu   sync.Mutex // guards what follows
	seen []string   // "GET /path", with a "!" before requests without a token
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	bare := r.Header.Get("Authorization") == ""
	line := r.Method + " " + r.URL.Path
	if bare {
		line = "!" + line
	}
	w.mu.Lock()
	w.seen = append(w.seen, line)
	w.mu.Unlock()
	if bare {
		resp := reply(r, http.StatusUnauthorized, "")
		resp.Header.Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"`)
		return resp, nil
	}
	return w.answer(r)
}

func (w *wire) challenges() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, line := range w.seen {
		if line[0] == '!' {
			n++
		}
	}
	return n
}

func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func ok(r *http.Request) (*http.Response, error) { return reply(r, http.StatusOK, "{}"), nil }

func endpoint(w *wire, cred azcore.TokenCredential) plugin.Endpoint {
	return plugin.Endpoint{
		Resource:   plugin.Resource{ID: "/kv", Name: "kv", Properties: json.RawMessage(`{"vaultUri":"https://kv.vault.azure.net/"}`)},
		Credential: cred,
		Options:    policy.ClientOptions{Transport: w, Retry: policy.RetryOptions{RetryDelay: time.Nanosecond, MaxRetryDelay: time.Nanosecond}},
	}
}

func TestOneChallengeForAllClientsAndWorkers(t *testing.T) {
	t.Parallel()
	w := &wire{answer: ok}
	var cache Cache
	e := endpoint(w, &credential{})
	var wg sync.WaitGroup
	for i := range 48 {
		wg.Go(func() {
			c, err := cache.For(e)
			if err != nil {
				t.Error(err)
				return
			}
			switch i % 3 {
			case 0:
				_, err = c.Secrets.GetSecret(t.Context(), "s", "", nil)
			case 1:
				_, err = c.Keys.GetKey(t.Context(), "k", "", nil)
			default:
				_, err = c.Certificates.GetContacts(t.Context(), nil)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.challenges(); n != 1 {
		t.Errorf("%d challenges, want 1", n)
	}
	if len(w.seen) != 49 {
		t.Errorf("%d requests, want 48 and a challenge", len(w.seen))
	}
}

func TestBodySurvivesTheSharedChallenge(t *testing.T) {
	t.Parallel()
	var bodies []string
	w := &wire{}
	w.answer = func(r *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(r.Body)
		bodies = append(bodies, string(b))
		if err != nil {
			return nil, err
		}
		return ok(r)
	}
	var cache Cache
	cred := &credential{}
	c, err := cache.For(endpoint(w, cred))
	if err != nil {
		t.Fatal(err)
	}
	value := "v"
	for range 2 {
		if _, err := c.Secrets.SetSecret(t.Context(), "s", azsecrets.SetSecretParameters{Value: &value}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(bodies) != 2 || bodies[0] != `{"value":"v"}` || bodies[1] != bodies[0] {
		t.Errorf("bodies = %q", bodies)
	}
	if cred.calls.Load() != 1 {
		t.Errorf("%d tokens were asked for, want 1", cred.calls.Load())
	}
}

func TestStaleChallengeIsForgotten(t *testing.T) {
	t.Parallel()
	w := &wire{answer: func(r *http.Request) (*http.Response, error) {
		return reply(r, http.StatusUnauthorized, `{"error":{"code":"Unauthorized"}}`), nil
	}}
	var cache Cache
	c, err := cache.For(endpoint(w, &credential{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Secrets.GetSecret(t.Context(), "s", "", nil); err == nil {
		t.Fatal("no error")
	}
	w.answer = ok
	if _, err := c.Keys.GetKey(t.Context(), "k", "", nil); err != nil {
		t.Fatal(err)
	}
	if n := w.challenges(); n != 2 {
		t.Errorf("%d challenges, want another after the refusal", n)
	}
}

func TestGateObeysTheContext(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.turn <- struct{}{} // another request fetches the challenge, for ever
	w := &wire{answer: ok}
	e := endpoint(w, &credential{})
	e.Options.PerRetryPolicies = []policy.Policy{g}
	var cache Cache
	c, err := cache.For(e)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Secrets.GetSecret(ctx, "s", "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want canceled", err)
	}
}

func TestOnceRepeatsOnlyThrottledWrites(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		err    error
		want   int
	}{
		{"throttled", http.StatusTooManyRequests, nil, 4},
		{"unavailable", http.StatusServiceUnavailable, nil, 1},
		{"timeout", http.StatusGatewayTimeout, nil, 1},
		{"no answer", 0, io.ErrUnexpectedEOF, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			writes := 0
			w := &wire{answer: func(r *http.Request) (*http.Response, error) {
				writes++
				if tt.err != nil {
					return nil, tt.err
				}
				return reply(r, tt.status, "{}"), nil
			}}
			var cache Cache
			c, err := cache.For(endpoint(w, &credential{}))
			if err != nil {
				t.Fatal(err)
			}
			value := "v"
			if _, err := c.Secrets.SetSecret(c.Once(t.Context()), "s", azsecrets.SetSecretParameters{Value: &value}, nil); err == nil {
				t.Fatal("no error")
			}
			if writes != tt.want {
				t.Errorf("written %d times, want %d", writes, tt.want)
			}
		})
	}
}

func TestOnceKeepsTheCallersPredicate(t *testing.T) {
	t.Parallel()
	writes := 0
	w := &wire{answer: func(r *http.Request) (*http.Response, error) {
		writes++
		return reply(r, http.StatusTooManyRequests, "{}"), nil
	}}
	e := endpoint(w, &credential{})
	e.Options.Retry.ShouldRetry = func(*http.Response, error) bool { return false }
	var cache Cache
	c, err := cache.For(e)
	if err != nil {
		t.Fatal(err)
	}
	value := "v"
	if _, err := c.Secrets.SetSecret(c.Once(t.Context()), "s", azsecrets.SetSecretParameters{Value: &value}, nil); err == nil || writes != 1 {
		t.Errorf("error %v after %d writes", err, writes)
	}
}

// nothing is a policy without state.
type nothing struct{}

func (nothing) Do(req *policy.Request) (*http.Response, error) { return req.Next() }

// list is a policy whose type cannot be compared with ==.
type list []int

func (list) Do(req *policy.Request) (*http.Response, error) { return req.Next() }

func TestCacheSharesOnlyIdenticalEndpoints(t *testing.T) {
	t.Parallel()
	w, cred := &wire{answer: ok}, &credential{}
	base := func() plugin.Endpoint { return endpoint(w, cred) }
	tests := []struct {
		name   string
		change func(e *plugin.Endpoint)
		shared bool
	}{
		{"the same", func(*plugin.Endpoint) {}, true},
		{"another copy of the properties", func(e *plugin.Endpoint) {
			e.Resource.Properties = json.RawMessage(string(e.Resource.Properties))
		}, true},
		{"fields that do not matter", func(e *plugin.Endpoint) { e.Resource.Tags = map[string]string{"a": "b"} }, true},
		{"another vault", func(e *plugin.Endpoint) {
			e.Resource.Properties = json.RawMessage(`{"vaultUri":"https://kv2.vault.azure.net/"}`)
		}, false},
		{"another credential", func(e *plugin.Endpoint) { e.Credential = &credential{} }, false},
		{"another transport", func(e *plugin.Endpoint) { e.Options.Transport = &wire{answer: ok} }, false},
		{"another retry", func(e *plugin.Endpoint) { e.Options.Retry.MaxRetries = 9 }, false},
		{"a predicate", func(e *plugin.Endpoint) {
			e.Options.Retry.ShouldRetry = func(*http.Response, error) bool { return false }
		}, false},
		{"another cloud", func(e *plugin.Endpoint) { e.Options.Cloud = cloud.AzureChina }, false},
		{"one more policy", func(e *plugin.Endpoint) { e.Options.PerCallPolicies = []policy.Policy{nothing{}} }, false},
		{"no credential", func(e *plugin.Endpoint) { e.Credential = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var cache Cache
			a, err := cache.For(base())
			if err != nil {
				t.Fatal(err)
			}
			e := base()
			tt.change(&e)
			b, err := cache.For(e)
			if err != nil {
				t.Fatal(err)
			}
			if (a == b) != tt.shared {
				t.Errorf("shared = %v", a == b)
			}
		})
	}
}

func TestCacheComparesPolicies(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]policy.Policy{"plain": nothing{}, "pointer": &nothing{}, "slice": list{1}} {
		var cache Cache
		var got [2]*Clients
		for i := range got {
			e := endpoint(&wire{}, nil)
			e.Options.Transport = nil
			e.Options.PerRetryPolicies = []policy.Policy{p}
			c, err := cache.For(e)
			if err != nil {
				t.Fatal(err)
			}
			got[i] = c
		}
		if got[0] != got[1] {
			t.Errorf("%s: the same policy in another slice gives other clients", name)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	var cache Cache
	e := endpoint(&wire{answer: ok}, &credential{})
	first, err := cache.For(e)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * kept {
		other := e
		other.Resource.ID = fmt.Sprint("/kv", i)
		if _, err := cache.For(other); err != nil {
			t.Fatal(err)
		}
		if again, err := cache.For(e); err != nil || again != first {
			t.Fatalf("what is used all the time is lost after %d others", i)
		}
	}
	if len(cache.entries) != kept {
		t.Errorf("the cache holds %d endpoints, want %d", len(cache.entries), kept)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, props, vault, authority string
		want                          string
	}{
		{"from ARM", `{"vaultUri":"https://KV.vault.azure.net/"}`, "other", "", "https://KV.vault.azure.net"},
		{"with a port", `{"vaultUri":"https://kv.vault.azure.net:8443/"}`, "kv", "", "https://kv.vault.azure.net:8443"},
		{"listed only", ``, "Kv-Prod", "", "https://kv-prod.vault.azure.net"},
		{"without vaultUri", `{"sku":{}}`, "kv", cloud.AzurePublic.ActiveDirectoryAuthorityHost, "https://kv.vault.azure.net"},
		{"US government", ``, "kv", cloud.AzureGovernment.ActiveDirectoryAuthorityHost, "https://kv.vault.usgovcloudapi.net"},
		{"China", ``, "kv", cloud.AzureChina.ActiveDirectoryAuthorityHost, "https://kv.vault.azure.cn"},
		{"unknown cloud", ``, "kv", "https://login.example/", ""},
		{"no name", ``, "", "", ""},
		{"no JSON", `{`, "kv", "", ""},
		{"no URI", `{"vaultUri":"kv"}`, "kv", "", ""},
		{"no TLS", `{"vaultUri":"http://kv.vault.azure.net"}`, "kv", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := plugin.Endpoint{Resource: plugin.Resource{ID: "/kv", Name: tt.vault, Properties: json.RawMessage(tt.props)}}
			e.Options.Cloud.ActiveDirectoryAuthorityHost = tt.authority
			var cache Cache
			c, err := cache.For(e)
			if tt.want == "" {
				if errs.KindOf(err) != errs.Invalid {
					t.Errorf("error = %v, want one of kind invalid", err)
				}
				return
			}
			if err != nil || c.URL != tt.want {
				t.Errorf("got %+v, %v; want %s", c, err, tt.want)
			}
		})
	}
}
