package view

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// maxCauses is how many causes of failure a report shows.
const maxCauses = 5

// cause is what failures have in common.
type cause struct{ kind, code, side string }

// failures groups a report's failures by cause and shows the most frequent causes.
func failures(b *strings.Builder, r *engine.Report, st Style) {
	if r.FailTotal == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", st.paint(red, "Failed: "+plural(r.FailTotal, "item")))
	byCause := map[cause][]engine.Failure{}
	var causes []cause
	for _, f := range r.Failures {
		c := cause{f.Problem.Kind, f.Code, f.Side}
		if byCause[c] == nil {
			causes = append(causes, c)
		}
		byCause[c] = append(byCause[c], f)
	}
	slices.SortStableFunc(causes, func(x, y cause) int { return cmp.Compare(len(byCause[y]), len(byCause[x])) })
	for i, c := range causes {
		if i == maxCauses {
			fmt.Fprintf(b, "  and %s\n", plural(int64(len(causes)-maxCauses), "other cause"))
			break
		}
		failureGroup(b, r, byCause[c], st)
	}
	if n := int64(len(r.Failures)); r.FailTotal > n {
		fmt.Fprintf(b, "  only the first %s are listed here; the progress lines name every one\n", number(n))
	}
	b.WriteByte('\n')
}

func failureGroup(b *strings.Builder, r *engine.Report, fs []engine.Failure, st Style) {
	lead := fmt.Sprintf("  %5s  ", number(int64(len(fs))))
	indent := strings.Repeat(" ", columns(lead))
	g := engine.Group{Count: int64(len(fs))}
	for _, f := range fs[:min(len(fs), 3)] {
		g.Examples = append(g.Examples, nameOf(f.Resource)+" "+string(f.Item))
	}
	fmt.Fprintf(b, "%s%s\n", lead, wrap(printable(named(r, fs[0].Message)), columns(lead), st.Width))
	fmt.Fprintf(b, "%s%s\n", indent, st.paint(dim, wrap(examples(g), columns(lead), st.Width)))
	if hint := problemHint(fs[0].Problem, onSide(r, fs[0].Resource, fs[0].Side)); hint != "" {
		fmt.Fprintf(b, "%shint: %s\n", indent, wrap(hint, columns(lead)+6, st.Width))
	}
}

// onSide is the resource of a pair that stands on the given side.
func onSide(r *engine.Report, source, side string) string {
	for _, p := range r.Pairs {
		if p.Source == source && side == string(plugin.Target) {
			return p.Target
		}
	}
	return source
}

// named is a message with the names of the run's resources in place of their IDs.
func named(r *engine.Report, message string) string {
	for _, p := range r.Pairs {
		message = strings.NewReplacer(p.Source, nameOf(p.Source), p.Target, nameOf(p.Target)).Replace(message)
	}
	return message
}

// problem writes a resource's error below its name.
func problem(b *strings.Builder, r *engine.Report, p engine.Problem, resource string, st Style) {
	fmt.Fprintf(b, "  %s\n", wrap(printable(named(r, p.Message)), 2, st.Width))
	if hint := problemHint(p, resource); hint != "" {
		fmt.Fprintf(b, "  hint: %s\n", wrap(hint, 8, st.Width))
	}
	if p.RequestID != "" {
		fmt.Fprintf(b, "  request id %s\n", printable(p.RequestID))
	}
}

func problemHint(p engine.Problem, resource string) string {
	if p.Hint != "" {
		return p.Hint
	}
	return fill(lookUp(errs.Kind(p.Kind), p.Code), p.Side, resource)
}

