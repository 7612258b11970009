package contoso

import (
	"fmt"
	"math/rand/v2"
)

// The identities of both tenants. They are fixed, so that what the demo prints can be
// found again in the scenario. Their secrets are drawn by the emulator.
const (
	sourceTenant = "c0000000-0000-4000-8000-000000000001"
	sourceSub    = "c0000000-0000-4000-8000-000000000002"
	sourceApp    = "c0000000-0000-4000-8000-000000000003"
	sourceObject = "c0000000-0000-4000-8000-000000000004"
	targetTenant = "f0000000-0000-4000-8000-000000000001"
	targetSub    = "f0000000-0000-4000-8000-000000000002"
	targetApp    = "f0000000-0000-4000-8000-000000000003"
	targetObject = "f0000000-0000-4000-8000-000000000004"

	vaultType   = "Microsoft.KeyVault/vaults"
	accountType = "Microsoft.Storage/storageAccounts"
	sourceTag   = "atg-source-id"
	sourceRG    = "rg-contoso-prod"
	targetRG    = "rg-fabrikam-prod"
	sourceArea  = "westeurope"
	targetArea  = "northeurope"
)

// sourceID is the resource ID of a resource of the source.
func sourceID(typ, name string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s", sourceSub, sourceRG, typ, name)
}

func targetID(typ, name string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s", targetSub, targetRG, typ, name)
}

// Generate makes the scenario for a seed. Resources, names that matter and awkward cases
// are the same for every seed; the rest differs.
func Generate(seed uint64) World {
	m := &maker{rand.New(rand.NewPCG(seed, 0xc0970501))}
	return World{Tenants: []Tenant{m.source(), m.target()}}
}

// maker makes content out of one stream of random numbers.
type maker struct{ *rand.Rand }

// source is the tenant that is copied. Its principal may not write secrets or keys. At the
// storage account it has the roles that "atg permissions script" gives: none that only
// reads shows stored access policies and index tags.
func (m *maker) source() Tenant {
	scope := "/subscriptions/" + sourceSub
	files := sourceID(accountType, "stcontosoprod")
	return Tenant{
		ID: sourceTenant, Name: Source, Domain: "contoso.onmicrosoft.com",
		Principals: []Principal{{AppID: sourceApp, ObjectID: sourceObject, Name: "atg-source"}},
		Subscriptions: []Subscription{{ID: sourceSub, Name: "Contoso Production", ResourceGroups: []ResourceGroup{{
			Name: sourceRG, Location: sourceArea,
			Resources: []Resource{
				{Type: vaultType, Name: "kv-contoso-app", Location: sourceArea, Tags: map[string]string{"app": "shop"}, Properties: byRole(sourceTenant), Data: m.appVault()},
				{Type: vaultType, Name: "kv-contoso-data", Location: sourceArea, Tags: map[string]string{"app": "warehouse"}, Properties: byPolicy(sourceTenant, sourceObject, readPermissions()), Data: m.dataVault()},
				{Type: vaultType, Name: "kv-contoso-edge", Location: sourceArea, Tags: map[string]string{"app": "edge"}, Properties: byRole(sourceTenant), Data: m.edgeVault()},
				account("stcontosoprod", sourceArea, map[string]string{"app": "shop"}, m.prodAccount()),
			},
		}}}},
		RoleAssignments: []RoleAssignment{
			{"atg-source", "Reader", scope},
			{"atg-source", "Key Vault Reader", scope},
			{"atg-source", "Key Vault Secrets User", scope},
			{"atg-source", "Key Vault Certificates Officer", scope}, // the weakest built-in role that may read contacts
			{"atg-source", "Storage Account Contributor", files},
			{"atg-source", "Storage Blob Data Owner", files},
			{"atg-source", "Storage File Data Privileged Reader", files},
			{"atg-source", "Storage Table Data Reader", files},
		},
	}
}

