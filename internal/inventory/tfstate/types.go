package tfstate

import (
	"encoding/json"
	"strings"
)

// form says how the Terraform resources of one type describe an Azure resource. Names of
// attributes are those of the provider's schema.
type form struct {
	arm   string // ARM resource type, in lower case
	kind  string // attribute that holds the kind
	fixed string // kind where no attribute says it
	sku   string // attribute that holds the SKU
}

// forms are the types of azurerm that are an Azure resource of a type that can hold data.
// Source: the schemas in the provider's repository (hashicorp/terraform-provider-azurerm,
// internal/services, releases 3.117, 4 and 5.2). The types marked "until" are gone from
// later releases; a state keeps them for as long as nobody applies with such a release.
//
// What stands for the link between two resources and has an ID made up by Terraform (for
// example azurerm_virtual_machine_data_disk_attachment) is not here, nor is what lives
// inside a resource: plugins find that at the resource itself.
var forms = map[string]form{
	"azurerm_key_vault": {arm: "microsoft.keyvault/vaults", sku: "sku_name"},

	"azurerm_storage_account": {arm: "microsoft.storage/storageaccounts", kind: "account_kind"},

	"azurerm_container_registry": {arm: "microsoft.containerregistry/registries", sku: "sku"},

	"azurerm_cosmosdb_account": {arm: "microsoft.documentdb/databaseaccounts", kind: "kind"},

	"azurerm_mssql_server":   {arm: "microsoft.sql/servers"},
	"azurerm_mssql_database": {arm: "microsoft.sql/servers/databases", sku: "sku_name"},
	"azurerm_sql_server":     {arm: "microsoft.sql/servers"},           // until 3
	"azurerm_sql_database":   {arm: "microsoft.sql/servers/databases"}, // until 3

	"azurerm_linux_web_app":        {arm: "microsoft.web/sites", kind: "kind", fixed: "app,linux"},
	"azurerm_windows_web_app":      {arm: "microsoft.web/sites", kind: "kind", fixed: "app"},
	"azurerm_app_service":          {arm: "microsoft.web/sites", kind: "kind", fixed: "app"}, // until 4
	"azurerm_linux_web_app_slot":   {arm: "microsoft.web/sites/slots", kind: "kind", fixed: "app,linux"},
	"azurerm_windows_web_app_slot": {arm: "microsoft.web/sites/slots", kind: "kind", fixed: "app"},
	"azurerm_app_service_slot":     {arm: "microsoft.web/sites/slots", kind: "kind", fixed: "app"}, // until 4

	"azurerm_linux_function_app":            {arm: "microsoft.web/sites", kind: "kind", fixed: "functionapp,linux"},
	"azurerm_windows_function_app":          {arm: "microsoft.web/sites", kind: "kind", fixed: "functionapp"},
	"azurerm_function_app_flex_consumption": {arm: "microsoft.web/sites", kind: "kind", fixed: "functionapp,linux"},
	"azurerm_function_app":                  {arm: "microsoft.web/sites", kind: "kind", fixed: "functionapp"}, // until 4
	"azurerm_logic_app_standard":            {arm: "microsoft.web/sites", kind: "kind", fixed: "functionapp,workflowapp"},
	"azurerm_linux_function_app_slot":       {arm: "microsoft.web/sites/slots", kind: "kind", fixed: "functionapp,linux"},
	"azurerm_windows_function_app_slot":     {arm: "microsoft.web/sites/slots", kind: "kind", fixed: "functionapp"},
	"azurerm_function_app_slot":             {arm: "microsoft.web/sites/slots", kind: "kind", fixed: "functionapp"}, // until 4

	"azurerm_api_management": {arm: "microsoft.apimanagement/service", sku: "sku_name"},

	"azurerm_linux_virtual_machine":     {arm: "microsoft.compute/virtualmachines"},
	"azurerm_windows_virtual_machine":   {arm: "microsoft.compute/virtualmachines"},
	"azurerm_virtual_machine":           {arm: "microsoft.compute/virtualmachines"},
	"azurerm_virtual_machine_extension": {arm: "microsoft.compute/virtualmachines/extensions"},
	"azurerm_managed_disk":              {arm: "microsoft.compute/disks", sku: "storage_account_type"},
}

// azapi is the type of the azapi provider that is an Azure resource, of any type. Its
// other types change, call or read something: azapi_update_resource, azapi_resource_action,
// azapi_data_plane_resource.
const azapi = "azapi_resource"

// known tells whether the Terraform resources of a type are Azure resources that count.
func known(typ string) bool {
	_, ok := forms[typ]
	return ok || typ == azapi
}

// attributes are those of one Terraform resource, unread.
type attributes map[string]json.RawMessage

// text returns an attribute that is a text, or "".
func (a attributes) text(name string) string {
	var s string
	if name == "" || json.Unmarshal(a[name], &s) != nil {
		return ""
	}
	return s
}

// tags returns the tags, without those that have no value.
func (a attributes) tags() map[string]string {
	var given map[string]*string
	if json.Unmarshal(a["tags"], &given) != nil || len(given) == 0 {
		return nil
	}
	out := make(map[string]string, len(given))
	for k, v := range given {
		if v != nil {
			out[k] = *v
		}
	}
	return out
}

// describe returns kind and SKU of an azurerm resource.
func (f form) describe(a attributes) (kind, sku string) {
	if kind = a.text(f.kind); kind == "" {
		kind = f.fixed
	}
	switch f.arm {
	case "microsoft.storage/storageaccounts": // in two attributes
		sku = a.text("account_tier") + "_" + a.text("account_replication_type")
	case "microsoft.apimanagement/service": // "Developer_1": with the number of units
		sku, _, _ = strings.Cut(a.text(f.sku), "_")
	default:
		sku = a.text(f.sku)
	}
	return kind, strings.Trim(sku, "_")
}

// azapiBody is the part of the body of an azapi_resource that counts.
type azapiBody struct {
	Kind string `json:"kind"`
	SKU  struct {
		Name string `json:"name"`
	} `json:"sku"`
}

// describeAzapi returns kind and SKU of an azapi resource. Its body is a text of JSON in
// releases 1 of the provider and a value of dynamic type from 2 on; a state keeps such a
// value beside its type.
func describeAzapi(a attributes) (kind, sku string) {
	raw := a["body"]
	if text := a.text("body"); text != "" {
		raw = json.RawMessage(text)
	}
	var dynamic struct {
		Value json.RawMessage `json:"value"`
		Type  json.RawMessage `json:"type"`
	}
	if json.Unmarshal(raw, &dynamic) == nil && dynamic.Value != nil && dynamic.Type != nil {
		raw = dynamic.Value
	}
	var body azapiBody
	if json.Unmarshal(raw, &body) != nil {
		return "", "" // another form: neither is known
	}
	return body.Kind, body.SKU.Name
}
