package plugintest

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest/internal/lab"
)

// maxItem is the most that an item may take as JSON: it is a name tag, kept in a journal.
const maxItem = 8 << 10

// discoverChecks look at what a listing holds.
func discoverChecks() []Check {
	return []Check{
		{Name: "Discover/Complete", Claim: "every object of the source is found once, parents first, under a stable key", run: checkComplete},
		{Name: "Discover/Resume", Claim: "a listing that starts again behind any cursor yields exactly what is left", run: checkResume},
		{Name: "Discover/PageFails", Claim: "a page that fails for ever is an error in the stream, never a silent gap", run: checkPageFails},
		{Name: "Discover/TemplateReadsNoValues", Claim: "in template mode no request asks for content", run: checkTemplateReads},
	}
}

func checkComplete(t *trial) {
	b := t.newBench(many)
	objects := b.objects(b.source)
	for _, mode := range t.subject.Plugin.Info().Modes {
		want := t.subject.keys(objects, mode)
		p := b.newPair()
		items := p.items(t.ctx, mode)
		t.sameKeys(string(mode)+" mode", want, keysOf(items))
		t.sameKeys(string(mode)+" mode, listed again", keysOf(items), keysOf(p.items(t.ctx, mode)))
		seen := map[plugin.Key]bool{}
		for _, it := range items {
			if it.Parent != "" && !seen[it.Parent] {
				t.errorf("%s comes before its parent %s", it.Key, it.Parent)
			}
			seen[it.Key] = true
			t.checkItem(it)
		}
	}
	t.checkOnce(b)
}

// checkOnce looks for keys that are yielded twice, which a retried listing hides.
func (t *trial) checkOnce(b *bench) {
	from := b.sourceSide()
	seen := map[plugin.Key]bool{}
	for it, err := range t.subject.Plugin.Discover(t.ctx, from.Endpoint, t.options(t.subject.longMode(), "")) {
		if err == nil && seen[it.Key] {
			t.errorf("%s is yielded twice", it.Key)
		}
		seen[it.Key] = true
	}
}

func (t *trial) options(mode plugin.Mode, after string) plugin.DiscoverOptions {
	if info := t.subject.Plugin.Info(); !info.Supports(mode) {
		mode = info.Modes[0]
	}
	return plugin.DiscoverOptions{Mode: mode, Settings: t.subject.variants()[0].Settings, After: after}
}

func (t *trial) checkItem(it plugin.Item) {
	kinds := t.subject.Plugin.Info().Items
	if !slices.ContainsFunc(kinds, func(k plugin.ItemKind) bool { return k.Name == it.Kind }) {
		t.errorf("%s has kind %q, which Info does not name", it.Key, it.Kind)
	}
	if it.Size < -1 {
		t.errorf("%s has size %d", it.Key, it.Size)
	}
	if it.Digest != "" && t.subject.secretKind(it.Kind) {
		t.errorf("%s has a digest although its content is secret: it could be guessed", it.Key)
	}
	raw, err := json.Marshal(it)
	if err != nil {
		t.errorf("%s cannot be stored: %v", it.Key, err)
		return
	}
	if len(raw) > maxItem {
		t.errorf("%s takes %d bytes as JSON, more than %d", it.Key, len(raw), maxItem)
	}
	var back plugin.Item
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, it) {
		t.errorf("%s is another item after it was stored and read back", it.Key)
	}
}

// sameKeys reports keys that are in one list only. Both are sorted in place.
func (t *trial) sameKeys(what string, want, got []plugin.Key) {
	slices.Sort(want)
	slices.Sort(got)
	for _, k := range want {
		if _, ok := slices.BinarySearch(got, k); !ok {
			t.errorf("%s: %s is not found", what, k)
		}
	}
	for _, k := range got {
		if _, ok := slices.BinarySearch(want, k); !ok {
			t.errorf("%s: %s is yielded but should not be", what, k)
		}
	}
}

func keysOf(items []plugin.Item) []plugin.Key {
	keys := make([]plugin.Key, len(items))
	for i, it := range items {
		keys[i] = it.Key
	}
	return keys
}

