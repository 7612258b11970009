package dashboard

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	goldenfile "github.com/azure-tenant-grapher/atg/test/golden"
)

// golden compares got with testdata/name.
func golden(t testing.TB, name, got string) {
	t.Helper()
	goldenfile.File(t, filepath.Join("testdata", name), got)
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

// TestColor pins that colours add nothing but themselves: without them the text is the same.
func TestColor(t *testing.T) {
	t.Parallel()
	for name, scene := range scenes {
		p := scene()
		c := canvas{width: 80, height: 24}
		plain := view(p.state, c, p.now)
		c.ink = true
		painted := view(p.state, c, p.now)
		if ansi.Strip(painted) != plain {
			t.Errorf("%s: the text differs:\n%s\n%s", name, painted, plain)
		}
		if plain == painted || strings.Contains(plain, "\x1b") {
			t.Errorf("%s: no colours, or colours where there should be none", name)
		}
	}
	p := partial()
	golden(t, "partial.80x24.color.golden", view(p.state, canvas{width: 80, height: 24, ink: true}, p.now))
}

// TestFitsEverySize draws every scene on terminals of every size.
func TestFitsEverySize(t *testing.T) {
	t.Parallel()
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := scene()
			for w := 20; w <= 220; w += 9 {
				for h := 5; h <= 60; h += 5 {
					fits(t, view(p.state, canvas{width: w, height: h}, p.now), w, h)
				}
			}
		})
	}
}

func fits(t *testing.T, got string, w, h int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) > h-spare {
		t.Errorf("%dx%d: %d lines", w, h, len(lines))
	}
	if last := lines[len(lines)-1]; last == "" {
		t.Errorf("%dx%d: the last line is empty", w, h)
	}
	for _, line := range lines {
		if columns(line) > w || strings.TrimRight(line, " ") != line {
			t.Errorf("%dx%d: %d columns: %q", w, h, columns(line), line)
		}
	}
}
