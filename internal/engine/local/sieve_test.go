package local_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// boxes is a resource with containers in containers.
func boxes() (*enginetest.Plugin, engine.Pair) {
	w := enginetest.NewWorld()
	add := func(key, parent, kind string) {
		w.Add(enginetest.SourceID("a"), plugin.Item{Key: plugin.Key(key), Parent: plugin.Key(parent), Kind: kind, Size: int64(len(key))})
	}
	add("box/logs", "", "box")
	add("box/logs/old", "box/logs", "box")
	add("thing/logs/old/1", "box/logs/old", "thing")
	add("thing/logs/2", "box/logs", "thing")
	add("box/data", "", "box")
	add("thing/data/3", "box/data", "thing")
	add("box/empty", "", "box")
	p := enginetest.New(w, "fake", "Test/vaults")
	p.About.Items = []plugin.ItemKind{{Name: "box", Plural: "boxes", Holds: true}, {Name: "thing", Plural: "things"}}
	return p, p.Pair("a")
}

func TestFilter(t *testing.T) {
	t.Parallel()
	all := []plugin.Key{"box/data", "box/empty", "box/logs", "box/logs/old", "thing/data/3", "thing/logs/2", "thing/logs/old/1"}
	tests := []struct {
		name  string
		rules filter.Rules
		want  []plugin.Key
	}{
		{"none", filter.Rules{}, all},
		{"an item brings its parents", filter.Rules{Include: []string{"thing/logs/old/*"}}, []plugin.Key{"box/logs", "box/logs/old", "thing/logs/old/1"}},
		{"and no others", filter.Rules{Include: []string{"thing/data/*"}}, []plugin.Key{"box/data", "thing/data/3"}},
		{"a container alone", filter.Rules{Include: []string{"box/empty"}}, []plugin.Key{"box/empty"}},
		{"an excluded container takes all that is in it", filter.Rules{Exclude: []string{"box/logs"}}, []plugin.Key{"box/data", "box/empty", "thing/data/3"}},
		{"items alone are excluded", filter.Rules{Exclude: []string{"kind:thing"}}, []plugin.Key{"box/data", "box/empty", "box/logs", "box/logs/old"}},
		{"exclusion wins over parents", filter.Rules{Include: []string{"thing/**"}, Exclude: []string{"box/logs/old"}}, []plugin.Key{"box/data", "box/logs", "thing/data/3", "thing/logs/2"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, a := boxes()
			only, err := filter.Parse(tc.rules, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			p.OnReplicate = func(ctx context.Context, task plugin.Task) (plugin.Outcome, error) {
				if task.Confined != (len(tc.want) < len(all)) {
					t.Errorf("%s: Confined is %t", task.Item.Key, task.Confined)
				}
				return p.Copy(ctx, task)
			}
			r := apply(t.Context(), t, engine.Options{Filter: only}, a)
			got := slices.Sorted(maps.Keys(p.World.Objects(a.Target.Resource.ID)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("copied (-want +got):\n%s", diff)
			}
			in, out := int64(len(tc.want)), int64(len(all)-len(tc.want))
			if r.Fidelity.Items != in || r.Fidelity.Verified != in || r.LeftOut != out || r.Pairs[0].LeftOut != out {
				t.Errorf("%d of %d proven, %d left out; want %d and %d", r.Fidelity.Verified, r.Fidelity.Items, r.LeftOut, in, out)
			}
		})
	}
}
