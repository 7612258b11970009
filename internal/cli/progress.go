package cli

import (
	"os"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/internal/view/dashboard"
)

// The values of --progress.
const (
	progressAuto  = "auto"
	progressTTY   = "tty"
	progressPlain = "plain"
	progressNone  = "none"
)

// screenHeight is taken for a terminal that does not say how high it is.
const screenHeight = 24

// progressForm resolves --progress: "auto" draws where the terminal has room and can move
// its cursor, and where no machine-readable lines go to the same place.
func (a *App) progressForm(opt *runOptions) (string, error) {
	able := a.ErrTTY && a.env("TERM") != "dumb" && (opt.output != outputLines || !a.OutTTY)
	switch {
	case opt.progress == progressTTY && !able:
		return "", usagef("--progress tty: standard error is no terminal that can be drawn on; use plain")
	case opt.progress != progressAuto:
		return opt.progress, nil
	case able && dashboard.Fits(a.Err):
		return progressTTY, nil
	default:
		return progressPlain, nil
	}
}

// snapshots is the channel on which somebody asks where the run stands, until release.
func (o IO) snapshots() (asked <-chan os.Signal, release func()) {
	if o.Snapshots == nil {
		return nil, func() {}
	}
	return o.Snapshots()
}

// stream is the writer of JSON lines on standard output. There is one for each command
// line: its first record is the version, its last the exit code.
func (a *App) stream() *view.Lines {
	if a.lines == nil {
		a.lines = view.NewLines(a.Out, a.Version, time.Now)
	}
	return a.lines
}

// Restore gives the terminal back at once: for a process that ends in the middle of a run.
func (a *App) Restore() {
	if d := a.live.Load(); d != nil {
		d.Restore()
	}
}
