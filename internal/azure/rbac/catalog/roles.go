package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:embed roles.json
var rolesJSON []byte

// Role is a built-in role.
type Role struct {
	ID   string `json:"id"` // GUID, the same in every tenant
	Name string `json:"name"`
	// For says for whom the role is meant, where that is not everybody: such a role is
	// never proposed.
	For string `json:"for,omitempty"`
	Element
}

// Roles is the list of built-in roles: those that grant operations of the providers that
// this package has a list of, and those that grant everything.
type Roles struct {
	Date    string   `json:"date"`    // when the roles were like this: "2026-08-22"
	Sources []string `json:"sources"` // where it was read
	Roles   []Role   `json:"roles"`
}

var builtIn = sync.OnceValues(func() (Roles, error) {
	var r Roles
	if err := json.Unmarshal(rolesJSON, &r); err != nil {
		return r, fmt.Errorf("built-in roles: %w", err)
	}
	return r, nil
})

// BuiltIn returns the built-in roles. The result is the caller's own.
func BuiltIn() Roles {
	r, _ := builtIn() // the file is part of the program; a test reads it
	r.Sources, r.Roles = slices.Clone(r.Sources), slices.Clone(r.Roles)
	return r
}

// Breadth is how much roles grant. Less is better: first fewer changes, then fewer reads.
type Breadth struct {
	Changes int `json:"changes"` // operations that do more than read: writes, deletions, actions
	Reads   int `json:"reads"`
}

// less compares, changes first.
func (b Breadth) less(other Breadth) bool {
	if b.Changes != other.Changes {
		return b.Changes < other.Changes
	}
	return b.Reads < other.Reads
}

// count adds n operations of a name or a pattern.
func (b *Breadth) count(name string, n int) {
	if strings.HasSuffix(strings.ToLower(name), "/read") {
		b.Reads += n
	} else {
		b.Changes += n
	}
}

// reach is what roles grant together.
type reach struct {
	ops    []bool         // of the listed operations, in their order
	beyond map[string]int // patterns that reach beyond the lists, with an estimate of how far
}

func reachOf(e Element) reach {
	r := reach{ops: make([]bool, len(listed())), beyond: map[string]int{}}
	for i, op := range listed() {
		r.ops[i] = e.Covers(op)
	}
	for _, list := range [][]string{e.Actions, e.DataActions} {
		for _, pattern := range list {
			if n := beyond(pattern); n > 0 {
				r.beyond[strings.ToLower(pattern)] = n
			}
		}
	}
	return r
}

// with is what r and other grant together.
func (r reach) with(other reach) reach {
	sum := reach{ops: slices.Clone(r.ops), beyond: maps.Clone(r.beyond)}
	for i, has := range other.ops {
		sum.ops[i] = sum.ops[i] || has
	}
	maps.Copy(sum.beyond, other.beyond)
	return sum
}

// breadth counts every listed operation once, and for patterns that reach beyond the
// lists an estimate by their form.
func (r reach) breadth() Breadth {
	var b Breadth
	for i, op := range listed() {
		if r.ops[i] {
			b.count(op.Name, 1)
		}
	}
	for pattern, n := range r.beyond {
		b.count(pattern, n)
	}
	return b
}

// beyond estimates how many operations of unlisted providers a pattern covers. The
// estimate only ranks roles: a provider has about a hundred operations, one of its types
// about ten, all of Azure tens of thousands.
func beyond(pattern string) int {
	namespace, rest, _ := strings.Cut(pattern, "/")
	if _, known := Operations(namespace); known {
		return 0
	}
	switch {
	case strings.Contains(namespace, "*"):
		return 20_000
	case !strings.Contains(rest, "*"):
		return 1
	case strings.HasPrefix(rest, "*"):
		return 100
	default:
		return 10
	}
}

// listed returns the operations of every provider that there is a list of.
var listed = sync.OnceValue(func() []Operation {
	all, _ := providers() // the files are part of the program; a test reads them
	names := make([]string, 0, len(all))
	for n := range all {
		names = append(names, n)
	}
	slices.Sort(names)
	var out []Operation
	for _, n := range names {
		out = append(out, all[n].All()...)
	}
	return out
})
