package rbac_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	me      = "11111111-1111-1111-1111-111111111111"
	myGroup = "22222222-2222-2222-2222-222222222222"
	blobRow = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
)

// token is a credential whose token holds the given claims.
type token map[string]any

func (c token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if err, ok := c["error"].(error); ok {
		return azcore.AccessToken{}, err
	}
	payload, err := json.Marshal(c)
	text := "h." + base64.RawURLEncoding.EncodeToString(payload) + ".s"
	return azcore.AccessToken{Token: text, ExpiresOn: time.Now().Add(time.Hour)}, err
}

// answers stands for Azure where its rare answers are wanted: JSON bodies by the end of
// the request's path; the first that fits.
type answers struct {
	bodies [][2]string
	mu     sync.Mutex // guards asked
	asked  []string
}

func (a *answers) Do(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	a.asked = append(a.asked, req.URL.String())
	a.mu.Unlock()
	status, body := http.StatusOK, `{"value":[]}`
	for _, b := range a.bodies {
		if strings.HasSuffix(strings.ToLower(req.URL.Path), strings.ToLower(b[0])) {
			body = b[1]
			break
		}
	}
	if strings.Contains(body, `"error"`) {
		status = http.StatusForbidden
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// endpoint is a resource that is reached through a.
func endpoint(t testing.TB, a *answers, cred azcore.TokenCredential, id string) plugin.Endpoint {
	t.Helper()
	config, _, err := cloud.Resolve(cloud.Public)
	if err != nil {
		t.Fatal(err)
	}
	return plugin.Endpoint{
		Resource: plugin.Resource{ID: id, Name: "x", Type: "Microsoft.KeyVault/vaults"}, Credential: cred,
		Options: policy.ClientOptions{Cloud: config, Transport: a, Retry: policy.RetryOptions{MaxRetries: -1}},
	}
}

func checkAnswers(t testing.TB, a *answers, cred azcore.TokenCredential, id string, dataActions ...string) rbac.Resource {
	t.Helper()
	s := rbac.Subject{Side: plugin.Source, Plugin: needs(nil, dataActions), Mode: plugin.Template, Endpoint: endpoint(t, a, cred, id)}
	report, err := rbac.NewChecker().Check(t.Context(), []rbac.Subject{s})
	if err != nil {
		t.Fatal(err)
	}
	return report.Resources[0]
}

// TestConditionOfAnElement: where Azure shows the condition of a role, what it grants is
// unknown, unless another role grants it without one.
func TestConditionOfAnElement(t *testing.T) {
	t.Parallel()
	const limited = `{"actions":[],"notActions":[],"dataActions":["*"],"notDataActions":[],"condition":"@Resource[x] StringEquals 'y'"}`
	const plain = `{"actions":[],"notActions":[],"dataActions":["` + setSecret + `"],"notDataActions":[]}`
	for _, elements := range []string{limited + "," + plain, plain + "," + limited} {
		a := &answers{bodies: [][2]string{{"/permissions", `{"value":[` + elements + `]}`}}}
		got := checkAnswers(t, a, token{"oid": me}, vaultScope, getSecret, setSecret)
		if got.Rights[0].State != rbac.Unknown || !strings.Contains(got.Rights[0].Why, "condition") || got.Rights[1].State != rbac.Held {
			t.Errorf("%+v", got.Rights)
		}
	}
}

// TestConditionOfADeny: a deny assignment with a condition may deny.
func TestConditionOfADeny(t *testing.T) {
	t.Parallel()
	a := &answers{bodies: [][2]string{
		{"/permissions", `{"value":[{"dataActions":["*"]}]}`},
		{"/denyAssignments", `{"value":[{"name":"d1","properties":{"principals":[{"id":"` + me + `"}],"permissions":[{"dataActions":["` + getSecret + `"],"condition":"c"}]}}]}`},
	}}
	if got := checkAnswers(t, a, token{"oid": me}, vaultScope, getSecret); got.Rights[0].State != rbac.Unknown || !strings.Contains(got.Rights[0].Why, "d1") {
		t.Errorf("%+v", got.Rights)
	}
}

// TestGroupsOfTheToken: a token that lists the groups decides about them.
func TestGroupsOfTheToken(t *testing.T) {
	t.Parallel()
	a := &answers{bodies: [][2]string{
		{"/permissions", `{"value":[{"dataActions":["*"]}]}`},
		{"/denyAssignments", `{"value":[{"properties":{"denyAssignmentName":"team","principals":[{"id":"` + myGroup + `","type":"Group"}],"permissions":[{"dataActions":["*"]}]}}]}`},
	}}
	for want, cred := range map[rbac.State]token{
		rbac.Missing: {"oid": me, "groups": []string{strings.ToUpper(myGroup)}},
		rbac.Held:    {"oid": me, "groups": []string{"33333333-3333-3333-3333-333333333333"}},
		rbac.Unknown: {"oid": me, "groups": []string{"33333333-3333-3333-3333-333333333333"}, "_claim_names": map[string]any{"groups": "src1"}},
	} {
		if got := checkAnswers(t, a, cred, vaultScope, getSecret); got.Rights[0].State != want {
			t.Errorf("%v: %+v, want %s", cred, got.Rights, want)
		}
	}
}

// TestConditionsOfAssignments: for the actions that a role assignment's condition can
// limit, the assignments are looked at; for others they are not.
func TestConditionsOfAssignments(t *testing.T) {
	t.Parallel()
	const assignment = `{"properties":{"principalId":"` + me + `","roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/%ROLE%","condition":"%COND%"}}`
	assign := func(role, condition string) string {
		return strings.NewReplacer("%ROLE%", role, "%COND%", condition).Replace(assignment)
	}
	definitions := [][2]string{
		{"/permissions", `{"value":[{"dataActions":["*"]}]}`},
		{"/roleDefinitions/blobs", `{"properties":{"permissions":[{"dataActions":["Microsoft.Storage/*"]}]}}`},
		{"/roleDefinitions/keys", `{"properties":{"permissions":[{"dataActions":["Microsoft.KeyVault/*"]}]}}`},
	}
	for _, tt := range []struct {
		name, assignments string
		want              rbac.State
	}{
		{"no condition", assign("blobs", ""), rbac.Held},
		{"a condition", assign("blobs", "c"), rbac.Unknown},
		{"a condition, and the same role without one", assign("blobs", "c") + "," + assign("blobs", ""), rbac.Held},
		{"a condition on a role that does not matter", assign("keys", "c") + "," + assign("blobs", ""), rbac.Held},
		{"a condition, and another role that does not matter", assign("blobs", "c") + "," + assign("keys", ""), rbac.Unknown},
		{"no right to read them", `"error"`, rbac.Unknown},
		{"a role that cannot be read", assign("hidden", "c"), rbac.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			listed := `{"value":[` + tt.assignments + `]}`
			if tt.assignments == `"error"` {
				listed = `{"error":{"code":"AuthorizationFailed","message":"The client does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/read' over scope."}}`
			}
			a := &answers{bodies: append([][2]string{{"/roleAssignments", listed}, {"/roleDefinitions/hidden", `{"error":{"code":"AuthorizationFailed","message":"no"}}`}}, definitions...)}
			got := checkAnswers(t, a, token{"oid": me}, vaultScope, blobRow, getSecret)
			if got.Rights[0].State != tt.want {
				t.Errorf("%+v, want %s", got.Rights[0], tt.want)
			}
			if got.Rights[1].State != rbac.Held {
				t.Errorf("an action without conditions: %+v", got.Rights[1])
			}
			for _, u := range a.asked {
				if strings.Contains(u, "roleAssignments") && !strings.Contains(u, "$filter=atScope%28%29+and+assignedTo%28%27"+me+"%27%29") {
					t.Errorf("the filter is not escaped: %s", u)
				}
			}
		})
	}
}

// TestPages: every page counts, with the conditions of its own elements.
func TestPages(t *testing.T) {
	t.Parallel()
	a := &answers{bodies: [][2]string{
		{"/permissions", `{"value":[{"dataActions":["` + getSecret + `"],"condition":"c"}],"nextLink":"https://management.azure.com/second"}`},
		{"/second", `{"value":[null,{"dataActions":["` + setSecret + `"]}]}`},
		{"/denyAssignments", `{"value":[],"nextLink":"https://management.azure.com/denied"}`},
		{"/denied", `{"value":[null,{"properties":null},{"name":"d","properties":{"principals":[null,{"id":"` + me + `"}],"permissions":[null,{"dataActions":["` + readVault + `"]}]}}]}`},
	}}
	got := checkAnswers(t, a, token{"oid": me}, vaultScope, getSecret, setSecret)
	if statesOf(got) != "secrets/getSecret/action=unknown secrets/setSecret/action=held" {
		t.Error(statesOf(got))
	}
}

// TestChildResource: the API wants the resources above a child as one path.
func TestChildResource(t *testing.T) {
	t.Parallel()
	const group = "/subscriptions/s1/resourceGroups/rg"
	for id, want := range map[string]string{
		group + "/providers/Microsoft.Sql/servers/srv/databases/db": "/subscriptions/s1/resourcegroups/rg/providers/Microsoft.Sql/servers/srv/databases/db/providers/Microsoft.Authorization/permissions",
		group + "/providers/Contoso.A/a/1/b/2/c/3":                  "/subscriptions/s1/resourcegroups/rg/providers/Contoso.A/a/1/b/2/c/3/providers/Microsoft.Authorization/permissions",
	} {
		a := &answers{}
		checkAnswers(t, a, token{"oid": me}, id, getSecret)
		if !strings.Contains(a.asked[0], want) {
			t.Errorf("asked %s, want %s", a.asked[0], want)
		}
	}
}

func TestCallerOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		claims token
		want   plugin.Caller
	}{
		"an application":         {token{"tid": "t", "oid": me, "appid": "a", "idtyp": "app"}, plugin.Caller{TenantID: "t", ObjectID: me, AppID: "a"}},
		"a user":                 {token{"tid": "t", "oid": me, "azp": "a", "scp": "user_impersonation", "groups": []string{"g"}}, plugin.Caller{TenantID: "t", ObjectID: me, AppID: "a", User: true, Groups: []string{"g"}}},
		"a user who says so":     {token{"oid": me, "idtyp": "user"}, plugin.Caller{ObjectID: me, User: true}},
		"too many groups":        {token{"oid": me, "groups": []string{"g"}, "_claim_names": map[string]any{"groups": "src"}}, plugin.Caller{ObjectID: me}},
		"groups of another form": {token{"oid": []int{1}}, plugin.Caller{}},
	} {
		got, err := rbac.CallerOf(t.Context(), plugin.Source, endpoint(t, &answers{}, tt.claims, vaultScope))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	failing := endpoint(t, &answers{}, token{"error": &errs.Error{Op: "sign in", Kind: errs.Unauthenticated, Err: errors.New("no")}}, vaultScope)
	if _, err := rbac.CallerOf(t.Context(), plugin.Source, failing); errs.KindOf(err) != errs.Unauthenticated {
		t.Errorf("%v", err)
	}
	s := rbac.Subject{Side: plugin.Source, Plugin: needs(nil, list(getSecret)), Mode: plugin.Template, Endpoint: failing}
	if _, err := rbac.NewChecker().Check(t.Context(), []rbac.Subject{s, s}); errs.KindOf(err) != errs.Unauthenticated {
		t.Errorf("a side that cannot sign in: %v", err)
	}
	nowhere := endpoint(t, &answers{}, token{}, vaultScope)
	nowhere.Options.Cloud = azcloud.Configuration{}
	if _, err := rbac.CallerOf(t.Context(), plugin.Source, nowhere); err == nil {
		t.Error("a cloud without Resource Manager is accepted")
	}
}

