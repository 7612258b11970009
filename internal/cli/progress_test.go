package cli

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/view"
)

func TestProgressForm(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ask, output    string
		errTTY, outTTY bool
		term           string
		want           string // "" for a usage error
	}{
		"pipe":                           {progressAuto, outputText, false, false, "", progressPlain},
		"none":                           {progressNone, outputText, true, true, "xterm", progressNone},
		"plain on a terminal":            {progressPlain, outputText, true, true, "xterm", progressPlain},
		"terminal of no known size":      {progressAuto, outputText, true, true, "xterm", progressPlain},
		"asked for":                      {progressTTY, outputText, true, true, "xterm", progressTTY},
		"asked for in a pipe":            {progressTTY, outputText, false, false, "xterm", ""},
		"asked for on a dumb terminal":   {progressTTY, outputText, true, true, "dumb", ""},
		"asked for amid lines":           {progressTTY, outputLines, true, true, "xterm", ""},
		"asked for beside lines in file": {progressTTY, outputLines, true, false, "xterm", progressTTY},
	} {
		f := newTerminal(t, "")
		f.app.ErrTTY, f.app.OutTTY = tt.errTTY, tt.outTTY
		f.env["TERM"] = tt.term
		got, err := f.app.progressForm(&runOptions{progress: tt.ask, output: tt.output})
		if got != tt.want || (err != nil) != (tt.want == "") || err != nil && codeOf(err) != exitUsage {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tt.want)
		}
	}
}

// shown starts an output that is told a run has begun.
func shown(t *testing.T, f *fakeTerminal, progress string) *output {
	t.Helper()
	o, err := f.app.newOutput(t.Context(), &runOptions{progress: progress, output: outputText})
	if err != nil {
		t.Fatal(err)
	}
	o.emit(event.RunStarted{Run: "7F3K0001", Command: "apply", Mode: "replication", Time: time.Now()})
	return o
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	for _, form := range []string{progressNone, progressPlain} {
		f := newTerminal(t, "")
		asked := make(chan os.Signal)
		released := false
		f.app.Snapshots = func() (<-chan os.Signal, func()) { return asked, func() { released = true } }
		o := shown(t, f, form)
		asked <- os.Interrupt
		asked <- os.Interrupt // taken after the first one was answered
		if err := o.close(nil, view.Next{}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(f.err.String(), "atg apply · run 7F3K0001"); n != 2 || !released {
			t.Errorf("%s: %d snapshots, released %v:\n%s", form, n, released, f.err)
		}
	}
}

func TestWishToStopIsTold(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan os.Signal)
	f.app.Snapshots = func() (<-chan os.Signal, func()) { return asked, func() {} }
	o, err := f.app.newOutput(ctx, &runOptions{progress: progressPlain, output: outputText})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for range 20 { // whichever is chosen first, the wish is taken by the second turn or so
		asked <- os.Interrupt
	}
	if err := o.close(nil, view.Next{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.err.String(), "stopping: ") {
		t.Errorf("%s", f.err)
	}
}

func TestDashboardIsDrawnAndPutAside(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	f.app.ErrTTY = true
	f.env["TERM"] = "xterm"
	f.app.Err = f.err
	o := shown(t, f, progressTTY)
	if f.app.live.Load() == nil {
		t.Error("nothing to restore while it is drawn")
	}
	err := o.aside(func() error { return errors.New("no consent") })
	if err == nil {
		t.Error("what went wrong aside is lost")
	}
	if err := o.close(nil, view.Next{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.err.String(), "7F3K0001") {
		t.Errorf("no frame: %q", f.err)
	}
	if f.app.live.Load() != nil {
		t.Error("it is still taken for drawn")
	}
	f.app.Restore() // nothing is drawn: nothing happens
}
