package rbac

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Table writes what every plugin needs as Markdown: each operation with its sides and
// modes, and the built-in roles that grant the least of those that suffice.
func Table(plugins []plugin.Plugin) string {
	var b strings.Builder
	roles := catalog.BuiltIn()
	b.WriteString("# Permissions\n\nWhat the principal of each side needs at every resource of a pair. " +
		"`atg permissions check` tells whether it\nholds that, `atg permissions script` writes what gives it. " +
		"To find resources, a principal also needs to read\nthem where it looks: the role Reader at the resources, their groups or subscriptions.\n\n")
	fmt.Fprintf(&b, "Built-in roles as of %s.\n", roles.Date)
	for _, p := range plugins {
		pluginTable(&b, p)
	}
	return b.String()
}

func pluginTable(b *strings.Builder, p plugin.Plugin) {
	info := p.Info()
	fmt.Fprintf(b, "\n## %s\n\n%s, plugin `%s`.", cell(info.Title), cell(info.Type), cell(info.Name))
	namespace, _, _ := strings.Cut(info.Type, "/")
	if list, ok := catalog.Operations(namespace); ok {
		fmt.Fprintf(b, " Names checked against [Azure's list of operations](%s) of %s.", list.Source, list.Date)
	}
	b.WriteString("\n\n| side | operation | kind | mode | for |\n|---|---|---|---|---|\n")
	for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
		for _, row := range rowsOf(p, side) {
			kind := "action"
			if row.right.Data {
				kind = "data action"
			}
			fmt.Fprintf(b, "| %s | `%s` | %s | %s | %s |\n", side, cell(row.right.Action), kind, strings.Join(row.modes, ", "), cell(row.right.Reason))
		}
	}
	b.WriteString("\nBuilt-in roles that suffice, with how many operations of the service they grant beyond the need:\n\n| side | mode | fewest roles | narrowest roles |\n|---|---|---|---|\n")
	for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
		for _, mode := range info.Modes {
			needs := Needs(p, side, mode, nil, AzureRBAC)
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", side, mode, chosen(catalog.Least(needs, catalog.Fewest)), chosen(catalog.Least(needs, catalog.Narrowest)))
		}
	}
}

// row is one operation on one side, with the modes that need it.
type row struct {
	right Right
	modes []string
}

// rowsOf lists what a side needs in any mode, each operation once.
func rowsOf(p plugin.Plugin, side plugin.Side) []row {
	out := []row{{right: Right{Action: p.Info().Type + "/read", Reason: "read the resource itself"}}}
	for _, mode := range p.Info().Modes {
		out[0].modes = append(out[0].modes, string(mode))
		for _, r := range rightsOf(Subject{Side: side, Plugin: p, Mode: mode}) {
			i := slices.IndexFunc(out, func(known row) bool {
				return known.right.Data == r.Data && strings.EqualFold(known.right.Action, r.Action)
			})
			if i < 0 {
				i = len(out)
				out = append(out, row{right: r})
			}
			if !slices.Contains(out[i].modes, string(mode)) {
				out[i].modes = append(out[i].modes, string(mode))
			}
		}
	}
	return out
}

// chosen names the roles of a choice and what they grant beyond the need.
func chosen(c catalog.Choice) string {
	var names []string
	for _, r := range c.Roles {
		names = append(names, r.Name)
	}
	if len(c.Uncovered) > 0 {
		names = append(names, "a custom role for the rest")
	}
	text := strings.Join(names, ", ")
	if much := c.Excess(); len(c.Beyond) > 0 {
		text += fmt.Sprintf(" (+%d, +%d reads)", much.Changes, much.Reads)
	}
	return text
}

// cell keeps text within its cell of a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(s)
}
