// Package kittest runs services of storage accounts behind TLS for tests, under the hosts
// that clients know them by, with an account, a clock and rights of the test's own.
package kittest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Start is where the clock of a Lab begins.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Lab serves accounts. Every name is an account.
type Lab struct {
	Client *http.Client

	servers map[kit.Kind]kit.Server

	mu    sync.Mutex // guards what follows
	at    time.Time
	deny  func(kit.Need) bool
	needs []kit.Need
	how   string
}

// New serves the servers; they stop with the test.
func New(tb testing.TB, servers map[kit.Kind]kit.Server) *Lab {
	tb.Helper()
	l := &Lab{servers: servers, at: Start, how: "SharedKey"}
	srv := httptest.NewTLSServer(l)
	tb.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	l.Client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", srv.Listener.Addr().String())
		},
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12},
	}}
	tb.Cleanup(l.Client.CloseIdleConnections)
	return l
}

// Account is the account of a name.
func Account(name string) kit.Account {
	return kit.Account{
		ID: "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/" + name, Name: name,
		Location: "westeurope", Kind: "StorageV2", SKU: "Standard_LRS", Created: Start,
	}
}

// ServeHTTP makes a call of a request.
func (l *Lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wire.StampIDs(w, r)
	name, rest, _ := strings.Cut(r.Host, ".")
	service, _, _ := strings.Cut(rest, ".")
	srv, ok := l.servers[kit.Kind(service)]
	if !ok {
		http.Error(w, "no such service", http.StatusNotFound)
		return
	}
	if v := r.Header.Get("x-ms-version"); v != "" {
		w.Header().Set("X-Ms-Version", v)
	}
	srv.Serve(&kit.Call{
		W: w, R: r, Account: Account(strings.TrimSuffix(name, "-secondary")), Service: kit.Kind(service), Path: strings.TrimPrefix(r.URL.Path, "/"),
		Version: r.Header.Get("x-ms-version"), Now: l.Now(), Grant: l,
	})
}

// Now is the lab's time.
func (l *Lab) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// Advance moves the clock.
func (l *Lab) Advance(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = l.at.Add(d)
}

// Deny refuses what f says from now on; nil allows everything.
func (l *Lab) Deny(f func(kit.Need) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deny = f
}

// SignIn says how callers have signed in from now on: "SharedKey", "Bearer", …
func (l *Lab) SignIn(how string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.how = how
}

// Needs returns what was asked for since the last call.
func (l *Lab) Needs() []kit.Need {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Clone(l.needs)
	l.needs = nil
	return out
}

// Check implements kit.Grant.
func (l *Lab) Check(n kit.Need) *wire.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.needs = append(l.needs, n)
	if l.deny != nil && l.deny(n) {
		return &wire.Error{Status: http.StatusForbidden, Code: "AuthorizationPermissionMismatch", Message: "This request is not authorized to perform this operation using this permission."}
	}
	return nil
}

// How implements kit.Grant.
func (l *Lab) How() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.how
}

// Options are those of an SDK client that reaches the lab and does not retry.
func (l *Lab) Options() azcore.ClientOptions {
	return azcore.ClientOptions{Transport: l.Client, Retry: policy.RetryOptions{MaxRetries: -1}}
}

// Answer is a raw answer.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request without an SDK. Headers are pairs of name and value.
func (l *Lab) Do(tb testing.TB, method, url, body string, headers ...string) Answer {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := l.Client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return Answer{resp.StatusCode, resp.Header, string(data)}
}
