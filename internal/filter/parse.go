package filter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/dustin/go-humanize"
)

func parseRule(text string, now time.Time) (rule, error) {
	var r rule
	for _, part := range split(text) {
		part = strings.TrimSpace(part)
		if part == "" {
			return nil, errEmpty
		}
		c, err := parseCondition(part, now)
		if err != nil {
			return nil, err
		}
		r = append(r, c)
	}
	return r, nil
}

// split parts a rule at its commas, except those within braces and brackets and those
// behind a backslash.
func split(text string) []string {
	var parts []string
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '{' || c == '[':
			depth++
		case (c == '}' || c == ']') && depth > 0:
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

func parseCondition(text string, now time.Time) (condition, error) {
	field, value, named := strings.Cut(text, ":")
	if !named {
		field, value = "item", text
	}
	if value == "" {
		return nil, fmt.Errorf("%q says nothing behind the colon", text)
	}
	switch field {
	case "item":
		return keyGlob(value), valid(value)
	case "kind":
		return kindGlob(value), valid(value)
	case "type":
		return typeGlob(strings.ToLower(value)), valid(value)
	case "resource":
		return resourceGlob(strings.ToLower(value)), valid(value)
	case "size":
		return parseSize(value)
	case "modified":
		return parseModified(value)
	case "age":
		return parseAge(value, now)
	}
	return nil, fmt.Errorf("there is no field %q; there are item, kind, type, resource, size, modified and age (a key that holds a colon is written item:KEY)", field)
}

func valid(glob string) error {
	if !doublestar.ValidatePattern(glob) {
		return fmt.Errorf("%q is no glob", glob)
	}
	return nil
}

// comparison is an operator of size, modified and age.
type comparison string

// compare parts an operator from the value behind it; none means equal.
func compare(text string) (comparison, string) {
	for _, op := range []comparison{">=", "<=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(text, string(op)); ok {
			return op, strings.TrimSpace(rest)
		}
	}
	return "=", text
}

// holds tells whether a value that compares so to the wanted one (as cmp.Compare says it)
// is what the operator wants.
func (op comparison) holds(order int) bool {
	switch op {
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case "<":
		return order < 0
	}
	return order == 0
}

func parseSize(text string) (condition, error) {
	op, number := compare(text)
	n, err := humanize.ParseBytes(number)
	if err != nil || n > 1<<62 {
		return nil, fmt.Errorf("%q is no size; write it as size:>10MiB", text)
	}
	return size(op, int64(n)), nil
}

func parseModified(text string) (condition, error) {
	op, moment := compare(text)
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, moment); err == nil {
			return modified(op, at.UTC()), nil
		}
	}
	return nil, fmt.Errorf("%q is no time; write it as modified:>=2026-01-31 or modified:<2026-01-31T12:00:00Z", text)
}

// parseAge makes a condition on the time of the change: what is younger changed later.
func parseAge(text string, now time.Time) (condition, error) {
	op, span := compare(text)
	d, err := days(span)
	if err != nil || d < 0 {
		return nil, fmt.Errorf("%q is no age; write it as age:<30d or age:>=12h", text)
	}
	turned, ok := map[comparison]comparison{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]
	if !ok {
		return nil, errors.New("an age is compared with <, <=, > or >=")
	}
	return modified(turned, now.Add(-d).UTC().Truncate(time.Second)), nil
}

// days reads a duration that may also be in days.
func days(text string) (time.Duration, error) {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(number, 64)
		if err == nil && (n < 0 || n > 100_000) {
			err = strconv.ErrRange
		}
		return time.Duration(n * float64(24*time.Hour)), err
	}
	return time.ParseDuration(text)
}
