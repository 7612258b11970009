package entra

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// payload is an app-only access token of version 1.0 ("Access token claims reference").
type payload struct {
	Audience  string   `json:"aud"`
	Issuer    string   `json:"iss"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	Expires   int64    `json:"exp"`
	AIO       string   `json:"aio"`
	AppID     string   `json:"appid"`
	AppIDACR  string   `json:"appidacr"` // "1": secret, "2": certificate
	IDP       string   `json:"idp"`
	IDType    string   `json:"idtyp"` // "app"
	ObjectID  string   `json:"oid"`
	RH        string   `json:"rh"` // opaque to everybody but the issuer: holds the generation
	Subject   string   `json:"sub"`
	TenantID  string   `json:"tid"`
	UTI       string   `json:"uti"` // unique per token
	Version   string   `json:"ver"`
	XMSCC     []string `json:"xms_cc,omitempty"` // client capabilities
}

// The six getters make payload a jwt.Claims. Times are checked by check, with the
// authority's clock.
func (p *payload) GetExpirationTime() (*jwt.NumericDate, error) { return numericDate(p.Expires), nil }

func (p *payload) GetIssuedAt() (*jwt.NumericDate, error) { return numericDate(p.IssuedAt), nil }

func (p *payload) GetNotBefore() (*jwt.NumericDate, error) { return numericDate(p.NotBefore), nil }
func (p *payload) GetIssuer() (string, error)              { return p.Issuer, nil }
func (p *payload) GetSubject() (string, error)             { return p.Subject, nil }
func (p *payload) GetAudience() (jwt.ClaimStrings, error)  { return jwt.ClaimStrings{p.Audience}, nil }

func numericDate(sec int64) *jwt.NumericDate { return jwt.NewNumericDate(time.Unix(sec, 0)) }

func (p *payload) claims() wire.Claims {
	return wire.Claims{
		TenantID: p.TenantID, ObjectID: p.ObjectID, AppID: p.AppID,
		Audience: p.Audience, Expires: time.Unix(p.Expires, 0).UTC(),
	}
}

// grant is what a token is issued for.
type grant struct {
	tenant       Tenant
	app          app
	audience     string
	issuerHost   string
	certificate  bool     // the client proved itself by an assertion
	capabilities []string // xms_cc
}

// Token issues a token for an application as the token endpoint would, without asking
// for its secret; for seeding and tests. The audience is a resource ("https://vault.azure.net").
func (a *Authority) Token(tenantID, appID, audience string) (string, error) {
	t, fault := a.tenantFor(tenantID)
	if fault != nil {
		return "", fault
	}
	p, ok := a.appFor(t.ID, appID)
	if !ok {
		return "", errAppUnknown(appID, t)
	}
	if !a.knowsResource(audience) {
		return "", errResourceUnknown(audience, t)
	}
	token, _, err := a.issue(grant{tenant: t, app: p, audience: audience, issuerHost: instances[0].issuer})
	return token, err
}

func (a *Authority) issue(g grant) (token string, p *payload, err error) {
	k, err := signer()
	if err != nil {
		return "", nil, err
	}
	now := a.clock()
	issuer := issuerV1(g.issuerHost, g.tenant.ID)
	p = &payload{
		Audience: g.audience, Issuer: issuer, IDP: issuer,
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(a.lifetime).Unix(),
		AIO: opaque(24), AppID: g.app.AppID, AppIDACR: "1", IDType: "app",
		ObjectID: g.app.ObjectID, Subject: g.app.ObjectID, TenantID: g.tenant.ID,
		RH: "1." + strconv.Itoa(g.app.generation) + "." + opaque(12), UTI: opaque(16), Version: "1.0",
		XMSCC: g.capabilities,
	}
	if g.certificate {
		p.AppIDACR = "2"
	}
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, p)
	t.Header["kid"], t.Header["x5t"] = k.kid, k.kid
	token, err = t.SignedString(k.key)
	if err != nil {
		return "", nil, fmt.Errorf("entra: sign: %w", err)
	}
	return token, p, nil
}

func opaque(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

func issuerV1(host, tenantID string) string { return "https://" + host + "/" + tenantID + "/" }

// Verify implements wire.Tokens. The audience is not checked.
func (a *Authority) Verify(r *http.Request) (wire.Claims, error) {
	raw, err := wire.BearerToken(r)
	if err != nil {
		return wire.Claims{}, err
	}
	p, err := a.parse(raw)
	if err != nil {
		return wire.Claims{}, err
	}
	if wire.HasExpiredToken(r.Context()) {
		return wire.Claims{}, a.expired(a.clock().Add(-time.Second))
	}
	if err := a.check(p); err != nil {
		return wire.Claims{}, err
	}
	return p.claims(), nil
}

// Caller says whose token a request bears, however stale: for the request log. It
// is false without a token that this authority has signed.
func (a *Authority) Caller(r *http.Request) (wire.Claims, bool) {
	raw, err := wire.BearerToken(r)
	if err != nil {
		return wire.Claims{}, false
	}
	p, err := a.parse(raw)
	if err != nil {
		return wire.Claims{}, false
	}
	return p.claims(), true
}

// parse checks form and signature alone, once per token.
func (a *Authority) parse(raw string) (*payload, error) {
	if p := a.verified.get(raw); p != nil {
		return p, nil
	}
	k, err := signer()
	if err != nil {
		return nil, err
	}
	p := &payload{}
	_, err = jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation()).
		ParseWithClaims(raw, p, func(t *jwt.Token) (any, error) {
			if t.Header["kid"] != k.kid {
				return nil, errors.New("the signing key is not known")
			}
			return &k.key.PublicKey, nil
		})
	if err != nil {
		return nil, invalid("The access token is invalid: " + err.Error())
	}
	a.verified.put(raw, p)
	return p, nil
}

// check asks for issuer, times and revocation.
func (a *Authority) check(p *payload) error {
	now := a.clock()
	if !issuedFor(p.TenantID, p.Issuer) {
		return invalid(fmt.Sprintf("The access token is from the wrong issuer '%s'.", p.Issuer))
	}
	if now.Before(time.Unix(p.NotBefore, 0)) {
		return invalid(fmt.Sprintf("The access token is not valid before UTC time '%s'; it is '%s'.", clockText(time.Unix(p.NotBefore, 0)), clockText(now)))
	}
	if end := time.Unix(p.Expires, 0); !now.Before(end) {
		return a.expired(end)
	}
	known, ok := a.appFor(p.TenantID, p.AppID)
	gen, _, _ := strings.Cut(strings.TrimPrefix(p.RH, "1."), ".")
	if ok && gen == strconv.Itoa(known.generation) {
		return nil
	}
	at := known.revoked
	if !ok {
		at = now
	}
	return &wire.TokenError{Cause: wire.ErrTokenRevoked, Message: "The access token has been revoked.", At: at, CAE: len(p.XMSCC) > 0}
}

func issuedFor(tenantID, issuer string) bool {
	for _, in := range instances {
		if issuer == issuerV1(in.issuer, tenantID) {
			return true
		}
	}
	return false
}

func invalid(message string) error {
	return &wire.TokenError{Cause: wire.ErrTokenInvalid, Message: message}
}

// expired is worded as ARM words it.
func (a *Authority) expired(end time.Time) error {
	return &wire.TokenError{
		Cause: wire.ErrTokenExpired, At: end,
		Message: fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", clockText(end), clockText(a.clock())),
	}
}

func clockText(t time.Time) string { return t.UTC().Format("1/2/2006 3:04:05 PM") }

// tokenCache remembers tokens whose signature was found good, so that a request costs
// one RSA verification per token and not one per call.
type tokenCache struct {
	mu sync.Mutex
	m  map[string]*payload
}

const tokenCacheSize = 4096

func (c *tokenCache) get(raw string) *payload {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[raw]
}

func (c *tokenCache) put(raw string, p *payload) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || len(c.m) >= tokenCacheSize {
		c.m = map[string]*payload{}
	}
	c.m[raw] = p
}
