//go:build unix

// Package copier has atg copy blobs with AzCopy, the real one, from one emulated tenant to
// another, by its command line.
package copier

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestAzCopyBringsTheBlobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	r := w.apply(t)
	p := r.Pairs[0]
	if r.Fidelity.Percent != 100 || r.FailTotal != 0 || len(r.Warnings) > 0 || p.Outcomes[plugin.Created] != all {
		t.Errorf("%+v", r)
	}
	// All but the page and the append blob; the container counts itself.
	if diff := cmp.Diff(map[string]int64{"azcopy": all - 2, "server to server": 2}, p.Paths); diff != "" {
		t.Error(diff)
	}
	if p.Bytes != total {
		t.Errorf("%d bytes were copied, want %d", p.Bytes, total)
	}
	w.same(t)

	w.em.ResetRequests()
	r = w.apply(t)
	if n := len(w.writes()); n > 0 || r.Pairs[0].Outcomes[plugin.Unchanged] != all || len(r.Pairs[0].Paths) > 0 {
		t.Errorf("a second time: %d writes, %+v", n, r.Pairs[0])
	}
	for _, q := range w.em.Requests() {
		if q.Query == "restype=container" || strings.Contains(q.Query, "delimiter") {
			t.Errorf("AzCopy was started for nothing: %s %s?%s", q.Method, q.Path, q.Query)
		}
	}
	w.noSecret(t)
}

func TestWhatAzCopyCannotCopyIsCopiedWithoutIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for _, path := range []string{"^/box/010$", "^/box/large$"} { // a blob in one request, and a block
		if err := w.em.AddFault(wire.Fault{
			Name: "refused", Host: target + ".*", Method: "PUT", Path: path, Count: 1, Kind: "status", Status: 400, Code: "InvalidInput",
		}); err != nil {
			t.Fatal(err)
		}
	}
	r := w.apply(t)
	if r.Fidelity.Percent != 100 || r.FailTotal != 0 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Reason, "CompletedWithErrors") || !strings.Contains(r.Warnings[0].Reason, "and 2 not") {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff(map[string]int64{"azcopy": all - 4, "server to server": 4}, r.Pairs[0].Paths); diff != "" {
		t.Error(diff)
	}
	w.same(t)
}

func TestWithoutAzCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.azcopy = filepath.Join(t.TempDir(), "azcopy")
	code, out := w.atg(t, applyArgs...)
	var r engine.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if p := r.Pairs[0].Error; code == 0 || p == nil || !strings.Contains(p.Message, "not installed") || !strings.Contains(p.Hint, "ATG_AZCOPY") || len(w.writes()) > 0 {
		t.Errorf("exit code %d, %+v", code, r.Pairs[0])
	}
}

// A run that is killed takes its AzCopy with it, and is gone on with: AzCopy knows what it
// has copied.
func TestAKilledRunGoesOnWithItsJob(t *testing.T) {
	w := newWorld(t, 20*time.Millisecond) // alone: it looks at other processes
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	cmd, stderr := w.command(ctx, t, applyArgs...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(w.writes()) < 60 {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, stderr)
		case <-tick.C:
		}
	}
	lines := commandLines(t, source+".blob")
	if len(lines) == 0 && runtime.GOOS == "linux" {
		t.Error("AzCopy is not at work")
	}
	for _, line := range lines {
		if strings.Contains(strings.ReplaceAll(line, "sig=none", ""), "sig") {
			t.Errorf("a signature is on the command line: %s", line)
		}
	}
	kill() // kill -9
	if err := <-ended; err == nil {
		t.Fatal("it was done before it was killed")
	}
	for end := time.Now().Add(5 * time.Second); len(commandLines(t, source+".blob")) > 0; <-tick.C {
		if time.Now().After(end) {
			t.Fatal("AzCopy outlives the run")
		}
	}
	before := len(w.writes())
	if plans, err := filepath.Glob(filepath.Join(w.cache, "atg", "azcopy", "*", "*.steV*")); err != nil || len(plans) == 0 {
		t.Fatalf("AzCopy's plan is not there: %v, %v", plans, err)
	}
	code, out := w.atg(t, "run", "resume", "-o", "json")
	var r engine.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || r.Fidelity.Percent != 100 || r.FailTotal != 0 || len(r.Warnings) > 0 {
		t.Errorf("exit code %d, %v\n%s", code, err, out)
	}
	// The container, its blobs each once, and what page and append blobs and blocks take; blobs
	// whose answers were lost may come a second time, and are refused.
	if after := len(w.writes()); before > 150 || after > oneByOne+32 {
		t.Errorf("%d writes, %d of them before the run was killed; one after another they take %d", after, before, oneByOne)
	}
	if got := r.Pairs[0].Paths["azcopy"]; got < 100 {
		t.Errorf("by AzCopy came %d", got)
	}
	w.same(t)
	w.noSecret(t)
	if left, err := os.ReadDir(filepath.Join(w.cache, "atg", "azcopy")); err != nil || len(left) > 0 {
		t.Errorf("AzCopy's files are still there: %v, %v", left, err)
	}
}
