package local

import (
	"context"
	"errors"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// discover lists the source of p and gives each item to take, until take returns false.
// If listing breaks off with a passing error, nothing came after it and the last item
// has a cursor, listing goes on from there. Any other error leaves a gap: the pair is
// then partial, and what else is found is worked on all the same.
func (s *stage) discover(ctx context.Context, p *pair, take func(plugin.Item) bool) {
	var l listing
	for attempt := 1; ; attempt++ {
		l.tail = nil
		s.list(ctx, p, &l, take)
		if ctx.Err() != nil || l.stopped {
			s.tally.Partial(p.index, nil)
			return
		}
		if l.tail == nil {
			return
		}
		wait, again := s.opt.Retry.Next(attempt, l.tail)
		if !again || !l.resumable() || s.opt.Sleep(ctx, wait) != nil {
			s.gap(p, l.tail)
			return
		}
	}
}

// listing is how far the listing of a source came.
type listing struct {
	items   int64  // seen so far
	cursor  string // of the last item
	tail    error  // the error after which nothing came
	stopped bool   // the taker took no more
}

// resumable tells whether listing can go on behind the last item.
func (l *listing) resumable() bool { return l.items == 0 || l.cursor != "" }

// list goes through one Discover and notes in l how far it came.
func (s *stage) list(ctx context.Context, p *pair, l *listing, take func(plugin.Item) bool) {
	defer func() {
		if v := recover(); v != nil {
			l.tail = panicked("list the items", v)
		}
	}()
	opt := plugin.DiscoverOptions{Mode: s.opt.Mode, Settings: p.settings, After: l.cursor}
	for it, err := range p.Plugin.Discover(ctx, p.Source, opt) {
		if err == nil && it.Key == "" {
			err = &errs.Error{Op: "list the items", Kind: errs.Internal, Err: errors.New("the plugin yielded an item without a key")}
		}
		if l.tail != nil {
			s.gap(p, l.tail)
			l.tail = nil
		}
		if err != nil {
			l.tail = err
			continue
		}
		if ctx.Err() != nil || !take(it) {
			l.stopped = true
			return
		}
		s.tally.Found(p.index, s.phase.name(), it)
		p.found++
		l.items, l.cursor = l.items+1, it.Cursor
	}
}

// gap notes that a part of p's source could not be listed.
func (s *stage) gap(p *pair, err error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
	}
	p.mu.Unlock()
	s.tally.Partial(p.index, err)
}
