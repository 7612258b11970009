// Package arm deploys a template through the deployments API of Azure Resource Manager, at
// the scope of a resource group or of a subscription, always in incremental mode: nothing
// that the template leaves out is deleted.
//
// It follows the operations Deployments_WhatIf, Deployments_Validate,
// Deployments_CreateOrUpdate, Deployments_Cancel and DeploymentOperations_List with their
// twins at subscription scope (api-version 2025-04-01), ResourceGroups_CheckExistence and
// ResourceGroups_CreateOrUpdate (2025-04-01).
package arm

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Timeouts bound the steps. Zero means no bound.
type Timeouts struct {
	Plan   time.Duration // of validation and what-if
	Deploy time.Duration
}

// Options say what is deployed where.
type Options struct {
	Template       Template
	Parameters     Parameters
	SubscriptionID string
	ResourceGroup  string // of a template for resource groups; created if it is not there
	Location       string // of the group, or of the deployment at subscription scope
	Name           string // of the deployment; unique in its scope
	Credential     azcore.TokenCredential
	Client         policy.ClientOptions
	Timeouts       Timeouts
	// Grace is how long the end of ctx waits until Azure says that the deployment was
	// canceled; 0: 30 seconds.
	Grace time.Duration
	Abort <-chan struct{} // closed: wait no more; may be nil
	Emit  event.Sink      // may be nil
	// Sleep waits between two looks at a deployment; nil: as long as it says.
	Sleep func(context.Context, time.Duration) error
}

// Driver implements change.Driver. It is not safe for concurrent use.
type Driver struct {
	opt         Options
	deployments *armdeployments.DeploymentsClient
	operations  *armdeployments.DeploymentOperationsClient
	groups      *armresources.ResourceGroupsClient
	absent      bool // the resource group is not there; known after look
}

var _ change.Driver = (*Driver)(nil)

// New makes the clients. It sends nothing yet.
func New(opt Options) (*Driver, error) {
	if opt.Emit == nil {
		opt.Emit = func(event.Event) {}
	}
	if opt.Grace == 0 {
		opt.Grace = 30 * time.Second
	}
	if opt.Sleep == nil {
		opt.Sleep = sleep
	}
	d := &Driver{opt: opt}
	client := azarm.ClientOptions{ClientOptions: opt.Client, DisableRPRegistration: true}
	var err error
	if d.deployments, err = armdeployments.NewDeploymentsClient(opt.SubscriptionID, opt.Credential, &client); err != nil {
		return nil, d.fail("deploy the template", err)
	}
	if d.operations, err = armdeployments.NewDeploymentOperationsClient(opt.SubscriptionID, opt.Credential, &client); err != nil {
		return nil, d.fail("deploy the template", err)
	}
	if d.groups, err = armresources.NewResourceGroupsClient(opt.SubscriptionID, opt.Credential, &client); err != nil {
		return nil, d.fail("deploy the template", err)
	}
	return d, nil
}

// sleep waits for d or for the end of ctx, whose cause it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Scope is the ID of where the deployment is made: a resource group or a subscription.
func (o Options) Scope() string {
	scope := "/subscriptions/" + o.SubscriptionID
	if o.Template.Scope == Group {
		scope += "/resourceGroups/" + o.ResourceGroup
	}
	return scope
}

// id is the deployment's resource ID.
func (d *Driver) id() string {
	return d.opt.Scope() + "/providers/" + deploymentType + "/" + d.opt.Name
}

const deploymentType = "Microsoft.Resources/deployments"

// Close implements change.Driver; there is nothing to remove.
func (d *Driver) Close() error { return nil }

func (d *Driver) step(name, format string, args ...any) {
	d.opt.Emit(event.DeployStep{Step: name, Text: fmt.Sprintf(format, args...)})
}

// fail classifies an error; what Azure nests in it is brought to the surface.
func (d *Driver) fail(op string, err error) error {
	out := classify.Error(op, plugin.Target, d.opt.Scope(), "", err)
	e := errs.Find(out)
	if leaves := leavesOf(err); e != nil && len(leaves) > 0 {
		e.Err, e.Code = leaves, leaves[0].Code
		if kind, ok := kindByCode[e.Code]; ok {
			e.Kind = kind
		}
		e.Hint = hintOf(e.Kind, e.Code)
	}
	return out
}

// look finds out whether the resource group is there.
func (d *Driver) look(ctx context.Context) error {
	if d.opt.Template.Scope != Group {
		return nil
	}
	resp, err := d.groups.CheckExistence(ctx, d.opt.ResourceGroup, nil)
	if err != nil {
		return d.fail("look for the resource group", err)
	}
	d.absent = !resp.Success
	return nil
}

// ensure creates the resource group if it is not there.
func (d *Driver) ensure(ctx context.Context) error {
	if err := d.look(ctx); err != nil || !d.absent {
		return err
	}
	d.step("resource-group", "creating the resource group %s in %s", d.opt.ResourceGroup, d.opt.Location)
	_, err := d.groups.CreateOrUpdate(ctx, d.opt.ResourceGroup, armresources.ResourceGroup{Location: &d.opt.Location}, nil)
	if err != nil {
		return d.fail("create the resource group", err)
	}
	d.absent = false
	return nil
}

// poller is what all the SDK's pollers have in common.
type poller interface {
	Done() bool
	Poll(ctx context.Context) (*http.Response, error)
}

// properties of a deployment of the template as it is.
func (d *Driver) properties() *armdeployments.DeploymentProperties {
	mode := armdeployments.DeploymentModeIncremental
	return &armdeployments.DeploymentProperties{Mode: &mode, Template: d.opt.Template.Text, Parameters: d.opt.Parameters}
}

// deployment is the body of a deployment: one at subscription scope has a location.
func (d *Driver) deployment() armdeployments.Deployment {
	out := armdeployments.Deployment{Properties: d.properties()}
	if d.opt.Template.Scope == Subscription {
		out.Location = &d.opt.Location
	}
	return out
}
