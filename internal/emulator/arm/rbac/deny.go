package rbac

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const denyType = "Microsoft.Authorization/denyAssignments"

// everyone is the principal that stands for all principals of the tenant.
const everyone = "00000000-0000-0000-0000-000000000000"

// Principal is whom a deny assignment is about.
type Principal struct {
	ID   string `json:"id"` // object id; the nil GUID is everyone
	Type string `json:"type"`
}

// Deny is a deny assignment: it takes away what roles grant. Users cannot make one in
// Azure; they come from managed applications and deployment stacks, and here from seeding.
type Deny struct {
	Name            string // GUID; made up if empty
	DisplayName     string
	Description     string
	Scope           string
	TenantID        string
	Permissions     []Permission
	NotChildScopes  bool // holds at Scope alone
	Principals      []Principal
	Excluded        []Principal
	SystemProtected bool

	key      string
	elements []element
}

// denies tells whether the assignment forbids a principal something at a place.
func (d *Deny) denies(tenantID, principalID, key, action string, data bool) bool {
	if !strings.EqualFold(d.TenantID, tenantID) || !armid.Under(key, d.key) || (d.NotChildScopes && key != d.key) {
		return false
	}
	if !has(d.Principals, principalID) || has(d.Excluded, principalID) {
		return false
	}
	return slices.ContainsFunc(d.elements, func(e element) bool { return e.covers(action, data, "") })
}

func has(list []Principal, id string) bool {
	return slices.ContainsFunc(list, func(p Principal) bool { return strings.EqualFold(p.ID, id) || p.ID == everyone })
}

// Body is the deny assignment as ARM answers with it.
func (d *Deny) Body() map[string]any {
	return map[string]any{
		"id": strings.TrimSuffix(d.Scope, "/") + "/providers/" + denyType + "/" + d.Name, "name": d.Name, "type": denyType,
		"properties": map[string]any{
			"denyAssignmentName": d.DisplayName, "description": d.Description, "scope": d.Scope,
			"permissions": d.Permissions, "doNotApplyToChildScopes": d.NotChildScopes,
			"principals": list(d.Principals), "excludePrincipals": list(d.Excluded), "isSystemProtected": d.SystemProtected,
		},
	}
}

func list(p []Principal) []Principal { return append([]Principal{}, p...) }

// Deny adds or replaces a deny assignment.
func (d *Directory) Deny(deny Deny) *wire.Error {
	key, refusal := scopeKey(deny.TenantID, deny.Scope)
	if refusal != nil {
		return refusal
	}
	if deny.Name == "" {
		deny.Name = uuid.NewString()
	}
	deny.key, deny.elements = key, nil
	deny.Permissions = slices.Clone(deny.Permissions)
	for i, p := range deny.Permissions {
		deny.Permissions[i] = normal(p)
		deny.elements = append(deny.elements, newElement(p, nil))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.denies[entryKey(deny.TenantID, key, deny.Name)] = &deny
	return nil
}

// Denies lists a tenant's deny assignments at a scope and above, and below it too unless
// atScope is set, sorted by name.
func (d *Directory) Denies(tenantID, scope string, atScope bool) ([]*Deny, *wire.Error) {
	key, refusal := scopeKey(tenantID, scope)
	if refusal != nil {
		return nil, refusal
	}
	var out []*Deny
	d.mu.RLock()
	for _, deny := range d.denies {
		above := armid.Under(key, deny.key) && (!deny.NotChildScopes || key == deny.key)
		below := armid.Under(deny.key, key) && !atScope
		if strings.EqualFold(deny.TenantID, tenantID) && (above || below) {
			out = append(out, deny)
		}
	}
	d.mu.RUnlock()
	slices.SortFunc(out, func(a, b *Deny) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
