package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/azure-tenant-grapher/atg/examples/contoso"
	"github.com/azure-tenant-grapher/atg/internal/deploy"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// TestDemoDeploysItsTarget: after the template is deployed, the target has what the whole
// scenario has.
func TestDemoDeploysItsTarget(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "").withPlugins()
	whole, err := startEmulator(contoso.Scenario, contoso.DefaultSeed, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = whole.Close() })
	em, err := startEmulator(contoso.Undeployed, contoso.DefaultSeed, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = em.Close() })
	reg, err := f.app.Registry()
	if err != nil {
		t.Fatal(err)
	}
	opt := &runOptions{output: outputText, progress: "none"}
	opt.Command, opt.Mode, opt.Registry = "demo", plugin.Template, reg
	if err := f.app.aim(opt, em); err != nil {
		t.Fatal(err)
	}
	d, err := f.app.demoDeployment(opt, em)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := session.Connect(t.Context(), opt.Options, d.sides()...)
	if err != nil {
		t.Fatal(err)
	}
	done, err := d.controlPlane(t.Context(), conn)
	if err != nil || done.Report.Status != deploy.Deployed || !strings.HasSuffix(done.Report.Scope, contoso.TargetGroup) {
		t.Fatalf("deployment: %+v %v", done, err)
	}
	for _, path := range []string{"KeyVault/vaults/kv-fabrikam-shop", "KeyVault/vaults/kv-fabrikam-stock", "KeyVault/vaults/kv-fabrikam-front", "Storage/storageAccounts/stfabrikamprod"} {
		id := done.Report.Scope + "/providers/Microsoft." + path
		want, there := whole.ARM().Get(id)
		got, made := em.ARM().Get(id)
		for _, member := range []string{"name", "type", "location", "kind", "sku", "properties"} {
			if diff := cmp.Diff(want.Body[member], got.Body[member], timeless); !there || !made || diff != "" {
				t.Errorf("%s of %s: %s", member, path, diff)
			}
		}
		tags := func(body map[string]any) map[string]any { t, _ := body["tags"].(map[string]any); return t }
		if a, b := tags(want.Body), tags(got.Body); len(a) != len(b) || a["atg-source-id"] != b["atg-source-id"] {
			t.Errorf("tags of %s: %v, want %v", path, b, a)
		}
	}
}

// timeless leaves out when a storage account and its keys were made.
var timeless = cmpopts.IgnoreMapEntries(func(name string, _ any) bool {
	return name == "creationTime" || name == "keyCreationTime" || name == "lastEnabledTime"
})
