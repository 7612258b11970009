package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// principal is one of the flags.
func principal(origin, tenant, app, value string) auth.Principal {
	return auth.Principal{Origin: origin, TenantID: tenant, ClientID: app, ClientSecret: secret.New(value)}
}

// vars are environment variables; the default chain is always cut down to what needs no
// program of the machine.
func vars(pairs ...string) map[string]string {
	out := map[string]string{"AZURE_TOKEN_CREDENTIALS": "prod"}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// hostedSaid is what the members of the default chain say in these tests, in one line each.
var hostedSaid = []string{
	"workload identity: AZURE_FEDERATED_TOKEN_FILE is not set",
	"managed identity: no metadata service answers: this is no Azure machine",
	"Azure CLI: left out by AZURE_TOKEN_CREDENTIALS=prod",
	"Azure Developer CLI: left out by AZURE_TOKEN_CREDENTIALS=prod",
	"Azure PowerShell: left out by AZURE_TOKEN_CREDENTIALS=prod",
	"interactive: not allowed",
}

func TestResolve(t *testing.T) {
	t.Parallel()
	full := func(prefix, tenant, app, value string) []string {
		name := prefix + "TENANT_ID"
		if strings.HasPrefix(prefix, "AZURE_TENANT_") {
			name = prefix + "ID"
		}
		return []string{name, tenant, prefix + "CLIENT_ID", app, prefix + "CLIENT_SECRET", value}
	}
	join := func(lists ...[]string) []string {
		var out []string
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	const (
		badSecret  = "AADSTS7000215"
		unknownApp = "AADSTS700016"
	)
	tests := []struct {
		name   string
		side   plugin.Side
		tenant string
		flags  auth.Principal
		shared auth.Principal
		env    []string
		// what is expected
		link     string // the winner; "" for none
		inTenant string
		kind     errs.Kind
		code     string
		said     []string // of each link before the winner, by its beginning
		text     string   // in the error
	}{
		{
			name: "flags", side: plugin.Target, tenant: fabrikam, flags: principal("--sp-*", "", targetApp, targetSecret),
			env: full("AZURE_DATAPLANE_", contoso, sourceApp, sourceSecret), link: "--sp-*", inTenant: fabrikam,
		},
		{
			name: "flags name the tenant", side: plugin.Target, flags: principal("--sp-*", fabrikam, targetApp, targetSecret),
			link: "--sp-*", inTenant: fabrikam,
		},
		{
			name: "the side's tenant as a domain", side: plugin.Source, tenant: "contoso.onmicrosoft.com",
			flags: principal("--source-sp-*", contoso, sourceApp, sourceSecret), link: "--source-sp-*", inTenant: contoso,
		},
		{
			name: "wrong flags end the chain", side: plugin.Target, tenant: fabrikam, flags: principal("--sp-*", "", targetApp, "wrong"),
			env: full("AZURE_DATAPLANE_", fabrikam, targetApp, targetSecret), kind: errs.Unauthenticated, code: badSecret,
			said: []string{"--sp-*: " + badSecret},
		},
		{
			name: "flags without a secret", side: plugin.Target, tenant: fabrikam, flags: auth.Principal{Origin: "--sp-*", ClientID: targetApp},
			kind: errs.Invalid, text: "--sp-* names a service principal in part: the client secret is missing",
		},
		{
			name: "flags without an application", side: plugin.Target, tenant: fabrikam, flags: principal("", "", "", targetSecret),
			kind: errs.Invalid, text: "flags names a service principal in part: the client ID is missing",
		},
		{
			name: "flags of another tenant", side: plugin.Target, tenant: fabrikam, flags: principal("--sp-*", contoso, sourceApp, sourceSecret),
			kind: errs.Invalid, text: "names tenant " + contoso + ", but this side is tenant " + fabrikam,
		},
		{
			name: "flags without any tenant", side: plugin.Target, flags: principal("--sp-*", "", targetApp, targetSecret),
			kind: errs.Unauthenticated, said: []string{"--sp-*: the tenant ID is not set"},
		},
		{
			name: "application of the other tenant", side: plugin.Target, tenant: fabrikam, flags: principal("--sp-*", "", sourceApp, sourceSecret),
			kind: errs.Unauthenticated, code: unknownApp, said: []string{"--sp-*: " + unknownApp},
		},
		{
			name: "no such tenant", side: plugin.Target, tenant: "33333333-3333-4333-8333-333333333333", flags: principal("--sp-*", "", sourceApp, sourceSecret),
			kind: errs.Unauthenticated, code: "AADSTS90002", said: []string{"--sp-*: AADSTS90002"},
			text: "sign in (target): AADSTS90002: no credential works for tenant 33333333-3333-4333-8333-333333333333: ",
		},
		{
			name: "the tenant is no tenant", side: plugin.Target, tenant: "my tenant", kind: errs.Invalid, text: `"my tenant" is not a tenant ID`,
		},
		{
			name: "the side's environment before all others", side: plugin.Source,
			env: join(full("ATG_SOURCE_", contoso, sourceApp, sourceSecret), full("AZURE_", fabrikam, targetApp, targetSecret),
				full("AZURE_TENANT_1_", contoso, bothApp, bothSecret)),
			shared: principal("--sp-*", "", bothApp, bothSecret), link: "ATG_SOURCE_*", inTenant: contoso,
		},
		{
			name: "the other side's flags where this side has nothing", side: plugin.Source, tenant: contoso,
			shared: principal("--sp-*", fabrikam, bothApp, bothSecret), env: full("AZURE_", contoso, sourceApp, sourceSecret),
			link: "--sp-*", inTenant: contoso,
		},
		{
			name: "the other side's flags do not serve here", side: plugin.Source, tenant: contoso,
			shared: principal("--sp-*", fabrikam, targetApp, targetSecret), env: full("AZURE_", contoso, sourceApp, sourceSecret),
			link: "AZURE_*", inTenant: contoso, said: []string{"--sp-*: " + unknownApp},
		},
		{
			name: "AZURE_* serves both", side: plugin.Source, tenant: contoso, env: full("AZURE_", "", bothApp, bothSecret),
			link: "AZURE_*", inTenant: contoso,
		},
		{
			name: "AZURE_* of the other tenant is passed over", side: plugin.Target, tenant: fabrikam,
			env:  join(full("AZURE_", contoso, bothApp, bothSecret), full("AZURE_TENANT_2_", fabrikam, targetApp, targetSecret)),
			link: "AZURE_TENANT_2_*", inTenant: fabrikam,
			said: []string{"AZURE_*: is of tenant " + contoso + "; this side is tenant " + fabrikam},
		},
		{
			name: "each link that failed is told", side: plugin.Source, tenant: contoso,
			env: join(full("ATG_SOURCE_", contoso, sourceApp, "wrong"), []string{"AZURE_CLIENT_ID", sourceApp},
				full("AZURE_TENANT_1_", contoso, sourceApp, sourceSecret)),
			link: "AZURE_TENANT_1_*", inTenant: contoso,
			said: []string{"ATG_SOURCE_*: " + badSecret, "AZURE_*: the client secret is not set"},
		},
		{
			name: "nothing at all", side: plugin.Source, tenant: contoso, kind: errs.Unauthenticated, said: hostedSaid,
			text: "no credential works",
		},
		{
			name: "everything fails", side: plugin.Target, tenant: fabrikam, env: full("AZURE_DATAPLANE_", fabrikam, targetApp, "wrong"),
			kind: errs.Unauthenticated, code: badSecret, said: append([]string{"AZURE_DATAPLANE_*: " + badSecret}, hostedSaid...),
		},
		{
			name: "a certificate that is not there", side: plugin.Target, tenant: fabrikam,
			env:  []string{"AZURE_CLIENT_ID", targetApp, "AZURE_CLIENT_CERTIFICATE_PATH", "/no/such/file.pem"},
			kind: errs.Invalid, text: "read the certificate of AZURE_*",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSTS(t)
			res, err := auth.Resolve(t.Context(), auth.Config{
				Side: tt.side, TenantID: tt.tenant, Flags: tt.flags, Shared: tt.shared,
				Environment: auth.FromEnvironment(tt.side, env(vars(tt.env...))), Options: pipeline.New(s.options(tt.side)),
			})
			if errs.KindOf(err) != tt.kind {
				t.Fatalf("kind %q, want %q: %v", errs.KindOf(err), tt.kind, err)
			}
			attempts := checkError(t, err, tt.side, tt.code, tt.text)
			if err == nil {
				attempts = checkResult(t, res, tt.link, tt.inTenant)
			}
			checkSaid(t, tt.said, attempts)
		})
	}
}

// checkError checks an error, if there is one, and returns the attempts that it holds.
func checkError(t *testing.T, err error, side plugin.Side, code, text string) []auth.Attempt {
	t.Helper()
	if err == nil {
		return nil
	}
	e := errs.Find(err)
	if e.Code != code || e.Side != string(side) || !strings.Contains(err.Error(), text) {
		t.Errorf("code %q, side %q, want %q, %q with %q: %v", e.Code, e.Side, code, side, text, err)
	}
	for _, s := range []string{sourceSecret, targetSecret, bothSecret} {
		if strings.Contains(fmt.Sprintf("%+v", err), s) {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\t") {
		t.Errorf("the error has more than one line: %q", err)
	}
	if e.Kind == errs.Unauthenticated && e.Hint == "" {
		t.Error("there is no hint")
	}
	var chain *auth.ChainError
	if errors.As(err, &chain) {
		return chain.Attempts
	}
	return nil
}

// checkResult checks the winner and returns the attempts before it.
func checkResult(t *testing.T, res *auth.Result, link, tenant string) []auth.Attempt {
	t.Helper()
	if res.Link != link || res.TenantID != tenant {
		t.Errorf("%s won in %s; want %s in %s", res.Link, res.TenantID, link, tenant)
	}
	if res.AppID == "" || res.ObjectID != object || res.Principal == "" || res.Expires.IsZero() {
		t.Errorf("who it is: %+v", res)
	}
	last := res.Attempts[len(res.Attempts)-1]
	if !last.Won || last.Link != link {
		t.Errorf("the last attempt is %+v", last)
	}
	return res.Attempts[:len(res.Attempts)-1]
}

func checkSaid(t *testing.T, want []string, got []auth.Attempt) {
	t.Helper()
	said := make([]string, 0, len(got))
	for i, a := range got {
		text := a.Link + ": " + a.Said
		if i < len(want) && strings.HasPrefix(text, want[i]) {
			text = want[i]
		}
		said = append(said, text)
	}
	if d := cmp.Diff(append([]string{}, want...), said); d != "" {
		t.Errorf("attempts (-want +got):\n%s", d)
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	tests := []struct {
		name, path string
		kind       errs.Kind
	}{
		{name: "PEM with its key", path: pemFile(t, cert, key)},
		{name: "no key", path: pemFile(t, cert, nil), kind: errs.Invalid},
		{name: "a key of a sort that Entra does not take", path: pemFile(t, cert, ecKey(t)), kind: errs.Unauthenticated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSTS(t, cert)
			res, err := auth.Resolve(t.Context(), auth.Config{
				Side: plugin.Source, TenantID: contoso, Options: pipeline.New(s.options(plugin.Source)),
				Flags: auth.Principal{Origin: "--source-sp-*", ClientID: sourceApp, CertificatePath: tt.path},
			})
			if errs.KindOf(err) != tt.kind {
				t.Fatalf("kind %q, want %q: %v", errs.KindOf(err), tt.kind, err)
			}
			if err == nil && res.TenantID != contoso {
				t.Errorf("tenant %s", res.TenantID)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := newSTS(t)
	s.down = true
	_, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: contoso, Flags: principal("--source-sp-*", "", sourceApp, sourceSecret),
		Options: pipeline.New(s.options(plugin.Source)),
	})
	if errs.KindOf(err) != errs.Unavailable || !strings.Contains(errs.HintOf(err), "HTTPS_PROXY") {
		t.Errorf("kind %q, hint %q: %v", errs.KindOf(err), errs.HintOf(err), err)
	}
}

func TestManagedIdentityWithoutIdentity(t *testing.T) {
	t.Parallel()
	s := newSTS(t)
	s.metadata = true
	_, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: contoso, Options: pipeline.New(s.options(plugin.Source)),
		Environment: auth.Environment{Only: "ManagedIdentityCredential"},
	})
	if !strings.Contains(err.Error(), "managed identity: ") || strings.Contains(err.Error(), "no metadata service") {
		t.Errorf("the metadata service answered, but: %v", err)
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newSTS(t)
	_, err := auth.Resolve(ctx, auth.Config{
		Side: plugin.Source, TenantID: contoso, Options: pipeline.New(s.options(plugin.Source)),
		Environment: auth.FromEnvironment(plugin.Source, env(vars("AZURE_CLIENT_ID", sourceApp, "AZURE_CLIENT_SECRET", sourceSecret))),
	})
	if errs.KindOf(err) != errs.Canceled || !errors.Is(err, context.Canceled) {
		t.Errorf("kind %q: %v", errs.KindOf(err), err)
	}
}

// A credential of one tenant serves no other: neither by the tenant that a vault's
// challenge names, nor by a token that turns out to be foreign.
func TestTenantIsPinned(t *testing.T) {
	t.Parallel()
	s := newSTS(t)
	res, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: "contoso.onmicrosoft.com", Flags: principal("--source-sp-*", "", bothApp, bothSecret),
		Options: pipeline.New(s.options(plugin.Source)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(tenant string) error {
		_, err := res.Credential.GetToken(t.Context(), policy.TokenRequestOptions{
			Scopes: []string{"https://vault.azure.net/.default"}, TenantID: tenant, EnableCAE: true,
		})
		return err
	}
	for _, tenant := range []string{"", contoso, strings.ToUpper(contoso)} {
		if err := ask(tenant); err != nil {
			t.Errorf("tenant %q: %v", tenant, err)
		}
	}
	err = ask(fabrikam)
	if errs.KindOf(err) != errs.Unauthenticated || !strings.Contains(err.Error(), fabrikam) {
		t.Errorf("tenant %q: %v", fabrikam, err)
	}
}

// The SDK's retry policy must not repeat a request whose token was refused.
func TestRefusalIsNotRetried(t *testing.T) {
	t.Parallel()
	s := newSTS(t)
	opt := pipeline.New(s.options(plugin.Source))
	res, err := auth.Resolve(t.Context(), auth.Config{
		Side: plugin.Source, TenantID: contoso, Flags: principal("--source-sp-*", "", sourceApp, sourceSecret), Options: opt,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.authority.RemoveApp(contoso, sourceApp)
	before := len(s.hosts)
	bearer := runtime.NewBearerTokenPolicy(res.Credential, []string{"https://storage.azure.com/.default"}, nil)
	pl := runtime.NewPipeline("test", "v1", runtime.PipelineOptions{PerRetry: []policy.Policy{bearer}}, &opt)
	req, err := runtime.NewRequest(t.Context(), http.MethodGet, "https://a.blob.core.windows.net/")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := pl.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	e := errs.Find(err)
	if e == nil || e.Kind != errs.Unauthenticated || e.Code != "AADSTS700016" || e.Side != "source" {
		t.Errorf("error %+v", e)
	}
	if asked := len(s.hosts) - before; asked != 1 {
		t.Errorf("the sign-in service was asked %d times", asked)
	}
}
