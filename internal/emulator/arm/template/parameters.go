package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// Value is a parameter or an output with its type as Azure shows it: "String",
// "SecureString", "Int", …
type Value struct {
	Type  string
	Value any
}

// Secure tells whether the value may not be shown.
func (v Value) Secure() bool { return strings.HasPrefix(v.Type, "Secure") }

// typeNames are the types of a template by their lower-case name.
var typeNames = map[string]string{
	"string": "String", "securestring": "SecureString", "int": "Int", "bool": "Bool", "object": "Object", "secureobject": "SecureObject", "array": "Array",
}

// expects names the JSON types that a parameter of a type takes, as Azure's message does.
var expects = map[string]string{
	"String": "String, Uri", "SecureString": "String, Uri", "Int": "Integer", "Bool": "Boolean", "Object": "Object", "SecureObject": "Object", "Array": "Array",
}

func (t *Template) typeOf(schema map[string]any) (string, bool) {
	name, _ := schema["type"].(string)
	typ, ok := typeNames[strings.ToLower(name)]
	return typ, ok
}

// parameters gives every parameter of the template its value: that of given (by name,
// without regard to case) or its default.
func (t *Template) parameters(e *env, given map[string]any) *Error {
	declared := t.section("parameters")
	if extra := strangers(given, declared); len(extra) > 0 {
		return invalid("The following parameters were supplied, but do not correspond to any parameters defined in the template: '%s'. The parameters defined in the template are: '%s'. Please see https://aka.ms/arm-pass-parameter-values for usage details.",
			strings.Join(extra, ", "), strings.Join(slices.Sorted(maps.Keys(declared)), ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if err := e.bind(name, given); err != nil {
			return err
		}
	}
	return nil
}

func strangers(given, declared map[string]any) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := function.Member(declared, name); !ok {
			out = append(out, name)
		}
	}
	return out
}

// bind gives one parameter its value. A default may use other parameters, which bind
// first.
func (e *env) bind(name string, given map[string]any) *Error {
	if _, bound := e.params[name]; bound {
		return nil
	}
	t := e.template
	at := t.places.at("/parameters/" + name)
	schema, ok := t.section("parameters")[name].(map[string]any)
	if !ok {
		return invalid("The template parameter '%s' at %s is not valid.", name, at)
	}
	schema = t.definition(schema)
	typ, ok := t.typeOf(schema)
	if !ok {
		return invalid("The template parameter '%s' at %s is not valid: its type is not one of Azure's. Please see https://aka.ms/arm-syntax-parameters for usage details.", name, at)
	}
	value, err := e.parameterValue(name, schema, given)
	if err != nil {
		return err
	}
	if err := t.conforms(schema, value); err != nil {
		return &Error{Code: "InvalidTemplate", Message: fmt.Sprintf("Deployment template validation failed: 'The provided value for the template parameter '%s' at %s is not valid. %v'.", name, at, err)}
	}
	e.params[name] = Value{Type: typ, Value: value}
	return nil
}

func (e *env) parameterValue(name string, schema, given map[string]any) (any, *Error) {
	at := e.template.places.at("/parameters/" + name)
	if v, ok := function.Member(given, name); ok && (v != nil || schema["defaultValue"] == nil) {
		return v, nil
	}
	if e.binding[name] {
		return nil, invalid("The template parameter '%s' at %s refers to itself in its default value.", name, at)
	}
	e.binding[name] = true
	defer delete(e.binding, name)
	if def, ok := schema["defaultValue"]; ok {
		inner := *e
		inner.given, inner.inDefault = given, true
		v, err := expr.Value(def, &inner)
		if err != nil {
			return nil, invalid("Unable to process the default value of the template parameter '%s' at %s: %v", name, at, err)
		}
		return v, nil
	}
	if nullable, _ := schema["nullable"].(bool); nullable {
		return nil, nil
	}
	return nil, invalid("The value for the template parameter '%s' at %s is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.", name, at)
}

