// Package terraform deploys a directory with Terraform or OpenTofu: init, plan to a file,
// apply of that file.
//
// It runs the program through terraform-exec and reads what it prints in the form for
// machines (https://developer.hashicorp.com/terraform/internals/machine-readable-ui): one
// JSON object a line, with a text for people in each. The environment is that of this
// process, TF_VAR_* and ARM_* included. The plan file, which may hold secrets, is kept in
// a private directory and removed at the end.
package terraform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// Names are the programs that are looked for, in this order.
func Names() []string { return []string{"terraform", "tofu"} }

// Timeouts bound the steps. Zero means no bound.
type Timeouts struct {
	Init   time.Duration
	Plan   time.Duration
	Deploy time.Duration
}

// Options say what is deployed and how.
type Options struct {
	Dir string
	// Binary is the program, a name or a path; "": the first of Names on the path.
	Binary string
	// SubscriptionID is the value of the variable subscription_id, where the root module
	// declares it; "": it is left to the module.
	SubscriptionID string
	// Place is the subscription in which planned resources are taken to be; "": unknown.
	Place string
	// Workspace is TF_WORKSPACE of the environment. terraform-exec does not pass it on, so a
	// directory in which another workspace is selected is refused.
	Workspace string
	Timeouts  Timeouts
	// Grace is how long Terraform may take to stop in an orderly way; 0: 10 minutes.
	Grace time.Duration
	Abort <-chan struct{} // closed: do not wait for an orderly end; may be nil
	Emit  event.Sink      // may be nil
}

// Driver implements change.Driver. It is not safe for concurrent use.
type Driver struct {
	opt     Options
	tf      *tfexec.Terraform
	program string // "terraform" or "tofu", for texts
	scratch string // private directory with the plan file
	plan    change.Plan
	planned bool
}

var _ change.Driver = (*Driver)(nil)

// New finds the program. It runs nothing yet.
func New(opt Options) (*Driver, error) {
	path, err := find(opt.Binary)
	if err != nil {
		return nil, err
	}
	if opt.Emit == nil {
		opt.Emit = func(event.Event) {}
	}
	if opt.Grace == 0 {
		opt.Grace = 10 * time.Minute
	}
	d := &Driver{opt: opt, program: filepath.Base(path)}
	if d.tf, err = tfexec.NewTerraform(opt.Dir, path); err != nil {
		return nil, &errs.Error{Op: "start " + d.program, Kind: errs.Invalid, Resource: opt.Dir, Err: err, Hint: "check --iac-dir and --terraform-bin"}
	}
	if err := d.tf.SetWaitDelay(opt.Grace); err != nil {
		return nil, &errs.Error{Op: "start " + d.program, Kind: errs.Unsupported, Err: err, Hint: "deploy Terraform files from Linux or macOS"}
	}
	return d, nil
}

// find returns the path of the program.
func find(named string) (string, error) {
	names := Names()
	if named != "" {
		names = []string{named}
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err == nil {
			return filepath.Abs(path)
		}
		if !errors.Is(err, exec.ErrNotFound) && named != "" {
			return "", &errs.Error{Op: "start " + name, Kind: errs.Invalid, Err: err, Hint: "--terraform-bin names the program"}
		}
	}
	if named != "" {
		return "", &errs.Error{Op: "find " + named, Kind: errs.Invalid, Err: exec.ErrNotFound, Hint: "--terraform-bin names the program, as a path or as a name on the PATH"}
	}
	return "", &errs.Error{
		Op: "find Terraform", Kind: errs.Invalid, Err: errors.New("neither terraform nor tofu is on the PATH"),
		Hint: "install Terraform (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org), or name it by --terraform-bin",
	}
}

// Plan runs init and plan. What the plan would do goes to Emit too.
func (d *Driver) Plan(ctx context.Context) (change.Plan, error) {
	if err := d.check(ctx); err != nil {
		return change.Plan{}, err
	}
	if err := d.init(ctx); err != nil {
		return change.Plan{}, err
	}
	file, err := d.planFile()
	if err != nil {
		return change.Plan{}, err
	}
	opts := []tfexec.PlanOption{tfexec.Out(file)}
	if value, err := d.subscription(); err != nil {
		return change.Plan{}, err
	} else if value != "" {
		opts = append(opts, tfexec.Var("subscription_id="+value))
	}
	d.step("plan", "finding out what is to change")
	said := d.listen(nil)
	err = d.within(ctx, d.opt.Timeouts.Plan, func(ctx context.Context) error {
		_, err := d.tf.PlanJSON(ctx, said, opts...)
		return err
	})
	if err != nil {
		return change.Plan{}, d.explain(ctx, "plan", said, err)
	}
	if d.plan, err = d.read(ctx, file); err != nil {
		return change.Plan{}, err
	}
	d.planned = true
	return d.plan, nil
}

