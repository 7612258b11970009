package entra_test

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/loopback"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	tenantA = "aaaaaaaa-0000-4000-8000-000000000001"
	tenantB = "bbbbbbbb-0000-4000-8000-000000000001"
	appA    = "aaaaaaaa-0000-4000-8000-000000000002"
	appB    = "bbbbbbbb-0000-4000-8000-000000000002"
	objectA = "aaaaaaaa-0000-4000-8000-000000000003"
	secretA = "p+ss w&rd=%"
	arm     = "https://management.core.windows.net/"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().Truncate(time.Second)} }

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

// site is an authority of two tenants on the loopback interface.
type site struct {
	*entra.Authority
	clock  *clock
	client *http.Client
}

func newSite(t testing.TB) *site {
	t.Helper()
	c := newClock()
	a := entra.New(entra.Options{Clock: c.Now, TokenLifetime: time.Hour})
	a.AddTenant(entra.Tenant{ID: tenantA, Name: "contoso", Domain: "contoso.onmicrosoft.com"})
	a.AddTenant(entra.Tenant{ID: tenantB, Name: "fabrikam", Domain: "fabrikam.onmicrosoft.com"})
	mustAdd(t, a, tenantA, entra.App{AppID: appA, ObjectID: objectA, Secret: secretA, Name: "a"})
	mustAdd(t, a, tenantB, entra.App{AppID: appB, ObjectID: appB, Secret: "secret-b", Name: "b"})
	ca, err := loopback.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv, err := loopback.Start(loopback.Options{Handler: a, CA: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{Authority: a, clock: c, client: &http.Client{Transport: srv.Transport()}}
}

func mustAdd(t testing.TB, a *entra.Authority, tenant string, p entra.App) {
	t.Helper()
	if err := a.AddApp(tenant, p); err != nil {
		t.Fatal(err)
	}
}

// do sends a request and decodes the JSON answer.
func (s *site) do(t testing.TB, req *http.Request) (int, map[string]any) {
	t.Helper()
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatalf("%s: %v in %s", req.URL, err, text)
	}
	return resp.StatusCode, body
}

func (s *site) get(t testing.TB, address string) (int, map[string]any) {
	t.Helper()
	return s.do(t, request(t, http.MethodGet, address, nil))
}

func (s *site) post(t testing.TB, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	return s.do(t, request(t, http.MethodPost, "https://login.microsoftonline.com"+path, form))
}

func request(t testing.TB, method, address string, form url.Values) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// form returns a good request of version 2.0, changed by pairs of key and value; an
// empty value takes the key away.
func form(changes ...string) url.Values {
	v := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {appA}, "client_secret": {secretA},
		"scope": {arm + "/.default openid offline_access profile"},
	}
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return v
}

func (s *site) verify(t testing.TB, token string) (wire.Claims, error) {
	t.Helper()
	req := request(t, http.MethodGet, "https://management.azure.com/", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	return s.Verify(req)
}

func TestClientSecretCredential(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tests := []struct {
		name                string
		tenant, app, secret string
		code                string // "": a token
	}{
		{"good", tenantA, appA, secretA, ""},
		{"by domain", "contoso.onmicrosoft.com", appA, secretA, ""},
		{"wrong secret", tenantA, appA, "nope", "AADSTS7000215"},
		{"wrong tenant", tenantB, appA, secretA, "AADSTS700016"},
		{"unknown app", tenantA, tenantA, secretA, "AADSTS700016"},
		{"unknown tenant", appA, appA, secretA, "AADSTS90002"},
		{"swapped", tenantB, appB, secretA, "AADSTS7000215"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cred, err := azidentity.NewClientSecretCredential(tt.tenant, tt.app, tt.secret, &azidentity.ClientSecretCredentialOptions{
				ClientOptions: policy.ClientOptions{Transport: s.client, Retry: policy.RetryOptions{MaxRetries: -1}},
			})
			if err != nil {
				t.Fatal(err)
			}
			tok, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{arm + "/.default"}})
			if tt.code != "" {
				if err == nil || !strings.Contains(err.Error(), tt.code) {
					t.Fatalf("error %v, want %s", err, tt.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkSignedIn(t, s, tok)
		})
	}
}

func checkSignedIn(t *testing.T, s *site, tok azcore.AccessToken) {
	t.Helper()
	got, err := s.verify(t, tok.Token)
	want := wire.Claims{TenantID: tenantA, ObjectID: objectA, AppID: appA, Audience: arm, Expires: s.clock.Now().Add(time.Hour).UTC()}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Verify: %v\n%s", err, diff)
	}
	if left := time.Until(tok.ExpiresOn); left < 58*time.Minute || left > time.Hour {
		t.Errorf("the client counts %v until expiry", left)
	}
}

