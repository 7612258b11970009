package graphquery

import (
	"fmt"
	"strings"
	"unicode"
)

// Error is a query that cannot be understood.
type Error struct {
	Line, Column int // of the token, from 1
	Token        string
	Message      string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (line %d, column %d, near '%s')", e.Message, e.Line, e.Column, e.Token)
}

type kind int

const (
	end kind = iota
	name
	text
	number
	symbol
)

type token struct {
	kind kind
	text string // of a text, without its quotes
	pos  int
}

// symbols are the operators of more than one character, longest first.
var symbols = []string{"==", "!=", "=~", "!~", "<=", ">=", "<>", ".."}

// lex cuts a query into tokens. Names may have a hyphen in them where an operator has
// one (project-away); "!in~" and the like are names, too.
func lex(query string) ([]token, error) {
	var out []token
	for i := 0; i < len(query); {
		c := rune(query[i])
		if n := blank(query[i:]); n > 0 {
			i += n
			continue
		}
		switch {
		case c == '\'' || c == '"':
			s, n, ok := quoted(query[i:])
			if !ok {
				return nil, failure(query, i, string(c), "the text is not closed")
			}
			out = append(out, token{text, s, i})
			i += n
		case c >= '0' && c <= '9':
			n := span(query[i:], func(c byte) bool { return c >= '0' && c <= '9' || c == '.' })
			out = append(out, token{number, query[i : i+n], i})
			i += n
		case letter(query[i]) || c == '!' && i+1 < len(query) && letter(query[i+1]):
			n := word(query[i:])
			out = append(out, token{name, query[i : i+n], i})
			i += n
		default:
			n := operator(query[i:])
			out = append(out, token{symbol, query[i : i+n], i})
			i += n
		}
	}
	return append(out, token{end, "<EOF>", len(query)}), nil
}

// blank is the length of the white space or the remark that a text begins with.
func blank(s string) int {
	if !strings.HasPrefix(s, "//") {
		return span(s, func(c byte) bool { return unicode.IsSpace(rune(c)) })
	}
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return n
	}
	return len(s)
}

// quoted reads a text with backslash escapes.
func quoted(s string) (value string, length int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), i + 1, true
		case s[i] == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			default:
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, false
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

func letter(c byte) bool { return c == '_' || c == '$' || unicode.IsLetter(rune(c)) }

// word reads a name: "in~", "!contains" and "project-away" are single ones.
func word(s string) int {
	n := 1 + span(s[1:], func(c byte) bool { return letter(c) || (c >= '0' && c <= '9') })
	if head := s[:n]; (head == "project" || head == "mv") && n < len(s)-1 && s[n] == '-' && letter(s[n+1]) {
		n += 1 + span(s[n+1:], letter)
	}
	if n < len(s) && s[n] == '~' {
		n++
	}
	return n
}

func operator(s string) int {
	for _, op := range symbols {
		if strings.HasPrefix(s, op) {
			return len(op)
		}
	}
	return 1
}

func failure(query string, pos int, near, format string, args ...any) *Error {
	before := query[:min(pos, len(query))]
	return &Error{
		Line: 1 + strings.Count(before, "\n"), Column: len(before) - strings.LastIndexByte(before, '\n'),
		Token: near, Message: fmt.Sprintf(format, args...),
	}
}
