// Package pairing finds for each source resource the target resource that stands for it.
//
// The rules are tried in order over all resources; the first that answers wins:
//
//	mapping         the mapping file says so (see Mapping)
//	tag             the target carries the tag atg-source-id with the source's ID
//	graph-link      a graph leads from the target to the source
//	graph-name      the target's name is the one that Azure Tenant Grapher's Terraform
//	                emitter makes of the source's node without a tenant
//	same-path       same resource group, type and name
//	same-name       same type and name
//	upstream-name   the target's name is the one that the emitter makes of the source itself
//
// A name that is made of the source's includes those of its parents: the copy of a
// database is looked for under the copy of its server.
//
// A target is given away once. Where a rule finds more than one answer, for the source or
// for the target, the source stays unpaired, with what nearly matched: nothing is guessed.
// A resource is never paired with itself. All comparisons ignore case.
package pairing

import (
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The rules, by the names that matches carry.
const (
	RuleMapping  = "mapping"
	RuleTag      = "tag"
	RuleLink     = "graph-link"
	RuleAlias    = "graph-name"
	RulePath     = "same-path"
	RuleName     = "same-name"
	RuleUpstream = "upstream-name"
)

// Tag is the name of the tag by which a target names its source.
const Tag = "atg-source-id"

// Options steer Pair.
type Options struct {
	// Plugin names the plugin that claims a type and kind, or returns "". Sources without
	// one are counted, not paired. Nil: every source is paired, by its type alone.
	Plugin func(typ, kind string) string
	// Mapping is the explicit mapping; nil for none.
	Mapping *Mapping
	// Links are what the inventories know of ties between sources and targets.
	Links inventory.Links
}

// Match is a source and the target that stands for it.
type Match struct {
	Source plugin.Resource
	Target plugin.Resource
	Rule   string
}

// Unpaired is a source for which no target was found.
type Unpaired struct {
	Source plugin.Resource
	Reason string // one clause
	Near   []Near // targets that nearly matched, at most 5
}

// Near is a target that nearly matched a source.
type Near struct {
	ID  string
	Why string // it was not taken: one clause
}

// Result is the outcome of Pair. Matches and Unpaired stand in the order of the sources.
type Result struct {
	Matches   []Match
	Unpaired  []Unpaired
	Unclaimed map[string]int // number of sources that no plugin handles, by type
}

// Pair applies the rules. It fails, with an *errs.Error of kind Invalid, only where the
// mapping does not fit the resources: an ID or name that is unknown or ambiguous, two types
// in one pair, a resource paired with itself. A resource that is listed twice counts once.
func Pair(sources, targets []plugin.Resource, opt Options) (Result, error) {
	p := newPairing(sources, targets, opt)
	if err := p.applyMapping(); err != nil {
		return Result{}, err
	}
	p.apply(rule{name: RuleTag, propose: p.byTag, explicit: true, many: "targets carry the tag " + Tag + " with this source's ID"})
	p.apply(rule{name: RuleLink, propose: p.byLink, explicit: true, many: "targets are led from to it by a graph"})
	p.apply(rule{name: RuleAlias, propose: p.byAlias, many: "targets have a name that is derived from its node in the graph"})
	p.apply(rule{name: RulePath, propose: p.byPath, many: "targets have its resource group, type and name"})
	p.apply(rule{name: RuleName, propose: p.byName, many: "targets have its type and name"})
	p.apply(rule{name: RuleUpstream, propose: p.byUpstreamName, many: "targets have a name that is derived from it"})
	return p.result(), nil
}

// none stands for "no resource" where an index into a list is due.
const none = int32(-1)

// pairing is the state of one call of Pair. Resources are known by their place in the lists.
type pairing struct {
	opt              Options
	sources, targets *side
	taken            []int32  // by target: the source that got it
	got              []int32  // by source: its target
	rules            []string // by source: the rule that paired it
	matches          int
	blocked          map[int32]verdict
	unclaimed        map[string]int

	// Made when they are first needed:
	tagged  *index             // targets by the ID in their tag
	linked  *index             // targets by the ID to which a graph leads from them
	byBlock *index             // targets by type and the name of their block
	subs    []string           // subscriptions of the targets
	types   map[string][]int32 // targets by type, sorted by name
}

// verdict is why a source could not be paired, by the first rule that had something to say.
type verdict struct {
	reason string
	near   []int32
	final  bool // no later rule may answer
}

func newPairing(sources, targets []plugin.Resource, opt Options) *pairing {
	if opt.Plugin == nil {
		opt.Plugin = func(typ, _ string) string { return strings.ToLower(typ) }
	}
	p := &pairing{opt: opt, blocked: map[int32]verdict{}, unclaimed: map[string]int{}}
	p.sources = newSide(sources, func(r plugin.Resource) bool {
		claimed := opt.Plugin(r.Type, r.Kind) != ""
		if !claimed {
			p.unclaimed[r.Type]++
		}
		return claimed
	})
	p.targets = newSide(targets, nil)
	p.targets.index()
	p.got, p.taken = filled(len(sources)), filled(len(targets))
	p.rules = make([]string, len(sources))
	return p
}

func filled(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = none
	}
	return out
}

