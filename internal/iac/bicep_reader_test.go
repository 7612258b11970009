package iac_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// There is no Bicep compiler in Go, and none among the tools that tests can install. What
// follows reads as much of the language as is written here, strictly, and gives what a
// compiler would make of it in the terms of an ARM template. Grammar:
// https://learn.microsoft.com/azure/azure-resource-manager/bicep/file.

// bicepDoc is what a file declares.
type bicepDoc struct {
	params    map[string]bicepParam
	resources []map[string]any // with type, apiVersion, name (whole), dependsOn (symbols) beside the properties
}

type bicepParam struct {
	secure      bool
	description string
}

// bicepReader reads one file. A file that is not as the grammar wants it ends the test.
type bicepReader struct {
	t       testing.TB
	rest    string
	doc     bicepDoc
	names   map[string]string // of resources by symbol: whole names
	types   map[string]string
	symbols map[string]bool
}

func readBicep(t testing.TB, text string) bicepDoc {
	t.Helper()
	r := &bicepReader{t: t, rest: text, doc: bicepDoc{params: map[string]bicepParam{}}, names: map[string]string{}, types: map[string]string{}, symbols: map[string]bool{}}
	for r.skip(); r.rest != ""; r.skip() {
		r.statement()
	}
	return r.doc
}

func (r *bicepReader) fail(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s at %q", fmt.Sprintf(format, args...), r.rest[:min(len(r.rest), 60)])
}

// skip passes white space and comments.
func (r *bicepReader) skip() {
	for {
		r.rest = strings.TrimLeft(r.rest, " \n")
		if !strings.HasPrefix(r.rest, "//") {
			return
		}
		var line string
		line, r.rest, _ = strings.Cut(r.rest, "\n")
		if strings.ContainsFunc(line, unicode.IsControl) { // a carriage return ends a comment, too
			r.fail("the comment %q holds control characters", line)
		}
	}
}

// match takes a pattern's first group from the front.
func (r *bicepReader) match(pattern *regexp.Regexp) (string, bool) {
	m := pattern.FindStringSubmatch(r.rest)
	if m == nil {
		return "", false
	}
	r.rest = r.rest[len(m[0]):]
	return m[1], true
}

func (r *bicepReader) must(pattern *regexp.Regexp) string {
	r.t.Helper()
	s, ok := r.match(pattern)
	if !ok {
		r.fail("want %s", pattern)
	}
	return s
}

var (
	bDescription = regexp.MustCompile(`^@description\(()`)
	bEnd         = regexp.MustCompile(`^()\)\n`)
	bSecure      = regexp.MustCompile(`^(@secure\(\)\n)`)
	bParam       = regexp.MustCompile(`^param ([A-Za-z_]\w*) string\n`)
	bResource    = regexp.MustCompile(`^resource ([A-Za-z_]\w*) ()`)
	bExisting    = regexp.MustCompile(`^ (existing )?= `)
	bKey         = regexp.MustCompile(`^([A-Za-z_]\w*): `)
	bColon       = regexp.MustCompile(`^(): `)
	bNumber      = regexp.MustCompile(`^(-?\d+)`)
	bWord        = regexp.MustCompile(`^([A-Za-z_]\w*)`)
	bLine        = regexp.MustCompile(`^()\n`)
)

func (r *bicepReader) statement() {
	var p bicepParam
	if _, ok := r.match(bDescription); ok {
		p.description = r.text()
		r.must(bEnd)
	}
	_, p.secure = r.match(bSecure)
	if name, ok := r.match(bParam); ok {
		r.declare(name)
		r.doc.params[name] = p
		return
	}
	symbol := r.must(bResource)
	r.declare(symbol)
	typ, version, _ := strings.Cut(r.text(), "@")
	existing := r.must(bExisting) != ""
	body := r.object()
	name, _ := body["name"].(string)
	if parent, ok := body["parent"].(bicepSymbol); ok {
		above := r.names[string(parent)]
		if above == "" || !strings.HasPrefix(typ, r.types[string(parent)]+"/") {
			r.fail("%s has no parent %s of its type", symbol, parent)
		}
		name = above + "/" + name
		delete(body, "parent")
	}
	r.names[symbol], r.types[symbol] = name, typ
	if existing {
		return
	}
	body["type"], body["apiVersion"], body["name"] = typ, version, name
	r.doc.resources = append(r.doc.resources, body)
}