// TestTokenByPublicKeys checks a token as a resource does that knows only the metadata.
func TestTokenByPublicKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, answer := s.post(t, "/"+tenantA+"/oauth2/v2.0/token", form("claims", `{"access_token":{"xms_cc":{"values":["CP1"]}}}`))
	raw, _ := answer["access_token"].(string)
	for _, path := range []string{"/" + tenantA, "/common", ""} {
		for _, version := range []string{"/discovery/v2.0/keys", "/discovery/keys"} {
			keys := publicKeys(t, s, "https://login.microsoftonline.com"+path+version)
			claims := jwt.MapClaims{}
			tok, err := jwt.NewParser(
				jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience(arm), jwt.WithIssuer("https://sts.windows.net/"+tenantA+"/"),
				jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.clock.Now),
			).ParseWithClaims(raw, claims, func(tok *jwt.Token) (any, error) {
				kid, _ := tok.Header["kid"].(string)
				return keys[kid], nil
			})
			if err != nil || !tok.Valid {
				t.Fatalf("%s%s: %v", path, version, err)
			}
			checkClaims(t, s, claims)
		}
	}
}

func checkClaims(t *testing.T, s *site, got jwt.MapClaims) {
	t.Helper()
	now := float64(s.clock.Now().Unix())
	want := jwt.MapClaims{
		"aud": arm, "iss": "https://sts.windows.net/" + tenantA + "/", "idp": "https://sts.windows.net/" + tenantA + "/",
		"iat": now, "nbf": now, "exp": now + 3600, "appid": appA, "appidacr": "1", "idtyp": "app",
		"oid": objectA, "sub": objectA, "tid": tenantA, "ver": "1.0", "xms_cc": []any{"CP1"},
	}
	for _, opaque := range []string{"uti", "aio", "rh"} {
		if v, ok := got[opaque].(string); !ok || v == "" {
			t.Errorf("no claim %s", opaque)
		}
		delete(got, opaque)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func publicKeys(t *testing.T, s *site, address string) map[string]*rsa.PublicKey {
	t.Helper()
	status, body := s.get(t, address)
	list, _ := body["keys"].([]any)
	if status != http.StatusOK || len(list) == 0 {
		t.Fatalf("%s: %d %v", address, status, body)
	}
	out := map[string]*rsa.PublicKey{}
	for _, element := range list {
		k, _ := element.(map[string]any)
		text := func(name string) string { v, _ := k[name].(string); return v }
		n, err1 := base64.RawURLEncoding.DecodeString(text("n"))
		e, err2 := base64.RawURLEncoding.DecodeString(text("e"))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		out[text("kid")] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return out
}

func TestTokenEndpointRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// Adding a tenant again keeps its applications.
	s.AddTenant(entra.Tenant{ID: tenantA, Name: "contoso", Domain: "contoso.onmicrosoft.com"})
	old, off := "aaaaaaaa-0000-4000-8000-00000000000a", "aaaaaaaa-0000-4000-8000-00000000000b"
	mustAdd(t, s.Authority, tenantA, entra.App{AppID: old, Secret: "x", SecretExpires: s.clock.Now()})
	mustAdd(t, s.Authority, tenantA, entra.App{AppID: off, Secret: "x", Name: "off", Disabled: true})
	v2, v1 := "/"+tenantA+"/oauth2/v2.0/token", "/"+tenantA+"/oauth2/token"
	tests := []struct {
		name   string
		path   string
		form   url.Values
		status int
		oauth  string
		code   float64
	}{
		{"no grant type", v2, form("grant_type", ""), 400, "invalid_request", 900144},
		{"other grant type", v2, form("grant_type", "saml"), 400, "unsupported_grant_type", 70003},
		{"a user", v2, form("grant_type", "password", "username", "u@contoso.com"), 400, "invalid_grant", 50034},
		{"a user at common", "/common/oauth2/token", form("grant_type", "password"), 400, "invalid_grant", 50034},
		{"a user nowhere", "/x.example.com/oauth2/token", form("grant_type", "password"), 400, "invalid_request", 90002},
		{"a code", v2, form("grant_type", "authorization_code"), 400, "invalid_grant", 70000},
		{"no client", v2, form("client_id", ""), 400, "invalid_request", 900144},
		{"unknown client", v2, form("client_id", "x"), 400, "unauthorized_client", 700016},
		{"disabled client", v2, form("client_id", off), 400, "unauthorized_client", 7000112},
		{"no secret", v2, form("client_secret", ""), 401, "invalid_client", 7000216},
		{"wrong secret", v2, form("client_secret", "x"), 401, "invalid_client", 7000215},
		{"old secret", v2, form("client_id", old, "client_secret", "x"), 401, "invalid_client", 7000222},
		{"no scope", v2, form("scope", ""), 400, "invalid_request", 900144},
		{"only OpenID scopes", v2, form("scope", "openid profile"), 400, "invalid_scope", 1002012},
		{"not .default", v2, form("scope", "https://vault.azure.net/user_impersonation"), 400, "invalid_scope", 1002012},
		{"nameless", v2, form("scope", "/.default"), 400, "invalid_scope", 70011},
		{"mixed", v2, form("scope", "https://vault.azure.net/.default https://vault.azure.net/x"), 400, "invalid_scope", 70011},
		{"two resources", v2, form("scope", "https://vault.azure.net/.default https://storage.azure.com/.default"), 400, "invalid_request", 28000},
		{"unknown resource", v2, form("scope", "https://kv1.vault.azure.net/.default"), 400, "invalid_resource", 500011},
		{"v1 no resource", v1, form(), 400, "invalid_request", 900144},
		{"v1 unknown resource", v1, form("resource", "https://example.com"), 400, "invalid_resource", 500011},
		{"common", "/common/oauth2/v2.0/token", form(), 400, "invalid_request", 50059},
		{"unknown tenant", "/" + appA + "/oauth2/v2.0/token", form(), 400, "invalid_request", 90002},
		{"no tenant form", "/what/oauth2/v2.0/token", form(), 400, "invalid_request", 900023},
		{"device code", "/" + tenantA + "/oauth2/v2.0/devicecode", form(), 401, "invalid_client", 70002},
		{"device code, unknown client", "/" + tenantA + "/oauth2/v2.0/devicecode", form("client_id", "x"), 400, "unauthorized_client", 700016},
		{"no such endpoint", "/" + tenantA + "/oauth2/v9", form(), 404, "invalid_request", 90019},
		{"wrong method", "/" + tenantA + "/discovery/keys", form(), 400, "invalid_request", 900561},
		{"broken assertion", v2, form("client_secret", "", "client_assertion", "x"), 400, "invalid_request", 50027},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, body := s.post(t, tt.path, tt.form)
			codes, _ := body["error_codes"].([]any)
			if status != tt.status || body["error"] != tt.oauth || len(codes) != 1 || codes[0] != tt.code {
				t.Fatalf("%d %v", status, body)
			}
			for _, key := range []string{"timestamp", "trace_id", "correlation_id", "error_uri"} {
				if v, _ := body[key].(string); v == "" {
					t.Errorf("no %s", key)
				}
			}
		})
	}
}

