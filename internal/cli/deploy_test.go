package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/deploy"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const tenant = "f0000000-0000-4000-8000-000000000001"

// moduleDir is a directory with a Terraform module.
func moduleDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// deployWith runs the command line and returns the options that came out of it.
func deployWith(t testing.TB, f *fakeTerminal, args ...string) (*deployOptions, int) {
	t.Helper()
	var got *deployOptions
	root := f.app.Root()
	for _, c := range root.Commands() {
		if c.Name() == "deploy" {
			root.RemoveCommand(c)
		}
	}
	cmd := newDeployCmd(f.app, func(_ context.Context, opt *deployOptions) error {
		got = opt
		return nil
	})
	root.AddCommand(cmd)
	root.SetArgs(append([]string{"deploy"}, args...))
	_, err := root.ExecuteContextC(t.Context())
	if err != nil {
		f.err.WriteString(err.Error())
	}
	return got, codeOf(asUsage(cmd, err))
}

// TestDeployFlags gives every flag and every variable of the specification's command, and
// of upstream's, and looks at what each of them sets.
func TestDeployFlags(t *testing.T) {
	t.Parallel()
	dir := moduleDir(t)
	mapping := filepath.Join(dir, "pairs.json")
	if err := os.WriteFile(mapping, []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	secretFile := filepath.Join(dir, "secret")
	if err := os.WriteFile(secretFile, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args  string
		env   map[string]string
		check func(o *deployOptions) bool
	}{
		"--iac-dir":          {check: func(o *deployOptions) bool { return o.control.Dir == dir }},
		"--target-tenant-id": {check: func(o *deployOptions) bool { return o.Target.TenantID == tenant }},
		"--resource-group":   {args: "--resource-group rg", check: func(o *deployOptions) bool { return o.control.ResourceGroup == "rg" && o.Target.ResourceGroup == "rg" }},
		"--location":         {args: "--location westeurope", check: func(o *deployOptions) bool { return o.control.Location == "westeurope" }},
		"no --location":      {check: func(o *deployOptions) bool { return o.control.Location == "eastus" }},
		"--subscription-id": {args: "--subscription-id sub", check: func(o *deployOptions) bool {
			return o.control.SubscriptionID == "sub" && o.Target.SubscriptionID == "sub"
		}},
		"--target-subscription-id": {args: "--target-subscription-id sub", check: func(o *deployOptions) bool { return o.control.SubscriptionID == "sub" }},
		"--iac-format":             {args: "--iac-format bicep", check: func(o *deployOptions) bool { return o.control.Format == deploy.Bicep }},
		"--iac-format auto":        {args: "--iac-format auto", check: func(o *deployOptions) bool { return o.control.Format == "" }},
		"--dry-run":                {args: "--dry-run", check: func(o *deployOptions) bool { return o.dryRun && !o.dataPlane }},
		"--dataplane":              {args: "--dataplane", check: func(o *deployOptions) bool { return o.dataPlane && o.Mode == plugin.Template && !o.ask }},
		"--dataplane-mode":         {args: "--dataplane --dataplane-mode Replication", check: func(o *deployOptions) bool { return o.Mode == plugin.Replication }},
		"--sp-*": {args: "--sp-client-id app --sp-client-secret s3cret --sp-tenant-id " + tenant, check: func(o *deployOptions) bool {
			p := o.Target.Principal
			return p.ClientID == "app" && p.ClientSecret.Reveal() == "s3cret" && o.Target.TenantID == tenant && o.Source.Principal == auth.Principal{}
		}},
		"--sp-client-secret-file": {args: "--sp-client-id app --sp-client-secret-file " + secretFile, check: func(o *deployOptions) bool { return o.Target.Principal.ClientSecret.Reveal() == "s3cret" }},
		"the source": {args: "--source-tenant-id st --source-subscription-id ss --source-resource-group sg --source-sp-client-id sa --source-sp-client-secret sx", check: func(o *deployOptions) bool {
			s := o.Source
			return s.TenantID == "st" && s.SubscriptionID == "ss" && s.ResourceGroup == "sg" && s.Principal.ClientID == "sa" && s.Principal.ClientSecret.Reveal() == "sx"
		}},
		"--inventory":     {args: "--inventory " + mapping, check: func(o *deployOptions) bool { return o.Source.Inventory == mapping && o.Target.Inventory == "" }},
		"--mapping":       {args: "--mapping " + mapping, check: func(o *deployOptions) bool { return o.Mapping == mapping }},
		"--type, twice":   {args: "--type keyvault --type Microsoft.Toy/boxes", check: func(o *deployOptions) bool { return len(o.Types) == 2 }},
		"--yes":           {args: "--yes", check: func(o *deployOptions) bool { return o.yes }},
		"--overwrite":     {args: "--dataplane --overwrite --yes", check: func(o *deployOptions) bool { return o.Overwrite }},
		"--parameters":    {args: "--parameters " + mapping, check: func(o *deployOptions) bool { return o.control.Parameters == mapping }},
		"--terraform-bin": {args: "--terraform-bin tofu", check: func(o *deployOptions) bool { return o.control.TerraformBinary == "tofu" }},
		"timeouts": {args: "--init-timeout 1s --plan-timeout 2s --deploy-timeout 3s", check: func(o *deployOptions) bool {
			return o.control.Timeouts == deploy.Timeouts{Init: time.Second, Plan: 2 * time.Second, Deploy: 3 * time.Second}
		}},
		"upstream's timeouts": {check: func(o *deployOptions) bool { return o.control.Timeouts == deploy.DefaultTimeouts() }},
		"ATG_TIMEOUT_*": {env: map[string]string{"ATG_TIMEOUT_INIT": "10", "ATG_TIMEOUT_BUILD": "20", "ATG_TIMEOUT_DEPLOY": "often"}, check: func(o *deployOptions) bool {
			return o.control.Timeouts == deploy.Timeouts{Init: 10 * time.Second, Plan: 20 * time.Second, Deploy: 30 * time.Minute}
		}},
		"a flag before ATG_TIMEOUT_*": {args: "--init-timeout 1m", env: map[string]string{"ATG_TIMEOUT_INIT": "10"}, check: func(o *deployOptions) bool { return o.control.Timeouts.Init == time.Minute }},
		"AZURE_DATAPLANE_*": {env: map[string]string{"AZURE_DATAPLANE_TENANT_ID": "t", "AZURE_DATAPLANE_CLIENT_ID": "c", "AZURE_DATAPLANE_CLIENT_SECRET": "s"}, check: func(o *deployOptions) bool {
			p := auth.FromEnvironment(plugin.Target, o.Env).Principals
			return len(p) == 1 && p[0].ClientID == "c" && o.Target.TenantID == tenant
		}},
		"ATG_SOURCE_*": {env: map[string]string{"ATG_SOURCE_TENANT_ID": "t", "ATG_SOURCE_SUBSCRIPTION_ID": "s"}, check: func(o *deployOptions) bool {
			e := auth.FromEnvironment(plugin.Source, o.Env)
			return e.TenantID == "t" && e.SubscriptionID == "s"
		}},
		"ATG_DATAPLANE_MODE":        {env: map[string]string{"ATG_DATAPLANE_MODE": "replication"}, check: func(o *deployOptions) bool { return o.Mode == plugin.Replication }},
		"ATG_MODE is another's":     {env: map[string]string{"ATG_MODE": "replication"}, check: func(o *deployOptions) bool { return o.Mode == plugin.Template }},
		"ATG_RESOURCE_GROUP":        {env: map[string]string{"ATG_RESOURCE_GROUP": "g"}, check: func(o *deployOptions) bool { return o.control.ResourceGroup == "g" }},
		"a flag before its aliases": {args: "--resource-group a", env: map[string]string{"ATG_TARGET_RESOURCE_GROUP": "b"}, check: func(o *deployOptions) bool { return o.control.ResourceGroup == "a" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTerminal(t, "")
			for k, v := range c.env {
				f.env[k] = v
			}
			got, code := deployWith(t, f, append([]string{"--iac-dir", dir, "--target-tenant-id", tenant}, strings.Fields(c.args)...)...)
			if code != exitDone || !c.check(got) {
				t.Errorf("exit code %d, %+v\n%s", code, got, f.err)
			}
		})
	}
}

func TestDeployTenant(t *testing.T) {
	t.Parallel()
	dir := moduleDir(t)
	for _, variable := range []string{"AZURE_TENANT_ID", "AZURE_DATAPLANE_TENANT_ID"} {
		f := newTerminal(t, "")
		f.env[variable] = tenant
		got, code := deployWith(t, f, "--iac-dir", dir)
		if code != exitDone || got.Target.TenantID != tenant {
			t.Errorf("%s: exit code %d, %+v", variable, code, got)
		}
	}
}

func TestDeployMistakes(t *testing.T) {
	t.Parallel()
	dir := moduleDir(t)
	with := "--iac-dir " + dir + " --target-tenant-id " + tenant + " "
	another := with + "--sp-tenant-id c0000000-0000-4000-8000-000000000001"
	for args, want := range map[string]string{
		"":                                          "give --iac-dir",
		"--iac-dir /nowhere":                        "there is no such directory",
		"--iac-dir " + dir + "/main.tf":             "it is a file",
		"--iac-dir " + dir:                          "give --target-tenant-id",
		with + "--iac-format pulumi":                `"pulumi" is not one of auto, terraform, bicep, arm`,
		with + "--dataplane-mode half":              `"half" is not one of template, replication`,
		with + "--dataplane replication":            `unknown command "replication"`,
		with + "--dataplane --overwrite":            "add --yes",
		with + "--deploy-timeout -1s":               "cannot be negative",
		with + "--parameters /nowhere":              "no such file",
		with + "--dataplane-interactive":            "nobody can be asked here",
		with + "--dataplane-interactive --no-input": "--no-input forbids it",
		with + "--type Microsoft.X/y":               "no plugin is for this resource type",
		with + "--inventory /nowhere":               "no such file",
		another:                                     "is another tenant than --target-tenant-id " + tenant,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			f := newTerminal(t, "")
			if got, code := deployWith(t, f, strings.Fields(args)...); code != exitUsage || got != nil || !strings.Contains(f.err.String(), want) {
				t.Errorf("exit code %d: %s", code, f.err)
			}
		})
	}
	f := newTerminal(t, "")
	f.app.InTTY, f.app.ErrTTY = true, true
	if _, code := deployWith(t, f, strings.Fields(with+"--dataplane-interactive")...); code != exitUsage || !strings.Contains(f.err.String(), "give --dataplane too") {
		t.Errorf("interactive without a data plane: %s", f.err)
	}
}

