package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/view/schema"
)

// twoTenants is an emulator, and a terminal whose environment signs in to its tenants.
func twoTenants(t testing.TB) (*emulator.Emulator, *fakeTerminal) {
	t.Helper()
	em, err := emulator.Start(emulator.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = em.Close() })
	f := newTerminal(t, "")
	f.env["ATG_EMULATOR"], f.env["AZURE_TOKEN_CREDENTIALS"] = em.ProxyURL(), "prod"
	for prefix, tenant := range map[string]string{"ATG_SOURCE_": "contoso", "AZURE_DATAPLANE_": "fabrikam"} {
		p, err := em.Principal(tenant)
		if err != nil {
			t.Fatal(err)
		}
		f.env[prefix+"TENANT_ID"], f.env[prefix+"CLIENT_ID"], f.env[prefix+"CLIENT_SECRET"] = p.TenantID, p.AppID, p.Secret
	}
	return em, f
}

// status runs auth status -o json and returns its sides.
func (f *fakeTerminal) status(t testing.TB, code int, args ...string) (source, target map[string]any) {
	t.Helper()
	f.out.Reset()
	f.err.Reset()
	if got := f.run(t, append([]string{"auth", "status", "-o", "json"}, args...)...); got != code {
		t.Fatalf("exit code %d, want %d: %s", got, code, f.err)
	}
	doc := valid(t, compiled(t, schema.Auth), f.out.String())
	sides, ok := doc["sides"].([]any)
	if !ok || len(sides) != 2 {
		t.Fatalf("%s", f.out)
	}
	for _, secret := range []string{f.env["ATG_SOURCE_CLIENT_SECRET"], f.env["AZURE_DATAPLANE_CLIENT_SECRET"], "eyJ"} {
		if strings.Contains(f.out.String()+f.err.String(), secret) {
			t.Errorf("a secret or a token is shown:\n%s%s", f.out, f.err)
		}
	}
	source, _ = sides[0].(map[string]any)
	target, _ = sides[1].(map[string]any)
	return source, target
}

func TestAuthStatus(t *testing.T) {
	t.Parallel()
	em, f := twoTenants(t)
	source, target := f.status(t, exitDone)
	for name, side := range map[string]map[string]any{"ATG_SOURCE_": source, "AZURE_DATAPLANE_": target} {
		if side["signedIn"] != true || side["link"] != name+"*" || side["tenantId"] != f.env[name+"TENANT_ID"] || side["appId"] != f.env[name+"CLIENT_ID"] || side["objectId"] == nil {
			t.Errorf("%s: %v", name, side)
		}
		until, err := time.Parse(time.RFC3339, side["expires"].(string))
		if left := time.Until(until); err != nil || left < 50*time.Minute || left > entra.DefaultTokenLifetime {
			t.Errorf("%s: the token ends in %v: %v", name, left, err)
		}
		if side["subscriptions"] != nil {
			t.Errorf("%s: Azure was asked without --check", name)
		}
	}
	for _, r := range em.Requests() {
		if r.Service != "entra" {
			t.Errorf("without --check: %s %s%s", r.Method, r.Host, r.Path)
		}
	}

	source, target = f.status(t, exitDone, "--check")
	for name, side := range map[string]map[string]any{"contoso": source, "fabrikam": target} {
		p, err := em.Principal(name)
		if err != nil {
			t.Fatal(err)
		}
		seen, _ := side["subscriptions"].([]any)
		if len(seen) != 1 || seen[0].(map[string]any)["id"] != p.SubscriptionID {
			t.Errorf("%s sees %v", name, side["subscriptions"])
		}
	}

	f.out.Reset()
	if code := f.run(t, "auth", "status", "--check"); code != exitDone || !strings.Contains(f.out.String(), "sees         subscription contoso production") {
		t.Errorf("exit code %d:\n%s", code, f.out)
	}
}

