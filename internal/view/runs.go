package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// RunRow is a recorded run in a list.
type RunRow struct {
	ID      string      `json:"id"`
	Command string      `json:"command,omitempty"`
	Mode    plugin.Mode `json:"mode,omitempty"`
	Started time.Time   `json:"started,omitzero"`
	Updated time.Time   `json:"updated,omitzero"` // when its state last changed
	// State is "running", "unfinished", "stopped", "partial", "finished" or "unreadable".
	State  string   `json:"state"`
	Done   int64    `json:"done"`  // items with a good end
	Total  int64    `json:"total"` // items found so far
	Failed int64    `json:"failed"`
	Error  *failure `json:"error,omitempty"` // why the journal cannot be read
}

// Unreadable is the row of a run whose journal cannot be read.
func Unreadable(id string, err error) RunRow {
	return RunRow{ID: id, State: "unreadable", Error: failureOf(err)}
}

// RunList writes recorded runs as a table. now is what ages are counted from.
func RunList(w io.Writer, rows []RunRow, now time.Time, st Style) error {
	if len(rows) == 0 {
		return Note(w, "No run is recorded.", st)
	}
	t := table{cols: []column{
		{title: "RUN"},
		{title: "COMMAND", spare: true},
		{title: "MODE", spare: true},
		{title: "STARTED"},
		{title: "STATE"},
		{title: "DONE", right: true},
		{title: "OF", right: true},
		{title: "FAILED", right: true},
		{title: "AGE", right: true},
	}}
	var b strings.Builder
	for _, r := range rows {
		if r.Error != nil {
			t.add(r.ID, "", "", "", r.State)
			continue
		}
		t.add(r.ID, r.Command, string(r.Mode), stamp(r.Started, st), r.State, number(r.Done), number(r.Total), number(r.Failed), age(now.Sub(r.Started)))
	}
	t.write(&b, st)
	for _, r := range rows {
		if r.Error != nil {
			fmt.Fprintf(&b, "\n%s %s\n", st.paint(yellow, r.ID+":"), wrap(printable(r.Error.Message), 2, st.Width))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// stamp is a time: short and local on a terminal, RFC 3339 in UTC elsewhere.
func stamp(t time.Time, st Style) string {
	if st.Width > 0 {
		return t.Local().Format("2006-01-02 15:04")
	}
	return t.UTC().Format(time.RFC3339)
}

// age is how long ago something was, in its largest unit.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%dh", d/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/day)
	}
}

// RunRecord is a recorded run in full, without its failures.
type RunRecord struct {
	RunRow
	Version      string           `json:"version"`
	SourceTenant string           `json:"sourceTenant"`
	TargetTenant string           `json:"targetTenant"`
	Journal      string           `json:"journal"` // its file
	Items        map[string]int64 `json:"items"`   // by state
	Pairs        []RunPair        `json:"pairs"`
	Report       *engine.Report   `json:"report,omitempty"` // the last one, if there is one
}

// RunPair is how far a pair of a recorded run came.
type RunPair struct {
	Source string           `json:"source"`
	Target string           `json:"target"`
	Listed bool             `json:"listed"` // the source was listed to its end
	Items  map[string]int64 `json:"items"`  // by state
}

// RunShow writes a recorded run. resume is the command that goes on with it, or "".
func RunShow(w io.Writer, r RunRecord, resume string, now time.Time, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", st.paint(bold, fmt.Sprintf("run %s, %s: %s in %s mode", r.ID, r.State, r.Command, r.Mode)))
	fmt.Fprintf(&b, "  source tenant %s\n  target tenant %s\n", orUnknown(r.SourceTenant), orUnknown(r.TargetTenant))
	fmt.Fprintf(&b, "  started %s, %s ago, by version %s\n  journal %s\n\n", stamp(r.Started, st), age(now.Sub(r.Started)), printable(r.Version), printable(r.Journal))
	recordedPairs(&b, r, st)
	if r.Report != nil {
		b.WriteString(st.paint(bold, "Its last report") + "\n\n")
		next := Next{Resume: resume}
		if err := Report(&b, r.Report, next, st); err != nil {
			return err
		}
	} else if resume != "" {
		b.WriteString("Go on with it:\n  " + resume + "\n")
	}
	if r.Failed > 0 {
		b.WriteString("Every failure, its cause and what to do:\n  atg run show " + r.ID + " --failed\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// runStates are the states of recorded items in the order of their lives.
var runStates = []string{
	"pending", "started", string(plugin.Created), string(plugin.Updated),
	string(plugin.Unchanged), string(plugin.Skipped), string(plugin.Failed),
}

func recordedPairs(b *strings.Builder, r RunRecord, st Style) {
	if len(r.Pairs) == 0 {
		b.WriteString("It ended before it had anything to do.\n\n")
		return
	}
	t := table{cols: []column{{title: "SOURCE", flex: true}, {title: "TARGET", flex: true}, {title: "LISTED", spare: true}}}
	var shown []string
	for _, s := range runStates {
		if r.Items[s] > 0 {
			shown = append(shown, s)
			t.cols = append(t.cols, column{title: strings.ToUpper(s), right: true})
		}
	}
	for _, p := range r.Pairs {
		listed := "to the end"
		if !p.Listed {
			listed = "in part"
		}
		row := []string{nameOf(p.Source), nameOf(p.Target), listed}
		for _, s := range shown {
			row = append(row, number(p.Items[s]))
		}
		t.add(row...)
	}
	t.write(b, st)
	b.WriteByte('\n')
}

// Stopped writes the last lines of a run that was stopped: what was done, and the command
// that goes on with it, alone on its line so that it can be copied.
func Stopped(w io.Writer, r *engine.Report, resume string, st Style) error {
	_, err := fmt.Fprintf(w, "run %s stopped, %s\n%s %s\n", r.Run.ID, wrap("done so far: "+tallyText(r), 0, st.Width), st.paint(bold, "resume with:"), resume)
	return err
}

// Recorded writes the last line of a run that came to its end: where its record is.
func Recorded(w io.Writer, r *engine.Report, journal string, st Style) error {
	text := fmt.Sprintf("run %s ended; its journal is %s", r.Run.ID, journal)
	if r.FailTotal > 0 {
		text = fmt.Sprintf("run %s ended; `atg run show %s --failed` explains every failure; the journal is %s", r.Run.ID, r.Run.ID, journal)
	}
	return Note(w, text, st)
}
