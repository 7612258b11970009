package session

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/internal/inventory/file"
	"github.com/azure-tenant-grapher/atg/internal/inventory/neo4j"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/internal/inventory/tfstate"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// listed is what two inventories hold.
type listed struct {
	sources, targets []plugin.Resource
	links            inventory.Links
}

// match reads both inventories and finds the pairs.
func (o *opener) match(ctx context.Context) (pairing.Result, error) {
	all, err := o.inventories(ctx)
	if err != nil {
		return pairing.Result{}, err
	}
	o.found = idsOf(all.sources)
	o.opt.Emit(event.PhaseStarted{Phase: event.Pairing})
	opt := pairing.Options{Plugin: o.pluginName, Links: all.links}
	if o.opt.Mapping != "" {
		if opt.Mapping, err = pairing.ReadMapping(o.opt.Mapping); err != nil {
			return pairing.Result{}, err
		}
	}
	found := pairing.Result{Matches: alone(all.sources)}
	if o.opt.Alone == nil {
		found, err = pairing.Pair(all.sources, o.withPlanned(all.targets), opt)
	}
	if err != nil {
		return found, err
	}
	return found, o.confine(&found)
}

// confine keeps what the filter may let something pass of. Pairs are made before, in sight
// of every resource: a filter changes nothing about which target a source has.
func (o *opener) confine(found *pairing.Result) error {
	out := func(r plugin.Resource) bool {
		return !o.filter.Resource(filter.Subject{Plugin: o.pluginName(r.Type, r.Kind), Resource: r})
	}
	found.Matches = slices.DeleteFunc(found.Matches, func(m pairing.Match) bool { return out(m.Source) })
	found.Unpaired = slices.DeleteFunc(found.Unpaired, func(u pairing.Unpaired) bool { return out(u.Source) })
	if len(found.Matches)+len(found.Unpaired) > 0 {
		return nil
	}
	return &errs.Error{
		Op: "find anything to copy", Kind: errs.NotFound, Side: string(plugin.Source),
		Err:  errors.New("the filters leave no resource"),
		Hint: "check --include and --exclude: \"atg help filters\" says how they are read",
	}
}

// pluginName is pairing's view of the registry. Of a resource whose kind the inventory
// does not know it says that some plugin is for its type.
func (o *opener) pluginName(typ, kind string) string {
	if p := o.opt.Registry.For(typ, kind); p != nil {
		return p.Info().Name
	}
	for _, t := range o.opt.Registry.Types() {
		if kind == "" && strings.EqualFold(t, typ) {
			return t
		}
	}
	return ""
}

// nearOf returns the targets that nearly matched a source.
func nearOf(u pairing.Unpaired) []string {
	var out []string
	for _, n := range u.Near {
		out = append(out, n.ID)
	}
	return out
}

// inventories reads both sides at once. An inventory with a gap is refused: a pairing
// rule might otherwise choose what it would not have chosen in sight of everything.
func (o *opener) inventories(ctx context.Context) (*listed, error) {
	o.opt.Emit(event.PhaseStarted{Phase: event.Inventory})
	if o.listed != nil {
		return o.listed, nil
	}
	return o.list(ctx)
}

// types are the resource types that the run works on.
func (o *opener) types() []string {
	if len(o.opt.Types) > 0 {
		return o.opt.Types
	}
	return o.opt.Registry.Types()
}

