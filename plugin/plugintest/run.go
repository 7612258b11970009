package plugintest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/retry"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// run says how to replicate everything of a pair.
type run struct {
	mode      plugin.Mode
	variant   Variant
	overwrite bool
	batches   bool // items alike go by ReplicateBatch, one call after the other
	workers   int  // items at work at once; 0: 1
	attempts  int  // for an item or a listing that fails in a passing way; 0: 1
	marks     *marks
}

// policy is the item-level retry; its waits are not waited for.
func (r run) policy() retry.Policy {
	return retry.Policy{Attempts: max(r.attempts, 1), Base: time.Millisecond, Max: time.Millisecond}
}

// marks are the checkpoints of items. They outlive a run that crashed.
type marks struct {
	mu    sync.Mutex // guards what follows
	saved map[plugin.Key][]byte
	after func(plugin.Key) // told of each checkpoint once it is kept; may be nil
}

func (m *marks) load(k plugin.Key) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saved[k]
}

func (m *marks) save(k plugin.Key, b []byte) {
	m.mu.Lock()
	if m.saved == nil {
		m.saved = map[plugin.Key][]byte{}
	}
	m.saved[k] = slices.Clone(b)
	m.mu.Unlock()
	if m.after != nil {
		m.after(k)
	}
}

// tally is what a run came to.
type tally struct {
	mu       sync.Mutex // guards what follows
	items    []plugin.Item
	outcomes map[plugin.Key]plugin.Outcome
	failed   map[plugin.Key]error
	listing  []error // what Discover yielded at last
	together int     // items that a batch dealt with
}

func (y *tally) put(k plugin.Key, out plugin.Outcome, err error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if err != nil {
		y.failed[k] = err
		return
	}
	y.outcomes[k] = out
}

func (y *tally) errOf(k plugin.Key) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.failed[k]
}

// discover lists the source. A listing that fails in a passing way goes on behind the
// last cursor, or starts again where there is none.
func (p *pair) discover(ctx context.Context, r run) ([]plugin.Item, []error) {
	var items []plugin.Item
	seen, cursor := map[plugin.Key]bool{}, ""
	for attempt := 1; ; attempt++ {
		var failed []error
		opt := plugin.DiscoverOptions{Mode: r.mode, Settings: r.variant.Settings, After: cursor, Target: &p.to.Endpoint}
		for it, err := range p.subject.Plugin.Discover(ctx, p.from.Endpoint, opt) {
			if err != nil {
				failed = append(failed, err)
				continue
			}
			if !seen[it.Key] {
				seen[it.Key] = true
				items = append(items, it)
			}
			if it.Cursor != "" && len(failed) == 0 {
				cursor = it.Cursor
			}
		}
		if _, again := r.policy().Next(attempt, errors.Join(failed...)); !again || len(failed) == 0 {
			return items, failed
		}
	}
}

// replicate runs everything: it lists the source and replicates each item after its
// parent.
func (p *pair) replicate(ctx context.Context, r run) *tally {
	items, failed := p.discover(ctx, r)
	y := p.replicateItems(ctx, items, r)
	y.listing = failed
	return y
}

func (p *pair) replicateItems(ctx context.Context, items []plugin.Item, r run) *tally {
	y := &tally{items: items, outcomes: map[plugin.Key]plugin.Outcome{}, failed: map[plugin.Key]error{}}
	if r.batches {
		p.replicateGroups(ctx, items, r, y)
		return y
	}
	done := map[plugin.Key]chan struct{}{}
	slots := make(chan struct{}, max(r.workers, 1))
	var wg sync.WaitGroup
	for _, it := range items {
		parent, mine := done[it.Parent], make(chan struct{})
		done[it.Key] = mine
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { close(mine); <-slots }()
			if parent != nil {
				<-parent // it was started before, so it holds a slot and ends
			}
			if err := y.errOf(it.Parent); err != nil {
				y.put(it.Key, plugin.Outcome{}, parentFailed(it, err))
				return
			}
			out, err := p.replicateItem(ctx, it, r)
			y.put(it.Key, out, err)
		})
	}
	wg.Wait()
	return y
}

func parentFailed(it plugin.Item, err error) error {
	return &errs.Error{Op: "replicate the parent", Item: string(it.Parent), Err: err}
}

// attempt returns the task for one attempt at an item, with its last checkpoint.
func (p *pair) attempt(ctx context.Context, it plugin.Item, r run) plugin.Task {
	task := p.task(it, r)
	if r.marks != nil {
		task.Save = func(b []byte) error { r.marks.save(it.Key, b); return ctx.Err() }
		task.Checkpoint = r.marks.load(it.Key)
	}
	return task
}

