package pairing_test

import (
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/inventory/pairing"
)

// The expected names were computed with md5sum from the IDs of these resources.
func TestUpstreamNames(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, source, target string }{
		{"storage account", "rg/Microsoft.Storage/storageAccounts/contosoproductiondata1", "rg/Microsoft.Storage/storageAccounts/contosoproductiond1b38bc"},
		{"vault", "rg/Microsoft.KeyVault/vaults/kv-contoso-production", "rg/Microsoft.KeyVault/vaults/kv-contoso-produc-9b3ff4"},
		{"SQL server", "rg/Microsoft.Sql/servers/sql-contoso", "rg/Microsoft.Sql/servers/sql-contosoc17588"},
		{"web app", "rg/Microsoft.Web/sites/app-contoso", "rg/Microsoft.Web/sites/app-contosoc957c5"},
		{"registry", "rg/Microsoft.ContainerRegistry/registries/acrcontoso", "rg/Microsoft.ContainerRegistry/registries/acrcontosoeb83c2"},
		{"Cosmos DB account", "rg/Microsoft.DocumentDB/databaseAccounts/cosmos-contoso", "rg/microsoft.documentdb/databaseAccounts/cosmos-contoso-4afa2228"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, err := pairing.Pair(list(t, subA, tt.source), list(t, subB, tt.target, "rg/Microsoft.KeyVault/vaults/other"), pairing.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Matches) != 1 || res.Matches[0].Rule != pairing.RuleUpstream {
				t.Errorf("%v", outcome(res))
			}
		})
	}
}
