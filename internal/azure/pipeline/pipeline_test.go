package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// answer is one answer of a stub service: a status and headers, or an error.
type answer struct {
	status int
	header map[string]string
	err    error
}

// stub answers requests from a list, in order; the last answer stays.
type stub struct {
	answers []answer
	asked   []*http.Request
}

// Do implements policy.Transporter.
func (s *stub) Do(req *http.Request) (*http.Response, error) {
	a := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked = append(s.asked, req)
	if a.err != nil {
		return nil, a.err
	}
	rec := httptest.NewRecorder()
	for k, v := range a.header {
		rec.Header().Set(k, v)
	}
	rec.WriteHeader(a.status)
	_, _ = rec.WriteString(`{"error":{"code":"x","message":"y"},"value":"body-canary"}`)
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

// send sends one GET through a pipeline and returns the status, 0 for an error.
func send(t *testing.T, opt pipeline.Options, url string) (int, error) {
	t.Helper()
	options := pipeline.New(opt)
	pl := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{}, &options)
	req, err := runtime.NewRequest(t.Context(), http.MethodGet, url)
	if err != nil {
		t.Fatal(err)
	}
	req.Raw().Header.Set("Authorization", "Bearer token-canary")
	resp, err := pl.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// Time is that of a bubble: waits cost nothing and are exact.
func TestRetry(t *testing.T) {
	t.Parallel()
	later := func(s string) map[string]string { return map[string]string{"Retry-After": s} }
	reset := &net.OpError{Op: "read", Err: errors.New("connection reset")}
	tests := []struct {
		name     string
		answers  []answer
		status   int
		counts   pipeline.Counts
		waits    []time.Duration // what the throttle callback was told
		min, max time.Duration   // how long it took
	}{
		{name: "at once", answers: []answer{{status: 200}}, status: 200, counts: pipeline.Counts{Requests: 1}},
		{
			name: "waits as long as it is told", answers: []answer{{status: 429, header: later("7")}, {status: 200}}, status: 200,
			counts: pipeline.Counts{Requests: 2, Retries: 1, Throttled: 1}, waits: []time.Duration{7 * time.Second}, min: 7 * time.Second, max: 7 * time.Second,
		},
		{
			name: "milliseconds win", answers: []answer{{status: 503, header: map[string]string{"Retry-After": "9", "x-ms-retry-after-ms": "250"}}, {status: 200}},
			status: 200, counts: pipeline.Counts{Requests: 2, Retries: 1, Throttled: 1}, waits: []time.Duration{250 * time.Millisecond},
			min: 250 * time.Millisecond, max: 250 * time.Millisecond,
		},
		{
			name: "throttled without a time", answers: []answer{{status: 429}, {status: 200}}, status: 200,
			counts: pipeline.Counts{Requests: 2, Retries: 1, Throttled: 1}, waits: []time.Duration{0}, min: 500 * time.Millisecond, max: 2 * time.Second,
		},
		{
			name: "unavailable is not throttled", answers: []answer{{status: 503}, {status: 502}, {status: 500}, {status: 200}}, status: 200,
			counts: pipeline.Counts{Requests: 4, Retries: 3}, min: 5 * time.Second, max: 15 * time.Second,
		},
		{
			name: "four tries, not more", answers: []answer{{status: 504}}, status: 504,
			counts: pipeline.Counts{Requests: 4, Retries: 3}, min: 5 * time.Second, max: 15 * time.Second,
		},
		{
			name: "a wait that is too long is left to others", answers: []answer{{status: 429, header: later("300")}}, status: 429,
			counts: pipeline.Counts{Requests: 1, Throttled: 1}, waits: []time.Duration{5 * time.Minute},
		},
		{
			name: "the connection is cut", answers: []answer{{err: reset}, {status: 200}}, status: 200,
			counts: pipeline.Counts{Requests: 2, Retries: 1, Failed: 1}, min: 500 * time.Millisecond, max: 2 * time.Second,
		},
		{name: "not found is an answer", answers: []answer{{status: 404}}, status: 404, counts: pipeline.Counts{Requests: 1}},
		{name: "forbidden is an answer", answers: []answer{{status: 403}}, status: 403, counts: pipeline.Counts{Requests: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var waits []time.Duration
				counter := &pipeline.Counter{}
				start := time.Now()
				status, err := send(t, pipeline.Options{
					Side: plugin.Target, Transport: &stub{answers: tt.answers}, Counter: counter,
					Throttled: func(th pipeline.Throttle) {
						if th.Side != plugin.Target || th.Host != "kv.vault.azure.net" {
							t.Errorf("%+v", th)
						}
						waits = append(waits, th.Wait)
					},
				}, "https://kv.vault.azure.net/secrets")
				if err != nil || status != tt.status {
					t.Fatalf("status %d, want %d: %v", status, tt.status, err)
				}
				if took := time.Since(start); took < tt.min || took > tt.max {
					t.Errorf("took %v, want %v to %v", took, tt.min, tt.max)
				}
				if d := cmp.Diff(map[string]pipeline.Counts{"kv.vault.azure.net": tt.counts}, counter.Hosts()); d != "" {
					t.Errorf("counts (-want +got):\n%s", d)
				}
				if d := cmp.Diff(tt.waits, waits); d != "" {
					t.Errorf("throttles (-want +got):\n%s", d)
				}
			})
		})
	}
}

func TestRetryAfterDate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat)
		var got time.Duration
		_, err := send(t, pipeline.Options{
			Transport: &stub{answers: []answer{{status: 429, header: map[string]string{"Retry-After": at}}, {status: 200}}},
			Throttled: func(th pipeline.Throttle) { got = th.Wait },
		}, "https://a.example/")
		if err != nil || got != 20*time.Second {
			t.Errorf("wait %v: %v", got, err)
		}
	})
}

