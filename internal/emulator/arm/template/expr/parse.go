package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// maxDepth is how deep an expression may nest; Azure has a limit too, of another size.
const maxDepth = 256

// Text tells what a JSON string of a template means: an expression, whose source (without
// the brackets) is returned, or a plain text. A text that begins with "[[" is plain and
// loses one bracket.
func Text(s string) (text string, isExpression bool) {
	switch {
	case len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']':
		return s, false
	case s[1] == '[':
		return s[1:], false
	}
	return s[1 : len(s)-1], true
}

// Parse reads the source of an expression. The error is Azure's, without the place in the
// template.
func Parse(source string) (Node, error) {
	p := &parser{src: source}
	n, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos < len(p.src) {
		return nil, p.errorf("end of expression expected")
	}
	return n, nil
}

type parser struct {
	src string
	pos int
}

func (p *parser) errorf(format string, args ...any) error {
	return function.Errorf("The language expression '%s' is not valid: %s at position '%d'.", p.src, fmt.Sprintf(format, args...), p.pos)
}

func (p *parser) space() {
	for p.pos < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.pos]) >= 0 {
		p.pos++
	}
}

// take moves past a token if it comes next.
func (p *parser) take(token string) bool {
	p.space()
	if strings.HasPrefix(p.src[p.pos:], token) {
		p.pos += len(token)
		return true
	}
	return false
}

func (p *parser) expression(depth int) (Node, error) {
	if depth > maxDepth {
		return nil, p.errorf("the expression is nested too deeply")
	}
	n, err := p.primary(depth)
	for err == nil {
		switch {
		case p.take("[?"):
			n, err = p.index(n, true, depth)
		case p.take("["):
			n, err = p.index(n, false, depth)
		case p.take(".?"):
			n, err = p.property(n, true)
		case p.take("."):
			n, err = p.property(n, false)
		default:
			return n, nil
		}
	}
	return nil, err
}

func (p *parser) index(of Node, safe bool, depth int) (Node, error) {
	key, err := p.expression(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.take("]") {
		return nil, p.errorf("']' expected")
	}
	return &Member{Of: of, Key: key, Safe: safe}, nil
}

func (p *parser) property(of Node, safe bool) (Node, error) {
	name := p.name()
	if name == "" {
		return nil, p.errorf("a property name expected")
	}
	return &Member{Of: of, Key: &Literal{Value: name}, Safe: safe}, nil
}

func (p *parser) primary(depth int) (Node, error) {
	p.space()
	if p.pos == len(p.src) {
		return nil, p.errorf("the expression is empty or ends too early")
	}
	switch c := p.src[p.pos]; {
	case c == '\'':
		return p.text()
	case c == '-' || digit(c):
		return p.number()
	}
	name := p.name()
	if name == "" {
		return nil, p.errorf("unexpected character '%c'", p.src[p.pos])
	}
	call := &Call{Name: name}
	if p.take(".") {
		if call.Namespace, call.Name = name, p.name(); call.Name == "" {
			return nil, p.errorf("a function name expected")
		}
	}
	if !p.take("(") {
		return nil, p.errorf("'(' expected after '%s'", call.Name)
	}
	var err error
	call.Args, err = p.arguments(depth)
	return call, err
}

func (p *parser) arguments(depth int) ([]Node, error) {
	var args []Node
	if p.take(")") {
		return nil, nil
	}
	for {
		arg, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		switch {
		case p.take(","):
		case p.take(")"):
			return args, nil
		default:
			return nil, p.errorf("',' or ')' expected")
		}
	}
}

// text reads a string; two quotes stand for one.
func (p *parser) text() (Node, error) {
	var b strings.Builder
	for i := p.pos + 1; i < len(p.src); i++ {
		if p.src[i] != '\'' {
			b.WriteByte(p.src[i])
			continue
		}
		if i+1 < len(p.src) && p.src[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		p.pos = i + 1
		return &Literal{Value: b.String()}, nil
	}
	return nil, p.errorf("the string is not closed")
}

func (p *parser) number() (Node, error) {
	start := p.pos
	p.pos++
	for p.pos < len(p.src) && digit(p.src[p.pos]) {
		p.pos++
	}
	n, err := strconv.ParseInt(p.src[start:p.pos], 10, 64)
	if err != nil {
		return nil, p.errorf("'%s' is not a whole number", p.src[start:p.pos])
	}
	return &Literal{Value: n}, nil
}

func (p *parser) name() string {
	p.space()
	start := p.pos
	for p.pos < len(p.src) && (letter(p.src[p.pos]) || (p.pos > start && digit(p.src[p.pos]))) {
		p.pos++
	}
	return p.src[start:p.pos]
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func letter(c byte) bool {
	return c == '_' || c == '$' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
}
