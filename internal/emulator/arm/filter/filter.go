// Package filter reads the part of OData's $filter that ARM understands: comparisons
// (eq, ne), functions (substringof, startswith, atScope, assignedTo, …), and, or, and
// parentheses.
package filter

import (
	"fmt"
	"strings"
)

// Term is a comparison or a function call.
type Term struct {
	Op    string   // "eq", "ne", or the function's name in lower case
	Field string   // left side of a comparison, in lower case
	Value string   // right side of a comparison
	Args  []string // of a function: literals without their quotes, fields in lower case
}

// Expr is a filter. The zero value matches everything.
type Expr struct {
	term *Term
	or   bool
	kids []Expr
}

// Match evaluates the filter with the caller's answer for each term.
func (e Expr) Match(holds func(Term) bool) bool {
	if e.term != nil {
		return holds(*e.term)
	}
	for _, k := range e.kids {
		if k.Match(holds) == e.or {
			return e.or
		}
	}
	return !e.or
}

// Terms lists the filter's terms from left to right.
func (e Expr) Terms() []Term {
	if e.term != nil {
		return []Term{*e.term}
	}
	var out []Term
	for _, k := range e.kids {
		out = append(out, k.Terms()...)
	}
	return out
}

// maxLength bounds a filter, and with it how deep parentheses can nest.
const maxLength = 8192

// Parse reads a filter; an empty text matches everything.
func Parse(text string) (Expr, error) {
	if len(text) > maxLength {
		return Expr{}, fmt.Errorf("longer than %d characters", maxLength)
	}
	if strings.TrimSpace(text) == "" {
		return Expr{}, nil
	}
	tokens, err := scan(text)
	if err != nil {
		return Expr{}, err
	}
	p := &parser{tokens: tokens}
	e, err := p.any()
	if err != nil {
		return Expr{}, err
	}
	if len(p.tokens) > 0 {
		return Expr{}, fmt.Errorf("unexpected %s", p.tokens[0])
	}
	return e, nil
}

// token is a word, a quoted literal or one of ( ) and the comma.
type token struct {
	text    string
	literal bool
}

// String names the token in an error.
func (t token) String() string { return fmt.Sprintf("%q", t.text) }

// is compares a token with a word or sign; a quoted literal is neither.
func (t token) is(word string) bool { return !t.literal && strings.EqualFold(t.text, word) }

func scan(text string) ([]token, error) {
	var out []token
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		switch {
		case strings.ContainsRune("(),", rune(text[0])):
			out, text = append(out, token{text: text[:1]}), text[1:]
		case text[0] == '\'':
			value, rest, err := quoted(text[1:])
			if err != nil {
				return nil, err
			}
			out, text = append(out, token{text: value, literal: true}), rest
		default:
			end := strings.IndexAny(text, " \t(),'")
			if end < 0 {
				end = len(text)
			}
			out, text = append(out, token{text: text[:end]}), text[end:]
		}
	}
	return out, nil
}

// quoted reads up to the closing quote; two quotes stand for one.
func quoted(text string) (value, rest string, err error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '\'')
		if i < 0 {
			return "", "", fmt.Errorf("unclosed quote before %q", text)
		}
		b.WriteString(text[:i])
		text = text[i+1:]
		if !strings.HasPrefix(text, "'") {
			return b.String(), text, nil
		}
		b.WriteByte('\'')
		text = text[1:]
	}
}

type parser struct{ tokens []token }

// accept takes the next token if it is the word.
func (p *parser) accept(word string) bool {
	if len(p.tokens) == 0 || !p.tokens[0].is(word) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) next() (token, error) {
	if len(p.tokens) == 0 {
		return token{}, fmt.Errorf("unexpected end")
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t, nil
}

func (p *parser) any() (Expr, error) { return p.chain("or", p.all) }

func (p *parser) all() (Expr, error) { return p.chain("and", p.one) }

// chain reads operands joined by a word.
func (p *parser) chain(word string, operand func() (Expr, error)) (Expr, error) {
	first, err := operand()
	if err != nil {
		return Expr{}, err
	}
	out := Expr{or: word == "or", kids: []Expr{first}}
	for p.accept(word) {
		e, err := operand()
		if err != nil {
			return Expr{}, err
		}
		out.kids = append(out.kids, e)
	}
	return out, nil
}

// one reads a parenthesis, a function or a comparison.
func (p *parser) one() (Expr, error) {
	if p.accept("(") {
		e, err := p.any()
		if err == nil && !p.accept(")") {
			err = fmt.Errorf("missing )")
		}
		return e, err
	}
	name, err := p.next()
	if err != nil {
		return Expr{}, err
	}
	if name.literal {
		return Expr{}, fmt.Errorf("a literal %s where a field should be", name)
	}
	if p.accept("(") {
		return p.function(strings.ToLower(name.text))
	}
	return p.comparison(strings.ToLower(name.text))
}

func (p *parser) function(name string) (Expr, error) {
	t := Term{Op: name}
	for !p.accept(")") {
		arg, err := p.next()
		if err != nil {
			return Expr{}, err
		}
		if !arg.literal {
			arg.text = strings.ToLower(arg.text)
		}
		t.Args = append(t.Args, arg.text)
		p.accept(",")
	}
	return Expr{term: &t}, nil
}

func (p *parser) comparison(field string) (Expr, error) {
	op, err := p.next()
	if err != nil {
		return Expr{}, err
	}
	if !op.is("eq") && !op.is("ne") {
		return Expr{}, fmt.Errorf("unknown operator %s", op)
	}
	value, err := p.next()
	if err != nil {
		return Expr{}, err
	}
	return Expr{term: &Term{Op: strings.ToLower(op.text), Field: field, Value: value.text}}, nil
}
