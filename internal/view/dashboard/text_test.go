package dashboard

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{number(0), "0"},
		{number(999), "999"},
		{number(1000), "1,000"},
		{number(-1234567), "-1,234,567"},
		{number(-100), "-100"},
		{plural(1, "item"), "1 item"},
		{plural(0, "item"), "0 items"},
		{lasting(-time.Second), "0s"},
		{lasting(59 * time.Second), "59s"},
		{lasting(61 * time.Second), "1m01s"},
		{lasting(3*time.Hour + 5*time.Minute), "3h05m"},
		{lasting(upTo(1500 * time.Millisecond)), "2s"},
		{lasting(upTo(time.Second)), "1s"},
		{pace(0.25), "0.2/s"},
		{pace(9.94), "9.9/s"},
		{pace(9.96), "10/s"},
		{pace(1234.5), "1,235/s"},
		{volume(1023), "1023 B"},
		{volume(1 << 10), "1.0 KiB"},
		{volume(1<<20 - 1), "1.0 MiB"},
		{volume(5 << 40), "5.0 TiB"},
		{volume(5 << 50), "5120.0 TiB"},
		{cut("kv-prod", 7), "kv-prod"},
		{cut("kv-production", 7), "kv-…ion"},
		{cut("kv", 1), "…"},
		{cut("kv", 0), ""},
		{cut("金庫金庫", 7), "金…庫"},
		{cut("🔐🔐🔐", 5), "🔐…🔐"},
		{clip("a message", 5), "a me…"},
		{clip("a message", 0), ""},
		{route("kv", "kv", 20), "kv"},
		{route("kv", "", 20), "kv"},
		{route("kv-a", "kv-b", 20), "kv-a → kv-b"},
		{route("kv-a", strings.Repeat("b", 60), 30), "kv-a → bbbbbbbbbbb…bbbbbbbbbbb"},
		{route(strings.Repeat("a", 60), "kv-b", 30), "aaaaaaaaaaa…aaaaaaaaaaa → kv-b"},
		{route(strings.Repeat("a", 60), "kv-b", 20), "aaaaaaaaaa…aaaaaaaaa"},
		{nameOf("/subscriptions/s/vaults/kv"), "kv"},
		{nameOf("kv"), "kv"},
		{nameOf(""), ""},
		{printable("a\x1b[2J\r\n\tb\u202e\u009bc\xff"), "a·[2J  b··c·"},
		{printable("👩‍💻"), "👩‍💻"},
		{strings.Join(wrap("one two three four", 10), "|"), "one two|  three|  four"},
		{strings.Join(wrap("one two three four", 8), "|"), "one two three four"},
		{strings.Join(squeeze([]string{"one", "  two", "  three"}, 2, 9), "|"), "one|  two th…"},
		{ink(false).red("x"), "x"},
		{ink(true).red("x"), "\x1b[31mx\x1b[0m"},
		{ink(true).bold(""), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

var letters = rapid.StringOfN(rapid.RuneFrom([]rune("abc-éß金庫🔐ひ \u0301")), 0, 80, -1)

func TestWidths(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, other, n := letters.Draw(t, "s"), letters.Draw(t, "other"), rapid.IntRange(0, 120).Draw(t, "n")
		for what, got := range map[string]string{"cut": cut(s, n), "clip": clip(s, n), "route": route(s, other, n)} {
			if columns(got) > n {
				t.Errorf("%s to %d columns: %d, %q", what, n, columns(got), got)
			}
		}
		if n > 0 && columns(s) <= n && (cut(s, n) != s || clip(s, n) != s) {
			t.Errorf("%q was shortened to %d columns", s, n)
		}
		for _, line := range squeeze(wrap(s, n), 3, n) {
			if n > 8 && columns(line) > n {
				t.Errorf("wrapped to %d columns: %q", n, line)
			}
		}
	})
}
