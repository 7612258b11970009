package arm

import (
	"context"
	"iter"
	"slices"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// maxNested is how deep deployments within deployments are followed; Azure's own limit is
// five levels.
const maxNested = 5

// watch follows the operations of a deployment and of those within it. Each resource is
// known by its ID in lower case.
type watch struct {
	driver   *Driver
	states   map[string]event.ResourceState // of the resources; "": declared and not begun
	failures []change.Failure
	groups   []string
	ended    map[string]bool // nested deployments that need no further look
}

func newWatch(d *Driver) *watch {
	return &watch{driver: d, states: map[string]event.ResourceState{}, ended: map[string]bool{}}
}

// expect notes a resource that is going to be deployed.
func (w *watch) expect(id string) {
	if r, ok := resourceOf(id); ok {
		if _, known := w.states[strings.ToLower(r.ID)]; !known {
			w.states[strings.ToLower(r.ID)] = ""
		}
	}
}

// look reads the operations and tells what has changed since the last look.
func (w *watch) look(ctx context.Context) error {
	d := w.driver
	return w.deployment(ctx, d.id(), 0)
}

// deployment reads the operations of one deployment.
func (w *watch) deployment(ctx context.Context, id string, depth int) error {
	at, err := azarm.ParseResourceID(id)
	if err != nil || depth > maxNested || !strings.EqualFold(at.SubscriptionID, w.driver.opt.SubscriptionID) {
		return nil //nolint:nilerr // what cannot be named cannot be looked at; its resources are only not counted
	}
	for op, err := range w.driver.list(ctx, at) {
		if err != nil {
			return err
		}
		if err := w.operation(ctx, op, depth); err != nil {
			return err
		}
	}
	return nil
}

// operation takes one operation. Those that evaluate outputs or only read have no
// resource of the template as their target.
func (w *watch) operation(ctx context.Context, op *armdeployments.DeploymentOperation, depth int) error {
	p := op.Properties
	if p == nil || p.TargetResource == nil || value(p.ProvisioningOperation) != armdeployments.ProvisioningOperationCreate {
		return nil
	}
	id, state := text(p.TargetResource.ID), text(p.ProvisioningState)
	if strings.EqualFold(text(p.TargetResource.ResourceType), deploymentType) {
		if w.ended[id] {
			return nil
		}
		w.ended[id] = over(state)
		before := len(w.failures)
		if err := w.deployment(ctx, id, depth+1); err != nil {
			return err
		}
		if over(state) && len(w.failures) == before {
			w.failed(id, p) // it failed by itself: its template is wrong
		}
		return nil
	}
	w.resource(id, p)
	return nil
}

// resource notes the state of a resource, and tells it if it is new.
func (w *watch) resource(id string, p *armdeployments.DeploymentOperationProperties) {
	r, ok := resourceOf(id)
	if !ok {
		return
	}
	state := event.ResourceRunning
	switch armdeployments.ProvisioningState(text(p.ProvisioningState)) { //nolint:exhaustive // the others are on the way
	case armdeployments.ProvisioningStateSucceeded:
		state = event.ResourceReady
	case armdeployments.ProvisioningStateFailed, armdeployments.ProvisioningStateCanceled:
		state = event.ResourceFailed
	}
	key := strings.ToLower(id)
	if w.states[key] == state {
		return
	}
	w.states[key] = state
	if state == event.ResourceFailed {
		w.failed(id, p)
		return
	}
	if group := strings.ToLower(r.ResourceGroup); group != "" && !slices.Contains(w.groups, group) {
		w.groups = append(w.groups, group)
	}
	w.driver.opt.Emit(event.DeployResource{Resource: id, Kind: r.Type, State: state})
}

// failed notes and tells the failure of a resource or of a nested deployment.
func (w *watch) failed(id string, p *armdeployments.DeploymentOperationProperties) {
	if armdeployments.ProvisioningState(text(p.ProvisioningState)) == armdeployments.ProvisioningStateSucceeded {
		return
	}
	err := &errs.Error{Op: "deploy", Kind: errs.Conflict, Side: string(plugin.Target), Resource: id}
	var found causes
	if p.StatusMessage != nil {
		found = leaves(p.StatusMessage.Error)
	}
	if len(found) == 0 {
		found = causes{{text(p.ProvisioningState), "Azure gave no reason; status " + text(p.StatusCode)}}
	}
	err.Err, err.Code = found, found[0].Code
	typ := ""
	if p.TargetResource != nil {
		typ = text(p.TargetResource.ResourceType)
	}
	w.failures = append(w.failures, change.Failure{Resource: id, Type: typ, Err: err})
	w.driver.opt.Emit(event.DeployResource{Resource: id, Kind: typ, State: event.ResourceFailed, Err: err})
}

// causes are those of all failures.
func (w *watch) causes() causes {
	var out causes
	for _, f := range w.failures {
		if e := errs.Find(f.Err); e != nil {
			if c, ok := e.Err.(causes); ok { //nolint:errorlint // set by failed, and not wrapped
				out = append(out, c...)
			}
		}
	}
	return out
}

// complete notes that the deployment succeeded: what it declared is in place, whether an
// operation told it or not.
func (w *watch) complete() {
	for key := range w.states {
		w.states[key] = event.ResourceReady
	}
}

// result is what was deployed until now.
func (w *watch) result() change.Result {
	r := change.Result{Resources: int64(len(w.states)), Failures: w.failures, Groups: w.groups}
	for _, s := range w.states {
		if s == event.ResourceReady {
			r.Deployed++
		}
	}
	return r
}

// list yields the operations of a deployment.
func (d *Driver) list(ctx context.Context, at *azarm.ResourceID) iter.Seq2[*armdeployments.DeploymentOperation, error] {
	return func(yield func(*armdeployments.DeploymentOperation, error) bool) {
		more, next := d.pages(at)
		for more() {
			page, err := next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, op := range page {
				if op != nil && !yield(op, nil) {
					return
				}
			}
		}
	}
}

// pages opens the listing at the scope of the deployment.
func (d *Driver) pages(at *azarm.ResourceID) (more func() bool, next func(context.Context) ([]*armdeployments.DeploymentOperation, error)) {
	if at.ResourceGroupName != "" {
		p := d.operations.NewListPager(at.ResourceGroupName, at.Name, nil)
		return p.More, func(ctx context.Context) ([]*armdeployments.DeploymentOperation, error) {
			page, err := p.NextPage(ctx)
			return page.Value, err
		}
	}
	p := d.operations.NewListAtSubscriptionScopePager(at.Name, nil)
	return p.More, func(ctx context.Context) ([]*armdeployments.DeploymentOperation, error) {
		page, err := p.NextPage(ctx)
		return page.Value, err
	}
}
