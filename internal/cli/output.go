package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/internal/view/dashboard"
)

// withSession opens a session with progress and log, lets work do the command's part,
// shows the report and picks the exit code.
func (a *App) withSession(ctx context.Context, opt *runOptions, work func(*session.Session) (*engine.Report, error)) error {
	return a.withOutput(ctx, opt, func() (*session.Session, *engine.Report, error) { return a.inSession(ctx, opt, work) })
}

// inSession opens a session and lets work do the command's part. The session is returned
// closed, and nil if it could not be opened.
func (a *App) inSession(ctx context.Context, opt *runOptions, work func(*session.Session) (*engine.Report, error)) (*session.Session, *engine.Report, error) {
	open := opt.open
	if open == nil {
		open = session.Open
	}
	s, err := open(ctx, opt.Options)
	if err != nil {
		return nil, nil, err
	}
	r, err := work(s)
	s.Close() //nolint:contextcheck // it leaves the journal in order, whatever ended ctx
	return s, r, err
}

// withOutput lets run do its work with progress and log, shows the report that it returns
// and picks the exit code. The session, which may be nil, says what permissions lack.
func (a *App) withOutput(ctx context.Context, opt *runOptions, run func() (*session.Session, *engine.Report, error)) error {
	if opt.emulator != "" {
		transport, err := emulator.Connect(ctx, opt.emulator)
		if err != nil {
			return usagef("--emulator: %w", err)
		}
		opt.Transport = &http.Client{Transport: transport}
	}
	out, err := a.newOutput(ctx, opt)
	if err != nil {
		return err
	}
	opt.out = out
	logger, closeLog, err := a.logger(opt, out.dash)
	if err != nil {
		return errors.Join(err, out.close(nil, view.Next{}))
	}
	defer closeLog()
	opt.Logger, opt.Emit = logger, out.emit
	s, r, err := run()
	if shown := out.close(r, opt.next); err == nil {
		err = shown
	}
	err = a.tellAccess(s, opt, err)
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
	dash  *dashboard.Dashboard // takes every event; on the terminal only if drawn
	drawn bool
	stop  func() // ends follow
}

// newOutput starts the output of a run. A caller that gets one must close it.
func (a *App) newOutput(ctx context.Context, opt *runOptions) (*output, error) {
	form, err := a.progressForm(opt)
	if err != nil {
		return nil, err
	}
	st := a.errStyle()
	o := &output{app: a, form: opt.output, drawn: form == progressTTY}
	o.dash = dashboard.New(dashboard.Options{
		Out: a.Err, Width: st.Width, Height: screenHeight, Color: st.Color, Term: a.env("TERM"), Explain: view.Brief,
	})
	if opt.output == outputLines {
		o.lines = a.stream()
	}
	if form == progressPlain {
		o.plain = view.NewPlain(a.Err, st)
	}
	if o.drawn {
		a.live.Store(o.dash)
	}
	o.follow(ctx)
	return o, nil
}

// follow tells the progress about the wish to stop, and answers the wish for a snapshot.
func (o *output) follow(ctx context.Context) {
	asked, release := o.app.snapshots()
	end, gone := make(chan struct{}), make(chan struct{})
	o.stop = func() {
		close(end)
		<-gone
		release()
	}
	go func() {
		defer close(gone)
		stopped := ctx.Done()
		for {
			select {
			case <-stopped:
				stopped = nil
				o.stopping()
			case <-asked:
				o.snapshot()
			case <-end:
				return
			}
		}
	}()
}

func (o *output) stopping() {
	o.dash.Stopping()
	if o.plain != nil {
		o.plain.Stopping()
	}
}

// snapshot says where the run stands, apart from the lines of the progress.
func (o *output) snapshot() {
	text := o.dash.Snapshot()
	if text == "" {
		text = "the run has not begun"
	}
	if o.plain != nil {
		o.plain.Block(text)
		return
	}
	_, _ = io.WriteString(o.dash, text+"\n")
}

func (o *output) emit(e event.Event) {
	if o.lines != nil {
		o.lines.Event(e)
	}
	if o.plain != nil {
		o.plain.Event(e)
	}
	o.dash.Event(e)
	if line, said := e.(event.DeployOutput); said && o.drawn {
		_, _ = io.WriteString(o.dash, "  "+view.Line(line.Line)+"\n") // above the frame
	}
	switch e.(type) {
	case event.RunStarted, event.DeployStarted:
		if o.drawn {
			o.dash.Show()
		}
	}
}

// aside gives the terminal to f, which may write and ask, and takes it back afterwards.
func (o *output) aside(f func() error) error {
	if !o.drawn {
		return f()
	}
	_ = o.dash.Hide() // what went wrong with the display is no matter of the run
	if err := f(); err != nil {
		return err
	}
	o.dash.Show()
	return nil
}

// close ends the progress and writes the report, if there is one.
func (o *output) close(r *engine.Report, next view.Next) error {
	o.stop()
	_ = o.dash.Hide()
	o.app.live.Store(nil)
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

// logger is where requests and what else is worth it are logged: to a file, to stderr with
// --debug, or nowhere.
func (a *App) logger(opt *runOptions, stderr io.Writer) (*slog.Logger, func(), error) {
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
		return slog.New(slog.NewTextHandler(stderr, handlerOptions)), func() {}, nil
	default:
		return slog.New(slog.DiscardHandler), func() {}, nil
	}
}
