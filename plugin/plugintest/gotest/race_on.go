//go:build race

package gotest

// raceEnabled says that the race detector is at work: everything takes several times longer.
const raceEnabled = true
