package plugintest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest/internal/lab"
)

const (
	firstGap  = 4  // requests that pass between the first two failures; each later gap is one longer
	faultsPut = 60 // failures scripted: a run has fewer requests than they reach
	tries     = 40 // for an item, under faults
	maxWrites = 40 // of one item, in a crash check
	maxTurns  = 3  // requests of one method and URL that fail in turn
)

// faultChecks look at what a plugin does when the service or the way to it fails.
func faultChecks() []Check {
	return []Check{
		{Name: "Replicate/Faults", Claim: "throttling, outages, resets, cut and lost answers end as if they had not been", run: checkFaults},
		{Name: "Replicate/ErrorKinds", Claim: "each refusal has its kind of error, and one that waiting cannot mend is not tried again", run: checkErrorKinds},
		{Name: "Replicate/CrashEverywhere", Claim: "a run that is cut at any write or checkpoint is completed by the next", run: checkCrash},
	}
}

// failure is one after which the same request may succeed, as the emulator makes it on
// the wire and as a tap makes it at an exact request.
type failure struct {
	wire.Fault
	verdict   lab.Verdict
	undecided bool // the service may have done its work
}

func passing() []failure {
	return []failure{
		{wire.Fault{Name: "429 with Retry-After", Kind: "status", Status: http.StatusTooManyRequests, Code: "Throttled", RetryAfter: time.Second}, lab.Answer(http.StatusTooManyRequests, "Throttled", time.Second), false},
		{wire.Fault{Name: "503", Kind: "status", Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}, lab.Answer(http.StatusServiceUnavailable, "ServiceUnavailable", 0), false},
		{wire.Fault{Name: "504", Kind: "status", Status: http.StatusGatewayTimeout, Code: "GatewayTimeout"}, lab.Answer(http.StatusGatewayTimeout, "GatewayTimeout", 0), false},
		{wire.Fault{Name: "connection reset", Kind: "reset"}, lab.Drop(), false},
		{wire.Fault{Name: "answer cut in its middle", Kind: "cut"}, lab.Cut(), true},
		{wire.Fault{Name: "answer lost", Kind: "lost"}, lab.Lose(), true},
	}
}

// checkFaults expects the end of an undisturbed run, first with failures on the wire at
// growing distances, then with one at every request. Waits are not waited for: requests
// are tried again after a millisecond, and not at all if the service asks for more; items
// at once.
func checkFaults(t *trial) {
	b := t.newBench(few)
	for _, f := range passing() {
		for _, where := range []plugin.Side{plugin.Source, plugin.Target} {
			t.failOnWire(b, t.plain(t.fullMode()), f.Fault, where)
			for i, r := range t.runs() {
				if i < len(t.subject.Plugin.Info().Modes) || f.undecided {
					t.failEach(b, r, f, where, 1)
				}
			}
		}
	}
	t.failLater(b)
}

// failLater leaves writes undecided that are not the first of their URL.
func (t *trial) failLater(b *bench) {
	for _, r := range t.runs() {
		for _, f := range passing() {
			more := f.undecided
			for nth := 2; more && nth <= maxTurns; nth++ {
				more = t.failEach(b, r, f, plugin.Target, nth)
			}
		}
	}
}

// patient returns r with retries for as long as they can make progress.
func (r run) patient() run {
	r.attempts, r.marks = tries, &marks{}
	return r
}

func (t *trial) failOnWire(b *bench, r run, f wire.Fault, where plugin.Side) {
	p := b.pairWith(r.variant, nil, nil, retries)
	host := b.host(p.from.Resource)
	if where == plugin.Target {
		host = b.host(p.to.Resource)
	}
	b.disturb(f, host)
	b.world.Forget()
	r = r.patient()
	y := p.replicate(t.ctx, r)
	hit := faulted(b.world.Requests())
	b.world.Heal()
	p.judge(fmt.Sprintf("%s at the %s", f.Name, where), r, y)
	if hit == 0 {
		t.errorf("%s at the %s: no request met it; does Subject.Host name the right host?", f.Name, where)
	}
}

