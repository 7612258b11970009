package table_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kittest"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table"
)

const host = "https://acct.table.core.windows.net/"

// jsonHeaders are what clients send with an entity.
var jsonHeaders = []string{"Content-Type", "application/json", "Accept", "application/json;odata=nometadata"}

func TestRefusals(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	newTable(t, l, "Rows")
	many := strings.Builder{}
	for i := range 253 {
		fmt.Fprintf(&many, `,"P%d":1`, i)
	}
	entity := func(rest string) string { return `{"PartitionKey":"p","RowKey":"r"` + rest + `}` }
	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		code                     string
	}{
		{"no row key", "POST", "Rows", `{"PartitionKey":"p"}`, nil, 400, "PropertiesNeedValue"},
		{"key is a number", "POST", "Rows", `{"PartitionKey":5,"RowKey":"r"}`, nil, 400, "InvalidInput"},
		{"slash in a key", "POST", "Rows", `{"PartitionKey":"a/b","RowKey":"r"}`, nil, 400, "OutOfRangeInput"},
		{"control in a key", "POST", "Rows", `{"PartitionKey":"a","RowKey":"r\u0081"}`, nil, 400, "OutOfRangeInput"},
		{"long key", "POST", "Rows", `{"PartitionKey":"` + strings.Repeat("k", 1025) + `","RowKey":"r"}`, nil, 400, "PropertyValueTooLarge"},
		{"too many properties", "POST", "Rows", entity(many.String()), nil, 400, "TooManyProperties"},
		{"long name", "POST", "Rows", entity(`,"` + strings.Repeat("n", 256) + `":1`), nil, 400, "PropertyNameTooLong"},
		{"bad name", "POST", "Rows", entity(`,"a-b":1`), nil, 400, "PropertyNameInvalid"},
		{"name twice", "POST", "Rows", entity(`,"A":1,"A":2`), nil, 400, "DuplicatePropertiesSpecified"},
		{"long text", "POST", "Rows", entity(`,"A":"` + strings.Repeat("x", 32<<10+1) + `"`), nil, 400, "PropertyValueTooLarge"},
		{"longest text", "PUT", "Rows(PartitionKey='p',RowKey='long')", entity(`,"A":"` + strings.Repeat("x", 32<<10) + `"`), nil, 204, ""},
		{"large entity", "POST", "Rows", large(17, 65000), nil, 400, "EntityTooLarge"},
		{"large body", "POST", "Rows", strings.Repeat(" ", 4<<20+1), nil, 413, "RequestBodyTooLarge"},
		{"old date", "POST", "Rows", entity(`,"T@odata.type":"Edm.DateTime","T":"1600-12-31T00:00:00Z"`), nil, 400, "OutOfRangeInput"},
		{"bad guid", "POST", "Rows", entity(`,"G@odata.type":"Edm.Guid","G":"1-2"`), nil, 400, "InvalidInput"},
		{"bad int", "POST", "Rows", entity(`,"I@odata.type":"Edm.Int32","I":"99999999999"`), nil, 400, "OutOfRangeInput"},
		{"bad binary", "POST", "Rows", entity(`,"X@odata.type":"Edm.Binary","X":"%"`), nil, 400, "InvalidInput"},
		{"bad bool", "POST", "Rows", entity(`,"B@odata.type":"Edm.Boolean","B":"yes"`), nil, 400, "InvalidInput"},
		{"unknown type", "POST", "Rows", entity(`,"X@odata.type":"Edm.Stream","X":"a"`), nil, 400, "InvalidInput"},
		{"object", "POST", "Rows", entity(`,"X":{"a":1}`), nil, 400, "InvalidInput"},
		{"no json", "POST", "Rows", "<a/>", nil, 400, "InvalidInput"},
		{"half json", "POST", "Rows", `{"PartitionKey":"p"`, nil, 400, "InvalidInput"},
		{"atom body", "POST", "Rows", "<entry/>", []string{"Content-Type", "application/atom+xml"}, 415, "AtomFormatNotSupported"},
		{"atom answer", "GET", "Rows", "", []string{"Accept", "application/json-seq"}, 415, "AtomFormatNotSupported"},
		{"no such table", "POST", "None", entity(""), nil, 404, "TableNotFound"},
		{"put without keys", "PUT", "Rows", entity(""), nil, 405, "MethodNotAllowed"},
		{"post with keys", "POST", "Rows(PartitionKey='p',RowKey='r')", entity(""), nil, 405, "MethodNotAllowed"},
		{"one key", "GET", "Rows(PartitionKey='p')", "", nil, 400, "InvalidInput"},
		{"open address", "GET", "Rows(PartitionKey='p',RowKey='r'", "", nil, 400, "InvalidInput"},
		{"open key", "GET", "Rows(PartitionKey='p,RowKey=)", "", nil, 400, "InvalidInput"},
		{"delete without condition", "DELETE", "Rows(PartitionKey='p',RowKey='r')", "", nil, 400, "MissingRequiredHeader"},
		{"bad etag", "DELETE", "Rows(PartitionKey='p',RowKey='r')", "", []string{"If-Match", "abc"}, 400, "InvalidInput"},
		{"if-none-match", "PUT", "Rows(PartitionKey='p',RowKey='r')", entity(""), []string{"If-None-Match", "*"}, 400, "InvalidInput"},
		{"top 0", "GET", "Rows?$top=0", "", nil, 400, "InvalidInput"},
		{"top 1001", "GET", "Rows?$top=1001", "", nil, 400, "InvalidInput"},
		{"bad token", "GET", "Rows?NextPartitionKey=xyz", "", nil, 400, "InvalidInput"},
		{"orderby", "GET", "Rows?$orderby=A", "", nil, 501, "NotImplemented"},
		{"table without name", "POST", "Tables", `{}`, nil, 400, "PropertiesNeedValue"},
		{"bad table body", "POST", "Tables", `{"TableName":5}`, nil, 400, "InvalidInput"},
		{"no such entry", "GET", "Tables('None')", "", nil, 404, "ResourceNotFound"},
		{"tables put", "PUT", "Tables", "", nil, 405, "MethodNotAllowed"},
		{"batch of nothing", "POST", "$batch", "", nil, 400, "InvalidInput"},
		{"root", "GET", "", "", nil, 404, "ResourceNotFound"},
		{"bad settings", "PUT", "?restype=service&comp=properties", "<a", nil, 400, "InvalidXmlDocument"},
		{"service post", "POST", "?restype=service&comp=properties", "", nil, 405, "MethodNotAllowed"},
		{"acl post", "POST", "Rows?comp=acl", "", nil, 405, "MethodNotAllowed"},
		{"acl of none", "PUT", "None?comp=acl", "", nil, 404, "TableNotFound"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := l.Do(t, tc.method, host+tc.path, tc.body, append(append([]string{}, jsonHeaders...), tc.header...)...)
			if a.Status != tc.status || tc.code != "" && !strings.Contains(a.Body, `{"odata.error":{"code":"`+tc.code+`",`) {
				t.Errorf("%d %s, want %d %s", a.Status, a.Body, tc.status, tc.code)
			}
		})
	}
}

