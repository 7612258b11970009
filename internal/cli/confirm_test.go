package cli

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func ask(create, replace int64) question {
	return question{
		mode: plugin.Replication, source: session.Tenant{ID: "c0", Name: "Contoso"}, target: session.Tenant{ID: "f0", Name: "Fabrikam"},
		plan: &engine.Report{Plan: map[plugin.State]int64{plugin.Missing: create, plugin.Different: replace}},
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	overwrite := ask(2, 1)
	overwrite.overwrite = true
	unnamed := overwrite
	unnamed.target.Name = ""
	template := ask(2, 1)
	template.mode = plugin.Template
	tests := []struct {
		name    string
		q       question
		answers map[string]string // answer to a part of the error; "" for consent
		shown   string            // a part of the question; "" for no question
	}{
		{"nothing to do", ask(0, 3), map[string]string{"": ""}, ""},
		{"template", template, map[string]string{"": ""}, ""},
		{"replication", ask(304, 1), map[string]string{
			"yes\n": "", " yes \n": "", "yes": "", "y\n": `the answer was "y", not yes`, "YES\n": "not yes", "\n": `the answer was ""`, "": "--yes",
		}, "304 items will be created in the target tenant Fabrikam (f0)."},
		{"overwrite", overwrite, map[string]string{
			"fabrikam\n": "", "F0\n": "", "yes\n": "not Fabrikam", "contoso\n": "not Fabrikam",
		}, "1 item that differ"},
		{"overwrite in a tenant without a name", unnamed, map[string]string{"f0\n": "", "yes\n": "not f0"}, "Type the ID of the target tenant"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for answer, want := range tt.answers {
				f := newTerminal(t, answer)
				err := f.app.confirm(t.Context(), tt.q)
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("answer %q: %v", answer, err)
				}
				if (f.err.Len() == 0) != (tt.shown == "") || !strings.Contains(f.err.String(), tt.shown) {
					t.Errorf("the question: %s", f.err)
				}
			}
		})
	}
}

func TestNoConsentIsNoDefect(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "no\n")
	err := f.app.confirm(t.Context(), ask(1, 0))
	if errs.KindOf(err) != errs.Canceled || codeOf(err) != exitFailed || !strings.Contains(errs.HintOf(err), "nothing was written") {
		t.Errorf("%v: kind %s, code %d, hint %q", err, errs.KindOf(err), codeOf(err), errs.HintOf(err))
	}
	f = newTerminal(t, "")
	if err := f.app.confirm(t.Context(), ask(1, 0)); codeOf(err) != exitUsage {
		t.Errorf("the end of the input: %v", err)
	}
}

type deaf struct{ forever chan struct{} }

func (d deaf) Read([]byte) (int, error) { <-d.forever; return 0, os.ErrClosed }

func TestConfirmCanBeInterrupted(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	d := deaf{make(chan struct{})}
	defer close(d.forever)
	f.app.In = d
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(InterruptedBy(os.Interrupt))
	if err := f.app.confirm(ctx, ask(1, 0)); codeOf(err) != exitInterrupted {
		t.Errorf("%v", err)
	}
}

func TestWhoMayBeAsked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		terminal        bool
		yes, noInput    bool
		want            int
		says            string
		offers, prompts bool
	}{
		{name: "pipe", want: exitUsage, says: "nobody can be asked here: add --yes"},
		{name: "pipe with consent", yes: true},
		{name: "terminal", terminal: true, offers: true, prompts: true},
		{name: "terminal with consent", terminal: true, yes: true, prompts: true},
		{name: "no input", terminal: true, noInput: true, want: exitUsage, says: "--no-input forbids the question: add --yes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newTerminal(t, "")
			f.app.InTTY, f.app.ErrTTY = tt.terminal, tt.terminal
			var got *runOptions
			cmd := newApplyCmd(f.app, func(_ context.Context, opt *runOptions) error {
				got = opt
				return nil
			})
			args := []string{"--progress", "none"}
			if tt.yes {
				args = append(args, "--yes")
			}
			if tt.noInput {
				args = append(args, "--no-input")
			}
			cmd.SetArgs(args)
			if err := cmd.ExecuteContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			err := f.app.mayAsk(got)
			if codeOf(err) != tt.want || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v", err)
			}
			if (got.Choose != nil) != tt.offers || (got.DevicePrompt != nil) != tt.prompts {
				t.Errorf("choice offered %v, sign-in prompt %v", got.Choose != nil, got.DevicePrompt != nil)
			}
		})
	}
}
