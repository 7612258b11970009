package template

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/function"
)

// environmentFunction is a function that asks the template, its place or Azure.
type environmentFunction struct {
	min, max int
	eval     func(*env, []any) (any, error)
}

// environment finds a function by its lower-case name.
func environment(name string) (f environmentFunction, ok bool) {
	f = placeFunction(name)
	return f, f.eval != nil
}

// placeFunction finds a function that tells where, when and by whom is deployed.
func placeFunction(name string) environmentFunction {
	switch name {
	case "utcnow":
		return environmentFunction{0, 1, (*env).utcNow}
	case "newguid":
		return environmentFunction{0, 0, (*env).newGUID}
	case "deployment":
		return environmentFunction{0, 0, func(e *env, _ []any) (any, error) { return has("deployment", e.place.Deployment) }}
	case "deployer":
		return environmentFunction{0, 0, func(e *env, _ []any) (any, error) { return has("deployer", e.place.Deployer) }}
	case "environment":
		return environmentFunction{0, 0, func(e *env, _ []any) (any, error) { return has("environment", e.place.Environment) }}
	case "tenant":
		return environmentFunction{0, 0, func(e *env, _ []any) (any, error) { return has("tenant", e.place.Tenant) }}
	case "subscription":
		return environmentFunction{0, 0, func(e *env, _ []any) (any, error) { return has("subscription", e.place.Subscription) }}
	case "resourcegroup":
		return environmentFunction{0, 0, func(e *env, _ []any) (any, error) { return has("resourceGroup", e.place.ResourceGroup) }}
	case "managementgroup":
		return environmentFunction{0, 0, func(e *env, _ []any) (any, error) { return has("managementGroup", e.place.ManagementGroup) }}
	case "pickzones":
		return environmentFunction{3, 5, func(*env, []any) (any, error) { return []any{}, nil }}
	case "fail":
		return environmentFunction{1, 1, func(_ *env, args []any) (any, error) { return nil, errors.New(function.Text(args[0])) }}
	}
	return idFunction(name)
}

// idFunction finds a function that makes an ID.
func idFunction(name string) environmentFunction {
	switch name {
	case "resourceid":
		return environmentFunction{2, -1, (*env).resourceID}
	case "subscriptionresourceid":
		return environmentFunction{2, -1, (*env).subscriptionResourceID}
	case "tenantresourceid":
		return environmentFunction{2, -1, func(_ *env, args []any) (any, error) { return idUnder("", args) }}
	case "managementgroupresourceid":
		return environmentFunction{2, -1, (*env).managementGroupResourceID}
	case "extensionresourceid":
		return environmentFunction{3, -1, extensionResourceID}
	}
	return templateFunction(name)
}

// templateFunction finds a function that asks the template or its resources.
func templateFunction(name string) environmentFunction {
	switch name {
	case "parameters":
		return environmentFunction{1, 1, func(e *env, args []any) (any, error) { return named(args[0], e.parameter) }}
	case "variables":
		return environmentFunction{1, 1, func(e *env, args []any) (any, error) { return named(args[0], e.variable) }}
	case "copyindex":
		return environmentFunction{0, 2, (*env).copyIndex}
	case "reference":
		return environmentFunction{1, 3, (*env).reference}
	case "references":
		return environmentFunction{1, 2, (*env).references}
	case "resourceinfo":
		return environmentFunction{1, 1, (*env).resourceInfo}
	}
	return environmentFunction{}
}

func named(arg any, find func(string) (any, error)) (any, error) {
	name, ok := arg.(string)
	if !ok {
		return nil, function.Errorf("The name must be a string, not %s. Please see https://aka.ms/arm-functions for usage details.", function.Kind(arg))
	}
	return find(name)
}

// has is one of the place's objects; a scope that has none refuses the function.
func has(name string, object map[string]any) (any, error) {
	if object == nil {
		return nil, errNotHere(name)
	}
	return object, nil
}