// TestDeployInteractive looks at what the flag allows: questions, and people who sign in.
func TestDeployInteractive(t *testing.T) {
	t.Parallel()
	args := []string{"--iac-dir", moduleDir(t), "--target-tenant-id", tenant, "--dataplane"}
	for name, c := range map[string]struct {
		more       []string
		ask, asked bool
	}{
		"without": {}, "with": {more: []string{"--dataplane-interactive"}, ask: true, asked: true},
		"with, and a mode": {more: []string{"--dataplane-interactive", "--dataplane-mode", "template"}, ask: true},
	} {
		f := newTerminal(t, "")
		f.app.InTTY, f.app.ErrTTY = true, true
		got, code := deployWith(t, f, append(args, c.more...)...)
		if code != exitDone || got.ask != c.ask || (got.DevicePrompt != nil) != c.ask || (got.Choose != nil) != c.asked {
			t.Errorf("%s: exit code %d, ask %t, %s", name, code, got.ask, f.err)
		}
	}
}

// TestDeployNext holds the commands that a report offers.
func TestDeployNext(t *testing.T) {
	t.Parallel()
	dir := moduleDir(t)
	f := newTerminal(t, "")
	got, _ := deployWith(t, f, strings.Fields("--iac-dir "+dir+" --target-tenant-id t --resource-group rg --dataplane --dataplane-mode replication --dry-run --sp-client-id a --sp-client-secret x --type keyvault")...)
	again := "atg deploy --dataplane --dataplane-mode replication --iac-dir " + dir + " --resource-group rg --sp-client-id a --target-tenant-id t --type keyvault"
	verify := "atg verify --mode replication --target-resource-group rg --sp-client-id a --target-tenant-id t --type keyvault"
	if got.next.Apply != again || got.next.Verify != verify {
		t.Errorf("%+v", got.next)
	}
}

