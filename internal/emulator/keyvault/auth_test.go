package keyvault_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	expired, err := json.Marshal(wire.Claims{TenantID: tenantA, Audience: "https://vault.azure.net", Expires: start.Add(-time.Hour)})
	check(t, err)
	tests := []struct {
		name, token, message string
	}{
		{"none", "", "AKV10000: "},
		{"garbage", "nope", "[BearerReadAccessTokenFailed]"},
		{"expired", string(expired), "[TokenExpired]"},
		{"of Resource Manager", token(tenantA, "https://management.azure.com/"), "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com/."},
		{
			"of another tenant", token(tenantB, "https://vault.azure.net"),
			"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/" + tenantA + "/, found https://sts.windows.net/" + tenantB + "/.",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := l.raw(t, "GET", "https://kv1.vault.azure.net/secrets?api-version=7.4", tt.token, "")
			code, _, message := a.code(t)
			if a.status != http.StatusUnauthorized || code != "Unauthorized" || !strings.HasPrefix(message, tt.message) {
				t.Errorf("%d %s %q", a.status, code, message)
			}
			want := `Bearer authorization="https://login.microsoftonline.com/` + tenantA + `", resource="https://vault.azure.net"`
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, want) {
				t.Errorf("challenge = %s", got)
			}
		})
	}
	for _, aud := range []string{"https://vault.azure.net", "https://vault.azure.net/", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"} {
		if a := l.raw(t, "GET", "https://kv1.vault.azure.net/secrets?api-version=7.4", token(tenantA, aud), ""); a.status != 200 {
			t.Errorf("audience %s: %d %s", aud, a.status, a.body)
		}
	}
}

func TestHeadersAndVersions(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	get := func(query string) answer {
		return l.raw(t, "GET", "https://KV1.vault.azure.net/secrets"+query, token(tenantA, "https://vault.azure.net"), "")
	}
	for _, v := range []string{"2016-10-01", "7.0", "7.4", "7.6-preview.2", "2025-07-01", "2026-04-01"} {
		a := get("?api-version=" + v)
		if a.status != 200 || a.header.Get("X-Ms-Keyvault-Region") != "westeurope" || a.header.Get("X-Ms-Request-Id") == "" {
			t.Errorf("api-version %s: %d %v", v, a.status, a.header)
		}
	}
	for _, q := range []string{"", "?api-version=", "?api-version=6.0"} {
		a := get(q)
		if code, _, _ := a.code(t); a.status != 400 || code != "BadParameter" {
			t.Errorf("query %q: %d %s", q, a.status, a.body)
		}
	}
	none := l.raw(t, "GET", "https://kv9.vault.azure.net/secrets?api-version=7.4", token(tenantA, "https://vault.azure.net"), "")
	if code, _, _ := none.code(t); none.status != 404 || code != "VaultNotFound" {
		t.Errorf("no vault: %d %s", none.status, none.body)
	}
	if !l.svc.Exists("kv1.vault.azure.net") || l.svc.Exists("kv9.vault.azure.net") || l.svc.Owns("vault.azure.net") || l.svc.Owns("a.b.vault.azure.net") || l.svc.Owns("kv.example.com") {
		t.Error("Owns or Exists is wrong")
	}
}

