package rbac

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const roleType = "Microsoft.Authorization/roleDefinitions"

//go:embed builtin.json
var builtinJSON []byte

// Role is a role definition. It is not changed once it is in a Directory.
type Role struct {
	ID          string // GUID
	Name        string // "Key Vault Reader"
	Description string
	BuiltIn     bool
	TenantID    string // of a custom role
	Scopes      []string
	Permissions []Permission
	CreatedOn   time.Time
	UpdatedOn   time.Time
	CreatedBy   string // object id; "" for a built-in role
	UpdatedBy   string

	elements []element
}

// covers tells whether the role grants an action; a nil role grants nothing.
func (r *Role) covers(action string, data bool, roleID string) bool {
	if r == nil {
		return false
	}
	for _, e := range r.elements {
		if e.covers(action, data, roleID) {
			return true
		}
	}
	return false
}

// assignableAt tells whether the role exists at a scope: one of its assignable scopes is
// the scope's, or above it or below it.
func (r *Role) assignableAt(key string) bool {
	return slices.ContainsFunc(r.Scopes, func(s string) bool {
		at := armid.Key(s)
		return armid.Under(key, at) || armid.Under(at, key)
	})
}

// Body is the role as ARM answers with it at a scope.
func (r *Role) Body(scope string) map[string]any {
	kind := "CustomRole"
	if r.BuiltIn {
		kind = "BuiltInRole"
	}
	return map[string]any{
		"id": RoleDefinitionID(scope, r.ID), "name": r.ID, "type": roleType,
		"properties": map[string]any{
			"roleName": r.Name, "type": kind, "description": r.Description,
			"assignableScopes": r.Scopes, "permissions": r.Permissions,
			"createdOn": stamp(r.CreatedOn), "updatedOn": stamp(r.UpdatedOn),
			"createdBy": orNull(r.CreatedBy), "updatedBy": orNull(r.UpdatedBy),
		},
	}
}

