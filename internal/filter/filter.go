// Package filter decides which resources and items a run works on, by the rules that a
// user gives: --include and --exclude.
//
// A rule is one condition or several, parted by commas, that must all hold:
//
//	blobs/logs/**                      the item's key matches the glob
//	item:blobs/logs/**                 the same
//	kind:secret                        the item is of this kind
//	type:storage                       its resource is of this type, by plugin name or ARM type
//	resource:prod-*                    the resource's name, or its ID, matches
//	size:>10MiB                        its size; also >=, <, <=, =
//	modified:>=2026-01-01              its last change at the source, as a date or RFC 3339 time, in UTC
//	age:<30d                           the time since then, in d, h, m or s
//
// In globs * stays within one segment of a path, ** crosses segments, and {a,b}, [a-z] and ?
// work as in shells; a backslash takes a character as it is. An item is worked on if some include rule matches it, or there is none, and no
// exclude rule does. A size or a time that the service does not tell matches no condition.
package filter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Rules are filters as a user writes them. Those that Filter.Rules returns mean the same
// at any later time: an age has become a time.
type Rules struct {
	Include []string `json:"include,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
}

// Empty tells whether there is no rule.
func (r Rules) Empty() bool { return len(r.Include)+len(r.Exclude) == 0 }

// Filter holds rules. A nil Filter lets everything pass. It is safe for concurrent use.
type Filter struct {
	rules            Rules
	include, exclude []rule
}

// rule is a conjunction of conditions.
type rule []condition

// condition is one condition of a rule.
type condition interface {
	// holds tells whether it holds for an item.
	holds(of Subject, it plugin.Item) bool
	// could tells whether it may hold for some item of a resource: conditions about items
	// always may.
	could(of Subject) bool
	// whole tells that it is about the resource alone.
	whole() bool
	// text is the condition in a form that means the same at any later time.
	text() string
}

// Subject is the resource that an item belongs to.
type Subject struct {
	Plugin   string // name of its plugin; "" if it has none
	Resource plugin.Resource
}

// Parse reads rules. No rule gives a nil Filter. The error is Invalid and names the rule
// and what is wrong with it.
func Parse(r Rules, now time.Time) (*Filter, error) {
	if r.Empty() {
		return nil, nil //nolint:nilnil // a nil Filter lets everything pass
	}
	f := &Filter{}
	for _, list := range []struct {
		flag  string
		texts []string
		rules *[]rule
		said  *[]string
	}{{"--include", r.Include, &f.include, &f.rules.Include}, {"--exclude", r.Exclude, &f.exclude, &f.rules.Exclude}} {
		for _, text := range list.texts {
			parsed, err := parseRule(text, now)
			if err != nil {
				return nil, &errs.Error{
					Op: fmt.Sprintf("use %s %q", list.flag, text), Kind: errs.Invalid, Err: err,
					Hint: "see \"atg help filters\"",
				}
			}
			*list.rules = append(*list.rules, parsed)
			*list.said = append(*list.said, parsed.String())
		}
	}
	return f, nil
}

// Rules returns the rules in a form that means the same whenever it is parsed.
func (f *Filter) Rules() Rules {
	if f == nil {
		return Rules{}
	}
	return f.rules
}

// Resource tells whether some item of a resource may be worked on.
func (f *Filter) Resource(of Subject) bool {
	if f == nil {
		return true
	}
	for _, r := range f.exclude {
		if r.whole() && r.could(of) {
			return false
		}
	}
	for _, r := range f.include {
		if r.could(of) {
			return true
		}
	}
	return len(f.include) == 0
}

// Whole tells whether every item of a resource is surely worked on.
func (f *Filter) Whole(of Subject) bool {
	if f == nil {
		return true
	}
	if slices.ContainsFunc(f.exclude, func(r rule) bool { return r.could(of) }) {
		return false
	}
	return len(f.include) == 0 || slices.ContainsFunc(f.include, func(r rule) bool { return r.whole() && r.could(of) })
}

// Verdict is what becomes of an item.
type Verdict int

// The verdicts.
const (
	Taken    Verdict = iota
	Unasked          // no include rule matches it; it is needed all the same if it holds an item that is taken
	Excluded         // an exclude rule matches it, and so everything in it is left out
)

// Item judges an item of a resource.
func (f *Filter) Item(of Subject, it plugin.Item) Verdict {
	if f == nil {
		return Taken
	}
	for _, r := range f.exclude {
		if r.holds(of, it) {
			return Excluded
		}
	}
	for _, r := range f.include {
		if r.holds(of, it) {
			return Taken
		}
	}
	if len(f.include) == 0 {
		return Taken
	}
	return Unasked
}

func (r rule) holds(of Subject, it plugin.Item) bool {
	for _, c := range r {
		if !c.holds(of, it) {
			return false
		}
	}
	return true
}

func (r rule) could(of Subject) bool {
	for _, c := range r {
		if !c.could(of) {
			return false
		}
	}
	return true
}

func (r rule) whole() bool {
	for _, c := range r {
		if !c.whole() {
			return false
		}
	}
	return true
}

// String implements fmt.Stringer: the rule as Parse reads it.
func (r rule) String() string {
	texts := make([]string, len(r))
	for i, c := range r {
		texts[i] = c.text()
	}
	return strings.Join(texts, ",")
}

var errEmpty = errors.New("it has no condition")
