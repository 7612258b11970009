// Package identities shows, through the command line and against the emulator, that the
// principals of the two tenants stay in their own: swapped, mixed, expired or revoked, they
// end in an error that says so, and no token of one tenant reaches the other's resources.
package identities

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

const (
	sourceVault = "/subscriptions/" + scenario.ContosoSubscription + "/resourceGroups/rg-contoso/providers/Microsoft.KeyVault/vaults/kv-identities"
	targetVault = "/subscriptions/" + scenario.FabrikamSubscription + "/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-identities-copy"
	targetHost  = "kv-identities-copy.vault.azure.net"

	secrets = 8 // in the source vault
)

// exit codes of atg
const (
	done, failed, partial, signIn = 0, 1, 3, 4
)

// world is the emulator with a vault of 8 secrets in contoso and an empty one in fabrikam.
type world struct {
	testing.TB
	*emulator.Emulator
	contoso, fabrikam emulator.Identity
	state             string // directory of journals
	trigger           *trigger
}

// trigger does something at the n-th write to the target vault, while the run goes on.
type trigger struct {
	mu   sync.Mutex
	left int
	do   func()
}

// Write takes one line of the request log.
func (g *trigger) Write(line []byte) (int, error) {
	var r wire.Request
	if err := json.Unmarshal(line, &r); err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Host == targetHost && r.Method == "PUT" && r.Status == 200 && g.left > 0 {
		if g.left--; g.left == 0 {
			g.do()
		}
	}
	return len(line), nil
}

func newWorld(t testing.TB, opt emulator.Options) *world {
	t.Helper()
	g := &trigger{}
	opt.Strict, opt.LogTo = true, g
	em, err := emulator.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = em.Close() })
	w := &world{TB: t, Emulator: em, state: t.TempDir(), trigger: g}
	w.contoso, err = em.Principal("contoso")
	w.must(err)
	w.fabrikam, err = em.Principal("fabrikam")
	w.must(err)
	var list []string
	for i := range secrets {
		list = append(list, fmt.Sprintf(`{"name":"secret-%d","value":"value-%d"}`, i, i))
	}
	w.vault(sourceVault, scenario.ContosoTenant, nil)
	w.must(em.Seed(sourceVault, json.RawMessage(`{"secrets":[`+strings.Join(list, ",")+`]}`)))
	w.vault(targetVault, scenario.FabrikamTenant, map[string]any{"atg-source-id": sourceVault})
	return w
}

