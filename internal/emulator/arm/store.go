package arm

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/deployment"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/optable"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/rbac"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Options configure a Store. The zero value of every field but Tokens is good.
type Options struct {
	Tokens     wire.Tokens   // verifies bearer tokens; nil refuses every request
	Clock      wire.Clock    // nil: the system's
	Strict     bool          // refuse operations and api-versions that the operation table lacks
	PageSize   int           // resources a page; 0: 1000, as ARM
	Polls      int           // looks at a long-running operation that find it under way
	RetryAfter time.Duration // what clients are told to wait between looks; 0: 1 s
}

const defaultPageSize = 1000

// Store is the emulated Azure Resource Manager. It is safe for concurrent use. It
// implements wire.Service and wire.Access.
type Store struct {
	opt         Options
	ops         *optable.Table
	roles       *rbac.Directory
	res         tree.Tree
	jobs        jobs
	deployments *deployment.Service
	writing     keyLocks
	broken      error // the embedded tables cannot be read

	mu        sync.RWMutex             // guards what follows
	tenants   map[string]*tenant       // by lower-case id
	subs      map[string]*subscription // by lower-case id
	providers []wire.Provider          // in the order of registration
}

// tenant and subscription are not changed once they are in a Store.
type tenant struct{ id, name, domain string }

type subscription struct {
	id, name, tenantID string

	mu    sync.Mutex        // guards state
	state map[string]string // registration state by lower-case namespace; default Registered
}

var _ interface {
	wire.Service
	wire.Access
} = (*Store)(nil)

// New returns an empty Store.
func New(opt Options) *Store {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.PageSize <= 0 {
		opt.PageSize = defaultPageSize
	}
	if opt.RetryAfter <= 0 {
		opt.RetryAfter = time.Second
	}
	s := &Store{opt: opt, tenants: map[string]*tenant{}, subs: map[string]*subscription{}, providers: []wire.Provider{locks{}}}
	s.deployments = deployment.New(control{s}, deployment.Options{Clock: opt.Clock, Polls: opt.Polls, Secret: s.deploymentSecret})
	if s.ops, s.broken = optable.Load(); s.broken == nil {
		s.roles, s.broken = rbac.New(opt.Clock)
	}
	return s
}

// Name implements wire.Service.
func (s *Store) Name() string { return "arm" }

// Owns implements wire.Service.
func (s *Store) Owns(host string) bool { return host == "management.azure.com" }

// AddTenant adds a tenant, or renames it: its GUID, display name and default domain.
func (s *Store) AddTenant(id, name, domain string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tenants[strings.ToLower(id)] = &tenant{id: id, name: name, domain: domain}
}

// AddSubscription adds a subscription to a tenant, or renames it. Every resource provider
// is registered in it.
func (s *Store) AddSubscription(tenantID, subID, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subs[strings.ToLower(subID)] = &subscription{id: subID, name: name, tenantID: tenantID, state: map[string]string{}}
}

// Unregister takes the registration of a resource provider from a subscription, if there
// is such a subscription: what is there stays, and nothing more can be written until
// somebody registers it.
func (s *Store) Unregister(subID, namespace string) {
	if sub := s.subscription(subID); sub != nil {
		sub.setRegistration(namespace, notRegistered)
	}
}

// Register adds the rules of a resource type. If p is also a wire.Operator, it is asked
// for the operations of its namespace. Providers must be registered before resources of
// their type are written. A Provider may call the Store, but must not write the resource
// that it is being asked about.
func (s *Store) Register(p wire.Provider) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.providers = append(slices.Clone(s.providers), p)
}

// provider returns the provider of a full type; nil if it has none.
func (s *Store) provider(typ string) wire.Provider {
	for _, p := range s.registered() {
		if strings.EqualFold(p.Type(), typ) {
			return p
		}
	}
	return nil
}

// registered lists the providers; the slice is never changed.
func (s *Store) registered() []wire.Provider {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.providers
}

func (s *Store) subscription(id string) *subscription {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.subs[strings.ToLower(id)]
}

// TenantOf returns the tenant that owns the subscription of a resource ID; "" if there is
// no such subscription.
func (s *Store) TenantOf(id string) string {
	if sub := s.subscription(armid.Parse(id).Subscription); sub != nil {
		return sub.tenantID
	}
	return ""
}

// Get returns a copy of a stored resource or resource group.
func (s *Store) Get(id string) (wire.Resource, bool) {
	e := s.res.Get(armid.Key(id))
	if e == nil {
		return wire.Resource{}, false
	}
	return clone(e.Res), true
}