// declare refuses a name that is given twice; Bicep has one name space.
func (r *bicepReader) declare(name string) {
	if r.symbols[name] {
		r.fail("%s is declared twice", name)
	}
	r.symbols[name] = true
}

// bicepSymbol is a name that stands as a value.
type bicepSymbol string

func (r *bicepReader) value() any {
	switch {
	case strings.HasPrefix(r.rest, "'"):
		return r.text()
	case strings.HasPrefix(r.rest, "{"):
		return r.object()
	case strings.HasPrefix(r.rest, "["):
		return r.list()
	}
	if n, ok := r.match(bNumber); ok {
		f, err := strconv.ParseFloat(n, 64)
		if err != nil {
			r.fail("%v", err)
		}
		return f
	}
	word := r.must(bWord)
	if word == "true" || word == "false" {
		return word == "true"
	}
	return bicepSymbol(word)
}

func (r *bicepReader) object() map[string]any {
	out := map[string]any{}
	if !strings.HasPrefix(r.rest, "{") {
		r.fail("want an object")
	}
	r.rest = r.rest[1:]
	if strings.HasPrefix(r.rest, "}") {
		r.rest = r.rest[1:]
		return out
	}
	r.must(bLine)
	for r.indent(); !strings.HasPrefix(r.rest, "}"); r.indent() {
		key, ok := r.match(bKey)
		if !ok {
			key = r.text()
			r.must(bColon)
		}
		if _, twice := out[key]; twice {
			r.fail("%s stands twice", key)
		}
		out[key] = r.value()
		r.must(bLine)
	}
	r.rest = r.rest[1:]
	return out
}

func (r *bicepReader) list() []any {
	out := []any{}
	r.rest = r.rest[1:]
	if strings.HasPrefix(r.rest, "]") {
		r.rest = r.rest[1:]
		return out
	}
	r.must(bLine)
	for r.indent(); !strings.HasPrefix(r.rest, "]"); r.indent() {
		out = append(out, r.value())
		r.must(bLine)
	}
	r.rest = r.rest[1:]
	return out
}

func (r *bicepReader) indent() { r.rest = strings.TrimLeft(r.rest, " ") }

var bEscape = regexp.MustCompile(`^\\u\{([0-9a-f]+)\}`)

// text reads a string in quotes.
func (r *bicepReader) text() string {
	if !strings.HasPrefix(r.rest, "'") {
		r.fail("want a string")
	}
	r.rest = r.rest[1:]
	var b strings.Builder
	for {
		switch {
		case r.rest == "" || r.rest[0] == '\n' || strings.HasPrefix(r.rest, "${"):
			r.fail("the string does not end")
		case r.rest[0] == '\'':
			r.rest = r.rest[1:]
			return b.String()
		case r.rest[0] != '\\':
			b.WriteByte(r.rest[0])
			r.rest = r.rest[1:]
		default:
			r.escape(&b)
		}
	}
}

func (r *bicepReader) escape(b *strings.Builder) {
	if code, ok := r.match(bEscape); ok {
		n, err := strconv.ParseUint(code, 16, 32)
		if err != nil {
			r.fail("%v", err)
		}
		b.WriteRune(rune(n))
		return
	}
	plain := map[byte]string{'\'': "'", '\\': `\`, 'n': "\n", 'r': "\r", 't': "\t", '$': "$"}
	s, ok := plain[r.rest[1]]
	if !ok {
		r.fail("an escape that Bicep does not have")
	}
	b.WriteString(s)
	r.rest = r.rest[2:]
}
