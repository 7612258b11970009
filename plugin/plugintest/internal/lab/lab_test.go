package lab

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/plugin"
)

func world(t *testing.T) *World {
	t.Helper()
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// get sends one request to ARM through a tap.
func get(t *testing.T, tap *Tap) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://management.azure.com/subscriptions?api-version=2022-12-01", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tap.Do(req)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

func TestTapVerdicts(t *testing.T) {
	t.Parallel()
	w := world(t)
	tests := []struct {
		name    string
		verdict Verdict
		status  int // 0: cut
		reaches int // requests that reach the emulator
	}{
		{"pass", Pass(), 401, 1},
		{"drop", Drop(), 0, 0},
		{"lose", Lose(), 0, 1},
		{"answer", Answer(429, "Throttled", 7*time.Second), 429, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.Forget()
			tap := w.NewTap()
			tap.SetRule(func(int, *http.Request) Verdict { return tt.verdict })
			resp, err := get(t, tap)
			switch {
			case tt.status == 0 && !errors.Is(err, syscall.ECONNRESET):
				t.Errorf("error %v, want a reset", err)
			case tt.status != 0 && (err != nil || resp.StatusCode != tt.status):
				t.Errorf("answer %v, error %v, want status %d", resp, err, tt.status)
			}
			if n := len(w.To("management.azure.com")); n != tt.reaches || tap.Seen() != 1 {
				t.Errorf("%d requests reach the service and %d the tap, want %d and 1", n, tap.Seen(), tt.reaches)
			}
		})
	}
}

func TestCutEndsInTheBody(t *testing.T) {
	t.Parallel()
	tap := world(t).NewTap()
	tap.SetRule(func(int, *http.Request) Verdict { return Cut() })
	resp, err := get(t, tap)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 {
		t.Errorf("%d bytes, error %v, want some and an unexpected end", len(body), err)
	}
}

func TestAnswerLooksLikeAzure(t *testing.T) {
	t.Parallel()
	tap := &Tap{}
	tap.SetRule(func(int, *http.Request) Verdict { return Answer(403, "Forbidden", 0) })
	resp, err := get(t, tap)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), `"code":"Forbidden"`) || resp.Header.Get("Retry-After") != "" || resp.Header.Get("x-ms-request-id") == "" {
		t.Errorf("header %v, body %s, error %v", resp.Header, body, err)
	}
}

func TestLoseReachesTheServiceOfADeadCaller(t *testing.T) {
	t.Parallel()
	w := world(t)
	tap := w.NewTap()
	ctx, cancel := context.WithCancel(t.Context())
	tap.SetRule(func(int, *http.Request) Verdict { cancel(); return Lose() })
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://management.azure.com/subscriptions", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := tap.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("the answer is not lost")
	}
	if n := len(w.To("management.azure.com")); n != 1 {
		t.Errorf("%d requests reach the service, want 1", n)
	}
}

func TestCredentialKnowsItsTenantOnly(t *testing.T) {
	t.Parallel()
	w := world(t)
	cred, err := w.Owner(plugin.Source)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := w.Owner(plugin.Source); again != cred {
		t.Error("a second owner")
	}
	own := policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}, TenantID: w.TenantID(plugin.Source)}
	first, err := cred.GetToken(t.Context(), own)
	if err != nil || first.Token == "" || time.Until(first.ExpiresOn) < time.Minute {
		t.Fatalf("token %v, error %v", first.ExpiresOn, err)
	}
	if second, err := cred.GetToken(t.Context(), own); err != nil || second.Token != first.Token {
		t.Errorf("the token is not kept: %v", err)
	}
	other := own
	other.TenantID = w.TenantID(plugin.Target)
	if _, err := cred.GetToken(t.Context(), other); err == nil || !strings.Contains(err.Error(), other.TenantID) {
		t.Errorf("a token of another tenant: %v", err)
	}
	own.Scopes = []string{"https://example.com/.default"}
	if _, err := cred.GetToken(t.Context(), own); err == nil || !strings.Contains(err.Error(), "AADSTS") {
		t.Errorf("a token for an unknown resource: %v", err)
	}
}

func TestAddResource(t *testing.T) {
	t.Parallel()
	w := world(t)
	body := map[string]any{
		"location": "westeurope", "tags": map[string]any{"a": "b"},
		"properties": map[string]any{"tenantId": w.TenantID(plugin.Source), "sku": map[string]any{"family": "A", "name": "standard"}, "enableRbacAuthorization": true},
	}
	a, err := w.AddResource(plugin.Source, "Microsoft.KeyVault/vaults", body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.AddResource(plugin.Source, "Microsoft.KeyVault/vaults", body)
	if err != nil || a.Name == b.Name || len(a.Name) > 24 {
		t.Errorf("names %q and %q, error %v", a.Name, b.Name, err)
	}
	if a.TenantID != w.TenantID(plugin.Source) || a.Location != "westeurope" || a.Tags["a"] != "b" || len(a.Properties) == 0 {
		t.Errorf("resource: %+v", a)
	}
	if objects, err := w.Objects(a.ID); err != nil || len(objects) != 0 {
		t.Errorf("a new vault holds %v, error %v", objects, err)
	}
}
