package keyvault_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func TestPutFillsIn(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	res := l.vault(t, "KvOne", map[string]any{"enabledForDeployment": true, "networkAcls": map[string]any{"defaultAction": "Allow"}, "createMode": "default"})
	want := map[string]any{
		"tenantId": tenantA, "sku": map[string]any{"family": "A", "name": "standard"}, "enableRbacAuthorization": true, "enabledForDeployment": true,
		"networkAcls": map[string]any{"defaultAction": "Allow"}, "accessPolicies": []any{}, "enableSoftDelete": true, "softDeleteRetentionInDays": 90,
		"publicNetworkAccess": "Enabled", "vaultUri": "https://kvone.vault.azure.net/", "provisioningState": "Succeeded",
	}
	if diff := cmp.Diff(want, res.Body["properties"]); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
}

func TestPutRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	tests := []struct {
		name  string
		vault string
		props map[string]any
		code  string
	}{
		{"name too short", "kv", nil, "VaultNameNotValid"},
		{"name too long", strings.Repeat("k", 25), nil, "VaultNameNotValid"},
		{"name starts with a digit", "1kv", nil, "VaultNameNotValid"},
		{"name with two hyphens", "kv--1", nil, "VaultNameNotValid"},
		{"name ends with a hyphen", "kv1-", nil, "VaultNameNotValid"},
		{"another tenant", "kv1", map[string]any{"tenantId": "33333333-0000-4000-8000-000000000003"}, "BadRequest"},
		{"no sku", "kv1", map[string]any{"sku": nil}, "BadRequest"},
		{"unknown sku", "kv1", map[string]any{"sku": map[string]any{"family": "A", "name": "gold"}}, "BadRequest"},
		{"no access policies", "kv1", map[string]any{"enableRbacAuthorization": nil}, "BadRequest"},
		{"half an access policy", "kv1", map[string]any{"accessPolicies": []any{map[string]any{"objectId": oidA}}}, "BadRequest"},
		{"retention of 6", "kv1", map[string]any{"softDeleteRetentionInDays": 6}, "BadRequest"},
		{"retention of 91", "kv1", map[string]any{"softDeleteRetentionInDays": 91}, "BadRequest"},
		{"purge protection off", "kv1", map[string]any{"enablePurgeProtection": false}, "BadRequest"},
		{"purge protection without soft delete", "kv1", map[string]any{"enablePurgeProtection": true, "enableSoftDelete": false}, "BadRequest"},
		{"public access", "kv1", map[string]any{"publicNetworkAccess": "Maybe"}, "BadRequest"},
		{"firewall", "kv1", map[string]any{"networkAcls": map[string]any{"defaultAction": "Maybe"}}, "BadRequest"},
		{"firewall rule", "kv1", map[string]any{"networkAcls": map[string]any{"ipRules": []any{map[string]any{"value": "here"}}}}, "BadRequest"},
		{"recover of nothing", "kv1", map[string]any{"createMode": "recover"}, "DeletedVaultNotFound"},
		{"properties of another shape", "kv1", map[string]any{"accessPolicies": "all"}, "BadRequest"},
	}
	for _, tt := range tests {
		err := l.svc.Put(resource(tt.vault, tt.props), nil)
		if err == nil || err.Code != tt.code || err.Message == "" {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
		}
		if l.svc.Exists(tt.vault + ".vault.azure.net") {
			t.Errorf("%s: the vault was made", tt.name)
		}
	}
}

func TestPutAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	old := l.vault(t, "kv1", map[string]any{"enablePurgeProtection": true, "softDeleteRetentionInDays": 30})
	again := resource("kv1", map[string]any{"publicNetworkAccess": "Disabled"})
	if err := l.svc.Put(again, old); err != nil {
		t.Fatal(err)
	}
	props := again.Body["properties"].(map[string]any)
	if props["enablePurgeProtection"] != true || props["softDeleteRetentionInDays"] != 30 {
		t.Errorf("what is kept for good: %v", props)
	}
	if a := l.call(t, "GET", "secrets", ""); a.status != 403 {
		t.Errorf("the update has no effect: %d", a.status)
	}
	for _, props := range []map[string]any{{"enablePurgeProtection": false}, {"enableSoftDelete": false}, {"softDeleteRetentionInDays": 31}} {
		if err := l.svc.Put(resource("kv1", props), again); err == nil || err.Code != "BadRequest" {
			t.Errorf("%v: %v", props, err)
		}
	}
	// The name is taken for all tenants and groups, whatever its case.
	for _, other := range []*wire.Resource{resource("KV1", map[string]any{"tenantId": tenantB}), {ID: strings.Replace(old.ID, "rg-app", "rg-2", 1), TenantID: tenantA, Name: "kv1", Body: resource("kv1", nil).Body}} {
		if err := l.svc.Put(other, nil); err == nil || err.Code != "VaultAlreadyExists" || err.Status != 409 {
			t.Errorf("%s: %v", other.ID, err)
		}
	}
}