func (e *env) utcNow(args []any) (any, error) {
	if !e.inDefault {
		return nil, errOnlyInDefault("utcNow")
	}
	layout := "yyyyMMddTHHmmssZ"
	if len(args) == 1 {
		layout = function.Text(args[0])
	}
	return function.FormatDate(e.place.Now.UTC().Truncate(time.Microsecond), layout)
}

func (e *env) newGUID([]any) (any, error) {
	if !e.inDefault {
		return nil, errOnlyInDefault("newGuid")
	}
	return e.place.NewGUID(), nil
}

func errOnlyInDefault(name string) error {
	return function.Errorf("The template function '%s' is not expected at this location. The function can only be used in the default value of a parameter. Please see https://aka.ms/arm-functions for usage details.", name)
}

// idUnder makes the ID of a resource: its scope, type and one name for each segment.
func idUnder(scope string, args []any) (string, error) {
	typ, ok := args[0].(string)
	namespace, rest, slash := strings.Cut(typ, "/")
	if !ok || !slash {
		return "", function.Errorf("Unable to evaluate template language function 'resourceId': the type '%s' requires a namespace and a type. Please see https://aka.ms/arm-resource-functions/#resourceid for usage details.", function.Text(args[0]))
	}
	types := strings.Split(rest, "/")
	if len(types) != len(args)-1 {
		return "", function.Errorf("Unable to evaluate template language function 'resourceId': the type '%s' requires '%d' resource name argument(s). Please see https://aka.ms/arm-resource-functions/#resourceid for usage details.", typ, len(types))
	}
	id := scope + "/providers/" + namespace
	for i, t := range types {
		name, ok := args[i+1].(string)
		if !ok {
			return "", function.Errorf("Unable to evaluate template language function 'resourceId': all arguments must be strings. Please see https://aka.ms/arm-resource-functions/#resourceid for usage details.")
		}
		id += "/" + t + "/" + name
	}
	return id, nil
}

// typeAt finds where the type stands among the arguments: behind an optional subscription
// and resource group.
func typeAt(args []any) int {
	for i, a := range args {
		if s, ok := a.(string); ok && strings.Contains(s, "/") {
			return i
		}
	}
	return 0
}

// resourceID is resourceId([subscriptionId], [resourceGroupName], type, names…): in a
// deployment to a scope without resource group it gives an ID of that scope.
func (e *env) resourceID(args []any) (any, error) {
	at := typeAt(args)
	scope := e.place.Scope
	switch {
	case at == 1 && strings.Contains(scope, "/resourceGroups/"):
		sub, _, _ := strings.Cut(scope, "/resourceGroups/")
		scope = sub + "/resourceGroups/" + function.Text(args[0])
	case at == 1:
		scope = "/subscriptions/" + function.Text(args[0])
	case at == 2:
		scope = "/subscriptions/" + function.Text(args[0]) + "/resourceGroups/" + function.Text(args[1])
	}
	if strings.EqualFold(function.Text(args[at]), "Microsoft.Resources/resourceGroups") && len(args) == at+2 {
		return subscriptionOf(scope) + "/resourceGroups/" + function.Text(args[at+1]), nil
	}
	return idUnder(scope, args[at:])
}

// subscriptionOf is the subscription's part of a scope.
func subscriptionOf(scope string) string {
	sub, _, _ := strings.Cut(scope, "/resourceGroups/")
	return sub
}

func (e *env) subscriptionResourceID(args []any) (any, error) {
	at := typeAt(args)
	scope := subscriptionOf(e.place.Scope)
	if at == 1 {
		scope = "/subscriptions/" + function.Text(args[0])
	}
	if strings.EqualFold(function.Text(args[at]), "Microsoft.Resources/resourceGroups") && len(args) == at+2 {
		return scope + "/resourceGroups/" + function.Text(args[at+1]), nil
	}
	return idUnder(scope, args[at:])
}

const managementGroups = "/providers/Microsoft.Management/managementGroups/"

