package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Next holds the command lines that the reader of a report may want to type. They are
// written as the shell takes them and hold no secret. Empty ones are not offered; without
// any, nothing is said of what to do next.
type Next struct {
	Again  string // the same command
	Resume string // of a run that was stopped: the command that goes on with it
	Apply  string // of a plan: the command that carries it out
	Verify string // of an apply: the command that compares both sides once more
	Force  string // the command that replaces what differs at the target
	Own    string // of the demo: the first command with real tenants
}

// Report writes r as text: head, tables, what was not copied and why, fidelity, and what
// to do next.
func Report(w io.Writer, r *engine.Report, next Next, st Style) error {
	var b strings.Builder
	head(&b, r, st)
	controlPlane(&b, r.ControlPlane, st)
	if onlyDeployed(r) {
		deployClosing(&b, r, next, st)
		_, err := io.WriteString(w, b.String())
		return err
	}
	pairTable(&b, r, st)
	kindTable(&b, r, st)
	leftOut(&b, r, st)
	unpaired(&b, r, st)
	groups(&b, r, st)
	failures(&b, r, st)
	closing(&b, r, next, st)
	_, err := io.WriteString(w, b.String())
	return err
}

func head(b *strings.Builder, r *engine.Report, st Style) {
	run := r.Run
	line := fmt.Sprintf("%s, %s mode", run.Command, run.Mode)
	tenants := []string{"source tenant " + orUnknown(run.SourceTenant), "target tenant " + orUnknown(run.TargetTenant)}
	if onlyDeployed(r) {
		line, tenants = run.Command, tenants[1:]
	}
	if run.ID != "" {
		line += ", run " + run.ID
	}
	if run.Seconds > 0 {
		line += ", " + seconds(run.Seconds)
	}
	b.WriteString(st.paint(bold, line) + "\n")
	for _, line := range tenants {
		fmt.Fprintf(b, "  %s\n", wrap(line, 4, st.Width))
	}
	b.WriteByte('\n')
	if run.Canceled {
		b.WriteString(st.paint(yellow, "Stopped before the end: the counts below cover what was done until then.") + "\n\n")
	}
}

// leftOut says what a filter kept the run from.
func leftOut(b *strings.Builder, r *engine.Report, st Style) {
	if r.Run.Filter.Empty() {
		return
	}
	var rules []string
	for _, rule := range r.Run.Filter.Include {
		rules = append(rules, "--include "+Quote(printable(rule)))
	}
	for _, rule := range r.Run.Filter.Exclude {
		rules = append(rules, "--exclude "+Quote(printable(rule)))
	}
	line := plural(r.LeftOut, "item") + " of these resources left out by " + strings.Join(rules, " ") + "; they count nowhere here."
	b.WriteString(wrap(line, 2, st.Width) + "\n\n")
}

func orUnknown(tenant string) string {
	if tenant == "" {
		return "(unknown)"
	}
	return printable(tenant)
}

// pairTable has one row for each pair. Columns in which every pair has nothing are left out.
func pairTable(b *strings.Builder, r *engine.Report, st Style) {
	if len(r.Pairs) == 0 {
		b.WriteString("No pair of resources to work on.\n\n")
		return
	}
	t := table{cols: []column{{title: "SOURCE", flex: true}, {title: "TARGET", flex: true}, {title: "PAIRED BY", spare: true}, {title: "ITEMS", right: true}}}
	counts := countColumns(r)
	for _, c := range counts {
		t.cols = append(t.cols, column{title: c.title, right: true})
	}
	t.cols = append(t.cols, column{title: "PROVEN", right: true})
	for _, p := range r.Pairs {
		row := []string{nameOf(p.Source), nameOf(p.Target), p.Rule, number(p.Fidelity.Items)}
		for _, c := range counts {
			row = append(row, number(c.of(p)))
		}
		t.add(append(row, percent(p.Fidelity))...)
	}
	t.write(b, st)
	b.WriteByte('\n')
	paths(b, r, st)
	for _, p := range r.Pairs {
		if p.Skipped != "" {
			fmt.Fprintf(b, "%s %s: %s\n\n", st.paint(yellow, "Left out:"), nameOf(p.Source), wrap(printable(p.Skipped), 2, st.Width))
		}
		if p.Error != nil {
			b.WriteString(st.paint(red, "Not listed to its end: ") + nameOf(p.Source) + "\n")
			problem(b, r, *p.Error, onSide(r, p.Source, p.Error.Side), st)
			b.WriteByte('\n')
		}
	}
}

// paths says by which ways the items of each pair were copied, where there are several.
func paths(b *strings.Builder, r *engine.Report, st Style) {
	said := false
	for _, p := range r.Pairs {
		var parts []string
		for _, path := range sortedKeys(p.Paths) {
			parts = append(parts, printable(path)+" ("+plural(p.Paths[path], "item")+")")
		}
		if len(parts) == 0 {
			continue
		}
		said = true
		b.WriteString(wrap("How "+nameOf(p.Source)+" was copied: "+strings.Join(parts, ", "), 2, st.Width) + "\n")
	}
	if said {
		b.WriteByte('\n')
	}
}

