// Package deploy goes through atg deploy as a person at a terminal does, against the
// emulator.
package deploy

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	source       = "/subscriptions/c0000000-0000-4000-8000-000000000002"
	target       = "/subscriptions/f0000000-0000-4000-8000-000000000002"
	targetTenant = "f0000000-0000-4000-8000-000000000001"
)

// world has a vault with two secrets in one tenant, and nothing in the other.
const world = `{"tenants": [
 {"id": "c0000000-0000-4000-8000-000000000001", "name": "contoso",
  "principals": [{"appId": "c0000000-0000-4000-8000-000000000003", "objectId": "c0000000-0000-4000-8000-000000000004", "name": "atg-source"}],
  "subscriptions": [{"id": "c0000000-0000-4000-8000-000000000002", "name": "Contoso", "resourceGroups": [{"name": "rg-a", "location": "westeurope", "resources": [
   {"type": "Microsoft.KeyVault/vaults", "name": "kv-ask-a", "properties": {"tenantId": "c0000000-0000-4000-8000-000000000001", "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": true},
    "data": {"secrets": [{"name": "one", "value": "s3cr3t-value-1"}, {"name": "two", "value": "s3cr3t-value-2"}]}}]}]}],
  "roleAssignments": [{"principal": "atg-source", "role": "Owner", "scope": "` + source + `"}, {"principal": "atg-source", "role": "Key Vault Administrator", "scope": "` + source + `"}]},
 {"id": "` + targetTenant + `", "name": "fabrikam",
  "principals": [{"appId": "f0000000-0000-4000-8000-000000000003", "objectId": "f0000000-0000-4000-8000-000000000004", "name": "atg-target"}],
  "subscriptions": [{"id": "f0000000-0000-4000-8000-000000000002", "name": "Fabrikam", "resourceGroups": []}],
  "roleAssignments": [{"principal": "atg-target", "role": "Owner", "scope": "` + target + `"}, {"principal": "atg-target", "role": "Key Vault Administrator", "scope": "` + target + `"}]}
]}`

const template = `{
 "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
 "resources": [{"type": "Microsoft.KeyVault/vaults", "apiVersion": "2024-11-01", "name": "kv-ask-b", "location": "westeurope",
  "tags": {"atg-source-id": "` + source + `/resourceGroups/rg-a/providers/Microsoft.KeyVault/vaults/kv-ask-a"},
  "properties": {"tenantId": "` + targetTenant + `", "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": true, "enableSoftDelete": true}}]
}`

// terminal runs atg with a person who types the answers.
type terminal struct {
	emulator *emulator.Emulator
	dir      string
	out, err bytes.Buffer
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	w, err := scenario.Decode(strings.NewReader(world))
	if err != nil {
		t.Fatal(err)
	}
	em, err := emulator.Start(emulator.Options{Scenario: w, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := em.Close(); err != nil {
			t.Error(err)
		}
	})
	x := &terminal{emulator: em, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(x.dir, "azuredeploy.json"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *terminal) run(t *testing.T, answers string, args ...string) int {
	t.Helper()
	env := map[string]string{"NO_COLOR": "1", "XDG_STATE_HOME": filepath.Join(x.dir, "state")}
	for prefix, tenant := range map[string]string{"ATG_SOURCE_": "contoso", "AZURE_DATAPLANE_": "fabrikam"} {
		p, err := x.emulator.Principal(tenant)
		if err != nil {
			t.Fatal(err)
		}
		env[prefix+"TENANT_ID"], env[prefix+"CLIENT_ID"], env[prefix+"CLIENT_SECRET"] = p.TenantID, p.AppID, p.Secret
	}
	proxy, err := url.Parse(x.emulator.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	x.out.Reset()
	x.err.Reset()
	app := &cli.App{
		IO: cli.IO{
			In: strings.NewReader(answers), Out: &x.out, Err: &x.err, InTTY: true, ErrTTY: true, Width: func() int { return 100 },
			Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		},
		Version:  "test",
		Registry: func() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) },
	}
	return app.Run(t.Context(), append([]string{
		"deploy", "--iac-dir", x.dir, "--target-tenant-id", targetTenant, "--resource-group", "replicated-rg",
		"--emulator", proxy.Host, "--progress", "plain",
	}, args...))
}

// wrote counts the secrets that the target's vault holds.
func (x *terminal) wrote(t *testing.T) int {
	t.Helper()
	objects, err := x.emulator.Objects(target + "/resourceGroups/replicated-rg/providers/Microsoft.KeyVault/vaults/kv-ask-b")
	if err != nil {
		return -1 // there is no vault
	}
	return len(objects)
}

// TestExampleFour is the specification's interactive example: consent to the deployment,
// the mode, consent to reading secrets, and consent to writing them.
func TestExampleFour(t *testing.T) {
	t.Parallel()
	x := newTerminal(t)
	if code := x.run(t, "yes\nreplication\ny\nyes\n", "--dataplane", "--dataplane-interactive"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, x.err.String())
	}
	for _, want := range []string{"create  kv-ask-b", "Deploy this?", "How much is to be copied?", "2 items will be created", "Type yes to go on"} {
		if !strings.Contains(x.err.String(), want) {
			t.Errorf("no %q in:\n%s", want, x.err.String())
		}
	}
	for _, want := range []string{"1 of 1 declared resources are deployed", "2 of 2 source items are proven equal"} {
		if !strings.Contains(x.out.String(), want) {
			t.Errorf("no %q in:\n%s", want, x.out.String())
		}
	}
	if n := x.wrote(t); n != 2 {
		t.Errorf("the target holds %d secrets", n)
	}
}

// TestAnswersThatStop says no at each question.
func TestAnswersThatStop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers string
		code    int
		wrote   int
		said    string
	}{
		"to the deployment": {"no\n", 1, -1, "cannot deploy without consent"},
		"to the data plane": {"yes\nreplication\ny\nno\n", 1, 0, "write to the target without consent"},
		"by silence":        {"", 2, -1, "give the answer by --yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newTerminal(t)
			if code := x.run(t, c.answers, "--dataplane", "--dataplane-interactive"); code != c.code || !strings.Contains(x.err.String(), c.said) {
				t.Errorf("exit code %d\n%s", code, x.err.String())
			}
			if n := x.wrote(t); n != c.wrote {
				t.Errorf("the target holds %d secrets", n)
			}
		})
	}
}
