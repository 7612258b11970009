package arm_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := owner
	good.audience = "https://management.core.windows.net/"
	wrong := owner
	wrong.audience = "https://vault.azure.net"
	const authority = `Bearer authorization_uri="https://login.windows.net/` + tenantA + `", `
	path := version("/subscriptions/"+subA, subVersion)
	for _, tc := range []struct {
		name, authorization, path, code, message, challenge string
	}{
		{"none", "", path, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", authority + `error="invalid_token", error_description="The authentication failed because of missing 'Authorization' header."`},
		{"none, tenant level", "", version("/subscriptions", subVersion), "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", `Bearer authorization_uri="https://login.windows.net/", error="invalid_token"`},
		{"no bearer", "Basic eDp5", path, "AuthenticationFailedInvalidHeader", "Authentication failed. The 'Authorization' header is provided in an invalid format.", authority},
		{"unknown", "Bearer x", path, "InvalidAuthenticationToken", "The access token is invalid.", authority + `error="invalid_token"`},
		{"forged", "Bearer forged", path, "InvalidAuthenticationToken", "Signature verification failed.", authority + `error="invalid_token"`},
		{"expired", "Bearer expired", path, "ExpiredAuthenticationToken", "The access token expiry UTC time '11/20/2026 9:00:00 AM' is earlier than current UTC time '11/20/2026 10:00:00 AM'.", authority + `error="invalid_token"`},
		{"revoked", "Bearer revoked", path, "TokenIssuedBeforeRevocationTimestamp", "The session has been revoked.", authority + `error="insufficient_claims", claims="`},
		{"audience", "Bearer " + wrong.token(), path, "InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource 'https://vault.azure.net'. It should exactly match with one of the allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net','https://management.azure.com/','https://management.azure.com'.", authority},
		{"tenant", "Bearer " + good.token(), version("/subscriptions/"+subB, subVersion), "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer 'https://sts.windows.net/" + tenantA + "/'. It must match the tenant 'https://sts.windows.net/" + tenantB + "/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/" + tenantB + "' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later.", `Bearer authorization_uri="https://login.windows.net/` + tenantB + `", error="invalid_token", error_description="The access token is from the wrong issuer. It must match the tenant associated with this subscription. Please use correct authority to get the token."`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := w.send(t, tc.authorization, "GET", tc.path, "")
			wantError(t, a, http.StatusUnauthorized, tc.code)
			if a.message() != tc.message {
				t.Errorf("message %q, want %q", a.message(), tc.message)
			}
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, tc.challenge) {
				t.Errorf("challenge %q, want %q", got, tc.challenge)
			}
		})
	}
	if a := w.send(t, "Bearer "+good.token(), "GET", path, ""); a.status != http.StatusOK {
		t.Errorf("a good token: %d %s", a.status, a.raw)
	}
	none := newWorld(t, func(o *arm.Options) { o.Tokens = nil })
	wantError(t, none.send(t, "Bearer "+good.token(), "GET", path, ""), http.StatusUnauthorized, "AuthenticationFailed")
}

