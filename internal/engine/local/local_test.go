package local_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/enginetest"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// log collects events.
type log struct {
	mu  sync.Mutex
	all []event.Event
}

func (l *log) sink(e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, e)
}

// of returns the events of one type.
func of[T event.Event](l *log) []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []T
	for _, e := range l.all {
		if t, ok := e.(T); ok {
			out = append(out, t)
		}
	}
	return out
}

func apply(ctx context.Context, t testing.TB, opt engine.Options, pairs ...engine.Pair) *engine.Report {
	t.Helper()
	r, err := local.New().Apply(ctx, pairs, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// oneVault returns a plugin and a pair "a" with n things.
func oneVault(n int) (*enginetest.Plugin, engine.Pair) {
	w := enginetest.NewWorld()
	w.Add(enginetest.SourceID("a"), enginetest.Things(n)...)
	p := enginetest.New(w, "fake", "Test/vaults")
	return p, p.Pair("a")
}

func TestApplyCopiesAndVerifiesEveryItem(t *testing.T) {
	t.Parallel()
	p, a := oneVault(1000)
	p.World.Add(enginetest.SourceID("b"), enginetest.Things(10)...)
	var l log
	r := apply(t.Context(), t, engine.Options{Run: "R1", Command: "apply", Emit: l.sink}, a, p.Pair("b"))

	if diff := cmp.Diff(p.World.Objects("/source/a"), p.World.Objects("/target/a")); diff != "" {
		t.Error("target differs from source:", diff)
	}
	want := engine.Count{Items: 1010, Verified: 1010, Percent: 100}
	if r.Fidelity.Count != want || r.Fidelity.ByType["Test/vaults"] != want || r.Fidelity.ByKind["Test/vaults"]["thing"] != want {
		t.Errorf("fidelity = %+v, want %+v everywhere", r.Fidelity, want)
	}
	if r.Outcomes[plugin.Created] != 1010 || len(r.Outcomes) != 1 {
		t.Errorf("outcomes = %v", r.Outcomes)
	}
	if r.Pairs[1].Fidelity.Items != 10 || r.Pairs[1].Outcomes[plugin.Created] != 10 || r.Pairs[1].Bytes == 0 {
		t.Errorf("pair b = %+v", r.Pairs[1])
	}
	if !r.Run.Complete || r.Run.Canceled || r.Run.SourceTenant != "source-tenant" || r.Run.TargetTenant != "target-tenant" {
		t.Errorf("run = %+v", r.Run)
	}
	if n := len(of[event.ItemDone](&l)); n != 1010 {
		t.Errorf("%d items done, want 1010", n)
	}
	if n := len(of[event.ItemStarted](&l)); n != 1010 {
		t.Errorf("%d items started, want 1010", n)
	}
	if n := len(of[event.ItemVerified](&l)); n != 1010 {
		t.Errorf("%d items verified, want 1010", n)
	}
	for _, d := range of[event.ResourceDone](&l) {
		if d.Err != nil || d.Items == 0 {
			t.Errorf("resource done = %+v", d)
		}
	}
	if n := len(of[event.ResourceStarted](&l)); n != 4 {
		t.Errorf("%d resources started, want 2 in each of 2 phases", n)
	}
	phases := of[event.PhaseStarted](&l)
	if diff := cmp.Diff([]event.PhaseStarted{{Phase: event.Applying}, {Phase: event.Verifying}}, phases); diff != "" {
		t.Error(diff)
	}
	if len(of[event.RunStarted](&l)) != 1 || len(of[event.RunFinished](&l)) != 1 {
		t.Error("the run must be opened and closed once")
	}
}

func TestSecondApplyWritesNothing(t *testing.T) {
	t.Parallel()
	p, a := oneVault(50)
	apply(t.Context(), t, engine.Options{}, a)
	var l log
	r := apply(t.Context(), t, engine.Options{Part: true, Emit: l.sink}, a)
	if r.Outcomes[plugin.Unchanged] != 50 || p.World.Writes("/target/a", "things/00001") != 1 {
		t.Errorf("outcomes = %v, writes = %d", r.Outcomes, p.World.Writes("/target/a", "things/00001"))
	}
	if len(of[event.RunStarted](&l))+len(of[event.RunFinished](&l)) != 0 {
		t.Error("a part of a run must not open or close it")
	}
}

func TestPlanComparesAndWritesNothing(t *testing.T) {
	t.Parallel()
	p, a := oneVault(10)
	p.World.Set("/target/a", "things/00001", "content of things/00001")
	p.World.Set("/target/a", "things/00002", "another")
	before := p.World.Objects("/target/a")
	var l log
	r, err := local.New().Plan(t.Context(), []engine.Pair{a}, engine.Options{Emit: l.sink})
	if err != nil {
		t.Fatal(err)
	}
	want := map[plugin.State]int64{plugin.Missing: 8, plugin.Same: 1, plugin.Different: 1}
	if diff := cmp.Diff(want, r.Plan); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, p.World.Objects("/target/a")); diff != "" {
		t.Error("plan wrote:", diff)
	}
	if len(r.Different) != 1 || r.Different[0].Reason != "content" || r.Different[0].Examples[0] != "a things/00002" {
		t.Errorf("different = %+v", r.Different)
	}
	if len(r.Missing) != 0 || r.Fidelity.Count != (engine.Count{Items: 10, Verified: 1, Percent: 10}) {
		t.Errorf("missing = %v, fidelity = %+v", r.Missing, r.Fidelity.Count)
	}
	if n := len(of[event.ItemPlanned](&l)); n != 10 {
		t.Errorf("%d items planned", n)
	}
}

// bare is a plugin without any optional interface.
type bare struct{ plugin.Plugin }

func TestWithoutComparerNothingIsCalledEqual(t *testing.T) {
	t.Parallel()
	p, a := oneVault(3)
	a.Plugin = bare{p}
	r, err := local.New().Plan(t.Context(), []engine.Pair{a}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan[plugin.Cannot] != 3 || !strings.Contains(r.Skipped[0].Reason, "missing or the same is unknown") {
		t.Errorf("plan = %v, skipped = %+v", r.Plan, r.Skipped)
	}
	r = apply(t.Context(), t, engine.Options{}, a)
	if r.Outcomes[plugin.Created] != 3 || r.Fidelity.Verified != 0 || r.Fidelity.Items != 3 {
		t.Errorf("outcomes = %v, fidelity = %+v", r.Outcomes, r.Fidelity.Count)
	}
}

func TestTypesGoInTheOrderOfAfter(t *testing.T) {
	t.Parallel()
	w := enginetest.NewWorld()
	var pairs []engine.Pair
	var open, maxOpen [3]atomic.Int64
	var wrong atomic.Int64
	for i, after := range [][]string{{"test/second"}, {"Test/First"}, nil} {
		typ := []string{"Test/Third", "Test/Second", "Test/First"}[i]
		p := enginetest.New(w, typ, typ, after...)
		rank := 2 - i
		p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
			n := open[rank].Add(1)
			maxOpen[rank].Store(max(n, maxOpen[rank].Load()))
			for other := range open {
				if other != rank && open[other].Load() != 0 {
					wrong.Add(1)
				}
			}
			defer open[rank].Add(-1)
			time.Sleep(time.Millisecond)
			return p.Copy(ctx, t)
		}
		for j := range 3 {
			name := fmt.Sprintf("%s-%d", typ, j)
			w.Add(enginetest.SourceID(name), enginetest.Things(20)...)
			pairs = append(pairs, p.Pair(name))
		}
	}
	synctest.Test(t, func(t *testing.T) {
		r := apply(t.Context(), t, engine.Options{PerHost: 4}, pairs...)
		if r.Fidelity.Percent != 100 || r.Fidelity.Items != 180 {
			t.Errorf("fidelity = %+v", r.Fidelity.Count)
		}
	})
	if wrong.Load() != 0 {
		t.Errorf("%d items of different ranks were at work at once", wrong.Load())
	}
	if maxOpen[0].Load() <= 4 {
		t.Errorf("at most %d items of one type at work: its pairs do not run side by side", maxOpen[0].Load())
	}
}

func TestCycleIsRefused(t *testing.T) {
	t.Parallel()
	w := enginetest.NewWorld()
	a, b := enginetest.New(w, "a", "T/a", "T/b"), enginetest.New(w, "b", "T/b", "T/a")
	_, err := local.New().Apply(t.Context(), []engine.Pair{a.Pair("x"), b.Pair("y")}, engine.Options{})
	if errs.KindOf(err) != errs.Invalid {
		t.Errorf("err = %v, want Invalid", err)
	}
}

func TestParentsComeBeforeChildren(t *testing.T) {
	t.Parallel()
	p, a := oneVault(0)
	rnd := rand.New(rand.NewPCG(1, 2))
	var items []plugin.Item
	for i := range 2000 {
		it := plugin.Item{Key: plugin.Key(fmt.Sprint("k", i)), Kind: "thing"}
		if i > 0 && rnd.IntN(10) > 0 {
			it.Parent = items[rnd.IntN(len(items))].Key
		}
		items = append(items, it)
	}
	p.World.Add("/source/a", items...)
	var early atomic.Int64
	p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
		if _, there := p.World.Get("/target/a", t.Item.Parent); !there && t.Item.Parent != "" {
			early.Add(1)
		}
		time.Sleep(time.Duration(len(t.Item.Key)%3) * time.Millisecond)
		return p.Copy(ctx, t)
	}
	synctest.Test(t, func(t *testing.T) {
		r := apply(t.Context(), t, engine.Options{}, a)
		if r.Outcomes[plugin.Created] != 2000 {
			t.Errorf("outcomes = %v", r.Outcomes)
		}
	})
	if early.Load() != 0 {
		t.Errorf("%d children started before their parents were done", early.Load())
	}
}

