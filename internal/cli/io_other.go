//go:build !unix

package cli

import "os"

// snapshotSignal has no signal to take on this system.
func snapshotSignal() (asked <-chan os.Signal, release func()) { return nil, func() {} }
