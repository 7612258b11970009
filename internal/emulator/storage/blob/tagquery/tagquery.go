// Package tagquery reads the expressions over blob index tags that Find Blobs by Tags and
// x-ms-if-tags take (Azure: Find Blobs by Tags, Constructing search expressions).
package tagquery

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Query is a conjunction of comparisons, or a disjunction of conjunctions where x-ms-if-tags
// allows OR. @container is compared as a tag of that name.
type Query struct {
	any [][]term
}

type term struct {
	key, op, value string
}

// container is the name that stands for the blob's container.
const container = "@container"

var errSyntax = errors.New("the expression is not valid")

// Parse reads an expression.
func Parse(text string) (*Query, error) {
	p := parser{rest: text}
	q := &Query{any: [][]term{nil}}
	for {
		t, err := p.term()
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		last := len(q.any) - 1
		q.any[last] = append(q.any[last], t)
		switch word := strings.ToUpper(p.word()); word {
		case "":
			if p.rest != "" {
				return nil, fmt.Errorf("%q: %w", text, errSyntax)
			}
			return q, nil
		case "AND":
		case "OR":
			q.any = append(q.any, nil)
		default:
			return nil, fmt.Errorf("%q: %w at %s", text, errSyntax, word)
		}
	}
}

// ParseFind reads an expression of Find Blobs by Tags, which has neither OR nor <>.
func ParseFind(text string) (*Query, error) {
	q, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if len(q.any) > 1 || slices.ContainsFunc(q.any[0], func(t term) bool { return t.op == "<>" }) {
		return nil, fmt.Errorf("%q: OR and <> are for conditions: %w", text, errSyntax)
	}
	return q, nil
}

type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// word takes letters, digits and @ _.
func (p *parser) word() string {
	p.space()
	n := strings.IndexFunc(p.rest, func(r rune) bool {
		return r != '@' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if n < 0 {
		n = len(p.rest)
	}
	out := p.rest[:n]
	p.rest = p.rest[n:]
	return out
}

// quoted takes what stands in quotes; a doubled quote is a quote.
func (p *parser) quoted(quote byte) (string, error) {
	var out []byte
	for i := 1; i < len(p.rest); i++ {
		if p.rest[i] != quote {
			out = append(out, p.rest[i])
			continue
		}
		if i+1 < len(p.rest) && p.rest[i+1] == quote {
			out = append(out, quote)
			i++
			continue
		}
		p.rest = p.rest[i+1:]
		return string(out), nil
	}
	return "", errSyntax
}

func (p *parser) term() (term, error) {
	p.space()
	var t term
	var err error
	if strings.HasPrefix(p.rest, `"`) {
		t.key, err = p.quoted('"')
	} else {
		t.key = p.word()
	}
	if err != nil || t.key == "" {
		return t, errSyntax
	}
	p.space()
	for _, op := range []string{">=", "<=", "<>", "=", ">", "<"} {
		if rest, ok := strings.CutPrefix(p.rest, op); ok {
			t.op, p.rest = op, rest
			break
		}
	}
	p.space()
	if t.op == "" || !strings.HasPrefix(p.rest, "'") {
		return t, errSyntax
	}
	t.value, err = p.quoted('\'')
	return t, err
}

// Matches tells whether tags satisfy the expression.
func (q *Query) Matches(tags map[string]string) bool {
	for _, all := range q.any {
		if matches(all, tags) {
			return true
		}
	}
	return false
}

// MatchesIn is Matches for a blob of a container.
func (q *Query) MatchesIn(name string, tags map[string]string) bool {
	with := map[string]string{container: name}
	for k, v := range tags {
		with[k] = v
	}
	return len(tags) > 0 && q.Matches(with)
}

func matches(all []term, tags map[string]string) bool {
	for _, t := range all {
		v, ok := tags[t.key]
		if !ok || !t.holds(strings.Compare(v, t.value)) {
			return false
		}
	}
	return true
}

func (t term) holds(c int) bool {
	switch t.op {
	case "=":
		return c == 0
	case "<>":
		return c != 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "<":
		return c < 0
	}
	return c <= 0
}

// NamesContainer tells whether the expression has @container, which it may not where a
// container is searched (Azure: Find Blobs by Tags for a container).
func (q *Query) NamesContainer() bool {
	return slices.ContainsFunc(q.any, func(all []term) bool {
		return slices.ContainsFunc(all, func(t term) bool { return t.key == container })
	})
}

// Keys are the tags that the expression speaks of, each once, which Find Blobs by Tags shows.
func (q *Query) Keys() []string {
	var out []string
	for _, all := range q.any {
		for _, t := range all {
			if t.key != container && !slices.Contains(out, t.key) {
				out = append(out, t.key)
			}
		}
	}
	return out
}

// The limits of tags (Azure: Set Blob Tags).
const (
	most         = 10
	longestKey   = 128
	longestValue = 256
)

// What is wrong with a blob's tags, as the service's error codes tell it.
var (
	ErrTooLarge = fmt.Errorf("at most %d tags, of keys with %d characters and values with %d, are allowed", most, longestKey, longestValue)
	ErrNoName   = errors.New("a tag has no name")
	ErrInvalid  = errors.New("letters, digits, space and + - . / : = _ are allowed")
)

// Check tells whether a blob may have these tags: it returns one of the errors above.
func Check(tags map[string]string) error {
	if len(tags) > most {
		return ErrTooLarge
	}
	for k, v := range tags {
		switch {
		case k == "":
			return ErrNoName
		case len(k) > longestKey || len(v) > longestValue:
			return ErrTooLarge
		case !valid(k) || !valid(v):
			return ErrInvalid
		}
	}
	return nil
}

func valid(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(" +-./:=_", r) {
			return false
		}
	}
	return true
}
