package arm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// provider is what Azure says about the resource types of one provider namespace. It is
// asked for once; a failure is not kept.
type provider struct {
	mu    sync.Mutex
	types map[string]string // newest api-version by type in lower case, without the namespace; mu guards it
}

// version returns the newest api-version of the resource's type that is not a preview; of
// a type that has only previews, the newest of them.
func (c *Client) version(ctx context.Context, r plugin.Resource) (string, error) {
	const op = "find the api-version of the resource type"
	namespace, typ, _ := strings.Cut(r.Type, "/")
	p := c.provider(namespace)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.types == nil {
		types, err := c.resourceTypes(ctx, r.SubscriptionID, namespace)
		if err != nil {
			return "", c.wrap(op, r.ID, err)
		}
		p.types = types
	}
	if v := p.types[strings.ToLower(typ)]; v != "" {
		return v, nil
	}
	return "", c.fail(errs.Unsupported, op, r.ID, fmt.Errorf("the provider %s has no resource type %s", namespace, typ))
}

func (c *Client) provider(namespace string) *provider {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := strings.ToLower(namespace)
	if c.providers[key] == nil {
		c.providers[key] = &provider{}
	}
	return c.providers[key]
}

// resourceTypes asks the subscription for a provider's types, and the tenant where the
// principal may not ask the subscription: it may hold a role on a resource group only.
func (c *Client) resourceTypes(ctx context.Context, sub, namespace string) (map[string]string, error) {
	client, err := armresources.NewProvidersClient(sub, c.cred, &c.options)
	if err != nil {
		return nil, err
	}
	answer, err := client.Get(ctx, namespace, nil)
	types := answer.ResourceTypes
	if refused(err) {
		var tenant armresources.ProvidersClientGetAtTenantScopeResponse
		tenant, err = client.GetAtTenantScope(ctx, namespace, nil)
		types = tenant.ResourceTypes
	}
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(types))
	for _, t := range types {
		out[strings.ToLower(text(t.ResourceType))] = newest(t.APIVersions)
	}
	return out, nil
}

func refused(err error) bool {
	var e *azcore.ResponseError
	return errors.As(err, &e) && (e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusNotFound)
}

// newest returns the latest version, one without a suffix such as "-preview" if there is
// any. Versions are dates in the form 2024-11-01, which sort as texts.
func newest(versions []*string) string {
	var stable, other string
	for _, v := range versions {
		if s := text(v); len(s) == len("2006-01-02") {
			stable = max(stable, s)
		} else {
			other = max(other, s)
		}
	}
	return first(stable, other)
}
