package rbac

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const assignmentType = "Microsoft.Authorization/roleAssignments"

// ErrConditions refuses conditions: one that nobody evaluates would grant more than Azure
// grants.
var ErrConditions = &wire.Error{
	Status: http.StatusNotImplemented, Code: "NotImplemented",
	Message: "This emulator evaluates no conditions of role assignments and custom roles, so it takes none.",
}

// Assignment is a role assignment. It is not changed once it is in a Directory.
type Assignment struct {
	Name          string // GUID
	Scope         string // canonical path; "/" is the tenant's root
	TenantID      string
	RoleID        string // GUID
	PrincipalID   string // object id
	PrincipalType string // "ServicePrincipal" if it was not given
	Description   string
	CreatedOn     time.Time
	UpdatedOn     time.Time
	CreatedBy     string
	UpdatedBy     string

	key string // folded scope; "" is the root
}

// reaches tells whether the assignment applies at a place of a tenant.
func (a *Assignment) reaches(tenantID, key string) bool {
	return armid.Under(key, a.key) && strings.EqualFold(a.TenantID, tenantID)
}

// ID is the assignment's ARM ID.
func (a *Assignment) ID() string {
	return strings.TrimSuffix(a.Scope, "/") + "/providers/" + assignmentType + "/" + a.Name
}

// Body is the assignment as ARM answers with it.
func (a *Assignment) Body() map[string]any {
	return map[string]any{
		"id": a.ID(), "name": a.Name, "type": assignmentType,
		"properties": map[string]any{
			"roleDefinitionId": RoleDefinitionID(a.Scope, a.RoleID),
			"principalId":      a.PrincipalID, "principalType": a.PrincipalType, "scope": a.Scope,
			"description": orNull(a.Description), "condition": nil, "conditionVersion": nil,
			"createdOn": stamp(a.CreatedOn), "updatedOn": stamp(a.UpdatedOn),
			"createdBy": orNull(a.CreatedBy), "updatedBy": orNull(a.UpdatedBy),
			"delegatedManagedIdentityResourceId": nil,
		},
	}
}