// list returns all that one call of Discover yields.
func (t *trial) list(ctx context.Context, src plugin.Endpoint, opt plugin.DiscoverOptions) ([]plugin.Item, []error) {
	var items []plugin.Item
	var failed []error
	for it, err := range t.subject.Plugin.Discover(ctx, src, opt) {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		items = append(items, it)
	}
	return items, failed
}

func checkResume(t *trial) {
	b := t.newBench(many)
	from := b.sourceSide()
	all, failed := t.list(t.ctx, from.Endpoint, t.options(plugin.Replication, ""))
	if len(failed) > 0 || len(all) == 0 {
		t.fatalf("Discover yields %d items and the errors %v", len(all), failed)
	}
	cursors := 0
	for i, it := range all {
		if it.Cursor == "" {
			continue
		}
		cursors++
		rest, failed := t.list(t.ctx, from.Endpoint, t.options(plugin.Replication, it.Cursor))
		if len(failed) > 0 {
			t.errorf("behind %s: %v", it.Key, failed[0])
			continue
		}
		if want, got := keysOf(all[i+1:]), keysOf(rest); !slices.Equal(want, got) {
			t.errorf("behind %s (item %d of %d): %d items are left, the stream yields %d%s", it.Key, i+1, len(all), len(want), len(got), gapIn(want, got))
		}
	}
	if cursors == 0 {
		t.errorf("no item has a cursor: a listing that is cut must start from its front")
	}
	t.logf("%d of %d items have a cursor", cursors, len(all))
}

func gapIn(want, got []plugin.Key) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return "; " + string(want[i]) + " is missing"
		case i >= len(want):
			return "; " + string(got[i]) + " is too much"
		case want[i] != got[i]:
			return "; " + string(got[i]) + " stands where " + string(want[i]) + " should"
		}
	}
	return ""
}

// checkPageFails lets the request at each place of a listing fail for ever, whatever is
// tried again, and looks whether the stream says so.
func checkPageFails(t *trial) {
	b := t.newBench(many)
	want := t.subject.keys(b.objects(b.source), plugin.Replication)
	for place := 1; ; place++ {
		from := b.sourceSide()
		hit := ""
		from.tap.SetRule(func(n int, r *http.Request) lab.Verdict {
			if n == place {
				hit = r.Method + " " + r.URL.String()
			}
			if hit == r.Method+" "+r.URL.String() {
				return lab.Answer(http.StatusInternalServerError, "InternalServerError", 0)
			}
			return lab.Pass()
		})
		items, failed := t.list(t.ctx, from.Endpoint, t.options(plugin.Replication, ""))
		if hit == "" { // the listing needs fewer requests: it was left alone this time
			if len(items) != len(want) {
				t.errorf("undisturbed, %d of %d items are yielded (%v)", len(items), len(want), failed)
			}
			return
		}
		t.checkGap(hit, want, items, failed)
	}
}

func (t *trial) checkGap(hit string, want []plugin.Key, items []plugin.Item, failed []error) {
	got := keysOf(items)
	slices.Sort(got)
	if len(slices.Compact(slices.Clone(got))) != len(got) {
		t.errorf("%s fails: items are yielded twice", hit)
	}
	if len(failed) == 0 && len(got) != len(want) {
		t.errorf("%s fails: %d of %d items are yielded and no error", hit, len(got), len(want))
	}
	for _, err := range failed {
		if kind := errs.KindOf(err); kind != errs.Unavailable {
			t.errorf("%s fails with status 500: the error has kind %q, want %q: %v", hit, kind, errs.Unavailable, err)
		}
	}
}

func checkTemplateReads(t *trial) {
	if !t.subject.Plugin.Info().Supports(plugin.Template) {
		t.skipf("the plugin has no template mode")
	}
	p := t.newBench(few).newPair()
	r := t.plain(plugin.Template)
	p.world.Forget()
	y := p.replicate(t.ctx, r)
	t.didWork(what(r), y)
	for _, it := range y.items {
		p.exercise(t.ctx, it, r, nil)
	}
	for _, req := range p.world.Requests() {
		if t.subject.ReadsValue(req) {
			t.errorf("%s asks for content", show(req))
		}
	}
}
