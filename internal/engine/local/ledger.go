package local

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// ledger is a run's view of its journal. A nil ledger records nothing and has no past.
type ledger struct {
	journal *journal.Journal
	places  []int          // by index of a pair: its place in the journal
	past    []journal.Pair // by index of a pair: how far its listing came
	resumed bool           // an earlier part of the run is recorded
}

// newLedger records the pairs of a run or, if the journal has them already, finds them in
// it and counts what was done. It fails with kind Invalid if the pairs or plugins are not
// those of the journal.
func newLedger(ctx context.Context, pairs []engine.Pair, opt engine.Options, tally *engine.Tally) (*ledger, error) {
	if opt.Journal == nil {
		return nil, nil
	}
	past, err := opt.Journal.Pairs(ctx)
	if err != nil {
		return nil, err
	}
	l := &ledger{journal: opt.Journal, places: make([]int, len(pairs)), past: make([]journal.Pair, len(pairs))}
	if len(past) == 0 {
		for i, p := range pairs {
			l.places[i], l.past[i] = i, pairOf(p)
		}
		return l, opt.Journal.RecordPairs(ctx, l.past)
	}
	l.resumed = true
	if err := sameMode(ctx, opt); err != nil {
		return nil, err
	}
	for i, p := range pairs {
		if l.places[i], err = find(past, pairOf(p)); err != nil {
			return nil, err
		}
		l.past[i] = past[l.places[i]]
	}
	return l, l.recall(ctx, pairs, tally)
}

// sameMode refuses to go on in another mode: what was done would not be what is verified.
func sameMode(ctx context.Context, opt engine.Options) error {
	run, err := opt.Journal.Run(ctx)
	if err != nil {
		return err
	}
	if run.Mode == opt.Mode || run.Mode == "" {
		return nil
	}
	return &errs.Error{
		Op: "go on with the run", Kind: errs.Invalid, Resource: run.ID,
		Err: fmt.Errorf("it was begun in %s mode, not %s", run.Mode, opt.Mode),
	}
}

func pairOf(p engine.Pair) journal.Pair {
	info := p.Plugin.Info()
	return journal.Pair{
		Source: p.Source.Resource.ID, Target: p.Target.Resource.ID, Type: info.Type,
		Plugin: info.Name, PluginVersion: info.Version, Rule: p.Rule,
	}
}

// find returns the place of a pair among those of the journal.
func find(past []journal.Pair, p journal.Pair) (int, error) {
	refused := func(format string, args ...any) error {
		return &errs.Error{
			Op: "go on with the run", Kind: errs.Invalid, Resource: p.Source,
			Err: fmt.Errorf(format, args...), Hint: "begin a new run: what is there already is left as it is",
		}
	}
	for i, q := range past {
		if !strings.EqualFold(p.Source, q.Source) {
			continue
		}
		switch {
		case !strings.EqualFold(p.Target, q.Target):
			return 0, refused("its target was %s and is now %s", q.Target, p.Target)
		case p.Plugin != q.Plugin || p.PluginVersion != q.PluginVersion:
			return 0, refused("it was begun with plugin %s %s, this is %s %s", q.Plugin, q.PluginVersion, p.Plugin, p.PluginVersion)
		}
		return i, nil
	}
	return 0, refused("it was no part of the run")
}

// recall counts what the earlier part of the run did.
func (l *ledger) recall(ctx context.Context, pairs []engine.Pair, tally *engine.Tally) error {
	index := map[int]int{} // by place in the journal
	for i, place := range l.places {
		index[place] = i
	}
	counts, err := l.journal.Counts(ctx)
	if err != nil {
		return err
	}
	for _, c := range counts {
		if i, ok := index[c.Pair]; ok {
			tally.Resume(i, c.Kind, c.State, c.Items, c.Bytes)
		}
	}
	for w, err := range l.journal.Warnings(ctx) {
		if err != nil {
			return err
		}
		if i, ok := index[w.Pair]; ok && i < len(pairs) {
			tally.Warn(i, plugin.Item{Key: w.Key, Kind: w.Kind}, w.Text)
		}
	}
	return nil
}

