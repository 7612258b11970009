package plugintest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest/internal/lab"
)

const (
	bulkItems  = 200_000
	bulkSample = 10_000   // items between two looks at the heap
	heapLimit  = 32 << 20 // bytes by which the heap may grow
	promptly   = time.Second
)

// streamChecks look at how a listing behaves while it runs.
func streamChecks() []Check {
	return []Check{
		{Name: "Discover/Bounded", Claim: "the heap grows by less than 32 MiB over 200,000 items", Alone: true, run: checkBounded},
		{Name: "Discover/Break", Claim: "a consumer that stops after 10 items stops the requests", run: checkBreak},
		{Name: "Discover/Cancel", Claim: "a cancelled listing ends within a second, says so, and leaves no goroutine", run: checkCancel},
	}
}

func checkBounded(t *trial) {
	if t.subject.Bulk == nil {
		t.skipf("the subject has no bulk content")
	}
	b := t.emptyBench(lab.Options{Service: t.subject.Service, LogKeep: 100})
	t.must(b.world.Seed(b.source.ID, t.subject.Bulk(t.bulk)), "seed the source")
	from := b.sourceSide()
	var first, most uint64
	count := 0
	for _, err := range t.subject.Plugin.Discover(t.ctx, from.Endpoint, t.options(t.subject.longMode(), "")) {
		if err != nil {
			t.fatalf("Discover after %d items: %v", count, err)
		}
		if count++; count == 1 {
			first = heap()
		}
		if count%bulkSample == 0 {
			most = max(most, heap())
		}
	}
	if count != t.bulk {
		t.errorf("the source holds %d items, Discover yields %d", t.bulk, count)
	}
	grown := int64(most) - int64(first)
	if grown >= heapLimit {
		t.errorf("the heap grows by %d MiB while %d items are listed", grown>>20, count)
	}
	t.logf("heap: %+d KiB from the first item to the most, over %d items", grown>>10, count)
}

// heap returns the bytes of live objects in the process.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func checkBreak(t *trial) {
	b := t.newBench(4 * many)
	from := b.sourceSide()
	b.watched(func() {
		count, inTime := 0, 0
		for _, err := range t.subject.Plugin.Discover(t.ctx, from.Endpoint, t.options(t.subject.longMode(), "")) {
			if err != nil {
				t.fatalf("Discover: %v", err)
			}
			if count++; count == 10 {
				inTime = from.tap.Seen()
				break
			}
		}
		// One more: a request that was on its way when the consumer stopped.
		if after := from.tap.Seen(); after > inTime+1 {
			t.errorf("%d requests follow the break", after-inTime)
		}
	})
	stopped := from.tap.Seen()
	all, _ := t.list(t.ctx, from.Endpoint, t.options(t.subject.longMode(), ""))
	if whole := from.tap.Seen() - stopped; len(all) > 20 && stopped >= whole {
		t.errorf("10 of %d items cost %d requests, as many as all of them (%d)", len(all), stopped, whole)
	}
}

// checkCancel cancels once while a request is waited for and once between two items.
func checkCancel(t *trial) {
	b := t.newBench(many)
	total := len(t.subject.keys(b.objects(b.source), t.subject.longMode()))
	from := b.sourceSide()
	b.watched(func() { t.prompt("in a request", func() (time.Duration, []error) { return t.cancelInRequest(from) }) })
	b.watched(func() {
		t.prompt("between two items", func() (time.Duration, []error) { return t.cancelBetweenItems(from, total) })
	})
}

// prompt demands that a listing that is cancelled ends soon and says that it is not
// complete. cancel returns how long it took to end, and its errors; it is called again
// when that was long, because the machine may have been busy.
func (t *trial) prompt(where string, cancel func() (time.Duration, []error)) {
	took, failed := cancel()
	for try := 1; try < 3 && took > promptly; try++ {
		took, failed = cancel()
	}
	if took > promptly {
		t.errorf("cancelled %s: the listing ends %v later", where, took.Round(time.Millisecond))
	}
	if len(failed) == 0 {
		t.errorf("cancelled %s: the stream ends without an error, as if it were complete", where)
	}
	for _, err := range failed {
		if kind := errs.KindOf(err); kind != errs.Canceled {
			t.errorf("cancelled %s: the error has kind %q, want %q: %v", where, kind, errs.Canceled, err)
		}
	}
}

func (t *trial) cancelInRequest(from side) (time.Duration, []error) {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	var at time.Time
	from.tap.SetRule(func(n int, r *http.Request) lab.Verdict {
		if n != 2 {
			return lab.Pass()
		}
		at = time.Now()
		cancel()
		timer := time.NewTimer(2 * promptly)
		defer timer.Stop()
		select {
		case <-r.Context().Done():
			return lab.Drop()
		case <-timer.C: // the request does not carry the caller's context
			return lab.Pass()
		}
	})
	_, failed := t.list(ctx, from.Endpoint, t.options(t.subject.longMode(), ""))
	if at.IsZero() {
		t.fatalf("Discover makes fewer than two requests: there is nothing to cancel")
	}
	return time.Since(at), failed
}

func (t *trial) cancelBetweenItems(from side, total int) (time.Duration, []error) {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	live := 0
	from.tap.SetRule(func(_ int, r *http.Request) lab.Verdict {
		if ctx.Err() != nil && r.Context().Err() == nil {
			live++
		}
		return lab.Pass()
	})
	var failed []error
	var at time.Time
	count := 0
	for _, err := range t.subject.Plugin.Discover(ctx, from.Endpoint, t.options(t.subject.longMode(), "")) {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if count++; count == 3 {
			at = time.Now()
			cancel()
		}
	}
	took := time.Since(at)
	if live > 0 {
		t.errorf("cancelled between two items: %d more requests are sent, without the caller's context", live)
	}
	if count >= total && len(failed) == 0 { // the whole listing was in hand already
		failed = []error{context.Canceled}
	}
	return took, failed
}

// watched calls f and reports goroutines that it started and that do not end soon after. They are known by a profiler label, which every goroutine inherits from the
// one that starts it; so checks that run at the same time do not disturb each other.
func (b *bench) watched(f func()) {
	id := fmt.Sprintf("%p", b)
	pprof.Do(b.ctx, pprof.Labels("plugintest", id), func(context.Context) { f() })
	b.world.CloseIdle()
	deadline := time.Now().Add(2 * promptly)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for left := labelled(id); left != ""; left = labelled(id) {
		if time.Now().After(deadline) {
			b.errorf("goroutines are left behind:\n%s", left)
			return
		}
		<-tick.C
		b.world.CloseIdle()
	}
}

// labelled returns the stacks of the goroutines with a label, one paragraph for each
// distinct stack, and "" if there is none.
func labelled(id string) string {
	var buf bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&buf, 1); err != nil {
		return "the goroutine profile cannot be read: " + err.Error()
	}
	var out []string
	for _, stack := range strings.Split(buf.String(), "\n\n") {
		if strings.Contains(stack, id) {
			out = append(out, stack)
		}
	}
	return strings.Join(out, "\n\n")
}