func TestVersion1AndBasic(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	req := request(t, http.MethodPost, "https://login.windows.net/contoso.onmicrosoft.com/oauth2/token",
		form("client_id", "", "client_secret", "", "scope", "", "resource", "https://vault.azure.net"))
	req.SetBasicAuth(url.QueryEscape(appA), url.QueryEscape(secretA))
	status, body := s.do(t, req)
	raw, _ := body["access_token"].(string)
	if status != http.StatusOK || body["expires_in"] != "3600" || body["resource"] != "https://vault.azure.net" || body["token_type"] != "Bearer" {
		t.Fatalf("%d %v", status, body)
	}
	if c, err := s.verify(t, raw); err != nil || c.Audience != "https://vault.azure.net" {
		t.Errorf("%+v %v", c, err)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	host := "https://login.microsoftonline.com/"
	tests := []struct{ path, issuer, token string }{
		{tenantA + "/v2.0", host + tenantA + "/v2.0", host + tenantA + "/oauth2/v2.0/token"},
		{"contoso.onmicrosoft.com/v2.0", host + tenantA + "/v2.0", host + tenantA + "/oauth2/v2.0/token"},
		{"common/v2.0", host + "{tenantid}/v2.0", host + "common/oauth2/v2.0/token"},
		{"organizations/v2.0", host + "{tenantid}/v2.0", host + "organizations/oauth2/v2.0/token"},
		{tenantB, "https://sts.windows.net/" + tenantB + "/", host + tenantB + "/oauth2/token"},
		{"common", "https://sts.windows.net/{tenantid}/", host + "common/oauth2/token"},
	}
	for _, tt := range tests {
		status, body := s.get(t, host+tt.path+"/.well-known/openid-configuration")
		if status != http.StatusOK || body["issuer"] != tt.issuer || body["token_endpoint"] != tt.token {
			t.Errorf("%s: %d %v", tt.path, status, body)
		}
		if keys, _ := body["jwks_uri"].(string); len(publicKeys(t, s, keys)) == 0 {
			t.Errorf("%s: no keys at %s", tt.path, keys)
		}
	}
	for _, path := range []string{appA + "/v2.0/.well-known/openid-configuration", appA + "/discovery/keys"} {
		if status, body := s.get(t, host+path); status != http.StatusBadRequest || body["error"] != "invalid_request" {
			t.Errorf("%s: %d %v", path, status, body)
		}
	}
}

func TestInstanceDiscovery(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	base := "https://login.microsoftonline.com/common/discovery/instance?api-version=1.1&authorization_endpoint="
	status, body := s.get(t, base+url.QueryEscape("https://login.microsoftonline.com/"+tenantA+"/oauth2/v2.0/authorize"))
	if want := "https://login.microsoftonline.com/" + tenantA + "/v2.0/.well-known/openid-configuration"; status != http.StatusOK || body["tenant_discovery_endpoint"] != want {
		t.Errorf("%d %v", status, body)
	}
	if list, _ := body["metadata"].([]any); len(list) != 3 {
		t.Errorf("metadata %v", body["metadata"])
	}
	for _, bad := range []string{"", "https://example.com/x", "http://login.microsoftonline.com/x", "%zz"} {
		if status, body := s.get(t, base+bad); status != http.StatusBadRequest || body["error"] != "invalid_instance" {
			t.Errorf("%q: %d %v", bad, status, body)
		}
	}
}

func TestUserRealmAndAuthorize(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for user, want := range map[string]string{"u@contoso.onmicrosoft.com": "Managed", "u@example.com": "Unknown", "u": "Unknown"} {
		if status, body := s.get(t, "https://login.microsoftonline.com/common/UserRealm/"+user+"?api-version=1.0"); status != http.StatusOK || body["account_type"] != want {
			t.Errorf("%s: %d %v", user, status, body)
		}
	}
	for query, want := range map[string]string{"client_id=" + appA: "invalid_grant", "client_id=x": "unauthorized_client"} {
		if _, body := s.get(t, "https://login.microsoftonline.com/"+tenantA+"/oauth2/v2.0/authorize?"+query); body["error"] != want {
			t.Errorf("%s: %v", query, body)
		}
	}
}

func TestVerifyRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	good, err := s.Token(tenantA, appA, arm)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsaToken(tenantA)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	tests := []struct {
		name, header string
		want         error
	}{
		{"none", "", wire.ErrNoToken},
		{"basic", "Basic eDp5", wire.ErrNotBearer},
		{"empty", "Bearer ", wire.ErrNotBearer},
		{"no token", "Bearer x", wire.ErrTokenInvalid},
		{"foreign key", "Bearer " + other, wire.ErrTokenInvalid},
		{"changed", "Bearer " + parts[0] + "." + strings.ToUpper(parts[1]) + "." + parts[2], wire.ErrTokenInvalid},
		{"unsigned", "Bearer " + base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", wire.ErrTokenInvalid},
	}
	for _, tt := range tests {
		req := request(t, http.MethodGet, "https://management.azure.com/", nil)
		if tt.header != "" {
			req.Header.Set("Authorization", tt.header)
		}
		if _, err := s.Verify(req); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if c, ok := s.Caller(req); ok {
			t.Errorf("%s: caller %+v", tt.name, c)
		}
	}
}

// rsaToken is signed by somebody else, under no known key ID.
func rsaToken(tenant string) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"tid": tenant, "iss": "https://sts.windows.net/" + tenant + "/", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte("x"))
}

