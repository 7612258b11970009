//go:build unix

package crash

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// long tells whether the whole of the test is wanted: kills at every record and at 200
// random times. It takes some minutes; without it a tenth of the kills is done.
func long() bool { return os.Getenv("ATG_LONG") != "" }

// stride is the distance of the records that the short form kills at: with it the kills
// fall on records of every sort.
const stride = 4

// maxRecords is more than the journal of the test's run has.
const maxRecords = 400

// TestKilledAtEveryRecord kills a run right after record n is on disk, for n from 1 until
// a run ends by itself, and has it go on.
func TestKilledAtEveryRecord(t *testing.T) {
	t.Parallel()
	want, _ := uninterrupted(t, 0)
	step := stride
	if long() {
		step = 1
	}
	kills := 0
	for n := 1; n <= maxRecords; n += step {
		w := newWorld(t, 0)
		code, stderr := w.atg(t, []string{dieVar + "=" + strconv.Itoa(n)}, applyArgs...)
		if code == 0 { // it has fewer records
			w.same(t, want)
			break
		}
		if code != -1 {
			t.Fatalf("record %d: exit code %d\n%s", n, code, stderr)
		}
		kills++
		w.goOn(t)
		w.same(t, want)
		if t.Failed() {
			t.Fatalf("killed at record %d", n)
		}
	}
	if kills < 5 || kills*step >= maxRecords {
		t.Errorf("%d kills are not the ones that were meant", kills)
	}
	t.Logf("%d kills", kills)
}

// TestKilledTwice kills a run at a record, and the resumed run at another one.
func TestKilledTwice(t *testing.T) {
	t.Parallel()
	want, _ := uninterrupted(t, 0)
	for _, at := range [][2]int{{5, 3}, {14, 4}, {20, 9}} {
		w := newWorld(t, 0)
		if code, stderr := w.atg(t, []string{dieVar + "=" + strconv.Itoa(at[0])}, applyArgs...); code != -1 {
			t.Fatalf("exit code %d\n%s", code, stderr)
		}
		if code, stderr := w.atg(t, []string{dieVar + "=" + strconv.Itoa(at[1])}, "run", "resume"); code != -1 {
			t.Fatalf("exit code %d\n%s", code, stderr)
		}
		w.goOn(t)
		w.same(t, want)
		if t.Failed() {
			t.Fatalf("killed at records %v", at)
		}
	}
}

// TestKilledAtRandomTimes kills a run, which writes its journal as in real life, and then
// its first resumption, at random times.
func TestKilledAtRandomTimes(t *testing.T) {
	t.Parallel()
	const latency = 5 * time.Millisecond
	want, took := uninterrupted(t, latency)
	rounds := 3
	if long() {
		rounds = 200
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range rounds {
		w := newWorld(t, latency)
		first, second := time.Duration(random.Int64N(int64(took))), time.Duration(random.Int64N(int64(took)))
		w.killAfter(t, first, applyArgs...)
		if len(w.runs(t)) > 0 {
			w.killAfter(t, second, "run", "resume")
		}
		w.goOn(t)
		w.same(t, want)
		if t.Failed() {
			t.Fatalf("round %d: killed after %s and %s", i, first, second)
		}
	}
}

// killAfter runs a command and kills it after d, unless it ends before.
func (w *world) killAfter(t testing.TB, d time.Duration, args ...string) {
	t.Helper()
	cmd, _ := w.command(t.Context(), t, nil, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(d, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // that it was killed is what is meant
}
