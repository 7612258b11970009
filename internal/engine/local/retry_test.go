package local_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// counter counts attempts by item and fails the first ones.
type counter struct {
	mu    sync.Mutex
	tries map[plugin.Key]int
}

// failFirst makes p fail the first n attempts at each item that match names.
func failFirst(p *enginetest.Plugin, n int, err error, match func(plugin.Key) bool) *counter {
	c := &counter{tries: map[plugin.Key]int{}}
	p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
		c.mu.Lock()
		c.tries[t.Item.Key]++
		tries := c.tries[t.Item.Key]
		c.mu.Unlock()
		if match(t.Item.Key) && tries <= n {
			return plugin.Outcome{}, err
		}
		if _, there := p.World.Get(t.Target.Resource.ID, t.Item.Parent); t.Item.Parent != "" && !there {
			return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.NotFound, Code: "ParentNotFound"}
		}
		return p.Copy(ctx, t)
	}
	return c
}

func first(k plugin.Key) bool { return k == "things/00001" }

func TestRetry(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind     errs.Kind
		failures int
		tries    int
		requeued int
		status   plugin.Status
	}{
		"at once":                     {kind: errs.Unavailable, failures: 0, tries: 1, status: plugin.Created},
		"in the first round":          {kind: errs.Unavailable, failures: 2, tries: 3, status: plugin.Created},
		"throttled":                   {kind: errs.Throttled, failures: 1, tries: 2, status: plugin.Created},
		"read back is not as written": {kind: errs.Integrity, failures: 1, tries: 2, status: plugin.Created},
		"in the second round":         {kind: errs.Unavailable, failures: 3, tries: 4, requeued: 1, status: plugin.Created},
		"never":                       {kind: errs.Unavailable, failures: 99, tries: 4, requeued: 1, status: plugin.Failed},
		"denied":                      {kind: errs.PermissionDenied, failures: 1, tries: 1, status: plugin.Failed},
		"conflict":                    {kind: errs.Conflict, failures: 1, tries: 1, status: plugin.Failed},
		"not there":                   {kind: errs.NotFound, failures: 1, tries: 1, status: plugin.Failed},
		"a defect":                    {kind: errs.Internal, failures: 1, tries: 1, status: plugin.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, a := oneVault(5)
				c := failFirst(p, tt.failures, &errs.Error{Op: "write", Kind: tt.kind}, first)
				var l log
				r := apply(t.Context(), t, engine.Options{Emit: l.sink}, a)
				if c.tries["things/00001"] != tt.tries || c.tries["things/00002"] != 1 {
					t.Errorf("tries = %v, want %d for the first", c.tries, tt.tries)
				}
				requeued := 0
				for _, e := range of[event.Retrying](&l) {
					if e.Requeued {
						requeued++
					}
				}
				if requeued != tt.requeued || r.Outcomes[tt.status] == 0 || r.Outcomes[plugin.Created] < 4 {
					t.Errorf("requeued %d, outcomes = %v", requeued, r.Outcomes)
				}
				done := of[event.ItemDone](&l)
				if len(done) != 5 || len(of[event.ItemStarted](&l)) != 5 {
					t.Errorf("%d items done, %d started: each must end and start once", len(done), len(of[event.ItemStarted](&l)))
				}
			})
		})
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := oneVault(1)
		failFirst(p, 1, &errs.Error{Op: "write", Kind: errs.Throttled, RetryAfter: 90 * time.Second}, first)
		start := time.Now()
		r := apply(t.Context(), t, engine.Options{}, a)
		if r.Outcomes[plugin.Created] != 1 || time.Since(start) < 90*time.Second {
			t.Errorf("done after %s with %v", time.Since(start), r.Outcomes)
		}
	})
}

func TestWaitingItemsHoldNoWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := oneVault(40)
		p.World.Add("/source/b", enginetest.Things(40)...)
		slow := p.Pair("b")
		var mu sync.Mutex
		var ended time.Duration
		start := time.Now()
		p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
			if t.Source.Resource.Name == "b" {
				return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.Throttled, RetryAfter: time.Hour}
			}
			mu.Lock()
			ended = max(ended, time.Since(start))
			mu.Unlock()
			return p.Copy(ctx, t)
		}
		apply(t.Context(), t, engine.Options{Workers: 4, PerHost: 4, Retry: retry.Policy{Attempts: 2}}, slow, a)
		if ended > time.Minute {
			t.Errorf("the other vault was done after %s: it waited for a throttled one", ended)
		}
	})
}

func TestChildrenOfAFailedParent(t *testing.T) {
	t.Parallel()
	tree := []plugin.Item{
		{Key: "box", Kind: "thing"},
		{Key: "other", Kind: "thing"},
		{Key: "box/1", Parent: "box", Kind: "thing"},
		{Key: "box/1/1", Parent: "box/1", Kind: "thing"},
		{Key: "other/1", Parent: "other", Kind: "thing"},
	}
	for name, tt := range map[string]struct {
		failures, created int
		kind              errs.Kind
	}{
		"that comes in the second round": {failures: 3, created: 5, kind: errs.Unavailable},
		"that never comes":               {failures: 99, created: 2, kind: errs.Unavailable},
		"that is refused":                {failures: 99, created: 2, kind: errs.PermissionDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, a := oneVault(0)
				p.World.Add("/source/a", tree...)
				c := failFirst(p, tt.failures, &errs.Error{Op: "write", Kind: tt.kind}, func(k plugin.Key) bool { return k == "box" })
				r := apply(t.Context(), t, engine.Options{}, a)
				if r.Outcomes[plugin.Created] != int64(tt.created) || r.Outcomes[plugin.Failed] != int64(5-tt.created) {
					t.Errorf("outcomes = %v", r.Outcomes)
				}
				if tt.created == 2 && (c.tries["box/1"] != 0 || !strings.Contains(fmt.Sprint(r.Failures), "its parent box could not")) {
					t.Errorf("tries = %v, failures = %v", c.tries, r.Failures)
				}
			})
		})
	}
}

func TestCheckpointReachesTheNextAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := oneVault(1)
		var got []string
		p.OnReplicate = func(ctx context.Context, task plugin.Task) (plugin.Outcome, error) {
			got = append(got, string(task.Checkpoint))
			b := fmt.Appendf(nil, "block %d", len(got))
			if err := task.Save(b); err != nil {
				t.Error(err)
			}
			copy(b, "xxxxx")
			if len(got) < 5 {
				return plugin.Outcome{}, &errs.Error{Op: "write", Kind: errs.Unavailable}
			}
			return p.Copy(ctx, task)
		}
		r := apply(t.Context(), t, engine.Options{Retry: retry.Policy{Attempts: 4}}, a)
		want := "[ block 1 block 2 block 3 block 4]"
		if fmt.Sprint(got) != want || r.Outcomes[plugin.Created] != 1 {
			t.Errorf("checkpoints = %v, want %v", got, want)
		}
	})
}

func TestItemTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := oneVault(3)
		p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
			if first(t.Item.Key) {
				<-ctx.Done()
				return plugin.Outcome{}, ctx.Err()
			}
			return p.Copy(ctx, t)
		}
		r := apply(t.Context(), t, engine.Options{ItemTimeout: time.Minute, Retry: retry.Policy{Attempts: 1}}, a)
		if r.Outcomes[plugin.Created] != 2 || r.Outcomes[plugin.Failed] != 1 || r.Failures[0].Code != "ItemTimeout" {
			t.Errorf("outcomes = %v, failures = %+v", r.Outcomes, r.Failures)
		}
		if !strings.Contains(r.Failures[0].Message, "1m0s") {
			t.Error("the message must name the time:", r.Failures[0].Message)
		}
	})
}

func TestAnItemThatMovesHasTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := oneVault(1)
		p.OnReplicate = func(ctx context.Context, task plugin.Task) (plugin.Outcome, error) {
			for moved := int64(1); moved < 10; moved++ {
				select {
				case <-ctx.Done():
					return plugin.Outcome{}, ctx.Err()
				case <-time.After(50 * time.Second):
				}
				task.Progress(min(moved, 5)) // then nothing moves any more
			}
			return p.Copy(ctx, task)
		}
		start := time.Now()
		r := apply(t.Context(), t, engine.Options{ItemTimeout: time.Minute, Retry: retry.Policy{Attempts: 1}}, a)
		if took := time.Since(start); r.Failures[0].Code != "ItemTimeout" || took != 2*(5*50+60)*time.Second {
			t.Errorf("after %s: %+v", took, r.Failures)
		}
	})
}

func TestDiscoveryThatBreaksOff(t *testing.T) {
	t.Parallel()
	passing := &errs.Error{Op: "list", Kind: errs.Unavailable}
	for name, tt := range map[string]struct {
		err      error
		places   []string
		items    int64
		complete bool
	}{
		"before the first item, in passing": {passing, []string{"000000001"}, 10, true},
		"in the middle, in passing":         {passing, []string{"000000004", "000000008"}, 10, true},
		"in the middle, for good":           {&errs.Error{Op: "list", Kind: errs.PermissionDenied, Hint: "grant"}, []string{"000000004"}, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, a := oneVault(10)
				failing(p, tt.err, tt.places...)
				r, err := local.New().Verify(t.Context(), []engine.Pair{a}, engine.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if r.Fidelity.Items != tt.items || r.Run.Complete != tt.complete || (r.Pairs[0].Error == nil) != tt.complete {
					t.Errorf("items = %d, complete = %t, error = %v", r.Fidelity.Items, r.Run.Complete, r.Pairs[0].Error)
				}
			})
		})
	}
}

func TestDiscoveryWithAGapGoesOn(t *testing.T) {
	t.Parallel()
	p, a := oneVault(6)
	var starts int
	p.OnDiscover = func(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
		starts++
		return func(yield func(plugin.Item, error) bool) {
			for it, err := range p.List(ctx, src, opt) {
				if it.Key == "things/00003" {
					it, err = plugin.Item{}, &errs.Error{Op: "list one page", Kind: errs.Unavailable, Code: "PageLost"}
				}
				if !yield(it, err) {
					return
				}
			}
		}
	}
	var l log
	r := apply(t.Context(), t, engine.Options{Emit: l.sink}, a)
	if r.Outcomes[plugin.Created] != 5 || r.Run.Complete || r.Pairs[0].Error.Code != "PageLost" || starts != 2 {
		t.Errorf("outcomes = %v, pair = %+v, %d listings", r.Outcomes, r.Pairs[0], starts)
	}
	if done := of[event.ResourceDone](&l); errs.Find(done[0].Err) == nil || done[0].Items != 5 {
		t.Errorf("resource done = %+v", done)
	}
}

func TestDiscoveryThatPanicsOrYieldsNonsense(t *testing.T) {
	t.Parallel()
	p, a := oneVault(2)
	p.World.Add("/source/b", enginetest.Things(2)...)
	p.OnDiscover = func(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
		return func(yield func(plugin.Item, error) bool) {
			if !yield(plugin.Item{}, nil) {
				return
			}
			for it, err := range p.List(ctx, src, opt) {
				if !yield(it, err) {
					return
				}
			}
			if src.Resource.Name == "a" {
				panic(errors.New("secret text"))
			}
		}
	}
	r := apply(t.Context(), t, engine.Options{}, a, p.Pair("b"))
	if r.Outcomes[plugin.Created] != 4 || r.Run.Complete {
		t.Errorf("outcomes = %v, complete = %t", r.Outcomes, r.Run.Complete)
	}
	for _, pr := range r.Pairs {
		if pr.Error == nil || pr.Error.Kind != string(errs.Internal) || !strings.Contains(pr.Error.Message, "without a key") {
			t.Errorf("pair error = %+v", pr.Error)
		}
	}
}
