package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// lab is an emulator with a vault in contoso, and the source signed in to it.
type lab struct {
	*emulator.Emulator
	who        emulator.Identity
	options    policy.ClientOptions
	credential azcore.TokenCredential
}

func newLab(t testing.TB, opt emulator.Options) *lab {
	t.Helper()
	e, err := emulator.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	l := &lab{Emulator: e}
	if l.who, err = e.Principal("contoso"); err != nil {
		t.Fatal(err)
	}
	id := "/subscriptions/" + l.who.SubscriptionID + "/resourceGroups/rg-contoso/providers/Microsoft.KeyVault/vaults/kv-challenge"
	if err := e.ARM().Put(id, map[string]any{"location": "westeurope", "properties": map[string]any{
		"tenantId": l.who.TenantID, "sku": map[string]any{"family": "A", "name": "standard"}, "enableRbacAuthorization": true,
	}}); err != nil {
		t.Fatal(err)
	}
	if err := e.Seed(id, []byte(`{"secrets":[{"name":"one","value":"1"}]}`)); err != nil {
		t.Fatal(err)
	}
	l.options = pipeline.New(pipeline.Options{Side: plugin.Source, Transport: &http.Client{Transport: e.Transport()}, RetryDelay: time.Nanosecond})
	res, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: l.who.TenantID, Flags: principal("test", "", l.who.AppID, l.who.Secret), Options: l.options,
	})
	if err != nil {
		t.Fatal(err)
	}
	l.credential = res.Credential
	return l
}

// calls are one call each to Resource Manager and to the vault, by clients that keep their tokens.
func (l *lab) calls(t testing.TB) map[string]func() error {
	t.Helper()
	secrets, err := azsecrets.NewClient("https://kv-challenge.vault.azure.net", l.credential, &azsecrets.ClientOptions{ClientOptions: l.options})
	if err != nil {
		t.Fatal(err)
	}
	subs, err := armsubscriptions.NewClient(l.credential, &azarm.ClientOptions{ClientOptions: l.options})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func() error{
		"keyvault": func() error { _, err := secrets.GetSecret(t.Context(), "one", "", nil); return err },
		"arm":      func() error { _, err := subs.NewListPager(nil).NextPage(t.Context()); return err },
	}
}

// seen are the requests since the last reset, in short.
func (l *lab) seen() []string {
	var out []string
	for _, r := range l.Requests() {
		switch {
		case r.Service != "entra":
			out = append(out, r.Service+" "+http.StatusText(r.Status))
		case strings.HasSuffix(r.Path, "/token"):
			out = append(out, "token "+http.StatusText(r.Status))
		}
	}
	return out
}

// Continuous access evaluation: a revoked token is refused with a claims challenge, which
// azcore's bearer policy answers once with a token that is fetched for these claims. A token
// out of the cache would be refused again.
func TestClaimsChallengeIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	for service, call := range l.calls(t) {
		if err := call(); err != nil {
			t.Fatalf("%s: %v", service, err)
		}
		l.Entra().RevokeTokens(l.who.AppID)
		l.ResetRequests()
		if err := call(); err != nil {
			t.Errorf("%s: after the revocation: %v", service, err)
		}
		want := service + " Unauthorized, token OK, " + service + " OK"
		if got := strings.Join(l.seen(), ", "); got != want {
			t.Errorf("%s: %s; want %s", service, got, want)
		}
		l.ResetRequests()
		if err := call(); err != nil || strings.Join(l.seen(), ", ") != service+" OK" {
			t.Errorf("%s: the new token is not kept: %v, %v", service, l.seen(), err)
		}
	}
}

// A challenge that the sign-in service does not answer ends in its refusal, not in a loop.
func TestClaimsChallengeOfSomebodyWhoIsGone(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	for service, call := range l.calls(t) {
		if err := call(); err != nil {
			t.Fatalf("%s: %v", service, err)
		}
	}
	calls := l.calls(t)
	for _, call := range calls {
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	l.Entra().RemoveApp(l.who.TenantID, l.who.AppID)
	for service, call := range calls {
		l.ResetRequests()
		err := call()
		if err == nil || !strings.Contains(err.Error(), "AADSTS700016") {
			t.Errorf("%s: %v", service, err)
		}
		if got := l.seen(); len(got) > 2 {
			t.Errorf("%s: it was tried again and again: %v", service, got)
		}
	}
}

// A token that ends within five minutes is not given out again: long requests would outlive it.
func TestTokensAreFetchedAheadOfTheirEnd(t *testing.T) {
	t.Parallel()
	for lifetime, fetched := range map[time.Duration]int{time.Hour: 1, 2 * time.Minute: 3} {
		l := newLab(t, emulator.Options{TokenLifetime: lifetime})
		l.ResetRequests()
		tokens := map[string]bool{}
		for range 3 {
			token, err := l.credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}, EnableCAE: true})
			if err != nil {
				t.Fatal(err)
			}
			tokens[token.Token] = true
		}
		if len(tokens) != fetched || len(l.seen()) != fetched {
			t.Errorf("tokens of %v: %d different ones, %v", lifetime, len(tokens), l.seen())
		}
	}
}
