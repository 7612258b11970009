package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Connection is a run whose sides are signed in and whose resources are not looked for
// yet: what deploys the target resources comes in between. Options.Connection goes on
// with it.
type Connection struct {
	o   *opener
	run string
}

// Target is how the target is reached.
type Target struct {
	TenantID       string // ID, as the token says
	SubscriptionID string // as the user said it; "": nobody did
	Credential     azcore.TokenCredential
	Client         policy.ClientOptions
}

// Connect signs in to the given sides, the source first. opt is that of Open, as far as it
// is known already. The errors are those with which Open fails to sign in.
func Connect(ctx context.Context, opt Options, sides ...plugin.Side) (*Connection, error) {
	if opt.Emit == nil {
		opt.Emit = func(event.Event) {}
	}
	if opt.StateDir != "" {
		if err := journal.Writable(opt.StateDir); err != nil {
			return nil, err
		}
	}
	c := &Connection{o: &opener{opt: opt}, run: NewRunID()}
	if err := c.o.prepare(ctx); err != nil {
		return nil, err
	}
	if slices.Contains(sides, plugin.Source) {
		if err := c.o.source.signIn(ctx, opt, opt.Target.Principal); err != nil {
			return nil, err
		}
	}
	if slices.Contains(sides, plugin.Target) {
		if err := c.o.target.signIn(ctx, opt, opt.Source.Principal); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Run is the run's ID.
func (c *Connection) Run() string { return c.run }

// Target is how the target is reached, if it was signed in to.
func (c *Connection) Target() Target {
	s := &c.o.target
	return Target{TenantID: s.tenant, SubscriptionID: s.sub, Credential: s.credential, Client: s.options}
}

// Subscription is the target's subscription: the one that the user named, else the only
// one of the tenant that the principal sees. Several are an error that lists them.
func (c *Connection) Subscription(ctx context.Context) (string, error) {
	if c.o.target.sub != "" {
		return c.o.target.sub, nil
	}
	const op = "choose the subscription to deploy to"
	var seen []string
	for s, err := range c.o.target.arm.Subscriptions(ctx) {
		if err != nil {
			return "", err
		}
		if strings.EqualFold(s.TenantID, c.o.target.tenant) {
			seen = append(seen, fmt.Sprintf("%s (%s)", s.ID, s.Name))
		}
	}
	switch len(seen) {
	case 0:
		return "", &errs.Error{
			Op: op, Kind: errs.NotFound, Side: string(plugin.Target), Err: errors.New("the principal sees no subscription of the tenant"),
			Hint: "give the target principal a role in a subscription, such as Contributor, and wait some minutes",
		}
	case 1:
		id, _, _ := strings.Cut(seen[0], " ")
		return id, nil
	default:
		return "", &errs.Error{
			Op: op, Kind: errs.Invalid, Side: string(plugin.Target), Err: fmt.Errorf("the principal sees several: %s", strings.Join(seen, ", ")),
			Hint: "name one by --subscription-id",
		}
	}
}

// opener goes on with the connection under the options of the run. Sign-ins and the
// pipelines of both sides stay.
func (c *Connection) opener(opt Options, only *filter.Filter) *opener {
	c.o.opt, c.o.filter = opt, only
	c.o.source.said, c.o.target.said = opt.Source, opt.Target
	return c.o
}

// withPlanned adds the target resources that are about to be deployed and are not there.
func (o *opener) withPlanned(targets []plugin.Resource) []plugin.Resource {
	out := slices.Clone(targets)
	for _, r := range o.opt.Planned {
		if !slices.ContainsFunc(targets, func(t plugin.Resource) bool { return strings.EqualFold(t.ID, r.ID) }) {
			out = append(out, r)
		}
	}
	return out
}

// future tells whether a target resource is about to be deployed.
func (o *opener) future(id string) bool {
	return slices.ContainsFunc(o.opt.Planned, func(r plugin.Resource) bool { return strings.EqualFold(r.ID, id) })
}