// isPlan tells whether r is of a plan: nothing was written.
func isPlan(r *engine.Report) bool { return r.Run.Command == "plan" }

// countColumn is a count of items that a pair's row shows.
type countColumn struct {
	title string
	of    func(engine.PairReport) int64
}

func countColumns(r *engine.Report) []countColumn {
	var all []countColumn
	if isPlan(r) {
		for _, s := range []plugin.State{plugin.Missing, plugin.Same, plugin.Different, plugin.Cannot} {
			all = append(all, countColumn{planTitle(s), func(p engine.PairReport) int64 { return p.Plan[s] }})
		}
	}
	if !isPlan(r) {
		for _, s := range plugin.Statuses() {
			all = append(all, countColumn{strings.ToUpper(string(s)), func(p engine.PairReport) int64 { return p.Outcomes[s] }})
		}
	}
	return slices.DeleteFunc(all, func(c countColumn) bool {
		return !slices.ContainsFunc(r.Pairs, func(p engine.PairReport) bool { return c.of(p) != 0 })
	})
}

// planTitle names a state by what apply would do.
func planTitle(s plugin.State) string {
	switch s {
	case plugin.Missing:
		return "CREATE"
	case plugin.Same:
		return "SAME"
	case plugin.Different:
		return "DIFFERENT"
	default:
		return "CANNOT"
	}
}

// kindTable has one row for each kind of item and one for the sum.
func kindTable(b *strings.Builder, r *engine.Report, st Style) {
	if r.Fidelity.Items == 0 {
		return
	}
	t := table{cols: []column{{title: "TYPE", flex: true}, {title: "KIND"}, {title: "ITEMS", right: true}, {title: "PROVEN EQUAL", right: true}, {title: "SHARE", right: true}}}
	for _, typ := range sortedKeys(r.Fidelity.ByKind) {
		for _, kind := range sortedKeys(r.Fidelity.ByKind[typ]) {
			c := r.Fidelity.ByKind[typ][kind]
			t.add(typ, kind, number(c.Items), number(c.Verified), percent(c))
		}
	}
	t.add("all", "", number(r.Fidelity.Items), number(r.Fidelity.Verified), percent(r.Fidelity.Count))
	t.write(b, st)
	b.WriteByte('\n')
}

func unpaired(b *strings.Builder, r *engine.Report, st Style) {
	if len(r.Unpaired) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", st.paint(yellow, "Without a target: "+plural(int64(len(r.Unpaired)), "source resource")))
	for _, u := range r.Unpaired {
		fmt.Fprintf(b, "  %s\n    %s\n", printable(u.ID), wrap(printable(u.Reason), 4, st.Width))
		for _, near := range u.Near {
			fmt.Fprintf(b, "    near: %s\n", printable(near))
		}
	}
	b.WriteByte('\n')
}

// groups lists what did not end as proven equal, by reason.
func groups(b *strings.Builder, r *engine.Report, st Style) {
	skipped := "Not copied"
	if isPlan(r) {
		skipped = "Cannot be copied"
	}
	group(b, skipped, r.Skipped, yellow, st)
	group(b, "At the target, but not provably equal", r.Unproven, yellow, st)
	group(b, "Different at the target", r.Different, yellow, st)
	group(b, "Missing at the target", r.Missing, red, st)
	group(b, "Warnings", r.Warnings, yellow, st)
}

func group(b *strings.Builder, title string, gs []engine.Group, p paint, st Style) {
	if len(gs) == 0 {
		return
	}
	var total int64
	for _, g := range gs {
		total += g.Count
	}
	fmt.Fprintf(b, "%s\n", st.paint(p, title+": "+plural(total, "item")))
	for _, g := range gs {
		lead := fmt.Sprintf("  %5s  ", number(g.Count))
		at := columns(lead)
		text := printable(g.Kind)
		if g.Reason != "" {
			text += ": " + printable(g.Reason)
		}
		fmt.Fprintf(b, "%s%s\n", lead, wrap(text, at, st.Width))
		fmt.Fprintf(b, "%s%s\n", strings.Repeat(" ", at), st.paint(dim, wrap(examples(g), at, st.Width)))
	}
	b.WriteByte('\n')
}

// examples lists a group's examples and says how many more there are.
func examples(g engine.Group) string {
	names := make([]string, len(g.Examples))
	for i, e := range g.Examples {
		names[i] = printable(e)
	}
	if more := g.Count - int64(len(names)); more > 0 {
		names = append(names, fmt.Sprintf("and %s more", number(more)))
	}
	return strings.Join(names, ", ")
}

// duration is a time span as people write it: "320ms", "4.2s", "1m20s".
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

func seconds(s float64) string { return duration(time.Duration(s * float64(time.Second))) }
