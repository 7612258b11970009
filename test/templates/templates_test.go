// Package templates deploys the ARM templates of a whole tenant to the emulator, as Azure's
// own SDK does, and looks at what is there afterwards. There is no Bicep compiler among the
// tools that tests can install: internal/iac compares the Bicep of a project with these
// templates instead, name by name and value by value.
package templates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/examples/contoso"
	decl "github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// world is an emulator with contoso's source, and fabrikam's vaults with nothing in them.
type world struct{ *emulator.Emulator }

func start(t *testing.T) world {
	t.Helper()
	text, err := contoso.Scenario(contoso.DefaultSeed)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range s.Tenants {
		for _, sub := range tenant.Subscriptions {
			for _, g := range sub.ResourceGroups {
				for i := range g.Resources {
					if tenant.Name == contoso.Target {
						g.Resources[i].Data = nil
					}
				}
			}
		}
	}
	emu, err := emulator.Start(emulator.Options{Scenario: s, Strict: true, RetryAfter: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emu.Close() })
	return world{emu}
}

func (w world) identity(t *testing.T, tenant string) emulator.Identity {
	t.Helper()
	id, err := w.Principal(tenant)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// templates are the files that atg writes for contoso's vaults.
func (w world) templates(t *testing.T) []iac.File {
	t.Helper()
	mapping := filepath.Join(t.TempDir(), "mapping.json")
	if err := os.WriteFile(mapping, contoso.Mapping(), 0o600); err != nil {
		t.Fatal(err)
	}
	reg, err := plugin.NewRegistry(plugins.All()...)
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.Open(t.Context(), session.Options{
		Command: "generate", Mode: plugin.Template, Registry: reg, Types: []string{"Microsoft.KeyVault/vaults"}, Mapping: mapping,
		Source: w.side(t, contoso.Source), Target: w.side(t, contoso.Target),
		Env: func(string) (string, bool) { return "", false }, Transport: &http.Client{Transport: w.Transport()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found, err := s.Declare(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	p := iac.Project{Format: decl.ARM}
	for _, d := range found {
		u := iac.Unit{Source: place(d.Source), Target: place(d.Target)}
		for _, it := range d.Items {
			u.Items = append(u.Items, iac.Item{Key: string(it.Key), Parent: string(it.Parent), Blocks: it.Blocks})
		}
		p.Units = append(p.Units, u)
	}
	files, _, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(f iac.File) bool { return !strings.HasSuffix(f.Path, ".json") })
}

func (w world) side(t *testing.T, tenant string) session.Side {
	t.Helper()
	id := w.identity(t, tenant)
	return session.Side{Principal: auth.Principal{Origin: "test", TenantID: id.TenantID, ClientID: id.AppID, ClientSecret: secret.New(id.Secret)}}
}

func place(r plugin.Resource) iac.Place {
	return iac.Place{ID: r.ID, Name: r.Name, Type: r.Type, TenantID: r.TenantID, SubscriptionID: r.SubscriptionID, ResourceGroup: r.ResourceGroup}
}

// deployer is a client of ARM, signed in to fabrikam with the right to deploy.
func (w world) deployer(t *testing.T) *armdeployments.DeploymentsClient {
	t.Helper()
	id := w.identity(t, contoso.Target)
	if err := w.ARM().Assign(id.TenantID, id.ObjectID, "/subscriptions/"+id.SubscriptionID, "Contributor"); err != nil {
		t.Fatal(err)
	}
	client := policy.ClientOptions{Transport: &http.Client{Transport: w.Transport()}}
	cred, err := azidentity.NewClientSecretCredential(id.TenantID, id.AppID, id.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: client})
	if err != nil {
		t.Fatal(err)
	}
	out, err := armdeployments.NewDeploymentsClient(id.SubscriptionID, cred, &arm.ClientOptions{ClientOptions: client, DisableRPRegistration: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// deployment is a template with the values of its parameters.
func deployment(t *testing.T, f iac.File, value func(name string) any) armdeployments.Deployment {
	t.Helper()
	var template map[string]any
	if err := json.Unmarshal(f.Content, &template); err != nil {
		t.Fatal(err)
	}
	params := map[string]*armdeployments.DeploymentParameter{}
	declared, _ := template["parameters"].(map[string]any)
	for name := range declared {
		params[name] = &armdeployments.DeploymentParameter{Value: value(name)}
	}
	return armdeployments.Deployment{Properties: &armdeployments.DeploymentProperties{
		Mode: to.Ptr(armdeployments.DeploymentModeIncremental), Template: template, Parameters: params,
	}}
}

func deploy(t *testing.T, c *armdeployments.DeploymentsClient, name string, in armdeployments.Deployment) error {
	t.Helper()
	p, err := c.BeginCreateOrUpdate(t.Context(), group, name, in, nil)
	if err != nil {
		return err
	}
	_, err = p.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Millisecond})
	return err
}

// group is the resource group of fabrikam's vaults.
const group = "rg-fabrikam-prod"

// vaults are contoso's vaults and those of fabrikam that stand for them.
var vaults = map[string]string{"kv-contoso-app": "kv-fabrikam-shop", "kv-contoso-data": "kv-fabrikam-stock", "kv-contoso-edge": "kv-fabrikam-front"}

func TestDeploy(t *testing.T) {
	t.Parallel()
	w := start(t)
	client := w.deployer(t)
	files := w.templates(t)
	if len(files) != 2 {
		t.Fatalf("%d templates: contoso has more than 256 secrets and fewer than 512", len(files))
	}
	// The example of the values, which nobody has filled in, is refused before anything is made.
	err := deploy(t, client, "empty", deployment(t, files[0], func(string) any { return nil }))
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusBadRequest {
		t.Errorf("with null for every value: %v", err)
	}
	for i, f := range files {
		if err := deploy(t, client, fmt.Sprintf("part-%d", i), deployment(t, f, func(name string) any { return "value of " + name })); err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
	}
	source, target := w.identity(t, contoso.Source), w.identity(t, contoso.Target)
	for from, to := range vaults {
		want := w.objects(t, source.SubscriptionID, "rg-contoso-prod", from)
		got := w.objects(t, target.SubscriptionID, group, to)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s: -source +target\n%s", to, diff)
		}
		for key, o := range got {
			compare(t, to+" "+key, want[key], o)
		}
	}
}

// objects are those of a vault that ARM has types for, by key.
func (w world) objects(t *testing.T, sub, group, vault string) map[string]wire.Object {
	t.Helper()
	list, err := w.Objects("/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/Microsoft.KeyVault/vaults/" + vault)
	if err != nil {
		t.Fatal(err)
	}
	managed := map[string]bool{} // names that belong to certificates
	for _, o := range list {
		if name, ok := strings.CutPrefix(o.Key, "certificates/"); ok {
			managed[name] = true
		}
	}
	out := map[string]wire.Object{}
	for _, o := range list {
		kind, name, _ := strings.Cut(o.Key, "/")
		if (kind == "secrets" || kind == "keys") && !managed[name] && !strings.Contains(name, "/") {
			out[o.Key] = o
		}
	}
	return out
}

// compare holds what a template says of an object against the source's.
func compare(t *testing.T, what string, want, got wire.Object) {
	t.Helper()
	if got.Kind == "secret" && !strings.HasPrefix(got.Fields["value"], "value of ") {
		t.Errorf("%s has the value %q", what, got.Fields["value"])
	}
	for _, field := range []string{"contentType", "tags", "enabled", "expires", "notBefore", "kty", "size", "curve", "ops", "exportable", "rotationPolicy"} {
		if want.Fields[field] != got.Fields[field] {
			t.Errorf("%s: %s is %q at the source and %q at the target", what, field, want.Fields[field], got.Fields[field])
		}
	}
}
