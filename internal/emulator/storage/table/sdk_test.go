package table_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kittest"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table"
)

func newLab(tb testing.TB, opt table.Options) (*kittest.Lab, *table.Server) {
	tb.Helper()
	s := table.New(opt)
	return kittest.New(tb, map[kit.Kind]kit.Server{kit.Table: s}), s
}

func service(tb testing.TB, l *kittest.Lab) *aztables.ServiceClient {
	tb.Helper()
	c, err := aztables.NewServiceClientWithNoCredential("https://acct.table.core.windows.net/", &aztables.ClientOptions{ClientOptions: l.Options()})
	check(tb, err)
	return c
}

// newTable makes a table and returns its client.
func newTable(tb testing.TB, l *kittest.Lab, name string) *aztables.Client {
	tb.Helper()
	_, err := service(tb, l).CreateTable(tb.Context(), name, nil)
	check(tb, err)
	return service(tb, l).NewClient(name)
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func wantCode(tb testing.TB, err error, status int, code string) {
	tb.Helper()
	var re *azcore.ResponseError
	if !errors.As(err, &re) || re.StatusCode != status || re.ErrorCode != code {
		tb.Errorf("error is %v, want %d %s", err, status, code)
	}
}

func object(tb testing.TB, data []byte) map[string]any {
	tb.Helper()
	var m map[string]any
	check(tb, json.Unmarshal(data, &m))
	return m
}

func TestTablesLifecycle(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	svc, ctx := service(t, l), t.Context()
	for _, n := range []string{"Beta", "alpha", "gamma"} {
		_, err := svc.CreateTable(ctx, n, nil)
		check(t, err)
	}
	_, err := svc.CreateTable(ctx, "BETA", nil)
	wantCode(t, err, 409, "TableAlreadyExists")
	_, err = svc.CreateTable(ctx, "a-b", nil)
	wantCode(t, err, 400, "InvalidResourceName")
	_, err = svc.CreateTable(ctx, "tables", nil)
	wantCode(t, err, 400, "InvalidResourceName")
	_, err = svc.CreateTable(ctx, "ab", nil)
	wantCode(t, err, 400, "OutOfRangeInput")

	if got, want := names(t, svc, &aztables.ListTablesOptions{Top: to.Ptr(int32(2))}), []string{"alpha", "Beta", "gamma"}; !slices.Equal(got, want) {
		t.Errorf("tables are %v, want %v", got, want)
	}
	if got := names(t, svc, &aztables.ListTablesOptions{Filter: to.Ptr("TableName ge 'alphb' and TableName lt 'h'")}); !slices.Equal(got, []string{"gamma"}) {
		t.Errorf("filtered tables are %v", got)
	}
	_, err = svc.DeleteTable(ctx, "beta", nil)
	check(t, err)
	_, err = svc.DeleteTable(ctx, "beta", nil)
	wantCode(t, err, 404, "ResourceNotFound")
	_, err = svc.NewClient("beta").GetEntity(ctx, "p", "r", nil)
	wantCode(t, err, 404, "TableNotFound")
}

func names(tb testing.TB, svc *aztables.ServiceClient, opt *aztables.ListTablesOptions) []string {
	tb.Helper()
	var out []string
	for p := svc.NewListTablesPager(opt); p.More(); {
		page, err := p.NextPage(tb.Context())
		check(tb, err)
		for _, t := range page.Tables {
			out = append(out, *t.Name)
		}
	}
	return out
}

// typed has a property of every type, the odd values included.
const typed = `{"PartitionKey":"p'q","RowKey":"r é","S":"text \u2603","I":-5,"L@odata.type":"Edm.Int64","L":"9007199254740993",
	"D":5.0,"DN@odata.type":"Edm.Double","DN":"NaN","DI@odata.type":"Edm.Double","DI":"-Infinity","DX@odata.type":"Edm.Double","DX":1e20,"B":true,
	"T@odata.type":"Edm.DateTime","T":"2013-08-22T01:12:06.2608595Z","T0@odata.type":"Edm.DateTime","T0":"1601-01-01T00:00:00Z",
	"G@odata.type":"Edm.Guid","G":"C9DA6455-213D-42C9-9A79-3E9149A57833","X@odata.type":"Edm.Binary","X":"AQID","Big":3000000000,"Nil":null}`

func TestEntityTypesAtEachLevelOfMetadata(t *testing.T) {
	t.Parallel()
	l, s := newLab(t, table.Options{})
	newTable(t, l, "Types")
	url := "https://acct.table.core.windows.net/Types"
	a := l.Do(t, "POST", url, typed, "Content-Type", "application/json", "Accept", "application/json;odata=minimalmetadata")
	if a.Status != 201 || a.Header.Get("Location") != url+"(PartitionKey='p%27%27q',RowKey='r%20%C3%A9')" {
		t.Fatalf("insert: %d %s %s", a.Status, a.Header.Get("Location"), a.Body)
	}
	const stamp, etag = `"Timestamp":"2026-03-01T12:00:00Z"`, `W/\"datetime'2026-03-01T12%3A00%3A00Z'\"`
	const keys = `"PartitionKey":"p'q","RowKey":"r é",`
	minimalProps := `"S":"text ☃","I":-5,"L@odata.type":"Edm.Int64","L":"9007199254740993","D":5.0,"DN@odata.type":"Edm.Double","DN":"NaN",` +
		`"DI@odata.type":"Edm.Double","DI":"-Infinity","DX":1E+20,"B":true,"T@odata.type":"Edm.DateTime","T":"2013-08-22T01:12:06.2608595Z",` +
		`"T0@odata.type":"Edm.DateTime","T0":"1601-01-01T00:00:00Z","G@odata.type":"Edm.Guid","G":"c9da6455-213d-42c9-9a79-3e9149a57833",` +
		`"X@odata.type":"Edm.Binary","X":"AQID","Big":3000000000.0}`
	plain := minimalProps
	for _, typ := range []string{"L@odata.type\":\"Edm.Int64", "DN@odata.type\":\"Edm.Double", "DI@odata.type\":\"Edm.Double", "T@odata.type\":\"Edm.DateTime", "T0@odata.type\":\"Edm.DateTime", "G@odata.type\":\"Edm.Guid", "X@odata.type\":\"Edm.Binary"} {
		plain = strings.Replace(plain, `"`+typ+`",`, "", 1)
	}
	tests := map[string]string{
		"nometadata":      `{` + keys + stamp + `,` + plain,
		"minimalmetadata": `{"odata.metadata":"https://acct.table.core.windows.net/$metadata#Types/@Element","odata.etag":"` + etag + `",` + keys + stamp + `,` + minimalProps,
		"fullmetadata": `{"odata.metadata":"https://acct.table.core.windows.net/$metadata#Types/@Element","odata.type":"acct.Types",` +
			`"odata.id":"https://acct.table.core.windows.net/Types(PartitionKey='p%27%27q',RowKey='r%20%C3%A9')","odata.etag":"` + etag + `",` +
			`"odata.editLink":"Types(PartitionKey='p%27%27q',RowKey='r%20%C3%A9')",` + keys + `"Timestamp@odata.type":"Edm.DateTime",` + stamp + `,` + minimalProps,
	}
	for level, want := range tests {
		a := l.Do(t, "GET", url+"(PartitionKey='p%27%27q',RowKey='r%20%C3%A9')", "", "Accept", "application/json;odata="+level)
		if diff := cmp.Diff(want, a.Body); diff != "" {
			t.Errorf("%s (-want +got):\n%s", level, diff)
		}
		if ct := a.Header.Get("Content-Type"); ct != "application/json;odata="+level+";streaming=true;charset=utf-8" {
			t.Errorf("%s: content type %q", level, ct)
		}
	}
	objs, err := s.Objects(kittest.Account("acct"))
	check(t, err)
	if got := objs[1].Fields["L"] + "|" + objs[1].Fields["D"] + "|" + objs[1].Fields["X"]; objs[1].Key != "tables/Types/p'q/r é" || got != "Edm.Int64 9007199254740993|Edm.Double 5.0|Edm.Binary AQID" {
		t.Errorf("object %s: %s", objs[1].Key, got)
	}
}

func TestWritesAndConditions(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	c, ctx := newTable(t, l, "Rows"), t.Context()
	added, err := c.AddEntity(ctx, []byte(`{"PartitionKey":"p","RowKey":"r","A":1,"B":"x"}`), nil)
	check(t, err)
	_, err = c.AddEntity(ctx, []byte(`{"PartitionKey":"p","RowKey":"r"}`), nil)
	wantCode(t, err, 409, "EntityAlreadyExists")

	merged, err := c.UpdateEntity(ctx, []byte(`{"PartitionKey":"p","RowKey":"r","B":"y","C":true}`), &aztables.UpdateEntityOptions{IfMatch: &added.ETag, UpdateMode: aztables.UpdateModeMerge})
	check(t, err)
	if merged.ETag == added.ETag {
		t.Error("a write leaves the ETag as it was while the clock stands")
	}
	_, err = c.UpdateEntity(ctx, []byte(`{"PartitionKey":"p","RowKey":"r"}`), &aztables.UpdateEntityOptions{IfMatch: &added.ETag, UpdateMode: aztables.UpdateModeReplace})
	wantCode(t, err, 412, "UpdateConditionNotSatisfied")
	got := read(t, c, "p", "r")
	if diff := cmp.Diff(map[string]any{"PartitionKey": "p", "RowKey": "r", "A": 1.0, "B": "y", "C": true}, got); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
	_, err = c.UpsertEntity(ctx, []byte(`{"PartitionKey":"p","RowKey":"r","Z":1}`), &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace})
	check(t, err)
	if got := read(t, c, "p", "r"); len(got) != 3 || got["Z"] != 1.0 {
		t.Errorf("replaced: %v", got)
	}
	_, err = c.UpsertEntity(ctx, []byte(`{"PartitionKey":"p","RowKey":"new","Z":1}`), &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeMerge})
	check(t, err)
	_, err = c.UpdateEntity(ctx, []byte(`{"PartitionKey":"p","RowKey":"none"}`), nil)
	wantCode(t, err, 404, "ResourceNotFound")
	_, err = c.DeleteEntity(ctx, "p", "r", &aztables.DeleteEntityOptions{IfMatch: &added.ETag})
	wantCode(t, err, 412, "UpdateConditionNotSatisfied")
	_, err = c.DeleteEntity(ctx, "p", "r", nil)
	check(t, err)
	_, err = c.GetEntity(ctx, "p", "r", nil)
	wantCode(t, err, 404, "ResourceNotFound")
}

