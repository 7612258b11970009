package entra

import (
	"crypto/x509"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// DefaultTokenLifetime is how long a token lives if Options says nothing. Entra picks
// 60 to 90 minutes at random.
const DefaultTokenLifetime = time.Hour

// Options of an Authority.
type Options struct {
	Clock         wire.Clock    // nil: time.Now
	TokenLifetime time.Duration // 0: DefaultTokenLifetime
}

// Tenant is a directory.
type Tenant struct {
	ID     string // GUID
	Name   string // display name: stands in error texts, finds the tenant in scenarios
	Domain string // verified domain, "contoso.onmicrosoft.com"; as good as the ID in URLs
}

// App is an application with its service principal in one tenant.
type App struct {
	AppID    string // GUID, "client ID"
	ObjectID string // GUID of the service principal: the token's oid, what roles are assigned to
	Secret   string // "": no client secret
	Name     string

	SecretExpires time.Time           // zero: never
	Certificates  []*x509.Certificate // registered for client assertions
	Disabled      bool                // sign-in is switched off
}

// Authority issues and verifies tokens. It is a wire.Service for the sign-in hosts and
// the emulator's wire.Tokens. It is safe for concurrent use.
type Authority struct {
	clock    wire.Clock
	lifetime time.Duration
	verified tokenCache

	mu        sync.RWMutex // guards what follows
	tenants   map[string]*tenant
	domains   map[string]*tenant
	resources map[string]bool
}

type tenant struct {
	Tenant
	apps map[string]*app
}

type app struct {
	App
	generation int // grows with every revocation; a token carries the one it was born in
	revoked    time.Time
}

var (
	_ wire.Service     = (*Authority)(nil)
	_ wire.Tokens      = (*Authority)(nil)
	_ wire.ErrorWriter = (*Authority)(nil)
)

// New returns an authority without tenants.
func New(opt Options) *Authority {
	a := &Authority{
		clock:     opt.Clock,
		lifetime:  opt.TokenLifetime,
		tenants:   map[string]*tenant{},
		domains:   map[string]*tenant{},
		resources: map[string]bool{},
	}
	if a.clock == nil {
		a.clock = time.Now
	}
	if a.lifetime <= 0 {
		a.lifetime = DefaultTokenLifetime
	}
	return a
}

// AddTenant adds a directory, or renames the one with the same ID and keeps its
// applications.
func (a *Authority) AddTenant(t Tenant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := strings.ToLower(t.ID)
	known := a.tenants[key]
	if known == nil {
		known = &tenant{apps: map[string]*app{}}
		a.tenants[key] = known
	}
	delete(a.domains, strings.ToLower(known.Domain))
	known.Tenant = t
	if t.Domain != "" {
		a.domains[strings.ToLower(t.Domain)] = known
	}
}

// AddApp adds an application to a tenant (by ID or domain), or replaces the one with the
// same AppID; tokens issued before stay good. The tenant must exist.
func (a *Authority) AddApp(tenantID string, p App) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.find(tenantID)
	if t == nil {
		return fmt.Errorf("entra: no tenant %q for application %q", tenantID, p.AppID)
	}
	key := strings.ToLower(p.AppID)
	if known := t.apps[key]; known != nil {
		known.App = p
		return nil
	}
	t.apps[key] = &app{App: p}
	return nil
}

// RemoveApp takes an application out of a tenant; its tokens are revoked with it.
func (a *Authority) RemoveApp(tenantID, appID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.find(tenantID); t != nil {
		delete(t.apps, strings.ToLower(appID))
	}
}

// RevokeTokens makes Verify refuse every token issued so far to the application, in all
// tenants. New tokens can be had as before.
func (a *Authority) RevokeTokens(appID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.tenants {
		if p := t.apps[strings.ToLower(appID)]; p != nil {
			p.generation++
			p.revoked = a.clock()
		}
	}
}

// AddResource makes a further audience known ("https://toy.azure.net"), next to those of
// Azure's services.
func (a *Authority) AddResource(identifier string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resources[resourceKey(identifier)] = true
}

// TenantOf returns the tenant with the given ID, domain or name.
func (a *Authority) TenantOf(nameOrID string) (Tenant, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if t := a.find(nameOrID); t != nil {
		return t.Tenant, true
	}
	for _, t := range a.tenants {
		if strings.EqualFold(t.Name, nameOrID) {
			return t.Tenant, true
		}
	}
	return Tenant{}, false
}

// find looks a tenant up by ID or domain; the caller holds mu.
func (a *Authority) find(segment string) *tenant {
	key := strings.ToLower(segment)
	if t := a.tenants[key]; t != nil {
		return t
	}
	return a.domains[key]
}

// tenantFor resolves the first path segment of a request that needs one certain tenant.
func (a *Authority) tenantFor(segment string) (Tenant, *stsError) {
	if isMultiTenant(segment) {
		return Tenant{}, errNoTenant()
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if t := a.find(segment); t != nil {
		return t.Tenant, nil
	}
	if uuid.Validate(segment) != nil && !strings.Contains(segment, ".") {
		return Tenant{}, errTenantForm(segment)
	}
	return Tenant{}, errTenantUnknown(segment)
}

// appFor returns a copy of an application and its generation.
func (a *Authority) appFor(tenantID, appID string) (app, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	t := a.find(tenantID)
	if t == nil {
		return app{}, false
	}
	p := t.apps[strings.ToLower(appID)]
	if p == nil {
		return app{}, false
	}
	return *p, true
}

func isMultiTenant(segment string) bool {
	switch strings.ToLower(segment) {
	case "common", "organizations", "consumers":
		return true
	}
	return false
}
