package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// parse runs a command whose run function is swapped, and returns the options.
func parse(t testing.TB, f *fakeTerminal, build func(*App, func(context.Context, *runOptions) error) *cobra.Command, args ...string) (*runOptions, error) {
	t.Helper()
	var got *runOptions
	cmd := build(f.app, func(_ context.Context, opt *runOptions) error {
		got = opt
		return nil
	})
	cmd.SetArgs(append([]string{}, args...)) // nil would mean the arguments of the test
	cmd.SetOut(f.out)
	cmd.SetErr(f.err)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return got, cmd.ExecuteContext(t.Context())
}

func TestPlanOptions(t *testing.T) {
	t.Parallel()
	mapping := filepath.Join(t.TempDir(), "pairs and more.json")
	if err := os.WriteFile(mapping, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newTerminal(t, "from-stdin\r\n")
	opt, err := parse(t, f, newPlanCmd,
		"--mode", "replication", "-o", "jsonl", "--progress", "none", "--cloud", "china",
		"--type", "keyvault", "--type", "microsoft.toy/BOXES", "--type", "Microsoft.KeyVault/vaults",
		"--set", "KeyVault.versions=all", "--set", "keyvault.prefix=a=b", "--workers", "7", "--overwrite", "--exit-code",
		"--mapping", mapping, "--debug",
		"--source-tenant-id", "contoso.com", "--source-subscription-id", "sub-s", "--source-resource-group", "rg-s",
		"--source-sp-client-id", "app-s", "--source-sp-client-secret-file", "-",
		"--sp-tenant-id", "fabrikam.com", "--sp-client-id", "app-t", "--sp-client-secret", "top-secret")
	if err != nil {
		t.Fatal(err)
	}
	if opt.Command != "plan" || opt.Mode != plugin.Replication || opt.output != outputLines || opt.progress != "none" || opt.Cloud != "china" {
		t.Errorf("%+v", opt)
	}
	if !opt.Overwrite || !opt.exitCode || !opt.debug || opt.Workers != 7 || opt.Mapping != mapping || opt.yes {
		t.Errorf("%+v", opt)
	}
	if diff := cmp.Diff([]string{"Microsoft.KeyVault/vaults", "Microsoft.Toy/boxes"}, opt.Types); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]plugin.Settings{"keyvault": {"versions": "all", "prefix": "a=b"}}, opt.Settings); diff != "" {
		t.Error(diff)
	}
	s, tt := opt.Source, opt.Target
	if s.TenantID != "contoso.com" || s.SubscriptionID != "sub-s" || s.ResourceGroup != "rg-s" || s.Principal.ClientID != "app-s" || s.Principal.ClientSecret.Reveal() != "from-stdin" {
		t.Errorf("source: %+v", s)
	}
	if tt.TenantID != "fabrikam.com" || tt.Principal.ClientID != "app-t" || tt.Principal.ClientSecret.Reveal() != "top-secret" || tt.Principal.TenantID != "fabrikam.com" {
		t.Errorf("target: %+v", tt)
	}
	if opt.DevicePrompt != nil {
		t.Error("without a terminal nobody can sign in by device code")
	}
	if got := f.err.String(); !strings.HasPrefix(got, "warning: a secret on the command line") || strings.Contains(got, "top-secret") {
		t.Errorf("standard error: %s", got)
	}
	flags := "--cloud china --debug --mapping '" + mapping + "' --mode replication"
	want := view.Next{
		Again: "atg plan " + flags + " --overwrite --progress none --set KeyVault.versions=all --set keyvault.prefix=a=b --source-resource-group rg-s --source-sp-client-id app-s --source-sp-client-secret-file - --source-subscription-id sub-s --source-tenant-id contoso.com --sp-client-id app-t --sp-tenant-id fabrikam.com --type keyvault --type microsoft.toy/BOXES --type Microsoft.KeyVault/vaults --workers 7",
	}
	if opt.next.Again != want.Again {
		t.Errorf("again:\n%s\nwant\n%s", opt.next.Again, want.Again)
	}
}

func TestSettingsWithFlagsOfTheirOwn(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	f.env["ATG_BOX_PREFIX"] = "of the environment"
	opt, err := parse(t, f, newPlanCmd, "--box-versions", "all", "--set", "keyvault.versions=all")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]plugin.Settings{"keyvault": {"versions": "all"}, "boxes": {"versions": "all", "prefix": "of the environment"}}
	if diff := cmp.Diff(want, opt.Settings); diff != "" {
		t.Error(diff)
	}
	if want := "--box-prefix 'of the environment' --box-versions all"; !strings.Contains(opt.next.Again, want) {
		t.Errorf("the next command is %s, want %s in it", opt.next.Again, want)
	}
	if opt, err = parse(t, f, newPlanCmd, "--set", "boxes.versions=latest", "--box-versions", "all"); err != nil || opt.Settings["boxes"]["versions"] != "latest" {
		t.Errorf("%v, %v: --set counts", opt, err)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	opt, err := parse(t, f, newApplyCmd, "--yes")
	if err != nil {
		t.Fatal(err)
	}
	if opt.Mode != plugin.Template || opt.output != outputText || opt.progress != "auto" || opt.Cloud != "public" || !opt.yes || opt.Overwrite {
		t.Errorf("%+v", opt)
	}
	if opt.Source.Principal.ClientID != "" || !opt.Source.Principal.ClientSecret.Empty() || opt.Source.Principal.Origin != "" {
		t.Errorf("a principal nobody named: %+v", opt.Source.Principal)
	}
	want := view.Next{Again: "atg apply", Apply: "atg apply", Verify: "atg verify", Force: "atg apply --overwrite"}
	if diff := cmp.Diff(want, opt.next); diff != "" {
		t.Error(diff)
	}
	if f.err.Len() > 0 {
		t.Errorf("standard error: %s", f.err)
	}
}

