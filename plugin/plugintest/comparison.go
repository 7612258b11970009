package plugintest

import (
	"context"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// compareChecks look at Comparer, which plan, verify and resume rely upon.
func compareChecks() []Check {
	return []Check{
		{Name: "Compare/States", Claim: "what is copied is missing before a run and the same after it, and equal content is proven", run: checkStates},
		{Name: "Compare/Drift", Claim: "an object that is changed behind the wire, and no other, is reported", run: checkDrift},
		{Name: "Compare/WritesNothing", Claim: "comparing sends no write to either side", run: checkCompareReads},
	}
}

// comparer returns the plugin as a Comparer, or skips the check.
func (t *trial) comparer() plugin.Comparer {
	c, ok := t.subject.Plugin.(plugin.Comparer)
	if !ok {
		t.skipf("the plugin has no Compare")
	}
	return c
}

// compare compares all items; errors are failures of the check.
func (p *pair) compare(ctx context.Context, c plugin.Comparer, items []plugin.Item, r run) map[plugin.Key]plugin.Comparison {
	out := map[plugin.Key]plugin.Comparison{}
	for _, it := range items {
		res, err := c.Compare(ctx, p.task(it, r))
		if err != nil {
			p.errorf("%s: Compare %s: %v", what(r), it.Key, err)
			continue
		}
		out[it.Key] = res
	}
	return out
}

func comparisonProblem(c plugin.Comparison) string {
	switch c.State {
	case plugin.Missing:
	case plugin.Same:
		if !c.Proven && c.Reason == "" {
			return "the same, not proven, and no reason why"
		}
	case plugin.Different:
		if len(c.Fields) == 0 {
			return "different, and no field says in what"
		}
	case plugin.Cannot:
		if c.Reason == "" {
			return "cannot be compared, and no reason why"
		}
	default:
		return "state " + string(c.State) + " is not one of the contract's"
	}
	if c.Proven && c.State != plugin.Same {
		return "proven, but not the same"
	}
	return ""
}

func checkStates(t *trial) {
	c := t.comparer()
	b := t.newBench(few)
	t.eachMode(func(mode plugin.Mode) {
		p := b.newPair(retries)
		r := run{mode: mode, settings: t.subject.settings()}
		items := p.items(t.ctx, mode)
		before := p.compare(t.ctx, c, items, r)
		y := p.replicateItems(t.ctx, items, r)
		t.didWork(what(r), y)
		after := p.compare(t.ctx, c, items, r)
		for _, states := range []map[plugin.Key]plugin.Comparison{before, after} {
			for _, k := range sorted(states) {
				if problem := comparisonProblem(states[k]); problem != "" {
					t.errorf("%s: Compare %s: %s", what(r), k, problem)
				}
			}
		}
		t.checkProof(r, y, before, after)
	})
}

// checkProof looks at the items that a run created.
func (t *trial) checkProof(r run, y *tally, before, after map[plugin.Key]plugin.Comparison) {
	proven := 0
	for _, k := range sorted(y.outcomes) {
		if !isCreated(y.outcomes[k]) {
			continue
		}
		if s := before[k].State; s != plugin.Missing {
			t.errorf("%s: %s is %q before the run that creates it", what(r), k, s)
		}
		if s := after[k].State; s != plugin.Same {
			t.errorf("%s: %s is %q after the run that creates it (%v)", what(r), k, s, after[k].Fields)
		}
		if after[k].Proven {
			proven++
		}
	}
	if proven == 0 {
		t.errorf("%s: no copied item is proven equal", what(r))
	}
}

func checkDrift(t *trial) {
	c := t.comparer()
	b := t.newBench(few)
	p := b.newPair(retries)
	r := run{mode: t.fullMode(), settings: t.subject.settings()}
	items := p.items(t.ctx, r.mode)
	p.replicateItems(t.ctx, items, r)
	first := p.compare(t.ctx, c, items, r)
	same := map[plugin.Key]bool{}
	for k, cmp := range first {
		same[k] = cmp.State == plugin.Same
	}
	drifted := map[plugin.Key]bool{}
	for _, ch := range t.changeable(p.objects(p.to.Resource), same) {
		t.must(b.world.Seed(p.to.Resource.ID, ch.data), "change "+ch.object.Key+" at the target")
		drifted[ch.item] = true
		now := p.compare(t.ctx, c, items, r)
		for _, k := range sorted(now) {
			switch state := now[k].State; {
			case drifted[k] && state != plugin.Different:
				t.errorf("%s was changed at the target and is reported %q", k, state)
			case !drifted[k] && state != first[k].State:
				t.errorf("%s was %q and is %q after %s was changed", k, first[k].State, state, ch.item)
			}
		}
	}
}

func checkCompareReads(t *trial) {
	c := t.comparer()
	b := t.newBench(few)
	t.eachMode(func(mode plugin.Mode) {
		p := b.newPair(retries)
		r := run{mode: mode, settings: t.subject.settings()}
		items := p.items(t.ctx, mode)
		b.world.Forget()
		p.compare(t.ctx, c, items, r)
		log := b.world.Requests()
		p.replicateItems(t.ctx, items, r)
		b.world.Forget()
		p.compare(t.ctx, c, items, r)
		for _, req := range b.writesIn(append(log, b.world.Requests()...)) {
			t.errorf("%s: %s", what(r), show(req))
		}
	})
}
