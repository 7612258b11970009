package tfstate

import (
	"encoding/json"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Planned returns the Azure resource that a Terraform resource is going to be, from the
// values of a plan. subscription is where it is deployed. It returns false for types that
// hold no data, for children of other resources, and where the name or the resource group
// is known only when it is deployed.
func Planned(typ string, values json.RawMessage, subscription string) (plugin.Resource, bool) {
	var a attributes
	if json.Unmarshal(values, &a) != nil {
		return plugin.Resource{}, false
	}
	f, arm, parent := forms[typ], "", ""
	if typ == azapi {
		arm, _, _ = strings.Cut(a.text("type"), "@")
		parent = a.text("parent_id")
	} else if group := a.text("resource_group_name"); group != "" && subscription != "" {
		arm, parent = f.arm, "/subscriptions/"+subscription+"/resourceGroups/"+group
	}
	name := a.text("name")
	if arm == "" || parent == "" || name == "" || strings.Count(arm, "/") != 1 {
		return plugin.Resource{}, false
	}
	r, err := inventory.FromID(parent + "/providers/" + arm + "/" + name)
	if err != nil {
		return r, false
	}
	r.Kind, r.SKU, r.Location, r.Tags = f.fixed, a.text(f.sku), a.text("location"), a.tags()
	if kind := a.text(f.kind); kind != "" {
		r.Kind = kind
	}
	return r, true
}
