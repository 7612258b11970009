package journal_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func wants(t testing.TB, err error, kind errs.Kind, code string) {
	t.Helper()
	if e := errs.Find(err); e == nil || errs.KindOf(err) != kind || e.Code != code {
		t.Errorf("err = %v (%s), want kind %s, code %q", err, errs.KindOf(err), kind, code)
	}
}

func TestOneRunOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := begin(t, dir, "R1", journal.Options{})
	_, err := journal.Open(t.Context(), dir, "R1", journal.Options{})
	wants(t, err, errs.Conflict, "RunLocked")
	wants(t, journal.Remove(t.Context(), dir, "R1"), errs.Conflict, "RunLocked")
	_, err = journal.Begin(t.Context(), dir, journal.Run{ID: "R1"}, journal.Options{})
	wants(t, err, errs.Conflict, "")

	out := child(t, dir, "R1")
	if !strings.Contains(out, "code RunLocked") {
		t.Errorf("another process got %q", out)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if out := child(t, dir, "R1"); !strings.Contains(out, "opened") {
		t.Errorf("another process got %q", out)
	}
}

// child opens a run in a process of its own, which ends without closing it.
func child(t testing.TB, dir, id string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestChild")
	cmd.Env = append(os.Environ(), "JOURNAL_DIR="+dir, "JOURNAL_ID="+id)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestChild(t *testing.T) { // not in parallel: it is the body of child
	dir := os.Getenv("JOURNAL_DIR")
	if dir == "" {
		t.Skip("only for child")
	}
	_, err := journal.Open(t.Context(), dir, os.Getenv("JOURNAL_ID"), journal.Options{})
	if e := errs.Find(err); e != nil {
		fmt.Println("code", e.Code)
		return
	}
	fmt.Println("opened", err)
}

func TestNewerJournalIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := begin(t, dir, "R1", journal.Options{})
	j.Run1("PRAGMA user_version = 99")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "runs", "R1", "journal.db")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = journal.Open(t.Context(), dir, "R1", journal.Options{})
	wants(t, err, errs.Unsupported, "NewerJournal")
	if !strings.Contains(err.Error(), "newer version") || errs.HintOf(err) == "" {
		t.Errorf("err = %v, hint %q", err, errs.HintOf(err))
	}
	_, err = journal.View(t.Context(), dir, "R1")
	wants(t, err, errs.Unsupported, "NewerJournal")
	list, err := journal.List(t.Context(), dir)
	if err != nil || len(list) != 1 || list[0].ID != "R1" {
		t.Fatalf("list = %+v, %v", list, err)
	}
	wants(t, list[0].Err, errs.Unsupported, "NewerJournal")
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Error("the file was changed", err)
	}
}

func TestFileThatIsNoJournal(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		content, code string
		kind          errs.Kind
	}{
		"garbage": {strings.Repeat("no database ", 400), "DamagedJournal", errs.Invalid},
		"empty":   {"", "", errs.NotFound}, // as left by a crash at the very start
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			folder := filepath.Join(dir, "runs", "R1")
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "journal.db"), []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := journal.Open(t.Context(), dir, "R1", journal.Options{})
			wants(t, err, tt.kind, tt.code)
			if r, err := journal.View(t.Context(), dir, "R1"); err == nil {
				_, err = r.Run(t.Context())
				wants(t, err, tt.kind, tt.code)
				_ = r.Close()
			} else {
				wants(t, err, tt.kind, tt.code)
			}
			if err := journal.Remove(t.Context(), dir, "R1"); err != nil {
				t.Error("it must be removable:", err)
			}
		})
	}
	dir := t.TempDir()
	j := begin(t, dir, "R1", journal.Options{})
	j.Run1("PRAGMA application_id = 7")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := journal.Open(t.Context(), dir, "R1", journal.Options{})
	wants(t, err, errs.Invalid, "")
}

func TestNoSuchRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, id := range []string{"../R1", "", ".", "a/b", strings.Repeat("x", 65)} {
		_, err := journal.Begin(t.Context(), dir, journal.Run{ID: id}, journal.Options{})
		wants(t, err, errs.Invalid, "")
		wants(t, journal.Remove(t.Context(), dir, id), errs.Invalid, "")
	}
	_, err := journal.Open(t.Context(), dir, "R9", journal.Options{})
	wants(t, err, errs.NotFound, "")
	_, err = journal.View(t.Context(), dir, "R9")
	wants(t, err, errs.NotFound, "")
	wants(t, journal.Remove(t.Context(), dir, "R9"), errs.NotFound, "")
	if list, err := journal.List(t.Context(), filepath.Join(dir, "none")); err != nil || len(list) != 0 {
		t.Errorf("list = %v, %v", list, err)
	}
}

