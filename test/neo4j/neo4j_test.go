// Package neo4j holds the inventory of a graph against a real Neo4j server.
package neo4j

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory/neo4j"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

func TestNeo4j(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T, *server)
	}{
		{"upstream's graph", upstream},
		{"pages", pages},
		{"simple graph", simple},
		{"links", links},
		{"wrong graphs", wrongGraphs},
		{"no entrance", noEntrance},
	} {
		t.Run(part.name, func(t *testing.T) {
			s.run(t, "MATCH (n) DETACH DELETE n", nil)
			part.run(t, s)
		})
	}
}

// load writes a tenant as Azure Tenant Grapher does.
func (s *server) load(t *testing.T, c *tenant) {
	t.Helper()
	s.run(t, "CREATE CONSTRAINT resource_id IF NOT EXISTS FOR (r:Resource) REQUIRE r.id IS UNIQUE", nil)
	s.run(t, "UNWIND $rows AS row CREATE (r:Resource:Original) SET r = row", map[string]any{"rows": c.originals})
	s.run(t, "UNWIND $rows AS row CREATE (r:Resource) SET r = row", map[string]any{"rows": c.abstracted})
	s.run(t, `UNWIND $rows AS row MATCH (a:Resource {id: row.from}), (o:Resource {id: row.to})
		CREATE (a)-[:SCAN_SOURCE_NODE {confidence: 'exact'}]->(o)`, map[string]any{"rows": c.edges})
}

func (s *server) config() neo4j.Config {
	return neo4j.Config{URI: s.uri, User: "neo4j", Password: secret.New(s.password)}
}

