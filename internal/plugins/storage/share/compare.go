package share

import (
	"context"
	"errors"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/shares"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Why something is the same and not proven to be.
const (
	reasonListed = "size, times, attributes and permission are the same in both listings, and the target was changed after the last change at the source; --set storage.verify=content reads both"
	reasonLooked = "all but the content is the same, the time of the last write included; --set storage.verify=content reads both"
	reasonSummed = "all but the content is the same, and both sides state the same MD5, which the service does not check; --set storage.verify=content reads both"
)

// compare compares a directory or file. In the usual case the listing has told enough.
func (n *job) compare(ctx context.Context, c *copier.Copier) (plugin.Comparison, error) {
	if why := shares.Impossible(n.ref.NFS, n.To.Facts); why != "" {
		return part.Cannot(why)
	}
	if n.verify() != verifyContent {
		switch known := n.ref.AtThere.For(n.To, time.Now()); {
		case known == alike && (n.verify() == verifyListing || n.directory()):
			return plugin.Comparison{State: plugin.Same, Reason: reasonListed}, nil
		case known == hint.Absent:
			return plugin.Comparison{State: plugin.Missing}, nil
		}
	}
	for try := 1; ; try++ {
		cmp, err := n.compareNow(ctx, c)
		changed := errors.Is(err, copier.ErrTargetChanged) || errors.Is(err, copier.ErrSourceChanged)
		if err == nil || try == looks || !changed {
			return cmp, err
		}
	}
}

// compareNow looks at both sides, and reads them if that is asked for.
func (n *job) compareNow(ctx context.Context, c *copier.Copier) (plugin.Comparison, error) {
	src, err := n.source(ctx)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if _, yes := src.Unfinished(); yes {
		return part.Cannot(isPart)
	}
	there, err := n.look(ctx, plugin.Target)
	if err != nil {
		return plugin.Comparison{}, err
	}
	if there == nil {
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	if _, yes := there.Unfinished(); yes {
		return part.Verdict([]string{"content: a copy that was not finished"}), nil
	}
	fields := src.Differences(there)
	switch {
	case len(fields) > 0 || src.Kind != node.File || src.Size == 0:
		return part.Verdict(fields), nil
	case n.verify() == verifyListing:
		return plugin.Comparison{State: plugin.Same, Reason: reasonLooked}, nil
	case n.verify() == verifyUnsummed && src.Summed(there):
		return plugin.Comparison{State: plugin.Same, Reason: reasonSummed}, nil
	}
	same, err := c.Same(ctx, n.order(src), there.ETag)
	if err != nil {
		return plugin.Comparison{}, n.copyFailed(err)
	}
	if !same {
		fields = []string{"content"}
	}
	return part.Verdict(fields), nil
}
