package shares

import (
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
)

func TestWhatAccountsHave(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind, sku string
		tiers     bool
		least     int32
		nfs       bool
	}{
		{"StorageV2", "Standard_LRS", true, 1, false},
		{"Storage", "Standard_GRS", false, 1, false},
		{"FileStorage", "Premium_ZRS", false, 100, true},
		{"FileStorage", "PremiumV2_LRS", false, 32, true},
		{"FileStorage", "StandardV2_LRS", false, 32, false},
	} {
		f := account.Facts{Kind: tt.kind, SKU: tt.sku}
		if hasTiers(f) != tt.tiers || smallest(f) != tt.least || (Impossible(true, f) == "") != tt.nfs || Impossible(false, f) != "" {
			t.Errorf("%s %s: tiers %t, least %d GiB, NFS %q", tt.kind, tt.sku, hasTiers(f), smallest(f), Impossible(true, f))
		}
	}
}
