package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// phase is what a stage does with each item.
type phase interface {
	name() event.Phase
	verb() string // of one attempt, for errors
	writes() bool // parents must then come before children
	// try makes one attempt. Its result is valid: statuses and states are known ones.
	try(ctx context.Context, p *pair, w *work, t plugin.Task) (result, error)
	// end counts and tells how an item ended.
	end(s *stage, p *pair, e ending)
}

// result is what an attempt that did not fail gave: one of the two, by phase.
type result struct {
	outcome    plugin.Outcome
	comparison plugin.Comparison
}

// ending is how an item ended.
type ending struct {
	work   *work
	result result
	err    error // the item failed
	took   time.Duration
}

type applying struct{}

func (applying) name() event.Phase { return event.Applying }
func (applying) verb() string      { return "replicate" }
func (applying) writes() bool      { return true }

func (applying) try(ctx context.Context, p *pair, w *work, t plugin.Task) (result, error) {
	if w.doubt {
		settled, err := settle(ctx, p, t)
		if settled.outcome.Status != "" || err != nil {
			return settled, err
		}
		w.doubt = false
	}
	out, err := p.Plugin.Replicate(ctx, t)
	if err == nil {
		err = checkOutcome(out)
	}
	return result{outcome: out}, err
}

// settle compares an item that an earlier part of the run may have written. If it is there
// and the same, nothing is left to do; otherwise the result is empty and it is replicated.
func settle(ctx context.Context, p *pair, t plugin.Task) (result, error) {
	c, ok := p.Plugin.(plugin.Comparer)
	if !ok {
		return result{}, nil
	}
	got, err := c.Compare(ctx, t)
	if err != nil || got.State != plugin.Same {
		return result{}, err
	}
	return result{outcome: plugin.Outcome{Status: plugin.Unchanged}}, nil
}

func checkOutcome(out plugin.Outcome) error {
	const op = "replicate"
	switch {
	case out.Status == plugin.Failed || !slices.Contains(plugin.Statuses(), out.Status):
		return &errs.Error{Op: op, Kind: errs.Internal, Err: fmt.Errorf("the plugin returned status %q and no error", out.Status)}
	case out.Status == plugin.Skipped && out.Reason == "":
		return &errs.Error{Op: op, Kind: errs.Internal, Err: errors.New("the plugin gave no reason why it skipped the item")}
	}
	return nil
}

func (applying) end(s *stage, p *pair, e ending) {
	done := event.ItemDone{
		Resource: p.Source.Resource.ID, Item: e.work.item.Key, Kind: e.work.item.Kind,
		Status: plugin.Failed, Duration: e.took, Err: e.err,
	}
	if e.err != nil {
		s.tally.Failed(p.index, event.Applying, e.work.item, e.err)
		if !s.cut(e.err) { // what was cut stays in doubt
			s.ledger.ended(e.work, journal.State(plugin.Failed), plugin.Outcome{}, e.err)
		}
	} else {
		out := e.result.outcome
		s.ledger.ended(e.work, journal.State(out.Status), out, nil)
		s.tally.Done(p.index, e.work.item, out)
		done.Status, done.Reason, done.Warnings, done.Bytes = out.Status, out.Reason, out.Warnings, out.Bytes
	}
	s.opt.Emit(done)
}

type planning struct{}

func (planning) name() event.Phase { return event.Planning }
func (planning) verb() string      { return "compare" }
func (planning) writes() bool      { return false }

func (planning) try(ctx context.Context, p *pair, _ *work, t plugin.Task) (result, error) {
	if p.Future {
		return result{comparison: plugin.Comparison{State: plugin.Missing}}, nil
	}
	return compare(ctx, p, t, "whether it is missing or the same is unknown until it is applied: ")
}

func (planning) end(s *stage, p *pair, e ending) {
	c := e.result.comparison
	planned := event.ItemPlanned{
		Resource: p.Source.Resource.ID, Item: e.work.item.Key, Kind: e.work.item.Kind,
		State: c.State, Fields: c.Fields, Reason: c.Reason,
	}
	if e.err != nil {
		s.tally.Failed(p.index, event.Planning, e.work.item, e.err)
		planned.State, planned.Err = plugin.Cannot, e.err
	} else {
		s.tally.Planned(p.index, e.work.item, c)
	}
	s.opt.Emit(planned)
}

type verifying struct{}

func (verifying) name() event.Phase { return event.Verifying }
func (verifying) verb() string      { return "verify" }
func (verifying) writes() bool      { return false }

func (verifying) try(ctx context.Context, p *pair, _ *work, t plugin.Task) (result, error) {
	return compare(ctx, p, t, "not verified: ")
}

func (verifying) end(s *stage, p *pair, e ending) {
	c := e.result.comparison
	s.ledger.verified(p, e.work.item, c, e.err)
	verified := event.ItemVerified{
		Resource: p.Source.Resource.ID, Item: e.work.item.Key, Kind: e.work.item.Kind,
		State: c.State, Proven: c.Proven, Fields: c.Fields, Reason: c.Reason, Err: e.err,
	}
	if e.err != nil {
		s.tally.Failed(p.index, event.Verifying, e.work.item, e.err)
		verified.State = plugin.Cannot
	} else {
		s.tally.Verified(p.index, e.work.item, c)
	}
	s.opt.Emit(verified)
}

// compare asks the plugin how an item compares. A plugin that has no comparison gets the
// answer Cannot, with a reason that starts with unable.
func compare(ctx context.Context, p *pair, t plugin.Task, unable string) (result, error) {
	c, ok := p.Plugin.(plugin.Comparer)
	if !ok {
		return result{comparison: plugin.Comparison{
			State: plugin.Cannot, Reason: unable + p.info.Name + " has no comparison",
		}}, nil
	}
	got, err := c.Compare(ctx, t)
	if err == nil {
		err = checkState(got)
	}
	return result{comparison: got}, err
}

func checkState(c plugin.Comparison) error {
	switch c.State {
	case plugin.Missing, plugin.Same, plugin.Different:
		return nil
	case plugin.Cannot:
		if c.Reason != "" {
			return nil
		}
		return &errs.Error{Op: "compare", Kind: errs.Internal, Err: errors.New("the plugin gave no reason why it cannot")}
	}
	return &errs.Error{Op: "compare", Kind: errs.Internal, Err: fmt.Errorf("the plugin returned state %q", c.State)}
}
