package arm_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// These tests are about answers that the emulator has no cause to give.

const (
	sub    = "11111111-0000-4000-8000-000000000001"
	tenant = "22222222-0000-4000-8000-000000000001"
	vault  = "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"

	subProvider    = "/subscriptions/" + sub + "/providers/Microsoft.KeyVault"
	tenantProvider = "/providers/Microsoft.KeyVault"
)

// stub answers each path with a status and a body; what it does not know is 404.
type stub struct {
	answers map[string]string // path → "status body"

	mu    sync.Mutex
	asked []string // path?api-version; mu guards it
}

// Do implements policy.Transporter.
func (s *stub) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked = append(s.asked, req.URL.EscapedPath()+"?"+req.URL.Query().Get("api-version"))
	s.mu.Unlock()
	text, ok := s.answers[req.URL.Path]
	if !ok {
		text = `404 {"error":{"code":"ResourceNotFound","message":"The Resource was not found."}}`
	}
	status, body, _ := strings.Cut(text, " ")
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/json")
	switch status {
	case "200":
	case "403":
		rec.WriteHeader(http.StatusForbidden)
	case "404":
		rec.WriteHeader(http.StatusNotFound)
	default:
		return nil, errors.New("the stub has no answer")
	}
	_, _ = rec.WriteString(body)
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

// GetToken implements azcore.TokenCredential.
func (s *stub) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func (s *stub) client() *arm.Client {
	return arm.NewClient(plugin.Target, tenant, s, pipeline.New(pipeline.Options{Transport: s, RetryDelay: time.Nanosecond}))
}

// provider is the body of a provider with one resource type.
func provider(versions ...string) string {
	return `200 {"namespace":"Microsoft.KeyVault","resourceTypes":[{"resourceType":"Vaults","apiVersions":["` + strings.Join(versions, `","`) + `"]}]}`
}

const denied = `403 {"error":{"code":"AuthorizationFailed","message":"The client does not have authorization to perform action 'Microsoft.Resources/subscriptions/providers/read' over scope"}}`

func TestVersion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers map[string]string
		want    string // api-version of the GET
		kind    errs.Kind
		text    string
	}{
		{name: "the newest", answers: map[string]string{subProvider: provider("2019-09-01", "2024-11-01", "2023-07-01")}, want: "2024-11-01"},
		{name: "no preview", answers: map[string]string{subProvider: provider("2026-01-01-preview", "2023-07-01")}, want: "2023-07-01"},
		{name: "previews alone", answers: map[string]string{subProvider: provider("2022-02-01-preview", "2022-05-01-preview")}, want: "2022-05-01-preview"},
		{
			name:    "the tenant where the subscription may not be asked",
			answers: map[string]string{subProvider: denied, tenantProvider: provider("2023-07-01")}, want: "2023-07-01",
		},
		{
			name: "neither may be asked", answers: map[string]string{subProvider: denied, tenantProvider: denied},
			kind: errs.PermissionDenied, text: "find the api-version of the resource type in " + vault + " (target)",
		},
		{
			name: "no such type", answers: map[string]string{subProvider: `200 {"resourceTypes":[{"resourceType":"managedHSMs","apiVersions":["2023-07-01"]}]}`},
			kind: errs.Unsupported, text: "the provider Microsoft.KeyVault has no resource type vaults",
		},
		{name: "no such provider", kind: errs.NotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &stub{answers: map[string]string{vault: `200 {"id":"` + vault + `","properties":{}}`}}
			for path, answer := range tt.answers {
				s.answers[path] = answer
			}
			_, err := s.client().Hydrate(t.Context(), plugin.Resource{ID: vault})
			if errs.KindOf(err) != tt.kind || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("kind %q: %v", errs.KindOf(err), err)
			}
			if last := s.asked[len(s.asked)-1]; tt.kind == "" && last != vault+"?"+tt.want {
				t.Errorf("asked %s", last)
			}
		})
	}
}

func TestVersionIsAskedForOnce(t *testing.T) {
	t.Parallel()
	s := &stub{answers: map[string]string{subProvider: provider("2024-11-01"), vault: `200 {}`}}
	client := s.client()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := client.Hydrate(t.Context(), plugin.Resource{ID: vault}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := strings.Count(strings.Join(s.asked, "\n"), subProvider+"?"); n != 1 {
		t.Errorf("the provider was asked for %d times", n)
	}
}

// A failure to learn the versions is not remembered.
func TestVersionIsAskedForAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	s := &stub{answers: map[string]string{subProvider: denied, tenantProvider: denied, vault: `200 {}`}}
	client := s.client()
	if _, err := client.Hydrate(t.Context(), plugin.Resource{ID: vault}); err == nil {
		t.Fatal("no error")
	}
	s.answers[subProvider] = provider("2024-11-01")
	if _, err := client.Hydrate(t.Context(), plugin.Resource{ID: vault}); err != nil {
		t.Error(err)
	}
}

