package filter

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
)

// deepest is how many parentheses and nots may be nested, so that no text can exhaust the stack.
const deepest = 200

var operators = []string{"eq", "ne", "gt", "ge", "lt", "le"}

// Parse reads an expression; one of blanks alone is nil.
func Parse(text string) (Expr, error) {
	toks, err := scan(text)
	if err != nil || len(toks) == 0 {
		return nil, err
	}
	p := &parser{toks: toks}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.toks) {
		return nil, p.unexpected()
	}
	return e, nil
}

type parser struct {
	toks  []token
	at    int
	depth int
}

func (p *parser) unexpected() error {
	if p.at >= len(p.toks) {
		return fmt.Errorf("%w: it ends too early", ErrSyntax)
	}
	return fmt.Errorf("%w: %q is not expected here", ErrSyntax, p.toks[p.at].text)
}

// word takes the next token if it is this word.
func (p *parser) word(w string) bool {
	if p.at < len(p.toks) && p.toks[p.at].kind == name && p.toks[p.at].text == w {
		p.at++
		return true
	}
	return false
}

func (p *parser) mark(m string) bool {
	if p.at < len(p.toks) && p.toks[p.at].kind == mark && p.toks[p.at].text == m {
		p.at++
		return true
	}
	return false
}

func (p *parser) or() (Expr, error) {
	left, err := p.and()
	for err == nil && p.word("or") {
		var right Expr
		right, err = p.and()
		left = or{left, right}
	}
	return left, err
}

func (p *parser) and() (Expr, error) {
	left, err := p.not()
	for err == nil && p.word("and") {
		var right Expr
		right, err = p.not()
		left = and{left, right}
	}
	return left, err
}

func (p *parser) not() (Expr, error) {
	if !p.word("not") {
		return p.primary()
	}
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("%w: it is nested too deep", ErrSyntax)
	}
	defer func() { p.depth-- }()
	inner, err := p.not()
	return not{inner}, err
}

func (p *parser) primary() (Expr, error) {
	if !p.mark("(") {
		return p.comparison()
	}
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("%w: it is nested too deep", ErrSyntax)
	}
	defer func() { p.depth-- }()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.mark(")") {
		return nil, p.unexpected()
	}
	return e, nil
}

func (p *parser) comparison() (Expr, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.at >= len(p.toks) || p.toks[p.at].kind != name || !slices.Contains(operators, p.toks[p.at].text) {
		if err := p.arithmetic(); err != nil {
			return nil, err
		}
		return truth{left}, nil
	}
	op := p.toks[p.at].text
	p.at++
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	if left.property == "" && right.property != "" {
		left, right, op = right, left, mirrored(op)
	}
	return comparison{left, right, op}, nil
}

// arithmetic refuses operators that OData has and Table Storage has not.
func (p *parser) arithmetic() error {
	for _, w := range []string{"add", "sub", "mul", "div", "mod"} {
		if p.word(w) {
			return fmt.Errorf("%w: %s", ErrUnsupported, w)
		}
	}
	return nil
}

func mirrored(op string) string {
	switch op {
	case "gt":
		return "lt"
	case "ge":
		return "le"
	case "lt":
		return "gt"
	case "le":
		return "ge"
	}
	return op
}

func (p *parser) operand() (operand, error) {
	if p.at >= len(p.toks) {
		return operand{}, p.unexpected()
	}
	t := p.toks[p.at]
	switch t.kind {
	case literal:
		p.at++
		v, err := t.value()
		return operand{literal: v}, err
	case name:
		p.at++
		return p.named(t.text)
	case mark:
	}
	return operand{}, p.unexpected()
}

// named is a property, a truth value, or a function, which is refused.
func (p *parser) named(s string) (operand, error) {
	switch s {
	case "true", "false":
		return operand{literal: edm.Bool(s == "true")}, nil
	case "null":
		return operand{}, fmt.Errorf("%w: null", ErrUnsupported)
	case "and", "or", "eq", "ne", "gt", "ge", "lt", "le":
		p.at--
		return operand{}, p.unexpected()
	}
	if p.at < len(p.toks) && p.toks[p.at] == (token{kind: mark, text: "("}) {
		return operand{}, fmt.Errorf("%w: function %s", ErrUnsupported, s)
	}
	return operand{property: s}, nil
}

// value reads a literal: 'text', datetime'…', guid'…', X'…', binary'…' and numbers.
func (t token) value() (edm.Value, error) {
	var v edm.Value
	var err error
	switch t.prefix {
	case "":
		return edm.Text(t.text), nil
	case "number":
		return number(t.text)
	case "datetime":
		v, err = edm.Parse(edm.DateTime, t.text)
	case "guid":
		v, err = edm.Parse(edm.GUID, t.text)
	case "X", "binary":
		var b []byte
		b, err = hex.DecodeString(t.text)
		v = edm.Bytes(b)
	default:
		return v, fmt.Errorf("%w: %s'…'", ErrSyntax, t.prefix)
	}
	if err != nil {
		return v, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return v, nil
}

func number(s string) (edm.Value, error) {
	if strings.ContainsAny(s, "NI") {
		return edm.Parse(edm.Double, s)
	}
	digits := strings.TrimRight(s, "lLdDfF")
	kind := edm.Int32
	switch {
	case strings.HasSuffix(strings.ToUpper(s), "L"):
		kind = edm.Int64
	case digits != s || strings.ContainsAny(s, ".eE"):
		kind = edm.Double
	}
	v, err := edm.Parse(kind, digits)
	if errors.Is(err, edm.ErrRange) && kind == edm.Int32 {
		v, err = edm.Parse(edm.Int64, digits)
	}
	if err != nil {
		return v, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return v, nil
}
