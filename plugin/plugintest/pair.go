package plugintest

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest/internal/lab"
)

// How much a source holds: few where a check repeats whole runs, many where it is about
// the pages of a listing.
const (
	few  = 4
	many = 60
)

// retries is how often a request is tried again below the plugin.
const retries = 3

// bench is the world of a check: one seeded source, and targets as needed.
type bench struct {
	*trial
	world  *lab.World
	source plugin.Resource
	n      int
	canary string
	known  map[string][]string // problems of undisturbed runs, by what(run)
}

// side is one end of a pair: its endpoint and the tap on its connections.
type side struct {
	plugin.Endpoint
	tap *lab.Tap
}

// pair is a source and a target, with an endpoint and a tap for each.
type pair struct {
	*bench
	from, to side
	before   []wire.Object // what the target held when it was made
	batching atomic.Bool   // a batch is under way
}

// newBench starts a world with a source that holds about n of the commonest objects.
func (t *trial) newBench(n int) *bench {
	b := t.emptyBench(lab.Options{Service: t.subject.Service})
	b.n, b.canary = n, newCanary(t.rand())
	t.must(b.world.Seed(b.source.ID, t.subject.Seed(t.rand(), n, b.canary)), "seed the source")
	return b
}

func (t *trial) emptyBench(opt lab.Options) *bench {
	w, err := lab.New(opt)
	t.must(err, "start the emulator")
	t.cleanup(func() { _ = w.Close() })
	b := &bench{trial: t, world: w}
	b.source = b.resource(plugin.Source)
	return b
}

func (b *bench) resource(s plugin.Side) plugin.Resource {
	res, err := b.world.AddResource(s, b.subject.Plugin.Info().Type, b.subject.Resource(s, b.world.TenantID(s)))
	b.must(err, "create the "+string(s)+" resource")
	return res
}

// side returns an endpoint at res, with every right or with exactly the given ones.
func (b *bench) side(s plugin.Side, res plugin.Resource, exactly *lab.Rights, retries int) side {
	cred, err := b.world.Owner(s)
	if exactly != nil {
		cred, err = b.world.Principal(s, res.ID, *exactly)
	}
	b.must(err, "make a principal")
	tap := b.world.NewTap()
	return side{Endpoint: b.world.Endpoint(res, cred, tap, retries), tap: tap}
}

// sourceSide returns an endpoint at the source with every right.
func (b *bench) sourceSide() side { return b.side(plugin.Source, b.source, nil, retries) }

// newPair makes a new target for the first variant, and endpoints with every right on
// both sides.
func (b *bench) newPair() *pair {
	return b.pairWith(b.subject.variants()[0], nil, nil, retries)
}

// pairWith makes a new target, and endpoints with the given rights; nil is every right.
func (b *bench) pairWith(v Variant, from, to *lab.Rights, retries int) *pair {
	target := b.resource(plugin.Target)
	if v.Before != nil {
		b.must(b.world.Seed(target.ID, v.Before(b.rand(), b.n)), "seed the target")
	}
	return &pair{
		bench: b, before: b.objects(target),
		from: b.side(plugin.Source, b.source, from, retries),
		to:   b.side(plugin.Target, target, to, retries),
	}
}

// objects returns what a resource holds, sorted by key.
func (b *bench) objects(res plugin.Resource) []wire.Object {
	objects, err := b.world.Objects(res.ID)
	b.must(err, "read the emulator's state of "+res.Name)
	return objects
}

// host returns the data-plane host of a resource.
func (b *bench) host(res plugin.Resource) string { return strings.ToLower(b.subject.Host(res.Name)) }

// writesHTTP tells whether a request that is about to be sent asks for a change.
func (b *bench) writesHTTP(r *http.Request) bool {
	return b.subject.writes(wire.Request{Method: r.Method, Host: strings.ToLower(r.URL.Hostname()), Path: r.URL.Path, Query: r.URL.RawQuery})
}

// plain is an undisturbed run in the first variant.
func (t *trial) plain(mode plugin.Mode) run {
	return run{mode: mode, variant: t.subject.variants()[0]}
}

// task returns the task for an item.
func (p *pair) task(it plugin.Item, r run) plugin.Task {
	return plugin.Task{
		Source: p.from.Endpoint, Target: p.to.Endpoint, Mode: r.mode, Item: it,
		Settings: r.variant.Settings, Overwrite: r.overwrite,
	}
}

// items lists the source, which must succeed.
func (p *pair) items(ctx context.Context, mode plugin.Mode) []plugin.Item {
	items, errs := p.discover(ctx, p.plain(mode))
	for _, err := range errs {
		p.errorf("Discover: %v", err)
	}
	if len(items) == 0 {
		p.fatalf("Discover yields no item of a seeded source")
	}
	return items
}

// writesIn returns those of the logged requests that ask for a change.
func (b *bench) writesIn(log []wire.Request) []wire.Request {
	var out []wire.Request
	for _, r := range log {
		if b.subject.writes(r) {
			out = append(out, r)
		}
	}
	return out
}

// show names a request in a message.
func show(r wire.Request) string { return r.Method + " " + r.Host + r.Path }
