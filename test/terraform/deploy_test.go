package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/examples/contoso"
	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// childVar makes this test's program the command line of atg.
const childVar = "ATG_TERRAFORM_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		app := &cli.App{
			IO: cli.SystemIO(), Version: "v0.0.0-test",
			Registry: func() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) },
		}
		os.Exit(app.Run(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// process runs atg as a process of its own, as Terraform's parent has to be, and returns
// the report.
func (w *world) process(t *testing.T, args ...string) *engine.Report {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	source, err := w.Principal(contoso.Source)
	if err != nil {
		t.Fatal(err)
	}
	target, err := w.Principal(contoso.Target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, append(args, "--progress", "plain", "-o", "json")...)
	cmd.Env = append([]string{
		childVar + "=1", "XDG_STATE_HOME=" + t.TempDir(), "ATG_EMULATOR=" + w.ProxyURL(),
		"ATG_SOURCE_TENANT_ID=" + source.TenantID, "ATG_SOURCE_SUBSCRIPTION_ID=" + source.SubscriptionID, "ATG_SOURCE_CLIENT_ID=" + source.AppID, "ATG_SOURCE_CLIENT_SECRET=" + source.Secret,
		"AZURE_DATAPLANE_TENANT_ID=" + target.TenantID, "AZURE_DATAPLANE_CLIENT_ID=" + target.AppID, "AZURE_DATAPLANE_CLIENT_SECRET=" + target.Secret,
		"TF_VAR_source_resource_group_id=/subscriptions/" + source.SubscriptionID + "/resourceGroups/rg-contoso-prod",
	}, w.env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("atg %v: %v\n%s\n%s", args, err, tail(errs.String()), tail(out.String()))
	}
	report := &engine.Report{}
	if err := json.Unmarshal(out.Bytes(), report); err != nil {
		t.Fatalf("%v\n%s", err, tail(out.String()))
	}
	return report
}

// TestDeploy deploys examples/contoso-terraform with the real provider and copies contoso's
// vaults into what that made. Terraform then sees nothing to change, and the state alone pairs
// every vault.
func TestDeploy(t *testing.T) {
	t.Parallel()
	w := start(t, false)
	dir := t.TempDir()
	code := read(t, "../../examples/contoso-terraform/main.tf")
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := w.Principal(contoso.Target)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"Owner", "Key Vault Administrator"} { // contoso's scenario has the rights that its own groups need
		if err := w.ARM().Assign(target.TenantID, target.ObjectID, "/subscriptions/"+target.SubscriptionID, role); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{
		"deploy", "--iac-dir", dir, "--target-tenant-id", target.TenantID, "--subscription-id", target.SubscriptionID,
		"--terraform-bin", w.terraform, "--dataplane", "--dataplane-mode", "replication", "--type", "keyvault",
	}
	r := w.process(t, args...)
	if r.ControlPlane == nil || r.ControlPlane.Percent != 100 || r.Resources.Paired != 3 || r.Resources.Source != 3 {
		t.Errorf("control plane %+v, resources %+v", r.ControlPlane, r.Resources)
	}
	if r.FailTotal != 0 || r.Fidelity.Items < 300 || r.Fidelity.Percent < 90 {
		t.Errorf("fidelity %+v, %d failures: %+v", r.Fidelity, r.FailTotal, r.Failures)
	}

	w.env = append(w.env, "TF_VAR_subscription_id="+target.SubscriptionID)
	source, err := w.Principal(contoso.Source)
	if err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "TF_VAR_source_resource_group_id=/subscriptions/"+source.SubscriptionID+"/resourceGroups/rg-contoso-prod")
	w.unchanged(t, dir, "after the data plane was copied")

	again := w.process(t, "verify", "--mode", "replication", "--type", "keyvault", "--target-inventory", "tfstate:"+filepath.Join(dir, "terraform.tfstate"))
	if again.Resources.Paired != 3 || again.Fidelity.Verified != r.Fidelity.Verified {
		t.Errorf("paired by the state: %+v, %+v", again.Resources, again.Fidelity)
	}
}