func TestHydrateForms(t *testing.T) {
	t.Parallel()
	base := plugin.Resource{ID: vault, Type: "Microsoft.KeyVault/vaults", Name: "kv", ResourceGroup: "rg", SubscriptionID: sub, TenantID: tenant}
	with := func(change func(*plugin.Resource)) plugin.Resource {
		r := base
		change(&r)
		return r
	}
	tests := []struct {
		name, body string
		want       plugin.Resource
	}{
		{"nothing but an object", `{}`, base},
		{"nulls", `{"kind":null,"sku":null,"tags":null,"location":null}`, base},
		{
			"everything", `{"kind":"functionapp","location":"westeurope","sku":{"name":"S1","tier":"Standard"},"tags":{"a":"b","c":null},"properties":{"n":9007199254740993}}`,
			with(func(r *plugin.Resource) {
				r.Kind, r.Location, r.SKU = "functionapp", "westeurope", "S1"
				r.Tags = map[string]string{"a": "b", "c": ""}
				r.Properties = []byte(`{"n":9007199254740993}`)
			}),
		},
		{
			"a SKU among the properties", `{"properties":{"sku":{"family":"A","name":"premium"}}}`,
			with(func(r *plugin.Resource) {
				r.SKU, r.Properties = "premium", []byte(`{"sku":{"family":"A","name":"premium"}}`)
			}),
		},
		{
			"a SKU in a form of its own", `{"properties":{"sku":"Free"}}`,
			with(func(r *plugin.Resource) { r.Properties = []byte(`{"sku":"Free"}`) }),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &stub{answers: map[string]string{subProvider: provider("2024-11-01"), vault: "200 " + tt.body}}
			got, err := s.client().Hydrate(t.Context(), plugin.Resource{ID: vault, Kind: "stale", Tags: map[string]string{"stale": "x"}})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestHydrateErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, id, answer string
		kind             errs.Kind
		text             string
	}{
		{"no resource ID", "kv", "", errs.Invalid, `read the resource in kv (target): "kv" is not a resource ID`},
		{"not there", vault, "404 {}", errs.NotFound, "read the resource in " + vault + " (target)"},
		{"no JSON", vault, "200 <html>", errs.Internal, "read the resource in " + vault + " (target)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &stub{answers: map[string]string{subProvider: provider("2024-11-01"), vault: tt.answer}}
			_, err := s.client().Hydrate(t.Context(), plugin.Resource{ID: tt.id})
			if errs.KindOf(err) != tt.kind || !strings.HasPrefix(err.Error(), tt.text) {
				t.Errorf("kind %q: %v", errs.KindOf(err), err)
			}
		})
	}
}

// An ID out of a file is data: it must not be able to change the request.
func TestIDIsEscaped(t *testing.T) {
	t.Parallel()
	s := &stub{answers: map[string]string{subProvider: provider("2024-11-01")}}
	_, err := s.client().Hydrate(t.Context(), plugin.Resource{ID: vault + "?x=1&api-version=1#f g"})
	if errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
	if want := vault + "%3Fx=1&api-version=1%23f%20g?2024-11-01"; s.asked[len(s.asked)-1] != want {
		t.Errorf("asked %s, want %s", s.asked[len(s.asked)-1], want)
	}
}

// A listing with an entry that cannot be read yields the others.
func TestListingWithABadEntry(t *testing.T) {
	t.Parallel()
	s := &stub{answers: map[string]string{"/subscriptions/" + sub + "/resources": `200 {"value":[{"id":"nonsense"},{"id":"` + vault + `"}]}`}}
	var ids []string
	var failures []error
	for r, err := range s.client().Finder(arm.Scope{Subscriptions: []string{sub}}).Find(t.Context(), nil) {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		ids = append(ids, r.ID)
	}
	if d := cmp.Diff([]string{vault}, ids); d != "" || len(failures) != 1 || errs.KindOf(failures[0]) != errs.Internal {
		t.Errorf("%v; %v", ids, failures)
	}
}
