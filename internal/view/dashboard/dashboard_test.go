package dashboard

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// open returns a dashboard on a terminal that is full of old output already.
func open(w, h int) (*Dashboard, *vt, string) {
	v := newVT(w, h)
	var old strings.Builder
	for i := range h + 3 {
		fmt.Fprintf(&old, "old %d\n", i)
	}
	_, _ = v.Write([]byte(old.String()))
	return New(Options{Out: v, Width: w, Height: h, Term: "xterm-256color", Color: true, Zone: time.UTC}), v, old.String()
}

// bubble runs f in a bubble of its own time, and lets its timers run out.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t)
		time.Sleep(time.Second)
	})
}

// begin emits the start of a run of n resources.
func begin(d *Dashboard, n int) {
	d.Event(event.RunStarted{Run: "7F3K01XY", Command: "apply", Mode: plugin.Replication, SourceTenant: sourceTenant, TargetTenant: targetTenant})
	d.Event(event.PhaseStarted{Phase: event.Applying})
	for i := range n {
		d.Event(event.ResourceStarted{Phase: event.Applying, Source: source(i), Target: source(i) + "-t"})
	}
}

func source(i int) string { return fmt.Sprintf("%skv-金庫-%02d", idPrefix, i) }

func itemDone(i, item int, err error) event.ItemDone {
	e := event.ItemDone{Resource: source(i), Item: key(item), Status: plugin.Created, Err: err}
	if err != nil {
		e.Status = plugin.Failed
	}
	return e
}

// end emits the end of a run of n resources with the same number of items each.
func end(d *Dashboard, n, items int) {
	for i := range n {
		d.Event(event.ResourceDone{Phase: event.Applying, Source: source(i), Items: int64(items)})
	}
	d.Event(event.RunFinished{Run: "7F3K01XY"})
}

// TestTranscript plays runs on terminals of several sizes. In the end the reader has all
// that was there before, then every log line and failure once and in order, then the last
// frame, with nothing torn.
func TestTranscript(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ w, h, resources int }{{80, 24, 3}, {80, 24, 40}, {200, 50, 60}, {50, 15, 5}, {100, 6, 4}} {
		t.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) { transcript(t, size.w, size.h, size.resources) })
		})
	}
}

