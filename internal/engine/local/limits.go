package local

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/pace"
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

// take waits until an item of size bytes may be worked on against p's target. The scarce
// limit is asked for last, so that nobody holds a worker while waiting for a busy target.
// It fails only with the cause of ctx's end.
func (l *limits) take(ctx context.Context, p engine.Pair, size int64) (*place, error) {
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
	return &place{limits: l, target: target, size: size}, nil
}

// place is what one item holds of the limits. Its worker is free for other items while
// the item waits for its service.
type place struct {
	limits *limits
	target *semaphore.Weighted
	size   int64

	mu   sync.Mutex // guards left, and is held while the worker changes hands
	left int        // requests of the item that wait; the worker is free while there are any
}

var _ pace.Slot = (*place)(nil)

// Leave implements pace.Slot.
func (p *place) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		p.limits.workers.Release(1)
	}
	p.left++
}

// Return implements pace.Slot.
func (p *place) Return(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 1 && p.limits.workers.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	p.left--
	return nil
}

// release gives back all that the item still holds.
func (p *place) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		p.limits.workers.Release(1)
	}
	p.limits.bytes.Release(p.size)
	p.target.Release(1)
}