// RoleDefinitionID is a role's ID as ARM writes it at a scope: under its subscription,
// or at tenant level.
func RoleDefinitionID(scope, id string) string {
	return armid.Parse(scope).SubscriptionID() + "/providers/" + roleType + "/" + id
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// builtinRole is a role in builtin.json. Assigns are the roles that its condition lets
// its holder assign.
type builtinRole struct {
	ID, Name, Description            string
	Actions, NotActions, DataActions []string
	Assigns                          []string
}

func loadBuiltin() (map[string]*Role, error) {
	var file struct{ Roles []builtinRole }
	if err := json.Unmarshal(builtinJSON, &file); err != nil {
		return nil, fmt.Errorf("built-in roles: %w", err)
	}
	since := time.Date(2020, 5, 19, 0, 0, 0, 0, time.UTC)
	out := make(map[string]*Role, len(file.Roles))
	for _, b := range file.Roles {
		p := normal(Permission{Actions: b.Actions, NotActions: b.NotActions, DataActions: b.DataActions})
		if len(b.Assigns) > 0 {
			p.Condition, p.ConditionVersion = assignCondition(b.Assigns), "2.0"
		}
		out[b.ID] = &Role{
			ID: b.ID, Name: b.Name, Description: b.Description, BuiltIn: true, Scopes: []string{"/"},
			Permissions: []Permission{p}, CreatedOn: since, UpdatedOn: since,
			elements: []element{newElement(p, b.Assigns)},
		}
	}
	return out, nil
}

// assignCondition writes the condition by which Azure limits what roles may be assigned.
func assignCondition(roles []string) string {
	list := strings.Join(roles, ", ")
	clause := func(verb, of string) string {
		return fmt.Sprintf("((!(ActionMatches{'Microsoft.Authorization/roleAssignments/%s'})) OR (@%s[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals{%s}))", verb, of, list)
	}
	return clause("write", "Request") + " AND " + clause("delete", "Resource")
}

// normal replaces nil lists: Azure always answers with all four.
func normal(p Permission) Permission {
	for _, l := range []*[]string{&p.Actions, &p.NotActions, &p.DataActions, &p.NotDataActions} {
		if *l == nil {
			*l = []string{}
		}
	}
	return p
}

// role finds a role by GUID; nil if the tenant has none. The caller holds mu.
func (d *Directory) role(tenantID, id string) *Role {
	if r := d.builtin[id]; r != nil {
		return r
	}
	return d.custom[customKey(tenantID, id)]
}

func customKey(tenantID, id string) string { return strings.ToLower(tenantID + "|" + id) }

// FindRole looks a role up by its name, its GUID or its full ID, without regard to case;
// nil if the tenant has none.
func (d *Directory) FindRole(tenantID, nameOrID string) *Role {
	d.mu.RLock()
	defer d.mu.RUnlock()
	id := strings.ToLower(nameOrID[strings.LastIndexByte(nameOrID, '/')+1:])
	if r := d.role(tenantID, id); r != nil {
		return r
	}
	for _, r := range d.rolesOf(tenantID) {
		if strings.EqualFold(r.Name, nameOrID) {
			return r
		}
	}
	return nil
}

// Roles lists the roles of a tenant that can be assigned at a scope, sorted by GUID.
func (d *Directory) Roles(tenantID, scope string) []*Role {
	key := armid.Key(scope)
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.DeleteFunc(d.rolesOf(tenantID), func(r *Role) bool { return !r.assignableAt(key) })
}

// rolesOf lists built-in and custom roles, sorted by GUID. The caller holds mu.
func (d *Directory) rolesOf(tenantID string) []*Role {
	var out []*Role
	for _, r := range d.builtin {
		out = append(out, r)
	}
	for _, r := range d.custom {
		if strings.EqualFold(r.TenantID, tenantID) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Role) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// PutRole creates or replaces a custom role of r.TenantID; by is the caller's object id.
// The times are set here. The codes of the refusals are Azure's where the comment at the
// refusal does not say otherwise.
func (d *Directory) PutRole(r Role, by string) (*Role, *wire.Error) {
	id, err := uuid.Parse(r.ID)
	if err != nil {
		return nil, &wire.Error{Status: http.StatusBadRequest, Code: "InvalidRoleDefinitionId", Message: fmt.Sprintf("The role definition ID '%s' is not valid. The role definition ID must be a GUID.", r.ID)}
	}
	r.ID, r.BuiltIn = id.String(), false
	if len(r.Scopes) == 0 {
		r.Scopes = []string{"/"}
	}
	r.elements = nil
	r.Permissions = slices.Clone(r.Permissions)
	for i, p := range r.Permissions {
		if p.Condition != "" {
			return nil, ErrConditions
		}
		r.Permissions[i] = normal(p)
		r.elements = append(r.elements, newElement(p, nil))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.roleRefusal(&r); e != nil {
		return nil, e
	}
	now := d.clock()
	r.CreatedOn, r.CreatedBy, r.UpdatedOn, r.UpdatedBy = now, by, now, by
	if old := d.custom[customKey(r.TenantID, r.ID)]; old != nil {
		r.CreatedOn, r.CreatedBy = old.CreatedOn, old.CreatedBy
	}
	d.custom[customKey(r.TenantID, r.ID)] = &r
	return &r, nil
}

func (d *Directory) roleRefusal(r *Role) *wire.Error {
	if d.builtin[r.ID] != nil {
		// The code is not documented.
		return &wire.Error{Status: http.StatusBadRequest, Code: "RoleDefinitionCannotBeModified", Message: fmt.Sprintf("The built-in role '%s' cannot be modified.", d.builtin[r.ID].Name)}
	}
	for _, other := range d.rolesOf(r.TenantID) {
		if other.ID != r.ID && strings.EqualFold(other.Name, r.Name) {
			return &wire.Error{Status: http.StatusConflict, Code: "RoleDefinitionWithSameNameExists", Message: fmt.Sprintf("A custom role with the same name already exists in this directory. Use a different name. Existing role: %s", other.ID)}
		}
	}
	return nil
}

// DeleteRole removes a custom role; nil if there was none. A role that is assigned stays.
func (d *Directory) DeleteRole(tenantID, id string) (*Role, *wire.Error) {
	id = strings.ToLower(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.builtin[id] != nil {
		// The code is not documented.
		return nil, &wire.Error{Status: http.StatusBadRequest, Code: "RoleDefinitionCannotBeModified", Message: fmt.Sprintf("The built-in role '%s' cannot be deleted.", d.builtin[id].Name)}
	}
	r := d.custom[customKey(tenantID, id)]
	if r == nil {
		return nil, nil
	}
	for _, a := range d.assigned {
		if a.RoleID == id && strings.EqualFold(a.TenantID, tenantID) {
			return nil, &wire.Error{Status: http.StatusBadRequest, Code: "RoleDefinitionHasAssignments", Message: fmt.Sprintf("There are existing role assignments referencing role (code: RoleDefinitionHasAssignments): %s", a.Name)}
		}
	}
	delete(d.custom, customKey(tenantID, id))
	return r, nil
}
