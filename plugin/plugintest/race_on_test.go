//go:build race

package plugintest_test

// raceEnabled says that the race detector is at work: everything takes several times longer.
const raceEnabled = true
