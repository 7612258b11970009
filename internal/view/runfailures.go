package view

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// RunFailure is a failure as a journal holds it. An empty Item stands for the resource.
type RunFailure struct {
	Source, Target string
	Item           plugin.Key
	Phase          string // "apply", "verify" or "list"
	Attempts       int
	Time           time.Time
	Kind           errs.Kind
	Message        string
	Side, Code     string
	RequestID      string
	Action         string
	Hint           string
}

// runCause is what failures have in common.
type runCause struct {
	phase, side, code, hint string
	kind                    errs.Kind
}

func (f RunFailure) cause() runCause { return runCause{f.Phase, f.Side, f.Code, f.hint(), f.Kind} }

// hint is what to do about the failure: what the journal says, else the table.
func (f RunFailure) hint() string {
	if f.Hint != "" {
		return f.Hint
	}
	at := f.Source
	if f.Side == string(plugin.Target) {
		at = f.Target
	}
	return fill(lookUp(f.Kind, f.Code), f.Side, at)
}

// RunFailures writes every failure of a recorded run, grouped by cause, with what to do
// about each cause. all is gone through once to find the causes and once for each cause,
// so that memory does not grow with the failures.
func RunFailures(w io.Writer, id string, all iter.Seq2[RunFailure, error], resume string, st Style) error {
	causes, err := runCauses(all)
	if err != nil {
		return err
	}
	if len(causes) == 0 {
		return Note(w, "Nothing failed in run "+id+".", st)
	}
	for _, c := range causes {
		if err := runCauseText(w, c, all, st); err != nil {
			return err
		}
	}
	if resume == "" {
		return nil
	}
	_, err = fmt.Fprintf(w, "Mend the causes above, then try what failed again:\n  %s\n", resume)
	return err
}

type countedCause struct {
	runCause
	count int64
	first RunFailure
}

// runCauses counts failures by cause, the most frequent first.
func runCauses(all iter.Seq2[RunFailure, error]) ([]countedCause, error) {
	at := map[runCause]int{}
	var out []countedCause
	for f, err := range all {
		if err != nil {
			return nil, err
		}
		c := f.cause()
		i, seen := at[c]
		if !seen {
			i = len(out)
			at[c] = i
			out = append(out, countedCause{runCause: c, first: f})
		}
		out[i].count++
	}
	slices.SortStableFunc(out, func(x, y countedCause) int { return cmp.Compare(y.count, x.count) })
	return out, nil
}

func runCauseText(w io.Writer, c countedCause, all iter.Seq2[RunFailure, error], st Style) error {
	var b strings.Builder
	title := string(c.kind)
	if c.code != "" {
		title += ", " + c.code
	}
	fmt.Fprintf(&b, "%s\n", st.paint(red, plural(c.count, "failure")+": "+printable(title)))
	fmt.Fprintf(&b, "  %s\n", wrap(printable(shortened(c.first)), 2, st.Width))
	if c.hint != "" {
		fmt.Fprintf(&b, "  hint: %s\n", wrap(printable(c.hint), 8, st.Width))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	for f, err := range all {
		if err != nil {
			return err
		}
		if f.cause() != c.runCause {
			continue
		}
		if _, err := io.WriteString(w, runFailureLine(f, st)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func runFailureLine(f RunFailure, st Style) string {
	what := "the resource as a whole"
	if f.Item != "" {
		what = string(f.Item)
	}
	parts := []string{f.Phase, stamp(f.Time, st)}
	if f.Attempts > 1 {
		parts = append(parts, plural(int64(f.Attempts), "attempt"))
	}
	if f.RequestID != "" {
		parts = append(parts, "request id "+f.RequestID)
	}
	return fmt.Sprintf("    %s %s  %s\n", nameOf(f.Source), printable(what), st.paint(dim, printable(strings.Join(parts, ", "))))
}

// shortened is the message with names in place of resource IDs.
func shortened(f RunFailure) string {
	var pairs []string
	for _, id := range []string{f.Source, f.Target} {
		if id != "" {
			pairs = append(pairs, id, nameOf(id))
		}
	}
	return strings.NewReplacer(pairs...).Replace(f.Message)
}

// RunFailureJSON writes a run and every failure as one JSON document, failure by failure.
func RunFailureJSON(w io.Writer, r RunRow, all iter.Seq2[RunFailure, error]) error {
	head, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "{\n  \"run\": %s,\n  \"failures\": [", head); err != nil {
		return err
	}
	sep := "\n"
	for f, err := range all {
		if err != nil {
			return err
		}
		doc, err := json.Marshal(recordOf(f))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s    %s", sep, doc); err != nil {
			return err
		}
		sep = ",\n"
	}
	_, err = io.WriteString(w, "\n  ]\n}\n")
	return err
}

// failedItem is a failure in machine form.
type failedItem struct {
	Source   string     `json:"source"`
	Target   string     `json:"target"`
	Item     plugin.Key `json:"item,omitempty"`
	Phase    string     `json:"phase"`
	Attempts int        `json:"attempts,omitempty"`
	Time     time.Time  `json:"time"`
	Action   string     `json:"missingAction,omitempty"`
	failure
}

func recordOf(f RunFailure) failedItem {
	return failedItem{f.Source, f.Target, f.Item, f.Phase, f.Attempts, f.Time, f.Action, failure{
		Kind: f.Kind, Message: f.Message, Side: f.Side, Code: f.Code, RequestID: f.RequestID, Hint: f.hint(),
	}}
}
