// Package arm reads resources from Azure Resource Manager: the live inventory, and the
// whole of single resources.
//
// It follows the operations Resources_List, Resources_ListByResourceGroup,
// Resources_GetById, Providers_Get, Providers_GetAtTenantScope and Subscriptions_List. It
// changes nothing; the SDK's automatic registration of resource providers is off.
package arm

import (
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// Client reads one side's tenant. It is safe for concurrent use.
type Client struct {
	side    plugin.Side
	tenant  string
	cred    azcore.TokenCredential
	options azarm.ClientOptions

	mu        sync.Mutex
	providers map[string]*provider // by namespace in lower case; mu guards the map
}

// NewClient returns a client for the tenant with the given ID. The tenant is written into
// every resource that the client returns; Azure does not say it itself.
func NewClient(side plugin.Side, tenantID string, cred azcore.TokenCredential, options policy.ClientOptions) *Client {
	return &Client{
		side: side, tenant: tenantID, cred: cred,
		options:   azarm.ClientOptions{ClientOptions: options, DisableRPRegistration: true},
		providers: map[string]*provider{},
	}
}

// TenantID is the tenant that the client was made for.
func (c *Client) TenantID() string { return c.tenant }

// Scope says where to look.
type Scope struct {
	Subscriptions  []string // IDs; none: every subscription of the tenant that the principal sees
	ResourceGroups []string // names; none: all of them
}

// Finder returns an inventory.Finder over scope. It yields what a listing holds: kind, SKU
// and tags, but no properties; Hydrate fetches those.
func (c *Client) Finder(scope Scope) *Finder { return &Finder{client: c, scope: scope} }

// Finder lists the resources of a scope.
type Finder struct {
	client *Client
	scope  Scope
}

// Subscription is a subscription that the principal sees.
type Subscription struct {
	ID       string
	Name     string
	State    string // "Enabled", "Disabled", "Warned", "PastDue", "Deleted"
	TenantID string // its home tenant; another one where it is managed through Lighthouse
}
