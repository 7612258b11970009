package local_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// beginRun starts the journal of run R1 in a directory.
func beginRun(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Begin(t.Context(), dir, journal.Run{ID: "R1", Command: "apply", Mode: plugin.Template}, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// again closes a journal, if given, and opens run R1 anew.
func again(t testing.TB, dir string, j *journal.Journal) *journal.Journal {
	t.Helper()
	if j != nil {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.Open(t.Context(), dir, "R1", journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func quick() retry.Policy { return retry.Policy{Attempts: 1} }

func statusOf(t testing.TB, j *journal.Journal) journal.Status {
	t.Helper()
	run, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return run.Status
}

func TestCanceledRunGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(500)
	j := beginRun(t, dir)
	ctx, cancel := context.WithCancelCause(t.Context())
	var taken, listed atomic.Int64
	p.OnReplicate = func(ctx context.Context, task plugin.Task) (plugin.Outcome, error) {
		if taken.Add(1) == 100 {
			cancel(errInterrupt)
		}
		out, err := p.Copy(ctx, task)
		out.Warnings = []string{"a tag was dropped"}
		return out, err
	}
	first := apply(ctx, t, engine.Options{Journal: j}, a)
	done := first.Outcomes[plugin.Created]
	if !first.Run.Canceled || first.Run.Resumed || done < 100 || statusOf(t, j) != journal.Canceled {
		t.Fatalf("run = %+v, outcomes = %v, status %s", first.Run, first.Outcomes, statusOf(t, j))
	}

	j = again(t, dir, j)
	taken.Store(1000)
	p.OnDiscover = func(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
		return func(yield func(plugin.Item, error) bool) {
			for it, err := range p.List(ctx, src, opt) {
				if opt.After != "" {
					listed.Add(1)
				}
				if !yield(it, err) {
					return
				}
			}
		}
	}
	r := apply(t.Context(), t, engine.Options{Journal: j}, a)
	if r.Outcomes[plugin.Created] != 500 || len(r.Outcomes) != 1 || r.Fidelity.Count != (engine.Count{Items: 500, Verified: 500, Percent: 100}) {
		t.Errorf("outcomes = %v, fidelity = %+v: both parts of the run count", r.Outcomes, r.Fidelity.Count)
	}
	if !r.Run.Resumed || !r.Run.Complete || r.Warnings[0].Count != 500 || statusOf(t, j) != journal.Finished {
		t.Errorf("run = %+v, warnings = %+v, status %s", r.Run, r.Warnings, statusOf(t, j))
	}
	if again := taken.Load() - 1000; again != 500-done {
		t.Errorf("%d items replicated by the second part, want the %d left", again, 500-done)
	}
	if n := listed.Load(); n == 0 || n >= 500-done {
		t.Errorf("%d items listed again: listing must go on where it stopped", n)
	}
	run, err := j.Run(t.Context())
	var stored engine.Report
	if err != nil || json.Unmarshal(run.Report, &stored) != nil || stored.Fidelity.Items != 500 {
		t.Errorf("stored report = %s, %v", run.Report, err)
	}
}

func TestFinishedRunDoesNothingAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(50)
	j := beginRun(t, dir)
	apply(t.Context(), t, engine.Options{Journal: j}, a)
	p.OnReplicate = func(context.Context, plugin.Task) (plugin.Outcome, error) {
		t.Error("an item was replicated again")
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	}
	r := apply(t.Context(), t, engine.Options{Journal: again(t, dir, j)}, a)
	if r.Outcomes[plugin.Created] != 50 || r.Fidelity.Verified != 50 {
		t.Errorf("outcomes = %v, fidelity = %+v", r.Outcomes, r.Fidelity.Count)
	}
}

func TestFailedItemsAreTriedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(20)
	failFirst(p, 99, &errs.Error{Op: "write", Kind: errs.PermissionDenied, Code: "Forbidden", Hint: "grant it"}, first)
	j := beginRun(t, dir)
	r := apply(t.Context(), t, engine.Options{Journal: j}, a)
	if r.Outcomes[plugin.Failed] != 1 || statusOf(t, j) != journal.Partial {
		t.Fatalf("outcomes = %v, status %s", r.Outcomes, statusOf(t, j))
	}
	for f, err := range j.Failures(t.Context()) {
		if err != nil || f.Item != "things/00001" || f.Code != "Forbidden" || f.Hint != "grant it" || f.Attempts != 1 || f.Source != "/source/a" {
			t.Errorf("failure = %+v, %v", f, err)
		}
	}
	for v, err := range j.Verdicts(t.Context()) {
		if err != nil || v.Key != "things/00001" || v.State != plugin.Missing {
			t.Errorf("verdict = %+v, %v", v, err)
		}
	}
	p.OnReplicate = nil
	j = again(t, dir, j)
	r = apply(t.Context(), t, engine.Options{Journal: j}, a)
	if r.Outcomes[plugin.Created] != 20 || r.Outcomes[plugin.Failed] != 0 || r.FailTotal != 0 || statusOf(t, j) != journal.Finished {
		t.Errorf("outcomes = %v, failures = %v", r.Outcomes, r.Failures)
	}
	for f, err := range j.Failures(t.Context()) {
		t.Errorf("failure after a good end: %+v, %v", f, err)
	}
	for v, err := range j.Verdicts(t.Context()) {
		t.Errorf("verdict after a good end: %+v, %v", v, err)
	}
}

func TestItemsInDoubtAreComparedFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(3)
	j := beginRun(t, dir)
	// A process that died: 1 was written, 2 was not, 3 was not begun.
	if err := j.RecordPairs(t.Context(), []journal.Pair{{
		Source: "/SOURCE/A", Target: "/target/a", Type: "Test/vaults", Plugin: "fake", PluginVersion: "1.0.0",
	}}); err != nil {
		t.Fatal(err)
	}
	for i, it := range enginetest.Things(3) {
		ref, err := j.RecordDiscovered(0, it, fmt.Sprintf("%09d", i+1))
		if err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			j.RecordStarted(ref, it, journal.Pending, 1)
		}
	}
	p.World.Set("/target/a", "things/00001", "content of things/00001")
	var compared, replicated []plugin.Key
	phase := "apply"
	p.OnCompare = func(ctx context.Context, t plugin.Task) (plugin.Comparison, error) {
		if phase == "apply" {
			compared = append(compared, t.Item.Key)
		}
		return p.Look(ctx, t)
	}
	p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
		replicated = append(replicated, t.Item.Key)
		if len(replicated) == 2 {
			defer func() { phase = "verify" }()
		}
		return p.Copy(ctx, t)
	}
	r := apply(t.Context(), t, engine.Options{Journal: again(t, dir, j), Workers: 1, PerHost: 1}, a)
	if diff := cmp.Diff([]plugin.Key{"things/00001", "things/00002"}, compared); diff != "" {
		t.Error("compared first:", diff)
	}
	if diff := cmp.Diff([]plugin.Key{"things/00002", "things/00003"}, replicated); diff != "" {
		t.Error("replicated:", diff)
	}
	if r.Outcomes[plugin.Unchanged] != 1 || r.Outcomes[plugin.Created] != 2 || r.Fidelity.Verified != 3 {
		t.Errorf("outcomes = %v, fidelity = %+v", r.Outcomes, r.Fidelity.Count)
	}
}

func TestPluginWithoutComparerOrCursorGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(40)
	a.Plugin = bare{p}
	p.OnDiscover = func(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
		return func(yield func(plugin.Item, error) bool) {
			for it, err := range p.List(ctx, src, opt) {
				it.Cursor = ""
				if !yield(it, err) {
					return
				}
			}
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	var taken atomic.Int64
	p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
		if taken.Add(1) == 10 {
			cancel(errInterrupt)
		}
		return p.Copy(ctx, t)
	}
	j := beginRun(t, dir)
	apply(ctx, t, engine.Options{Journal: j, Workers: 2}, a)
	r := apply(t.Context(), t, engine.Options{Journal: again(t, dir, j)}, a)
	if r.Outcomes[plugin.Created] != 40 || r.Fidelity.Items != 40 {
		t.Errorf("outcomes = %v, fidelity = %+v: each item counts once", r.Outcomes, r.Fidelity.Count)
	}
}

func TestGapIsListedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(10)
	lost := true
	p.OnDiscover = func(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
		return func(yield func(plugin.Item, error) bool) {
			for it, err := range p.List(ctx, src, opt) {
				if lost && it.Key == "things/00004" {
					it, err = plugin.Item{}, &errs.Error{Op: "list one page", Kind: errs.PermissionDenied, Code: "PageLost"}
				}
				if !yield(it, err) {
					return
				}
			}
		}
	}
	j := beginRun(t, dir)
	r := apply(t.Context(), t, engine.Options{Journal: j}, a)
	if r.Outcomes[plugin.Created] != 9 || r.Run.Complete || statusOf(t, j) != journal.Partial {
		t.Fatalf("outcomes = %v, complete = %t", r.Outcomes, r.Run.Complete)
	}
	failures := 0
	for f, err := range j.Failures(t.Context()) {
		failures++
		if err != nil || f.Phase != "list" || f.Code != "PageLost" || f.Item != "" {
			t.Errorf("failure = %+v", f)
		}
	}
	lost = false
	j = again(t, dir, j)
	r = apply(t.Context(), t, engine.Options{Journal: j}, a)
	if failures != 1 || r.Outcomes[plugin.Created] != 10 || r.Fidelity.Items != 10 || !r.Run.Complete || statusOf(t, j) != journal.Finished {
		t.Errorf("%d failures; outcomes = %v, fidelity = %+v, complete = %t", failures, r.Outcomes, r.Fidelity.Count, r.Run.Complete)
	}
}

func TestCheckpointSurvivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(1)
	j := beginRun(t, dir)
	p.OnReplicate = func(_ context.Context, task plugin.Task) (plugin.Outcome, error) {
		if err := task.Save([]byte("block 7")); err != nil {
			t.Error(err)
		}
		if err := task.Save([]byte("sig=abcdefghijkl")); err == nil {
			t.Error("a checkpoint with a signature was kept")
		}
		return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.Unavailable}
	}
	apply(t.Context(), t, engine.Options{Journal: j, Retry: quick()}, a)
	var got string
	p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
		got = string(t.Checkpoint)
		return p.Copy(ctx, t)
	}
	apply(t.Context(), t, engine.Options{Journal: again(t, dir, j)}, a)
	if got != "block 7" {
		t.Errorf("checkpoint = %q", got)
	}
}

func TestWhatARunCannotGoOnWith(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*enginetest.Plugin, *engine.Pair, *engine.Options){
		"another target":         func(_ *enginetest.Plugin, a *engine.Pair, _ *engine.Options) { a.Target.Resource.ID = "/target/z" },
		"another source":         func(_ *enginetest.Plugin, a *engine.Pair, _ *engine.Options) { a.Source.Resource.ID = "/source/z" },
		"another plugin version": func(p *enginetest.Plugin, _ *engine.Pair, _ *engine.Options) { p.About.Version = "2.0.0" },
		"another mode":           func(_ *enginetest.Plugin, _ *engine.Pair, o *engine.Options) { o.Mode = plugin.Replication },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p, a := oneVault(3)
			j := beginRun(t, dir)
			apply(t.Context(), t, engine.Options{Journal: j}, a)
			opt := engine.Options{Journal: again(t, dir, j)}
			change(p, &a, &opt)
			if _, err := local.New().Apply(t.Context(), []engine.Pair{a}, opt); errs.KindOf(err) != errs.Invalid {
				t.Errorf("err = %v, want Invalid", err)
			}
		})
	}
}

func TestItemThatHoldsASecretFailsAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(2)
	p.World.Add("/source/a", plugin.Item{Key: "bad", Kind: "thing", Ref: plugin.Encode("https://x/?sig=abcdefghijklmnop")})
	r := apply(t.Context(), t, engine.Options{Journal: beginRun(t, dir)}, a)
	if r.Outcomes[plugin.Created] != 2 || r.Outcomes[plugin.Failed] != 1 || r.Failures[0].Code != "SecretInJournal" {
		t.Errorf("outcomes = %v, failures = %+v", r.Outcomes, r.Failures)
	}
}

