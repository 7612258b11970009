package local

import (
	"context"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/azure-tenant-grapher/atg/internal/engine"
)

// limits bound the items at work. They are shared by all pairs of a run.
type limits struct {
	workers *semaphore.Weighted            // over all pairs
	bytes   *semaphore.Weighted            // sum of the items' sizes
	targets map[string]*semaphore.Weighted // by target resource ID, lower case
	most    int64                          // capacity of bytes
}

func newLimits(pairs []engine.Pair, opt engine.Options) *limits {
	l := &limits{
		workers: semaphore.NewWeighted(int64(opt.Workers)),
		bytes:   semaphore.NewWeighted(opt.BytesAtWork),
		targets: map[string]*semaphore.Weighted{},
		most:    opt.BytesAtWork,
	}
	for _, p := range pairs {
		l.targets[targetOf(p)] = semaphore.NewWeighted(int64(opt.PerHost))
	}
	return l
}

func targetOf(p engine.Pair) string { return strings.ToLower(p.Target.Resource.ID) }

// take waits until an item of size bytes may be worked on against p's target. The caller
// must call release. The scarce limit is asked for last, so that nobody holds a worker
// while waiting for a busy target. It fails only with the cause of ctx's end.
func (l *limits) take(ctx context.Context, p engine.Pair, size int64) (release func(), err error) {
	target := l.targets[targetOf(p)]
	if target.Acquire(ctx, 1) != nil {
		return nil, context.Cause(ctx)
	}
	size = min(max(size, 0), l.most)
	if l.bytes.Acquire(ctx, size) != nil {
		target.Release(1)
		return nil, context.Cause(ctx)
	}
	if l.workers.Acquire(ctx, 1) != nil {
		l.bytes.Release(size)
		target.Release(1)
		return nil, context.Cause(ctx)
	}
	return func() {
		l.workers.Release(1)
		l.bytes.Release(size)
		target.Release(1)
	}, nil
}
