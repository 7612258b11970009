package main

import (
	"encoding/json"
	"fmt"
)

// world is a scenario of the emulator. The form is the emulator's; these types write the
// part of it that is needed here.
type world struct {
	Tenants []tenant `json:"tenants"`
}

type tenant struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	Domain        string         `json:"domain"`
	Principals    []principal    `json:"principals"`
	Subscriptions []subscription `json:"subscriptions"`
	Roles         []role         `json:"roleAssignments"`
}

type principal struct {
	AppID    string `json:"appId"`
	ObjectID string `json:"objectId"`
	Name     string `json:"name"`
}

type subscription struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Groups []group `json:"resourceGroups"`
}

type group struct {
	Name      string     `json:"name"`
	Location  string     `json:"location"`
	Resources []resource `json:"resources"`
}

type resource struct {
	Type       string            `json:"type"`
	Name       string            `json:"name"`
	Kind       string            `json:"kind,omitempty"`
	SKU        map[string]string `json:"sku,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	Properties map[string]any    `json:"properties"`
	Data       any               `json:"data,omitempty"`
}

type role struct {
	Principal string `json:"principal"`
	Role      string `json:"role"`
	Scope     string `json:"scope"`
}

const (
	sourceVault = "kv-bench-source"
	targetVault = "kv-bench-target"
	vaultSuffix = ".vault.azure.net"
)

// scenarioOf returns the scenario with that many secrets, as JSON.
func scenarioOf(secrets int) ([]byte, error) {
	vault := func(prefix, name string) resource {
		return resource{
			Type: "Microsoft.KeyVault/vaults", Name: name, Properties: map[string]any{
				"tenantId": guid(prefix, 1), "sku": map[string]string{"family": "A", "name": "standard"},
				"enableSoftDelete": true, "enableRbacAuthorization": true,
			},
		}
	}
	from, to := vault(sourcePrefix, sourceVault), vault(targetPrefix, targetVault)
	from.Data = map[string]any{"generate": map[string]any{"secrets": secrets, "seed": 1}}
	return worldOf(from, to, "Key Vault Administrator")
}

// The tenants' GUIDs begin with these.
const (
	sourcePrefix = "c0000000"
	targetPrefix = "f0000000"
)

// worldOf returns a scenario of one resource in each tenant; the target's carries the tag
// that pairs it. The roles say what each tenant's principal may do in them.
func worldOf(from, to resource, roles ...string) ([]byte, error) {
	to.Tags = map[string]string{"atg-source-id": scopeOf(sourcePrefix) + "/resourceGroups/rg-contoso/providers/" + from.Type + "/" + from.Name}
	return json.Marshal(world{Tenants: []tenant{
		tenantOf("contoso", sourcePrefix, from, roles), tenantOf("fabrikam", targetPrefix, to, roles),
	}})
}

func scopeOf(prefix string) string { return "/subscriptions/" + guid(prefix, 2) }

func guid(prefix string, n int) string { return fmt.Sprintf("%s-0000-4000-8000-%012d", prefix, n) }

// tenantOf makes a tenant with one principal, which may read resources and has the roles.
func tenantOf(name, prefix string, r resource, roles []string) tenant {
	who := principal{AppID: guid(prefix, 3), ObjectID: guid(prefix, 4), Name: "atg-" + name}
	var held []role
	for _, name := range append([]string{"Reader"}, roles...) {
		held = append(held, role{who.Name, name, scopeOf(prefix)})
	}
	return tenant{
		ID: guid(prefix, 1), Name: name, Domain: name + ".onmicrosoft.com", Principals: []principal{who},
		Subscriptions: []subscription{{ID: guid(prefix, 2), Name: name, Groups: []group{{
			Name: "rg-" + name, Location: "westeurope", Resources: []resource{r},
		}}}},
		Roles: held,
	}
}
