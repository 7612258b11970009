package main

import (
	"fmt"
	"io"
	"runtime"
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

// document writes the rows as Markdown. It names neither the day nor the machine, so that
// two runs differ in what was measured alone.
func document(rows []row, workers int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Measurements

Written by `+"`make bench`"+` (`+"`go run ./bench -long`"+` for the rows that take long). The emulated Azure and atg
are processes of one machine with %d cores; atg works on %d items at once (`+"`--workers`"+`). A ratio of
1.00 is the computed limit: calls × latency ÷ workers, or the time that the vault's own limit asks for.
`, runtime.NumCPU(), workers)
	above := ""
	for _, r := range rows {
		if r.scenario != above {
			above = r.scenario
			fmt.Fprintf(&b, "\n## %s\n\n| Measure | Value | Target | | Basis |\n|---|---:|---:|---|---|\n", above)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.measure, r.value, r.target, r.verdict, r.basis)
	}
	return b.String()
}
