package plugintest

import (
	"context"
	"slices"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// batchChecks look at BatchReplicator: whatever it does not do is left to Replicate.
func batchChecks() []Check {
	return []Check{
		{Name: "Batch/SameEnd", Claim: "batches come to the end and to the outcomes that items come to one by one, twice", run: checkBatches},
		{Name: "Batch/NoClobber", Claim: "a batch treats what differs at the target as Replicate does", run: checkBatchKeeps},
		{Name: "Batch/Faults", Claim: "a batch that is refused, or whose answer is cut or lost, can be followed by Replicate", run: checkBatchFaults},
	}
}

// batcher returns the plugin as a BatchReplicator, or skips the check.
func (t *trial) batcher() plugin.BatchReplicator {
	b, ok := t.subject.Plugin.(plugin.BatchReplicator)
	if !ok {
		t.skipf("the plugin has no ReplicateBatch")
	}
	return b
}

// inBatches returns r with batches where the plugin takes them.
func (r run) inBatches() run {
	r.batches = true
	return r
}

// replicateGroups replicates items in their order, those alike in batches.
func (p *pair) replicateGroups(ctx context.Context, items []plugin.Item, r run, y *tally) {
	for len(items) > 0 {
		n := p.alike(items)
		if err := y.errOf(items[0].Parent); err != nil {
			for _, it := range items[:n] {
				y.put(it.Key, plugin.Outcome{}, parentFailed(it, err))
			}
		} else {
			p.replicateGroup(ctx, items[:n], r, y)
		}
		items = items[n:]
	}
}

// alike tells how many of the first items one call takes.
func (p *pair) alike(items []plugin.Item) int {
	kinds := p.subject.Plugin.Info().Items
	most := 1
	if i := slices.IndexFunc(kinds, func(k plugin.ItemKind) bool { return k.Name == items[0].Kind }); i >= 0 {
		most = min(max(kinds[i].Batch, 1), len(items))
	}
	n := 1
	for n < most && items[n].Kind == items[0].Kind && items[n].Parent == items[0].Parent {
		n++
	}
	return n
}

// replicateGroup replicates items by one call, and one by one what that leaves.
func (p *pair) replicateGroup(ctx context.Context, items []plugin.Item, r run, y *tally) {
	outs := make([]plugin.Outcome, len(items))
	if len(items) > 1 {
		tasks := make([]plugin.Task, len(items))
		for i, it := range items {
			tasks[i] = p.attempt(ctx, it, r)
		}
		p.batching.Store(true)
		got, err := p.batcher().ReplicateBatch(ctx, tasks)
		p.batching.Store(false)
		switch {
		case err == nil && len(got) != len(items):
			p.errorf("%s: ReplicateBatch returns %d outcomes for %d items", what(r), len(got), len(items))
		case err == nil:
			outs = got
		}
	}
	for i, it := range items {
		if outs[i].Status != "" {
			y.put(it.Key, outs[i], nil)
			y.together++
			continue
		}
		out, err := p.replicateItem(ctx, it, r)
		y.put(it.Key, out, err)
	}
}

func checkBatches(t *trial) {
	t.batcher()
	b := t.newBench(many)
	together := 0
	t.eachMode(func(mode plugin.Mode) {
		r := t.plain(mode)
		alone, grouped := b.newPair(), b.newPair()
		want, got := alone.replicate(t.ctx, r), grouped.replicate(t.ctx, r.inBatches())
		grouped.judge(what(r.inBatches()), r, got)
		together += got.together
		t.sameOutcomes(what(r), want, got)
		t.sameOutcomes(what(r)+": a second run", alone.replicate(t.ctx, r), grouped.replicate(t.ctx, r.inBatches()))
	})
	if together == 0 {
		t.errorf("no item is copied by a batch: is ItemKind.Batch set?")
	}
}

// sameOutcomes reports items that end in another way in batches than alone.
func (t *trial) sameOutcomes(what string, alone, grouped *tally) {
	for _, it := range alone.items {
		want, got := alone.outcomes[it.Key].Status, grouped.outcomes[it.Key].Status
		wantErr, gotErr := alone.failed[it.Key], grouped.failed[it.Key]
		if want != got || (wantErr == nil) != (gotErr == nil) || wantErr != nil && errs.KindOf(wantErr) != errs.KindOf(gotErr) {
			t.errorf("%s: %s is %q alone (%v) and %q in a batch (%v)", what, it.Key, want, wantErr, got, gotErr)
		}
	}
}

func checkBatchKeeps(t *trial) {
	t.batcher()
	b := t.newBench(many)
	r := t.plain(t.fullMode())
	copied := b.newPair().copied(r) // on a target of its own, to know what is copied at all
	changes := t.changeable(b.objects(b.source), copied)
	for _, overwrite := range []bool{false, true} {
		r.overwrite = overwrite
		alone, grouped := b.newPair(), b.newPair()
		for _, p := range []*pair{alone, grouped} {
			for _, c := range changes {
				t.must(b.world.Seed(p.to.Resource.ID, c.data), "seed the target with another "+c.object.Key)
			}
		}
		t.sameOutcomes(what(r), alone.replicate(t.ctx, r), grouped.replicate(t.ctx, r.inBatches()))
	}
}

// checkBatchFaults disturbs as checkFaults does, but batches alone.
func checkBatchFaults(t *trial) {
	t.batcher()
	b := t.newBench(few)
	r := t.plain(t.fullMode()).inBatches()
	for _, f := range passing() {
		t.failEach(b, r, f, plugin.Source, 1)
		if !t.failEach(b, r, f, plugin.Target, 1) {
			t.errorf("%s: no request of a batch reaches the target", what(r))
		}
		more := f.undecided
		for nth := 2; more && nth <= maxTurns; nth++ {
			more = t.failEach(b, r, f, plugin.Target, nth)
		}
	}
}
