package azurite

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/plugin"
)

func (s *server) tables(t *testing.T, name string) *aztables.ServiceClient {
	t.Helper()
	cred, err := aztables.NewSharedKeyCredential(name, accountKey)
	must(t, err)
	c, err := aztables.NewServiceClientWithSharedKey("https://"+name+".table.core.windows.net/", cred, &aztables.ClientOptions{ClientOptions: s.options()})
	must(t, err)
	return c
}

// everyType has a property of each of the types that Table Storage knows (Azure:
// Understanding the Table service data model), at their edges.
const everyType = `{"PartitionKey":"types","RowKey":%q,
	"Text":"line\nbreak \u2603 \"quoted\"","Empty":"","Long":%q,
	"Yes":true,"No":false,
	"Int32":-2147483648,
	"Int64@odata.type":"Edm.Int64","Int64":"9223372036854775807",
	"Double@odata.type":"Edm.Double","Double":-1.5e300,
	"Whole@odata.type":"Edm.Double","Whole":5.0,
	"NaN@odata.type":"Edm.Double","NaN":"NaN",
	"Infinite@odata.type":"Edm.Double","Infinite":"-Infinity",
	"Time@odata.type":"Edm.DateTime","Time":"2013-08-22T01:12:06.2608595Z",
	"Early@odata.type":"Edm.DateTime","Early":"1601-01-01T00:00:00Z",
	"Guid@odata.type":"Edm.Guid","Guid":"c9da6455-213d-42c9-9a79-3e9149a57833",
	"Binary@odata.type":"Edm.Binary","Binary":"AAH/gA==",
	"NoBytes@odata.type":"Edm.Binary","NoBytes":""}`

// manyRows is more than a page of a query has.
const manyRows = 1010

func seedTables(t *testing.T, s *aztables.ServiceClient) {
	t.Helper()
	ctx := t.Context()
	for _, name := range []string{"Empty", "Types", "Many"} {
		_, err := s.CreateTable(ctx, name, nil)
		must(t, err)
	}
	types := s.NewClient("Types")
	_, err := types.SetAccessPolicy(ctx, &aztables.SetAccessPolicyOptions{TableACL: []*aztables.SignedIdentifier{
		{ID: to("readers"), AccessPolicy: &aztables.AccessPolicy{
			Start: to(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), Expiry: to(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)), Permission: to("raud"),
		}},
	}})
	must(t, err)
	for _, entity := range []string{
		fmt.Sprintf(everyType, "all", strings.Repeat("x", 32<<10)), fmt.Sprintf(everyType, "o'brien \u2603", "x"),
		`{"PartitionKey":"\u00fcn\u00ef","RowKey":"c\u00f3digo %20","Name":"unicode"}`, `{"PartitionKey":"none","RowKey":"alone"}`, `{"PartitionKey":"","RowKey":"","Name":"no keys"}`,
	} {
		_, err := types.AddEntity(ctx, []byte(entity), nil)
		must(t, err)
	}
	many := s.NewClient("Many")
	for i := range manyRows { // one by one: Azurite does not understand batches that name a host
		_, err := many.AddEntity(ctx, fmt.Appendf(nil, `{"PartitionKey":"p%d","RowKey":"%06d","N":%d}`, i/400, i, i), nil)
		must(t, err)
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	s := start(t)
	from, at := s.tables(t, source), s.tables(t, target)
	seedTables(t, from)
	items := 3 + 5 + manyRows
	want := rows(t, from)
	s.replicate(t, plugin.Settings{"parts": "tables"}, items, 0)
	got := rows(t, at)
	if diff := cmp.Diff(want, got); diff != "" || len(got) != items {
		t.Errorf("%d lines of %d, and the accounts differ (-source +target):\n%s", len(got), items, diff)
	}
	all := strings.Join(got, "\n")
	for _, typed := range []string{
		`"Int32":-2147483648`, `"Int64":"9223372036854775807","Int64@odata.type":"Edm.Int64"`, `"Double":-1.5e+300`, `"Yes":true`,
		`"NaN":"NaN","NaN@odata.type":"Edm.Double"`, `"Time":"2013-08-22T01:12:06.2608595Z","Time@odata.type":"Edm.DateTime"`,
		`"Guid":"c9da6455-213d-42c9-9a79-3e9149a57833","Guid@odata.type":"Edm.Guid"`, `"Binary":"AAH/gA==","Binary@odata.type":"Edm.Binary"`, `"Empty":""`,
	} {
		if !strings.Contains(all, typed) {
			t.Errorf("the target has nowhere %s", typed)
		}
	}
}

// rows is an account as the SDK alone shows it: one line for each table and entity, with
// the types of all properties.
func rows(t *testing.T, s *aztables.ServiceClient) []string {
	t.Helper()
	var out []string
	for names := s.NewListTablesPager(nil); names.More(); {
		page, err := names.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range page.Tables {
			out = append(out, tableLines(t, s.NewClient(*table.Name), *table.Name)...)
		}
	}
	return out
}

func tableLines(t *testing.T, c *aztables.Client, name string) []string {
	t.Helper()
	acl, err := c.GetAccessPolicy(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var policies []string
	for _, p := range acl.SignedIdentifiers {
		policies = append(policies, fmt.Sprintf(" %s %v %v %v", *p.ID, text(p.AccessPolicy.Start), text(p.AccessPolicy.Expiry), text(p.AccessPolicy.Permission)))
	}
	slices.Sort(policies)
	out := []string{"table " + name + strings.Join(policies, "")}
	for pages := c.NewListEntitiesPager(nil); pages.More(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entities {
			out = append(out, name+" "+entity(t, e))
		}
	}
	return out
}

// entity is one without what the server makes of its own.
func entity(t *testing.T, data []byte) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(m, func(k string, _ json.RawMessage) bool {
		return strings.HasPrefix(k, "Timestamp") || strings.HasPrefix(k, "odata.")
	})
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
