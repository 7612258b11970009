// Package enginetest holds what tests of engines need: a plugin whose service is a map
// in memory, scripted faults, and a log of what was called. It is imported by tests only.
package enginetest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// World is the state of all resources, outside of any run: it survives a crash of one.
// It is safe for concurrent use.
type World struct {
	mu      sync.Mutex // guards all below
	listed  map[string][]plugin.Item
	objects map[string]map[plugin.Key]string
	writes  map[string]int
}

// NewWorld returns a world without resources.
func NewWorld() *World {
	return &World{
		listed: map[string][]plugin.Item{}, objects: map[string]map[plugin.Key]string{}, writes: map[string]int{},
	}
}

// Add puts items into a resource, each with a content of its own.
func (w *World) Add(id string, items ...plugin.Item) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range items {
		w.listed[id] = append(w.listed[id], it)
		w.set(id, it.Key, "content of "+string(it.Key))
	}
}

// Set writes the content of one item into a resource and counts the write.
func (w *World) Set(id string, key plugin.Key, content string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set(id, key, content)
	w.writes[id+" "+string(key)]++
}

func (w *World) set(id string, key plugin.Key, content string) {
	if w.objects[id] == nil {
		w.objects[id] = map[plugin.Key]string{}
	}
	w.objects[id][key] = content
}

// Get returns the content of one item.
func (w *World) Get(id string, key plugin.Key) (content string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	content, ok = w.objects[id][key]
	return content, ok
}

// Objects returns a copy of all contents of a resource.
func (w *World) Objects(id string) map[plugin.Key]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[plugin.Key]string{}
	for k, v := range w.objects[id] {
		out[k] = v
	}
	return out
}

// Writes returns how often Set was called for one item.
func (w *World) Writes(id string, key plugin.Key) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes[id+" "+string(key)]
}

func (w *World) items(id string) []plugin.Item {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.listed[id])
}

// Plugin copies items of a World. The functions may be nil; each replaces what the
// plugin does of itself.
type Plugin struct {
	World       *World
	About       plugin.Info
	OnDiscover  func(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error]
	OnReplicate func(ctx context.Context, t plugin.Task) (plugin.Outcome, error)
	OnCompare   func(ctx context.Context, t plugin.Task) (plugin.Comparison, error)
}

var (
	_ plugin.Plugin   = (*Plugin)(nil)
	_ plugin.Comparer = (*Plugin)(nil)
)

// New returns a plugin for a type, which starts after the types given.
func New(w *World, name, typ string, after ...string) *Plugin {
	return &Plugin{World: w, About: plugin.Info{
		Name: name, Title: name, Version: "1.0.0", Contract: plugin.ContractVersion, Type: typ,
		Modes: plugin.Modes(), Items: []plugin.ItemKind{{Name: "thing", Plural: "things"}}, After: after,
	}}
}

// Info implements plugin.Plugin.
func (p *Plugin) Info() plugin.Info { return p.About }

// Permissions implements plugin.Plugin.
func (p *Plugin) Permissions(plugin.Mode) []plugin.Permission { return nil }

// Discover lists the source's items in the order in which they were added, with their
// place as cursor.
func (p *Plugin) Discover(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	if p.OnDiscover != nil {
		return p.OnDiscover(ctx, src, opt)
	}
	return p.List(ctx, src, opt)
}

// List is what Discover does of itself.
func (p *Plugin) List(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(yield func(plugin.Item, error) bool) {
		for i, it := range p.World.items(src.Resource.ID) {
			it.Cursor = fmt.Sprintf("%09d", i+1)
			if it.Cursor <= opt.After {
				continue
			}
			if ctx.Err() != nil {
				yield(plugin.Item{}, context.Cause(ctx))
				return
			}
			if !yield(it, nil) {
				return
			}
		}
	}
}

// Replicate copies the content, as the contract says.
func (p *Plugin) Replicate(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
	if p.OnReplicate != nil {
		return p.OnReplicate(ctx, t)
	}
	return p.Copy(ctx, t)
}

// Copy is what Replicate does of itself.
func (p *Plugin) Copy(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
	c, err := p.Look(ctx, t)
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case c.State == plugin.Same:
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	case c.State == plugin.Different && !t.Overwrite:
		return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.Conflict, Item: string(t.Item.Key)}
	}
	content, _ := p.World.Get(t.Source.Resource.ID, t.Item.Key)
	p.World.Set(t.Target.Resource.ID, t.Item.Key, content)
	if c.State == plugin.Different {
		return plugin.Outcome{Status: plugin.Updated, Bytes: int64(len(content))}, nil
	}
	return plugin.Outcome{Status: plugin.Created, Bytes: int64(len(content))}, nil
}

// Compare compares the contents.
func (p *Plugin) Compare(ctx context.Context, t plugin.Task) (plugin.Comparison, error) {
	if p.OnCompare != nil {
		return p.OnCompare(ctx, t)
	}
	return p.Look(ctx, t)
}

// Look is what Compare does of itself.
func (p *Plugin) Look(ctx context.Context, t plugin.Task) (plugin.Comparison, error) {
	if ctx.Err() != nil {
		return plugin.Comparison{}, context.Cause(ctx)
	}
	from, ok := p.World.Get(t.Source.Resource.ID, t.Item.Key)
	if !ok {
		return plugin.Comparison{}, &errs.Error{Op: "read", Kind: errs.NotFound, Side: "source", Item: string(t.Item.Key)}
	}
	to, ok := p.World.Get(t.Target.Resource.ID, t.Item.Key)
	switch {
	case !ok:
		return plugin.Comparison{State: plugin.Missing}, nil
	case from != to:
		return plugin.Comparison{State: plugin.Different, Fields: []string{"content"}}, nil
	}
	return plugin.Comparison{State: plugin.Same, Proven: true}, nil
}

// Pair returns the pair of the resources "/source/NAME" and "/target/NAME".
func (p *Plugin) Pair(name string) engine.Pair {
	side := func(side plugin.Side) plugin.Endpoint {
		return plugin.Endpoint{Resource: plugin.Resource{
			ID: "/" + string(side) + "/" + name, Type: p.About.Type, Name: name, TenantID: string(side) + "-tenant",
		}}
	}
	return engine.Pair{Plugin: p, Source: side(plugin.Source), Target: side(plugin.Target), Rule: "test"}
}

// SourceID returns the ID of the source that Pair makes of a name.
func SourceID(name string) string { return "/source/" + name }

// Things returns n items of kind "thing": "things/00001" and so on.
func Things(n int) []plugin.Item {
	out := make([]plugin.Item, n)
	for i := range out {
		out[i] = plugin.Item{Key: plugin.Key(fmt.Sprintf("things/%05d", i+1)), Kind: "thing", Size: 10}
	}
	return out
}