// Error writes err as a block: what could not be done, the cause as the service gave it,
// one thing to do, and where to look. done says in which state things were left; it may
// be empty.
func Error(w io.Writer, err error, done string, st Style) error {
	var b strings.Builder
	e := errs.Find(err)
	fmt.Fprintf(&b, "%s %s\n", st.paint(red, "error:"), wrap(subject(err, e), 7, st.Width))
	row := func(name, text string) {
		name += ":"
		for line := range strings.Lines(text) { // a cause may have several parts, a line each
			fmt.Fprintf(&b, "  %-7s %s\n", name, wrap(printable(strings.TrimSpace(line)), leadWidth, st.Width))
			name = ""
		}
	}
	row("cause", causeOf(e, st.Verbose))
	row("hint", HintOf(err))
	row("done", done)
	if e != nil && e.RequestID != "" {
		row("more", "request id "+e.RequestID)
	}
	_, werr := io.WriteString(w, b.String())
	return werr
}

// subject is the first line: what could not be done, to which thing, on which side.
func subject(err error, e *errs.Error) string {
	if e == nil {
		return printable(err.Error())
	}
	var b strings.Builder
	b.WriteString("cannot " + e.Op)
	if e.Item != "" && strings.Contains(e.Op, " ") {
		b.WriteString(" of " + e.Item) // "read the value of secrets/x"
	} else if e.Item != "" {
		b.WriteString(" " + e.Item) // "copy secrets/x"
	}
	if e.Resource != "" {
		b.WriteString(" in " + nameOf(e.Resource))
	}
	if e.Side != "" {
		b.WriteString(" (" + e.Side + ")")
	}
	return printable(b.String())
}

// clauses is an error with several causes: it says them in parts, a short line each, and
// leaves out those that do not matter unless all are wanted.
type clauses interface {
	error
	Clauses(all bool) []string
}

// messageOf is what a cause says.
func messageOf(err error, all bool) string {
	var parts clauses
	if errors.As(err, &parts) {
		return strings.Join(parts.Clauses(all), "\n")
	}
	return err.Error()
}

// causeOf is the status, the code and the message of the service, each said once.
func causeOf(e *errs.Error, all bool) string {
	if e == nil {
		return ""
	}
	var parts []string
	status, code, message := http.StatusText(e.Status), e.Code, ""
	if e.Err != nil {
		message = messageOf(e.Err, all)
	}
	if e.Status != 0 {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, status)))
		code = strings.TrimPrefix(code, status+"/")
	}
	if code != "" && code != status && !strings.Contains(message, code) {
		parts = append(parts, code)
	}
	if message != "" {
		parts = append(parts, message)
	}
	text := strings.Join(parts, ": ")
	if e.Action != "" {
		text += " (needs " + e.Action + ")"
	}
	return text
}

// Brief is err in one line, for progress: names instead of resource IDs.
func Brief(err error) string {
	e := errs.Find(err)
	if e == nil {
		return err.Error()
	}
	text := strings.TrimPrefix(subject(err, e), "cannot ")
	if cause := causeOf(e, false); cause != "" {
		text += ": " + cause
	}
	return text
}

// Warning writes one warning line.
func Warning(w io.Writer, text string, st Style) error {
	_, err := fmt.Fprintf(w, "%s %s\n", st.paint(yellow, "warning:"), wrap(printable(text), 9, st.Width))
	return err
}

// Usage writes a mistake in the command line, and where its help is. command is the
// command's path: "atg plan".
func Usage(w io.Writer, err error, command string, st Style) error {
	_, werr := fmt.Fprintf(w, "%s %s\n  hint:   `%s --help` shows the flags and examples\n", st.paint(red, "error:"), wrap(printable(err.Error()), 7, st.Width), orWord(command, "atg"))
	return werr
}

// Note writes one line that is neither a result nor an error.
func Note(w io.Writer, text string, st Style) error {
	_, err := fmt.Fprintln(w, wrap(printable(text), 0, st.Width))
	return err
}

// Prompt writes a question and stays on its line.
func Prompt(w io.Writer, question string, st Style) error {
	_, err := io.WriteString(w, st.paint(bold, printable(question)))
	return err
}
