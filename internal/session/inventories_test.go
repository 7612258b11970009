package session

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/inventory/neo4j"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// stateFile writes a Terraform state with key vaults.
func stateFile(t testing.TB, ids ...string) string {
	t.Helper()
	var blocks []string
	for i, id := range ids {
		blocks = append(blocks, fmt.Sprintf(`{"mode":"managed","type":"azurerm_key_vault","name":"v%d","instances":[{"status":"tainted","attributes":{"id":%q,"tags":null}}]}`, i, id))
	}
	path := filepath.Join(t.TempDir(), "terraform.tfstate")
	text := `{"version":4,"resources":[` + strings.Join(blocks, ",") + `]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each side's resources may come from another place; what is paired is read from Azure.
func TestInventories(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	targets := stateFile(t, targetID("kv-session-x"), targetID("kv-session-y"))
	for _, places := range [][2]string{
		{"arm", "graph"},
		{"graph", "arm"},
		{"graph", "tfstate:" + targets},
		{"", targets},
		{"arm", "tfstate:" + filepath.Dir(targets)},
		{"file:" + inputFile(t, fmt.Sprintf(`[{"id":%q},{"id":%q}]`, sourceID("kv-session-a"), sourceID("kv-session-b"))), "graph"},
	} {
		t.Run(strings.Join(places[:], " to "), func(t *testing.T) {
			opt := w.options(t)
			opt.Source.Inventory, opt.Target.Inventory = places[0], places[1]
			opt.Mapping = inputFile(t, `{"pairs":[{"source":"kv-session-b","target":"kv-session-y"},{"source":"kv-session-a","target":"kv-session-x"}]}`)
			s, err := Open(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for _, p := range s.pairs {
				if p.Source.Resource.Location == "" || len(p.Target.Resource.Properties) == 0 {
					t.Errorf("not read from Azure: %+v", p.Target.Resource)
				}
			}
			if len(s.pairs) != 2 {
				t.Errorf("%d pairs, %+v", len(s.pairs), s.unpaired)
			}
		})
	}
}

// Resource Graph finds what listings find, with its tags and in the same scope.
func TestGraphFindsTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var found [2]*Pairs
	for i, place := range []string{"arm", "graph"} {
		opt := w.options(t)
		opt.Source.Inventory, opt.Target.Inventory = place, place
		opt.Source.ResourceGroup = "RG-contoso"
		var err error
		if found[i], err = FindPairs(t.Context(), opt); err != nil {
			t.Fatal(err)
		}
	}
	byTag := func(m pairing.Match) bool { return m.Rule == pairing.RuleTag }
	if !slices.ContainsFunc(found[1].Matches, byTag) {
		t.Errorf("%+v", found[1].Matches)
	}
	shape := func(p *Pairs) []string {
		var out []string
		for _, m := range p.Matches {
			out = append(out, strings.ToLower(m.Source.ID+" "+m.Target.ID+" "+m.Rule+m.Source.TenantID+m.Target.Location))
		}
		for _, u := range p.Unpaired {
			out = append(out, strings.ToLower(u.Source.ID))
		}
		slices.Sort(out)
		return out
	}
	if diff := cmp.Diff(shape(found[0]), shape(found[1])); diff != "" {
		t.Errorf("(-arm +graph):\n%s", diff)
	}
}

// refuse is a transport that must not be used.
type refuse struct{ t *testing.T }

// Do implements policy.Transporter.
func (r refuse) Do(req *http.Request) (*http.Response, error) {
	r.t.Errorf("a request to %s", req.URL)
	return nil, http.ErrServerClosed
}

// Nobody signs in to a side whose resources are known without Azure.
func TestPairsWithoutAzure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	opt.Transport = refuse{t}
	opt.Source = Side{Inventory: stateFile(t, sourceID("kv-a"), sourceID("kv-b")), TenantID: scenario.ContosoTenant}
	opt.Target = Side{Inventory: inputFile(t, fmt.Sprintf(`[{"id":%q}]`, targetID("kv-a"))), TenantID: "fabrikam.com"}
	found, err := FindPairs(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Matches) != 1 || len(found.Unpaired) != 1 || found.SourceTenant != scenario.ContosoTenant || found.TargetTenant != "" {
		t.Errorf("%+v", found)
	}
	if len(found.Notes) != 2 || !strings.HasPrefix(found.Notes[0], "source: azurerm_key_vault.v0 is tainted") {
		t.Errorf("notes: %q", found.Notes)
	}
	// One side wants Azure: then somebody has to sign in.
	opt.Target = Side{Inventory: "graph"}
	opt.Env = func(name string) (string, bool) { return "none", name == "AZURE_TOKEN_CREDENTIALS" }
	if _, err := FindPairs(t.Context(), opt); errs.Find(err) == nil || errs.Find(err).Side != string(plugin.Target) {
		t.Errorf("%v", err)
	}
}

func TestInventoryRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name   string
		change func(*Options)
		kind   errs.Kind
		text   string
	}{
		{"no such kind", func(o *Options) { o.Source.Inventory = "terraform:x" }, errs.Invalid, `no inventory of kind "terraform"`},
		{"no such kind, target", func(o *Options) { o.Target.Inventory = "terraform:x" }, errs.Invalid, `no inventory of kind "terraform"`},
		{"no such state", func(o *Options) { o.Source.Inventory = "tfstate:/nowhere" }, errs.NotFound, "no such file"},
		{"no server", func(o *Options) { o.Source.Inventory = "neo4j" }, errs.Unavailable, "bolt://127.0.0.1:1"},
		{"no other server", func(o *Options) { o.Target.Inventory = "neo4j:bolt://127.0.0.1:2" }, errs.Unavailable, "bolt://127.0.0.1:2"},
		{
			"a principal without a subscription", func(o *Options) { w.ARM().Unassign(scenario.ContosoObject); o.Source.Inventory = "neo4j" },
			errs.NotFound, "sees no subscription",
		},
	}
	for _, tt := range tests { // the last one changes the world
		opt := w.options(t)
		opt.Neo4j = neo4j.Config{URI: "bolt://127.0.0.1:1"}
		tt.change(&opt)
		_, err := FindPairs(t.Context(), opt)
		if errs.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: kind %q: %v", tt.name, errs.KindOf(err), err)
		}
		if _, opened := Open(t.Context(), opt); opened == nil {
			t.Errorf("%s: Open takes it", tt.name)
		}
	}
}

// A plan remembers where its source resources were read.
func TestPlanRemembersTheInventory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	opt.Source.Inventory = "graph"
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	var r *engine.Report
	var f *PlanFile
	if r, f, err = s.PlanToFile(t.Context()); err != nil {
		t.Fatal(r, err)
	}
	s.Close()
	if f.Source.Inventory != "graph" {
		t.Errorf("%+v", f.Source)
	}
	s, err = OpenPlan(t.Context(), f, w.options(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if s.opt.Source.Inventory != "graph" {
		t.Errorf("%+v", s.opt.Source)
	}
}
