package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/pace"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// hydrations is how many resources are read from Resource Manager at once.
const hydrations = 8

// opener does the work of Open.
type opener struct {
	opt            Options
	source, target side
	listed         *listed  // both inventories, if they were read before the run began
	notes          []string // of the inventories, once they were read
	filter         *filter.Filter
	requests       pipeline.Counter
	found          []string // IDs of the source resources, once they were paired
}

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

// pair reads both inventories and returns the pairs, both ends read in full.
func (o *opener) pair(ctx context.Context) ([]engine.Pair, []engine.Unpaired, error) {
	found, err := o.match(ctx)
	if err != nil {
		return nil, nil, err
	}
	pairs, unpaired, err := o.hydrate(ctx, found.Matches)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range found.Unpaired {
		unpaired = append(unpaired, engine.Unpaired{
			Resource: u.Source, ID: u.Source.ID, Type: u.Source.Type, Reason: u.Reason, Near: nearOf(u),
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
	switch {
	case p == nil:
		return engine.Pair{}, &errs.Error{Op: "copy", Kind: errs.Unsupported, Resource: source.ID, Err: fmt.Errorf("no plugin for kind %q", source.Kind)}
	case !future && o.opt.Registry.For(target.Type, target.Kind) != p: // an inventory may not know kinds
		return engine.Pair{}, &errs.Error{
			Op: "copy", Kind: errs.Unsupported, Resource: source.ID,
			Err: fmt.Errorf("its target is of kind %q, not %q", target.Kind, source.Kind),
		}
	}
	return engine.Pair{Plugin: p, Source: o.source.endpoint(source), Target: o.target.endpoint(target), Rule: m.Rule, Future: future}, nil
}

func (s *side) endpoint(r plugin.Resource) plugin.Endpoint {
	return plugin.Endpoint{Resource: r, Credential: s.credential, Options: s.options, Secret: s.said.Secrets.Of(r)}
}
