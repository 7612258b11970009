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
	p := green
	if r.Fidelity.Verified < r.Fidelity.Items {
		p = yellow
	}
	now := ""
	if isPlan(r) {
		now = " now"
	}
	fmt.Fprintf(b, "%s%s of %s proven equal%s at the target.\n", lead("Fidelity", bold, st),
		st.paint(p, percent(r.Fidelity.Count)+": "+number(r.Fidelity.Verified)), plural(r.Fidelity.Items, "source item"), now)
	fmt.Fprintf(b, "%s%s of %s with a target.\n", lead("", bold, st), number(r.Resources.Paired), plural(r.Resources.Source, "source resource"))
	if !r.Run.Complete {
		fmt.Fprintf(b, "%s%s\n", lead("", bold, st), st.paint(yellow, wrap("Not every resource could be listed to its end: the source may hold more.", leadWidth, st.Width)))
	}
	for i, s := range steps(r, next) {
		word := ""
		if i == 0 {
			word = "Next"
		}
		b.WriteString(lead(word, bold, st) + wrap(s.why, leadWidth, st.Width) + "\n")
		if s.command != "" { // never wrapped: it is there to be copied
			b.WriteString(strings.Repeat(" ", leadWidth) + "  " + s.command + "\n")
		}
	}
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
	add(r.Run.Canceled, "Run it again to go on: what is equal already is not written again.", next.Again)
	add(r.FailTotal > 0 && !r.Run.Canceled, "Mend the causes above, then run it again: what is equal already is not written again.", next.Again)
	add(len(r.Unpaired) > 0, "Name a target for each resource without one, in a file for --mapping or by a tag atg-source-id on the target.", "")
	if isPlan(r) {
		add(different > 0, "Items that differ are left as they are. To replace them too:", next.Force)
		add(r.Plan[plugin.Missing] > 0, "Carry out this plan:", next.Apply)
		add(r.Plan[plugin.Missing] == 0 && different == 0 && r.FailTotal == 0, "Nothing to do: the target has everything that can be copied.", "")
		return out
	}
	add(different > 0, "Items that differ were left as they are. To replace them:", next.Force)
	add(len(r.Missing) > 0, "Copy what is missing:", next.Apply)
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
