package expr

import "strings"

// Node is a parsed expression.
type Node interface {
	eval(*frame) (any, error)
	// children are the nodes directly below.
	children() []Node
}

// Literal is a string or a whole number.
type Literal struct{ Value any }

// Call is a call of a function, built-in or (with a Namespace) of the template's own.
type Call struct {
	Namespace, Name string
	Args            []Node
}

// Member is the access to a member of an object or an element of an array.
type Member struct {
	Of, Key Node
	Safe    bool // null where there is no such member
}

func (*Literal) children() []Node  { return nil }
func (c *Call) children() []Node   { return c.Args }
func (m *Member) children() []Node { return []Node{m.Of, m.Key} }

// Is tells whether the call is one of a built-in function, case aside.
func (c *Call) Is(name string) bool { return c.Namespace == "" && strings.EqualFold(c.Name, name) }

// Calls visits every call in a node, outer ones first.
func Calls(n Node, visit func(*Call)) {
	if c, ok := n.(*Call); ok {
		visit(c)
	}
	for _, child := range n.children() {
		Calls(child, visit)
	}
}
