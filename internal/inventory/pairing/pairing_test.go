package pairing_test

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	subA = "aaaaaaaa-0000-4000-8000-000000000001"
	subB = "bbbbbbbb-0000-4000-8000-000000000001"

	vaults = "Microsoft.KeyVault/vaults"
)

// id is the resource ID of "group/namespace/type/name".
func id(sub, path string) string {
	group, rest, _ := strings.Cut(path, "/")
	return "/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/" + rest
}

// resource makes a resource from its ID, with tags as alternating names and values. A name
// of "kind" sets the kind.
func resource(t testing.TB, id string, tags ...string) plugin.Resource {
	t.Helper()
	r, err := inventory.FromID(id)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(tags); i += 2 {
		if tags[i] == "kind" {
			r.Kind = tags[i+1]
			continue
		}
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		r.Tags[tags[i]] = tags[i+1]
	}
	return r
}

func list(t testing.TB, sub string, paths ...string) []plugin.Resource {
	t.Helper()
	out := make([]plugin.Resource, 0, len(paths))
	for _, p := range paths {
		words := strings.Fields(p)
		out = append(out, resource(t, id(sub, words[0]), words[1:]...))
	}
	return out
}

// short is an ID without its subscription and "providers".
func short(id string) string {
	_, rest, _ := strings.Cut(id, "/resourceGroups/")
	return strings.Replace(rest, "/providers/", "/", 1)
}

// outcome renders a result: "source -> target (rule)" or "source -x reason [near]".
func outcome(res pairing.Result) []string {
	out := make([]string, 0, len(res.Matches)+len(res.Unpaired))
	for _, m := range res.Matches {
		out = append(out, short(m.Source.ID)+" -> "+short(m.Target.ID)+" ("+m.Rule+")")
	}
	for _, u := range res.Unpaired {
		near := make([]string, 0, len(u.Near))
		for _, n := range ids(u.Near) {
			near = append(near, short(n))
		}
		out = append(out, fmt.Sprintf("%s -x %s %v", short(u.Source.ID), u.Reason, near))
	}
	slices.SortFunc(out, cmp.Compare)
	return out
}

// claim is the plugins of these tests: vaults, function apps apart from other sites, and
// nothing else that begins with "Other".
func claim(typ, kind string) string {
	switch {
	case strings.HasPrefix(strings.ToLower(typ), "other."):
		return ""
	case strings.EqualFold(typ, "Microsoft.Web/sites") && strings.Contains(kind, "functionapp"):
		return "functionapp"
	}
	return strings.ToLower(typ)
}

const noTarget = "no target has its type and name, or a tag atg-source-id with its ID"

