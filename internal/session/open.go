package session

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/pace"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/internal/inventory/file"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// hydrations is how many resources are read from Resource Manager at once.
const hydrations = 8

// opener does the work of Open.
type opener struct {
	opt            Options
	source, target side
	listed         *listed // both inventories, if they were read before the run began
	filter         *filter.Filter
	requests       pipeline.Counter
	found          []string // IDs of the source resources, once they were paired
}

// listed is what two inventories hold.
type listed struct{ sources, targets []plugin.Resource }

// side is one side, signed in.
type side struct {
	name       plugin.Side
	said       Side
	tenant     string
	sub        string
	credential azcore.TokenCredential
	options    policy.ClientOptions
	arm        *arm.Client
	home       *home
}

// signIn gets the credentials of both sides at once.
func (o *opener) signIn(ctx context.Context) error {
	if err := o.prepare(ctx); err != nil {
		return err
	}
	// One after the other: an interactive sign-in must not ask two questions at once.
	if err := o.source.signIn(ctx, o.opt, o.opt.Target.Principal); err != nil {
		return err
	}
	if o.opt.Alone != nil {
		o.target = o.source
		return nil
	}
	return o.target.signIn(ctx, o.opt, o.opt.Source.Principal)
}

// limiter paces the requests of both sides: it keeps to the limits that plugins know of,
// unless the user wants the services to say so themselves, and learns the others.
func (o *opener) limiter() (*pace.Limiter, error) {
	var known []plugin.Limit
	if !o.opt.Unpaced {
		known = pace.LimitsOf(o.opt.Registry)
	}
	return pace.New(pace.Options{
		Limits:  known,
		PerHost: max(o.opt.Workers, pace.DefaultPerHost), // all workers may be at one vault
		Global:  max(o.opt.Workers, pace.DefaultGlobal),
	})
}

// finder is the inventory of s: the file that the user named, or Azure.
func (s *side) finder() inventory.Finder {
	if s.said.Inventory != "" {
		return file.New(s.said.Inventory, s.tenant)
	}
	var scope arm.Scope
	if s.sub != "" {
		scope.Subscriptions = []string{s.sub}
	}
	if s.said.ResourceGroup != "" {
		scope.ResourceGroups = []string{s.said.ResourceGroup}
	}
	return s.arm.Finder(scope)
}

