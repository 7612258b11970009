//go:build linux

package crash

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// wants runs a command and holds exit code and words of standard error against its end.
func (w *world) wants(t testing.TB, want int, words []string, args ...string) {
	t.Helper()
	code, stderr := w.atg(t, nil, args...)
	if code != want {
		t.Errorf("%v: exit code %d, want %d\n%s", args, code, want, stderr)
	}
	for _, word := range words {
		if !strings.Contains(stderr, word) {
			t.Errorf("%v: standard error lacks %q:\n%s", args, word, stderr)
		}
	}
}

// unwritten fails if anything was written to a vault.
func (w *world) unwritten(t testing.TB) {
	t.Helper()
	for _, r := range w.em.Requests() {
		if r.Write() && r.Service == "keyvault" {
			t.Errorf("written: %s %s%s", r.Method, r.Host, r.Path)
		}
	}
}

// mounted mounts a file system in memory, which only root may, until the test ends.
func mounted(t testing.TB, flags uintptr, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			t.Skipf("only root may mount a small disk: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestStateDirectoryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.state = filepath.Join(file, "state")
	w.wants(t, 2, []string{"the state directory cannot be written", "hint:   name another directory with --state-dir"}, applyArgs...)
	w.unwritten(t)
}

func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.state = mounted(t, syscall.MS_RDONLY, "mode=0700")
	w.wants(t, 2, []string{"the state directory cannot be written", "--state-dir"}, applyArgs...)
	w.unwritten(t)
}

// many is a source of n secrets.
func many(n int) string {
	var b bytes.Buffer
	b.WriteString(`{"secrets":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"many-%04d","value":"%d"}`, i, i)
	}
	b.WriteString(`]}`)
	return b.String()
}

// TestFullDisk fills the disk of the journal in the middle of a run, makes room, and has
// the run go on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const secrets = 600
	w := newWorld(t, 0)
	if err := w.em.Seed(sourceVault+"kv-crash-b", json.RawMessage(many(secrets))); err != nil {
		t.Fatal(err)
	}
	w.state = mounted(t, 0, "size=288k,mode=0700")
	w.wants(t, 1, []string{"the disk is full", "hint:   free space", "resume with: atg run resume"}, applyArgs...)
	runs := w.runs(t)
	if len(runs) != 1 || runs[0].Items["created"] == 0 {
		t.Fatalf("the disk was full before the run had done anything: %+v", runs)
	}
	if err := syscall.Mount("tmpfs", w.state, "tmpfs", syscall.MS_REMOUNT, "size=32m"); err != nil {
		t.Fatal(err)
	}
	w.goOn(t)
	copied := 0
	for _, o := range w.targets(t) {
		if !strings.HasPrefix(o.Key, "secrets/many-") {
			continue
		}
		copied++
		if o.Fields["versions"] != "1" {
			t.Errorf("%s has %s versions", o.Key, o.Fields["versions"])
		}
	}
	if copied != secrets {
		t.Errorf("%d of %d secrets were copied", copied, secrets)
	}
}

// journal is the ID of the only run and its file.
func (w *world) journal(t testing.TB) (id, path string) {
	t.Helper()
	id = w.runs(t)[0].ID
	return id, filepath.Join(w.state, "runs", id, "journal.db")
}

// patch writes bytes into a file.
func patch(t testing.TB, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(b, at)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// stopped is a world with a run that stopped half way and let go of its journal.
func stopped(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, 0)
	if code, stderr := w.atg(t, []string{dieVar + "=12"}, applyArgs...); code != -1 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	// One who reads it brings what is in the write-ahead log into the file, as any later
	// use of the journal does.
	w.runs(t)
	return w
}

// TestJournalOfANewerVersion raises the version in the head of the file (SQLite database
// header, offset 60: the user version).
func TestJournalOfANewerVersion(t *testing.T) {
	t.Parallel()
	w := stopped(t)
	id, path := w.journal(t)
	patch(t, path, 60, []byte{0, 0, 0, 99})
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	said := []string{"it was written by a newer version of this program: its schema is 99", "hint:   use the version that began the run"}
	w.wants(t, 1, said, "run", "resume", id)
	w.wants(t, 1, said, "run", "resume")
	w.wants(t, 1, said, "run", "show", id, "--failed")
	w.wants(t, 0, nil, "run", "list")
	w.wants(t, 2, []string{"is unreadable", "add --yes"}, "run", "rm", id)
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("a journal that is not understood was changed: %v", err)
	}
	patch(t, path, 60, []byte{0, 0, 0, 1})
	w.goOn(t)
}

func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	w := stopped(t)
	id, path := w.journal(t)
	patch(t, path, 0, []byte("this was a journal"))
	w.wants(t, 2, []string{"the file is damaged or is no journal"}, "run", "resume", id)
	w.wants(t, 0, nil, "run", "list")
	w.wants(t, 0, nil, "run", "rm", id, "--yes")
	if n := len(w.runs(t)); n != 0 {
		t.Errorf("%d runs are left", n)
	}
}
