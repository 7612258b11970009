package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/azure-tenant-grapher/atg/iac"
	render "github.com/azure-tenant-grapher/atg/internal/iac"
	"github.com/azure-tenant-grapher/atg/internal/iac/azurerm"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// compareChecks look at Comparer, which plan, verify and resume rely upon.
func compareChecks() []Check {
	return []Check{
		{Name: "Compare/States", Claim: "what is copied is missing before a run and the same after it, and equal content is proven", run: checkStates},
		{Name: "Compare/Drift", Claim: "an object that differs at the target, and no other, is reported", run: checkDrift},
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
		p := b.newPair()
		r := t.plain(mode)
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

// checkDrift compares with targets of which each holds one object that is not a copy.
func checkDrift(t *trial) {
	c := t.comparer()
	b := t.newBench(few)
	r := t.plain(t.fullMode())
	clean := b.newPair()
	items := clean.items(t.ctx, r.mode)
	clean.replicateItems(t.ctx, items, r)
	want := clean.compare(t.ctx, c, items, r)
	same := map[plugin.Key]bool{}
	for k, cmp := range want {
		same[k] = cmp.State == plugin.Same
	}
	for _, ch := range t.changeable(b.objects(b.source), same) {
		p := b.newPair()
		t.must(b.world.Seed(p.to.Resource.ID, ch.data), "seed the target with another "+ch.object.Key)
		others := slices.DeleteFunc(slices.Clone(items), func(it plugin.Item) bool { return it.Key == ch.item })
		p.replicateItems(t.ctx, others, r)
		got := p.compare(t.ctx, c, items, r)
		for _, k := range sorted(got) {
			switch state := got[k].State; {
			case k == ch.item && state != plugin.Different:
				t.errorf("%s differs at the target and is reported %q", k, state)
			case k != ch.item && state != want[k].State:
				t.errorf("%s is %q, and %q where %s differs", k, want[k].State, state, ch.item)
			}
		}
	}
}

func checkCompareReads(t *trial) {
	c := t.comparer()
	b := t.newBench(few)
	t.eachMode(func(mode plugin.Mode) {
		p := b.newPair()
		r := t.plain(mode)
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

// declareChecks look at generated code and at estimates.
func declareChecks() []Check {
	return []Check{
		{Name: "Declare/Formats", Claim: "what is declared can be written in every format, parses, is what the azurerm provider takes, and has parameters for secrets", run: checkFormats},
		{Name: "Estimate", Claim: "the items foretold are those that come, and template mode foretells no content", run: checkEstimate},
	}
}

func checkFormats(t *trial) {
	d, ok := t.subject.Plugin.(plugin.Declarer)
	if !ok {
		t.skipf("the plugin has no Declare")
	}
	b := t.newBench(few)
	secrets := b.itemsWithSecrets()
	t.eachMode(func(mode plugin.Mode) {
		p := b.newPair()
		r := t.plain(mode)
		var all []iac.Block
		for _, it := range p.items(t.ctx, mode) {
			blocks, err := d.Declare(t.ctx, p.task(it, r))
			if err != nil {
				t.errorf("%s: Declare %s: %v", what(r), it.Key, err)
				continue
			}
			if secrets[it.Key] && declares(blocks) && !slices.ContainsFunc(blocks, hasSensitive) {
				t.errorf("%s: %s holds a secret, and its code has no sensitive parameter for it", what(r), it.Key)
			}
			t.checkCode(what(r)+": "+string(it.Key), blocks)
			all = append(all, blocks...)
		}
		if len(all) == 0 {
			t.errorf("%s: no item declares anything", what(r))
		}
		t.checkCode(what(r)+": all items in one file", all)
	})
}

// itemsWithSecrets returns the items whose objects hold the canary.
func (b *bench) itemsWithSecrets() map[plugin.Key]bool {
	out := map[plugin.Key]bool{}
	for _, o := range b.objects(b.source) {
		for _, v := range o.Fields {
			if strings.Contains(v, b.canary) {
				out[b.subject.key(o)] = true
			}
		}
	}
	return out
}

// declares tells whether some language has a type for some of the blocks.
func declares(blocks []iac.Block) bool {
	return slices.ContainsFunc(blocks, func(b iac.Block) bool { return b.TF != nil || b.ARM != nil })
}

func hasSensitive(b iac.Block) bool {
	return slices.ContainsFunc(b.Params, func(p iac.Param) bool { return p.Sensitive })
}

func (t *trial) checkCode(what string, blocks []iac.Block) {
	for _, f := range iac.Formats() {
		var buf bytes.Buffer
		if err := render.Render(&buf, f, blocks, render.Options{Imports: true}); err != nil {
			t.errorf("%s: %s cannot be written: %v", what, f, err)
			continue
		}
		switch f {
		case iac.Terraform:
			if _, diags := hclsyntax.ParseConfig(buf.Bytes(), "main.tf", hcl.InitialPos); diags.HasErrors() {
				t.errorf("%s: the Terraform does not parse: %v", what, diags)
			} else if bytes.Contains(buf.Bytes(), []byte(`resource "azurerm_`)) { // of other providers there is no schema
				for _, err := range azurerm.Check(map[string][]byte{"main.tf": buf.Bytes()}) {
					t.errorf("%s: %s does not take the Terraform: %v", what, azurerm.Provider(), err)
				}
			}
		case iac.ARM:
			var doc struct{ Resources []json.RawMessage }
			if err := json.Unmarshal(buf.Bytes(), &doc); err != nil {
				t.errorf("%s: the ARM template does not parse: %v", what, err)
			}
		case iac.Bicep: // there is no parser of Bicep in Go; the renderer's own tests look at its text
		}
	}
}

// renderAll returns blocks in every format in which they can be written.
func renderAll(blocks []iac.Block) []string {
	var out []string
	for _, f := range iac.Formats() {
		var buf bytes.Buffer
		if err := render.Render(&buf, f, blocks, render.Options{Imports: true}); err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, buf.String())
	}
	return out
}

func checkEstimate(t *trial) {
	if _, ok := t.subject.Plugin.(plugin.Estimator); !ok {
		t.skipf("the plugin has no Estimate")
	}
	b := t.newBench(many)
	t.eachMode(func(mode plugin.Mode) {
		p := b.newPair()
		r := t.plain(mode)
		est, err := p.estimate(t.ctx, mode)
		if err != nil {
			t.errorf("%s: Estimate: %v", what(r), err)
			return
		}
		if mode == plugin.Template && est.Bytes != 0 {
			t.errorf("%s: %d bytes are foretold, want 0", what(r), est.Bytes)
		}
		y := p.replicate(t.ctx, r)
		t.within(what(r)+": items", est.Items, int64(len(y.items)), est.Exact)
		moved := int64(0)
		for _, o := range y.outcomes {
			moved += o.Bytes
		}
		if mode != plugin.Template && est.Bytes > 0 {
			t.within(what(r)+": bytes", est.Bytes, moved, false)
		}
		if est.Items > 0 && est.Duration <= 0 {
			t.errorf("%s: no duration is foretold for %d items", what(r), est.Items)
		}
	})
}

// within reports an estimate that is off by more than a factor of two, or at all if it
// claims to be exact.
func (t *trial) within(what string, foretold, came int64, exact bool) {
	if exact && foretold != came {
		t.errorf("%s: exactly %d are foretold, %d came", what, foretold, came)
	}
	if foretold*2 < came || foretold > came*2 {
		t.errorf("%s: %d are foretold, %d came", what, foretold, came)
	}
}