func TestErrorsAreXMLForWhoAsksForXML(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	a := l.Do(t, "GET", host+"None?comp=acl", "", "Accept", "application/xml")
	if a.Status != 404 || !strings.Contains(a.Body, "<m:code>TableNotFound</m:code>") || a.Header.Get("Content-Type") != "application/xml" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestPreferAndTunnelledMethods(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	a := l.Do(t, "POST", host+"Tables", `{"TableName":"Made"}`, append([]string{"Prefer", "return-no-content"}, jsonHeaders...)...)
	if a.Status != 204 || a.Header.Get("Preference-Applied") != "return-no-content" || a.Header.Get("DataServiceId") != host+"Tables('Made')" {
		t.Errorf("create: %d %v", a.Status, a.Header)
	}
	a = l.Do(t, "POST", host+"Made", `{"PartitionKey":"p","RowKey":"r","A":1}`, append([]string{"Prefer", "return-content"}, jsonHeaders...)...)
	if a.Status != 201 || a.Header.Get("Preference-Applied") != "return-content" || a.Header.Get("ETag") == "" {
		t.Errorf("insert: %d %v", a.Status, a.Header)
	}
	a = l.Do(t, "POST", host+"Made(PartitionKey='p',RowKey='r')", `{"B":2}`, append([]string{"X-HTTP-Method", "MERGE"}, jsonHeaders...)...)
	if a.Status != 204 {
		t.Errorf("merge: %d %s", a.Status, a.Body)
	}
	a = l.Do(t, "GET", host+"Made()?$select=*&$format=json%3Bodata=nometadata", "")
	if want := `{"value":[{"PartitionKey":"p","RowKey":"r","Timestamp":"2026-03-01T12:00:00.0000001Z","A":1,"B":2}]}`; a.Body != want {
		t.Errorf("query: %s, want %s", a.Body, want)
	}
	a = l.Do(t, "GET", host+"Tables('made')", "", "Accept", "application/json;odata=fullmetadata")
	if want := `{"odata.metadata":"https://acct.table.core.windows.net/$metadata#Tables/@Element","odata.type":"acct.Tables","odata.id":"https://acct.table.core.windows.net/Tables('Made')","odata.editLink":"Tables('Made')","TableName":"Made"}`; a.Body != want {
		t.Errorf("table: %s", a.Body)
	}
}

func TestBatchWithAQuery(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	newTable(t, l, "Made")
	l.Do(t, "PUT", host+"Made(PartitionKey='p',RowKey='r')", `{"A":1}`, jsonHeaders...)
	send := func(request string) kittest.Answer {
		body := "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n" + request + "\r\n\r\n--b--\r\n"
		return l.Do(t, "POST", host+"$batch", body, "Content-Type", "multipart/mixed; boundary=b")
	}
	a := send("GET " + host + "Made(PartitionKey='p',RowKey='r')?$select=A HTTP/1.1\r\nAccept: application/json;odata=nometadata")
	if a.Status != 202 || !strings.Contains(a.Body, "HTTP/1.1 200 OK") || !strings.Contains(a.Body, "\r\n\r\n{\"A\":1}\r\n") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	a = send("GET " + host + "None HTTP/1.1\r\nAccept: application/json;odata=nometadata")
	if a.Status != 202 || !strings.Contains(a.Body, "HTTP/1.1 404 Not Found") || !strings.Contains(a.Body, "TableNotFound") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for _, bad := range []string{"DELETE " + host + "Made HTTP/1.1", "nonsense"} {
		if a := send(bad); a.Status != 400 || !strings.Contains(a.Body, "InvalidInput") {
			t.Errorf("%s: %d %s", bad, a.Status, a.Body)
		}
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{})
	newTable(t, l, "Rows")
	key := "Rows(PartitionKey='p',RowKey='r')"
	tests := []struct{ method, path, body, ifMatch, want string }{
		{"GET", "Tables", "", "", "tables/read|rl|s||"},
		{"POST", "Tables", `{"TableName":"Other"}`, "", "tables/write|cw|c|Other|"},
		{"DELETE", "Tables('Other')", "", "", "tables/delete|d|c|Other|"},
		{"GET", "Rows?comp=acl", "", "", "tables/getAcl/action||c|Rows|"},
		{"PUT", "Rows?comp=acl", "", "", "tables/setAcl/action||c|Rows|"},
		{"POST", "Rows", `{"PartitionKey":"p","RowKey":"r"}`, "", "tables/entities/write,tables/entities/add/action|a|o|Rows|p/r"},
		{"PUT", key, `{}`, "", "tables/entities/write,tables/entities/add/action|a|o|Rows|p/r tables/entities/write,tables/entities/update/action|u|o|Rows|p/r"},
		{"PUT", key, `{}`, "*", "tables/entities/write,tables/entities/update/action|u|o|Rows|p/r"},
		{"GET", key, "", "", "tables/entities/read|r|o|Rows|p/r"},
		{"GET", "Rows?$filter=PartitionKey%20eq%20'x'", "", "", "tables/entities/read|r|o|Rows|x/"},
		{"DELETE", key, "", "*", "tables/entities/delete|d|o|Rows|p/r"},
		{"GET", "?restype=service&comp=properties", "", "", "read|r|s||"},
		{"PUT", "?restype=service&comp=properties", "<StorageServiceProperties/>", "", "write|w|s||"},
	}
	for _, tc := range tests {
		h := jsonHeaders
		if tc.ifMatch != "" {
			h = append([]string{"If-Match", tc.ifMatch}, h...)
		}
		l.Needs()
		if a := l.Do(t, tc.method, host+tc.path, tc.body, h...); a.Status >= 300 {
			t.Errorf("%s %s: %d %s", tc.method, tc.path, a.Status, a.Body)
		}
		var got []string
		for _, n := range l.Needs() {
			keys := ""
			if n.Partition+n.Row != "" {
				keys = n.Partition + "/" + n.Row
			}
			names := strings.ReplaceAll(strings.Join(n.Actions, ","), "Microsoft.Storage/storageAccounts/tableServices/", "")
			got = append(got, strings.Join([]string{names, n.Letters, n.Type, n.Container, keys}, "|"))
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s %s asks for %v, want %s", tc.method, tc.path, got, tc.want)
		}
	}
	l.Deny(func(kit.Need) bool { return true })
	for _, tc := range tests {
		if a := l.Do(t, tc.method, host+tc.path, tc.body, append([]string{"If-Match", "*"}, jsonHeaders...)...); a.Status != 403 {
			t.Errorf("%s %s without rights: %d", tc.method, tc.path, a.Status)
		}
	}
}

func TestSeedAndGenerated(t *testing.T) {
	t.Parallel()
	l, s := newLab(t, table.Options{Limits: true})
	acct := kittest.Account("acct")
	data := `{"blobs":1,"tables":[{"name":"Seeded","policies":[{"id":"p1","permission":"r","expiry":"2027-01-01"}],
		"entities":[{"PartitionKey":"zz","RowKey":"1","L@odata.type":"Edm.Int64","L":"5"}],"generate":{"count":2500,"perPartition":1000,"bytes":10,"seed":7}}]}`
	check(t, s.Seed(acct, []byte(data), kittest.Start))
	a := l.Do(t, "GET", host+"Seeded(PartitionKey='p00000001',RowKey='0000001234')", "", jsonHeaders...)
	if a.Status != 200 || !strings.Contains(a.Body, `"Text":"`) {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	count := func() (n, pages int, first string) {
		next := ""
		for {
			a := l.Do(t, "GET", host+"Seeded?$select=RowKey"+next, "", jsonHeaders...)
			if a.Status != 200 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			if pages == 0 {
				first = a.Body[:60]
			}
			n, pages = n+strings.Count(a.Body, "RowKey"), pages+1
			pk := a.Header.Get("x-ms-continuation-NextPartitionKey")
			if pk == "" {
				return n, pages, first
			}
			next = "&NextPartitionKey=" + pk + "&NextRowKey=" + a.Header.Get("x-ms-continuation-NextRowKey")
		}
	}
	if n, pages, _ := count(); n != 2501 || pages != 3 {
		t.Errorf("%d entities on %d pages", n, pages)
	}
	l.Do(t, "DELETE", host+"Seeded(PartitionKey='p00000000',RowKey='0000000000')", "", "If-Match", "*")
	l.Do(t, "PUT", host+"Seeded(PartitionKey='p00000000',RowKey='0000000001')", `{"Mine":1}`, jsonHeaders...)
	if n, _, first := count(); n != 2500 || !strings.Contains(first, `"0000000001"`) {
		t.Errorf("after a deletion: %d entities, %s", n, first)
	}
	if a := l.Do(t, "GET", host+"Seeded?$filter=Mine%20eq%201", "", jsonHeaders...); strings.Count(a.Body, "RowKey") != 1 {
		t.Errorf("overwritten: %s", a.Body)
	}
	objs, err := s.Objects(acct)
	check(t, err)
	if len(objs) != 2501 || objs[0].Fields["entities"] != "2500" || objs[0].Fields["policies"] != "p1||2027-01-01T00:00:00.0000000Z|r" {
		t.Errorf("%d objects, the first %v", len(objs), objs[0])
	}
	for _, bad := range []string{
		`{"tables":[{"nam":1}]}`, `{"tables":[{"name":"a-b"}]}`, `{"tables":5}`, `{"tables":[{"name":"abc","entities":[{"PartitionKey":"x"}]}]}`,
		`{"tables":[{"name":"abc","entities":[5]}]}`, `{"tables":[{"name":"abc","policies":[{"id":""}]}]}`, `{"tables":[{"name":"abc","entities":[{"PartitionKey":"/","RowKey":""}]}]}`,
	} {
		if s.Seed(acct, []byte(bad), kittest.Start) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	s.Drop(acct.ID)
	if len(s.Names(acct.ID)) != 0 {
		t.Error("tables of a dropped account")
	}
}

func TestLimitOfAPartition(t *testing.T) {
	t.Parallel()
	l, _ := newLab(t, table.Options{Limits: true})
	c := newTable(t, l, "Busy")
	var acts []aztables.TransactionAction
	for i := range 100 {
		acts = append(acts, aztables.TransactionAction{ActionType: aztables.TransactionTypeInsertReplace, Entity: fmt.Appendf(nil, `{"PartitionKey":"p","RowKey":"%d"}`, i)})
	}
	for range 20 {
		_, err := c.SubmitTransaction(t.Context(), acts, nil)
		check(t, err)
	}
	one := []byte(`{"PartitionKey":"p","RowKey":"r"}`)
	_, err := c.UpsertEntity(t.Context(), one, nil)
	wantCode(t, err, 503, "ServerBusy")
	l.Advance(time.Second)
	_, err = c.UpsertEntity(t.Context(), one, nil)
	check(t, err)
}
