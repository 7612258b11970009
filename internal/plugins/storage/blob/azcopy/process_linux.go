package azcopy

import "syscall"

// alone keeps the terminal's interrupt from the child, which is told by this program, and
// has the child die with it.
func alone() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
