package local

import (
	"context"
	"fmt"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine/pace"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// window makes the window of a pair for so many workers. Where one call takes several
// items, each worker must be able to have one: such a call may be many requests in turn.
func (s *stage) window(p *pair, workers int) *window {
	size, batch := windowSize, map[string]int{} // by item kind
	if _, can := p.Plugin.(plugin.BatchReplicator); can && s.phase.writes() && !p.second {
		for _, k := range p.info.Items {
			batch[k.Name] = k.Batch
			size = max(size, k.Batch*workers)
		}
	}
	return newWindow(size, func(w work) int {
		if w.doubt {
			return 0
		}
		return batch[w.item.Kind]
	})
}

// together works on a group by one call that has one place of the limits. What the call
// leaves goes alone afterwards: that decides about retry, errors and reports. If ctx ends
// before a worker is free, the items are left as they were.
func (s *stage) together(ctx context.Context, p *pair, win *window, group []work) {
	if lost, _ := p.parentLost(group[0].item); lost {
		for _, w := range group {
			win.alone(w)
		}
		return
	}
	start := s.opt.Now()
	outs, err, taken := s.attemptAll(ctx, p, group)
	took := s.opt.Now().Sub(start)
	for i := range group {
		w := &group[i]
		switch {
		case !taken:
		case err != nil && s.hard.Err() != nil:
			w.took = took
			s.giveUp(ctx, p, w, err, false)
		case err != nil || checkOutcome(outs[i]) != nil:
			w.attempts-- // it is not the item that failed
			win.alone(*w)
			continue
		default:
			s.phase.end(s, p, ending{work: w, result: result{outcome: outs[i]}, took: took})
		}
		win.done(w.item.Key)
	}
}

// attemptAll tries a group once, within the limits. taken is false if ctx ended first.
// Without an error there is an outcome for each item.
func (s *stage) attemptAll(ctx context.Context, p *pair, group []work) (outs []plugin.Outcome, err error, taken bool) {
	size := int64(0)
	for i := range group {
		size += max(group[i].item.Size, 0)
	}
	held, err := s.limits.take(ctx, p.Pair, size)
	if err != nil {
		return nil, err, false
	}
	defer held.release()
	for i := range group {
		group[i].attempts++
		s.begin(p, &group[i])
	}
	//nolint:contextcheck // items at work outlive ctx, see outlive
	err = s.guarded(pace.WithSlot(s.hard, held), group[0].item.Key, func(ctx context.Context, idle *time.Timer) (err error) {
		outs, err = s.replicateAll(ctx, p, group, idle)
		return err
	})
	return outs, err, true
}

func (s *stage) replicateAll(ctx context.Context, p *pair, group []work, idle *time.Timer) ([]plugin.Outcome, error) {
	tasks := make([]plugin.Task, len(group))
	for i := range group {
		tasks[i] = s.task(ctx, p, &group[i], idle)
	}
	// There are groups for such plugins alone, see window.
	outs, err := p.Plugin.(plugin.BatchReplicator).ReplicateBatch(ctx, tasks)
	if err == nil && len(outs) != len(tasks) {
		err = &errs.Error{
			Op: s.phase.verb(), Kind: errs.Internal,
			Err: fmt.Errorf("the plugin returned %d outcomes for %d items", len(outs), len(tasks)),
		}
	}
	return outs, err
}
