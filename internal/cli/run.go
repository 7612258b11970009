package cli

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/filter"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// runOptions are those of plan, apply and verify.
type runOptions struct {
	session.Options
	output   string
	progress string
	yes      bool   // apply without a question
	exitCode bool   // plan: differences are worth exit code 6
	emulator string // address of an emulator's proxy; "": Azure
	debug    bool
	logFile  string
	next     view.Next
	script   string  // the command that writes a script where permissions are missing
	ask      bool    // somebody can be asked, and may be
	out      *output // of the run that is under way
	// open opens the session; nil: session.Open.
	open    func(context.Context, session.Options) (*session.Session, error)
	run     string            // run resume: the run; "": the last one that is not finished
	reach   []string          // the flags that a resumed run wants again
	plan    *session.PlanFile // apply FILE: the plan to carry out; else nil
	planOut string            // plan --out: the file to write; "": none
}

// runFlags are the flags of plan, apply and verify, as the command line gives them.
type runFlags struct {
	mode, output, progress, cloud *choice
	interactive                   *choice
	types                         []string
	settings                      *settingsGiven
	filter                        filter.Rules
	mapping, logFile, emulator    string
	workers                       int
	overwrite, yes, exitCode      bool
	debug, noInput, skipAccess    bool
	source, target                *sideFlags
	inventory                     string // of both sides
	neo4j                         *neo4jFlags
	pace                          *choice
	stateDir                      *string // nil: no journal is kept
	planOut                       string
	plan                          *session.PlanFile
}

// addRunFlags adds the flags that say what is copied, and those of addReachFlags.
func addRunFlags(a *App, cmd *cobra.Command) *runFlags {
	f, r := cmd.Flags(), addReachFlags(cmd)
	r.mode = choiceFlag(cmd, "mode", "", "how much is copied: structure alone, or everything that can be", string(plugin.Template), string(plugin.Replication))
	f.StringArrayVar(&r.types, "type", nil, "only this resource `type` or plugin; may be repeated")
	r.settings = addSettings(a, cmd)
	f.StringArrayVar(&r.filter.Include, "include", nil, "work only on what this `rule` matches, see \"atg help filters\"; may be repeated")
	f.StringArrayVar(&r.filter.Exclude, "exclude", nil, "leave out what this `rule` matches; may be repeated")
	f.StringVar(&r.mapping, "mapping", "", "JSON `file` that names the target of source resources")
	return r
}

// The values of --pace.
const (
	paceLimits   = "limits"
	paceAdaptive = "adaptive"
)

// addReachFlags adds the flags that say who signs in, how Azure is reached, how fast the
// work goes and what is shown of it.
func addReachFlags(cmd *cobra.Command) *runFlags {
	f := cmd.Flags()
	r := &runFlags{
		output:      outputFlag(cmd, outputText, outputJSON, outputLines),
		progress:    progressFlag(cmd),
		cloud:       cloudFlag(cmd),
		interactive: interactiveFlag(cmd),
		pace:        choiceFlag(cmd, "pace", "", "how fast: keep to the services' documented limits beforehand, or as fast as each service answers", paceLimits, paceAdaptive),
	}
	f.IntVar(&r.workers, "workers", 0, "items at work at once (default 16)")
	f.StringVar(&r.emulator, "emulator", "", "work against the emulator whose proxy is at this `address`, not against Azure")
	f.BoolVar(&r.debug, "debug", false, "log every request, without content, to standard error or --log-file")
	f.StringVar(&r.logFile, "log-file", "", "append the log to this `file`, as JSON lines")
	f.BoolVar(&r.noInput, "no-input", false, "never ask: no question, no interactive sign-in")
	credential(f, "sign-in")
	inGroup(f, "Output", "output", "progress", "debug", "log-file", "no-input")
	r.source, r.target = addSide(f, plugin.Source), addSide(f, plugin.Target)
	r.target.addShort(f)
	r.neo4j = addNeo4j(f)
	return r
}

const pairingHelp = `
The target of a source is the one that the mapping file names, else the one that
carries the tag atg-source-id with the source's resource ID, else the one to which
the graph of Azure Tenant Grapher leads, else the only one of the same type and
name, or of the name that Azure Tenant Grapher gives to copies. A source that none
of these answers for is reported, not guessed: "atg pairs" shows it all.

Each side signs in by itself: with its flags, its environment variables (see
"atg help environment"), or the identity of this machine. A service principal that
is given for one side alone serves both. --sp-client-id, --sp-client-secret,
--sp-client-secret-file and --sp-tenant-id are other names of the target's flags.`