func TestAuthStatusOfFailingSides(t *testing.T) {
	t.Parallel()
	em, f := twoTenants(t)
	good := f.env["AZURE_DATAPLANE_CLIENT_SECRET"]
	f.env["AZURE_DATAPLANE_CLIENT_SECRET"] = "wrong"
	source, target := f.status(t, exitSignIn)
	if source["signedIn"] != true || target["signedIn"] != false {
		t.Errorf("source %v, target %v", source, target)
	}
	problem, _ := target["error"].(map[string]any)
	if problem["code"] != "AADSTS7000215" || problem["errorKind"] != "unauthenticated" || !strings.Contains(problem["hint"].(string), "az ad app credential reset") {
		t.Errorf("%v", problem)
	}
	said := map[string]string{}
	for _, a := range target["attempts"].([]any) {
		link := a.(map[string]any)
		said[link["link"].(string)] = link["result"].(string) + ": " + link["said"].(string)
	}
	for link, want := range map[string]string{
		"AZURE_DATAPLANE_*": "failed: AADSTS7000215", "managed identity": "not tried: no metadata service answers",
		"interactive": "not tried: not allowed with -o json",
	} {
		if !strings.HasPrefix(said[link], want) {
			t.Errorf("%s: %q, want %q", link, said[link], want)
		}
	}

	// Whoever holds no role anywhere signs in, and sees nothing.
	nobody := entra.App{AppID: "aaaaaaaa-0000-4000-8000-00000000beef", ObjectID: "bbbbbbbb-0000-4000-8000-00000000beef", Secret: "nobody", Name: "nobody"}
	if err := em.Entra().AddApp(f.env["AZURE_DATAPLANE_TENANT_ID"], nobody); err != nil {
		t.Fatal(err)
	}
	f.env["AZURE_DATAPLANE_CLIENT_ID"], f.env["AZURE_DATAPLANE_CLIENT_SECRET"] = nobody.AppID, nobody.Secret
	_, target = f.status(t, exitPermission, "--check")
	if problem, _ = target["error"].(map[string]any); target["signedIn"] != true || problem["errorKind"] != "permission-denied" {
		t.Errorf("%v", target)
	}

	f.env["AZURE_DATAPLANE_CLIENT_SECRET"] = good
	if code := f.run(t, "auth", "status", "--source-sp-client-id", "x"); code != exitUsage || !strings.Contains(f.out.String(), "the client secret is missing") {
		t.Errorf("flags in part: exit code %d\n%s", code, f.out)
	}
	for name, args := range map[string][]string{
		"an output of no use": {"auth", "status", "-o", "jsonl"}, "no such cloud": {"auth", "status", "--cloud", "germany"},
		"no emulator": {"auth", "status", "--emulator", "example.com:1"}, "a log that cannot be": {"auth", "status", "--log-file", "/no/such/dir/log"},
	} {
		if code := f.run(t, args...); code != exitUsage {
			t.Errorf("%s: exit code %d", name, code)
		}
	}
}

// A cloud is told by the metadata document of its Resource Manager, at an address or in a file.
func TestCloudByItsDocument(t *testing.T) {
	t.Parallel()
	_, f := twoTenants(t)
	f.status(t, exitDone, "--check", "--cloud", "https://management.azure.com")
	if !strings.Contains(f.out.String(), `"cloud": "AzureCloud"`) {
		t.Errorf("%s", f.out)
	}
	path := filepath.Join(t.TempDir(), "cloud.json")
	text := `{"name":"Elsewhere","resourceManager":"https://management.azure.com","authentication":{"loginEndpoint":"https://login.microsoftonline.com/","audiences":["https://management.azure.com"]},"suffixes":{}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.status(t, exitDone, "--check", "--cloud", path)
	if !strings.Contains(f.out.String(), `"cloud": "Elsewhere"`) {
		t.Errorf("%s", f.out)
	}
}

func TestInteractiveIsAllowedOnATerminalAlone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		terminal bool
		args     []string
		code     bool // a device code is offered
		browser  bool
		why      string
	}{
		"a terminal":               {true, nil, true, false, ""},
		"a browser":                {true, []string{"--sign-in", "browser"}, false, true, ""},
		"no terminal":              {false, nil, false, false, "there is no terminal"},
		"a browser, no terminal":   {false, []string{"--sign-in", "browser"}, false, false, "there is no terminal"},
		"for programs":             {true, []string{"-o", "json"}, false, false, "not allowed with -o json, which is for programs"},
		"nobody is to be asked":    {true, []string{"--no-input"}, false, false, "not allowed by --no-input"},
		"nobody is to be asked, 2": {true, []string{"--sign-in", "none"}, false, false, "not allowed by --sign-in none"},
	} {
		f := newTerminal(t, "")
		f.app.InTTY, f.app.ErrTTY = tt.terminal, tt.terminal
		opt, err := parse(t, f, newPlanCmd, tt.args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if (opt.DevicePrompt != nil) != tt.code || opt.Browser != tt.browser || opt.NoSignIn != tt.why {
			t.Errorf("%s: code %v, browser %v, %q", name, opt.DevicePrompt != nil, opt.Browser, opt.NoSignIn)
		}
	}
}

func TestSecretsFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets.json")
	if err := os.WriteFile(path, []byte(`{"st-one":{"accountKey":"a"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newTerminal(t, `{"st-two":{"accountKey":"b"}}`)
	opt, err := parse(t, f, newApplyCmd, "--yes", "--source-secrets", path, "--target-secrets", "-")
	if err != nil {
		t.Fatal(err)
	}
	if opt.Source.Secrets == nil || opt.Target.Secrets == nil || opt.Source.Secrets == opt.Target.Secrets {
		t.Errorf("source %v, target %v", opt.Source.Secrets, opt.Target.Secrets)
	}
	if again := strings.Join(opt.reach, " "); again != "--source-secrets "+path+" --target-secrets -" {
		t.Errorf("a resumed run is to be given %s", again)
	}
	for name, args := range map[string][]string{
		"two readers":          {"--source-secrets", "-", "--target-secrets", "-"},
		"a secret and secrets": {"--sp-client-secret-file", "-", "--source-secrets", "-"}, "a password too": {"--neo4j-password-file", "-", "--source-secrets", "-"},
		"no such file": {"--source-secrets", path + ".none"},
	} {
		if _, err := parse(t, newTerminal(t, "{}"), newApplyCmd, args...); codeOf(err) != exitUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	f = newTerminal(t, "")
	if code := f.run(t, "plan", "--source-secrets", path); code != exitUsage || !strings.Contains(f.err.String(), "chmod 600 ") {
		t.Errorf("a file that others can read: exit code %d\n%s", code, f.err)
	}
}