func TestTokensDie(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kill func(s *site)
		want error
	}{
		{"expired", func(s *site) { s.clock.Add(time.Hour) }, wire.ErrTokenExpired},
		{"not yet", func(s *site) { s.clock.Add(-time.Second) }, wire.ErrTokenInvalid},
		{"revoked", func(s *site) { s.RevokeTokens(strings.ToUpper(appA)) }, wire.ErrTokenRevoked},
		{"app removed", func(s *site) { s.RemoveApp("contoso.onmicrosoft.com", appA) }, wire.ErrTokenRevoked},
		{"alive", func(s *site) { s.clock.Add(time.Hour - time.Second); s.RevokeTokens(appB) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			token, err := s.Token("contoso.onmicrosoft.com", appA, "https://vault.azure.net")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.verify(t, token); err != nil {
				t.Fatalf("before: %v", err)
			}
			tt.kill(s)
			if _, err := s.verify(t, token); !errors.Is(err, tt.want) {
				t.Errorf("after: %v, want %v", err, tt.want)
			}
			req := request(t, http.MethodGet, "https://management.azure.com/", nil)
			req.Header.Set("Authorization", "bearer "+token)
			if c, ok := s.Caller(req); !ok || c.AppID != appA {
				t.Errorf("Caller: %+v %v", c, ok)
			}
		})
	}
}

