package azcopy

import "syscall"

// alone keeps the console's interrupt from the child, which is told by this program. A
// child that outlives this program finds the gateway closed, and can do nothing.
func alone() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
