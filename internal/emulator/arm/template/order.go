package template

import (
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// order works out what each resource waits for: dependsOn, what it refers to, and the
// batch before it in a serial loop.
func (p *Plan) order() error {
	for _, r := range p.Resources {
		if err := p.explicit(r); err != nil {
			return err
		}
		p.implicit(r, r.env, r.raw)
		if r.batch > 0 {
			for _, o := range p.loops[strings.ToLower(r.loop)] {
				if o.batch == r.batch-1 {
					r.waitFor(o)
				}
			}
		}
	}
	return p.acyclic()
}

func (r *Resource) waitFor(o *Resource) {
	if o != r && !slices.Contains(r.DependsOn, o) {
		r.DependsOn = append(r.DependsOn, o)
	}
}

// explicit reads dependsOn. What is not in the template is refused.
func (p *Plan) explicit(r *Resource) error {
	for _, raw := range r.dependOn {
		v, err := expr.Value(raw, r.env.running(nil))
		if err != nil {
			return invalid("The template resource '%s' at %s is not valid: %v", r.Name, r.At, err)
		}
		what, ok := v.(string)
		found := p.lookup(what)
		_, emptyLoop := p.loops[strings.ToLower(what)]
		if !ok || (len(found) == 0 && !emptyLoop) {
			return invalid("The resource '%s' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details.", function.Text(v))
		}
		for _, o := range found {
			if o == r {
				return invalid("Circular dependency detected on resource: '%s'. Please see https://aka.ms/arm-syntax-resources for usage details.", r.ID)
			}
			r.waitFor(o)
		}
	}
	return nil
}

// implicit finds reference() and list*() of resources of the template.
func (p *Plan) implicit(r *Resource, e *env, raw any) {
	switch raw := raw.(type) {
	case map[string]any:
		if p.implicitLoops(r, e, raw) {
			return
		}
		for name, v := range raw {
			if !r.foreign(name) {
				p.implicit(r, e, v)
			}
		}
	case []any:
		for _, v := range raw {
			p.implicit(r, e, v)
		}
	case string:
		p.implicitText(r, e, raw)
	}
}

// foreign tells whether what a member refers to is not the resource's own business: the
// template of a deployment with a scope of its own, child resources.
func (r *Resource) foreign(name string) bool {
	switch name {
	case "dependsOn":
		return true
	case "template":
		return r.Nested() && !r.Outer()
	case "resources":
		return !r.Nested()
	}
	return false
}

// implicitLoops follows the turns of property loops, so that copyIndex() has a value.
func (p *Plan) implicitLoops(r *Resource, e *env, raw map[string]any) bool {
	loops, ok := raw["copy"].([]any)
	if !ok {
		return false
	}
	for _, c := range loops {
		l, err := e.readLoop(c)
		if err != nil {
			continue // told when the body is evaluated
		}
		for i := range l.count {
			p.implicit(r, e.within(l.name, i), l.input)
		}
	}
	for name, v := range raw {
		if name != "copy" {
			p.implicit(r, e, v)
		}
	}
	return true
}

func (p *Plan) implicitText(r *Resource, e *env, s string) {
	source, isExpression := expr.Text(s)
	if !isExpression {
		return
	}
	n, err := expr.Parse(source)
	if err != nil {
		return // told when the body is evaluated
	}
	expr.Calls(n, func(c *expr.Call) {
		name := strings.ToLower(c.Name)
		refers := name == "reference" || name == "references" || (strings.HasPrefix(name, "list") && len(name) > len("list"))
		if c.Namespace != "" || !refers || len(c.Args) == 0 {
			return
		}
		v, err := expr.Eval(c.Args[0], e.running(nil))
		what, ok := v.(string)
		if err != nil || !ok {
			return
		}
		for _, o := range p.lookup(what) {
			r.waitFor(o)
		}
	})
}

// acyclic refuses resources that wait for each other.
func (p *Plan) acyclic() error {
	const visiting, done = 1, 2
	state := map[*Resource]int{}
	var visit func(*Resource) *Resource
	visit = func(r *Resource) *Resource {
		switch state[r] {
		case visiting:
			return r
		case done:
			return nil
		}
		state[r] = visiting
		for _, o := range r.DependsOn {
			if bad := visit(o); bad != nil {
				return bad
			}
		}
		state[r] = done
		return nil
	}
	for _, r := range p.Resources {
		if bad := visit(r); bad != nil {
			return invalid("Circular dependency detected on resource: '%s'. Please see https://aka.ms/arm-syntax-resources for usage details.", bad.ID)
		}
	}
	return nil
}
