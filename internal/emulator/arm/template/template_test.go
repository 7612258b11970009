package template_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

const (
	scope = "/subscriptions/11111111-0000-0000-0000-000000000001/resourceGroups/rg"
	head  = `"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#","contentVersion":"1.0.0.0"`
)

func place() template.Place {
	return template.Place{
		Scope:         scope,
		Subscription:  map[string]any{"subscriptionId": "11111111-0000-0000-0000-000000000001", "id": "/subscriptions/11111111-0000-0000-0000-000000000001"},
		ResourceGroup: map[string]any{"id": scope, "name": "rg", "location": "westeurope"},
		Tenant:        map[string]any{"tenantId": "aaaaaaaa-0000-0000-0000-000000000001"},
		Deployment:    map[string]any{"name": "main"},
		Environment:   map[string]any{"name": "AzureCloud"},
		Now:           time.Date(2026, 11, 20, 10, 11, 12, 0, time.UTC),
		NewGUID:       func() string { return "00000000-0000-0000-0000-0000000000aa" },
	}
}

// azure is a Runtime that knows some resources.
type azure map[string]any

func (a azure) Reference(id, _ string, full bool) (any, error) {
	if full {
		return map[string]any{"properties": a[id], "location": "westeurope"}, nil
	}
	return a[id], nil
}

func (a azure) List(name, id, _ string, _ any) (any, error) {
	return map[string]any{"called": name + " " + id}, nil
}

