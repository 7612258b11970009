package local

import (
	"context"
	"errors"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// feed puts the items of p into the window: first those that an earlier part of the run
// left, then those that it had not come to. A phase that only reads knows no past.
func (s *stage) feed(ctx context.Context, p *pair, win *window) {
	if s.phase.writes() && !s.goOn(ctx, p, win) {
		return
	}
	if !s.phase.writes() || !s.ledger.listed(p) {
		s.discover(ctx, p, win)
	}
}

// goOn puts what an earlier part of the run left into the window. It returns false if the
// run ended or its journal cannot be read.
func (s *stage) goOn(ctx context.Context, p *pair, win *window) bool {
	for left, err := range s.ledger.unfinished(ctx, p) {
		if err != nil {
			s.unread(ctx, p, err)
			return false
		}
		w := work{
			item: left.Item, ref: left.Ref, state: left.State, doubt: left.State != journal.Pending,
			checkpoint: left.Checkpoint, attempts: left.Attempts,
		}
		if !win.add(ctx, w, true) {
			s.tally.Partial(p.index, nil)
			return false
		}
		p.found++
	}
	return true
}

// unread notes that the journal could not tell what is left to do.
func (s *stage) unread(ctx context.Context, p *pair, err error) {
	if ctx.Err() != nil {
		err = nil // it was the run that ended
	}
	s.gap(p, err)
}

// discover lists the source of p into the window. If listing breaks off with a passing
// error, nothing came after it and the last item has a cursor, listing goes on from
// there. Any other error leaves a gap: the pair is then partial, and what else is found
// is worked on all the same.
func (s *stage) discover(ctx context.Context, p *pair, win *window) {
	l := listing{}
	p.sieve = newSieve(p, s.opt.Filter)
	defer func() { s.tally.LeftOut(p.index, p.sieve.left()) }()
	if s.phase.writes() {
		l.cursor = s.ledger.cursor(p)
	}
	for attempt := 1; ; attempt++ {
		l.tail = nil
		s.list(ctx, p, &l, win)
		if ctx.Err() != nil || l.stopped {
			s.tally.Partial(p.index, nil)
			return
		}
		if l.tail == nil {
			break
		}
		wait, again := s.opt.Retry.Next(attempt, l.tail)
		if !again || !l.resumable() || s.opt.Sleep(ctx, wait) != nil {
			s.gap(p, l.tail)
			break
		}
	}
	if s.phase.writes() && ctx.Err() == nil {
		s.ledger.listingEnded(p, p.firstError())
	}
}

// listing is how far the listing of a source came.
type listing struct {
	items   int64  // seen so far
	cursor  string // of the last item, or where an earlier part of the run came to
	gap     bool   // a part was left out: a later listing must not go on behind it
	tail    error  // the error after which nothing came
	stopped bool   // the taker took no more
}

// resumable tells whether listing can go on behind the last item.
func (l *listing) resumable() bool { return l.items == 0 || l.cursor != "" }

// list goes through one Discover and notes in l how far it came.
func (s *stage) list(ctx context.Context, p *pair, l *listing, win *window) {
	defer func() {
		if v := recover(); v != nil {
			l.tail = panicked("list the items", v)
		}
	}()
	opt := plugin.DiscoverOptions{Mode: s.opt.Mode, Settings: p.settings, After: l.cursor}
	if !p.Future {
		opt.Target = &p.Target
	}
	for it, err := range p.Plugin.Discover(ctx, p.Source, opt) {
		if err == nil && it.Key == "" {
			err = &errs.Error{Op: "list the items", Kind: errs.Internal, Err: errors.New("the plugin yielded an item without a key")}
		}
		if l.tail != nil {
			s.gap(p, l.tail)
			l.tail, l.gap = nil, true
		}
		if err != nil {
			l.tail = err
			continue
		}
		if ctx.Err() != nil || !s.sift(ctx, p, l, it, win) {
			l.stopped = true
			return
		}
		l.items, l.cursor = l.items+1, it.Cursor
	}
}

// take puts a discovered item into the window, unless the run knows it. It returns false
// if the run ended or its journal cannot be read.
func (s *stage) take(ctx context.Context, p *pair, l *listing, it plugin.Item, win *window) bool {
	w := work{item: it, state: journal.Pending}
	if s.phase.writes() {
		known, err := s.ledger.known(ctx, p, it)
		if err != nil {
			s.unread(ctx, p, err)
			return false
		}
		if known {
			return true
		}
		cursor := it.Cursor
		if l.gap || p.sieve.keeps() {
			cursor = "" // a later listing has to see again what was left out before
		}
		if w.ref, err = s.ledger.discovered(p, it, cursor); err != nil {
			s.tally.Found(p.index, s.phase.name(), it)
			s.phase.end(s, p, ending{work: &w, err: err})
			return true
		}
	}
	if !win.add(ctx, w, s.phase.writes()) {
		return false
	}
	s.tally.Found(p.index, s.phase.name(), it)
	p.found++
	return true
}

// gap notes that a part of p's source could not be listed; err may be nil.
func (s *stage) gap(p *pair, err error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
	}
	p.mu.Unlock()
	s.tally.Partial(p.index, err)
}

// firstError returns the first error of discovery, or nil.
func (p *pair) firstError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
