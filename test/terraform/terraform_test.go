package terraform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/examples/contoso"
)

// TestContoso takes contoso's vaults the whole way: generated code is valid, Terraform
// applies it, sees nothing to change afterwards, and sees nothing to change either when
// atg has copied the true values.
func TestContoso(t *testing.T) {
	t.Parallel()
	w := start(t, false)
	dir := filepath.Join(t.TempDir(), "code")
	w.atg(t, 0, "generate", "--format", "terraform", "--import", "--mode", "template", "--out", dir)
	w.must(t, dir, "init", "-no-color", "-input=false")
	w.must(t, dir, "fmt", "-check", "-diff", "-recursive")
	w.must(t, dir, "validate", "-no-color")

	code, out := w.run(t, dir, "plan", "-no-color", "-input=false", "-var-file=terraform.tfvars.example")
	if code == 0 {
		t.Errorf("a plan with the example's values, which nobody has filled in, passes:\n%s", tail(out))
	}
	fill(t, dir)
	w.must(t, dir, "apply", "-no-color", "-input=false", "-auto-approve", "-parallelism=30")
	w.unchanged(t, dir, "after the apply")

	w.atg(t, 0, "apply", "--yes", "--overwrite", "--mode", "replication")
	w.unchanged(t, dir, "after atg has copied the values")

	before := read(t, filepath.Join(dir, "kv-fabrikam-shop.tf"))
	w.atg(t, 0, "generate", "--format", "terraform", "--mode", "template", "--out", dir)
	if after := read(t, filepath.Join(dir, "kv-fabrikam-shop.tf")); after == before || strings.Contains(after, "import {") {
		t.Error("without --import the import blocks stay")
	}
	w.unchanged(t, dir, "after it was generated anew")
}

// TestValidate holds the code of both modes against the provider, and sees that validate
// can fail.
func TestValidate(t *testing.T) {
	t.Parallel()
	w := start(t, false)
	dir := filepath.Join(t.TempDir(), "code")
	w.atg(t, 0, "generate", "--mode", "replication", "--out", dir)
	w.must(t, dir, "init", "-no-color", "-input=false")
	w.must(t, dir, "fmt", "-check", "-diff", "-recursive")
	w.must(t, dir, "validate", "-no-color")

	for _, bad := range []struct{ old, new, want string }{
		{"key_vault_id", "key_vault", "Unsupported argument"},
		{"key_size   = 2048", "key_size = \"large\"", "a number is required"},
	} {
		path := filepath.Join(dir, "kv-fabrikam-front.tf")
		good := read(t, path)
		broken := strings.Replace(good, bad.old, bad.new, 1)
		if broken == good {
			t.Fatalf("there is no %q in %s", bad.old, path)
		}
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out := w.run(t, dir, "validate", "-no-color"); code == 0 || !strings.Contains(out, bad.want) {
			t.Errorf("%q for %q: exit code %d\n%s", bad.new, bad.old, code, out)
		}
		if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestControlPlane lets the provider make a vault of its own, which it probes until it
// answers, and a secret in it.
func TestControlPlane(t *testing.T) {
	t.Parallel()
	w := start(t, true)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(ownVault), 0o600); err != nil {
		t.Fatal(err)
	}
	w.must(t, dir, "init", "-no-color", "-input=false")
	w.must(t, dir, "apply", "-no-color", "-input=false", "-auto-approve")
	w.unchanged(t, dir, "after the apply")

	id, err := w.Principal(contoso.Target)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := w.Objects("/subscriptions/" + id.SubscriptionID + "/resourceGroups/rg-terraform/providers/Microsoft.KeyVault/vaults/kv-terraform")
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 1 || objects[0].Key != "secrets/made" || objects[0].Fields["value"] != "by Terraform" {
		t.Errorf("the vault holds %+v", objects)
	}
}

const ownVault = `
terraform {
  required_providers {
    azurerm = {
      source = "hashicorp/azurerm"
    }
  }
}

provider "azurerm" {
  features {}
}

data "azurerm_client_config" "me" {}

resource "azurerm_resource_group" "own" {
  name     = "rg-terraform"
  location = "westeurope"
}

resource "azurerm_key_vault" "own" {
  name                       = "kv-terraform"
  location                   = azurerm_resource_group.own.location
  resource_group_name        = azurerm_resource_group.own.name
  tenant_id                  = data.azurerm_client_config.me.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
}

resource "azurerm_key_vault_secret" "made" {
  name         = "made"
  key_vault_id = azurerm_key_vault.own.id
  value        = "by Terraform"
}
`

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
