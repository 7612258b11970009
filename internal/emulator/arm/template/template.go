package template

import (
	"maps"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// Template is a template as it was given. It is not changed once it is parsed.
type Template struct {
	raw       map[string]any
	symbolic  bool // resources are an object of symbolic names
	schema    string
	functions map[string]userFunction // by "namespace.name" in lower case
	places    places
}

// userFunction is a function that a template defines.
type userFunction struct {
	parameters []parameterType
	output     any
}

type parameterType struct {
	name   string
	schema map[string]any
}

// scopes are the kinds of deployment by the name in the template's schema.
var scopes = map[string]string{
	"deploymenttemplate.json": "resource group", "subscriptiondeploymenttemplate.json": "subscription",
	"managementgroupdeploymenttemplate.json": "management group", "tenantdeploymenttemplate.json": "tenant",
}

// Parse reads a template. The error is an *Error.
func Parse(text []byte) (*Template, error) {
	v, err := function.Decode(text)
	if err != nil {
		return nil, &Error{Code: "InvalidRequestContent", Message: "The request content was invalid and could not be deserialized: '" + err.Error() + "'."}
	}
	raw, ok := v.(map[string]any)
	if !ok {
		return nil, invalid("the template is not a JSON object")
	}
	t := &Template{raw: raw, places: findPlaces(text), functions: map[string]userFunction{}}
	if err := t.check(); err != nil {
		return nil, err
	}
	return t, t.readFunctions()
}

// check looks at the parts that every template has.
func (t *Template) check() error {
	for name := range t.raw {
		if !slices.Contains(sections, name) {
			return invalid("Template property '%s' is not expected at this location. Please see https://aka.ms/arm-template for usage details.", name)
		}
	}
	schema, _ := t.raw["$schema"].(string)
	if schema == "" {
		return invalid("Required property '$schema' not found in JSON. Path '', line 1, position 1.")
	}
	file := schema[strings.LastIndexByte(schema, '/')+1:]
	if t.schema = scopes[strings.ToLower(strings.TrimSuffix(file, "#"))]; t.schema == "" {
		return invalid("The template schema '%s' is not supported. Please see https://aka.ms/arm-template for usage details.", schema)
	}
	if v, ok := t.raw["contentVersion"].(string); !ok || v == "" {
		return invalid("Required property 'contentVersion' not found in JSON. Path '', line 1, position 1.")
	}
	version, _ := t.raw["languageVersion"].(string)
	t.symbolic = strings.HasPrefix(version, "2.")
	for _, name := range []string{"parameters", "variables", "outputs", "definitions"} {
		if _, ok := t.raw[name].(map[string]any); t.raw[name] != nil && !ok {
			return invalid("The template section '%s' at %s must be an object.", name, t.places.at("/"+name))
		}
	}
	switch resources := t.raw["resources"].(type) {
	case map[string]any:
		if !t.symbolic {
			return invalid("The template section 'resources' at %s must be an array unless the languageVersion is '2.0'.", t.places.at("/resources"))
		}
	case []any:
		t.symbolic = false
	case nil:
		return invalid("Required property 'resources' not found in JSON. Path '', line 1, position 1.")
	default:
		return invalid("The template section 'resources' at %s is not valid: %s.", t.places.at("/resources"), function.Kind(resources))
	}
	return nil
}

var sections = []string{
	"$schema", "contentVersion", "apiProfile", "languageVersion", "metadata", "definitions", "parameters", "variables", "functions", "resources",
	"outputs", "imports", "extensions", "asserts",
}

// section is one of the template's objects; never nil.
func (t *Template) section(name string) map[string]any {
	m, _ := t.raw[name].(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return m
}

// readFunctions reads the section functions: a list of namespaces with their members.
func (t *Template) readFunctions() error {
	spaces, _ := t.raw["functions"].([]any)
	for _, s := range spaces {
		space, _ := s.(map[string]any)
		namespace, _ := space["namespace"].(string)
		all, _ := space["members"].(map[string]any)
		for name, m := range all {
			member, _ := m.(map[string]any)
			output, hasOutput := member["output"].(map[string]any)
			if namespace == "" || !hasOutput {
				return invalid("The template function '%s' is not valid: a namespace and an output are required.", name)
			}
			f := userFunction{output: output["value"]}
			params, _ := member["parameters"].([]any)
			for _, p := range params {
				schema, _ := p.(map[string]any)
				n, _ := schema["name"].(string)
				f.parameters = append(f.parameters, parameterType{name: n, schema: schema})
			}
			t.functions[strings.ToLower(namespace+"."+name)] = f
		}
	}
	return nil
}

// definition resolves "$ref": "#/definitions/NAME" in a schema; members beside it win.
func (t *Template) definition(schema map[string]any) map[string]any {
	for range 32 {
		ref, ok := schema["$ref"].(string)
		if !ok {
			return schema
		}
		name, local := strings.CutPrefix(ref, "#/definitions/")
		target, known := t.section("definitions")[name].(map[string]any)
		if !local || !known {
			return schema
		}
		merged := maps.Clone(target)
		for k, v := range schema {
			if k != "$ref" {
				merged[k] = v
			}
		}
		schema = merged
	}
	return schema
}

// ContentVersion is the template's own version number.
func (t *Template) ContentVersion() string {
	v, _ := t.raw["contentVersion"].(string)
	return v
}
