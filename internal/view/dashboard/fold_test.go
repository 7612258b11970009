package dashboard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestOutcomes(t *testing.T) {
	t.Parallel()
	bad := errors.New("no")
	for _, c := range []struct {
		e    event.Event
		want outcome
	}{
		{event.ItemDone{Status: plugin.Created}, created},
		{event.ItemDone{Status: plugin.Updated}, updated},
		{event.ItemDone{Status: plugin.Unchanged}, unchanged},
		{event.ItemDone{Status: plugin.Skipped}, skipped},
		{event.ItemDone{Status: plugin.Failed, Err: bad}, failed},
		{event.ItemPlanned{State: plugin.Missing}, missing},
		{event.ItemPlanned{State: plugin.Same}, same},
		{event.ItemPlanned{State: plugin.Different}, different},
		{event.ItemPlanned{State: plugin.Cannot}, cannot},
		{event.ItemPlanned{State: plugin.Cannot, Err: bad}, failed},
		{event.ItemVerified{State: plugin.Same, Proven: true}, proven},
		{event.ItemVerified{State: plugin.Same}, same},
		{event.ItemVerified{State: plugin.Missing}, missing},
		{event.ItemVerified{State: plugin.Different}, different},
		{event.ItemVerified{State: plugin.Cannot}, cannot},
		{event.ItemVerified{State: plugin.Cannot, Err: bad}, failed},
	} {
		p := newPlay()
		p.emit(c.e)
		if sum := p.stage().sum; sum[c.want] != 1 || sum.items() != 1 {
			t.Errorf("%+v counts as %v", c.e, sum)
		}
		if n := len(p.recent); (n == 1) != (c.want == failed) {
			t.Errorf("%+v: %d failures", c.e, n)
		}
	}
}

// TestMemoryIsBounded gives the state far more items, hosts and failures than it may keep.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	p := newPlay()
	p.start("apply", sources[:1], targets[:1])
	p.emit(event.PhaseStarted{Phase: event.Applying})
	for i := range 2 * maxHosts {
		p.emit(event.Throttled{Host: fmt.Sprintf("h%d", i), Wait: time.Minute})
	}
	for i := range 2 * maxMoving {
		p.emit(event.ItemProgress{Resource: idPrefix + sources[0], Item: key(i), Bytes: 1, Size: 2})
		p.fails(sources[0], plugin.Key("x"), errForbidden)
		p.spill(false)
	}
	if len(p.moving) > maxMoving || len(p.hosts) > maxHosts || len(p.recent) > maxRecent || len(p.resources) != 1 {
		t.Errorf("kept: %d items, %d hosts, %d failures, %d resources", len(p.moving), len(p.hosts), len(p.recent), len(p.resources))
	}
	p.pass(2 * time.Minute)
	p.emit(event.Throttled{Host: "new", Wait: time.Second})
	if len(p.hosts) != 1 {
		t.Errorf("%d hosts are kept after their pause", len(p.hosts))
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	p := newPlay()
	p.emit(event.PhaseStarted{Phase: event.Applying})
	step := func(want int64, e event.Event) {
		t.Helper()
		p.emit(e)
		if got := p.stage().bytes; got != want {
			t.Errorf("after %+v: %d bytes, want %d", e, got, want)
		}
	}
	step(10, event.ItemProgress{Item: "a", Bytes: 10})
	step(30, event.ItemProgress{Item: "a", Bytes: 30})
	step(30, event.ItemProgress{Item: "a", Bytes: 20})
	step(30, event.Retrying{Item: "a"})
	step(35, event.ItemProgress{Item: "a", Bytes: 5})
	step(70, event.ItemDone{Item: "a", Bytes: 40, Status: plugin.Created})
	step(75, event.ItemDone{Item: "b", Bytes: 5, Status: plugin.Created})
	if len(p.moving) != 0 {
		t.Errorf("%v still move", p.moving)
	}
}

