package view

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMan(t *testing.T) {
	t.Parallel()
	got := Man(ManPage{Name: "atg-run", Section: 1, Short: "Say what - if anything", Parts: []ManPart{
		{Title: "SYNOPSIS", Text: "\natg run [--x]\n.begins with a dot\n", Verbatim: true},
		{Title: "DESCRIPTION", Text: "One \\ two.\n'quoted'\n\nÄ third…\n"},
		{Title: "OPTIONS"},
		{Title: "Output", Sub: true, Rows: []Row{{"-o, --output text", "form of it"}}},
	}})
	const want = `.TH "ATG-RUN" "1" "" "atg" "atg manual"
.nh
.ad l
.SH NAME
atg\-run \- Say what \- if anything
.SH SYNOPSIS
.nf
atg run [\-\-x]
\&.begins with a dot
.fi
.SH DESCRIPTION
One \e two.
\&'quoted'
.PP
\[u00C4] third\[u2026]
.SH OPTIONS
.SS Output
.TP
\fB\-o, \-\-output text\fR
form of it
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
