// Package grant writes what gives principals the rights that a run needs: a bash script
// for the Azure CLI, or the definition of a custom role. It asks Azure nothing and
// carries nothing out: whoever may assign roles reads it first and runs it then.
//
// Roles are assigned at the resources themselves, never above them, and are named by
// their IDs, which stay when a role is renamed
// (https://learn.microsoft.com/azure/role-based-access-control/role-assignments-cli).
package grant

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Grantee is who is to get the rights.
type Grantee struct {
	ObjectID string // of the principal, if it is known
	User     bool   // a person, not a service principal
	// Name is an application ID, a sign-in name or an object ID, as "az --assignee" takes
	// it, for where ObjectID is not known.
	Name string
}

// Item is one resource at which a side needs rights.
type Item struct {
	Side     plugin.Side
	TenantID string // of the side; "" if it is not known
	Plugin   plugin.Plugin
	Mode     plugin.Mode
	Settings plugin.Settings // of the plugin: the same in all items of one
	Resource plugin.Resource
	Who      Grantee
	// Access is what the plugin says decides at the resource; the zero Access where Azure
	// RBAC does or where nobody could ask.
	Access plugin.Access
}

// Options say how the rights are given.
type Options struct {
	CustomRole bool               // by a custom role with exactly what is needed, not by built-in ones
	Prefer     catalog.Preference // among built-in roles; "": the default
	Version    string             // of this program
}

// group is the items that need the same rights.
type group struct {
	side   plugin.Side
	tenant string
	plugin plugin.Plugin
	mode   plugin.Mode
	set    plugin.Settings
	by     string // what decides; "" for Azure RBAC
	items  []Item
}

func (g *group) needs() []catalog.Operation {
	return rbac.Needs(g.plugin, g.side, g.mode, g.set, g.by)
}

// groups puts items that need the same together: source before target, then by plugin,
// then by resource ID. A resource that comes twice counts once.
func groups(items []Item) []*group {
	var out []*group
	seen := map[string]bool{}
	for _, it := range items {
		key := string(it.Side) + " " + strings.ToLower(it.Resource.ID) + " " + it.Who.ObjectID + " " + it.Who.Name
		if seen[key] {
			continue
		}
		seen[key] = true
		i := slices.IndexFunc(out, func(g *group) bool {
			return g.side == it.Side && g.plugin.Info().Name == it.Plugin.Info().Name && g.mode == it.Mode && g.by == it.Access.By && g.tenant == it.TenantID
		})
		if i < 0 {
			i = len(out)
			out = append(out, &group{side: it.Side, tenant: it.TenantID, plugin: it.Plugin, mode: it.Mode, set: it.Settings, by: it.Access.By})
		}
		out[i].items = append(out[i].items, it)
	}
	for _, g := range out {
		slices.SortFunc(g.items, func(a, b Item) int {
			return cmp.Compare(strings.ToLower(a.Resource.ID), strings.ToLower(b.Resource.ID))
		})
	}
	slices.SortStableFunc(out, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.side, b.side), cmp.Compare(a.plugin.Info().Name, b.plugin.Info().Name), cmp.Compare(a.by, b.by))
	})
	return out
}