// conforms checks a value against a type with its constraints.
func (t *Template) conforms(schema map[string]any, v any) error {
	schema = t.definition(schema)
	if nullable, _ := schema["nullable"].(bool); v == nil && nullable {
		return nil
	}
	typ, ok := t.typeOf(schema)
	if !ok {
		return nil // a part of a type that says nothing
	}
	if !slices.Contains(strings.Split(expects[typ], ", "), function.Kind(v)) {
		return function.Errorf("Template parameter JToken type is not valid. Expected '%s'. Actual '%s'. Please see https://aka.ms/arm-create-parameter-file for usage details.", expects[typ], function.Kind(v))
	}
	if err := allowed(schema, v); err != nil {
		return err
	}
	if err := within(schema, v); err != nil {
		return err
	}
	switch v := v.(type) {
	case map[string]any:
		return t.membersConform(schema, v)
	case []any:
		return t.elementsConform(schema, v)
	}
	return nil
}

func allowed(schema map[string]any, v any) error {
	values, ok := schema["allowedValues"].([]any)
	if !ok {
		return nil
	}
	elements := []any{v}
	if l, isList := v.([]any); isList && !slices.ContainsFunc(values, func(a any) bool { return function.Equal(a, v) }) {
		elements = l // then each element must be one of the values
	}
	for _, e := range elements {
		if slices.ContainsFunc(values, func(a any) bool { return sameAllowed(a, e) }) {
			continue
		}
		list := make([]string, len(values))
		for i, a := range values {
			list[i] = function.Text(a)
		}
		return function.Errorf("The parameter value '%s' is not part of the allowed value(s): '%s'.", function.Text(e), strings.Join(list, ","))
	}
	return nil
}

// sameAllowed compares texts without regard to case, as Azure does for allowed values.
func sameAllowed(a, b any) bool {
	x, ok := a.(string)
	y, both := b.(string)
	if ok && both {
		return strings.EqualFold(x, y)
	}
	return function.Equal(a, b)
}

// within checks minValue, maxValue, minLength and maxLength.
func within(schema map[string]any, v any) error {
	var size int64
	what := "Length"
	low, high := schema["minLength"], schema["maxLength"]
	switch v := v.(type) {
	case string:
		size = int64(len([]rune(v)))
	case []any:
		size = int64(len(v))
	case int64:
		size, what = v, "Value"
		low, high = schema["minValue"], schema["maxValue"]
	default:
		return nil
	}
	if n, ok := low.(int64); ok && size < n {
		return function.Errorf("%s of the value should be greater than or equal to '%d'. Please see https://aka.ms/arm-create-parameter-file for usage details.", what, n)
	}
	if n, ok := high.(int64); ok && size > n {
		return function.Errorf("%s of the value should be less than or equal to '%d'. Please see https://aka.ms/arm-create-parameter-file for usage details.", what, n)
	}
	return nil
}

// membersConform checks an object against properties and additionalProperties.
func (t *Template) membersConform(schema map[string]any, v map[string]any) error {
	props, typed := schema["properties"].(map[string]any)
	if !typed {
		return nil
	}
	for name, p := range props {
		inner, _ := p.(map[string]any)
		inner = t.definition(inner)
		member, ok := v[name]
		if nullable, _ := inner["nullable"].(bool); !ok && nullable {
			continue
		}
		if !ok {
			return function.Errorf("The property '%s' is required.", name)
		}
		if err := t.conforms(inner, member); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if more, given := schema["additionalProperties"].(bool); given && !more {
		for name := range v {
			if props[name] == nil {
				return function.Errorf("The property '%s' is not allowed.", name)
			}
		}
	}
	return nil
}

func (t *Template) elementsConform(schema map[string]any, v []any) error {
	items, ok := schema["items"].(map[string]any)
	if !ok {
		return nil
	}
	var errs []error
	for i, e := range v {
		if err := t.conforms(items, e); err != nil {
			errs = append(errs, fmt.Errorf("[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}