// replicateItem replicates one item, and again if it fails in a passing way.
func (p *pair) replicateItem(ctx context.Context, it plugin.Item, r run) (plugin.Outcome, error) {
	for attempt := 1; ; attempt++ {
		out, err := p.subject.Plugin.Replicate(ctx, p.attempt(ctx, it, r))
		if err == nil {
			return out, nil
		}
		if _, again := r.policy().Next(attempt, err); !again || ctx.Err() != nil {
			return out, err
		}
	}
}

// site returns a finished run as the emulator knows it.
func (p *pair) site(r run, y *tally) Site {
	return Site{
		Mode: r.mode, Settings: r.variant.Settings, Overwrite: r.overwrite, Outcomes: maps.Clone(y.outcomes),
		Source: p.objects(p.from.Resource), Before: p.before, Target: p.objects(p.to.Resource),
	}
}

// judge reports what is wrong with a finished run and was not wrong with an undisturbed
// one: Replicate/Template and Replicate/Full report that, and one defect should not fail
// every check. what names the run in messages.
func (p *pair) judge(what string, r run, y *tally) {
	known := p.baseline(r)
	for _, problem := range p.problems(r, y) {
		if !slices.Contains(known, problem) {
			p.errorf("%s: %s", what, problem)
		}
	}
}

// problems says what is wrong with a finished run: errors, outcomes that say nothing, and
// a target that is not as the Subject expects it.
func (p *pair) problems(r run, y *tally) []string {
	var out []string
	for _, err := range y.listing {
		out = append(out, fmt.Sprintf("Discover: %v", err))
	}
	for _, k := range sorted(y.failed) {
		out = append(out, fmt.Sprintf("Replicate %s: %v", k, y.failed[k]))
	}
	for _, k := range sorted(y.outcomes) {
		if problem := outcomeProblem(y.outcomes[k]); problem != "" {
			out = append(out, fmt.Sprintf("Replicate %s: %s", k, problem))
		}
	}
	if len(y.failed) == 0 && len(y.listing) == 0 {
		out = append(out, p.subject.Expect(p.site(r, y))...)
	}
	return out
}

// baseline returns the problems of an undisturbed run onto a new target. It works once for
// each mode and variant.
func (b *bench) baseline(r run) []string {
	clean := run{mode: r.mode, variant: r.variant}
	key := what(clean)
	if known, ok := b.known[key]; ok {
		return known
	}
	p := b.pairWith(r.variant, nil, nil, retries)
	if b.known == nil {
		b.known = map[string][]string{}
	}
	b.known[key] = p.problems(clean, p.replicate(b.ctx, clean))
	return b.known[key]
}

func outcomeProblem(o plugin.Outcome) string {
	switch o.Status {
	case plugin.Created, plugin.Updated, plugin.Unchanged:
	case plugin.Skipped:
		if o.Reason == "" {
			return "skipped without a reason"
		}
	case plugin.Failed:
		return "an outcome must not be failed: return the error"
	default:
		return "status " + string(o.Status) + " is not one of the contract's"
	}
	if o.Bytes < 0 {
		return "a negative number of bytes"
	}
	return ""
}

// exercise calls what a plugin offers for one item beside Replicate, and tells observe
// (which may be nil) of every result. It returns the errors.
func (p *pair) exercise(ctx context.Context, it plugin.Item, r run, observe func(what string, v any)) []error {
	if observe == nil {
		observe = func(string, any) {}
	}
	var failed []error
	note := func(what string, v any, err error) {
		if err != nil {
			failed = append(failed, err)
			observe("an error of "+what, err)
			return
		}
		observe(what, v)
	}
	if c, ok := p.subject.Plugin.(plugin.Comparer); ok {
		cmp, err := c.Compare(ctx, p.task(it, r))
		note("Compare", cmp, err)
	}
	if d, ok := p.subject.Plugin.(plugin.Declarer); ok {
		blocks, err := d.Declare(ctx, p.task(it, r))
		note("Declare", blocks, err)
	}
	return failed
}

// estimate calls Estimate. It returns nothing if the plugin has none.
func (p *pair) estimate(ctx context.Context, mode plugin.Mode) (plugin.Estimate, error) {
	e, ok := p.subject.Plugin.(plugin.Estimator)
	if !ok {
		return plugin.Estimate{}, nil
	}
	return e.Estimate(ctx, p.from.Endpoint, mode)
}
