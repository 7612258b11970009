package scenario

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Check tells the first contradiction in a scenario, by place: an ID that is no GUID, a
// name given twice, a role for a principal that does not exist, a scope in no
// subscription of the tenant, a location that is missing.
func (s *Scenario) Check() error {
	c := checker{seen: map[string]string{}}
	for i, t := range s.Tenants {
		c.tenant(fmt.Sprintf("tenants[%d]", i), t)
	}
	if len(s.Tenants) == 0 {
		c.fail("tenants", "at least one tenant is needed")
	}
	if c.err != nil {
		return fmt.Errorf("scenario: %w", c.err)
	}
	return nil
}

// checker keeps the first error, and where each unique thing was first seen.
type checker struct {
	err  error
	seen map[string]string
}

func (c *checker) fail(path, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
	}
}

func (c *checker) guid(path, v string) {
	if uuid.Validate(v) != nil || len(v) != 36 {
		c.fail(path, "%q is no GUID", v)
	}
}

func (c *checker) text(path, v string) {
	if strings.TrimSpace(v) == "" {
		c.fail(path, "must not be empty")
	}
}

// unique refuses a key that was seen before; kind keeps tenants' names apart from others.
func (c *checker) unique(path, kind, v string) {
	key := kind + "\x00" + strings.ToLower(v)
	if first, ok := c.seen[key]; ok {
		c.fail(path, "%q stands at %s already", v, first)
		return
	}
	c.seen[key] = path
}

func (c *checker) tenant(path string, t Tenant) {
	c.guid(path+".id", t.ID)
	c.text(path+".name", t.Name)
	c.unique(path+".id", "tenant", t.ID)
	c.unique(path+".name", "tenant name", t.Name)
	c.unique(path+".domain", "domain", t.DomainName())
	for i, p := range t.Principals {
		c.principal(fmt.Sprintf("%s.principals[%d]", path, i), t, p)
	}
	for i, sub := range t.Subscriptions {
		c.subscription(fmt.Sprintf("%s.subscriptions[%d]", path, i), sub)
	}
	for i, a := range t.RoleAssignments {
		c.assignment(fmt.Sprintf("%s.roleAssignments[%d]", path, i), t, a)
	}
}

func (c *checker) principal(path string, t Tenant, p Principal) {
	c.guid(path+".appId", p.AppID)
	c.guid(path+".objectId", p.ObjectID)
	c.text(path+".name", p.Name)
	c.unique(path+".name", "principal of "+t.ID, p.Name)
	c.unique(path+".appId", "application of "+t.ID, p.AppID)
	c.unique(path+".objectId", "object", p.ObjectID)
	if _, err := p.ParseCertificate(); err != nil {
		c.fail(path+".certificate", "%v", err)
	}
}

func (c *checker) subscription(path string, s Subscription) {
	c.guid(path+".id", s.ID)
	c.text(path+".name", s.Name)
	c.unique(path+".id", "subscription", s.ID)
	for i, g := range s.ResourceGroups {
		c.group(fmt.Sprintf("%s.resourceGroups[%d]", path, i), s.ID, g)
	}
}

func (c *checker) group(path, subscriptionID string, g ResourceGroup) {
	c.text(path+".name", g.Name)
	c.text(path+".location", g.Location)
	c.unique(path+".name", "resource", groupID(subscriptionID, g.Name))
	for i, r := range g.Resources {
		at := fmt.Sprintf("%s.resources[%d]", path, i)
		c.resource(at, r)
		c.unique(at+".name", "resource", ResourceID(subscriptionID, g.Name, r))
	}
}

func (c *checker) resource(path string, r Resource) {
	namespace, types, _ := strings.Cut(r.Type, "/")
	if namespace == "" || types == "" || strings.Contains(r.Type, "//") || strings.HasSuffix(r.Type, "/") {
		c.fail(path+".type", "%q is not of the form Namespace.Provider/type", r.Type)
		return
	}
	names := strings.Split(r.Name, "/")
	if want := strings.Count(types, "/") + 1; len(names) != want {
		c.fail(path+".name", "%q has %d parts, but a %s has %d", r.Name, len(names), r.Type, want)
	}
	for _, n := range names {
		c.text(path+".name", n)
	}
}

func (c *checker) assignment(path string, t Tenant, a RoleAssignment) {
	if _, ok := t.Principal(a.Principal); !ok {
		c.fail(path+".principal", "tenant %s has no principal %q", t.Name, a.Principal)
	}
	c.text(path+".role", a.Role)
	for _, s := range t.Subscriptions {
		id := "/subscriptions/" + strings.ToLower(s.ID)
		if scope := strings.ToLower(a.Scope); scope == id || strings.HasPrefix(scope, id+"/") {
			return
		}
	}
	c.fail(path+".scope", "%q is in no subscription of tenant %s", a.Scope, t.Name)
}

// DomainName returns the tenant's domain, with its default.
func (t Tenant) DomainName() string {
	if t.Domain == "" {
		return strings.ToLower(t.Name) + ".onmicrosoft.com"
	}
	return t.Domain
}

// Principal finds a principal by name, app ID or object ID.
func (t Tenant) Principal(ref string) (Principal, bool) {
	for _, p := range t.Principals {
		if strings.EqualFold(ref, p.Name) || strings.EqualFold(ref, p.AppID) || strings.EqualFold(ref, p.ObjectID) {
			return p, true
		}
	}
	return Principal{}, false
}

// ParseCertificate returns the principal's certificate, or nil if it has none.
func (p Principal) ParseCertificate() (*x509.Certificate, error) {
	if p.Certificate == "" {
		return nil, nil
	}
	block, _ := pem.Decode([]byte(p.Certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("is no PEM certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("is no certificate: %w", err)
	}
	return cert, nil
}

// typePath interleaves the parts of a type and a name: "Ns/a/b" and "x/y" give "Ns/a/x/b/y".
func typePath(resourceType, name string) string {
	namespace, types, _ := strings.Cut(resourceType, "/")
	names := strings.Split(name, "/")
	var b strings.Builder
	b.WriteString(namespace)
	for i, t := range strings.Split(types, "/") {
		b.WriteString("/" + t)
		if i < len(names) {
			b.WriteString("/" + names[i])
		}
	}
	return b.String()
}
