package armid

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		path, canonical string
		want            ID
	}{
		{"/", "", ID{}},
		{"/subscriptions", "/subscriptions", ID{Rest: []string{"subscriptions"}}},
		{"/Subscriptions/S/", "/subscriptions/S", ID{Subscription: "S"}},
		{"/subscriptions/S/resourcegroups", "/subscriptions/S/resourcegroups", ID{Subscription: "S", Rest: []string{"resourcegroups"}}},
		{"/subscriptions/S/resourcegroups/G", "/subscriptions/S/resourceGroups/G", ID{Subscription: "S", Group: "G"}},
		{"/subscriptions/S/resourceGroups/G/resources", "/subscriptions/S/resourceGroups/G/resources", ID{Subscription: "S", Group: "G", Rest: []string{"resources"}}},
		{"/subscriptions/S/providers", "/subscriptions/S/providers", ID{Subscription: "S", Rest: []string{"providers"}}},
		{"/subscriptions/S/providers/N", "/subscriptions/S/providers/N", ID{Subscription: "S", Scope: "/subscriptions/S", Namespace: "N"}},
		{"/subscriptions/S/PROVIDERS/N/ts", "/subscriptions/S/providers/N/ts", ID{Subscription: "S", Scope: "/subscriptions/S", Namespace: "N", Types: []string{"ts"}}},
		{"//subscriptions/S/resourcegroups/G/providers/N//ts/a/us/b", "/subscriptions/S/resourceGroups/G/providers/N/ts/a/us/b", ID{
			Subscription: "S", Group: "G", Scope: "/subscriptions/S/resourceGroups/G", Namespace: "N", Types: []string{"ts", "us"}, Names: []string{"a", "b"},
		}},
		{"/subscriptions/S/resourcegroups/G/providers/N/ts/a/providers/M/xs/y", "/subscriptions/S/resourceGroups/G/providers/N/ts/a/providers/M/xs/y", ID{
			Subscription: "S", Group: "G", Scope: "/subscriptions/S/resourceGroups/G/providers/N/ts/a", Namespace: "M", Types: []string{"xs"}, Names: []string{"y"},
		}},
		{"/providers/M/xs/y", "/providers/M/xs/y", ID{Namespace: "M", Types: []string{"xs"}, Names: []string{"y"}}},
		{"/subscriptions/S/resourceGroups/providers/providers/N/ts/providers", "/subscriptions/S/resourceGroups/providers/providers/N/ts/providers", ID{
			Subscription: "S", Group: "providers", Scope: "/subscriptions/S/resourceGroups/providers", Namespace: "N", Types: []string{"ts"}, Names: []string{"providers"},
		}},
	} {
		got := Parse(tc.path)
		if diff := cmp.Diff(tc.want, got, equateEmpty()); diff != "" {
			t.Errorf("Parse(%s): %s", tc.path, diff)
		}
		if s := got.String(); s != tc.canonical {
			t.Errorf("Parse(%s).String() = %q, want %q", tc.path, s, tc.canonical)
		}
	}
}

func equateEmpty() cmp.Option {
	return cmp.Transformer("nilIfEmpty", func(s []string) []string {
		if len(s) == 0 {
			return nil
		}
		return s
	})
}

func TestParts(t *testing.T) {
	t.Parallel()
	const group = "/subscriptions/S/resourceGroups/G"
	for _, tc := range []struct {
		path, typ, name, parent       string
		resource, isGroup, sub, child bool
	}{
		{"/subscriptions/S", "", "S", "", false, false, true, false},
		{group, "", "G", "", false, true, false, false},
		{group + "/providers/N", "N", "G", group, false, false, false, false},
		{group + "/providers/N/ts", "N/ts", "G", group, false, false, false, false},
		{group + "/providers/N/ts/a", "N/ts", "a", group, true, false, false, false},
		{group + "/providers/N/ts/a/us", "N/ts/us", "a", group + "/providers/N/ts/a", false, false, false, true},
		{group + "/providers/N/ts/a/us/b", "N/ts/us", "b", group + "/providers/N/ts/a", true, false, false, true},
		{group + "/providers/N/ts/a/us/b/vs", "N/ts/us/vs", "b", group + "/providers/N/ts/a/us/b", false, false, false, true},
	} {
		id := Parse(tc.path)
		parent, child := id.Parent()
		got := []any{id.Type(), id.Name(), parent.String(), id.IsResource(), id.IsGroup(), id.IsSubscription(), child}
		if diff := cmp.Diff([]any{tc.typ, tc.name, tc.parent, tc.resource, tc.isGroup, tc.sub, tc.child}, got); diff != "" {
			t.Errorf("%s: %s", tc.path, diff)
		}
	}
	id := Parse(group + "/providers/N/Ts")
	if got := id.WithName("a").String(); got != group+"/providers/N/Ts/a" {
		t.Error(got)
	}
	if !id.Is("n/tS") || id.Key() != "/subscriptions/s/resourcegroups/g/providers/n/ts" {
		t.Error(id.Type(), id.Key())
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"": "", "/": "", "//": "", "/A/b": "/a/b", "/A/b/": "/a/b", "A//b": "/a/b",
	} {
		if got := Key(path); got != want {
			t.Errorf("Key(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestUnder(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		key, scope string
		want       bool
	}{
		{"/subscriptions/s", "", true},
		{"/subscriptions/s", "/subscriptions/s", true},
		{"/subscriptions/s/resourcegroups/g", "/subscriptions/s", true},
		{"/subscriptions/s2", "/subscriptions/s", false},
		{"/subscriptions/s", "/subscriptions/s/resourcegroups/g", false},
	} {
		if got := Under(tc.key, tc.scope); got != tc.want {
			t.Errorf("Under(%q, %q) = %v", tc.key, tc.scope, got)
		}
	}
}
