package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// maxListed is how many changes a text lists; the JSON form has more.
const maxListed = 50

// DeployChanges writes what deploying would change, before somebody is asked.
func DeployChanges(w io.Writer, changes []change.Change, st Style) error {
	rows := make([]engine.DeployChange, 0, len(changes))
	for _, c := range changes {
		if c.Action != change.Same {
			rows = append(rows, engine.DeployChange{Action: string(c.Action), Resource: c.Name, Type: c.Type, Note: c.Note})
		}
	}
	var b strings.Builder
	b.WriteByte('\n')
	changeTable(&b, rows, st)
	_, err := io.WriteString(w, b.String())
	return err
}

// changeTable has one row for each change.
func changeTable(b *strings.Builder, changes []engine.DeployChange, st Style) {
	if len(changes) == 0 {
		b.WriteString("Nothing to deploy: every resource is as it is declared.\n\n")
		return
	}
	t := table{cols: []column{{title: "CHANGE"}, {title: "RESOURCE", flex: true}, {title: "TYPE", spare: true}}}
	for _, c := range changes[:min(len(changes), maxListed)] {
		t.add(c.Action, nameIn(c.Resource), c.Type)
	}
	t.write(b, st)
	if more := len(changes) - maxListed; more > 0 {
		fmt.Fprintf(b, "and %s; -o json lists them\n", plural(int64(more), "other"))
	}
	b.WriteByte('\n')
}

// nameIn is the name in a resource ID; an address in a configuration is one already.
func nameIn(resource string) string {
	if strings.HasPrefix(resource, "/") {
		return nameOf(resource)
	}
	return resource
}

// onlyDeployed tells whether no data plane was worked on.
func onlyDeployed(r *engine.Report) bool { return r.ControlPlane != nil && !r.ControlPlane.DataPlane }

// controlPlane writes what was deployed: what would change, what failed, how it was left.
func controlPlane(b *strings.Builder, c *engine.ControlPlane, st Style) {
	if c == nil {
		return
	}
	line := fmt.Sprintf("Control plane: %s, %s", c.Status, c.Format)
	if c.Seconds > 0 {
		line += ", " + seconds(c.Seconds)
	}
	b.WriteString(st.paint(bold, line) + "\n")
	where := "directory " + c.Directory
	if c.Scope != "" {
		where += ", to " + c.Scope
	}
	fmt.Fprintf(b, "  %s\n\n", wrap(printable(where), 4, st.Width))
	if c.Status == statusPlanned {
		changeTable(b, c.Changes, st)
	}
	for _, note := range c.Notes {
		fmt.Fprintf(b, "%s %s\n\n", st.paint(yellow, "Note:"), wrap(printable(note), 6, st.Width))
	}
	deployFailures(b, c, st)
	if c.State != "" {
		fmt.Fprintf(b, "%s\n\n", wrap(printable(c.State), 0, st.Width))
	}
}

// statusPlanned is the status of a control plane that was only planned.
const statusPlanned = "planned"

func deployFailures(b *strings.Builder, c *engine.ControlPlane, st Style) {
	if len(c.Failures) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", st.paint(red, "Not deployed: "+plural(int64(len(c.Failures)), "resource")))
	for _, f := range c.Failures {
		fmt.Fprintf(b, "  %s\n    %s\n", printable(nameIn(f.Resource)), wrap(printable(f.Message), 4, st.Width))
	}
	b.WriteByte('\n')
}

// deployLine is the control plane's number, in words.
func deployLine(c *engine.ControlPlane) string {
	share := percent(engine.Count{Items: c.Resources, Verified: c.Deployed, Percent: c.Percent})
	done := "are deployed"
	if c.Status == statusPlanned {
		done = "are there already as declared"
	}
	return fmt.Sprintf("%s: %s of %s declared resources %s.", share, number(c.Deployed), number(c.Resources), done)
}

// deployPlan is what a plan of the control plane would change, in words; "" if there is none.
func deployPlan(c *engine.ControlPlane) string {
	var parts []string
	for _, a := range change.Actions() {
		if n := c.Plan[string(a)]; n > 0 {
			parts = append(parts, number(n)+" "+deployVerbs[a])
		}
	}
	return strings.Join(parts, ", ")
}

var deployVerbs = map[change.Action]string{
	change.Create: "to create", change.Update: "to change", change.Replace: "to replace", change.Delete: "to delete",
	change.Same: "the same already", change.Unclear: "deployed anew",
}

// deployClosing ends a report of the control plane alone.
func deployClosing(b *strings.Builder, r *engine.Report, next Next, st Style) {
	c := r.ControlPlane
	controlRow(b, c, st)
	step := func(why, command string) {
		b.WriteString(lead("Next", bold, st) + wrap(why, leadWidth, st.Width) + "\n")
		if command != "" {
			b.WriteString(strings.Repeat(" ", leadWidth) + "  " + command + "\n")
		}
	}
	switch {
	case c.Status == statusPlanned:
		step("Carry out this plan:", next.Apply)
	case r.Run.Canceled && c.GoOn != "":
		step(printable(upper(c.GoOn))+".", next.Again)
	case c.Status != "deployed":
		step("Mend the cause, then run it again: what is deployed already stays.", next.Again)
	}
}

// controlRow is the line of the control plane among the closing lines.
func controlRow(b *strings.Builder, c *engine.ControlPlane, st Style) {
	if c == nil {
		return
	}
	p := green
	if c.Deployed < c.Resources {
		p = yellow
	}
	b.WriteString(lead("Deployed", bold, st) + st.paint(p, wrap(deployLine(c), leadWidth, st.Width)) + "\n")
	if plan := deployPlan(c); plan != "" && c.Status == statusPlanned {
		b.WriteString(lead("Changes", bold, st) + wrap(plan+".", leadWidth, st.Width) + "\n")
	}
}

// upper starts a sentence.
func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// deploy writes the facts of the control plane. It returns false for any other event.
func (p *Plain) deploy(e event.Event) bool {
	switch e := e.(type) {
	case event.DeployStarted:
		p.phase = event.Deploying
		what := "deploy"
		if e.DryRun {
			what = "plan to deploy"
		}
		p.line("%s: %s files in %s, target tenant %s", what, e.Format, e.Directory, orWord(e.Tenant, "unknown"))
	case event.DeployStep:
		p.line("%s: %s", e.Step, e.Text)
	case event.DeployOutput:
		p.line("  %s", e.Line)
	case event.DeployPlanned:
		p.line("changes: %s to create, %s to change, %s to replace, %s to delete, %s the same",
			number(e.Create), number(e.Update), number(e.Replace), number(e.Delete), number(e.Same))
	case event.DeployResource:
		switch {
		case !strings.HasPrefix(e.Resource, "/"): // Terraform's own lines say it
		case e.Err != nil:
			p.line("failed %s: %s", nameOf(e.Resource), Brief(e.Err))
		default:
			p.line("%s %s (%s)", e.State, nameOf(e.Resource), e.Kind)
		}
	case event.DeployFinished:
		p.line("control plane %s: %s of %s", e.Status, number(e.Deployed), plural(e.Resources, "resource"))
	default:
		return false
	}
	return true
}

// Line is text of a tool without anything that steers the terminal.
func Line(text string) string { return printable(text) }
