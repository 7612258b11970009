// Package dashboard shows a run live on a terminal: what it is, how far it is, what each
// resource came to, which hosts asked for a pause, what failed.
//
// Events are folded into a state whose size depends on the number of resources alone. A
// Bubble Tea program samples it ten times a second and draws it as a frame at the lower
// end of the terminal; it alone writes there. Failures and log lines are printed above
// the frame, so they scroll away as ordinary output does, and the last frame stays behind
// them. The alternate screen is not used. Whoever emits an event waits for no terminal.
//
// The terminal is not put into raw mode: keys are not read, only their echo is off while
// a frame is shown. Ctrl-C therefore stays the signal that it is, the second one too,
// and Ctrl-Z suspends the process. Nor is the terminal asked anything, so no late answer
// of it can end up at the shell's prompt.
//
// What is drawn is a function of the state, the size and the time, and the state one of
// the events and their times; only Dashboard knows clocks, goroutines and the terminal.
package dashboard

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/azure-tenant-grapher/atg/internal/event"
)

// MinWidth is the number of columns below which plain lines read better. A dashboard that
// is shown all the same, or whose terminal becomes narrower, leaves out what has no room.
const MinWidth = 60

const (
	framesPerSecond = 10
	sampleEvery     = time.Second / framesPerSecond
	snapshotWidth   = 100
	snapshotHeight  = 60
	lastHeight      = 40 // of the frame that stays: it scrolls as ordinary output does
)

// Options say where and how a run is shown.
type Options struct {
	// Out is where frames and lines go: an *os.File for a terminal, which is then asked for
	// its size and followed when that changes. Any other writer has Width and Height.
	Out           io.Writer
	Width, Height int
	Color         bool               // ANSI colours; meaning is never in colour alone
	Term          string             // the terminal's type, as TERM has it
	Explain       func(error) string // an error in one line; default: its Error method
	Now           func() time.Time   // default: time.Now
	Zone          *time.Location     // of the times that are shown; default: time.Local
	// Resumed says that the run goes on with an earlier part of it: what its writing phase
	// works on is what was left, and says nothing of how many items the next one compares.
	Resumed bool
}

// Dashboard shows one run. All methods are safe for concurrent use.
type Dashboard struct {
	opt Options
	tty *terminal

	life    sync.Mutex    // guards all below: one Show or Hide at a time
	wanted  bool          // between Show and Hide
	watched bool          // Ctrl-Z is
	program *tea.Program  // nil: the terminal is not taken
	gone    chan struct{} // closed when program has ended
	failed  error         // of program; read after gone

	mu    sync.Mutex // guards all below; held for moments only, never while writing
	state *state
	lines lines // what is still to be printed above the frame
	live  bool  // a program takes the lines

	direct sync.Mutex // held while writing to Out without a program; taken before mu
}

