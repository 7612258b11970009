package azurerm_test

import (
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/iac/azurerm"
)

// good is code without a fault; each case of TestCheckFinds changes one thing in it.
const good = `
variable "v" {
  type      = string
  sensitive = true
}

resource "azurerm_key_vault_secret" "a" {
  provider     = azurerm.other
  name         = "a"
  key_vault_id = "/subscriptions/s"
  value        = var.v
  tags = {
    owner = "me"
  }
  depends_on = [azurerm_key_vault_certificate.c]

  lifecycle {
    ignore_changes = [value]
  }
}

resource "azurerm_key_vault_certificate" "c" {
  name         = "c"
  key_vault_id = "/subscriptions/s"

  certificate_policy {
    issuer_parameters {
      name = "Self"
    }

    key_properties {
      exportable = true
      key_size   = 2048
      key_type   = "RSA"
      reuse_key  = false
    }

    secret_properties {
      content_type = "application/x-pkcs12"
    }
  }
}

import {
  to = azurerm_key_vault_secret.a
  id = "https://kv.vault.azure.net/secrets/a/1"
}
`

func TestCheckTakes(t *testing.T) {
	t.Parallel()
	for _, err := range azurerm.Check(map[string][]byte{"main.tf": []byte(good)}) {
		t.Error(err)
	}
	half := strings.Index(good, `resource "azurerm_key_vault_certificate"`)
	for _, err := range azurerm.Check(map[string][]byte{"a.tf": []byte(good[:half]), "b.tf": []byte(good[half:])}) {
		t.Errorf("in two files: %v", err)
	}
	if got := azurerm.Provider(); !strings.HasPrefix(got, "azurerm 5.") {
		t.Errorf("the extract is of %q", got)
	}
}

func TestCheckFinds(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, new, want string }{
		{"no HCL", `name         = "a"`, `name = `, "main.tf"},
		{"unknown type", `"azurerm_key_vault_secret" "a"`, `"azurerm_key_vault_secrets" "a"`, `no resource type "azurerm_key_vault_secrets"`},
		{"unknown argument", `value        = var.v`, `value = var.v` + "\n" + `enabled = true`, `azurerm_key_vault_secret has no argument "enabled"`},
		{"missing argument", `name         = "a"`, ``, `azurerm_key_vault_secret lacks the argument "name"`},
		{"read-only argument", `value        = var.v`, `value = var.v` + "\n" + `version = "1"`, `azurerm_key_vault_secret.version is read-only`},
		{"wrong type", `key_size   = 2048`, `key_size = "large"`, `azurerm_key_vault_certificate.certificate_policy.key_properties.key_size: a number is required`},
		{"list for a string", `name         = "a"`, `name = ["a"]`, `azurerm_key_vault_secret.name: string required`},
		{"map of lists", `owner = "me"`, `owner = ["me"]`, `azurerm_key_vault_secret.tags`},
		{"unknown block", `  lifecycle {`, "  options {\n  }\n  lifecycle {", `azurerm_key_vault_secret has no block "options"`},
		{"missing block", "    secret_properties {\n      content_type = \"application/x-pkcs12\"\n    }\n", "", `azurerm_key_vault_certificate.certificate_policy lacks the block "secret_properties"`},
		{"block too often", "    key_properties {", "    key_properties {\n      exportable = true\n      reuse_key = true\n    }\n    key_properties {", `takes at most 1 blocks "key_properties"`},
		{"argument as a block", "  tags = {", "  tags {", `azurerm_key_vault_secret has no block "tags"`},
		{"undeclared variable", `variable "v"`, `variable "w"`, `"v"`},
		{"variable twice", `resource "azurerm_key_vault_secret"`, "variable \"v\" {\n}\n\nresource \"azurerm_key_vault_secret\"", `the variable "v" is declared twice`},
		{"resource twice", `"azurerm_key_vault_certificate" "c"`, `"azurerm_key_vault_secret" "a"`, `the resource azurerm_key_vault_secret.a is declared twice`},
		{"no name", `"azurerm_key_vault_secret" "a"`, `"azurerm_key_vault_secret"`, "a resource has a type and a name"},
		{"meta argument in a block", `reuse_key  = false`, "reuse_key = false\n count = 1", `has no argument "count"`},
		{"import to nowhere", `to = azurerm_key_vault_secret.a`, `to = azurerm_key_vault_secret.b`, "which is not declared"},
		{"import to no resource", `to = azurerm_key_vault_secret.a`, `to = "a"`, "leads to no resource"},
		{"import without ID", `id = "https://kv.vault.azure.net/secrets/a/1"`, `id = ""`, "the import has no ID"},
		{"half an import", `id = "https://kv.vault.azure.net/secrets/a/1"`, ``, "an import needs to and id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bad := strings.Replace(good, tt.old, tt.new, 1)
			if bad == good {
				t.Fatal("the case changes nothing")
			}
			found := azurerm.Check(map[string][]byte{"main.tf": []byte(bad)})
			for _, err := range found {
				if strings.Contains(err.Error(), tt.want) {
					return
				}
			}
			t.Errorf("found %v, want %q", found, tt.want)
		})
	}
}
