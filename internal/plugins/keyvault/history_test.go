package keyvault

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// valuesOf returns the values of all versions of a secret, oldest first.
func (l *lab) valuesOf(e plugin.Endpoint, key string) []string {
	l.Helper()
	f := l.fields(e, key)
	if f == nil {
		return nil
	}
	if f["versions"] == "1" {
		return []string{f["value"]}
	}
	var out []string
	for i := 0; f[fmt.Sprintf("v%d.enabled", i)] != ""; i++ {
		out = append(out, f[fmt.Sprintf("v%d.value", i)])
	}
	return out
}

const threeVersions = `{"secrets":[{"name":"db","value":"c","versions":[{"value":"a","tags":{"t":"1"}},{"value":"b","contentType":"x"}]}]}`

func TestHistoryIsCopiedInOrder(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: threeVersions})
	r := full("versions", "all")
	if c := l.compare(r, "secrets/db"); c.State != plugin.Missing {
		t.Errorf("before: %+v", c)
	}
	out := l.replicate(r, "secrets/db")
	l.wantStatus(out, plugin.Created)
	if out.Bytes != 3 {
		t.Errorf("%d bytes", out.Bytes)
	}
	if diff := cmp.Diff(l.fields(l.source, "secrets/db"), l.fields(l.target, "secrets/db")); diff != "" {
		t.Errorf("target (-source +target):\n%s", diff)
	}
	l.calls()
	l.wantStatus(l.replicate(r, "secrets/db"), plugin.Unchanged)
	if c := l.calls(); writes(c) != 0 {
		t.Errorf("a second run writes:%s", show(c))
	}
	if c := l.compare(r, "secrets/db"); c.State != plugin.Same || !c.Proven {
		t.Errorf("after: %+v", c)
	}
}

// TestHistoryGoesOn cuts a copy behind each write, and also where the answer was lost.
func TestHistoryGoesOn(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"lost", "reset"} {
		for skip := range 3 {
			l := newLab(t, vaults{source: threeVersions})
			r := full("versions", "all")
			it := l.item(r, "secrets/db")
			if _, err := l.plugin.Compare(t.Context(), l.task(r, it)); err != nil {
				t.Fatal(err)
			}
			if err := l.AddFault(wire.Fault{Name: kind, Host: "kv-fabrikam.vault.azure.net", Method: "PUT", Kind: kind, Skip: skip, Count: 1}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.plugin.Replicate(t.Context(), l.task(r, it)); errs.KindOf(err) != errs.Unavailable {
				t.Fatalf("%s at %d: error = %v", kind, skip, err)
			}
			if _, err := l.plugin.Replicate(t.Context(), l.task(r, it)); err != nil {
				t.Fatalf("%s at %d: going on: %v", kind, skip, err)
			}
			if got := l.valuesOf(l.target, "secrets/db"); !slices.Equal(got, []string{"a", "b", "c"}) {
				t.Errorf("%s at %d: the target holds %q", kind, skip, got)
			}
		}
	}
}

func TestHistoryOverAnother(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		target string
		after  []string // with Overwrite
		free   bool     // Overwrite is not needed
		same   bool     // nothing is written at all
	}{
		{"the first versions", `"value":"b","contentType":"x","versions":[{"value":"a","tags":{"t":"1"}}]`, []string{"a", "b", "c"}, true, false},
		{"a placeholder", `"value":"` + Placeholder + `"`, []string{Placeholder, "a", "b", "c"}, true, false},
		{"a version of its own", `"value":"z"`, []string{"z", "a", "b", "c"}, false, false},
		{"the last version only", `"value":"c"`, []string{"c", "a", "b", "c"}, false, false},
		{"all and older ones", `"value":"c","versions":[{"value":"z"},{"value":"a","tags":{"t":"1"}},{"value":"b","contentType":"x"}]`, []string{"z", "a", "b", "c"}, true, true},
		{"all, another being current", `"value":"z","versions":[{"value":"a","tags":{"t":"1"}},{"value":"b","contentType":"x"},{"value":"c"}]`, []string{"a", "b", "c", "z", "c"}, false, false},
		{"other tags on the current one", `"value":"c","tags":{"x":"y"},"versions":[{"value":"a","tags":{"t":"1"}},{"value":"b","contentType":"x"}]`, []string{"a", "b", "c"}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, vaults{source: threeVersions, target: `{"secrets":[{"name":"db",` + tt.target + `}]}`})
			r := full("versions", "all")
			if !tt.free {
				if c := l.compare(r, "secrets/db"); c.State != plugin.Different || !slices.Equal(c.Fields, []string{"versions"}) {
					t.Errorf("compared: %+v", c)
				}
				l.wantKind(l.refused(r, "secrets/db"), errs.Conflict)
				r = r.over()
			}
			l.calls()
			out := l.replicate(r, "secrets/db")
			if n := writes(l.calls()); tt.same != (n == 0) || tt.same != (out.Status == plugin.Unchanged) {
				t.Errorf("%d writes, status %q", n, out.Status)
			}
			if got := l.valuesOf(l.target, "secrets/db"); !slices.Equal(got, tt.after) {
				t.Errorf("the target holds %q, want %q", got, tt.after)
			}
			l.sameFields("secrets/db", "value", "contentType", "tags", "enabled")
			l.wantStatus(l.replicate(r, "secrets/db"), plugin.Unchanged)
			c := l.compare(r, "secrets/db")
			if further := len(tt.after) > 3 && tt.name != "a placeholder"; c.State != plugin.Same || c.Proven == further {
				t.Errorf("after: %+v", c)
			}
		})
	}
}

