package arm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/classify"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const opDeploy = "deploy the template"

// How often a deployment is looked at: often at first, because small ones are over soon.
// What Azure asks to wait (Retry-After) is kept to where it is longer.
const (
	quickest = 200 * time.Millisecond
	slowest  = 5 * time.Second
)

// Deploy creates the resource group if it is not there, has the template validated, starts
// the deployment and follows its operations to the end. If ctx ends it cancels the
// deployment in Azure; what was created until then stays.
func (d *Driver) Deploy(ctx context.Context) (change.Result, error) {
	if err := d.ensure(ctx); err != nil {
		return change.Result{}, stoppedEarly(ctx, d.opt.Scope(), err)
	}
	watch := newWatch(d)
	if err := d.validate(ctx, watch); err != nil {
		return watch.result(), stoppedEarly(ctx, d.opt.Scope(), err)
	}
	d.step("deployment", "deployment %s at %s", d.opt.Name, d.opt.Scope())
	within, cancel := limited(ctx, d.opt.Timeouts.Deploy, "--deploy-timeout")
	defer cancel()
	running, end, err := d.begin(within)
	if err != nil {
		if within.Err() != nil { // it may have been started all the same
			return d.stop(within, watch)
		}
		return watch.result(), d.fail(opDeploy, err)
	}
	if err := d.follow(within, running, watch); err != nil {
		if within.Err() != nil {
			return d.stop(within, watch)
		}
		return watch.result(), d.fail("follow the deployment", err)
	}
	if err := end(within); err != nil {
		return watch.result(), d.broken(watch, err)
	}
	watch.complete()
	return watch.result(), nil
}

// stoppedEarly is err, unless the reason was that ctx ended before anything was started.
func stoppedEarly(ctx context.Context, scope string, err error) error {
	if ctx.Err() != nil {
		return canceled(ctx, opDeploy, scope)
	}
	return err
}

// validate has Azure check the template before anything is written. The answer lists what
// will be deployed, copies and conditions resolved.
func (d *Driver) validate(ctx context.Context, w *watch) error {
	const op = "validate the template"
	d.step("validate", "having the template checked")
	ctx, cancel := limited(ctx, d.opt.Timeouts.Plan, "--plan-timeout")
	defer cancel()
	got, err := d.validated(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return canceled(ctx, op, d.opt.Scope())
	case err != nil:
		return d.fail(op, err)
	case got.Error != nil:
		return d.fail(op, refused(got.Error))
	}
	if got.Properties != nil {
		for _, r := range got.Properties.ValidatedResources {
			w.expect(text(r.ID))
		}
	}
	return nil
}

// refused is the error of a template that did not pass.
func refused(e *armdeployments.ErrorResponse) error {
	found := leaves(e)
	out := &errs.Error{Op: "validate the template", Kind: errs.Invalid, Side: string(plugin.Target), Err: found}
	if len(found) > 0 {
		out.Code = found[0].Code
		if kind, ok := kindByCode[out.Code]; ok {
			out.Kind = kind
		}
	}
	out.Hint = hintOf(out.Kind, out.Code)
	return out
}

func (d *Driver) validated(ctx context.Context) (armdeployments.DeploymentValidateResult, error) {
	if d.opt.Template.Scope == Group {
		p, err := d.deployments.BeginValidate(ctx, d.opt.ResourceGroup, d.opt.Name, d.deployment(), nil)
		if err != nil {
			return armdeployments.DeploymentValidateResult{}, err
		}
		got, err := p.PollUntilDone(ctx, nil)
		return got.DeploymentValidateResult, err
	}
	p, err := d.deployments.BeginValidateAtSubscriptionScope(ctx, d.opt.Name, d.deployment(), nil)
	if err != nil {
		return armdeployments.DeploymentValidateResult{}, err
	}
	got, err := p.PollUntilDone(ctx, nil)
	return got.DeploymentValidateResult, err
}

// begin starts the deployment. end returns the error with which it ended.
func (d *Driver) begin(ctx context.Context) (running poller, end func(context.Context) error, err error) {
	if d.opt.Template.Scope == Group {
		p, err := d.deployments.BeginCreateOrUpdate(ctx, d.opt.ResourceGroup, d.opt.Name, d.deployment(), nil)
		if err != nil {
			return nil, nil, err
		}
		return p, func(ctx context.Context) error { _, err := p.Result(ctx); return err }, nil
	}
	p, err := d.deployments.BeginCreateOrUpdateAtSubscriptionScope(ctx, d.opt.Name, d.deployment(), nil)
	if err != nil {
		return nil, nil, err
	}
	return p, func(ctx context.Context) error { _, err := p.Result(ctx); return err }, nil
}

// follow tells what becomes of each resource until the deployment is over.
func (d *Driver) follow(ctx context.Context, running poller, w *watch) error {
	for wait := quickest; !running.Done(); wait = min(wait*3/2, slowest) {
		resp, err := running.Poll(ctx) //nolint:bodyclose // the poller has read it
		if err != nil {
			return err
		}
		if err := w.look(ctx); err != nil {
			return err
		}
		if running.Done() {
			break
		}
		if err := d.opt.Sleep(ctx, max(wait, asked(resp))); err != nil {
			return err
		}
	}
	return w.look(ctx)
}