func TestUnverifiedItemsAreRecorded(t *testing.T) {
	t.Parallel()
	p, a := oneVault(2)
	p.OnCompare = func(context.Context, plugin.Task) (plugin.Comparison, error) {
		return plugin.Comparison{}, errors.New("cannot be read")
	}
	j := beginRun(t, t.TempDir())
	apply(t.Context(), t, engine.Options{Journal: j}, a)
	n := 0
	for f, err := range j.Failures(t.Context()) {
		n++
		if err != nil || f.Phase != "verify" || f.Message != "cannot be read" || f.State != journal.State(plugin.Created) {
			t.Errorf("failure = %+v, %v", f, err)
		}
	}
	if n != 2 {
		t.Errorf("%d failures, want 2", n)
	}
}

func TestJournalThatFailsStopsTheRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(5000)
	j := beginRun(t, dir)
	var taken atomic.Int64
	dropped := make(chan struct{})
	p.OnReplicate = func(ctx context.Context, task plugin.Task) (plugin.Outcome, error) {
		if n := taken.Add(1); n > 100 {
			<-dropped
			time.Sleep(time.Millisecond)
		} else if n == 100 {
			defer close(dropped)
			db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "runs", "R1", "journal.db")+"?_pragma=busy_timeout(30000)")
			if err != nil {
				t.Error(err)
			}
			_, err = db.ExecContext(ctx, "DROP TABLE items")
			if err := errors.Join(err, db.Close()); err != nil {
				return plugin.Outcome{}, err
			}
		}
		return p.Copy(ctx, task)
	}
	r, err := local.New().Apply(t.Context(), []engine.Pair{a}, engine.Options{Journal: j})
	if err == nil || !strings.Contains(err.Error(), "write the journal") || r == nil {
		t.Fatalf("report %v, err = %v", r, err)
	}
	if !r.Run.Canceled || !strings.Contains(r.Run.CanceledBy, "write the journal") || taken.Load() > 4000 {
		t.Errorf("run = %+v after %d items", r.Run, taken.Load())
	}
	if n := int64(len(p.World.Objects("/target/a"))); n != taken.Load() {
		t.Errorf("%d of %d items that were taken are there", n, taken.Load())
	}
}

func TestPairsAreFoundWhateverTheirOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(3)
	p.World.Add("/source/b", enginetest.Things(7)...)
	pairs := []engine.Pair{a, p.Pair("b")}
	j := beginRun(t, dir)
	apply(t.Context(), t, engine.Options{Journal: j}, pairs...)
	slices.Reverse(pairs)
	r := apply(t.Context(), t, engine.Options{Journal: again(t, dir, j)}, pairs...)
	if r.Pairs[0].Source != "/source/b" || r.Pairs[0].Outcomes[plugin.Created] != 7 || r.Pairs[1].Outcomes[plugin.Created] != 3 {
		t.Errorf("pairs = %+v", r.Pairs)
	}
}

func TestItemThatCannotBeReadBackLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, a := oneVault(3)
	p.World.Add("/source/b", enginetest.Things(3)...)
	pairs := []engine.Pair{a, p.Pair("b")}
	failFirst(p, 99, &errs.Error{Op: "write", Kind: errs.PermissionDenied}, func(plugin.Key) bool { return true })
	j := beginRun(t, dir)
	apply(t.Context(), t, engine.Options{Journal: j}, pairs...)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "runs", "R1", "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "UPDATE items SET doc = 'no JSON' WHERE pair = 0 AND seq = 2")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	p.OnReplicate = nil
	r := apply(t.Context(), t, engine.Options{Journal: again(t, dir, nil)}, pairs...)
	if r.Pairs[0].Error == nil || !strings.Contains(r.Pairs[0].Error.Message, "read the journal") || r.Run.Complete {
		t.Errorf("pair a = %+v, complete = %t", r.Pairs[0], r.Run.Complete)
	}
	if r.Pairs[1].Outcomes[plugin.Created] != 3 || r.Pairs[1].Error != nil {
		t.Errorf("pair b = %+v", r.Pairs[1])
	}
}
