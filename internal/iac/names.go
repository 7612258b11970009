package iac

import (
	"strconv"
	"strings"
	"unicode"
)

// names are the identifiers that a file has given out.
type names map[string]bool

// reserved words are no identifiers in Bicep or Terraform, or mean something else there.
var reserved = map[string]bool{
	"true": true, "false": true, "null": true, "if": true, "for": true, "in": true, "existing": true,
	"param": true, "var": true, "resource": true, "module": true, "output": true, "import": true, "type": true,
	"source": true, "version": true, "providers": true, "count": true, "for_each": true, "lifecycle": true,
	"depends_on": true, "locals": true,
}

// give returns an identifier close to wish that is legal in Terraform and Bicep and was
// not given before. Case does not make names differ, since ARM parameters ignore it.
func (n names) give(wish string) string {
	name := identifier(wish)
	for i := 2; n[strings.ToLower(name)]; i++ {
		name = identifier(wish) + "_" + strconv.Itoa(i)
	}
	n[strings.ToLower(name)] = true
	return name
}

// identifier replaces what is not a letter, digit or underscore of ASCII.
func identifier(wish string) string {
	name := strings.Map(func(r rune) rune {
		if isIdentRune(r) {
			return r
		}
		return '_'
	}, wish)
	if name == "" || name[0] >= '0' && name[0] <= '9' || reserved[strings.ToLower(name)] {
		name = "_" + name
	}
	return name
}

func isIdentRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

// isIdentifier tells whether s can stand as a key without quotes.
func isIdentifier(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !isIdentRune(r) }) < 0 && (s[0] < '0' || s[0] > '9')
}

// commentLines divides a text into the lines of a comment. Control characters become
// blanks: some languages end a comment at more of them than at a line feed.
func commentLines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
				return ' '
			}
			return r
		}, line)
		out = append(out, strings.TrimSpace(line))
	}
	return out
}
