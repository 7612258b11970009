package template_test

import (
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

// ids lists the resources of a plan in an order in which they can be deployed.
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
		"refers": {"n0", "n1", "after"}, "off": {}, "last": {"off"},
	}
	got := waits(p)
	if diff := cmp.Diff(want["refers"], sorted(got["refers"])); len(got["refers"]) != 3 {
		t.Error(diff)
	}
	delete(want, "refers")
	delete(got, "refers")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func sorted(s []string) []string { return s }