func TestOneFailureNeverStopsAnother(t *testing.T) {
	t.Parallel()
	p, a := oneVault(300)
	p.World.Add("/source/b", enginetest.Things(300)...)
	denied := &errs.Error{Op: "write", Kind: errs.PermissionDenied, Code: "ForbiddenByRbac", Action: "x/write", Hint: "grant it", RequestID: "r-1", Side: "target"}
	p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
		if t.Source.Resource.Name == "a" {
			return plugin.Outcome{}, denied
		}
		return p.Copy(ctx, t)
	}
	var l log
	r := apply(t.Context(), t, engine.Options{Emit: l.sink}, a, p.Pair("b"))
	if r.Outcomes[plugin.Failed] != 300 || r.Outcomes[plugin.Created] != 300 || r.FailTotal != 300 || len(r.Failures) != 100 {
		t.Errorf("outcomes = %v, failures %d of %d", r.Outcomes, len(r.Failures), r.FailTotal)
	}
	if r.Missing[0].Count != 300 || len(r.Missing[0].Examples) != 5 {
		t.Errorf("missing = %+v", r.Missing)
	}
	want := engine.Problem{
		Kind: "permission-denied", Message: denied.Error(), Side: "target",
		Code: "ForbiddenByRbac", RequestID: "r-1", Action: "x/write", Hint: "grant it",
	}
	if diff := cmp.Diff(want, r.Failures[0].Problem); diff != "" || r.Failures[0].Phase != "apply" {
		t.Error(diff, r.Failures[0].Phase)
	}
	if n := len(of[event.Retrying](&l)); n != 0 {
		t.Errorf("%d retries of an error that cannot pass", n)
	}
}

