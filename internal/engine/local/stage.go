package local

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// maxKept bounds how many failed items of a wave are remembered, to be tried again or to
// tell their children. What fails beyond it is final at once.
const maxKept = 10_000

// stage is one phase at a time over all pairs.
type stage struct {
	phase  phase
	pairs  []engine.Pair
	opt    engine.Options
	tally  *engine.Tally
	limits *limits
	ledger *ledger         // nil: nothing is recorded
	hard   context.Context // items at work run under it: it outlives the run's context

	mu   sync.Mutex // guards kept
	kept int        // failed items that the pairs of this wave remember
}

// pair is one pair within a phase.
type pair struct {
	engine.Pair
	index    int
	info     plugin.Info
	settings plugin.Settings

	found  int64  // items discovered; written by the one goroutine that discovers
	second bool   // this is the second round: what fails now has failed for good
	sieve  *sieve // of the listing under way

	mu    sync.Mutex          // guards all below
	err   error               // first error of discovery
	again []work              // failed in a passing way: tried once more at the end of the wave
	lost  map[plugin.Key]bool // failed items; true: in again
}

// run goes through the waves. It returns once all its goroutines have ended.
func (s *stage) run(ctx context.Context, waves [][]int) {
	for _, wave := range waves {
		if ctx.Err() != nil {
			return
		}
		s.wave(ctx, wave)
	}
}

// wave runs pairs side by side, then what they left to be tried again.
func (s *stage) wave(ctx context.Context, indexes []int) {
	s.kept = 0
	active := make([]*pair, 0, len(indexes))
	for _, i := range indexes {
		if p := s.open(i); p != nil {
			active = append(active, p)
		}
	}
	s.each(active, func(p *pair) {
		if ctx.Err() != nil {
			s.tally.Partial(p.index, nil)
			return
		}
		s.emitStarted(p)
		s.work(ctx, p, s.opt.Retry, func(win *window) { s.feed(ctx, p, win) })
		if len(p.again) == 0 {
			s.emitDone(p)
		}
	})
	s.each(active, func(p *pair) {
		if len(p.again) > 0 {
			s.secondRound(ctx, p)
			s.emitDone(p)
		}
	})
}

// each calls f for the pairs, as many at once as there are workers.
func (s *stage) each(pairs []*pair, f func(*pair)) {
	var g errgroup.Group
	g.SetLimit(s.opt.Workers)
	for _, p := range pairs {
		g.Go(func() error {
			f(p)
			return nil
		})
	}
	_ = g.Wait() // f returns no error: failures stand in the tally
}

// open prepares a pair, or skips it and returns nil.
func (s *stage) open(i int) *pair {
	p := &pair{Pair: s.pairs[i], index: i, lost: map[plugin.Key]bool{}}
	p.info = p.Plugin.Info()
	p.settings = s.opt.Settings[p.info.Name]
	if p.info.Supports(s.opt.Mode) {
		return p
	}
	reason := p.info.Name + " does not support " + string(s.opt.Mode) + " mode"
	s.tally.Skip(i, reason)
	s.opt.Emit(event.ResourceSkipped{
		Phase: s.phase.name(), Source: p.Source.Resource.ID, Target: p.Target.Resource.ID, Reason: reason,
	})
	return nil
}

func (s *stage) emitStarted(p *pair) {
	s.opt.Emit(event.ResourceStarted{
		Phase: s.phase.name(), Plugin: p.info.Name, Source: p.Source.Resource.ID, Target: p.Target.Resource.ID,
	})
}

func (s *stage) emitDone(p *pair) {
	p.mu.Lock()
	done := event.ResourceDone{Phase: s.phase.name(), Source: p.Source.Resource.ID, Items: p.found, Err: p.err}
	p.mu.Unlock()
	s.opt.Emit(done)
}

// secondRound tries each item of p.again once more.
func (s *stage) secondRound(ctx context.Context, p *pair) {
	again := p.again
	p.again, p.second = nil, true
	for _, w := range again {
		delete(p.lost, w.item.Key)
	}
	once := s.opt.Retry
	once.Attempts = 1
	s.work(ctx, p, once, func(win *window) {
		for _, w := range again {
			if !win.add(ctx, w, s.phase.writes()) {
				return
			}
		}
	})
}

// work runs feed and the workers of one pair side by side until both have ended.
func (s *stage) work(ctx context.Context, p *pair, policy retry.Policy, feed func(*window)) {
	workers := min(s.opt.PerHost, s.opt.Workers)
	win := s.window(p, workers)
	var all sync.WaitGroup
	all.Go(func() {
		defer win.end()
		feed(win)
	})
	for range workers {
		all.Go(func() { s.worker(ctx, p, policy, win) })
	}
	all.Wait()
}

// worker takes items out of the window until there are none or ctx ends.
func (s *stage) worker(ctx context.Context, p *pair, policy retry.Policy, win *window) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case l, more := <-win.ready:
			if !more {
				return
			}
			if len(l.items) == 1 {
				s.process(ctx, p, policy, l.items[0])
				win.done(l.items[0].item.Key)
			} else {
				s.together(ctx, p, win, l.items)
			}
			if l.group {
				win.settled()
			}
		}
	}
}

// keep remembers that an item failed: for another try, if its error passes and this was
// its first round, and for its children. It tells whether the item will be tried again.
func (s *stage) keep(p *pair, w work, retryable bool) (again bool) {
	again = retryable && !p.second
	if !s.room() {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost[w.item.Key] = again
	if again {
		p.again = append(p.again, w)
	}
	return again
}

func (s *stage) room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept >= maxKept {
		return false
	}
	s.kept++
	return true
}

// parentLost tells whether the item's parent failed, and whether it will be tried again.
func (p *pair) parentLost(it plugin.Item) (lost, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	again, lost = p.lost[it.Parent]
	return lost && it.Parent != "", again
}

// orphaned is the error of an item whose parent failed.
func orphaned(p *pair, it plugin.Item) error {
	return &errs.Error{
		Op: "replicate", Kind: errs.NotFound, Side: string(plugin.Target), Code: "ParentNotReplicated",
		Resource: p.Target.Resource.Name, Item: string(it.Key),
		Err: errParent(it.Parent),
	}
}