func TestHistoryWithDisabledVersions(t *testing.T) {
	t.Parallel()
	seed := `{"secrets":[{"name":"db","value":"c","versions":[{"value":"a","enabled":false},{"value":"b"}]}]}`
	t.Run("reported", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, vaults{source: seed})
		r := full("versions", "all")
		out := l.replicate(r, "secrets/db")
		if len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "is disabled and was not copied") {
			t.Errorf("warnings = %q", out.Warnings)
		}
		if got := l.valuesOf(l.target, "secrets/db"); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("the target holds %q", got)
		}
		l.wantStatus(l.replicate(r, "secrets/db"), plugin.Unchanged)
		if c := l.compare(r, "secrets/db"); c.State != plugin.Same || c.Proven || c.Reason != leftVersions(1) {
			t.Errorf("compared: %+v", c)
		}
	})
	t.Run("read", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, vaults{source: seed})
		r := full("versions", "all", "disabled", "read")
		before := l.fields(l.source, "secrets/db")
		l.wantStatus(l.replicate(r, "secrets/db"), plugin.Created)
		if diff := cmp.Diff(before, l.fields(l.source, "secrets/db")); diff != "" {
			t.Errorf("the source is not as it was:\n%s", diff)
		}
		if diff := cmp.Diff(before, l.fields(l.target, "secrets/db")); diff != "" {
			t.Errorf("target (-source +target):\n%s", diff)
		}
		l.calls()
		l.wantStatus(l.replicate(r, "secrets/db"), plugin.Unchanged)
		if c := l.calls(); writes(c) != 0 {
			t.Errorf("a second run writes:%s", show(c))
		}
		if c := l.compare(r, "secrets/db"); c.State != plugin.Same || c.Proven || c.Reason != warnNotCompared {
			t.Errorf("after: %+v", c)
		}
	})
}

func TestTiesAreReported(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	if n := ties([]time.Time{now, now, now.Add(time.Second), now.Add(2 * time.Second), now.Add(2 * time.Second)}); n != 4 {
		t.Errorf("ties = %d, want 4", n)
	}
	if w := tieWarning(0); w != nil {
		t.Errorf("warning without ties: %q", w)
	}
	l := newLab(t, vaults{})
	src, err := l.plugin.cache.For(l.source)
	if err != nil {
		t.Fatal(err)
	}
	j := &job{Task: plugin.Task{Source: l.source, Target: l.target}, dst: src, ref: ref{Name: "db"}}
	for _, v := range []string{"a", "b"} { // the emulator's clock stands still: one second for both
		if _, err := j.setSecret(t.Context(), version{value: secretOf(v), readable: true}, plugin.Created); err != nil {
			t.Fatal(err)
		}
	}
	r := full("versions", "all")
	out := l.replicate(r, "secrets/db")
	if len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "2 versions were created within the same second") {
		t.Errorf("warnings = %q", out.Warnings)
	}
	l.wantStatus(l.replicate(r, "secrets/db"), plugin.Unchanged)
}

// TestCurrentVersionStaysCurrent copies versions of one second, whose order only the
// service knows. What is current at the source must be current at the target.
func TestCurrentVersionStaysCurrent(t *testing.T) {
	t.Parallel()
	for _, disabled := range []bool{false, true} {
		l := newLab(t, vaults{})
		src, err := l.plugin.cache.For(l.source)
		if err != nil {
			t.Fatal(err)
		}
		j := &job{Task: plugin.Task{Source: l.source, Target: l.target}, dst: src, ref: ref{Name: "db"}}
		for i := range 12 {
			v := version{value: secretOf(fmt.Sprint("value ", i)), readable: true}
			v.Disabled = disabled && i == 11
			if _, err := j.setSecret(t.Context(), v, plugin.Created); err != nil {
				t.Fatal(err)
			}
		}
		r := full("versions", "all", "disabled", "read")
		l.wantStatus(l.replicate(r, "secrets/db"), plugin.Created)
		l.sameFields("secrets/db", "value", "enabled", "versions")
		l.calls()
		l.wantStatus(l.replicate(r, "secrets/db"), plugin.Unchanged)
		if c := l.calls(); !disabled && writes(c) != 0 {
			t.Errorf("a second run writes:%s", show(c))
		}
		if c := l.compare(r, "secrets/db"); c.State != plugin.Same || c.Proven == disabled {
			t.Errorf("after: %+v", c)
		}
	}
}

// TestAlign holds what align promises for all multisets.
func TestAlign(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 8)
		want, have := few.Draw(t, "want"), few.Draw(t, "have")
		a := align(want, have, func(x, y int) bool { return x == y })
		if len(want)-len(a.missing) != len(have)-len(a.extra) {
			t.Fatalf("%d matched wanted ones, %d matched own ones", len(want)-len(a.missing), len(have)-len(a.extra))
		}
		left := map[int]int{} // value → wanted minus present
		for _, w := range want {
			left[w]++
		}
		for _, h := range have {
			left[h]--
		}
		for _, i := range a.missing {
			left[want[i]]--
		}
		for _, i := range a.extra {
			left[have[i]]++
		}
		for v, n := range left {
			if n != 0 {
				t.Fatalf("value %d: %d are not accounted for", v, n)
			}
		}
		if a.unfinished(len(want)) {
			rest := len(want) - len(a.missing)
			got, first := slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want[:rest]))
			if !slices.Equal(got, first) {
				t.Fatalf("%v is called an unfinished copy of %v", have, want)
			}
		}
	})
}
