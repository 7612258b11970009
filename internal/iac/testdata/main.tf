variable "db_password" {
  description = "Value of the secret db-password, it's \"secret\"."
  type        = string
  sensitive   = true
}

variable "again" {
  description = "Another <one>."
  type        = string
}

# A secret.
# Its value is given at deployment.
resource "azurerm_key_vault_secret" "db_password" {
  name  = "db-password"
  value = var.db_password
  tags = {
    owner         = "$${not.an.expression}"
    "cost center" = "a\"b"
    "null"        = "x"
  }

  lifecycle {
    ignore_changes = [value, tags]
  }
}

resource "azurerm_key_vault_secret" "db_password_2" {
  name  = "db-password2"
  value = var.again
}

resource "azurerm_key_vault_key" "sign" {
  name     = "sign"
  key_size = 2048
  key_opts = ["sign", "verify"]
  mixed = [1, true, var.db_password, {
    a = -1
  }]

  rotation_policy {
    expire_after = "P90D"

    automatic {
      time_before_expiry = "P30D"
    }
  }
}

# The certificate tls has no type in this language.

# Below an account that this file declares.
