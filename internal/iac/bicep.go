package iac

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	decl "github.com/azure-tenant-grapher/atg/iac"
)

// bicepFile composes a Bicep file as `bicep format` would leave it: two spaces, one
// property or element per line.
// Grammar: https://learn.microsoft.com/azure/azure-resource-manager/bicep/file.
type bicepFile struct {
	bytes.Buffer
	taken   names
	symbols map[string]string // "type name" in lower case → symbol
}

func bicep(entries []*entry, ps *params) ([]byte, error) {
	return bicepOf(entries, ps.all)
}

// bicepOf writes a file with the given parameters, whose names no symbol gets.
func bicepOf(entries []*entry, all []decl.Param) ([]byte, error) {
	f := &bicepFile{taken: names{}, symbols: map[string]string{}}
	for _, p := range all {
		f.taken.give(p.Name)
		f.param(p)
	}
	given := make([]string, len(entries))
	for i, e := range entries {
		if e.ARM != nil {
			given[i] = f.taken.give(e.wish)
			f.symbols[symbolKey(e.ARM.Type, e.ARM.Name)] = given[i]
		}
	}
	for i, e := range entries {
		if e.ARM == nil {
			f.note(e.Note)
			continue
		}
		if err := f.resource(e, given[i]); err != nil {
			return nil, fmt.Errorf("block %q: %w", e.Name, err)
		}
	}
	return f.Bytes(), nil
}

func symbolKey(typ, name string) string { return strings.ToLower(typ + " " + name) }

func (f *bicepFile) separate() {
	if f.Len() > 0 {
		f.WriteByte('\n')
	}
}

func (f *bicepFile) param(p decl.Param) {
	f.separate()
	if p.Description != "" {
		fmt.Fprintf(f, "@description(%s)\n", bicepString(p.Description))
	}
	if p.Sensitive {
		f.WriteString("@secure()\n")
	}
	fmt.Fprintf(f, "param %s string\n", p.Name)
}

func (f *bicepFile) note(text string) {
	if text == "" {
		return
	}
	f.separate()
	f.comment(text)
}

func (f *bicepFile) comment(text string) {
	for _, line := range commentLines(text) {
		f.WriteString(strings.TrimSpace("// "+line) + "\n")
	}
}

func (f *bicepFile) resource(e *entry, symbol string) error {
	parentType, parentName, name, err := splitParent(e.ARM.Type, e.ARM.Name)
	if err != nil {
		return err
	}
	attrs := decl.Object{{Name: "name", Value: name}}
	parent := ""
	if parentType != "" {
		parent = f.parent(parentType, parentName, e.ARM.APIVersion)
	}
	f.separate()
	f.comment(e.Note)
	fmt.Fprintf(f, "resource %s %s = {\n", symbol, bicepString(e.ARM.Type+"@"+e.ARM.APIVersion))
	if parent != "" {
		fmt.Fprintf(f, "  parent: %s\n", parent)
	}
	if err := f.properties(append(attrs, e.ARM.Attrs...), 1, e.params); err != nil {
		return err
	}
	f.dependsOn(e, parent)
	f.WriteString("}\n")
	return nil
}

// dependsOn writes what e must come after, but for its parent, which Bicep sees itself.
func (f *bicepFile) dependsOn(e *entry, parent string) {
	var waits []string
	for _, before := range e.after {
		if before.ARM == nil {
			continue
		}
		symbol, here := f.symbols[symbolKey(before.ARM.Type, before.ARM.Name)]
		if here && symbol != parent && !slices.Contains(waits, symbol) {
			waits = append(waits, symbol)
		}
	}
	if len(waits) == 0 {
		return
	}
	f.WriteString("  dependsOn: [\n")
	for _, symbol := range waits {
		f.WriteString("    " + symbol + "\n")
	}
	f.WriteString("  ]\n")
}

// parent returns the symbol of the parent, declaring it as existing the first time.
func (f *bicepFile) parent(typ, name, apiVersion string) string {
	key := symbolKey(typ, name)
	if symbol, ok := f.symbols[key]; ok {
		return symbol
	}
	symbol := f.taken.give(name)
	f.symbols[key] = symbol
	f.separate()
	fmt.Fprintf(f, "resource %s %s existing = {\n  name: %s\n}\n", symbol, bicepString(typ+"@"+apiVersion), bicepString(name))
	return symbol
}

// splitParent divides "Microsoft.KeyVault/vaults/secrets" and "kv/db" into the parent's
// type and name and the child's own name. A type without a parent gives "" for both.
func splitParent(typ, name string) (parentType, parentName, own string, err error) {
	types, names := strings.Split(typ, "/"), strings.Split(name, "/")
	if len(types) != len(names)+1 {
		return "", "", "", fmt.Errorf("the name %q has another number of segments than the type %q", name, typ)
	}
	if len(names) == 1 {
		return "", "", name, nil
	}
	last := len(names) - 1
	return strings.Join(types[:len(types)-1], "/"), strings.Join(names[:last], "/"), names[last], nil
}

func (f *bicepFile) properties(attrs decl.Object, depth int, ps scoped) error {
	for _, a := range attrs {
		f.indent(depth)
		if isIdentifier(a.Name) {
			f.WriteString(a.Name)
		} else {
			f.WriteString(bicepString(a.Name))
		}
		f.WriteString(": ")
		if err := f.value(a.Value, depth, ps); err != nil {
			return fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		f.WriteByte('\n')
	}
	return nil
}

func (f *bicepFile) value(value any, depth int, ps scoped) error {
	switch v := value.(type) {
	case string:
		f.WriteString(bicepString(v))
	case bool:
		f.WriteString(strconv.FormatBool(v))
	case int:
		f.WriteString(strconv.Itoa(v))
	case int64:
		f.WriteString(strconv.FormatInt(v, 10))
	case []string:
		return f.list(anys(v), depth, ps)
	case []any:
		return f.list(v, depth, ps)
	case decl.Object:
		return f.object(v, depth, ps)
	case decl.Nested:
		return f.object(decl.Object(v), depth, ps)
	case decl.Ref:
		name, err := ps.resolve(v)
		f.WriteString(name)
		return err
	default:
		return fmt.Errorf("a value of type %T cannot be declared", value)
	}
	return nil
}

func (f *bicepFile) list(list []any, depth int, ps scoped) error {
	if len(list) == 0 {
		f.WriteString("[]")
		return nil
	}
	f.WriteString("[\n")
	for _, v := range list {
		f.indent(depth + 1)
		if err := f.value(v, depth+1, ps); err != nil {
			return err
		}
		f.WriteByte('\n')
	}
	f.indent(depth)
	f.WriteByte(']')
	return nil
}

func (f *bicepFile) object(obj decl.Object, depth int, ps scoped) error {
	if len(obj) == 0 {
		f.WriteString("{}")
		return nil
	}
	f.WriteString("{\n")
	if err := f.properties(obj, depth+1, ps); err != nil {
		return err
	}
	f.indent(depth)
	f.WriteByte('}')
	return nil
}

func (f *bicepFile) indent(depth int) { f.WriteString(strings.Repeat("  ", depth)) }

// bicepString quotes s. Escapes:
// https://learn.microsoft.com/azure/azure-resource-manager/bicep/data-types#strings.
func bicepString(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '$' && strings.HasPrefix(s[i:], "${"):
			b.WriteString(`\$`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
