package view

import (
	"strings"
	"unicode/utf8"
)

// Style says how text is to look.
type Style struct {
	Width int  // columns of the terminal; 0: no terminal, nothing is cut or wrapped
	Color bool // ANSI colours and bold; meaning is never in colour alone
	// Verbose shows in errors also what has most likely nothing to do with them.
	Verbose bool
}

// paint is an ANSI "select graphic rendition" parameter.
type paint string

const (
	bold   paint = "1"
	dim    paint = "2"
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
)

// paint wraps s in p if colours are on.
func (st Style) paint(p paint, s string) string {
	if !st.Color || s == "" || p == "" {
		return s
	}
	return "\x1b[" + string(p) + "m" + s + "\x1b[0m"
}

// columns is the width of s in columns. Names in Azure are ASCII; other letters count
// as one column each.
func columns(s string) int { return utf8.RuneCountInString(s) }

// cut shortens s to n columns by an ellipsis in the middle: names that belong together
// often differ at their ends.
func cut(s string, n int) string {
	if n <= 0 || columns(s) <= n {
		return s
	}
	r, head := []rune(s), n/2
	return string(r[:head]) + "…" + string(r[len(r)-(n-1-head):])
}

// printable replaces control characters, so that text from a service cannot steer the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' {
			return -1
		}
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == utf8.RuneError {
			return '·'
		}
		return r
	}, s)
}

// wrap breaks s at spaces so that every line but the first starts with indent and none
// is wider than width. The first line is taken to stand at column indent already. A word
// that is too long stays whole. Width 0 breaks nothing.
func wrap(s string, indent, width int) string {
	if width <= 0 || indent+20 > width {
		return s
	}
	var b strings.Builder
	at := indent
	for i, word := range strings.Fields(s) {
		n := columns(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}