func TestPanicsFailTheItemAlone(t *testing.T) {
	t.Parallel()
	p, a := oneVault(3)
	p.OnReplicate = func(ctx context.Context, t plugin.Task) (plugin.Outcome, error) {
		switch t.Item.Key {
		case "things/00001":
			panic("hunter2")
		case "things/00002":
			var none []int
			_ = none[len(t.Item.Kind)]
		}
		return p.Copy(ctx, t)
	}
	p.OnCompare = func(ctx context.Context, t plugin.Task) (plugin.Comparison, error) {
		if t.Item.Key == "things/00002" {
			panic(errors.New("hunter2"))
		}
		return p.Look(ctx, t)
	}
	r := apply(t.Context(), t, engine.Options{}, a)
	if r.Outcomes[plugin.Failed] != 2 || r.Outcomes[plugin.Created] != 1 || r.FailTotal != 3 {
		t.Fatalf("outcomes = %v, failures = %d", r.Outcomes, r.FailTotal)
	}
	all := fmt.Sprint(r.Failures)
	for _, want := range []string{"internal", "panic of type string at ", "index out of range", "local_test.go", "verify"} {
		if want == "local_test.go" {
			want = "local_test.TestPanicsFailTheItemAlone"
		}
		if !strings.Contains(all, want) {
			t.Errorf("failures lack %q: %s", want, all)
		}
	}
	if strings.Contains(all, "hunter2") {
		t.Error("the panic's text must not be shown: ", all)
	}
}

