package deploy

import (
	"context"
	"errors"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// Manner says how far a deployment goes.
type Manner struct {
	DryRun bool // plan, and change nothing
	// Agree, if it is set, is shown what would change before anything does. Its error ends
	// the deployment, with nothing changed.
	Agree func(change.Plan) error
}

// Outcome is what a deployment came to.
type Outcome struct {
	Report engine.ControlPlane
	Plan   change.Plan // where one was made
	Groups []string    // resource groups that it deployed to, as far as they are known
	// Refused says that Manner.Agree did not agree: nothing was changed.
	Refused bool
}

// The values of engine.ControlPlane.Status.
const (
	Planned  = "planned"
	Deployed = "deployed"
	Failed   = "failed"
	Canceled = "canceled"
)

// Run plans or deploys a directory. It returns an outcome with every error that comes
// after the files were read: it says how far the deployment came. If ctx ended, the
// status is Canceled, and the outcome says how things were left and how to go on.
func Run(ctx context.Context, opt Options, how Manner) (*Outcome, error) {
	if opt.Emit == nil {
		opt.Emit = func(event.Event) {}
	}
	format, err := Detect(opt)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Report: engine.ControlPlane{Format: string(format), Directory: opt.Dir}}
	driver, scope, err := open(ctx, format, opt)
	if err != nil {
		return nil, err
	}
	out.Report.Scope = scope
	start := time.Now()
	opt.Emit(event.DeployStarted{
		Run: opt.Run, Format: string(format), Directory: opt.Dir, Tenant: opt.Tenant, Scope: scope, DryRun: how.DryRun, Time: start.UTC(),
	})
	err = out.carryOut(ctx, driver, how, opt.Emit)
	err = errors.Join(err, driver.Close())
	out.Report.Seconds = time.Since(start).Seconds()
	out.Report.Percent = engine.Share(out.Report.Deployed, out.Report.Resources)
	opt.Emit(event.DeployFinished{Status: out.Report.Status, Resources: out.Report.Resources, Deployed: out.Report.Deployed, Err: err})
	return out, err
}

// carryOut plans where that is wanted, asks, and deploys.
func (o *Outcome) carryOut(ctx context.Context, driver change.Driver, how Manner, emit event.Sink) error {
	o.Report.Status = Failed
	if how.DryRun || how.Agree != nil {
		plan, err := driver.Plan(ctx)
		if err != nil {
			return o.ended(ctx, err)
		}
		o.planned(plan, emit)
		if how.DryRun {
			o.Report.Status = Planned
			return nil
		}
		if err := how.Agree(plan); err != nil {
			o.Report.Status, o.Refused = Canceled, true
			return err
		}
	}
	result, err := driver.Deploy(ctx)
	o.deployed(result)
	if err != nil {
		return o.ended(ctx, err)
	}
	o.Report.Status = Deployed
	return nil
}

// ended notes the status of a deployment that did not come to its end.
func (o *Outcome) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		o.Report.Status = Canceled
		if o.Report.State == "" {
			o.Report.State = "It was stopped before anything was changed."
			o.Report.GoOn = "run the same command again"
		}
	}
	return err
}

// maxChanges and maxFailures bound what a report lists; the counts are of all.
const (
	maxChanges  = 500
	maxFailures = 50
)

// planned takes a plan into the report. What is the same already is only counted.
func (o *Outcome) planned(p change.Plan, emit event.Sink) {
	o.Plan = p
	o.Report.Resources, o.Report.Notes = p.Resources(), p.Notes
	o.Report.Plan = map[string]int64{}
	for _, a := range change.Actions() {
		if n := p.Count(a); n > 0 {
			o.Report.Plan[string(a)] = n
		}
	}
	o.Report.Deployed = p.Count(change.Same)
	for _, c := range p.Changes {
		if c.Action != change.Same && len(o.Report.Changes) < maxChanges {
			o.Report.Changes = append(o.Report.Changes, engine.DeployChange{Action: string(c.Action), Resource: c.Name, Type: c.Type, Note: c.Note})
		}
	}
	emit(event.DeployPlanned{
		Create: p.Count(change.Create), Update: p.Count(change.Update) + p.Count(change.Unclear),
		Replace: p.Count(change.Replace), Delete: p.Count(change.Delete), Same: p.Count(change.Same),
	})
}

// deployed takes a result into the report.
func (o *Outcome) deployed(r change.Result) {
	o.Groups = r.Groups
	o.Report.State, o.Report.GoOn = r.State, r.GoOn
	if r.Resources > 0 {
		o.Report.Resources, o.Report.Deployed = r.Resources, r.Deployed
	}
	for _, f := range r.Failures[:min(len(r.Failures), maxFailures)] {
		problem := engine.ProblemOf(f.Err)
		if e := errs.Find(f.Err); e != nil && e.Err != nil {
			problem.Message = e.Err.Error() // the resource is named beside it
		}
		o.Report.Failures = append(o.Report.Failures, engine.DeployFailure{Resource: f.Resource, Type: f.Type, Problem: problem})
	}
}
