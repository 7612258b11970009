package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Preference is what makes one set of roles better than another that grants enough too.
type Preference string

// The preferences.
const (
	// Fewest wants as few roles as can be, and among those the ones that grant least.
	Fewest Preference = "fewest"
	// Narrowest wants the roles that grant least, however many that takes.
	Narrowest Preference = "narrowest"
)

// Preferences lists every preference, the default first.
func Preferences() []Preference { return []Preference{Fewest, Narrowest} }

// Choice is a set of roles that was chosen.
type Choice struct {
	Roles   []Role // in the order of their names
	Breadth Breadth
	Needed  []Operation // what was asked for
	// Beyond are the operations of the same providers that the roles grant though nobody
	// asked for them.
	Beyond []Operation
	// Uncovered are operations that no role of the list grants: they need a custom role.
	Uncovered []Operation
}

// Least chooses from the built-in roles the set that grants every needed operation and is
// best by the preference; among equals the one that comes first by name. What no role
// grants is Uncovered and left out of the search.
func Least(needed []Operation, prefer Preference) Choice {
	return LeastOf(BuiltIn().Roles, needed, prefer)
}

// LeastOf is Least for a list of roles of the caller's. Roles that are meant for somebody
// in particular are passed over.
func LeastOf(roles []Role, needed []Operation, prefer Preference) Choice {
	s := &search{prefer: prefer}
	c := Choice{Needed: slices.Clone(needed)}
	for _, r := range roles {
		if r.For == "" && slices.ContainsFunc(needed, r.Covers) {
			s.roles = append(s.roles, r)
		}
	}
	slices.SortFunc(s.roles, func(a, b Role) int { return cmp.Compare(a.Name, b.Name) })
	for _, op := range needed {
		if slices.ContainsFunc(s.roles, func(r Role) bool { return r.Covers(op) }) {
			s.needed = append(s.needed, op)
		} else {
			c.Uncovered = append(c.Uncovered, op)
		}
	}
	for _, r := range s.roles {
		s.reaches = append(s.reaches, reachOf(r.Element))
		s.grants = append(s.grants, grantsOf(r, s.needed))
	}
	s.run(nil, reachOf(Element{}))
	c.Roles, c.Breadth = s.best, s.breadth
	slices.SortFunc(c.Roles, func(a, b Role) int { return cmp.Compare(a.Name, b.Name) })
	c.Beyond = beyondNeed(c.Roles, needed)
	return c
}

// Excess counts what the roles grant beyond the need at the same providers: operations
// that do more than read, and those that read.
func (c Choice) Excess() Breadth {
	var b Breadth
	for _, op := range c.Beyond {
		b.count(op.Name, 1)
	}
	return b
}

// search looks for the best set of roles: it takes the first operation that is not
// granted yet, tries each role that grants it, and gives a way up as soon as it is no
// better than the best one found. That visits every set worth looking at.
type search struct {
	prefer  Preference
	roles   []Role      // each grants something that is needed
	reaches []reach     // of the roles, in their order
	needed  []Operation // each granted by some role
	grants  [][]bool    // by role, by needed operation: matching is slow, and is done once
	found   bool
	best    []Role
	breadth Breadth
}

func (s *search) run(chosen []int, sum reach) {
	breadth := sum.breadth()
	if s.found && !s.better(len(chosen), breadth) {
		return
	}
	open := s.open(chosen)
	if open < 0 {
		s.found, s.breadth, s.best = true, breadth, nil
		for _, i := range chosen {
			s.best = append(s.best, s.roles[i])
		}
		return
	}
	for i := range s.roles {
		if s.grants[i][open] {
			s.run(append(slices.Clone(chosen), i), sum.with(s.reaches[i]))
		}
	}
}

// open returns the first needed operation that the chosen roles do not grant; -1 if there is
// none.
func (s *search) open(chosen []int) int {
	for op := range s.needed {
		if !slices.ContainsFunc(chosen, func(i int) bool { return s.grants[i][op] }) {
			return op
		}
	}
	return -1
}

// grantsOf tells of each operation whether a role grants it.
func grantsOf(r Role, ops []Operation) []bool {
	out := make([]bool, len(ops))
	for i, op := range ops {
		out[i] = r.Covers(op)
	}
	return out
}

// better compares a set with the best one. Both measures only grow as roles are added.
func (s *search) better(count int, b Breadth) bool {
	if s.prefer == Narrowest && b != s.breadth {
		return b.less(s.breadth)
	}
	if count != len(s.best) {
		return count < len(s.best)
	}
	return b.less(s.breadth)
}

// beyondNeed lists the operations of the needed operations' providers that the roles
// grant beside them.
func beyondNeed(roles []Role, needed []Operation) []Operation {
	var out []Operation
	for _, op := range listed() {
		namespace, _, _ := strings.Cut(op.Name, "/")
		related := slices.ContainsFunc(needed, func(n Operation) bool {
			return strings.HasPrefix(strings.ToLower(n.Name), strings.ToLower(namespace)+"/")
		})
		if related && !slices.ContainsFunc(needed, op.same) && slices.ContainsFunc(roles, func(r Role) bool { return r.Covers(op) }) {
			out = append(out, op)
		}
	}
	return out
}
