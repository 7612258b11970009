package plugintest

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// raceWorkers is how many items are at work at once where the suite looks for races.
const raceWorkers = 8

// replicateChecks look at what a run leaves behind.
func replicateChecks() []Check {
	return []Check{
		{Name: "Replicate/Template", Claim: "template mode makes every structure, and nothing else", run: func(t *trial) { t.checkMode(plugin.Template) }},
		{Name: "Replicate/Full", Claim: "replication mode copies everything that can be copied", run: func(t *trial) { t.checkMode(plugin.Replication) }},
		{Name: "Replicate/Idempotent", Claim: "a second run reports all unchanged and sends no write", run: checkIdempotent},
		{Name: "Replicate/NoClobber", Claim: "what differs at the target is kept, unless Overwrite is set", run: checkNoClobber},
		{Name: "Replicate/SourceUntouched", Claim: "no write reaches the source", run: checkSourceUntouched},
	}
}

// eachMode calls f for every mode of the plugin.
func (t *trial) eachMode(f func(plugin.Mode)) {
	for _, m := range t.subject.Plugin.Info().Modes {
		f(m)
	}
}

func (t *trial) checkMode(mode plugin.Mode) {
	if !t.subject.Plugin.Info().Supports(mode) {
		t.skipf("the plugin has no %s mode", mode)
	}
	b := t.newBench(few)
	for _, v := range t.subject.variants() {
		p := b.pairWith(v, nil, nil, retries)
		r := run{mode: mode, variant: v}
		y := p.replicate(t.ctx, r)
		for _, problem := range p.problems(r, y) {
			t.errorf("%s: %s", what(r), problem)
		}
		t.didWork(what(r), y)
	}
}

// didWork fails a check whose run created nothing: it would show nothing.
func (t *trial) didWork(what string, y *tally) {
	for _, o := range y.outcomes {
		if isCreated(o) {
			return
		}
	}
	t.errorf("%s: a run onto a new target creates nothing (%d items, %d failed, %d errors of Discover)", what, len(y.items), len(y.failed), len(y.listing))
}

func isCreated(o plugin.Outcome) bool { return o.Status == plugin.Created }

// what names a run in messages.
func what(r run) string {
	s := string(r.mode) + " mode"
	if len(r.variant.Settings) > 0 {
		raw, _ := json.Marshal(r.variant.Settings) // a map of strings always can be
		s += " with " + string(raw)
	}
	if r.overwrite {
		s += " with overwrite"
	}
	if r.batches {
		s += " in batches"
	}
	return s
}

func checkIdempotent(t *trial) {
	b := t.newBench(few)
	t.eachMode(func(mode plugin.Mode) {
		for _, overwrite := range []bool{false, true} {
			p := b.newPair()
			r := run{mode: mode, variant: t.subject.variants()[0], overwrite: overwrite}
			t.didWork(what(r), p.replicate(t.ctx, r))
			t.checkSecondRun(p, r)
		}
	})
}

func (t *trial) checkSecondRun(p *pair, r run) {
	before := p.objects(p.to.Resource)
	p.world.Forget()
	y := p.replicate(t.ctx, r)
	for _, req := range p.writesIn(p.world.Requests()) {
		t.errorf("%s: the second run sends %s", what(r), show(req))
	}
	for _, k := range sorted(y.failed) {
		t.errorf("%s: the second run fails at %s: %v", what(r), k, y.failed[k])
	}
	for _, k := range sorted(y.outcomes) {
		if s := y.outcomes[k].Status; s != plugin.Unchanged && s != plugin.Skipped {
			t.errorf("%s: the second run reports %s %s", what(r), k, s)
		}
	}
	t.sameObjects(what(r)+": the second run", before, p.objects(p.to.Resource))
}

