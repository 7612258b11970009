package graph_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/graph"
)

const (
	contoso  = "c0000000-0000-4000-8000-000000000001"
	fabrikam = "f0000000-0000-4000-8000-000000000001"
	resource = "https://graph.microsoft.com"
)

// lab is two directories, and a clock that tests move.
type lab struct {
	*graph.Service
	directory *entra.Authority
	now       time.Time
}

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{now: time.Now()}
	clock := func() time.Time { return l.now }
	l.directory = entra.New(entra.Options{Clock: clock})
	for tenant, apps := range map[string][]entra.App{
		contoso:  {{AppID: "c-app", ObjectID: "c-object", Name: "it's atg"}, {AppID: "c-other", ObjectID: "c-other-object", Name: "other", Disabled: true}},
		fabrikam: {{AppID: "f-app", ObjectID: "f-object", Name: "atg"}},
	} {
		l.directory.AddTenant(entra.Tenant{ID: tenant, Name: tenant[:1], Domain: tenant[:1] + ".onmicrosoft.com"})
		for _, a := range apps {
			if err := l.directory.AddApp(tenant, a); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.Service = graph.New(graph.Options{Tokens: l.directory, Directory: l.directory, Clock: clock})
	return l
}

// ask sends a request as an application of a tenant; "" sends none.
func (l *lab) ask(t testing.TB, tenant, audience, method, target, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://graph.microsoft.com"+target, strings.NewReader(body))
	if tenant != "" {
		token, err := l.directory.Token(tenant, tenant[:1]+"-app", audience)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(text)
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	filter := func(f string) string { return "/v1.0/servicePrincipals?$filter=" + url.QueryEscape(f) }
	tests := []struct {
		name, method, target, body string
		ids                        []string // of the answer
		status                     int
		code                       string
	}{
		{"by application", "GET", filter("appId eq 'c-app'"), "", []string{"c-object"}, 200, ""},
		{"by application, in upper case", "GET", filter("APPID eq 'C-APP'"), "", []string{"c-object"}, 200, ""},
		{"by another tenant's application", "GET", filter("appId eq 'f-app'"), "", nil, 200, ""},
		{"by name, quoted", "GET", filter("displayName eq 'it''s atg'"), "", []string{"c-object"}, 200, ""},
		{"by ID", "GET", filter("id eq 'c-object'"), "", []string{"c-object"}, 200, ""},
		{"by one of its names", "GET", filter("servicePrincipalNames/any(c:c eq 'c-app')"), "", []string{"c-object"}, 200, ""},
		{"by what is not supported", "GET", filter("startswith(displayName,'a')"), "", nil, 400, "Request_UnsupportedQuery"},
		{"all", "GET", "/beta/servicePrincipals", "", []string{"c-object", "c-other-object"}, 200, ""},
		{"one", "GET", "/v1.0/servicePrincipals/c-object", "", []string{"c-object"}, 200, ""},
		{"one by its key", "GET", "/v1.0/servicePrincipals(appId='c-app')", "", []string{"c-object"}, 200, ""},
		{"an object", "GET", "/v1.0/directoryObjects/c-object", "", []string{"c-object"}, 200, ""},
		{"one of another tenant", "GET", "/v1.0/servicePrincipals/f-object", "", nil, 404, "Request_ResourceNotFound"},
		{"by IDs", "POST", "/v1.0/directoryObjects/getByIds", `{"ids":["C-OBJECT","f-object","x"],"types":["servicePrincipal","user"]}`, []string{"c-object"}, 200, ""},
		{"by IDs, of another type", "POST", "/v1.0/directoryObjects/getByIds", `{"ids":["c-object"],"types":["user"]}`, nil, 200, ""},
		{"by no ID", "POST", "/v1.0/directoryObjects/getByIds", `{}`, nil, 400, "Request_BadRequest"},
		{"by no JSON", "POST", "/v1.0/directoryObjects/getByIds", `{`, nil, 400, "BadRequest"},
		{"users", "GET", "/v1.0/users?$filter=x", "", nil, 200, ""},
		{"a user", "GET", "/v1.0/users/c-object", "", nil, 404, "Request_ResourceNotFound"},
		{"what is below nothing", "GET", "/v1.0/nothing/x", "", nil, 400, "BadRequest"},
		{"organization", "GET", "/v1.0/organization", "", []string{contoso}, 200, ""},
		{"me", "GET", "/v1.0/me", "", nil, 400, "BadRequest"},
		{"a write", "POST", "/v1.0/servicePrincipals", "{}", nil, 403, "Authorization_RequestDenied"},
		{"nothing", "GET", "/v1.0/nothing", "", nil, 400, "BadRequest"},
		{"no version", "GET", "/servicePrincipals", "", nil, 404, "BadRequest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, text := l.ask(t, contoso, resource, tt.method, tt.target, tt.body)
			var got struct {
				ID    string
				Value []struct{ ID string }
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			var ids []string
			if got.ID != "" {
				ids = append(ids, got.ID)
			}
			for _, v := range got.Value {
				ids = append(ids, v.ID)
			}
			if status != tt.status || got.Error.Code != tt.code || !cmp.Equal(ids, tt.ids) {
				t.Errorf("%d %s", status, text)
			}
			if tt.code != "" && got.Error.Message == "" {
				t.Errorf("an error without a message: %s", text)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const target = "/v1.0/organization"
	if status, text := l.ask(t, fabrikam, "00000003-0000-0000-c000-000000000000", http.MethodGet, target, ""); status != 200 || !strings.Contains(text, fabrikam) {
		t.Errorf("a token for Graph's application ID: %d %s", status, text)
	}
	for _, tt := range []struct{ name, tenant, audience, want string }{
		{"none", "", "", "Access token is empty"},
		{"for another service", contoso, "https://vault.azure.net", "Invalid audience"},
	} {
		if status, text := l.ask(t, tt.tenant, tt.audience, http.MethodGet, target, ""); status != 401 || !strings.Contains(text, tt.want) || !strings.Contains(text, "InvalidAuthenticationToken") {
			t.Errorf("%s: %d %s", tt.name, status, text)
		}
	}
	token, err := l.directory.Token(contoso, "c-app", resource)
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]string{"expired": "Bearer " + token, "broken": "Bearer x"} {
		l.now = time.Now().Add(48 * time.Hour)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, resource+target, nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	s := graph.New(graph.Options{})
	if !s.Owns("graph.microsoft.com") || !s.Owns("graph.microsoft.us") || s.Owns("graph.windows.net") || s.Name() != "graph" {
		t.Error("the hosts are wrong")
	}
}
