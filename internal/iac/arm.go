package iac

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	decl "github.com/azure-tenant-grapher/atg/iac"
)

// The template's schema and layout:
// https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax.
const armSchema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

// arm writes a deployment template. JSON has no comments: a resource's note stands in its
// "comments" property, the note of a thing without a type in the template's metadata.
func arm(entries []*entry, ps *params) ([]byte, error) {
	template, err := armTemplate(entries, ps.all)
	if err != nil {
		return nil, err
	}
	return encode(template)
}

func armTemplate(entries []*entry, all []decl.Param) (ordered, error) {
	declared := map[string]bool{}
	for _, e := range entries {
		if e.ARM != nil {
			declared[symbolKey(e.ARM.Type, e.ARM.Name)] = true
		}
	}
	var notes []string
	resources := []any{}
	for _, e := range entries {
		if e.ARM == nil {
			if e.Note != "" {
				notes = append(notes, e.Note)
			}
			continue
		}
		res, err := armResource(e, declared)
		if err != nil {
			return nil, fmt.Errorf("block %q: %w", e.Name, err)
		}
		resources = append(resources, res)
	}
	template := ordered{{"$schema", armSchema}, {"contentVersion", "1.0.0.0"}}
	if len(notes) > 0 {
		template = append(template, member{"metadata", ordered{{"notes", notes}}})
	}
	return append(template, member{"parameters", armParams(all)}, member{"resources", resources}), nil
}

func armParams(all []decl.Param) ordered {
	out := ordered{}
	for _, p := range all {
		kind := "string"
		if p.Sensitive {
			kind = "securestring"
		}
		param := ordered{{"type", kind}}
		if p.Description != "" {
			param = append(param, member{"metadata", ordered{{"description", p.Description}}})
		}
		out = append(out, member{p.Name, param})
	}
	return out
}

// armResource waits for its parent, and for what it must come after, if the file declares
// it: unlike Bicep, a template does not see that by itself.
func armResource(e *entry, declared map[string]bool) (ordered, error) {
	parentType, parentName, _, err := splitParent(e.ARM.Type, e.ARM.Name)
	if err != nil {
		return nil, err
	}
	out := ordered{{"type", e.ARM.Type}, {"apiVersion", e.ARM.APIVersion}, {"name", literal(e.ARM.Name)}}
	if e.Note != "" {
		out = append(out, member{"comments", e.Note})
	}
	var waits []string
	wait := func(typ, name string) {
		if id := armID(typ, name); declared[symbolKey(typ, name)] && !slices.Contains(waits, id) {
			waits = append(waits, id)
		}
	}
	wait(parentType, parentName)
	for _, before := range e.after {
		if before.ARM != nil {
			wait(before.ARM.Type, before.ARM.Name)
		}
	}
	if len(waits) > 0 {
		out = append(out, member{"dependsOn", waits})
	}
	attrs, err := armObject(e.ARM.Attrs, e.params)
	return append(out, attrs...), err
}

// armID is the expression for the ID of a resource of the same resource group.
func armID(typ, name string) string {
	quoted := strings.ReplaceAll(strings.ReplaceAll(name, "'", "''"), "/", "', '")
	return "[resourceId('" + typ + "', '" + quoted + "')]"
}

func armObject(obj decl.Object, ps scoped) (ordered, error) {
	out := ordered{}
	for _, a := range obj {
		v, err := armValue(a.Value, ps)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		out = append(out, member{a.Name, v})
	}
	return out, nil
}

func armValue(value any, ps scoped) (any, error) {
	switch v := value.(type) {
	case string:
		return literal(v), nil
	case bool, int, int64:
		return v, nil
	case []string:
		return armList(anys(v), ps)
	case []any:
		return armList(v, ps)
	case decl.Object:
		return armObject(v, ps)
	case decl.Nested:
		return armObject(decl.Object(v), ps)
	case decl.Ref:
		name, err := ps.resolve(v)
		return "[parameters('" + name + "')]", err
	default:
		return nil, fmt.Errorf("a value of type %T cannot be declared", value)
	}
}

func armList(list []any, ps scoped) ([]any, error) {
	out := []any{}
	for _, v := range list {
		x, err := armValue(v, ps)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// literal keeps a string in brackets from being read as an expression.
func literal(s string) string {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		return "[" + s
	}
	return s
}

// member is one name and value of a JSON object.
type member struct {
	name  string
	value any
}

// ordered is a JSON object that keeps its order.
type ordered []member

// MarshalJSON implements json.Marshaler.
func (o ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{m.name, m.value} {
			if j == 1 {
				b.WriteByte(':')
			}
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(part); err != nil {
				return nil, err
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode writes JSON with two spaces and a newline at the end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
