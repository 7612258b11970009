package tree

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func entry(path, typ string, tracked bool) *Entry {
	id := armid.Parse(path)
	return &Entry{ID: id, Key: id.Key(), Tracked: tracked, Res: wire.Resource{ID: path, Type: typ}}
}

func filled(t testing.TB) *Tree {
	t.Helper()
	tr := &Tree{}
	for _, g := range []string{"g1", "g2", "g10"} {
		group := "/subscriptions/S/resourceGroups/" + g
		tr.Put(entry(group, "group", false))
		for _, v := range []string{"a", "b"} {
			vault := group + "/providers/N/Ts/" + v
			if !tr.Put(entry(vault, "N/Ts", true), armid.Key(group)) {
				t.Fatal("the group is there")
			}
			tr.Put(entry(vault+"/us/x", "N/ts/us", false))
		}
	}
	return tr
}

func ids(list []*Entry) []string {
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, e.Res.ID)
	}
	return out
}

func TestScan(t *testing.T) {
	t.Parallel()
	tr := filled(t)
	for _, tc := range []struct {
		name, typ, scope, after string
		n                       int
		want                    []string
	}{
		{"a group", "n/ts", "/subscriptions/s/resourcegroups/g1", "", 9, []string{"g1/providers/N/Ts/a", "g1/providers/N/Ts/b"}},
		{"the subscription, first page", "n/TS", "/subscriptions/s", "", 3, []string{"g1/providers/N/Ts/a", "g1/providers/N/Ts/b", "g10/providers/N/Ts/a"}},
		{"the subscription, next page", "n/ts", "/subscriptions/s", "/subscriptions/s/resourcegroups/g10/providers/n/ts/a", 3, []string{"g10/providers/N/Ts/b", "g2/providers/N/Ts/a", "g2/providers/N/Ts/b"}},
		{"behind one that is gone", "n/ts", "/subscriptions/s", "/subscriptions/s/resourcegroups/g2/providers/n/ts/aa", 3, []string{"g2/providers/N/Ts/b"}},
		{"behind the last", "n/ts", "/subscriptions/s/resourcegroups/g1", "/subscriptions/s/resourcegroups/g1/providers/n/ts/b", 3, nil},
		{"all tracked", Tracked, "/subscriptions/s/resourcegroups/g2", "", 9, []string{"g2/providers/N/Ts/a", "g2/providers/N/Ts/b"}},
		{"children", "n/ts/us", "/subscriptions/s/resourcegroups/g2/providers/n/ts/a", "", 9, []string{"g2/providers/N/Ts/a/us/x"}},
		{"no such type", "n/none", "/subscriptions/s", "", 9, nil},
	} {
		want := make([]string, 0, len(tc.want))
		for _, w := range tc.want {
			want = append(want, "/subscriptions/S/resourceGroups/"+w)
		}
		if diff := cmp.Diff(want, ids(tr.Scan("s", tc.typ, tc.scope, tc.after, tc.n))); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestSubtreeAndDelete(t *testing.T) {
	t.Parallel()
	tr := filled(t)
	const g1 = "/subscriptions/s/resourcegroups/g1"
	if got := tr.Subtree(g1); len(got) != 5 || got[0].Key != g1 {
		t.Errorf("subtree %v", ids(got))
	}
	for _, e := range tr.Subtree(g1) {
		if tr.Delete(e.Key) != e {
			t.Errorf("%s is not deleted", e.Key)
		}
	}
	if tr.Delete(g1) != nil || tr.Get(g1) != nil || len(tr.Subtree(g1)) != 0 {
		t.Error("the group is still there")
	}
	if got := tr.Scan("s", "n/ts", "/subscriptions/s", "", 9); len(got) != 4 {
		t.Errorf("left %v", ids(got))
	}
	if tr.Put(entry("/subscriptions/S/resourceGroups/g1/providers/N/ts/c", "N/ts", true), g1) {
		t.Error("put into a group that is gone")
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	tr := filled(t)
	const key = "/subscriptions/s/resourcegroups/g1/providers/n/ts/a"
	before := tr.Get(key)
	after := tr.Update(key, func(e *Entry) { e.Res.Name = "new" })
	if before.Res.Name != "" || after.Res.Name != "new" || tr.Get(key) != after {
		t.Errorf("before %+v, after %+v", before.Res, after.Res)
	}
	if got := tr.Scan("s", "n/ts", "/subscriptions/s/resourcegroups/g1", "", 1); got[0] != after {
		t.Error("the list has the old entry")
	}
	if tr.Update("/nowhere", func(*Entry) { t.Error("called") }) != nil {
		t.Error("updated what is not there")
	}
}

func BenchmarkScanPage(b *testing.B) {
	tr := &Tree{}
	for i := range 10_000 {
		tr.Put(entry(fmt.Sprintf("/subscriptions/S/resourceGroups/g/providers/N/ts/%05d", i), "N/ts", true))
	}
	for b.Loop() {
		tr.Scan("S", Tracked, "/subscriptions/s", "", 1000)
	}
}
