package deployment

import (
	"errors"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/armid"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template"
	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/template/expr"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// writeAction names the right that writing a resource needs. A template may write the type
// of an extension resource behind the type that it extends; the action is the extension's.
func writeAction(res *template.Resource) string {
	id := armid.Parse(res.ID)
	if id.IsGroup() {
		return "Microsoft.Resources/subscriptions/resourceGroups/write"
	}
	return id.Type() + "/write"
}

// maxNesting is how deep deployments may nest. Azure has a limit of its own.
const maxNesting = 8

// preflight finds, before anything is deployed, what can be known to fail: rights that the
// caller lacks, types and api-versions that do not exist, nested templates that are not
// valid.
func (s *Service) preflight(r *record, depth int) *wire.Error {
	var details []*wire.Error
	for _, res := range r.plan.Resources {
		if !deployed(res) {
			continue
		}
		if action := writeAction(res); !s.ctl.Allowed(r.caller, res.ID, action) {
			return errUnauthorized(r.caller, lastOf(res.Name), res.Type, action, res.ID)
		}
		if res.Nested() {
			if refused := s.preflightNested(r, res, depth); refused != nil {
				return refused
			}
			continue
		}
		if refused := s.ctl.Check(Call{Caller: r.caller, Method: http.MethodPut, Path: res.ID, Version: res.APIVersion}); refused != nil {
			details = append(details, refused)
		}
	}
	if len(details) > 0 {
		return errInvalid(r.name, details...)
	}
	return nil
}

// preflightNested checks a nested deployment as far as that can be done now: one whose
// parameters or resource group come with the deployment is left for later.
func (s *Service) preflightNested(r *record, res *template.Resource, depth int) *wire.Error {
	if depth >= maxNesting {
		return refusal(http.StatusBadRequest, "InvalidTemplate", "Deployment template validation failed: 'The nested deployment '%s' exceeds the maximum depth of nested deployments, %d.'.", res.Name, maxNesting)
	}
	child, refused, known := s.previewNested(r, res)
	if !known || refused != nil {
		return refused
	}
	return s.preflight(child, depth+1)
}

// previewNested is nested before anything is deployed; known is false if what the
// deployment will be depends on what is not there yet.
func (s *Service) previewNested(r *record, res *template.Resource) (child *record, refused *wire.Error, known bool) {
	body, err := r.plan.Body(res, nil)
	if errors.Is(err, expr.ErrDeferred) {
		return nil, nil, false
	}
	if err != nil {
		return nil, wireError(err), true
	}
	child, refused = s.nested(r, res, body, nil)
	if refused != nil && refused.Code == "ResourceGroupNotFound" && makesGroup(r.plan, res) {
		return nil, nil, false
	}
	return child, refused, true
}

// makesGroup tells whether a template creates the resource group that a nested deployment
// goes to.
func makesGroup(p *template.Plan, nested *template.Resource) bool {
	scope := before(nested.ID, "/providers/")
	for _, res := range p.Resources {
		if strings.EqualFold(res.ID, scope) && deployed(res) {
			return true
		}
	}
	return false
}

// validate serves POST validate.
func (s *Service) validate(q Request) (Reply, *wire.Error) {
	r, refused := s.prepare(q)
	if refused != nil {
		return Reply{}, refused
	}
	props := r.properties()
	props["provisioningState"] = succeeded
	resources := []any{}
	for _, res := range r.plan.Resources {
		if deployed(res) {
			resources = append(resources, map[string]any{"id": res.ID})
		}
	}
	props["validatedResources"] = resources
	return Reply{Status: http.StatusOK, Body: map[string]any{"id": r.id, "name": r.name, "type": template.NestedType, "properties": props}}, nil
}
