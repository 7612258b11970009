package arm

import (
	"context"
	"iter"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var _ inventory.Finder = (*Finder)(nil)

// Find implements inventory.Finder: one listing per subscription (or resource group) and
// type, page by page. Azure documents no filter by several types at once.
func (f *Finder) Find(ctx context.Context, types []string) iter.Seq2[plugin.Resource, error] {
	return func(yield func(plugin.Resource, error) bool) {
		for sub, err := range f.subscriptions(ctx) {
			if err != nil {
				if !yield(plugin.Resource{}, err) {
					return
				}
				continue
			}
			if !f.findIn(ctx, sub, types, yield) {
				return
			}
		}
	}
}

// subscriptions yields those of the scope, or all.
func (f *Finder) subscriptions(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range f.scope.Subscriptions {
			if !yield(id, nil) {
				return
			}
		}
		if len(f.scope.Subscriptions) > 0 {
			return
		}
		for s, err := range f.client.Subscriptions(ctx) {
			if err == nil && !strings.EqualFold(s.TenantID, f.client.tenant) {
				continue
			}
			if !yield(s.ID, err) {
				return
			}
		}
	}
}

// findIn lists one subscription. It returns false when the consumer has had enough.
func (f *Finder) findIn(ctx context.Context, sub string, types []string, yield func(plugin.Resource, error) bool) bool {
	client, err := armresources.NewClient(sub, f.client.cred, &f.client.options)
	if err != nil {
		return yield(plugin.Resource{}, f.client.wrap("list the resources", "/subscriptions/"+sub, err))
	}
	groups := f.scope.ResourceGroups
	if len(groups) == 0 {
		groups = []string{""}
	}
	filters := types
	if len(filters) == 0 {
		filters = []string{""}
	}
	for _, group := range groups {
		for _, typ := range filters {
			l := listing{client: client, owner: f.client, sub: sub, group: group, typ: typ}
			if !l.run(ctx, yield) {
				return false
			}
		}
	}
	return true
}

// listing is one paged request: a subscription or resource group, and a type or "".
type listing struct {
	client          *armresources.Client
	owner           *Client
	sub, group, typ string
}

func (l listing) run(ctx context.Context, yield func(plugin.Resource, error) bool) bool {
	for page, err := range l.pages(ctx) {
		if err != nil {
			return yield(plugin.Resource{}, l.owner.wrap("list the resources", l.scope(), err))
		}
		for _, item := range page {
			r, err := l.owner.listed(item)
			if err == nil && l.typ != "" && !strings.EqualFold(r.Type, l.typ) {
				continue // the filter is the service's; do not rest on it
			}
			if !yield(r, err) {
				return false
			}
		}
	}
	return true
}

func (l listing) scope() string {
	if l.group == "" {
		return "/subscriptions/" + l.sub
	}
	return "/subscriptions/" + l.sub + "/resourceGroups/" + l.group
}

func (l listing) filter() *string {
	if l.typ == "" {
		return nil
	}
	f := "resourceType eq '" + strings.ReplaceAll(l.typ, "'", "''") + "'"
	return &f
}

// pages yields the pages of the listing and ends after an error: the pager cannot go on.
func (l listing) pages(ctx context.Context) iter.Seq2[[]*armresources.GenericResourceExpanded, error] {
	if l.group == "" {
		pager := l.client.NewListPager(&armresources.ClientListOptions{Filter: l.filter()})
		return pages(ctx, pager, func(r armresources.ClientListResponse) []*armresources.GenericResourceExpanded { return r.Value })
	}
	pager := l.client.NewListByResourceGroupPager(l.group, &armresources.ClientListByResourceGroupOptions{Filter: l.filter()})
	return pages(ctx, pager, func(r armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
		return r.Value
	})
}

// pager is what runtime.Pager has.
type pager[P any] interface {
	More() bool
	NextPage(ctx context.Context) (P, error)
}

func pages[P, T any](ctx context.Context, p pager[P], values func(P) []T) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		for p.More() {
			page, err := p.NextPage(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(values(page), nil) {
				return
			}
		}
	}
}

// listed turns an entry of a listing into a resource.
func (c *Client) listed(in *armresources.GenericResourceExpanded) (plugin.Resource, error) {
	r, err := inventory.FromID(text(in.ID))
	if err != nil {
		return r, c.fail(errs.Internal, "read the listing", text(in.ID), err)
	}
	c.describe(&r, in.Kind, in.Location, in.SKU, in.Tags)
	return r, nil
}

// describe fills in what listings and GET answers have in common.
func (c *Client) describe(r *plugin.Resource, kind, location *string, sku *armresources.SKU, tags map[string]*string) {
	r.TenantID, r.Kind, r.Location = c.tenant, text(kind), text(location)
	if sku != nil {
		r.SKU = text(sku.Name)
	}
	r.Tags = nil
	for k, v := range tags {
		if r.Tags == nil {
			r.Tags = make(map[string]string, len(tags))
		}
		r.Tags[k] = text(v)
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Subscriptions streams the subscriptions that the principal sees. The stream ends with
// the first error.
func (c *Client) Subscriptions(ctx context.Context) iter.Seq2[Subscription, error] {
	return func(yield func(Subscription, error) bool) {
		client, err := armsubscriptions.NewClient(c.cred, &c.options)
		if err != nil {
			yield(Subscription{}, c.wrap("list the subscriptions", "", err))
			return
		}
		all := pages(ctx, client.NewListPager(nil), func(p armsubscriptions.ClientListResponse) []*armsubscriptions.Subscription { return p.Value })
		for page, err := range all {
			if err != nil {
				yield(Subscription{}, c.wrap("list the subscriptions", "", err))
				return
			}
			for _, s := range page {
				if !yield(subscription(s), nil) {
					return
				}
			}
		}
	}
}

func subscription(s *armsubscriptions.Subscription) Subscription {
	out := Subscription{ID: text(s.SubscriptionID), Name: text(s.DisplayName), TenantID: text(s.TenantID)}
	if s.State != nil {
		out.State = string(*s.State)
	}
	return out
}
