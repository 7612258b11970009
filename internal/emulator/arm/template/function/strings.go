package function

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

var textual = []entry{
	{"concat", 1, anyNumber, concat},
	{"endsWith", 2, 2, onTexts(func(s []string) any { return strings.HasSuffix(fold(s[0]), fold(s[1])) })},
	{"format", 1, anyNumber, func(args []any) (any, error) {
		layout, err := text(args, 0)
		if err != nil {
			return nil, err
		}
		return format(layout, args[1:])
	}},
	{"join", 2, 2, join},
	{"padLeft", 2, 3, padLeft},
	{"replace", 3, 3, onTexts(func(s []string) any { return strings.ReplaceAll(s[0], s[1], s[2]) })},
	{"split", 2, 2, split},
	{"startsWith", 2, 2, onTexts(func(s []string) any { return strings.HasPrefix(fold(s[0]), fold(s[1])) })},
	{"string", 1, 1, func(args []any) (any, error) { return Text(args[0]), nil }},
	{"substring", 2, 3, substring},
	{"toLower", 1, 1, onTexts(func(s []string) any { return strings.ToLower(s[0]) })},
	{"toUpper", 1, 1, onTexts(func(s []string) any { return strings.ToUpper(s[0]) })},
	{"trim", 1, 1, onTexts(func(s []string) any { return strings.TrimSpace(s[0]) })},
}

func onTexts(f func([]string) any) Func {
	return func(args []any) (any, error) {
		s, err := texts(args)
		if err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

func fold(s string) string { return strings.ToLower(s) }

// concat joins arrays if the first argument is one, and the texts of values otherwise.
func concat(args []any) (any, error) {
	if _, isList := args[0].([]any); isList {
		out := []any{}
		for i := range args {
			l, err := list(args, i)
			if err != nil {
				return nil, err
			}
			out = append(out, l...)
		}
		return out, nil
	}
	var b strings.Builder
	for i, a := range args {
		switch a.(type) {
		case []any, map[string]any, nil:
			return nil, fmt.Errorf("the argument at position %d must be a string, not %s", i+1, Kind(a))
		}
		b.WriteString(Text(a))
	}
	return b.String(), nil
}

func join(args []any) (any, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	sep, err := text(args, 1)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(l))
	for i, v := range l {
		out[i] = Text(v)
	}
	return strings.Join(out, sep), nil
}

func padLeft(args []any) (any, error) {
	pad := " "
	if len(args) == 3 {
		var err error
		if pad, err = text(args, 2); err != nil {
			return nil, err
		}
	}
	width, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(pad) != 1 || width < 0 || width > 1<<17 {
		return nil, errors.New("the length must be positive and the padding a single character")
	}
	s := Text(args[0])
	return strings.Repeat(pad, max(0, int(width)-utf8.RuneCountInString(s))) + s, nil
}

// split takes one separator or an array of them.
func split(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	separators := []any{args[1]}
	if l, isList := args[1].([]any); isList {
		separators = l
	}
	parts := []string{s}
	for _, sep := range separators {
		sep, ok := sep.(string)
		if !ok || sep == "" {
			return nil, errors.New("the separators must be strings that are not empty")
		}
		var next []string
		for _, p := range parts {
			next = append(next, strings.Split(p, sep)...)
		}
		parts = next
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

func substring(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	runes := []rune(s)
	start, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	length := int64(len(runes)) - start
	if len(args) == 3 {
		if length, err = whole(args, 2); err != nil {
			return nil, err
		}
	}
	if start < 0 || length < 0 || start > int64(len(runes)) || length > int64(len(runes))-start {
		return nil, fmt.Errorf("the index '%d' and length '%d' must refer to a location within the string of length '%d'", start, length, len(runes))
	}
	return string(runes[start : start+length]), nil
}
