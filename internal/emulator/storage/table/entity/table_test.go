package entity

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestTableIsAMap changes a table with generated entities at random and compares it with
// a plain map, whole and from every key on.
func TestTableIsAMap(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		tab, model := New(), map[string]bool{}
		made := Generated{Prefix: "p", Count: 7, PerPartition: 3, Stamp: now}
		tab.Generate(made)
		for i := range made.Count {
			pk, rk := made.keys(i)
			model[pk+"/"+rk] = true
		}
		keys := slices.Collect(maps.Keys(model))
		keys = append(keys, "a/1", "p00000001/0", "z/1")
		slices.Sort(keys)
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			kind := rapid.SampledFrom([]Kind{Insert, Replace, Merge, Delete}).Draw(t, "kind")
			pk, rk, _ := strings.Cut(key, "/")
			ch := Change{Kind: kind, PartitionKey: pk, RowKey: rk}
			if kind == Delete {
				ch.IfMatch = "*"
			}
			_, _, err := tab.Apply(now, ch)
			if refused := kind == Insert && model[key] || kind == Delete && !model[key]; refused != (err != nil) {
				t.Fatalf("%v of %s: %v", kind, key, err)
			}
			if kind == Delete {
				delete(model, key)
			} else {
				model[key] = true
			}
		}
		from := rapid.SampledFrom(keys).Draw(t, "from")
		pk, rk, _ := strings.Cut(from, "/")
		want := slices.DeleteFunc(slices.Sorted(maps.Keys(model)), func(k string) bool { return k < from })
		var got []string
		tab.Ascend(pk, rk, func(e *Entity) bool {
			got = append(got, e.PartitionKey+"/"+e.RowKey)
			return true
		})
		if diff := cmp.Diff(want, got); len(want)+len(got) > 0 && diff != "" {
			t.Errorf("from %s (-want +got):\n%s", from, diff)
		}
	})
}

func TestStampsRiseWhileTheClockStands(t *testing.T) {
	t.Parallel()
	tab, now := New(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	for range 10 {
		out, _, err := tab.Apply(now, Change{Kind: Replace, PartitionKey: "p", RowKey: "r"})
		if err != nil || seen[out[0].ETag()] {
			t.Fatalf("tag %s is given twice: %v", out[0].ETag(), err)
		}
		seen[out[0].ETag()] = true
	}
}