func (w *world) vault(id, tenant string, tags map[string]any) {
	w.Helper()
	w.must(w.ARM().Put(id, map[string]any{"location": "westeurope", "tags": tags, "properties": map[string]any{
		"tenantId": tenant, "enableRbacAuthorization": true, "sku": map[string]any{"family": "A", "name": "standard"},
	}}))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// at makes do happen at the n-th write to the target vault.
func (w *world) at(n int, do func()) {
	w.trigger.mu.Lock()
	defer w.trigger.mu.Unlock()
	w.trigger.left, w.trigger.do = n, do
}

// who are the two identities that a command line is given by the environment.
type who struct{ source, target emulator.Identity }

// right is each identity on its own side.
func (w *world) right() who { return who{w.contoso, w.fabrikam} }

// result is how a command line ended.
type result struct {
	code     int
	out, err string
}

// atg runs a command line in this process.
func (w *world) atg(as who, args ...string) result {
	w.Helper()
	proxy, err := url.Parse(w.ProxyURL())
	w.must(err)
	env := map[string]string{
		"ATG_EMULATOR": proxy.Host, "ATG_PROGRESS": "none", "ATG_STATE_DIR": w.state, "ATG_WORKERS": "2", "AZURE_TOKEN_CREDENTIALS": "prod",
	}
	for prefix, id := range map[string]emulator.Identity{"ATG_SOURCE_": as.source, "AZURE_DATAPLANE_": as.target} {
		env[prefix+"TENANT_ID"], env[prefix+"CLIENT_ID"], env[prefix+"CLIENT_SECRET"] = id.TenantID, id.AppID, id.Secret
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
	for _, secret := range []string{w.contoso.Secret, w.fabrikam.Secret, "eyJ"} {
		if strings.Contains(out.String()+errs.String(), secret) {
			w.Errorf("%v shows a secret or a token", args)
		}
	}
	return result{code, out.String(), errs.String()}
}

// apply copies everything.
func (w *world) apply(as who, more ...string) result {
	w.Helper()
	return w.atg(as, append([]string{"apply", "--mode", "replication", "--type", "keyvault", "--yes"}, more...)...)
}

// want holds a result against what it must be; texts are looked for in all of its output.
func (w *world) want(r result, code int, texts ...string) {
	w.Helper()
	if r.code != code {
		w.Errorf("exit code %d, want %d", r.code, code)
	}
	all := strings.Join(strings.Fields(r.out+r.err), " ")
	for _, text := range texts {
		if !strings.Contains(all, text) {
			w.Errorf("%q is not said", text)
		}
	}
	if w.Failed() {
		w.Logf("output:\n%s%s", r.out, r.err)
	}
}

// apart fails the test if a token of one tenant was sent to a resource of the other. It
// returns how many requests bore a token of each.
func (w *world) apart() (contoso, fabrikam int) {
	w.Helper()
	owner := map[string]string{"kv-identities.vault.azure.net": w.contoso.TenantID, targetHost: w.fabrikam.TenantID}
	for _, r := range w.Requests() {
		if r.Service == "entra" || r.TenantID == "" {
			continue
		}
		whose := owner[r.Host]
		for _, id := range []emulator.Identity{w.contoso, w.fabrikam} {
			if strings.Contains(strings.ToLower(r.Path), "/subscriptions/"+strings.ToLower(id.SubscriptionID)) {
				whose = id.TenantID
			}
		}
		if whose != "" && !strings.EqualFold(whose, r.TenantID) {
			w.Errorf("%s %s%s of tenant %s was sent a token of tenant %s", r.Method, r.Host, r.Path, whose, r.TenantID)
		}
		if strings.EqualFold(r.TenantID, w.contoso.TenantID) {
			contoso++
		} else {
			fabrikam++
		}
	}
	return contoso, fabrikam
}

// untouched fails the test if anything but the sign-in service was asked.
func (w *world) untouched() {
	w.Helper()
	for _, r := range w.Requests() {
		if r.Service != "entra" {
			w.Errorf("%s %s%s", r.Method, r.Host, r.Path)
		}
	}
}

// tokens counts the tokens that were issued for a principal.
func (w *world) tokens(id emulator.Identity) int {
	n := 0
	for _, r := range w.Requests() {
		if r.Service == "entra" && r.AppID == id.AppID && r.Status == 200 && strings.HasSuffix(r.Path, "/token") {
			n++
		}
	}
	return n
}

// copied fails the test unless the target holds what the source does.
func (w *world) copied() {
	w.Helper()
	read := func(id string) []string {
		objects, err := w.Objects(id)
		w.must(err)
		var out []string
		for _, o := range objects {
			out = append(out, o.Key+"="+o.Fields["value"])
		}
		slices.Sort(out)
		return out
	}
	want := read(sourceVault)
	if len(want) != secrets {
		w.Fatalf("the source holds %v", want)
	}
	if d := cmp.Diff(want, read(targetVault)); d != "" {
		w.Errorf("the target (-source +target):\n%s", d)
	}
}

// file writes an input file.
func (w *world) file(name, text string) string {
	w.Helper()
	path := filepath.Join(w.TempDir(), name)
	w.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// app is the application of an identity, to be changed and registered again.
func app(id emulator.Identity) entra.App {
	return entra.App{AppID: id.AppID, ObjectID: id.ObjectID, Secret: id.Secret, Name: id.Name}
}

// expired is a time at which no secret is good any more.
var expired = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
