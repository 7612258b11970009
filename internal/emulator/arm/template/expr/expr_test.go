package expr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// world is an Env with parameters, a function ns.twice and one that is never to be called.
type world map[string]any

func (w world) Call(namespace, name string, args []any) (any, bool, error) {
	switch strings.ToLower(namespace + "." + name) {
	case ".parameters":
		v, ok := w[args[0].(string)]
		if !ok {
			return nil, true, errors.New("no such parameter")
		}
		return v, true, nil
	case "ns.twice":
		return []any{args[0], args[0]}, true, nil
	case ".boom":
		return nil, true, errors.New("boom was called")
	}
	return nil, false, nil
}

var params = world{
	"o":    map[string]any{"Name": "n", "list": []any{int64(1), int64(2)}, "inner": map[string]any{"deep": true}},
	"list": []any{int64(3), int64(1), int64(2)},
	"dogs": []any{
		map[string]any{"name": "Evie", "age": int64(5)}, map[string]any{"name": "Casper", "age": int64(3)}, map[string]any{"name": "Indy", "age": int64(5)},
	},
}

func TestEval(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]any{
		`'it''s'`:                    "it's",
		` -12 `:                      int64(-12),
		`add(1, -2)`:                 int64(-1),
		`ns.twice('a')`:              []any{"a", "a"},
		`parameters('o').name`:       "n",
		`parameters('o')['list'][1]`: int64(2),
		`parameters('o').?none`:      nil,
		`parameters('o').list[?5]`:   nil,
		`coalesce(parameters('o').?none.?more, 'default')`: "default",
		`if(equals(1, 1), 'yes', boom())`:                  "yes",
		`if(false(), boom(), 'no')`:                        "no",
		`and(false(), boom())`:                             false,
		`and(true(), true(), true())`:                      true,
		`or(true(), boom())`:                               true,
		`or(false(), false())`:                             false,
		`CONCAT( 'a' , 'b' )`:                              "ab",
		`filter(parameters('list'), lambda('x', greater(lambdaVariables('x'), 1)))`:                                     []any{int64(3), int64(2)},
		`filter(parameters('list'), lambda('x', 'i', equals(lambdaVariables('i'), 0)))`:                                 []any{int64(3)},
		`map(parameters('dogs'), lambda('d', lambdaVariables('d').name))`:                                               []any{"Evie", "Casper", "Indy"},
		`map(range(0, 2), lambda('x', 'i', add(lambdaVariables('x'), lambdaVariables('i'))))`:                           []any{int64(0), int64(2)},
		`map(range(0, 2), lambda('x', map(range(0, 2), lambda('y', add(lambdaVariables('x'), lambdaVariables('y'))))))`: []any{[]any{int64(0), int64(1)}, []any{int64(1), int64(2)}},
		`mapValues(parameters('o').inner, lambda('v', not(lambdaVariables('v'))))`:                                      map[string]any{"deep": false},
		`reduce(parameters('list'), 10, lambda('cur', 'next', add(lambdaVariables('cur'), lambdaVariables('next'))))`:   int64(16),
		`reduce(createArray(), 'start', lambda('cur', 'next', lambdaVariables('next')))`:                                "start",
		`sort(parameters('list'), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))`:                  []any{int64(1), int64(2), int64(3)},
		`toObject(parameters('dogs'), lambda('d', lambdaVariables('d').name), lambda('d', lambdaVariables('d').age))`:   map[string]any{"Evie": int64(5), "Casper": int64(3), "Indy": int64(5)},
		`toObject(createArray('a'), lambda('x', lambdaVariables('x')))`:                                                 map[string]any{"a": "a"},
		`length(groupBy(parameters('dogs'), lambda('d', string(lambdaVariables('d').age)))['5'])`:                       int64(2),
	} {
		n, err := expr.Parse(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		got, err := expr.Eval(n, params)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", source, err, diff)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		``: "is empty", `'a`: "not closed", `a`: "'(' expected", `a(`: "ends too early", `a(1 2)`: "',' or ')' expected", `a(1))`: "end of expression expected",
		`a().`: "a property name expected", `a()[1`: "']' expected", `a.()`: "a function name expected", `#`: "unexpected character", `a(-)`: "not a whole number",
		`99999999999999999999`: "not a whole number", strings.Repeat("a(", 300): "nested too deeply",
		`nothing()`:                                           "The template function 'nothing' is not valid",
		`ns.nothing()`:                                        "The template function 'ns.nothing' is not valid",
		`parameters('o').none`:                                "property 'none' doesn't exist, available properties are 'Name, inner, list'",
		`parameters('list')[7]`:                               "array index '7' is out of bounds",
		`parameters('list').a`:                                "array index must be an integer",
		`parameters('o')[1]`:                                  "property name must be a string",
		`add(1, 1).x`:                                         "property 'x' can't be evaluated",
		`if('a', 1, 2)`:                                       "to be a boolean, not String",
		`if(true(), 1)`:                                       "requires exactly 3",
		`and(true())`:                                         "requires at least 2",
		`or(false(), 1)`:                                      "position 2 to be a boolean",
		`lambda('x', 1)`:                                      "is not expected at this location",
		`lambdaVariables('x')`:                                "The lambda variable 'x' is not found",
		`map('a', lambda('x', 1))`:                            "to be an array, not String",
		`map(createArray(), 1)`:                               "to be a lambda",
		`map(createArray(), lambda(1, 2))`:                    "the name of a variable",
		`map(createArray(), lambda(1))`:                       "requires at least 1",
		`map(createArray())`:                                  "requires exactly 2",
		`filter(createArray(1), lambda('x', 1))`:              "gives a boolean",
		`sort(createArray(1, 2), lambda('a', 'b', 1))`:        "gives a boolean",
		`toObject(createArray(1), lambda('x', 1))`:            "gives a string",
		`groupBy(createArray(1), lambda('x', 1))`:             "gives a string",
		`mapValues(createArray(), lambda('x', 1))`:            "to be an object, not Array",
		`reduce(createArray(1), 0)`:                           "requires exactly 3",
		`reduce(createArray(1), 0, lambda('a', 'b', boom()))`: "boom was called",
		`map(createArray(1), lambda('x', boom()))`:            "boom was called",
		`concat(boom())`:                                      "boom was called",
		`boom().x`:                                            "boom was called",
		`parameters('o')[boom()]`:                             "boom was called",
	} {
		n, err := expr.Parse(source)
		if err == nil {
			_, err = expr.Eval(n, params)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want an error with %q", source, err, want)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	in := map[string]any{
		"[concat('k', '1')]": []any{"[add(1, 2)]", "plain", "[[literal]", "[]x", int64(7), nil, map[string]any{"a": "[parameters('o').name]"}},
	}
	want := map[string]any{"k1": []any{int64(3), "plain", "[literal]", "[]x", int64(7), nil, map[string]any{"a": "n"}}}
	got, err := expr.Value(in, params)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []any{"[a]", "[boom()]", []any{"[boom()]"}, map[string]any{"a": "[boom()]"}, map[string]any{"[boom()]": 1}, map[string]any{"[add(1, 1)]": 1}} {
		if v, err := expr.Value(bad, params); err == nil {
			t.Errorf("%v gives %v", bad, v)
		}
	}
}

// write writes a node in the language, so that it can be read back.
func write(n expr.Node) string {
	switch n := n.(type) {
	case *expr.Literal:
		if s, ok := n.Value.(string); ok {
			return "'" + strings.ReplaceAll(s, "'", "''") + "'"
		}
		return fmt.Sprint(n.Value)
	case *expr.Member:
		open := "["
		if n.Safe {
			open = "[?"
		}
		return write(n.Of) + open + write(n.Key) + "]"
	case *expr.Call:
		args := make([]string, len(n.Args))
		for i, a := range n.Args {
			args[i] = write(a)
		}
		name := n.Name
		if n.Namespace != "" {
			name = n.Namespace + "." + name
		}
		return name + "(" + strings.Join(args, ", ") + ")"
	}
	return ""
}

func nodes(depth int) *rapid.Generator[expr.Node] {
	literal := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) expr.Node { return &expr.Literal{Value: s} }),
		rapid.Map(rapid.Int64(), func(i int64) expr.Node { return &expr.Literal{Value: i} }),
	)
	if depth == 0 {
		return literal
	}
	name := rapid.StringMatching(`[a-z_][A-Za-z0-9_]{0,5}`)
	call := rapid.Custom(func(t *rapid.T) expr.Node {
		return &expr.Call{
			Namespace: rapid.OneOf(rapid.Just(""), name).Draw(t, "namespace"), Name: name.Draw(t, "name"),
			Args: rapid.SliceOfN(nodes(depth-1), 1, 3).Draw(t, "args"),
		}
	})
	member := rapid.Custom(func(t *rapid.T) expr.Node {
		return &expr.Member{Of: call.Draw(t, "of"), Key: nodes(depth-1).Draw(t, "key"), Safe: rapid.Bool().Draw(t, "safe")}
	})
	return rapid.OneOf(literal, call, member)
}

