//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// maxResident is what the system accounts as the peak of an ended child's memory, in bytes.
func maxResident(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	peak := int64(usage.Maxrss) //nolint:unconvert // it has 32 bits on some systems
	if runtime.GOOS == "darwin" {
		return peak // in bytes already
	}
	return peak << 10
}
