//go:build !linux

package azcopy

import "syscall"

// alone asks for nothing: systems differ too much. A child that outlives this program finds
// the gateway closed, and can do nothing.
func alone() *syscall.SysProcAttr { return nil }