// list reads the inventories of both sides.
func (o *opener) list(ctx context.Context) (*listed, error) {
	var source, target reading
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		source, err = o.read(ctx, &o.source)
		return err
	})
	group.Go(func() (err error) {
		if o.opt.Alone == nil && !o.opt.NoTarget {
			target, err = o.read(ctx, &o.target)
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	o.notes = append(source.notes, target.notes...)
	if err := o.familiar(source.resources, target.resources, o.types()); err != nil {
		return nil, err
	}
	if len(source.resources) == 0 {
		return nil, &errs.Error{
			Op: "find anything to copy", Kind: errs.NotFound, Side: string(plugin.Source),
			Err:  fmt.Errorf("the inventory has no resource of type %s", strings.Join(o.types(), ", ")),
			Hint: "check --source-subscription-id, --source-resource-group and --type, and that the source principal may read the resources",
		}
	}
	return &listed{
		sources: source.resources, targets: target.resources,
		links: inventory.Links{Aliases: source.links.Aliases, Sources: target.links.Sources, Blocks: target.links.Blocks},
	}, nil
}

// reading is what one inventory gave.
type reading struct {
	resources []plugin.Resource
	links     inventory.Links
	notes     []string // of the side, one sentence each
}

// read reads the inventory of a side.
func (o *opener) read(ctx context.Context, s *side) (reading, error) {
	finder, err := o.finder(ctx, s)
	if err != nil {
		return reading{}, err
	}
	found, err := collect(finder.Find(ctx, o.types()))
	if err != nil {
		return reading{}, err
	}
	out := reading{resources: found}
	if linker, ok := finder.(inventory.Linker); ok {
		out.links = linker.Links()
	}
	if noter, ok := finder.(inventory.Noter); ok {
		for _, n := range noter.Notes() {
			out.notes = append(out.notes, string(s.name)+": "+n)
		}
	}
	return out, nil
}

// finder is the inventory of a side: the place that the user named, or Azure.
func (o *opener) finder(ctx context.Context, s *side) (inventory.Finder, error) {
	place, err := s.place()
	if err != nil {
		return nil, err
	}
	switch place.Kind {
	case inventory.File:
		return file.New(place.Path, s.tenant), nil
	case inventory.Terraform:
		return tfstate.New(place.Path, tfstate.Scope{TenantID: s.tenant, SubscriptionID: s.sub, ResourceGroup: s.said.ResourceGroup}), nil
	case inventory.Neo4j:
		return o.graph(ctx, s, place)
	case inventory.Graph:
		return s.arm.GraphFinder(s.scope()), nil
	default:
		return s.arm.Finder(s.scope()), nil
	}
}

// place is where the resources of s are read.
func (s *side) place() (inventory.Place, error) {
	place, err := inventory.ParsePlace(s.said.Inventory)
	if err != nil {
		return place, &errs.Error{Op: "choose the inventory", Kind: errs.Invalid, Side: string(s.name), Err: err}
	}
	return place, nil
}

// live tells whether the resources of s come from Azure itself.
func (s *side) live() bool {
	place, err := s.place()
	return err == nil && (place.Kind == inventory.ARM || place.Kind == inventory.Graph)
}

func (s *side) scope() arm.Scope {
	var out arm.Scope
	if s.sub != "" {
		out.Subscriptions = []string{s.sub}
	}
	if s.said.ResourceGroup != "" {
		out.ResourceGroups = []string{s.said.ResourceGroup}
	}
	return out
}

// graph is the graph of Azure Tenant Grapher, narrowed to the subscriptions of the side's
// tenant: its nodes do not say of which tenant they are, and it may hold both.
func (o *opener) graph(ctx context.Context, s *side, place inventory.Place) (inventory.Finder, error) {
	cfg := o.opt.Neo4j
	if place.Path != "" {
		cfg.URI = place.Path
	}
	scope := neo4j.Scope{Side: s.name, TenantID: s.tenant, ResourceGroup: s.said.ResourceGroup, Subscriptions: s.scope().Subscriptions}
	if len(scope.Subscriptions) > 0 {
		return neo4j.New(cfg, scope), nil
	}
	for sub, err := range s.arm.Subscriptions(ctx) {
		if err != nil {
			return nil, err
		}
		if sub.TenantID == "" || strings.EqualFold(sub.TenantID, s.tenant) {
			scope.Subscriptions = append(scope.Subscriptions, sub.ID)
		}
	}
	if len(scope.Subscriptions) == 0 {
		return nil, &errs.Error{
			Op: "read the Neo4j graph", Kind: errs.NotFound, Side: string(s.name),
			Err:  errors.New("the principal sees no subscription of the tenant, so it cannot be told which nodes are of it"),
			Hint: fmt.Sprintf("name the subscription, with --%s-subscription-id", s.name),
		}
	}
	return neo4j.New(cfg, scope), nil
}

// maxGaps is how many errors of one inventory are named; more say nothing new.
const maxGaps = 5

func collect(found iter.Seq2[plugin.Resource, error]) ([]plugin.Resource, error) {
	var (
		out  []plugin.Resource
		gaps []error
	)
	for r, err := range found {
		switch {
		case err == nil:
			out = append(out, r)
		case len(gaps) < maxGaps:
			gaps = append(gaps, err)
		}
	}
	if len(gaps) == 1 {
		return nil, gaps[0]
	}
	return out, errors.Join(gaps...)
}