func transcript(t *testing.T, w, h, resources int) {
	d, v, want := open(w, h)
	d.Show()
	begin(d, resources)
	wrapped := func(line string) { want += strings.Join(wrap(line, w-1), "\n") + "\n" }
	var failures []string
	for round := range 30 {
		for i := range resources {
			var err error
			if round%7 == 3 && i == 0 {
				err = errors.New("write the secret in kv: 403 Forbidden: the caller lacks Microsoft.KeyVault/vaults/secrets/setSecret/action")
				failures = append(failures, fmt.Sprintf("%s failed kv-金庫-00 %s: %s", time.Now().UTC().Format("15:04:05"), key(round), err))
			}
			d.Event(itemDone(i, round, err))
		}
		if len(failures) > maxRecent {
			wrapped(failures[0])
			failures = failures[1:]
		}
		if round%5 == 0 {
			for i := range round {
				line := fmt.Sprintf("log %d-%d%s", round, i, strings.Repeat(" x", i*7))
				wrapped(line)
				fmt.Fprintln(d, line)
			}
		}
		time.Sleep(130 * time.Millisecond)
		synctest.Wait()
	}
	if !v.hidden {
		t.Error("the cursor shows")
	}
	for _, f := range failures {
		wrapped(f)
	}
	end(d, resources, 30)
	if err := d.Hide(); err != nil {
		t.Fatal(err)
	}
	want += view(d.state, canvas{width: w, height: lastHeight}, time.Now())
	if diff := cmp.Diff(want, v.all()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if v.hidden || v.noWrap || v.x != 0 || v.unknown != nil {
		t.Errorf("the terminal was left with hidden=%v noWrap=%v x=%d unknown=%q", v.hidden, v.noWrap, v.x, v.unknown)
	}
}

func TestFrameFollowsTheRun(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		d, v, _ := open(80, 24)
		d.Show()
		begin(d, 2)
		for i := range 5 {
			d.Event(itemDone(0, i, nil))
			time.Sleep(200 * time.Millisecond)
			synctest.Wait()
			if want := fmt.Sprintf("%d of ≥ %d item", i+1, i+1); !strings.Contains(v.screen(), want) {
				t.Fatalf("no %q on the screen:\n%s", want, v.screen())
			}
		}
		d.Stopping()
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if !strings.Contains(v.screen(), "Ctrl-C again stops at once") {
			t.Errorf("no word that the run is stopping:\n%s", v.screen())
		}
		if err := d.Hide(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestNeverBlocks plays a run on a terminal that takes no output at all for a while. It
// runs in real time: a lock that is held for long is what it looks for.
func TestNeverBlocks(t *testing.T) {
	t.Parallel()
	d, v, _ := open(80, 24)
	v.gate = make(chan struct{})
	d.Show()
	emitted := make(chan struct{})
	go func() {
		defer close(emitted)
		begin(d, 2)
		for i := range 2 * maxLines {
			d.Event(itemDone(0, i, errForbidden))
			fmt.Fprintln(d, "log", i)
		}
		end(d, 2, 0)
	}()
	select {
	case <-emitted:
	case <-time.After(time.Minute):
		t.Error("events and lines wait for the terminal")
	}
	close(v.gate)
	if err := d.Hide(); err != nil {
		t.Fatal(err)
	}
	all := v.all()
	if !strings.Contains(all, "log 2000\n") || !strings.Contains(all, "lines left out here") {
		t.Error("lines that had room are missing, or no word about those that had none")
	}
	if n := len(d.lines.ready) + len(d.state.spilled); n != 0 {
		t.Errorf("%d lines are left", n)
	}
}

func TestFramesPerSecond(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		d, v, _ := open(80, 24)
		d.Show()
		begin(d, 2)
		before := v.writings
		for i := range 2000 {
			d.Event(itemDone(0, i, nil))
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if n := v.writings - before; n > 2*framesPerSecond+1 || n < framesPerSecond {
			t.Errorf("%d writes in two seconds", n)
		}
		if err := d.Hide(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestHideAndShow asks a question in the middle of a run.
func TestHideAndShow(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		d, v, want := open(80, 24)
		fmt.Fprintln(d, "before")
		d.Show()
		d.Show()
		begin(d, 2)
		d.Event(itemDone(0, 0, errForbidden))
		want += "before\n" + strings.Join(wrap(d.state.recent[0].line(), 79), "\n") + "\n"
		fmt.Fprint(d, "without a line feed")
		want += "without a line feed\n"
		if err := d.Hide(); err != nil {
			t.Fatal(err)
		}
		want += view(d.state, canvas{width: 80, height: lastHeight}, time.Now())
		fmt.Fprint(d, "Go on? yes\n")
		want += "Go on? yes\n"
		d.Event(itemDone(0, 1, nil))
		d.Show()
		time.Sleep(time.Second)
		end(d, 2, 2)
		if err := errors.Join(d.Hide(), d.Hide()); err != nil {
			t.Fatal(err)
		}
		want += view(d.state, canvas{width: 80, height: lastHeight}, time.Now())
		if diff := cmp.Diff(want, v.all()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

func TestNothingBegan(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		d, v, want := open(80, 24)
		d.Show()
		time.Sleep(time.Second)
		if d.Snapshot() != "" {
			t.Error("there is a snapshot of nothing")
		}
		if err := d.Hide(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, v.all()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

func TestConcurrently(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		d, v, _ := open(80, 24)
		begin(d, 8)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for k := range 200 {
					d.Event(event.ItemStarted{Resource: source(i), Item: key(k)})
					d.Event(itemDone(i, k, nil))
					time.Sleep(time.Millisecond)
					switch {
					case k%50 == 10:
						fmt.Fprintln(d, "line", i, k)
					case k == 100 && i == 0:
						d.Show()
					case k == 150 && i == 0:
						_ = d.Hide()
						d.Show()
					case k%20 == 0:
						_ = d.Snapshot()
					}
				}
			})
		}
		wg.Wait()
		end(d, 8, 200)
		if err := d.Hide(); err != nil {
			t.Fatal(err)
		}
		all := v.all()
		if !strings.Contains(all, "1,600 items, 1,600 created") {
			t.Errorf("events were lost:\n%s", all)
		}
		if n := strings.Count(all, "line "); n != 32 {
			t.Errorf("%d lines of 32", n)
		}
	})
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	d := New(Options{Out: newVT(80, 24), Color: true, Resumed: true, Explain: func(err error) string { return "because " + err.Error() }})
	begin(d, 2)
	for i := range 2000 {
		d.Event(itemDone(0, i, errForbidden))
	}
	got := d.Snapshot()
	for _, want := range []string{"atg apply · run 7F3K01XY · resumed", "2,000 failed", "because write the secret"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Error("a snapshot has colours")
	}
	if n := len(d.state.spilled) + len(d.lines.ready); n != 0 {
		t.Errorf("%d failures are kept for a display that there is not", n)
	}
	if !strings.HasSuffix(got, "\n") {
		t.Error("no line feed at the end")
	}
}
