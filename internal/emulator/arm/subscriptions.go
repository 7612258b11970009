package arm

import (
	"cmp"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/optable"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	registered    = "Registered"
	registering   = "Registering"
	notRegistered = "NotRegistered"
)

// registration is the state of a resource provider in a subscription.
func (s *subscription) registration(namespace string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(s.state[strings.ToLower(namespace)], registered)
}

func (s *subscription) setRegistration(namespace, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state[strings.ToLower(namespace)] = state
}

func (s *subscription) path() string { return "/subscriptions/" + s.id }

func (s *subscription) body() map[string]any {
	return map[string]any{
		"id": s.path(), "subscriptionId": s.id, "tenantId": s.tenantID, "displayName": s.name, "state": "Enabled",
		"authorizationSource": "RoleBased", "managedByTenants": []any{},
		"subscriptionPolicies": map[string]any{
			"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off",
		},
	}
}

// listSubscriptions lists those of the caller's tenant in which the caller has any role.
func (s *Store) listSubscriptions(q *request) (*reply, *wire.Error) {
	var mine []*subscription
	s.mu.RLock()
	for _, sub := range s.subs {
		if strings.EqualFold(sub.tenantID, q.caller.TenantID) {
			mine = append(mine, sub)
		}
	}
	s.mu.RUnlock()
	mine = slices.DeleteFunc(mine, func(sub *subscription) bool {
		return !s.roles.Sees(q.caller.TenantID, q.caller.ObjectID, sub.path())
	})
	slices.SortFunc(mine, func(a, b *subscription) int { return strings.Compare(a.id, b.id) })
	return q.page(each(mine, func(sub *subscription) any { return sub.body() }))
}

// each renders the elements of a list.
func each[T any](list []T, render func(T) any) iter.Seq[any] {
	return func(yield func(any) bool) {
		for _, e := range list {
			if !yield(render(e)) {
				return
			}
		}
	}
}

func (s *Store) getSubscription(q *request) (*reply, *wire.Error) {
	if q.method != http.MethodGet {
		return nil, errMethod(q.method)
	}
	if e := q.authorize("Microsoft.Resources/subscriptions/read", q.sub.path()); e != nil {
		return nil, e
	}
	return ok(q.sub.body())
}

// listTenants lists the caller's tenant: a service principal is in one.
func (s *Store) listTenants(q *request) (*reply, *wire.Error) {
	s.mu.RLock()
	t := s.tenants[strings.ToLower(q.caller.TenantID)]
	s.mu.RUnlock()
	if t == nil {
		return ok(map[string]any{"value": []any{}})
	}
	return ok(map[string]any{"value": []any{map[string]any{
		"id": "/tenants/" + t.id, "tenantId": t.id, "countryCode": "US", "displayName": t.name,
		"domains": []string{t.domain}, "defaultDomain": t.domain, "tenantCategory": "Home", "tenantType": "AAD",
	}}})
}

func (s *Store) listLocations(q *request) (*reply, *wire.Error) {
	if e := q.authorize("Microsoft.Resources/subscriptions/locations/read", q.sub.path()); e != nil {
		return nil, e
	}
	all := make([]any, 0, len(cloud.Regions()))
	for _, r := range cloud.Regions() {
		all = append(all, r.Body(q.sub.path()))
	}
	return ok(map[string]any{"value": all}) // ARM answers with all of them on one page
}

// isProviderOperation tells the operations of a resource provider itself from its types.
func isProviderOperation(id armid.ID) bool {
	if len(id.Types) != 1 || len(id.Names) > 0 || armid.Parse(id.Scope).Namespace != "" {
		return false
	}
	switch strings.ToLower(id.Types[0]) {
	case "register", "unregister", "resourcetypes", "providerpermissions":
		return id.Subscription != "" && id.Group == ""
	}
	return false
}

// providerRoute serves the operations of a resource provider itself.
func (s *Store) providerRoute(q *request) handler {
	switch name := strings.ToLower(q.id.Types[0]); {
	case q.method == http.MethodPost && (name == "register" || name == "unregister"):
		return s.registerProvider
	case q.method == http.MethodGet && name == "resourcetypes":
		return s.listTypes
	}
	return noRoute
}

