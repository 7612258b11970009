package auth_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// putAz puts an "az" first on the PATH that is signed in to a tenant. It returns a
// function that counts how often it was run.
func putAz(t *testing.T, tenant string, expires time.Time) func() int {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for az is a shell script")
	}
	claims := fmt.Sprintf(`{"tid":%q,"oid":%q,"upn":"admin@contoso.example"}`, tenant, object)
	token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> %s\necho '{\"accessToken\":\"%s\",\"expires_on\":%d}'\n", log, token, expires.Unix())
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() int {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "\n")
	}
}

func fromCLI(t *testing.T) (*auth.Result, error) {
	t.Helper()
	return auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: contoso, Options: pipeline.New(newSTS(t).options(plugin.Source)),
		Environment: auth.Environment{Only: "AzureCLICredential"},
	})
}

func TestAzureCLI(t *testing.T) {
	tests := []struct {
		name    string
		expires time.Duration
		claims  string
		runs    int // of az: one to prove it, then for three tokens of one scope
	}{
		{"a token is kept", time.Hour, "", 2},
		{"a token that ends soon is not", time.Minute, "", 4},
		{"a claims challenge is not answered from what is kept", time.Hour, `{"access_token":{}}`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			runs := putAz(t, contoso, time.Now().Add(tt.expires))
			res, err := fromCLI(t)
			if err != nil {
				t.Fatal(err)
			}
			if res.Link != "Azure CLI" || res.TenantID != contoso || res.Principal != "admin@contoso.example" {
				t.Errorf("%+v", res)
			}
			for range 3 {
				_, err = res.Credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}, Claims: tt.claims})
			}
			// The CLI cannot answer a challenge by itself; it says what to type.
			if (err != nil) != (tt.claims != "") {
				t.Errorf("error: %v", err)
			}
			if n := runs(); n != tt.runs {
				t.Errorf("az was run %d times, want %d", n, tt.runs)
			}
		})
	}
}

func TestAzureCLIOfAnotherTenant(t *testing.T) {
	putAz(t, fabrikam, time.Now().Add(time.Hour))
	_, err := fromCLI(t)
	want := "Azure CLI: it gave a token of tenant " + fabrikam + "; this side is tenant " + contoso
	if errs.KindOf(err) != errs.Unauthenticated || !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

// A token may change hands under a running program: somebody signs in to az anew.
func TestTokenBecomesForeign(t *testing.T) {
	putAz(t, contoso, time.Now().Add(time.Minute))
	res, err := fromCLI(t)
	if err != nil {
		t.Fatal(err)
	}
	putAz(t, fabrikam, time.Now().Add(time.Hour))
	_, err = res.Credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	if errs.KindOf(err) != errs.Unauthenticated || !strings.Contains(err.Error(), fabrikam) {
		t.Errorf("%v", err)
	}
}

func TestDeviceCode(t *testing.T) {
	t.Parallel()
	s := newSTS(t)
	// The sign-in service of these tests has no users: it refuses the flow as such.
	_, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: contoso, Options: pipeline.New(s.options(plugin.Source)),
		Environment: auth.Environment{Only: "prod"}, AllowInteractive: true,
		DevicePrompt: func(m string) { t.Errorf("nothing to prompt for: %s", m) },
	})
	if errs.KindOf(err) != errs.Unauthenticated || !strings.Contains(err.Error(), "device code: ") {
		t.Errorf("%v", err)
	}
}

func TestWorkloadIdentity(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("e30.e30.c2ln"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  auth.Environment
		said string
	}{
		{"no client", auth.Environment{FederatedTokenFile: token}, "AZURE_CLIENT_ID or the tenant ID is not set"},
		{"no file", auth.Environment{ClientID: sourceApp}, "AZURE_FEDERATED_TOKEN_FILE is not set"},
		// The file's token is none that the application trusts: the link asks, and is refused.
		{"refused", auth.Environment{FederatedTokenFile: token, ClientID: sourceApp}, "AADSTS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.env.Only = "workloadidentitycredential"
			_, err := auth.Resolve(t.Context(), auth.Config{
				Side: plugin.Source, TenantID: contoso, Environment: tt.env, Options: pipeline.New(newSTS(t).options(plugin.Source)),
			})
			if errs.KindOf(err) != errs.Unauthenticated || !strings.Contains(err.Error(), "workload identity: "+tt.said) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A tool that is there but signed out is no matter of the network, at the start or later.
func TestAzureCLISignedOut(t *testing.T) {
	putAz(t, contoso, time.Now().Add(time.Minute))
	res, err := fromCLI(t)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte("#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	_, later := res.Credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	_, atStart := fromCLI(t)
	for _, err := range []error{later, atStart} {
		if errs.KindOf(err) != errs.Unauthenticated || !strings.Contains(err.Error(), "Please run az login") {
			t.Errorf("kind %q: %v", errs.KindOf(err), err)
		}
	}
}

func TestNoTools(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: contoso, Options: pipeline.New(newSTS(t).options(plugin.Source)),
		Environment: auth.Environment{Only: "dev"},
	})
	if errs.KindOf(err) != errs.Unauthenticated || !strings.Contains(errs.HintOf(err), "az login --tenant "+contoso) {
		t.Errorf("kind %q, hint %q: %v", errs.KindOf(err), errs.HintOf(err), err)
	}
	for _, tool := range []string{"Azure CLI: ", "Azure Developer CLI: ", "Azure PowerShell: "} {
		if !strings.Contains(err.Error(), tool) {
			t.Errorf("%q is not told: %v", tool, err)
		}
	}
}