func newPlanCmd(a *App, runF func(context.Context, *runOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "plan",
		Short:   "Show what apply would do, and write nothing",
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		Long: `Compares every item of the source with the target and reports what apply would
create, what is the same already, what differs, and what cannot be copied and
why. It only reads.
` + pairingHelp,
		Example: `  atg plan --source-tenant-id contoso.com --target-tenant-id fabrikam.com
  atg plan --mode replication --type keyvault -o json`,
	}
	flags := addRunFlags(a, cmd)
	cmd.Flags().BoolVar(&flags.overwrite, "overwrite", false, "plan for apply --overwrite")
	cmd.Flags().BoolVar(&flags.exitCode, "exit-code", false, "end with exit code 6 if apply would have something to do")
	cmd.Flags().StringVar(&flags.planOut, "out", "", "write the plan to this `file`, for \"atg apply FILE\"")
	addSkipAccess(cmd, flags)
	addInventory(cmd, flags)
	cmd.RunE = a.runE("plan", flags, runF, a.plan)
	return cmd
}

func newApplyCmd(a *App, runF func(context.Context, *runOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "apply [FILE]",
		Short:   "Copy what the target lacks, then compare both sides",
		GroupID: groupRun,
		Args:    cobra.MaximumNArgs(1),
		Long: `Copies every item that the target lacks, then compares every item and reports
what was proven equal. The source is only read. An item that the target has in
another form is left as it is, unless --overwrite is given. Running it again
writes nothing that is equal already.

Without --yes it shows the plan and asks; where nobody can answer it wants --yes.
FILE is a plan that "atg plan --out FILE" wrote: it is carried out without a
question, and refused if tenants, plugins or the source are not those of the plan.

The run keeps a journal; if it stops, "atg run resume" goes on with it.
` + pairingHelp,
		Example: `  atg apply --source-tenant-id contoso.com --target-tenant-id fabrikam.com
  atg apply --mode replication --mapping pairs.json --yes -o json
  atg plan --mode replication --out plan.json && atg apply plan.json`,
	}
	flags := addRunFlags(a, cmd)
	cmd.Flags().BoolVar(&flags.overwrite, "overwrite", false, "replace what differs at the target")
	cmd.Flags().BoolVarP(&flags.yes, "yes", "y", false, "do not ask before writing")
	addSkipAccess(cmd, flags)
	flags.stateDir = addStateDir(cmd)
	addInventory(cmd, flags)
	run := a.runE("apply", flags, runF, a.apply)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := takePlan(cmd, flags, args); err != nil {
			return err
		}
		return run(cmd, args)
	}
	return cmd
}

func newVerifyCmd(a *App, runF func(context.Context, *runOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "verify",
		Short:   "Compare both sides and report fidelity",
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		Long: `Compares every item of the source with the target, by content where the service
lets it be read, and reports how many are proven equal. It only reads. It ends
with exit code 6 if the target lacks something or holds something else.
` + pairingHelp,
		Example: `  atg verify --mode replication --source-tenant-id contoso.com --target-tenant-id fabrikam.com`,
	}
	flags := addRunFlags(a, cmd)
	addInventory(cmd, flags)
	cmd.RunE = a.runE("verify", flags, runF, a.verify)
	return cmd
}

// runE parses the flags into options and hands them to runF, or else to run.
func (a *App) runE(name string, flags *runFlags, runF, run func(context.Context, *runOptions) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		if err := a.fromEnv(cmd); err != nil {
			return err
		}
		opt, err := a.options(name, cmd, flags)
		if err != nil {
			return err
		}
		if runF != nil {
			run = runF
		}
		return run(cmd.Context(), opt)
	}
}

