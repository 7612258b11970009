package plugintest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/azure-tenant-grapher/atg/iac"
	render "github.com/azure-tenant-grapher/atg/internal/iac"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// declareChecks look at generated code and at estimates.
func declareChecks() []Check {
	return []Check{
		{Name: "Declare/Formats", Claim: "what is declared can be written in every format, parses, and has parameters for secrets", run: checkFormats},
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
		p := b.newPair(retries)
		r := run{mode: mode, settings: t.subject.settings()}
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
		p := b.newPair(retries)
		r := run{mode: mode, settings: t.subject.settings()}
		est, _, err := p.estimate(t.ctx, mode)
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
