package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/internal/view"
)

// The sections of the manual: commands and everything else.
const (
	commandSection = 1
	topicSection   = 7
)

// manPages returns a manual page for each command and each help topic, by file name.
func (a *App) manPages(root *cobra.Command) map[string]string {
	out := map[string]string{}
	for _, c := range commands(root) {
		if c.Hidden || c.Name() == "help" || isCompletion(c) {
			continue
		}
		p := view.ManPage{Name: manName(c), Section: commandSection, Short: c.Short}
		if c.IsAdditionalHelpTopicCommand() {
			p.Section = topicSection
			p.Parts = []view.ManPart{{Title: "DESCRIPTION", Text: topicText(c), Verbatim: true}}
		} else {
			p.Parts = manParts(c)
		}
		p.Parts = append(p.Parts, seeAlso(c))
		out[fmt.Sprintf("%s.%d", p.Name, p.Section)] = view.Man(p)
	}
	return out
}

func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// topicText is what a help topic prints.
func topicText(c *cobra.Command) string {
	var b strings.Builder
	before := c.OutOrStderr()
	c.SetOut(&b)
	defer c.SetOut(before)
	c.HelpFunc()(c, nil)
	return b.String()
}

// manParts are the parts of a command's page.
func manParts(c *cobra.Command) []view.ManPart {
	c.InitDefaultHelpFlag()
	use := c.UseLine()
	if c.HasAvailableSubCommands() {
		use = c.CommandPath() + " COMMAND"
	}
	parts := []view.ManPart{{Title: "SYNOPSIS", Text: use, Verbatim: true}}
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	parts = append(parts, view.ManPart{Title: "DESCRIPTION", Text: text})
	var below []view.Row
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			below = append(below, view.Row{Name: sub.Name(), Text: sub.Short})
		}
	}
	if len(below) > 0 {
		parts = append(parts, view.ManPart{Title: "COMMANDS", Rows: below})
	}
	parts = append(parts, manFlags(c)...)
	if c.HasExample() {
		parts = append(parts, view.ManPart{Title: "EXAMPLES", Text: c.Example, Verbatim: true})
	}
	status := view.ManPart{Title: "EXIT STATUS"}
	for _, e := range exitCodes {
		status.Rows = append(status.Rows, view.Row{Name: fmt.Sprint(e.code), Text: e.meaning})
	}
	return append(parts, status)
}

// manFlags has a part for the flags and one for each group of them.
func manFlags(c *cobra.Command) []view.ManPart {
	var parts []view.ManPart
	for _, g := range flagGroups(c) {
		part := view.ManPart{Title: "OPTIONS"}
		if g.name != ungrouped {
			part = view.ManPart{Title: g.name, Sub: true}
		}
		if len(parts) == 0 && part.Sub {
			parts = append(parts, view.ManPart{Title: "OPTIONS"})
		}
		g.flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				part.Rows = append(part.Rows, manFlag(f))
			}
		})
		parts = append(parts, part)
	}
	return parts
}

func manFlag(f *pflag.Flag) view.Row {
	value, text := pflag.UnquoteUsage(f)
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if value != "" {
		name += " " + value
	}
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
		text += " (default " + f.DefValue + ")"
	}
	return view.Row{Name: name, Text: text}
}

// seeAlso names the page above, those below, and the topics.
func seeAlso(c *cobra.Command) view.ManPart {
	var pages []string
	add := func(c *cobra.Command, section int) {
		pages = append(pages, fmt.Sprintf("%s(%d)", manName(c), section))
	}
	if c.HasParent() {
		add(c.Parent(), commandSection)
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" && !isCompletion(sub) {
			add(sub, commandSection)
		}
	}
	for _, t := range c.Root().Commands() {
		if t.IsAdditionalHelpTopicCommand() && t != c {
			add(t, topicSection)
		}
	}
	return view.ManPart{Title: "SEE ALSO", Text: strings.Join(pages, ", ")}
}
