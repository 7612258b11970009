variable "issuer_digi_account" {
  description = "Account at the certificate authority of the issuer digi."
  type        = string
}

variable "issuer_digi_password" {
  description = "Password of that account."
  type        = string
  sensitive   = true
}

variable "secret_db_password" {
  description = "Value of the secret db-password."
  type        = string
  sensitive   = true
}

variable "secret_off" {
  description = "Value of the secret off."
  type        = string
  sensitive   = true
}

# The certificate issuer digi. Azure has no ARM type for issuers.
resource "azurerm_key_vault_certificate_issuer" "digi" {
  name          = "digi"
  key_vault_id  = "/subscriptions/f0000000-0000-4000-8000-000000000002/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-fabrikam"
  provider_name = "DigiCert"
  org_id        = "org"
  account_id    = var.issuer_digi_account
  password      = var.issuer_digi_password
}

# The certificate contacts. Azure has no ARM type for them.
resource "azurerm_key_vault_certificate_contacts" "contacts" {
  key_vault_id = "/subscriptions/f0000000-0000-4000-8000-000000000002/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-fabrikam"

  contact {
    email = "a@contoso.com"
    name  = "A"
    phone = "1"
  }

  contact {
    email = "b@contoso.com"
  }
}

resource "azurerm_key_vault_secret" "db_password" {
  name            = "db-password"
  key_vault_id    = "/subscriptions/f0000000-0000-4000-8000-000000000002/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-fabrikam"
  value           = var.secret_db_password
  content_type    = "text/plain"
  not_before_date = "2024-01-02T03:04:05Z"
  expiration_date = "2030-01-02T03:04:05Z"
  tags = {
    "cost center" = "b"
    owner         = "a"
  }

  lifecycle {
    ignore_changes = [value]
  }
}

# Disabled at the source. Terraform's provider has no attribute for that; disable it after the deployment.
resource "azurerm_key_vault_secret" "off" {
  name         = "off"
  key_vault_id = "/subscriptions/f0000000-0000-4000-8000-000000000002/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-fabrikam"
  value        = var.secret_off

  lifecycle {
    ignore_changes = [value]
  }
}

# A new key of the same shape: key material cannot leave Azure.
resource "azurerm_key_vault_key" "ec" {
  name         = "ec"
  key_vault_id = "/subscriptions/f0000000-0000-4000-8000-000000000002/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-fabrikam"
  key_type     = "EC"
  curve        = "P-384"
  key_opts     = ["sign", "verify"]

  rotation_policy {
    expire_after         = "P2Y"
    notify_before_expiry = "P30D"

    automatic {
      time_after_creation = "P90D"
    }
  }
}

# A new key of the same shape: key material cannot leave Azure.
resource "azurerm_key_vault_key" "rsa" {
  name            = "rsa"
  key_vault_id    = "/subscriptions/f0000000-0000-4000-8000-000000000002/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-fabrikam"
  key_type        = "RSA"
  key_size        = 2048
  key_opts        = ["sign", "verify"]
  expiration_date = "2033-05-18T03:33:20Z"
  tags = {
    a = "b"
  }
}

# The certificate fixed, issued anew from its policy. Azure has no ARM type for certificates.
resource "azurerm_key_vault_certificate" "fixed" {
  name         = "fixed"
  key_vault_id = "/subscriptions/f0000000-0000-4000-8000-000000000002/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-fabrikam"

  certificate_policy {
    issuer_parameters {
      name = "Self"
    }

    key_properties {
      curve      = "P-256"
      key_size   = 256
      key_type   = "EC"
      exportable = false
      reuse_key  = false
    }

    lifetime_action {
      action {
        action_type = "AutoRenew"
      }

      trigger {
        lifetime_percentage = 80
      }
    }

    secret_properties {
      content_type = "application/x-pkcs12"
    }

    x509_certificate_properties {
      extended_key_usage = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]
      key_usage          = ["digitalSignature", "keyEncipherment"]
      subject            = "CN=fixed"
      validity_in_months = 12
    }
  }
}

# The certificate tls, issued anew from its policy. Azure has no ARM type for certificates.
resource "azurerm_key_vault_certificate" "tls" {
  name         = "tls"
  key_vault_id = "/subscriptions/f0000000-0000-4000-8000-000000000002/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-fabrikam"
  tags = {
    a = "b"
  }

  certificate_policy {
    issuer_parameters {
      name = "Self"
    }

    key_properties {
      key_size   = 2048
      key_type   = "RSA"
      exportable = true
      reuse_key  = false
    }

    lifetime_action {
      action {
        action_type = "AutoRenew"
      }

      trigger {
        days_before_expiry = 30
      }
    }

    lifetime_action {
      action {
        action_type = "EmailContacts"
      }

      trigger {
        lifetime_percentage = 80
      }
    }

    secret_properties {
      content_type = "application/x-pkcs12"
    }

    x509_certificate_properties {
      extended_key_usage = ["1.3.6.1.5.5.7.3.1"]
      key_usage          = ["digitalSignature"]
      subject            = "CN=tls.contoso.com"
      validity_in_months = 6

      subject_alternative_names {
        dns_names = ["tls.contoso.com"]
        emails    = ["a@contoso.com"]
        upns      = ["u"]
      }
    }
  }
}
