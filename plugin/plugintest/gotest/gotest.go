// Package gotest runs the conformance suite under go test, one subtest for each check.
package gotest

import (
	"testing"

	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// Run runs every check of the suite as a subtest of t with the check's name. Checks that
// need the process for themselves come first; the others run in parallel. The caller
// must not have called t.Parallel.
func Run(t *testing.T, s plugintest.Subject) {
	t.Helper()
	if problems := s.Problems(); len(problems) > 0 {
		t.Fatalf("the subject is not complete: %q", problems)
	}
	for _, c := range plugintest.Checks() {
		if c.Alone {
			t.Run(c.Name, func(t *testing.T) { one(t, s, c) })
		}
	}
	for _, c := range plugintest.Checks() {
		if !c.Alone {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				one(t, s, c)
			})
		}
	}
}

func one(t *testing.T, s plugintest.Subject, c plugintest.Check) {
	t.Helper()
	opt := plugintest.Options{}
	if raceEnabled {
		opt.Bulk = 40_000 // five times as slow as without the detector, and no less telling
	}
	res := c.Run(t.Context(), s, opt)
	for _, m := range res.Messages {
		t.Log(m)
	}
	switch res.Status {
	case plugintest.Failed:
		t.Errorf("does not hold: %s", res.Claim)
	case plugintest.Waived:
		t.Skip("waived")
	case plugintest.Skipped:
		t.Skip("does not apply")
	case plugintest.Passed:
	}
}
