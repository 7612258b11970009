//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package dashboard

import "golang.org/x/sys/unix"

// The requests that read and write a terminal's settings; see termios(4).
const (
	getTermios      = unix.TIOCGETA
	setTermios      = unix.TIOCSETA
	setTermiosFlush = unix.TIOCSETAF
)