// TestRoundTrip: whatever is written is read back as it was.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := nodes(3).Draw(t, "node")
		got, err := expr.Parse(write(want))
		if err != nil {
			t.Fatalf("%s: %v", write(want), err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestAnyText: no text makes reading or evaluating panic.
func TestAnyText(t *testing.T) {
	t.Parallel()
	words := rapid.SampledFrom([]string{
		"concat", "map", "lambda", "lambdaVariables", "if", "ns", "twice", "parameters", "createArray", "(", ")", "[", "]", ".", ",", "?", "'o'", "'", "1", "-", " ",
	})
	rapid.Check(t, func(t *rapid.T) {
		n, err := expr.Parse(strings.Join(rapid.SliceOfN(words, 0, 12).Draw(t, "words"), ""))
		if err == nil {
			_, _ = expr.Eval(n, world{"o": int64(1)})
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"concat('a', 'b')", "a().b[1].?c", "ns.f(-1)", "'", "a(((("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := expr.Parse(s)
		if err != nil {
			return
		}
		if again, err := expr.Parse(write(n)); err != nil || !cmp.Equal(n, again) {
			t.Errorf("%q is read as %s, which is read as something else: %v", s, write(n), err)
		}
	})
}

func TestCalls(t *testing.T) {
	t.Parallel()
	n, err := expr.Parse("a(b().c, d('e')[f()])")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	expr.Calls(n, func(c *expr.Call) { names = append(names, c.Name) })
	if diff := cmp.Diff([]string{"a", "b", "d", "f"}, names); diff != "" {
		t.Error(diff)
	}
	if function.Known("lambda") {
		t.Error("a lambda is no function of values")
	}
}