func TestDeletedVaults(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	res := l.vault(t, "kv1", map[string]any{"softDeleteRetentionInDays": 7})
	if a := l.call(t, "PUT", "secrets/s", `{"value":"kept"}`); a.status != 200 {
		t.Fatal(a.body)
	}
	if err := l.svc.Delete(*res); err != nil {
		t.Fatal(err)
	}
	if a := l.call(t, "GET", "secrets", ""); a.status != 404 {
		t.Errorf("a deleted vault answers: %d", a.status)
	}
	list := l.svc.DeletedVaults(subA)
	if len(list) != 1 || len(l.svc.DeletedVaults(subB)) != 0 {
		t.Fatalf("deleted vaults = %v", list)
	}
	want := map[string]any{
		"id":   "/subscriptions/" + subA + "/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv1",
		"name": "kv1", "type": "Microsoft.KeyVault/deletedVaults",
		"properties": map[string]any{
			"vaultId": res.ID, "location": "westeurope", "tags": map[string]any{}, "deletionDate": "2026-03-01T12:00:00Z", "scheduledPurgeDate": "2026-03-08T12:00:00Z",
		},
	}
	if diff := cmp.Diff(want, list[0]); diff != "" {
		t.Errorf("deleted vault (-want +got):\n%s", diff)
	}
	if err := l.svc.Put(resource("kv1", nil), nil); err == nil || err.Code != "ConflictError" {
		t.Errorf("the name of a deleted vault: %v", err)
	}
	if err := l.svc.Put(resource("kv1", map[string]any{"tenantId": tenantB}), nil); err == nil || err.Code != "VaultAlreadyExists" {
		t.Errorf("the name of a deleted vault of another subscription: %v", err)
	}
	back := resource("kv1", map[string]any{"createMode": "recover", "sku": nil, "softDeleteRetentionInDays": 20})
	if err := l.svc.Put(back, nil); err != nil {
		t.Fatal(err)
	}
	if props := back.Body["properties"].(map[string]any); props["softDeleteRetentionInDays"] != 7.0 || props["sku"] == nil {
		t.Errorf("a recovered vault is as it was: %v", props)
	}
	if a := l.call(t, "GET", "secrets/s", ""); !strings.Contains(a.body, "kept") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if err := l.svc.Delete(*res); err != nil {
		t.Fatal(err)
	}
	l.advance(7 * 24 * 3600e9)
	if got := l.svc.DeletedVaults(subA); len(got) != 0 {
		t.Errorf("after the retention: %v", got)
	}
}

// operate calls the service as ARM does.
func operate(t *testing.T, l *lab, res *wire.Resource, method, rest, body string) (wire.Answer, *wire.Error) {
	t.Helper()
	c := wire.Call{Method: method, Subscription: subA, Resource: res, Rest: strings.Split(rest, "/")}
	if body != "" {
		c.Body = json.RawMessage(body)
	}
	a, ok, err := l.svc.Operate(c)
	if !ok {
		t.Fatalf("%s %s is not answered", method, rest)
	}
	return a, err
}