// outputs evaluates expressions as outputs of a template with further sections.
func outputs(t testing.TB, sections string, params map[string]any, exprs map[string]string) map[string]any {
	t.Helper()
	var b strings.Builder
	for name, e := range exprs {
		if b.Len() > 0 {
			b.WriteString(",")
		}
		b.WriteString(function.Encode(name) + `:{"type":"array","value":[` + function.Encode(e) + `]}`)
	}
	text := `{` + head + `,` + sections + `"resources":[],"outputs":{` + b.String() + `}}`
	tpl, err := template.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := tpl.Expand(template.Inputs{Parameters: params, Place: place()})
	if err != nil {
		t.Fatal(err)
	}
	values, err := p.Outputs(tpl, azure{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	for name, v := range values {
		out[name] = v.Value.([]any)[0]
	}
	return out
}

func TestEnvironmentFunctions(t *testing.T) {
	t.Parallel()
	sub := "/subscriptions/11111111-0000-0000-0000-000000000001"
	want := map[string]any{
		"[resourceId('A.B/c', 'n')]":                                           scope + "/providers/A.B/c/n",
		"[resourceId('other', 'A.B/c/d', 'n', 'm')]":                           sub + "/resourceGroups/other/providers/A.B/c/n/d/m",
		"[resourceId('s2', 'other', 'A.B/c', 'n')]":                            "/subscriptions/s2/resourceGroups/other/providers/A.B/c/n",
		"[subscriptionResourceId('A.B/c', 'n')]":                               sub + "/providers/A.B/c/n",
		"[subscriptionResourceId('s2', 'A.B/c', 'n')]":                         "/subscriptions/s2/providers/A.B/c/n",
		"[tenantResourceId('A.B/c', 'n')]":                                     "/providers/A.B/c/n",
		"[extensionResourceId(resourceGroup().id, 'A.B/c', 'n')]":              scope + "/providers/A.B/c/n",
		"[managementGroupResourceId('mg', 'A.B/c', 'n')]":                      "/providers/Microsoft.Management/managementGroups/mg/providers/A.B/c/n",
		"[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'g')]":  sub + "/resourceGroups/g",
		"[resourceGroup().location]":                                           "westeurope",
		"[subscription().subscriptionId]":                                      "11111111-0000-0000-0000-000000000001",
		"[tenant().tenantId]":                                                  "aaaaaaaa-0000-0000-0000-000000000001",
		"[deployment().name]":                                                  "main",
		"[environment().name]":                                                 "AzureCloud",
		"[[literal]":                                                           "[literal]",
		"[variables('v').list[1]]":                                             "b",
		"[variables('loop')[1]]":                                               map[string]any{"n": "x2"},
		"[variables('inner').disks[2]]":                                        int64(2),
		"[parameters('P')]":                                                    "given",
		"[parameters('stamp')]":                                                "2026-11-20 main",
		"[parameters('id')]":                                                   "00000000-0000-0000-0000-0000000000aa",
		"[ns.join('a', 'b')]":                                                  "a-b",
		"[reference('" + scope + "/providers/A.B/c/n', '1', 'full').location]": "westeurope",
		"[listKeys(resourceId('A.B/c', 'n'), '1').called]":                     "listKeys " + scope + "/providers/A.B/c/n",
		"[pickZones('A.B', 'c', 'westeurope')]":                                []any{},
	}
	exprs := map[string]string{}
	for e := range want {
		exprs[e] = e
	}
	got := outputs(t, `"parameters":{"p":{"type":"string"},"stamp":{"type":"string","defaultValue":"[concat(utcNow('yyyy-MM-dd'), ' ', deployment().name)]"},
		"id":{"type":"string","defaultValue":"[newGuid()]"}},
		"variables":{"v":{"list":["a","[toLower('B')]"]},"copy":[{"name":"loop","count":3,"input":{"n":"[concat('x', copyIndex('loop', 1))]"}}],
		"inner":{"copy":[{"name":"disks","count":3,"input":"[copyIndex('disks')]"}]}},
		"functions":[{"namespace":"ns","members":{"join":{"parameters":[{"name":"a","type":"string"},{"name":"b","type":"string"}],"output":{"type":"string","value":"[concat(parameters('a'), '-', parameters('b'))]"}}}}],`,
		map[string]any{"p": "given"}, exprs)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// plan expands a template, given as the text between its braces behind the head.
func plan(t testing.TB, text string, params map[string]any) (*template.Plan, error) {
	t.Helper()
	tpl, err := template.Parse([]byte(`{` + head + `,` + text + `}`))
	if err != nil {
		return nil, err
	}
	return tpl.Expand(template.Inputs{Parameters: params, Place: place()})
}

func waits(p *template.Plan) map[string][]string {
	out := map[string][]string{}
	for _, r := range p.Resources {
		names := []string{}
		for _, o := range r.DependsOn {
			names = append(names, o.Name)
		}
		out[r.Name] = names
	}
	return out
}

func TestOrder(t *testing.T) {
	t.Parallel()
	p, err := plan(t, `"resources":[
		{"type":"A.B/c","apiVersion":"1","name":"[concat('n', copyIndex())]","copy":{"name":"loop","count":3,"mode":"serial","batchSize":2}},
		{"type":"A.B/d","apiVersion":"1","name":"after","dependsOn":["loop"],"resources":[{"type":"e","apiVersion":"1","name":"child","dependsOn":["[resourceId('A.B/d', 'after')]"]}]},
		{"type":"A.B/f","apiVersion":"1","name":"refers","properties":{"x":"[reference(resourceId('A.B/d', 'after')).y]","copy":[{"name":"keys","count":2,"input":"[listKeys(concat('n', copyIndex('keys')), '1')]"}]}},
		{"type":"A.B/g","apiVersion":"1","name":"off","condition":"[equals(1, 2)]"},
		{"type":"A.B/h","apiVersion":"1","name":"last","dependsOn":["off"]}
	]`, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"n0": {}, "n1": {}, "n2": {"n0", "n1"}, "after": {"n0", "n1", "n2"}, "after/child": {"after"},
		"refers": {"after", "n0", "n1"}, "off": {}, "last": {"off"},
	}
	got := waits(p)
	slices.Sort(got["refers"])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSymbolicNames: a template as Bicep emits it for a vault, secrets in a loop, something
// that exists, and a module.
func TestSymbolicNames(t *testing.T) {
	t.Parallel()
	p, err := plan(t, `"languageVersion":"2.0","parameters":{"names":{"type":"array","items":{"type":"string"}}},"resources":{
		"vault":{"type":"A.B/vaults","apiVersion":"1","name":"kv"},
		"secrets":{"copy":{"name":"secrets","count":"[length(parameters('names'))]"},"type":"A.B/vaults/secrets","apiVersion":"1","name":"[format('{0}/{1}', 'kv', parameters('names')[copyIndex()])]","dependsOn":["vault"]},
		"there":{"existing":true,"type":"A.B/others","apiVersion":"3","resourceGroup":"elsewhere","name":"o"},
		"role":{"type":"A.C/roles","apiVersion":"1","scope":"[resourceId('A.B/vaults', 'kv')]","name":"r","properties":{"first":"[reference('secrets[0]', '1', 'full').location]","id":"[reference('there').x]","all":"[references('secrets')]","info":"[resourceInfo('vault').id]"}},
		"ext":{"type":"A.C/roles","apiVersion":"1","scope":"A.B/vaults/kv","name":"s"},
		"group":{"type":"Microsoft.Resources/deployments","apiVersion":"1","name":"m","subscriptionId":"s2","resourceGroup":"g2","properties":{"mode":"Incremental","template":{}}},
		"tenant":{"type":"A.D/e","apiVersion":"1","scope":"/","name":"t"},
		"mg":{"type":"A.D/e","apiVersion":"1","scope":"Microsoft.Management/managementGroups/mg","name":"t"}
	}`, map[string]any{"names": []any{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, r := range p.Resources {
		ids[r.Symbol] = strings.Replace(r.ID, scope, "~", 1)
	}
	want := map[string]string{
		"vault": "~/providers/A.B/vaults/kv", "secrets[0]": "~/providers/A.B/vaults/kv/secrets/a", "secrets[1]": "~/providers/A.B/vaults/kv/secrets/b",
		"there": "/subscriptions/11111111-0000-0000-0000-000000000001/resourceGroups/elsewhere/providers/A.B/others/o",
		"role":  "~/providers/A.B/vaults/kv/providers/A.C/roles/r", "ext": "~/providers/A.B/vaults/kv/providers/A.C/roles/s",
		"group":  "/subscriptions/s2/resourceGroups/g2/providers/Microsoft.Resources/deployments/m",
		"tenant": "/providers/A.D/e/t", "mg": "/providers/Microsoft.Management/managementGroups/mg/providers/A.D/e/t",
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	role := p.Resources[slices.IndexFunc(p.Resources, func(r *template.Resource) bool { return r.Symbol == "role" })]
	if len(role.DependsOn) != 3 {
		t.Errorf("the role waits for %d resources", len(role.DependsOn))
	}
	preview, err := p.Preview(role)
	if v := preview["properties"].(map[string]any)["id"]; err != nil || v != "[reference('there').x]" {
		t.Errorf("preview: %v %v", v, err)
	}
	body, err := p.Body(role, azure{scope + "/providers/A.B/vaults/kv/secrets/a": "A", ids["there"]: map[string]any{"x": "X"}})
	wantBody := map[string]any{"properties": map[string]any{"first": "westeurope", "id": "X", "all": []any{"A", nil}, "info": scope + "/providers/A.B/vaults/kv"}}
	if diff := cmp.Diff(wantBody, body); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	declared := `"definitions":{"sku":{"type":"object","properties":{"name":{"type":"string","allowedValues":["a","b"]},"size":{"type":"int","nullable":true}},"additionalProperties":false}},
		"parameters":{"s":{"type":"string","minLength":2,"maxLength":3,"defaultValue":"ab"},"i":{"type":"int","minValue":1,"maxValue":9,"defaultValue":5},"b":{"type":"bool","defaultValue":false},
		"a":{"type":"array","allowedValues":["x","y"],"items":{"type":"string"},"defaultValue":["x"]},"o":{"$ref":"#/definitions/sku","defaultValue":{"name":"a"}},
		"n":{"type":"string","nullable":true},"e":{"type":"string","allowedValues":["Red","Blue"],"defaultValue":"[if(parameters('b'), 'Blue', 'Red')]"}},"resources":[]`
	p, err := plan(t, declared, map[string]any{"B": true, "e": nil})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]template.Value{
		"s": {Type: "String", Value: "ab"}, "i": {Type: "Int", Value: int64(5)}, "b": {Type: "Bool", Value: true}, "a": {Type: "Array", Value: []any{"x"}},
		"o": {Type: "Object", Value: map[string]any{"name": "a"}}, "n": {Type: "String"}, "e": {Type: "String", Value: "Blue"},
	}
	if diff := cmp.Diff(want, p.Parameters); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		name, want string
		value      any
	}{
		{"s", "Length of the value should be greater than or equal to '2'", "a"},
		{"s", "Length of the value should be less than or equal to '3'", "abcd"},
		{"s", "Expected 'String, Uri'. Actual 'Integer'", int64(1)},
		{"i", "Value of the value should be greater than or equal to '1'", int64(0)},
		{"i", "Expected 'Integer'. Actual 'String'", "1"},
		{"e", "not part of the allowed value(s): 'Red,Blue'", "Green"},
		{"a", "not part of the allowed value(s): 'x,y'", []any{"x", "z"}},
		{"a", "Expected 'Array'", "x"},
		{"o", "The property 'name' is required", map[string]any{}},
		{"o", "The property 'more' is not allowed", map[string]any{"name": "a", "more": true}},
		{"o", "name: The parameter value 'c'", map[string]any{"name": "c"}},
		{"zz", "do not correspond to any parameters defined in the template: 'zz'", "x"},
	} {
		_, err := plan(t, declared, map[string]any{c.name: c.value})
		wantInvalid(t, c.name, err, c.want)
	}
}

func wantInvalid(t testing.TB, what string, err error, want string) {
	t.Helper()
	var own *template.Error
	if !errors.As(err, &own) || own.Code != "InvalidTemplate" || !strings.Contains(own.Message, want) {
		t.Errorf("%s: %v, want an InvalidTemplate with %q", what, err, want)
	}
}

func TestInvalidTemplates(t *testing.T) {
	t.Parallel()
	resource := func(rest string) string {
		return `"resources":[{"type":"A.B/c","apiVersion":"1","name":"n",` + rest + `}]`
	}
	for text, want := range map[string]string{
		`"resources":[],"more":1`:                             "Template property 'more' is not expected at this location",
		`"variables":{}`:                                      "Required property 'resources' not found",
		`"resources":{}`:                                      "must be an array unless the languageVersion is '2.0'",
		`"resources":7`:                                       "'resources' at line '1' and column",
		`"resources":[],"parameters":[]`:                      "'parameters' at line '1' and column",
		`"resources":[7]`:                                     "is not an object",
		`"resources":[],"parameters":{"p":{}}`:                "its type is not one of Azure's",
		`"resources":[],"parameters":{"p":7}`:                 "is not valid",
		`"resources":[],"parameters":{"p":{"type":"string"}}`: "The value for the template parameter 'p' at line '1' and column",
		`"resources":[],"parameters":{"p":{"type":"string","defaultValue":"[parameters('p')]"}}`:    "refers to itself",
		`"resources":[],"parameters":{"p":{"type":"string","defaultValue":"[x(]"}}`:                 "Unable to process the default value",
		`"resources":[],"functions":[{"namespace":"n","members":{"f":{}}}]`:                         "The template function 'f' is not valid",
		`"resources":[{"type":"A.B/c","name":"n"}]`:                                                 "the property 'apiVersion' is required",
		`"resources":[{"type":"A.B/c","apiVersion":"1","name":"n/m"}]`:                              "has incorrect segment lengths",
		`"resources":[{"type":"A","apiVersion":"1","name":"n"}]`:                                    "has incorrect segment lengths",
		resource(`"dependsOn":["nobody"]`):                                                          "The resource 'nobody' is not defined in the template",
		resource(`"dependsOn":["n"]`):                                                               "Circular dependency detected on resource",
		resource(`"dependsOn":["[reference('n')]"]`):                                                "known when the deployment runs",
		resource(`"condition":"yes"`):                                                               "must be a boolean",
		resource(`"condition":"[variables('v')]"`):                                                  "The template variable 'v' is not found",
		resource(`"copy":{"name":"l","count":-1}`):                                                  "between '0' and '800'",
		resource(`"copy":{"name":"l","count":"x"}`):                                                 "must be an integer",
		resource(`"copy":[]`):                                                                       "not an object",
		resource(`"copy":{"name":"l","count":2}`):                                                   "defined multiple times",
		resource(`"scope":7`):                                                                       "the property 'scope' must be a string",
		resource(`"properties":{"x":"[copyIndex()]"}`):                                              "'copyIndex' is not expected at this location",
		resource(`"properties":{"x":"[copyIndex(true())]"}`):                                        "expects a loop name or an offset",
		resource(`"properties":{"x":"[utcNow()]"}`):                                                 "only be used in the default value",
		resource(`"properties":{"x":"[newGuid()]"}`):                                                "only be used in the default value",
		resource(`"properties":{"x":"[managementGroup().id]"}`):                                     "'managementGroup' is not expected at this location",
		resource(`"properties":{"x":"[reference('z')]"}`):                                           "The resource 'z' is not defined in the template",
		resource(`"properties":{"x":"[reference(7)]"}`):                                             "expects a resource name or ID",
		resource(`"properties":{"x":"[resourceInfo('z').id]"}`):                                     "The resource 'z' is not defined",
		resource(`"properties":{"x":"[listKeys('n', 7)]"}`):                                         "expects a resource and an api-version",
		resource(`"properties":{"x":"[listKeys('n')]"}`):                                            "requires at least 2",
		resource(`"properties":{"x":"[resourceId('A.B/c', 'n', 'm')]"}`):                            "requires '1' resource name argument(s)",
		resource(`"properties":{"x":"[resourceId('A', 'n')]"}`):                                     "requires a namespace and a type",
		resource(`"properties":{"x":"[resourceId('A.B/c', 1)]"}`):                                   "all arguments must be strings",
		resource(`"properties":{"x":"[extensionResourceId(1, 'A.B/c', 'n')]"}`):                     "all arguments must be strings",
		resource(`"properties":{"x":"[parameters(1)]"}`):                                            "The name must be a string",
		resource(`"properties":{"x":"[parameters('q')]"}`):                                          "The template parameter 'q' is not found",
		resource(`"properties":{"x":"[fail('on purpose')]"}`):                                       "on purpose",
		resource(`"properties":{"x":"[variables('v')]"}`) + `,"variables":{"v":"[variables('v')]"}`: "refers to itself",
		resource(`"properties":{"x":"[variables('v')]"}`) + `,"variables":{"v":"[reference('n')]"}`: "'reference' is not expected at this location",
		resource(`"properties":{"x":"[f.g(1)]"}`) + `,"functions":[{"namespace":"f","members":{"g":{"parameters":[{"name":"a","type":"string"}],"output":{"type":"string","value":""}}}}]`:             "The argument 'a' of the template function 'f.g' is not valid",
		resource(`"properties":{"x":"[f.g('a')]"}`) + `,"functions":[{"namespace":"f","members":{"g":{"parameters":[{"name":"a","type":"string"}],"output":{"type":"string","value":"[f.g('a')]"}}}}]`: "calls itself",
		resource(`"properties":{"x":"[f.g()]"}`) + `,"functions":[{"namespace":"f","members":{"g":{"output":{"type":"string","value":"[variables('v')]"}}}}]`:                                          "'variables' is not expected at this location",
		resource(`"properties":{"x":"[f.g()]"}`) + `,"functions":[{"namespace":"f","members":{"g":{"output":{"type":"string","value":"[parameters('v')]"}}}}]`:                                         "The template parameter 'v' is not found",
		`"resources":[{"type":"A.B/c","apiVersion":"1","name":"n","dependsOn":["m"]},{"type":"A.B/c","apiVersion":"1","name":"m","properties":{"x":"[reference('n')]"}}]`:                              "Circular dependency",
	} {
		_, err := plan(t, text, nil)
		wantInvalid(t, text, err, want)
	}
	for text, want := range map[string]string{
		`{"contentVersion":"1.0.0.0","resources":[]}`: "Required property '$schema' not found",
		`{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/other.json#","contentVersion":"1","resources":[]}`: "is not supported",
		`{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#","resources":[]}`:         "Required property 'contentVersion' not found",
		`[]`: "not a JSON object",
	} {
		_, err := template.Parse([]byte(text))
		wantInvalid(t, text, err, want)
	}
	if _, err := template.Parse([]byte(`{`)); err == nil || !strings.Contains(err.Error(), "InvalidRequestContent") {
		t.Errorf("no JSON: %v", err)
	}
}

// TestPositions: a message says where in the text of the template the trouble is.
func TestPositions(t *testing.T) {
	t.Parallel()
	tpl, err := template.Parse([]byte("{\n" + head + ",\n\"parameters\": {\n  \"p\": {\"type\": \"string\"}\n},\n\"resources\": []}"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpl.Expand(template.Inputs{Place: place()})
	wantInvalid(t, "positions", err, "'p' at line '4' and column '8' is not provided")
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	text := func(outputs string) string { return `{` + head + `,"resources":[],"outputs":{` + outputs + `}}` }
	tpl, err := template.Parse([]byte(text(`"off":{"type":"string","condition":"[false()]","value":"[fail('no')]"},"loop":{"type":"array","copy":{"count":2,"input":"[copyIndex()]"}},
		"secret":{"type":"securestring","value":"s"},"none":{"type":"string","nullable":true,"value":null}`)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := tpl.Expand(template.Inputs{Place: place()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Outputs(tpl, azure{})
	want := map[string]template.Value{"loop": {Type: "Array", Value: []any{int64(0), int64(1)}}, "secret": {Type: "SecureString", Value: "s"}, "none": {Type: "String"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if !got["secret"].Secure() || got["loop"].Secure() {
		t.Error("which output is secret is not known")
	}
	for outputs, want := range map[string]string{
		`"o":{"type":"int","value":"a"}`:                        "Expected 'Integer'. Actual 'String'",
		`"o":{"type":"string","value":"[fail('no')]"}`:          "no",
		`"o":{"type":"strong","value":"a"}`:                     "its type is not one of Azure's",
		`"o":{"type":"array","copy":{"count":"a","input":1}}`:   "must be an integer",
		`"o":{"type":"array","copy":{"count":1,"input":"[x]"}}`: "'(' expected",
	} {
		tpl, err := template.Parse([]byte(text(outputs)))
		if err != nil {
			t.Fatal(err)
		}
		p, err := tpl.Expand(template.Inputs{Place: place()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Outputs(tpl, azure{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", outputs, err, want)
		}
	}
}

// TestBodyFails: what goes wrong while a deployment runs names the resource.
func TestBodyFails(t *testing.T) {
	t.Parallel()
	p, err := plan(t, `"resources":[{"type":"A.B/c","apiVersion":"1","name":"n"},{"type":"A.B/c","apiVersion":"1","name":"m","properties":{"x":"[reference('n').missing]"}}]`, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Body(p.Resources[1], azure{scope + "/providers/A.B/c/n": map[string]any{"there": true}})
	wantInvalid(t, "body", err, "Unable to process template language expressions for resource '"+scope+"/providers/A.B/c/m' at line '1'")
}