func TestOpaqueTokenIsNobody(t *testing.T) {
	t.Parallel()
	got, err := rbac.CallerOf(t.Context(), plugin.Target, endpoint(t, &answers{}, opaque{}, vaultScope))
	if err != nil || got.ObjectID != "" {
		t.Errorf("%+v %v", got, err)
	}
}

type opaque struct{}

func (opaque) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "opaque", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestNetworkOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typ, properties, fact, hint string
	}{
		"nothing said":            {"Microsoft.KeyVault/vaults", `{}`, "", ""},
		"not read":                {"Microsoft.KeyVault/vaults", ``, "", ""},
		"open":                    {"Microsoft.KeyVault/vaults", `{"publicNetworkAccess":"Enabled","networkAcls":{"defaultAction":"Allow"},"privateEndpointConnections":[{}]}`, "", ""},
		"off":                     {"Microsoft.KeyVault/vaults", `{"publicNetworkAccess":"disabled"}`, "no private endpoint is approved", "make a private endpoint"},
		"off, one pending":        {"Microsoft.KeyVault/vaults", `{"publicNetworkAccess":"Disabled","privateEndpointConnections":[{"properties":{"privateLinkServiceConnectionState":{"status":"Pending"}}}]}`, "no private endpoint is approved", "make"},
		"off, one approved":       {"Microsoft.KeyVault/vaults", `{"publicNetworkAccess":"Disabled","privateEndpointConnections":[{"properties":{"privateLinkServiceConnectionState":{"status":"Approved"}}}]}`, "through its private endpoints alone", "run from a network with one"},
		"firewall of a vault":     {"Microsoft.KeyVault/vaults", `{"networkAcls":{"defaultAction":"Deny","ipRules":[{"value":"1.2.3.4"}],"virtualNetworkRules":[{},{}]}}`, "1 address range and 2 subnets alone", "az keyvault network-rule add --name kv1 --ip-address ADDRESS"},
		"firewall of a registry":  {"Microsoft.ContainerRegistry/registries", `{"networkRuleSet":{"defaultAction":"deny"}}`, "0 address ranges and 0 subnets", "az acr network-rule add --name kv1"},
		"firewall of another one": {"Contoso.Boxes/boxes", `{"networkRuleSet":{"defaultAction":"Deny"}}`, "its firewall", "add it to the network rules of kv1"},
		"firewall of Cosmos DB":   {"Microsoft.DocumentDB/databaseAccounts", `{"publicNetworkAccess":"Enabled","ipRules":[{"ipAddressOrRange":"1.2.3.4"}],"isVirtualNetworkFilterEnabled":false}`, "1 address range and 0 subnets alone", "az cosmosdb update --name kv1 --resource-group rg1 --ip-range-filter ADDRESSES"},
		"subnets of Cosmos DB":    {"Microsoft.DocumentDB/databaseAccounts", `{"ipRules":[],"isVirtualNetworkFilterEnabled":true,"virtualNetworkRules":[{}]}`, "0 address ranges and 1 subnet alone", "az cosmosdb"},
		"open Cosmos DB":          {"Microsoft.DocumentDB/databaseAccounts", `{"ipRules":[],"isVirtualNetworkFilterEnabled":false,"virtualNetworkRules":[]}`, "", ""},
		"inside a network":        {"Microsoft.ApiManagement/service", `{"publicNetworkAccess":"Enabled","virtualNetworkType":"Internal"}`, "inside a virtual network", "run from that network"},
		"perimeter":               {"Microsoft.Storage/storageAccounts", `{"publicNetworkAccess":"SecuredByPerimeter"}`, "perimeter", "access rule"},
	} {
		got := rbac.NetworkOf(plugin.Resource{Type: tt.typ, Name: "kv1", ResourceGroup: "rg1", Properties: json.RawMessage(tt.properties)})
		if (got == nil) != (tt.fact == "") {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		if got != nil && (!strings.Contains(got.Fact, tt.fact) || !strings.Contains(got.Hint, tt.hint)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