// New returns a dashboard that takes events and shows nothing yet.
func New(opt Options) *Dashboard {
	if opt.Explain == nil {
		opt.Explain = error.Error
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Zone == nil {
		opt.Zone = time.Local
	}
	d := &Dashboard{opt: opt, tty: terminalOf(opt.Out), state: newState(opt.Explain)}
	d.state.resumed = opt.Resumed
	return d
}

// Event takes one event; it is an event.Sink.
func (d *Dashboard) Event(e event.Event) {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state.fold(e, now)
	if d.live {
		d.spill(false)
	} else {
		d.state.spill(false)
	}
}

// Stopping says that the run was asked to stop. The run's own end is still to come.
func (d *Dashboard) Stopping() { d.Event(stopRequested{}) }

func (d *Dashboard) now() time.Time { return d.opt.Now().In(d.opt.Zone) }

// spill moves failures to the lines above the frame. d.mu is held.
func (d *Dashboard) spill(all bool) {
	for _, f := range d.state.spill(all) {
		d.lines.add(f.line())
	}
}

// Write prints p above the frame, line by line; what follows the last line feed waits for
// the next Write or for Hide. It does not wait for the terminal while a frame is shown,
// and leaves lines out, with a word about it, where they come faster than the terminal
// takes them. It returns an error only where no frame is shown.
func (d *Dashboard) Write(p []byte) (int, error) {
	if d.queue(p) {
		return len(p), nil
	}
	d.direct.Lock()
	defer d.direct.Unlock()
	if d.queue(p) { // it is shown again
		return len(p), nil
	}
	return d.opt.Out.Write(p)
}

// queue leaves p to the program. It returns false if there is none.
func (d *Dashboard) queue(p []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.live {
		d.lines.write(p)
	}
	return d.live
}

// Snapshot returns where the run stands, as text without colours: for a log or for an
// answer to a signal. It is empty before the run has begun.
func (d *Dashboard) Snapshot() string {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	return view(d.state, canvas{width: snapshotWidth, height: snapshotHeight}, now)
}

// Fits tells whether a live display suits w: it is a terminal of at least MinWidth columns
// that this process has to itself, not one whose shell it runs in the background of.
func Fits(w io.Writer) bool {
	t := terminalOf(w)
	width, _, ok := t.size()
	return ok && width >= MinWidth && t.foreground()
}

// Show takes the terminal and draws the run on it, from now until Hide. It does nothing
// if the run is shown already.
func (d *Dashboard) Show() {
	d.life.Lock()
	defer d.life.Unlock()
	d.wanted = true
	if !d.watched {
		d.watched = true
		d.tty.onSuspend(d.suspend)
	}
	d.show()
}

// show starts the program. d.life is held.
func (d *Dashboard) show() {
	if d.program != nil {
		return
	}
	d.setLive()
	out := newPaper(d.opt.Out)
	s := &screen{dash: d, paper: out, width: d.opt.Width, height: d.opt.Height}
	if w, h, ok := d.tty.size(); ok {
		s.width, s.height = w, h
	}
	s.sample()
	profile := colorprofile.ASCII
	if d.opt.Color {
		profile = colorprofile.ANSI
	}
	p := tea.NewProgram(s, tea.WithInput(nil), tea.WithOutput(out.writer()), tea.WithoutSignalHandler(),
		tea.WithFPS(framesPerSecond), tea.WithColorProfile(profile), tea.WithWindowSize(s.width, s.height),
		tea.WithEnvironment([]string{"TERM=" + d.opt.Term}))
	d.tty.take()
	gone := make(chan struct{})
	d.program, d.gone = p, gone
	go func() {
		defer close(gone)
		_, d.failed = p.Run()
		d.tty.giveBack(false)
		d.leave(s.width)
	}()
}

// setLive leaves the lines to the program from now on.
func (d *Dashboard) setLive() {
	d.direct.Lock()
	defer d.direct.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.live = true
}

// suspend stops the process with the terminal in order. When it goes on, so does the
// display, unless the process is in the background then.
func (d *Dashboard) suspend() {
	d.life.Lock()
	defer d.life.Unlock()
	_ = d.hide() // why the display ended early is no concern here
	stopProcess()
	if d.wanted && d.tty.foreground() {
		d.show()
	}
}

// leave writes the lines that still wait, and the last frame below them. From then on
// there is no program that takes lines.
func (d *Dashboard) leave(width int) {
	now := d.now()
	d.direct.Lock()
	defer d.direct.Unlock()
	d.mu.Lock()
	d.live = false
	d.spill(true)
	d.lines.end()
	var text strings.Builder
	for _, line := range d.lines.take(maxLines) {
		for _, part := range wrap(line, width-1) {
			text.WriteString(part + "\n")
		}
	}
	text.WriteString(view(d.state, canvas{width, lastHeight, ink(d.opt.Color)}, now))
	d.mu.Unlock()
	_, _ = io.WriteString(d.opt.Out, text.String()) // a terminal that is gone is no reason to stop a run
}

// Hide gives the terminal back: lines that still wait are printed, the last frame stays,
// and the cursor stands below it. It waits until that is done. Events are still taken, and
// Show may show the run again. The error says why the display ended before Hide, if it did;
// the run is not concerned.
func (d *Dashboard) Hide() error {
	d.life.Lock()
	defer d.life.Unlock()
	d.wanted = false
	return d.hide()
}

// hide ends the program. d.life is held.
func (d *Dashboard) hide() error {
	if d.program == nil {
		return nil
	}
	d.program.Send(hide{})
	<-d.gone
	d.program = nil
	if d.failed != nil {
		return fmt.Errorf("show the run: %w", d.failed)
	}
	return nil
}

// Restore puts the terminal back into order at once: for a process that ends without
// Hide. It does not wait for a terminal that takes no output.
func (d *Dashboard) Restore() {
	if !d.tty.giveBack(true) {
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(d.opt.Out, belowAll+ansi.SetModeTextCursorEnable)
	}()
	select {
	case <-written:
	case <-time.After(sampleEvery):
	}
}

// belowAll moves the cursor to the last row, wherever it is, and to the start of the next.
const belowAll = "\x1b[999B\r\n"

const (
	maxLines = 5000    // that wait to be printed
	maxLine  = 4 << 10 // bytes of one
)

// lines wait to be printed above the frame.
type lines struct {
	ready   []string
	part    []byte // of a line whose end has not been written
	omitted int64  // since ready was full
}

// write takes text; see Dashboard.Write.
func (l *lines) write(p []byte) {
	for {
		before, after, whole := bytes.Cut(p, []byte("\n"))
		l.part = append(l.part, before[:min(len(before), maxLine-min(maxLine, len(l.part)))]...)
		if !whole {
			return
		}
		l.end()
		p = after
		if len(p) == 0 {
			return
		}
	}
}

// end ends the line that has begun.
func (l *lines) end() {
	if len(l.part) > 0 {
		l.add(string(l.part))
		l.part = l.part[:0]
	}
}

func (l *lines) add(line string) {
	if len(l.ready) >= maxLines {
		l.omitted++
		return
	}
	l.ready = append(l.ready, line)
}

// take returns up to n lines and forgets them.
func (l *lines) take(n int) []string {
	n = min(n, len(l.ready))
	out := l.ready[:n:n]
	l.ready = l.ready[n:]
	if len(l.ready) == 0 {
		l.ready = nil
		if l.omitted > 0 {
			out = append(out, fmt.Sprintf("… %s left out here: they came faster than the terminal takes them", plural(l.omitted, "line")))
			l.omitted = 0
		}
	}
	return out
}
