package tfstate

import (
	"encoding/json"
	"testing"
)

func TestPlanned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ typ, values, id, kind string }{
		"vault":            {"azurerm_key_vault", `{"name":"kv","resource_group_name":"rg","tags":{"a":"b"}}`, "/subscriptions/s/resourceGroups/rg/providers/microsoft.keyvault/vaults/kv", ""},
		"function app":     {"azurerm_linux_function_app", `{"name":"f","resource_group_name":"rg"}`, "/subscriptions/s/resourceGroups/rg/providers/microsoft.web/sites/f", "functionapp,linux"},
		"storage kind":     {"azurerm_storage_account", `{"name":"st","resource_group_name":"rg","account_kind":"BlobStorage"}`, "/subscriptions/s/resourceGroups/rg/providers/microsoft.storage/storageaccounts/st", "BlobStorage"},
		"azapi":            {"azapi_resource", `{"type":"Microsoft.KeyVault/vaults@2023-07-01","name":"kv","parent_id":"/subscriptions/x/resourceGroups/g"}`, "/subscriptions/x/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv", ""},
		"name not known":   {"azurerm_key_vault", `{"resource_group_name":"rg"}`, "", ""},
		"group not known":  {"azurerm_key_vault", `{"name":"kv"}`, "", ""},
		"child":            {"azurerm_mssql_database", `{"name":"db","server_id":"/x"}`, "", ""},
		"no data":          {"azurerm_subnet", `{"name":"x","resource_group_name":"rg"}`, "", ""},
		"no object at all": {"azurerm_key_vault", `[]`, "", ""},
	} {
		r, ok := Planned(c.typ, json.RawMessage(c.values), "s")
		if ok != (c.id != "") || (ok && (r.ID != c.id || r.Kind != c.kind)) {
			t.Errorf("%s: %+v, %t", name, r, ok)
		}
	}
}
