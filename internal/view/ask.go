package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// ModeQuestion is what a person must know to choose a mode.
type ModeQuestion struct {
	Source, Target string // tenants, names and IDs
	Types          []TypeCount
	Writes         bool // the command writes to the target
}

// TypeCount is a resource type and how many source resources are of it.
type TypeCount struct {
	Name  string
	Count int
}

// modeTexts explain the modes; the first is the default.
var modeTexts = []struct {
	mode plugin.Mode
	text string
}{
	{plugin.Template, "Structure alone: the target gets the names and settings of everything, and no content of the source. Quick, and needs few permissions. This is the default."},
	{plugin.Replication, "Everything that can be copied, content included: the values of secrets, the private keys of exportable certificates. Slower, needs permissions to read the content of the source, and its traffic may cost money."},
}

// Modes writes what was found and what the modes mean. The questions follow it.
func Modes(w io.Writer, q ModeQuestion, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", st.paint(bold, "Found at the source"))
	fmt.Fprintf(&b, "  %s\n", wrap("source tenant "+printable(q.Source), 4, st.Width))
	fmt.Fprintf(&b, "  %s\n\n", wrap("target tenant "+printable(q.Target), 4, st.Width))
	t := table{cols: []column{{title: "", right: true}, {title: "TYPE", flex: true}, {title: "RESOURCES", right: true}}}
	for i, typ := range q.Types {
		t.add(fmt.Sprint(i+1), typ.Name, number(int64(typ.Count)))
	}
	t.write(&b, st)
	verb := "compared"
	if q.Writes {
		verb = "copied"
	}
	fmt.Fprintf(&b, "\n%s\n", st.paint(bold, "How much is to be "+verb+"?"))
	for _, m := range modeTexts {
		lead := fmt.Sprintf("  %-13s", m.mode)
		fmt.Fprintf(&b, "%s%s\n", st.paint(bold, lead), wrap(m.text, columns(lead), st.Width))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// Consent is what a person agrees to before a run writes.
type Consent struct {
	Source, Target string         // tenants, names and IDs
	Plan           *engine.Report // what would be done
	Overwrite      bool           // items that differ are replaced
}

// ConsentText writes what will be written where.
func ConsentText(w io.Writer, c Consent, st Style) error {
	var b strings.Builder
	create, replace := c.Plan.Plan[plugin.Missing], int64(0)
	if c.Overwrite {
		replace = c.Plan.Plan[plugin.Different]
	}
	what := plural(create, "item") + " will be created"
	if replace > 0 {
		what += " and " + plural(replace, "item") + " that differ will be replaced"
	}
	b.WriteByte('\n')
	if e := c.Plan.Estimate; e != nil && e.Bytes > 0 {
		what += ", " + sizeOf(e.Bytes) + " in all"
	}
	for _, line := range []string{
		fmt.Sprintf("%s in the target tenant %s.", what, c.Target),
		fmt.Sprintf("The content comes from the source tenant %s, which is only read.", c.Source),
	} {
		fmt.Fprintf(&b, "%s\n", wrap(printable(line), 0, st.Width))
	}
	if e := c.Plan.Estimate; e != nil && e.Items > 0 {
		fmt.Fprintf(&b, "It takes about %s.\n", seconds(e.Seconds))
	}
	if replace > 0 {
		b.WriteString(st.paint(yellow, wrap("What is replaced is lost, unless the service keeps older versions.", 0, st.Width)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sizeOf writes a number of bytes in IEC units: "55.2 KiB".
func sizeOf(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return plural(n, "byte")
	}
	f, unit := float64(n)/(1<<10), 0
	for f >= 1<<10 && unit < len(units)-1 {
		f, unit = f/(1<<10), unit+1
	}
	return fmt.Sprintf("%.1f %ciB", f, units[unit])
}
