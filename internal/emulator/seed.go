package emulator

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
)

// withSecrets returns a copy in which every principal without a secret and a
// certificate has a drawn one.
func withSecrets(s *scenario.Scenario) *scenario.Scenario {
	out := &scenario.Scenario{Tenants: slices.Clone(s.Tenants)}
	for i := range out.Tenants {
		t := &out.Tenants[i]
		t.Principals = slices.Clone(t.Principals)
		for j := range t.Principals {
			if p := &t.Principals[j]; p.Secret == "" && p.Certificate == "" {
				p.Secret = drawSecret()
			}
		}
	}
	return out
}

// drawSecret is easy to tell from a true client secret.
func drawSecret() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return "emulator." + base64.RawURLEncoding.EncodeToString(b)
}

// seedScenario makes the world: directories, then resources level by level (a child needs
// its parent), then role assignments, then data.
func (e *Emulator) seedScenario() error {
	var resources []seedResource
	for _, t := range e.scenario.Tenants {
		if err := e.seedTenant(t); err != nil {
			return fmt.Errorf("scenario: tenant %s: %w", t.Name, err)
		}
		resources = append(resources, resourcesOf(t)...)
	}
	for _, level := range levels(resources) {
		if err := parallel(level, e.seedResource); err != nil {
			return err
		}
	}
	for _, t := range e.scenario.Tenants {
		if err := e.seedRoles(t); err != nil {
			return fmt.Errorf("scenario: tenant %s: %w", t.Name, err)
		}
		for _, s := range t.Subscriptions {
			for _, namespace := range s.Unregistered {
				e.arm.Unregister(s.ID, namespace)
			}
		}
	}
	return parallel(resources, e.seedData)
}

func (e *Emulator) seedTenant(t scenario.Tenant) error {
	e.entra.AddTenant(entra.Tenant{ID: t.ID, Name: t.Name, Domain: t.DomainName()})
	e.arm.AddTenant(t.ID, t.Name, t.DomainName())
	for _, p := range t.Principals {
		if err := e.seedPrincipal(t, p); err != nil {
			return err
		}
	}
	for _, s := range t.Subscriptions {
		e.arm.AddSubscription(t.ID, s.ID, s.Name)
		for _, g := range s.ResourceGroups {
			body := map[string]any{"location": g.Location, "tags": anyMap(g.Tags)}
			if err := e.arm.Put("/subscriptions/"+s.ID+"/resourceGroups/"+g.Name, body); err != nil {
				return fmt.Errorf("resource group %s: %w", g.Name, err)
			}
		}
	}
	return nil
}

func (e *Emulator) seedPrincipal(t scenario.Tenant, p scenario.Principal) error {
	app := entra.App{
		AppID: p.AppID, ObjectID: p.ObjectID, Secret: p.Secret, Name: p.Name,
		SecretExpires: p.SecretExpires, Disabled: p.Disabled,
	}
	cert, err := p.ParseCertificate()
	if err != nil {
		return fmt.Errorf("principal %s: certificate: %w", p.Name, err)
	}
	if cert != nil {
		app.Certificates = append(app.Certificates, cert)
	}
	return e.entra.AddApp(t.ID, app)
}

func (e *Emulator) seedRoles(t scenario.Tenant) error {
	for _, a := range t.RoleAssignments {
		p, ok := t.Principal(a.Principal)
		if !ok {
			return fmt.Errorf("role %s: no principal %q", a.Role, a.Principal)
		}
		if err := e.arm.Assign(t.ID, p.ObjectID, a.Scope, a.Role); err != nil {
			return fmt.Errorf("role %s of %s: %w", a.Role, a.Principal, err)
		}
	}
	return nil
}

// seedResource is a scenario's resource with its ID.
type seedResource struct {
	id   string
	body map[string]any
	data json.RawMessage
}

func resourcesOf(t scenario.Tenant) []seedResource {
	var out []seedResource
	for _, s := range t.Subscriptions {
		for _, g := range s.ResourceGroups {
			for _, r := range g.Resources {
				out = append(out, seedResource{
					id: scenario.ResourceID(s.ID, g.Name, r), body: resourceBody(r, g.Location), data: r.Data,
				})
			}
		}
	}
	return out
}

// resourceBody is what a client would PUT.
func resourceBody(r scenario.Resource, location string) map[string]any {
	if r.Location != "" {
		location = r.Location
	}
	body := map[string]any{}
	if !strings.Contains(r.Name, "/") || r.Location != "" { // child resources have no place of their own
		body["location"] = location
	}
	for name, part := range map[string]map[string]any{"sku": r.SKU, "identity": r.Identity, "properties": r.Properties, "tags": anyMap(r.Tags)} {
		if part != nil {
			body[name] = part
		}
	}
	if r.Kind != "" {
		body["kind"] = r.Kind
	}
	return body
}

func anyMap(tags map[string]string) map[string]any {
	if tags == nil {
		return nil
	}
	out := make(map[string]any, len(tags))
	for k, v := range tags {
		out[k] = v
	}
	return out
}

// levels groups resources by depth, parents first.
func levels(all []seedResource) [][]seedResource {
	byDepth := map[int][]seedResource{}
	for _, r := range all {
		depth := strings.Count(r.id, "/")
		byDepth[depth] = append(byDepth[depth], r)
	}
	depths := make([]int, 0, len(byDepth))
	for d := range byDepth {
		depths = append(depths, d)
	}
	slices.Sort(depths)
	out := make([][]seedResource, 0, len(depths))
	for _, d := range depths {
		out = append(out, byDepth[d])
	}
	return out
}

func parallel(resources []seedResource, do func(seedResource) error) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, r := range resources {
		g.Go(func() error {
			if err := do(r); err != nil {
				return fmt.Errorf("scenario: resource %s: %w", r.id, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (e *Emulator) seedResource(r seedResource) error { return e.arm.Put(r.id, r.body) }

func (e *Emulator) seedData(r seedResource) error {
	if len(r.data) == 0 || string(r.data) == "null" {
		return nil
	}
	return e.Seed(r.id, r.data)
}
