package template

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// Place is where and when a template is deployed: what its functions subscription(),
// resourceGroup(), deployment() and so on give. Objects that the scope does not have are
// nil.
type Place struct {
	Scope           string // "/subscriptions/S/resourceGroups/G", "/subscriptions/S", a management group's ID, "" for the tenant
	Subscription    map[string]any
	ResourceGroup   map[string]any
	ManagementGroup map[string]any
	Tenant          map[string]any
	Deployment      map[string]any
	Deployer        map[string]any
	Environment     map[string]any
	Now             time.Time
	NewGUID         func() string
}

// Runtime is what a running deployment can be asked. Its errors are in Azure's words; one
// that wraps expr.ErrDeferred says: not now.
type Runtime interface {
	// Reference reads a resource: its properties, or with full all of it. version may be "".
	Reference(id, version string, full bool) (any, error)
	// List calls a resource's action of that name (listKeys, …).
	List(name, id, version string, body any) (any, error)
}

// env is the surroundings in which a template's expressions are evaluated.
type env struct {
	template  *Template
	place     *Place
	plan      *Plan // whose resources reference() finds by name; nil until they are known
	runtime   Runtime
	params    map[string]Value
	vars      map[string]any // evaluated ones
	pending   map[string]bool
	binding   map[string]bool
	given     map[string]any // while defaults are evaluated
	inDefault bool           // utcNow and newGuid may be used
	loops     map[string]int64
	loop      string         // the loop that copyIndex() means; "" for none
	preview   bool           // what is known only later stays an expression
	args      map[string]any // of the user function that is evaluated; nil outside
}

// within is e in a further copy loop. A loop inside of another must be named where its
// index is asked for; copyIndex() means the outer one.
func (e *env) within(loop string, index int64) *env {
	if loop == "" {
		loop = unnamed
	}
	inner := *e
	inner.loops = maps.Clone(e.loops)
	if inner.loops == nil {
		inner.loops = map[string]int64{}
	}
	inner.loops[strings.ToLower(loop)] = index
	if inner.loop == "" || inner.loop == strings.ToLower(loop) {
		inner.loop = strings.ToLower(loop)
	}
	return &inner
}

// unnamed is the name of a loop that has none, as outputs have.
const unnamed = "/"

func (e *env) running(rt Runtime) *env {
	inner := *e
	inner.runtime = rt
	return &inner
}

func errNotHere(name string) error {
	return function.Errorf("The template function '%s' is not expected at this location. Please see https://aka.ms/arm-functions for usage details.", name)
}

// Call implements expr.Env.
func (e *env) Call(namespace, name string, args []any) (any, bool, error) {
	if namespace != "" {
		return e.userFunction(namespace+"."+name, args)
	}
	lower := strings.ToLower(name)
	if f, ok := environment(lower); ok {
		if err := function.Arity(name, len(args), f.min, f.max); err != nil {
			return nil, true, err
		}
		v, err := f.eval(e, args)
		return v, true, err
	}
	if strings.HasPrefix(lower, "list") && len(lower) > len("list") {
		v, err := e.list(name, args)
		return v, true, err
	}
	return nil, false, nil
}

// userFunction evaluates a function of the template's own. It knows its arguments and
// nothing else of the template but other functions.
func (e *env) userFunction(name string, args []any) (any, bool, error) {
	f, ok := e.template.functions[strings.ToLower(name)]
	if !ok {
		return nil, false, nil
	}
	if err := function.Arity(name, len(args), len(f.parameters), len(f.parameters)); err != nil {
		return nil, true, err
	}
	if len(e.pending) > maxNesting {
		return nil, true, function.Errorf("The template function '%s' calls itself.", name)
	}
	inner := *e
	inner.pending = maps.Clone(e.pending)
	if inner.pending == nil {
		inner.pending = map[string]bool{}
	}
	inner.pending[fmt.Sprintf("%s()%d", name, len(e.pending))] = true
	inner.args, inner.loop = map[string]any{}, ""
	for i, p := range f.parameters {
		if err := e.template.conforms(p.schema, args[i]); err != nil {
			return nil, true, function.Errorf("The argument '%s' of the template function '%s' is not valid: %w", p.name, name, err)
		}
		inner.args[p.name] = args[i]
	}
	v, err := expr.Value(f.output, &inner)
	return v, true, err
}

// maxNesting is how deep variables and user functions may call each other.
const maxNesting = 64

func (e *env) parameter(name string) (any, error) {
	if e.args != nil {
		if v, ok := function.Member(e.args, name); ok {
			return v, nil
		}
		return nil, errNoParameter(name)
	}
	if e.inDefault {
		for declared := range e.template.section("parameters") {
			if strings.EqualFold(declared, name) {
				if err := e.bind(declared, e.given); err != nil {
					return nil, err
				}
			}
		}
	}
	for n, v := range e.params {
		if strings.EqualFold(n, name) {
			return v.Value, nil
		}
	}
	return nil, errNoParameter(name)
}

func errNoParameter(name string) error {
	return function.Errorf("The template parameter '%s' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.", name)
}

func (e *env) variable(name string) (any, error) {
	if e.args != nil {
		return nil, errNotHere("variables")
	}
	key := strings.ToLower(name)
	if v, ok := e.vars[key]; ok {
		return v, nil
	}
	raw, ok := function.Member(e.template.section("variables"), name)
	copied, isCopied := e.template.copiedVariable(name)
	if !ok && !isCopied {
		return nil, function.Errorf("The template variable '%s' is not found. Please see https://aka.ms/arm-syntax-variables for usage details.", name)
	}
	if e.pending[key] {
		return nil, function.Errorf("The template variable '%s' refers to itself.", name)
	}
	inner := *e
	inner.pending = maps.Clone(e.pending)
	if inner.pending == nil {
		inner.pending = map[string]bool{}
	}
	inner.pending[key] = true
	inner.runtime, inner.plan, inner.loop = nil, nil, ""
	if isCopied {
		made, err := inner.unroll(copied)
		if err != nil {
			return nil, err
		}
		e.vars[key], _ = function.Member(made.(map[string]any), name)
		return e.vars[key], nil
	}
	v, err := inner.unroll(raw)
	if err == nil {
		e.vars[key] = v
	}
	return v, err
}

func (e *env) copyIndex(args []any) (any, error) {
	loop, offset := e.loop, int64(0)
	for _, a := range args {
		switch a := a.(type) {
		case string:
			loop = strings.ToLower(a)
		case int64:
			offset = a
		default:
			return nil, function.Errorf("The template function 'copyIndex' expects a loop name or an offset. Please see https://aka.ms/arm-resource-loops for usage details.")
		}
	}
	n, ok := e.loops[loop]
	if !ok || loop == "" {
		return nil, function.Errorf("The template function 'copyIndex' is not expected at this location. The function can only be used in a resource with copy specified. Please see https://aka.ms/arm-resource-loops for usage details.")
	}
	return n + offset, nil
}
