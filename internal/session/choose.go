package session

import (
	"context"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Found is what a choice is made from.
type Found struct {
	Source, Target Tenant
	Types          []Type // of the source resources, by name
}

// Type is a resource type that a plugin knows, and how many source resources are of it.
type Type struct {
	Name  string
	Count int
}

// Choice is what a run is narrowed to.
type Choice struct {
	Mode  plugin.Mode
	Types []string // none: every type
}

// Tenant is one side's tenant. Name is "" if Azure does not tell it.
type Tenant struct{ ID, Name string }

// String is the name and the ID.
func (t Tenant) String() string {
	if t.Name == "" {
		return t.ID
	}
	return t.Name + " (" + t.ID + ")"
}

// Tenants returns both tenants with their names, as far as Azure tells them.
func (s *Session) Tenants(ctx context.Context) (source, target Tenant) {
	return tenant(ctx, s.source), tenant(ctx, s.target)
}

// tenant asks for a name. It is a comfort: a run does not fail for the lack of it.
func tenant(ctx context.Context, c *arm.Client) Tenant {
	name, _ := c.TenantName(ctx)
	return Tenant{ID: c.TenantID(), Name: name}
}

// choose reads the inventories before the run begins and lets the caller narrow it.
func (o *opener) choose(ctx context.Context) error {
	all, err := o.list(ctx)
	if err != nil {
		return err
	}
	found := Found{Source: tenant(ctx, o.source.arm), Target: tenant(ctx, o.target.arm), Types: o.typesOf(all.sources)}
	choice, err := o.opt.Choose(ctx, found)
	if err != nil {
		return err
	}
	o.opt.Mode = choice.Mode
	if len(choice.Types) > 0 {
		o.opt.Types = choice.Types
	}
	all.sources, all.targets = o.only(all.sources), o.only(all.targets)
	o.listed = all
	return nil
}

// typesOf counts the resources of each type, in the spelling of the registry.
func (o *opener) typesOf(found []plugin.Resource) []Type {
	var out []Type
	for _, name := range o.opt.Registry.Types() {
		t := Type{Name: name}
		for _, r := range found {
			if strings.EqualFold(r.Type, name) {
				t.Count++
			}
		}
		if t.Count > 0 {
			out = append(out, t)
		}
	}
	return out
}

// only keeps the resources of the types that the run works on.
func (o *opener) only(found []plugin.Resource) []plugin.Resource {
	if len(o.opt.Types) == 0 {
		return found
	}
	return slices.DeleteFunc(found, func(r plugin.Resource) bool {
		return !slices.ContainsFunc(o.opt.Types, func(t string) bool { return strings.EqualFold(t, r.Type) })
	})
}
