package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resourcegraph/armresourcegraph"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var _ inventory.Finder = (*GraphFinder)(nil)

// GraphFinder reads a scope through Azure Resource Graph: one query for all types and
// subscriptions, where Finder sends one request for each type and subscription. What it
// finds may be some minutes old, and its api-version says nothing of when a new resource
// shows up: for a target that has just been deployed Finder is the better one.
type GraphFinder struct {
	client *Client
	scope  Scope
}

// GraphFinder returns an inventory.Finder over scope that asks Azure Resource Graph. It
// yields what Finder does.
func (c *Client) GraphFinder(scope Scope) *GraphFinder { return &GraphFinder{client: c, scope: scope} }

// graphPage is the largest page that Resource Graph returns.
const graphPage = 1000

// maxGraphSubscriptions is how many subscriptions one query may name.
const maxGraphSubscriptions = 1000

// Find implements inventory.Finder. It follows the operation Resources of
// Microsoft.ResourceGraph 2024-04-01 and its paging with $skipToken, for which the query
// must project id, order by it and have no limit.
func (f *GraphFinder) Find(ctx context.Context, types []string) iter.Seq2[plugin.Resource, error] {
	return func(yield func(plugin.Resource, error) bool) {
		subs, err := f.subscriptions(ctx)
		if err != nil {
			yield(plugin.Resource{}, err)
			return
		}
		client, err := armresourcegraph.NewClient(f.client.cred, &f.client.options)
		if err != nil {
			yield(plugin.Resource{}, f.wrap(err))
			return
		}
		for len(subs) > 0 {
			n := min(len(subs), maxGraphSubscriptions)
			if !f.query(ctx, client, graphQuery(types, f.scope.ResourceGroups), subs[:n], yield) {
				return
			}
			subs = subs[n:]
		}
	}
}

// subscriptions returns those of the scope, or all of the tenant: without them a query
// would also see what is managed through Lighthouse.
func (f *GraphFinder) subscriptions(ctx context.Context) ([]*string, error) {
	var out []*string
	for id, err := range f.client.Finder(f.scope).subscriptions(ctx) {
		if err != nil {
			return nil, err
		}
		out = append(out, &id)
	}
	return out, nil
}

// graphQuery is the query, in the Kusto Query Language. Texts are compared without case.
func graphQuery(types, groups []string) string {
	q := "Resources"
	if len(types) > 0 {
		q += " | where type in~ (" + literals(types) + ")"
	}
	if len(groups) > 0 {
		q += " | where resourceGroup in~ (" + literals(groups) + ")"
	}
	return q + " | project id, kind, location, sku, tags | order by id asc"
}

// literals are texts as the query language writes them.
func literals(texts []string) string {
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = "'" + quote.Replace(t) + "'"
	}
	return strings.Join(out, ", ")
}

// query yields the resources of some subscriptions, page by page. It returns false when
// the consumer has had enough.
func (f *GraphFinder) query(ctx context.Context, client *armresourcegraph.Client, kql string, subs []*string, yield func(plugin.Resource, error) bool) bool {
	format, top := armresourcegraph.ResultFormatObjectArray, int32(graphPage)
	request := armresourcegraph.QueryRequest{
		Query: &kql, Subscriptions: subs,
		Options: &armresourcegraph.QueryRequestOptions{ResultFormat: &format, Top: &top},
	}
	for {
		answer, err := client.Resources(ctx, request, nil)
		if err != nil {
			return yield(plugin.Resource{}, f.wrap(err))
		}
		rows, err := rowsOf(answer)
		if err != nil {
			return yield(plugin.Resource{}, f.client.fail(errs.Internal, graphOp, "", err))
		}
		for _, row := range rows {
			if !yield(f.resource(row)) {
				return false
			}
		}
		if text(answer.SkipToken) == "" {
			return true
		}
		request.Options.SkipToken = answer.SkipToken
	}
}

const graphOp = "query Azure Resource Graph"

func (f *GraphFinder) wrap(err error) error { return f.client.wrap(graphOp, "", err) }

// graphRow is one row of an answer. SKU and tags are objects or null.
type graphRow struct {
	ID       string             `json:"id"`
	Kind     string             `json:"kind"`
	Location string             `json:"location"`
	SKU      json.RawMessage    `json:"sku"`
	Tags     map[string]*string `json:"tags"`
}

// rowsOf reads the rows of an answer, and refuses one that is cut off for good: that is a
// gap in the inventory.
func rowsOf(answer armresourcegraph.ClientResourcesResponse) ([]graphRow, error) {
	cut := answer.ResultTruncated != nil && *answer.ResultTruncated == armresourcegraph.ResultTruncatedTrue
	if cut && text(answer.SkipToken) == "" {
		return nil, errors.New("the answer is truncated and has no token for the rest")
	}
	raw, err := json.Marshal(answer.Data)
	if err != nil {
		return nil, err
	}
	var rows []graphRow
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, fmt.Errorf("the answer has another form than the one asked for: %w", err)
	}
	return rows, nil
}

func (f *GraphFinder) resource(row graphRow) (plugin.Resource, error) {
	r, err := inventory.FromID(row.ID)
	if err != nil {
		return r, f.client.fail(errs.Internal, graphOp, row.ID, err)
	}
	f.client.describe(&r, &row.Kind, &row.Location, nil, row.Tags)
	var sku struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(row.SKU, &sku) == nil {
		r.SKU = sku.Name
	}
	return r, nil
}