// TestAgree goes through who has to agree to what.
func TestAgree(t *testing.T) {
	t.Parallel()
	creates := change.Plan{Changes: []change.Change{{Action: change.Create, Name: "a"}}}
	loses := change.Plan{Changes: []change.Change{{Action: change.Delete, Name: "a"}, {Action: change.Replace, Name: "b"}}}
	broken := change.Plan{Changes: []change.Change{{Action: change.Replace, Name: "b", Broken: true}}}
	for name, c := range map[string]struct {
		plan     change.Plan
		yes, ask bool
		answer   string
		code     int
		shown    string
	}{
		"new things":                {plan: creates},
		"a loss":                    {plan: loses, code: exitUsage},
		"a loss that was agreed to": {plan: loses, yes: true},
		"what was never finished":   {plan: broken},
		"asked, yes":                {plan: loses, ask: true, answer: "yes\n", shown: "delete"},
		"asked, no":                 {plan: creates, ask: true, answer: "no\n", code: exitFailed, shown: "create"},
		"asked, silence":            {plan: creates, ask: true, code: exitUsage},
	} {
		f := newTerminal(t, c.answer)
		opt := &deployOptions{runOptions: &runOptions{yes: c.yes, ask: c.ask, out: &output{app: f.app}}}
		d := &deployment{app: f.app, opt: opt}
		if got := codeOf(d.agree(t.Context(), c.plan)); got != c.code || !strings.Contains(f.err.String(), c.shown) {
			t.Errorf("%s: exit code %d, %s", name, got, f.err)
		}
	}
}

