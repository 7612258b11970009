package template

import (
	"errors"
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// add puts a resource with its copies and its child resources into the plan.
func (p *Plan) add(raw any, symbol string, at Position, parent *Resource) error {
	m, ok := raw.(map[string]any)
	if !ok {
		return invalid("The template resource at %s is not an object. Please see https://aka.ms/arm-syntax-resources for usage details.", at)
	}
	e := p.env
	if parent != nil {
		e = parent.env
	}
	if m["copy"] == nil {
		return p.addOne(&Resource{Symbol: symbol, At: at, raw: m, env: e, batch: -1}, parent)
	}
	l, err := e.readLoop(m["copy"])
	if err != nil {
		return invalid("The template resource at %s is not valid: %v", at, err)
	}
	for i := range l.count {
		r := &Resource{Symbol: symbol, At: at, raw: m, env: e.within(l.name, i), batch: -1, loop: l.name}
		if symbol != "" {
			r.Symbol = fmt.Sprintf("%s[%d]", symbol, i)
		}
		if l.serial {
			r.batch = i / l.batchSize
		}
		if err := p.addOne(r, parent); err != nil {
			return err
		}
		p.inLoop(l.name, r)
		if symbol != "" && !strings.EqualFold(symbol, l.name) {
			p.inLoop(symbol, r)
		}
	}
	if l.count == 0 {
		p.loops[strings.ToLower(l.name)] = nil
		p.loops[strings.ToLower(symbol)] = nil
	}
	return nil
}

func (p *Plan) inLoop(name string, r *Resource) {
	key := strings.ToLower(name)
	p.loops[key] = append(p.loops[key], r)
}

// addOne names a resource and puts it and its child resources into the plan.
func (p *Plan) addOne(r *Resource, parent *Resource) error {
	if err := p.identify(r, parent); err != nil {
		var own *Error
		if errors.As(err, &own) {
			return own
		}
		return invalid("The template resource '%s' at %s is not valid: %v", function.Text(r.raw["name"]), r.At, err)
	}
	p.Resources = append(p.Resources, r)
	children, _ := r.raw["resources"].([]any)
	for _, c := range children {
		if err := p.add(c, "", r.At, r); err != nil {
			return err
		}
	}
	return nil
}

// identify works out type, name, api-version, condition and ID.
func (p *Plan) identify(r, parent *Resource) error {
	e := r.env.running(nil)
	fields := map[string]*string{"type": &r.Type, "name": &r.Name, "apiVersion": &r.APIVersion}
	for _, field := range []string{"type", "name", "apiVersion"} {
		v, err := expr.Value(r.raw[field], e)
		if err != nil {
			return err
		}
		s, ok := v.(string)
		if !ok || s == "" {
			return fmt.Errorf("the property '%s' is required", field)
		}
		*fields[field] = s
	}
	if parent != nil {
		r.Name = parent.Name + "/" + r.Name
		if !strings.Contains(r.Type, ".") || !strings.Contains(r.Type, "/") {
			r.Type = parent.Type + "/" + r.Type
		}
	}
	on, err := p.condition(r, e)
	if err != nil {
		return err
	}
	r.Condition = on && (parent == nil || parent.Condition)
	r.Existing, _ = r.raw["existing"].(bool)
	r.dependOn, _ = r.raw["dependsOn"].([]any)
	r.ID, err = p.id(r, e)
	return err
}

func (p *Plan) condition(r *Resource, e *env) (bool, error) {
	c, ok := r.raw["condition"]
	if !ok {
		return true, nil
	}
	v, err := expr.Value(c, e)
	if err != nil {
		return false, err
	}
	on, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("the property 'condition' must be a boolean, not %s", function.Kind(v))
	}
	return on, nil
}

// id is the ID of a resource under its scope.
func (p *Plan) id(r *Resource, e *env) (string, error) {
	scope, err := p.scopeOf(r, e)
	if err != nil {
		return "", err
	}
	namespace, rest, _ := strings.Cut(r.Type, "/")
	types, names := strings.Split(rest, "/"), strings.Split(r.Name, "/")
	if rest == "" || len(types) != len(names) {
		return "", invalid("The template resource '%s' for type '%s' at %s has incorrect segment lengths. A nested resource type must have identical number of segments as its resource name. A root resource type must have segment length one greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage details.", r.Name, r.Type, r.At)
	}
	if strings.EqualFold(r.Type, "Microsoft.Resources/resourceGroups") {
		return subscriptionOf(scope) + "/resourceGroups/" + r.Name, nil
	}
	id := scope + "/providers/" + namespace
	for i := range types {
		id += "/" + types[i] + "/" + names[i]
	}
	return id, nil
}

// scopeOf is what a resource lies under: the plan's scope, or what subscriptionId,
// resourceGroup and scope say.
func (p *Plan) scopeOf(r *Resource, e *env) (string, error) {
	given := map[string]string{}
	for _, field := range []string{"scope", "subscriptionId", "resourceGroup"} {
		raw, ok := r.raw[field]
		if !ok {
			continue
		}
		v, err := expr.Value(raw, e)
		if err != nil {
			return "", err
		}
		s, isText := v.(string)
		if !isText {
			return "", fmt.Errorf("the property '%s' must be a string, not %s", field, function.Kind(v))
		}
		given[field] = s
	}
	scope, scoped := given["scope"]
	switch {
	case scoped && scope == "/":
		return "", nil
	case strings.HasPrefix(scope, "/"):
		return strings.TrimSuffix(scope, "/"), nil
	case scoped:
		return p.relativeScope(scope), nil
	}
	base := p.scope
	if sub := given["subscriptionId"]; sub != "" {
		base = "/subscriptions/" + sub
		if _, group, ok := strings.Cut(p.scope, "/resourceGroups/"); ok && given["resourceGroup"] == "" && !r.Nested() {
			base += "/resourceGroups/" + group
		}
	}
	if group := given["resourceGroup"]; group != "" {
		base = subscriptionOf(base) + "/resourceGroups/" + group
	}
	return base, nil
}

// relativeScope reads a scope without a slash in front: "Microsoft.X/type/name" of the
// plan's own scope.
func (p *Plan) relativeScope(scope string) string {
	if strings.HasPrefix(strings.ToLower(scope), "microsoft.management/managementgroups/") {
		return "/providers/" + scope
	}
	return p.scope + "/providers/" + scope
}
