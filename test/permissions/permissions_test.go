package permissions

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	exitDone       = 0
	exitUsage      = 2
	exitPartial    = 3
	exitPermission = 5
)

// TestEachPermission takes each permission of each side and mode away: the check names
// it, apply refuses before any write, and after the script the run succeeds.
func TestEachPermission(t *testing.T) {
	t.Parallel()
	for _, mode := range plugin.Modes() {
		for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
			for _, action := range declared(mode, side) {
				name := string(mode) + "/" + string(side) + "/" + strings.ReplaceAll(strings.TrimPrefix(action, "Microsoft.KeyVault/vaults/"), "/", "-")
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, true)
					w.giveAllBut(mode, side, action)
					w.named(mode, side, action)
					w.mended(mode)
				})
			}
		}
	}
}

// named proves that exactly one permission is found to be missing, before any write.
func (w *world) named(mode plugin.Mode, side plugin.Side, action string) {
	w.Helper()
	w.ResetRequests()
	check := w.atg("permissions", "check", "--mode", string(mode), "-o", "json")
	if check.code != exitPermission {
		w.Errorf("check: exit code %d, want %d\n%s%s", check.code, exitPermission, check.out, check.err)
	}
	var report rbac.Report
	if err := json.Unmarshal([]byte(check.out), &report); err != nil {
		w.Fatalf("check: %v\n%s", err, check.out)
	}
	if report.Missing != 1 || report.Unknown != 0 {
		w.Errorf("check: %d missing, %d unknown\n%s", report.Missing, report.Unknown, check.out)
	}
	for _, res := range report.Resources {
		for _, r := range res.Rights {
			if (r.State == rbac.Missing) != (r.Action == action && res.Side == side) {
				w.Errorf("check: %s at the %s is %s", r.Action, res.Side, r.State)
			}
		}
	}
	w.refused(mode, action, "apply", "--yes")
	if writes := w.writes(); len(writes) > 0 {
		w.Errorf("written before the permissions are there: %q", writes)
	}
}

// refused runs a command that must end for want of a permission, and name it.
func (w *world) refused(mode plugin.Mode, action string, args ...string) result {
	w.Helper()
	got := w.atg(append(args, "--mode", string(mode))...)
	if got.code != exitPermission || !strings.Contains(got.err, action) || !strings.Contains(got.err, "`atg permissions script ") {
		w.Errorf("%s: exit code %d, want %d and the name of %s\n%s", args, got.code, exitPermission, action, got.err)
	}
	return got
}

// TestPlan: a plan says what is missing, shows what it can see all the same, and ends with
// the exit code that apply would have.
func TestPlan(t *testing.T) {
	t.Parallel()
	const action = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
	w := newWorld(t, true)
	w.giveAllBut(plugin.Replication, plugin.Target, action)
	w.ResetRequests()
	got := w.refused(plugin.Replication, action, "plan", "-o", "json")
	var report struct{ Plan map[string]int }
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || report.Plan["missing"] == 0 {
		t.Errorf("%v: %s", err, got.out)
	}
	if writes := w.writes(); len(writes) > 0 {
		t.Errorf("plan writes: %q", writes)
	}
}

// mended runs the script and proves that the run succeeds then.
func (w *world) mended(mode plugin.Mode, how ...string) {
	w.Helper()
	script := w.atg(append([]string{"permissions", "script", "--mode", string(mode)}, how...)...)
	if script.code != exitDone {
		w.Fatalf("script: exit code %d\n%s", script.code, script.err)
	}
	w.carryOut(script.out)
	apply := w.atg("apply", "--yes", "--mode", string(mode), "-o", "json")
	var report struct{ FailuresTotal int }
	if err := json.Unmarshal([]byte(apply.out), &report); err != nil || apply.code != exitDone || report.FailuresTotal > 0 {
		w.Errorf("apply after the script: exit code %d, %v\n%s%s", apply.code, err, apply.out, apply.err)
	}
}

