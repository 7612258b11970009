package expr

import (
	"errors"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// Env answers what depends on the template and on Azure.
type Env interface {
	// Call computes a function that is not one of values alone: parameters, variables,
	// reference, resourceId, a function of the template's own … ok is false if there is no
	// such function.
	Call(namespace, name string, args []any) (v any, ok bool, err error)
}

// ErrDeferred is wrapped by the errors of an Env for what can be told only once the
// deployment runs.
var ErrDeferred = errors.New("known when the deployment runs")

// frame is the surroundings of an evaluation.
type frame struct {
	env   Env
	vars  map[string]any // of the lambdas around
	depth int
}

// maxCalls is how deep lambdas may nest while they are evaluated.
const maxCalls = 64

// Eval computes a parsed expression. The values are those of package function.
func Eval(n Node, env Env) (any, error) { return n.eval(&frame{env: env}) }

// Value evaluates every expression in a JSON value and returns a new one. Strings that
// are no expression are kept; member names may be expressions too.
func Value(v any, env Env) (any, error) {
	switch v := v.(type) {
	case string:
		text, isExpression := Text(v)
		if !isExpression {
			return text, nil
		}
		n, err := Parse(text)
		if err != nil {
			return nil, err
		}
		return Eval(n, env)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = Value(e, env); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		return members(v, env)
	}
	return v, nil
}

func members(object map[string]any, env Env) (map[string]any, error) {
	out := make(map[string]any, len(object))
	for k, e := range object {
		name, err := Value(k, env)
		if err != nil {
			return nil, err
		}
		key, isText := name.(string)
		if !isText {
			return nil, function.Errorf("The language expression '%s' of a property name must give a string.", k)
		}
		if out[key], err = Value(e, env); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (l *Literal) eval(*frame) (any, error) { return l.Value, nil }

func (m *Member) eval(f *frame) (any, error) {
	of, err := m.Of.eval(f)
	if err != nil {
		return nil, err
	}
	key, err := m.Key.eval(f)
	if err != nil {
		return nil, err
	}
	v, err := access(of, key)
	if err != nil && m.Safe {
		return nil, nil //nolint:nilerr // .? gives null where there is nothing
	}
	return v, err
}

// access reads a member or an element. The wording is Azure's.
func access(of, key any) (any, error) {
	switch of := of.(type) {
	case map[string]any:
		name, ok := key.(string)
		if !ok {
			return nil, function.Errorf("The language expression property '%s' can't be evaluated, property name must be a string.", function.Text(key))
		}
		v, ok := function.Member(of, name)
		if !ok {
			return nil, function.Errorf("The language expression property '%s' doesn't exist, available properties are '%s'.", name, names(of))
		}
		return v, nil
	case []any:
		n, ok := key.(int64)
		if !ok {
			return nil, function.Errorf("The language expression property '%s' can't be evaluated, array index must be an integer.", function.Text(key))
		}
		if n < 0 || n >= int64(len(of)) {
			return nil, function.Errorf("The language expression property array index '%d' is out of bounds.", n)
		}
		return of[n], nil
	}
	return nil, function.Errorf("The language expression property '%s' can't be evaluated.", function.Text(key))
}

func names(of map[string]any) string {
	all := make([]string, 0, len(of))
	for k := range of {
		all = append(all, k)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (c *Call) eval(f *frame) (any, error) {
	if c.Namespace == "" {
		if eval := lazy(c.Name); eval != nil {
			return eval(c, f)
		}
	}
	args, err := c.values(f)
	if err != nil {
		return nil, err
	}
	if c.Namespace == "" && function.Known(c.Name) {
		return function.Call(c.Name, args)
	}
	v, ok, err := f.env.Call(c.Namespace, c.Name, args)
	if !ok {
		return nil, function.ErrUnknown(c.fullName())
	}
	return v, err
}

func (c *Call) fullName() string {
	if c.Namespace == "" {
		return c.Name
	}
	return c.Namespace + "." + c.Name
}

func (c *Call) values(f *frame) ([]any, error) {
	args := make([]any, len(c.Args))
	for i, a := range c.Args {
		var err error
		if args[i], err = a.eval(f); err != nil {
			return nil, err
		}
	}
	return args, nil
}
