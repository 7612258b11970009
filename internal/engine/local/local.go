// Package local runs plan, apply and verify in this process.
//
// A stage goes through the pairs in waves: a resource type starts once every type that
// its plugin names in After has ended. Within a wave pairs run side by side. For each
// pair one goroutine discovers items into a bounded window, out of which workers take
// those whose parent is done, one by one or, where the plugin can, several alike by one
// call; three limits hold at once: workers over all pairs, items or calls on one target
// resource, and bytes at work. Nothing is kept per item beyond the window and the items
// that wait for their second chance, whose number is bounded too.
package local

import (
	"context"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// Runner implements engine.Runner in this process. It is safe for concurrent use.
type Runner struct{}

var _ engine.Runner = (*Runner)(nil)

// New returns a Runner.
func New() *Runner { return &Runner{} }

// Plan compares every item and writes nothing. It keeps no journal.
func (r *Runner) Plan(ctx context.Context, pairs []engine.Pair, opt engine.Options) (*engine.Report, error) {
	opt.Journal = nil
	return r.run(ctx, pairs, opt, planning{})
}

// Apply replicates every item, then discovers and compares every item anew. A run that
// was canceled while it replicated is not verified. With a journal that holds an earlier
// part of the run, Apply goes on with it: items without a good end are tried, those in
// doubt are compared first, and listing goes on where it stopped.
func (r *Runner) Apply(ctx context.Context, pairs []engine.Pair, opt engine.Options) (*engine.Report, error) {
	return r.run(ctx, pairs, opt, applying{}, verifying{})
}

// Verify compares every item and reports fidelity. It keeps no journal.
func (r *Runner) Verify(ctx context.Context, pairs []engine.Pair, opt engine.Options) (*engine.Report, error) {
	opt.Journal = nil
	return r.run(ctx, pairs, opt, verifying{})
}

// run carries out phases one after the other, until ctx ends or the journal fails.
func (r *Runner) run(ctx context.Context, pairs []engine.Pair, opt engine.Options, phases ...phase) (*engine.Report, error) {
	opt = opt.WithDefaults()
	if err := engine.Check(pairs, opt); err != nil {
		return nil, err
	}
	waves, err := order(pairs)
	if err != nil {
		return nil, err
	}
	tally := engine.NewTally(pairs, opt)
	record, err := newLedger(ctx, pairs, opt, tally)
	if err != nil {
		return nil, err
	}
	opened(pairs, opt)
	s := &stage{pairs: pairs, opt: opt, tally: tally, limits: newLimits(pairs, opt), ledger: record}
	s.all(ctx, waves, phases)
	end := opt.Now()
	report := tally.Report(end)
	err = record.finish(context.WithoutCancel(ctx), report)
	if !opt.Part {
		opt.Emit(event.RunFinished{Run: opt.Run, Time: end})
	}
	return report, err
}

// all carries out the phases.
func (s *stage) all(ctx context.Context, waves [][]int, phases []phase) {
	ctx, unwatch := watch(ctx, s.ledger)
	defer unwatch()
	var stop func()
	s.hard, stop = outlive(ctx, s.opt)
	defer stop()
	for _, ph := range phases {
		if ctx.Err() != nil {
			break
		}
		s.opt.Emit(event.PhaseStarted{Phase: ph.name()})
		if !ph.writes() {
			s.tally.Compared()
			s.ledger.verifying()
		}
		s.phase = ph
		s.run(ctx, waves)
	}
	if ctx.Err() != nil {
		s.tally.Canceled(context.Cause(ctx))
	}
}

func opened(pairs []engine.Pair, opt engine.Options) {
	if opt.Part {
		return
	}
	source, target := engine.Tenants(pairs, opt)
	opt.Emit(event.RunStarted{
		Run: opt.Run, Command: opt.Command, Mode: opt.Mode,
		SourceTenant: source, TargetTenant: target, Time: opt.Now(),
	})
}

// outlive returns a context that ends later than ctx: Options.Grace after it, or when
// Options.Abort is closed. Items at work run under it. stop must be called; it waits
// for the goroutine that outlive starts.
func outlive(ctx context.Context, opt engine.Options) (hard context.Context, stop func()) {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var over <-chan struct{} // closed when the time of grace is over
		for soft := ctx.Done(); ; {
			select {
			case <-done:
				return
			case <-opt.Abort:
				cancel(errAborted)
				return
			case <-soft:
				left, wake := context.WithTimeout(hard, opt.Grace)
				defer wake()
				soft, over = nil, left.Done()
			case <-over:
				cancel(context.Cause(ctx))
				return
			}
		}
	}()
	return hard, func() {
		close(done)
		<-ended
		cancel(context.Canceled)
	}
}
