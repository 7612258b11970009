//go:build unix

package local_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// shelf is a service whose state is files: it outlives a process. Every write of an item
// appends a line, as Key Vault adds a version.
type shelf struct{ dir string }

func (s shelf) path(k plugin.Key) string {
	return filepath.Join(s.dir, strings.ReplaceAll(string(k), "/", "_"))
}

func (s shelf) versions(k plugin.Key) int {
	b, err := os.ReadFile(s.path(k))
	if err != nil {
		return 0
	}
	return strings.Count(string(b), "\n")
}

func (s shelf) write(k plugin.Key) error {
	f, err := os.OpenFile(s.path(k), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString("written\n")
	return errors.Join(err, f.Close())
}

// shelved are the items of the crash tests: parents, children, and one that fails at first.
func shelved() []plugin.Item {
	items := enginetest.Things(4)
	items = append(items, plugin.Item{Key: "box", Kind: "thing"})
	for i := range 3 {
		items = append(items, plugin.Item{Key: plugin.Key(fmt.Sprint("box/", i)), Parent: "box", Kind: "thing"})
	}
	for i := range items {
		items[i].Cursor = fmt.Sprintf("%03d", i+1)
	}
	return items
}

// shelfPair takes things in batches of that many; 0: alone. A call of several ends behind
// the first that fails.
func shelfPair(s shelf, batch int) engine.Pair {
	p := enginetest.New(enginetest.NewWorld(), "fake", "Test/vaults")
	p.About.Items[0].Batch = batch
	p.OnDiscover = func(_ context.Context, _ plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
		return func(yield func(plugin.Item, error) bool) {
			for _, it := range shelved() {
				if it.Cursor > opt.After && !yield(it, nil) {
					return
				}
			}
		}
	}
	failed := false
	p.OnReplicate = func(_ context.Context, t plugin.Task) (plugin.Outcome, error) {
		switch {
		case s.versions(t.Item.Key) > 0:
			return plugin.Outcome{Status: plugin.Unchanged}, nil
		case t.Item.Parent != "" && s.versions(t.Item.Parent) == 0:
			return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.NotFound}
		case t.Item.Key == "things/00002" && !failed:
			failed = true
			return plugin.Outcome{}, errors.Join(t.Save([]byte("begun")), &errs.Error{Op: "write", Kind: errs.Unavailable})
		}
		return plugin.Outcome{Status: plugin.Created}, s.write(t.Item.Key)
	}
	p.OnCompare = func(_ context.Context, t plugin.Task) (plugin.Comparison, error) {
		if s.versions(t.Item.Key) > 0 {
			return plugin.Comparison{State: plugin.Same, Proven: true}, nil
		}
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	pair := p.Pair("a")
	b := &batcher{Plugin: p}
	b.on = func(ctx context.Context, ts []plugin.Task) (outs []plugin.Outcome, err error) {
		for i := 0; i < len(ts) && err == nil; i++ {
			var out plugin.Outcome
			out, err = p.OnReplicate(ctx, ts[i])
			outs = append(outs, out)
		}
		return outs, err
	}
	pair.Plugin = b
	return pair
}

// part runs one part of the run in dir: the first, or what is left of it. die is the
// record after which this process is killed; 0: none. It returns the number of records.
func part(ctx context.Context, dir string, die int64, batch int) (*engine.Report, int64, error) {
	var records int64
	opt := journal.Options{OnRecord: func(n int64) {
		if records = n; n == die {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}}
	j, err := journal.Open(ctx, dir, "R1", opt)
	if errs.KindOf(err) == errs.NotFound { // there is none yet
		j, err = journal.Begin(ctx, dir, journal.Run{ID: "R1"}, opt)
	}
	if err != nil {
		return nil, 0, err
	}
	r, err := local.New().Apply(ctx, []engine.Pair{shelfPair(shelf{filepath.Join(dir, "shelf")}, batch)}, engine.Options{
		Journal: j, Retry: retry.Policy{Attempts: 2},
	})
	return r, records, errors.Join(err, j.Close())
}

// TestCrashChild is the process that is killed.
func TestCrashChild(t *testing.T) { // not in parallel: it is the body of a process
	dir, die := os.Getenv("CRASH_DIR"), os.Getenv("CRASH_AFTER")
	if dir == "" {
		t.Skip("only for TestCrashAtEveryRecord")
	}
	n, err := strconv.ParseInt(die, 10, 64)
	batch, errBatch := strconv.Atoi(os.Getenv("CRASH_BATCH"))
	if err := errors.Join(err, errBatch); err != nil {
		t.Fatal(err)
	}
	if _, _, err := part(t.Context(), dir, n, batch); err != nil {
		t.Fatal(err)
	}
}

// crash runs a process that is killed after a record. It tells whether it was.
func crash(t testing.TB, dir string, die int64, batch int) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), "CRASH_DIR="+dir, "CRASH_AFTER="+strconv.FormatInt(die, 10), "CRASH_BATCH="+strconv.Itoa(batch))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.Exited()) {
		t.Fatalf("after record %d: %v: %s", die, err, out)
	}
	return err != nil
}

func state(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "shelf"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCrashAtEveryRecord kills a process at each record of its journal in turn, kills the
// one that goes on as well, and lets a third one finish: the end is always the same.
func TestCrashAtEveryRecord(t *testing.T) {
	t.Parallel()
	for name, batch := range map[string]int{"alone": 0, "in batches": 3} {
		whole, records, err := part(t.Context(), state(t), 0, batch)
		if err != nil || whole.Fidelity.Verified != 8 || records < 26 {
			t.Fatalf("uninterrupted: %d records, %+v, %v", records, whole, err)
		}
		for die := int64(1); die <= records; die++ {
			t.Run(fmt.Sprint(name, ", record ", die), func(t *testing.T) {
				t.Parallel()
				// An item that fails in a batch makes one record less than one that fails alone.
				crashAt(t, die, batch, whole, batch > 0 && die == records)
			})
		}
	}
}

func crashAt(t *testing.T, die int64, batch int, whole *engine.Report, mayEnd bool) {
	t.Helper()
	dir := state(t)
	if !crash(t, dir, die, batch) && !mayEnd {
		t.Fatal("the process was not killed")
	}
	crash(t, dir, max(2, die%7), batch) // which may come to its end before that record
	r, _, err := part(t.Context(), dir, 0, batch)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range shelved() {
		if n := (shelf{filepath.Join(dir, "shelf")}).versions(it.Key); n != 1 {
			t.Errorf("%s has %d versions", it.Key, n)
		}
	}
	good := r.Outcomes[plugin.Created] + r.Outcomes[plugin.Unchanged]
	if r.Fidelity.Count != whole.Fidelity.Count || good != 8 || r.FailTotal != 0 || !r.Run.Complete {
		t.Errorf("fidelity = %+v, outcomes = %v, complete = %t", r.Fidelity.Count, r.Outcomes, r.Run.Complete)
	}
}
