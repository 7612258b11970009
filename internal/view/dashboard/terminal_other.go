//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris)

package dashboard

import (
	"io"
	"os"

	"golang.org/x/term"
)

// terminal is the terminal behind a writer, whose settings are left as they are.
type terminal struct{ fd int }

// terminalOf returns the terminal that w writes to, or nil.
func terminalOf(w io.Writer) *terminal {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &terminal{int(f.Fd())}
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

// take has nothing to do here.
func (t *terminal) take(func()) (resumed func()) { return func() {} }

// giveBack tells whether there is a terminal whose cursor may be hidden.
func (t *terminal) giveBack(bool) bool { return t != nil }