func TestOperateSubscription(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	res := l.vault(t, "kv1", nil)
	protected := l.vault(t, "kv2", map[string]any{"enablePurgeProtection": true})
	name := func(n string) map[string]any {
		a, err := operate(t, l, nil, http.MethodPost, "checkNameAvailability", `{"name":"`+n+`","type":"Microsoft.KeyVault/vaults"}`)
		if err != nil {
			t.Fatal(err)
		}
		return a.Body.(map[string]any)
	}
	if n := name("free"); n["nameAvailable"] != true {
		t.Errorf("free: %v", n)
	}
	if n := name("KV1"); n["nameAvailable"] != false || n["reason"] != "AlreadyExists" {
		t.Errorf("taken: %v", n)
	}
	if n := name("no good"); n["nameAvailable"] != false || n["reason"] != "AccountNameInvalid" {
		t.Errorf("bad: %v", n)
	}
	if _, err := operate(t, l, nil, http.MethodPost, "checkNameAvailability", `{"name":"x","type":"y"}`); err == nil {
		t.Error("another type was checked")
	}
	for _, r := range []*wire.Resource{res, protected} {
		if err := l.svc.Delete(*r); err != nil {
			t.Fatal(err)
		}
	}
	a, err := operate(t, l, nil, http.MethodGet, "deletedVaults", "")
	if list, ok := a.Body.([]any); err != nil || !ok || len(list) != 2 {
		t.Errorf("deletedVaults = %v, %v", a.Body, err)
	}
	if _, err := operate(t, l, nil, http.MethodGet, "locations/West Europe/deletedVaults/KV1", ""); err != nil {
		t.Error(err)
	}
	for _, rest := range []string{"locations/eastus/deletedVaults/kv1", "locations/westeurope/deletedVaults/kv9"} {
		if _, err := operate(t, l, nil, http.MethodGet, rest, ""); err == nil || err.Status != 404 {
			t.Errorf("%s: %v", rest, err)
		}
	}
	if _, err := operate(t, l, nil, http.MethodPost, "locations/westeurope/deletedVaults/kv2/purge", ""); err == nil || err.Code != "MethodNotAllowed" {
		t.Errorf("purge of a protected vault: %v", err)
	}
	if _, err := operate(t, l, nil, http.MethodPost, "locations/westeurope/deletedVaults/kv1/purge", ""); err != nil {
		t.Error(err)
	}
	if n := name("kv1"); n["nameAvailable"] != true {
		t.Errorf("purged: %v", n)
	}
	if _, ok, _ := l.svc.Operate(wire.Call{Method: "GET", Rest: []string{"managedHSMs"}}); ok {
		t.Error("managed HSMs are answered")
	}
	if _, ok, _ := l.svc.Action(*res, "x", nil); ok {
		t.Error("a vault has an action")
	}
}

func TestOperateAccessPolicies(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	res := l.vault(t, "kv1", map[string]any{"enableRbacAuthorization": false, "accessPolicies": []any{}})
	policies := func(how, perms string) (wire.Answer, *wire.Error) {
		a, err := operate(t, l, res, http.MethodPut, "accessPolicies/"+how, `{"properties":{"accessPolicies":[{"tenantId":"`+tenantA+`","objectId":"`+oidA+`","permissions":{"secrets":[`+perms+`]}}]}}`)
		if err == nil {
			res = a.Resource
		}
		return a, err
	}
	try := func(method, path, body string) int { return l.call(t, method, path, body).status }
	if try("GET", "secrets", "") != 403 {
		t.Error("allowed without a policy")
	}
	a, err := policies("add", `"list"`)
	if err != nil || a.Body.(map[string]any)["type"] != "Microsoft.KeyVault/vaults/accessPolicies" || try("GET", "secrets", "") != 200 {
		t.Errorf("add list: %v, %v", a, err)
	}
	if _, err := policies("add", `"set"`); err != nil || try("PUT", "secrets/s", `{"value":"x"}`) != 200 || try("GET", "secrets", "") != 200 {
		t.Errorf("add set: %v", err)
	}
	if _, err := policies("replace", `"get"`); err != nil || try("GET", "secrets/s", "") != 200 || try("GET", "secrets", "") != 403 {
		t.Errorf("replace: %v", err)
	}
	if _, err := policies("remove", ``); err != nil || try("GET", "secrets/s", "") != 403 {
		t.Errorf("remove: %v", err)
	}
	if _, err := policies("burn", ``); err == nil {
		t.Error("an unknown operation was done")
	}
	if _, err := operate(t, l, res, http.MethodPut, "accessPolicies/add", `{}`); err == nil {
		t.Error("nothing was added")
	}
}

