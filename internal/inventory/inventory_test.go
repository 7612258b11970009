package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const sub = "11111111-0000-4000-8000-000000000001"

func TestFromID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, id string
		want     plugin.Resource
		err      string
	}{
		{
			name: "vault", id: "/subscriptions/" + sub + "/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-app",
			want: plugin.Resource{Type: "Microsoft.KeyVault/vaults", Name: "kv-app", ResourceGroup: "rg-app", SubscriptionID: sub},
		},
		{
			name: "lower case, as listings have it", id: "/subscriptions/" + sub + "/resourcegroups/rg-app/providers/microsoft.keyvault/vaults/kv-app",
			want: plugin.Resource{Type: "microsoft.keyvault/vaults", Name: "kv-app", ResourceGroup: "rg-app", SubscriptionID: sub},
		},
		{
			name: "child", id: "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.Sql/servers/s/databases/d",
			want: plugin.Resource{Type: "Microsoft.Sql/servers/databases", Name: "d", ResourceGroup: "rg", SubscriptionID: sub},
		},
		{
			name: "in no resource group", id: "/subscriptions/" + sub + "/providers/Microsoft.Security/pricings/default",
			want: plugin.Resource{Type: "Microsoft.Security/pricings", Name: "default", SubscriptionID: sub},
		},
		{name: "nothing", id: "", err: "is not a resource ID"},
		{name: "a name", id: "kv-app", err: "is not a resource ID"},
		{name: "cut off", id: "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.KeyVault/vaults", err: "is not a resource ID"},
		{name: "a subscription", id: "/subscriptions/" + sub, err: "is not the ID of a resource in a subscription"},
		{name: "a resource group", id: "/subscriptions/" + sub + "/resourceGroups/rg", err: "is not the ID of a resource in a subscription"},
		{name: "of the tenant", id: "/providers/Microsoft.Management/managementGroups/root", err: "is not the ID of a resource in a subscription"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := inventory.FromID(tt.id)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			tt.want.ID = tt.id
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
