package share

import (
	"context"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
)

// side is the listing of the target's directory, which runs beside the source's. Azure does
// not say in which order it lists, so nothing rests on one but the economy: both sides are
// thought to have the same order, and a part of the target's listing is held for the names
// to come.
type side struct {
	at     node.Place
	nfs    bool
	window map[string]*listing.Entry // by name
	folded map[string]int            // how many in window have a name that differs by case alone, at most
	order  []string                  // names in window, as they were listed
	marker string
	ended  bool
	blind  bool // it cannot be listed
	gaps   bool // entries were dropped that nobody asked for
	misses int  // names asked for in vain since the window was full
}

// keep is how much of a target's directory is held at least before some is dropped.
const keep = listing.PageSize

func newSide(at node.Place, nfs bool) *side {
	return &side{at: at, nfs: nfs, window: map[string]*listing.Entry{}, folded: map[string]int{}}
}

// nothing is the listing of a directory that is not there.
func nothing() *side { return &side{ended: true} }

// find returns what the target has under a name, nil if nothing. known is false if the
// listing cannot tell.
func (s *side) find(ctx context.Context, name string) (e *listing.Entry, known bool) {
	for !s.blind {
		if e := s.window[name]; e != nil {
			s.pass(name)
			return e, true
		}
		switch {
		case s.folded[strings.ToLower(name)] > 0:
			return nil, false // a share of SMB takes it for the same name, one of NFS does not
		case s.ended:
			return nil, !s.gaps
		case len(s.order) >= 2*keep:
			if s.misses++; s.misses < keep {
				return nil, false
			}
			s.drop(keep)
		}
		s.more(ctx)
	}
	return nil, false
}

// pass drops what was listed before a name, if that is much.
func (s *side) pass(name string) {
	s.misses = 0
	if len(s.order) <= keep {
		return
	}
	for i, o := range s.order {
		if o == name {
			s.drop(i)
			return
		}
	}
}

// drop forgets the first n entries.
func (s *side) drop(n int) {
	for _, name := range s.order[:n] {
		delete(s.window, name)
		key := strings.ToLower(name)
		if s.folded[key]--; s.folded[key] == 0 {
			delete(s.folded, key)
		}
	}
	s.gaps = s.gaps || n > 0
	s.misses, s.order = 0, append([]string(nil), s.order[n:]...)
}

// more reads a page. A target that cannot be listed is looked at file by file later, and
// then says why.
func (s *side) more(ctx context.Context) {
	var page []listing.Entry
	c, err := s.at.Directory(ctx, s.at.Share, s.at.Path)
	if err == nil {
		page, s.marker, err = listing.Page(ctx, c, s.marker, s.nfs)
	}
	switch {
	case node.Missing(err):
		s.ended = true
		return
	case err != nil:
		s.blind = true
		return
	}
	for i := range page {
		e := &page[i]
		s.window[e.Name] = e
		s.folded[strings.ToLower(e.Name)]++
		s.order = append(s.order, e.Name)
	}
	s.ended = s.marker == ""
}
