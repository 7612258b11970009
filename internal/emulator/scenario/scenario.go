package scenario

import (
	"encoding/json"
	"time"
)

// Scenario is everything that exists when the emulator is ready.
type Scenario struct {
	Tenants []Tenant `json:"tenants"`
}

// Tenant is a directory with its subscriptions.
type Tenant struct {
	ID     string `json:"id"`     // GUID
	Name   string `json:"name"`   // unique; finds the tenant in commands and tests
	Domain string `json:"domain"` // unique; "": <name>.onmicrosoft.com

	Principals      []Principal      `json:"principals,omitempty"`
	Subscriptions   []Subscription   `json:"subscriptions,omitempty"`
	RoleAssignments []RoleAssignment `json:"roleAssignments,omitempty"`
}

// Principal is an application that can sign in, and its service principal.
type Principal struct {
	AppID    string `json:"appId"`            // GUID
	ObjectID string `json:"objectId"`         // GUID
	Name     string `json:"name"`             // unique in the tenant
	Secret   string `json:"secret,omitempty"` // "": one is drawn at start

	SecretExpires time.Time `json:"secretExpires,omitzero"` // RFC 3339; absent: never
	Certificate   string    `json:"certificate,omitempty"`  // PEM, for client assertions
	Disabled      bool      `json:"disabled,omitempty"`     // sign-in is refused
}

// Subscription belongs to the tenant that holds it.
type Subscription struct {
	ID             string          `json:"id"` // GUID, unique
	Name           string          `json:"name"`
	ResourceGroups []ResourceGroup `json:"resourceGroups,omitempty"`
	// Unregistered names resource providers that are not registered yet ("Microsoft.Web"); all
	// others are.
	Unregistered []string `json:"unregistered,omitempty"`
}

// ResourceGroup holds resources.
type ResourceGroup struct {
	Name      string            `json:"name"`
	Location  string            `json:"location"` // "westeurope"
	Tags      map[string]string `json:"tags,omitempty"`
	Resources []Resource        `json:"resources,omitempty"`
}

// Resource is one ARM resource. A child resource has the type and the name of its
// whole path: "Microsoft.KeyVault/vaults/secrets" and "kv-app/db-password".
type Resource struct {
	Type       string            `json:"type"`
	Name       string            `json:"name"`
	Location   string            `json:"location,omitempty"` // "": the resource group's
	Kind       string            `json:"kind,omitempty"`
	SKU        map[string]any    `json:"sku,omitempty"`
	Identity   map[string]any    `json:"identity,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	Properties map[string]any    `json:"properties,omitempty"`

	// Data is what the resource's data plane holds, in the format of the emulated service
	// (documented in its package comment).
	Data json.RawMessage `json:"data,omitempty"`
}

// RoleAssignment grants a role.
type RoleAssignment struct {
	Principal string `json:"principal"` // name, app ID or object ID of a principal of the tenant
	Role      string `json:"role"`      // built-in role's name ("Key Vault Administrator") or a role definition ID
	Scope     string `json:"scope"`     // resource ID in one of the tenant's subscriptions
}

// GUIDs of the default scenario.
const (
	ContosoTenant        = "c0000000-0000-4000-8000-000000000001"
	ContosoSubscription  = "c0000000-0000-4000-8000-000000000002"
	ContosoApp           = "c0000000-0000-4000-8000-000000000003"
	ContosoObject        = "c0000000-0000-4000-8000-000000000004"
	FabrikamTenant       = "f0000000-0000-4000-8000-000000000001"
	FabrikamSubscription = "f0000000-0000-4000-8000-000000000002"
	FabrikamApp          = "f0000000-0000-4000-8000-000000000003"
	FabrikamObject       = "f0000000-0000-4000-8000-000000000004"
)

// Default returns two tenants: contoso (the source) and fabrikam (the target), each with one
// principal that owns the one subscription and may do everything with what its key vaults
// and storage accounts hold, and one empty resource group.
func Default() *Scenario {
	return &Scenario{Tenants: []Tenant{
		plain("contoso", ContosoTenant, ContosoSubscription, Principal{AppID: ContosoApp, ObjectID: ContosoObject, Name: "atg-source"}),
		plain("fabrikam", FabrikamTenant, FabrikamSubscription, Principal{AppID: FabrikamApp, ObjectID: FabrikamObject, Name: "atg-target"}),
	}}
}

func plain(name, tenantID, subscriptionID string, p Principal) Tenant {
	scope := "/subscriptions/" + subscriptionID
	return Tenant{
		ID: tenantID, Name: name, Domain: name + ".onmicrosoft.com",
		Principals: []Principal{p},
		Subscriptions: []Subscription{{
			ID: subscriptionID, Name: name + " production",
			ResourceGroups: []ResourceGroup{{Name: "rg-" + name, Location: "westeurope"}},
		}},
		RoleAssignments: assigned(p.Name, scope),
	}
}

// assigned are the roles of a default principal: Owner, and those that an owner lacks since
// they are about data.
func assigned(principal, scope string) []RoleAssignment {
	var out []RoleAssignment
	for _, role := range []string{
		"Owner", "Key Vault Administrator", "Storage Blob Data Owner", "Storage File Data Privileged Contributor",
		"Storage Queue Data Contributor", "Storage Table Data Contributor",
	} {
		out = append(out, RoleAssignment{Principal: principal, Role: role, Scope: scope})
	}
	return out
}

// ResourceID returns the ARM ID of a resource of a group.
func ResourceID(subscriptionID, group string, r Resource) string {
	return groupID(subscriptionID, group) + "/providers/" + typePath(r.Type, r.Name)
}

func groupID(subscriptionID, group string) string {
	return "/subscriptions/" + subscriptionID + "/resourceGroups/" + group
}
