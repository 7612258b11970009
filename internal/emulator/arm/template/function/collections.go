package function

import (
	"errors"
	"fmt"
	"strings"
)

var collections = []entry{
	{"array", 1, 1, func(args []any) (any, error) {
		if l, ok := args[0].([]any); ok {
			return l, nil
		}
		return []any{args[0]}, nil
	}},
	{"contains", 2, 2, contains},
	{"createArray", 0, anyNumber, func(args []any) (any, error) { return append([]any{}, args...), nil }},
	{"empty", 1, 1, func(args []any) (any, error) {
		if args[0] == nil {
			return true, nil
		}
		n, err := size(args[0])
		return n == 0, err
	}},
	{"first", 1, 1, func(args []any) (any, error) { return edge(args[0], func(int) int { return 0 }) }},
	{"flatten", 1, 1, flatten},
	{"indexOf", 2, 2, indexOf},
	{"last", 1, 1, func(args []any) (any, error) { return edge(args[0], func(n int) int { return n - 1 }) }},
	{"lastIndexOf", 2, 2, lastIndexOf},
	{"length", 1, 1, func(args []any) (any, error) { n, err := size(args[0]); return int64(n), err }},
	{"range", 2, 2, sequence},
	{"skip", 2, 2, func(args []any) (any, error) {
		return part(args, func(n, size int) (int, int) { return min(n, size), size })
	}},
	{"take", 2, 2, func(args []any) (any, error) {
		return part(args, func(n, size int) (int, int) { return 0, min(n, size) })
	}},
}

func contains(args []any) (any, error) {
	switch in := args[0].(type) {
	case string:
		return strings.Contains(in, Text(args[1])), nil
	case []any:
		return position(in, args[1]) >= 0, nil
	case map[string]any:
		_, ok := Member(in, Text(args[1]))
		return ok, nil
	}
	return nil, fmt.Errorf("the argument at position 1 must be an array, an object or a string, not %s", Kind(args[0]))
}

func position(in []any, v any) int {
	for i, e := range in {
		if Equal(e, v) {
			return i
		}
	}
	return -1
}

func size(v any) (int, error) {
	switch v := v.(type) {
	case string:
		return len([]rune(v)), nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	}
	return 0, fmt.Errorf("the argument must be an array, an object or a string, not %s", Kind(v))
}

// edge is the first or last element; of an empty array null, of an empty text "".
func edge(v any, at func(n int) int) (any, error) {
	switch v := v.(type) {
	case string:
		if runes := []rune(v); len(runes) > 0 {
			return string(runes[at(len(runes))]), nil
		}
		return "", nil
	case []any:
		if len(v) > 0 {
			return v[at(len(v))], nil
		}
		return nil, nil
	}
	return nil, fmt.Errorf("the argument must be an array or a string, not %s", Kind(v))
}

func flatten(args []any) (any, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i := range l {
		inner, err := list(l, i)
		if err != nil {
			return nil, errors.New("the argument must be an array of arrays")
		}
		out = append(out, inner...)
	}
	return out, nil
}

// indexOf looks for a text without regard to case, for an element with regard to it.
func indexOf(args []any) (any, error) {
	if l, isList := args[0].([]any); isList {
		return int64(position(l, args[1])), nil
	}
	s, err := texts(args)
	if err != nil {
		return nil, err
	}
	return runeIndex(s[0], strings.Index(fold(s[0]), fold(s[1]))), nil
}

func lastIndexOf(args []any) (any, error) {
	if l, isList := args[0].([]any); isList {
		for i := len(l) - 1; i >= 0; i-- {
			if Equal(l[i], args[1]) {
				return int64(i), nil
			}
		}
		return int64(-1), nil
	}
	s, err := texts(args)
	if err != nil {
		return nil, err
	}
	return runeIndex(s[0], strings.LastIndex(fold(s[0]), fold(s[1]))), nil
}

// runeIndex counts characters where the library counts bytes.
func runeIndex(s string, at int) int64 {
	if at < 0 || at > len(s) {
		return int64(at)
	}
	return int64(len([]rune(s[:at])))
}

// maxRange is Azure's limit for range.
const maxRange = 10000

func sequence(args []any) (any, error) {
	start, err := whole(args, 0)
	if err != nil {
		return nil, err
	}
	n, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	if n < 0 || n > maxRange {
		return nil, fmt.Errorf("the count must be between 0 and %d, not %d", maxRange, n)
	}
	out := make([]any, n)
	for i := range out {
		out[i] = start + int64(i)
	}
	return out, nil
}

// part cuts an array or a text; a count below zero counts as none.
func part(args []any, bounds func(n, size int) (from, to int)) (any, error) {
	count, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	n := int(min(max(count, 0), 1<<31))
	switch v := args[0].(type) {
	case string:
		runes := []rune(v)
		from, to := bounds(n, len(runes))
		return string(runes[from:to]), nil
	case []any:
		from, to := bounds(n, len(v))
		return append([]any{}, v[from:to]...), nil
	}
	return nil, fmt.Errorf("the argument at position 1 must be an array or a string, not %s", Kind(args[0]))
}