func TestRevokedThenNew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	caps := `{"access_token":{"xms_cc":{"values":["CP1"]}}}`
	_, answer := s.post(t, "/"+tenantA+"/oauth2/v2.0/token", form("claims", caps))
	first, _ := answer["access_token"].(string)
	s.RevokeTokens(appA)
	_, err := s.verify(t, first)
	var refused *wire.TokenError
	if !errors.As(err, &refused) || !strings.Contains(refused.Challenge(), `error="insufficient_claims", claims="`) {
		t.Fatalf("%v", err)
	}
	_, answer = s.post(t, "/"+tenantA+"/oauth2/v2.0/token", form("claims", caps))
	second, _ := answer["access_token"].(string)
	if _, err := s.verify(t, second); err != nil {
		t.Errorf("a token after the revocation, in the same second: %v", err)
	}
	plain, err := s.Token(tenantA, appA, arm)
	if err != nil {
		t.Fatal(err)
	}
	s.RevokeTokens(appA)
	if _, err = s.verify(t, plain); !errors.As(err, &refused) || !strings.HasPrefix(refused.Challenge(), `error="invalid_token"`) {
		t.Errorf("without CP1: %v", err)
	}
}

func TestScriptedExpiry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token, err := s.Token(tenantA, appA, arm)
	if err != nil {
		t.Fatal(err)
	}
	req := request(t, http.MethodGet, "https://management.azure.com/", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	if _, err := s.Verify(req.WithContext(wire.WithExpiredToken(context.Background()))); !errors.Is(err, wire.ErrTokenExpired) {
		t.Errorf("%v", err)
	}
}

func TestTokenForUnknowns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.AddResource("https://toy.azure.net/")
	tests := []struct {
		name, tenant, app, audience, want string
	}{
		{"added resource", tenantA, appA, "https://toy.azure.net", ""},
		{"an account", tenantA, appA, "https://acme.documents.azure.com", ""},
		{"tenant", appA, appA, arm, "AADSTS90002"},
		{"app", tenantA, appB, arm, "AADSTS700016"},
		{"resource", tenantA, appA, "https://other.azure.net", "AADSTS500011"},
	}
	for _, tt := range tests {
		_, err := s.Token(tt.tenant, tt.app, tt.audience)
		if (err == nil) != (tt.want == "") || (err != nil && !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := s.AddApp("nowhere", entra.App{}); err == nil {
		t.Error("an application without a tenant was added")
	}
	if got, ok := s.TenantOf("FABRIKAM"); !ok || got.ID != tenantB {
		t.Errorf("TenantOf: %+v %v", got, ok)
	}
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for status, code := range map[int]float64{429: 90055, 503: 90033} {
		w := newRecorder()
		s.WriteError(w, request(t, http.MethodPost, "https://login.microsoftonline.com/x", nil), &wire.Error{Status: status, Header: map[string]string{"Retry-After": "3"}})
		var body map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		codes, _ := body["error_codes"].([]any)
		if w.Code != status || len(codes) != 1 || codes[0] != code || w.Header().Get("Retry-After") != "3" {
			t.Errorf("%d: %d %v", status, w.Code, body)
		}
	}
}
