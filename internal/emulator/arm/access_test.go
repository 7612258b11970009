package arm_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const getSecret = "Microsoft.KeyVault/vaults/secrets/getSecret/action"

func claims(p principal) wire.Claims {
	return wire.Claims{TenantID: p.tenant, ObjectID: p.object, AppID: p.app}
}

func TestRoleAssignmentLifecycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, asNobody := w.clients(t, owner, subA), w.clients(t, nobody, subA)
	ctx := t.Context()
	if _, err := asNobody.vaults.Get(ctx, "rg-app", "kv-a", nil); err == nil {
		t.Fatal("nobody may read")
	}
	made, err := c.assignments.Create(ctx, vaultA, aGUID, assignment(nobody.object, readerRole), nil)
	if err != nil {
		t.Fatal(err)
	}
	id := vaultA + "/providers/Microsoft.Authorization/roleAssignments/" + aGUID
	if *made.ID != id || *made.Properties.Scope != vaultA || *made.Properties.PrincipalID != nobody.object || !strings.HasSuffix(*made.Properties.RoleDefinitionID, readerRole) || *made.Properties.CreatedBy != owner.object {
		t.Errorf("made %+v", made.Properties)
	}
	if _, err := asNobody.vaults.Get(ctx, "rg-app", "kv-a", nil); err != nil {
		t.Errorf("with the role: %v", err)
	}
	got, err := c.assignments.GetByID(ctx, id, nil)
	if err != nil || *got.Name != aGUID {
		t.Errorf("get by ID: %v, %v", got.Name, err)
	}
	if _, err := c.assignments.Create(ctx, vaultA, aGUID, assignment(nobody.object, readerRole), nil); err != nil {
		t.Errorf("the same again: %v", err)
	}
	_, err = c.assignments.Create(ctx, vaultA, aGUID, assignment(reader.object, readerRole), nil)
	wantSDKError(t, err, http.StatusConflict, "RoleAssignmentUpdateNotPermitted")
	_, err = asNobody.assignments.Delete(ctx, vaultA, aGUID, nil)
	wantSDKError(t, err, http.StatusForbidden, "AuthorizationFailed")
	if gone, err := c.assignments.Delete(ctx, vaultA, aGUID, nil); err != nil || *gone.ID != id {
		t.Errorf("delete: %v, %v", gone.ID, err)
	}
	_, err = asNobody.vaults.Get(ctx, "rg-app", "kv-a", nil)
	wantSDKError(t, err, http.StatusForbidden, "AuthorizationFailed")
	wantError(t, w.do(t, owner, "PUT", version(id, authVersion), `{"properties":{"roleDefinitionId":"`+readerRole+`","principalId":"`+nobody.object+`","condition":"x"}}`), http.StatusNotImplemented, "NotImplemented")
	wantError(t, w.do(t, owner, "POST", version(id, authVersion), `{}`), http.StatusMethodNotAllowed, "MethodNotAllowed")
	wantError(t, w.do(t, owner, "PUT", version(id, authVersion), `{"properties":{"principalId":1}}`), http.StatusBadRequest, "InvalidRequestContent")
}

func TestRoleAssignmentLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.assign(t, tenantA, reader, vaultA, "Key Vault Secrets User")
	c := w.clients(t, owner, subA)
	principals := func(list []*armauthorization.RoleAssignment) (out []string) {
		for _, a := range list {
			out = append(out, *a.Properties.PrincipalID+" "+strings.TrimPrefix(*a.Properties.Scope, "/subscriptions/"+subA))
		}
		slices.Sort(out)
		return out
	}
	atSub, atGroup, atVault := owner.object+" ", reader.object+" /resourceGroups/rg-App", reader.object+" "+strings.TrimPrefix(vaultA, "/subscriptions/"+subA)
	for _, tc := range []struct {
		name, filter string
		want         []string
	}{
		{"above, at, below", "", []string{atSub, atGroup, atVault}},
		{"above and at", "atScope()", []string{atSub, atGroup}},
		{"of a principal", "principalId eq '" + reader.object + "'", []string{atGroup, atVault}},
		{"assigned to", "assignedTo('" + owner.object + "')", []string{atSub}},
		{"both", "atScope() and assignedTo('" + reader.object + "')", []string{atGroup}},
	} {
		// This client puts the filter into the query as it is given.
		list, _, err := drain(t.Context(), c.assignments.NewListForScopePager(groupA, &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: to.Ptr(url.PathEscape(tc.filter))}),
			func(p armauthorization.RoleAssignmentsClientListForScopeResponse) []*armauthorization.RoleAssignment {
				return p.Value
			})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, principals(list)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	forSub, _, err := drain(t.Context(), c.assignments.NewListForSubscriptionPager(nil), func(p armauthorization.RoleAssignmentsClientListForSubscriptionResponse) []*armauthorization.RoleAssignment {
		return p.Value
	})
	if err != nil || len(forSub) != 3 {
		t.Errorf("subscription: %d, %v", len(forSub), err)
	}
	forVault, _, err := drain(t.Context(), c.assignments.NewListForResourcePager("rg-app", "Microsoft.KeyVault", "vaults", "kv-a", nil), func(p armauthorization.RoleAssignmentsClientListForResourceResponse) []*armauthorization.RoleAssignment {
		return p.Value
	})
	if err != nil || len(forVault) != 3 {
		t.Errorf("resource: %d, %v", len(forVault), err)
	}
	list := version(groupA+"/providers/Microsoft.Authorization/roleAssignments", authVersion)
	wantError(t, w.do(t, owner, "GET", list+"&$filter=size%20eq%20'x'", ""), http.StatusBadRequest, "InvalidFilterInQueryString")
	wantError(t, w.do(t, owner, "GET", list+"&$filter=(", ""), http.StatusBadRequest, "InvalidFilterInQueryString")
	wantError(t, w.do(t, nobody, "GET", list, ""), http.StatusForbidden, "AuthorizationFailed")
	group := "/providers/Microsoft.Management/managementGroups/x/providers/Microsoft.Authorization/"
	w.assign(t, tenantA, owner, "/", "Owner")
	for _, what := range []string{"roleAssignments", "denyAssignments"} {
		wantError(t, w.do(t, owner, "GET", version(group+what, authVersion), ""), http.StatusNotFound, "NotFound")
	}
}

func TestCustomRoleLifecycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.clients(t, owner, subA)
	ctx := t.Context()
	scope := "/subscriptions/" + subA
	role := armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{
		RoleName: to.Ptr("Vault Lister"), RoleType: to.Ptr("CustomRole"), Description: to.Ptr("lists"), AssignableScopes: []*string{to.Ptr(scope)},
		Permissions: []*armauthorization.Permission{{Actions: []*string{to.Ptr("Microsoft.KeyVault/vaults/read")}, DataActions: []*string{to.Ptr("Microsoft.KeyVault/vaults/secrets/*")}, NotDataActions: []*string{to.Ptr(getSecret)}}},
	}}
	made, err := c.definitions.CreateOrUpdate(ctx, scope, aGUID, role, nil)
	if err != nil || *made.ID != scope+"/providers/Microsoft.Authorization/roleDefinitions/"+aGUID || *made.Properties.RoleType != "CustomRole" {
		t.Fatalf("made %+v, %v", made.RoleDefinition, err)
	}
	if _, err := c.assignments.Create(ctx, groupA, aGUID, assignment(nobody.object, aGUID), nil); err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string]bool{"Microsoft.KeyVault/vaults/secrets/readMetadata/action": true, getSecret: false} {
		if got := w.Allowed(claims(nobody), vaultA+"/secrets/s", action, true); got != want {
			t.Errorf("%s: %v", action, got)
		}
	}
	if _, err := w.clients(t, nobody, subA).vaults.Get(ctx, "rg-app", "kv-a", nil); err != nil {
		t.Errorf("with the role: %v", err)
	}
	names := func(filter string) (out []string) {
		list, _, err := drain(ctx, c.definitions.NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{Filter: to.Ptr(filter)}),
			func(p armauthorization.RoleDefinitionsClientListResponse) []*armauthorization.RoleDefinition {
				return p.Value
			})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			out = append(out, *r.Properties.RoleName)
		}
		return out
	}
	if got := names("type eq 'CustomRole'"); !slices.Equal(got, []string{"Vault Lister"}) {
		t.Errorf("custom roles %v", got)
	}
	if got := names("roleName eq 'key vault reader'"); !slices.Equal(got, []string{"Key Vault Reader"}) {
		t.Errorf("by name %v", got)
	}
	if got := names("atScopeAndBelow()"); len(got) < 18 {
		t.Errorf("all roles %v", got)
	}
	_, err = c.definitions.Delete(ctx, scope, aGUID, nil)
	wantSDKError(t, err, http.StatusBadRequest, "RoleDefinitionHasAssignments")
	w.Unassign(nobody.object)
	if _, err := c.definitions.Delete(ctx, scope, aGUID, nil); err != nil {
		t.Error(err)
	}
	if _, err := c.definitions.Delete(ctx, scope, aGUID, nil); err != nil {
		t.Errorf("again: %v", err)
	}
	id := version(scope+"/providers/Microsoft.Authorization/roleDefinitions/x", authVersion)
	wantError(t, w.do(t, owner, "PUT", id, `{"properties":{"roleName":"n"}}`), http.StatusBadRequest, "InvalidRoleDefinitionId")
	wantError(t, w.do(t, owner, "PUT", id, `{"properties":{"roleName":1}}`), http.StatusBadRequest, "InvalidRequestContent")
	wantError(t, w.do(t, owner, "PUT", id, ``), http.StatusBadRequest, "InvalidRequestContent")
	wantError(t, w.do(t, owner, "GET", version(scope+"/providers/Microsoft.Authorization/roleDefinitions", authVersion)+"&$filter=x%20eq%20'y'", ""), http.StatusBadRequest, "InvalidFilterInQueryString")
	if got, err := w.clients(t, nobody, subA).definitions.GetByID(ctx, "/providers/Microsoft.Authorization/roleDefinitions/"+readerRole, nil); err != nil || *got.Properties.RoleName != "Reader" {
		t.Errorf("a built-in role at tenant level: %v", err)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.assign(t, tenantA, reader, vaultA, "Key Vault Secrets User")
	c := w.clients(t, reader, subA)
	actions := func(list []*armauthorization.Permission) (out []string) {
		for _, p := range list {
			for _, a := range append(p.Actions, p.DataActions...) {
				out = append(out, *a)
			}
		}
		slices.Sort(out)
		return out
	}
	forVault, _, err := drain(t.Context(), c.permissions.NewListForResourcePager("rg-app", "Microsoft.KeyVault", "", "vaults", "kv-a", nil),
		func(p armauthorization.PermissionsClientListForResourceResponse) []*armauthorization.Permission {
			return p.Value
		})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"*/read", getSecret, "Microsoft.KeyVault/vaults/secrets/readMetadata/action"}, actions(forVault)); diff != "" {
		t.Error(diff)
	}
	forGroup, _, err := drain(t.Context(), c.permissions.NewListForResourceGroupPager("rg-app", nil),
		func(p armauthorization.PermissionsClientListForResourceGroupResponse) []*armauthorization.Permission {
			return p.Value
		})
	if err != nil || !slices.Equal(actions(forGroup), []string{"*/read"}) {
		t.Errorf("group: %v, %v", actions(forGroup), err)
	}
	forSub := version("/subscriptions/"+subA+"/providers/Microsoft.Authorization/permissions", authVersion)
	if a := w.do(t, owner, "GET", forSub, ""); a.status != http.StatusOK || !strings.Contains(a.raw, `"actions":["*"],"notActions":[],"dataActions":[],"notDataActions":[]`) {
		t.Errorf("subscription: %d %s", a.status, a.raw)
	}
	wantError(t, w.do(t, reader, "GET", forSub, ""), http.StatusForbidden, "AuthorizationFailed")
	wantError(t, w.do(t, owner, "PUT", forSub, "{}"), http.StatusMethodNotAllowed, "MethodNotAllowed")
}

