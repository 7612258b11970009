package entra

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// endpoint answers one address below a tenant segment.
type endpoint struct {
	method string
	v2     bool
	serve  func(a *Authority, w http.ResponseWriter, r *http.Request, in call)
}

// call is what the address of a request says.
type call struct {
	segment string // tenant ID, domain, "common", …
	v2      bool
	cloud   instance
	host    string
	rest    string // what follows a prefix endpoint
}

// endpoints by the lower-case path behind the tenant segment.
var endpoints = map[string]endpoint{
	"v2.0/.well-known/openid-configuration": {http.MethodGet, true, (*Authority).metadata},
	".well-known/openid-configuration":      {http.MethodGet, false, (*Authority).metadata},
	"discovery/v2.0/keys":                   {http.MethodGet, true, (*Authority).keys},
	"discovery/keys":                        {http.MethodGet, false, (*Authority).keys},
	"discovery/instance":                    {http.MethodGet, true, (*Authority).discovery},
	"oauth2/v2.0/token":                     {http.MethodPost, true, (*Authority).token},
	"oauth2/token":                          {http.MethodPost, false, (*Authority).token},
	"oauth2/v2.0/devicecode":                {http.MethodPost, true, (*Authority).device},
	"oauth2/devicecode":                     {http.MethodPost, false, (*Authority).device},
	"oauth2/v2.0/authorize":                 {http.MethodGet, true, (*Authority).authorize},
	"oauth2/authorize":                      {http.MethodGet, false, (*Authority).authorize},
}

// ServeHTTP implements wire.Service.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	echoClientID(w, r)
	host := hostOnly(r.Host)
	cloud, ok := instanceOf(host)
	if !ok {
		cloud = instances[0]
	}
	path := strings.Trim(r.URL.Path, "/")
	if strings.HasPrefix(strings.ToLower(path), "discovery/") {
		path = "common/" + path // keys are served without a tenant too
	}
	segment, rest, _ := strings.Cut(path, "/")
	in := call{segment: segment, cloud: cloud, host: host}
	if user, ok := cutPrefixFold(rest, "userrealm/"); ok {
		in.rest = user
		a.userRealm(w, in)
		return
	}
	e, ok := endpoints[strings.ToLower(rest)]
	if !ok {
		a.fail(w, r, errPath())
		return
	}
	if r.Method != e.method && (r.Method != http.MethodHead || e.method != http.MethodGet) {
		a.fail(w, r, errMethod(r.Method, e.method))
		return
	}
	in.v2 = e.v2
	e.serve(a, w, r, in)
}

// echoClientID follows the header names of the sign-in service, which lack "x-ms-".
func echoClientID(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get("Client-Request-Id"); id != "" && strings.EqualFold(r.Header.Get("Return-Client-Request-Id"), "true") {
		w.Header().Set("Client-Request-Id", id)
	}
}

func hostOnly(hostport string) string {
	u := url.URL{Host: hostport}
	return strings.ToLower(u.Hostname())
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// device refuses the device code flow: it needs an application for users, and there are
// none. That is also what Entra tells an application that has only a secret.
func (a *Authority) device(w http.ResponseWriter, r *http.Request, in call) {
	if _, _, fault := a.client(r, in); fault != nil {
		a.fail(w, r, fault)
		return
	}
	a.fail(w, r, errNotMobile())
}

// authorize refuses the browser flow, because no user can sign in.
func (a *Authority) authorize(w http.ResponseWriter, r *http.Request, in call) {
	t, _, fault := a.client(r, in)
	if fault == nil {
		fault = errNoUser(r.FormValue("login_hint"), t)
	}
	a.fail(w, r, fault)
}

// keys answers the public signing keys.
func (a *Authority) keys(w http.ResponseWriter, r *http.Request, in call) {
	t, fault := a.visible(in.segment)
	if fault != nil {
		a.fail(w, r, fault)
		return
	}
	k, err := signer()
	if err != nil {
		a.fail(w, r, errInternal(err))
		return
	}
	issuer := ""
	if in.v2 {
		issuer = issuerV2(in.cloud, t)
	}
	wire.WriteJSON(w, http.StatusOK, k.jwks(issuer))
}
