package optable

import (
	"maps"
	"slices"
	"strings"
)

// node is one position in the trie of path segments.
type node struct {
	literal map[string]*node // by lower-case segment
	param   *node            // {name}: exactly one segment
	span    *node            // {+name}: any number of segments
	ops     map[string]*Op   // by method
}

// child returns the node behind a template segment and makes it if need be.
func (n *node) child(seg string) *node {
	switch {
	case strings.HasPrefix(seg, "{+"):
		if n.span == nil {
			n.span = &node{}
		}
		return n.span
	case param(seg):
		if n.param == nil {
			n.param = &node{}
		}
		return n.param
	}
	key := strings.ToLower(seg)
	if n.literal == nil {
		n.literal = map[string]*node{}
	}
	if n.literal[key] == nil {
		n.literal[key] = &node{}
	}
	return n.literal[key]
}

// search is one walk for the best template of a path.
type search struct {
	method string
	segs   []string // lower-case
	best   *Op
	score  int
}

// Find returns the operation that fits a method and path best, and nil if there is
// none: one that names the namespace before one that does not, then the one with more
// literal segments. Case does not matter, nor do empty segments.
func (t *Table) Find(method, path string) *Op {
	s := &search{method: method, segs: split(strings.ToLower(path))}
	s.walk(t.root, 0, 0)
	return s.best
}

// walk tries every way through the trie from the i-th segment on; literals is the
// number of literal segments so far.
func (s *search) walk(n *node, i, literals int) {
	if i == len(s.segs) {
		s.offer(n.ops[s.method], literals)
	} else {
		if c := n.literal[s.segs[i]]; c != nil {
			s.walk(c, i+1, literals+1)
		}
		if n.param != nil {
			s.walk(n.param, i+1, literals)
		}
	}
	if n.span != nil {
		for j := i; j <= len(s.segs); j++ {
			s.walk(n.span, j, literals)
		}
	}
}

func (s *search) offer(op *Op, literals int) {
	if op == nil {
		return
	}
	score := literals + 1
	if !op.Generic {
		score += 1000
	}
	if score > s.score {
		s.best, s.score = op, score
	}
}

// Len is the number of lines the table was made of.
func (t *Table) Len() int { return t.size }

// Namespaces lists the resource providers, sorted.
func (t *Table) Namespaces() []string {
	out := make([]string, 0, len(t.types))
	for _, types := range t.types {
		for _, typ := range types {
			out = append(out, typ.Namespace)
			break
		}
	}
	slices.Sort(out)
	return out
}

// Types lists the resource types of a namespace, sorted by name; none if the table does
// not know the namespace.
func (t *Table) Types(namespace string) []Type {
	types := t.types[strings.ToLower(namespace)]
	out := make([]Type, 0, len(types))
	for _, key := range slices.Sorted(maps.Keys(types)) {
		out = append(out, *types[key])
	}
	return out
}

// Type looks a resource type up: "Microsoft.KeyVault", "vaults/secrets".
func (t *Table) Type(namespace, name string) (Type, bool) {
	typ, ok := t.types[strings.ToLower(namespace)][strings.ToLower(name)]
	if !ok {
		return Type{}, false
	}
	return *typ, true
}