// read returns an entity without its metadata.
func read(tb testing.TB, c *aztables.Client, pk, rk string) map[string]any {
	tb.Helper()
	resp, err := c.GetEntity(tb.Context(), pk, rk, nil)
	check(tb, err)
	m := object(tb, resp.Value)
	maps.DeleteFunc(m, func(k string, _ any) bool { return strings.HasPrefix(k, "odata.") || k == "Timestamp" })
	return m
}

func TestQueries(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	c, ctx := newTable(t, l, "Query"), t.Context()
	for i := range 6 {
		e := fmt.Sprintf(`{"PartitionKey":"p%d","RowKey":"r%d","I":%d,"L@odata.type":"Edm.Int64","L":"%d","D":%d.5,"S":"o'%d","B":%t,
			"T@odata.type":"Edm.DateTime","T":"2026-01-0%dT00:00:00Z","G@odata.type":"Edm.Guid","G":"00000000-0000-0000-0000-00000000000%d","X@odata.type":"Edm.Binary","X":"AAA%d"}`,
			i/2, i, i, int64(i)<<40, i, i, i%2 == 0, i+1, i, i)
		_, err := c.AddEntity(ctx, []byte(e), nil)
		check(t, err)
	}
	tests := []struct{ filter, want string }{
		{"PartitionKey eq 'p1'", "23"},
		{"PartitionKey gt 'p0' and PartitionKey le 'p1'", "23"},
		{"PartitionKey eq 'p1' and RowKey eq 'r3'", "3"},
		{"I ge 2 and I lt 4", "23"},
		{"2 le I and 4 gt I", "23"},
		{"L eq 1099511627776L", "1"},
		{"D gt 3.5 or I eq 0", "045"},
		{"not (I gt 0)", "0"},
		{"S eq 'o''4'", "4"},
		{"B", "024"},
		{"B eq false and not B", "135"},
		{"T ge datetime'2026-01-05T00:00:00Z'", "45"},
		{"G eq guid'00000000-0000-0000-0000-000000000003'", "3"},
		{"X eq X'000036' or X eq binary'000035'", "12"},
		{"X lt X'000037'", "012"},
		{"Missing ne 'x'", ""},
		{"S eq 5", ""},
		{"Timestamp ge datetime'2026-01-01T00:00:00Z' and I eq 5", "5"},
		{"", "012345"},
	}
	for _, tc := range tests {
		got := ""
		for p := c.NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: &tc.filter, Top: to.Ptr(int32(2)), Select: to.Ptr("RowKey, Gone")}); p.More(); {
			page, err := p.NextPage(ctx)
			check(t, err)
			for _, e := range page.Entities {
				m := object(t, e)
				got += strings.TrimPrefix(m["RowKey"].(string), "r")
				if v, ok := m["Gone"]; !ok || v != nil || len(m) != 3 {
					t.Errorf("selected %v", m)
				}
			}
		}
		if got != tc.want {
			t.Errorf("%s gives %q, want %q", tc.filter, got, tc.want)
		}
	}
	for filter, code := range map[string]string{
		"I eq": "InvalidInput", "(I eq 1": "InvalidInput", "I eq 'x": "InvalidInput", "I foo 1": "InvalidInput", "G eq guid'1'": "InvalidInput", "eq 1": "InvalidInput", "I eq 1 )": "InvalidInput",
		"startswith(S,'o')": "NotImplemented", "I add 1 eq 2": "NotImplemented", "I eq null": "NotImplemented", strings.Repeat("(", 300): "InvalidInput", strings.Repeat("not ", 300) + "B": "InvalidInput",
	} {
		_, err := c.NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: &filter}).NextPage(ctx)
		status := 400
		if code == "NotImplemented" {
			status = 501
		}
		wantCode(t, err, status, code)
	}
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	c, ctx := newTable(t, l, "Batch"), t.Context()
	var acts []aztables.TransactionAction
	for i := range 100 {
		acts = append(acts, aztables.TransactionAction{ActionType: aztables.TransactionTypeAdd, Entity: fmt.Appendf(nil, `{"PartitionKey":"p","RowKey":"%03d","N":%d}`, i, i)})
	}
	_, err := c.SubmitTransaction(ctx, acts, nil)
	check(t, err)
	one := func(kind aztables.TransactionType, entity string) aztables.TransactionAction {
		return aztables.TransactionAction{ActionType: kind, Entity: []byte(entity)}
	}
	_, err = c.SubmitTransaction(ctx, []aztables.TransactionAction{
		one(aztables.TransactionTypeDelete, `{"PartitionKey":"p","RowKey":"000"}`),
		one(aztables.TransactionTypeInsertReplace, `{"PartitionKey":"p","RowKey":"001","M":1}`),
		one(aztables.TransactionTypeUpdateMerge, `{"PartitionKey":"p","RowKey":"002","M":1}`),
		one(aztables.TransactionTypeInsertMerge, `{"PartitionKey":"p","RowKey":"new","M":1}`),
	}, nil)
	check(t, err)
	if got := read(t, c, "p", "002"); got["M"] != 1.0 || got["N"] != 2.0 {
		t.Errorf("merged in a batch: %v", got)
	}
	if got := read(t, c, "p", "001"); got["N"] != nil {
		t.Errorf("replaced in a batch: %v", got)
	}
	failures := []struct {
		name, code, index string
		acts              []aztables.TransactionAction
	}{
		{"exists", "EntityAlreadyExists", "1:", []aztables.TransactionAction{one(aztables.TransactionTypeAdd, `{"PartitionKey":"p","RowKey":"zzz"}`), one(aztables.TransactionTypeAdd, `{"PartitionKey":"p","RowKey":"003"}`)}},
		{"partitions", "CommandsInBatchActOnDifferentPartitions", "1:", []aztables.TransactionAction{one(aztables.TransactionTypeAdd, `{"PartitionKey":"p","RowKey":"zzz"}`), one(aztables.TransactionTypeAdd, `{"PartitionKey":"q","RowKey":"zzz"}`)}},
		{"twice", "InvalidDuplicateRow", "1:", []aztables.TransactionAction{one(aztables.TransactionTypeAdd, `{"PartitionKey":"p","RowKey":"zzz"}`), one(aztables.TransactionTypeDelete, `{"PartitionKey":"p","RowKey":"zzz"}`)}},
		{"too many", "InvalidInput", "99:", append(slices.Clone(acts), one(aztables.TransactionTypeAdd, `{"PartitionKey":"p","RowKey":"zzz"}`))},
		{"too large", "EntityTooLarge", "0:", []aztables.TransactionAction{one(aztables.TransactionTypeAdd, large(17, 65000))}},
	}
	for _, f := range failures {
		_, err := c.SubmitTransaction(ctx, f.acts, nil)
		if err == nil || !strings.Contains(err.Error(), `{"odata.error":{"code":"`+f.code+`","message":{"lang":"en-US","value":"`+f.index) {
			t.Errorf("%s: %v", f.name, err)
		}
	}
	_, err = c.GetEntity(ctx, "p", "zzz", nil)
	wantCode(t, err, 404, "ResourceNotFound")
}

