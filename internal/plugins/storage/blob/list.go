package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// maxMarker bounds the marker that a cursor holds: an item is a name tag.
const maxMarker = 2 << 10

// cursor is a place in an account's listing: behind a blob, or behind the container's own
// item if blob is "". The service lists from a marker, which starts a page; the blob is
// known there by a checksum of its name, since names can be as long as items may be.
type cursor struct{ container, blob, marker string }

func (c cursor) String() string { return c.container + "|" + c.blob + "|" + c.marker }

func readCursor(s string) cursor {
	name, rest, _ := strings.Cut(s, "|")
	blob, marker, _ := strings.Cut(rest, "|")
	return cursor{name, blob, marker}
}

func nameSum(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:8])
}

// walk lists the blobs of one container of the source beside those of the target.
type walk struct {
	part.Listing
	name  string
	begun time.Time // by the target's clock; zero where nobody asks
	query listing.Query
	src   *container.Client
	dst   *side // nil: the target is not looked at
	yield func(plugin.Item, error) bool

	marker  string // of the page at hand
	pending []*listing.Entry
	stopped bool
	last    string // name of the last blob
	mixed   bool   // the names do not come in the order that the two listings are matched by
}

// queryFor says what a listing of an account's container has to show.
func queryFor(setting func(string) string, f account.Facts) listing.Query {
	q := listing.Query{Tags: hasTags(f) && setting(setTags) == tagsCopied, Access: f.HNS && setting(setACLMap) != ""}
	if h := setting(setHistory); h != historyNone && !f.HNS {
		q.History = h
	}
	return q
}

// run yields the container's blobs behind the place after. It returns false if the stream
// has to end.
func (w *walk) run(ctx context.Context, after cursor) bool {
	w.query = queryFor(w.Setting, w.Source.Facts)
	w.query.Marker = after.marker
	skip := after.blob
	for {
		w.marker = w.query.Marker
		entries, next, err := readPage(ctx, w.src, w.query)
		if err != nil {
			w.flush(ctx)
			return !w.stopped && w.yield(plugin.Item{}, w.Fail("list the blobs of "+w.name, err, readBlobs, readTags)) && ctx.Err() == nil
		}
		if skip != "" {
			entries, skip = behind(entries, skip), ""
		}
		for _, e := range entries {
			if ctx.Err() != nil {
				w.yield(plugin.Item{}, w.Fail("list the blobs of "+w.name, ctx.Err()))
				return false
			}
			if !w.take(ctx, e) {
				return false
			}
		}
		if next == "" {
			w.flush(ctx)
			return !w.stopped
		}
		if w.query.History == "" {
			w.flush(ctx)
		}
		w.query.Marker = next
	}
}

func readPage(ctx context.Context, c *container.Client, q listing.Query) ([]*listing.Entry, string, error) {
	var out []*listing.Entry
	next, err := listing.Page(ctx, c, q, func(e *listing.Entry) bool {
		out = append(out, e)
		return true
	})
	return out, next, err
}

// behind returns the entries behind the one that a cursor names; all of them if it is gone.
func behind(entries []*listing.Entry, sum string) []*listing.Entry {
	found := -1
	for i, e := range entries {
		if nameSum(e.Name) == sum {
			found = i
		}
	}
	return entries[found+1:]
}

// take gathers the entries of one name, of which there are several where snapshots or
// versions are listed, and yields the item of the name before it.
func (w *walk) take(ctx context.Context, e *listing.Entry) bool {
	if len(w.pending) > 0 && w.pending[0].Name != e.Name {
		w.flush(ctx)
	}
	w.pending = append(w.pending, e)
	return !w.stopped
}

// flush yields the item of the entries at hand.
func (w *walk) flush(ctx context.Context) {
	entries := w.pending
	w.pending = nil
	if len(entries) == 0 || w.stopped {
		return
	}
	h := historyOf(entries)
	if h.now == nil || h.now.Name == "" {
		return // a blob that is deleted and has a past is none
	}
	r := ref{Past: len(h.past), Access: accessOf(h.now, w.query.Access)}
	if w.dst != nil {
		r.AtThere, r.New = w.compare(ctx, h)
	}
	at := cursor{container: w.name, blob: nameSum(h.now.Name), marker: w.marker}
	text := at.String()
	if len(w.marker) > maxMarker {
		text = ""
	}
	w.stopped = !w.yield(item(w.name, h.now, w.Source.HNS, r, text), nil)
}

// compare notes what the target has under the name, and whether it was written since this
// listing began.
func (w *walk) compare(ctx context.Context, h history) (at *hint.Hint, isNew bool) {
	w.mixed = w.mixed || (w.last != "" && !w.dst.before(w.last, h.now.Name))
	w.last = h.now.Name
	there, ok := w.dst.find(ctx, h.now.Name)
	if !ok || w.mixed {
		return nil, false
	}
	is := hint.Absent
	if there.now != nil {
		isNew = !w.begun.IsZero() && there.now.Modified.After(w.begun)
		is = judge(seenOf(h.now), seenOf(there.now), w.Target.Facts).state
		if h.differs(there) || w.query.Access { // ACLs are to be mapped: each item looks at its own
			is = other
		}
	}
	return hint.New(w.Target, is, time.Now()), isNew
}

// side is the listing of the target's container, which runs beside the source's.
type side struct {
	c     *container.Client
	query listing.Query
	hns   bool
	ready []*listing.Entry
	ended bool
	blind bool // it cannot be listed, or not in the order of names
	from  string
}

func newSide(l part.Listing, c *container.Client, from string) *side {
	return &side{c: c, query: queryFor(l.Setting, l.Target.Facts), hns: l.Target.HNS && l.Source.HNS, from: from}
}

// before tells whether the services list a before b: by bytes, and with a hierarchical
// namespace a directory's content right behind it.
func (s *side) before(a, b string) bool {
	if s.hns {
		return strings.ReplaceAll(a, "/", "\x00") < strings.ReplaceAll(b, "/", "\x00")
	}
	return a < b
}

// find returns what the target has under a name. Names are asked for in order. ok is false
// if the listing cannot tell.
func (s *side) find(ctx context.Context, name string) (h history, ok bool) {
	for !s.blind {
		for len(s.ready) > 0 && s.before(s.ready[0].Name, name) {
			s.drop()
		}
		whole := s.ended || (len(s.ready) > 0 && s.ready[len(s.ready)-1].Name != s.ready[0].Name)
		if len(s.ready) > 0 && (whole || s.query.History == "") {
			if s.ready[0].Name != name {
				return history{}, true
			}
			n := 1
			for n < len(s.ready) && s.ready[n].Name == name {
				n++
			}
			return historyOf(s.ready[:n]), true
		}
		if s.ended {
			return history{}, !s.blind
		}
		s.more(ctx, name)
	}
	return history{}, false
}

// drop forgets the first entry.
func (s *side) drop() {
	if len(s.ready) > 1 && s.before(s.ready[1].Name, s.ready[0].Name) {
		s.blind = true
	}
	s.ready = s.ready[1:]
}

// more reads a page. A target that cannot be listed is looked at blob by blob later, and
// then says why.
func (s *side) more(ctx context.Context, name string) {
	if s.query.Marker == "" && s.from != "" {
		s.query.From = name
	}
	entries, next, err := readPage(ctx, s.c, s.query)
	s.query.From = ""
	switch {
	case err != nil && isMissing(err):
		s.ended = true
		return
	case err != nil:
		s.blind = true
		return
	}
	s.ready = append(s.ready[:len(s.ready):len(s.ready)], entries...)
	s.query.Marker, s.ended = next, next == ""
}
