package rbac_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

const (
	subscriptionScope = "/subscriptions/" + scenario.ContosoSubscription
	groupScope        = subscriptionScope + "/resourceGroups/rg-contoso"
	vaultScope        = groupScope + "/providers/Microsoft.KeyVault/vaults/kv-rights"
)

// own lets a principal read its own rights.
var own = []string{"Microsoft.Authorization/*/read"}

// world is an emulated tenant with one vault.
type world struct {
	testing.TB
	*emulator.Emulator
}

func newWorld(t testing.TB) *world {
	t.Helper()
	em, err := emulator.Start(emulator.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = em.Close() })
	w := &world{t, em}
	w.vault(nil)
	return w
}

// vault writes the vault with further properties.
func (w *world) vault(more map[string]any) {
	w.Helper()
	properties := map[string]any{"tenantId": scenario.ContosoTenant, "enableRbacAuthorization": true, "sku": map[string]any{"family": "A", "name": "standard"}}
	for k, v := range more {
		properties[k] = v
	}
	w.must(w.ARM().Put(vaultScope, map[string]any{"location": "westeurope", "properties": properties}))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// app is a principal without any right.
func (w *world) app() entra.App {
	w.Helper()
	a := entra.App{AppID: uuid.NewString(), ObjectID: uuid.NewString(), Secret: uuid.NewString(), Name: "app-" + uuid.NewString()[:8]}
	w.must(w.Entra().AddApp(scenario.ContosoTenant, a))
	return a
}

// role makes a custom role and assigns it.
func (w *world) role(a entra.App, scope string, actions, notActions, dataActions, notDataActions []string) {
	w.Helper()
	id, err := w.ARM().DefineRole(scenario.ContosoTenant, "role-"+uuid.NewString(), actions, notActions, dataActions, notDataActions)
	w.must(err)
	w.must(w.ARM().Assign(scenario.ContosoTenant, a.ObjectID, scope, id))
}

// deny makes a deny assignment.
func (w *world) deny(scope string, properties map[string]any) {
	w.Helper()
	w.must(w.ARM().Put(scope+"/providers/Microsoft.Authorization/denyAssignments/"+uuid.NewString(), map[string]any{"properties": properties}))
}

// subject is the vault as p will work on it, signed in as a.
func (w *world) subject(a entra.App, p plugin.Plugin, mode plugin.Mode) rbac.Subject {
	w.Helper()
	config, _, err := cloud.Resolve(cloud.Public)
	w.must(err)
	client := &http.Client{Transport: w.Transport()}
	w.Cleanup(client.CloseIdleConnections)
	options := pipeline.New(pipeline.Options{Side: plugin.Source, Cloud: config, Version: "test", Transport: client, RetryDelay: 1})
	got, err := auth.Resolve(w.Context(), auth.Config{
		Side: plugin.Source, Options: options,
		Flags: auth.Principal{TenantID: scenario.ContosoTenant, ClientID: a.AppID, ClientSecret: secret.New(a.Secret)},
	})
	w.must(err)
	w.ResetRequests()
	return rbac.Subject{Side: plugin.Source, Plugin: p, Mode: mode, Endpoint: plugin.Endpoint{Resource: w.resource(), Credential: got.Credential, Options: options}}
}

func (w *world) resource() plugin.Resource {
	w.Helper()
	res, ok := w.ARM().Get(vaultScope)
	if !ok {
		w.Fatal("there is no vault")
	}
	properties, err := json.Marshal(res.Body["properties"])
	w.must(err)
	return plugin.Resource{ID: vaultScope, Type: res.Type, Name: res.Name, ResourceGroup: "rg-contoso", SubscriptionID: scenario.ContosoSubscription, TenantID: res.TenantID, Properties: properties}
}

// check checks one subject.
func (w *world) check(s rbac.Subject) rbac.Resource {
	w.Helper()
	report, err := rbac.NewChecker().Check(w.Context(), []rbac.Subject{s})
	w.must(err)
	return report.Resources[0]
}

// statesOf writes "read=held" for each right, by the last two words of its name.
func statesOf(r rbac.Resource) string {
	var out []string
	for _, right := range r.Rights {
		parts := strings.Split(right.Action, "/")
		out = append(out, fmt.Sprintf("%s=%s", strings.Join(parts[2:], "/"), right.State))
	}
	return strings.Join(out, " ")
}

// needy is a plugin that needs given rights at a vault and asks nobody but Azure RBAC.
type needy struct {
	plugin.Plugin
	actions, dataActions []string
}

func needs(actions, dataActions []string) needy { return needy{keyvault.New(), actions, dataActions} }

func (n needy) Info() plugin.Info { return n.Plugin.Info() }

func (n needy) Permissions(plugin.Mode) []plugin.Permission {
	return []plugin.Permission{
		{Side: plugin.Source, Actions: n.actions, DataActions: n.dataActions, Reason: "see what happens"},
		{Side: plugin.Target, DataActions: []string{"Microsoft.KeyVault/vaults/secrets/setSecret/action"}, Reason: "the other side's"},
	}
}

func (n needy) Discover(context.Context, plugin.Endpoint, plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(func(plugin.Item, error) bool) {}
}