// readOnly returns a directory in which nothing can be made.
func readOnly(t testing.TB) string {
	t.Helper()
	if os.Getuid() == 0 { // whom modes do not hold back
		if runtime.GOOS != "linux" {
			t.Skip("root may write everywhere")
		}
		return "/sys/atg"
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDirectoryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{readOnly(t), file} {
		_, err := journal.Begin(t.Context(), dir, journal.Run{ID: "R1"}, journal.Options{})
		wants(t, err, errs.Invalid, "StateDirectory")
		if !strings.Contains(errs.HintOf(err), "--state-dir") {
			t.Errorf("hint = %q", errs.HintOf(err))
		}
	}
	if _, err := journal.List(t.Context(), file); err == nil {
		t.Error("a file has no runs")
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := begin(t, dir, "R1", journal.Options{})
	for i := range 100 {
		discover(t, j, 0, fmt.Sprint("kept", i))
	}
	sync(t, j)
	j.LimitPages(4)
	for i := range 20_000 { // more than fits, and more than the queue holds
		if _, err := j.RecordDiscovered(0, plugin.Item{Key: plugin.Key(fmt.Sprint("lost", i))}, ""); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-j.Failed():
	case <-time.After(10 * time.Second):
		t.Fatal("the journal did not fail")
	}
	wants(t, j.Err(), errs.Quota, "DiskFull")
	wants(t, j.Sync(t.Context()), errs.Quota, "DiskFull")
	wants(t, j.SaveCheckpoint(t.Context(), journal.Ref{}, nil), errs.Quota, "DiskFull")
	if !strings.Contains(errs.HintOf(j.Err()), "atg run resume") {
		t.Errorf("hint = %q", errs.HintOf(j.Err()))
	}
	wants(t, j.Close(), errs.Quota, "DiskFull")

	j, err := journal.Open(t.Context(), dir, "R1", journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if n := len(all(t, j.Unfinished(t.Context(), 0))); n < 100 {
		t.Errorf("%d items after the disk was full, want all 100 that were on disk", n)
	}
}

func TestAfterCloseNothingBlocks(t *testing.T) {
	t.Parallel()
	j := begin(t, t.TempDir(), "R1", journal.Options{})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		j.RecordStarted(journal.Ref{Seq: int64(i)}, plugin.Item{}, journal.Pending, 1)
	}
	if err := j.Sync(t.Context()); err == nil {
		t.Error("a closed journal cannot be synced")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.SaveCheckpoint(ctx, journal.Ref{}, nil); err == nil {
		t.Error("a closed journal keeps no checkpoint")
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, id := range []string{"OLD", "NEW", "BUSY"} {
		j, err := journal.Begin(t.Context(), dir, journal.Run{ID: id, Started: noon.Add(time.Duration(i) * time.Hour)}, journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.RecordPairs(t.Context(), []journal.Pair{{}}); err != nil {
			t.Fatal(err)
		}
		discover(t, j, 0, "k")
		sync(t, j)
		if id != "BUSY" {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		} else {
			defer j.Close()
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "runs", "a file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := journal.List(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range list {
		got = append(got, fmt.Sprint(s.ID, " ", s.Busy, " ", s.Items[journal.Pending], " ", s.Err))
	}
	want := "[BUSY true 1 <nil> NEW false 1 <nil> OLD false 1 <nil>]"
	if fmt.Sprint(got) != want {
		t.Errorf("list = %v, want %v", got, want)
	}
	if err := journal.Remove(t.Context(), dir, "OLD"); err != nil {
		t.Error(err)
	}
	if list, _ = journal.List(t.Context(), dir); len(list) != 2 {
		t.Errorf("%d runs after one was removed", len(list))
	}
}

// TestOlderSchemaIsBroughtUpToDate: version 0 is the file of a process that ended before
// the first table was made. Whoever opens it, also for reading alone, migrates it.
func TestOlderSchemaIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := filepath.Join(dir, "runs", "R1")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "journal.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := journal.View(t.Context(), dir, "R1")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Run(t.Context()); errs.KindOf(err) != errs.NotFound || !strings.Contains(errs.HintOf(err), "run rm R1") {
		t.Errorf("err = %v, hint %q", err, errs.HintOf(err))
	}
	if pairs, err := r.Pairs(t.Context()); err != nil || len(pairs) != 0 {
		t.Errorf("pairs = %v, %v: the tables must be there", pairs, err)
	}
}

func TestWritable(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := journal.Writable(dir); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if all, err := journal.List(t.Context(), dir); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, journal.Writable(filepath.Join(file, "x")), errs.Invalid, "StateDirectory")
}
