package grant

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
)

const opWrite = "write what gives the rights"

// checking are what lets a principal read its own rights, so that the check before a run
// can tell. Built-in roles for a service have them; a custom role gets them too.
var checking = []string{"Microsoft.Authorization/permissions/read", "Microsoft.Authorization/denyAssignments/read"}

// CustomRole is the definition of a custom role, as "az role definition create" takes it
// (https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-properties).
type CustomRole struct {
	Name             string   `json:"Name"`
	IsCustom         bool     `json:"IsCustom"`
	Description      string   `json:"Description"`
	Actions          []string `json:"Actions"`
	NotActions       []string `json:"NotActions"`
	DataActions      []string `json:"DataActions"`
	NotDataActions   []string `json:"NotDataActions"`
	AssignableScopes []string `json:"AssignableScopes"` // the subscriptions of the resources
}

// CustomRoles returns a role for each side and plugin among the items, with exactly what
// it needs and the right to read its own permissions.
func CustomRoles(items []Item) ([]CustomRole, error) {
	var out []CustomRole
	for _, g := range groups(items) {
		r, err := g.customRole(g.needs())
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// RolesJSON writes custom roles as JSON: one object if there is one role, as the Azure
// CLI reads it, else a list.
func RolesJSON(roles []CustomRole) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	var err error
	if len(roles) == 1 {
		err = enc.Encode(roles[0])
	} else {
		err = enc.Encode(roles)
	}
	return b.Bytes(), err
}

// customRole is the role that grants the given operations to the group's principal.
func (g *group) customRole(needs []catalog.Operation) (CustomRole, error) {
	info := g.plugin.Info()
	name := fmt.Sprintf("atg %s %s (%s)", info.Name, g.side, g.mode)
	if g.by != "" {
		name += " beside " + g.by
	}
	r := CustomRole{
		Name: name, IsCustom: true, Description: fmt.Sprintf("What atg needs at a %s of the %s in %s mode, and nothing else.", info.Title, g.side, g.mode),
		Actions: []string{}, NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{}, AssignableScopes: []string{},
	}
	for _, op := range needs {
		if op.Data {
			r.DataActions = append(r.DataActions, op.Name)
		} else {
			r.Actions = append(r.Actions, op.Name)
		}
	}
	r.Actions = append(r.Actions, checking...)
	for _, it := range g.items {
		sub, err := subscriptionOf(it.Resource.ID)
		if err != nil {
			return r, err
		}
		if scope := "/subscriptions/" + sub; !slices.Contains(r.AssignableScopes, scope) {
			r.AssignableScopes = append(r.AssignableScopes, scope)
		}
	}
	slices.Sort(r.AssignableScopes)
	return r, nil
}

// subscriptionOf returns the subscription in a resource ID.
func subscriptionOf(id string) (string, error) {
	parts := strings.Split(strings.Trim(id, "/"), "/")
	if len(parts) < 2 || !strings.EqualFold(parts[0], "subscriptions") || parts[1] == "" {
		return "", &errs.Error{Op: opWrite, Kind: errs.Invalid, Resource: id, Err: errors.New("it is no ID of a resource in a subscription")}
	}
	return strings.ToLower(parts[1]), nil
}
