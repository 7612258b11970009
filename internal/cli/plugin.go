package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func newPluginCmd(a *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "plugin",
		Short:   "Which resource types atg knows, and what each plugin does",
		GroupID: groupKnow,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPluginListCmd(a, nil), newPluginShowCmd(a, nil), newPluginCheckCmd(a, nil))
	return cmd
}

// pluginOptions are those of the plugin commands.
type pluginOptions struct {
	name   string
	output string
	only   []string // checks to run; none: all
}

func newPluginListCmd(a *App, runF func(*pluginOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the plugins",
		Args:    cobra.NoArgs,
		Example: "  atg plugin list\n  atg plugin list -o json",
	}
	out := outputFlag(cmd, outputText, outputJSON)
	cmd.RunE = func(*cobra.Command, []string) error {
		opt := &pluginOptions{output: out.value}
		if runF != nil {
			return runF(opt)
		}
		return a.pluginList(opt)
	}
	return cmd
}

func (a *App) pluginList(opt *pluginOptions) error {
	reg, err := a.Registry()
	if err != nil {
		return err
	}
	infos := []view.PluginInfo{}
	for _, p := range reg.All() {
		infos = append(infos, view.PluginOf(p))
	}
	if opt.output == outputJSON {
		return view.JSON(a.Out, infos)
	}
	return view.PluginList(a.Out, infos, a.outStyle())
}

func newPluginShowCmd(a *App, runF func(*pluginOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show a plugin's settings, permissions and limits",
		Args:              cobra.ExactArgs(1),
		Example:           "  atg plugin show keyvault",
		ValidArgsFunction: a.completePlugin,
	}
	out := outputFlag(cmd, outputText, outputJSON)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		opt := &pluginOptions{name: args[0], output: out.value}
		if runF != nil {
			return runF(opt)
		}
		return a.pluginShow(opt)
	}
	return cmd
}

func (a *App) pluginShow(opt *pluginOptions) error {
	p, err := a.named(opt.name)
	if err != nil {
		return err
	}
	if opt.output == outputJSON {
		return view.JSON(a.Out, view.PluginOf(p))
	}
	return view.PluginShow(a.Out, view.PluginOf(p), a.outStyle())
}

// named finds a plugin by its name, or else by the resource type it claims.
func (a *App) named(name string) (plugin.Plugin, error) {
	reg, err := a.Registry()
	if err != nil {
		return nil, err
	}
	if p := reg.Named(name); p != nil {
		return p, nil
	}
	i := slices.IndexFunc(reg.All(), func(p plugin.Plugin) bool { return strings.EqualFold(p.Info().Type, name) })
	if i < 0 {
		return nil, usagef("there is no plugin %q; there are: %s", name, strings.Join(pluginNames(reg), ", "))
	}
	return reg.All()[i], nil
}

func (a *App) completePlugin(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	reg, err := a.Registry()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return pluginNames(reg), cobra.ShellCompDirectiveNoFileComp
}

func newPluginCheckCmd(a *App, runF func(context.Context, *pluginOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check NAME",
		Short: "Run the conformance suite on a plugin",
		Args:  cobra.ExactArgs(1),
		Long: `Runs the conformance suite on a plugin, against emulators inside this process:
nothing outside is reached. It ends with exit code 1 if a check fails.`,
		Example:           "  atg plugin check keyvault",
		ValidArgsFunction: a.completePlugin,
	}
	out := outputFlag(cmd, outputText, outputJSON)
	var only []string
	cmd.Flags().StringArrayVar(&only, "only", nil, "run only the `check` with this name; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		opt := &pluginOptions{name: args[0], output: out.value, only: only}
		if runF != nil {
			return runF(cmd.Context(), opt)
		}
		return a.pluginCheck(cmd.Context(), opt)
	}
	return cmd
}
