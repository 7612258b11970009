package local

import (
	"context"

	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// sieve applies a run's filter to one listing. It remembers items that others have as
// their parent, and nothing else: an item that is asked for brings along what holds it,
// and what is in an excluded one is left out with it.
type sieve struct {
	filter   *filter.Filter
	of       filter.Subject
	holds    map[string]bool            // kinds whose items hold others
	waiting  map[plugin.Key]plugin.Item // not asked for, but something in them may be
	excluded map[plugin.Key]bool
	out      int64 // items that were left out for good
}

func newSieve(p *pair, f *filter.Filter) *sieve {
	s := &sieve{
		filter: f, of: filter.Subject{Plugin: p.info.Name, Resource: p.Source.Resource},
		holds: map[string]bool{}, waiting: map[plugin.Key]plugin.Item{}, excluded: map[plugin.Key]bool{},
	}
	for _, k := range p.info.Items {
		s.holds[k.Name] = k.Holds
	}
	return s
}

// pass returns what is to be worked on now that it has been listed: nothing, or the item
// behind those of its parents that nobody has asked for so far.
func (s *sieve) pass(it plugin.Item) []plugin.Item {
	verdict := s.filter.Item(s.of, it)
	if s.excluded[it.Parent] {
		verdict = filter.Excluded
	}
	switch {
	case verdict == filter.Taken:
		return append(s.parents(it.Parent), it)
	case !s.holds[it.Kind]:
		s.out++
	case verdict == filter.Excluded:
		s.excluded[it.Key] = true
		s.out++
	default:
		s.waiting[it.Key] = it
	}
	return nil
}

// parents takes the waiting items above key, the highest first.
func (s *sieve) parents(key plugin.Key) []plugin.Item {
	it, waits := s.waiting[key]
	if !waits {
		return nil
	}
	delete(s.waiting, key)
	return append(s.parents(it.Parent), it)
}

// keeps tells whether what comes later depends on what was listed before.
func (s *sieve) keeps() bool { return len(s.waiting)+len(s.excluded) > 0 }

// left is the number of items that were left out.
func (s *sieve) left() int64 { return s.out + int64(len(s.waiting)) }

// sift takes of a discovered item what the filter lets pass. It returns false if the run
// ended or its journal cannot be read.
func (s *stage) sift(ctx context.Context, p *pair, l *listing, it plugin.Item, win *window) bool {
	for _, it := range p.sieve.pass(it) {
		if !s.take(ctx, p, l, it, win) {
			return false
		}
	}
	return true
}
