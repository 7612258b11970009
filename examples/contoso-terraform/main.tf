# The key vaults of Fabrikam, into which those of Contoso are copied.
# Each carries the tag by which atg finds its source.
#
#   atg deploy --iac-dir examples/contoso-terraform --target-tenant-id TENANT --dataplane --dataplane-mode replication

terraform {
  required_version = ">= 1.5"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
  }
}

provider "azurerm" {
  subscription_id = var.subscription_id
  features {}
}

variable "subscription_id" {
  type        = string
  description = "Subscription to deploy to; atg passes --subscription-id on."
}

variable "source_resource_group_id" {
  type        = string
  description = "Resource group of the vaults that are copied."
}

variable "location" {
  type    = string
  default = "northeurope"
}

data "azurerm_client_config" "operator" {}

locals {
  by_role = {
    "kv-fabrikam-tf-shop"  = "kv-contoso-app"
    "kv-fabrikam-tf-front" = "kv-contoso-edge"
  }
  vaults = "${var.source_resource_group_id}/providers/Microsoft.KeyVault/vaults"
}

resource "azurerm_resource_group" "fabrikam" {
  name     = "rg-fabrikam-terraform"
  location = var.location
}

resource "azurerm_key_vault" "by_role" {
  for_each = local.by_role

  name                       = each.key
  location                   = azurerm_resource_group.fabrikam.location
  resource_group_name        = azurerm_resource_group.fabrikam.name
  tenant_id                  = data.azurerm_client_config.operator.tenant_id
  sku_name                   = "premium"
  rbac_authorization_enabled = true
  soft_delete_retention_days = 90

  tags = {
    "atg-source-id" = "${local.vaults}/${each.value}"
  }
}

resource "azurerm_key_vault" "stock" {
  name                       = "kv-fabrikam-tf-stock"
  location                   = azurerm_resource_group.fabrikam.location
  resource_group_name        = azurerm_resource_group.fabrikam.name
  tenant_id                  = data.azurerm_client_config.operator.tenant_id
  sku_name                   = "premium"
  rbac_authorization_enabled = false
  soft_delete_retention_days = 90

  access_policy {
    tenant_id = data.azurerm_client_config.operator.tenant_id
    object_id = data.azurerm_client_config.operator.object_id

    secret_permissions = ["Get", "List", "Set", "Delete", "Recover"]
    key_permissions    = ["Get", "List", "Create", "Update", "Delete", "Recover", "GetRotationPolicy", "SetRotationPolicy"]
    certificate_permissions = [
      "Get", "List", "Create", "Import", "Update", "Delete", "Recover", "ManageContacts", "GetIssuers", "ListIssuers", "SetIssuers", "ManageIssuers",
    ]
  }

  tags = {
    "atg-source-id" = "${local.vaults}/kv-contoso-data"
  }
}
