package expr

import (
	"maps"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// lazy finds a function that does not want the values of all its arguments: one that
// chooses, or takes a lambda. nil if name is none.
func lazy(name string) func(*Call, *frame) (any, error) {
	switch strings.ToLower(name) {
	case "if":
		return choose
	case "and":
		return every
	case "or":
		return some
	case "lambda":
		return loose
	case "lambdavariables":
		return variable
	case "filter":
		return filter
	case "map":
		return mapped
	case "mapvalues":
		return mapValues
	case "reduce":
		return reduce
	case "sort":
		return sorted
	case "toobject":
		return toObject
	case "groupby":
		return groupBy
	}
	return nil
}

func errArgument(c *Call, n int, want string, got any) error {
	return function.Errorf("The template language function '%s' expects its argument at position %d to be %s, not %s. Please see https://aka.ms/arm-functions for usage details.", c.Name, n, want, function.Kind(got))
}

func truth(c *Call, f *frame, i int) (bool, error) {
	v, err := c.Args[i].eval(f)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, errArgument(c, i+1, "a boolean", v)
	}
	return b, nil
}

// choose is if(): only the branch that counts is evaluated.
func choose(c *Call, f *frame) (any, error) {
	if err := function.Arity(c.Name, len(c.Args), 3, 3); err != nil {
		return nil, err
	}
	b, err := truth(c, f, 0)
	if err != nil {
		return nil, err
	}
	if b {
		return c.Args[1].eval(f)
	}
	return c.Args[2].eval(f)
}

func every(c *Call, f *frame) (any, error) { return until(c, f, false) }

func some(c *Call, f *frame) (any, error) { return until(c, f, true) }

// until evaluates arguments up to the first that is stop.
func until(c *Call, f *frame, stop bool) (any, error) {
	if err := function.Arity(c.Name, len(c.Args), 2, -1); err != nil {
		return nil, err
	}
	for i := range c.Args {
		b, err := truth(c, f, i)
		if err != nil || b == stop {
			return stop, err
		}
	}
	return !stop, nil
}

// loose is a lambda where none may stand.
func loose(c *Call, _ *frame) (any, error) {
	return nil, function.Errorf("The template function '%s' is not expected at this location. Please see https://aka.ms/arm-functions for usage details.", c.Name)
}

func variable(c *Call, f *frame) (any, error) {
	if err := function.Arity(c.Name, len(c.Args), 1, 1); err != nil {
		return nil, err
	}
	name, err := c.Args[0].eval(f)
	if err != nil {
		return nil, err
	}
	s, _ := name.(string)
	v, ok := f.vars[s]
	if !ok {
		return nil, function.Errorf("The lambda variable '%s' is not found.", s)
	}
	return v, nil
}

// lambda is a lambda in the frame it was written in.
type lambda struct {
	names []string
	body  Node
	f     *frame
}

// lambdaAt reads the lambda that is an argument; it takes between least and most values.
func lambdaAt(c *Call, f *frame, i, least, most int) (*lambda, error) {
	l, ok := c.Args[i].(*Call)
	if !ok || !l.Is("lambda") || len(l.Args) == 0 {
		return nil, function.Errorf("The template language function '%s' expects its argument at position %d to be a lambda. Please see https://aka.ms/arm-functions for usage details.", c.Name, i+1)
	}
	if f.depth >= maxCalls {
		return nil, function.Errorf("The template language function '%s' is nested too deeply.", c.Name)
	}
	out := &lambda{f: f, body: l.Args[len(l.Args)-1]}
	for _, a := range l.Args[:len(l.Args)-1] {
		name, isText := a.(*Literal)
		s := ""
		if isText {
			s, isText = name.Value.(string)
		}
		if !isText {
			return nil, errArgument(l, len(out.names)+1, "the name of a variable", nil)
		}
		out.names = append(out.names, s)
	}
	return out, function.Arity("lambda", len(out.names), least, most)
}

func (l *lambda) call(args ...any) (any, error) {
	inner := &frame{env: l.f.env, vars: maps.Clone(l.f.vars), depth: l.f.depth + 1}
	if inner.vars == nil {
		inner.vars = map[string]any{}
	}
	for i, v := range args {
		if i < len(l.names) {
			inner.vars[l.names[i]] = v
		}
	}
	return l.body.eval(inner)
}

