package auth

import (
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// Environment is what the environment says about one side.
type Environment struct {
	TenantID       string      // the first tenant that a variable of this side names; "" if none does
	SubscriptionID string      // the first subscription that a variable of this side names; "" if none does
	Principals     []Principal // what names an application, complete or not, in the order of the chain
	// FederatedTokenFile and ClientID are those of a workload identity and of a
	// user-assigned managed identity: AZURE_FEDERATED_TOKEN_FILE and AZURE_CLIENT_ID.
	FederatedTokenFile string
	ClientID           string
	// Only is AZURE_TOKEN_CREDENTIALS: "dev", "prod" or the name of one member of the
	// default chain; "" for all of them.
	Only string
}

// Lookup finds a variable; os.LookupEnv is one.
type Lookup func(name string) (string, bool)

// group is a family of variables with a common prefix.
type group struct {
	prefix string
	tenant string // name of the tenant variable behind the prefix
}

func (g group) origin() string { return g.prefix + "*" }

var shared = group{prefix: "AZURE_", tenant: "TENANT_ID"}

// groups returns the families that concern side, in the order of the chain. The numbered
// ones are those of Azure Tenant Grapher's .env file: 1 is the source, 2 is the target.
func groups(side plugin.Side) []group {
	if side == plugin.Source {
		return []group{{"ATG_SOURCE_", "TENANT_ID"}, shared, {"AZURE_TENANT_1_", "ID"}}
	}
	return []group{{"AZURE_DATAPLANE_", "TENANT_ID"}, shared, {"AZURE_TENANT_2_", "ID"}}
}

// FromEnvironment reads the variables that concern side. An empty variable counts as not
// set. Of each family it reads TENANT_ID, SUBSCRIPTION_ID, CLIENT_ID, CLIENT_SECRET,
// CLIENT_CERTIFICATE_PATH and CLIENT_CERTIFICATE_PASSWORD (AZURE_TENANT_1_ID and
// AZURE_TENANT_2_ID in the numbered ones).
func FromEnvironment(side plugin.Side, lookup Lookup) Environment {
	get := func(name string) string {
		v, _ := lookup(name)
		return v
	}
	var env Environment
	for _, g := range groups(side) {
		p := Principal{
			Origin:              g.origin(),
			TenantID:            get(g.prefix + g.tenant),
			ClientID:            get(g.prefix + "CLIENT_ID"),
			ClientSecret:        secret.New(get(g.prefix + "CLIENT_SECRET")),
			CertificatePath:     get(g.prefix + "CLIENT_CERTIFICATE_PATH"),
			CertificatePassword: secret.New(get(g.prefix + "CLIENT_CERTIFICATE_PASSWORD")),
		}
		if p.named() {
			env.Principals = append(env.Principals, p)
		}
		env.TenantID = first(env.TenantID, p.TenantID)
		env.SubscriptionID = first(env.SubscriptionID, get(g.prefix+"SUBSCRIPTION_ID"))
	}
	env.Only = get("AZURE_TOKEN_CREDENTIALS")
	env.FederatedTokenFile, env.ClientID = get("AZURE_FEDERATED_TOKEN_FILE"), get("AZURE_CLIENT_ID")
	return env
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
