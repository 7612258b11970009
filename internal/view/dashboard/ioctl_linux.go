package dashboard

import "golang.org/x/sys/unix"

// The requests that read and write a terminal's settings; see termios(3).
const (
	getTermios      = unix.TCGETS
	setTermios      = unix.TCSETS
	setTermiosFlush = unix.TCSETSF
)
