package cli

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/internal/view/dashboard"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// App is what the commands share. Its functions are called by the commands that need
// them, so that help and completion touch nothing.
type App struct {
	IO
	Version string
	// Registry gives the plugins of this program, and does no I/O: flags come from them.
	Registry func() (*plugin.Registry, error)
	// Subject returns what the conformance suite must know to check a plugin, if anybody
	// has said it.
	Subject func(plugin.Plugin) (plugintest.Subject, bool)
	// Abort, once closed, cuts what a run has at work at once: the second wish to stop. Nil
	// means that nobody can wish so.
	Abort <-chan struct{}
	// Journal steers how the journals of runs are written; the zero value is for programs.
	Journal journal.Options

	live  atomic.Pointer[dashboard.Dashboard] // what is drawn on the terminal now; may be nil
	lines *view.Lines                         // JSON lines on Out, once something was written

	answers *bufio.Reader // of In, once something was asked
}

// Run runs one command line, without the program's name, and returns the exit code. The
// end of ctx stops the command; a cause of type Interrupted picks its exit code.
func (a *App) Run(ctx context.Context, args []string) int {
	root := a.Root() //nolint:contextcheck // cobra gives the context to the commands
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var signal Interrupted
	if err != nil && errors.As(context.Cause(ctx), &signal) && !errors.As(err, new(resultError)) {
		err = signal
	}
	err = asUsage(cmd, err)
	code := codeOf(err)
	a.explain(cmd, err)
	switch form(cmd) {
	case outputJSON:
		_ = view.Exit(a.Err, code, forMachines(err))
	case outputLines:
		_ = a.stream().Exit(code, forMachines(err))
	}
	return code
}

// forMachines is what the exit record says of err: nothing if the result was shown
// already, and kind "invalid" for a mistake in the command line.
func forMachines(err error) error {
	var usage *usageError
	if errors.As(err, &usage) {
		return &errs.Error{Op: usage.Error(), Kind: errs.Invalid}
	}
	return unlessResult(err)
}

// Root builds the tree of commands.
func (a *App) Root() *cobra.Command {
	root := &cobra.Command{
		Use:   "atg",
		Short: "Copy the data plane of an Azure tenant to another one, and prove it",
		Long: `atg copies what lives inside the resources of an Azure tenant (secrets, keys,
certificates) into the resources of another tenant, after these were deployed there.
It only reads the source, unless a setting that says so is given, and compares both
sides at the end.`,
		Example: `  atg demo                                   # see it work, without Azure
  atg plan --mode replication                # what would be copied, and what cannot be
  atg apply --mode replication --yes         # copy, then compare both sides
  atg verify --mode replication -o json      # compare both sides at any later time`,
		Version:       a.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetUsageFunc(usage)
	root.SetVersionTemplate("atg {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err: err} })
	root.AddGroup(&cobra.Group{ID: groupRun, Title: "Copy and compare:"}, &cobra.Group{ID: groupTry, Title: "Try it without Azure:"},
		&cobra.Group{ID: groupKnow, Title: "Know more:"})
	root.SetHelpCommandGroupID(groupKnow)
	root.SetCompletionCommandGroupID(groupKnow)
	root.AddCommand(
		newPlanCmd(a, nil), newApplyCmd(a, nil), newVerifyCmd(a, nil), newDeployCmd(a, nil), newGenerateCmd(a, nil), newAuthCmd(a), newPairsCmd(a, nil), newPermissionsCmd(a), newRunCmd(a),
		newDemoCmd(a, nil), newEmulatorCmd(a),
		newPluginCmd(a), newVersionCmd(a), newDocsCmd(a),
		newExitCodesTopic(), newEnvironmentTopic(), newFiltersTopic(), newInventoriesTopic(),
	)
	return root
}

// The groups of commands in the help text.
const (
	groupRun  = "run"
	groupTry  = "try"
	groupKnow = "know"
)

// explain writes err for people, unless the command has shown its result already.
func (a *App) explain(cmd *cobra.Command, err error) {
	var usage *usageError
	st := a.errStyle()
	st.Verbose = flagSet(cmd, "debug")
	switch {
	case unlessResult(err) == nil:
	case errors.As(err, &usage):
		_ = view.Usage(a.Err, usage.err, usage.command, st)
	default:
		_ = view.Error(a.Err, err, "", st)
	}
}

func unlessResult(err error) error {
	if errors.As(err, new(resultError)) {
		return nil
	}
	return err
}

// asUsage completes a usage error with its command, and makes one of the errors that
// cobra finds by itself before any command runs: unknown commands and wrong arguments.
func asUsage(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	var usage *usageError
	if errors.As(err, &usage) {
		usage.command = cmd.CommandPath()
		return err
	}
	for _, start := range []string{"unknown command", "accepts ", "requires ", "required flag", "if any flags in the group", "at least one of the flags"} {
		if strings.HasPrefix(err.Error(), start) {
			return &usageError{command: cmd.CommandPath(), err: err}
		}
	}
	return err
}

// form is the form of output that the command was asked for, or "" if it has no such flag.
func form(cmd *cobra.Command) string {
	if f := cmd.Flags().Lookup("output"); f != nil {
		return f.Value.String()
	}
	return ""
}

// flagSet tells whether the command has this switch and it is on.
func flagSet(cmd *cobra.Command, name string) bool {
	on, err := cmd.Flags().GetBool(name)
	return err == nil && on
}
