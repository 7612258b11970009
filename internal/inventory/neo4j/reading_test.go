package neo4j

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	driver "github.com/neo4j/neo4j-go-driver/v6/neo4j"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// The graph itself is read in test/neo4j, from a real server. These tests are about what
// nodes may hold.

const (
	vaults   = "Microsoft.KeyVault/vaults"
	tenantID = "aaaaaaaa-0000-4000-8000-000000000001"
	elseID   = "bbbbbbbb-0000-4000-8000-000000000001"
)

func id(sub, name string) string {
	return "/subscriptions/" + sub + "/resourceGroups/rg/providers/" + vaults + "/" + name
}

// taken are the IDs that nodes yield.
func taken(t *testing.T, scope Scope, types []string, nodes ...node) ([]string, inventory.Links, error) {
	t.Helper()
	var out []string
	r := newReading(scope, types, func(res plugin.Resource, _ error) bool {
		out = append(out, res.ID)
		return len(out) < 10
	})
	for _, n := range nodes {
		if err := r.take(n); err != nil {
			return out, r.links, err
		}
	}
	return out, r.links, nil
}

func TestNodes(t *testing.T) {
	t.Parallel()
	a, b := id("s1", "a"), id("s1", "b")
	tests := []struct {
		name  string
		scope Scope
		nodes []node
		want  []string
	}{
		{"both nodes of a resource", Scope{}, []node{{id: a, abstracted: "kv-1"}, {id: "kv-1", original: a, scanned: []string{a}}}, []string{a}},
		{"IDs in two spellings", Scope{}, []node{{id: a}, {id: strings.ToUpper(a[:20]) + a[20:]}, {id: "kv-1", original: strings.ToLower(a)}}, []string{a}},
		{"the original node is lost", Scope{}, []node{{id: "kv-1", original: a}}, []string{a}},
		{"only the relationship is left", Scope{}, []node{{id: "kv-1", scanned: []string{a, a, b}}}, []string{a, b}},
		{"another tenant", Scope{TenantID: tenantID}, []node{{id: a, tenant: elseID}, {id: b, tenant: strings.ToUpper(tenantID)}}, []string{b}},
		{"a tenant by its domain", Scope{TenantID: tenantID}, []node{{id: a, tenant: "contoso.com"}}, []string{a}},
		{"another subscription", Scope{Subscriptions: []string{"S2", "s1"}}, []node{{id: a}, {id: id("s3", "c")}}, []string{a}},
		{"another type", Scope{}, []node{{id: strings.Replace(a, "vaults", "managedHSMs", 1)}, {id: "x", typ: "other/type"}, {id: "/subscriptions/s1", typ: "other/type"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := taken(t, tt.scope, []string{"microsoft.keyvault/VAULTS"}, tt.nodes...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, n := range []node{{id: "kv-1", typ: vaults}, {id: "/subscriptions/s1", typ: vaults}} {
		if _, _, err := taken(t, Scope{}, []string{vaults}, n); err == nil || !strings.Contains(err.Error(), n.id) {
			t.Errorf("%s: %v", n.id, err)
		}
	}
}

// Links of parents count, though they are not asked for.
func TestAliases(t *testing.T) {
	t.Parallel()
	server := "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Sql/servers/sql"
	types := []string{"Microsoft.Sql/servers/databases"}
	got, links, err := taken(t, Scope{}, types,
		node{id: server, abstracted: "sql-1"}, node{id: server + "/databases/d"},
		node{id: "sql-1", original: server}, node{id: "sql-1b", original: server}, node{id: "sqldb-2", original: server + "/databases/d"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{server + "/databases/d"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := map[string][]string{strings.ToLower(server): {"sql-1", "sql-1b"}, strings.ToLower(server) + "/databases/d": {"sqldb-2"}}
	if diff := cmp.Diff(want, links.Aliases); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
	r := newReading(Scope{}, types, nil)
	if diff := cmp.Diff([]string{"microsoft.sql/servers/databases", "microsoft.sql/servers"}, r.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	r := newReading(Scope{}, nil, func(plugin.Resource, error) bool { return false })
	if err := r.take(node{id: id("s1", "a")}); !errors.Is(err, errStopped) {
		t.Error(err)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		"": nil, `{"a":"b"}`: {"a": "b"}, `{"a":"b","n":1,"x":null}`: {"a": "b"}, `{"a":"b...(truncated)`: nil, "null": {},
	} {
		if diff := cmp.Diff(want, tagsOf(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestScopeText(t *testing.T) {
	t.Parallel()
	for want, scope := range map[string]Scope{
		"subscription s1 of tenant t":                       {Subscriptions: []string{"s1"}, TenantID: "t"},
		"the 2 subscriptions that the principal sees":       {Subscriptions: []string{"s1", "s2"}},
		"resource group rg of tenant t":                     {ResourceGroup: "rg", TenantID: "t"},
		"subscription s1 of resource group rg of tenant tt": {Subscriptions: []string{"s1"}, ResourceGroup: "rg", TenantID: "tt"},
	} {
		if got := scope.text(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An address never shows a password, and is refused if it holds one.
func TestAddress(t *testing.T) {
	t.Parallel()
	const password = "cAnArY-7"
	for uri, want := range map[string]string{
		"bolt://h:1": "", "neo4j+ssc://h": "", "neo4j+s://h:1": "",
		"bolt://neo4j:" + password + "@h:1": "must not hold a user or a password", "http://h": `scheme "http"`, "h:7687": "scheme", "bolt://": "no host",
		"bolt://a:" + password + "@[": "cannot be read", "": `scheme ""`,
	} {
		f := New(Config{URI: uri}, Scope{})
		_, err := f.address()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", uri, err)
		}
		if err != nil && strings.Contains(f.wrap(t.Context(), err).Error(), password) {
			t.Errorf("%s: the error shows the password: %v", uri, f.wrap(t.Context(), err))
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	f := New(Config{URI: "bolt://h:1"}, Scope{Side: plugin.Target})
	tests := []struct {
		err  error
		kind errs.Kind
		hint string
	}{
		{&driver.Neo4jError{Code: "Neo.ClientError.Security.Unauthorized", Msg: "m"}, errs.Unauthenticated, "NEO4J_PASSWORD"},
		{&driver.Neo4jError{Code: "Neo.ClientError.Security.AuthenticationRateLimit", Msg: "m"}, errs.Unauthenticated, "wait some seconds"},
		{&driver.Neo4jError{Code: "Neo.ClientError.Security.CredentialsExpired", Msg: "m"}, errs.Unauthenticated, "ALTER CURRENT USER"},
		{&driver.Neo4jError{Code: "Neo.ClientError.Security.Forbidden", Msg: "m"}, errs.PermissionDenied, "right to read"},
		{&driver.Neo4jError{Code: "Neo.ClientError.Database.DatabaseNotFound", Msg: "m"}, errs.NotFound, "SHOW DATABASES"},
		{&driver.Neo4jError{Code: "Neo.TransientError.General.OutOfMemoryError", Msg: "m"}, errs.Unavailable, ""},
		{errors.New("else"), errs.Internal, ""},
	}
	for _, tt := range tests {
		e := errs.Find(f.wrap(t.Context(), tt.err))
		if e.Kind != tt.kind || !strings.Contains(e.Hint, tt.hint) || e.Side != "target" || e.Resource != "bolt://h:1" {
			t.Errorf("%v: %+v", tt.err, e)
		}
	}
}

// A server that hangs up, and one whose certificate nobody knows.
func TestUnreached(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	for uri, want := range map[string]string{
		"bolt+s://" + secure.Listener.Addr().String(): "certificate is not trusted",
		"bolt://" + l.Addr().String():                 "the server hung up",
	} {
		for _, err := range New(Config{URI: uri, User: "u", Password: secret.New("p")}, Scope{}).Find(t.Context(), nil) {
			e := errs.Find(err)
			if e == nil || e.Kind != errs.Unavailable || !strings.Contains(e.Error(), want) || e.Hint == "" {
				t.Errorf("%s: %v", uri, err)
			}
		}
	}
	for text, want := range map[string]string{
		"tls: first record does not look like a TLS handshake":                      "use the scheme without +s",
		"remote end closed the connection, check that TLS is enabled on the server": "use the scheme without +s",
		"context deadline exceeded":                                                 "not that of HTTP",
		"connect: connection refused":                                               "start Neo4j",
	} {
		if hint, cause := unreached(errors.New(text)); cause == nil || !strings.Contains(hint, want) {
			t.Errorf("%s: %v, %s", text, cause, hint)
		}
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := New(Config{URI: "bolt://127.0.0.1:1"}, Scope{})
	if err := f.wrap(ctx, errors.New("x")); errs.KindOf(err) != errs.Canceled {
		t.Error(err)
	}
}