func (e *env) managementGroupResourceID(args []any) (any, error) {
	at := typeAt(args)
	scope := e.place.Scope
	if at == 1 {
		scope = managementGroups + function.Text(args[0])
	}
	return idUnder(scope, args[at:])
}

func extensionResourceID(_ *env, args []any) (any, error) {
	scope, ok := args[0].(string)
	if !ok {
		return nil, function.Errorf("Unable to evaluate template language function 'extensionResourceId': all arguments must be strings. Please see https://aka.ms/arm-resource-functions for usage details.")
	}
	return idUnder(strings.TrimSuffix(scope, "/"), args[1:])
}

// reference gives the state of a resource: by symbolic name, by the name of a resource of
// the template, or by ID.
func (e *env) reference(args []any) (any, error) {
	what, ok := args[0].(string)
	if !ok {
		return nil, function.Errorf("The template function 'reference' expects a resource name or ID. Please see https://aka.ms/arm-resource-functions/#reference for usage details.")
	}
	version := ""
	if len(args) > 1 && args[1] != nil {
		version, _ = args[1].(string)
	}
	full := len(args) > 2 && strings.EqualFold(function.Text(args[2]), "Full")
	id, version, err := e.resolve(what, version)
	if err != nil {
		return nil, err
	}
	if e.runtime == nil {
		return nil, fmt.Errorf("reference('%s'): %w", what, expr.ErrDeferred)
	}
	return e.runtime.Reference(id, version, full)
}

// resolve turns what a template calls a resource into its ID, with the api-version that
// the template deploys it with if none is given.
func (e *env) resolve(what, version string) (id, apiVersion string, err error) {
	if e.plan == nil {
		return "", "", errNotHere("reference")
	}
	if r := e.plan.find(what); r != nil {
		if version == "" {
			version = r.APIVersion
		}
		return r.ID, version, nil
	}
	if !strings.HasPrefix(what, "/") {
		return "", "", function.Errorf("The resource '%s' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details.", what)
	}
	return what, version, nil
}

// references gives the states of all resources of a symbolic name's copy loop.
func (e *env) references(args []any) (any, error) {
	if e.plan == nil {
		return nil, errNotHere("references")
	}
	if e.runtime == nil {
		return nil, fmt.Errorf("references: %w", expr.ErrDeferred)
	}
	full := len(args) > 1 && strings.EqualFold(function.Text(args[1]), "Full")
	out := []any{}
	for _, r := range e.plan.loops[strings.ToLower(function.Text(args[0]))] {
		if !r.Condition {
			continue
		}
		v, err := e.runtime.Reference(r.ID, r.APIVersion, full)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// resourceInfo tells what the template itself knows of a resource with a symbolic name.
func (e *env) resourceInfo(args []any) (any, error) {
	if e.plan == nil {
		return nil, errNotHere("resourceInfo")
	}
	r := e.plan.find(function.Text(args[0]))
	if r == nil {
		return nil, function.Errorf("The resource '%s' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details.", function.Text(args[0]))
	}
	return map[string]any{"id": r.ID, "name": r.Name, "type": r.Type, "apiVersion": r.APIVersion}, nil
}

// list is list*(resource, apiVersion, [body]).
func (e *env) list(name string, args []any) (any, error) {
	if err := function.Arity(name, len(args), 2, 3); err != nil {
		return nil, err
	}
	what, isText := args[0].(string)
	version, hasVersion := args[1].(string)
	if !isText || !hasVersion {
		return nil, function.Errorf("The template function '%s' expects a resource and an api-version. Please see https://aka.ms/arm-resource-functions for usage details.", name)
	}
	id, version, err := e.resolve(what, version)
	if err != nil {
		return nil, err
	}
	if e.runtime == nil {
		return nil, fmt.Errorf("%s('%s'): %w", name, what, expr.ErrDeferred)
	}
	var body any
	if len(args) == 3 {
		body = args[2]
	}
	return e.runtime.List(name, id, version, body)
}
