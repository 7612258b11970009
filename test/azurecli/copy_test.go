package azurecli

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	program "github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// atg runs a command line of this program in this process, with what the environment gives it.
func atg(t *testing.T, emu *emulator.Emulator, env map[string]string, args ...string) (code int, said string) {
	t.Helper()
	proxy, err := url.Parse(emu.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	env["ATG_EMULATOR"], env["ATG_PROGRESS"], env["ATG_STATE_DIR"] = proxy.Host, "none", t.TempDir()
	var out bytes.Buffer
	app := &program.App{
		IO: program.IO{
			In: strings.NewReader(""), Out: &out, Err: &out, Width: func() int { return 0 },
			Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		},
		Version:  "test",
		Registry: func() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) },
	}
	code = app.Run(t.Context(), args)
	return code, out.String()
}

// The Azure CLI writes a secret in one tenant, atg copies it, and the Azure CLI reads what
// atg wrote in the other tenant: each side by a service principal of its own.
func TestCopyOfWhatTheCLIWrote(t *testing.T) {
	t.Parallel()
	az := find(t)
	emu := startEmulator(t)
	source, target := signedIn(t, az, emu, "contoso"), signedIn(t, az, emu, "fabrikam")
	for id, tags := range map[string]map[string]any{
		source.vault("kv-cli-source"): nil,
		target.vault("kv-cli-target"): {"atg-source-id": source.vault("kv-cli-source")},
	} {
		who := source
		if tags != nil {
			who = target
		}
		if err := emu.ARM().Put(id, map[string]any{"location": "westeurope", "tags": tags, "properties": map[string]any{
			"tenantId": who.id.TenantID, "enableRbacAuthorization": true, "sku": map[string]any{"family": "A", "name": "standard"},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	const value = "writt€n by the CLI, with \"quotes\""
	source.must(t, nil, "keyvault", "secret", "set", "--vault-name", "kv-cli-source", "--name", "shared",
		"--value", value, "--content-type", "text/plain", "--tags", "made=by-cli")

	env := map[string]string{}
	for prefix, id := range map[string]emulator.Identity{"ATG_SOURCE_": source.id, "AZURE_DATAPLANE_": target.id} {
		env[prefix+"TENANT_ID"], env[prefix+"CLIENT_ID"], env[prefix+"CLIENT_SECRET"] = id.TenantID, id.AppID, id.Secret
	}
	if code, said := atg(t, emu, env, "apply", "--mode", "replication", "--type", "keyvault", "--yes"); code != 0 {
		t.Fatalf("atg apply: exit code %d\n%s", code, said)
	}

	var got struct {
		Value       string            `json:"value"`
		ContentType string            `json:"contentType"`
		Tags        map[string]string `json:"tags"`
	}
	target.must(t, &got, "keyvault", "secret", "show", "--vault-name", "kv-cli-target", "--name", "shared")
	if got.Value != value || got.ContentType != "text/plain" || got.Tags["made"] != "by-cli" {
		t.Errorf("the CLI reads %+v", got)
	}
	if _, stderr, ok := source.run(t, "keyvault", "secret", "show", "--vault-name", "kv-cli-target", "--name", "shared"); ok {
		t.Errorf("the source's principal reads the target: %s", stderr)
	}
}

// signed is a CLI and the principal that it is signed in as.
type signed struct {
	cli
	id emulator.Identity
}

func signedIn(t *testing.T, az string, emu *emulator.Emulator, tenant string) signed {
	t.Helper()
	c, id := in(t, az, emu, tenant)
	c.must(t, nil, "login", "--service-principal", "--username", id.AppID, "--password", id.Secret, "--tenant", id.TenantID)
	return signed{c, id}
}

// vault is the resource ID of a vault in the principal's subscription.
func (c signed) vault(name string) string {
	return "/subscriptions/" + c.id.SubscriptionID + "/resourceGroups/rg-" + c.id.TenantName + "/providers/Microsoft.KeyVault/vaults/" + name
}
