package cli

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/azure-tenant-grapher/atg/internal/view"
)

// IO is all that a command may touch of the outside world besides the network.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	// InTTY, OutTTY and ErrTTY tell which of the streams are terminals.
	InTTY, OutTTY, ErrTTY bool
	// Width returns the columns of the terminal now, or 0 if there is none.
	Width func() int
	// Env looks up an environment variable, as os.LookupEnv does.
	Env func(string) (string, bool)
	// Setenv sets an environment variable of this process, for programs that it starts. Nil
	// sets none.
	Setenv func(name, value string) error
	// Snapshots starts to listen for the wish to see where a run stands, until release is
	// called. Nil means that nobody can ask.
	Snapshots func() (asked <-chan os.Signal, release func())
}

// SystemIO is the IO of this process.
func SystemIO() IO {
	return IO{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTerminal(os.Stdin), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		Width: terminalWidth, Env: os.LookupEnv, Setenv: os.Setenv, Snapshots: snapshotSignal,
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// terminalWidth asks the first of the output streams that is a terminal.
func terminalWidth() int {
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return w
		}
	}
	return 0
}

// outStyle is the style of text on Out, errStyle that on Err.
func (o IO) outStyle() view.Style { return o.style(o.OutTTY) }
func (o IO) errStyle() view.Style { return o.style(o.ErrTTY) }

// style follows NO_COLOR (no-color.org), CLICOLOR_FORCE and TERM=dumb.
func (o IO) style(tty bool) view.Style {
	st := view.Style{Color: tty}
	if tty {
		st.Width = o.Width()
	}
	if v := o.env("CLICOLOR_FORCE"); v != "" && v != "0" {
		st.Color = true
	}
	if o.env("NO_COLOR") != "" || o.env("TERM") == "dumb" {
		st.Color = false
	}
	return st
}

func (o IO) env(name string) string {
	v, _ := o.Env(name)
	return v
}

// canAsk tells whether a question would be seen and could be answered.
func (o IO) canAsk() bool { return o.InTTY && o.ErrTTY }
