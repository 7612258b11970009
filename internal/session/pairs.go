package session

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
)

// Pairs is what pairing makes of two inventories.
type Pairs struct {
	SourceTenant, TargetTenant string // IDs; "" of a side that nobody had to sign in to
	pairing.Result
	Notes []string // what the inventories have to say, one sentence each
}

// FindPairs reads both inventories and pairs what they hold; nothing is asked of the
// resources themselves. It signs in only to those sides whose inventory wants it: Azure's,
// and a graph in Neo4j that no subscription narrows. The errors are those of Open.
func FindPairs(ctx context.Context, opt Options) (*Pairs, error) {
	if opt.Emit == nil {
		opt.Emit = func(event.Event) {}
	}
	only, err := filter.Parse(opt.Filter, time.Now())
	if err != nil {
		return nil, err
	}
	o := &opener{opt: opt, filter: only}
	if err := o.prepare(ctx); err != nil {
		return nil, err
	}
	if err := o.source.open(ctx, opt, opt.Target.Principal); err != nil {
		return nil, err
	}
	if err := o.target.open(ctx, opt, opt.Source.Principal); err != nil {
		return nil, err
	}
	found, err := o.match(ctx)
	if err != nil {
		return nil, err
	}
	return &Pairs{o.source.tenant, o.target.tenant, found, o.notes}, nil
}

// open signs in to a side if its inventory wants it.
func (s *side) open(ctx context.Context, opt Options, shared auth.Principal) error {
	place, err := s.place()
	if err != nil {
		return err
	}
	env := auth.FromEnvironment(s.name, opt.Env)
	if s.sub = s.said.SubscriptionID; s.sub == "" {
		s.sub = env.SubscriptionID
	}
	if s.live() || place.Kind == inventory.Neo4j && s.sub == "" {
		return s.signIn(ctx, opt, shared)
	}
	if uuid.Validate(s.said.TenantID) == nil { // a domain would have to be looked up
		s.tenant = s.said.TenantID
	}
	return nil
}
