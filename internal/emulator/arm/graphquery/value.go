package graphquery

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Row is one line of a table: JSON values by column.
type Row map[string]any

// Text is a value as tostring() gives it.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func equal(a, b any) bool {
	switch a.(type) {
	case map[string]any, []any:
		return Text(a) == Text(b)
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}

// compare orders two values: nothing before all, numbers by size, the rest as texts.
func compare(a, b any) int {
	x, isNumber := a.(float64)
	y, both := b.(float64)
	switch {
	case a == nil || b == nil:
		return cmp.Compare(boolNumber(a != nil), boolNumber(b != nil))
	case isNumber && both:
		return cmp.Compare(x, y)
	}
	return strings.Compare(Text(a), Text(b))
}

func boolNumber(b bool) int {
	if b {
		return 1
	}
	return 0
}

// orders are the comparing symbols. What is nothing is neither smaller nor larger.
var orders = map[string]func(a, b any) any{
	"==": func(a, b any) any { return equal(a, b) },
	"!=": func(a, b any) any { return !equal(a, b) },
	"<>": func(a, b any) any { return !equal(a, b) },
	"=~": func(a, b any) any { return strings.EqualFold(Text(a), Text(b)) },
	"!~": func(a, b any) any { return !strings.EqualFold(Text(a), Text(b)) },
	"<":  func(a, b any) any { return a != nil && b != nil && compare(a, b) < 0 },
	"<=": func(a, b any) any { return a != nil && b != nil && compare(a, b) <= 0 },
	">":  func(a, b any) any { return a != nil && b != nil && compare(a, b) > 0 },
	">=": func(a, b any) any { return a != nil && b != nil && compare(a, b) >= 0 },
}

// texts are the operators on texts; all but the …_cs ones go without case.
var texts = map[string]func(s, part string) bool{
	"contains":      func(s, part string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(part)) },
	"contains_cs":   strings.Contains,
	"startswith":    func(s, part string) bool { return strings.HasPrefix(strings.ToLower(s), strings.ToLower(part)) },
	"startswith_cs": strings.HasPrefix,
	"endswith":      func(s, part string) bool { return strings.HasSuffix(strings.ToLower(s), strings.ToLower(part)) },
	"endswith_cs":   strings.HasSuffix,
	"has":           func(s, part string) bool { return hasTerm(strings.ToLower(s), strings.ToLower(part)) },
	"has_cs":        hasTerm,
}

// hasTerm looks for a whole term: letters and digits between others.
func hasTerm(s, term string) bool {
	inTerm := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; ; {
		i := strings.Index(s[from:], term)
		if i < 0 {
			return false
		}
		i += from
		before := i == 0 || !inTerm(rune(s[i-1]))
		after := i+len(term) == len(s) || !inTerm(rune(s[i+len(term)]))
		if before && after {
			return true
		}
		from = i + 1
		if from > len(s) {
			return false
		}
	}
}

func (p *parser) matches(left expression) (expression, error) {
	t := p.next()
	re, err := regexp.Compile(t.text)
	if t.kind != text || err != nil {
		return nil, failure(p.query, t.pos, t.text, "a regular expression expected")
	}
	return func(r Row) any { return re.MatchString(Text(left(r))) }, nil
}

// sums are the arithmetic symbols; what is no number gives nothing.
var sums = map[string]func(a, b any) any{
	"+": arithmetic(func(a, b float64) float64 { return a + b }),
	"-": arithmetic(func(a, b float64) float64 { return a - b }),
	"*": arithmetic(func(a, b float64) float64 { return a * b }),
	"/": arithmetic(func(a, b float64) float64 { return a / b }),
}

func arithmetic(f func(a, b float64) float64) func(a, b any) any {
	return func(a, b any) any {
		x, ok := a.(float64)
		y, both := b.(float64)
		if n := f(x, y); ok && both && !math.IsInf(n, 0) && !math.IsNaN(n) {
			return n
		}
		return nil
	}
}

// member reads a member of an object, without regard to case, or an element of an array.
func member(of, key expression) expression {
	return func(r Row) any {
		switch in := of(r).(type) {
		case map[string]any:
			want := Text(key(r))
			if v, ok := in[want]; ok {
				return v
			}
			for k, v := range in {
				if strings.EqualFold(k, want) {
					return v
				}
			}
		case []any:
			if n, ok := key(r).(float64); ok && n >= 0 && int(n) < len(in) {
				return in[int(n)]
			}
		}
		return nil
	}
}

type scalar struct {
	min, max int
	eval     func([]any) any
}

// functions are the scalar functions, by lower-case name.
var functions = map[string]scalar{
	"tolower":        {1, 1, func(a []any) any { return strings.ToLower(Text(a[0])) }},
	"toupper":        {1, 1, func(a []any) any { return strings.ToUpper(Text(a[0])) }},
	"tostring":       {1, 1, func(a []any) any { return Text(a[0]) }},
	"toint":          {1, 1, toNumber},
	"tolong":         {1, 1, toNumber},
	"todouble":       {1, 1, toNumber},
	"tobool":         {1, 1, func(a []any) any { return strings.EqualFold(Text(a[0]), "true") || Text(a[0]) == "1" }},
	"not":            {1, 1, func(a []any) any { return !truth(a[0]) }},
	"isempty":        {1, 1, func(a []any) any { return Text(a[0]) == "" }},
	"isnotempty":     {1, 1, func(a []any) any { return Text(a[0]) != "" }},
	"isnull":         {1, 1, func(a []any) any { return a[0] == nil }},
	"isnotnull":      {1, 1, func(a []any) any { return a[0] != nil }},
	"strlen":         {1, 1, func(a []any) any { return float64(len([]rune(Text(a[0])))) }},
	"strcat":         {1, -1, func(a []any) any { return joined(a) }},
	"coalesce":       {1, -1, coalesce},
	"iff":            {3, 3, choose},
	"iif":            {3, 3, choose},
	"split":          {2, 3, split},
	"array_length":   {1, 1, arrayLength},
	"parse_json":     {1, 1, parseJSON},
	"todynamic":      {1, 1, parseJSON},
	"dynamic":        {1, 1, func(a []any) any { return a[0] }},
	"replace_string": {3, 3, func(a []any) any { return strings.ReplaceAll(Text(a[0]), Text(a[1]), Text(a[2])) }},
	"trim":           {2, 2, func(a []any) any { return strings.Trim(Text(a[1]), Text(a[0])) }},
}

func toNumber(a []any) any {
	n, err := strconv.ParseFloat(Text(a[0]), 64)
	if err != nil {
		return nil
	}
	return n
}

func joined(a []any) string {
	var b strings.Builder
	for _, v := range a {
		b.WriteString(Text(v))
	}
	return b.String()
}

func coalesce(a []any) any {
	for _, v := range a {
		if v != nil && v != "" {
			return v
		}
	}
	return nil
}

func choose(a []any) any {
	if truth(a[0]) {
		return a[1]
	}
	return a[2]
}

// split gives the parts of a text, or an array with the one that is asked for.
func split(a []any) any {
	parts := strings.Split(Text(a[0]), Text(a[1]))
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	if len(a) == 3 {
		n, ok := a[2].(float64)
		if !ok || n < 0 || int(n) >= len(out) {
			return []any{}
		}
		return out[int(n) : int(n)+1]
	}
	return out
}

func arrayLength(a []any) any {
	if l, ok := a[0].([]any); ok {
		return float64(len(l))
	}
	return nil
}

func parseJSON(a []any) any {
	s, ok := a[0].(string)
	if !ok {
		return a[0]
	}
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return s
	}
	return v
}
