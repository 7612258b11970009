package cli

import (
	"cmp"
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/deploy"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// deployOptions are those of deploy: of the control plane and, with dataPlane, of the run
// that follows it.
type deployOptions struct {
	*runOptions
	control   deploy.Options
	dataPlane bool
	dryRun    bool
}

// deployFlags are the flags that deploy has beyond those of apply.
type deployFlags struct {
	*runFlags
	dir, location, parameters, binary string
	format                            *choice
	timeouts                          deploy.Timeouts
	dryRun, dataPlane, interactive    bool
}

// anyFormat is the value of --iac-format that leaves the format to the files.
const anyFormat = "auto"

// defaultLocation is upstream's.
const defaultLocation = "eastus"

func newDeployCmd(a *App, runF func(context.Context, *deployOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "deploy",
		Short:   "Deploy Terraform, Bicep or ARM files, then copy the data plane",
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		Long: `Deploys what the files of --iac-dir declare into the target tenant: the control
plane. With --dataplane it then copies what lives inside the source's resources into
those that were deployed, as "atg apply" does, and reports both apart. If the control
plane fails, the data plane is not begun.

*.tf and *.tf.json are deployed by Terraform, or by OpenTofu if only that is
installed; *.bicep by the Bicep compiler and Azure; a JSON file whose $schema is that
of a deployment template by Azure alone. If there are several formats, --iac-format
says which one. Resources that the files do not mention are left as they are; where
Terraform plans to delete or replace some, --yes is wanted.

--dry-run plans both: which resources, which items, how much and how long. It changes
nothing. --dataplane-interactive asks for mode, resource types and consent, and lets
people sign in; without it nothing is ever asked.
` + pairingHelp + `

Terraform gets the target's service principal as ARM_CLIENT_ID, ARM_CLIENT_SECRET and
ARM_TENANT_ID; without one it signs in as it does by itself.`,
		Example: `  atg deploy --iac-dir ./output/terraform --target-tenant-id fabrikam.com \
    --resource-group replicated-rg --dataplane
  atg deploy --iac-dir ./output/arm --target-tenant-id fabrikam.com \
    --resource-group replicated-rg --dataplane --dataplane-mode replication --dry-run`,
	}
	flags := addDeployFlags(a, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.fromEnv(cmd); err != nil {
			return err
		}
		if err := a.upstreamTimeouts(cmd.Flags()); err != nil {
			return err
		}
		opt, err := a.deployOptions(cmd, flags)
		if err != nil {
			return err
		}
		if runF != nil {
			return runF(cmd.Context(), opt)
		}
		return a.deploy(cmd.Context(), opt)
	}
	return cmd
}

// addDeployFlags adds the flags of the specification's deploy command, those of upstream's
// timeouts, and those of apply. What the specification calls otherwise than apply is
// another name of the same flag.
func addDeployFlags(a *App, cmd *cobra.Command) *deployFlags {
	f := cmd.Flags()
	d := &deployFlags{runFlags: addRunFlags(a, cmd)}
	f.StringVar(&d.dir, "iac-dir", "", "`directory` with the Terraform, Bicep or ARM files")
	d.format = choiceFlag(cmd, "iac-format", "", "format of the files", append([]string{anyFormat}, words(deploy.Formats())...)...)
	f.StringVar(&d.target.group, "resource-group", "", "resource group `name` to deploy to; created if it is not there; Terraform files say it themselves")
	f.StringVar(&d.target.subscription, "subscription-id", "", "subscription `ID` to deploy to (default: the only one that the principal sees)")
	f.StringVar(&d.location, "location", defaultLocation, "Azure `region` of a resource group that is created, or of a deployment to a subscription")
	f.StringVar(&d.parameters, "parameters", "", "`file` with the parameters of the template (default: the one beside it)")
	f.StringVar(&d.binary, "terraform-bin", "", "the Terraform or OpenTofu `program` (default: terraform, else tofu)")
	f.BoolVar(&d.dryRun, "dry-run", false, "plan both phases and change nothing")
	f.BoolVarP(&d.yes, "yes", "y", false, "do not ask, not even before Terraform deletes or replaces something")
	std := deploy.DefaultTimeouts()
	f.DurationVar(&d.timeouts.Init, "init-timeout", std.Init, "how long terraform init may take")
	f.DurationVar(&d.timeouts.Plan, "plan-timeout", std.Plan, "how long planning, compiling and validating may take")
	f.DurationVar(&d.timeouts.Deploy, "deploy-timeout", std.Deploy, "how long the deployment may take")
	inGroup(f, "Control plane", "iac-dir", "iac-format", "resource-group", "subscription-id", "location", "parameters", "terraform-bin", "init-timeout", "plan-timeout", "deploy-timeout")

	f.BoolVar(&d.dataPlane, "dataplane", false, "copy the data plane after the control plane")
	f.Var(folded{d.mode}, "dataplane-mode", "how much is copied: structure alone, or everything that can be")
	_ = cmd.RegisterFlagCompletionFunc("dataplane-mode", cobra.FixedCompletions(words(plugin.Modes()), cobra.ShellCompDirectiveNoFileComp))
	f.BoolVar(&d.overwrite, "overwrite", false, "replace what differs at the target; wants --yes or --dataplane-interactive")
	f.BoolVar(&d.interactive, "dataplane-interactive", false, "ask for mode, types and consent, and let people sign in")
	f.StringVar(&d.source.inventory, "inventory", "", "same as --source-inventory")
	inGroup(f, "Data plane", "dataplane", "dataplane-mode", "dataplane-interactive", "overwrite", "type", "mapping", "inventory", "include", "exclude")
	inGroup(f, "Data plane", settingNames(f)...)
	addSkipAccess(cmd, d.runFlags)
	d.stateDir = addStateDir(cmd)

	// A variable must not overrule a flag under its other name.
	credential(f, "mode", "inventory", "subscription-id", "target-resource-group")
	for _, other := range []string{"mode", "target-subscription-id", "target-resource-group", "sign-in"} {
		_ = f.MarkHidden(other)
	}
	for _, spec := range []string{"sp-client-id", "sp-client-secret", "sp-tenant-id"} {
		f.Lookup(spec).Hidden = false
	}
	inGroup(f, "Target", "sp-client-id", "sp-client-secret", "sp-client-secret-file", "sp-tenant-id")
	return d
}

// folded is a choice that takes its values in any case, as the specification wants it.
type folded struct{ *choice }

// Set implements pflag.Value.
func (f folded) Set(s string) error { return f.choice.Set(strings.ToLower(s)) }

func words[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

// upstreamTimeouts takes the variables by which Azure Tenant Grapher knows the timeouts,
// in seconds, where no flag says otherwise. As there, a value that makes no sense is
// reported and left out.
func (a *App) upstreamTimeouts(f *pflag.FlagSet) error {
	for _, v := range []struct{ variable, flag string }{
		{"ATG_TIMEOUT_INIT", "init-timeout"}, {"ATG_TIMEOUT_BUILD", "plan-timeout"}, {"ATG_TIMEOUT_DEPLOY", "deploy-timeout"},
	} {
		value := a.env(v.variable)
		if value == "" || f.Changed(v.flag) {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n <= 0 {
			if err := view.Warning(a.Err, v.variable+"="+value+" is no number of seconds: it is left out", a.errStyle()); err != nil {
				return err
			}
			continue
		}
		if err := f.Set(v.flag, (time.Duration(n) * time.Second).String()); err != nil {
			return err
		}
	}
	return nil
}

// deployOptions checks the flags and completes them to options.
func (a *App) deployOptions(cmd *cobra.Command, d *deployFlags) (*deployOptions, error) {
	if err := d.check(a); err != nil {
		return nil, err
	}
	noInput := d.noInput
	d.noInput = noInput || !d.interactive
	opt, err := a.options("deploy", cmd, d.runFlags)
	if err != nil {
		return nil, err
	}
	if d.noInput && !noInput {
		opt.NoSignIn = "not allowed without --dataplane-interactive"
	}
	a.chooseAside(cmd, opt)
	tenant := cmp.Or(opt.Target.TenantID, auth.FromEnvironment(plugin.Target, a.Env).TenantID)
	if tenant == "" {
		return nil, usagef("no target tenant: give --target-tenant-id, or the environment variable AZURE_TENANT_ID")
	}
	opt.Target.TenantID = tenant
	opt.next = deployNext(cmd)
	out := &deployOptions{runOptions: opt, dataPlane: d.dataPlane, dryRun: d.dryRun}
	out.control = deploy.Options{
		Dir: d.dir, Format: deploy.Format(strings.TrimPrefix(d.format.value, anyFormat)),
		ResourceGroup: opt.Target.ResourceGroup, Location: d.location, SubscriptionID: opt.Target.SubscriptionID,
		Parameters: d.parameters, TerraformBinary: d.binary, Workspace: a.env("TF_WORKSPACE"),
		Timeouts: d.timeouts, Abort: a.Abort,
	}
	return out, nil
}

// chooseAside lets the questions about mode and types interrupt the display, unless the
// command line has answered them.
func (a *App) chooseAside(cmd *cobra.Command, opt *runOptions) {
	ask := opt.Choose
	if ask == nil || cmd.Flags().Changed("dataplane-mode") {
		opt.Choose = nil
		return
	}
	opt.Choose = func(ctx context.Context, found session.Found) (session.Choice, error) {
		var choice session.Choice
		err := opt.out.aside(func() (err error) {
			choice, err = ask(ctx, found)
			return err
		})
		opt.next = deployNext(cmd)
		return choice, err
	}
}

// check refuses combinations that make no sense, before anything is read.
func (d *deployFlags) check(a *App) error {
	if err := d.checkAsking(a); err != nil {
		return err
	}
	switch {
	case d.dir == "":
		return usagef("no files to deploy: give --iac-dir")
	case d.timeouts.Init < 0 || d.timeouts.Plan < 0 || d.timeouts.Deploy < 0:
		return usagef("a timeout cannot be negative; 0 means none")
	}
	info, err := os.Stat(d.dir)
	switch {
	case err != nil:
		return usagef("--iac-dir %s: there is no such directory", d.dir)
	case !info.IsDir():
		return usagef("--iac-dir %s: it is a file; name the directory it is in", d.dir)
	}
	return readable(d.parameters)
}

// checkAsking refuses what would have to ask and cannot.
func (d *deployFlags) checkAsking(a *App) error {
	switch {
	case d.interactive && d.noInput:
		return usagef("--dataplane-interactive asks, and --no-input forbids it")
	case d.interactive && !a.canAsk():
		return usagef("--dataplane-interactive asks, and nobody can be asked here: standard input or standard error is no terminal")
	case d.interactive && !d.dataPlane:
		return usagef("--dataplane-interactive is about the data plane: give --dataplane too")
	case d.overwrite && d.dataPlane && !d.yes && !d.interactive && !d.dryRun:
		return usagef("--overwrite replaces what the target holds: add --yes, or --dataplane-interactive to be asked")
	}
	return nil
}

// asApply are the flags that verify and run resume know by another name. Those of the
// control plane alone mean nothing to them.
var asApply = map[string]string{
	"dataplane-mode": "mode", "subscription-id": "target-subscription-id", "resource-group": "target-resource-group", "inventory": "source-inventory",
	"iac-dir": "", "iac-format": "", "location": "", "parameters": "", "terraform-bin": "", "dry-run": "", "yes": "",
	"init-timeout": "", "plan-timeout": "", "deploy-timeout": "", "dataplane": "", "dataplane-interactive": "",
	"overwrite": "", skipAccessFlag: "", "output": "", stateDirFlag: "",
	"sp-client-secret": "", "source-sp-client-secret": "", "target-sp-client-secret": "",
}

// deployNext writes the commands that may follow. Secrets are left out.
func deployNext(cmd *cobra.Command) view.Next {
	var same, later []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if strings.HasSuffix(f.Name, "sp-client-secret") || f.Name == "output" {
			return
		}
		arg := flagText(f)
		if f.Name != "dry-run" {
			same = append(same, arg...)
		}
		name, special := asApply[f.Name]
		switch {
		case !special:
			later = append(later, arg...)
		case name != "":
			later = append(later, append([]string{"--" + name}, arg[1:]...)...)
		}
	})
	line := func(command string, args []string, more ...string) string {
		return strings.Join(append(append([]string{"atg", command}, args...), more...), " ")
	}
	return view.Next{
		Again: line("deploy", same), Apply: line("deploy", same), Verify: line("verify", later), Force: line("apply", later, "--overwrite"),
	}
}
