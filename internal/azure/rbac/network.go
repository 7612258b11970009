package rbac

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Network says that a resource does not take requests from everywhere. Whether it takes
// this machine's cannot be told beforehand: only the service sees where they come from.
type Network struct {
	Fact string `json:"fact"`
	Hint string `json:"hint"` // what to do if requests are refused
}

// networkRules are the properties by which Azure's services limit who reaches them. They
// share the names, with two for the rules: networkAcls
// (https://learn.microsoft.com/rest/api/keyvault/vaults/get, also storage accounts and
// others) and networkRuleSet (container registries, messaging). Cosmos DB has them at the
// top, and no default: with any rule it takes nobody else
// (https://learn.microsoft.com/azure/cosmos-db/how-to-configure-firewall). API Management
// in a virtual network says so by its type.
type networkRules struct {
	Public    string              `json:"publicNetworkAccess"` // "Enabled", "Disabled", "SecuredByPerimeter"
	ACLs      *firewall           `json:"networkAcls"`
	RuleSet   *firewall           `json:"networkRuleSet"`
	Endpoints []privateConnection `json:"privateEndpointConnections"`
	IPRules   []json.RawMessage   `json:"ipRules"`
	Filtered  bool                `json:"isVirtualNetworkFilterEnabled"`
	Subnets   []json.RawMessage   `json:"virtualNetworkRules"`
	Network   string              `json:"virtualNetworkType"` // "None", "External", "Internal"
}

// wall is the firewall, under whatever name; nil if there is none.
func (n networkRules) wall() *firewall {
	switch {
	case n.ACLs != nil:
		return n.ACLs
	case n.RuleSet != nil:
		return n.RuleSet
	case n.Filtered || len(n.IPRules) > 0:
		return &firewall{Default: "Deny", IPRules: n.IPRules, Subnets: n.Subnets}
	}
	return nil
}

type firewall struct {
	Default string            `json:"defaultAction"` // "Allow" or "Deny"
	IPRules []json.RawMessage `json:"ipRules"`
	Subnets []json.RawMessage `json:"virtualNetworkRules"`
}

type privateConnection struct {
	Properties struct {
		State struct {
			Status string `json:"status"`
		} `json:"privateLinkServiceConnectionState"`
	} `json:"properties"`
}

// NetworkOf reads what Resource Manager says about the network of a resource; nil if it
// names nothing that keeps requests out. The resource must have been read in full.
func NetworkOf(r plugin.Resource) *Network {
	var rules networkRules
	if json.Unmarshal(r.Properties, &rules) != nil {
		return nil
	}
	private := 0
	for _, c := range rules.Endpoints {
		if s := c.Properties.State.Status; s == "" || strings.EqualFold(s, "Approved") {
			private++
		}
	}
	wall := rules.wall()
	switch {
	case strings.EqualFold(rules.Public, "Disabled") && private > 0:
		return &Network{
			Fact: "public network access is off: it is reached through its private endpoints alone",
			Hint: "run from a network with one of its private endpoints, whose DNS gives " + r.Name + " its private address",
		}
	case strings.EqualFold(rules.Public, "Disabled"):
		return &Network{
			Fact: "public network access is off and no private endpoint is approved: nothing reaches it but trusted services of Azure",
			Hint: "make a private endpoint and run from its network, or turn public network access on for the time of the run",
		}
	case strings.EqualFold(rules.Public, "SecuredByPerimeter"):
		return &Network{
			Fact: "a network security perimeter decides who reaches it",
			Hint: "run from an address that an access rule of the perimeter allows",
		}
	case strings.EqualFold(rules.Network, "Internal"):
		return &Network{
			Fact: "it is inside a virtual network: it is reached from there alone",
			Hint: "run from that network or one that is connected with it, whose DNS gives " + r.Name + " its private address",
		}
	case wall != nil && strings.EqualFold(wall.Default, "Deny"):
		return &Network{
			Fact: fmt.Sprintf("its firewall lets through %s and %s alone", counted(len(wall.IPRules), "address range"), counted(len(wall.Subnets), "subnet")),
			Hint: "run from one of them, or let this machine's address in: " + letIn(r),
		}
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ruleCommands add an address to a firewall, by lower-case resource type.
var ruleCommands = map[string]string{
	"microsoft.keyvault/vaults":              "az keyvault network-rule add --name %s --ip-address ADDRESS",
	"microsoft.storage/storageaccounts":      "az storage account network-rule add --account-name %s --ip-address ADDRESS",
	"microsoft.containerregistry/registries": "az acr network-rule add --name %s --ip-address ADDRESS",
	"microsoft.documentdb/databaseaccounts":  "az cosmosdb update --name %s --resource-group " + groupMark + " --ip-range-filter ADDRESSES",
}

// groupMark stands for the resource group in ruleCommands.
const groupMark = "GROUP"

func letIn(r plugin.Resource) string {
	if format, ok := ruleCommands[strings.ToLower(r.Type)]; ok {
		line := fmt.Sprintf(format, r.Name)
		if r.ResourceGroup != "" {
			line = strings.Replace(line, groupMark, r.ResourceGroup, 1)
		}
		return line
	}
	return "add it to the network rules of " + r.Name
}
