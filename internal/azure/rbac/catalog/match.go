package catalog

import (
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Operation is one operation of a resource provider, as a role grants it.
type Operation struct {
	Name string // "Microsoft.KeyVault/vaults/secrets/getSecret/action"
	Data bool   // a data action: control plane actions never grant it, nor the reverse
}

// same tells whether two operations are one: Azure does not care about case.
func (o Operation) same(other Operation) bool {
	return o.Data == other.Data && strings.EqualFold(o.Name, other.Name)
}

// OperationsOf lists the operations that permissions of one side name, each once.
func OperationsOf(side plugin.Side, ps []plugin.Permission) []Operation {
	var out []Operation
	add := func(names []string, data bool) {
		for _, n := range names {
			op := Operation{n, data}
			if !slices.ContainsFunc(out, op.same) {
				out = append(out, op)
			}
		}
	}
	for _, p := range ps {
		if p.Side == side {
			add(p.Actions, false)
			add(p.DataActions, true)
		}
	}
	return out
}

// Element is one element of a role's or of a deny assignment's permissions: patterns in
// which * stands for any run of characters, slashes included.
type Element struct {
	Actions        []string `json:"actions,omitempty"`
	NotActions     []string `json:"notActions,omitempty"`
	DataActions    []string `json:"dataActions,omitempty"`
	NotDataActions []string `json:"notDataActions,omitempty"`
	// Condition limits when the element holds; "" if it always does.
	Condition string `json:"condition,omitempty"`
}

// Covers tells whether the element names an operation, whatever its condition. What an
// element excludes it excludes from itself alone: another element may grant it
// (https://learn.microsoft.com/azure/role-based-access-control/role-definitions#notactions).
func (e Element) Covers(op Operation) bool {
	in, out := e.Actions, e.NotActions
	if op.Data {
		in, out = e.DataActions, e.NotDataActions
	}
	return anyMatches(in, op.Name) && !anyMatches(out, op.Name)
}

func anyMatches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Match(p, name) })
}

// Match tells whether a pattern covers the name of an operation. Case does not matter.
// It follows the pattern to the letter: "…/vaults/*/read" does not cover "…/vaults/read".
func Match(pattern, name string) bool {
	p, n := strings.ToLower(pattern), strings.ToLower(name)
	// star is where the last * stands, and from how much of the name was left to it: on a
	// mismatch that * takes one character more.
	i, star, from := 0, -1, 0
	for j := 0; j < len(n); {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && p[i] == n[j]:
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}
