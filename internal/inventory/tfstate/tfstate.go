// Package tfstate reads an inventory from Terraform states: state files of version 4, as
// Terraform and OpenTofu write them, and what "terraform show -json" prints. Resources of
// the providers azurerm and azapi are found, in every module and with every index; data
// sources are not.
//
// A state says little for sure beyond the ID of a resource, and holds secrets among its
// attributes: resources have ID, kind, SKU, location and tags, and no properties.
package tfstate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/position"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var (
	_ inventory.Noter  = (*Finder)(nil)
	_ inventory.Linker = (*Finder)(nil)
)

// Scope narrows a state to one side's resources.
type Scope struct {
	TenantID       string // is written into every resource
	SubscriptionID string // "": every one
	ResourceGroup  string // "": every one
}

// Finder reads states. It holds one resource at a time, and the IDs that it has seen. It
// is not safe for concurrent use.
type Finder struct {
	path   string
	scope  Scope
	notes  []string
	blocks map[string]string // by the ID, in lower case, of each resource that was found
}

// New returns a Finder over a state file, or over the states of a folder: the one that
// Terraform itself would use there, else every *.tfstate in it.
func New(path string, scope Scope) *Finder { return &Finder{path: path, scope: scope} }

// maxNotes is how many notes are kept; more say nothing new.
const maxNotes = 100

// Notes implements inventory.Noter: resource instances that Terraform has marked as
// tainted, or that it will still have to delete, or that have no ID yet.
func (f *Finder) Notes() []string { return slices.Clone(f.notes) }

// Links implements inventory.Linker: the names of the blocks.
func (f *Finder) Links() inventory.Links { return inventory.Links{Blocks: f.blocks} }

func (f *Finder) note(format string, args ...any) {
	if len(f.notes) < maxNotes {
		f.notes = append(f.notes, fmt.Sprintf(format, args...))
	}
}

// Find implements inventory.Finder. The stream ends with the first error: one of kind
// NotFound for a path that is not there, of kind Unsupported for a state of another version
// or an encrypted one, of kind Invalid, with file and line, for a file that is broken.
func (f *Finder) Find(ctx context.Context, types []string) iter.Seq2[plugin.Resource, error] {
	return func(yield func(plugin.Resource, error) bool) {
		paths, err := locate(f.path)
		if err != nil {
			yield(plugin.Resource{}, f.fail(f.path, err))
			return
		}
		f.notes, f.blocks = nil, map[string]string{}
		c := &collector{finder: f, types: lower(types), tags: map[string]map[string]string{}, yield: yield}
		for _, path := range paths {
			if err := readFile(ctx, path, c.take); err != nil {
				if !errors.Is(err, errStopped) {
					yield(plugin.Resource{}, f.fail(path, position.Locate(path, err)))
				}
				return
			}
		}
	}
}

func lower(types []string) []string {
	out := make([]string, 0, len(types))
	for _, t := range types {
		out = append(out, strings.ToLower(t))
	}
	return out
}

func (f *Finder) fail(path string, err error) error {
	e := &errs.Error{Op: "read the Terraform state " + path, Kind: errs.Invalid, Err: err}
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		e.Kind, e.Hint = refused.kind, refused.hint
	case errs.KindOf(err) == errs.Canceled:
		e.Kind = errs.Canceled
	}
	return e
}

// refusal is a state that cannot be read for what it is.
type refusal struct {
	kind errs.Kind
	text string
	hint string
}

// Error implements error.
func (r *refusal) Error() string { return r.text }

var errStopped = errors.New("stopped")

// instance is one resource instance of a state.
type instance struct {
	address    string // "module.a.azurerm_key_vault.b[0]"
	typ, name  string // Terraform type and name of the block
	tainted    bool
	deposed    bool // an object that a newer one has replaced and that is still to be deleted
	attributes attributes
}

// collector turns instances into resources.
type collector struct {
	finder *Finder
	types  []string                     // in lower case; none: all
	tags   map[string]map[string]string // by their JSON: many resources have the same ones
	yield  func(plugin.Resource, error) bool
}

// maxTags bounds the tags that are kept to be shared.
const maxTags = 10_000

// shared returns the tags of a resource, the same map for the same tags.
func (c *collector) shared(a attributes) map[string]string {
	key := string(a["tags"])
	if known, ok := c.tags[key]; ok {
		return known
	}
	tags := a.tags()
	if len(c.tags) < maxTags {
		c.tags[key] = tags
	}
	return tags
}

// take hands the resource of an instance to the consumer. It returns errStopped when the
// consumer has had enough.
func (c *collector) take(in instance) error {
	switch {
	case in.deposed:
		c.finder.note("%s has an object that Terraform has replaced and not deleted yet: it is left out", in.address)
		return nil
	case in.attributes.text("id") == "":
		c.finder.note("%s has no ID yet: it is left out", in.address)
		return nil
	case in.typ == azapi && c.foreign(in.attributes.text("id")):
		return nil
	}
	r, err := resourceOf(in)
	if err != nil {
		return fmt.Errorf("%s: %w", in.address, err)
	}
	if !c.wanted(r) {
		return nil
	}
	if in.tainted {
		c.finder.note("%s is tainted: Terraform will replace it with the next apply", in.address)
	}
	r.TenantID, r.Tags = c.finder.scope.TenantID, c.shared(in.attributes)
	c.finder.blocks[strings.ToLower(r.ID)] = in.name
	if !c.yield(r, nil) {
		return errStopped
	}
	return nil
}

// foreign tells whether an azapi resource is none that lives in a subscription: the
// provider deploys to every scope.
func (c *collector) foreign(id string) bool {
	_, err := inventory.FromID(id)
	return err != nil
}

// wanted tells whether r is asked for, and is so for the first time.
func (c *collector) wanted(r plugin.Resource) bool {
	scope := c.finder.scope
	_, twice := c.finder.blocks[strings.ToLower(r.ID)]
	switch {
	case twice,
		len(c.types) > 0 && !slices.Contains(c.types, strings.ToLower(r.Type)),
		scope.SubscriptionID != "" && !strings.EqualFold(scope.SubscriptionID, r.SubscriptionID),
		scope.ResourceGroup != "" && !strings.EqualFold(scope.ResourceGroup, r.ResourceGroup):
		return false
	}
	return true
}

// resourceOf returns the Azure resource of an instance.
func resourceOf(in instance) (plugin.Resource, error) {
	r, err := inventory.FromID(in.attributes.text("id"))
	if err != nil {
		return r, err
	}
	if in.typ == azapi {
		r.Kind, r.SKU = describeAzapi(in.attributes)
	} else {
		f := forms[in.typ]
		if !strings.EqualFold(f.arm, r.Type) {
			return r, fmt.Errorf("its ID %s is not that of a resource of type %s", r.ID, f.arm)
		}
		r.Kind, r.SKU = f.describe(in.attributes)
	}
	r.Location = in.attributes.text("location")
	return r, nil
}
