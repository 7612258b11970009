// Package azurecli drives the emulator with the Azure CLI, unmodified and told of the
// emulator by environment variables alone.
package azurecli

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/test/components"
)

// cli is the Azure CLI with an environment and a configuration folder of its own.
type cli struct {
	path string
	env  []string
}

// run calls the CLI and returns its standard output and standard error.
func (c cli) run(t *testing.T, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Env = c.env
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return out.String(), errs.String(), err == nil
}

// must calls the CLI, which must succeed, and decodes what it prints into v if v is not nil.
func (c cli) must(t *testing.T, v any, args ...string) {
	t.Helper()
	stdout, stderr, ok := c.run(t, args...)
	if !ok {
		t.Fatalf("az %s failed:\n%s%s", strings.Join(args, " "), stdout, stderr)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal([]byte(stdout), v); err != nil {
		t.Fatalf("az %s printed %q: %v", strings.Join(args, " "), stdout, err)
	}
}

// start returns a CLI that reaches an emulator, for tenant contoso.
func start(t *testing.T) (cli, emulator.Identity) {
	t.Helper()
	az := find(t)
	return in(t, az, startEmulator(t), "contoso")
}

// find returns the path of the CLI.
func find(t *testing.T) string {
	t.Helper()
	return components.Find(t, "azure-cli", "ATG_AZURE_CLI", "azure-cli-*/bin/az")
}

func startEmulator(t *testing.T) *emulator.Emulator {
	t.Helper()
	emu, err := emulator.Start(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emu.Close() })
	return emu
}

// in returns a CLI with a home of its own, for the principal of a tenant. It is not signed in yet.
func in(t *testing.T, az string, emu *emulator.Emulator, tenant string) (cli, emulator.Identity) {
	t.Helper()
	id, err := emu.Principal(tenant)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := emu.CAFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	env, err := emu.Env(tenant, ca)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	return cli{path: az, env: append(env,
		"PATH="+filepath.Dir(az)+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+home, "AZURE_CONFIG_DIR="+filepath.Join(home, "azure"),
		"AZURE_CORE_COLLECT_TELEMETRY=false", "AZURE_CORE_NO_COLOR=true", "LANG=C.UTF-8")}, id
}

func TestAzureCLI(t *testing.T) {
	t.Parallel()
	az, id := start(t)

	var accounts []struct {
		ID       string `json:"id"`
		TenantID string `json:"tenantId"`
	}
	az.must(t, &accounts, "login", "--service-principal", "--username", id.AppID, "--password", id.Secret, "--tenant", id.TenantID)
	if len(accounts) != 1 || accounts[0].ID != id.SubscriptionID || accounts[0].TenantID != id.TenantID {
		t.Fatalf("az login shows %+v, want the subscription of contoso", accounts)
	}

	az.must(t, nil, "group", "create", "--name", "rg-cli", "--location", "westeurope")
	az.must(t, nil, "keyvault", "create", "--name", "kv-from-cli", "--resource-group", "rg-cli", "--location", "westeurope", "--enable-rbac-authorization", "true")
	var vaults []struct {
		Name string `json:"name"`
	}
	az.must(t, &vaults, "keyvault", "list", "--resource-group", "rg-cli")
	if len(vaults) != 1 || vaults[0].Name != "kv-from-cli" {
		t.Fatalf("az keyvault list shows %+v", vaults)
	}

	const value = "s3cr3t with spaces and ünïcode"
	var secret struct {
		Value       string            `json:"value"`
		ContentType string            `json:"contentType"`
		Tags        map[string]string `json:"tags"`
	}
	az.must(t, &secret, "keyvault", "secret", "set", "--vault-name", "kv-from-cli", "--name", "from-cli",
		"--value", value, "--content-type", "text/plain", "--tags", "made=by-cli")
	az.must(t, &secret, "keyvault", "secret", "show", "--vault-name", "kv-from-cli", "--name", "from-cli")
	if secret.Value != value || secret.ContentType != "text/plain" || secret.Tags["made"] != "by-cli" {
		t.Errorf("az keyvault secret show gives %+v", secret)
	}
	var listed []struct {
		Name string `json:"name"`
	}
	az.must(t, &listed, "keyvault", "secret", "list", "--vault-name", "kv-from-cli")
	if len(listed) != 1 || listed[0].Name != "from-cli" {
		t.Errorf("az keyvault secret list shows %+v", listed)
	}

	_, stderr, ok := az.run(t, "keyvault", "secret", "show", "--vault-name", "kv-from-cli", "--name", "absent")
	if ok || !strings.Contains(stderr, "SecretNotFound") {
		t.Errorf("az keyvault secret show of an absent secret: ok=%v, %s", ok, stderr)
	}
}

func TestAzureCLIRefusesAWrongSecret(t *testing.T) {
	t.Parallel()
	az, id := start(t)
	_, stderr, ok := az.run(t, "login", "--service-principal", "--username", id.AppID, "--password", "wrong", "--tenant", id.TenantID)
	if ok || !strings.Contains(stderr, "AADSTS7000215") {
		t.Errorf("az login with a wrong secret: ok=%v, %s", ok, stderr)
	}
}
