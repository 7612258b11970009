package auth_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// env makes a lookup of fixed variables.
func env(vars map[string]string) auth.Lookup {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func TestFromEnvironment(t *testing.T) {
	t.Parallel()
	all := map[string]string{
		"ATG_SOURCE_TENANT_ID": "ts", "ATG_SOURCE_CLIENT_ID": "cs", "ATG_SOURCE_CLIENT_SECRET": "ss", "ATG_SOURCE_SUBSCRIPTION_ID": "us",
		"AZURE_DATAPLANE_TENANT_ID": "tt", "AZURE_DATAPLANE_CLIENT_ID": "ct", "AZURE_DATAPLANE_CLIENT_SECRET": "st",
		"AZURE_TENANT_ID": "ta", "AZURE_CLIENT_ID": "ca", "AZURE_CLIENT_CERTIFICATE_PATH": "/cert", "AZURE_CLIENT_CERTIFICATE_PASSWORD": "pw",
		"AZURE_SUBSCRIPTION_ID": "ua",
		"AZURE_TENANT_1_ID":     "t1", "AZURE_TENANT_1_CLIENT_ID": "c1", "AZURE_TENANT_1_CLIENT_SECRET": "s1",
		"AZURE_TENANT_2_ID": "t2", "AZURE_TENANT_2_CLIENT_ID": "c2", "AZURE_TENANT_2_CLIENT_SECRET": "s2", "AZURE_TENANT_2_SUBSCRIPTION_ID": "u2",
		"AZURE_FEDERATED_TOKEN_FILE": "/token", "AZURE_TOKEN_CREDENTIALS": "prod",
	}
	tests := []struct {
		name         string
		side         plugin.Side
		vars         map[string]string
		principals   []string // origin tenant client secret certificate
		tenant, sub  string
		federated    string
		client, only string
	}{
		{
			name: "source, everything set", side: plugin.Source, vars: all,
			principals: []string{"ATG_SOURCE_* ts cs ss ", "AZURE_* ta ca  /cert", "AZURE_TENANT_1_* t1 c1 s1 "},
			tenant:     "ts", sub: "us", federated: "/token", client: "ca", only: "prod",
		},
		{
			name: "target, everything set", side: plugin.Target, vars: all,
			principals: []string{"AZURE_DATAPLANE_* tt ct st ", "AZURE_* ta ca  /cert", "AZURE_TENANT_2_* t2 c2 s2 "},
			tenant:     "tt", sub: "ua", federated: "/token", client: "ca", only: "prod",
		},
		{name: "nothing set", side: plugin.Source},
		{name: "a tenant alone is no principal", side: plugin.Source, vars: map[string]string{"ATG_SOURCE_TENANT_ID": "ts"}, tenant: "ts"},
		{name: "an empty variable is not set", side: plugin.Target, vars: map[string]string{"AZURE_CLIENT_ID": "", "AZURE_TENANT_ID": ""}},
		{
			name: "an incomplete principal is kept", side: plugin.Target, vars: map[string]string{"AZURE_DATAPLANE_CLIENT_SECRET": "st"},
			principals: []string{"AZURE_DATAPLANE_*   st "},
		},
		{
			name: "the other side's variables are not read", side: plugin.Target,
			vars: map[string]string{"ATG_SOURCE_CLIENT_ID": "cs", "AZURE_TENANT_1_CLIENT_ID": "c1", "ATG_SOURCE_TENANT_ID": "ts"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := auth.FromEnvironment(tt.side, env(tt.vars))
			var principals []string
			for _, p := range got.Principals {
				principals = append(principals, p.Origin+" "+p.TenantID+" "+p.ClientID+" "+p.ClientSecret.Reveal()+" "+p.CertificatePath)
			}
			if d := cmp.Diff(tt.principals, principals); d != "" {
				t.Errorf("principals (-want +got):\n%s", d)
			}
			if got.TenantID != tt.tenant || got.SubscriptionID != tt.sub {
				t.Errorf("tenant %q, subscription %q; want %q, %q", got.TenantID, got.SubscriptionID, tt.tenant, tt.sub)
			}
			if got.FederatedTokenFile != tt.federated || got.ClientID != tt.client || got.Only != tt.only {
				t.Errorf("default chain: %q %q %q; want %q %q %q", got.FederatedTokenFile, got.ClientID, got.Only, tt.federated, tt.client, tt.only)
			}
		})
	}
}
