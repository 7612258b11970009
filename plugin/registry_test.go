package plugin_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// fake is a plugin of which only Info matters.
type fake plugin.Info

func (f fake) Info() plugin.Info { return plugin.Info(f) }

func (fake) Permissions(plugin.Mode) []plugin.Permission { return nil }

func (fake) Discover(context.Context, plugin.Endpoint, plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(func(plugin.Item, error) bool) {}
}

func (fake) Replicate(context.Context, plugin.Task) (plugin.Outcome, error) {
	return plugin.Outcome{}, nil
}

// comparing also compares.
type comparing struct{ fake }

func (comparing) Compare(context.Context, plugin.Task) (plugin.Comparison, error) {
	return plugin.Comparison{}, nil
}

func of(name, typ string, change ...func(*fake)) fake {
	f := fake{Name: name, Version: "1.0.0", Contract: plugin.ContractVersion, Type: typ, Modes: plugin.Modes()}
	for _, c := range change {
		c(&f)
	}
	return f
}

func kinds(k ...string) func(*fake) { return func(f *fake) { f.Kinds = k } }
func after(t ...string) func(*fake) { return func(f *fake) { f.After = t } }

func TestRegistryRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		plugins []plugin.Plugin
		want    string
	}{
		{"the same type twice", []plugin.Plugin{of("a", "T/x"), of("b", "t/X")}, `"a" and "b" both claim`},
		{"the same kind twice", []plugin.Plugin{of("a", "T/x", kinds("f")), of("b", "T/x", kinds("F"))}, "both claim"},
		{"the same name twice", []plugin.Plugin{of("a", "T/x"), of("a", "T/y")}, "two plugins"},
		{"another contract", []plugin.Plugin{of("a", "T/x", func(f *fake) { f.Contract = 99 })}, "contract 99"},
		{"no mode", []plugin.Plugin{of("a", "T/x", func(f *fake) { f.Modes = nil })}, "no mode"},
		{"no version", []plugin.Plugin{of("a", "T/x", func(f *fake) { f.Version = "" })}, "must be set"},
		{"a cycle", []plugin.Plugin{of("a", "T/x", after("T/y")), of("b", "T/y", after("T/x"))}, "a after b after a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := plugin.NewRegistry(tt.plugins...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRegistryFinds(t *testing.T) {
	t.Parallel()
	web, fn, kv := of("web", "Microsoft.Web/sites", after("Microsoft.KeyVault/vaults")), of("fn", "Microsoft.Web/sites", kinds("functionapp")), of("kv", "Microsoft.KeyVault/vaults")
	r, err := plugin.NewRegistry(web, fn, kv)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ typ, kind, want string }{
		{"microsoft.web/SITES", "app,linux", "web"},
		{"Microsoft.Web/sites", "functionapp,linux", "fn"},
		{"Microsoft.Web/sites", "", "web"},
		{"Microsoft.KeyVault/vaults", "anything", "kv"},
		{"Microsoft.Sql/servers", "", ""},
	}
	for _, tt := range tests {
		got := ""
		if p := r.For(tt.typ, tt.kind); p != nil {
			got = p.Info().Name
		}
		if got != tt.want {
			t.Errorf("For(%q, %q) = %q, want %q", tt.typ, tt.kind, got, tt.want)
		}
	}
	if r.Rank("Microsoft.KeyVault/vaults", "") >= r.Rank("Microsoft.Web/sites", "") || r.Rank("T/none", "") != -1 {
		t.Error("the order of work does not follow After")
	}
	if r.Named("KV") == nil || r.Named("none") != nil {
		t.Error("Named is wrong")
	}
	if got := r.Types(); !slices.Equal(got, []string{"Microsoft.KeyVault/vaults", "Microsoft.Web/sites"}) {
		t.Errorf("Types = %v", got)
	}
	if len(r.All()) != 3 {
		t.Errorf("All has %d plugins", len(r.All()))
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	if got := plugin.CapabilitiesOf(of("a", "T/x")); got != (plugin.Capabilities{}) {
		t.Errorf("a plain plugin has %+v", got)
	}
	if got := plugin.CapabilitiesOf(comparing{of("a", "T/x")}); got != (plugin.Capabilities{Compare: true}) {
		t.Errorf("a comparing plugin has %+v", got)
	}
}

func TestSettingsAndReferences(t *testing.T) {
	t.Parallel()
	info := plugin.Info{Modes: []plugin.Mode{plugin.Template}, Settings: []plugin.Setting{{Name: "versions", Default: "latest"}}}
	if info.Setting(nil, "versions") != "latest" || info.Setting(plugin.Settings{"versions": "all"}, "versions") != "all" || info.Setting(nil, "none") != "" {
		t.Error("Setting is wrong")
	}
	if !info.Supports(plugin.Template) || info.Supports(plugin.Replication) {
		t.Error("Supports is wrong")
	}
	type ref struct{ Name string }
	it := plugin.Item{Ref: plugin.Encode(ref{"x"})}
	if got, err := plugin.Decode[ref](it); err != nil || got.Name != "x" {
		t.Errorf("Decode = %+v, %v", got, err)
	}
	if _, err := plugin.Decode[ref](plugin.Item{Ref: []byte("{")}); err == nil {
		t.Error("a broken reference is decoded")
	}
}
