package local_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/engine/pace"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var errInterrupt = errors.New("interrupt")

func TestCancelFinishesWhatIsAtWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := oneVault(1000)
		ctx, cancel := context.WithCancelCause(t.Context())
		var taken atomic.Int64
		p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
			if taken.Add(1) == 100 {
				cancel(errInterrupt)
			}
			time.Sleep(time.Second)
			return p.Copy(ctx, t)
		}
		var l log
		r := apply(ctx, t, engine.Options{Emit: l.sink}, a)
		n := taken.Load()
		if n < 100 || n > 116 || r.Outcomes[plugin.Created] != n || len(p.World.Objects("/target/a")) != int(n) {
			t.Errorf("taken %d, outcomes %v: what was taken must be finished and no more", n, r.Outcomes)
		}
		if !r.Run.Canceled || r.Run.CanceledBy != "interrupt" || r.Run.Complete {
			t.Errorf("run = %+v", r.Run)
		}
		if len(of[event.ItemVerified](&l)) != 0 || r.Fidelity.Verified != 0 || r.Fidelity.Items < n {
			t.Errorf("fidelity = %+v: a canceled apply is not verified", r.Fidelity.Count)
		}
		if len(of[event.RunFinished](&l)) != 1 {
			t.Error("the run must be closed")
		}
	})
}

func TestCancelCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		abort bool
		after time.Duration
		cause string
	}{
		"after the time of grace": {after: 5 * time.Second, cause: "interrupt"},
		"at once when aborted":    {abort: true, cause: "the run was aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, a := oneVault(3)
				ctx, cancel := context.WithCancelCause(t.Context())
				abort := make(chan struct{})
				var taken atomic.Int64
				p.OnReplicate = func(ctx context.Context, _ plugin.Task) (plugin.Outcome, error) {
					if taken.Add(1) == 3 {
						cancel(errInterrupt)
						if tt.abort {
							close(abort)
						}
					}
					<-ctx.Done()
					return plugin.Outcome{}, context.Cause(ctx)
				}
				start := time.Now()
				r := apply(ctx, t, engine.Options{Grace: 5 * time.Second, Abort: abort}, a)
				if took := time.Since(start); took != tt.after {
					t.Errorf("ended after %s, want %s", took, tt.after)
				}
				if r.Outcomes[plugin.Failed] != 3 || r.Failures[0].Message != tt.cause || !r.Run.Canceled {
					t.Errorf("outcomes = %v, failures = %+v", r.Outcomes, r.Failures)
				}
			})
		})
	}
}

func TestCancelEndsWaitsAndListing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := oneVault(2000)
		ctx, cancel := context.WithCancelCause(t.Context())
		p.OnReplicate = func(_ context.Context, _ plugin.Task) (plugin.Outcome, error) {
			return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.Throttled, RetryAfter: time.Hour}
		}
		time.AfterFunc(time.Minute, func() { cancel(errInterrupt) })
		start := time.Now()
		r := apply(ctx, t, engine.Options{}, a)
		if took := time.Since(start); took != time.Minute {
			t.Errorf("ended after %s", took)
		}
		if r.Outcomes[plugin.Failed] != 16 || r.Failures[0].Problem.Kind != "throttled" {
			t.Errorf("outcomes = %v, first failure = %+v", r.Outcomes, r.Failures[0])
		}
	})
}

func TestCanceledBeforeItStarts(t *testing.T) {
	t.Parallel()
	p, a := oneVault(3)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupt)
	r := apply(ctx, t, engine.Options{}, a)
	if !r.Run.Canceled || r.Run.CanceledBy != "interrupt" || len(p.World.Objects("/target/a")) != 0 {
		t.Errorf("run = %+v", r.Run)
	}
}

func TestCanceledVerificationDoesNotLookComplete(t *testing.T) {
	t.Parallel()
	p, a := oneVault(1000)
	ctx, cancel := context.WithCancelCause(t.Context())
	var compared atomic.Int64
	p.OnCompare = func(ctx context.Context, t plugin.Task) (plugin.Comparison, error) {
		if compared.Add(1) == 10 {
			cancel(errInterrupt)
		}
		return p.Look(ctx, t)
	}
	r := apply(ctx, t, engine.Options{}, a)
	if r.Fidelity.Items != 1000 || r.Fidelity.Verified < 10 || r.Fidelity.Verified > 30 || r.Run.Complete {
		t.Errorf("fidelity = %+v, complete = %t", r.Fidelity.Count, r.Run.Complete)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opt    engine.Options
		all    int64 // most items at work
		target int64 // most of one target
	}{
		"workers":     {engine.Options{Workers: 5, PerHost: 16}, 5, 5},
		"per target":  {engine.Options{Workers: 16, PerHost: 3}, 6, 3},
		"bytes":       {engine.Options{BytesAtWork: 25}, 2, 2},
		"large items": {engine.Options{BytesAtWork: 5}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, a := oneVault(60)
				p.World.Add("/source/b", enginetest.Things(60)...)
				var now, most, nowA, mostA atomic.Int64
				p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
					defer now.Add(-1)
					most.Store(max(most.Load(), now.Add(1)))
					if t.Source.Resource.Name == "a" {
						defer nowA.Add(-1)
						mostA.Store(max(mostA.Load(), nowA.Add(1)))
					}
					time.Sleep(time.Millisecond)
					return p.Copy(ctx, t)
				}
				r := apply(t.Context(), t, tt.opt, a, p.Pair("b"))
				if r.Fidelity.Verified != 120 || most.Load() != tt.all || mostA.Load() > tt.target || mostA.Load() == 0 {
					t.Errorf("verified %d, at work %d and %d on one target; want %d and at most %d",
						r.Fidelity.Verified, most.Load(), mostA.Load(), tt.all, tt.target)
				}
			})
		})
	}
}