func TestEnvironmentVariables(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	f.env["ATG_MODE"], f.env["ATG_WORKERS"], f.env["ATG_YES"], f.env["ATG_SOURCE_RESOURCE_GROUP"] = "replication", "3", "true", "rg"
	f.env["ATG_SOURCE_TENANT_ID"], f.env["ATG_OVERWRITE"] = "from-auth-alone", "true"
	opt, err := parse(t, f, newApplyCmd, "--workers", "4")
	if err != nil {
		t.Fatal(err)
	}
	if opt.Mode != plugin.Replication || opt.Workers != 4 || opt.Source.ResourceGroup != "rg" {
		t.Errorf("%+v", opt)
	}
	if opt.yes || opt.Overwrite {
		t.Error("consent comes out of the environment")
	}
	if opt.Source.TenantID != "" {
		t.Error("the tenant of a credential is read twice")
	}
	f.env["ATG_MODE"] = "half"
	if _, err := parse(t, f, newApplyCmd); codeOf(err) != exitUsage || !strings.Contains(err.Error(), "ATG_MODE=half") {
		t.Errorf("a wrong variable: %v", err)
	}
}

func TestSecretFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tc := range map[string]struct{ path, want, err string }{
		"line":  {write("line", "abc\n"), "abc", ""},
		"bare":  {write("bare", "abc"), "abc", ""},
		"inner": {write("inner", " a b \n"), " a b ", ""},
		"empty": {write("empty", "\n"), "", "empty"},
		"large": {write("large", strings.Repeat("x", maxSecretFile+1)), "", "it is not a client secret"},
		"dir":   {dir, "", "cannot read"},
	} {
		s := sideFlags{secretFile: tc.path}
		got, err := s.secret(strings.NewReader(""))
		switch {
		case tc.err == "" && (err != nil || got.Reveal() != tc.want):
			t.Errorf("%s: %q, %v", name, got.Reveal(), err)
		case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
			t.Errorf("%s: error %v, want %q", name, err, tc.err)
		}
	}
}

func TestOnTerminalInteractiveSignInIsAllowed(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	f.app.InTTY, f.app.ErrTTY = true, true
	opt, err := parse(t, f, newPlanCmd)
	if err != nil || opt.DevicePrompt == nil {
		t.Fatalf("%v", err)
	}
	opt.DevicePrompt("open https://microsoft.com/devicelogin and enter ABC")
	if !strings.Contains(f.err.String(), "enter ABC") {
		t.Errorf("standard error: %s", f.err)
	}
	if opt, err = parse(t, f, newPlanCmd, "--no-input"); err != nil || opt.DevicePrompt != nil {
		t.Error("--no-input still allows a sign-in that asks")
	}
}

func TestDemoOptions(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "").withPlugins()
	var got *demoOptions
	stop := errors.New("stop")
	cmd := newDemoCmd(f.app, func(_ context.Context, opt *demoOptions) error { got = opt; return stop })
	cmd.SetArgs([]string{"--mode", "template", "--seed", "7", "--keep", "-o", "json", "--set", "storage.history=none"})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.ExecuteContext(t.Context()); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if got.Mode != plugin.Template || got.seed != 7 || !got.keep || got.output != outputJSON || got.Command != "demo" {
		t.Errorf("%+v", got)
	}
	want := map[string]plugin.Settings{"keyvault": {"versions": "all", "deleted": "recover"}, "storage": {"history": "none", "verify": "content"}}
	if diff := cmp.Diff(want, got.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestEmulatorOptions(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	var got *emulatorOptions
	cmd := newEmulatorStartCmd(f.app, func(_ context.Context, opt *emulatorOptions) error { got = opt; return nil })
	cmd.SetArgs([]string{"--scenario", "s.json", "--limits", "--latency", "20ms", "--listen", "127.0.0.1:1", "--log", "l", "--fault", "f", "--dir", "d", "-o", "json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := emulatorOptions{scenario: "s.json", listen: "127.0.0.1:1", log: "l", faults: "f", dir: "d", limits: true, latency: 20 * time.Millisecond, output: outputJSON}
	if *got != want {
		t.Errorf("%+v", got)
	}
}

func TestPluginCheckOptions(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	var got *pluginOptions
	cmd := newPluginCheckCmd(f.app, func(_ context.Context, opt *pluginOptions) error { got = opt; return nil })
	cmd.SetArgs([]string{"keyvault", "--only", "A/B", "--only", "C", "-o", "json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pluginOptions{name: "keyvault", output: outputJSON, only: []string{"A/B", "C"}}, *got, cmp.AllowUnexported(pluginOptions{})); diff != "" {
		t.Error(diff)
	}
}