// TestScripts: from no right at all, each form of the script gives what a whole run needs.
func TestScripts(t *testing.T) {
	t.Parallel()
	for _, mode := range plugin.Modes() {
		for _, how := range [][]string{nil, {"--prefer", "narrowest"}, {"--custom-role"}} {
			t.Run(string(mode)+"/"+strings.Join(how, ""), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, true)
				for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
					w.give(side, alsoNeeded, nil)
				}
				w.mended(mode, how...)
				if check := w.atg("permissions", "check", "--mode", string(mode)); check.code != exitDone || strings.Contains(check.out, "missing  ") {
					t.Errorf("check after the script: exit code %d\n%s%s", check.code, check.out, check.err)
				}
				// It may be run again.
				w.carryOut(w.atg(append([]string{"permissions", "script", "--mode", string(mode)}, how...)...).out)
			})
		}
	}
}

// TestScriptWithoutAnyRight: made from inventory files for principals that are named, the
// script needs nobody to be signed in, and gives what it takes to be found and read too.
func TestScriptWithoutAnyRight(t *testing.T) {
	t.Parallel()
	for _, how := range [][]string{nil, {"--custom-role"}} {
		w := newWorld(t, true)
		args := []string{"permissions", "script", "--mode", "replication"}
		for side, e := range w.ends {
			inventory := filepath.Join(t.TempDir(), "resources.json")
			text, err := json.Marshal([]any{map[string]any{"id": e.vault, "type": "Microsoft.KeyVault/vaults", "name": path.Base(e.vault), "location": "westeurope"}})
			w.must(err)
			w.must(os.WriteFile(inventory, text, 0o600))
			args = append(args, "--"+string(side)+"-inventory", inventory, "--"+string(side)+"-assignee", e.app.ObjectID)
		}
		w.ResetRequests()
		script := w.atg(append(args, how...)...)
		if script.code != exitDone || len(w.Requests()) > 0 {
			t.Fatalf("exit code %d, %d requests\n%s", script.code, len(w.Requests()), script.err)
		}
		w.carryOut(script.out)
		if apply := w.atg("apply", "--yes", "--mode", "replication"); apply.code != exitDone {
			t.Errorf("apply: exit code %d\n%s%s", apply.code, apply.out, apply.err)
		}
	}
}

// TestAccessPolicies: vaults that do not use Azure RBAC are judged by their access
// policies, and the script gives those.
func TestAccessPolicies(t *testing.T) {
	t.Parallel()
	for _, mode := range plugin.Modes() {
		w := newWorld(t, false)
		for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
			w.give(side, alsoNeeded, []string{"*"}) // of no use here
		}
		w.ResetRequests()
		apply := w.atg("apply", "--yes", "--mode", string(mode))
		if apply.code != exitPermission || !strings.Contains(apply.err, "by access policies") || !strings.Contains(apply.err, "the access policies do not give it") {
			t.Errorf("apply: exit code %d\n%s", apply.code, apply.err)
		}
		if writes := w.writes(); len(writes) > 0 {
			t.Errorf("written before the permissions are there: %q", writes)
		}
		w.mended(mode)
	}
}

// TestUnknownIsNotMissing: principals that may not read their own rights are told so, and
// may go on.
func TestUnknownIsNotMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
		w.give(side, []string{"Microsoft.KeyVault/vaults/read", "Microsoft.Resources/*/read"}, declared(plugin.Template, side))
	}
	check := w.atg("permissions", "check")
	if check.code != exitDone || !strings.Contains(check.out, "0 permissions held, 0 missing, 17 unknown at 2 resources") || strings.Contains(check.out, "\n  held") {
		t.Errorf("check: exit code %d\n%s%s", check.code, check.out, check.err)
	}
	apply := w.atg("apply", "--yes")
	if apply.code != exitDone || !strings.Contains(apply.err, "17 unknown") {
		t.Errorf("apply: exit code %d\n%s%s", apply.code, apply.out, apply.err)
	}
}

