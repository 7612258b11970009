package deployment

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// differences lists what a template would change in a resource, as what-if shows it: the
// members that the template sets, and tags that it no longer has. Other members that only
// the resource has are taken for its provider's own. An expression that is known only
// when the deployment runs counts as a change, as Azure documents it.
func differences(before, after map[string]any) []any {
	var out []any
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if slices.Contains([]string{"id", "type", "name", "apiVersion"}, name) {
			continue
		}
		was, there := function.Member(before, name)
		out = append(out, compare(name, was, after[name], there, name == "tags")...)
	}
	if tags, ok := before["tags"].(map[string]any); ok && len(tags) > 0 && after["tags"] == nil {
		out = append(out, property("tags", "Delete", tags, nil))
	}
	return out
}

func property(path, kind string, before, after any) map[string]any {
	out := map[string]any{"path": path, "propertyChangeType": kind}
	if before != nil {
		out["before"] = before
	}
	if after != nil {
		out["after"] = after
	}
	return out
}

// compare compares one member. exact: what only the resource has goes.
func compare(path string, before, after any, there, exact bool) []any {
	switch {
	case after == nil:
		return nil // a null in a template leaves the member to the provider
	case !there:
		return []any{property(path, "Create", nil, after)}
	}
	wanted, isObject := after.(map[string]any)
	has, wasObject := before.(map[string]any)
	if isObject && wasObject {
		return compareObjects(path, has, wanted, exact)
	}
	list, isList := after.([]any)
	had, wasList := before.([]any)
	if isList && wasList {
		if children := compareLists(had, list); len(children) > 0 {
			p := property(path, "Array", nil, nil)
			p["children"] = children
			return []any{p}
		}
		return nil
	}
	if same(path, before, after) {
		return nil
	}
	return []any{property(path, "Modify", before, after)}
}

func compareObjects(path string, before, after map[string]any, exact bool) []any {
	var out []any
	for _, name := range slices.Sorted(maps.Keys(after)) {
		was, there := function.Member(before, name)
		out = append(out, compare(path+"."+name, was, after[name], there, exact)...)
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, kept := function.Member(after, name); exact && !kept {
			out = append(out, property(path+"."+name, "Delete", before[name], nil))
		}
	}
	return out
}

// compareLists compares element by element; paths are indexes.
func compareLists(before, after []any) []any {
	var out []any
	for i := range max(len(before), len(after)) {
		path := fmt.Sprint(i)
		switch {
		case i >= len(after):
			out = append(out, property(path, "Delete", before[i], nil))
		case i >= len(before):
			out = append(out, property(path, "Create", nil, after[i]))
		default:
			out = append(out, compare(path, before[i], after[i], true, false)...)
		}
	}
	return out
}

// same compares values: a location in either of its spellings.
func same(path string, before, after any) bool {
	a, isText := before.(string)
	b, both := after.(string)
	if path == "location" && isText && both {
		return strings.EqualFold(strings.ReplaceAll(a, " ", ""), strings.ReplaceAll(b, " ", ""))
	}
	return function.Equal(before, after)
}

// overlay is a resource as it would be after the deployment.
func overlay(before, after map[string]any) map[string]any {
	out := maps.Clone(before)
	for name, v := range after {
		inner, isObject := v.(map[string]any)
		was, wasObject := before[name].(map[string]any)
		if isObject && wasObject && name != "tags" {
			v = overlay(was, inner)
		}
		out[name] = v
	}
	if after["tags"] == nil {
		delete(out, "tags")
	}
	return out
}
