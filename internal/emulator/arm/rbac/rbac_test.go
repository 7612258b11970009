package rbac

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	tenantA = "aaaaaaaa-0000-0000-0000-000000000001"
	tenantB = "bbbbbbbb-0000-0000-0000-000000000001"
	alice   = "aaaaaaaa-0000-0000-0000-00000000000a"
	bob     = "bbbbbbbb-0000-0000-0000-00000000000b"
	subID   = "/subscriptions/11111111-0000-0000-0000-000000000001"
	groupID = subID + "/resourceGroups/rg-App"
	vaultID = groupID + "/providers/Microsoft.KeyVault/vaults/kv"
	guid1   = "12345678-0000-0000-0000-000000000001"
	guid2   = "12345678-0000-0000-0000-000000000002"

	getSecret = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
	readMeta  = "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
	setSecret = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
	readVault = "Microsoft.KeyVault/vaults/read"
)

func directory(t testing.TB) *Directory {
	t.Helper()
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	d, err := New(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func assign(t testing.TB, d *Directory, tenant, principal, scope, role string) *Assignment {
	t.Helper()
	a, _, refusal := d.PutAssignment(Assignment{Name: newGUID(d), Scope: scope, TenantID: tenant, PrincipalID: principal}, role, alice)
	if refusal != nil {
		t.Fatal(refusal)
	}
	return a
}

// newGUID counts, so that tests are repeatable.
func newGUID(d *Directory) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return fmt.Sprintf("99999999-0000-0000-0000-%012d", len(d.assigned))
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern, action string
		want            bool
	}{
		{"*", "a/b/c", true},
		{"*/read", "Microsoft.KeyVault/vaults/read", true},
		{"*/read", "Microsoft.KeyVault/vaults/write", false},
		{"*/read", "read", false},
		{"Microsoft.KeyVault/*", "microsoft.keyvault/vaults/write", true},
		{"Microsoft.KeyVault/*", "Microsoft.KeyVaultX/vaults/write", false},
		{"Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/keys/read", true},
		{"Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/read", false},
		{"Microsoft.Authorization/*/Write", "Microsoft.Authorization/roleAssignments/write", true},
		{"a/*/b/*/c", "a/x/b/y/c", true},
		{"a/*/b/*/c", "a/x/c", false},
		{"a*a", "a", false},
		{"a/b", "A/B", true},
		{"a/b", "a/bc", false},
		{"", "a", false},
	} {
		if got := Match(tc.pattern, tc.action); got != tc.want {
			t.Errorf("Match(%q, %q) = %v, want %v", tc.pattern, tc.action, got, tc.want)
		}
	}
}

