package arm_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/inventory/arm"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// resourceGraph answers queries as the REST reference of Resource Graph 2024-04-01 shows
// them: rows as objects, a page at a time, a $skipToken while there is more.
type resourceGraph struct {
	stub
	rows    int // in all
	page    int
	cut     bool // the answer says that it is cut off, and has no token
	body    string
	status  int
	queries []graphRequest
}

type graphRequest struct {
	Query         string   `json:"query"`
	Subscriptions []string `json:"subscriptions"`
	Options       struct {
		ResultFormat string `json:"resultFormat"`
		Top          int    `json:"$top"`
		SkipToken    string `json:"$skipToken"`
	} `json:"options"`
}

// Do implements policy.Transporter.
func (g *resourceGraph) Do(req *http.Request) (*http.Response, error) {
	if req.URL.Path != "/providers/Microsoft.ResourceGraph/resources" {
		return g.stub.Do(req)
	}
	var q graphRequest
	raw, err := io.ReadAll(req.Body)
	if err == nil {
		err = json.Unmarshal(raw, &q)
	}
	if err != nil || req.Method != http.MethodPost || req.URL.Query().Get("api-version") != "2024-04-01" {
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL, err)
	}
	g.queries = append(g.queries, q)
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/json")
	if g.status != 0 {
		rec.WriteHeader(g.status)
	}
	text := g.body
	if text == "" {
		text = g.answer(q)
	}
	_, _ = rec.WriteString(text)
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

func (g *resourceGraph) answer(q graphRequest) string {
	from := 0
	_, _ = fmt.Sscanf(q.Options.SkipToken, "from-%d", &from)
	to := min(from+g.page, g.rows)
	rows := []map[string]any{}
	for n := from; n < to; n++ {
		rows = append(rows, map[string]any{
			"id":   fmt.Sprintf("/subscriptions/%s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-%04d", q.Subscriptions[0], n),
			"kind": "", "location": "westeurope", "sku": map[string]any{"name": "standard", "tier": nil}, "tags": map[string]any{"n": fmt.Sprint(n)},
		})
	}
	out := map[string]any{"totalRecords": g.rows, "count": len(rows), "data": rows, "facets": []any{}, "resultTruncated": "false"}
	if to < g.rows {
		out["resultTruncated"] = "true"
		if !g.cut {
			out["$skipToken"] = fmt.Sprintf("from-%d", to)
		}
	}
	raw, _ := json.Marshal(out)
	return string(raw)
}

func (g *resourceGraph) find(t *testing.T, scope arm.Scope, types ...string) ([]plugin.Resource, error) {
	t.Helper()
	c := arm.NewClient(plugin.Source, tenant, g, pipeline.New(pipeline.Options{Transport: g, RetryDelay: time.Nanosecond}))
	var out []plugin.Resource
	for r, err := range c.GraphFinder(scope).Find(t.Context(), types) {
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

var _ policy.Transporter = (*resourceGraph)(nil)

func TestGraphPages(t *testing.T) {
	t.Parallel()
	g := &resourceGraph{rows: 2345, page: 1000}
	got, err := g.find(t, arm.Scope{Subscriptions: []string{sub}, ResourceGroups: []string{"rg", "it's"}}, "Microsoft.KeyVault/vaults", "Microsoft.Sql/servers")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2345 || len(g.queries) != 3 {
		t.Fatalf("%d resources by %d queries", len(got), len(g.queries))
	}
	want := plugin.Resource{
		ID:   "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-2344",
		Type: "Microsoft.KeyVault/vaults", Name: "kv-2344", ResourceGroup: "rg", SubscriptionID: sub, TenantID: tenant,
		Location: "westeurope", SKU: "standard", Tags: map[string]string{"n": "2344"},
	}
	if diff := cmp.Diff(want, got[2344]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const kql = `Resources | where type in~ ('Microsoft.KeyVault/vaults', 'Microsoft.Sql/servers') | where resourceGroup in~ ('rg', 'it\'s') | project id, kind, location, sku, tags | order by id asc`
	for n, q := range g.queries {
		token := ""
		if n > 0 {
			token = fmt.Sprintf("from-%d", n*1000)
		}
		if q.Query != kql || q.Options.ResultFormat != "objectArray" || q.Options.Top != 1000 || q.Options.SkipToken != token {
			t.Errorf("query %d: %+v", n, q)
		}
	}
}

// Without a subscription those of the tenant are asked for, a thousand at a time.
func TestGraphSubscriptions(t *testing.T) {
	t.Parallel()
	var list []string
	for n := range 1002 {
		home := tenant
		if n == 7 {
			home = "99999999-0000-4000-8000-000000000001" // managed through Lighthouse
		}
		list = append(list, fmt.Sprintf(`{"subscriptionId":"s-%04d","tenantId":%q,"state":"Enabled"}`, n, home))
	}
	g := &resourceGraph{rows: 1, page: 1}
	g.answers = map[string]string{"/subscriptions": `200 {"value":[` + strings.Join(list, ",") + `]}`}
	got, err := g.find(t, arm.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || len(g.queries) != 2 || len(g.queries[0].Subscriptions) != 1000 || len(g.queries[1].Subscriptions) != 1 {
		t.Errorf("%d resources, queries %d", len(got), len(g.queries))
	}
	if strings.Contains(g.queries[0].Query, "type in~") {
		t.Error(g.queries[0].Query)
	}
	for _, q := range g.queries {
		for _, s := range q.Subscriptions {
			if s == "s-0007" {
				t.Error("the query names a subscription of another tenant")
			}
		}
	}
}

func TestGraphRefused(t *testing.T) {
	t.Parallel()
	scope := arm.Scope{Subscriptions: []string{sub}}
	tests := []struct {
		name  string
		graph *resourceGraph
		kind  errs.Kind
		text  string
	}{
		{"cut off", &resourceGraph{rows: 10, page: 5, cut: true}, errs.Internal, "truncated and has no token"},
		{"a table", &resourceGraph{body: `{"count":1,"totalRecords":1,"resultTruncated":"false","data":{"columns":[],"rows":[]}}`}, errs.Internal, "another form"},
		{"a row without an ID", &resourceGraph{body: `{"count":1,"totalRecords":1,"resultTruncated":"false","data":[{}]}`}, errs.Internal, "is not a resource ID"},
		{
			"denied", &resourceGraph{status: http.StatusForbidden, body: `{"error":{"code":"AccessDenied","message":"no"}}`},
			errs.PermissionDenied, "query Azure Resource Graph (source): AccessDenied",
		},
		{"a subscription list that fails", &resourceGraph{}, errs.NotFound, "list the subscriptions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := scope
			if strings.Contains(tt.name, "list") {
				in = arm.Scope{}
			}
			_, err := tt.graph.find(t, in, "Microsoft.KeyVault/vaults")
			if errs.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("kind %q: %v", errs.KindOf(err), err)
			}
		})
	}
}
