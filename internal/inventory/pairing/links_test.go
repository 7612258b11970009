package pairing_test

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
)

func md5hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// What a graph knows of sources and targets.
func TestLinks(t *testing.T) {
	t.Parallel()
	const (
		servers = "Microsoft.Sql/servers"
		vms     = "Microsoft.Compute/virtualMachines"
		node    = "kv-132d9e317a6f8138"
	)
	kv := func(group, name string) string { return group + "/" + vaults + "/" + name }
	database := func(server, name string) string { return "rg/" + servers + "/" + server + "/databases/" + name }
	at := func(path string) string { return strings.ToLower(id(subA, path)) }
	copyOf := "kv-132d9e317a6f81-" + md5hex(node)[:6]
	tests := []struct {
		name             string
		sources, targets []string
		links            inventory.Links
		want             []string
	}{
		{
			name: "a link from target to source", sources: []string{kv("rg", "a"), kv("rg", "b")}, targets: []string{kv("rg", "a")},
			links: inventory.Links{Sources: map[string]string{strings.ToLower(id(subB, kv("rg", "a"))): id(subA, kv("RG", "B"))}},
			want: []string{
				kv("rg", "a") + " -x the target of its type and name is that of " + id(subA, kv("rg", "b")) + " by the rule graph-link [" + kv("rg", "a") + "]",
				kv("rg", "b") + " -> " + kv("rg", "a") + " (graph-link)",
			},
		},
		{
			name: "two links to one source", sources: []string{kv("rg", "a")}, targets: []string{kv("rg", "x"), kv("rg", "y")},
			links: inventory.Links{Sources: map[string]string{
				strings.ToLower(id(subB, kv("rg", "x"))): id(subA, kv("rg", "a")), strings.ToLower(id(subB, kv("rg", "y"))): id(subA, kv("rg", "a")),
			}},
			want: []string{kv("rg", "a") + " -x 2 targets are led from to it by a graph [" + kv("rg", "x") + " " + kv("rg", "y") + "]"},
		},
		{
			name: "a name made of the node", sources: []string{kv("rg", "prod-kv")}, targets: []string{kv("other", copyOf), kv("rg", "prod-kv")},
			links: inventory.Links{Aliases: map[string][]string{at(kv("rg", "prod-kv")): {node}}},
			want:  []string{kv("rg", "prod-kv") + " -> " + kv("other", copyOf) + " (graph-name)"},
		},
		{
			name: "the name of the node itself, where the tenant stays", sources: []string{kv("rg", "prod-kv")}, targets: []string{kv("rg", node)},
			links: inventory.Links{Aliases: map[string][]string{at(kv("rg", "prod-kv")): {node}}},
			want:  []string{kv("rg", "prod-kv") + " -> " + kv("rg", node) + " (graph-name)"},
		},
		{
			name: "the source's name with the node's digest", sources: []string{kv("rg", "prod-kv")}, targets: []string{kv("rg", "prod-kv-"+md5hex(node)[:6])},
			links: inventory.Links{Aliases: map[string][]string{at(kv("rg", "prod-kv")): {node}}},
			want:  []string{kv("rg", "prod-kv") + " -> " + kv("rg", "prod-kv-"+md5hex(node)[:6]) + " (graph-name)"},
		},
		{
			name: "one node of two sources", sources: []string{"g1/" + vms + "/web", "g2/" + vms + "/web"}, targets: []string{"g1/" + vms + "/vm-0011"},
			links: inventory.Links{Aliases: map[string][]string{at("g1/" + vms + "/web"): {"vm-0011"}, at("g2/" + vms + "/web"): {"vm-0011"}}},
			want: []string{
				"g1/" + vms + "/web -x 2 sources lay claim to the same target by the rule graph-name [g1/" + vms + "/vm-0011]",
				"g2/" + vms + "/web -x 2 sources lay claim to the same target by the rule graph-name [g1/" + vms + "/vm-0011]",
			},
		},
		{
			name: "a database under the copy of its server", sources: []string{database("sql", "db")}, targets: []string{database("sql-77"+md5hex("sql-77")[:6], "db")},
			links: inventory.Links{Aliases: map[string][]string{at("rg/" + servers + "/sql"): {"sql-77"}}},
			want:  []string{database("sql", "db") + " -> " + database("sql-77"+md5hex("sql-77")[:6], "db") + " (graph-name)"},
		},
		{
			name: "a database whose name is that of a node", sources: []string{database("sql", "db")}, targets: []string{database("sql", "sqldb-99")},
			links: inventory.Links{Aliases: map[string][]string{at(database("sql", "db")): {"sqldb-99"}}},
			want:  []string{database("sql", "db") + " -> " + database("sql", "sqldb-99") + " (graph-name)"},
		},
		{
			name: "the block of a copy that got another name", sources: []string{kv("rg", "prod-kv"), "rg/" + vms + "/web"},
			targets: []string{kv("rg", "renamed"), "rg/" + vms + "/web-2"},
			links: inventory.Links{
				Aliases: map[string][]string{at(kv("rg", "prod-kv")): {node}, at("rg/" + vms + "/web"): {"vm-0011"}},
				Blocks: map[string]string{
					strings.ToLower(id(subB, kv("rg", "renamed"))): strings.ReplaceAll(copyOf, "-", "_"),
					strings.ToLower(id(subB, "rg/"+vms+"/web-2")):  "vm_0011",
				},
			},
			want: []string{
				"rg/" + vms + "/web -> rg/" + vms + "/web-2 (graph-name)",
				kv("rg", "prod-kv") + " -> " + kv("rg", "renamed") + " (graph-name)",
			},
		},
		{
			name: "a block with several instances", sources: []string{kv("rg", "prod-kv")}, targets: []string{kv("rg", "x"), kv("rg", "y")},
			links: inventory.Links{
				Aliases: map[string][]string{at(kv("rg", "prod-kv")): {node}},
				Blocks: map[string]string{
					strings.ToLower(id(subB, kv("rg", "x"))): "kv_132d9e317a6f8138", strings.ToLower(id(subB, kv("rg", "y"))): "kv_132d9e317a6f8138",
				},
			},
			want: []string{kv("rg", "prod-kv") + " -x 2 targets have a name that is derived from its node in the graph [" + kv("rg", "x") + " " + kv("rg", "y") + "]"},
		},
		{
			name: "a database under a server that the emitter renamed", sources: []string{database("sql", "db")},
			targets: []string{database("sql"+md5hex(id(subA, "rg/"+servers+"/sql"))[:6], "db"), database("elsewhere", "db")},
			want:    []string{database("sql", "db") + " -> " + database("sql"+md5hex(id(subA, "rg/"+servers+"/sql"))[:6], "db") + " (upstream-name)"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, err := pairing.Pair(list(t, subA, tt.sources...), list(t, subB, tt.targets...), pairing.Options{Links: tt.links})
			if err != nil {
				t.Fatal(err)
			}
			if d := gocmp.Diff(tt.want, outcome(res)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Of every target that nearly matched it is said why it was not taken.
func TestNearMisses(t *testing.T) {
	t.Parallel()
	const sites = "Microsoft.Web/sites"
	kv := func(name string) string { return "rg/" + vaults + "/" + name }
	tests := []struct {
		name             string
		sources, targets []string
		want             string // of the first source without a target
	}{
		{"another name", []string{kv("a")}, []string{kv("a1")}, "it has another name"},
		{"another source's", []string{kv("a"), kv("a1")}, []string{kv("a1")}, "it is the target of " + id(subA, kv("a1")) + " by the rule same-path"},
		{"the tag names another", []string{kv("a")}, []string{kv("a") + " " + pairing.Tag + " /x"}, "its tag atg-source-id names /x"},
		{"another kind", []string{"rg/" + sites + "/a kind app"}, []string{"rg/" + sites + "/a kind functionapp"}, `it is of kind "functionapp", not "app"`},
		{"one of several", []string{kv("a")}, []string{"g1/" + vaults + "/a", "g2/" + vaults + "/a"}, "it is one of several that the same rule answers with"},
		{"claimed twice", []string{"g1/" + vaults + "/a", "g2/" + vaults + "/a"}, []string{kv("a")}, "the same rule answers with it for another source too"},
		{
			"another parent",
			[]string{"rg/Microsoft.Sql/servers/s/databases/d"},
			[]string{"rg/Microsoft.Sql/servers/s2/databases/d"},
			"its parent has another name",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, err := pairing.Pair(list(t, subA, tt.sources...), list(t, subB, tt.targets...), pairing.Options{Plugin: claim})
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Unpaired) == 0 || len(res.Unpaired[0].Near) == 0 || res.Unpaired[0].Near[0].Why != tt.want {
				t.Errorf("%+v", res.Unpaired)
			}
		})
	}
}
