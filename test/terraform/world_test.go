// Package terraform proves, with the real Terraform and the real azurerm provider, that
// code of "atg generate" is valid, can be applied to an emulated Azure, and describes what is there
// afterwards. scripts/terraform-provider builds the provider and runs these tests: "make
// test-terraform". Elsewhere they are skipped.
package terraform

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/examples/contoso"
	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// enabled names the Terraform to run; scripts/terraform-provider sets it.
const enabled = "ATG_TEST_TERRAFORM"

// world is an emulated Azure with contoso, fabrikam and somebody who uses Terraform there.
type world struct {
	*emulator.Emulator
	terraform string
	env       []string // of Terraform: the emulator, signed in to fabrikam
	mapping   string
}

// start returns contoso's world, or, empty, one with two tenants that may make anything.
func start(t *testing.T, empty bool) *world {
	t.Helper()
	w := &world{terraform: os.Getenv(enabled)}
	if w.terraform == "" {
		t.Skip("*** THIS TEST DID NOT RUN: it needs the azurerm provider; run make test-terraform")
	}
	text, err := contoso.Scenario(contoso.DefaultSeed)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if empty {
		s = scenario.Default()
	}
	if w.Emulator, err = emulator.Start(emulator.Options{Scenario: s}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	ca, err := w.CAFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if w.env, err = w.Env(contoso.Target, ca); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"TF_CLI_CONFIG_FILE="+os.Getenv("TF_CLI_CONFIG_FILE"))
	w.mapping = filepath.Join(t.TempDir(), "mapping.json")
	if err := os.WriteFile(w.mapping, contoso.Mapping(), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// atg runs the program against the emulator and wants an exit code.
func (w *world) atg(t *testing.T, want int, args ...string) string {
	t.Helper()
	env := map[string]string{"XDG_STATE_HOME": t.TempDir()}
	for side, tenant := range map[string]string{"ATG_SOURCE_": contoso.Source, "AZURE_DATAPLANE_": contoso.Target} {
		id, err := w.Principal(tenant)
		if err != nil {
			t.Fatal(err)
		}
		env[side+"TENANT_ID"], env[side+"CLIENT_ID"], env[side+"CLIENT_SECRET"] = id.TenantID, id.AppID, id.Secret
		env[side+"SUBSCRIPTION_ID"] = id.SubscriptionID
	}
	var out, errs bytes.Buffer
	app := &cli.App{
		IO: cli.IO{
			In: strings.NewReader(""), Out: &out, Err: &errs, Width: func() int { return 0 },
			Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		},
		Version:  "v0.0.0-test",
		Registry: func() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) },
		Subject:  func(plugin.Plugin) (plugintest.Subject, bool) { return plugintest.Subject{}, false },
	}
	args = append(args, "--emulator", w.ProxyURL(), "--mapping", w.mapping, "--type", "keyvault", "--progress", "none")
	if code := app.Run(t.Context(), args); code != want {
		t.Fatalf("atg %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, &out, &errs)
	}
	return out.String()
}

// run runs Terraform in dir and returns its exit code and what it printed.
func (w *world) run(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.terraform, append([]string{"-chdir=" + dir}, args...)...)
	cmd.Env = w.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// must runs Terraform, which must succeed.
func (w *world) must(t *testing.T, dir string, args ...string) {
	t.Helper()
	if code, out := w.run(t, dir, args...); code != 0 {
		t.Fatalf("terraform %s: exit code %d\n%s", strings.Join(args, " "), code, tail(out))
	}
}

// unchanged wants a plan without a change: -detailed-exitcode tells 0 from 2.
func (w *world) unchanged(t *testing.T, dir, when string) {
	t.Helper()
	if code, out := w.run(t, dir, "plan", "-no-color", "-input=false", "-detailed-exitcode", "-parallelism=30"); code != 0 {
		t.Errorf("%s, terraform plan has exit code %d\n%s", when, code, tail(out))
	}
}

// tail is the end of a long text.
func tail(s string) string {
	const most = 8000
	if len(s) <= most {
		return s
	}
	return "…" + s[len(s)-most:]
}

// fill gives every variable of a project a value.
func fill(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "terraform.tfvars.example"))
	if err != nil {
		t.Fatal(err)
	}
	filled := strings.ReplaceAll(string(text), " = null\n", " = \"a stand-in\"\n")
	if err := os.WriteFile(filepath.Join(dir, "terraform.tfvars"), []byte(filled), 0o600); err != nil {
		t.Fatal(err)
	}
}