// TestRefusals are raw requests with the exact words of the refusal.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sub := "/subscriptions/" + subA
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		code, message            string
	}{
		{"no api-version", "GET", sub, "", 400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."},
		{"bad api-version of ARM", "GET", version(sub, "1999-01-01"), "", 400, "InvalidApiVersionParameter", "The api-version '1999-01-01' is invalid. The supported versions are '2022-12-01'."},
		{"bad api-version of a type", "PUT", version(vaultA+"z", "1999-01-01"), `{"location":"eastus"}`, 400, "NoRegisteredProviderFound", "No registered resource provider found for location 'eastus' and API version '1999-01-01' for type 'vaults'. The supported api-versions are '2024-11-01'. The supported locations are 'australiacentral, "},
		{"bad api-version of a stored resource", "GET", version(vaultA, "1999-01-01"), "", 400, "NoRegisteredProviderFound", "No registered resource provider found for location 'westeurope' and"},
		{"unknown type", "GET", version(groupA+"/providers/Microsoft.KeyVault/safes", kvVersion), "", 404, "InvalidResourceType", "The resource type 'safes' could not be found in the namespace 'Microsoft.KeyVault' for api version '2024-11-01'. The supported api-versions are '2024-11-01'."},
		{"unknown namespace", "GET", version(sub+"/providers/Microsoft.Nowhere/things", kvVersion), "", 404, "InvalidResourceNamespace", "The resource namespace 'Microsoft.Nowhere' is invalid."},
		{"unknown path", "GET", version(sub+"/nothing/here", subVersion), "", 404, "NotFound", "No HTTP resource was found"},
		{"unknown path of the tenant", "GET", version("/nothing", subVersion), "", 404, "NotFound", "No HTTP resource was found"},
		{"unknown method", "POST", version(groupA, resVersion), "", 404, "NotFound", "No HTTP resource was found"},
		{"method of no type", "POST", version(groupA+"/providers/Microsoft.KeyVault/vaults", kvVersion), "", 405, "MethodNotAllowed", "The requested resource does not support http method 'POST'."},
		{"Azure has it, the emulator not", "POST", version(groupA+"/moveResources", resVersion), "{}", 501, "NotImplemented", "This emulator does not implement POST "},
		{"tag names", "GET", version(sub+"/tagNames", resVersion), "", 501, "NotImplemented", "This emulator does not implement GET "},
		{"tenant-level operations", "GET", version("/providers/Microsoft.KeyVault/operations", kvVersion), "", 501, "NotImplemented", "This emulator does not implement GET "},
		{"subscription", "GET", version("/subscriptions/"+aGUID, subVersion), "", 404, "SubscriptionNotFound", "The subscription '" + aGUID + "' could not be found."},
		{"subscription's form", "GET", version("/subscriptions/x", subVersion), "", 400, "InvalidSubscriptionId", "The provided subscription identifier 'x' is malformed or invalid."},
		{"group", "GET", version(sub+"/resourceGroups/none/resources", resVersion), "", 404, "ResourceGroupNotFound", "Resource group 'none' could not be found."},
		{"resource", "GET", version(vaultA+"x", kvVersion), "", 404, "ResourceNotFound", "The Resource 'Microsoft.KeyVault/vaults/kv-ax' under resource group 'rg-App' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"},
		{"parent", "PUT", version(vaultA+"x/secrets/s", kvVersion), `{"properties":{}}`, 404, "ParentResourceNotFound", "Failed to perform 'write' on resource(s) of type 'vaults/secrets', because the parent resource '" + vaultA + "x' could not be found."},
		{"parent of a list", "GET", version(vaultA+"x/secrets", kvVersion), "", 404, "ParentResourceNotFound", "Failed to perform 'read' on"},
		{"no JSON", "PUT", version(vaultA, kvVersion), "{", 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: 'the body is not JSON'."},
		{"no object", "PUT", version(vaultA, kvVersion), "[]", 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: 'the body is not a JSON object'."},
		{"no body", "PUT", version(vaultA, kvVersion), "", 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: 'the body is empty'."},
		{"properties no object", "PUT", version(vaultA, kvVersion), `{"properties":"x"}`, 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: 'properties is not a JSON object'."},
		{"tags no object", "PUT", version(groupA, resVersion), `{"tags":[]}`, 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: 'tags is not a JSON object'."},
		{"a tag no string", "PATCH", version(vaultA, kvVersion), `{"tags":{"a":1}}`, 400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: 'the tag a is not a string'."},
		{"body too long", "PUT", version(vaultA, kvVersion), `"` + strings.Repeat("x", 4<<20) + `"`, 413, "RequestContentTooLarge", "The request content size exceeds the maximum size of '4 MB'."},
		{"filter", "GET", version(sub+"/resources?$filter=size%20eq%20'x'", resVersion), "", 400, "InvalidFilterInQueryString", "Invalid $filter 'size eq 'x'' specified in the query string."},
		{"filter's form", "GET", version(sub+"/resourceGroups?$filter=name%20eq", resVersion), "", 400, "InvalidFilterInQueryString", "Invalid $filter 'name eq' specified in the query string."},
		{"function in a filter", "GET", version(sub+"/resources?$filter=endswith(name,'x')", resVersion), "", 400, "InvalidFilterInQueryString", "Invalid $filter"},
		{"top", "GET", version(sub+"/resources?$top=none", resVersion), "", 400, "InvalidTopInQueryString", "Invalid $top 'none' specified in the query string."},
		{"top of a list that is not stored", "GET", version("/subscriptions?$top=0", subVersion), "", 400, "InvalidTopInQueryString", "Invalid $top '0' specified in the query string."},
		{"skip token", "GET", version(sub+"/resources?$skiptoken=!", resVersion), "", 400, "InvalidSkipToken", "The skip token '!' is invalid."},
		{"skip token of a list that is not stored", "GET", version("/subscriptions?$skiptoken=!", subVersion), "", 400, "InvalidSkipToken", "The skip token '!' is invalid."},
		{"method on a subscription", "DELETE", version(sub, subVersion), "", 405, "MethodNotAllowed", "The requested resource does not support http method 'DELETE'."},
		{"tags of a subscription", "GET", version(sub+"/providers/Microsoft.Resources/tags/default", resVersion), "", 501, "NotImplemented", "This emulator does not implement GET "},
		{"tags of a group that is not there", "GET", version(groupA+"x/providers/Microsoft.Resources/tags/default", resVersion), "", 404, "ResourceGroupNotFound", "Resource group 'rg-Appx' could not be found."},
		{"tags without a body", "PATCH", version(vaultA+"/providers/Microsoft.Resources/tags/default", resVersion), "", 400, "InvalidRequestContent", "The request content was invalid"},
		{"tags of another form", "PUT", version(vaultA+"/providers/Microsoft.Resources/tags/default", resVersion), `{"properties":{"tags":{"a":1}}}`, 400, "InvalidRequestContent", "The request content was invalid"},
		{"endpoints of another time", "GET", version("/metadata/endpoints", "1999-01-01"), "", 400, "InvalidApiVersionParameter", "The api-version '1999-01-01' is invalid."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := w.do(t, owner, tc.method, tc.path, tc.body)
			wantError(t, a, tc.status, tc.code)
			if !strings.HasPrefix(a.message(), tc.message) {
				t.Errorf("message %q, want %q", a.message(), tc.message)
			}
		})
	}
}

func TestAuthorizationFailedWording(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct{ name, method, path, action, scope string }{
		{"item", "PUT", vaultA, "Microsoft.KeyVault/vaults/write", vaultA},
		{"item, other casing", "DELETE", strings.ToLower(vaultA), "Microsoft.KeyVault/vaults/delete", vaultA},
		{"list of a group", "GET", groupA + "/providers/microsoft.keyvault/vaults", "Microsoft.KeyVault/vaults/read", groupA},
		{"list of a subscription", "GET", "/subscriptions/" + subA + "/providers/Microsoft.KeyVault/vaults", "Microsoft.KeyVault/vaults/read", "/subscriptions/" + subA},
		{"list of children", "GET", vaultA + "/secrets", "Microsoft.KeyVault/vaults/secrets/read", vaultA},
		{"name check, a read", "POST", "/subscriptions/" + subA + "/providers/Microsoft.KeyVault/checkNameAvailability", "Microsoft.KeyVault/checkNameAvailability/read", "/subscriptions/" + subA},
		{"purge", "POST", "/subscriptions/" + subA + "/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/kv/purge", "Microsoft.KeyVault/locations/deletedVaults/purge/action", "/subscriptions/" + subA + "/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/kv"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := w.do(t, nobody, tc.method, version(tc.path, kvVersion), "{}")
			wantError(t, a, http.StatusForbidden, "AuthorizationFailed")
			want := fmt.Sprintf("The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.", nobody.app, nobody.object, tc.action, tc.scope)
			if a.message() != want {
				t.Errorf("message\n%s\nwant\n%s", a.message(), want)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(t, groupA+"2", map[string]any{"location": "eastus", "tags": map[string]any{"env": "test", "x": "prod"}})
	web := groupA + "2/providers/Microsoft.Web/sites/web"
	w.put(t, web, map[string]any{"tags": map[string]any{"team": "b", "role": "a"}, "kind": "app", "sku": map[string]any{"name": "B1"}})
	for _, tc := range []struct {
		name, path string
		want       []string
	}{
		{"type", "/resources?$filter=resourceType%20eq%20'Microsoft.Web/sites'", []string{web}},
		{"not the type", "/resources?$filter=resourceType%20ne%20'Microsoft.Web/sites'", []string{vaultA}},
		{"location", "/resources?$filter=location%20eq%20'East%20US'", []string{web}},
		{"group", "/resources?$filter=resourceGroup%20eq%20'RG-APP2'", []string{web}},
		{"part of the name", "/resources?$filter=substringof('V-',name)", []string{vaultA}},
		{"start of a tag", "/resources?$filter=startswith(tagName,'te')", []string{vaultA, web}},
		{"tag", "/resources?$filter=tagName%20eq%20'team'%20and%20tagValue%20eq%20'a'", []string{vaultA}},
		{"tag's value in another casing", "/resources?$filter=tagName%20eq%20'team'%20and%20tagValue%20eq%20'A'", []string{}},
		{"or", "/resources?$filter=name%20eq%20'web'%20or%20name%20eq%20'kv-a'", []string{vaultA, web}},
		{"groups by tag", "/resourceGroups?$filter=tagName%20eq%20'env'%20and%20tagValue%20eq%20'prod'", []string{groupA}},
		{"first only", "/resources?$top=1", []string{vaultA}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := w.do(t, owner, "GET", version("/subscriptions/"+subA+tc.path, resVersion), "")
			if diff := cmp.Diff(tc.want, a.ids()); a.status != http.StatusOK || diff != "" {
				t.Errorf("%d %s", a.status, diff)
			}
		})
	}
	w.do(t, owner, "PATCH", version(vaultA, kvVersion), `{"tags":{"a":"b"}}`)
	a := w.do(t, owner, "GET", version("/subscriptions/"+subA+"/resources?$expand=createdTime,changedTime,provisioningState", resVersion), "")
	list := a.body["value"].([]any)
	want := map[string]any{
		"id": web, "name": "web", "type": "Microsoft.Web/sites", "location": "eastus", "kind": "app",
		"sku": map[string]any{"name": "B1"}, "tags": map[string]any{"team": "b", "role": "a"}, "provisioningState": "Succeeded",
	}
	if diff := cmp.Diff(want, list[1]); diff != "" {
		t.Error(diff)
	}
	if changed := list[0].(map[string]any)["changedTime"]; changed != "2026-11-20T10:00:00.0000000Z" {
		t.Errorf("changedTime %v", changed)
	}
}

// TestGeneric writes a type that only the generic store knows, as foreign clients do.
func TestGeneric(t *testing.T) {
	t.Parallel()
	w := newWorld(t, loose)
	site := groupA + "/providers/Microsoft.Web/sites/Web"
	path := version(strings.ToUpper(groupA)+"/PROVIDERS/Microsoft.Web/sites/Web", "2099-01-01")
	if a := w.do(t, owner, "PUT", path, `{"location":"West Europe","tags":{"a":"1","b":"2"},"properties":{"x":{"y":1,"z":2},"list":[1,{"a":null}]}}`); a.status != http.StatusCreated || a.body["id"] != site {
		t.Fatalf("PUT: %d %s", a.status, a.raw)
	}
	if a := w.do(t, owner, "PATCH", path, `{"tags":{"b":null,"c":"3"},"properties":{"x":{"z":null},"n":{"m":1}}}`); a.status != http.StatusOK {
		t.Fatalf("PATCH: %d %s", a.status, a.raw)
	}
	a := w.do(t, owner, "GET", version(strings.ToLower(site), "2098-01-01"), "")
	delete(a.body, "systemData")
	want := map[string]any{
		"id": site, "name": "Web", "type": "Microsoft.Web/sites", "location": "westeurope",
		"tags":       map[string]any{"a": "1", "c": "3"},
		"properties": map[string]any{"x": map[string]any{"y": 1.0}, "n": map[string]any{"m": 1.0}, "list": []any{1.0, map[string]any{"a": nil}}, "provisioningState": "Succeeded"},
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
	if a := w.do(t, owner, "PUT", path, `{"properties":{}}`); a.status != http.StatusOK || a.body["location"] != "westeurope" || a.body["tags"] != nil {
		t.Errorf("replaced: %d %s", a.status, a.raw)
	}
	slot := version(strings.ToLower(site)+"/slots/s1", "2099-01-01")
	if a := w.do(t, owner, "PUT", slot, `{"location":"westeurope"}`); a.status != http.StatusCreated || a.body["id"] != site+"/slots/s1" || a.body["type"] != "Microsoft.Web/sites/slots" {
		t.Errorf("child: %d %s", a.status, a.raw)
	}
	extension := site + "/providers/Microsoft.Insights/diagnosticSettings/l"
	if a := w.do(t, owner, "PUT", version(extension, "2099-01-01"), `{"properties":{}}`); a.status != http.StatusCreated {
		t.Errorf("extension: %d %s", a.status, a.raw)
	}
	for path, want := range map[string][]string{
		"/subscriptions/" + subA + "/providers/Microsoft.Web/sites": {site},
		groupA + "/providers/microsoft.web/SITES":                   {site},
		site + "/slots": {site + "/slots/s1"},
		site + "/providers/Microsoft.Insights/diagnosticSettings":                     {extension},
		"/subscriptions/" + subA + "/providers/Microsoft.Insights/diagnosticSettings": {extension},
		"/subscriptions/" + subA + "/resources":                                       {vaultA, site, site + "/slots/s1"},
		groupA + "/providers/Microsoft.Nowhere/things":                                {},
		"/subscriptions/" + subA2 + "/resources":                                      nil,
		"/subscriptions/" + subA + "/providers/Microsoft.KeyVault/vaults?$top=1":      {vaultA},
	} {
		got := w.do(t, owner, "GET", version(path, "2099-01-01"), "")
		if want == nil {
			wantError(t, got, http.StatusForbidden, "AuthorizationFailed")
			continue
		}
		if diff := cmp.Diff(want, got.ids()); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	if a := w.do(t, owner, "HEAD", path, ""); a.status != http.StatusNoContent {
		t.Errorf("HEAD: %d", a.status)
	}
	if a := w.do(t, owner, "DELETE", path, ""); a.status != http.StatusOK {
		t.Errorf("DELETE: %d %s", a.status, a.raw)
	}
	for _, gone := range []string{site, site + "/slots/s1", extension} {
		if _, ok := w.Get(gone); ok {
			t.Errorf("%s is still there", gone)
		}
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.send(t, "", "GET", version("/metadata/endpoints", "2022-09-01"), "")
	if a.status != http.StatusOK || a.body["resourceManager"] != "https://management.azure.com/" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a = w.send(t, "", "GET", version("/metadata/endpoints", "2019-05-01"), ""); a.status != http.StatusOK || !strings.HasPrefix(a.raw, "[") {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestResourceTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do(t, owner, "GET", version("/subscriptions/"+subA+"/providers/Microsoft.KeyVault/resourceTypes", resVersion), "")
	list, _ := a.body["value"].([]any)
	if !slices.ContainsFunc(list, func(e any) bool { return e.(map[string]any)["resourceType"] == "vaults/secrets" }) {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := w.do(t, owner, "GET", version("/providers", resVersion), ""); a.status != http.StatusOK || len(a.body["value"].([]any)) < 3 {
		t.Errorf("providers at tenant level: %d %s", a.status, a.raw)
	}
	wantError(t, w.do(t, nobody, "GET", version("/subscriptions/"+subA+"/providers", resVersion), ""), http.StatusForbidden, "AuthorizationFailed")
	wantError(t, w.do(t, nobody, "GET", version("/subscriptions/"+subA+"/providers/Microsoft.KeyVault/resourceTypes", resVersion), ""), http.StatusForbidden, "AuthorizationFailed")
	stranger := principal{"cccccccc-0000-0000-0000-000000000001", nobody.object, nobody.app, ""}
	if a := w.do(t, stranger, "GET", version("/tenants", subVersion), ""); a.status != http.StatusOK || len(a.ids()) != 0 {
		t.Errorf("tenants of a stranger: %d %s", a.status, a.raw)
	}
}

// FuzzServe sends what no client would; whatever comes, there is an answer.
func FuzzServe(f *testing.F) {
	for _, path := range []string{
		"/", "/subscriptions/" + subA, groupA, vaultA, vaultA + "/secrets", vaultA + "/accessPolicies/add", "/providers/providers/providers",
		"/subscriptions/" + subA + "/providers/A/providers/B/c/d", vaultA + "/providers/Microsoft.Authorization/permissions",
		"/subscriptions/" + subA + "/providers/Microsoft.KeyVault/locations/x/operationStatuses/y", groupA + "/providers/Contoso.Wood/planks/oak/a/b/c",
		vaultA + "/providers/Microsoft.Resources/tags/default", "/subscriptions/" + subA + "/operationresults/x", "/tenants", "//" + groupA + "//resources//",
		groupA + "/providers/Microsoft.Authorization/roleAssignments/x", "/providers/Microsoft.Authorization/roleDefinitions/" + readerRole,
	} {
		for i := range 6 {
			f.Add(i, path, `{"location":"westeurope","properties":{"a":[1]}}`)
		}
	}
	methods := []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"}
	f.Fuzz(func(t *testing.T, method int, path, body string) {
		for _, strict := range []bool{true, false} {
			w := newWorld(t, func(o *arm.Options) { o.Strict, o.Polls = strict, 0 })
			w.Register(&sawmill{planks: planks{typ: "Contoso.Wood/planks"}})
			p := owner
			p.audience = "https://management.azure.com/"
			r := httptest.NewRequestWithContext(t.Context(), methods[uint(method)%6], "https://management.azure.com/", strings.NewReader(body))
			r.URL.Path, r.URL.RawQuery = path, "api-version="+kvVersion
			r.Header.Set("Authorization", "Bearer "+p.token())
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, r)
			if rec.Code == http.StatusInternalServerError {
				t.Errorf("%s %s: %s", r.Method, path, rec.Body)
			}
		}
	})
}
