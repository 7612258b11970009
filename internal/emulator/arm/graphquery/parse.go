package graphquery

import (
	"strconv"
	"strings"
)

// expression computes a value of a row.
type expression func(Row) any

// parser reads a query. columns are those of the table at the place that is read; a name
// that is not among them is refused.
type parser struct {
	query   string
	tokens  []token
	at      int
	columns []string
	depth   int
}

// maxDepth is how deep an expression may nest.
const maxDepth = 200

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

// take moves past a symbol or word if it comes next; words without regard to case.
func (p *parser) take(s string) bool {
	t := p.peek()
	if (t.kind == symbol || t.kind == name) && strings.EqualFold(t.text, s) {
		p.at++
		return true
	}
	return false
}

func (p *parser) want(s string) error {
	if !p.take(s) {
		return p.fail("'%s' expected", s)
	}
	return nil
}

func (p *parser) fail(format string, args ...any) error {
	t := p.peek()
	return failure(p.query, t.pos, t.text, format, args...)
}

// condition reads "a or b", the weakest of the operators.
func (p *parser) condition() (expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	return p.logical("or", func() (expression, error) { return p.logical("and", p.comparison) })
}

// logical reads operands between words "or" or "and".
func (p *parser) logical(word string, operand func() (expression, error)) (expression, error) {
	left, err := operand()
	for err == nil && p.take(word) {
		var right expression
		if right, err = operand(); err != nil {
			break
		}
		a, b := left, right
		if word == "or" {
			left = func(r Row) any { return truth(a(r)) || truth(b(r)) }
		} else {
			left = func(r Row) any { return truth(a(r)) && truth(b(r)) }
		}
	}
	return left, err
}

func truth(v any) bool { b, _ := v.(bool); return b }

// comparison reads a sum, compared with another or looked for in a list.
func (p *parser) comparison() (expression, error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	t := p.peek()
	if t.kind == symbol {
		if test, ok := orders[t.text]; ok {
			p.next()
			right, err := p.sum()
			return func(r Row) any { return test(left(r), right(r)) }, err
		}
		return left, nil
	}
	word := strings.ToLower(t.text)
	positive := strings.TrimPrefix(word, "!")
	not := positive != word
	switch {
	case t.kind != name:
		return left, nil
	case positive == "in" || positive == "in~":
		p.next()
		return p.inList(left, positive == "in~", not)
	case word == "matches":
		p.next()
		if err := p.want("regex"); err != nil {
			return nil, err
		}
		return p.matches(left)
	}
	test, ok := texts[positive]
	if !ok {
		return left, nil
	}
	p.next()
	right, err := p.sum()
	return func(r Row) any { return test(Text(left(r)), Text(right(r))) != not }, err
}

func (p *parser) inList(left expression, fold, not bool) (expression, error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	list, err := p.arguments(")")
	if err != nil {
		return nil, err
	}
	return func(r Row) any {
		v := left(r)
		for _, e := range list {
			w := e(r)
			if equal(v, w) || (fold && strings.EqualFold(Text(v), Text(w))) {
				return !not
			}
		}
		return not
	}, nil
}

// arguments reads expressions between commas up to a closing symbol.
func (p *parser) arguments(closing string) ([]expression, error) {
	var out []expression
	if p.take(closing) {
		return nil, nil
	}
	for {
		e, err := p.condition()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if p.take(closing) {
			return out, nil
		}
		if err := p.want(","); err != nil {
			return nil, err
		}
	}
}

func (p *parser) sum() (expression, error) {
	left, err := p.primary()
	for err == nil {
		op := p.peek().text
		f, ok := sums[op]
		if !ok || p.peek().kind != symbol {
			return left, nil
		}
		p.next()
		var right expression
		if right, err = p.primary(); err == nil {
			a, b := left, right
			left = func(r Row) any { return f(a(r), b(r)) }
		}
	}
	return nil, err
}

// primary reads a value with the path behind it.
func (p *parser) primary() (expression, error) {
	e, err := p.atom()
	for err == nil {
		switch {
		case p.take("."):
			t := p.next()
			if t.kind != name {
				return nil, p.fail("the name of a property expected")
			}
			e = member(e, func(Row) any { return t.text })
		case p.take("["):
			var key expression
			if key, err = p.condition(); err == nil {
				err = p.want("]")
				e = member(e, key)
			}
		default:
			return e, nil
		}
	}
	return nil, err
}

func (p *parser) atom() (expression, error) {
	t := p.next()
	switch t.kind {
	case end, symbol:
	case text:
		return func(Row) any { return t.text }, nil
	case number:
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, failure(p.query, t.pos, t.text, "not a number")
		}
		return func(Row) any { return n }, nil
	case name:
		return p.named(t)
	}
	switch t.text {
	case "(":
		e, err := p.condition()
		if err == nil {
			err = p.want(")")
		}
		return e, err
	case "-":
		e, err := p.primary()
		return func(r Row) any { return sums["-"](0.0, e(r)) }, err
	}
	return nil, failure(p.query, t.pos, t.text, "an expression expected")
}

// named reads a column, a literal word or the call of a function.
func (p *parser) named(t token) (expression, error) {
	word := strings.ToLower(t.text)
	if p.take("(") {
		args, err := p.arguments(")")
		if err != nil {
			return nil, err
		}
		f, ok := functions[word]
		if !ok {
			return nil, failure(p.query, t.pos, t.text, "Unknown function: '%s'.", t.text)
		}
		if len(args) < f.min || (f.max >= 0 && len(args) > f.max) {
			return nil, failure(p.query, t.pos, t.text, "%s(): function expects another number of arguments than %d", t.text, len(args))
		}
		return func(r Row) any {
			values := make([]any, len(args))
			for i, a := range args {
				values[i] = a(r)
			}
			return f.eval(values)
		}, nil
	}
	switch word {
	case "true", "false":
		return func(Row) any { return word == "true" }, nil
	case "null":
		return func(Row) any { return nil }, nil
	}
	for _, c := range p.columns {
		if c == t.text {
			return func(r Row) any { return r[c] }, nil
		}
	}
	return nil, failure(p.query, t.pos, t.text, "Failed to resolve scalar expression named '%s'", t.text)
}
