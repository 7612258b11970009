package dashboard

import (
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
)

// maxPrinted is how many lines are printed above the frame between two samples.
const maxPrinted = 300

type (
	tick    struct{} // time to look at the state
	printed struct{} // the lines that were under way stand on the terminal
	hide    struct{} // the caller wants the terminal back
)

// screen is the Bubble Tea model. The program's loop alone touches it.
type screen struct {
	dash          *Dashboard
	paper         *paper
	width, height int
	frame         string
	printing      bool
	closing       bool
}

// Init implements tea.Model.
func (s *screen) Init() tea.Cmd { return next() }

func next() tea.Cmd { return tea.Tick(sampleEvery, func(time.Time) tea.Msg { return tick{} }) }

// Update implements tea.Model.
func (s *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
		s.sample()
	case hide:
		s.closing = true
		return s, s.print()
	case printed:
		s.printing = false
		return s, s.print()
	case tick:
		s.sample()
		return s, tea.Batch(next(), s.print())
	}
	return s, nil
}

// View implements tea.Model. No row that the renderer counts may be empty at the end: it
// would not be written, and the next insertion above would be a row off. When closing it
// is a blank row, from which on the rest of the screen is cleared: the last frame is
// written after that, as ordinary output.
func (s *screen) View() tea.View {
	content := strings.TrimSuffix(s.frame, "\n")
	if content == "" || s.closing {
		content = " "
	}
	v := tea.NewView(content)
	v.DisableBracketedPasteMode = true
	return v
}

// sample draws the state as it is now.
func (s *screen) sample() {
	d := s.dash
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	s.frame = view(d.state, canvas{s.width, s.height, ink(d.opt.Color)}, now)
}

// print prints lines above the frame, one lot after the other; once the caller wants the
// terminal back it quits instead. Nothing can be inserted above a frame that does not
// stand yet.
func (s *screen) print() tea.Cmd {
	switch {
	case s.printing:
		return nil
	case s.closing:
		return tea.Quit
	case !s.paper.used.Load():
		return nil
	}
	s.dash.mu.Lock()
	lines := s.dash.lines.take(maxPrinted)
	s.dash.mu.Unlock()
	if len(lines) == 0 {
		return nil
	}
	s.printing = true
	return tea.Sequence(s.inserts(lines)...)
}

// inserts makes commands that print the lines, no more at a time than the frame leaves
// room for: more would push the frame itself out of the screen.
func (s *screen) inserts(text []string) []tea.Cmd {
	var cmds []tea.Cmd
	var lot []string
	flush := func() {
		if len(lot) > 0 {
			cmds = append(cmds, tea.Println(strings.Join(lot, "\n")))
			lot = nil
		}
	}
	for _, line := range text {
		for _, part := range wrap(line, s.width-1) { // what fills the row loses its last letter
			lot = append(lot, part)
			if len(lot) == spare {
				flush()
			}
		}
	}
	flush()
	return append(cmds, func() tea.Msg { return printed{} })
}

// paper is the writer behind the program. It notes when the first frame stands.
type paper struct {
	io.Writer
	used atomic.Bool
}

func newPaper(w io.Writer) *paper { return &paper{Writer: w} }

// Write implements io.Writer.
func (p *paper) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	p.used.Store(true)
	return n, err
}

// sheet is paper that is a file: the program asks it for the terminal's size.
type sheet struct {
	*os.File
	paper *paper
}

// Write implements io.Writer.
func (s sheet) Write(b []byte) (int, error) { return s.paper.Write(b) }

// WriteString implements io.StringWriter: that of the file would pass the paper by.
func (s sheet) WriteString(text string) (int, error) { return s.paper.Write([]byte(text)) }

// ReadFrom implements io.ReaderFrom, for the same reason.
func (s sheet) ReadFrom(r io.Reader) (int64, error) { return io.Copy(s.paper, r) }

// writer is what the program gets.
func (p *paper) writer() io.Writer {
	if f, ok := p.Writer.(*os.File); ok {
		return sheet{f, p}
	}
	return p
}