// unfinished streams the items of a pair that an earlier part of the run left.
func (l *ledger) unfinished(ctx context.Context, p *pair) iter.Seq2[journal.Item, error] {
	if l == nil || !l.resumed {
		return func(func(journal.Item, error) bool) {}
	}
	return l.journal.Unfinished(ctx, l.places[p.index])
}

// listed tells whether a pair's source need not be listed any more.
func (l *ledger) listed(p *pair) bool { return l != nil && l.past[p.index].Listed }

// cursor is where the listing of a pair goes on.
func (l *ledger) cursor(p *pair) string {
	if l == nil {
		return ""
	}
	return l.past[p.index].Cursor
}

// known tells whether an earlier part of the run has seen an item already.
func (l *ledger) known(ctx context.Context, p *pair, it plugin.Item) (bool, error) {
	if l == nil || !l.resumed {
		return false, nil
	}
	return l.journal.Known(ctx, l.places[p.index], it.Key)
}

// discovered records a new item; cursor is "" where listing must not go on behind it.
func (l *ledger) discovered(p *pair, it plugin.Item, cursor string) (journal.Ref, error) {
	if l == nil {
		return journal.Ref{}, nil
	}
	return l.journal.RecordDiscovered(l.places[p.index], it, cursor)
}

// listingEnded records that the listing of a pair came to its end, with a gap if err is set.
func (l *ledger) listingEnded(p *pair, err error) {
	if l != nil {
		l.journal.RecordListed(l.places[p.index], err)
	}
}

// started records that an attempt at an item begins.
func (l *ledger) started(w *work) {
	if l == nil || w.ref.Seq == 0 {
		return
	}
	l.journal.RecordStarted(w.ref, w.item, w.state, w.attempts)
	w.state = journal.Started
}

// ended records how an item or, if to is Started, one attempt at it ended.
func (l *ledger) ended(w *work, to journal.State, out plugin.Outcome, err error) {
	if l == nil || w.ref.Seq == 0 {
		return
	}
	l.journal.RecordEnded(w.ref, w.item, journal.Ending{
		From: w.state, To: to, Attempts: w.attempts,
		Reason: out.Reason, Warnings: out.Warnings, Bytes: out.Bytes, Err: err,
	})
	w.state = to
}

// save keeps a checkpoint of an item until its end; on disk, if there is a journal.
func (l *ledger) save(ctx context.Context, w *work, data []byte) error {
	if l != nil && w.ref.Seq != 0 {
		if err := l.journal.SaveCheckpoint(ctx, w.ref, data); err != nil {
			return err
		}
	}
	w.checkpoint = append([]byte(nil), data...)
	return nil
}

// verifying records that a verification begins.
func (l *ledger) verifying() {
	if l != nil {
		l.journal.RecordVerifying()
	}
}

// verified records why an item is not proven equal, if it is not.
func (l *ledger) verified(p *pair, it plugin.Item, c plugin.Comparison, err error) {
	switch {
	case l == nil || err == nil && c.State == plugin.Same && c.Proven:
	case err != nil:
		l.journal.RecordUnverified(l.places[p.index], it, err)
	default:
		l.journal.RecordVerdict(journal.Verdict{
			Pair: l.places[p.index], Key: it.Key, Kind: it.Kind, State: c.State, Fields: c.Fields, Reason: c.Reason,
		})
	}
}

// finish records how the run ended.
func (l *ledger) finish(ctx context.Context, r *engine.Report) error {
	if l == nil {
		return nil
	}
	status := journal.Finished
	switch {
	case r.Run.Canceled:
		status = journal.Canceled
	case r.FailTotal > 0 || !r.Run.Complete:
		status = journal.Partial
	}
	doc, err := json.Marshal(r)
	if err != nil {
		return &errs.Error{Op: "record the report", Kind: errs.Internal, Err: err}
	}
	return l.journal.Finish(ctx, status, doc)
}

// watch ends the returned context, with the reason as its cause, when the journal cannot
// be written any more. stop must be called; it waits for the goroutine that watch starts.
func watch(ctx context.Context, l *ledger) (watched context.Context, stop func()) {
	if l == nil {
		return ctx, func() {}
	}
	watched, cancel := context.WithCancelCause(ctx)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-l.journal.Failed():
			cancel(l.journal.Err())
		case <-done:
		}
	}()
	return watched, func() {
		close(done)
		<-ended
		cancel(context.Canceled)
	}
}
