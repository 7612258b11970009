package function

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

var numbers = []entry{
	{"add", 2, 2, onWholes(func(a, b int64) (int64, error) { return a + b, nil })},
	{"div", 2, 2, onWholes(func(a, b int64) (int64, error) {
		if b == 0 {
			return 0, errors.New("the divisor must not be zero")
		}
		return a / b, nil
	})},
	{"float", 1, 1, toFloat},
	{"int", 1, 1, toInt},
	{"max", 1, anyNumber, func(args []any) (any, error) { return extreme(args, func(a, b int64) bool { return a > b }) }},
	{"min", 1, anyNumber, func(args []any) (any, error) { return extreme(args, func(a, b int64) bool { return a < b }) }},
	{"mod", 2, 2, onWholes(func(a, b int64) (int64, error) {
		if b == 0 {
			return 0, errors.New("the divisor must not be zero")
		}
		return a % b, nil
	})},
	{"mul", 2, 2, onWholes(func(a, b int64) (int64, error) { return a * b, nil })},
	{"sub", 2, 2, onWholes(func(a, b int64) (int64, error) { return a - b, nil })},
}

func onWholes(f func(a, b int64) (int64, error)) Func {
	return func(args []any) (any, error) {
		a, err := whole(args, 0)
		if err != nil {
			return nil, err
		}
		b, err := whole(args, 1)
		if err != nil {
			return nil, err
		}
		return f(a, b)
	}
}

func toInt(args []any) (any, error) {
	switch v := args[0].(type) {
	case int64:
		return v, nil
	case float64:
		if v > math.MaxInt64 || v < math.MinInt64 {
			return nil, errors.New("the value is too large for an integer")
		}
		return int64(v), nil
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the value '%s' cannot be converted to an integer", v)
		}
		return n, nil
	}
	return nil, fmt.Errorf("the argument must be an integer or a string, not %s", Kind(args[0]))
}

func toFloat(args []any) (any, error) {
	switch v := args[0].(type) {
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, fmt.Errorf("the value '%s' cannot be converted to a float", v)
		}
		return f, nil
	}
	return nil, fmt.Errorf("the argument must be an integer or a string, not %s", Kind(args[0]))
}

// extreme takes integers or one array of them.
func extreme(args []any, better func(a, b int64) bool) (any, error) {
	if l, isList := args[0].([]any); isList && len(args) == 1 {
		args = l
	}
	if len(args) == 0 {
		return nil, errors.New("the array must not be empty")
	}
	best, err := whole(args, 0)
	for i := range args {
		n, e := whole(args, i)
		if e != nil {
			err = e
		}
		if better(n, best) {
			best = n
		}
	}
	return best, err
}
