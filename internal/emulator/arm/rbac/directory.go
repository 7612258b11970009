package rbac

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Directory holds the roles and assignments of every tenant. It is safe for concurrent
// use.
type Directory struct {
	clock   wire.Clock
	builtin map[string]*Role // by id

	mu          sync.RWMutex             // guards what follows
	custom      map[string]*Role         // by tenant and id
	assigned    map[string]*Assignment   // by entryKey
	byPrincipal map[string][]*Assignment // by lower-case object id
	denies      map[string]*Deny         // by entryKey
}

// New returns a Directory with the built-in roles and no assignment.
func New(clock wire.Clock) (*Directory, error) {
	builtin, err := loadBuiltin()
	if err != nil {
		return nil, err
	}
	return &Directory{
		clock: clock, builtin: builtin,
		custom: map[string]*Role{}, assigned: map[string]*Assignment{},
		byPrincipal: map[string][]*Assignment{}, denies: map[string]*Deny{},
	}, nil
}

// Query is a question to Allowed.
type Query struct {
	TenantID    string
	PrincipalID string // object id
	Scope       string // resource ID; "" or "/" is the tenant's root
	Action      string
	Data        bool   // Action is a data action
	RoleID      string // GUID of the role, if Action writes or deletes a role assignment
}

// Allowed decides whether a principal may do something at a scope of its tenant.
func (d *Directory) Allowed(q Query) bool {
	key := armid.Key(q.Scope)
	action, role := strings.ToLower(q.Action), strings.ToLower(q.RoleID)
	d.mu.RLock()
	defer d.mu.RUnlock()
	granted := false
	for _, a := range d.byPrincipal[strings.ToLower(q.PrincipalID)] {
		if a.reaches(q.TenantID, key) && d.role(q.TenantID, a.RoleID).covers(action, q.Data, role) {
			granted = true
			break
		}
	}
	return granted && !d.denied(q, key, action)
}

func (d *Directory) denied(q Query, key, action string) bool {
	for _, deny := range d.denies {
		if deny.denies(q.TenantID, q.PrincipalID, key, action, q.Data) {
			return true
		}
	}
	return false
}

// Permissions lists the permission elements of the roles that a principal holds at a
// scope or above, a role counting once.
func (d *Directory) Permissions(tenantID, principalID, scope string) []Permission {
	key := armid.Key(scope)
	out := []Permission{}
	seen := map[string]bool{}
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, a := range d.byPrincipal[strings.ToLower(principalID)] {
		if !a.reaches(tenantID, key) || seen[a.RoleID] {
			continue
		}
		seen[a.RoleID] = true
		if r := d.role(tenantID, a.RoleID); r != nil {
			out = append(out, r.Permissions...)
		}
	}
	return out
}

// Sees tells whether a principal has any role at a scope, above it or below it.
func (d *Directory) Sees(tenantID, principalID, scope string) bool {
	key := armid.Key(scope)
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, a := range d.byPrincipal[strings.ToLower(principalID)] {
		if a.reaches(tenantID, key) || (strings.EqualFold(a.TenantID, tenantID) && armid.Under(a.key, key)) {
			return true
		}
	}
	return false
}

// DropScope forgets what was assigned or denied at a scope and below, as Azure does when
// the resource is deleted.
func (d *Directory) DropScope(scope string) {
	key := armid.Key(scope)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.assigned {
		if armid.Under(a.key, key) {
			d.remove(a)
		}
	}
	for k, deny := range d.denies {
		if armid.Under(deny.key, key) {
			delete(d.denies, k)
		}
	}
}

// entryKey is what an assignment is stored under.
func entryKey(tenantID, scopeKey, name string) string {
	return strings.ToLower(tenantID + "|" + scopeKey + "|" + name)
}

// scopeKey folds the scope of an assignment. The tenant's root management group is the
// root; no other management group exists.
func scopeKey(tenantID, scope string) (string, *wire.Error) {
	key := armid.Key(scope)
	group, ok := strings.CutPrefix(key, "/providers/microsoft.management/managementgroups/")
	if !ok {
		return key, nil
	}
	if strings.EqualFold(group, tenantID) {
		return "", nil
	}
	return "", &wire.Error{
		Status: http.StatusNotFound, Code: "NotFound",
		Message: fmt.Sprintf("'/providers/Microsoft.Management/managementGroups/%s' not found", group),
	}
}
