package view

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// toy is a plugin that has something to say about everything.
type toy struct{}

func (toy) Info() plugin.Info {
	return plugin.Info{
		Name: "toy", Title: "Toy Box", Version: "1.2.3", Contract: plugin.ContractVersion,
		Type: "Microsoft.Toy/boxes", Kinds: []string{"wooden", "plastic"}, Modes: plugin.Modes(),
		Items: []plugin.ItemKind{{Name: "toy"}, {Name: "label"}}, After: []string{"Microsoft.Toy/shelves"},
		Settings: []plugin.Setting{
			{Name: "broken", Default: "report", Values: []string{"report", "mend"}, Help: "What to do with broken toys, of which there are always more than anybody thinks before the move."},
			{Name: "prefix", Help: "Put before each label."},
		},
		Cannot: []string{"Sand stays in the sandbox."},
	}
}

func (toy) Permissions(m plugin.Mode) []plugin.Permission {
	out := []plugin.Permission{{Side: plugin.Source, Actions: []string{"Microsoft.Toy/boxes/read"}, Reason: "find the boxes"}}
	if m == plugin.Replication {
		out = append(out, plugin.Permission{Side: plugin.Target, DataActions: []string{"Microsoft.Toy/boxes/toys/write"}, Reason: "put toys in"})
	}
	return out
}

func (toy) Discover(context.Context, plugin.Endpoint, plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(func(plugin.Item, error) bool) {}
}

func (toy) Replicate(context.Context, plugin.Task) (plugin.Outcome, error) {
	return plugin.Outcome{Status: plugin.Created}, nil
}

func (toy) Compare(context.Context, plugin.Task) (plugin.Comparison, error) {
	return plugin.Comparison{State: plugin.Same, Proven: true}, nil
}

func TestPluginScreens(t *testing.T) {
	t.Parallel()
	info := PluginOf(toy{})
	golden(t, "plugin.list.golden", render(t, func(b *strings.Builder) error { return PluginList(b, []PluginInfo{info}, Style{Width: 80}) }))
	golden(t, "plugin.show.golden", render(t, func(b *strings.Builder) error { return PluginShow(b, info, Style{Width: 80}) }))
	golden(t, "plugin.json.golden", render(t, func(b *strings.Builder) error { return JSON(b, info) }))
}

func TestChecks(t *testing.T) {
	t.Parallel()
	got := render(t, func(b *strings.Builder) error {
		c := NewChecks(b, "conformance of toy 1.2.3", Style{Width: 80})
		for _, k := range []Check{
			{Name: "Subject", Status: "passed", Claim: "it is complete"},
			{Name: "Discover/Complete", Status: "passed", Duration: 3 * time.Millisecond},
			{Name: "Discover/Resume", Status: "failed", Claim: "discovery goes on from every cursor without a gap", Duration: 1200 * time.Millisecond, Messages: []string{"from cursor 3 the item toys/a is missing", "from cursor 4 the item toys/a is missing"}},
			{Name: "Replicate/Batch", Status: "skipped", Messages: []string{"it has no batches"}},
			{Name: "Replicate/Reads", Status: "waived", Messages: []string{"the list call returns values"}},
		} {
			c.Done(k)
		}
		return c.Close()
	})
	golden(t, "checks.golden", got)
}

func TestEmulatorReady(t *testing.T) {
	t.Parallel()
	e := Emulator{
		Type: "ready", Proxy: "http://127.0.0.1:4711", CAFile: "/tmp/x/ca.pem", EnvFile: "/tmp/x/atg.env",
		Tenants: []EmulatedTenant{
			{Name: "contoso", ID: "c0", EnvFile: "/tmp/x/contoso.env", Env: []string{"HTTPS_PROXY=http://127.0.0.1:4711", "NO_PROXY=", "AZURE_CLIENT_SECRET=it's"}},
			{Name: "fabrikam", ID: "f0", EnvFile: "/tmp/x/fabrikam.env", Env: []string{"HTTPS_PROXY=http://127.0.0.1:4711"}},
		},
	}
	golden(t, "emulator.golden", render(t, func(b *strings.Builder) error { return EmulatorReady(b, e, Style{}) }))
}

func TestHelpTexts(t *testing.T) {
	t.Parallel()
	got := Rows([]Row{{"0", "done"}, {"A_VERY_LONG_NAME_OF_A_VARIABLE", strings.Repeat("many words ", 12)}})
	golden(t, "rows.golden", got)
	golden(t, "version.golden", render(t, func(b *strings.Builder) error {
		return errors.Join(VersionText(b, Version{Version: "v1", Go: "go1", Platform: "p/q", Contract: 1, Report: 1, Stream: 1}), nil)
	}))
}