// target is the tenant that is copied to: resources of other names, tagged with their
// source but for one vault, which the mapping file names.
func (m *maker) target() Tenant {
	scope := "/subscriptions/" + targetSub
	return Tenant{
		ID: targetTenant, Name: Target, Domain: "fabrikam.onmicrosoft.com",
		Principals: []Principal{{AppID: targetApp, ObjectID: targetObject, Name: "atg-target"}},
		Subscriptions: []Subscription{{ID: targetSub, Name: "Fabrikam Production", ResourceGroups: []ResourceGroup{{
			Name: targetRG, Location: targetArea,
			Resources: []Resource{
				{Type: vaultType, Name: "kv-fabrikam-shop", Location: targetArea, Tags: map[string]string{sourceTag: sourceID(vaultType, "kv-contoso-app")}, Properties: byRole(targetTenant), Data: m.usedVault()},
				{Type: vaultType, Name: "kv-fabrikam-stock", Location: targetArea, Tags: map[string]string{sourceTag: sourceID(vaultType, "kv-contoso-data")}, Properties: byPolicy(targetTenant, targetObject, allPermissions())},
				{Type: vaultType, Name: "kv-fabrikam-front", Location: targetArea, Properties: byRole(targetTenant)},
				account("stfabrikamprod", targetArea, map[string]string{sourceTag: sourceID(accountType, "stcontosoprod")}, nil),
			},
		}}}},
		RoleAssignments: []RoleAssignment{
			{"atg-target", "Reader", scope},
			{"atg-target", "Key Vault Administrator", scope},
			{"atg-target", "Storage Account Contributor", scope},
			{"atg-target", "Storage Blob Data Owner", scope},
			{"atg-target", "Storage File Data Privileged Contributor", scope},
			{"atg-target", "Storage Table Data Contributor", scope},
		},
	}
}

// Pairs is the content of mapping.json.
func Pairs() any {
	return map[string]any{"pairs": []map[string]string{{
		"source": sourceID(vaultType, "kv-contoso-edge"), "target": targetID(vaultType, "kv-fabrikam-front"),
	}}}
}

// account is a storage account that is reached with Entra ID alone.
func account(name, area string, tags map[string]string, data any) Resource {
	return Resource{
		Type: accountType, Name: name, Location: area, Kind: "StorageV2", SKU: map[string]any{"name": "Standard_LRS"}, Tags: tags,
		Properties: map[string]any{"accessTier": "Hot", "allowBlobPublicAccess": false, "allowSharedKeyAccess": false, "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": true},
		Data:       data,
	}
}

func vaultProperties(tenant string) map[string]any {
	return map[string]any{
		"tenantId": tenant, "sku": map[string]any{"family": "A", "name": "premium"},
		"enableSoftDelete": true, "softDeleteRetentionInDays": 90,
	}
}

// byRole is a vault whose data plane follows Azure RBAC.
func byRole(tenant string) map[string]any {
	p := vaultProperties(tenant)
	p["enableRbacAuthorization"] = true
	return p
}

// byPolicy is a vault whose data plane follows its access policies.
func byPolicy(tenant, object string, permissions map[string]any) map[string]any {
	p := vaultProperties(tenant)
	p["enableRbacAuthorization"] = false
	p["accessPolicies"] = []any{map[string]any{"tenantId": tenant, "objectId": object, "permissions": permissions}}
	return p
}

func readPermissions() map[string]any {
	return map[string]any{
		"secrets":      []string{"get", "list"},
		"keys":         []string{"get", "list", "getrotationpolicy"},
		"certificates": []string{"get", "list", "getissuers", "listissuers", "managecontacts"},
	}
}

func allPermissions() map[string]any {
	return map[string]any{
		"secrets":      []string{"get", "list", "set", "delete", "recover"},
		"keys":         []string{"get", "list", "create", "update", "delete", "recover", "getrotationpolicy", "setrotationpolicy"},
		"certificates": []string{"get", "list", "create", "import", "update", "delete", "recover", "managecontacts", "getissuers", "listissuers", "setissuers", "manageissuers"},
	}
}
