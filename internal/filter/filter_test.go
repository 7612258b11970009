package filter_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func parse(t testing.TB, include, exclude []string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(filter.Rules{Include: include, Exclude: exclude}, now)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var store = filter.Subject{Plugin: "storage", Resource: plugin.Resource{
	ID: "/subscriptions/s/resourceGroups/rg-Prod/providers/Microsoft.Storage/storageAccounts/prodlogs", Name: "prodlogs", Type: "Microsoft.Storage/storageAccounts",
}}

func TestItem(t *testing.T) {
	t.Parallel()
	blob := plugin.Item{Key: "blobs/logs/2026/a,b.txt", Kind: "blob", Size: 5 << 20, Modified: now.Add(-48 * time.Hour)}
	dark := plugin.Item{Key: "secrets/a:b", Kind: "secret", Size: -1}
	tests := []struct {
		name             string
		item             plugin.Item
		include, exclude []string
		want             filter.Verdict
	}{
		{"no rule", blob, nil, nil, filter.Taken},
		{"key", blob, []string{"blobs/logs/**"}, nil, filter.Taken},
		{"key, one segment only", blob, []string{"blobs/logs/*"}, nil, filter.Unasked},
		{"key differs by case", blob, []string{"blobs/LOGS/**"}, nil, filter.Unasked},
		{"braces hold commas", blob, []string{"blobs/{logs,data}/**"}, nil, filter.Taken},
		{"escaped comma", blob, []string{`blobs/logs/2026/a\,b.txt`}, nil, filter.Taken},
		{"colon in the key", dark, []string{"item:secrets/a:b"}, nil, filter.Taken},
		{"kind", blob, []string{"kind:secret", "kind:b*"}, nil, filter.Taken},
		{"type by plugin", blob, []string{"type:Storage"}, nil, filter.Taken},
		{"type by ARM type", blob, []string{"type:microsoft.storage/*"}, nil, filter.Taken},
		{"resource by name", blob, []string{"resource:PROD*"}, nil, filter.Taken},
		{"resource by ID", blob, []string{"resource:**/resourcegroups/rg-prod/**"}, nil, filter.Taken},
		{"another resource", blob, []string{"resource:test*"}, nil, filter.Unasked},
		{"larger", blob, []string{"size:>4MiB"}, nil, filter.Taken},
		{"not larger", blob, []string{"size:>5MiB"}, nil, filter.Unasked},
		{"at least", blob, []string{"size:>=5MiB"}, nil, filter.Taken},
		{"at most", blob, []string{"size:<=5MiB"}, nil, filter.Taken},
		{"exactly", blob, []string{"size:5242880"}, nil, filter.Taken},
		{"decimal", blob, []string{"size:<5MB"}, nil, filter.Unasked},
		{"size unknown", dark, []string{"size:<1GiB"}, nil, filter.Unasked},
		{"size unknown is not excluded", dark, nil, []string{"size:<1GiB"}, filter.Taken},
		{"since a day", blob, []string{"modified:>=2026-11-20"}, nil, filter.Taken},
		{"before a moment", blob, []string{"modified:<2026-11-20T11:59:59Z"}, nil, filter.Unasked},
		{"young", blob, []string{"age:<3d"}, nil, filter.Taken},
		{"young at the bound", blob, []string{"age:<2d"}, nil, filter.Unasked},
		{"old at the bound", blob, []string{"age:>=48h"}, nil, filter.Taken},
		{"age unknown", dark, []string{"age:>0s"}, nil, filter.Unasked},
		{"all conditions of a rule", blob, []string{"type:storage, size:>4MiB, age:>1d"}, nil, filter.Taken},
		{"one condition fails", blob, []string{"type:storage,size:>6MiB"}, nil, filter.Unasked},
		{"one of the rules", blob, []string{"type:keyvault", "size:>4MiB"}, nil, filter.Taken},
		{"exclude wins", blob, []string{"blobs/**"}, []string{"**/*.txt"}, filter.Excluded},
		{"exclude another", blob, nil, []string{"**/*.log"}, filter.Taken},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, tc.include, tc.exclude)
			if got := f.Item(store, tc.item); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
			later, err := filter.Parse(f.Rules(), now.Add(1000*time.Hour))
			if err != nil {
				t.Fatalf("%v: %v", f.Rules(), err)
			}
			if got := later.Item(store, tc.item); got != tc.want {
				t.Errorf("kept as %v and read later: got %d, want %d", f.Rules(), got, tc.want)
			}
		})
	}
}

func TestResource(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		include, exclude []string
		want, whole      bool
	}{
		{"no rule", nil, nil, true, true},
		{"type asked for", []string{"type:storage"}, nil, true, true},
		{"another type", []string{"type:keyvault,age:<1d"}, nil, false, false},
		{"some item may match", []string{"type:keyvault", "age:<1d"}, nil, true, false},
		{"excluded as a whole", nil, []string{"resource:prod*"}, false, false},
		{"others are excluded", nil, []string{"type:keyvault,size:>1MB"}, true, true},
		{"excluded by items", nil, []string{"resource:prod*,size:>1MB"}, true, false},
		{"excluded although asked for", []string{"type:storage"}, []string{"type:sto*"}, false, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, tc.include, tc.exclude)
			if got, whole := f.Resource(store), f.Whole(store); got != tc.want || whole != tc.whole {
				t.Errorf("got %v, as a whole %v, want %v, %v", got, whole, tc.want, tc.whole)
			}
		})
	}
}

func TestBadRules(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                  "no condition",
		"a,":                "no condition",
		"colour:red":        `no field "colour"`,
		"size:":             "says nothing",
		"size:big":          "no size",
		"size:>99999999PiB": "no size",
		"modified:>monday":  "no time",
		"age:<soon":         "no age",
		"age:<-1h":          "no age",
		"age:<1e9d":         "no age",
		"age:2d":            "compared with",
		"blobs/[a":          "no glob",
		"kind:[":            "no glob",
	}
	for rule, want := range tests {
		_, err := filter.Parse(filter.Rules{Exclude: []string{rule}}, now)
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind != errs.Invalid || !strings.Contains(err.Error(), want) || e.Hint == "" {
			t.Errorf("%q: got %v, want an invalid rule: %s", rule, err, want)
		}
	}
}

func TestNoFilterLetsAllPass(t *testing.T) {
	t.Parallel()
	var f *filter.Filter
	if !f.Resource(store) || f.Item(store, plugin.Item{}) != filter.Taken || !f.Rules().Empty() {
		t.Error("a nil filter leaves something out")
	}
}

// TestRulesAreKept holds that what Rules returns is read as it was.
func TestRulesAreKept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		condition := rapid.OneOf(
			rapid.StringMatching(`(item:|kind:|type:|resource:)?[a-z/*?]{1,8}(\{a,b\})?(\\,)?`),
			rapid.StringMatching(`size:(>=|<=|<|>|=)?[0-9]{1,6}(KiB|MB)?`),
			rapid.StringMatching(`age:(>=|<=|<|>)[0-9]{1,4}[dhms]`),
		)
		text := strings.Join(rapid.SliceOfN(condition, 1, 3).Draw(t, "conditions"), ",")
		f, err := filter.Parse(filter.Rules{Include: []string{text}}, now)
		if err != nil {
			t.Skip(err.Error())
		}
		again, err := filter.Parse(f.Rules(), now.Add(time.Hour))
		if err != nil {
			t.Fatalf("%q is kept as %q: %v", text, f.Rules().Include, err)
		}
		if diff := cmp.Diff(f.Rules(), again.Rules()); diff != "" {
			t.Fatal(diff)
		}
	})
}
