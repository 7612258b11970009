package pairing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxNear is the number of near misses that are named.
const maxNear = 5

// unpaired says why source s got no target.
func (p *pairing) unpaired(s int32) Unpaired {
	v, blocked := p.blocked[s]
	if !blocked {
		v = verdict{reason: p.reason(s), near: p.near(s)}
	}
	out := Unpaired{Source: p.sources.list[s], Reason: v.reason}
	for _, t := range v.near[:min(maxNear, len(v.near))] {
		out.Near = append(out.Near, Near{p.targets.list[t].ID, p.whyNot(s, t, blocked)})
	}
	return out
}

// whyNot says why source s did not get target t, which nearly matched. proposed tells
// whether a rule proposed it.
func (p *pairing) whyNot(s, t int32, proposed bool) string {
	a, b := &p.sources.list[s], &p.targets.list[t]
	owner := p.taken[t]
	switch {
	case owner != none:
		return fmt.Sprintf("it is the target of %s by the rule %s", p.sources.list[owner].ID, p.rules[owner])
	case p.tagNamesAnother(s, t):
		return "its tag " + Tag + " names " + tagOf(*b)
	case !p.fits(s, t):
		return fmt.Sprintf("it is of kind %q, not %q", b.Kind, a.Kind)
	case proposed && len(p.blocked[s].near) > 1:
		return "it is one of several that the same rule answers with"
	case proposed:
		return "the same rule answers with it for another source too"
	case strings.EqualFold(a.Name, b.Name):
		return "its parent has another name"
	}
	return "it has another name"
}

// reason says why no rule proposed a target for s. A target of its name may be there and
// be out of the question.
func (p *pairing) reason(s int32) string {
	for _, t := range p.byName(s) {
		owner := p.taken[t]
		switch {
		case p.sources.ids[s] == p.targets.ids[t]:
			continue // the source itself
		case owner != none && p.explicit(owner):
			return fmt.Sprintf("the target of its type and name is that of %s by the rule %s", p.sources.list[owner].ID, p.rules[owner])
		case !p.fits(s, t):
			return fmt.Sprintf("the target of its type and name is of another kind: %q, not %q", p.targets.list[t].Kind, p.sources.list[s].Kind)
		default:
			return "the target of its type and name has a tag " + Tag + " that names another source"
		}
	}
	if len(p.ofType(s)) == 0 {
		return "there is no target of its type"
	}
	return "no target has its type and name, or a tag " + Tag + " with its ID"
}

// near returns targets of the same type that might be meant: first those of the same name
// which no rule may take, then those whose name begins with the source's or is its
// beginning, then, if there are few, all that are free.
func (p *pairing) near(s int32) []int32 {
	key := nameKey(p.sources.ids[s])
	same := p.ofType(s)
	var named, free []int32
	itself := func(t int32) bool { return p.targets.ids[t] == p.sources.ids[s] }
	// Keys that begin alike stand together in the sorted list.
	from, _ := slices.BinarySearchFunc(same, key, func(t int32, k string) int { return cmp.Compare(nameKey(p.targets.ids[t]), k) })
	for _, t := range same[from:] {
		if len(named) == maxNear || !strings.HasPrefix(nameKey(p.targets.ids[t]), key) {
			break
		}
		if !itself(t) {
			named = append(named, t)
		}
	}
	if from > 0 && strings.HasPrefix(key, nameKey(p.targets.ids[same[from-1]])) {
		named = append(named, same[from-1])
	}
	if len(named) > 0 || len(same) > maxNear {
		return named
	}
	for _, t := range same {
		if p.taken[t] == none && !itself(t) {
			free = append(free, t)
		}
	}
	return free
}

// ofType returns the targets of the source's type, sorted by their name keys. A source is
// not among its own targets.
func (p *pairing) ofType(s int32) []int32 {
	if p.types == nil {
		p.types = map[string][]int32{}
		for t := range p.targets.each() {
			typ := strings.ToLower(p.targets.list[t].Type)
			p.types[typ] = append(p.types[typ], t)
		}
		for _, ts := range p.types {
			slices.SortFunc(ts, func(a, b int32) int { return cmp.Compare(nameKey(p.targets.ids[a]), nameKey(p.targets.ids[b])) })
		}
	}
	return p.types[strings.ToLower(p.sources.list[s].Type)]
}