// Put creates or replaces a resource, resource group, role definition, role assignment or
// deny assignment, as a client's PUT would, but at once and without asking for a role. A
// resource without a location takes its group's. The error is a *wire.Error.
func (s *Store) Put(id string, body map[string]any) error {
	if s.broken != nil {
		return s.broken
	}
	parsed := armid.Parse(id)
	if sub := s.subscription(parsed.Subscription); sub == nil && parsed.Subscription != "" {
		return errSubscriptionNotFound(parsed.Subscription)
	}
	if e := s.seed(parsed, cloneMap(body)); e != nil {
		return fmt.Errorf("put %s: %w", id, e)
	}
	return nil
}

func (s *Store) seed(id armid.ID, body map[string]any) *wire.Error {
	switch {
	case id.IsGroup():
		_, _, e := s.writeGroup(write{id: id, body: body})
		return e
	case id.Subscription == "":
		return errNoRoute("PUT", id.String()) // no tenant to put it in
	case id.Is(typeAssignment):
		_, _, e := s.putAssignment(id, s.TenantOf(id.Scope), "", body)
		return e
	case id.Is(typeDefinition):
		_, e := s.putDefinition(id, s.TenantOf(id.Scope), "", body)
		return e
	case id.Is(typeDeny):
		return s.putDeny(id, s.TenantOf(id.Scope), body)
	case !id.IsResource():
		return errNoRoute("PUT", id.String())
	}
	if _, ok := body["location"]; !ok && topLevel(id) {
		if g := s.res.Get(armid.Key(id.GroupID())); g != nil {
			body["location"] = g.Res.Body["location"]
		}
	}
	_, _, e := s.write(write{id: id, body: body})
	return e
}

// Allowed implements wire.Access: the caller's own tenant must own the scope.
func (s *Store) Allowed(c wire.Claims, scope, action string, data bool) bool {
	id := armid.Parse(scope)
	if id.Subscription != "" && !strings.EqualFold(s.TenantOf(scope), c.TenantID) {
		return false
	}
	return s.broken == nil && s.roles.Allowed(rbac.Query{TenantID: c.TenantID, PrincipalID: c.ObjectID, Scope: scope, Action: action, Data: data})
}

// Assign gives a principal a role at a scope. The role is a name ("Owner"), a GUID or a
// role definition's ID. A role that the principal has there already is no error.
func (s *Store) Assign(tenantID, principalObjectID, scope, role string) error {
	if s.broken != nil {
		return s.broken
	}
	if owner := s.TenantOf(scope); armid.Parse(scope).Subscription != "" && !strings.EqualFold(owner, tenantID) {
		return fmt.Errorf("assign %s: %w", role, errSubscriptionNotFound(armid.Parse(scope).Subscription))
	}
	a := rbac.Assignment{Name: uuid.NewString(), Scope: canonicalScope(scope), TenantID: tenantID, PrincipalID: principalObjectID}
	if _, _, e := s.roles.PutAssignment(a, role, ""); e != nil && e.Code != "RoleAssignmentExists" {
		return fmt.Errorf("assign %s: %w", role, e)
	}
	return nil
}

// DefineRole makes a custom role of a tenant that grants exactly the given actions, or
// replaces the one of that name, and returns its ID.
func (s *Store) DefineRole(tenantID, name string, actions, notActions, dataActions, notDataActions []string) (string, error) {
	if s.broken != nil {
		return "", s.broken
	}
	id := uuid.NewString()
	if old := s.roles.FindRole(tenantID, name); old != nil {
		id = old.ID
	}
	r, e := s.roles.PutRole(rbac.Role{ID: id, Name: name, TenantID: tenantID, Permissions: []rbac.Permission{{
		Actions: actions, NotActions: notActions, DataActions: dataActions, NotDataActions: notDataActions,
	}}}, "")
	if e != nil {
		return "", fmt.Errorf("define role %s: %w", name, e)
	}
	return rbac.RoleDefinitionID("", r.ID), nil
}

// Unassign removes every role assignment of a principal.
func (s *Store) Unassign(principalObjectID string) {
	if s.broken == nil {
		s.roles.Unassign(principalObjectID)
	}
}

// FailNext makes the next long-running operation on a resource or resource group end in
// failure: PUT or PATCH leaves provisioningState Failed behind, DELETE leaves the resource
// as it was. method is PUT, PATCH, DELETE or POST.
func (s *Store) FailNext(method, id string, failure wire.Error) {
	s.jobs.failNext(method, armid.Key(id), &failure)
}
