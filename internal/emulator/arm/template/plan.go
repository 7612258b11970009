package template

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// Plan is what a template deploys with given parameters at a given place.
type Plan struct {
	Parameters map[string]Value
	Resources  []*Resource // in the order of the template

	env   *env
	scope string                 // under which resources lie
	loops map[string][]*Resource // by the lower-case name of the copy loop or of the symbol
}

// Resource is one resource of a Plan: one turn of its loop, if it has one.
type Resource struct {
	Symbol     string // symbolic name, with [index] in a loop; "" if the template has none
	Type       string
	Name       string // all segments: "vault/secret"
	ID         string
	APIVersion string
	Condition  bool // false: it is not deployed
	Existing   bool // it is read only
	DependsOn  []*Resource
	At         Position // in the template

	raw      map[string]any
	env      *env // with the resource's loops
	loop     string
	batch    int64 // number of the turn's batch in a serial loop; -1 otherwise
	dependOn []any // as written
}

// NestedType is the type of a deployment, nested ones included.
const NestedType = "Microsoft.Resources/deployments"

// Nested tells whether the resource is a deployment of its own.
func (r *Resource) Nested() bool { return strings.EqualFold(r.Type, NestedType) }

// Inputs are the parameter values by name and the place of a deployment.
type Inputs struct {
	Parameters map[string]any
	Place      Place
}

// Expand works out what the template deploys. The error is an *Error.
func (t *Template) Expand(in Inputs) (*Plan, error) {
	e := &env{template: t, place: &in.Place, params: map[string]Value{}, vars: map[string]any{}, binding: map[string]bool{}}
	if err := t.parameters(e, in.Parameters); err != nil {
		return nil, err
	}
	return t.expand(e, in.Place.Scope)
}

// expand makes the plan of a template whose expressions e evaluates.
func (t *Template) expand(e *env, scope string) (*Plan, error) {
	p := &Plan{Parameters: map[string]Value{}, env: e, scope: scope, loops: map[string][]*Resource{}}
	if e.template == t {
		p.Parameters, e.plan = e.params, p
	}
	if err := p.readResources(t); err != nil {
		return nil, err
	}
	if err := p.unique(); err != nil {
		return nil, err
	}
	if err := p.order(); err != nil {
		return nil, err
	}
	return p, p.tryBodies()
}

// readResources expands the section resources.
func (p *Plan) readResources(t *Template) error {
	if symbols, ok := t.raw["resources"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(symbols)) {
			if err := p.add(symbols[name], name, t.places.at("/resources/"+name), nil); err != nil {
				return err
			}
		}
		return nil
	}
	list, _ := t.raw["resources"].([]any)
	for i, r := range list {
		if err := p.add(r, "", t.places.at("/resources/"+strconv.Itoa(i)), nil); err != nil {
			return err
		}
	}
	return nil
}

// unique refuses two resources of one ID.
func (p *Plan) unique() error {
	seen := map[string]bool{}
	for _, r := range p.Resources {
		key := strings.ToLower(r.ID)
		if r.Existing || !r.Condition {
			continue
		}
		if seen[key] {
			return invalid("The resource '%s' at %s is defined multiple times in a template. Please see https://aka.ms/arm-syntax-resources for usage details.", r.ID, r.At)
		}
		seen[key] = true
	}
	return nil
}

// tryBodies evaluates what can be evaluated before anything is deployed, so that mistakes
// are found first.
func (p *Plan) tryBodies() error {
	for _, r := range p.Resources {
		if !r.Condition || r.Existing {
			continue
		}
		if _, err := p.Preview(r); err != nil {
			return invalid("The template resource '%s' at %s is not valid: %v", r.Name, r.At, err)
		}
	}
	return nil
}

// find looks a resource up as reference() does: by symbol, ID, or name that only one has.
func (p *Plan) find(what string) *Resource {
	all := p.lookup(what)
	if len(all) == 1 {
		return all[0]
	}
	return nil
}