// options checks the flags and completes them to options.
func (a *App) options(name string, cmd *cobra.Command, f *runFlags) (*runOptions, error) {
	reg, err := a.Registry()
	if err != nil {
		return nil, err
	}
	if err := f.oneReader(); err != nil {
		return nil, err
	}
	if f.workers < 0 || f.workers > 1024 {
		return nil, usagef("--workers %d: want 1 to 1024", f.workers)
	}
	opt := &runOptions{
		output: f.output.value, progress: f.progress.value, yes: f.yes, exitCode: f.exitCode,
		debug: f.debug, logFile: f.logFile, emulator: strings.TrimPrefix(f.emulator, "http://"), next: nextCommands(name, cmd.Flags()), script: a.scriptCommand(cmd.Flags()),
	}
	opt.Command, opt.Version, opt.Registry, opt.Env = name, a.Version, reg, a.Env
	opt.Mode, opt.Mapping = plugin.Mode(f.mode.value), f.mapping
	if opt.Cloud, err = cloud.Absolute(f.cloud.value); err != nil {
		return nil, usagef("--cloud: %w", err)
	}
	opt.Overwrite, opt.Workers, opt.SkipAccessCheck = f.overwrite, f.workers, f.skipAccess
	opt.Unpaced, opt.Journal, opt.Abort = f.pace.value == paceAdaptive, a.Journal, a.Abort
	opt.reach, opt.plan, opt.planOut = reachFlags(cmd.Flags()), f.plan, f.planOut
	if f.stateDir != nil {
		if opt.StateDir, err = a.stateDir(*f.stateDir); err != nil {
			return nil, err
		}
	}
	if err := f.work(opt, a.In); err != nil {
		return nil, err
	}
	if opt.Neo4j, err = f.neo4j.config(a.env, a.In); err != nil {
		return nil, err
	}
	opt.ask = a.canAsk() && !f.noInput
	a.offerChoice(name, cmd, opt)
	a.interactive(opt, f)
	if f.source.clientSecret != "" || f.target.clientSecret != "" {
		_ = view.Warning(a.Err, "a secret on the command line can be read by others in the process list and in the shell's history: use the flag with -file, or the environment", a.errStyle())
	}
	return opt, nil
}

// work fills in what is worked on: resources, settings and both sides. in holds a client
// secret, if a flag says so.
func (f *runFlags) work(opt *runOptions, in io.Reader) (err error) {
	if err := readable(f.mapping); err != nil {
		return err
	}
	if err := f.places(); err != nil {
		return err
	}
	if opt.Types, err = typeFlags(opt.Registry, f.types); err != nil {
		return err
	}
	if opt.Settings, err = settingFlags(opt.Registry, f.settings.all()); err != nil {
		return err
	}
	if _, err = filter.Parse(f.filter, time.Now()); err != nil {
		return err
	}
	opt.Filter = f.filter
	if opt.Source, err = f.source.side(plugin.Source, in); err != nil {
		return err
	}
	opt.Target, err = f.target.side(plugin.Target, in)
	return err
}

// nextCommands writes the commands that may follow, with the flags of this one. Secrets
// are left out: they have to be given again.
func nextCommands(name string, f *pflag.FlagSet) view.Next {
	var args, without []string
	f.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "sp-client-secret", "source-sp-client-secret", "target-sp-client-secret", "output", "exit-code", "yes", "out", stateDirFlag:
			return
		}
		arg := flagText(f)
		args = append(args, arg...)
		if f.Name != "overwrite" && f.Name != skipAccessFlag {
			without = append(without, arg...)
		}
	})
	line := func(command string, args []string, more ...string) string {
		return strings.Join(append(append([]string{"atg", command}, args...), more...), " ")
	}
	next := view.Next{Again: line(name, args), Apply: line("apply", args)}
	switch name {
	case "apply":
		next.Verify = line("verify", without)
		next.Force = line("apply", without, "--overwrite")
	default:
		next.Force = line("apply", without, "--overwrite")
	}
	return next
}

func flagText(f *pflag.Flag) []string {
	if values, ok := f.Value.(pflag.SliceValue); ok {
		given := values.GetSlice()
		out := make([]string, 0, 2*len(given))
		for _, v := range given {
			out = append(out, "--"+f.Name, view.Quote(v))
		}
		return out
	}
	if f.Value.Type() == "bool" {
		return []string{"--" + f.Name}
	}
	return []string{"--" + f.Name, view.Quote(f.Value.String())}
}

// plan runs atg plan.
func (a *App) plan(ctx context.Context, opt *runOptions) error {
	if opt.planOut != "" {
		return a.planToFile(ctx, opt)
	}
	return a.withSession(ctx, opt, func(s *session.Session) (*engine.Report, error) { return s.Plan(ctx) })
}

// verify runs atg verify.
func (a *App) verify(ctx context.Context, opt *runOptions) error {
	return a.withSession(ctx, opt, func(s *session.Session) (*engine.Report, error) { return s.Verify(ctx) })
}

// apply runs atg apply.
func (a *App) apply(ctx context.Context, opt *runOptions) error {
	if opt.plan != nil {
		return a.applyPlan(ctx, opt)
	}
	if err := a.mayAsk(opt); err != nil {
		return err
	}
	return a.journaled(ctx, opt, func(s *session.Session) (*engine.Report, error) {
		if err := s.MayApply(ctx); err != nil {
			return nil, err
		}
		if !opt.yes {
			if stopped, err := a.consent(ctx, opt, s); stopped != nil || err != nil {
				return stopped, err
			}
		}
		return s.Apply(ctx)
	})
}
