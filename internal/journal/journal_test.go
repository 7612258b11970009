package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// raced is set where the race detector slows everything down.
var raced bool

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func begin(t testing.TB, dir, id string, opt journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Begin(t.Context(), dir, journal.Run{ID: id, Command: "apply", Mode: plugin.Template, Started: noon}, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if err := j.RecordPairs(t.Context(), []journal.Pair{{Source: "/s/a", Target: "/t/a"}, {Source: "/s/b", Target: "/t/b"}}); err != nil {
		t.Fatal(err)
	}
	return j
}

func reopen(t testing.TB, j *journal.Journal, dir, id string) *journal.Journal {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), dir, id, journal.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func discover(t testing.TB, j *journal.Journal, pair int, key string) (journal.Ref, plugin.Item) {
	t.Helper()
	it := plugin.Item{Key: plugin.Key(key), Kind: "secret", Size: 3, Attrs: map[string]string{"a": "b"}, Ref: json.RawMessage(`{"v":1}`)}
	ref, err := j.RecordDiscovered(pair, it, "after "+key)
	if err != nil {
		t.Fatal(err)
	}
	return ref, it
}

func sync(t testing.TB, j *journal.Journal) {
	t.Helper()
	if err := j.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// all collects a sequence and fails on its error.
func all[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func TestRunIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := journal.Run{
		ID: "R1", Command: "apply", Version: "1.2.3", Mode: plugin.Replication, Overwrite: true,
		Settings:     map[string]plugin.Settings{"keyvault": {"versions": "all"}},
		SourceTenant: "s", TargetTenant: "t", Started: noon, Spec: json.RawMessage(`{"types":["a"]}`),
	}
	j, err := journal.Begin(t.Context(), dir, want, journal.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	pairs := []journal.Pair{
		{Source: "/s/a", Target: "/t/a", Type: "T", Plugin: "p", PluginVersion: "1", Rule: "name"},
		{Source: "/s/b", Target: "/t/b", Type: "T", Plugin: "p", PluginVersion: "1", Rule: "tag"},
	}
	if err := j.RecordPairs(t.Context(), pairs); err != nil {
		t.Fatal(err)
	}
	discover(t, j, 1, "x")
	j.RecordListed(1, nil)
	if err := j.Finish(t.Context(), journal.Partial, json.RawMessage(`{"schema":1}`)); err != nil {
		t.Fatal(err)
	}
	r, err := journal.View(t.Context(), dir, "R1")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want.Status, want.Updated, want.Report = journal.Partial, noon, json.RawMessage(`{"schema":1}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	pairs[1].Cursor, pairs[1].Listed = "after x", true
	gotPairs, err := r.Pairs(t.Context())
	if diff := cmp.Diff(pairs, gotPairs); diff != "" || err != nil {
		t.Error(diff, err)
	}
	j = reopen(t, j, dir, "R1")
	if run, err := j.Run(t.Context()); err != nil || run.Status != journal.Unfinished {
		t.Errorf("a run that goes on is %q, %v", run.Status, err)
	}
}

func TestUnfinishedItemsSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := begin(t, dir, "R1", journal.Options{})
	state := func(key string, steps ...journal.Ending) {
		ref, it := discover(t, j, 0, key)
		if len(steps) > 0 {
			j.RecordStarted(ref, it, journal.Pending, 1)
		}
		for _, e := range steps {
			if e.To != journal.Started || e.Err != nil {
				j.RecordEnded(ref, it, e)
			}
		}
		if key == "c" {
			if err := j.SaveCheckpoint(t.Context(), ref, []byte("block 7")); err != nil {
				t.Error(err)
			}
		}
	}
	failed := &errs.Error{Op: "write", Kind: errs.Unavailable}
	state("z-parent", journal.Ending{From: journal.Started, To: journal.State(plugin.Created), Attempts: 1, Bytes: 5})
	state("b")
	state("c", journal.Ending{To: journal.Started})
	state("a", journal.Ending{From: journal.Started, To: journal.Started, Attempts: 1, Err: failed},
		journal.Ending{From: journal.Started, To: journal.State(plugin.Failed), Attempts: 4, Err: failed})
	state("d", journal.Ending{From: journal.Started, To: journal.State(plugin.Skipped), Attempts: 1, Reason: "managed"})
	discover(t, j, 1, "elsewhere")
	j = reopen(t, j, dir, "R1")

	type row struct {
		Key        plugin.Key
		Seq        int64
		State      journal.State
		Attempts   int
		Checkpoint string
	}
	var got []row
	for _, it := range all(t, j.Unfinished(t.Context(), 0)) {
		got = append(got, row{it.Key, it.Seq, it.State, it.Attempts, string(it.Checkpoint)})
		if it.Kind != "secret" || it.Attrs["a"] != "b" || string(it.Item.Ref) != `{"v":1}` {
			t.Errorf("item = %+v", it)
		}
	}
	want := []row{{"b", 2, journal.Pending, 0, ""}, {"c", 3, journal.Started, 1, "block 7"}, {"a", 4, journal.State(plugin.Failed), 4, ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	counts, err := j.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantCounts := []journal.Count{
		{0, "secret", journal.Pending, 1, 0},
		{0, "secret", journal.Started, 1, 0},
		{0, "secret", journal.State(plugin.Created), 1, 5},
		{0, "secret", journal.State(plugin.Skipped), 1, 0},
		{0, "secret", journal.State(plugin.Failed), 1, 0},
		{1, "secret", journal.Pending, 1, 0},
	}
	if diff := cmp.Diff(wantCounts, counts); diff != "" {
		t.Error(diff)
	}
	for key, want := range map[plugin.Key]bool{"a": true, "z-parent": true, "elsewhere": false} {
		if known, err := j.Known(t.Context(), 0, key); known != want || err != nil {
			t.Errorf("Known(%s) = %t, %v", key, known, err)
		}
	}
	if ref, _ := discover(t, j, 0, "new"); ref.Seq != 6 {
		t.Errorf("the next item has place %d, want 6", ref.Seq)
	}
}

func TestUnfinishedReadsPageByPage(t *testing.T) {
	t.Parallel()
	j := begin(t, t.TempDir(), "R1", journal.Options{})
	for i := range 1777 {
		discover(t, j, 0, fmt.Sprint("k", i))
	}
	sync(t, j)
	last := int64(0)
	for it, err := range j.Unfinished(t.Context(), 0) {
		if err != nil || it.Seq != last+1 {
			t.Fatalf("after %d comes %d, %v", last, it.Seq, err)
		}
		last = it.Seq
		j.RecordEnded(it.Ref, it.Item, journal.Ending{From: it.State, To: journal.State(plugin.Created), Attempts: 1})
	}
	if last != 1777 {
		t.Errorf("%d items", last)
	}
	sync(t, j)
	for it, err := range j.Unfinished(t.Context(), 0) {
		t.Fatalf("%s is not finished, %v", it.Key, err)
	}
}

func TestFailuresExplainThemselves(t *testing.T) {
	t.Parallel()
	j := begin(t, t.TempDir(), "R1", journal.Options{Now: clock})
	cause := &errs.Error{
		Op: "write the secret", Kind: errs.PermissionDenied, Side: "target", Code: "ForbiddenByRbac", Status: 403,
		RequestID: "r-1", Action: "x/write", Hint: "grant it", RetryAfter: time.Minute, Err: errors.New("no"),
	}
	for i := range 700 {
		ref, it := discover(t, j, i%2, fmt.Sprintf("k%04d", i))
		j.RecordStarted(ref, it, journal.Pending, 1)
		j.RecordEnded(ref, it, journal.Ending{From: journal.Started, To: journal.Started, Attempts: 1, Err: cause})
		end := journal.Ending{From: journal.Started, To: journal.State(plugin.Failed), Attempts: 2, Err: fmt.Errorf("again: %w", cause)}
		if i == 0 {
			end.To, end.Err = journal.State(plugin.Updated), nil
		}
		j.RecordEnded(ref, it, end)
	}
	j.RecordListed(1, errors.New("page lost"))
	j.RecordUnverified(0, plugin.Item{Key: "k0002", Kind: "secret"}, errors.New("gone"))
	sync(t, j)
	got := all(t, j.Failures(t.Context()))
	if len(got) != 701 {
		t.Fatalf("%d failures, want 699 items, one comparison and one listing", len(got))
	}
	want := journal.Failure{
		Source: "/s/a", Target: "/t/a", Item: "k0002", Kind: "secret", Phase: "apply", State: journal.State(plugin.Failed), Attempts: 2,
		Time: noon, ErrorKind: "permission-denied", Message: "again: " + cause.Error(), Side: "target", Code: "ForbiddenByRbac", Status: 403,
		RequestID: "r-1", Action: "x/write", Hint: "grant it", Wait: time.Minute,
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
	if got[1].Phase != "verify" || got[1].Message != "gone" || got[350].Phase != "list" || got[350].Source != "/s/b" || got[350].Item != "" {
		t.Errorf("second = %+v, listing = %+v", got[1], got[350])
	}
	j.RecordVerifying()
	j.RecordListed(1, nil)
	sync(t, j)
	if n := len(all(t, j.Failures(t.Context()))); n != 699 {
		t.Errorf("%d failures after the listing went through, want 699", n)
	}
}

func TestWarningsAndVerdicts(t *testing.T) {
	t.Parallel()
	j := begin(t, t.TempDir(), "R1", journal.Options{})
	ref, it := discover(t, j, 0, "k")
	j.RecordEnded(ref, it, journal.Ending{From: journal.Pending, To: journal.State(plugin.Created), Attempts: 1, Warnings: []string{"tag lost", "tag lost", "date lost"}})
	v := journal.Verdict{Pair: 0, Key: "k", Kind: "secret", State: plugin.Different, Fields: []string{"tags"}, Reason: "why"}
	j.RecordVerdict(v)
	sync(t, j)
	want := []journal.Warning{{0, "k", "secret", "date lost"}, {0, "k", "secret", "tag lost"}}
	if diff := cmp.Diff(want, all(t, j.Warnings(t.Context()))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]journal.Verdict{v}, all(t, j.Verdicts(t.Context()))); diff != "" {
		t.Error(diff)
	}
	j.RecordVerifying()
	sync(t, j)
	if got := all(t, j.Verdicts(t.Context())); len(got) != 0 {
		t.Errorf("verdicts of an earlier verification: %v", got)
	}
}

func TestStreamsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	j := begin(t, t.TempDir(), "R1", journal.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range j.Unfinished(ctx, 0) {
		if errs.KindOf(err) != errs.Canceled {
			t.Error(err)
		}
	}
	for _, err := range j.Failures(ctx) {
		if errs.KindOf(err) != errs.Canceled {
			t.Error(err)
		}
	}
	if err := j.Sync(ctx); !errors.Is(err, context.Canceled) && err != nil {
		t.Error(err)
	}
	if _, err := j.Known(ctx, 0, "x"); errs.KindOf(err) != errs.Canceled {
		t.Error(err)
	}
}

func TestCheckpointIsOnDiskWhenItIsSaved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := begin(t, dir, "R1", journal.Options{})
	ref, it := discover(t, j, 0, "k")
	r, err := journal.View(t.Context(), dir, "R1")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, data := range []string{"one", "two"} {
		if err := j.SaveCheckpoint(t.Context(), ref, []byte(data)); err != nil {
			t.Fatal(err)
		}
		if got := all(t, r.Unfinished(t.Context(), 0)); len(got) != 1 || string(got[0].Checkpoint) != data {
			t.Errorf("another reader sees %+v, want checkpoint %q", got, data)
		}
	}
	// It goes with the item's good end, also after the journal was opened anew.
	j = reopen(t, j, dir, "R1")
	j.RecordEnded(ref, it, journal.Ending{From: journal.Pending, To: journal.State(plugin.Created), Attempts: 1})
	j.RecordEnded(ref, it, journal.Ending{From: journal.State(plugin.Created), To: journal.Started, Attempts: 1, Err: errors.New("x")})
	sync(t, j)
	if got := all(t, r.Unfinished(t.Context(), 0)); len(got) != 1 || got[0].Checkpoint != nil {
		t.Errorf("the checkpoint is still there: %+v", got)
	}
}

func TestFilesAreForThisUserAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	j := begin(t, dir, "R1", journal.Options{})
	discover(t, j, 0, "k")
	sync(t, j)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("%d files, %v: want the journal, its log and the lock", files, err)
	}
}

const canary = "qXk3v7Zb%2F9TtYw1uL0aSdFgHjK%3D"

func TestNoSignatureIsStored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := begin(t, dir, "R1", journal.Options{})
	url := "https://a.blob.core.windows.net/c/b?sv=2024&sig=" + canary + "&se=x"
	if _, err := j.RecordDiscovered(0, plugin.Item{Key: "k", Ref: plugin.Encode(url)}, ""); errs.Find(err) == nil || errs.Find(err).Code != "SecretInJournal" {
		t.Errorf("item: err = %v", err)
	}
	ref, it := discover(t, j, 0, "k")
	if err := j.SaveCheckpoint(t.Context(), ref, []byte(`"AccountKey=`+canary+`"`)); errs.Find(err) == nil || errs.Find(err).Code != "SecretInJournal" {
		t.Errorf("checkpoint: err = %v", err)
	}
	if _, err := journal.Begin(t.Context(), dir, journal.Run{ID: "R2", Spec: plugin.Encode(url)}, journal.Options{}); errs.Find(err) == nil || errs.Find(err).Code != "SecretInJournal" {
		t.Errorf("spec: err = %v", err)
	}
	j.RecordEnded(ref, it, journal.Ending{
		From: journal.Pending, To: journal.State(plugin.Failed), Reason: url, Warnings: []string{url},
		Err: &errs.Error{Op: "GET " + url, Hint: "curl '" + url + "'"},
	})
	j.RecordEnded(ref, it, journal.Ending{From: journal.State(plugin.Failed), To: journal.State(plugin.Created), Warnings: []string{url}})
	j.RecordVerdict(journal.Verdict{Key: "k", Reason: url})
	if err := j.Finish(t.Context(), journal.Finished, plugin.Encode(url)); err != nil {
		t.Fatal(err)
	}
	if got := all(t, j.Warnings(t.Context())); len(got) != 1 || !strings.Contains(got[0].Text, "sig=[redacted]&se=x") {
		t.Errorf("warnings = %v", got)
	}
	if run, err := j.Run(t.Context()); err != nil || !json.Valid(run.Report) {
		t.Errorf("the report is no JSON any more: %s, %v", run.Report, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(canary)) {
			t.Errorf("%s holds the signature", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "runs", "R2")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a run that did not begin leaves its folder:", err)
	}
}

func TestEveryRecordIsSeenAlone(t *testing.T) {
	t.Parallel()
	var seen []int64
	j := begin(t, t.TempDir(), "R1", journal.Options{OnRecord: func(n int64) { seen = append(seen, n) }})
	ref, it := discover(t, j, 0, "k")
	j.RecordStarted(ref, it, journal.Pending, 1)
	j.RecordEnded(ref, it, journal.Ending{From: journal.Started, To: journal.State(plugin.Created), Attempts: 1})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 4, 5}, seen); diff != "" {
		t.Error("run, pairs, discovered, started, ended:", diff)
	}
}

func TestThroughput(t *testing.T) { // not in parallel: it measures time
	if raced {
		t.Skip("the race detector is on")
	}
	const items, least = 20_000, 20_000 // items with three records each, and records a second
	best := 0.0
	for try := range 3 {
		j := begin(t, t.TempDir(), fmt.Sprint("R", try), journal.Options{})
		start := time.Now()
		whole(t, j, items)
		best = max(best, 3*items/time.Since(start).Seconds())
		if best >= 5*least {
			break
		}
	}
	t.Logf("%.0f records a second", best)
	if best < least {
		t.Errorf("%.0f records a second, want %d", best, least)
	}
}
