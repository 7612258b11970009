package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Plan asks Azure what the deployment would change (Deployments_WhatIf). Where the
// resource group is not there yet, the question is put for the subscription, with the
// group and the template inside.
func (d *Driver) Plan(ctx context.Context) (change.Plan, error) {
	ctx, cancel := limited(ctx, d.opt.Timeouts.Plan, "--plan-timeout")
	defer cancel()
	if err := d.look(ctx); err != nil {
		return change.Plan{}, err
	}
	d.step("what-if", "asking Azure what the deployment would change")
	got, err := d.whatIf(ctx)
	if err != nil {
		return change.Plan{}, d.unplanned(ctx, err)
	}
	if got.Error != nil {
		return change.Plan{}, d.unplanned(ctx, answered{got.Error})
	}
	if got.Properties == nil {
		return change.Plan{}, &errs.Error{Op: opPlan, Kind: errs.Internal, Side: string(plugin.Target), Resource: d.opt.Scope(), Err: fmt.Errorf("the answer of Azure says nothing of changes")}
	}
	return d.planOf(got.Properties), nil
}

const opPlan = "foretell what the deployment would change"

func (d *Driver) unplanned(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return canceled(ctx, opPlan, d.opt.Scope())
	}
	return d.fail(opPlan, err)
}

func (d *Driver) whatIf(ctx context.Context) (armdeployments.WhatIfOperationResult, error) {
	whole := armdeployments.WhatIfResultFormatFullResourcePayloads
	mode := armdeployments.DeploymentModeIncremental
	body := armdeployments.DeploymentWhatIf{Properties: &armdeployments.DeploymentWhatIfProperties{
		Mode: &mode, Template: d.opt.Template.Text, Parameters: d.opt.Parameters,
		WhatIfSettings: &armdeployments.DeploymentWhatIfSettings{ResultFormat: &whole},
	}}
	if d.opt.Template.Scope == Group && !d.absent {
		p, err := d.deployments.BeginWhatIf(ctx, d.opt.ResourceGroup, d.opt.Name, body, nil)
		if err != nil {
			return armdeployments.WhatIfOperationResult{}, err
		}
		got, err := p.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: slowest})
		return got.WhatIfOperationResult, err
	}
	if d.absent {
		template, err := d.inGroup()
		if err != nil {
			return armdeployments.WhatIfOperationResult{}, err
		}
		body.Properties.Template, body.Properties.Parameters = template, nil
	}
	body.Location = &d.opt.Location
	p, err := d.deployments.BeginWhatIfAtSubscriptionScope(ctx, d.opt.Name, body, nil)
	if err != nil {
		return armdeployments.WhatIfOperationResult{}, err
	}
	got, err := p.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: slowest})
	return got.WhatIfOperationResult, err
}

// inGroup is a template for the subscription that creates the resource group and deploys
// the template into it.
func (d *Driver) inGroup() (json.RawMessage, error) {
	type object = map[string]any
	return json.Marshal(object{
		"$schema":        "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
		"contentVersion": "1.0.0.0",
		"resources": []object{
			{"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": d.opt.ResourceGroup, "location": d.opt.Location},
			{
				"type": deploymentType, "apiVersion": "2021-04-01", "name": d.opt.Name, "resourceGroup": d.opt.ResourceGroup,
				"dependsOn": []string{"Microsoft.Resources/resourceGroups/" + d.opt.ResourceGroup},
				"properties": object{
					"mode": "Incremental", "template": d.opt.Template.Text, "parameters": d.opt.Parameters,
					"expressionEvaluationOptions": object{"scope": "inner"},
				},
			},
		},
	})
}

// actions are what the change types of what-if amount to. Ignore is left out: it is a
// resource that the template does not mention.
var actions = map[armdeployments.ChangeType]change.Action{
	armdeployments.ChangeTypeCreate:      change.Create,
	armdeployments.ChangeTypeModify:      change.Update,
	armdeployments.ChangeTypeDelete:      change.Delete,
	armdeployments.ChangeTypeNoChange:    change.Same,
	armdeployments.ChangeTypeDeploy:      change.Unclear,
	armdeployments.ChangeTypeUnsupported: change.Unclear,
}

func (d *Driver) planOf(p *armdeployments.WhatIfOperationProperties) change.Plan {
	var out change.Plan
	out.NoScope = d.absent
	if d.absent {
		out.Notes = append(out.Notes, fmt.Sprintf("the resource group %s is not there yet: it would be created in %s", d.opt.ResourceGroup, d.opt.Location))
	}
	for _, c := range p.Changes {
		action, declared := actions[value(c.ChangeType)]
		if d.absent && value(c.ChangeType) == armdeployments.ChangeTypeUnsupported && strings.Contains(strings.ToLower(text(c.ResourceID)), strings.ToLower("/providers/"+deploymentType+"/")) {
			d.shortCircuited(&out, text(c.UnsupportedReason))
			continue
		}
		r, ok := resourceOf(text(c.ResourceID))
		if !declared || !ok {
			continue
		}
		describe(&r, c.After)
		out.Changes = append(out.Changes, change.Change{Action: action, Name: r.ID, Type: r.Type, Resource: r, Note: text(c.UnsupportedReason)})
	}
	if n := len(p.PotentialChanges); n > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d further resources may change: Azure could not evaluate their templates beforehand", n))
	}
	for _, diag := range p.Diagnostics {
		out.Notes = append(out.Notes, strings.TrimSpace(text(diag.Code)+": "+text(diag.Message)))
	}
	return out
}

// resourceOf reads a resource ID. Resource groups and deployments are no resources of the
// template: false is returned.
func resourceOf(id string) (plugin.Resource, bool) {
	r, err := azarm.ParseResourceID(id)
	if err != nil || strings.EqualFold(r.ResourceType.String(), azarm.ResourceGroupResourceType.String()) ||
		strings.EqualFold(r.ResourceType.String(), deploymentType) {
		return plugin.Resource{}, false
	}
	return plugin.Resource{
		ID: id, Type: r.ResourceType.String(), Name: r.Name, ResourceGroup: r.ResourceGroupName, SubscriptionID: r.SubscriptionID,
	}, true
}

// describe fills in what the foretold resource says of itself and pairing wants to know.
func describe(r *plugin.Resource, after any) {
	body, _ := after.(map[string]any)
	r.Kind, _ = body["kind"].(string)
	r.Location, _ = body["location"].(string)
	tags, _ := body["tags"].(map[string]any)
	for name, tag := range tags {
		if text, ok := tag.(string); ok {
			if r.Tags == nil {
				r.Tags = map[string]string{}
			}
			r.Tags[name] = text
		}
	}
}

func text(s *string) string { return value(s) }

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