// PutAssignment creates an assignment, or updates the description of an equal one. role
// is a role's name, GUID or ID; by is the caller's object id. created tells whether it is
// new. Refusals carry Azure's codes.
func (d *Directory) PutAssignment(a Assignment, role, by string) (out *Assignment, created bool, refusal *wire.Error) {
	name, err := uuid.Parse(a.Name)
	if err != nil {
		return nil, false, &wire.Error{Status: http.StatusBadRequest, Code: "InvalidRoleAssignmentId", Message: fmt.Sprintf("The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", a.Name)}
	}
	a.Name = name.String()
	if _, err := uuid.Parse(a.PrincipalID); err != nil {
		return nil, false, &wire.Error{Status: http.StatusBadRequest, Code: "InvalidPrincipalId", Message: fmt.Sprintf("A valid principal ID must be provided for role assignment. '%s' is none.", a.PrincipalID)}
	}
	if a.key, refusal = scopeKey(a.TenantID, a.Scope); refusal != nil {
		return nil, false, refusal
	}
	r := d.FindRole(a.TenantID, role)
	if r == nil || !r.assignableAt(a.key) {
		return nil, false, &wire.Error{Status: http.StatusBadRequest, Code: "RoleDefinitionDoesNotExist", Message: fmt.Sprintf("The specified role definition with ID '%s' does not exist.", compact(role))}
	}
	a.RoleID = r.ID
	if a.PrincipalType == "" {
		a.PrincipalType = "ServicePrincipal"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.assigned[entryKey(a.TenantID, a.key, a.Name)]
	if refusal = d.assignmentRefusal(&a, old); refusal != nil {
		return nil, false, refusal
	}
	now := d.clock()
	a.CreatedOn, a.CreatedBy, a.UpdatedOn, a.UpdatedBy = now, by, now, by
	if old != nil {
		a.CreatedOn, a.CreatedBy = old.CreatedOn, old.CreatedBy
		d.remove(old)
	}
	d.insert(&a)
	return &a, old == nil, nil
}

// compact writes a role's GUID as Azure does in its messages, without dashes.
func compact(role string) string {
	return strings.ReplaceAll(role[strings.LastIndexByte(role, '/')+1:], "-", "")
}

// assignmentRefusal checks a against the assignment of its own name and against those of
// other names.
func (d *Directory) assignmentRefusal(a, old *Assignment) *wire.Error {
	if old != nil && (old.RoleID != a.RoleID || !strings.EqualFold(old.PrincipalID, a.PrincipalID)) {
		return &wire.Error{Status: http.StatusConflict, Code: "RoleAssignmentUpdateNotPermitted", Message: "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."}
	}
	for _, other := range d.byPrincipal[strings.ToLower(a.PrincipalID)] {
		if other.Name != a.Name && other.key == a.key && other.RoleID == a.RoleID && strings.EqualFold(other.TenantID, a.TenantID) {
			return &wire.Error{Status: http.StatusConflict, Code: "RoleAssignmentExists", Message: fmt.Sprintf("The role assignment already exists. The ID of the existing role assignment is %s.", compact(other.Name))}
		}
	}
	return nil
}

// insert and remove keep both indexes. The caller holds mu.
func (d *Directory) insert(a *Assignment) {
	d.assigned[entryKey(a.TenantID, a.key, a.Name)] = a
	p := strings.ToLower(a.PrincipalID)
	d.byPrincipal[p] = append(d.byPrincipal[p], a)
}

func (d *Directory) remove(a *Assignment) {
	delete(d.assigned, entryKey(a.TenantID, a.key, a.Name))
	p := strings.ToLower(a.PrincipalID)
	// A new slice: a reader may still range over the old one.
	d.byPrincipal[p] = slices.DeleteFunc(slices.Clone(d.byPrincipal[p]), func(b *Assignment) bool { return a == b })
	if len(d.byPrincipal[p]) == 0 {
		delete(d.byPrincipal, p)
	}
}

// Assignment returns the assignment of a name at a scope of a tenant; nil if there is
// none.
func (d *Directory) Assignment(tenantID, scope, name string) *Assignment {
	key, refusal := scopeKey(tenantID, scope)
	if refusal != nil {
		return nil
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.assigned[entryKey(tenantID, key, name)]
}

// DeleteAssignment removes an assignment and returns it; nil if there was none.
func (d *Directory) DeleteAssignment(tenantID, scope, name string) *Assignment {
	a := d.Assignment(tenantID, scope, name)
	if a == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.assigned[entryKey(a.TenantID, a.key, a.Name)] != a {
		return nil
	}
	d.remove(a)
	return a
}

// Unassign removes every assignment of a principal.
func (d *Directory) Unassign(principalID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range slices.Clone(d.byPrincipal[strings.ToLower(principalID)]) {
		d.remove(a)
	}
}

// Assignments lists a tenant's assignments at a scope and above, and below it too unless
// atScope is set, sorted by ID. keep selects among them; nil keeps all.
func (d *Directory) Assignments(tenantID, scope string, atScope bool, keep func(*Assignment) bool) ([]*Assignment, *wire.Error) {
	key, refusal := scopeKey(tenantID, scope)
	if refusal != nil {
		return nil, refusal
	}
	var out []*Assignment
	d.mu.RLock()
	for _, a := range d.assigned {
		below := strings.EqualFold(a.TenantID, tenantID) && armid.Under(a.key, key) && !atScope
		if (a.reaches(tenantID, key) || below) && (keep == nil || keep(a)) {
			out = append(out, a)
		}
	}
	d.mu.RUnlock()
	slices.SortFunc(out, func(a, b *Assignment) int { return strings.Compare(a.ID(), b.ID()) })
	return out, nil
}
