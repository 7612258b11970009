package view

import (
	"errors"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

const groupID = "/subscriptions/s/resourceGroups/rg"

// controlReport is of a deploy without a data plane.
func controlReport(c engine.ControlPlane) *engine.Report {
	r := baseReport("deploy")
	r.ControlPlane = &c
	return r
}

func TestDeployReports(t *testing.T) {
	t.Parallel()
	planned := engine.ControlPlane{
		Status: "planned", Format: "arm", Directory: "out/arm", Scope: groupID, Resources: 3, Deployed: 1, Percent: 33.33, Seconds: 1.2,
		Plan:    map[string]int64{"create": 1, "update": 1, "same": 1},
		Changes: []engine.DeployChange{{Action: "create", Resource: rg + "kv-new", Type: vaults}, {Action: "update", Resource: rg + "kv-old", Type: vaults}},
		Notes:   []string{"the resource group rg is not there yet: it would be created in eastus"},
	}
	failed := engine.ControlPlane{
		Status: "failed", Format: "terraform", Directory: "out/tf", Resources: 2, Deployed: 1, Percent: 50,
		Failures: []engine.DeployFailure{{Resource: "azurerm_key_vault.b", Type: "azurerm_key_vault", Problem: engine.Problem{Kind: "conflict", Message: "already exists"}}},
	}
	canceled := engine.ControlPlane{
		Status: "canceled", Format: "bicep", Directory: "out", Scope: groupID, Resources: 2,
		State: "Deployment atg-1 was canceled in Azure: 0 of 2 resources are in place and stay there.", GoOn: "run the same command again",
	}
	next := Next{Again: "atg deploy --iac-dir out", Apply: "atg deploy --iac-dir out --yes"}
	both := goodReport()
	both.Run.Command = "deploy"
	both.ControlPlane = &engine.ControlPlane{Status: "deployed", Format: "terraform", Directory: "out/tf", Resources: 12, Deployed: 12, Percent: 100, DataPlane: true, Plan: map[string]int64{"create": 12}}
	stopped := controlReport(canceled)
	stopped.Run.Canceled = true
	empty := controlReport(engine.ControlPlane{Status: "planned", Format: "arm", Directory: "out", Percent: 100})
	for name, r := range map[string]*engine.Report{
		"planned": controlReport(planned), "failed": controlReport(failed), "canceled": stopped, "both": both, "empty": empty,
	} {
		var b strings.Builder
		if err := Report(&b, r, next, Style{Width: 80}); err != nil {
			t.Fatal(err)
		}
		golden(t, "deploy."+name+".golden", b.String())
	}
}

func TestDeployChanges(t *testing.T) {
	t.Parallel()
	changes := []change.Change{{Action: change.Same, Name: "a.same"}}
	for range maxListed + 2 {
		changes = append(changes, change.Change{Action: change.Replace, Name: "azurerm_key_vault.b", Type: "azurerm_key_vault"})
	}
	var b strings.Builder
	if err := DeployChanges(&b, changes, Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"replace  azurerm_key_vault.b", "and 2 others"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "a.same") {
		t.Error("what is the same is listed")
	}
}

func TestDeployProgress(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	p := NewPlain(&b, Style{})
	why := &errs.Error{Op: "deploy", Kind: errs.Conflict, Resource: rg + "kv-b", Err: errors.New("no")}
	for _, e := range []event.Event{
		event.DeployStarted{Run: "R", Format: "arm", Directory: "d", Tenant: "t"},
		event.DeployStarted{Format: "terraform", Directory: "d", DryRun: true},
		event.DeployStep{Step: "init", Text: "getting providers"},
		event.DeployOutput{Line: "\x1b[31mred"},
		event.DeployPlanned{Create: 1, Same: 2},
		event.DeployResource{Resource: "terraform_data.a", State: event.ResourceReady},
		event.DeployResource{Resource: rg + "kv-a", Kind: vaults, State: event.ResourceReady},
		event.DeployResource{Resource: rg + "kv-b", Kind: vaults, State: event.ResourceFailed, Err: why},
		event.DeployFinished{Status: "failed", Resources: 2, Deployed: 1, Err: why},
	} {
		p.Event(e)
	}
	p.Close()
	for _, want := range []string{
		"deploy: arm files in d, target tenant t", "plan to deploy: terraform files", "init: getting providers", "  ·[31mred",
		"changes: 1 to create, 0 to change, 0 to replace, 0 to delete, 2 the same", "ready kv-a (Microsoft.KeyVault/vaults)",
		"failed kv-b: deploy in kv-b: no", "control plane failed: 1 of 2 resources",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "terraform_data.a") {
		t.Error("what Terraform says itself is said twice")
	}
}
