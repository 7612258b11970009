package function

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Func computes a value from the values of its arguments.
type Func func(args []any) (any, error)

// anyNumber as the most arguments: there is no limit.
const anyNumber = -1

type entry struct {
	name     string // as Azure writes it
	min, max int
	f        Func
}

var table = index(textual, encodings, collections, objects, numbers, logic, dates, networks, identities)

func index(groups ...[]entry) map[string]entry {
	out := map[string]entry{}
	for _, g := range groups {
		for _, e := range g {
			out[strings.ToLower(e.name)] = e
		}
	}
	return out
}

// Known tells whether there is a function of that name; case does not matter.
func Known(name string) bool {
	_, ok := table[strings.ToLower(name)]
	return ok
}

// Names lists the functions as Azure writes them, sorted.
func Names() []string {
	var out []string
	for e := range maps.Values(table) {
		out = append(out, e.name)
	}
	slices.Sort(out)
	return out
}

// Call computes a function that is Known. The error says, in Azure's words where they are
// documented, which argument does not fit.
func Call(name string, args []any) (any, error) {
	e, ok := table[strings.ToLower(name)]
	if !ok {
		return nil, ErrUnknown(name)
	}
	if err := Arity(e.name, len(args), e.min, e.max); err != nil {
		return nil, err
	}
	v, err := e.f(args)
	if err != nil {
		return nil, Errorf("The template language function '%s' is not valid: %w. Please see https://aka.ms/arm-functions for usage details.", e.name, err)
	}
	return v, nil
}

// ErrUnknown is Azure's refusal of a function that does not exist.
func ErrUnknown(name string) error {
	return Errorf("The template function '%s' is not valid. Please see https://aka.ms/arm-functions for usage details.", name)
}

// Errorf is fmt.Errorf for errors in Azure's words, which are whole sentences.
func Errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// Arity checks the number of arguments; most < 0 is no limit.
func Arity(name string, n, least, most int) error {
	want := ""
	switch {
	case n >= least && (n <= most || most < 0):
		return nil
	case least == most:
		want = fmt.Sprintf("requires exactly %d argument(s)", least)
	case n < least:
		want = fmt.Sprintf("requires at least %d argument(s)", least)
	default:
		want = fmt.Sprintf("takes at most %d argument(s)", most)
	}
	return Errorf("Unable to evaluate template language function '%s': function %s while '%d' were provided. Please see https://aka.ms/arm-functions for usage details.", name, want, n)
}