func TestDenyAssignments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.assign(t, tenantA, owner, "/subscriptions/"+subA, "Key Vault Administrator")
	id := groupA + "/providers/Microsoft.Authorization/denyAssignments/" + aGUID
	w.put(t, id, map[string]any{"properties": map[string]any{
		"denyAssignmentName": "no writing", "principals": []any{map[string]any{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}},
		"permissions": []any{map[string]any{"actions": []any{"*/write"}, "dataActions": []any{getSecret}}},
	}})
	c := w.clients(t, owner, subA)
	_, err := c.vaults.BeginCreateOrUpdate(t.Context(), "rg-app", "kv-new", newVault("westeurope"), nil)
	wantSDKError(t, err, http.StatusForbidden, "AuthorizationFailed")
	if w.Allowed(claims(owner), vaultA, getSecret, true) || !w.Allowed(claims(owner), vaultA, "Microsoft.KeyVault/vaults/keys/read", true) {
		t.Error("data actions: one is denied, the other is not")
	}
	list, _, err := drain(t.Context(), c.denies.NewListForScopePager(vaultA, &armauthorization.DenyAssignmentsClientListForScopeOptions{Filter: to.Ptr("atScope()")}),
		func(p armauthorization.DenyAssignmentsClientListForScopeResponse) []*armauthorization.DenyAssignment {
			return p.Value
		})
	if err != nil || len(list) != 1 || *list[0].Properties.DenyAssignmentName != "no writing" {
		t.Errorf("list %v, %v", list, err)
	}
	one, err := c.denies.Get(t.Context(), groupA, aGUID, nil)
	if err != nil || *one.ID != id {
		t.Errorf("get %v, %v", one.ID, err)
	}
	wantError(t, w.do(t, owner, "GET", version(groupA+"/providers/Microsoft.Authorization/denyAssignments", authVersion)+"&$filter=x()", ""), http.StatusBadRequest, "InvalidFilterInQueryString")
	w.put(t, groupA+"2", map[string]any{"location": "eastus"})
	wantError(t, w.do(t, owner, "PUT", version(strings.Replace(id, "rg-App", "rg-App2", 1), authVersion), "{}"), http.StatusMethodNotAllowed, "MethodNotAllowed")
}

// TestAllowed: a principal's roles hold in its own tenant alone.
func TestAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.assign(t, tenantB, ownerB, "/", "Key Vault Administrator")
	w.assign(t, tenantA, owner, vaultA, "Key Vault Secrets User")
	w.assign(t, tenantA, owner, vaultA, "Key Vault Secrets User") // twice is no error
	sneaky := claims(owner)
	sneaky.TenantID = tenantB
	for _, tc := range []struct {
		name  string
		c     wire.Claims
		scope string
		want  bool
	}{
		{"a role at the vault", claims(owner), vaultA, true},
		{"another vault", claims(owner), vaultA + "x", false},
		{"the root of another tenant", claims(ownerB), vaultA, false},
		{"its own tenant", claims(ownerB), "/subscriptions/" + subB, true},
		{"a subscription that is not there", claims(ownerB), "/subscriptions/" + aGUID, false},
		{"an object id in another tenant", sneaky, vaultA, false},
		{"no role", claims(nobody), vaultA, false},
	} {
		if got := w.Allowed(tc.c, tc.scope, getSecret, true); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	if w.TenantOf(strings.ToUpper(vaultA)) != tenantA || w.TenantOf("/subscriptions/"+aGUID) != "" || w.TenantOf("/") != "" {
		t.Error("TenantOf")
	}
}

