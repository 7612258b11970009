package view

import (
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/engine"
)

// estimate writes what the apply of a plan would take, and what that forecast rests on.
func estimate(b *strings.Builder, e *engine.Estimate, st Style) {
	if e == nil || e.Items == 0 {
		return
	}
	text := plural(e.Items, "item")
	if e.Bytes > 0 {
		text += ", " + sizeOf(e.Bytes)
	}
	text += ", about " + plural(e.Calls, "request") + ", about " + seconds(e.Seconds)
	if e.Limit != "" {
		text += ", which is what the service's limits for " + nameOf(e.Limit) + " allow"
	}
	if !e.Exact {
		text += "; some of it is guessed"
	}
	b.WriteString(lead("Estimate", bold, st) + wrap(printable(text+"."), leadWidth, st.Width) + "\n")
	for _, line := range e.Basis {
		indent := strings.Repeat(" ", leadWidth)
		b.WriteString(indent + st.paint(dim, wrap(printable("from "+line), leadWidth+2, st.Width)) + "\n")
	}
}