func TestTotal(t *testing.T) {
	t.Parallel()
	counter := &pipeline.Counter{}
	for _, host := range []string{"a.example", "b.example", "a.example"} {
		if _, err := send(t, pipeline.Options{Transport: &stub{answers: []answer{{status: 200}}}, Counter: counter}, "https://"+host+"/"); err != nil {
			t.Fatal(err)
		}
	}
	if got := counter.Total(); got != (pipeline.Counts{Requests: 3}) {
		t.Errorf("%+v", got)
	}
}

// A log line holds what the allow-list names and nothing else.
func TestLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := &stub{answers: []answer{{status: 404, header: map[string]string{"x-ms-request-id": "id-1", "x-secret": "header-canary"}}}}
	_, err := send(t, pipeline.Options{Side: plugin.Source, Transport: s, Logger: log},
		"https://a.blob.core.windows.net/c/b?sig=query-canary&api-version=2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{"token-canary", "body-canary", "header-canary", "query-canary"} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("%s is in the log: %s", canary, &out)
		}
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	delete(line, "took")
	want := map[string]any{
		"level": "DEBUG", "msg": "request", "side": "source", "method": "GET", "host": "a.blob.core.windows.net", "path": "/c/b",
		"query": "api-version,sig", "status": float64(404), "requestId": "id-1",
	}
	if d := cmp.Diff(want, line); d != "" {
		t.Errorf("line (-want +got):\n%s", d)
	}
}

// timeout is a network error that says that it is one.
type timeout struct{ error }

func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

func TestLogOfErrors(t *testing.T) {
	t.Parallel()
	secret := errors.New("Get https://x/?sig=query-canary")
	tests := []struct {
		err  error
		word string
	}{
		{context.Canceled, "canceled"},
		{fmt.Errorf("%w: %w", secret, os.ErrDeadlineExceeded), "timeout"},
		{timeout{secret}, "timeout"},
		{&net.DNSError{Err: "no such host", Name: "x"}, "name not found"},
		{&net.OpError{Op: "dial", Err: secret}, "dial failed"},
		{fmt.Errorf("%w: %w", secret, io.ErrUnexpectedEOF), "connection cut"},
		{secret, "no answer"},
	}
	for _, tt := range tests {
		t.Run(tt.word, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := send(t, pipeline.Options{Transport: &stub{answers: []answer{{err: tt.err}}}, Logger: log, RetryDelay: time.Nanosecond}, "https://x/")
			if err == nil {
				t.Fatal("no error")
			}
			if n := strings.Count(out.String(), tt.word); n == 0 || strings.Contains(out.String(), "canary") {
				t.Errorf("%q stands %d times in %s", tt.word, n, &out)
			}
		})
	}
}

func TestNothingIsLoggedAboveDebug(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_, err := send(t, pipeline.Options{Transport: &stub{answers: []answer{{status: 200}}}, Logger: slog.New(slog.NewTextHandler(&out, nil))}, "https://x/")
	if err != nil || out.Len() > 0 {
		t.Errorf("%v: %s", err, &out)
	}
}

type token struct{}

func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// A Key Vault client sends its first request twice, the second time with the token that
// the challenge asked for. That is no retry.
func TestChallengeIsNoRetry(t *testing.T) {
	t.Parallel()
	challenge := `Bearer authorization="https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111", resource="https://vault.azure.net"`
	s := &stub{answers: []answer{{status: 401, header: map[string]string{"WWW-Authenticate": challenge}}, {status: 200}}}
	counter := &pipeline.Counter{}
	options := pipeline.New(pipeline.Options{Transport: s, Counter: counter, Version: "1.2.3"})
	client, err := azsecrets.NewClient("https://kv.vault.azure.net", token{}, &azsecrets.ClientOptions{ClientOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetSecret(t.Context(), "a", "", nil); err != nil {
		t.Fatal(err)
	}
	if got := counter.Total(); got != (pipeline.Counts{Requests: 2}) {
		t.Errorf("%+v", got)
	}
	if agent := s.asked[0].Header.Get("User-Agent"); !strings.HasPrefix(agent, "atg/1.2.3 azsdk-go-") {
		t.Errorf("User-Agent %q", agent)
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	tr := pipeline.NewTransport(0)
	if tr.MaxIdleConnsPerHost != 16 || tr.MaxIdleConns < tr.MaxIdleConnsPerHost {
		t.Errorf("idle connections: %d per host, %d in all", tr.MaxIdleConnsPerHost, tr.MaxIdleConns)
	}
	if got := pipeline.NewTransport(40).MaxIdleConnsPerHost; got != 40 {
		t.Errorf("%d idle connections per host for 40 workers", got)
	}
	if tr.TLSHandshakeTimeout == 0 || tr.ResponseHeaderTimeout == 0 || tr.DialContext == nil || tr.Proxy == nil {
		t.Error("a timeout, the dialer or the proxy is missing")
	}
}

// The transport speaks HTTP/1.1 to a server that would rather speak HTTP/2, and reuses
// its connections.
func TestTransportSpeaksHTTP1(t *testing.T) {
	t.Parallel()
	var addrs []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addrs = append(addrs, r.RemoteAddr)
		fmt.Fprint(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	tr := pipeline.NewTransport(1)
	tr.Proxy = nil
	tr.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	t.Cleanup(tr.CloseIdleConnections)
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: tr}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "HTTP/1.1" {
			t.Fatalf("%q: %v", body, err)
		}
	}
	if addrs[0] != addrs[1] || addrs[1] != addrs[2] {
		t.Errorf("connections: %v", addrs)
	}
}