func asked(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	return retry.After(resp.Header, time.Now())
}

// broken is the error of a deployment that Azure ended.
func (d *Driver) broken(w *watch, err error) error {
	out := &errs.Error{Op: opDeploy, Kind: errs.Conflict, Side: string(plugin.Target), Resource: d.opt.Scope(), Err: err}
	found := w.causes()
	if len(found) == 0 {
		found = leavesOf(err)
	}
	if len(found) > 0 {
		out.Err, out.Code = found, found[0].Code
		if kindByCode[out.Code] == errs.Quota {
			out.Kind = errs.Quota
		}
	}
	if e := errs.Find(classify.Error(opDeploy, plugin.Target, "", "", err)); e != nil {
		out.RequestID = e.RequestID
	}
	out.Hint = hintOf(out.Kind, out.Code)
	return out
}

// stop cancels the deployment in Azure and says how it was left.
func (d *Driver) stop(ended context.Context, w *watch) (change.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), d.opt.Grace)
	defer cancel()
	go func() { // a second wish to stop cuts the wait
		select {
		case <-d.opt.Abort:
			cancel()
		case <-ctx.Done():
		}
	}()
	d.step("cancel", "canceling deployment %s", d.opt.Name)
	state, err := d.cancel(ctx, w)
	r := w.result()
	name := fmt.Sprintf("Deployment %s", d.opt.Name)
	switch {
	case err == nil && state == string(armdeployments.ProvisioningStateCanceled):
		r.State = fmt.Sprintf("%s was canceled in Azure: %d of %d resources are in place and stay there.", name, r.Deployed, r.Resources)
	case err == nil && state == "":
		r.State = fmt.Sprintf("%s had not begun in Azure: nothing was deployed.", name)
	case err == nil:
		r.State = fmt.Sprintf("%s had ended in Azure before it could be canceled, with the state %s.", name, state)
	default:
		r.State = fmt.Sprintf("%s could not be canceled for sure, and may go on in Azure (%v).", name, err)
	}
	r.GoOn = fmt.Sprintf("run the same command again: what is deployed already stays; `%s` shows how this deployment stands", d.showCommand())
	return r, canceled(ended, opDeploy, d.opt.Scope())
}

// showCommand is a command that shows the deployment.
func (d *Driver) showCommand() string {
	if d.opt.Template.Scope == Group {
		return fmt.Sprintf("az deployment group show --subscription %s --resource-group %s --name %s", d.opt.SubscriptionID, d.opt.ResourceGroup, d.opt.Name)
	}
	return fmt.Sprintf("az deployment sub show --subscription %s --name %s", d.opt.SubscriptionID, d.opt.Name)
}

// cancel asks Azure to cancel the deployment and waits until it is over. It returns the
// state in which it ended; "" if there is no such deployment.
func (d *Driver) cancel(ctx context.Context, w *watch) (string, error) {
	var err error
	if d.opt.Template.Scope == Group {
		_, err = d.deployments.Cancel(ctx, d.opt.ResourceGroup, d.opt.Name, nil)
	} else {
		_, err = d.deployments.CancelAtSubscriptionScope(ctx, d.opt.Name, nil)
	}
	switch failed := classify.Error("cancel the deployment", plugin.Target, d.opt.Scope(), "", err); {
	case errs.KindOf(failed) == errs.NotFound:
		return "", nil
	case failed != nil && errs.KindOf(failed) != errs.Conflict: // a conflict: it is over already
		return "", failed
	}
	for wait := quickest; ; wait = min(wait*3/2, slowest) {
		state, err := d.state(ctx)
		if err != nil {
			return "", err
		}
		if over(state) {
			return state, w.look(ctx)
		}
		if err := d.opt.Sleep(ctx, wait); err != nil {
			return "", errors.New("it is not confirmed by Azure yet")
		}
	}
}

// over tells whether a deployment that is in this state has ended.
func over(state string) bool {
	switch armdeployments.ProvisioningState(state) {
	case armdeployments.ProvisioningStateCanceled, armdeployments.ProvisioningStateFailed, armdeployments.ProvisioningStateSucceeded:
		return true
	default:
		return false
	}
}

// state is the provisioning state of the deployment.
func (d *Driver) state(ctx context.Context) (string, error) {
	var got armdeployments.DeploymentExtended
	if d.opt.Template.Scope == Group {
		resp, err := d.deployments.Get(ctx, d.opt.ResourceGroup, d.opt.Name, nil)
		if err != nil {
			return "", d.fail("read the deployment", err)
		}
		got = resp.DeploymentExtended
	} else {
		resp, err := d.deployments.GetAtSubscriptionScope(ctx, d.opt.Name, nil)
		if err != nil {
			return "", d.fail("read the deployment", err)
		}
		got = resp.DeploymentExtended
	}
	if got.Properties == nil {
		return "", nil
	}
	return string(value(got.Properties.ProvisioningState)), nil
}
