package keyvault_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	tenantA = "aaaaaaaa-0000-4000-8000-000000000001"
	tenantB = "bbbbbbbb-0000-4000-8000-000000000002"
	subA    = "11111111-0000-4000-8000-00000000000a"
	subB    = "22222222-0000-4000-8000-00000000000b"
	oidA    = "0b1ec700-0000-4000-8000-00000000000a"
)

// start is where the laboratory's clock begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// lab is a service behind TLS with a clock, tokens and role assignments of its own.
type lab struct {
	svc    *keyvault.Service
	client *http.Client

	mu    sync.Mutex
	at    time.Time
	grant func(scope, action string) bool
}

// newLab starts a service. The zero options get the laboratory's clock, tokens and access.
func newLab(tb testing.TB, opt keyvault.Options) *lab {
	tb.Helper()
	l := &lab{at: start, grant: func(string, string) bool { return true }}
	opt.Clock, opt.Tokens, opt.Access = l.now, l, l
	l.svc = keyvault.New(opt)
	srv := httptest.NewTLSServer(l.svc)
	tb.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	l.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			host, _, _ := net.SplitHostPort(addr)
			if !l.svc.Owns(host) {
				return nil, errors.New("the laboratory has no host " + addr)
			}
			return (&net.Dialer{}).DialContext(ctx, "tcp", srv.Listener.Addr().String())
		},
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12},
	}}
	tb.Cleanup(l.client.CloseIdleConnections)
	return l
}

func (l *lab) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

func (l *lab) advance(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = l.at.Add(d)
}

// allow replaces what every caller may do.
func (l *lab) allow(f func(scope, action string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grant = f
}

// Allowed implements wire.Access.
func (l *lab) Allowed(_ wire.Claims, scope, action string, data bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return data && l.grant(scope, action)
}

// Verify implements wire.Tokens: a token of the laboratory is the JSON of its claims.
func (l *lab) Verify(r *http.Request) (wire.Claims, error) {
	token, err := wire.BearerToken(r)
	if err != nil {
		return wire.Claims{}, err
	}
	var c wire.Claims
	if err := json.Unmarshal([]byte(token), &c); err != nil {
		return c, &wire.TokenError{Cause: wire.ErrTokenInvalid, Message: "not a token"}
	}
	if !c.Expires.IsZero() && c.Expires.Before(start) {
		return c, &wire.TokenError{Cause: wire.ErrTokenExpired, Message: "expired", At: c.Expires}
	}
	return c, nil
}

func token(tenant, aud string) string {
	data, err := json.Marshal(wire.Claims{TenantID: tenant, ObjectID: oidA, AppID: "app", Audience: aud})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// identity is a credential of one tenant that takes what the challenge asks for.
type identity struct{ tenant string }

func (i identity) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	tenant := i.tenant
	if tenant == "" {
		tenant = o.TenantID
	}
	aud := strings.TrimSuffix(o.Scopes[0], "/.default")
	return azcore.AccessToken{Token: token(tenant, aud), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func vaultID(sub, name string) string {
	return "/subscriptions/" + sub + "/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/" + name
}

// resource is a vault as ARM would hand it over; props go over a standard RBAC vault's.
func resource(name string, props map[string]any) *wire.Resource {
	p := map[string]any{
		"tenantId": tenantA, "sku": map[string]any{"family": "A", "name": "standard"}, "enableRbacAuthorization": true,
	}
	for k, v := range props {
		if v == nil {
			delete(p, k)
			continue
		}
		p[k] = v
	}
	tenant, sub := tenantA, subA
	if p["tenantId"] == tenantB {
		tenant, sub = tenantB, subB
	}
	return &wire.Resource{
		ID: vaultID(sub, name), TenantID: tenant, Type: "Microsoft.KeyVault/vaults", Name: name,
		Body: map[string]any{"location": "westeurope", "properties": p},
	}
}

// vault makes a vault and returns it.
func (l *lab) vault(tb testing.TB, name string, props map[string]any) *wire.Resource {
	tb.Helper()
	res := resource(name, props)
	if err := l.svc.Put(res, nil); err != nil {
		tb.Fatalf("make vault %s: %v", name, err)
	}
	return res
}

func (l *lab) options() azcore.ClientOptions {
	return azcore.ClientOptions{Transport: l.client, Retry: policy.RetryOptions{MaxRetries: -1}}
}

func (l *lab) secrets(tb testing.TB, name string) *azsecrets.Client {
	tb.Helper()
	c, err := azsecrets.NewClient("https://"+name+".vault.azure.net", identity{}, &azsecrets.ClientOptions{ClientOptions: l.options()})
	check(tb, err)
	return c
}

func (l *lab) keys(tb testing.TB, name string) *azkeys.Client {
	tb.Helper()
	c, err := azkeys.NewClient("https://"+name+".vault.azure.net", identity{}, &azkeys.ClientOptions{ClientOptions: l.options()})
	check(tb, err)
	return c
}

func (l *lab) certs(tb testing.TB, name string) *azcertificates.Client {
	tb.Helper()
	c, err := azcertificates.NewClient("https://"+name+".vault.azure.net", identity{}, &azcertificates.ClientOptions{ClientOptions: l.options()})
	check(tb, err)
	return c
}

// answer is a raw answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// code and inner are the error codes of an answer's body.
func (a answer) code(tb testing.TB) (code, inner, message string) {
	tb.Helper()
	var e struct {
		Error struct {
			Code       string
			Message    string
			Innererror struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(a.body), &e); err != nil {
		tb.Fatalf("answer %d is no error body: %q", a.status, a.body)
	}
	return e.Error.Code, e.Error.Innererror.Code, e.Error.Message
}

// raw sends a request without an SDK; tok "" sends none.
func (l *lab) raw(tb testing.TB, method, url, tok, body string) answer {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	check(tb, err)
	if tok != "" {
		req.Header.Set("Authorization", "Bearer "+tok)
	}
	resp, err := l.client.Do(req)
	check(tb, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	check(tb, err)
	return answer{resp.StatusCode, resp.Header, string(data)}
}

// call is raw with a good token on a path of the vault "kv1".
func (l *lab) call(tb testing.TB, method, path, body string) answer {
	tb.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return l.raw(tb, method, "https://kv1.vault.azure.net/"+path+sep+"api-version=2025-07-01", token(tenantA, "https://vault.azure.net"), body)
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// wantError checks status, code and inner code of an SDK error.
func wantError(tb testing.TB, err error, status int, code, inner string) {
	tb.Helper()
	var re *azcore.ResponseError
	if !errors.As(err, &re) {
		tb.Fatalf("error is %v, want a ResponseError %d %s", err, status, code)
	}
	if re.StatusCode != status || re.ErrorCode != code {
		tb.Errorf("error is %d %s, want %d %s: %v", re.StatusCode, re.ErrorCode, status, code, err)
	}
	if inner != "" && !strings.Contains(err.Error(), `"`+inner+`"`) {
		tb.Errorf("inner code %s is not in: %v", inner, err)
	}
}
