package azurecli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// template deploys a vault; name and retention are its parameters.
const template = `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "name": {"type": "string", "maxLength": 24},
    "retention": {"type": "int", "defaultValue": 90}
  },
  "resources": [{
    "type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "[parameters('name')]", "location": "[resourceGroup().location]",
    "properties": {
      "tenantId": "[subscription().tenantId]", "sku": {"family": "A", "name": "standard"},
      "enableRbacAuthorization": true, "softDeleteRetentionInDays": "[parameters('retention')]"
    }
  }],
  "outputs": {"uri": {"type": "string", "value": "[reference(parameters('name')).vaultUri]"}}
}`

func TestAzureCLIDeploys(t *testing.T) {
	t.Parallel()
	az, id := start(t)
	file := filepath.Join(t.TempDir(), "main.json")
	if err := os.WriteFile(file, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	az.must(t, nil, "login", "--service-principal", "--username", id.AppID, "--password", id.Secret, "--tenant", id.TenantID)
	az.must(t, nil, "group", "create", "--name", "rg-cli", "--location", "westeurope")

	target := []string{"--resource-group", "rg-cli", "--name", "main", "--template-file", file, "--parameters", "name=kv-cli-deployed"}
	var made struct {
		Properties struct {
			State   string                            `json:"provisioningState"`
			Outputs map[string]struct{ Value string } `json:"outputs"`
			Made    []struct{ ID string }             `json:"outputResources"`
		} `json:"properties"`
	}
	az.must(t, nil, append([]string{"deployment", "group", "create"}, target...)...)
	az.must(t, &made, "deployment", "group", "show", "--resource-group", "rg-cli", "--name", "main")
	if p := made.Properties; p.State != "Succeeded" || p.Outputs["uri"].Value != "https://kv-cli-deployed.vault.azure.net/" || len(p.Made) != 1 {
		t.Errorf("az deployment group show gives %+v", made)
	}
	stdout, stderr, ok := az.run(t, append([]string{"deployment", "group", "what-if"}, append(target, "retention=30")...)...)
	if !ok || !strings.Contains(stdout, "softDeleteRetentionInDays: 90 => 30") {
		t.Errorf("az deployment group what-if prints ok=%v\n%s%s", ok, stdout, stderr)
	}
	_, stderr, ok = az.run(t, append([]string{"deployment", "group", "create"}, append(target, "name=bad--vault")...)...)
	if ok || !strings.Contains(stderr, "DeploymentFailed") || !strings.Contains(stderr, "VaultNameNotValid") {
		t.Errorf("az deployment group create of a vault with a bad name: ok=%v, %s", ok, stderr)
	}

	az.must(t, nil, "lock", "create", "--name", "keep", "--resource-group", "rg-cli", "--lock-type", "CanNotDelete")
	_, stderr, ok = az.run(t, "group", "delete", "--name", "rg-cli", "--yes")
	if ok || !strings.Contains(stderr, "ScopeLocked") {
		t.Errorf("az group delete of a locked group: ok=%v, %s", ok, stderr)
	}
}