// upstream finds the pairs of a tenant that Azure Tenant Grapher has scanned and deployed:
// those that must be found, and no other.
func upstream(t *testing.T, s *server) {
	c := contoso()
	if len(c.originals) != 2000 {
		t.Fatalf("the tenant has %d resources", len(c.originals))
	}
	s.load(t, c)
	// The target tenant was scanned into the same graph.
	s.run(t, "CREATE (:Resource:Original {id: $id, type: 'Microsoft.KeyVault/vaults'})", map[string]any{"id": c.targets[0]})
	found, err := session.FindPairs(t.Context(), session.Options{
		Registry: registry(t), Env: func(string) (string, bool) { return "", false }, Neo4j: s.config(),
		Source: session.Side{Inventory: "neo4j", SubscriptionID: strings.ToUpper(sourceSub)},
		Target: session.Side{Inventory: "file:" + targetsFile(t, c.targets)},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, rules := map[string]string{}, map[string]int{}
	for _, m := range found.Matches {
		got[m.Source.ID] = m.Target.ID
		rules[m.Rule]++
	}
	want := maps.Clone(c.pairs)
	maps.DeleteFunc(want, func(id, _ string) bool { return strings.Contains(id, "Microsoft.Network") }) // no plugin
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	if rules[pairing.RuleAlias] != len(want) {
		t.Errorf("rules: %v", rules)
	}
	alone := map[string]bool{}
	for _, u := range found.Unpaired {
		alone[u.Source.ID] = true
	}
	if diff := cmp.Diff(c.alone, alone); diff != "" {
		t.Errorf("without a target (-want +got):\n%s", diff)
	}
}

func targetsFile(t *testing.T, ids []string) string {
	t.Helper()
	var list []map[string]string
	for _, id := range ids {
		list = append(list, map[string]string{"id": id})
	}
	raw, err := json.Marshal(list)
	path := filepath.Join(t.TempDir(), "targets.json")
	if err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// find reads the whole graph.
func find(t *testing.T, f *neo4j.Finder, types ...string) ([]plugin.Resource, error) {
	t.Helper()
	var out []plugin.Resource
	for r, err := range f.Find(t.Context(), types) {
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

// pages reads a graph in pages of every size around its own.
func pages(t *testing.T, s *server) {
	c := contoso()
	s.load(t, c)
	for _, size := range []int{60, 61, 119, 120, 121} { // there are 60 registries, each twice
		got, err := find(t, neo4j.New(s.config(), neo4j.Scope{PageSize: size}), "microsoft.containerregistry/REGISTRIES")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 60 {
			t.Errorf("pages of %d: %d resources", size, len(got))
		}
	}
	all, err := find(t, neo4j.New(s.config(), neo4j.Scope{PageSize: 777}))
	if err != nil || len(all) != 2000 {
		t.Errorf("all types: %d resources, %v", len(all), err)
	}
}

// simple reads a graph with one node for each resource, and tenants.
func simple(t *testing.T, s *server) {
	const here, there = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001"
	id := resourceID(sourceSub, "rg", "Microsoft.KeyVault/vaults", "kv-a")
	s.run(t, `CREATE (:Resource {id: $id, type: 'Microsoft.KeyVault/vaults', name: 'kv-a', tenant_id: $here, location: 'westeurope', kind: 'k', sku: 'standard', tags: '{"a":"b","n":1}'}),
		(:Resource {id: $other, type: 'Microsoft.KeyVault/vaults', name: 'kv-b', tenant_id: $there}),
		(:Resource {id: 7, type: 'Microsoft.KeyVault/vaults'})`,
		map[string]any{"id": id, "other": resourceID(targetSub, "rg", "Microsoft.KeyVault/vaults", "kv-b"), "here": here, "there": there})
	got, err := find(t, neo4j.New(s.config(), neo4j.Scope{TenantID: here}), "Microsoft.KeyVault/vaults")
	if err != nil {
		t.Fatal(err)
	}
	want := []plugin.Resource{{
		ID: id, Type: "Microsoft.KeyVault/vaults", Name: "kv-a", ResourceGroup: "rg", SubscriptionID: sourceSub, TenantID: here,
		Location: "westeurope", Kind: "k", SKU: "standard", Tags: map[string]string{"a": "b"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// links follows what a graph knows of targets and their sources.
func links(t *testing.T, s *server) {
	id := func(sub, name string) string { return resourceID(sub, "rg", "Microsoft.KeyVault/vaults", name) }
	s.run(t, `CREATE (s1:Resource:Original {id: $s1}), (:Resource:Original {id: $s2}), (:Resource:Original {id: $s3}),
		(t1:Resource {id: $t1})-[:REPLICATED_FROM]->(s1), (:Resource {id: $t2, source_id: $s2}), (:Resource {id: $t3, original_id: $s3}),
		(:Resource {id: $t4, original_id: $t4})`, map[string]any{
		"s1": id(sourceSub, "s1"), "s2": id(sourceSub, "s2"), "s3": id(sourceSub, "s3"),
		"t1": id(targetSub, "t1"), "t2": id(targetSub, "t2"), "t3": id(targetSub, "t3"), "t4": id(targetSub, "t4"),
	})
	f := neo4j.New(s.config(), neo4j.Scope{Subscriptions: []string{targetSub}})
	if _, err := find(t, f, "Microsoft.KeyVault/vaults"); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, n := range []string{"1", "2", "3"} {
		want[strings.ToLower(id(targetSub, "t"+n))] = id(sourceSub, "s"+n)
	}
	if diff := cmp.Diff(want, f.Links().Sources); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// wrongGraphs are graphs that cannot be an inventory.
func wrongGraphs(t *testing.T, s *server) {
	const vaults = "Microsoft.KeyVault/vaults"
	refused(t, neo4j.New(s.config(), neo4j.Scope{}), errs.NotFound, "no node with the label Resource", "scan the tenant")
	s.run(t, "CREATE (:Resource:Original {id: $id, type: 'Microsoft.KeyVault/vaults'})", map[string]any{"id": resourceID(sourceSub, "rg", vaults, "kv")})
	refused(t, neo4j.New(s.config(), neo4j.Scope{Side: plugin.Source, Subscriptions: []string{targetSub}}),
		errs.NotFound, "has 1 resources of the types asked for, and none of them is in subscription "+targetSub, "--source-subscription-id")
	refused(t, neo4j.New(s.config(), neo4j.Scope{ResourceGroup: "other"}), errs.NotFound, "resource group other", "")
	if got, err := find(t, neo4j.New(s.config(), neo4j.Scope{}), "Microsoft.Sql/servers"); err != nil || len(got) != 0 {
		t.Errorf("a type that is not there: %v, %v", got, err)
	}
	s.run(t, "CREATE (:Resource {id: 'kv-0123456789abcdef', type: 'Microsoft.KeyVault/vaults'})", nil)
	refused(t, neo4j.New(s.config(), neo4j.Scope{}), errs.Invalid, "leads to no resource", "scan the tenant again")
}

func refused(t *testing.T, f *neo4j.Finder, kind errs.Kind, text, hint string) {
	t.Helper()
	_, err := find(t, f, "Microsoft.KeyVault/vaults")
	e := errs.Find(err)
	if e == nil || e.Kind != kind || !strings.Contains(err.Error(), text) || !strings.Contains(e.Hint, hint) {
		t.Errorf("want %s with %q and hint %q, got %s: %v", kind, text, hint, errs.KindOf(err), err)
	}
}

// noEntrance are servers that cannot be read.
func noEntrance(t *testing.T, s *server) {
	tests := []struct {
		name       string
		change     func(*neo4j.Config)
		kind       errs.Kind
		text, hint string
	}{
		{"wrong password", func(c *neo4j.Config) { c.Password = secret.New("not-" + s.password) }, errs.Unauthenticated, "Unauthorized", "NEO4J_PASSWORD"},
		{"no password", func(c *neo4j.Config) { c.Password = secret.Value{} }, errs.Unauthenticated, "Unauthorized", "NEO4J_PASSWORD"},
		{"no server", func(c *neo4j.Config) { c.URI = "bolt://127.0.0.1:1" }, errs.Unavailable, "connection refused", "NEO4J_URI"},
		{"no server to route", func(c *neo4j.Config) { c.URI = "neo4j://127.0.0.1:1" }, errs.Unavailable, "connection refused", "NEO4J_URI"},
		{"no database", func(c *neo4j.Config) { c.Database = "nowhere" }, errs.NotFound, "nowhere", "--neo4j-database"},
		{"no TLS", func(c *neo4j.Config) { c.URI = strings.Replace(c.URI, "bolt:", "bolt+s:", 1) }, errs.Unavailable, "does not speak TLS", "bolt://"},
		{"no TLS to any certificate", func(c *neo4j.Config) { c.URI = strings.Replace(c.URI, "bolt:", "neo4j+ssc:", 1) }, errs.Unavailable, "does not speak TLS", "neo4j://"},
		{"another protocol", func(c *neo4j.Config) { c.URI = "http://127.0.0.1:7474" }, errs.Invalid, `scheme "http"`, "bolt+s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := s.config()
			tt.change(&c)
			refused(t, neo4j.New(c, neo4j.Scope{}), tt.kind, tt.text, tt.hint)
		})
	}
	c := s.config()
	c.URI = strings.Replace(c.URI, "bolt:", "neo4j:", 1)
	s.run(t, "CREATE (:Resource:Original {id: $id, type: 'Microsoft.KeyVault/vaults'})",
		map[string]any{"id": resourceID(sourceSub, "rg", "Microsoft.KeyVault/vaults", "kv")})
	if got, err := find(t, neo4j.New(c, neo4j.Scope{})); err != nil || len(got) != 1 {
		t.Errorf("with routing: %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range neo4j.New(s.config(), neo4j.Scope{}).Find(ctx, nil) {
		if errs.KindOf(err) != errs.Canceled {
			t.Errorf("canceled: %v", err)
		}
	}
}

// registry has a plugin for each type that can hold data.
func registry(t *testing.T) *plugin.Registry {
	t.Helper()
	var all []plugin.Plugin
	for _, f := range families() {
		if !strings.HasPrefix(f.typ, "Microsoft.Network") {
			all = append(all, claim(f.typ))
		}
	}
	i := slices.Index(all, plugin.Plugin(claim("Microsoft.Web/sites")))
	all[i] = claim("Microsoft.Web/sites app")
	all = append(all, claim("Microsoft.Web/sites functionapp")) // of the graph nobody can tell which
	r, err := plugin.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// claim is a plugin that does nothing but claim a type, or "type kind".
type claim string

// Info implements plugin.Plugin.
func (c claim) Info() plugin.Info {
	typ, kind, _ := strings.Cut(string(c), " ")
	info := plugin.Info{Contract: plugin.ContractVersion, Name: strings.ReplaceAll(string(c), "/", "-"), Version: "1", Type: typ, Modes: plugin.Modes()}
	if kind != "" {
		info.Kinds = []string{kind}
	}
	return info
}

// Permissions implements plugin.Plugin.
func (claim) Permissions(plugin.Mode) []plugin.Permission { return nil }

// Discover implements plugin.Plugin.
func (claim) Discover(context.Context, plugin.Endpoint, plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(func(plugin.Item, error) bool) {}
}

// Replicate implements plugin.Plugin.
func (claim) Replicate(context.Context, plugin.Task) (plugin.Outcome, error) {
	return plugin.Outcome{}, nil
}