// over evaluates the array in the first argument and the lambda in another.
func over(c *Call, f *frame, args, at, least, most int) ([]any, *lambda, error) {
	if err := function.Arity(c.Name, len(c.Args), min(args, 2), args); err != nil {
		return nil, nil, err
	}
	v, err := c.Args[0].eval(f)
	if err != nil {
		return nil, nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, nil, errArgument(c, 1, "an array", v)
	}
	if at >= len(c.Args) {
		return nil, nil, function.Arity(c.Name, len(c.Args), at+1, args)
	}
	l, err := lambdaAt(c, f, at, least, most)
	return list, l, err
}

func filter(c *Call, f *frame) (any, error) {
	list, l, err := over(c, f, 2, 1, 1, 2)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i, e := range list {
		v, err := l.call(e, int64(i))
		if err != nil {
			return nil, err
		}
		keep, ok := v.(bool)
		if !ok {
			return nil, errArgument(c, 2, "a lambda that gives a boolean", v)
		}
		if keep {
			out = append(out, e)
		}
	}
	return out, nil
}

func mapped(c *Call, f *frame) (any, error) {
	list, l, err := over(c, f, 2, 1, 1, 2)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, e := range list {
		if out[i], err = l.call(e, int64(i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func mapValues(c *Call, f *frame) (any, error) {
	if err := function.Arity(c.Name, len(c.Args), 2, 2); err != nil {
		return nil, err
	}
	v, err := c.Args[0].eval(f)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errArgument(c, 1, "an object", v)
	}
	l, err := lambdaAt(c, f, 1, 1, 1)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(object))
	for k, e := range object {
		if out[k], err = l.call(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func reduce(c *Call, f *frame) (any, error) {
	list, l, err := over(c, f, 3, 2, 2, 3)
	if err != nil {
		return nil, err
	}
	v, err := c.Args[1].eval(f)
	for i, e := range list {
		if err != nil {
			return nil, err
		}
		v, err = l.call(v, e, int64(i))
	}
	return v, err
}

// sorted keeps the order of elements that the lambda calls neither before nor behind each
// other. The lambda tells whether its first argument comes before the second.
func sorted(c *Call, f *frame) (any, error) {
	list, l, err := over(c, f, 2, 1, 2, 2)
	if err != nil {
		return nil, err
	}
	before := func(a, b any) bool {
		v, e := l.call(a, b)
		less, ok := v.(bool)
		if e == nil && !ok {
			e = errArgument(c, 2, "a lambda that gives a boolean", v)
		}
		if e != nil {
			err = e
		}
		return less
	}
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b any) int {
		switch {
		case before(a, b):
			return -1
		case before(b, a):
			return 1
		}
		return 0
	})
	return out, err
}

func toObject(c *Call, f *frame) (any, error) {
	list, key, err := over(c, f, 3, 1, 1, 1)
	if err != nil {
		return nil, err
	}
	value := &lambda{names: []string{""}, body: &Call{Name: "lambdaVariables", Args: []Node{&Literal{Value: ""}}}, f: f}
	if len(c.Args) == 3 {
		if value, err = lambdaAt(c, f, 2, 1, 1); err != nil {
			return nil, err
		}
	}
	out := map[string]any{}
	for _, e := range list {
		name, err := keyOf(c, key, e)
		if err != nil {
			return nil, err
		}
		if out[name], err = value.call(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func groupBy(c *Call, f *frame) (any, error) {
	list, key, err := over(c, f, 2, 1, 1, 1)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, e := range list {
		name, err := keyOf(c, key, e)
		if err != nil {
			return nil, err
		}
		group, _ := out[name].([]any)
		out[name] = append(group, e)
	}
	return out, nil
}

func keyOf(c *Call, key *lambda, e any) (string, error) {
	v, err := key.call(e)
	if err != nil {
		return "", err
	}
	name, ok := v.(string)
	if !ok {
		return "", errArgument(c, 2, "a lambda that gives a string", v)
	}
	return name, nil
}
