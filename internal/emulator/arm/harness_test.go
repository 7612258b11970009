package arm_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	tenantA = "aaaaaaaa-0000-0000-0000-000000000001"
	tenantB = "bbbbbbbb-0000-0000-0000-000000000001"
	subA    = "11111111-0000-0000-0000-000000000001"
	subA2   = "11111111-0000-0000-0000-000000000002"
	subB    = "22222222-0000-0000-0000-000000000001"
	groupA  = "/subscriptions/" + subA + "/resourceGroups/rg-App"
	vaultA  = groupA + "/providers/Microsoft.KeyVault/vaults/kv-a"

	kvVersion   = "2024-11-01"
	authVersion = "2022-04-01"
	resVersion  = "2025-04-01"
	subVersion  = "2022-12-01"
)

// principal is a caller; its token says who it is in plain text.
type principal struct{ tenant, object, app, audience string }

var (
	owner  = principal{tenantA, "aaaaaaaa-0000-0000-0000-00000000000a", "aaaaaaaa-0000-0000-0000-0000000000a1", ""}
	reader = principal{tenantA, "aaaaaaaa-0000-0000-0000-00000000000b", "aaaaaaaa-0000-0000-0000-0000000000b1", ""}
	nobody = principal{tenantA, "aaaaaaaa-0000-0000-0000-00000000000c", "aaaaaaaa-0000-0000-0000-0000000000c1", ""}
	ownerB = principal{tenantB, "bbbbbbbb-0000-0000-0000-00000000000a", "bbbbbbbb-0000-0000-0000-0000000000a1", ""}
)

// GetToken implements azcore.TokenCredential.
func (p principal) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	p.audience = strings.TrimSuffix(o.Scopes[0], "/.default")
	return azcore.AccessToken{Token: p.token(), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func (p principal) token() string {
	return strings.Join([]string{p.tenant, p.object, p.app, p.audience}, "|")
}

// tokens verifies the tokens of principals. A token can also be an error to give.
type tokens map[string]error

// Verify implements wire.Tokens.
func (t tokens) Verify(r *http.Request) (wire.Claims, error) {
	token, err := wire.BearerToken(r)
	if err != nil {
		return wire.Claims{}, err
	}
	if err := t[token]; err != nil {
		return wire.Claims{}, err
	}
	f := strings.Split(token, "|")
	if len(f) != 4 {
		return wire.Claims{}, errors.New("not one of ours")
	}
	return wire.Claims{TenantID: f[0], ObjectID: f[1], AppID: f[2], Audience: f[3]}, nil
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a store with two tenants behind a TLS server.
type world struct {
	*arm.Store
	clock   *clock
	client  *http.Client
	options *azarm.ClientOptions
}

func newWorld(t testing.TB, change ...func(*arm.Options)) *world {
	t.Helper()
	w := &world{clock: &clock{now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}}
	opt := arm.Options{Strict: true, Clock: w.clock.Now, Polls: 2, RetryAfter: time.Millisecond, Tokens: tokens{
		"expired": &wire.TokenError{Cause: wire.ErrTokenExpired, Message: "The access token has expired.", At: w.clock.now.Add(-time.Hour)},
		"revoked": &wire.TokenError{Cause: wire.ErrTokenRevoked, Message: "The session has been revoked.", At: w.clock.now, CAE: true},
		"forged":  &wire.TokenError{Cause: wire.ErrTokenInvalid, Message: "Signature verification failed."},
	}}
	for _, c := range change {
		c(&opt)
	}
	w.Store = arm.New(opt)
	w.AddTenant(tenantA, "Contoso", "contoso.onmicrosoft.com")
	w.AddTenant(tenantB, "Fabrikam", "fabrikam.onmicrosoft.com")
	w.AddSubscription(tenantA, subA, "Contoso Production")
	w.AddSubscription(tenantA, subA2, "Contoso Test")
	w.AddSubscription(tenantB, subB, "Fabrikam")
	w.put(t, groupA, map[string]any{"location": "West Europe", "tags": map[string]any{"env": "prod"}})
	w.put(t, vaultA, map[string]any{"tags": map[string]any{"team": "a"}, "properties": map[string]any{"tenantId": tenantA, "sku": map[string]any{"family": "A", "name": "standard"}}})
	w.assign(t, tenantA, owner, "/subscriptions/"+subA, "Owner")
	w.assign(t, tenantA, reader, groupA, "Reader")
	w.assign(t, tenantB, ownerB, "/subscriptions/"+subB, "Owner")

	srv := httptest.NewUnstartedServer(w)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that close their connections
	srv.StartTLS()
	t.Cleanup(srv.Close)
	transport := srv.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, ServerName: "example.com", MinVersion: tls.VersionTLS12}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
	}
	w.client = &http.Client{Transport: transport}
	t.Cleanup(w.client.CloseIdleConnections)
	w.options = &azarm.ClientOptions{ClientOptions: policy.ClientOptions{Transport: w.client, Retry: policy.RetryOptions{MaxRetries: -1}}}
	return w
}