func TestBuiltinRoles(t *testing.T) {
	t.Parallel()
	const write, purge, assignRole = "Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/locations/deletedVaults/purge/action", "Microsoft.Authorization/roleAssignments/write"
	for _, tc := range []struct {
		role          string
		control, data []string // granted
		not, notData  []string
	}{
		{"Owner", []string{readVault, write, purge, assignRole}, nil, nil, []string{getSecret, readMeta}},
		{"Contributor", []string{readVault, write, purge}, nil, []string{assignRole, "Microsoft.Authorization/roleAssignments/delete"}, []string{getSecret}},
		{"Reader", []string{readVault}, nil, []string{write}, []string{readMeta, "Microsoft.KeyVault/vaults/keys/read"}},
		{"User Access Administrator", []string{assignRole, readVault}, nil, []string{write}, nil},
		{"Role Based Access Control Administrator", []string{assignRole}, nil, []string{"Microsoft.Authorization/roleDefinitions/write"}, nil},
		{"Key Vault Administrator", []string{"Microsoft.KeyVault/vaults/secrets/read"}, []string{getSecret, setSecret, "Microsoft.KeyVault/vaults/keys/create/action"}, []string{readVault, write}, nil},
		{"Key Vault Reader", nil, []string{readMeta, "Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/certificates/read"}, nil, []string{getSecret, setSecret}},
		{"Key Vault Secrets Officer", nil, []string{getSecret, setSecret, readMeta}, nil, []string{"Microsoft.KeyVault/vaults/keys/read"}},
		{"Key Vault Secrets User", nil, []string{getSecret, readMeta}, []string{readVault}, []string{setSecret}},
		{"Key Vault Crypto Officer", nil, []string{"Microsoft.KeyVault/vaults/keys/create/action", "Microsoft.KeyVault/vaults/keyrotationpolicies/write"}, nil, []string{getSecret}},
		{"Key Vault Crypto User", nil, []string{"Microsoft.KeyVault/vaults/keys/sign/action"}, nil, []string{"Microsoft.KeyVault/vaults/keys/create/action"}},
		{"Key Vault Crypto Service Encryption User", nil, []string{"Microsoft.KeyVault/vaults/keys/wrap/action"}, nil, []string{"Microsoft.KeyVault/vaults/keys/sign/action"}},
		{"Key Vault Crypto Service Release User", nil, []string{"Microsoft.KeyVault/vaults/keys/release/action"}, nil, []string{"Microsoft.KeyVault/vaults/keys/read"}},
		{"Key Vault Certificates Officer", nil, []string{"Microsoft.KeyVault/vaults/certificates/import/action", "Microsoft.KeyVault/vaults/certificatecas/write"}, nil, []string{getSecret}},
		{"Key Vault Certificate User", nil, []string{getSecret, "Microsoft.KeyVault/vaults/certificates/read"}, nil, []string{"Microsoft.KeyVault/vaults/certificates/create/action"}},
		{"Key Vault Contributor", []string{readVault, write}, nil, []string{purge, "Microsoft.KeyVault/managedHSMs/read"}, []string{getSecret}},
		{"Key Vault Purge Operator", []string{purge, "Microsoft.KeyVault/deletedVaults/read"}, nil, []string{write}, nil},
		{"Key Vault Data Access Administrator", []string{"Microsoft.KeyVault/vaults/secrets/read"}, nil, []string{write, assignRole}, []string{getSecret}},
	} {
		t.Run(tc.role, func(t *testing.T) {
			t.Parallel()
			d := directory(t)
			assign(t, d, tenantA, alice, subID, tc.role)
			check := func(actions []string, data, want bool) {
				t.Helper()
				for _, a := range actions {
					if got := d.Allowed(Query{TenantID: tenantA, PrincipalID: strings.ToUpper(alice), Scope: vaultID, Action: a, Data: data}); got != want {
						t.Errorf("%s: %v, want %v", a, got, want)
					}
				}
			}
			check(tc.control, false, true)
			check(tc.data, true, true)
			check(tc.not, false, false)
			check(tc.notData, true, false)
			if tc.role != "Key Vault Reader" { // whose control-plane actions are wider than its data actions
				check(tc.data, false, false)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	other := subID + "/resourceGroups/rg-App2"
	for _, tc := range []struct {
		name, at, where, tenant string
		want                    bool
	}{
		{"root of the tenant", "/", vaultID, tenantA, true},
		{"root management group", "/providers/Microsoft.Management/managementGroups/" + tenantA, vaultID, tenantA, true},
		{"subscription", subID, vaultID, tenantA, true},
		{"group, other casing", strings.ToUpper(groupID), strings.ToLower(vaultID), tenantA, true},
		{"resource", vaultID, vaultID, tenantA, true},
		{"object in a resource", vaultID, vaultID + "/secrets/a", tenantA, true},
		{"above the scope", groupID, subID, tenantA, false},
		{"a group whose name begins alike", groupID, other, tenantA, false},
		{"a sibling", vaultID, vaultID + "2", tenantA, false},
		{"another tenant", "/", vaultID, tenantB, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := directory(t)
			assign(t, d, tenantA, alice, tc.at, "Reader")
			if got := d.Allowed(Query{TenantID: tc.tenant, PrincipalID: alice, Scope: tc.where, Action: readVault}); got != tc.want {
				t.Errorf("Reader at %s, asked at %s: %v", tc.at, tc.where, got)
			}
			if d.Allowed(Query{TenantID: tc.tenant, PrincipalID: bob, Scope: tc.where, Action: readVault}) {
				t.Error("somebody else has the role too")
			}
			if got := len(d.Permissions(tc.tenant, alice, tc.where)) > 0; got != tc.want {
				t.Errorf("permissions listed: %v, want %v", got, tc.want)
			}
		})
	}
}

func TestCustomRole(t *testing.T) {
	t.Parallel()
	d := directory(t)
	role := Role{ID: strings.ToUpper(guid1), Name: "Mixed", TenantID: tenantA, Scopes: []string{subID}, Permissions: []Permission{
		{Actions: []string{"Microsoft.KeyVault/*"}, NotActions: []string{"*/write"}, DataActions: []string{"Microsoft.KeyVault/vaults/secrets/*"}, NotDataActions: []string{setSecret}},
		{Actions: []string{"Microsoft.Web/*"}},
	}}
	made, refusal := d.PutRole(role, alice)
	if refusal != nil {
		t.Fatal(refusal)
	}
	assign(t, d, tenantA, alice, groupID, "mixed")
	for action, want := range map[string]bool{
		readVault:                         true,
		"Microsoft.KeyVault/vaults/write": false,
		"Microsoft.Web/sites/write":       true, // NotActions hold in their own element only
		"Microsoft.Storage/read":          false,
	} {
		if got := d.Allowed(Query{TenantID: tenantA, PrincipalID: alice, Scope: vaultID, Action: action}); got != want {
			t.Errorf("%s: %v", action, got)
		}
	}
	for action, want := range map[string]bool{getSecret: true, setSecret: false} {
		if got := d.Allowed(Query{TenantID: tenantA, PrincipalID: alice, Scope: vaultID, Action: action, Data: true}); got != want {
			t.Errorf("%s: %v", action, got)
		}
	}
	if d.FindRole(tenantB, "Mixed") != nil {
		t.Error("another tenant has the role")
	}
	if _, refusal := d.DeleteRole(tenantA, made.ID); refusal == nil || refusal.Code != "RoleDefinitionHasAssignments" {
		t.Errorf("delete of an assigned role: %v", refusal)
	}
	d.Unassign(strings.ToUpper(alice))
	if gone, refusal := d.DeleteRole(tenantA, made.ID); refusal != nil || gone == nil {
		t.Errorf("delete: %v, %v", gone, refusal)
	}
	if gone, refusal := d.DeleteRole(tenantA, made.ID); refusal != nil || gone != nil {
		t.Errorf("second delete: %v, %v", gone, refusal)
	}
}

func TestRoleRefusals(t *testing.T) {
	t.Parallel()
	d := directory(t)
	if _, refusal := d.PutRole(Role{ID: guid1, Name: "One", TenantID: tenantA}, alice); refusal != nil {
		t.Fatal(refusal)
	}
	owner := d.FindRole(tenantA, "owner").ID
	for _, tc := range []struct {
		name string
		role Role
		code string
	}{
		{"no GUID", Role{ID: "x", Name: "Two", TenantID: tenantA}, "InvalidRoleDefinitionId"},
		{"same name", Role{ID: guid2, Name: "ONE", TenantID: tenantA}, "RoleDefinitionWithSameNameExists"},
		{"name of a built-in role", Role{ID: guid2, Name: "Reader", TenantID: tenantA}, "RoleDefinitionWithSameNameExists"},
		{"built-in role", Role{ID: owner, Name: "Mine", TenantID: tenantA}, "RoleDefinitionCannotBeModified"},
		{"condition", Role{ID: guid2, Name: "Two", TenantID: tenantA, Permissions: []Permission{{Condition: "x"}}}, "NotImplemented"},
	} {
		if _, refusal := d.PutRole(tc.role, alice); refusal == nil || refusal.Code != tc.code {
			t.Errorf("%s: %v, want %s", tc.name, refusal, tc.code)
		}
	}
	if _, refusal := d.DeleteRole(tenantA, owner); refusal == nil || refusal.Code != "RoleDefinitionCannotBeModified" {
		t.Errorf("delete of a built-in role: %v", refusal)
	}
	if r, refusal := d.PutRole(Role{ID: guid1, Name: "One again", TenantID: tenantA}, bob); refusal != nil || r.CreatedBy != alice || r.UpdatedBy != bob {
		t.Errorf("update: %+v, %v", r, refusal)
	}
	if _, refusal := d.PutRole(Role{ID: guid2, Name: "One", TenantID: tenantB}, bob); refusal != nil {
		t.Errorf("another tenant may use the name: %v", refusal)
	}
}

func TestAssignmentRefusals(t *testing.T) {
	t.Parallel()
	d := directory(t)
	if _, refusal := d.PutRole(Role{ID: guid2, Name: "Elsewhere", TenantID: tenantA, Scopes: []string{"/subscriptions/other"}}, alice); refusal != nil {
		t.Fatal(refusal)
	}
	first := Assignment{Name: guid1, Scope: groupID, TenantID: tenantA, PrincipalID: alice}
	if _, created, refusal := d.PutAssignment(first, "Reader", alice); refusal != nil || !created {
		t.Fatal(created, refusal)
	}
	for _, tc := range []struct {
		name string
		a    Assignment
		role string
		code string
	}{
		{"no GUID", Assignment{Name: "x", Scope: groupID, TenantID: tenantA, PrincipalID: alice}, "Reader", "InvalidRoleAssignmentId"},
		{"principal no GUID", Assignment{Name: guid2, Scope: groupID, TenantID: tenantA, PrincipalID: "x"}, "Reader", "InvalidPrincipalId"},
		{"unknown role", Assignment{Name: guid2, Scope: groupID, TenantID: tenantA, PrincipalID: alice}, "No such role", "RoleDefinitionDoesNotExist"},
		{"role of another subscription", Assignment{Name: guid2, Scope: groupID, TenantID: tenantA, PrincipalID: alice}, "Elsewhere", "RoleDefinitionDoesNotExist"},
		{"same grant, other name", Assignment{Name: guid2, Scope: strings.ToUpper(groupID), TenantID: tenantA, PrincipalID: alice}, "Reader", "RoleAssignmentExists"},
		{"same name, other principal", Assignment{Name: guid1, Scope: groupID, TenantID: tenantA, PrincipalID: bob}, "Reader", "RoleAssignmentUpdateNotPermitted"},
		{"same name, other role", Assignment{Name: guid1, Scope: groupID, TenantID: tenantA, PrincipalID: alice}, "Owner", "RoleAssignmentUpdateNotPermitted"},
		{"unknown management group", Assignment{Name: guid2, Scope: "/providers/Microsoft.Management/managementGroups/x", TenantID: tenantA, PrincipalID: alice}, "Reader", "NotFound"},
	} {
		if _, _, refusal := d.PutAssignment(tc.a, tc.role, alice); refusal == nil || refusal.Code != tc.code {
			t.Errorf("%s: %v, want %s", tc.name, refusal, tc.code)
		}
	}
	again := first
	again.Description = "why"
	if a, created, refusal := d.PutAssignment(again, "reader", bob); refusal != nil || created || a.CreatedBy != alice || a.UpdatedBy != bob {
		t.Errorf("same again: %+v, %v, %v", a, created, refusal)
	}
	if got := d.Assignment(tenantA, groupID, guid1).Description; got != "why" {
		t.Errorf("description %q", got)
	}
}

func TestAssignmentsList(t *testing.T) {
	t.Parallel()
	d := directory(t)
	root := assign(t, d, tenantA, alice, "/", "Reader")
	sub := assign(t, d, tenantA, alice, subID, "Owner")
	group := assign(t, d, tenantA, bob, groupID, "Reader")
	vault := assign(t, d, tenantA, alice, vaultID, "Key Vault Secrets User")
	assign(t, d, tenantB, bob, "/", "Owner")
	for _, tc := range []struct {
		name, scope string
		atScope     bool
		keep        func(*Assignment) bool
		want        []*Assignment
	}{
		{"above and below", groupID, false, nil, []*Assignment{root, sub, group, vault}},
		{"above", groupID, true, nil, []*Assignment{root, sub, group}},
		{"kept", subID, false, func(a *Assignment) bool { return a.PrincipalID == bob }, []*Assignment{group}},
	} {
		got, refusal := d.Assignments(tenantA, tc.scope, tc.atScope, tc.keep)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if diff := cmp.Diff(ids(tc.want), ids(got)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	if _, refusal := d.Assignments(tenantA, "/providers/Microsoft.Management/managementGroups/x", false, nil); refusal == nil {
		t.Error("an unknown management group has assignments")
	}
	if !d.Sees(tenantA, bob, subID) || d.Sees(tenantA, bob, "/subscriptions/other") || !d.Sees(tenantA, alice, "/subscriptions/other") {
		t.Error("Sees: above, at or below")
	}
	if d.DeleteAssignment(tenantB, groupID, group.Name) != nil || d.DeleteAssignment(tenantA, "/providers/Microsoft.Management/managementGroups/x", group.Name) != nil {
		t.Error("deleted where it is not")
	}
	if d.DeleteAssignment(tenantA, groupID, group.Name) != group || d.DeleteAssignment(tenantA, groupID, group.Name) != nil {
		t.Error("delete finds it once")
	}
	d.DropScope(groupID)
	if left, _ := d.Assignments(tenantA, subID, false, nil); len(left) != 2 {
		t.Errorf("after the group is gone: %v", ids(left))
	}
}

func ids(list []*Assignment) []string {
	out := make([]string, 0, len(list))
	for _, a := range list {
		out = append(out, a.ID())
	}
	slices.Sort(out)
	return out
}

func TestDataAccessAdministrator(t *testing.T) {
	t.Parallel()
	d := directory(t)
	assign(t, d, tenantA, alice, subID, "Key Vault Data Access Administrator")
	q := Query{TenantID: tenantA, PrincipalID: alice, Scope: vaultID, Action: "Microsoft.Authorization/roleAssignments/write"}
	for role, want := range map[string]bool{"Key Vault Reader": true, "Key Vault Secrets User": true, "Owner": false, "Key Vault Purge Operator": false} {
		q.RoleID = d.FindRole(tenantA, role).ID
		if got := d.Allowed(q); got != want {
			t.Errorf("may assign %s: %v", role, got)
		}
	}
	p := d.Permissions(tenantA, alice, vaultID)
	if len(p) != 1 || p[0].ConditionVersion != "2.0" || !strings.Contains(p[0].Condition, "GuidEquals{00482a5a-") {
		t.Errorf("condition: %+v", p)
	}
}

func TestDeny(t *testing.T) {
	t.Parallel()
	all := []Principal{{ID: everyone, Type: "SystemDefined"}}
	for _, tc := range []struct {
		name        string
		deny        Deny
		vault, data bool // what alice may still do with the vault and its secrets
	}{
		{"everyone, an action", Deny{Scope: groupID, Principals: all, Permissions: []Permission{{Actions: []string{"*/read"}}}}, false, true},
		{"a data action", Deny{Scope: vaultID, Principals: []Principal{{ID: alice}}, Permissions: []Permission{{DataActions: []string{"*"}}}}, true, false},
		{"excluded", Deny{Scope: groupID, Principals: all, Excluded: []Principal{{ID: alice}}, Permissions: []Permission{{Actions: []string{"*"}}}}, true, true},
		{"somebody else", Deny{Scope: groupID, Principals: []Principal{{ID: bob}}, Permissions: []Permission{{Actions: []string{"*"}}}}, true, true},
		{"not below", Deny{Scope: groupID, NotChildScopes: true, Principals: all, Permissions: []Permission{{Actions: []string{"*"}}}}, true, true},
		{"but for an action", Deny{Scope: groupID, Principals: all, Permissions: []Permission{{Actions: []string{"*"}, NotActions: []string{readVault}}}}, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := directory(t)
			assign(t, d, tenantA, alice, subID, "Owner")
			assign(t, d, tenantA, alice, subID, "Key Vault Administrator")
			tc.deny.TenantID = tenantA
			if refusal := d.Deny(tc.deny); refusal != nil {
				t.Fatal(refusal)
			}
			if got := d.Allowed(Query{TenantID: tenantA, PrincipalID: alice, Scope: vaultID, Action: readVault}); got != tc.vault {
				t.Errorf("read the vault: %v", got)
			}
			if got := d.Allowed(Query{TenantID: tenantA, PrincipalID: alice, Scope: vaultID, Action: getSecret, Data: true}); got != tc.data {
				t.Errorf("read a secret: %v", got)
			}
			if !d.Allowed(Query{TenantID: tenantA, PrincipalID: alice, Scope: subID + "/resourceGroups/other", Action: "Microsoft.KeyVault/vaults/write"}) {
				t.Error("denied elsewhere too")
			}
		})
	}
}

func TestDenyList(t *testing.T) {
	t.Parallel()
	d := directory(t)
	for name, scope := range map[string]string{"a": subID, "b": vaultID} {
		if refusal := d.Deny(Deny{Name: name, Scope: scope, TenantID: tenantA, DisplayName: "no " + name}); refusal != nil {
			t.Fatal(refusal)
		}
	}
	if refusal := d.Deny(Deny{Scope: "/providers/Microsoft.Management/managementGroups/x", TenantID: tenantA}); refusal == nil {
		t.Error("denied at an unknown management group")
	}
	if refusal := d.Deny(Deny{Scope: subID, TenantID: tenantA, NotChildScopes: true}); refusal != nil {
		t.Fatal(refusal)
	}
	both, _ := d.Denies(tenantA, groupID, false)
	above, _ := d.Denies(tenantA, groupID, true)
	if len(both) != 2 || len(above) != 1 || above[0].Name != "a" {
		t.Errorf("%d and %d deny assignments", len(both), len(above))
	}
	body := above[0].Body()
	if body["id"] != subID+"/providers/Microsoft.Authorization/denyAssignments/a" {
		t.Errorf("id %v", body["id"])
	}
	if _, refusal := d.Denies(tenantA, "/providers/Microsoft.Management/managementGroups/x", false); refusal == nil {
		t.Error("an unknown management group has deny assignments")
	}
	d.DropScope(vaultID)
	if left, _ := d.Denies(tenantA, subID, false); len(left) != 2 {
		t.Errorf("after the vault is gone: %d", len(left))
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	d := directory(t)
	a := assign(t, d, tenantA, alice, "/", "Owner")
	if got, want := a.ID(), "/providers/Microsoft.Authorization/roleAssignments/"+a.Name; got != want {
		t.Errorf("ID at the root %q, want %q", got, want)
	}
	props := assign(t, d, tenantA, alice, groupID, "Reader").Body()["properties"].(map[string]any)
	if got, want := props["roleDefinitionId"], subID+"/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"; got != want {
		t.Errorf("roleDefinitionId %v, want %v", got, want)
	}
	role := d.FindRole(tenantA, "/providers/Microsoft.Authorization/roleDefinitions/"+strings.ToUpper(a.RoleID))
	body := role.Body(groupID)
	if body["properties"].(map[string]any)["type"] != "BuiltInRole" || body["id"] != subID+"/providers/Microsoft.Authorization/roleDefinitions/"+a.RoleID {
		t.Errorf("role body %v", body)
	}
	if n := len(d.Roles(tenantA, subID)); n != len(d.builtin) {
		t.Errorf("%d roles, want the %d built-in ones", n, len(d.builtin))
	}
}

func BenchmarkAllowed(b *testing.B) {
	d := directory(b)
	assign(b, d, tenantA, alice, subID, "Owner")
	assign(b, d, tenantA, alice, subID, "Key Vault Administrator")
	for b.Loop() {
		d.Allowed(Query{TenantID: tenantA, PrincipalID: alice, Scope: vaultID + "/secrets/x", Action: getSecret, Data: true})
	}
}