// sameObjects reports objects that are not as they were. Values are not shown.
func (t *trial) sameObjects(who string, before, after []wire.Object) {
	was, is := ByKey(before), ByKey(after)
	for _, k := range slices.Sorted(maps.Keys(was)) {
		if now, ok := is[k]; !ok {
			t.errorf("%s removes %s", who, k)
		} else if !cmp.Equal(was[k], now) {
			t.errorf("%s changes %v", who, Differences(was[k], now))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(is)) {
		if _, ok := was[k]; !ok {
			t.errorf("%s creates %s", who, k)
		}
	}
}

// change is content that makes a resource hold something else under an object's key.
type change struct {
	object wire.Object
	item   plugin.Key
	data   json.RawMessage
}

// changeable returns, for each kind, a change of the first object that can be changed and
// whose item is among the given ones.
func (t *trial) changeable(objects []wire.Object, among map[plugin.Key]bool) []change {
	if t.subject.Change == nil {
		t.skipf("the subject cannot make other objects of the same keys")
	}
	var out []change
	kinds := map[string]bool{}
	for _, o := range objects {
		k := t.subject.key(o)
		if kinds[o.Kind] || !among[k] {
			continue
		}
		if data := t.subject.Change(o); len(data) > 0 {
			out = append(out, change{o, k, data})
			kinds[o.Kind] = true
		}
	}
	if len(out) == 0 {
		t.fatalf("the suite finds no copied object that Subject.Change can change")
	}
	return out
}

func checkNoClobber(t *trial) {
	b := t.newBench(few)
	r := t.plain(t.fullMode())
	copied := b.newPair().copied(r) // on a target of its own, to know what is copied at all
	p := b.newPair()
	changes := t.changeable(b.objects(b.source), copied)
	for _, c := range changes {
		t.must(b.world.Seed(p.to.Resource.ID, c.data), "seed the target with another "+c.object.Key)
	}
	p.before = b.objects(p.to.Resource)
	t.checkKept(p, r, copied, changes)
	r.overwrite = true
	p.before = b.objects(p.to.Resource)
	y := p.replicate(t.ctx, r)
	p.judge(what(r), r, y)
	for _, c := range changes {
		if o, ok := y.outcomes[c.item]; ok && o.Status != plugin.Updated && o.Status != plugin.Skipped {
			t.errorf("%s: %s differed at the target and is reported %s", what(r), c.item, o.Status)
		}
	}
}

// copied runs r and returns the keys of the items that it creates.
func (p *pair) copied(r run) map[plugin.Key]bool {
	y := p.replicate(p.ctx, r)
	p.didWork(what(r), y)
	out := map[plugin.Key]bool{}
	for k, o := range y.outcomes {
		if isCreated(o) {
			out[k] = true
		}
	}
	return out
}

// checkKept runs without Overwrite over a target that holds other objects.
func (t *trial) checkKept(p *pair, r run, copied map[plugin.Key]bool, changes []change) {
	other := ByKey(p.before)
	y := p.replicate(t.ctx, r)
	after := ByKey(p.objects(p.to.Resource))
	for _, c := range changes {
		if was := other[c.object.Key]; !cmp.Equal(was, after[c.object.Key]) {
			t.errorf("%s differed at the target and was overwritten without Overwrite: %v", c.object.Key, Differences(was, after[c.object.Key]))
		}
		switch err := y.failed[c.item]; {
		case err == nil:
			t.errorf("%s differs at the target and is reported %q, want an error of kind %q", c.item, y.outcomes[c.item].Status, errs.Conflict)
		case errs.KindOf(err) != errs.Conflict || errs.Find(err) == nil:
			t.errorf("%s differs at the target: the error has kind %q, want an *errs.Error of kind %q: %v", c.item, errs.KindOf(err), errs.Conflict, err)
		}
		delete(copied, c.item)
	}
	for _, k := range sorted(copied) {
		if err := y.failed[k]; err != nil {
			t.errorf("%s does not differ at the target, yet: %v", k, err)
		}
	}
}

// fullMode returns replication mode, or the plugin's only mode.
func (t *trial) fullMode() plugin.Mode {
	if info := t.subject.Plugin.Info(); !info.Supports(plugin.Replication) {
		return info.Modes[0]
	}
	return plugin.Replication
}

// checkSourceUntouched runs under every setting and demands that the source ends as it
// was. Under the first settings no request may even try; a user can ask for one that does
// (to read a disabled secret, it must be enabled for a moment).
func checkSourceUntouched(t *trial) {
	b := t.newBench(few)
	before := b.objects(b.source)
	for i, v := range t.subject.variants() {
		t.eachMode(func(mode plugin.Mode) {
			p := b.pairWith(v, nil, nil, retries)
			r := run{mode: mode, variant: v, overwrite: true}
			b.world.Forget()
			y := p.replicate(t.ctx, r)
			t.didWork(what(r), y)
			for _, it := range y.items {
				p.exercise(t.ctx, it, r, nil)
			}
			t.sameObjects(what(r)+": a run", before, b.objects(b.source))
			if i > 0 {
				return
			}
			for _, req := range b.writesIn(b.world.To(b.host(b.source))) {
				t.errorf("%s: %s", what(r), show(req))
			}
		})
	}
}

// raceChecks look at concurrency; the race detector, if it is on, looks along.
func raceChecks() []Check {
	return []Check{{Name: "Race", Claim: "8 workers come to the same end as one", run: checkRace}}
}

func checkRace(t *trial) {
	b := t.newBench(many)
	t.eachMode(func(mode plugin.Mode) {
		p := b.newPair()
		r := run{mode: mode, variant: t.subject.variants()[0], workers: raceWorkers, attempts: 3}
		p.judge(what(r), r, p.replicate(t.ctx, r))
	})
}
