package blob

import (
	"context"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Discover implements part.Part: each container, and in replication mode its blobs.
func (p *Part) Discover(ctx context.Context, l part.Listing, yield func(plugin.Item, error) bool) bool {
	if err := checkSettings(l.Setting); err != nil {
		yield(plugin.Item{}, err)
		return false
	}
	if l.Mode == plugin.Replication && l.Setting(setCopy) == withAzCopy {
		if _, err := p.programs.find(ctx, l.Setting(setAzCopy)); err != nil { // now, and not at each container
			yield(plugin.Item{}, err)
			return false
		}
	}
	after := readCursor(l.After)
	src, err := l.Source.Blobs(ctx)
	if err != nil {
		return yield(plugin.Item{}, l.Fail("list the containers", err, containers.Read)) && ctx.Err() == nil
	}
	marker := ""
	for {
		var page []listing.Container
		next, err := listing.Containers(ctx, src, "", marker, 0, func(c listing.Container) bool {
			page = append(page, c)
			return true
		})
		if err != nil {
			return yield(plugin.Item{}, l.Fail("list the containers", err, containers.Read)) && ctx.Err() == nil
		}
		for _, c := range page {
			if containers.System(c.Name) || c.Name < after.container {
				continue
			}
			if !p.discoverContainer(ctx, l, c, after, yield) {
				return false
			}
		}
		if marker = next; marker == "" {
			return true
		}
	}
}

// discoverContainer yields a container that is not passed yet, and its blobs behind after.
func (p *Part) discoverContainer(ctx context.Context, l part.Listing, c listing.Container, after cursor, yield func(plugin.Item, error) bool) bool {
	if ctx.Err() != nil {
		yield(plugin.Item{}, l.Fail("list the containers", ctx.Err()))
		return false
	}
	var begun time.Time
	if l.Target != nil && l.Setting(setCopy) == withAzCopy {
		begun = l.Target.Now()
	}
	if c.Name != after.container {
		after = cursor{}
		if !yield(containers.Item(c, cursor{container: c.Name}.String()), nil) {
			return false
		}
	}
	if l.Mode == plugin.Template {
		return true
	}
	if after.blob == "" && !discoverRoot(ctx, l, c.Name, yield) {
		return false
	}
	src, err := l.Source.Blobs(ctx)
	if err != nil {
		return yield(plugin.Item{}, l.Fail("list the blobs of "+c.Name, err)) && ctx.Err() == nil
	}
	w := &walk{Listing: l, begun: begun, name: c.Name, src: src.NewContainerClient(c.Name), yield: yield}
	if l.Target != nil {
		if dst, err := l.Target.Blobs(ctx); err == nil { // else each blob's own look says why
			w.dst = newSide(l, dst.NewContainerClient(c.Name), after.blob)
		}
	}
	return w.run(ctx, after)
}