// rule is one way to find a source's target.
type rule struct {
	name     string
	explicit bool                  // somebody wrote it down: what it decides is out of the way of later rules
	propose  func(s int32) []int32 // candidate targets of a source
	many     string                // what to say of several candidates, behind their number
}

// apply lets every source propose, then pairs those whose proposal nobody disputes.
// Sources that an inferred rule paired propose again: what they would take is disputed.
func (p *pairing) apply(r rule) {
	proposed := filled(len(p.got))               // by source: the target that it proposes
	claims := make([]int32, len(p.targets.list)) // by target: how many propose it
	for s := range p.sources.each() {
		if v, ok := p.blocked[s]; ok && v.final || p.explicit(s) {
			continue
		}
		found := p.fitting(s, r.propose(s), r)
		switch {
		case len(found) == 1:
			proposed[s] = found[0]
			claims[found[0]]++
		case len(found) > 1 && p.got[s] == none:
			p.block(s, verdict{fmt.Sprintf("%d %s", len(found), r.many), found, r.explicit})
		}
	}
	for s := range p.sources.each() {
		if t := proposed[s]; t != none && p.got[s] == none {
			p.settle(r, s, t, claims[t])
		}
	}
}

// settle gives target t to source s if it is free and nobody else proposes it.
func (p *pairing) settle(r rule, s, t, claims int32) {
	switch {
	case claims > 1:
		p.block(s, verdict{reason: fmt.Sprintf("%d sources lay claim to the same target by the rule %s", claims, r.name), near: []int32{t}})
	case p.taken[t] != none:
		p.block(s, verdict{reason: "its target is that of " + p.sources.list[p.taken[t]].ID, near: []int32{t}})
	default:
		p.give(s, t, r.name)
	}
}

func (p *pairing) give(s, t int32, rule string) {
	p.got[s], p.taken[t], p.rules[s] = t, s, rule
	p.matches++
	delete(p.blocked, s)
}

// block keeps the first verdict on a source.
func (p *pairing) block(s int32, v verdict) {
	if _, ok := p.blocked[s]; !ok {
		p.blocked[s] = v
	}
}

// explicit tells whether a source was paired by what somebody wrote down.
func (p *pairing) explicit(s int32) bool {
	return p.got[s] != none && (p.rules[s] == RuleMapping || p.rules[s] == RuleTag || p.rules[s] == RuleLink)
}

// fitting returns the candidates that may stand for s.
func (p *pairing) fitting(s int32, candidates []int32, r rule) []int32 {
	var out []int32
	for _, t := range candidates {
		if owner := p.taken[t]; owner != none && p.explicit(owner) && owner != s {
			continue
		}
		if p.fits(s, t) && (r.explicit || !p.tagNamesAnother(s, t)) {
			out = append(out, t)
		}
	}
	return out
}

// fits tells whether t is another resource than s, of the same type and, where both kinds
// are known, for the same plugin.
func (p *pairing) fits(s, t int32) bool {
	a, b := &p.sources.list[s], &p.targets.list[t]
	if !strings.EqualFold(a.Type, b.Type) || p.sources.ids[s] == p.targets.ids[t] {
		return false
	}
	return a.Kind == "" || b.Kind == "" || p.opt.Plugin(a.Type, a.Kind) == p.opt.Plugin(b.Type, b.Kind)
}

func (p *pairing) result() Result {
	res := Result{Unclaimed: p.unclaimed, Matches: make([]Match, 0, p.matches)}
	if rest := len(p.sources.byID) - p.matches; rest > 0 {
		res.Unpaired = make([]Unpaired, 0, rest)
	}
	for s := range p.sources.each() {
		if t := p.got[s]; t != none {
			res.Matches = append(res.Matches, Match{p.sources.list[s], p.targets.list[t], p.rules[s]})
		} else {
			res.Unpaired = append(res.Unpaired, p.unpaired(s))
		}
	}
	return res
}
