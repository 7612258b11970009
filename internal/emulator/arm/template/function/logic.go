package function

import (
	"cmp"
	"fmt"
	"strings"
)

var logic = []entry{
	{"bool", 1, 1, toBool},
	{"coalesce", 1, anyNumber, func(args []any) (any, error) {
		for _, a := range args {
			if a != nil {
				return a, nil
			}
		}
		return nil, nil
	}},
	{"equals", 2, 2, func(args []any) (any, error) { return Equal(args[0], args[1]), nil }},
	{"false", 0, 0, func([]any) (any, error) { return false, nil }},
	{"greater", 2, 2, compare(func(c int) bool { return c > 0 })},
	{"greaterOrEquals", 2, 2, compare(func(c int) bool { return c >= 0 })},
	{"less", 2, 2, compare(func(c int) bool { return c < 0 })},
	{"lessOrEquals", 2, 2, compare(func(c int) bool { return c <= 0 })},
	{"not", 1, 1, func(args []any) (any, error) {
		b, ok := args[0].(bool)
		if !ok {
			return nil, fmt.Errorf("the argument must be a boolean, not %s", Kind(args[0]))
		}
		return !b, nil
	}},
	{"true", 0, 0, func([]any) (any, error) { return true, nil }},
}

func toBool(args []any) (any, error) {
	switch v := args[0].(type) {
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case string:
		switch strings.ToLower(v) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
	}
	return nil, fmt.Errorf("the value '%s' cannot be converted to a boolean", Text(args[0]))
}

// compare orders integers, or texts by their characters.
func compare(holds func(int) bool) Func {
	return func(args []any) (any, error) {
		if a, ok := args[0].(string); ok {
			b, err := text(args, 1)
			return holds(strings.Compare(a, b)), err
		}
		a, err := whole(args, 0)
		if err != nil {
			return nil, err
		}
		b, err := whole(args, 1)
		return holds(cmp.Compare(a, b)), err
	}
}
