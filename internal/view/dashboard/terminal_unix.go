//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris

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
	saved *unix.Termios // as it was before take; nil: not taken
	stop  chan os.Signal
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

// take turns the echo of keys off, which would tear the frame, and calls suspend when
// Ctrl-Z is pressed: the frame has to be left in order before the process stops. The
// function that it returns is to be called once the process goes on.
func (t *terminal) take(suspend func()) (resumed func()) {
	if t == nil {
		return func() {}
	}
	t.quiet()
	stop := make(chan os.Signal, 1)
	t.mu.Lock()
	t.stop = stop
	t.mu.Unlock()
	signal.Notify(stop, unix.SIGTSTP)
	go func() {
		for range stop {
			signal.Stop(stop) // the next one stops the process
			t.loud(setTermios)
			suspend()
		}
	}()
	return func() {
		t.quiet()
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.stop != nil {
			signal.Notify(stop, unix.SIGTSTP)
		}
	}
}

// giveBack undoes take. It tells whether there was anything to undo. In no hurry, it lets
// the output come to its end and drops the keys that were pressed meanwhile, lest they
// answer a question that comes later.
func (t *terminal) giveBack(hurry bool) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	stop := t.stop
	t.stop = nil
	t.mu.Unlock()
	if stop == nil {
		return false
	}
	signal.Stop(stop)
	close(stop)
	if hurry {
		t.loud(setTermios)
	} else {
		t.loud(setTermiosFlush)
	}
	return true
}

// foreground tells whether the process may change the terminal's settings: the system
// stops a process in the background that tries to.
func (t *terminal) foreground() bool {
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// quiet turns the echo off.
func (t *terminal) quiet() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.foreground() {
		return
	}
	now, err := unix.IoctlGetTermios(t.fd, getTermios)
	if err != nil {
		return
	}
	if t.saved == nil {
		saved := *now
		t.saved = &saved
	}
	now.Lflag &^= unix.ECHO | unix.ECHONL
	_ = unix.IoctlSetTermios(t.fd, setTermios, now) // keys would show: no reason to stop a run
}

// loud puts the terminal's settings back by the given request.
func (t *terminal) loud(request uint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved == nil || !t.foreground() {
		return
	}
	_ = unix.IoctlSetTermios(t.fd, request, t.saved) // as above
	t.saved = nil
}