// TestActions does every operation with exactly its data action at its scope, and without
// it. The table is Microsoft's list of provider operations.
func TestActions(t *testing.T) {
	t.Parallel()
	const p = "Microsoft.KeyVault/vaults/"
	tests := []struct {
		method, path, scope string
		actions             []string
	}{
		{"GET", "secrets", "", []string{"secrets/readMetadata/action"}},
		{"GET", "secrets/x", "/secrets/x", []string{"secrets/getSecret/action"}},
		{"GET", "secrets/x/" + strings.Repeat("a", 32), "/secrets/x", []string{"secrets/getSecret/action"}},
		{"GET", "secrets/x/versions", "/secrets/x", []string{"secrets/readMetadata/action"}},
		{"PUT", "secrets/x", "/secrets/x", []string{"secrets/setSecret/action"}},
		{"PATCH", "secrets/x", "/secrets/x", []string{"secrets/update/action"}},
		{"DELETE", "secrets/x", "/secrets/x", []string{"secrets/delete"}},
		{"POST", "secrets/x/backup", "/secrets/x", []string{"secrets/backup/action"}},
		{"POST", "secrets/restore", "", []string{"secrets/restore/action"}},
		{"GET", "deletedsecrets", "", []string{"secrets/readMetadata/action"}},
		{"GET", "deletedsecrets/x", "/secrets/x", []string{"secrets/readMetadata/action"}},
		{"POST", "deletedsecrets/x/recover", "/secrets/x", []string{"secrets/recover/action"}},
		{"DELETE", "deletedsecrets/x", "/secrets/x", []string{"secrets/purge/action"}},
		{"GET", "keys", "", []string{"keys/read"}},
		{"GET", "keys/x", "/keys/x", []string{"keys/read"}},
		{"PUT", "keys/x", "/keys/x", []string{"keys/import/action"}},
		{"POST", "keys/x/create", "/keys/x", []string{"keys/create/action"}},
		{"PATCH", "keys/x", "/keys/x", []string{"keys/update/action"}},
		{"DELETE", "keys/x", "/keys/x", []string{"keys/delete"}},
		{"GET", "keys/x/rotationpolicy", "/keys/x", []string{"keyrotationpolicies/read"}},
		{"PUT", "keys/x/rotationpolicy", "/keys/x", []string{"keyrotationpolicies/write"}},
		{"POST", "keys/x/rotate", "/keys/x", []string{"keys/rotate/action"}},
		{"POST", "keys/x/encrypt", "/keys/x", []string{"keys/encrypt/action", "keys/read"}},
		{"POST", "keys/x/decrypt", "/keys/x", []string{"keys/decrypt/action"}},
		{"POST", "keys/x/wrapkey", "/keys/x", []string{"keys/wrap/action", "keys/read"}},
		{"POST", "keys/x/unwrapkey", "/keys/x", []string{"keys/unwrap/action"}},
		{"POST", "keys/x/sign", "/keys/x", []string{"keys/sign/action"}},
		{"POST", "keys/x/verify", "/keys/x", []string{"keys/verify/action", "keys/read"}},
		{"POST", "keys/x/release", "/keys/x", []string{"keys/release/action"}},
		{"POST", "keys/restore", "", []string{"keys/restore/action"}},
		{"POST", "deletedkeys/x/recover", "/keys/x", []string{"keys/recover/action"}},
		{"DELETE", "deletedkeys/x", "/keys/x", []string{"keys/purge/action"}},
		{"GET", "certificates", "", []string{"certificates/read"}},
		{"GET", "certificates/x", "/certificates/x", []string{"certificates/read"}},
		{"POST", "certificates/x/create", "/certificates/x", []string{"certificates/create/action"}},
		{"POST", "certificates/x/import", "/certificates/x", []string{"certificates/import/action"}},
		{"PATCH", "certificates/x/policy", "/certificates/x", []string{"certificates/update/action"}},
		{"POST", "certificates/x/pending/merge", "/certificates/x", []string{"certificates/create/action"}},
		{"DELETE", "certificates/x", "/certificates/x", []string{"certificates/delete"}},
		{"POST", "deletedcertificates/x/recover", "/certificates/x", []string{"certificates/recover/action"}},
		{"DELETE", "deletedcertificates/x", "/certificates/x", []string{"certificates/purge/action"}},
		{"GET", "certificates/issuers", "", []string{"certificatecas/read"}},
		{"PUT", "certificates/issuers/x", "/certificatecas/x", []string{"certificatecas/write"}},
		{"DELETE", "certificates/issuers/x", "/certificatecas/x", []string{"certificatecas/delete"}},
		{"PUT", "certificates/contacts", "/certificatecontacts/contacts", []string{"certificatecontacts/write"}},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, keyvault.Options{})
			res := l.vault(t, "kv1", nil)
			l.allow(func(_, action string) bool { return !slices.Contains(tt.actions, strings.TrimPrefix(action, p)) })
			a := l.call(t, tt.method, tt.path, "")
			code, inner, message := a.code(t)
			if a.status != 403 || code != "Forbidden" || inner != "ForbiddenByRbac" {
				t.Fatalf("everything else is allowed: %d %s", a.status, a.body)
			}
			for _, line := range []string{
				"Caller: appid=app;oid=" + oidA + ";iss=https://sts.windows.net/" + tenantA + "/\r\n",
				"Action: '" + p + tt.actions[0] + "'\r\n", "Resource: '" + strings.ToLower(res.ID+tt.scope) + "'\r\n",
				"Assignment: (not found)\r\n", "Vault: kv1;location=westeurope\r\n",
			} {
				if !strings.Contains(message, line) {
					t.Errorf("%q lacks %q", message, line)
				}
			}
			for _, one := range tt.actions {
				l.allow(func(scope, action string) bool { return action == p+one && scope == res.ID+tt.scope })
				if a := l.call(t, tt.method, tt.path, ""); a.status == 403 && strings.Contains(a.body, "ForbiddenByRbac") {
					t.Errorf("only %s is allowed: %s", one, a.body)
				}
			}
		})
	}
}