func loose(o *arm.Options) { o.Strict = false }

func (w *world) put(t testing.TB, id string, body map[string]any) {
	t.Helper()
	if err := w.Put(id, body); err != nil {
		t.Fatal(err)
	}
}

func (w *world) assign(t testing.TB, tenant string, p principal, scope, role string) {
	t.Helper()
	if err := w.Assign(tenant, p.object, scope, role); err != nil {
		t.Fatal(err)
	}
}

// answer is what came back on a raw request.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

// code is the error code of an answer.
func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

// message is the error message of an answer.
func (a answer) message() string {
	e, _ := a.body["error"].(map[string]any)
	m, _ := e["message"].(string)
	return m
}

// ids are those of a list.
func (a answer) ids() []string {
	list, _ := a.body["value"].([]any)
	out := make([]string, 0, len(list))
	for _, e := range list {
		id, _ := e.(map[string]any)["id"].(string)
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// field follows a path of names into the body.
func (a answer) field(path ...string) any {
	var v any = a.body
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

// do sends a raw request. A path with a query gets no api-version of its own.
func (w *world) do(t testing.TB, p principal, method, pathAndQuery, body string) answer {
	t.Helper()
	p.audience = "https://management.azure.com/"
	return w.send(t, "Bearer "+p.token(), method, pathAndQuery, body)
}

func (w *world) send(t testing.TB, authorization, method, pathAndQuery, body string) answer {
	t.Helper()
	target := pathAndQuery
	if !strings.HasPrefix(target, "https://") {
		target = "https://management.azure.com" + target
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			t.Fatalf("%s %s: %v in %s", method, pathAndQuery, err, raw)
		}
	}
	return a
}

// wantError checks an answer's status and error code.
func wantError(t testing.TB, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Errorf("answer %d %s, want %d %s", a.status, a.raw, status, code)
	}
}

// wantSDKError checks the status and code of an SDK client's error.
func wantSDKError(t testing.TB, err error, status int, code string) {
	t.Helper()
	var re *azcore.ResponseError
	if !errors.As(err, &re) {
		t.Errorf("error %v, want %d %s", err, status, code)
		return
	}
	if re.StatusCode != status || re.ErrorCode != code {
		t.Errorf("error %d %s, want %d %s", re.StatusCode, re.ErrorCode, status, code)
	}
}

func version(path, v string) string {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return path + sep + "api-version=" + v
}

// planks is a provider of a resource type that no table knows.
type planks struct {
	typ    string
	mu     sync.Mutex
	events []string
	refuse *wire.Error
	hook   func(event string)
}

func (p *planks) note(format string, args ...any) *wire.Error {
	p.mu.Lock()
	event := fmt.Sprintf(format, args...)
	p.events = append(p.events, event)
	refuse, hook := p.refuse, p.hook
	p.mu.Unlock()
	if hook != nil {
		hook(event)
	}
	return refuse
}

func (p *planks) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

// Type implements wire.Provider.
func (p *planks) Type() string { return p.typ }

// Put implements wire.Provider.
func (p *planks) Put(res, old *wire.Resource) *wire.Error {
	props := res.Body["properties"].(map[string]any)
	props["length"] = "made"
	return p.note("put %s old=%v", res.Name, old != nil)
}

// Delete implements wire.Provider.
func (p *planks) Delete(res wire.Resource) *wire.Error { return p.note("delete %s", res.Name) }

// Action implements wire.Provider.
func (p *planks) Action(res wire.Resource, name string, body json.RawMessage) (any, bool, *wire.Error) {
	if name != "listKeys" {
		return nil, false, nil
	}
	return map[string]any{"key": res.Name, "sent": string(body)}, true, p.note("action %s %s", res.Name, name)
}