func TestProgressIsReportedSparingly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := oneVault(1)
		p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
			for i := range 1000 {
				time.Sleep(10 * time.Millisecond)
				t.Progress(int64(i))
			}
			return p.Copy(ctx, t)
		}
		var l log
		apply(t.Context(), t, engine.Options{Emit: l.sink}, a)
		if got := of[event.ItemProgress](&l); len(got) != 50 || got[0].Size != 10 || got[0].Bytes == 0 {
			t.Errorf("%d progress events in 10 s, want 50", len(got))
		}
	})
}

// TestHeapIsBounded runs 100,000 items, of which every tenth fails, and looks at the
// heap on the way. It does not run in parallel: others would be measured too.
func TestHeapIsBounded(t *testing.T) { // not in parallel: it measures the heap
	const items, bound = 100_000, 24 << 20
	p, a := oneVault(0)
	p.OnDiscover = func(context.Context, plugin.Endpoint, plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
		return func(yield func(plugin.Item, error) bool) {
			for i := range items {
				key := plugin.Key(fmt.Sprintf("things/%06d-%s", i, strings.Repeat("x", 64)))
				if !yield(plugin.Item{Key: key, Kind: "thing", Attrs: map[string]string{"n": string(key)}}, nil) {
					return
				}
			}
		}
	}
	var n atomic.Int64
	var most atomic.Uint64
	p.OnReplicate = func(_ context.Context, t plugin.Task) (plugin.Outcome, error) {
		if i := n.Add(1); i%20_000 == 0 {
			most.Store(max(most.Load(), heap()))
		} else if i%10 == 0 {
			return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.Conflict, Err: errors.New(string(t.Item.Key))}
		}
		return plugin.Outcome{Status: plugin.Skipped, Reason: "why " + string(t.Item.Key)}, nil
	}
	p.OnCompare = func(context.Context, plugin.Task) (plugin.Comparison, error) {
		if n.Add(1)%20_000 == 0 {
			most.Store(max(most.Load(), heap()))
		}
		return plugin.Comparison{State: plugin.Same, Proven: true}, nil
	}
	before := heap()
	r := apply(t.Context(), t, engine.Options{}, a)
	if grown := int64(most.Load()) - int64(before); grown > bound {
		t.Errorf("the heap grew by %d KiB over %d items", grown>>10, items)
	}
	if r.Fidelity.Verified != items || r.Outcomes[plugin.Skipped]+r.Outcomes[plugin.Failed] != items || len(r.Failures) != 100 {
		t.Errorf("fidelity = %+v, outcomes = %v", r.Fidelity.Count, r.Outcomes)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestPacedItemsHoldNoWorker: one vault is limited to one write in ten seconds, another
// is not; with two workers in all, the fast one must not wait for the slow one.
func TestPacedItemsHoldNoWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter, err := pace.New(pace.Options{Limits: []plugin.Limit{{Name: "slow", Host: "a", Count: 1, Per: 10 * time.Second}}})
		if err != nil {
			t.Fatal(err)
		}
		p, a := oneVault(20)
		p.World.Add("/source/b", enginetest.Things(200)...)
		var fast atomic.Int64
		start := time.Now()
		p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
			done, err := limiter.Wait(ctx, plugin.Target, "PUT", t.Source.Resource.Name, "/"+string(t.Item.Key))
			if err != nil {
				return plugin.Outcome{}, err
			}
			time.Sleep(100 * time.Millisecond)
			done(pace.Answer{Sent: true})
			if t.Source.Resource.Name == "b" {
				fast.Store(int64(time.Since(start)))
			}
			return p.Copy(ctx, t)
		}
		r := apply(t.Context(), t, engine.Options{Workers: 2}, a, p.Pair("b"))
		if r.Outcomes[plugin.Created] != 220 || time.Since(start) < 190*time.Second {
			t.Errorf("outcomes = %v after %s", r.Outcomes, time.Since(start))
		}
		if took := time.Duration(fast.Load()); took > 15*time.Second {
			t.Errorf("the fast vault took %s", took)
		}
	})
}

func TestPacedItemIsCutByCancellation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter, err := pace.New(pace.Options{Limits: []plugin.Limit{{Name: "slow", Host: "*", Count: 1, Per: time.Hour}}})
		if err != nil {
			t.Fatal(err)
		}
		p, a := oneVault(20)
		p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
			done, err := limiter.Wait(ctx, plugin.Target, "PUT", "a", "/")
			if err != nil {
				return plugin.Outcome{}, err
			}
			done(pace.Answer{Sent: true})
			return p.Copy(ctx, t)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(errInterrupt) })
		start := time.Now()
		r := apply(ctx, t, engine.Options{Workers: 2, Grace: 10 * time.Second}, a)
		if r.Outcomes[plugin.Created] != 1 || time.Since(start) != 70*time.Second {
			t.Errorf("outcomes = %v after %s", r.Outcomes, time.Since(start))
		}
	})
}
