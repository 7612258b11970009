package dashboard

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got; run with -update if this is meant\n%s", name, diff)
	}
}

var sizes = []struct{ width, height int }{{80, 24}, {200, 50}, {50, 15}}

func TestFrames(t *testing.T) {
	t.Parallel()
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := scene()
			for _, s := range sizes {
				got := view(p.state, canvas{width: s.width, height: s.height}, p.now)
				golden(t, fmt.Sprintf("%s.%dx%d.golden", strings.ReplaceAll(name, " ", "-"), s.width, s.height), got)
			}
		})
	}
}
