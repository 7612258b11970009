package local_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// batcher is a plugin that takes things in batches. It logs the calls.
type batcher struct {
	*enginetest.Plugin
	on func(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) // nil: copyAll

	mu    sync.Mutex // guards calls
	calls [][]plugin.Key
}

func (b *batcher) ReplicateBatch(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
	keys := make([]plugin.Key, len(ts))
	for i, t := range ts {
		keys[i] = t.Item.Key
	}
	b.mu.Lock()
	b.calls = append(b.calls, keys)
	b.mu.Unlock()
	if b.on != nil {
		return b.on(ctx, ts)
	}
	return b.copyAll(ctx, ts)
}

func (b *batcher) copyAll(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
	outs := make([]plugin.Outcome, len(ts))
	for i, t := range ts {
		var err error
		if outs[i], err = b.Copy(ctx, t); err != nil {
			return nil, err
		}
	}
	return outs, nil
}

// batches returns a plugin that takes most things at once, and a pair "a" with items.
func batches(most int, items ...plugin.Item) (*batcher, engine.Pair) {
	p, a := oneVault(0)
	p.About.Items = []plugin.ItemKind{{Name: "thing", Plural: "things", Batch: most}, {Name: "rock", Plural: "rocks"}}
	p.World.Add("/source/a", items...)
	b := &batcher{Plugin: p}
	a.Plugin = b
	return b, a
}

// under returns n items below a parent, after it.
func under(parent plugin.Key, kind string, n int) []plugin.Item {
	items := []plugin.Item{{Key: parent, Kind: "rock"}}
	for i := range n {
		items = append(items, plugin.Item{Key: plugin.Key(fmt.Sprintf("%s/%04d", parent, i)), Parent: parent, Kind: kind})
	}
	return items
}

func TestBatchesForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, a := batches(100, under("box", "thing", 3000)...)
		b.on = func(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
			time.Sleep(time.Second)
			return b.copyAll(ctx, ts)
		}
		var l log
		start := time.Now()
		r := apply(t.Context(), t, engine.Options{Emit: l.sink}, a)
		if took := time.Since(start); len(b.calls) > 32 || took > 4*time.Second {
			t.Errorf("%d calls in %s for 3000 items, want about 30, 16 at once", len(b.calls), took)
		}
		if r.Outcomes[plugin.Created] != 3001 || r.Fidelity.Percent != 100 || r.Pairs[0].Bytes == 0 {
			t.Errorf("outcomes = %v, fidelity = %+v", r.Outcomes, r.Fidelity.Count)
		}
		if n, m := len(of[event.ItemStarted](&l)), len(of[event.ItemDone](&l)); n != 3001 || m != 3001 {
			t.Errorf("%d items started, %d done, want each once", n, m)
		}
		seen := map[plugin.Key]bool{}
		for _, keys := range b.calls {
			if len(keys) > 100 || !slices.IsSorted(keys) {
				t.Errorf("a call has %d items, or not in their order: %v", len(keys), keys)
			}
			for _, k := range keys {
				if seen[k] {
					t.Errorf("%s is in two calls", k)
				}
				seen[k] = true
			}
		}
	})
}

// TestBatchesAreAlike mixes kinds and parents, and lets things have children.
func TestBatchesAreAlike(t *testing.T) {
	t.Parallel()
	items := slices.Concat(under("one", "thing", 40), under("two", "thing", 40), under("three", "rock", 40))
	for i := range 5 {
		parent := plugin.Key(fmt.Sprintf("two/%04d", i))
		items = append(items, plugin.Item{Key: parent + "/x", Parent: parent, Kind: "thing"}, plugin.Item{Key: parent + "/y", Parent: parent, Kind: "thing"})
	}
	b, a := batches(1000, items...)
	b.on = func(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
		for _, task := range ts {
			if it := task.Item; it.Kind != "thing" || it.Parent != ts[0].Item.Parent {
				t.Errorf("%s is in one call with %s", it.Key, ts[0].Item.Key)
			}
			if _, there := b.World.Get("/target/a", task.Item.Parent); !there {
				t.Errorf("%s comes before its parent", task.Item.Key)
			}
		}
		return b.copyAll(ctx, ts)
	}
	r := apply(t.Context(), t, engine.Options{}, a)
	if r.Outcomes[plugin.Created] != int64(len(items)) || len(b.calls) == 0 {
		t.Errorf("outcomes = %v, %d calls", r.Outcomes, len(b.calls))
	}
}