func TestRules(t *testing.T) {
	t.Parallel()
	src := func(path string) string { return id(subA, path) }
	kv := func(group, name string) string { return group + "/" + vaults + "/" + name }
	tests := []struct {
		name             string
		sources, targets []string
		want             []string
	}{
		{
			name: "same group, type and name", sources: []string{kv("rg", "a")}, targets: []string{"RG/microsoft.keyvault/vaults/A", kv("rg", "b")},
			want: []string{kv("rg", "a") + " -> RG/microsoft.keyvault/vaults/A (same-path)"},
		},
		{
			name: "same type and name in another group", sources: []string{kv("rg", "a")}, targets: []string{kv("other", "a")},
			want: []string{kv("rg", "a") + " -> " + kv("other", "a") + " (same-name)"},
		},
		{
			name: "same names in different groups", sources: []string{kv("rg1", "a"), kv("rg2", "a")}, targets: []string{kv("rg2", "a"), kv("rg1", "a")},
			want: []string{kv("rg1", "a") + " -> " + kv("rg1", "a") + " (same-path)", kv("rg2", "a") + " -> " + kv("rg2", "a") + " (same-path)"},
		},
		{
			name: "the one that is left over is not guessed", sources: []string{kv("rg1", "a"), kv("rg2", "a")}, targets: []string{kv("rg1", "a"), kv("rg3", "a")},
			want: []string{
				kv("rg1", "a") + " -> " + kv("rg1", "a") + " (same-path)",
				kv("rg2", "a") + " -x 2 targets have its type and name [" + kv("rg1", "a") + " " + kv("rg3", "a") + "]",
			},
		},
		{
			name: "two targets of the name", sources: []string{kv("rg", "a")}, targets: []string{kv("rg1", "a"), kv("rg2", "a")},
			want: []string{kv("rg", "a") + " -x 2 targets have its type and name [" + kv("rg1", "a") + " " + kv("rg2", "a") + "]"},
		},
		{
			name: "two sources of the name", sources: []string{kv("rg1", "a"), kv("rg2", "a")}, targets: []string{kv("rg", "a")},
			want: []string{
				kv("rg1", "a") + " -x 2 sources lay claim to the same target by the rule same-name [" + kv("rg", "a") + "]",
				kv("rg2", "a") + " -x 2 sources lay claim to the same target by the rule same-name [" + kv("rg", "a") + "]",
			},
		},
		{
			name: "same name, another type", sources: []string{kv("rg", "a")}, targets: []string{"rg/Microsoft.Storage/storageAccounts/a"},
			want: []string{kv("rg", "a") + " -x there is no target of its type []"},
		},
		{
			name: "a tag wins over a name", sources: []string{kv("rg", "a"), kv("rg", "b")},
			targets: []string{kv("rg", "a") + " ATG-Source-Id " + strings.ToUpper(src(kv("rg", "b"))) + "/", kv("rg", "b") + " atg-source-id " + src(kv("rg", "a"))},
			want:    []string{kv("rg", "a") + " -> " + kv("rg", "b") + " (tag)", kv("rg", "b") + " -> " + kv("rg", "a") + " (tag)"},
		},
		{
			name: "two targets with the tag", sources: []string{kv("rg", "a")},
			targets: []string{kv("rg", "x") + " atg-source-id " + src(kv("rg", "a")), kv("rg", "a") + " atg-source-id " + src(kv("rg", "a"))},
			want:    []string{kv("rg", "a") + " -x 2 targets carry the tag atg-source-id with this source's ID [" + kv("rg", "x") + " " + kv("rg", "a") + "]"},
		},
		{
			name: "a target that stands for another source", sources: []string{kv("rg", "a")}, targets: []string{kv("rg", "a") + " atg-source-id " + src(kv("rg", "gone"))},
			want: []string{kv("rg", "a") + " -x the target of its type and name has a tag atg-source-id that names another source [" + kv("rg", "a") + "]"},
		},
		{
			name:    "a tag that was copied from the source says nothing",
			sources: []string{kv("rg", "a") + " atg-source-id " + src(kv("old", "a"))}, targets: []string{kv("rg", "a") + " atg-source-id " + src(kv("old", "a"))},
			want: []string{kv("rg", "a") + " -> " + kv("rg", "a") + " (same-path)"},
		},
		{
			name: "a tag of another type is no answer", sources: []string{kv("rg", "a")},
			targets: []string{"rg/Microsoft.Storage/storageAccounts/a atg-source-id " + src(kv("rg", "a"))},
			want:    []string{kv("rg", "a") + " -x there is no target of its type []"},
		},
		{
			name: "what a tag gave away is out of the way", sources: []string{kv("rg1", "a"), kv("rg2", "a")},
			targets: []string{kv("rg9", "a") + " atg-source-id " + src(kv("rg1", "a")), kv("rg8", "a")},
			want:    []string{kv("rg1", "a") + " -> " + kv("rg9", "a") + " (tag)", kv("rg2", "a") + " -> " + kv("rg8", "a") + " (same-name)"},
		},
		{
			name:    "kinds of different plugins",
			sources: []string{"rg/Microsoft.Web/sites/a kind functionapp,linux", "rg/Microsoft.Web/sites/b kind app", "rg/Microsoft.Web/sites/c"},
			targets: []string{"rg/Microsoft.Web/sites/a kind app", "rg/Microsoft.Web/sites/b kind app,linux", "rg/Microsoft.Web/sites/c kind functionapp"},
			want: []string{
				`rg/Microsoft.Web/sites/a -x the target of its type and name is of another kind: "app", not "functionapp,linux" [rg/Microsoft.Web/sites/a]`,
				"rg/Microsoft.Web/sites/b -> rg/Microsoft.Web/sites/b (same-path)",
				"rg/Microsoft.Web/sites/c -> rg/Microsoft.Web/sites/c (same-path)",
			},
		},
		{
			name:    "children by the names of their parents",
			sources: []string{"rg/Microsoft.Sql/servers/s/databases/d", "rg/Microsoft.Sql/servers/t/databases/d"},
			targets: []string{"rg2/Microsoft.Sql/servers/s/databases/d", "rg2/Microsoft.Sql/servers/u/databases/d"},
			want: []string{
				"rg/Microsoft.Sql/servers/s/databases/d -> rg2/Microsoft.Sql/servers/s/databases/d (same-name)",
				"rg/Microsoft.Sql/servers/t/databases/d -x " + noTarget + " [rg2/Microsoft.Sql/servers/u/databases/d]",
			},
		},
		{
			name: "what is listed twice counts once", sources: []string{kv("rg", "a"), kv("RG", "a")}, targets: []string{kv("x", "a"), kv("x", "A")},
			want: []string{kv("rg", "a") + " -> " + kv("x", "a") + " (same-name)"},
		},
		{
			name: "near misses: names that begin alike", sources: []string{kv("rg", "kv-app")},
			targets: []string{kv("rg", "kv-app-1"), kv("rg", "kv-app-2"), kv("rg", "kv"), kv("rg", "zz"), kv("rg", "kv-apq"), kv("rg", "aa")},
			want:    []string{kv("rg", "kv-app") + " -x " + noTarget + " [" + kv("rg", "kv-app-1") + " " + kv("rg", "kv-app-2") + " " + kv("rg", "kv") + "]"},
		},
		{
			name: "near misses: five at most", sources: []string{kv("rg", "a")},
			targets: []string{kv("rg", "a1"), kv("rg", "a2"), kv("rg", "a3"), kv("rg", "a4"), kv("rg", "a5"), kv("rg", "a6")},
			want: []string{kv("rg", "a") + " -x " + noTarget +
				" [" + strings.Join([]string{kv("rg", "a1"), kv("rg", "a2"), kv("rg", "a3"), kv("rg", "a4"), kv("rg", "a5")}, " ") + "]"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, err := pairing.Pair(list(t, subA, tt.sources...), list(t, subB, tt.targets...), pairing.Options{Plugin: claim})
			if err != nil {
				t.Fatal(err)
			}
			if d := gocmp.Diff(tt.want, outcome(res)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestSeveralSubscriptions(t *testing.T) {
	t.Parallel()
	path := "rg/" + vaults + "/a"
	sources := append(list(t, subA, path), list(t, subB, path)...)
	targets := list(t, "cccccccc-0000-4000-8000-000000000001", path)
	res, err := pairing.Pair(sources, targets, pairing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Matches) != 0 || len(res.Unpaired) != 2 || !strings.Contains(res.Unpaired[0].Reason, "same-path") {
		t.Errorf("%v", outcome(res))
	}
}

// The source itself may stand among the targets, where both sides are one subscription.
func TestNeverItself(t *testing.T) {
	t.Parallel()
	both := list(t, subA, "rg/"+vaults+"/a", "rg2/"+vaults+"/a", "rg/"+vaults+"/b")
	both[2].Tags = map[string]string{pairing.Tag: both[2].ID}
	res, err := pairing.Pair(both, both, pairing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range res.Matches {
		if strings.EqualFold(m.Source.ID, m.Target.ID) {
			t.Errorf("%s is paired with itself", m.Source.ID)
		}
	}
	for _, u := range res.Unpaired {
		if slices.ContainsFunc(u.Near, func(n pairing.Near) bool { return strings.EqualFold(n.ID, u.Source.ID) }) {
			t.Errorf("%s is near itself", u.Source.ID)
		}
	}
}

func TestUnclaimed(t *testing.T) {
	t.Parallel()
	sources := list(t, subA, "rg/Other.Thing/things/a", "rg/Other.Thing/things/b", "rg/"+vaults+"/a")
	res, err := pairing.Pair(sources, list(t, subB, "rg/Other.Thing/things/a", "rg/"+vaults+"/a"), pairing.Options{Plugin: claim})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Matches) != 1 || len(res.Unpaired) != 0 {
		t.Errorf("%v", outcome(res))
	}
	if d := gocmp.Diff(map[string]int{"Other.Thing/things": 2}, res.Unclaimed); d != "" {
		t.Errorf("unclaimed (-want +got):\n%s", d)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	sources := list(t, subA, "rg/"+vaults+"/c", "rg/"+vaults+"/a", "rg/"+vaults+"/x", "rg/"+vaults+"/b")
	res, err := pairing.Pair(sources, list(t, subB, "rg/"+vaults+"/a", "g/"+vaults+"/b", "rg/"+vaults+"/c"), pairing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(res.Matches))
	for _, m := range res.Matches {
		got = append(got, m.Source.Name)
	}
	if d := gocmp.Diff([]string{"c", "a", "b"}, got); d != "" {
		t.Errorf("matches are out of order:\n%s", d)
	}
}

// A hundred thousand resources on each side stay within the memory that a run may take.
func TestMemory(t *testing.T) {
	const n = 100_000
	side := func(sub, suffix string) []plugin.Resource {
		out := make([]plugin.Resource, 0, n)
		for i := range n {
			out = append(out, plugin.Resource{
				ID:   fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-%04d/providers/%s/vault-%06d%s", sub, i%1000, vaults, i, suffix),
				Type: vaults, Name: fmt.Sprintf("vault-%06d%s", i, suffix), ResourceGroup: fmt.Sprintf("rg-%04d", i%1000), SubscriptionID: sub,
			})
		}
		return out
	}
	for _, tt := range []struct {
		name, suffix string
		matches      int
	}{{"all match", "", n}, {"none matches", "-copy", 0}} {
		if testing.Short() && tt.matches == 0 {
			continue
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sources, targets := side(subA, ""), side(subB, tt.suffix)
		res, err := pairing.Pair(sources, targets, pairing.Options{})
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if len(res.Matches) != tt.matches {
			t.Errorf("%s: %d matches", tt.name, len(res.Matches))
		}
		used := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20
		churn := (after.TotalAlloc - before.TotalAlloc) >> 20
		t.Logf("%s: %d MiB kept, %d MiB allocated", tt.name, used, churn)
		if used > 150 {
			t.Errorf("%s: %d MiB", tt.name, used)
		}
		runtime.KeepAlive(sources)
		runtime.KeepAlive(targets)
		runtime.KeepAlive(res)
	}
}

func ids(near []pairing.Near) []string {
	out := make([]string, 0, len(near))
	for _, n := range near {
		out = append(out, n.ID)
	}
	return out
}