func TestAccessPolicies(t *testing.T) {
	t.Parallel()
	policy := func(tenant, oid string, perms map[string]any) map[string]any {
		return map[string]any{"tenantId": tenant, "objectId": oid, "permissions": perms}
	}
	tests := []struct {
		name     string
		policies []any
		path     string
		method   string
		allowed  bool
	}{
		{"none", []any{}, "secrets", "GET", false},
		{"list", []any{policy(tenantA, oidA, map[string]any{"secrets": []any{"List"}})}, "secrets", "GET", true},
		{"list is not get", []any{policy(tenantA, oidA, map[string]any{"secrets": []any{"list"}})}, "secrets/x", "GET", false},
		{"other object", []any{policy(tenantA, oidA, map[string]any{"keys": []any{"get"}})}, "secrets/x", "GET", false},
		{"other principal", []any{policy(tenantA, subA, map[string]any{"secrets": []any{"get"}})}, "secrets/x", "GET", false},
		{"other tenant", []any{policy(tenantB, oidA, map[string]any{"secrets": []any{"get"}})}, "secrets/x", "GET", false},
		{"second policy", []any{policy(tenantA, subA, map[string]any{"secrets": []any{"get"}}), policy(tenantA, oidA, map[string]any{"Secrets": []any{"get"}})}, "secrets/x", "GET", true},
		{"all", []any{policy(tenantA, oidA, map[string]any{"certificates": []any{"all"}})}, "certificates", "GET", true},
		{"all is not purge", []any{policy(tenantA, oidA, map[string]any{"secrets": []any{"all"}})}, "deletedsecrets/x", "DELETE", false},
		{"manage issuers", []any{policy(tenantA, oidA, map[string]any{"certificates": []any{"manageissuers"}})}, "certificates/issuers", "GET", true},
		{"wrap", []any{policy(tenantA, oidA, map[string]any{"keys": []any{"wrapKey"}})}, "keys/x/wrapkey", "POST", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, keyvault.Options{})
			l.vault(t, "kv1", map[string]any{"enableRbacAuthorization": false, "accessPolicies": tt.policies})
			l.allow(func(string, string) bool { return false }) // roles count for nothing here
			a := l.call(t, tt.method, tt.path, "")
			if tt.allowed {
				if a.status == 403 {
					t.Errorf("refused: %s", a.body)
				}
				return
			}
			code, inner, message := a.code(t)
			if a.status != 403 || code != "Forbidden" || inner != "ForbiddenByPolicy" || !strings.Contains(message, "permission on key vault 'kv1;location=westeurope'") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestFirewall(t *testing.T) {
	t.Parallel()
	acls := func(def string, rules ...any) map[string]any {
		list := make([]any, 0, len(rules))
		for _, r := range rules {
			list = append(list, map[string]any{"value": r})
		}
		return map[string]any{"defaultAction": def, "bypass": "AzureServices", "ipRules": list}
	}
	tests := []struct {
		name  string
		props map[string]any
		inner string
	}{
		{"open", map[string]any{"networkAcls": acls("Allow")}, ""},
		{"deny", map[string]any{"networkAcls": acls("Deny")}, "ForbiddenByFirewall"},
		{"deny but this address", map[string]any{"networkAcls": acls("Deny", "198.51.100.1", "203.0.113.10")}, ""},
		{"deny but this network", map[string]any{"networkAcls": acls("Deny", "203.0.113.0/24")}, ""},
		{"private", map[string]any{"publicNetworkAccess": "Disabled", "networkAcls": acls("Allow")}, "ForbiddenByConnection"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, keyvault.Options{})
			l.vault(t, "kv1", tt.props)
			a := l.call(t, "GET", "secrets", "")
			if tt.inner == "" {
				if a.status != 200 {
					t.Errorf("%d %s", a.status, a.body)
				}
				return
			}
			code, inner, message := a.code(t)
			if a.status != 403 || code != "Forbidden" || inner != tt.inner || !strings.Contains(message, "Caller: appid=app;") {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

// TestTenants: the SDK takes the tenant from the challenge; a credential that insists on
// its own is refused.
func TestTenants(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kva", nil)
	l.vault(t, "kvb", map[string]any{"tenantId": tenantB})
	set := azsecrets.SetSecretParameters{Value: to.Ptr("x")}
	for _, v := range []string{"kva", "kvb"} {
		_, err := l.secrets(t, v).SetSecret(t.Context(), "s", set, nil)
		check(t, err)
	}
	c, err := azsecrets.NewClient("https://kvb.vault.azure.net", identity{tenant: tenantA}, &azsecrets.ClientOptions{ClientOptions: l.options()})
	check(t, err)
	_, err = c.SetSecret(t.Context(), "s", set, nil)
	wantError(t, err, 401, "Unauthorized", "")
}
