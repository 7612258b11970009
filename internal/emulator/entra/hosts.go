package entra

import (
	"slices"
	"strings"
)

// instance is one sovereign cloud's sign-in service, as instance discovery tells it.
type instance struct {
	network string   // preferred_network
	cache   string   // preferred_cache
	aliases []string // includes both
	issuer  string   // host of version 1.0 issuers
	name    string   // cloud_instance_name
	graph   string   // msgraph_host
}

// instances are those of
// https://login.microsoftonline.com/common/discovery/instance?api-version=1.1.
var instances = []instance{
	{
		network: "login.microsoftonline.com", cache: "login.windows.net",
		aliases: []string{"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"},
		issuer:  "sts.windows.net", name: "microsoftonline.com", graph: "graph.microsoft.com",
	},
	{
		network: "login.partner.microsoftonline.cn", cache: "login.partner.microsoftonline.cn",
		aliases: []string{"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"},
		issuer:  "sts.chinacloudapi.cn", name: "partner.microsoftonline.cn", graph: "microsoftgraph.chinacloudapi.cn",
	},
	{
		network: "login.microsoftonline.us", cache: "login.microsoftonline.us",
		aliases: []string{"login.microsoftonline.us", "login.usgovcloudapi.net"},
		issuer:  "sts.windows.net", name: "microsoftonline.us", graph: "graph.microsoft.us",
	},
}

func instanceOf(host string) (instance, bool) {
	for _, in := range instances {
		if slices.Contains(in.aliases, host) {
			return in, true
		}
	}
	return instance{}, false
}

// Name implements wire.Service.
func (a *Authority) Name() string { return "entra" }

// Owns implements wire.Service: the sign-in hosts of the public, China and US Government
// clouds.
func (a *Authority) Owns(host string) bool {
	_, ok := instanceOf(host)
	return ok
}

// firstParty are the audiences every tenant knows: identifier URIs and application IDs
// of Azure's own services.
var firstParty = map[string]bool{
	"https://management.azure.com":              true,
	"https://management.core.windows.net":       true,
	"https://management.usgovcloudapi.net":      true,
	"https://management.core.usgovcloudapi.net": true,
	"https://management.chinacloudapi.cn":       true,
	"https://management.core.chinacloudapi.cn":  true,
	"797f4846-ba00-4fd7-ba43-dac1f8f63013":      true, // Azure Resource Manager
	"https://vault.azure.net":                   true,
	"https://vault.usgovcloudapi.net":           true,
	"https://vault.azure.cn":                    true,
	"cfa8b339-82a2-471a-a3c9-0fc0be7a4093":      true, // Azure Key Vault
	"https://managedhsm.azure.net":              true,
	"https://storage.azure.com":                 true,
	"e406a681-f3d4-42a8-90b6-c2b029497af1":      true, // Azure Storage
	"https://disk.azure.com":                    true,
	"https://cosmos.azure.com":                  true,
	"https://containerregistry.azure.net":       true,
	"https://database.windows.net":              true,
	"https://azconfig.io":                       true,
	"https://servicebus.azure.net":              true,
	"https://eventhubs.azure.net":               true,
	"https://graph.microsoft.com":               true,
	"00000003-0000-0000-c000-000000000000":      true, // Microsoft Graph
	"https://api.loganalytics.io":               true,
	"https://apimanagement.azure.com":           true,
	"https://ossrdbms-aad.database.windows.net": true,
	"https://appservice.azure.com":              true,
	"https://batch.core.windows.net":            true,
	"https://monitor.azure.com":                 true,
}

// perAccount are services whose every account is an audience of its own.
var perAccount = []string{
	".documents.azure.com", ".blob.core.windows.net", ".queue.core.windows.net", ".table.core.windows.net",
	".file.core.windows.net", ".dfs.core.windows.net", ".azconfig.io", ".servicebus.windows.net",
}

func resourceKey(identifier string) string {
	return strings.ToLower(strings.TrimRight(identifier, "/"))
}

func (a *Authority) knowsResource(identifier string) bool {
	key := resourceKey(identifier)
	if firstParty[key] {
		return true
	}
	if host, ok := strings.CutPrefix(key, "https://"); ok {
		for _, suffix := range perAccount {
			if strings.HasSuffix(host, suffix) && len(host) > len(suffix) && !strings.Contains(host, "/") {
				return true
			}
		}
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.resources[key]
}
