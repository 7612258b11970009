package neo4j

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// A tenant as Azure Tenant Grapher scans it, and as its Terraform deploys the copy. What
// is here follows that program's own rules and shares no code with what is tested.

const (
	sourceSub = "11111111-2222-4333-8444-555555555555"
	targetSub = "99999999-8888-4777-8666-555555555555"
	seed      = "5e3d"
)

// family is the resources of one type.
type family struct {
	typ    string   // as Azure's IDs have it
	said   []string // as nodes have it: in several spellings
	prefix string
	count  int
	twins  int                                          // how many more there are with a name that another group has too
	deploy func(node string, resource, s string) string // name of the copy; nil: there is no copy
}

func families() []family {
	hashed := func(keep int, joint string) func(string, string, string) string {
		return func(node, _, _ string) string { return node[:min(keep, len(node))] + joint + md5hex(node)[:6] }
	}
	same := func(node, _, _ string) string { return node }
	return []family{
		{typ: "Microsoft.KeyVault/vaults", said: []string{"Microsoft.KeyVault/vaults", "microsoft.keyvault/vaults"}, prefix: "kv-", count: 300, deploy: hashed(17, "-")},
		{typ: "Microsoft.Storage/storageAccounts", said: []string{"Microsoft.Storage/storageAccounts"}, prefix: "storage", count: 400, deploy: hashed(18, "")},
		{typ: "Microsoft.ContainerRegistry/registries", said: []string{"Microsoft.ContainerRegistry/registries"}, prefix: "acr", count: 60, deploy: hashed(44, "")},
		{
			typ: "Microsoft.DocumentDB/databaseAccounts", said: []string{"Microsoft.DocumentDB/databaseAccounts", "Microsoft.DocumentDb/databaseAccounts"}, prefix: "cosmos-", count: 40,
			deploy: func(node, _, _ string) string {
				return strings.ToLower((node + "-" + md5hex(targetSub)[:8]))[:min(44, len(node)+9)]
			},
		},
		{typ: "Microsoft.Sql/servers", said: []string{"Microsoft.Sql/servers"}, prefix: "sql-", count: 20, deploy: hashed(57, "")},
		{typ: "Microsoft.Web/sites", said: []string{"Microsoft.Web/sites"}, prefix: "app-", count: 150, deploy: hashed(54, "")},
		{typ: "Microsoft.ApiManagement/service", said: []string{"Microsoft.ApiManagement/service"}, prefix: "service-", count: 10},
		{typ: "Microsoft.Compute/virtualMachines", said: []string{"Microsoft.Compute/virtualMachines", "microsoft.compute/virtualMachines"}, prefix: "vm-", count: 500, twins: 120, deploy: same},
		{typ: "Microsoft.Compute/disks", said: []string{"Microsoft.Compute/disks"}, prefix: "disk-", count: 300, deploy: same},
		{typ: "Microsoft.Network/networkInterfaces", said: []string{"Microsoft.Network/networkInterfaces"}, prefix: "nic-", count: 100, deploy: same},
	}
}

// tenant is a scanned tenant and what became of it.
type tenant struct {
	originals, abstracted []map[string]any  // properties of the nodes
	edges                 []map[string]any  // from an abstracted node to an original one
	targets               []string          // IDs
	pairs                 map[string]string // source → target, as they must be found
	alone                 map[string]bool   // sources that must not be paired
}

// contoso builds the tenant: 2,000 resources, each twice in the graph.
func contoso() *tenant {
	t := &tenant{pairs: map[string]string{}, alone: map[string]bool{}}
	for _, f := range families() {
		for n := range f.count {
			name := fmt.Sprintf("%s%04d", strings.ReplaceAll(f.prefix, "-", ""), n)
			t.add(f, name, n, n%7, false, n < f.twins)
		}
		for n := range f.twins {
			t.add(f, fmt.Sprintf("%s%04d", strings.ReplaceAll(f.prefix, "-", ""), n), n, 7+n%3, true, true)
		}
	}
	return t
}

// add adds the n-th resource of a family. Twins, of one name and type in two groups, are
// one node without a tenant, and one copy: nobody can tell of which of them.
func (t *tenant) add(f family, name string, n, group int, again, ambiguous bool) {
	id := resourceID(sourceSub, fmt.Sprintf("rg-%02d", group), f.typ, name)
	node := f.prefix + sha256hex(name + ":" + seed)[:16]
	said := f.said[n%len(f.said)]
	tags := `{"env":"prod"}`
	if n%50 == 0 {
		tags = `{"env":"pro...(truncated)`
	}
	t.originals = append(t.originals, map[string]any{
		"id": id, "name": name, "type": said, "location": "westeurope", "resource_group": fmt.Sprintf("rg-%02d", group),
		"subscription_id": sourceSub, "tags": tags, "properties": properties(n), "abstracted_id": node,
	})
	t.edges = append(t.edges, map[string]any{"from": node, "to": id})
	if !again {
		t.abstracted = append(t.abstracted, map[string]any{
			"id": node, "name": node, "original_name": name, "original_id": id, "abstracted_id": node, "type": said,
			"location": "westeurope", "resource_group": fmt.Sprintf("rg-%02d", group), "subscription_id": sourceSub,
			"tags": tags, "properties": properties(n),
		})
	}
	if f.deploy == nil {
		t.alone[id] = true
		return
	}
	target := resourceID(targetSub, fmt.Sprintf("rg-%02d", group), f.typ, f.deploy(node, id, targetSub))
	if !again {
		t.targets = append(t.targets, target)
	}
	if ambiguous {
		t.alone[id] = true
	} else {
		t.pairs[id] = target
	}
}

func resourceID(sub, group, typ, name string) string {
	return "/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/" + typ + "/" + name
}

// properties are those of the n-th resource: a text of JSON, cut after 5,000 characters.
func properties(n int) string {
	raw, _ := json.Marshal(map[string]string{"provisioningState": "Succeeded", "padding": strings.Repeat("x", (n%40)*200)})
	if len(raw) <= 5000 {
		return string(raw)
	}
	return string(raw[:5000]) + "...(truncated)"
}

func md5hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sha256hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