func TestSeeding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	exact, err := w.DefineRole(tenantA, "exact", []string{"Microsoft.KeyVault/vaults/read"}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Assign(tenantA, nobody.object, groupA, exact); err != nil {
		t.Fatal(err)
	}
	again, err := w.DefineRole(tenantA, "Exact", nil, nil, []string{getSecret}, nil)
	if err != nil || again != exact {
		t.Errorf("defined again: %s, %v", again, err)
	}
	if w.Allowed(claims(nobody), vaultA, "Microsoft.KeyVault/vaults/read", false) || !w.Allowed(claims(nobody), vaultA, getSecret, true) {
		t.Error("the new definition holds for the old assignment")
	}
	w.put(t, groupA+"/providers/Microsoft.Authorization/roleAssignments/"+aGUID, map[string]any{"properties": map[string]any{"roleDefinitionId": readerRole, "principalId": nobody.object}})
	w.put(t, groupA+"/providers/Microsoft.Authorization/roleDefinitions/"+aGUID, map[string]any{"properties": map[string]any{"roleName": "seeded"}})
	if !w.Allowed(claims(nobody), vaultA, "Microsoft.KeyVault/vaults/read", false) {
		t.Error("a seeded role assignment holds")
	}
	r, ok := w.Get(strings.ToUpper(vaultA))
	if !ok || r.ID != vaultA || r.TenantID != tenantA || r.Type != "Microsoft.KeyVault/vaults" || r.Name != "kv-a" || r.Body["location"] != "westeurope" || r.Body["systemData"] != nil {
		t.Errorf("%+v", r)
	}
	r.Body["properties"].(map[string]any)["sku"].(map[string]any)["name"] = "changed"
	if same, _ := w.Get(vaultA); same.Body["properties"].(map[string]any)["sku"].(map[string]any)["name"] != "standard" {
		t.Error("a caller can change what is stored")
	}
	if _, ok := w.Get(vaultA + "x"); ok {
		t.Error("found what is not there")
	}
	for id, code := range map[string]string{
		"/subscriptions/" + aGUID + "/resourceGroups/g":                 "SubscriptionNotFound",
		groupA + "x/providers/Microsoft.KeyVault/vaults/kv":             "ResourceGroupNotFound",
		groupA + "/providers/Microsoft.KeyVault/vaults":                 "NotFound",
		"/providers/Microsoft.Authorization/roleDefinitions/" + aGUID:   "NotFound",
		"/subscriptions/" + subA + "/resourceGroups/bad.":               "InvalidResourceGroupName",
		groupA + "/providers/Microsoft.Authorization/roleAssignments/x": "InvalidRoleAssignmentId",
		groupA + "/providers/Microsoft.Authorization/roleDefinitions/x": "InvalidRoleDefinitionId",
		vaultA + "x/secrets/s":                                          "ParentResourceNotFound",
	} {
		err := w.Put(id, map[string]any{"location": "eastus"})
		var e *wire.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("Put(%s): %v, want %s", id, err, code)
		}
	}
	for name, err := range map[string]error{
		"unknown role":             w.Assign(tenantA, nobody.object, groupA, "No such role"),
		"another tenant":           w.Assign(tenantB, nobody.object, groupA, "Reader"),
		"principal not a GUID":     w.Assign(tenantA, "x", groupA, "Reader"),
		"unknown management group": w.Assign(tenantA, nobody.object, "/providers/Microsoft.Management/managementGroups/x", "Reader"),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := w.DefineRole(tenantA, "Owner", nil, nil, nil, nil); err == nil {
		t.Error("a built-in role was redefined")
	}
	if w.Name() != "arm" || !w.Owns("management.azure.com") || w.Owns("vault.azure.net") {
		t.Error("Name, Owns")
	}
}
