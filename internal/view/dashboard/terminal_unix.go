//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package dashboard

import (
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// terminal is the terminal behind a writer. A nil terminal is none.
type terminal struct {
	fd int

	mu    sync.Mutex
	taken bool
	saved *unix.Termios // as it was before take; nil: take changed nothing
}

// terminalOf returns the terminal that w writes to, or nil.
func terminalOf(w io.Writer) *terminal {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	t := &terminal{fd: int(f.Fd())}
	if _, err := unix.IoctlGetTermios(t.fd, getTermios); err != nil {
		return nil
	}
	return t
}

// size returns the columns and rows of the terminal.
func (t *terminal) size() (width, height int, ok bool) {
	if t == nil {
		return 0, 0, false
	}
	ws, err := unix.IoctlGetWinsize(t.fd, unix.TIOCGWINSZ)
	if err != nil || ws.Col == 0 || ws.Row == 0 {
		return 0, 0, false
	}
	return int(ws.Col), int(ws.Row), true
}

// foreground tells whether the process may change the terminal's settings: the system
// stops one in the background that tries to. A terminal that does not control the process
// lets it do as it likes.
func (t *terminal) foreground() bool {
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// take turns the echo of keys off: they would tear the frame.
func (t *terminal) take() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken = true
	if !t.foreground() {
		return
	}
	now, err := unix.IoctlGetTermios(t.fd, getTermios)
	if err != nil {
		return
	}
	saved := *now
	t.saved = &saved
	now.Lflag &^= unix.ECHO | unix.ECHONL
	_ = unix.IoctlSetTermios(t.fd, setTermios, now) // keys would show: no reason to stop a run
}

// giveBack undoes take. It tells whether there was anything to undo. In no hurry, it lets
// the output come to its end and drops the keys that were pressed meanwhile, lest they
// answer a question that comes later.
func (t *terminal) giveBack(hurry bool) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.taken {
		return false
	}
	t.taken = false
	if t.saved != nil && t.foreground() {
		var request uint = setTermiosFlush
		if hurry {
			request = setTermios
		}
		_ = unix.IoctlSetTermios(t.fd, request, t.saved) // as above
	}
	t.saved = nil
	return true
}

// onSuspend calls suspend, in its own goroutine, whenever Ctrl-Z is pressed, until the
// process ends: once caught, the signal cannot be given back its default.
func (t *terminal) onSuspend(suspend func()) {
	if t == nil {
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTSTP)
	go func() {
		for range stop {
			suspend()
		}
	}()
}

// stopProcess stops the process, as Ctrl-Z does, and returns once it goes on.
func stopProcess() {
	goOn := make(chan os.Signal, 1)
	signal.Notify(goOn, unix.SIGCONT)
	defer signal.Stop(goOn)
	if unix.Kill(unix.Getpid(), unix.SIGSTOP) == nil {
		<-goOn
	}
}
