package plugintest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
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
)

// faultChecks look at what a plugin does when the service or the way to it fails.
func faultChecks() []Check {
	return []Check{
		{Name: "Replicate/Faults", Claim: "throttling, outages, resets, cut and lost answers end as if they had not been", run: checkFaults},
		{Name: "Replicate/ErrorKinds", Claim: "each refusal has its kind of error, and one that waiting cannot mend is not tried again", run: checkErrorKinds},
		{Name: "Replicate/CrashEverywhere", Claim: "a run that is cut at any write or checkpoint is completed by the next", run: checkCrash},
	}
}

// passing are failures after which the same request may succeed. The last two happen
// after the service did its work.
func passing() []wire.Fault {
	return []wire.Fault{
		{Name: "429 with Retry-After", Kind: "status", Status: http.StatusTooManyRequests, Code: "Throttled", RetryAfter: time.Second},
		{Name: "503", Kind: "status", Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"},
		{Name: "504", Kind: "status", Status: http.StatusGatewayTimeout, Code: "GatewayTimeout"},
		{Name: "connection reset", Kind: "reset"},
		{Name: "answer cut in its middle", Kind: "cut"},
		{Name: "answer lost", Kind: "lost"},
	}
}

// checkFaults makes requests of one side fail again and again, and expects the end of an
// undisturbed run. The gaps between failures grow, so that an item of many requests comes
// through, too. Waits are not waited for: requests are tried again after a millisecond,
// and not at all if the service asks for more; items at once.
func checkFaults(t *trial) {
	b := t.newBench(few)
	for _, fault := range passing() {
		for _, where := range []plugin.Side{plugin.Source, plugin.Target} {
			p := b.newPair(retries)
			host := b.host(p.from.Resource)
			if where == plugin.Target {
				host = b.host(p.to.Resource)
			}
			b.disturb(fault, host)
			b.world.Forget()
			r := run{mode: t.fullMode(), variant: t.subject.variants()[0], attempts: tries, marks: &marks{}}
			y := p.replicate(t.ctx, r)
			hit := faulted(b.world.Requests())
			b.world.Heal()
			p.judge(fmt.Sprintf("%s at the %s", fault.Name, where), r, y)
			if hit == 0 {
				t.errorf("%s at the %s: no request met it; does Subject.Host name the right host?", fault.Name, where)
			}
		}
	}
}

// disturb scripts a failure of a host at growing distances.
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
	first := b.newPair(retries)
	y := first.replicate(t.ctx, r)
	t.didWork(what(r), y)
	items := oneOfEachKind(y)
	for _, f := range refusals() {
		p := b.newPair(retries)
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

// checkCrash cuts every item at its first write, then at its second, and so on: once
// before the service sees the write and once after it did it. A crash at a read leaves
// what a crash after the write before it leaves. Then it crashes behind each checkpoint.
func checkCrash(t *trial) {
	b := t.newBench(few)
	t.eachMode(func(mode plugin.Mode) {
		r := t.plain(mode)
		for _, v := range []lab.Verdict{lab.Drop(), lab.Lose()} {
			cut := 1
			for nth := 1; cut > 0 && nth <= maxWrites; nth++ {
				cut = t.crashAtWrite(b.newPair(0), r, nth, v)
			}
		}
		cut := 1
		for nth := 1; cut > 0 && nth <= maxWrites; nth++ {
			cut = t.crashAtSave(b.newPair(0), r, nth)
		}
	})
}

// crashAtWrite cuts each item at its nth write, replicates it again, and judges the end.
// It returns how many items were cut.
func (t *trial) crashAtWrite(p *pair, r run, nth int, v lab.Verdict) int {
	cut := 0
	r.marks = &marks{}
	y := p.eachTwice(r, func(ctx context.Context, kill func(), it plugin.Item) {
		writes := 0
		p.to.tap.SetRule(func(_ int, req *http.Request) lab.Verdict {
			if ctx.Err() != nil {
				return lab.Drop()
			}
			if !p.writesHTTP(req) {
				return lab.Pass()
			}
			if writes++; writes < nth {
				return lab.Pass()
			}
			cut++
			kill()
			return v
		})
	})
	place := "before"
	if v == lab.Lose() {
		place = "behind"
	}
	p.judge(fmt.Sprintf("%s mode, every item cut %s write %d", r.mode, place, nth), r, y)
	return cut
}

// crashAtSave stops each item when it saved its nth checkpoint, and replicates it again.
func (t *trial) crashAtSave(p *pair, r run, nth int) int {
	cut := 0
	r.marks = &marks{}
	y := p.eachTwice(r, func(_ context.Context, kill func(), _ plugin.Item) {
		saves := 0
		r.marks.after = func(plugin.Key) {
			if saves++; saves == nth {
				cut++
				kill()
			}
		}
	})
	p.judge(fmt.Sprintf("%s mode, every item cut behind checkpoint %d", r.mode, nth), r, y)
	return cut
}

// eachTwice replicates each item in a process that arm prepares to crash, and then in one
// that does not. The tally is that of the second.
func (p *pair) eachTwice(r run, arm func(ctx context.Context, kill func(), it plugin.Item)) *tally {
	items := p.items(p.ctx, r.mode)
	all := &tally{items: items, outcomes: map[plugin.Key]plugin.Outcome{}, failed: map[plugin.Key]error{}}
	for _, it := range items {
		ctx, kill := context.WithCancel(p.ctx)
		arm(ctx, kill, it)
		_, _ = p.replicateItem(ctx, it, r)
		kill()
		p.to.tap.SetRule(nil)
		r.marks.after = nil
		y := p.replicateItems(p.ctx, []plugin.Item{it}, r)
		maps.Copy(all.outcomes, y.outcomes)
		maps.Copy(all.failed, y.failed)
	}
	return all
}

// sorted returns the keys of m in order.
func sorted[V any](m map[plugin.Key]V) []plugin.Key { return slices.Sorted(maps.Keys(m)) }