// listTypes serves GET …/providers/<namespace>/resourceTypes.
func (s *Store) listTypes(q *request) (*reply, *wire.Error) {
	a, e := s.getProvider(q)
	if e != nil {
		return nil, e
	}
	body, _ := a.body.(map[string]any)
	return ok(map[string]any{"value": body["resourceTypes"]})
}

// registerProvider serves POST …/providers/<namespace>/register and unregister. The state
// is Registering until the first look, as registration takes its time in Azure.
func (s *Store) registerProvider(q *request) (*reply, *wire.Error) {
	verb := strings.ToLower(q.id.Types[0])
	if e := q.authorize(q.id.Namespace+"/"+verb+"/action", q.sub.path()); e != nil {
		return nil, e
	}
	body, known := s.providerBody(q.sub, q.id.Namespace)
	if !known {
		return nil, errInvalidNamespace(q.id.Namespace)
	}
	body["registrationState"] = "Unregistering"
	if verb == "register" {
		body["registrationState"] = registering
		if q.sub.registration(q.id.Namespace) == registered {
			body["registrationState"] = registered
		}
		q.sub.setRegistration(q.id.Namespace, registered)
		return ok(body)
	}
	q.sub.setRegistration(q.id.Namespace, notRegistered)
	return ok(body)
}

// getProvider describes a resource provider, in a subscription or at tenant level.
func (s *Store) getProvider(q *request) (*reply, *wire.Error) {
	if q.method != http.MethodGet || q.id.Group != "" {
		return noRoute(q)
	}
	if q.sub != nil {
		if e := q.authorize("Microsoft.Resources/subscriptions/providers/read", q.sub.path()); e != nil {
			return nil, e
		}
	}
	body, known := s.providerBody(q.sub, q.id.Namespace)
	if !known {
		return nil, errInvalidNamespace(q.id.Namespace)
	}
	return ok(body)
}

func (s *Store) listProviders(q *request) (*reply, *wire.Error) {
	if q.sub != nil {
		if e := q.authorize("Microsoft.Resources/subscriptions/providers/read", q.sub.path()); e != nil {
			return nil, e
		}
	}
	names := s.ops.Namespaces()
	for _, p := range s.registered() {
		namespace, _, _ := strings.Cut(p.Type(), "/")
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, namespace) }) {
			names = append(names, namespace)
		}
	}
	slices.Sort(names)
	return q.page(each(names, func(n string) any {
		body, _ := s.providerBody(q.sub, n)
		return body
	}))
}

// providerBody describes a namespace: the types that the operation table or a registered
// provider knows. sub is nil at tenant level.
func (s *Store) providerBody(sub *subscription, namespace string) (map[string]any, bool) {
	types := s.ops.Types(namespace)
	for _, p := range s.registered() {
		ns, name, _ := strings.Cut(p.Type(), "/")
		if _, inTable := s.ops.Type(ns, name); strings.EqualFold(ns, namespace) && !inTable {
			types = append(types, optable.Type{Namespace: ns, Name: name, Versions: []string{}})
		}
	}
	if len(types) == 0 {
		return nil, false
	}
	var locations []string
	for _, r := range cloud.Regions() {
		locations = append(locations, r.Display)
	}
	list := make([]any, 0, len(types))
	for _, t := range types {
		list = append(list, map[string]any{
			"resourceType": t.Name, "locations": locations, "apiVersions": t.Versions, "capabilities": "SupportsTags, SupportsLocation",
		})
	}
	body := map[string]any{"id": "/providers/" + types[0].Namespace, "namespace": types[0].Namespace, "resourceTypes": list}
	if sub != nil {
		body["id"] = sub.path() + "/providers/" + types[0].Namespace
		body["registrationPolicy"] = "RegistrationRequired"
		body["registrationState"] = sub.registration(namespace)
	}
	return body, true
}
