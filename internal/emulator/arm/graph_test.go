package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resourcegraph/armresourcegraph"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
)

func newGraph(t testing.TB, w *world, who principal) func(armresourcegraph.QueryRequest) (armresourcegraph.QueryResponse, error) {
	t.Helper()
	c, err := armresourcegraph.NewClient(who, w.options)
	if err != nil {
		t.Fatal(err)
	}
	return func(q armresourcegraph.QueryRequest) (armresourcegraph.QueryResponse, error) {
		r, err := c.Resources(t.Context(), q, nil)
		return r.QueryResponse, err
	}
}

// column reads one column of an answer.
func column(data any, name string) []string {
	out := []string{}
	rows, _ := data.([]any)
	for _, r := range rows {
		out = append(out, fmt.Sprint(r.(map[string]any)[name]))
	}
	return out
}

func TestResourceGraph(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *arm.Options) { o.PageSize = 2 })
	w.Register(&planks{typ: "Contoso.Wood/planks"})
	for i := range 5 {
		w.put(t, fmt.Sprintf("%s/providers/Contoso.Wood/planks/p%d", groupA, i), map[string]any{"properties": map[string]any{"n": i}})
	}
	w.put(t, "/subscriptions/"+subA+"/resourceGroups/rg-other", map[string]any{"location": "eastus"})
	w.put(t, "/subscriptions/"+subA+"/resourceGroups/rg-other/providers/Contoso.Wood/planks/far", map[string]any{})
	query := newGraph(t, w, owner)

	q := armresourcegraph.QueryRequest{Query: to.Ptr("Resources | where type =~ 'contoso.wood/PLANKS' and resourceGroup == 'rg-app' | project id, name, n = properties.n | order by n asc")}
	var names []string
	for pages := 1; ; pages++ {
		r, err := query(q)
		if err != nil {
			t.Fatal(err)
		}
		if *r.TotalRecords != 5 || *r.Count > 2 || *r.ResultTruncated != armresourcegraph.ResultTruncatedFalse {
			t.Fatalf("page %d: %d of %d", pages, *r.Count, *r.TotalRecords)
		}
		names = append(names, column(r.Data, "name")...)
		if r.SkipToken == nil {
			break
		}
		q.Options = &armresourcegraph.QueryRequestOptions{SkipToken: r.SkipToken}
	}
	if diff := cmp.Diff([]string{"p0", "p1", "p2", "p3", "p4"}, names); diff != "" {
		t.Error(diff)
	}
	token := q.Options.SkipToken
	_, err := query(armresourcegraph.QueryRequest{Query: to.Ptr("Resources"), Options: &armresourcegraph.QueryRequestOptions{SkipToken: token}})
	wantSDKError(t, err, http.StatusBadRequest, "BadRequest")

	r, err := query(armresourcegraph.QueryRequest{Query: to.Ptr("ResourceContainers | project type, name | order by name asc"), Options: &armresourcegraph.QueryRequestOptions{
		ResultFormat: to.Ptr(armresourcegraph.ResultFormatTable), Top: to.Ptr[int32](1), Skip: to.Ptr[int32](1),
	}})
	want := map[string]any{
		"columns": []any{map[string]any{"name": "type", "type": "string"}, map[string]any{"name": "name", "type": "string"}},
		"rows":    []any{[]any{"microsoft.resources/subscriptions/resourcegroups", "rg-App"}},
	}
	if diff := cmp.Diff(any(want), r.Data); err != nil || diff != "" || *r.TotalRecords != 3 {
		t.Error(err, diff)
	}
}

// TestResourceGraphRights: a query sees what the caller may read, and no more.
func TestResourceGraphRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := "/subscriptions/" + subA + "/resourceGroups/rg-other"
	w.put(t, other, map[string]any{"location": "eastus"})
	w.put(t, other+"/providers/Microsoft.KeyVault/vaults/kv-b", map[string]any{"properties": map[string]any{}})
	all := armresourcegraph.QueryRequest{Query: to.Ptr("Resources | project name | order by name asc")}
	for who, want := range map[principal][]string{owner: {"kv-a", "kv-b"}, reader: {"kv-a"}, nobody: {}, ownerB: {}} {
		r, err := newGraph(t, w, who)(all)
		if diff := cmp.Diff(want, column(r.Data, "name")); err != nil || diff != "" {
			t.Errorf("%s: %v %s", who.app, err, diff)
		}
	}
	for _, scope := range []armresourcegraph.QueryRequest{
		{Query: all.Query, Subscriptions: []*string{to.Ptr(subA2)}}, {Query: all.Query, ManagementGroups: []*string{to.Ptr("elsewhere")}},
	} {
		if r, err := newGraph(t, w, owner)(scope); err != nil || *r.TotalRecords != 0 {
			t.Errorf("another scope: %v %v", r.Data, err)
		}
	}
}

func TestResourceGraphRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := version("/providers/Microsoft.ResourceGraph/resources", "2024-04-01")
	for body, want := range map[string]string{
		`{"query":"Resources | join x"}`:                           "InvalidQuery",
		`{"query":"Nothing"}`:                                      "ParserFailure",
		`{"query":"Resources","options":{"$top":1001}}`:            "InvalidPagingOptions",
		`{"query":"Resources","options":{"$skip":-1}}`:             "InvalidPagingOptions",
		`{"query":"Resources","options":{"$skipToken":"rubbish"}}`: "InvalidSkipToken",
	} {
		a := w.do(t, owner, "POST", path, body)
		wantError(t, a, http.StatusBadRequest, "BadRequest")
		if !strings.Contains(a.raw, want) {
			t.Errorf("%s: %s, want a detail %s", body, a.raw, want)
		}
	}
	wantError(t, w.do(t, owner, "POST", path, ""), http.StatusBadRequest, "InvalidRequestContent")
}
