package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is the width of help texts: they are documents too, so it is fixed.
const helpWidth = 80

// flagGroup marks the group under which a flag stands in the help text.
const flagGroup = "atg_group"

// ungrouped is the title of the flags of no group.
const ungrouped = "Flags"

// inGroup puts flags into a group of the help text.
func inGroup(f *pflag.FlagSet, group string, names ...string) {
	for _, n := range names {
		_ = f.SetAnnotation(n, flagGroup, []string{group})
	}
}

// usage writes the part of a command's help that follows its description.
func usage(cmd *cobra.Command) error {
	cmd.Print(usageText(cmd))
	return nil
}

func usageText(cmd *cobra.Command) string {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", cmd.CommandPath())
	} else {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	subcommands(&b, cmd)
	flags(&b, cmd)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n\"%s COMMAND --help\" says more about a command.\n", cmd.CommandPath())
	}
	return b.String()
}

// subcommands lists commands by group, then those without one, then help topics.
func subcommands(b *strings.Builder, cmd *cobra.Command) {
	titles := map[string]string{"": "Commands:"}
	ids := make([]string, 0, len(cmd.Groups())+1)
	for _, g := range cmd.Groups() {
		titles[g.ID] = g.Title
		ids = append(ids, g.ID)
	}
	for _, id := range append(ids, "") {
		var rows strings.Builder
		for _, c := range cmd.Commands() {
			if c.GroupID == id && (c.IsAvailableCommand() || c.Name() == "help") {
				fmt.Fprintf(&rows, "  %-*s  %s\n", cmd.NamePadding(), c.Name(), c.Short)
			}
		}
		if rows.Len() > 0 {
			fmt.Fprintf(b, "\n%s\n%s", titles[id], rows.String())
		}
	}
	if cmd.HasHelpSubCommands() {
		b.WriteString("\nTopics:\n")
		for _, c := range cmd.Commands() {
			if c.IsAdditionalHelpTopicCommand() {
				fmt.Fprintf(b, "  %s help %-*s  %s\n", cmd.CommandPath(), cmd.NamePadding(), c.Name(), c.Short)
			}
		}
	}
}

// flags lists flags by group.
func flags(b *strings.Builder, cmd *cobra.Command) {
	for _, g := range flagGroups(cmd) {
		fmt.Fprintf(b, "\n%s:\n%s", g.name, g.flags.FlagUsagesWrapped(helpWidth))
	}
}

// groupOfFlags is flags that stand together in the help text.
type groupOfFlags struct {
	name  string
	flags *pflag.FlagSet
}

// flagGroups returns the groups that have a flag to show; the group without a name comes
// first.
func flagGroups(cmd *cobra.Command) []groupOfFlags {
	groups := map[string]*pflag.FlagSet{}
	order := []string{ungrouped}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		name := ungrouped
		if g := f.Annotations[flagGroup]; len(g) > 0 {
			name = g[0]
		}
		if groups[name] == nil {
			groups[name] = pflag.NewFlagSet(name, pflag.ContinueOnError)
			if name != ungrouped {
				order = append(order, name)
			}
		}
		groups[name].AddFlag(f)
	})
	out := make([]groupOfFlags, 0, len(order))
	for _, name := range order {
		if groups[name] != nil && groups[name].HasAvailableFlags() {
			out = append(out, groupOfFlags{name, groups[name]})
		}
	}
	return out
}
