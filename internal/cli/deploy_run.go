package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/deploy"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// deploy runs atg deploy: the control plane, then the run that apply makes.
func (a *App) deploy(ctx context.Context, opt *deployOptions) error {
	format, err := deploy.Detect(opt.control)
	if err != nil {
		return err
	}
	if format == deploy.Terraform {
		if err := a.passOn(opt); err != nil {
			return err
		}
	}
	d := &deployment{app: a, opt: opt, format: format}
	j := &journaling{app: a, opt: opt.runOptions}
	err = a.withOutput(ctx, opt.runOptions, func() (*session.Session, *engine.Report, error) { return d.run(ctx, j) })
	return j.tell(err)
}

// deployment is one run of the command.
type deployment struct {
	app    *App
	opt    *deployOptions
	format deploy.Format
}

// run goes through both planes. The report is that of the data plane, if it came so far,
// with the control plane's in it.
func (d *deployment) run(ctx context.Context, j *journaling) (*session.Session, *engine.Report, error) {
	conn, err := session.Connect(ctx, d.opt.Options, d.sides()...)
	if err != nil {
		return nil, nil, err
	}
	done, err := d.controlPlane(ctx, conn)
	if done == nil || done.Refused {
		return nil, nil, err
	}
	if err != nil || !d.opt.dataPlane {
		return nil, d.alone(ctx, conn, done), d.unlessCanceled(ctx, err)
	}
	d.aim(conn, done)
	s, r, err := d.app.inSession(ctx, d.opt.runOptions, j.note(d.dataPlane(ctx)))
	if r == nil {
		return s, d.alone(ctx, conn, done), err
	}
	done.Report.DataPlane = true
	r.ControlPlane = &done.Report
	return s, r, err
}

// sides are those to sign in to: Terraform does so by itself.
func (d *deployment) sides() []plugin.Side {
	switch {
	case d.opt.dataPlane:
		return []plugin.Side{plugin.Source, plugin.Target}
	case d.format == deploy.Terraform:
		return nil
	default:
		return []plugin.Side{plugin.Target}
	}
}

// controlPlane deploys, or plans to.
func (d *deployment) controlPlane(ctx context.Context, conn *session.Connection) (*deploy.Outcome, error) {
	to, target := d.opt.control, conn.Target()
	to.Run, to.Emit = conn.Run(), d.opt.Emit
	to.Tenant = cmp.Or(target.TenantID, d.opt.Target.TenantID)
	to.Credential, to.Client = target.Credential, target.Client
	if d.format != deploy.Terraform || d.opt.dataPlane {
		sub, err := conn.Subscription(ctx)
		if err != nil && d.format != deploy.Terraform {
			return nil, err
		}
		if to.Place = sub; d.format != deploy.Terraform {
			to.SubscriptionID = sub
		}
	}
	how := deploy.Manner{DryRun: d.opt.dryRun}
	if !d.opt.dryRun && (d.format == deploy.Terraform || d.opt.ask) {
		how.Agree = func(p change.Plan) error { return d.agree(ctx, p) }
	}
	return deploy.Run(ctx, to, how)
}

// agree asks before a plan is carried out: of a person who may be asked always, and else
// it refuses to lose something that nobody has agreed to lose.
func (d *deployment) agree(ctx context.Context, p change.Plan) error {
	deleted, replaced := p.Loses()
	switch {
	case d.opt.yes:
		return nil
	case !d.opt.ask && deleted+replaced > 0:
		return usagef("the plan deletes %d and replaces %d resources, with all that they hold: look at it by --dry-run, and add --yes to carry it out", deleted, replaced)
	case !d.opt.ask:
		return nil
	}
	a := d.app
	return d.opt.out.aside(func() error {
		if err := view.DeployChanges(a.Err, p.Changes, a.errStyle()); err != nil {
			return err
		}
		answer, err := a.ask(ctx, "Deploy this? Type yes to go on")
		if err != nil {
			return unanswered(err, "--yes")
		}
		if !strings.EqualFold(answer, "yes") {
			return &errs.Error{
				Op: "deploy without consent", Kind: errs.Canceled, Err: fmt.Errorf("the answer was %q, not yes", answer),
				Hint: "nothing was changed; run it again and answer yes, or add --yes",
			}
		}
		return nil
	})
}

