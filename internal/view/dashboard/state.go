package dashboard

import (
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// outcome is one way in which an item can end or compare.
type outcome int

const (
	created outcome = iota
	updated
	unchanged
	skipped
	missing
	different
	proven
	same // and not proven
	cannot
	failed
	outcomes // how many there are
)

// words name the outcomes: in sentences, as titles of columns, and as titles where there
// is little room.
var words = [outcomes]struct{ text, title, short string }{
	created:   {"created", "Created", "New"},
	updated:   {"updated", "Updated", "Upd"},
	unchanged: {"unchanged", "Unchanged", "Same"},
	skipped:   {"skipped", "Skipped", "Skip"},
	missing:   {"missing", "Missing", "Miss"},
	different: {"different", "Different", "Diff"},
	proven:    {"proven equal", "Proven", "Prov"},
	same:      {"same", "Same", "Same"},
	cannot:    {"not copyable", "Cannot", "Cant"},
	failed:    {"failed", "Failed", "Fail"},
}

// tally counts items by outcome.
type tally [outcomes]int64

func (t tally) items() int64 {
	var n int64
	for _, c := range t {
		n += c
	}
	return n
}

// text is the tally in words, failures first: "2 failed, 110 created, 10 skipped".
func (t tally) text() string {
	var parts []string
	if t[failed] > 0 {
		parts = append(parts, number(t[failed])+" "+words[failed].text)
	}
	for o, n := range t[:failed] {
		if n > 0 {
			parts = append(parts, number(n)+" "+words[o].text)
		}
	}
	return strings.Join(parts, ", ")
}

// stage is what happened in one phase of the run.
type stage struct {
	phase           event.Phase
	began, ended    time.Time // ended is zero while it is under way
	sum             tally
	retries         int64
	bytes           int64
	pairs, unpaired int64
	broken          int64 // resources that could not be listed to their end
	deployed        deployed
}

// standing is where a resource is in the phase at hand.
type standing int

const (
	waiting standing = iota
	working
	done
	cutOff // the run was stopped before all its items ended
	leftOut
)

// standings name them.
var standings = [...]string{waiting: "waiting", working: "at work", done: "done", cutOff: "cut off", leftOut: "left out"}

// resource is a pair of resources and what happened to its items in the phase at hand.
type resource struct {
	place          int    // among all, as they came
	source, target string // names, printable
	standing       standing
	reason         string // why it is left out
	broken         bool   // it could not be listed to its end
	sum            tally
	applied        tally // sum of the phase that wrote
	wrote          bool  // that phase is over
	open           int64 // items that were started and have not ended
	found          int64 // items listed, once it is done
	expect         int64 // items that an earlier phase found; -1 if that is not known
	rate           rate
	touched        time.Time // when something last happened to it
}

// total returns how many items the resource has. If more may come it is not exact.
func (r *resource) total() (n int64, exact bool) {
	seen := r.sum.items() + r.open
	switch {
	case r.standing == leftOut:
		return 0, true
	case r.standing == done:
		return max(r.found, seen), !r.broken
	case r.expect >= seen:
		return r.expect, true
	default:
		return seen, false
	}
}

// trouble tells whether something about the resource went wrong.
func (r *resource) trouble() bool { return r.broken || r.sum[failed] > 0 || r.applied[failed] > 0 }

// pause is what a host asked for.
type pause struct {
	until time.Time
	times int64 // how often it asked
}

// failure is one item or resource that failed, or any other thing worth a line.
type failure struct {
	at   time.Time
	text string
}

const (
	maxRecent = 3    // failures that the live area shows
	maxHosts  = 256  // paused hosts that are remembered
	maxMoving = 4096 // items whose bytes are followed
)

// state is all that the dashboard knows of a run. Its size depends on the number of
// resources, never on that of items. It is not safe for concurrent use.
type state struct {
	explain func(error) string
	resumed bool // see Options.Resumed

	run, command   string
	mode           plugin.Mode
	source, target string // tenants
	began, ended   time.Time
	stopping       bool // the run was asked to stop

	stages    []*stage
	resources map[string]*resource // by source ID
	order     []*resource          // as they came
	hosts     map[string]*pause
	moving    map[moved]int64 // bytes of items under way
	recent    []failure       // the last ones, oldest first
	spilled   []failure       // pushed out of recent; whoever folds takes them away
	itemRate  rate
	byteRate  rate
}

type moved struct {
	resource string
	item     plugin.Key
}

// newState returns the state before the first event. explain writes an error in one line.
func newState(explain func(error) string) *state {
	return &state{
		explain:   explain,
		resources: map[string]*resource{},
		hosts:     map[string]*pause{},
		moving:    map[moved]int64{},
	}
}

// stage is the phase at hand.
func (s *state) stage() *stage {
	if len(s.stages) == 0 {
		s.stages = append(s.stages, &stage{began: s.began})
	}
	return s.stages[len(s.stages)-1]
}

// resource returns what is known of a source, which may be new.
func (s *state) resource(id string) *resource {
	r := s.resources[id]
	if r == nil {
		r = &resource{place: len(s.order), source: nameOf(id), expect: -1}
		s.resources[id] = r
		s.order = append(s.order, r)
	}
	return r
}
