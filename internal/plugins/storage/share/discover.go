package share

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/shares"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Discover implements part.Part: each share, and in replication mode what is in it.
func (*Part) Discover(ctx context.Context, l part.Listing, yield func(plugin.Item, error) bool) bool {
	c, err := l.Source.Files(ctx)
	if err != nil {
		return yield(plugin.Item{}, l.Fail("reach the file service", err)) && ctx.Err() == nil
	}
	g := &gather{Listing: l, after: readCursor(l.After), yield: yield}
	pager := c.NewListSharesPager(&service.ListSharesOptions{Include: service.ListSharesInclude{Snapshots: true}})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return g.flush(ctx) && yield(plugin.Item{}, l.Fail("list the file shares", err, shares.Read)) && ctx.Err() == nil
		}
		for _, s := range page.Shares {
			if s == nil || s.Name == nil || *s.Name < g.after.share {
				continue
			}
			if !g.take(ctx, s) {
				return false
			}
		}
	}
	return g.flush(ctx)
}

// gather puts a share and its snapshots together, which are listed side by side.
type gather struct {
	part.Listing
	after     cursor
	yield     func(plugin.Item, error) bool
	name      string
	share     *service.Share // nil: only snapshots came by so far
	snapshots int
}

// take adds an entry of the listing. It returns false if the stream has to end.
func (g *gather) take(ctx context.Context, s *service.Share) bool {
	if *s.Name != g.name && !g.flush(ctx) {
		return false
	}
	g.name = *s.Name
	if s.Snapshot != nil && *s.Snapshot != "" {
		g.snapshots++
	} else {
		g.share = s
	}
	return true
}

// flush yields the share at hand, and what is in it.
func (g *gather) flush(ctx context.Context) bool {
	s, snapshots := g.share, g.snapshots
	g.share, g.snapshots = nil, 0
	if s == nil {
		return true
	}
	var after []string
	if *s.Name == g.after.share {
		after = g.after.path
	} else if !g.yield(shares.Item(s, snapshots, cursor{share: *s.Name}.String()), nil) {
		return false
	}
	if g.Mode == plugin.Template {
		return true
	}
	w := &walk{Listing: g.Listing, share: *s.Name, nfs: shares.IsNFS(s), yield: g.yield}
	root := place{}
	if g.Target != nil {
		root.dst = newSide(node.Place{Account: g.Target, Share: w.share}, w.nfs)
	}
	return w.directory(ctx, root, after)
}