// lookup finds resources by symbol, copy loop, ID, type and name, or name alone.
func (p *Plan) lookup(what string) []*Resource {
	for _, r := range p.Resources {
		if r.Symbol != "" && strings.EqualFold(r.Symbol, what) {
			return []*Resource{r}
		}
	}
	if all, ok := p.loops[strings.ToLower(what)]; ok {
		return all
	}
	tests := []func(*Resource) bool{
		func(r *Resource) bool { return strings.EqualFold(r.ID, what) },
		func(r *Resource) bool {
			return strings.HasSuffix(strings.ToLower(r.ID), "/providers/"+strings.ToLower(what))
		},
		func(r *Resource) bool { return strings.EqualFold(r.Type+"/"+r.Name, what) },
		func(r *Resource) bool { return strings.EqualFold(r.Name, what) },
	}
	for _, test := range tests {
		var out []*Resource
		for _, r := range p.Resources {
			if test(r) {
				out = append(out, r)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// ownMembers are those of a resource in a template that Azure does not send to its
// provider.
var ownMembers = []string{
	"type", "name", "apiVersion", "condition", "copy", "dependsOn", "comments", "metadata", "scope", "resources", "subscriptionId", "resourceGroup",
	"existing", "import", "asserts",
}

// Body is what is sent to Azure for a resource. The error is an *Error, or what the
// Runtime gave.
func (p *Plan) Body(r *Resource, rt Runtime) (map[string]any, error) {
	out, err := p.body(r, r.env.running(rt))
	if err != nil {
		return nil, unprocessed(r.ID, r.At, err)
	}
	return out, nil
}

func (p *Plan) body(r *Resource, e *env) (map[string]any, error) {
	out := map[string]any{}
	for name, raw := range r.raw {
		if slices.Contains(ownMembers, name) {
			continue
		}
		v, err := r.member(e, name, raw)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

// member evaluates one member. The template of a nested deployment stays as it is: it is
// evaluated when it is deployed.
func (r *Resource) member(e *env, name string, raw any) (any, error) {
	props, isObject := raw.(map[string]any)
	if name != "properties" || !r.Nested() || !isObject {
		return e.unroll(raw)
	}
	rest := maps.Clone(props)
	delete(rest, "template")
	v, err := e.unroll(rest)
	if out, ok := v.(map[string]any); ok && props["template"] != nil {
		out["template"] = props["template"]
	}
	return v, err
}

// Preview is Body before anything is deployed: what only the running deployment knows
// stays the expression that it is in the template.
func (p *Plan) Preview(r *Resource) (map[string]any, error) {
	e := r.env.running(nil)
	e.preview = true
	return p.body(r, e)
}

// Outer tells whether a nested deployment's expressions are evaluated with the parameters
// and variables of the template around it, which is what Azure does unless told otherwise.
func (r *Resource) Outer() bool {
	props, _ := r.raw["properties"].(map[string]any)
	options, _ := props["expressionEvaluationOptions"].(map[string]any)
	scope, _ := options["scope"].(string)
	return !strings.EqualFold(scope, "inner")
}

// ExpandOuter is Expand for the template of a nested deployment whose expressions belong
// to the template around it.
func (p *Plan) ExpandOuter(r *Resource, t *Template, scope string, rt Runtime) (*Plan, error) {
	return t.expand(r.env.running(rt), scope)
}

// Outputs evaluates the section outputs of a template; those whose condition is false are
// left out.
func (p *Plan) Outputs(t *Template, rt Runtime) (map[string]Value, error) {
	e := p.env.running(rt)
	out := map[string]Value{}
	for _, name := range slices.Sorted(maps.Keys(t.section("outputs"))) {
		at := t.places.at("/outputs/" + name)
		schema, _ := t.section("outputs")[name].(map[string]any)
		schema = t.definition(schema)
		typ, known := t.typeOf(schema)
		if !known {
			return nil, invalid("The template output '%s' at %s is not valid: its type is not one of Azure's. Please see https://aka.ms/arm-syntax-outputs for usage details.", name, at)
		}
		v, given, err := e.output(schema)
		if err == nil && given {
			err = t.conforms(map[string]any{"type": schema["type"], "nullable": schema["nullable"]}, v)
		}
		if err != nil {
			return nil, &Error{Code: "DeploymentOutputEvaluationFailed", Message: "Unable to evaluate template outputs: '" + name + "'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details. The template output '" + name + "' at " + at.String() + " is not valid: " + err.Error()}
		}
		if given {
			out[name] = Value{Type: typ, Value: v}
		}
	}
	return out, nil
}

func (e *env) output(schema map[string]any) (v any, given bool, err error) {
	if c, ok := schema["condition"]; ok {
		on, err := expr.Value(c, e)
		if b, isBool := on.(bool); err != nil || (isBool && !b) {
			return nil, false, err
		}
	}
	if c, ok := schema["copy"].(map[string]any); ok {
		l, err := e.readLoop(c)
		if err != nil {
			return nil, false, err
		}
		v, err := e.repeat(l)
		return v, true, err
	}
	v, err = e.unroll(schema["value"])
	return function.Normal(v), true, err
}
