package entra

import (
	"cmp"
	"slices"
)

// Principal is what everybody in a tenant may know of an application's service principal.
type Principal struct {
	AppID    string
	ObjectID string
	Name     string
	Disabled bool
}

// ServicePrincipals returns those of a tenant (by ID or domain), by name; none if there is
// no such tenant.
func (a *Authority) ServicePrincipals(tenantID string) []Principal {
	a.mu.RLock()
	defer a.mu.RUnlock()
	t := a.find(tenantID)
	if t == nil {
		return nil
	}
	out := make([]Principal, 0, len(t.apps))
	for _, p := range t.apps {
		out = append(out, Principal{AppID: p.AppID, ObjectID: p.ObjectID, Name: p.Name, Disabled: p.Disabled})
	}
	slices.SortFunc(out, func(a, b Principal) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.AppID, b.AppID)) })
	return out
}
