package tree

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// names are chosen so that their order and that of paths differ: "a" is before "a!" and
// before what is in it.
var names = []string{"a", "A!", "a-", "b", "\u0001x", "é"}

// TestShareIsATree makes, moves and removes nodes at random and compares the share, and
// a snapshot taken on the way, with a plain set of paths.
func TestShareIsATree(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var stamps Stamps
		s := New("share", "SMB", &stamps, now)
		model := map[string]bool{}
		var snap *Share
		var frozen []string
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			p := Path(rapid.SliceOfN(rapid.SampledFrom(names), 1, 3).Draw(t, "path"))
			switch old := s.Get(p); rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				if _, err := s.In(p); err == nil && old == nil {
					s.Put(&Node{Kind: Directory, Path: p, ID: stamps.ID()})
					model[key(p)] = true
				}
			case 2:
				if old != nil && s.Empty(p) {
					s.Remove(old)
					delete(model, key(p))
				}
			case 3:
				to := Path{"moved" + rapid.StringMatching(`[0-9]{3}`).Draw(t, "to")}
				if old != nil && s.Get(to) == nil {
					s.Move(old, to)
					model = moved(model, key(p), key(to))
				}
			}
			if snap == nil && rapid.Bool().Draw(t, "snapshot") {
				snap, frozen = s.Snap("now", "etag", now), sorted(model)
			}
		}
		if diff := cmp.Diff(sorted(model), walk(s, nil)); diff != "" {
			t.Errorf("share (-want +got):\n%s", diff)
		}
		if snap != nil {
			if diff := cmp.Diff(frozen, walk(snap, nil)); diff != "" {
				t.Errorf("snapshot (-want +got):\n%s", diff)
			}
		}
	})
}

func key(p Path) string { return strings.ToLower(strings.Join(p, "\x00")) }

func sorted(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

func moved(m map[string]bool, from, to string) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		if k == from || strings.HasPrefix(k, from+"\x00") {
			k = to + k[len(from):]
		}
		out[k] = true
	}
	return out
}

// walk lists all paths by way of each directory's children.
func walk(s *Share, dir Path) []string {
	var out []string
	s.Children(dir, "", func(n *Node) bool {
		out = append(out, key(n.Path))
		out = append(out, walk(s, n.Path)...)
		return true
	})
	slices.Sort(out)
	return out
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "/a/b/": "a/b", `a\b`: "a/b", "a./b..": "a/b", "é ": "é "} {
		if p, err := ParsePath(in, false); err != nil || p.String() != want {
			t.Errorf("%q is %q %v, want %q", in, p, err, want)
		}
	}
	if p, err := ParsePath("a./b..", true); err != nil || p.String() != "a./b.." {
		t.Errorf("dots are not kept: %v %v", p, err)
	}
	for in, code := range map[string]string{"a//b": "InvalidFileOrDirectoryPathName", "../a": "InvalidFileOrDirectoryPathName", "a/./b": "InvalidFileOrDirectoryPathName", "...": "InvalidFileOrDirectoryPathName", "a:b": "InvalidResourceName", "a\x01": "InvalidResourceName", "\xff": "InvalidResourceName"} {
		if _, err := ParsePath(in, false); err == nil || err.Code != code {
			t.Errorf("%q: %v, want %s", in, err, code)
		}
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	a, ok := ParseAttributes("archive | ReadOnly|NoScrubData")
	if !ok || a.String() != "ReadOnly | Archive | NoScrubData" {
		t.Errorf("%s %t", a, ok)
	}
	if a, ok := ParseAttributes("None"); !ok || a.String() != "None" {
		t.Errorf("%s %t", a, ok)
	}
	if _, ok := ParseAttributes("Sticky"); ok {
		t.Error("an unknown attribute is taken")
	}
}
