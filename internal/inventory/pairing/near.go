package pairing

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear is the number of near misses that are named.
const maxNear = 5

// unpaired says why source s got no target.
func (p *pairing) unpaired(s int32) Unpaired {
	out := Unpaired{Source: p.sources.list[s], Reason: "no target has its type and name, or a tag " + Tag + " with its ID"}
	near := p.near(s)
	if v, ok := p.blocked[s]; ok {
		out.Reason, near = v.reason, v.near
	} else if len(p.ofType(s)) == 0 {
		out.Reason = "there is no target of its type"
	}
	for _, t := range near[:min(maxNear, len(near))] {
		out.Near = append(out.Near, p.targets.list[t].ID)
	}
	return out
}

// near returns targets of the same type that might be meant: first those of the same name
// which no rule may take, then those whose name begins with the source's or is its
// beginning, then, if there are few, all that are free.
func (p *pairing) near(s int32) []int32 {
	key := nameKey(p.sources.ids[s])
	same := p.ofType(s)
	var named, free []int32
	// Keys that begin alike stand together in the sorted list.
	from, _ := slices.BinarySearchFunc(same, key, func(t int32, k string) int { return cmp.Compare(nameKey(p.targets.ids[t]), k) })
	for _, t := range same[from:] {
		if len(named) == maxNear || !strings.HasPrefix(nameKey(p.targets.ids[t]), key) {
			break
		}
		named = append(named, t)
	}
	if from > 0 && strings.HasPrefix(key, nameKey(p.targets.ids[same[from-1]])) {
		named = append(named, same[from-1])
	}
	if len(named) > 0 || len(same) > maxNear {
		return named
	}
	for _, t := range same {
		if p.taken[t] == none {
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
