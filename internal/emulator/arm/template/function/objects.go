package function

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

var objects = []entry{
	{"createObject", 0, anyNumber, createObject},
	{"intersection", 2, anyNumber, intersection},
	{"items", 1, 1, items},
	{"null", 0, 0, func([]any) (any, error) { return nil, nil }},
	{"objectKeys", 1, 1, objectKeys},
	{"shallowMerge", 1, 1, shallowMerge},
	{"tryGet", 2, anyNumber, tryGet},
	{"tryIndexFromEnd", 2, 2, func(args []any) (any, error) {
		l, isList := args[0].([]any)
		n, isWhole := args[1].(int64)
		if !isList || !isWhole || n < 1 || n > int64(len(l)) {
			return nil, nil
		}
		return l[int64(len(l))-n], nil
	}},
	{"indexFromEnd", 2, 2, func(args []any) (any, error) {
		l, err := list(args, 0)
		if err != nil {
			return nil, err
		}
		n, err := whole(args, 1)
		if err != nil {
			return nil, err
		}
		if n < 1 || n > int64(len(l)) {
			return nil, fmt.Errorf("the index '%d' from the end is out of bounds", n)
		}
		return l[int64(len(l))-n], nil
	}},
	{"union", 1, anyNumber, union},
}

func createObject(args []any) (any, error) {
	if len(args)%2 != 0 {
		return nil, errors.New("the number of arguments must be even")
	}
	out := map[string]any{}
	for i := 0; i < len(args); i += 2 {
		key, err := text(args, i)
		if err != nil {
			return nil, err
		}
		out[key] = args[i+1]
	}
	return out, nil
}

// intersection keeps what is in all arrays, or the members that all objects have with
// equal values.
func intersection(args []any) (any, error) {
	switch first := args[0].(type) {
	case []any:
		out := []any{}
		for _, v := range first {
			if position(out, v) >= 0 {
				continue
			}
			in, err := all(args[1:], func(l []any) bool { return position(l, v) >= 0 })
			if err != nil {
				return nil, err
			}
			if in {
				out = append(out, v)
			}
		}
		return out, nil
	case map[string]any:
		out := maps.Clone(first)
		for i := range args {
			o, err := object(args, i)
			if err != nil {
				return nil, err
			}
			maps.DeleteFunc(out, func(k string, v any) bool { w, ok := o[k]; return !ok || !Equal(v, w) })
		}
		return out, nil
	}
	return nil, fmt.Errorf("the arguments must be arrays or objects, not %s", Kind(args[0]))
}

func all(args []any, holds func([]any) bool) (bool, error) {
	for i := range args {
		l, err := list(args, i)
		if err != nil {
			return false, err
		}
		if !holds(l) {
			return false, nil
		}
	}
	return true, nil
}

// items lists an object's members as {key, value} in alphabetical order.
func items(args []any) (any, error) {
	o, err := object(args, 0)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(o))
	for _, k := range slices.Sorted(maps.Keys(o)) {
		out = append(out, map[string]any{"key": k, "value": o[k]})
	}
	return out, nil
}

func objectKeys(args []any) (any, error) {
	o, err := object(args, 0)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(o))
	for _, k := range slices.Sorted(maps.Keys(o)) {
		out = append(out, k)
	}
	return out, nil
}

func shallowMerge(args []any) (any, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for i := range l {
		o, err := object(l, i)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, o)
	}
	return out, nil
}

// tryGet follows names and indexes and gives null where one does not exist.
func tryGet(args []any) (any, error) {
	v := args[0]
	for i, key := range args[1:] {
		switch in := v.(type) {
		case map[string]any:
			name, ok := key.(string)
			if !ok {
				return nil, fmt.Errorf("the argument at position %d must be a string", i+2)
			}
			v, _ = Member(in, name)
		case []any:
			n, ok := key.(int64)
			if !ok {
				return nil, fmt.Errorf("the argument at position %d must be an integer", i+2)
			}
			v = nil
			if n >= 0 && n < int64(len(in)) {
				v = in[n]
			}
		default:
			return nil, nil
		}
	}
	return v, nil
}

// union joins arrays without repeating elements, or merges objects: objects within them
// too, and the last value of a member counts.
func union(args []any) (any, error) {
	if _, isList := args[0].([]any); isList {
		out := []any{}
		for i := range args {
			l, err := list(args, i)
			if err != nil {
				return nil, err
			}
			for _, v := range l {
				if position(out, v) < 0 {
					out = append(out, v)
				}
			}
		}
		return out, nil
	}
	out := map[string]any{}
	for i := range args {
		o, err := object(args, i)
		if err != nil {
			return nil, err
		}
		out = mergeObjects(out, o)
	}
	return out, nil
}

func mergeObjects(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	for k, v := range b {
		inner, isObject := v.(map[string]any)
		before, wasObject := out[k].(map[string]any)
		if isObject && wasObject {
			v = mergeObjects(before, inner)
		}
		out[k] = v
	}
	return out
}
