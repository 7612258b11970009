//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// snapshotSignal takes SIGUSR1, which would otherwise end the process, until release.
func snapshotSignal() (asked <-chan os.Signal, release func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	return c, func() { signal.Stop(c) }
}