// aim points the data plane at what was deployed, or is about to be.
func (d *deployment) aim(conn *session.Connection, done *deploy.Outcome) {
	o := &d.opt.Options
	o.Connection = conn
	if !strings.Contains(strings.ToLower(done.Report.Scope), "/resourcegroups/") {
		o.Target.ResourceGroup = ""
		if len(done.Groups) == 1 {
			o.Target.ResourceGroup = done.Groups[0]
		}
	}
	if !d.opt.dryRun {
		return
	}
	o.NoTarget = done.Plan.NoScope
	for _, c := range done.Plan.Changes {
		if _, err := inventory.FromID(c.Resource.ID); err == nil && c.Action == change.Create {
			r := c.Resource
			r.TenantID = conn.Target().TenantID
			o.Planned = append(o.Planned, r)
		}
	}
}

// dataPlane is the part of the run that apply and plan know too.
func (d *deployment) dataPlane(ctx context.Context) func(*session.Session) (*engine.Report, error) {
	return func(s *session.Session) (*engine.Report, error) {
		if d.opt.dryRun {
			return s.Plan(ctx)
		}
		if err := s.MayApply(ctx); err != nil {
			return nil, err
		}
		if d.opt.ask && !d.opt.yes {
			if stopped, err := d.app.consent(ctx, d.opt.runOptions, s); stopped != nil || err != nil {
				return stopped, err
			}
		}
		return s.Apply(ctx)
	}
}

// alone is a report of the control plane, without a data plane.
func (d *deployment) alone(ctx context.Context, conn *session.Connection, done *deploy.Outcome) *engine.Report {
	o := d.opt.Options
	r := engine.NewTally(nil, engine.Options{Run: conn.Run(), Command: o.Command, Version: o.Version, Mode: o.Mode}).Report(time.Now())
	r.Run.TargetTenant = cmp.Or(conn.Target().TenantID, o.Target.TenantID)
	r.Run.Complete, r.Run.Seconds = true, done.Report.Seconds
	if ctx.Err() != nil {
		r.Run.Canceled, r.Run.CanceledBy = true, context.Cause(ctx).Error()
	}
	r.ControlPlane = &done.Report
	d.opt.Emit(event.RunFinished{Run: conn.Run(), Time: time.Now().UTC()})
	return r
}

// unlessCanceled drops the error of a deployment that was interrupted: its report says how
// it was left.
func (d *deployment) unlessCanceled(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.As(context.Cause(ctx), new(Interrupted)) {
		return nil
	}
	return err
}

// passOn gives Terraform the target's identity in the variables of the azurerm and azapi
// providers, and refuses to let it past an emulator.
func (a *App) passOn(opt *deployOptions) error {
	if opt.emulator != "" && !strings.HasSuffix(strings.TrimSuffix(a.env("HTTPS_PROXY"), "/"), opt.emulator) {
		return usagef("--emulator leads this program alone to the emulator, and Terraform is another one: set the variables that \"atg emulator start\" prints")
	}
	env := auth.FromEnvironment(plugin.Target, a.Env)
	set := map[string]string{"ARM_TENANT_ID": opt.Target.TenantID, "ARM_SUBSCRIPTION_ID": opt.Target.SubscriptionID}
	if opt.Target.SubscriptionID == "" && a.env("ARM_SUBSCRIPTION_ID") == "" {
		set["ARM_SUBSCRIPTION_ID"] = env.SubscriptionID
	}
	p := opt.Target.Principal
	if p.ClientID == "" && a.env("ARM_CLIENT_ID") == "" {
		p = complete(env.Principals)
	}
	if p.ClientID != "" {
		set["ARM_CLIENT_ID"], set["ARM_CLIENT_SECRET"] = p.ClientID, p.ClientSecret.Reveal()
		set["ARM_CLIENT_CERTIFICATE_PATH"], set["ARM_CLIENT_CERTIFICATE_PASSWORD"] = p.CertificatePath, p.CertificatePassword.Reveal()
	}
	for name, value := range set {
		if value == "" || a.Setenv == nil {
			continue
		}
		if err := a.Setenv(name, value); err != nil {
			return &errs.Error{Op: "set " + name + " for Terraform", Kind: errs.Internal, Err: err}
		}
	}
	return nil
}

// complete returns the first principal that can sign in, or none.
func complete(all []auth.Principal) auth.Principal {
	for _, p := range all {
		if p.ClientID != "" && (!p.ClientSecret.Empty() || p.CertificatePath != "") {
			return p
		}
	}
	return auth.Principal{}
}
