package template

import (
	"errors"
	"maps"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// maxCopies is Azure's limit for the count of a copy loop.
const maxCopies = 800

// loop is a copy element: how often, and for a property what.
type loop struct {
	name      string
	count     int64
	serial    bool
	batchSize int64
	input     any
}

// readLoop reads the members that all copy elements share.
func (e *env) readLoop(raw any) (loop, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return loop{}, function.Errorf("The copy element is not an object. Please see https://aka.ms/arm-resource-loops for usage details.")
	}
	l := loop{input: m["input"]}
	l.name, _ = m["name"].(string)
	count, err := expr.Value(m["count"], e)
	if err != nil {
		return l, err
	}
	n, ok := count.(int64)
	if !ok {
		return l, function.Errorf("The template copy count '%s' of '%s' is not valid: it must be an integer. Please see https://aka.ms/arm-resource-loops for usage details.", function.Text(count), l.name)
	}
	if n < 0 || n > maxCopies {
		return l, function.Errorf("The copy count must be between '0' and '%d'; '%s' has '%d'. Please see https://aka.ms/arm-resource-loops for usage details.", maxCopies, l.name, n)
	}
	l.count = n
	if mode, _ := m["mode"].(string); strings.EqualFold(mode, "serial") {
		l.serial, l.batchSize = true, 1
		size, err := expr.Value(m["batchSize"], e)
		if err != nil {
			return l, err
		}
		if n, ok := size.(int64); ok && n > 0 {
			l.batchSize = n
		}
	}
	return l, nil
}

// unroll evaluates a value with the property loops ("copy": [...]) of the objects in it.
func (e *env) unroll(raw any) (any, error) {
	switch raw := raw.(type) {
	case map[string]any:
		return e.unrollObject(raw)
	case []any:
		out := make([]any, len(raw))
		for i, v := range raw {
			var err error
			if out[i], err = e.unroll(v); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	v, err := expr.Value(raw, e)
	if e.preview && errors.Is(err, expr.ErrDeferred) {
		return raw, nil
	}
	return v, err
}

func (e *env) unrollObject(raw map[string]any) (any, error) {
	loops, _ := raw["copy"].([]any)
	rest := raw
	if loops != nil {
		rest = maps.Clone(raw)
		delete(rest, "copy")
	}
	out := make(map[string]any, len(rest)+len(loops))
	for k, v := range rest {
		name, err := expr.Value(k, e)
		if err != nil {
			return nil, err
		}
		if out[function.Text(name)], err = e.unroll(v); err != nil {
			return nil, err
		}
	}
	for _, c := range loops {
		l, err := e.readLoop(c)
		if err != nil {
			return nil, err
		}
		if out[l.name], err = e.repeat(l); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// repeat evaluates the input of a loop as often as it counts.
func (e *env) repeat(l loop) ([]any, error) {
	out := make([]any, l.count)
	for i := range l.count {
		var err error
		if out[i], err = e.within(l.name, i).unroll(l.input); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// copiedVariable finds a variable that the section's own copy element makes, as a value
// to unroll.
func (t *Template) copiedVariable(name string) (any, bool) {
	loops, _ := t.section("variables")["copy"].([]any)
	for _, c := range loops {
		if m, ok := c.(map[string]any); ok && strings.EqualFold(function.Text(m["name"]), name) {
			return map[string]any{"copy": []any{c}}, true
		}
	}
	return nil, false
}