// failEach fails the nth request of every method and URL. It reports whether there was
// any.
func (t *trial) failEach(b *bench, r run, f failure, where plugin.Side, nth int) bool {
	p := b.pairWith(r.variant, nil, nil, retries)
	tap := p.from.tap
	if where == plugin.Target {
		tap = p.to.tap
	}
	seen, hit := map[string]int{}, false
	tap.SetRule(func(_ int, req *http.Request) lab.Verdict {
		if r.batches && !p.batching.Load() {
			return lab.Pass() // what follows a batch is seen to by the check of Replicate
		}
		key := req.Method + req.URL.String()
		if seen[key]++; seen[key] != nth {
			return lab.Pass()
		}
		hit = true
		return f.verdict
	})
	r = r.patient()
	y := p.replicate(t.ctx, r)
	tap.SetRule(nil)
	p.judge(fmt.Sprintf("%s, %s at the %s, at request %d of every URL", what(r), f.Name, where, nth), r, y)
	return hit
}

// disturb scripts a failure of a host at growing distances, so that an item of many
// requests comes through, too.
func (b *bench) disturb(f wire.Fault, host string) {
	f.Host, f.Count = host, 1
	f.Skip = 2
	for i := range faultsPut {
		b.must(b.world.Fault(f), "script a failure")
		f.Skip += firstGap + i
	}
}

func faulted(log []wire.Request) int {
	n := 0
	for _, r := range log {
		if r.Fault != "" {
			n++
		}
	}
	return n
}

// refusal is an answer and what a plugin must make of it.
type refusal struct {
	verdict lab.Verdict
	name    string
	kind    errs.Kind
	once    bool // trying again is useless
	wait    time.Duration
}

func refusals() []refusal {
	const later = 7 * time.Second // longer than the pipeline of the check waits
	return []refusal{
		{lab.Answer(http.StatusForbidden, "Forbidden", 0), "403", errs.PermissionDenied, true, 0},
		{lab.Answer(http.StatusNotFound, "NotFound", 0), "404", errs.NotFound, true, 0},
		{lab.Answer(http.StatusConflict, "Conflict", 0), "409", errs.Conflict, true, 0},
		{lab.Answer(http.StatusTooManyRequests, "Throttled", later), "429", errs.Throttled, true, later},
		{lab.Answer(http.StatusServiceUnavailable, "ServiceUnavailable", 0), "503", errs.Unavailable, false, 0},
		{lab.Drop(), "connection reset", errs.Unavailable, false, 0},
	}
}

// checkErrorKinds refuses every write to the target for one item of each kind, and every
// read of the source.
func checkErrorKinds(t *trial) {
	b := t.newBench(few)
	r := t.plain(t.fullMode())
	first := b.newPair()
	y := first.replicate(t.ctx, r)
	t.didWork(what(r), y)
	items := oneOfEachKind(y)
	for _, f := range refusals() {
		p := b.newPair()
		for _, it := range items {
			p.replicateItems(t.ctx, ancestors(y.items, it), r)
			t.refuseWrites(p, it, r, f)
		}
		if f.kind != errs.Conflict { // nothing is in conflict with a read
			t.refuseReads(p, items, r, f)
		}
	}
}

// oneOfEachKind returns the first created item of each kind.
func oneOfEachKind(y *tally) []plugin.Item {
	var out []plugin.Item
	seen := map[string]bool{}
	for _, it := range y.items {
		if isCreated(y.outcomes[it.Key]) && !seen[it.Kind] {
			seen[it.Kind] = true
			out = append(out, it)
		}
	}
	return out
}

// ancestors returns the items above it, the topmost first.
func ancestors(items []plugin.Item, it plugin.Item) []plugin.Item {
	i := slices.IndexFunc(items, func(o plugin.Item) bool { return it.Parent != "" && o.Key == it.Parent })
	if i < 0 {
		return nil
	}
	return append(ancestors(items, items[i]), items[i])
}

func (t *trial) refuseWrites(p *pair, it plugin.Item, r run, f refusal) {
	hits := 0
	p.to.tap.SetRule(func(_ int, req *http.Request) lab.Verdict {
		if p.writesHTTP(req) {
			hits++
			return f.verdict
		}
		return lab.Pass()
	})
	_, err := p.replicateItem(t.ctx, it, r)
	p.to.tap.SetRule(nil)
	t.checkRefused(fmt.Sprintf("the target answers %s to writes of %s", f.name, it.Key), err, f)
	if f.once && hits > 1 {
		t.errorf("the target answers %s to writes of %s: it is tried %d times", f.name, it.Key, hits)
	}
}

