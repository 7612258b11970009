package entra

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// maxForm bounds a token request.
const maxForm = 1 << 20

// tokenV2 is the answer of /oauth2/v2.0/token.
type tokenV2 struct {
	Type       string `json:"token_type"`
	ExpiresIn  int64  `json:"expires_in"` // seconds
	ExtExpires int64  `json:"ext_expires_in"`
	Token      string `json:"access_token"`
}

// tokenV1 is the answer of /oauth2/token, whose numbers are texts.
type tokenV1 struct {
	Type       string `json:"token_type"`
	ExpiresIn  string `json:"expires_in"`
	ExtExpires string `json:"ext_expires_in"`
	ExpiresOn  string `json:"expires_on"` // Unix seconds
	NotBefore  string `json:"not_before"`
	Resource   string `json:"resource"`
	Token      string `json:"access_token"`
}

// token is the token endpoint of both versions.
func (a *Authority) token(w http.ResponseWriter, r *http.Request, in call) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	g, fault := a.authenticate(w, r, in)
	if fault != nil {
		a.fail(w, r, fault)
		return
	}
	token, p, err := a.issue(g)
	if err != nil {
		a.fail(w, r, errInternal(err))
		return
	}
	w.Header().Set("Pragma", "no-cache")
	seconds := p.Expires - p.IssuedAt
	if in.v2 {
		wire.WriteJSON(w, http.StatusOK, tokenV2{"Bearer", seconds, seconds, token})
		return
	}
	text := strconv.FormatInt(seconds, 10)
	wire.WriteJSON(w, http.StatusOK, tokenV1{
		Type: "Bearer", ExpiresIn: text, ExtExpires: text, Resource: p.Audience, Token: token,
		ExpiresOn: strconv.FormatInt(p.Expires, 10), NotBefore: strconv.FormatInt(p.NotBefore, 10),
	})
}

// authenticate turns a token request into a grant; w only notes who asks.
func (a *Authority) authenticate(w http.ResponseWriter, r *http.Request, in call) (grant, *stsError) {
	if err := r.ParseForm(); err != nil {
		return grant{}, errParameter("grant_type")
	}
	if fault := a.grantType(r, in); fault != nil {
		return grant{}, fault
	}
	t, p, fault := a.client(r, in)
	if fault != nil {
		return grant{}, fault
	}
	wire.NoteCaller(w, t.ID, p.AppID)
	g := grant{tenant: t, app: p, issuerHost: in.cloud.issuer}
	if g.certificate, fault = a.prove(r, in, t, p); fault != nil {
		return grant{}, fault
	}
	if g.audience, fault = a.audience(r, in, t); fault != nil {
		return grant{}, fault
	}
	g.capabilities = capabilities(r.PostForm.Get("claims"))
	return g, nil
}

// grantType lets client credentials pass; other grants fail as they would for users and
// codes that do not exist.
func (a *Authority) grantType(r *http.Request, in call) *stsError {
	switch kind := r.PostForm.Get("grant_type"); kind {
	case "client_credentials":
		return nil
	case "":
		return errParameter("grant_type")
	case "password":
		t, fault := a.visible(in.segment)
		if fault != nil {
			return fault
		}
		return errNoUser(r.PostForm.Get("username"), t)
	case "authorization_code", "refresh_token", "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		return errGrantInvalid()
	default:
		return errGrantType(kind)
	}
}

// client finds tenant and application of a request.
func (a *Authority) client(r *http.Request, in call) (Tenant, app, *stsError) {
	t, fault := a.tenantFor(in.segment)
	if fault != nil {
		return Tenant{}, app{}, fault
	}
	id, _ := clientPair(r)
	if id == "" {
		return Tenant{}, app{}, errParameter("client_id")
	}
	p, ok := a.appFor(t.ID, id)
	if !ok {
		return Tenant{}, app{}, errAppUnknown(id, t)
	}
	if p.Disabled {
		return Tenant{}, app{}, errAppDisabled(p.App)
	}
	return t, p, nil
}

// clientPair reads client ID and secret from the form, or else from HTTP Basic, whose
// parts are form-encoded (RFC 6749, 2.3.1).
func clientPair(r *http.Request) (id, secret string) {
	id, secret = r.FormValue("client_id"), r.PostFormValue("client_secret")
	user, password, ok := r.BasicAuth()
	if !ok {
		return id, secret
	}
	if id == "" {
		id = formDecode(user)
	}
	if secret == "" {
		secret = formDecode(password)
	}
	return id, secret
}

func formDecode(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// prove checks the client's secret or assertion; certificate tells which it was.
func (a *Authority) prove(r *http.Request, in call, t Tenant, p app) (certificate bool, fault *stsError) {
	if assertion := r.PostForm.Get("client_assertion"); assertion != "" {
		return true, a.checkAssertion(assertion, in, t, p.App)
	}
	_, secret := clientPair(r)
	if secret == "" {
		return false, errNoCredential()
	}
	if p.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(p.Secret)) != 1 {
		return false, errSecret(p.AppID)
	}
	if !until(p.SecretExpires, a.clock()) {
		return false, errSecretExpired(p.AppID)
	}
	return false, nil
}

// audience is the token's aud: the scope without "/.default" (v2) or the resource as
// asked for (v1).
func (a *Authority) audience(r *http.Request, in call, t Tenant) (string, *stsError) {
	resource := r.PostForm.Get("resource")
	if in.v2 {
		var fault *stsError
		if resource, fault = scopeResource(r.PostForm.Get("scope")); fault != nil {
			return "", fault
		}
	}
	if resource == "" {
		return "", errParameter("resource")
	}
	if !a.knowsResource(resource) {
		return "", errResourceUnknown(resource, t)
	}
	return resource, nil
}

// scopeResource takes the one resource out of a scope parameter. OpenID's own scopes are
// let through: MSAL for Go sends them.
func scopeResource(scope string) (string, *stsError) {
	fields := slices.DeleteFunc(strings.Fields(scope), func(s string) bool {
		return slices.Contains([]string{"openid", "offline_access", "profile", "email"}, s)
	})
	if strings.TrimSpace(scope) == "" {
		return "", errParameter("scope")
	}
	if len(fields) == 0 {
		return "", errScopeForm(scope)
	}
	resource, ok := strings.CutSuffix(fields[0], "/.default")
	switch {
	case len(fields) > 1 && ok && strings.HasPrefix(fields[1], resource+"/"):
		return "", errScopeInvalid(scope, ".default scope can't be combined with resource-specific scopes.")
	case len(fields) > 1:
		return "", errScopeResources(scope)
	case !ok:
		return "", errScopeForm(fields[0])
	case resource == "":
		return "", errScopeInvalid(scope, "It names no resource.")
	}
	return resource, nil
}

// capabilities reads xms_cc out of the claims parameter; a claims parameter of another
// form asks for nothing.
func capabilities(claims string) []string {
	var asked struct {
		AccessToken struct {
			Caps struct {
				Values []string `json:"values"`
			} `json:"xms_cc"`
		} `json:"access_token"`
	}
	if claims == "" || json.Unmarshal([]byte(claims), &asked) != nil {
		return nil
	}
	return asked.AccessToken.Caps.Values
}