// pair reads both inventories and returns the pairs, both ends read in full.
func (o *opener) pair(ctx context.Context) ([]engine.Pair, []engine.Unpaired, error) {
	sources, targets, err := o.inventories(ctx)
	if err != nil {
		return nil, nil, err
	}
	o.found = idsOf(sources)
	o.opt.Emit(event.PhaseStarted{Phase: event.Pairing})
	opt := pairing.Options{Plugin: o.pluginName}
	if o.opt.Mapping != "" {
		if opt.Mapping, err = pairing.ReadMapping(o.opt.Mapping); err != nil {
			return nil, nil, err
		}
	}
	found := pairing.Result{Matches: alone(sources)}
	if o.opt.Alone == nil {
		found, err = pairing.Pair(sources, o.withPlanned(targets), opt)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := o.confine(&found); err != nil {
		return nil, nil, err
	}
	pairs, unpaired, err := o.hydrate(ctx, found.Matches)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range found.Unpaired {
		unpaired = append(unpaired, engine.Unpaired{
			Resource: u.Source, ID: u.Source.ID, Type: u.Source.Type, Reason: u.Reason, Near: u.Near,
		})
	}
	o.announce(pairs, unpaired)
	return pairs, unpaired, nil
}

func (o *opener) announce(pairs []engine.Pair, unpaired []engine.Unpaired) {
	for _, p := range pairs {
		o.opt.Emit(event.Paired{Source: p.Source.Resource.ID, Target: p.Target.Resource.ID, Rule: p.Rule})
	}
	for _, u := range unpaired {
		o.opt.Emit(event.Unpaired{Source: u.ID, Reason: u.Reason})
	}
}

// pluginName is pairing's view of the registry.
func (o *opener) pluginName(typ, kind string) string {
	if p := o.opt.Registry.For(typ, kind); p != nil {
		return p.Info().Name
	}
	return ""
}

// inventories reads both sides at once. An inventory with a gap is refused: a pairing
// rule might otherwise choose what it would not have chosen in sight of everything.
func (o *opener) inventories(ctx context.Context) (sources, targets []plugin.Resource, err error) {
	o.opt.Emit(event.PhaseStarted{Phase: event.Inventory})
	if o.listed != nil {
		return o.listed.sources, o.listed.targets, nil
	}
	return o.list(ctx)
}

// list reads the inventories of both sides.
func (o *opener) list(ctx context.Context) (sources, targets []plugin.Resource, err error) {
	types := o.opt.Types
	if len(types) == 0 {
		types = o.opt.Registry.Types()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		sources, err = collect(o.source.finder().Find(ctx, types))
		return err
	})
	group.Go(func() (err error) {
		if o.opt.Alone == nil && !o.opt.NoTarget {
			targets, err = collect(o.target.finder().Find(ctx, types))
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	if err := o.familiar(sources, targets, types); err != nil {
		return nil, nil, err
	}
	if len(sources) == 0 {
		return nil, nil, &errs.Error{
			Op: "find anything to copy", Kind: errs.NotFound, Side: string(plugin.Source),
			Err:  fmt.Errorf("the inventory has no resource of type %s", strings.Join(types, ", ")),
			Hint: "check --source-subscription-id, --source-resource-group and --type, and that the source principal may read the resources",
		}
	}
	return sources, targets, nil
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

// hydrate reads both ends of every match. A match with an end that cannot be read is
// unpaired with that reason; it is an error only if no match can be read.
func (o *opener) hydrate(ctx context.Context, matches []pairing.Match) ([]engine.Pair, []engine.Unpaired, error) {
	pairs, failed := make([]engine.Pair, len(matches)), make([]error, len(matches))
	var group errgroup.Group
	group.SetLimit(hydrations)
	for i, m := range matches {
		group.Go(func() error {
			pairs[i], failed[i] = o.hydrateOne(ctx, m)
			return nil
		})
	}
	_ = group.Wait() // errors are kept by place
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	var (
		good     []engine.Pair
		unpaired []engine.Unpaired
		first    error
	)
	for i, m := range matches {
		if failed[i] == nil {
			good = append(good, pairs[i])
			continue
		}
		if first == nil {
			first = failed[i]
		}
		unpaired = append(unpaired, engine.Unpaired{
			Resource: m.Source, ID: m.Source.ID, Type: m.Source.Type, Reason: failed[i].Error(), Near: []string{m.Target.ID},
		})
	}
	if len(good) == 0 && first != nil {
		return nil, nil, first
	}
	return good, unpaired, nil
}

func (o *opener) hydrateOne(ctx context.Context, m pairing.Match) (engine.Pair, error) {
	if err := errors.Join(o.source.owns(ctx, m.Source.ID), o.target.owns(ctx, m.Target.ID)); err != nil {
		return engine.Pair{}, err
	}
	source, err := o.source.arm.Hydrate(ctx, m.Source)
	if err != nil {
		return engine.Pair{}, err
	}
	target, future := m.Target, o.future(m.Target.ID)
	if !future {
		if target, err = o.target.arm.Hydrate(ctx, m.Target); err != nil {
			return engine.Pair{}, err
		}
	}
	if o.opt.Alone != nil {
		if target, err = o.opt.Alone.moved(target); err != nil {
			return engine.Pair{}, err
		}
	}
	p := o.opt.Registry.For(source.Type, source.Kind)
	if p == nil {
		return engine.Pair{}, &errs.Error{Op: "copy", Kind: errs.Unsupported, Resource: source.ID, Err: fmt.Errorf("no plugin for kind %q", source.Kind)}
	}
	return engine.Pair{Plugin: p, Source: o.source.endpoint(source), Target: o.target.endpoint(target), Rule: m.Rule, Future: future}, nil
}

func (s *side) endpoint(r plugin.Resource) plugin.Endpoint {
	return plugin.Endpoint{Resource: r, Credential: s.credential, Options: s.options, Secret: s.said.Secrets.Of(r)}
}