func (t *trial) refuseReads(p *pair, items []plugin.Item, r run, f refusal) {
	hits := 0
	p.from.tap.SetRule(func(_ int, req *http.Request) lab.Verdict {
		if p.writesHTTP(req) {
			return lab.Pass()
		}
		hits++
		return f.verdict
	})
	_, failed := t.list(t.ctx, p.from.Endpoint, t.options(r.mode, ""))
	if len(failed) == 0 {
		t.errorf("the source answers %s: Discover yields no error", f.name)
	}
	for _, err := range failed {
		t.checkRefused(fmt.Sprintf("the source answers %s to Discover", f.name), err, f)
	}
	if f.kind == errs.NotFound {
		return // an item that is gone from the source may be reported in other ways
	}
	for _, it := range items {
		hits = 0
		_, err := p.replicateItem(t.ctx, it, r)
		if hits > 0 {
			t.checkRefused(fmt.Sprintf("the source answers %s to reads of %s", f.name, it.Key), err, f)
		}
	}
}

func (t *trial) checkRefused(where string, err error, f refusal) {
	switch {
	case err == nil:
		t.errorf("%s: there is no error", where)
	case errs.KindOf(err) != f.kind || errs.Find(err) == nil:
		t.errorf("%s: the error has kind %q, want an *errs.Error of kind %q: %v", where, errs.KindOf(err), f.kind, err)
	case errs.RetryAfter(err) != f.wait:
		t.errorf("%s: the error asks to wait %v, the service asked for %v", where, errs.RetryAfter(err), f.wait)
	}
}

// crash says where the process dies: behind so manieth write or checkpoint of an item.
type crash struct {
	nth  int
	save bool
}

func (c crash) String() string {
	if c.save {
		return fmt.Sprintf("cut behind checkpoint %d", c.nth)
	}
	return fmt.Sprintf("cut behind write %d", c.nth)
}

// checkCrash cuts every item behind its first write to either side, then behind its
// second, and so on, and then behind each checkpoint. A crash anywhere else leaves what
// one of these leaves, or nothing.
func checkCrash(t *trial) {
	b := t.newBench(few)
	for _, r := range t.runs() {
		for _, c := range []crash{{save: false}, {save: true}} {
			cut := 1
			for c.nth = 1; cut > 0 && c.nth <= maxWrites; c.nth++ {
				cut = t.crashEach(b.pairWith(r.variant, nil, nil, 0), r, c)
			}
		}
	}
}

// runs are the first variant in every mode and the others in the fullest.
func (t *trial) runs() []run {
	var out []run
	t.eachMode(func(mode plugin.Mode) { out = append(out, t.plain(mode)) })
	for _, v := range t.subject.variants()[1:] {
		out = append(out, run{mode: t.fullMode(), variant: v})
	}
	return out
}

// crashEach replicates each item in a process that crashes and then in one that does not,
// and judges the end. It returns how many items were cut.
func (t *trial) crashEach(p *pair, r run, c crash) int {
	before := p.objects(p.from.Resource)
	items, _ := p.discover(t.ctx, r)
	all := &tally{items: items, outcomes: map[plugin.Key]plugin.Outcome{}, failed: map[plugin.Key]error{}}
	r.marks = &marks{}
	cut := 0
	for _, it := range items {
		if p.crashed(it, r, c) {
			cut++
		}
		y := p.replicateItems(t.ctx, []plugin.Item{it}, r)
		maps.Copy(all.outcomes, y.outcomes)
		maps.Copy(all.failed, y.failed)
	}
	p.judge(fmt.Sprintf("%s, every item %s", what(r), c), r, all)
	t.sameObjects(fmt.Sprintf("%s, every item %s: the run", what(r), c), before, p.objects(p.from.Resource))
	return cut
}

// crashed replicates an item until the crash, and tells whether there was one.
func (p *pair) crashed(it plugin.Item, r run, c crash) bool {
	ctx, kill := context.WithCancel(p.ctx)
	defer kill()
	var count atomic.Int64
	strike := func() bool {
		if count.Add(1) != int64(c.nth) {
			return false
		}
		kill()
		return true
	}
	rule := func(_ int, req *http.Request) lab.Verdict {
		switch {
		case ctx.Err() != nil: // a dead process sends nothing
			return lab.Drop()
		case !c.save && p.writesHTTP(req) && strike():
			return lab.Lose()
		}
		return lab.Pass()
	}
	p.from.tap.SetRule(rule)
	p.to.tap.SetRule(rule)
	r.marks.after = func(plugin.Key) {
		if c.save {
			strike()
		}
	}
	_, _ = p.replicateItem(ctx, it, r)
	p.from.tap.SetRule(nil)
	p.to.tap.SetRule(nil)
	r.marks.after = nil
	return ctx.Err() != nil
}

// sorted returns the keys of m in order.
func sorted[V any](m map[plugin.Key]V) []plugin.Key { return slices.Sorted(maps.Keys(m)) }
