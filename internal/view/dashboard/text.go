package dashboard

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// ink paints text, or leaves it as it is where colours are off. What it says must be in
// the text already.
type ink bool

func (i ink) bold(s string) string   { return i.paint("1", s) }
func (i ink) dim(s string) string    { return i.paint("2", s) }
func (i ink) red(s string) string    { return i.paint("31", s) }
func (i ink) green(s string) string  { return i.paint("32", s) }
func (i ink) yellow(s string) string { return i.paint("33", s) }
func (i ink) cyan(s string) string   { return i.paint("36", s) }

func (i ink) paint(code, s string) string {
	if !bool(i) || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// columns is the width of s on a terminal. Letters of East Asian scripts take two
// columns, combining ones none.
func columns(s string) int { return ansi.StringWidthWc(s) }

// cut shortens s to at most n columns by an ellipsis in its middle: names that belong
// together often differ at their ends.
func cut(s string, n int) string {
	w := columns(s)
	switch {
	case w <= n:
		return s
	case n <= 0:
		return ""
	}
	head := n / 2
	tail := n - 1 - head
	left := ansi.TruncateWc(s, head, "")
	right := ansi.TruncateLeftWc(s, w-tail, "")
	for columns(right) > tail { // a wide letter stood on the border
		_, size := utf8.DecodeRuneInString(right)
		right = right[size:]
	}
	return left + "…" + right
}

// clip shortens s to at most n columns by an ellipsis at its end: text is read from its start.
func clip(s string, n int) string {
	if n <= 0 {
		return ""
	}
	return ansi.TruncateWc(s, n, "…")
}

// left fills s up to n columns with spaces at its right, right at its left.
func left(s string, n int) string  { return s + blank(n-columns(s)) }
func right(s string, n int) string { return blank(n-columns(s)) + s }

func blank(n int) string { return strings.Repeat(" ", max(n, 0)) }

// route is "source → target" in at most n columns. Each side gives up what the other one
// does not need. Equal names are written once. Where both would be cut to stumps, the
// source stands alone.
func route(source, target string, n int) string {
	if target == "" || target == source {
		return cut(source, n)
	}
	if source == "" {
		return cut("to "+target, n)
	}
	const arrow = " → "
	const stump = 22 // columns for both names
	room := n - columns(arrow)
	a, b := columns(source), columns(target)
	if room < stump && a+b > room {
		return cut(source, n)
	}
	half := room / 2
	switch {
	case a+b <= room:
	case a <= half:
		b = room - a
	case b <= room-half:
		a = room - b
	default:
		a, b = half, room-half
	}
	return cut(source, a) + arrow + cut(target, b)
}

// indent starts all lines of a wrapped text but the first.
const indent = "  "

// wrap breaks a line of text at spaces into lines of at most n columns, and in the middle
// of words that are longer.
func wrap(s string, n int) []string {
	if n <= 4*len(indent) || columns(s) <= n {
		return []string{s}
	}
	var lines []string
	line, used := "", 0
	next := func(more string) {
		lines = append(lines, strings.TrimRight(line+more, " "))
		line, used = indent, len(indent)
	}
	for i, word := range strings.Split(s, " ") {
		w := columns(word)
		if i > 0 && used+1+w <= n {
			line, used = line+" "+word, used+1+w
			continue
		}
		if i > 0 {
			next("")
		}
		for used+w > n {
			part := ansi.TruncateWc(word, n-used, "")
			word = ansi.TruncateLeftWc(word, columns(part), "")
			next(part)
			w = columns(word)
		}
		line, used = line+word, used+w
	}
	next("")
	return lines
}

// squeeze makes the lines of a wrapped text n at most: what is beyond them is joined to the
// last one and clipped.
func squeeze(lines []string, n, width int) []string {
	if len(lines) <= n {
		return lines
	}
	last := lines[n-1]
	for _, more := range lines[n:] {
		last += " " + strings.TrimLeft(more, " ")
	}
	return append(lines[:n-1:n-1], clip(last, width))
}

// nameOf is the last segment of a resource ID: the resource's name.
func nameOf(id string) string { return printable(id[strings.LastIndexByte(id, '/')+1:]) }

// printable replaces what could steer the terminal or turn the direction of writing:
// names and messages come from services.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return -1
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d':
			return '·'
		default:
			return r
		}
	}, s)
}

// number writes n with a comma between thousands.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural writes a count and its noun: "1 item", "2 items".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// lasting writes a duration with no more precision than a reader needs: "7s", "2m13s",
// "3h04m".
func lasting(d time.Duration) string {
	s := int64(max(d, 0).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	default:
		return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
	}
}

// upTo rounds d up to whole seconds: what is still to come is never said to be over.
func upTo(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// pace writes a rate of items: "212/s", "3.4/s".
func pace(perSecond float64) string {
	if perSecond < 9.95 {
		return fmt.Sprintf("%.1f/s", perSecond)
	}
	return number(int64(perSecond+0.5)) + "/s"
}

// volume writes a number of bytes in IEC units: "1.2 GiB".
func volume(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for f >= 1023.95 && unit < 4 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %s", f, []string{"B", "KiB", "MiB", "GiB", "TiB"}[unit])
}