// TestBatchesOfAnyTree: whatever the tree, the sizes and the calls that fail, the run comes
// to its end, parents before children.
func TestBatchesOfAnyTree(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			var items []plugin.Item
			for i := range 700 {
				it := plugin.Item{Key: plugin.Key(fmt.Sprint("k", i)), Kind: []string{"thing", "thing", "rock"}[rnd.IntN(3)]}
				if i > 0 && rnd.IntN(10) > 0 {
					it.Parent = items[rnd.IntN(min(len(items), 1+rnd.IntN(300)))].Key
				}
				items = append(items, it)
			}
			b, a := batches(2+rnd.IntN(200), items...)
			b.on = func(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
				for _, task := range ts {
					if _, there := b.World.Get("/target/a", task.Item.Parent); !there && task.Item.Parent != "" {
						t.Errorf("%s comes before its parent", task.Item.Key)
					}
				}
				time.Sleep(time.Duration(len(ts)%7) * time.Millisecond)
				outs, err := b.copyAll(ctx, ts)
				if len(ts)%5 == 0 {
					err = errors.New("refused")
				}
				return outs, err
			}
			r := apply(t.Context(), t, engine.Options{Workers: 1 + rnd.IntN(5)}, a)
			if r.FailTotal != 0 || r.Fidelity.Verified != 700 {
				t.Errorf("seed %d: %v, %+v", seed, r.Outcomes, r.Fidelity.Count)
			}
		})
	}
}

func TestBatchesKeepTheLimits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opt  engine.Options
		most int64
	}{
		"workers":          {engine.Options{Workers: 2}, 2},
		"places at a host": {engine.Options{PerHost: 3}, 3},
		"bytes at work":    {engine.Options{BytesAtWork: 1000}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, a := batches(100, enginetest.Things(2000)...)
				var now, top atomic.Int64
				b.on = func(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
					n := now.Add(1)
					defer now.Add(-1)
					if len(ts) == 100 {
						top.Store(max(top.Load(), n))
					}
					time.Sleep(time.Second)
					return b.copyAll(ctx, ts)
				}
				if r := apply(t.Context(), t, tt.opt, a); r.Outcomes[plugin.Created] != 2000 || top.Load() != tt.most {
					t.Errorf("%v; %d calls at once, want %d", r.Outcomes, top.Load(), tt.most)
				}
			})
		})
	}
}

// TestWhatABatchLeavesGoesAlone fails every call in some way.
func TestWhatABatchLeavesGoesAlone(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]func(*batcher, context.Context, []plugin.Task) ([]plugin.Outcome, error){
		"an error": func(*batcher, context.Context, []plugin.Task) ([]plugin.Outcome, error) {
			return nil, &errs.Error{Op: "write", Kind: errs.Conflict}
		},
		"an error behind the first half": func(b *batcher, ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
			_, err := b.copyAll(ctx, ts[:len(ts)/2])
			return nil, errors.Join(err, errors.New("the rest was refused"))
		},
		"a panic":     func(*batcher, context.Context, []plugin.Task) ([]plugin.Outcome, error) { panic("hunter2") },
		"no outcomes": func(*batcher, context.Context, []plugin.Task) ([]plugin.Outcome, error) { return nil, nil },
		"one too few": func(_ *batcher, _ context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
			return make([]plugin.Outcome, len(ts)-1), nil
		},
		"left to itself": func(_ *batcher, _ context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
			return make([]plugin.Outcome, len(ts)), nil
		},
		"invalid": func(_ *batcher, _ context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
			return slices.Repeat([]plugin.Outcome{{Status: plugin.Skipped}}, len(ts)), nil
		},
		"nothing in time": func(_ *batcher, ctx context.Context, _ []plugin.Task) ([]plugin.Outcome, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, a := batches(10, enginetest.Things(100)...)
				b.on = func(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) { return on(b, ctx, ts) }
				var l log
				dir := t.TempDir()
				r := apply(t.Context(), t, engine.Options{Emit: l.sink, Journal: beginRun(t, dir)}, a)
				if r.FailTotal != 0 || r.Outcomes[plugin.Created]+r.Outcomes[plugin.Unchanged] != 100 || r.Fidelity.Percent != 100 {
					t.Errorf("outcomes = %v, failures = %+v", r.Outcomes, r.Failures)
				}
				if n, m := len(of[event.ItemStarted](&l)), len(of[event.ItemDone](&l)); n != 100 || m != 100 || len(of[event.Retrying](&l)) != 0 {
					t.Errorf("%d items started, %d done", n, m)
				}
				for _, it := range enginetest.Things(100) {
					if n := b.World.Writes("/target/a", it.Key); n != 1 {
						t.Errorf("%s was written %d times", it.Key, n)
					}
				}
			})
		})
	}
}

