//go:build unix && !linux

package azcopy

import "syscall"

// alone keeps the terminal's interrupt from the child, which is told by this program. A
// child that outlives this program finds the gateway closed, and can do nothing.
func alone() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
