package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var (
	thing = plugin.Item{Key: "things/1", Kind: "thing"}
	note  = plugin.Item{Key: "notes/1", Kind: "note"}
)

func twoPairs() []engine.Pair {
	w := enginetest.NewWorld()
	return []engine.Pair{enginetest.New(w, "a", "T/a").Pair("x"), enginetest.New(w, "b", "T/b").Pair("y")}
}

func TestEveryItemThatIsNotVerifiedHasItsReason(t *testing.T) {
	t.Parallel()
	tally := engine.NewTally(twoPairs(), engine.Options{})
	tally.Compared()
	for range 6 {
		tally.Found(0, event.Verifying, thing)
	}
	tally.Found(1, event.Verifying, note)
	tally.Verified(0, thing, plugin.Comparison{State: plugin.Same, Proven: true})
	tally.Verified(0, thing, plugin.Comparison{State: plugin.Same})
	tally.Verified(0, thing, plugin.Comparison{State: plugin.Different, Fields: []string{"value", "tags"}})
	tally.Verified(0, thing, plugin.Comparison{State: plugin.Cannot, Reason: "disabled"})
	tally.Verified(0, thing, plugin.Comparison{State: plugin.Missing})
	tally.Failed(0, event.Verifying, thing, errors.New("gone"))
	tally.Verified(1, note, plugin.Comparison{State: plugin.Same, Reason: "recreated"})
	r := tally.Report(time.Now())

	one := func(typ, kind, reason, example string) []engine.Group {
		return []engine.Group{{Type: typ, Kind: kind, Reason: reason, Count: 1, Examples: []string{example}}}
	}
	for name, tt := range map[string]struct{ got, want []engine.Group }{
		"skipped":   {r.Skipped, one("T/a", "thing", "disabled", "x things/1")},
		"different": {r.Different, one("T/a", "thing", "value, tags", "x things/1")},
		"missing":   {r.Missing, one("T/a", "thing", "not at the target", "x things/1")},
		"unproven": {r.Unproven, append(one("T/a", "thing", "equal as far as the service lets see", "x things/1"),
			one("T/b", "note", "recreated", "y notes/1")...)},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if r.Fidelity.Count != (engine.Count{Items: 7, Verified: 1, Percent: 14.28}) {
		t.Errorf("fidelity = %+v", r.Fidelity.Count)
	}
	if r.Fidelity.ByKind["T/b"]["note"] != (engine.Count{Items: 1}) || r.Fidelity.ByType["T/a"].Items != 6 {
		t.Errorf("fidelity = %+v", r.Fidelity)
	}
	if r.FailTotal != 1 || r.Failures[0].Message != "gone" || r.Failures[0].Problem.Kind != "internal" {
		t.Errorf("failures = %+v", r.Failures)
	}
}

func TestSkippedComesFromApplyWhereNothingWasCompared(t *testing.T) {
	t.Parallel()
	tally := engine.NewTally(twoPairs(), engine.Options{})
	tally.Found(0, event.Applying, thing)
	tally.Done(0, thing, plugin.Outcome{Status: plugin.Skipped, Reason: "managed", Warnings: []string{"tag dropped"}})
	tally.Canceled(errors.New("interrupt"))
	tally.Canceled(errors.New("later"))
	r := tally.Report(time.Now())
	if len(r.Skipped) != 1 || r.Skipped[0].Reason != "managed" || r.Warnings[0].Reason != "tag dropped" {
		t.Errorf("skipped = %v, warnings = %v", r.Skipped, r.Warnings)
	}
	if r.Run.CanceledBy != "interrupt" || r.Run.Complete || r.Fidelity.Percent != 0 {
		t.Errorf("run = %+v, fidelity = %+v", r.Run, r.Fidelity.Count)
	}
}

func TestReportDoesNotGrowWithItsItems(t *testing.T) {
	t.Parallel()
	tally := engine.NewTally(twoPairs(), engine.Options{})
	for i := range 5000 {
		it := plugin.Item{Key: plugin.Key(fmt.Sprint(i)), Kind: "thing"}
		tally.Found(0, event.Applying, it)
		tally.Done(0, it, plugin.Outcome{Status: plugin.Skipped, Reason: fmt.Sprint("reason of ", i)})
		tally.Failed(1, event.Applying, it, fmt.Errorf("failure of %d", i))
	}
	r := tally.Report(time.Now())
	if len(r.Skipped) != 201 || len(r.Failures) != 100 || r.FailTotal != 5000 {
		t.Errorf("%d groups, %d failures of %d", len(r.Skipped), len(r.Failures), r.FailTotal)
	}
	if rest := r.Skipped[0]; rest.Reason != "other reasons" || rest.Count != 4800 || len(rest.Examples) != 5 {
		t.Errorf("the group of all other reasons = %+v", rest)
	}
}

func TestPercentIsNeverRoundedUp(t *testing.T) {
	t.Parallel()
	tally := engine.NewTally(twoPairs(), engine.Options{})
	for i := range 100_000 {
		tally.Found(0, event.Planning, thing)
		if i > 0 {
			tally.Planned(0, thing, plugin.Comparison{State: plugin.Same, Proven: true})
		}
	}
	if got := tally.Report(time.Now()).Fidelity.Percent; got != 99.99 {
		t.Errorf("99,999 of 100,000 = %v %%, want 99.99", got)
	}
}

func TestProblemOfTakesTheOutermostWord(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("copy: %w", &errs.Error{Op: "write", Side: "target", Err: &errs.Error{
		Op: "put", Kind: errs.PermissionDenied, Side: "elsewhere", Code: "Forbidden", RequestID: "r", Action: "a", Hint: "h",
	}})
	got := engine.ProblemOf(err)
	want := engine.Problem{Kind: "permission-denied", Message: err.Error(), Side: "target", Code: "Forbidden", RequestID: "r", Action: "a", Hint: "h"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestReportJSON pins the names that readers of "-o json" rely on.
func TestReportJSON(t *testing.T) {
	t.Parallel()
	tally := engine.NewTally(twoPairs(), engine.Options{Run: "R", Unpaired: []engine.Unpaired{{ID: "z"}}})
	tally.Compared()
	tally.Found(0, event.Applying, thing)
	tally.Done(0, thing, plugin.Outcome{Status: plugin.Created})
	tally.Failed(0, event.Applying, thing, errors.New("x"))
	tally.Skip(1, "mode")
	b, err := json.Marshal(tally.Report(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"schema", "run", "resources", "fidelity", "outcomes", "pairs", "unpaired", "skipped", "failures", "failuresTotal"} {
		if _, ok := doc[name]; !ok {
			t.Errorf("report lacks %q: %s", name, b)
		}
	}
	fidelity, _ := doc["fidelity"].(map[string]any)
	for _, name := range []string{"items", "verified", "percent", "byType", "byKind"} {
		if _, ok := fidelity[name]; !ok {
			t.Errorf("fidelity lacks %q: %s", name, b)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	o := engine.Options{Workers: -1}.WithDefaults()
	if o.Workers != 16 || o.PerHost != 16 || o.BytesAtWork != 256<<20 || o.ItemTimeout != 10*time.Minute ||
		o.Grace != 30*time.Second || o.Mode != plugin.Template || o.Retry.Attempts != 3 {
		t.Errorf("defaults = %+v", o)
	}
	o.Emit(event.RunFinished{})
	if o.Now().IsZero() || o.Sleep(t.Context(), time.Nanosecond) != nil {
		t.Error("the default clock must run")
	}
}
