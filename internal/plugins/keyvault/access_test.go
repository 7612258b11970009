package keyvault

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	accessTenant = "11111111-1111-1111-1111-111111111111"
	accessObject = "22222222-2222-2222-2222-222222222222"
	accessGroup  = "33333333-3333-3333-3333-333333333333"
	accessApp    = "44444444-4444-4444-4444-444444444444"
)

var everyPolicyRight = map[string][]string{
	"secrets":      {"Get", "List", "Set"},
	"keys":         {"get", "list", "create", "getrotationpolicy", "setrotationpolicy"},
	"certificates": {"get", "list", "create", "import", "getissuers", "listissuers", "setissuers", "managecontacts"},
}

func policyEndpoint(t testing.TB, properties any) plugin.Endpoint {
	t.Helper()
	raw, err := json.Marshal(properties)
	if err != nil {
		t.Fatal(err)
	}
	return plugin.Endpoint{Resource: plugin.Resource{
		ID: "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv", Name: "kv", ResourceGroup: "rg", SubscriptionID: "s", Properties: raw,
	}}
}

func withPolicies(list ...map[string]any) map[string]any {
	return map[string]any{"enableRbacAuthorization": false, "accessPolicies": list}
}

func entryOf(object string, rights map[string][]string) map[string]any {
	return map[string]any{"tenantId": accessTenant, "objectId": object, "permissions": rights}
}

func through(app string, policy map[string]any) map[string]any {
	policy["applicationId"] = app
	return policy
}

func without(kind, name string) map[string][]string {
	out := map[string][]string{}
	for k, names := range everyPolicyRight {
		out[k] = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return k == kind && strings.EqualFold(n, name) })
	}
	return out
}

func actionsIn(ps []plugin.Permission) []string {
	out := []string{}
	for _, p := range ps {
		for _, a := range p.DataActions {
			out = append(out, strings.TrimPrefix(a, "Microsoft.KeyVault/vaults/"))
		}
	}
	return out
}

func TestCheckAccess(t *testing.T) {
	t.Parallel()
	app := plugin.Caller{TenantID: accessTenant, ObjectID: accessObject, AppID: accessApp, Groups: []string{}}
	inGroup := app
	inGroup.Groups = []string{strings.ToUpper(accessGroup)}
	groupsUnknown := app
	groupsUnknown.Groups = nil
	user := app
	user.User = true
	var all []string
	for _, p := range New().Permissions(plugin.Replication) {
		if p.Side == plugin.Source {
			all = append(all, actionsIn([]plugin.Permission{p})...)
		}
	}
	for _, tt := range []struct {
		name             string
		properties       any
		who              plugin.Caller
		by               string
		missing, unknown []string
	}{
		{"the vault uses Azure RBAC", map[string]any{"enableRbacAuthorization": true, "accessPolicies": []any{}}, app, "", nil, nil},
		{"an old vault says nothing of Azure RBAC", map[string]any{"accessPolicies": []any{}}, app, "access policies", all, nil},
		{"every right", withPolicies(entryOf(strings.ToUpper(accessObject), everyPolicyRight)), app, "access policies", nil, nil},
		{"all", withPolicies(entryOf(accessObject, map[string][]string{"Secrets": {"all"}, "Keys": {"ALL"}, "Certificates": {"all"}})), app, "access policies", nil, nil},
		{"no value of a secret", withPolicies(entryOf(accessObject, without("secrets", "get"))), app, "access policies", []string{"secrets/getSecret/action"}, nil},
		{"no rotation policy", withPolicies(entryOf(accessObject, without("keys", "getrotationpolicy"))), app, "access policies", []string{"keyrotationpolicies/read"}, nil},
		{"keys are listed but not read", withPolicies(entryOf(accessObject, without("keys", "get"))), app, "access policies", []string{"keys/read"}, nil},
		{"issuers in the old form", withPolicies(entryOf(accessObject, map[string][]string{
			"secrets": {"all"}, "keys": {"all"}, "certificates": {"get", "list", "manageissuers", "managecontacts"},
		})), app, "access policies", nil, nil},
		{"rights of another tenant's entry do not count", withPolicies(map[string]any{
			"tenantId": "55555555-5555-5555-5555-555555555555", "objectId": accessObject, "permissions": everyPolicyRight,
		}), app, "access policies", all, nil},
		{"two entries add up", withPolicies(entryOf(accessObject, without("secrets", "get")), entryOf(accessObject, map[string][]string{"secrets": {"get"}})), app, "access policies", nil, nil},
		{"a group's entry", withPolicies(entryOf(accessGroup, everyPolicyRight)), inGroup, "access policies", nil, nil},
		{"another group's entry", withPolicies(entryOf(accessGroup, everyPolicyRight)), app, "access policies", all, nil},
		{"perhaps a group's entry", withPolicies(entryOf(accessGroup, everyPolicyRight)), groupsUnknown, "access policies", nil, all},
		{"one right is perhaps a group's", withPolicies(entryOf(accessObject, without("secrets", "get")), entryOf(accessGroup, map[string][]string{"secrets": {"get"}})), groupsUnknown, "access policies", nil, []string{"secrets/getSecret/action"}},
		{"an entry for users of an application, and a user of it", withPolicies(through(strings.ToUpper(accessApp), entryOf(accessObject, everyPolicyRight))), user, "access policies", nil, nil},
		{"an entry for users of another application", withPolicies(through(accessGroup, entryOf(accessObject, everyPolicyRight))), user, "access policies", all, nil},
		{"an entry for users of an application, and the application itself", withPolicies(through(accessApp, entryOf(accessObject, everyPolicyRight))), app, "access policies", all, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := New().CheckAccess(t.Context(), policyEndpoint(t, tt.properties), tt.who, plugin.Source, plugin.Replication)
			if err != nil {
				t.Fatal(err)
			}
			if got.By != tt.by {
				t.Errorf("decided by %q, want %q", got.By, tt.by)
			}
			if diff := cmp.Diff(append([]string{}, tt.missing...), actionsIn(got.Missing)); diff != "" {
				t.Errorf("missing: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, tt.unknown...), actionsIn(got.Unknown)); diff != "" {
				t.Errorf("unknown: -want +got\n%s", diff)
			}
			if (got.Why != "") != (len(tt.unknown) > 0) || (len(got.Grant) == 1) != (tt.by != "") {
				t.Errorf("why %q, grant %q", got.Why, got.Grant)
			}
		})
	}
}

