package cli

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/examples/contoso"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/deploy"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// demoOptions are those of the demo.
type demoOptions struct {
	runOptions
	seed uint64
	keep bool
}

func newDemoCmd(a *App, runF func(context.Context, *demoOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Copy a made-up tenant inside this process: no Azure, no account, no network",
		GroupID: groupTry,
		Args:    cobra.NoArgs,
		Long: `Starts an emulated Azure with two tenants inside this process: one has three key
vaults full of secrets, keys and certificates, and a storage account with blobs,
files, queues and tables. It goes all the way that "atg deploy --dataplane" goes: sign
in to both tenants, deploy the vaults and the account of the other one from an ARM
template, pair them, apply, verify, report. Nothing leaves this machine and nothing
stays behind.

Unless told otherwise it sets
  ` + strings.Join(contoso.Settings(), "\n  "),
		Example: `  atg demo
  atg demo --mode template
  atg demo --seed 7 -o json
  atg demo --keep        # then point other Azure clients at it`,
	}
	flags := &runFlags{
		mode:     choiceFlag(cmd, "mode", "", "how much is copied: everything that can be, or structure alone", string(plugin.Replication), string(plugin.Template)),
		output:   outputFlag(cmd, outputText, outputJSON, outputLines),
		progress: progressFlag(cmd),
	}
	var opt demoOptions
	cmd.Flags().Uint64Var(&opt.seed, "seed", contoso.DefaultSeed, "`number` that other content is made from")
	cmd.Flags().BoolVar(&opt.keep, "keep", false, "stay up after the report, until Ctrl-C, for other clients")
	flags.settings = addSettings(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		reg, err := a.Registry()
		if err != nil {
			return err
		}
		opt.output, opt.progress = flags.output.value, flags.progress.value
		opt.Command, opt.Version, opt.Registry = "demo", a.Version, reg
		opt.Mode = plugin.Mode(flags.mode.value)
		opt.next = view.Next{Again: "atg demo", Own: "atg plan --mode replication --source-tenant-id SOURCE --target-tenant-id TARGET"}
		if opt.Settings, err = settingFlags(reg, append(contoso.Settings(), flags.settings.all()...)); err != nil {
			return err
		}
		if runF != nil {
			return runF(cmd.Context(), &opt)
		}
		return a.demo(cmd.Context(), &opt)
	}
	return cmd
}

// demo runs atg demo: what deploy runs, with a transport that leads to the emulator.
func (a *App) demo(ctx context.Context, opt *demoOptions) (err error) {
	const op = "start the demo"
	dir, err := os.MkdirTemp("", "atg-demo-")
	if err != nil {
		return &errs.Error{Op: op, Kind: errs.Unavailable, Err: err}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	em, err := startEmulator(contoso.Undeployed, opt.seed, dir) //nolint:contextcheck // it lives until Close
	if err != nil {
		return &errs.Error{Op: op, Kind: errs.Internal, Err: err}
	}
	defer func() { err = errors.Join(err, em.Close()) }()
	if err := a.aim(&opt.runOptions, em); err != nil {
		return &errs.Error{Op: op, Kind: errs.Internal, Err: err}
	}
	d, err := a.demoDeployment(&opt.runOptions, em)
	if err != nil {
		return &errs.Error{Op: op, Kind: errs.Unavailable, Err: err}
	}
	result := a.withOutput(ctx, &opt.runOptions, func() (*session.Session, *engine.Report, error) { return d.run(ctx, nil) })
	if !opt.keep || ctx.Err() != nil {
		return result
	}
	if err := a.serve(ctx, em, outputText, a.Err); err != nil {
		return err
	}
	return result
}

// demoDeployment is the deployment of the example's template, with the data plane behind it.
func (a *App) demoDeployment(opt *runOptions, em served) (*deployment, error) {
	if err := os.CopyFS(em.file(""), contoso.Templates()); err != nil {
		return nil, err
	}
	return &deployment{app: a, format: deploy.ARM, opt: &deployOptions{runOptions: opt, dataPlane: true, control: deploy.Options{
		Dir: em.file("arm"), Format: deploy.ARM, ResourceGroup: contoso.TargetGroup, Timeouts: deploy.DefaultTimeouts(), Abort: a.Abort,
	}}}, nil
}

// startEmulator starts an emulator with one of the scenarios of a seed.
func startEmulator(tenants func(seed uint64) ([]byte, error), seed uint64, dir string) (served, error) {
	text, err := tenants(seed)
	if err != nil {
		return served{}, err
	}
	world, err := scenario.Decode(bytes.NewReader(text))
	if err != nil {
		return served{}, err
	}
	em, err := emulator.Start(emulator.Options{Scenario: world, Strict: true, LogKeep: -1})
	return served{em, world, dir}, err
}

// aim points a run at the emulator: its transport, its principals, nothing of this
// machine's environment.
func (a *App) aim(opt *runOptions, em served) error {
	mapping := em.file("mapping.json")
	if err := os.WriteFile(mapping, contoso.Mapping(), 0o600); err != nil {
		return err
	}
	source, err := emulatedSide(em, contoso.Source)
	if err != nil {
		return err
	}
	target, err := emulatedSide(em, contoso.Target)
	if err != nil {
		return err
	}
	opt.Source, opt.Target, opt.Mapping = source, target, mapping
	opt.StateDir, opt.Abort = em.file("state"), a.Abort
	opt.Transport = &http.Client{Transport: em.Transport()}
	opt.Env = func(string) (string, bool) { return "", false }
	return nil
}

// emulatedSide signs in as the first principal of an emulated tenant.
func emulatedSide(em served, tenant string) (session.Side, error) {
	p, err := em.Principal(tenant)
	if err != nil {
		return session.Side{}, err
	}
	return session.Side{TenantID: p.TenantID, Principal: auth.Principal{
		Origin: "emulator", TenantID: p.TenantID, ClientID: p.AppID, ClientSecret: secret.New(p.Secret),
	}}, nil
}