// TestPassOn looks at what Terraform gets of the target's identity.
func TestPassOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args string
		env  map[string]string
		want map[string]string
	}{
		"the flags":    {"--sp-client-id a --sp-client-secret s --subscription-id sub", map[string]string{"ARM_CLIENT_ID": "other"}, map[string]string{"ARM_TENANT_ID": tenant, "ARM_CLIENT_ID": "a", "ARM_CLIENT_SECRET": "s", "ARM_SUBSCRIPTION_ID": "sub"}},
		"its own":      {"", map[string]string{"ARM_CLIENT_ID": "other", "AZURE_CLIENT_ID": "x", "AZURE_CLIENT_SECRET": "y"}, map[string]string{"ARM_TENANT_ID": tenant}},
		"variables":    {"", map[string]string{"AZURE_DATAPLANE_CLIENT_ID": "c", "AZURE_DATAPLANE_CLIENT_SECRET": "s", "AZURE_DATAPLANE_SUBSCRIPTION_ID": "sub"}, map[string]string{"ARM_TENANT_ID": tenant, "ARM_CLIENT_ID": "c", "ARM_CLIENT_SECRET": "s", "ARM_SUBSCRIPTION_ID": "sub"}},
		"half of them": {"", map[string]string{"AZURE_DATAPLANE_CLIENT_ID": "c"}, map[string]string{"ARM_TENANT_ID": tenant}},
	} {
		f := newTerminal(t, "")
		for k, v := range c.env {
			f.env[k] = v
		}
		set := map[string]string{}
		f.app.Setenv = func(name, value string) error { set[name] = value; return nil }
		opt, code := deployWith(t, f, append([]string{"--iac-dir", moduleDir(t), "--target-tenant-id", tenant}, strings.Fields(c.args)...)...)
		if code != exitDone {
			t.Fatal(f.err)
		}
		if err := f.app.passOn(opt); err != nil {
			t.Error(err)
		}
		for k, v := range c.want {
			if set[k] != v {
				t.Errorf("%s: %s=%s", name, k, set[k])
			}
		}
		if len(set) != len(c.want) {
			t.Errorf("%s: %d variables, want %d", name, len(set), len(c.want))
		}
		f.app.Setenv = func(string, string) error { return errors.New("no room") }
		if f.app.passOn(opt) == nil {
			t.Error("an error was passed over")
		}
		opt.emulator = "127.0.0.1:1"
		if codeOf(f.app.passOn(opt)) != exitUsage {
			t.Error("Terraform was let past the emulator")
		}
	}
}

// TestChooseAside narrows the run by questions, and repeats the choice in what it offers.
func TestChooseAside(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "replication\n\ny\n")
	f.app.InTTY, f.app.ErrTTY = true, true
	opt, code := deployWith(t, f, "--iac-dir", moduleDir(t), "--target-tenant-id", tenant, "--dataplane", "--dataplane-interactive")
	if code != exitDone {
		t.Fatal(f.err)
	}
	opt.out = &output{app: f.app}
	got, err := opt.Choose(t.Context(), session.Found{Types: []session.Type{{Name: "Microsoft.KeyVault/vaults", Count: 1}, {Name: "Microsoft.Toy/boxes", Count: 2}}})
	if err != nil || got.Mode != plugin.Replication || !strings.Contains(opt.next.Verify, "--mode replication") {
		t.Errorf("%+v, %v, %+v", got, err, opt.next)
	}
	if !strings.Contains(f.err.String(), "How much is to be copied?") {
		t.Errorf("%s", f.err)
	}
}