func TestInvalidAnswersOfAPluginFailTheItem(t *testing.T) {
	t.Parallel()
	p, a := oneVault(4)
	p.OnReplicate = func(_ context.Context, t plugin.Task) (plugin.Outcome, error) {
		status := map[plugin.Key]plugin.Status{
			"things/00001": "", "things/00002": plugin.Failed, "things/00003": "made", "things/00004": plugin.Skipped,
		}[t.Item.Key]
		return plugin.Outcome{Status: status}, nil
	}
	p.OnCompare = func(_ context.Context, t plugin.Task) (plugin.Comparison, error) {
		return plugin.Comparison{State: map[bool]plugin.State{true: plugin.Cannot, false: "alike"}[t.Item.Key == "things/00001"]}, nil
	}
	r := apply(t.Context(), t, engine.Options{}, a)
	if r.Outcomes[plugin.Failed] != 4 || r.FailTotal != 8 {
		t.Errorf("outcomes = %v, failures = %+v", r.Outcomes, r.Failures)
	}
}

func TestPairsThatMustNotRun(t *testing.T) {
	t.Parallel()
	p, a := oneVault(1)
	self, chain, orphan := a, p.Pair("b"), a
	self.Target = self.Source
	self.Target.Resource.ID = strings.ToUpper(self.Target.Resource.ID)
	chain.Source = a.Target
	orphan.Plugin = nil
	for name, tt := range map[string]struct {
		pairs []engine.Pair
		mode  plugin.Mode
	}{
		"the target is the source":         {pairs: []engine.Pair{self}},
		"the target is a source elsewhere": {pairs: []engine.Pair{a, chain}},
		"no plugin":                        {pairs: []engine.Pair{orphan}},
		"no such mode":                     {pairs: []engine.Pair{a}, mode: "all"},
	} {
		_, err := local.New().Apply(t.Context(), tt.pairs, engine.Options{Mode: tt.mode})
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: err = %v, want Invalid", name, err)
		}
	}
	if n := len(p.World.Objects("/target/a")); n != 0 {
		t.Errorf("%d objects written", n)
	}
}

func TestUnsupportedModeSkipsTheResource(t *testing.T) {
	t.Parallel()
	p, a := oneVault(5)
	p.About.Modes = []plugin.Mode{plugin.Template}
	var l log
	r := apply(t.Context(), t, engine.Options{Mode: plugin.Replication, Emit: l.sink, Unpaired: []engine.Unpaired{
		{ID: "/source/z", Type: "Test/vaults", Reason: "no target of that name"},
	}}, a)
	if r.Pairs[0].Skipped != "fake does not support replication mode" || r.Run.Complete || len(p.World.Objects("/target/a")) != 0 {
		t.Errorf("pair = %+v, run = %+v", r.Pairs[0], r.Run)
	}
	if e := of[event.ResourceSkipped](&l); len(e) != 2 || e[0].Reason != r.Pairs[0].Skipped {
		t.Errorf("events = %+v", e)
	}
	if len(r.Unpaired) != 1 || r.Resources != (engine.Resources{Source: 2, Paired: 1, Percent: 50}) {
		t.Errorf("unpaired = %v, resources = %+v", r.Unpaired, r.Resources)
	}
}

func TestNoPairsIsAnEmptyReport(t *testing.T) {
	t.Parallel()
	r := apply(t.Context(), t, engine.Options{})
	if r.Fidelity.Percent != 100 || len(r.Pairs) != 0 || !r.Run.Complete || r.Schema != engine.ReportSchema {
		t.Errorf("report = %+v", r)
	}
}

// failing yields the items of p with an error before each of the places given.
func failing(p *enginetest.Plugin, err error, places ...string) {
	left := map[string]bool{}
	for _, c := range places {
		left[c] = true
	}
	p.OnDiscover = func(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
		return func(yield func(plugin.Item, error) bool) {
			for it, e := range p.List(ctx, src, opt) {
				if left[it.Cursor] {
					delete(left, it.Cursor)
					yield(plugin.Item{}, err)
					return
				}
				if !yield(it, e) {
					return
				}
			}
		}
	}
}