func TestOperateChildren(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	res := l.vault(t, "kv1", nil)
	a, err := operate(t, l, res, http.MethodPut, "secrets/s", `{"properties":{"value":"x","contentType":"t","attributes":{"exp":2000000000}},"tags":{"a":"b"}}`)
	if err != nil {
		t.Fatal(err)
	}
	body := a.Body.(map[string]any)
	props := body["properties"].(map[string]any)
	if body["type"] != "Microsoft.KeyVault/vaults/secrets" || props["secretUri"] != "https://kv1.vault.azure.net/secrets/s" || props["value"] != nil || props["contentType"] != "t" {
		t.Errorf("secret = %v", body)
	}
	if a := l.call(t, "GET", "secrets/s", ""); !strings.Contains(a.body, `"value":"x"`) {
		t.Errorf("the secret is not there: %s", a.body)
	}
	steps := []struct {
		method, rest, body string
		code               string
	}{
		{"PATCH", "secrets/s", `{"properties":{"attributes":{"enabled":false}}}`, ""},
		{"PATCH", "secrets/s", `{"properties":{"value":"y"}}`, ""},
		{"GET", "secrets/s", ``, ""},
		{"GET", "secrets/none", ``, "SecretNotFound"},
		{"PUT", "secrets/bad_name", `{"properties":{"value":"x"}}`, "BadRequest"},
		{"PUT", "secrets/s", `{"properties":{}}`, "BadParameter"},
		{"PUT", "secrets/s", `{`, "BadRequest"},
		{"PUT", "keys/k", `{"properties":{"kty":"EC","curveName":"P-384"}}`, ""},
		{"PUT", "keys/r", `{"properties":{"kty":"RSA"}}`, ""},
		{"PUT", "keys/rotated", `{"properties":{"kty":"RSA","rotationPolicy":{"attributes":{"expiryTime":"P90D"},"lifetimeActions":[{"action":{"type":"rotate"},"trigger":{"timeBeforeExpiry":"P30D"}}]}}}`, ""},
		{"PUT", "keys/badly", `{"properties":{"kty":"RSA","rotationPolicy":{"attributes":{"expiryTime":"P1D"}}}}`, "BadParameter"},
		{"GET", "keys/k", ``, ""},
		{"GET", "keys/k/versions", ``, ""},
		{"GET", "keys/none", ``, "KeyNotFound"},
		{"PUT", "keys/bad_name", `{}`, "BadRequest"},
	}
	for _, s := range steps {
		a, err := operate(t, l, res, s.method, s.rest, s.body)
		switch {
		case s.code == "" && (err != nil || a.Body == nil):
			t.Errorf("%s %s: %v, %v", s.method, s.rest, a, err)
		case s.code != "" && (err == nil || err.Code != s.code):
			t.Errorf("%s %s: %v, want %s", s.method, s.rest, err, s.code)
		}
	}
	one, _ := operate(t, l, res, "GET", "keys/k", "")
	two, err := operate(t, l, res, "PUT", "keys/k", `{"properties":{"kty":"RSA"}}`) // an existing key is not changed
	if err != nil || !cmp.Equal(one.Body, two.Body) {
		t.Errorf("keys differ: %v", cmp.Diff(one.Body, two.Body))
	}
	rotated, _ := operate(t, l, res, "GET", "keys/rotated", "")
	if text, err := json.Marshal(rotated.Body); err != nil || !strings.Contains(string(text), `"action":{"type":"rotate"}`) || !strings.Contains(string(text), `"expiryTime":"P90D"`) {
		t.Errorf("the rotation policy is %s, %v", text, err)
	}
	if a := l.call(t, "GET", "keys/rotated/rotationpolicy", ""); !strings.Contains(a.body, `"type":"Rotate"`) {
		t.Errorf("the key's own rotation policy: %s", a.body)
	}
	uri := one.Body.(map[string]any)["properties"].(map[string]any)["keyUriWithVersion"].(string)
	version := uri[strings.LastIndex(uri, "/")+1:]
	if _, err := operate(t, l, res, "GET", "keys/k/versions/"+version, ""); err != nil {
		t.Error(err)
	}
	for rest, want := range map[string]int{"secrets": 1, "keys": 3} {
		a, err := operate(t, l, res, "GET", rest, "")
		if list, ok := a.Body.([]any); err != nil || !ok || len(list) != want {
			t.Errorf("%s = %v, %v", rest, a.Body, err)
		}
	}
	for _, c := range []wire.Call{
		{Method: "DELETE", Resource: res, Rest: []string{"secrets", "s"}},
		{Method: "POST", Resource: res, Rest: []string{"keys"}},
		{Method: "PUT", Resource: res, Rest: []string{"keys", "k", "versions"}},
		{Method: "GET", Resource: res, Rest: []string{"keys", "k", "verses"}},
		{Method: "GET", Resource: res, Rest: []string{"privateEndpointConnections"}},
		{Method: "GET", Resource: res},
	} {
		if _, ok, _ := l.svc.Operate(c); ok {
			t.Errorf("%s %v is answered", c.Method, c.Rest)
		}
	}
}