// Deploy applies the plan that Plan made; without one it makes one first.
func (d *Driver) Deploy(ctx context.Context) (change.Result, error) {
	if !d.planned {
		if _, err := d.Plan(ctx); err != nil {
			return change.Result{}, err
		}
	}
	file, err := d.planFile()
	if err != nil {
		return change.Result{}, err
	}
	d.step("apply", "carrying the plan out")
	count := newCount(d.plan)
	said := d.listen(count)
	err = d.within(ctx, d.opt.Timeouts.Deploy, func(ctx context.Context) error {
		return d.tf.ApplyJSON(ctx, said, tfexec.DirOrPlan(file))
	})
	result := count.result()
	said.blame(result.Failures)
	if err != nil {
		return d.stopped(ctx, result, said, err)
	}
	result.Groups = d.groups(ctx)
	return result, nil
}

// stopped completes the result of an apply that did not come to its end.
func (d *Driver) stopped(ctx context.Context, result change.Result, said *listener, err error) (change.Result, error) {
	err = d.explain(ctx, "apply", said, err)
	if errs.KindOf(err) != errs.Canceled {
		return result, err
	}
	result.State = fmt.Sprintf("%s was stopped: %d of %d resources are in place, and the Terraform state has them.", d.program, result.Deployed, result.Resources)
	result.GoOn = "run the same command again: it plans anew and deploys what is left"
	if errors.Is(err, errCut) {
		result.State = fmt.Sprintf("%s was cut off: what was under way may exist in Azure without being in the Terraform state.", d.program)
		result.GoOn = fmt.Sprintf("compare by `%s -chdir=%s plan`, import what is missing in the state, and run the same command again; if the state stayed locked, `%s force-unlock ID` frees it",
			d.program, d.opt.Dir, d.program)
	}
	return result, err
}

// Close removes the plan file.
func (d *Driver) Close() error {
	if d.scratch == "" {
		return nil
	}
	dir := d.scratch
	d.scratch, d.planned = "", false
	return os.RemoveAll(dir)
}

// planFile is the path of the plan file.
func (d *Driver) planFile() (string, error) {
	if d.scratch == "" {
		dir, err := os.MkdirTemp("", "atg-terraform-")
		if err != nil {
			return "", &errs.Error{Op: "keep the plan of " + d.program, Kind: errs.Unavailable, Err: err, Hint: "set TMPDIR to a directory that can be written to"}
		}
		d.scratch = dir
	}
	return filepath.Join(d.scratch, "plan.tfplan"), nil
}

func (d *Driver) step(name, text string) {
	d.opt.Emit(event.DeployStep{Step: name, Text: text})
}

// init prepares the directory: backend, modules and providers.
func (d *Driver) init(ctx context.Context) error {
	d.step("init", "getting providers and modules")
	said := d.listen(nil)
	d.tf.SetStdout(said)
	d.tf.SetStderr(said)
	err := d.within(ctx, d.opt.Timeouts.Init, func(ctx context.Context) error { return d.tf.Init(ctx) })
	return d.explain(ctx, "init", said, err)
}

// check runs the program for the first time, and refuses a directory whose workspace is
// not the one that the environment names.
func (d *Driver) check(ctx context.Context) error {
	d.quiet()
	if _, _, err := d.tf.Version(ctx, true); err != nil {
		return d.explain(ctx, "version", &listener{}, err)
	}
	if d.opt.Workspace == "" {
		return nil
	}
	now, err := d.tf.WorkspaceShow(ctx)
	if err != nil {
		return d.explain(ctx, "workspace show", &listener{}, err)
	}
	if now != d.opt.Workspace {
		return &errs.Error{
			Op: "deploy", Kind: errs.Invalid, Resource: d.opt.Dir,
			Err:  fmt.Errorf("TF_WORKSPACE is %s, but the directory is at workspace %s", d.opt.Workspace, now),
			Hint: fmt.Sprintf("`%s -chdir=%s workspace select %s`, or unset TF_WORKSPACE", d.program, d.opt.Dir, d.opt.Workspace),
		}
	}
	return nil
}

// errCut is the cause of an end without order.
var errCut = errors.New("cut off by a second signal")

// within runs f with a time limit. If ctx ends, or the time is over, terraform-exec sends
// the program an interrupt and waits for it, but no longer than until Abort.
func (d *Driver) within(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	inner := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		inner, cancel = context.WithTimeoutCause(ctx, limit, &timeoutError{limit})
		defer cancel()
	}
	done := make(chan error, 1)
	go func() { done <- f(inner) }()
	var err error
	select {
	case err = <-done:
	case <-d.opt.Abort:
		// The program is left to itself: on Linux it is killed when this process ends.
		return errCut
	}
	var late *timeoutError
	if err != nil && errors.As(context.Cause(inner), &late) {
		return late
	}
	return err
}

// timeoutError says that a step took too long.
type timeoutError struct{ limit time.Duration }

func (t *timeoutError) Error() string { return fmt.Sprintf("not done after %s", t.limit) }
