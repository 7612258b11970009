package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	name    kind = iota // a property, an operator, a function
	literal             // text is the content, prefix its kind: "" text, "number", "guid", …
	mark                // a parenthesis or a comma
)

type token struct {
	kind   kind
	text   string
	prefix string
}

// scan cuts an expression into tokens.
func scan(s string) ([]token, error) {
	var toks []token
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		var t token
		var err error
		rest := s[size:]
		switch {
		case unicode.IsSpace(r):
			s = rest
			continue
		case strings.ContainsRune("(),", r):
			t = token{kind: mark, text: string(r)}
		case r == '\'':
			t, rest, err = quoted(s[1:], "")
		case r == '-' || r == '+' || '0' <= r && r <= '9': // other scripts' digits are no number here
			t, rest = numeral(s)
		case r == '_' || unicode.IsLetter(r):
			t, rest, err = word(s)
		default:
			err = fmt.Errorf("%w: %q", ErrSyntax, string(r))
		}
		if err != nil {
			return nil, err
		}
		toks, s = append(toks, t), rest
	}
	return toks, nil
}

// quoted reads up to the closing apostrophe; two of them stand for one.
func quoted(s, prefix string) (token, string, error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\'')
		if i < 0 {
			return token{}, "", fmt.Errorf("%w: an apostrophe is not closed", ErrSyntax)
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if !strings.HasPrefix(s, "'") {
			return token{kind: literal, text: b.String(), prefix: prefix}, s, nil
		}
		b.WriteByte('\'')
		s = s[1:]
	}
}

func numeral(s string) (token, string) {
	i := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("+-.0123456789eELlDdFf", r) })
	if i < 0 {
		i = len(s)
	}
	return token{kind: literal, text: s[:i], prefix: "number"}, s[i:]
}

func word(s string) (token, string, error) {
	i := strings.IndexFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if i < 0 {
		i = len(s)
	}
	w, rest := s[:i], s[i:]
	if strings.HasPrefix(rest, "'") {
		return quoted(rest[1:], w)
	}
	switch w {
	case "NaN", "INF", "Infinity":
		return token{kind: literal, text: w, prefix: "number"}, rest, nil
	}
	return token{kind: name, text: w}, rest, nil
}
