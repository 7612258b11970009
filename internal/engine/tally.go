package engine

import (
	"cmp"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The bounds of a report.
const (
	maxFailures = 100 // failures that a report shows
	maxGroups   = 200 // groups in one list; what comes later joins a group of its own
	maxExamples = 5   // examples in a group
)

// otherReasons stands for the reasons that a full list of groups has no room for.
const otherReasons = "other reasons"

// Tally counts what happens to items and makes the Report of it. Its size depends on
// the number of pairs, item kinds and reasons, never on the number of items. It is safe
// for concurrent use.
type Tally struct {
	opt   Options
	pairs []Pair

	mu        sync.Mutex // guards all below
	each      []pairTally
	groups    map[groupKey]*Group
	perList   map[list]int
	failures  []Failure
	failTotal int64
	started   time.Time
	verified  bool // a verify or plan phase has run: fidelity is known
	canceled  error
	resumed   bool
}

// pairTally is one pair's numbers.
type pairTally struct {
	kinds    map[string]*kindTally
	outcomes map[plugin.Status]int64
	plan     map[plugin.State]int64
	paths    map[string]int64
	bytes    int64
	leftOut  int64
	skipped  string
	problem  *Problem
	partial  bool // in some phase it was not listed to its end
}

// kindTally counts the items of one kind in one pair.
type kindTally struct {
	found    map[event.Phase]int64
	verified int64
}

// items is the number of items: the most that any phase found, so that a verification
// that was cut short does not look complete.
func (k *kindTally) items() (n int64) {
	for _, found := range k.found {
		n = max(n, found)
	}
	return n
}

// list is one of a report's lists of groups.
type list int

const (
	skipped list = iota
	unproven
	different
	missing
	warnings
	skippedApply // used only where no verification followed
)

type groupKey struct {
	list              list
	typ, kind, reason string
}

// NewTally starts counting for a run over pairs.
func NewTally(pairs []Pair, opt Options) *Tally {
	t := &Tally{
		opt: opt.WithDefaults(), pairs: pairs, each: make([]pairTally, len(pairs)),
		groups: map[groupKey]*Group{}, perList: map[list]int{},
	}
	for i := range t.each {
		t.each[i] = pairTally{
			kinds:    map[string]*kindTally{},
			outcomes: map[plugin.Status]int64{},
			plan:     map[plugin.State]int64{},
			paths:    map[string]int64{},
		}
	}
	t.started = t.opt.Now()
	return t
}

// Found counts an item that discovery yielded in a phase.
func (t *Tally) Found(pair int, phase event.Phase, it plugin.Item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kind(pair, it.Kind).found[phase]++
}

func (t *Tally) kind(pair int, name string) *kindTally {
	k := t.each[pair].kinds[name]
	if k == nil {
		k = &kindTally{found: map[event.Phase]int64{}}
		t.each[pair].kinds[name] = k
	}
	return k
}

// Done counts how Replicate ended for an item that did not fail.
func (t *Tally) Done(pair int, it plugin.Item, out plugin.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.each[pair].outcomes[out.Status]++
	t.each[pair].bytes += out.Bytes
	if out.Path != "" {
		t.each[pair].paths[out.Path]++
	}
	if out.Status == plugin.Skipped {
		t.group(skippedApply, pair, it, out.Reason)
	}
	for _, w := range out.Warnings {
		t.group(warnings, pair, it, w)
	}
}

// Planned counts how an item compares before any work.
func (t *Tally) Planned(pair int, it plugin.Item, c plugin.Comparison) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.each[pair].plan[c.State]++
	t.compared(pair, it, c)
}

// Verified counts how an item compares after the work.
func (t *Tally) Verified(pair int, it plugin.Item, c plugin.Comparison) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.compared(pair, it, c)
	if c.State == plugin.Missing {
		t.group(missing, pair, it, cmp.Or(c.Reason, "not at the target"))
	}
}

