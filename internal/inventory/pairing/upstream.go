package pairing

import (
	"crypto/md5" //nolint:gosec // a naming rule of another program, not a protection
	"encoding/hex"
	"strings"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// upstreamRules are how the Terraform emitter of Azure Tenant Grapher names the copies of
// types whose names are unique in all of Azure, where it emits the scanned resource itself:
// so many characters of its name, a joint, and the first six hex digits of the MD5 of its
// resource ID as it was scanned. Of a copy that it makes from a node without a tenant, name
// and ID are those of the node: only its graph can lead back.
var upstreamRules = map[string]struct {
	keep  int
	joint string
}{
	"microsoft.storage/storageaccounts":      {18, ""},
	"microsoft.keyvault/vaults":              {17, "-"},
	"microsoft.sql/servers":                  {57, ""},
	"microsoft.web/sites":                    {54, ""},
	"microsoft.containerregistry/registries": {44, ""},
}

const cosmosType = "microsoft.documentdb/databaseaccounts"

// upstreamNames returns the names, in lower case, that a copy of r may have. Those of
// Cosmos DB accounts depend on the target's subscription rather than on the source's ID.
func upstreamNames(r plugin.Resource, subscriptions []string) []string {
	typ, name := strings.ToLower(r.Type), strings.ToLower(r.Name)
	if typ == cosmosType {
		out := make([]string, 0, len(subscriptions))
		for _, sub := range subscriptions {
			out = append(out, cut(name+"-"+digest(sub)[:8], 44))
		}
		return out
	}
	rule, ok := upstreamRules[typ]
	if !ok {
		return nil
	}
	return []string{cut(name, rule.keep) + rule.joint + digest(r.ID)[:6]}
}

// aliasNames returns the names, in lower case, that a copy of r may have if it was made
// from one of the nodes with the given IDs. The node's ID is its name too; in graphs of
// releases before 2026 its name is that of the resource. The copy of a key vault keeps the
// name as it is where the tenant stays the same.
func aliasNames(r plugin.Resource, nodes, subscriptions []string) []string {
	typ := strings.ToLower(r.Type)
	var out []string
	for _, id := range nodes {
		for _, name := range []string{id, r.Name} {
			node := plugin.Resource{ID: id, Type: r.Type, Name: name}
			out = append(out, upstreamNames(node, subscriptions)...)
		}
		if _, renamed := upstreamRules[typ]; typ != cosmosType && !renamed || typ == "microsoft.keyvault/vaults" {
			out = append(out, strings.ToLower(id))
		}
	}
	return out
}

func digest(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// cut returns the first n bytes of s; names of Azure resources are ASCII.
func cut(s string, n int) string { return s[:min(n, len(s))] }
