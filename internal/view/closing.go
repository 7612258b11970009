package view

import (
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// closing writes the fidelity lines and what to do next: the last thing on the screen is
// what the reader needs first.
func closing(b *strings.Builder, r *engine.Report, next Next, st Style) {
	row := func(word, text string, p paint) {
		b.WriteString(lead(word, bold, st) + st.paint(p, wrap(text, leadWidth, st.Width)) + "\n")
	}
	controlRow(b, r.ControlPlane, st)
	switch f := r.Fidelity; {
	case f.Items == 0:
		row("Fidelity", "nothing to compare: the source resources are empty or could not be listed.", yellow)
	case r.Run.Canceled && f.Verified == 0 && len(r.Outcomes) > 0:
		row("Fidelity", "not known: the run stopped before both sides were compared.", yellow)
	case f.Verified < f.Items:
		row("Fidelity", fidelity(r), yellow)
	default:
		row("Fidelity", fidelity(r), green)
	}
	row(tallyWord(r), tallyText(r)+".", "")
	row("Pairs", fmt.Sprintf("%s of %s source resources have a target.", number(r.Resources.Paired), number(r.Resources.Source)), "")
	estimate(b, r.Estimate, st)
	if !r.Run.Complete {
		row("", "Not every resource could be listed to its end: the source may hold more.", yellow)
	}
	if next == (Next{}) { // a question follows
		return
	}
	for i, s := range steps(r, next) {
		word := ""
		if i == 0 {
			word = "Next"
		}
		row(word, s.why, "")
		if s.command != "" { // never wrapped: it is there to be copied
			b.WriteString(strings.Repeat(" ", leadWidth) + "  " + s.command + "\n")
		}
	}
}

// fidelity is the one number that a run ends with, in words.
func fidelity(r *engine.Report) string {
	now := ""
	if isPlan(r) {
		now = " now"
	}
	is := "are proven equal at the target"
	if r.Run.Mode == plugin.Template {
		is = "have a proven equal structure at the target"
	}
	f := r.Fidelity
	return fmt.Sprintf("%s: %s of %s source items %s%s.", percent(f.Count), number(f.Verified), number(f.Items), is, now)
}

func tallyWord(r *engine.Report) string {
	if isPlan(r) {
		return "Plan"
	}
	return "Items"
}

// tallyText counts items by what apply would do, did, or by how they compare.
func tallyText(r *engine.Report) string {
	var parts []string
	add := func(n int64, what string) {
		if n > 0 {
			parts = append(parts, number(n)+" "+what)
		}
	}
	for _, s := range plugin.Statuses() {
		add(r.Outcomes[s], string(s))
	}
	add(r.Plan[plugin.Missing], "to create")
	add(r.Plan[plugin.Same], "the same already")
	add(r.Plan[plugin.Different], "different")
	add(r.Plan[plugin.Cannot], "that cannot be copied")
	if len(parts) == 0 { // verify
		add(r.Fidelity.Verified, "proven equal")
		add(count(r.Unproven), "not provable")
		add(count(r.Different), "different")
		add(count(r.Missing), "missing")
		add(count(r.Skipped), "that cannot be copied")
		add(r.FailTotal, "failed")
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

const leadWidth = 10

func lead(word string, p paint, st Style) string {
	return st.paint(p, word) + strings.Repeat(" ", leadWidth-columns(word))
}

// step is one thing to do next. command is empty where there is nothing to type.
type step struct{ why, command string }

// steps says what to do next, the most pressing first.
func steps(r *engine.Report, next Next) []step {
	var out []step
	add := func(when bool, why, command string) {
		if when {
			out = append(out, step{why, command})
		}
	}
	different := count(r.Different)
	add(r.Run.Canceled && next.Resume != "", "Go on where it stopped:", next.Resume)
	add(r.Run.Canceled && next.Resume == "", "Run it again to go on: what is equal already is not written again.", next.Again)
	add(r.FailTotal > 0 && !r.Run.Canceled, "Mend the causes above, then run it again: what is equal already is not written again.", next.Again)
	add(!r.Run.Complete && r.FailTotal == 0 && !r.Run.Canceled, "Mend what kept resources from being listed to their end, then run it again:", next.Again)
	add(len(r.Unpaired) > 0, "Name a target for each resource without one, in a file for --mapping or by a tag atg-source-id on the target.", "")
	if isPlan(r) {
		add(different > 0, "Items that differ are left as they are. To replace them too:", next.Force)
		add(r.Plan[plugin.Missing] > 0, "Carry out this plan:", next.Apply)
		add(r.Plan[plugin.Missing] == 0 && different == 0 && r.FailTotal == 0 && r.Run.Complete, "Nothing to do: the target has everything that can be copied.", "")
		return out
	}
	add(different > 0, "Items that differ were left as they are. To replace them:", next.Force)
	add(len(r.Missing) > 0 && r.Run.Command == "verify", "Copy what is missing:", next.Apply)
	add(next.Own != "", "Do the same with tenants of your own:", next.Own)
	add(len(out) == 0 && next.Verify != "", "Compare both sides again at any time:", next.Verify)
	return out
}

func count(gs []engine.Group) int64 {
	var n int64
	for _, g := range gs {
		n += g.Count
	}
	return n
}