func (t *Tally) compared(pair int, it plugin.Item, c plugin.Comparison) {
	switch c.State {
	case plugin.Same:
		if c.Proven {
			t.kind(pair, it.Kind).verified++
		} else {
			t.group(unproven, pair, it, cmp.Or(c.Reason, "equal as far as the service lets see"))
		}
	case plugin.Different:
		t.group(different, pair, it, cmp.Or(strings.Join(c.Fields, ", "), c.Reason, "content"))
	case plugin.Cannot:
		t.group(skipped, pair, it, c.Reason)
	case plugin.Missing: // a plan counts it; Verified lists it
	}
}

// Failed counts an item that failed for good in a phase.
func (t *Tally) Failed(pair int, phase event.Phase, it plugin.Item, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if phase == event.Applying {
		t.each[pair].outcomes[plugin.Failed]++
	}
	t.failTotal++
	if len(t.failures) < maxFailures {
		t.failures = append(t.failures, Failure{
			Resource: t.pairs[pair].Source.Resource.ID, Item: it.Key, Kind: it.Kind,
			Phase: string(phase), Problem: ProblemOf(err),
		})
	}
}

// Resume counts what an earlier part of the run left in its journal: items of a kind in a
// state, with the bytes they moved. Items without a good end count as found and will be
// counted again when they end.
func (t *Tally) Resume(pair int, kind string, state journal.State, items, bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.resumed = true
	t.kind(pair, kind).found[event.Applying] += items
	switch state {
	case journal.Pending, journal.Started, journal.State(plugin.Failed):
	default:
		t.each[pair].outcomes[plugin.Status(state)] += items
		t.each[pair].bytes += bytes
	}
}

// Warn counts a warning of an earlier part of the run.
func (t *Tally) Warn(pair int, it plugin.Item, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.group(warnings, pair, it, text)
}

// LeftOut notes how many items of a pair the filter left out in one phase; every phase
// leaves out the same ones.
func (t *Tally) LeftOut(pair int, items int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.each[pair].leftOut = max(t.each[pair].leftOut, items)
}

// Skip notes that a pair is not worked on at all.
func (t *Tally) Skip(pair int, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.each[pair].skipped = reason
}

// Partial notes that a pair could not be listed to its end. The first non-nil err is
// what the report shows.
func (t *Tally) Partial(pair int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.each[pair]
	p.partial = true
	if err != nil && p.problem == nil {
		problem := ProblemOf(err)
		p.problem = &problem
	}
}

// Compared notes that a phase began which compares items: groups of skipped items now
// come from comparisons.
func (t *Tally) Compared() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.verified = true
}

// Canceled notes that the run was stopped, and by what. Only the first call counts.
func (t *Tally) Canceled(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.canceled == nil {
		t.canceled = cause
	}
}

// group adds an item to the group of its type, kind and reason in a list.
func (t *Tally) group(l list, pair int, it plugin.Item, reason string) {
	p := t.pairs[pair]
	key := groupKey{l, p.Plugin.Info().Type, it.Kind, reason}
	g := t.groups[key]
	if g == nil && t.perList[l] >= maxGroups {
		key = groupKey{l, "", "", otherReasons}
		g = t.groups[key]
	}
	if g == nil {
		g = &Group{Type: key.typ, Kind: key.kind, Reason: key.reason}
		t.groups[key] = g
		t.perList[l]++
	}
	g.Count++
	if len(g.Examples) < maxExamples {
		g.Examples = append(g.Examples, p.Source.Resource.Name+" "+string(it.Key))
	}
}

// ProblemOf turns an error into its machine-readable form.
func ProblemOf(err error) Problem {
	p := Problem{Kind: string(errs.KindOf(err)), Message: err.Error(), Hint: errs.HintOf(err)}
	for e := errs.Find(err); e != nil; e = errs.Find(e.Err) {
		p.Side = cmp.Or(p.Side, e.Side)
		p.Code = cmp.Or(p.Code, e.Code)
		p.RequestID = cmp.Or(p.RequestID, e.RequestID)
		p.Action = cmp.Or(p.Action, e.Action)
	}
	return p
}
