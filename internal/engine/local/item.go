package local

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine/pace"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var (
	errAborted = errors.New("the run was aborted")
	errTimeout = errors.New("the time for one item is over")
)

// errParent is the cause of an item's failure where its parent failed.
type errParent plugin.Key

func (e errParent) Error() string {
	return fmt.Sprintf("its parent %s could not be replicated", string(e))
}

// process works on one item until it is done, has failed for good or is left for the
// second round. If ctx ends before a worker is free, the item is left as it was.
func (s *stage) process(ctx context.Context, p *pair, policy retry.Policy, w work) {
	if lost, again := p.parentLost(w.item); lost && s.phase.writes() {
		s.giveUp(ctx, p, &w, orphaned(p, w.item), again)
		return
	}
	start := s.opt.Now()
	for try := 1; ; try++ {
		res, err, taken := s.attempt(ctx, p, &w)
		if !taken {
			return
		}
		if err == nil {
			s.phase.end(s, p, ending{work: &w, result: res, took: s.opt.Now().Sub(start)})
			return
		}
		wait, again := policy.Next(try, err)
		if again {
			s.ledger.ended(&w, journal.Started, plugin.Outcome{}, err)
			s.opt.Emit(event.Retrying{
				Resource: p.Source.Resource.ID, Item: w.item.Key, Attempt: w.attempts, Wait: wait, Err: err,
			})
			again = s.opt.Sleep(ctx, wait) == nil
		}
		if !again {
			w.took = s.opt.Now().Sub(start)
			s.giveUp(ctx, p, &w, err, errs.Retryable(err))
			return
		}
	}
}

// giveUp ends the item's round: it is kept for the second one, or has failed.
func (s *stage) giveUp(ctx context.Context, p *pair, w *work, err error, retryable bool) {
	if s.keep(p, *w, retryable && ctx.Err() == nil) {
		if w.attempts > 0 { // not an orphan, whose turn never came
			s.ledger.ended(w, journal.Started, plugin.Outcome{}, err)
		}
		s.opt.Emit(event.Retrying{
			Resource: p.Source.Resource.ID, Item: w.item.Key, Attempt: w.attempts, Requeued: true, Err: err,
		})
		return
	}
	s.phase.end(s, p, ending{work: w, err: err, took: w.took})
}

// attempt tries the item once, within the limits. taken is false if ctx ended first.
func (s *stage) attempt(ctx context.Context, p *pair, w *work) (res result, err error, taken bool) {
	held, err := s.limits.take(ctx, p.Pair, w.item.Size)
	if err != nil {
		return result{}, err, false
	}
	defer held.release()
	w.attempts++
	if s.phase.writes() {
		s.begin(p, w)
	}
	//nolint:contextcheck // items at work outlive ctx, see outlive
	err = s.guarded(pace.WithSlot(s.hard, held), w.item.Key, func(ctx context.Context, idle *time.Timer) (err error) {
		res, err = s.phase.try(ctx, p, w, s.task(ctx, p, w, idle))
		return err
	})
	return res, err, true
}

// begin records an attempt, and tells of the item's first one.
func (s *stage) begin(p *pair, w *work) {
	s.ledger.started(w)
	if !w.begun {
		s.opt.Emit(event.ItemStarted{Resource: p.Source.Resource.ID, Item: w.item.Key, Kind: w.item.Kind})
		w.begun = true
	}
}

// cut tells whether an item ended only because the run did.
func (s *stage) cut(err error) bool { return errs.KindOf(err) == errs.Canceled && s.hard.Err() != nil }

// guarded runs one attempt, and ends it when it has not moved a byte for as long as its
// time limit: what is large may take longer. A panic of the plugin becomes an error of
// this attempt. key names what is tried.
func (s *stage) guarded(ctx context.Context, key plugin.Key, attempt func(context.Context, *time.Timer) error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(s.opt.ItemTimeout, func() { cancel(errTimeout) })
	defer idle.Stop()
	op := s.phase.verb()
	defer func() {
		if v := recover(); v != nil {
			err = panicked(op, v)
		}
	}()
	err = attempt(ctx, idle)
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		err = &errs.Error{
			Op: op, Kind: errs.Unavailable, Item: string(key), Code: "ItemTimeout",
			Err: fmt.Errorf("neither done nor further after %s: %w", s.opt.ItemTimeout, err),
		}
	}
	return err
}

// task makes the plugin's view of an item. idle ends the attempt if nothing moves.
func (s *stage) task(ctx context.Context, p *pair, w *work, idle *time.Timer) plugin.Task {
	return plugin.Task{
		Source: p.Source, Target: p.Target, Mode: s.opt.Mode, Item: w.item,
		Settings: p.settings, Overwrite: s.opt.Overwrite,
		Checkpoint: w.checkpoint,
		Save:       func(b []byte) error { return s.ledger.save(ctx, w, b) },
		Progress:   s.progress(p, w.item, idle),
		Confined:   !s.opt.Filter.Whole(filter.Subject{Plugin: p.info.Name, Resource: p.Source.Resource}),
	}
}

// progressEvery is how often an item may report its progress.
const progressEvery = 200 * time.Millisecond

// progress returns the function that reports how much of an item was moved, and with each
// byte gives it its time limit anew.
func (s *stage) progress(p *pair, it plugin.Item, idle *time.Timer) func(int64) {
	var last, most atomic.Int64 // Unix nanoseconds of the last report; bytes
	last.Store(s.opt.Now().UnixNano())
	return func(bytes int64) {
		if before := most.Load(); bytes > before && most.CompareAndSwap(before, bytes) {
			idle.Reset(s.opt.ItemTimeout)
		}
		now, before := s.opt.Now().UnixNano(), last.Load()
		if now-before < int64(progressEvery) || !last.CompareAndSwap(before, now) {
			return
		}
		s.opt.Emit(event.ItemProgress{Resource: p.Source.Resource.ID, Item: it.Key, Bytes: bytes, Size: it.Size})
	}
}

// panicked turns a plugin's panic into an error that names the place and, for errors of
// the Go runtime alone, the text: any other text might hold what the plugin had read.
func panicked(op string, v any) error {
	what := fmt.Sprintf("panic of type %T", v)
	if e, ok := v.(runtime.Error); ok {
		what = "panic: " + e.Error()
	}
	return &errs.Error{Op: op, Kind: errs.Internal, Err: fmt.Errorf("%s at %s", what, panicSite())}
}

// panicSite returns the function and line that panicked. It must be called while the
// panic is being recovered.
func panicSite() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	thrown := false
	for {
		f, more := frames.Next()
		if thrown && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		thrown = thrown || f.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}
