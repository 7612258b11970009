package session

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Declaration is what the items of one source resource are as code for its target.
type Declaration struct {
	Plugin         plugin.Info
	Source, Target plugin.Resource
	// CannotDeclare is set where the plugin has no declarations: then there are no Items.
	CannotDeclare bool
	Items         []DeclaredItem // those with at least one block, in no certain order
	Bare          int64          // items that nothing is declared of
	Failed        int64          // items, and pages of a listing, that could not be declared
	Failures      []Failure      // the first of those
}

// DeclaredItem is one item with its blocks.
type DeclaredItem struct {
	Key, Parent plugin.Key
	Blocks      []iac.Block
}

// Failure is an item that could not be declared. Item is "" for a part of a listing.
type Failure struct {
	Item plugin.Key
	Err  error
}

// maxFailures is how many failures of one resource are kept.
const maxFailures = 10

// Declare asks the plugin of every pair to declare the source's items at the target. With
// imports it also asks the target which of them it has: the others lose their import IDs.
// It writes nothing. A failure of one item or listing is part of its declaration; the error is
// that of ctx.
func (s *Session) Declare(ctx context.Context, imports bool) ([]Declaration, error) {
	out := make([]Declaration, 0, len(s.pairs))
	for _, p := range s.pairs {
		d := declarer{session: s, pair: p, imports: imports}
		out = append(out, d.all(ctx))
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return out, nil
}

// Unpaired are the source resources for which no target was found.
func (s *Session) Unpaired() []engine.Unpaired { return slices.Clone(s.unpaired) }

// declarer declares the items of one pair.
type declarer struct {
	session *Session
	pair    engine.Pair
	imports bool
}

// declared is what came of one item.
type declared struct {
	item DeclaredItem
	err  error
}

func (d declarer) all(ctx context.Context) Declaration {
	out := Declaration{Plugin: d.pair.Plugin.Info(), Source: d.pair.Source.Resource, Target: d.pair.Target.Resource}
	p, ok := d.pair.Plugin.(plugin.Declarer)
	if !ok {
		out.CannotDeclare = true
		return out
	}
	results := make(chan declared)
	go func() {
		defer close(results)
		d.stream(ctx, p, results)
	}()
	for r := range results {
		switch {
		case r.err != nil:
			out.Failed++
			if len(out.Failures) < maxFailures {
				out.Failures = append(out.Failures, Failure{r.item.Key, r.err})
			}
		case len(r.item.Blocks) == 0:
			out.Bare++
		default:
			out.Items = append(out.Items, r.item)
		}
	}
	slices.SortFunc(out.Failures, func(a, b Failure) int { return strings.Compare(string(a.Item), string(b.Item)) })
	return out
}

// stream lists the source and declares the items, several at once.
func (d declarer) stream(ctx context.Context, p plugin.Declarer, results chan<- declared) {
	var work errgroup.Group
	work.SetLimit(engine.Options{Workers: d.session.opt.Workers}.WithDefaults().Workers)
	opt := plugin.DiscoverOptions{Mode: d.session.opt.Mode, Settings: d.session.opt.Settings[d.pair.Plugin.Info().Name]}
	for it, err := range d.pair.Plugin.Discover(ctx, d.pair.Source, opt) {
		if err != nil {
			results <- declared{err: err}
			continue
		}
		work.Go(func() error {
			blocks, err := d.one(ctx, p, it)
			results <- declared{DeclaredItem{it.Key, it.Parent, blocks}, err}
			return nil
		})
	}
	_ = work.Wait() // errors went with the results
}

// one declares one item.
func (d declarer) one(ctx context.Context, p plugin.Declarer, it plugin.Item) ([]iac.Block, error) {
	t := plugin.Task{
		Source: d.pair.Source, Target: d.pair.Target, Mode: d.session.opt.Mode, Item: it,
		Settings: d.session.opt.Settings[d.pair.Plugin.Info().Name],
	}
	blocks, err := p.Declare(ctx, t)
	if err != nil || !d.imports {
		return blocks, err
	}
	return blocks, d.findImports(ctx, t, blocks)
}

// findImports leaves the import IDs of what the target has.
func (d declarer) findImports(ctx context.Context, t plugin.Task, blocks []iac.Block) error {
	fixed := false
	for _, b := range blocks {
		if b.TF == nil {
			continue
		}
		if b.TF.Import == nil {
			fixed = fixed || b.TF.ImportID != ""
			continue
		}
		id, err := b.TF.Import(ctx)
		if err != nil {
			return err
		}
		b.TF.ImportID = id
	}
	c, ok := d.pair.Plugin.(plugin.Comparer)
	if !fixed || !ok {
		return nil
	}
	found, err := c.Compare(ctx, t)
	if err != nil || found.State != plugin.Missing {
		return err
	}
	for _, b := range blocks {
		if b.TF != nil && b.TF.Import == nil {
			b.TF.ImportID = ""
		}
	}
	return nil
}

// Place is where the resources of a run without a target are to stand: empty parts are
// those of the source.
type Place struct{ TenantID, SubscriptionID, ResourceGroup string }

// alone pairs every source resource with itself.
func alone(sources []plugin.Resource) []pairing.Match {
	out := make([]pairing.Match, len(sources))
	for i, r := range sources {
		out[i] = pairing.Match{Source: r, Target: r, Rule: "source"}
	}
	return out
}

// moved returns a resource of the same name at the place.
func (p Place) moved(r plugin.Resource) (plugin.Resource, error) {
	if p == (Place{}) {
		return r, nil
	}
	// /subscriptions/S/resourceGroups/G/providers/…
	parts := strings.Split(r.ID, "/")
	if len(parts) < 7 || !strings.EqualFold(parts[1], "subscriptions") || !strings.EqualFold(parts[3], "resourceGroups") {
		return r, &errs.Error{Op: "find the place of a resource", Kind: errs.Unsupported, Resource: r.ID, Err: fmt.Errorf("it stands in no resource group")}
	}
	if p.SubscriptionID != "" {
		parts[2], r.SubscriptionID = p.SubscriptionID, p.SubscriptionID
	}
	if p.ResourceGroup != "" {
		parts[4], r.ResourceGroup = p.ResourceGroup, p.ResourceGroup
	}
	if p.TenantID != "" {
		r.TenantID = p.TenantID
	}
	r.ID = strings.Join(parts, "/")
	return r, nil
}
