// Package inventory finds the resources of one side. Each place that knows resources is a
// Finder in a folder of its own: arm asks Azure, one resource type after the other or
// through Resource Graph, file reads a JSON file, tfstate a Terraform state, neo4j the graph
// of Azure Tenant Grapher. Package pairing finds for each source resource the target that
// stands for it.
package inventory

import (
	"context"
	"fmt"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Finder streams the resources of some types.
type Finder interface {
	// Find yields each resource whose type is one of types once; no types means all. Types
	// compare case-insensitively. A yielded error covers one page or scope; the stream goes
	// on if it can. The inventory is complete if and only if no error was yielded.
	Find(ctx context.Context, types []string) iter.Seq2[plugin.Resource, error]
}

// Linker is a Finder that knows of ties between sources and targets which no resource
// can carry.
type Linker interface {
	Finder
	// Links returns the ties that the calls of Find have seen so far.
	Links() Links
}

// Links are ties between sources and targets. Keys are resource IDs in lower case.
type Links struct {
	// Sources has the ID of the source for targets.
	Sources map[string]string
	// Aliases has for sources the IDs of the nodes from which Azure Tenant Grapher makes
	// their copies: names without a tenant, such as "kv-132d9e317a6f8138".
	Aliases map[string][]string
	// Blocks has for targets the names of the blocks that stand for them in Terraform code.
	Blocks map[string]string
}

// Noter is a Finder that has something to say about what it read, beside resources.
type Noter interface {
	Finder
	// Notes returns one sentence for each thing that the calls of Find met.
	Notes() []string
}

// FromID returns a resource with what its ID alone says: type, name, resource group and
// subscription. It follows the resource ID grammar of Azure Resource Manager, as the SDK
// parses it, and refuses the IDs of subscriptions and resource groups themselves.
func FromID(id string) (plugin.Resource, error) {
	r, err := arm.ParseResourceID(id)
	if err != nil {
		return plugin.Resource{}, fmt.Errorf("%q is not a resource ID: %w", id, err)
	}
	typ := r.ResourceType.String()
	if r.SubscriptionID == "" || typ == arm.SubscriptionResourceType.String() || typ == arm.ResourceGroupResourceType.String() {
		return plugin.Resource{}, fmt.Errorf("%q is not the ID of a resource in a subscription", id)
	}
	return plugin.Resource{
		ID: id, Type: typ, Name: r.Name,
		ResourceGroup: r.ResourceGroupName, SubscriptionID: r.SubscriptionID,
	}, nil
}
