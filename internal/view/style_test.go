package view

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text          string
		indent, width int
		want          string
	}{
		{"one two", 0, 0, "one two"},
		{"one two three four five", 4, 24, "one two three four\n    five"},
		{"one two", 4, 20, "one two"}, // too narrow to wrap
		{"averyveryveryverylongwordthatdoesnotfit x", 0, 22, "averyveryveryverylongwordthatdoesnotfit\nx"},
		{"", 2, 40, ""},
	} {
		if got := wrap(tc.text, tc.indent, tc.width); got != tc.want {
			t.Errorf("wrap(%q, %d, %d) = %q, want %q", tc.text, tc.indent, tc.width, got, tc.want)
		}
	}
}

func TestWrapKeepsWordsAndWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.StringMatching(`[a-zé]{1,15}`)).Draw(t, "words")
		indent := rapid.IntRange(0, 20).Draw(t, "indent")
		width := rapid.IntRange(40, 100).Draw(t, "width")
		got := wrap(strings.Join(words, " "), indent, width)
		if strings.Join(strings.Fields(got), " ") != strings.Join(words, " ") {
			t.Fatalf("words changed: %q", got)
		}
		for i, line := range strings.Split(got, "\n") {
			if n := columns(line); i == 0 && n+indent > width || n > width {
				t.Fatalf("line of %d columns: %q", n, line)
			}
		}
	})
}

func TestTableFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		grid := table{cols: []column{{title: "NAME", flex: true}, {title: "SPARE", spare: true}, {title: "N", right: true}}}
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			grid.add(rapid.StringMatching(`[a-z-]{0,60}`).Draw(t, "name"), "spare", "12")
		}
		var b strings.Builder
		width := rapid.IntRange(16, 100).Draw(t, "width")
		grid.write(&b, Style{Width: width})
		for _, line := range strings.Split(b.String(), "\n") {
			if columns(line) > width {
				t.Fatalf("width %d: %q", width, line)
			}
		}
	})
}

func TestTableRows(t *testing.T) {
	t.Parallel()
	grid := table{cols: []column{{title: "A"}, {title: "N", right: true}}}
	grid.add("x")
	grid.add("long\x1bname", "12", "dropped")
	var b strings.Builder
	grid.write(&b, Style{})
	if want := "A           N\nx\nlong·name  12\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567", -4321: "-4,321"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %s, want %s", n, got, want)
		}
	}
	for s, want := range map[float64]string{0.3204: "320ms", 4.217: "4.2s", 80: "1m20s", 59.99: "1m0s"} {
		if got := seconds(s); got != want {
			t.Errorf("seconds(%v) = %s, want %s", s, got, want)
		}
	}
	if got := plural(1, "item") + ", " + plural(2, "item"); got != "1 item, 2 items" {
		t.Error(got)
	}
	if got := cut("kv-contoso-data", 9); got != "kv-c…data" {
		t.Error(got)
	}
	for in, want := range map[string]string{"plain": "plain", "": "''", "it's": `'it'\''s'`, "a b": "'a b'", "$HOME": "'$HOME'"} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}
