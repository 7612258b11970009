package filter

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	fields := map[string]string{"resourcetype": "Microsoft.KeyVault/vaults", "name": "it's", "location": "westeurope"}
	holds := func(t Term) bool {
		switch t.Op {
		case "eq":
			return strings.EqualFold(fields[t.Field], t.Value)
		case "ne":
			return !strings.EqualFold(fields[t.Field], t.Value)
		case "substringof":
			return strings.Contains(fields[t.Args[1]], t.Args[0])
		case "yes":
			return true
		}
		return false
	}
	for _, tc := range []struct {
		text string
		want bool
	}{
		{"", true},
		{"resourceType eq 'microsoft.keyvault/vaults'", true},
		{"resourceType EQ 'x'", false},
		{"resourceType ne 'x' and location eq 'westeurope'", true},
		{"resourceType eq 'x' or location eq 'westeurope'", true},
		{"resourceType eq 'x' or location eq 'y'", false},
		{"name eq 'it''s'", true},
		{"yes()", true},
		{"no() or yes() and no()", false},
		{"(no() or yes()) and yes()", true},
		{"substringof('t''', name)", true},
		{"substringof('zz',NAME)", false},
	} {
		e, err := Parse(tc.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tc.text, err)
			continue
		}
		if got := e.Match(holds); got != tc.want {
			t.Errorf("%q matches: %v, want %v", tc.text, got, tc.want)
		}
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	e, err := Parse("(atScope() and principalId eq 'p') or assignedTo('q')")
	if err != nil {
		t.Fatal(err)
	}
	want := []Term{{Op: "atscope"}, {Op: "eq", Field: "principalid", Value: "p"}, {Op: "assignedto", Args: []string{"q"}}}
	if diff := cmp.Diff(want, e.Terms()); diff != "" {
		t.Error(diff)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"name", "name eq", "name lt 'x'", "name eq 'x", "(name eq 'x'", "name eq 'x' or", "'x' eq name",
		"f(", "name eq 'x' y", "name eq 'x' and", ")", strings.Repeat("(", 10_000),
	} {
		if e, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", bad, e)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a eq 'b' and (c ne 'd' or f(g,'h'))")
	f.Fuzz(func(_ *testing.T, text string) {
		if e, err := Parse(text); err == nil {
			e.Match(func(Term) bool { return true })
		}
	})
}
