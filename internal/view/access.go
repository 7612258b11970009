package view

import (
	"fmt"
	"io"
	"strings"
)

// Access is what one side's principal may do at one resource.
type Access struct {
	Side, Name, Type string
	Principal        string // object ID; "" if it is not known
	By               string // what decides: "Azure RBAC"
	Rights           []AccessRight
	Fact, Hint       string // what may keep requests out, and what to do then; "" if nothing is known to
}

// AccessRight is one right and what is known about it.
type AccessRight struct {
	State  string // "held", "missing" or "unknown"
	Action string
	Data   bool
	Reason string // what it is for
	Why    string // why it is missing or unknown
	Role   string // built-in role that gives a missing one
}

// AccessReport writes what is known about rights before a run, with a sum at its end. With
// all unset it writes only what is not held, and nothing at all if everything is.
func AccessReport(w io.Writer, list []Access, all bool, st Style) error {
	var b strings.Builder
	count := map[string]int64{}
	var walls int64
	for _, a := range list {
		for _, r := range a.Rights {
			count[r.State]++
		}
		if a.Fact != "" {
			walls++
		}
		a.write(&b, all, st)
	}
	if b.Len() == 0 && !all {
		return nil
	}
	fmt.Fprintf(&b, "%s held, %s missing, %s unknown at %s", plural(count["held"], "permission"), number(count["missing"]), number(count["unknown"]), plural(int64(len(list)), "resource"))
	if walls > 0 {
		fmt.Fprintf(&b, "; the network may refuse requests at %s", number(walls))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (a Access) write(b *strings.Builder, all bool, st Style) {
	var rows strings.Builder
	for _, r := range a.Rights {
		if all || r.State != "held" {
			r.write(&rows, st)
		}
	}
	if a.Fact != "" {
		fmt.Fprintf(&rows, "  %s  %s\n", st.paint(yellow, "network"), wrap(printable(a.Fact), 11, st.Width))
		fmt.Fprintf(&rows, "           %s\n", wrap("hint: "+printable(a.Hint), 11, st.Width))
	}
	if rows.Len() == 0 {
		return
	}
	fmt.Fprintf(b, "%s %s", a.Side, st.paint(bold, printable(a.Name)))
	fmt.Fprintf(b, "  %s", printable(a.Type))
	if a.Principal != "" {
		fmt.Fprintf(b, ", principal %s", printable(a.Principal))
	}
	fmt.Fprintf(b, ", by %s\n%s\n", printable(a.By), rows.String())
}

// write names the right, then what it is for and why it is not held.
func (r AccessRight) write(b *strings.Builder, st Style) {
	colours := map[string]paint{"held": green, "missing": red, "unknown": yellow}
	action := printable(r.Action)
	if r.Data {
		action += " (data)"
	}
	fmt.Fprintf(b, "  %s  %s\n", st.paint(colours[r.State], fmt.Sprintf("%-7s", r.State)), action)
	if r.State == "held" {
		return
	}
	text := "to " + printable(r.Reason)
	if r.Why != "" {
		text += ": " + printable(r.Why)
	}
	if r.Role != "" {
		text += "; the role " + printable(r.Role) + " gives it"
	}
	fmt.Fprintf(b, "           %s\n", wrap(text, 11, st.Width))
}