// TestEveryPermissionIsKnownToAccessPolicies: without each of its rights in the policy, a
// permission is missing, and no other one is that does not need the same right.
func TestEveryPermissionIsKnownToAccessPolicies(t *testing.T) {
	t.Parallel()
	who := plugin.Caller{TenantID: accessTenant, ObjectID: accessObject, Groups: []string{}}
	for _, mode := range plugin.Modes() {
		for _, perm := range New().Permissions(mode) {
			rights := rightsInPolicy(perm)
			if len(rights) == 0 {
				t.Errorf("%v stands for no right of an access policy", perm.DataActions)
			}
			for _, r := range rights {
				e := policyEndpoint(t, withPolicies(entryOf(accessObject, without(r.kind, r.name))))
				got, err := New().CheckAccess(t.Context(), e, who, perm.Side, mode)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Contains(actionsIn(got.Missing), actionsIn([]plugin.Permission{perm})[0]) {
					t.Errorf("%s mode, %s: without %s/%s, %v is not missing, but %v is", mode, perm.Side, r.kind, r.name, perm.DataActions, actionsIn(got.Missing))
				}
			}
		}
	}
}

func TestCheckAccessGrant(t *testing.T) {
	t.Parallel()
	who := plugin.Caller{TenantID: accessTenant, ObjectID: accessObject, Groups: []string{}}
	e := policyEndpoint(t, withPolicies(entryOf(accessObject, map[string][]string{"secrets": {"Backup", "get"}, "storage": {"all"}})))
	got, err := New().CheckAccess(t.Context(), e, who, plugin.Source, plugin.Template)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{
		"az", "keyvault", "set-policy", "--name", "kv", "--object-id", accessObject, "--resource-group", "rg", "--subscription", "s",
		"--secret-permissions", "backup", "get", "list",
		"--key-permissions", "get", "getrotationpolicy", "list",
		"--certificate-permissions", "get", "getissuers", "list", "listissuers", "managecontacts",
	}}
	if diff := cmp.Diff(want, got.Grant); diff != "" {
		t.Error(diff)
	}
}

func TestCheckAccessRefusals(t *testing.T) {
	t.Parallel()
	good := policyEndpoint(t, withPolicies())
	for want, e := range map[string]plugin.Endpoint{
		"its properties were not read":            {},
		"its properties are not those of a vault": policyEndpoint(t, []int{1}),
		"the token does not say whose it is":      good,
	} {
		_, err := New().CheckAccess(t.Context(), e, plugin.Caller{}, plugin.Target, plugin.Template)
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
