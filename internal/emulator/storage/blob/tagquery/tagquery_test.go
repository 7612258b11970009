package tagquery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/tagquery"
)

func TestExpressions(t *testing.T) {
	t.Parallel()
	tags := map[string]string{"Project": "Contoso", "n": "5", "with space": "it's"}
	for text, want := range map[string]string{
		`Project = 'Contoso'`:              "yes",
		`"Project"='Contoso' AND n >= '5'`: "yes",
		`Project <> 'Contoso'`:             "no",
		`n > '4' and n < '6' AND n <= '5'`: "yes",
		`n = '6' OR "Project" = 'Contoso'`: "yes",
		`"with space" = 'it''s'`:           "yes",
		`missing = ''`:                     "no",
		`@container = 'box' AND n = '5'`:   "yes",
		`Project`:                          "error",
		`Project = Contoso`:                "error",
		`Project = 'Contoso`:               "error",
		`Project = 'Contoso' XOR n = '5'`:  "error",
		`Project = 'Contoso' ;`:            "error",
		`"Project = 'x'`:                   "error",
		``:                                 "error",
	} {
		q, err := tagquery.Parse(text)
		got := "error"
		if err == nil {
			got = map[bool]string{true: "yes", false: "no"}[q.MatchesIn("box", tags)]
		}
		if got != want {
			t.Errorf("%s: %s, want %s (%v)", text, got, want, err)
		}
	}
	for _, text := range []string{`a = '1' OR b = '2'`, `a <> '1'`, `a`} {
		if _, err := tagquery.ParseFind(text); err == nil {
			t.Errorf("%s is taken to find blobs", text)
		}
	}
	if q, err := tagquery.ParseFind(`n > '4' AND n < '6'`); err != nil || !slices.Equal(q.Keys(), []string{"n"}) {
		t.Errorf("a range of a tag: %v %v", q, err)
	}
	q, err := tagquery.Parse(`@container = 'c' AND a = '1' AND b = '2'`)
	if err != nil || !slices.Equal(q.Keys(), []string{"a", "b"}) {
		t.Errorf("%v %v", q, err)
	}
	if !q.NamesContainer() {
		t.Error("@container is not seen")
	}
	if q.MatchesIn("c", nil) {
		t.Error("a blob without tags is found")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 11 {
		many[fmt.Sprint(i)] = ""
	}
	for name, c := range map[string]struct {
		tags map[string]string
		good bool
	}{
		"none":       {nil, true},
		"all signs":  {map[string]string{"a +-./:=_": "Z9"}, true},
		"eleven":     {many, false},
		"no key":     {map[string]string{"": "x"}, false},
		"long key":   {map[string]string{strings.Repeat("k", 129): ""}, false},
		"long value": {map[string]string{"k": strings.Repeat("v", 257)}, false},
		"bad sign":   {map[string]string{"k": "#"}, false},
	} {
		if err := tagquery.Check(c.tags); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