// TestOneBadItemOfABatch fails for good, or until the second round, which has no batches.
func TestOneBadItemOfABatch(t *testing.T) {
	t.Parallel()
	for _, kind := range []errs.Kind{errs.Conflict, errs.Unavailable} {
		synctest.Test(t, func(t *testing.T) {
			b, a := batches(10, enginetest.Things(40)...)
			c := failFirst(b.Plugin, 3, &errs.Error{Op: "write", Kind: kind}, first)
			b.on = func(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
				i := slices.IndexFunc(ts, func(t plugin.Task) bool { return first(t.Item.Key) })
				if i < 0 {
					return b.copyAll(ctx, ts)
				}
				outs, err := b.copyAll(ctx, slices.Delete(slices.Clone(ts), i, i+1))
				return slices.Insert(outs, i, plugin.Outcome{}), err
			}
			r := apply(t.Context(), t, engine.Options{Retry: retry.Policy{Attempts: 3}}, a)
			failed := map[errs.Kind]int64{errs.Conflict: 1}[kind]
			if r.Outcomes[plugin.Failed] != failed || r.Outcomes[plugin.Created] != 40-failed || len(c.tries) != 1 {
				t.Errorf("%s: outcomes = %v, tried alone %v", kind, r.Outcomes, c.tries)
			}
		})
	}
}

func TestNoBatchIsAsked(t *testing.T) {
	t.Parallel()
	b, a := batches(0, enginetest.Things(50)...)
	apply(t.Context(), t, engine.Options{}, a)
	lost, c := batches(100, under("box", "thing", 50)...)
	lost.OnReplicate = func(context.Context, plugin.Task) (plugin.Outcome, error) {
		return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.PermissionDenied}
	}
	r := apply(t.Context(), t, engine.Options{}, c)
	if len(b.calls) != 0 || len(lost.calls) != 0 || r.Outcomes[plugin.Failed] != 51 {
		t.Errorf("%d calls where none is allowed, %d where the parent failed; %v", len(b.calls), len(lost.calls), r.Outcomes)
	}
}

// TestCanceledBatches: what is at work is finished or, when the time of grace is over, cut.
func TestCanceledBatches(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b, a := batches(10, enginetest.Things(400)...)
			ctx, cancel := context.WithCancelCause(t.Context())
			b.on = func(ctx context.Context, ts []plugin.Task) ([]plugin.Outcome, error) {
				cancel(errInterrupt)
				if !ends {
					<-ctx.Done()
					return nil, context.Cause(ctx)
				}
				time.Sleep(time.Second)
				return b.copyAll(ctx, ts)
			}
			dir := t.TempDir()
			j := beginRun(t, dir)
			start := time.Now()
			r := apply(ctx, t, engine.Options{Grace: 5 * time.Second, Journal: j}, a)
			status, want := plugin.Created, time.Second
			if !ends {
				status, want = plugin.Failed, 5*time.Second
			}
			taken := int64(0)
			for _, keys := range b.calls {
				taken += int64(len(keys))
			}
			if took := time.Since(start); took != want || !r.Run.Canceled || taken == 0 || r.Outcomes[status] < taken {
				t.Errorf("after %s: %v of %d taken", took, r.Outcomes, taken)
			}
			b.on = nil
			called := len(b.calls)
			r = apply(t.Context(), t, engine.Options{Journal: again(t, dir, j)}, a)
			if r.Outcomes[plugin.Created] != 400 || r.Fidelity.Percent != 100 || len(b.calls) == called {
				t.Errorf("gone on with: %v", r.Outcomes)
			}
			before := slices.Concat(b.calls[:called]...)
			for _, k := range slices.Concat(b.calls[called:]...) {
				if slices.Contains(before, k) {
					t.Errorf("%s may have been written before: it must be compared, alone", k)
				}
			}
		})
	}
}

func TestTheSameWithAndWithoutBatches(t *testing.T) {
	t.Parallel()
	items := append(under("box", "thing", 250), enginetest.Things(70)...)
	alone, a := batches(0, items...)
	grouped, b := batches(7, items...)
	for _, it := range items[100:120] {
		alone.World.Set("/target/a", it.Key, "other")
		grouped.World.Set("/target/a", it.Key, "other")
	}
	want, got := apply(t.Context(), t, engine.Options{Overwrite: true}, a), apply(t.Context(), t, engine.Options{Overwrite: true}, b)
	if diff := cmp.Diff(want.Outcomes, got.Outcomes); diff != "" || want.Pairs[0].Bytes != got.Pairs[0].Bytes || want.Fidelity.Count != got.Fidelity.Count {
		t.Errorf("%s; %d and %d bytes", diff, want.Pairs[0].Bytes, got.Pairs[0].Bytes)
	}
	if diff := cmp.Diff(alone.World.Objects("/target/a"), grouped.World.Objects("/target/a")); diff != "" || len(grouped.calls) < 40 {
		t.Errorf("%d calls: %s", len(grouped.calls), diff)
	}
}
