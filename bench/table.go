package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// verdict is how a measure stands to its target.
type verdict string

const (
	met    verdict = "met"
	failed verdict = "MISSED"
	notRun verdict = "not run"
	noted  verdict = "" // there is no target
)

// row is one measure.
type row struct {
	scenario string
	measure  string
	value    string
	target   string // "≤ 1.30"
	basis    string // what the value was computed from
	verdict  verdict
}

// atMost is a measure that must not be above its target.
func atMost(measure string, value, target float64, form, basis string) row {
	return row{
		measure: measure, value: fmt.Sprintf(form, value), target: "≤ " + fmt.Sprintf(form, target), basis: basis,
		verdict: verdictOf(value <= target),
	}
}

// atLeast is a measure that must not be below its target.
func atLeast(measure string, value, target float64, form, basis string) row {
	r := atMost(measure, value, target, form, basis)
	r.target, r.verdict = "≥ "+fmt.Sprintf(form, target), verdictOf(value >= target)
	return r
}

func verdictOf(ok bool) verdict {
	if ok {
		return met
	}
	return failed
}

// note is a measure without a target.
func note(measure, format string, args ...any) row {
	return row{measure: measure, value: fmt.Sprintf(format, args...)}
}

func missed(rows []row) bool {
	for _, r := range rows {
		if r.verdict == failed {
			return true
		}
	}
	return false
}

// writeTable writes the rows for a terminal.
func writeTable(w io.Writer, rows []row) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	above := ""
	for _, r := range rows {
		if r.scenario != above {
			above = r.scenario
			fmt.Fprintf(tw, "\n%s\n", above)
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\n", r.measure, r.value, r.target, r.verdict, r.basis)
	}
	_ = tw.Flush() // to the terminal
}

// document writes the rows as Markdown, and keeps of an older page the sections of
// scenarios that were not run. It names neither the day nor the machine, so that two runs
// differ in what was measured alone.
func document(rows []row, workers int, old string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Measurements

Written by `+"`make bench`"+` (`+"`go run ./bench -long`"+` for the rows that take long). The emulated Azure and atg
are processes of one machine with %d cores; atg works on %d items at once (`+"`--workers`"+`). A ratio of
1.00 is the computed limit: calls × latency ÷ workers, or the time that the vault's own limit asks for;
against peers it is their speed.
`, runtime.NumCPU(), workers)
	kept := sections(old)
	for _, title := range titles(rows) {
		if kept[title] == "" || ran(title, rows) {
			kept[title] = section(title, rows)
		}
		b.WriteString(kept[title])
		delete(kept, title)
	}
	for _, s := range scenarios() { // in their order, what only the older page has
		b.WriteString(kept[s.title])
	}
	return b.String()
}

// titles are those of the rows' scenarios, in order.
func titles(rows []row) (out []string) {
	for _, r := range rows {
		if len(out) == 0 || out[len(out)-1] != r.scenario {
			out = append(out, r.scenario)
		}
	}
	return out
}

// ran tells whether anything of a scenario was measured.
func ran(title string, rows []row) bool {
	return slices.ContainsFunc(rows, func(r row) bool { return r.scenario == title && r.verdict != notRun })
}

func section(title string, rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n| Measure | Value | Target | | Basis |\n|---|---:|---:|---|---|\n", title)
	for _, r := range rows {
		if r.scenario == title {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.measure, r.value, r.target, r.verdict, r.basis)
		}
	}
	return b.String()
}

// sections are those of a page, by title.
func sections(page string) map[string]string {
	out := map[string]string{}
	for _, part := range strings.Split(page, "\n## ")[1:] {
		title, _, _ := strings.Cut(part, "\n")
		out[title] = "\n## " + strings.TrimRight(part, "\n") + "\n"
	}
	return out
}
