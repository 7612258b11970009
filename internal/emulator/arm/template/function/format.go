package function

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// format fills the {index,width:form} of a composite format string, as .NET does, which
// Azure uses. Forms: D, X, N and F with a number of digits, and zeros for whole numbers.
func format(layout string, args []any) (string, error) {
	var b strings.Builder
	for i := 0; i < len(layout); {
		c := layout[i]
		switch {
		case (c == '{' || c == '}') && i+1 < len(layout) && layout[i+1] == c:
			b.WriteByte(c)
			i += 2
		case c == '}':
			return "", errors.New("the format string has a '}' without a '{'")
		case c == '{':
			end := strings.IndexByte(layout[i:], '}')
			if end < 0 {
				return "", errors.New("the format string has a '{' without a '}'")
			}
			s, err := fill(layout[i+1:i+end], args)
			if err != nil {
				return "", err
			}
			b.WriteString(s)
			i += end + 1
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), nil
}

// fill renders one item: index, optional width, optional form.
func fill(item string, args []any) (string, error) {
	item, form, _ := strings.Cut(item, ":")
	number, width, _ := strings.Cut(item, ",")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 || n >= len(args) {
		return "", fmt.Errorf("the format item '{%s}' names no argument", number)
	}
	s, err := formatted(args[n], form)
	if err != nil || width == "" {
		return s, err
	}
	w, err := strconv.Atoi(strings.TrimSpace(width))
	if err != nil || w > 1000 || w < -1000 {
		return "", fmt.Errorf("the format item '{%s}' has no valid width", item)
	}
	pad := strings.Repeat(" ", max(0, max(w, -w)-utf8.RuneCountInString(s)))
	if w < 0 {
		return s + pad, nil
	}
	return pad + s, nil
}

func formatted(v any, form string) (string, error) {
	n, isWhole := v.(int64)
	if form == "" || !isWhole {
		return Text(v), nil
	}
	if strings.Trim(form, "0") == "" {
		return fmt.Sprintf("%0*d", len(form), n), nil
	}
	digits := -1
	if len(form) > 1 {
		d, err := strconv.Atoi(form[1:])
		if err != nil || d > 99 || d < 0 {
			return "", fmt.Errorf("the format '%s' is not supported", form)
		}
		digits = d
	}
	switch form[0] {
	case 'D', 'd':
		return fmt.Sprintf("%0*d", max(digits, 0), n), nil
	case 'X':
		return fmt.Sprintf("%0*X", max(digits, 0), n), nil
	case 'x':
		return fmt.Sprintf("%0*x", max(digits, 0), n), nil
	case 'F', 'f':
		return strconv.FormatFloat(float64(n), 'f', decimals(digits), 64), nil
	case 'N', 'n':
		return grouped(strconv.FormatFloat(float64(n), 'f', decimals(digits), 64)), nil
	}
	return "", fmt.Errorf("the format '%s' is not supported", form)
}

// decimals is how many .NET writes where the form does not say.
func decimals(digits int) int {
	if digits < 0 {
		return 2
	}
	return digits
}

// grouped puts commas between the thousands.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		s, sign = s[1:], "-"
	}
	head, tail, hasTail := strings.Cut(s, ".")
	for i := len(head) - 3; i > 0; i -= 3 {
		head = head[:i] + "," + head[i:]
	}
	if hasTail {
		head += "." + tail
	}
	return sign + head
}
