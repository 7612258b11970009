// Package permissions shows, through the command line and against the emulator, that a
// missing permission is found before any write, and that the script which atg writes
// mends it.
package permissions

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// content has something for every permission of the Key Vault plugin.
const content = `{
	"secrets": [{"name": "db-password", "value": "hunter2"}],
	"keys": [{"name": "signing", "rotationPolicy": {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P90D"}, "action": {"type": "Rotate"}}], "attributes": {"expiryTime": "P2Y"}}}],
	"certificates": [{"name": "web", "exportable": true}],
	"issuers": [{"name": "ca", "provider": "DigiCert", "accountId": "a", "password": "p", "orgId": "o"}],
	"contacts": [{"email": "it@contoso.com"}]
}`

// end is one tenant of a world, with its vault and the principal that atg signs in as.
type end struct {
	side         plugin.Side
	tenant       string
	subscription string
	vault        string // resource ID
	app          entra.App
}

// world is the emulator with a vault of the same name on both sides.
type world struct {
	testing.TB
	*emulator.Emulator
	ends  map[plugin.Side]*end
	state string // directory of journals
}

// alsoNeeded is what atg needs beside what a plugin declares: to find and read the
// resources, and to read its own rights.
var alsoNeeded = []string{"Microsoft.KeyVault/vaults/read", "Microsoft.Authorization/*/read", "Microsoft.Resources/*/read"}

// newWorld makes a world whose principals have no right yet.
func newWorld(t testing.TB, rbac bool) *world {
	t.Helper()
	em, err := emulator.Start(emulator.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = em.Close() })
	w := &world{TB: t, Emulator: em, ends: map[plugin.Side]*end{}, state: t.TempDir()}
	for _, e := range []*end{
		{side: plugin.Source, tenant: scenario.ContosoTenant, subscription: scenario.ContosoSubscription, vault: "rg-contoso"},
		{side: plugin.Target, tenant: scenario.FabrikamTenant, subscription: scenario.FabrikamSubscription, vault: "rg-fabrikam"},
	} {
		e.vault = "/subscriptions/" + e.subscription + "/resourceGroups/" + e.vault + "/providers/Microsoft.KeyVault/vaults/kv-rights"
		if e.side == plugin.Target {
			e.vault += "-copy" // vaults' names are unique in all of Azure
		}
		e.app = entra.App{AppID: uuid.NewString(), ObjectID: uuid.NewString(), Secret: uuid.NewString(), Name: "atg-" + string(e.side)}
		w.must(em.Entra().AddApp(e.tenant, e.app))
		w.must(em.ARM().Put(e.vault, map[string]any{
			"location": "westeurope", "tags": map[string]any{"atg-source-id": w.sourceID()},
			"properties": map[string]any{"tenantId": e.tenant, "enableRbacAuthorization": rbac, "accessPolicies": []any{}, "sku": map[string]any{"family": "A", "name": "standard"}},
		}))
		w.ends[e.side] = e
	}
	w.must(em.Seed(w.ends[plugin.Source].vault, json.RawMessage(content)))
	return w
}

func (w *world) sourceID() string {
	if e := w.ends[plugin.Source]; e != nil {
		return e.vault
	}
	return ""
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// give assigns a principal a custom role at its subscription.
func (w *world) give(side plugin.Side, actions, dataActions []string) {
	w.Helper()
	e := w.ends[side]
	role, err := w.ARM().DefineRole(e.tenant, "given "+uuid.NewString(), actions, nil, dataActions, nil)
	w.must(err)
	w.must(w.ARM().Assign(e.tenant, e.app.ObjectID, "/subscriptions/"+e.subscription, role))
}

// giveAllBut gives both sides everything that the mode needs but one data action of one
// side; "" leaves nothing out.
func (w *world) giveAllBut(mode plugin.Mode, side plugin.Side, action string) {
	w.Helper()
	for _, s := range []plugin.Side{plugin.Source, plugin.Target} {
		actions := declared(mode, s)
		if s == side {
			actions = slices.DeleteFunc(actions, func(a string) bool { return a == action })
		}
		w.give(s, alsoNeeded, actions)
	}
}

// declared lists the data actions that the Key Vault plugin declares for a side.
func declared(mode plugin.Mode, side plugin.Side) []string {
	var out []string
	for _, p := range plugins.All() {
		if p.Info().Name != "keyvault" {
			continue
		}
		for _, perm := range p.Permissions(mode) {
			if perm.Side == side {
				out = append(out, perm.DataActions...)
			}
		}
	}
	return out
}

// result is how a command line ended.
type result struct {
	code     int
	out, err string
}

// atg runs a command line in this process, signed in as the principals of the world.
func (w *world) atg(args ...string) result {
	w.Helper()
	proxy, err := url.Parse(w.ProxyURL())
	w.must(err)
	source, target := w.ends[plugin.Source], w.ends[plugin.Target]
	env := map[string]string{
		"ATG_SOURCE_TENANT_ID": source.tenant, "ATG_SOURCE_CLIENT_ID": source.app.AppID, "ATG_SOURCE_CLIENT_SECRET": source.app.Secret,
		"AZURE_DATAPLANE_TENANT_ID": target.tenant, "AZURE_DATAPLANE_CLIENT_ID": target.app.AppID, "AZURE_DATAPLANE_CLIENT_SECRET": target.app.Secret,
		"ATG_EMULATOR": proxy.Host, "ATG_PROGRESS": "none", "ATG_STATE_DIR": w.state,
	}
	var out, errs bytes.Buffer
	app := &cli.App{
		IO: cli.IO{
			In: strings.NewReader(""), Out: &out, Err: &errs, Width: func() int { return 0 },
			Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		},
		Version:  "test",
		Registry: func() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) },
		Subject:  func(plugin.Plugin) (plugintest.Subject, bool) { return plugintest.Subject{}, false },
	}
	code := app.Run(w.Context(), args)
	return result{code, out.String(), errs.String()}
}

// carryOut runs a script with the stand-in for the Azure CLI, signed in to both tenants
// as those who own them.
func (w *world) carryOut(script string) {
	w.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		w.Skip("there is no bash")
	}
	self, err := os.Executable()
	w.must(err)
	dir := w.TempDir()
	w.must(os.Symlink(self, filepath.Join(dir, "az")))
	proxy, err := url.Parse(w.ProxyURL())
	w.must(err)
	login := azLogin{Emulator: proxy.Host, Accounts: map[string]azAccount{}}
	for _, tenant := range []string{"contoso", "fabrikam"} {
		owner, err := w.Principal(tenant)
		w.must(err)
		login.Accounts[owner.SubscriptionID] = azAccount{Tenant: owner.TenantID, App: owner.AppID, Secret: owner.Secret}
	}
	text, err := json.Marshal(login)
	w.must(err)
	cmd := exec.CommandContext(w.Context(), bash, "-s")
	cmd.Stdin, cmd.Dir = strings.NewReader(script), dir
	cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", azVariable + "=" + string(text), "GORACE=atexit_sleep_ms=0"}
	if said, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("the script fails: %v\n%s\n%s", err, said, script)
	}
}

// writes are the requests since the last reset that ask a vault, or Resource Manager, for
// a change.
func (w *world) writes() []string {
	var out []string
	for _, r := range w.Requests() {
		if r.Write() && r.Service != "entra" {
			out = append(out, r.Method+" "+r.Host+r.Path)
		}
	}
	return out
}
