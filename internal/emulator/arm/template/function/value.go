package function

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Normal brings a decoded JSON value into the form of this package: whole numbers become
// int64. The argument stays as it is.
func Normal(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case int:
		return int64(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Normal(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = Normal(e)
		}
		return out
	}
	return v
}

// Decode reads one JSON text into the form of this package.
func Decode(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, fmt.Errorf("there is more than one value")
	}
	return Normal(v), nil
}

// Encode writes a value as JSON without spaces, members in alphabetical order.
func Encode(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Kind names the type of a value as Azure does: Null, Boolean, Integer, Float, String,
// Array, Object.
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "Null"
	case bool:
		return "Boolean"
	case int64:
		return "Integer"
	case float64:
		return "Float"
	case string:
		return "String"
	case []any:
		return "Array"
	}
	return "Object"
}

// Equal compares two values as equals() does: texts and members with regard to case.
func Equal(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, Equal)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, Equal)
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return number(a) == number(b)
}

// number gives a whole number as a float, so that 1 equals 1.0; anything else is as it is.
func number(v any) any {
	if n, ok := v.(int64); ok && n == int64(float64(n)) {
		return float64(n)
	}
	return v
}

// Member finds a member of an object. As in Azure its name is looked for without regard
// to case, an exact match first.
func Member(object map[string]any, name string) (any, bool) {
	if v, ok := object[name]; ok {
		return v, true
	}
	for k, v := range object {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

// Text is a value as string() writes it.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case nil:
		return ""
	}
	return Encode(v)
}

func text(args []any, i int) (string, error) {
	s, ok := args[i].(string)
	if !ok {
		return "", fmt.Errorf("the argument at position %d must be a string, not %s", i+1, Kind(args[i]))
	}
	return s, nil
}

func texts(args []any) ([]string, error) {
	out := make([]string, len(args))
	for i := range args {
		s, err := text(args, i)
		if err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

func whole(args []any, i int) (int64, error) {
	n, ok := args[i].(int64)
	if !ok {
		return 0, fmt.Errorf("the argument at position %d must be an integer, not %s", i+1, Kind(args[i]))
	}
	return n, nil
}

func list(args []any, i int) ([]any, error) {
	l, ok := args[i].([]any)
	if !ok {
		return nil, fmt.Errorf("the argument at position %d must be an array, not %s", i+1, Kind(args[i]))
	}
	return l, nil
}

func object(args []any, i int) (map[string]any, error) {
	o, ok := args[i].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the argument at position %d must be an object, not %s", i+1, Kind(args[i]))
	}
	return o, nil
}
