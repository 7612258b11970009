//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package dashboard

import (
	"io"
	"os"
	"sync/atomic"

	"golang.org/x/term"
)

// terminal is the terminal behind a writer, whose settings are left as they are.
type terminal struct {
	fd    int
	taken atomic.Bool
}

// terminalOf returns the terminal that w writes to, or nil.
func terminalOf(w io.Writer) *terminal {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &terminal{fd: int(f.Fd())}
	}
	return nil
}

// size returns the columns and rows of the terminal.
func (t *terminal) size() (width, height int, ok bool) {
	if t == nil {
		return 0, 0, false
	}
	width, height, err := term.GetSize(t.fd)
	return width, height, err == nil
}

// foreground is always true here: there is no background.
func (t *terminal) foreground() bool { return true }

// take notes that the cursor is hidden.
func (t *terminal) take() {
	if t != nil {
		t.taken.Store(true)
	}
}

// giveBack tells whether the terminal was taken.
func (t *terminal) giveBack(bool) bool { return t != nil && t.taken.Swap(false) }

// onSuspend does nothing: there is no such signal here.
func (t *terminal) onSuspend(func()) {}

// stopProcess is never called here.
func stopProcess() {}