// TestSkippedCheck: with the flag nobody is asked, and the run finds out by itself.
func TestSkippedCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.giveAllBut(plugin.Template, plugin.Target, "Microsoft.KeyVault/vaults/secrets/setSecret/action")
	w.ResetRequests()
	apply := w.atg("apply", "--yes", "--skip-permission-check", "-o", "json")
	if apply.code != exitPartial || !strings.Contains(apply.out, "Microsoft.KeyVault/vaults/secrets/setSecret/action") {
		t.Errorf("apply: exit code %d\n%s%s", apply.code, apply.out, apply.err)
	}
	if len(w.writes()) == 0 {
		t.Error("nothing was written")
	}
	for _, r := range w.Requests() {
		if strings.Contains(r.Path, "Microsoft.Authorization") {
			t.Errorf("asked all the same: %s %s", r.Method, r.Path)
		}
	}
}

// TestFirewalls: what Resource Manager says about the network is a warning with a hint,
// and never a yes or a no.
func TestFirewalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.giveAllBut(plugin.Template, "", "")
	e := w.ends[plugin.Target]
	w.must(w.ARM().Put(e.vault, map[string]any{"location": "westeurope", "tags": map[string]any{"atg-source-id": w.sourceID()}, "properties": map[string]any{
		"tenantId": e.tenant, "enableRbacAuthorization": true, "accessPolicies": []any{}, "sku": map[string]any{"family": "A", "name": "standard"},
		"networkAcls": map[string]any{"bypass": "None", "defaultAction": "Deny", "ipRules": []any{map[string]any{"value": "203.0.113.9"}}, "virtualNetworkRules": []any{}},
	}}))
	check := w.atg("permissions", "check")
	for _, want := range []string{"its firewall lets through 1 address range and 0 subnets alone", "az keyvault network-rule add --name kv-rights-copy --ip-address ADDRESS", "17 permissions held, 0 missing, 0 unknown at 2 resources; the network may refuse requests at 1"} {
		if check.code != exitDone || !strings.Contains(check.out, want) {
			t.Errorf("check: exit code %d, lacks %q\n%s%s", check.code, want, check.out, check.err)
		}
	}
	plan := w.atg("plan")
	if !strings.Contains(plan.err, "its firewall lets through") {
		t.Errorf("plan: exit code %d\n%s", plan.code, plan.err)
	}
}

// TestScriptForms: one side alone, and the custom role as JSON.
func TestScriptForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.giveAllBut(plugin.Template, "", "")
	for side, e := range w.ends {
		script := w.atg("permissions", "script", "--side", string(side))
		for other, o := range w.ends {
			if strings.Contains(script.out, e.app.ObjectID) == false || (other != side && strings.Contains(script.out, o.app.ObjectID)) {
				t.Errorf("--side %s:\n%s%s", side, script.out, script.err)
			}
		}
		var role struct {
			Name                          string
			DataActions, AssignableScopes []string
		}
		asJSON := w.atg("permissions", "script", "--side", string(side), "--format", "json")
		if err := json.Unmarshal([]byte(asJSON.out), &role); err != nil || len(role.DataActions) != len(declared(plugin.Template, side)) || role.AssignableScopes[0] != "/subscriptions/"+e.subscription {
			t.Errorf("--format json: %v\n%s%s", err, asJSON.out, asJSON.err)
		}
	}
	named := w.atg("permissions", "script", "--side", "source", "--source-assignee", "somebody@contoso.com")
	if named.code != exitDone || !strings.Contains(named.out, " --assignee somebody@contoso.com ") || strings.Contains(named.out, "--assignee-object-id") {
		t.Errorf("--source-assignee:\n%s%s", named.out, named.err)
	}
	for args, want := range map[string]string{
		"permissions script --format powershell": "is not one of bash, json",
		"permissions script -o json":             "is not one of text",
		"permissions check -o jsonl":             "is not one of text, json",
		"permissions script --side left":         "is not one of both, source, target",
		"permissions script --prefer most":       "is not one of fewest, narrowest",
		"permissions table extra":                "unknown command",
	} {
		if got := w.atg(strings.Fields(args)...); got.code != exitUsage || !strings.Contains(got.err, want) {
			t.Errorf("%s: exit code %d\n%s", args, got.code, got.err)
		}
	}
}
