package cli

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
)

// withSession opens a session with progress and log, lets work do the command's part,
// shows the report and picks the exit code.
func (a *App) withSession(ctx context.Context, opt *runOptions, work func(*session.Session) (*engine.Report, error)) error {
	logger, closeLog, err := a.logger(opt)
	if err != nil {
		return err
	}
	defer closeLog()
	opt.Logger = logger
	if opt.emulator != "" {
		transport, err := emulator.Connect(ctx, opt.emulator)
		if err != nil {
			return usagef("--emulator: %w", err)
		}
		opt.Transport = &http.Client{Transport: transport}
	}
	out := a.newOutput(opt)
	opt.Emit = out.emit
	s, err := session.Open(ctx, opt.Options)
	var r *engine.Report
	if err == nil {
		r, err = work(s)
		s.Close()
	}
	if shown := out.close(r, opt.next); err == nil {
		err = shown
	}
	if err != nil {
		return err
	}
	return resultOf(ctx, r, opt.Command == "verify" || opt.exitCode)
}

// output is where a run's events and its report go.
type output struct {
	app   *App
	form  string
	lines *view.Lines
	plain *view.Plain
}

func (a *App) newOutput(opt *runOptions) *output {
	o := &output{app: a, form: opt.output}
	if opt.output == outputLines {
		o.lines = view.NewLines(a.Out, a.Version)
	}
	if opt.progress == "plain" || opt.progress == "auto" {
		o.plain = view.NewPlain(a.Err, a.errStyle())
	}
	return o
}

func (o *output) emit(e event.Event) {
	if o.lines != nil {
		o.lines.Event(e)
	}
	if o.plain != nil {
		o.plain.Event(e)
	}
}

// close ends the progress and writes the report, if there is one.
func (o *output) close(r *engine.Report, next view.Next) error {
	if o.plain != nil {
		o.plain.Close()
	}
	switch {
	case o.lines != nil:
		return o.lines.Close(r)
	case r == nil:
		return nil
	case o.form == outputJSON:
		return view.JSON(o.app.Out, r)
	default:
		return view.Report(o.app.Out, r, next, o.app.outStyle())
	}
}

// logger is where requests and what else is worth it are logged: to a file, to standard
// error with --debug, or nowhere.
func (a *App) logger(opt *runOptions) (*slog.Logger, func(), error) {
	level := slog.LevelInfo
	if opt.debug {
		level = slog.LevelDebug
	}
	handlerOptions := &slog.HandlerOptions{Level: level}
	switch {
	case opt.logFile != "":
		f, err := os.OpenFile(opt.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, usagef("cannot write the log: %w", err)
		}
		return slog.New(slog.NewJSONHandler(f, handlerOptions)), func() { _ = f.Close() }, nil
	case opt.debug:
		return slog.New(slog.NewTextHandler(a.Err, handlerOptions)), func() {}, nil
	default:
		return slog.New(slog.DiscardHandler), func() {}, nil
	}
}