// TestTotals says what a phase may expect of the one before.
func TestTotals(t *testing.T) {
	t.Parallel()
	type want struct {
		n     int64
		exact bool
	}
	check := func(p *play, what string, w want) {
		t.Helper()
		if n, exact := p.resources[idPrefix+"kv"].total(); n != w.n || exact != w.exact {
			t.Errorf("%s: %d %v, want %d %v", what, n, exact, w.n, w.exact)
		}
	}
	plan := func(resumed bool, err error) *play {
		p := newPlay()
		p.resumed = resumed
		p.start("apply", []string{"kv"}, []string{"kv-t"})
		check(p, "before", want{0, false})
		p.emit(event.PhaseStarted{Phase: event.Planning})
		p.plan("kv", 10, 0)
		check(p, "planned", want{10, true})
		p.emit(event.ResourceDone{Phase: event.Planning, Source: idPrefix + "kv", Items: 10, Err: err})
		p.emit(event.PhaseStarted{Phase: event.Applying})
		return p
	}
	p := plan(false, nil)
	check(p, "expected", want{10, true})
	p.open(event.Applying, "kv")
	p.work("kv", 0, 10, plugin.Created, 0)
	check(p, "all there", want{10, true})
	p.work("kv", 10, 11, plugin.Created, 0)
	check(p, "more than planned", want{11, false})
	p.done(event.Applying, "kv", 11)
	check(p, "done", want{11, true})

	p = plan(false, errors.New("a page is missing"))
	check(p, "broken off", want{0, false})
	p = plan(true, nil)
	check(p, "resumed", want{0, false})
	p = plan(false, nil)
	p.emit(event.ResourceSkipped{Phase: event.Applying, Source: idPrefix + "kv"})
	check(p, "left out", want{0, true})
	p = plan(false, nil)
	p.emit(stopRequested{}, event.ItemDone{Resource: idPrefix + "kv", Status: plugin.Created})
	p.done(event.Applying, "kv", 4)
	check(p, "cut off", want{10, true})
	if got := p.resources[idPrefix+"kv"].standing; got != cutOff {
		t.Errorf("stands as %s", standings[got])
	}
}

// TestOddEvents takes events that no engine emits: none may upset the state.
func TestOddEvents(t *testing.T) {
	t.Parallel()
	p := newPlay()
	p.emit(
		nil,
		event.ItemDone{Resource: "", Status: "unheard-of"},
		event.ResourceDone{Source: "no/such", Items: -1, Err: errors.New("\x1b]0;title\a")},
		event.Throttled{Host: "\x1b[2J", Wait: -time.Hour},
		event.Paired{}, event.Unpaired{},
		event.PhaseStarted{Phase: "\x1b[31m"},
		event.RunStarted{Run: "\n\n", Command: "\t"},
		event.RunFinished{},
	)
	for _, s := range sizes {
		if got := view(p.state, canvas{width: s.width, height: s.height}, p.now); strings.ContainsAny(got, "\x1b\a\t\r") {
			t.Errorf("control characters in %q", got)
		}
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var r rate
	if got := r.perSecond(start); got != 0 {
		t.Errorf("nothing came: %v", got)
	}
	feed := func(from, to int, each int64) {
		for ms := from; ms < to; ms += 100 {
			r.add(start.Add(time.Duration(ms)*time.Millisecond), each)
		}
	}
	near := func(ms int, want float64) {
		t.Helper()
		if got := r.perSecond(start.Add(time.Duration(ms) * time.Millisecond)); got < want*0.9 || got > want*1.1 {
			t.Errorf("after %d ms: %v per second, want about %v", ms, got, want)
		}
	}
	feed(0, 500, 10)
	near(500, 50) // never more than came: one second is the least span
	feed(500, 5000, 10)
	near(5000, 100)
	feed(5000, 60_000, 10)
	near(60_000, 100)
	feed(60_000, 80_000, 1)
	near(80_000, 10)
	near(87_500, 5)
	near(200_000, 0)
	feed(200_000, 203_000, 10)
	near(203_000, 100)
	r.add(start, 10) // a clock that was set back
	near(203_000, 103)
}
