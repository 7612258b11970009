// Package filter reads and evaluates the $filter expressions of Table Storage: comparisons
// of properties with literals, joined by and, or, not (Azure: Querying tables and
// entities; Supported query options).
package filter

import (
	"errors"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
)

// ErrSyntax is wrapped by the errors of expressions that cannot be read, and
// ErrUnsupported of OData's functions and operators that Table Storage lacks.
var (
	ErrSyntax      = errors.New("the filter cannot be read")
	ErrUnsupported = errors.New("the filter uses what Table Storage does not implement")
)

// Lookup returns the value of an entity's property; ok is false if it has none.
type Lookup func(property string) (v edm.Value, ok bool)

// Expr is an expression that can be evaluated; nil keeps everything.
type Expr interface {
	match(get Lookup) bool
	// bound narrows the keys that may match; it leaves r alone where it cannot tell.
	bound(r *Range)
}

// Match tells whether an entity satisfies the expression. A comparison with a property
// that the entity lacks, or of types that do not compare, does not hold.
func Match(e Expr, get Lookup) bool { return e == nil || e.match(get) }

// Range is the least and the greatest partition key that can match, both included. Open
// tells that there is no greatest one.
type Range struct {
	From, To string
	Open     bool
}

// Keys returns the range of partition keys outside of which nothing matches.
func Keys(e Expr) Range {
	r := Range{Open: true}
	if e != nil {
		e.bound(&r)
	}
	return r
}

type (
	and        struct{ left, right Expr }
	or         struct{ left, right Expr }
	not        struct{ inner Expr }
	comparison struct {
		left, right operand
		op          string
	}
	// truth is a property or literal that stands alone.
	truth struct{ value operand }
)

// operand is a property or, if property is empty, a literal.
type operand struct {
	property string
	literal  edm.Value
}

func (o operand) value(get Lookup) (edm.Value, bool) {
	if o.property == "" {
		return o.literal, true
	}
	return get(o.property)
}

func (e and) match(get Lookup) bool { return e.left.match(get) && e.right.match(get) }
func (e or) match(get Lookup) bool  { return e.left.match(get) || e.right.match(get) }
func (e not) match(get Lookup) bool { return !e.inner.match(get) }

func (e truth) match(get Lookup) bool {
	v, ok := e.value.value(get)
	return ok && v.Truth()
}

func (e comparison) match(get Lookup) bool {
	l, okL := e.left.value(get)
	r, okR := e.right.value(get)
	if !okL || !okR {
		return false
	}
	n, ok := edm.Compare(l, r)
	if !ok {
		return false
	}
	switch e.op {
	case "eq":
		return n == 0
	case "ne":
		return n != 0
	case "gt":
		return n > 0
	case "ge":
		return n >= 0
	case "lt":
		return n < 0
	}
	return n <= 0
}

func (e and) bound(r *Range) {
	e.left.bound(r)
	e.right.bound(r)
}

func (or) bound(*Range)    {}
func (not) bound(*Range)   {}
func (truth) bound(*Range) {}

func (e comparison) bound(r *Range) {
	if e.left.property != "PartitionKey" || e.right.property != "" || e.right.literal.Type() != edm.String {
		return
	}
	key := e.right.literal.String()
	switch e.op {
	case "eq":
		r.from(key)
		r.to(key)
	case "ge", "gt":
		r.from(key)
	case "le", "lt":
		r.to(key)
	}
}

func (r *Range) from(key string) { r.From = max(r.From, key) }

func (r *Range) to(key string) {
	if r.Open || strings.Compare(key, r.To) < 0 {
		r.To, r.Open = key, false
	}
}
