package view

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const vaultsOf = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-contoso-prod/providers/Microsoft.KeyVault/vaults/"

func somePairs() Pairs {
	server := "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Sql/servers/sql-contoso"
	return Pairs{
		Schema: PairsSchema, SourceTenant: "contoso",
		Pairs: []PairRow{
			{Type: "Microsoft.KeyVault/vaults", Source: vaultsOf + "kv-app", Target: vaultsOf + "kv-app-1a2b3c", Rule: "graph-name"},
			{Type: "Microsoft.Sql/servers/databases", Source: server + "/databases/orders", Target: server + "77/databases/orders", Rule: "upstream-name"},
		},
		Unpaired: []UnpairedRow{
			{Type: "Microsoft.KeyVault/vaults", Source: vaultsOf + "kv-edge", Reason: "2 targets have its type and name", Near: []NearRow{
				{Target: vaultsOf + "kv-edge", Why: "it is one of several that the same rule answers with"}, {Target: "odd\x1b[2J", Why: "it has another name"},
			}},
			{Type: "Microsoft.KeyVault/vaults", Source: vaultsOf + "kv-none", Reason: "there is no target of its type"},
		},
		Rules: map[string]int{"graph-name": 1, "upstream-name": 1}, Unclaimed: map[string]int{"Other.Thing/things": 1200},
		Notes: []string{"target: azurerm_key_vault.a is tainted: Terraform will replace it with the next apply"},
	}
}

func TestPairs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pairs   Pairs
		mapping string
		style   Style
	}{
		"pairs.golden":        {somePairs(), "", Style{}},
		"pairs_narrow.golden": {somePairs(), "my pairs.json", Style{Width: 72, Color: true}},
		"pairs_none.golden":   {Pairs{}, "", Style{Width: 80}},
	} {
		golden(t, name, render(t, func(b *strings.Builder) error { return tt.pairs.Write(b, tt.mapping, tt.style) }))
	}
	if somePairs().Write(full{}, "", Style{}) == nil || somePairs().JSON(full{}) == nil {
		t.Error("an error of the writer is lost")
	}
}

// What is written row by row is the same document.
func TestPairsJSON(t *testing.T) {
	t.Parallel()
	for _, want := range []Pairs{somePairs(), {Pairs: []PairRow{}, Unpaired: []UnpairedRow{}, Rules: map[string]int{}}} {
		text := render(t, func(b *strings.Builder) error { return want.JSON(b) })
		var got Pairs
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !strings.HasSuffix(text, "}\n") {
			t.Errorf("%q", text)
		}
	}
}
