package plugintest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// broken are the ways in which the toy plugin can break the contract. Check is the one
// that must notice; also are those that notice the same thing on their way, no others.
var broken = []struct {
	bug   string
	check string
	also  []string
}{
	{bug: "setting with a bad default", check: "Info"},
	{bug: "permission without reason", check: "Permissions/Declared"},
	{bug: "misspelt permission", check: "Permissions/Known", also: []string{"Permissions/Minimal"}},
	{bug: "template needs more", check: "Permissions/TemplateSubset", also: []string{"Permissions/Minimal"}},
	{bug: "permission too few", check: "Permissions/Enough"},
	{bug: "permission too much", check: "Permissions/Minimal"},
	{bug: "denial without a name", check: "Permissions/Minimal"},

	{bug: "wrong kind", check: "Discover/Complete", also: []string{"Batch/Faults", "Batch/SameEnd"}},
	{bug: "digest of a secret", check: "Discover/Complete"},
	{bug: "forgets pins", check: "Discover/Complete", also: []string{"Discover/PageFails", "Replicate/Full", "Replicate/Template"}},
	{bug: "cursor too early", check: "Discover/Resume"},
	{bug: "a failed page ends the list silently", check: "Discover/PageFails"},
	{bug: "reads values in template mode", check: "Discover/TemplateReadsNoValues"},
	{bug: "keeps all items", check: "Discover/Bounded"},
	{bug: "goes on after the break", check: "Discover/Break"},
	{bug: "deaf to cancellation", check: "Discover/Cancel"},
	{bug: "leaves a goroutine", check: "Discover/Cancel", also: []string{"Discover/Break"}},

	{bug: "template copies contents", check: "Replicate/Template"},
	{bug: "cuts contents", check: "Replicate/Full", also: []string{"Batch/Faults", "Compare/States", "Replicate/CrashEverywhere", "Replicate/Faults", "Replicate/Idempotent"}},
	{bug: "loses labels", check: "Replicate/Full", also: []string{"Replicate/Template"}},
	{bug: "skips without a reason", check: "Replicate/Full", also: []string{"Replicate/Template"}},
	{bug: "writes what is the same", check: "Replicate/Idempotent", also: []string{"Replicate/CrashEverywhere", "Replicate/NoClobber"}},
	{bug: "overwrites", check: "Replicate/NoClobber"},
	{bug: "marks the source", check: "Replicate/SourceUntouched", also: []string{"Replicate/Idempotent"}},
	{bug: "lost answer is a conflict", check: "Replicate/Faults"},
	{bug: "409 is passing", check: "Replicate/ErrorKinds"},
	{bug: "tries a 404 again", check: "Replicate/ErrorKinds"},
	{bug: "checkpoint off by one", check: "Replicate/CrashEverywhere", also: []string{"Replicate/Faults"}},
	{bug: "shares state between items", check: "Race"},

	{bug: "a batch forgets its last", check: "Batch/SameEnd", also: []string{"Batch/Faults", "Batch/NoClobber"}},
	{bug: "a batch overwrites", check: "Batch/NoClobber"},
	{bug: "a batch hides failures", check: "Batch/Faults"},

	{bug: "same without proof or reason", check: "Compare/States"},
	{bug: "blind to drift", check: "Compare/Drift"},
	{bug: "compare writes", check: "Compare/WritesNothing"},
	{bug: "unknown parameter", check: "Declare/Formats"},
	{bug: "arguments that the provider lacks", check: "Declare/Formats"},
	{bug: "parameter not sensitive", check: "Declare/Formats"},
	{bug: "estimates bytes for a template", check: "Estimate"},
	{bug: "counts twice", check: "Estimate"},

	{bug: "secret in an item", check: "Secrets/Canary"},
	{bug: "secret in the log", check: "Secrets/Canary"},
	{bug: "secret in an outcome", check: "Secrets/Canary"},
	{bug: "secret in an error", check: "Secrets/Canary"},
}

// TestBrokenToys breaks the toy plugin in each way and sees the named checks fail, and no
// others. Checks that measure the process run for their own bugs only, the slowest three
// for bugs of Replicate; under the race detector and with -short, the checks that must
// fail are run alone.
func TestBrokenToys(t *testing.T) {
	for _, b := range broken {
		t.Run(b.bug, func(t *testing.T) {
			want := slices.Concat([]string{b.check}, b.also)
			slices.Sort(want)
			var checks []plugintest.Check
			for _, c := range plugintest.Checks() {
				slow := c.Name == "Replicate/Faults" || c.Name == "Replicate/CrashEverywhere" || c.Name == "Batch/Faults"
				named := slices.Contains(want, c.Name)
				related := !c.Alone && !raceEnabled && !testing.Short() && (!slow || strings.HasPrefix(b.check, "Replicate/"))
				if named || related {
					checks = append(checks, c)
				}
			}
			if !slices.ContainsFunc(checks, func(c plugintest.Check) bool { return c.Alone }) {
				t.Parallel()
			}
			if diff := cmp.Diff(want, failing(t, newToy(b.bug), checks)); diff != "" {
				t.Errorf("failed checks (-want +got):\n%s", diff)
			}
		})
	}
}

// failing runs checks on a broken toy and returns the names of those that fail, sorted.
func failing(t *testing.T, p *toy, checks []plugintest.Check) []string {
	t.Helper()
	p.state.stop = make(chan struct{})
	defer close(p.state.stop)
	var failed []string
	for _, c := range checks {
		if res := c.Run(t.Context(), toySubject(p), plugintest.Options{}); res.Status == plugintest.Failed {
			failed = append(failed, c.Name)
			t.Logf("%s: %s", c.Name, res.Messages[0])
		}
	}
	slices.Sort(failed)
	return failed
}

// TestEachCheckCanFail holds the table above complete.
func TestEachCheckCanFail(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, b := range broken {
		shown[b.check] = true
	}
	for _, c := range plugintest.Checks() {
		if !shown[c.Name] {
			t.Errorf("no broken toy shows that %s can fail", c.Name)
		}
	}
}