// large is an entity with n text properties of a size.
func large(n, size int) string {
	var b strings.Builder
	b.WriteString(`{"PartitionKey":"p","RowKey":"zzz"`)
	for i := range n {
		fmt.Fprintf(&b, `,"P%d":"%s"`, i, strings.Repeat("x", size/2))
	}
	return b.String() + "}"
}

func TestAccessPoliciesAndSettings(t *testing.T) {
	t.Parallel()
	l, s := newLab(t, table.Options{})
	c, ctx := newTable(t, l, "Acl"), t.Context()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	id := &aztables.SignedIdentifier{ID: to.Ptr("one"), AccessPolicy: &aztables.AccessPolicy{Start: &start, Expiry: to.Ptr(start.AddDate(1, 0, 0)), Permission: to.Ptr("raud")}}
	_, err := c.SetAccessPolicy(ctx, &aztables.SetAccessPolicyOptions{TableACL: []*aztables.SignedIdentifier{id, {ID: to.Ptr("two")}}})
	check(t, err)
	got, err := c.GetAccessPolicy(ctx, nil)
	check(t, err)
	if len(got.SignedIdentifiers) != 2 || *got.SignedIdentifiers[0].AccessPolicy.Permission != "raud" || !got.SignedIdentifiers[0].AccessPolicy.Start.Equal(start) {
		t.Errorf("policies: %+v", got.SignedIdentifiers)
	}
	if ps, ok := s.Policies(kittest.Account("acct").ID, "ACL"); !ok || len(ps) != 2 || !ps[0].Start.Equal(start) {
		t.Errorf("policies behind the wire: %v %t", ps, ok)
	}
	id.AccessPolicy.Permission = to.Ptr("rz")
	_, err = c.SetAccessPolicy(ctx, &aztables.SetAccessPolicyOptions{TableACL: []*aztables.SignedIdentifier{id}})
	wantCode(t, err, 400, "InvalidXmlDocument")
	_, err = service(t, l).NewClient("nothere").GetAccessPolicy(ctx, nil)
	wantCode(t, err, 404, "TableNotFound")

	svc := service(t, l)
	before, err := svc.GetProperties(ctx, nil)
	check(t, err)
	if *before.Logging.Read || !*before.HourMetrics.Enabled || *before.HourMetrics.RetentionPolicy.Days != 7 {
		t.Errorf("settings of a new account: %+v %+v", before.Logging, before.HourMetrics)
	}
	rule := &aztables.CorsRule{AllowedOrigins: to.Ptr("https://a.example"), AllowedMethods: to.Ptr("GET,PUT"), AllowedHeaders: to.Ptr("*"), ExposedHeaders: to.Ptr("*"), MaxAgeInSeconds: to.Ptr(int32(60))}
	_, err = svc.SetProperties(ctx, aztables.ServiceProperties{Cors: []*aztables.CorsRule{rule}}, nil)
	check(t, err)
	after, err := svc.GetProperties(ctx, nil)
	check(t, err)
	if len(after.Cors) != 1 || *after.Cors[0].AllowedOrigins != "https://a.example" || !*after.HourMetrics.Enabled {
		t.Errorf("settings: %+v", after)
	}
	rule.AllowedMethods = to.Ptr("FETCH")
	_, err = svc.SetProperties(ctx, aztables.ServiceProperties{Cors: []*aztables.CorsRule{rule}}, nil)
	wantCode(t, err, 400, "InvalidXmlNodeValue")
	_, err = svc.GetStatistics(ctx, nil)
	wantCode(t, err, 400, "InvalidQueryParameterValue")
	sec, err := aztables.NewServiceClientWithNoCredential("https://acct-secondary.table.core.windows.net/", &aztables.ClientOptions{ClientOptions: l.Options()})
	check(t, err)
	stats, err := sec.GetStatistics(ctx, nil)
	check(t, err)
	if *stats.GeoReplication.Status != aztables.GeoReplicationStatusLive {
		t.Errorf("stats: %+v", stats.GeoReplication)
	}
	objs, err := s.Objects(kittest.Account("acct"))
	check(t, err)
	if objs[0].Kind != "tableService" || !strings.Contains(objs[0].Fields["settings"], "a.example") || !strings.Contains(objs[1].Fields["policies"], "one|2026-01-02T03:04:05.0000000Z|") {
		t.Errorf("objects: %v", objs)
	}
}
