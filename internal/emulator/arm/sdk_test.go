package arm_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
)

const (
	readerRole = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	aGUID      = "12345678-0000-0000-0000-000000000001"
)

// clients are unmodified SDK clients of one principal in one subscription.
type clients struct {
	resources     *armresources.Client
	groups        *armresources.ResourceGroupsClient
	providers     *armresources.ProvidersClient
	tags          *armresources.TagsClient
	subscriptions *armsubscriptions.Client
	tenants       *armsubscriptions.TenantsClient
	vaults        *armkeyvault.VaultsClient
	assignments   *armauthorization.RoleAssignmentsClient
	definitions   *armauthorization.RoleDefinitionsClient
	denies        *armauthorization.DenyAssignmentsClient
	permissions   *armauthorization.PermissionsClient
}

func (w *world) clients(t testing.TB, p principal, sub string) *clients {
	t.Helper()
	c := &clients{}
	errs := make([]error, 11)
	c.resources, errs[0] = armresources.NewClient(sub, p, w.options)
	c.groups, errs[1] = armresources.NewResourceGroupsClient(sub, p, w.options)
	c.providers, errs[2] = armresources.NewProvidersClient(sub, p, w.options)
	c.tags, errs[3] = armresources.NewTagsClient(sub, p, w.options)
	c.subscriptions, errs[4] = armsubscriptions.NewClient(p, w.options)
	c.tenants, errs[5] = armsubscriptions.NewTenantsClient(p, w.options)
	c.vaults, errs[6] = armkeyvault.NewVaultsClient(sub, p, w.options)
	c.assignments, errs[7] = armauthorization.NewRoleAssignmentsClient(sub, p, w.options)
	c.definitions, errs[8] = armauthorization.NewRoleDefinitionsClient(p, w.options)
	c.denies, errs[9] = armauthorization.NewDenyAssignmentsClient(sub, p, w.options)
	c.permissions, errs[10] = armauthorization.NewPermissionsClient(sub, p, w.options)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// drain reads every page of a list.
func drain[P, E any](ctx context.Context, pager *runtime.Pager[P], items func(P) []E) (all []E, pages int, err error) {
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return all, pages, err
		}
		all = append(all, items(page)...)
		pages++
	}
	return all, pages, nil
}

var quick = &runtime.PollUntilDoneOptions{Frequency: time.Millisecond}

func newVault(location string) armkeyvault.VaultCreateOrUpdateParameters {
	return armkeyvault.VaultCreateOrUpdateParameters{
		Location: to.Ptr(location), Tags: map[string]*string{"team": to.Ptr("b")},
		Properties: &armkeyvault.VaultProperties{TenantID: to.Ptr(tenantA), SKU: &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNameStandard)}},
	}
}

// TestOperations calls one operation after another as an SDK user would; each refusal is
// the one that Azure documents.
func TestOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, asReader, asNobody := w.clients(t, owner, subA), w.clients(t, reader, subA), w.clients(t, nobody, subA)
	foreign := w.clients(t, ownerB, subA)
	ctx := t.Context()
	group := armresources.ResourceGroup{Location: to.Ptr("westeurope")}
	for _, tc := range []struct {
		name   string
		call   func() error
		status int // 0: the call succeeds
		code   string
	}{
		{"get a group", func() error { _, err := c.groups.Get(ctx, "RG-APP", nil); return err }, 0, ""},
		{"get a group that is not there", func() error { _, err := c.groups.Get(ctx, "none", nil); return err }, 404, "ResourceGroupNotFound"},
		{"create a group", func() error { _, err := c.groups.CreateOrUpdate(ctx, "rg-new", group, nil); return err }, 0, ""},
		{"create a group nowhere", func() error {
			_, err := c.groups.CreateOrUpdate(ctx, "rg-x", armresources.ResourceGroup{Location: to.Ptr("atlantis")}, nil)
			return err
		}, 400, "LocationNotAvailableForResourceGroup"},
		{"create a group without a place", func() error {
			_, err := c.groups.CreateOrUpdate(ctx, "rg-x", armresources.ResourceGroup{}, nil)
			return err
		}, 400, "LocationRequired"},
		{"create a group with a bad name", func() error { _, err := c.groups.CreateOrUpdate(ctx, "rg.", group, nil); return err }, 400, "InvalidResourceGroupName"},
		{"move a group", func() error {
			_, err := c.groups.CreateOrUpdate(ctx, "rg-app", armresources.ResourceGroup{Location: to.Ptr("eastus")}, nil)
			return err
		}, 409, "InvalidResourceGroupLocation"},
		{"patch a group", func() error {
			_, err := c.groups.Update(ctx, "rg-new", armresources.ResourceGroupPatchable{Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
			return err
		}, 0, ""},
		{"patch a group that is not there", func() error {
			_, err := c.groups.Update(ctx, "none", armresources.ResourceGroupPatchable{}, nil)
			return err
		}, 404, "ResourceGroupNotFound"},
		{"create a group as a reader", func() error { _, err := asReader.groups.CreateOrUpdate(ctx, "rg-x", group, nil); return err }, 403, "AuthorizationFailed"},
		{"delete a group that is not there", func() error { _, err := c.groups.BeginDelete(ctx, "none", nil); return err }, 404, "ResourceGroupNotFound"},

		{"get a vault", func() error { _, err := asReader.vaults.Get(ctx, "rg-app", "KV-A", nil); return err }, 0, ""},
		{"get a vault that is not there", func() error { _, err := c.vaults.Get(ctx, "rg-app", "none", nil); return err }, 404, "ResourceNotFound"},
		{"get a vault in a group that is not there", func() error { _, err := c.vaults.Get(ctx, "none", "kv", nil); return err }, 404, "ResourceGroupNotFound"},
		{"get a vault without a role", func() error { _, err := asNobody.vaults.Get(ctx, "rg-app", "kv-a", nil); return err }, 403, "AuthorizationFailed"},
		{"get a vault of another tenant", func() error { _, err := foreign.vaults.Get(ctx, "rg-app", "kv-a", nil); return err }, 401, "InvalidAuthenticationTokenTenant"},
		{"create a vault in a group that is not there", func() error {
			_, err := c.vaults.BeginCreateOrUpdate(ctx, "none", "kv", newVault("westeurope"), nil)
			return err
		}, 404, "ResourceGroupNotFound"},
		{"create a vault nowhere", func() error {
			_, err := c.vaults.BeginCreateOrUpdate(ctx, "rg-app", "kv-n", newVault("atlantis"), nil)
			return err
		}, 400, "LocationNotAvailableForResourceType"},
		{"move a vault", func() error {
			_, err := c.vaults.BeginCreateOrUpdate(ctx, "rg-app", "kv-a", newVault("eastus"), nil)
			return err
		}, 409, "InvalidResourceLocation"},
		{"patch a vault", func() error {
			_, err := c.vaults.Update(ctx, "rg-app", "kv-a", armkeyvault.VaultPatchParameters{Tags: map[string]*string{"x": to.Ptr("y")}}, nil)
			return err
		}, 0, ""},
		{"patch a vault that is not there", func() error {
			_, err := c.vaults.Update(ctx, "rg-app", "none", armkeyvault.VaultPatchParameters{}, nil)
			return err
		}, 404, "ResourceNotFound"},
		{"delete a vault as a reader", func() error { _, err := asReader.vaults.Delete(ctx, "rg-app", "kv-a", nil); return err }, 403, "AuthorizationFailed"},
		{"delete a vault that is not there", func() error { _, err := c.vaults.Delete(ctx, "rg-app", "none", nil); return err }, 0, ""},

		{"get by ID", func() error { _, err := c.resources.GetByID(ctx, vaultA, kvVersion, nil); return err }, 0, ""},
		{"get by ID, unknown api-version", func() error { _, err := c.resources.GetByID(ctx, vaultA, "1999-01-01", nil); return err }, 400, "NoRegisteredProviderFound"},
		{"get by ID, unknown type", func() error {
			_, err := c.resources.GetByID(ctx, groupA+"/providers/Microsoft.KeyVault/safes/s", kvVersion, nil)
			return err
		}, 404, "InvalidResourceType"},
		{"get by ID, unknown namespace", func() error {
			_, err := c.resources.GetByID(ctx, groupA+"/providers/Microsoft.Nowhere/things/t", kvVersion, nil)
			return err
		}, 404, "InvalidResourceNamespace"},
		{"get by parts", func() error {
			_, err := c.resources.Get(ctx, "rg-app", "Microsoft.KeyVault", "vaults/kv-a", "secrets", "none", kvVersion, nil)
			return err
		}, 404, "ResourceNotFound"},
		{"delete what the type does not have", func() error {
			_, err := c.resources.BeginDeleteByID(ctx, vaultA+"/secrets/s", kvVersion, nil)
			return err
		}, 405, "MethodNotAllowed"},

		{"get a subscription", func() error { _, err := c.subscriptions.Get(ctx, subA, nil); return err }, 0, ""},
		{"get a subscription that is not there", func() error { _, err := c.subscriptions.Get(ctx, aGUID, nil); return err }, 404, "SubscriptionNotFound"},
		{"get what is no subscription", func() error { _, err := c.subscriptions.Get(ctx, "x", nil); return err }, 400, "InvalidSubscriptionId"},
		{"get a subscription without a role", func() error { _, err := asNobody.subscriptions.Get(ctx, subA, nil); return err }, 403, "AuthorizationFailed"},
		{"get a subscription of another tenant", func() error { _, err := c.subscriptions.Get(ctx, subB, nil); return err }, 401, "InvalidAuthenticationTokenTenant"},

		{"get a provider", func() error { _, err := c.providers.Get(ctx, "microsoft.keyvault", nil); return err }, 0, ""},
		{"get a provider at tenant level", func() error {
			_, err := asNobody.providers.GetAtTenantScope(ctx, "Microsoft.KeyVault", nil)
			return err
		}, 0, ""},
		{"get a provider that is not there", func() error { _, err := c.providers.Get(ctx, "Microsoft.Nowhere", nil); return err }, 404, "InvalidResourceNamespace"},
		{"get a provider without a role", func() error { _, err := asNobody.providers.Get(ctx, "Microsoft.KeyVault", nil); return err }, 403, "AuthorizationFailed"},
		{"register a provider", func() error { _, err := c.providers.Register(ctx, "Microsoft.KeyVault", nil); return err }, 0, ""},
		{"register a provider without a role", func() error { _, err := asReader.providers.Register(ctx, "Microsoft.KeyVault", nil); return err }, 403, "AuthorizationFailed"},
		{"register a provider that is not there", func() error { _, err := c.providers.Register(ctx, "Microsoft.Nowhere", nil); return err }, 404, "InvalidResourceNamespace"},
		{"operation of Azure that is not there", func() error { _, err := c.providers.ProviderPermissions(ctx, "Microsoft.KeyVault", nil); return err }, 501, "NotImplemented"},

		{"assign a role", func() error {
			_, err := c.assignments.Create(ctx, groupA, aGUID, assignment(reader.object, "Contributor"), nil)
			return err
		}, 400, "RoleDefinitionDoesNotExist"},
		{"assign a role as a reader", func() error {
			_, err := asReader.assignments.Create(ctx, groupA, aGUID, assignment(nobody.object, readerRole), nil)
			return err
		}, 403, "AuthorizationFailed"},
		{"assign a role twice", func() error {
			_, err := c.assignments.Create(ctx, groupA, aGUID, assignment(reader.object, readerRole), nil)
			return err
		}, 409, "RoleAssignmentExists"},
		{"assign a role in a group that is not there", func() error {
			_, err := c.assignments.Create(ctx, strings.Replace(groupA, "rg-App", "none", 1), aGUID, assignment(nobody.object, readerRole), nil)
			return err
		}, 404, "ResourceGroupNotFound"},
		{"assign a role at a resource that is not there", func() error {
			_, err := c.assignments.Create(ctx, vaultA+"x", aGUID, assignment(nobody.object, readerRole), nil)
			return err
		}, 404, "ResourceNotFound"},
		{"get a role assignment that is not there", func() error { _, err := c.assignments.Get(ctx, groupA, aGUID, nil); return err }, 404, "RoleAssignmentNotFound"},
		{"delete a role assignment that is not there", func() error { _, err := c.assignments.Delete(ctx, groupA, aGUID, nil); return err }, 0, ""},
		{"get a role that is not there", func() error { _, err := c.definitions.Get(ctx, groupA, aGUID, nil); return err }, 404, "RoleDefinitionDoesNotExist"},
		{"delete a built-in role", func() error { _, err := c.definitions.Delete(ctx, groupA, readerRole, nil); return err }, 400, "RoleDefinitionCannotBeModified"},
		{"get a deny assignment that is not there", func() error { _, err := c.denies.Get(ctx, groupA, aGUID, nil); return err }, 404, "DenyAssignmentNotFound"},
		{"tags of a resource that is not there", func() error { _, err := c.tags.GetAtScope(ctx, vaultA+"x", nil); return err }, 404, "ResourceNotFound"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.call()
			if tc.status == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantSDKError(t, err, tc.status, tc.code)
		})
	}
}

func assignment(principal, role string) armauthorization.RoleAssignmentCreateParameters {
	return armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		PrincipalID: to.Ptr(principal), RoleDefinitionID: to.Ptr("/subscriptions/" + subA + "/providers/Microsoft.Authorization/roleDefinitions/" + role),
		PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal),
	}}
}

func TestExistence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.clients(t, owner, subA)
	for name, want := range map[string]bool{"rg-app": true, "none": false} {
		got, err := c.groups.CheckExistence(t.Context(), name, nil)
		if err != nil || got.Success != want {
			t.Errorf("group %s: %v, %v", name, got.Success, err)
		}
	}
	for id, want := range map[string]bool{vaultA: true, vaultA + "x": false} {
		got, err := c.resources.CheckExistenceByID(t.Context(), id, kvVersion, nil)
		if err != nil || got.Success != want {
			t.Errorf("%s: %v, %v", id, got.Success, err)
		}
	}
}

func TestVaultLifecycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.clients(t, owner, subA)
	ctx := t.Context()
	poller, err := c.vaults.BeginCreateOrUpdate(ctx, "RG-APP", "Kv-New", newVault("West Europe"), nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := poller.PollUntilDone(ctx, quick)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{groupA + "/providers/Microsoft.KeyVault/vaults/Kv-New", "Kv-New", "Microsoft.KeyVault/vaults", "westeurope", "Succeeded", owner.app}
	got := []string{*made.ID, *made.Name, *made.Type, *made.Location, string(*made.Properties.ProvisioningState), *made.SystemData.CreatedBy}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := c.vaults.Get(ctx, "rg-app", "KV-NEW", nil)
	if err != nil || *again.ID != *made.ID {
		t.Errorf("another casing: %v, %v", again.ID, err)
	}
	patched, err := c.vaults.Update(ctx, "rg-app", "kv-new", armkeyvault.VaultPatchParameters{
		Tags: map[string]*string{"more": to.Ptr("1")}, Properties: &armkeyvault.VaultPatchProperties{EnableRbacAuthorization: to.Ptr(true)},
	}, nil)
	if err != nil || *patched.Tags["team"] != "b" || *patched.Tags["more"] != "1" || !*patched.Properties.EnableRbacAuthorization || *patched.Properties.TenantID != tenantA {
		t.Errorf("patched %+v, %v", patched.Vault, err)
	}
	if _, err := c.vaults.Delete(ctx, "rg-app", "kv-new", nil); err != nil {
		t.Fatal(err)
	}
	_, err = c.vaults.Get(ctx, "rg-app", "kv-new", nil)
	wantSDKError(t, err, http.StatusNotFound, "ResourceNotFound")
}

func TestGroupDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.clients(t, owner, subA)
	ctx := t.Context()
	w.put(t, groupA+"2", map[string]any{"location": "eastus"})
	poller, err := c.groups.BeginDelete(ctx, "rg-app", nil)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := c.groups.Get(ctx, "rg-app", nil)
	if err != nil || *gone.Properties.ProvisioningState != "Deleting" {
		t.Errorf("while it goes: %v, %v", gone.Properties, err)
	}
	_, err = c.vaults.BeginCreateOrUpdate(ctx, "rg-app", "kv-late", newVault("westeurope"), nil)
	wantSDKError(t, err, http.StatusConflict, "ResourceGroupBeingDeleted")
	if _, err = poller.PollUntilDone(ctx, quick); err != nil {
		t.Fatal(err)
	}
	_, err = c.vaults.Get(ctx, "rg-app", "kv-a", nil)
	wantSDKError(t, err, http.StatusNotFound, "ResourceGroupNotFound")
	if _, ok := w.Get(vaultA); ok {
		t.Error("the vault outlived its group")
	}
	left, _, err := drain(ctx, c.groups.NewListPager(nil), func(p armresources.ResourceGroupsClientListResponse) []*armresources.ResourceGroup { return p.Value })
	if err != nil || len(left) != 1 || *left[0].Name != "rg-App2" {
		t.Errorf("left %v, %v", left, err)
	}
	w.put(t, groupA, map[string]any{"location": "westeurope"})
	w.put(t, vaultA, map[string]any{})
	if _, err := w.clients(t, reader, subA).vaults.Get(ctx, "rg-app", "kv-a", nil); err == nil {
		t.Error("the role assignment outlived its group")
	}
}

func TestListsPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *arm.Options) { o.PageSize = 3 })
	for _, name := range []string{"kv-b", "kv-c", "kv-d", "kv-e", "kv-f", "kv-g"} {
		w.put(t, strings.TrimSuffix(vaultA, "kv-a")+name, map[string]any{})
	}
	other := groupA + "-2/providers/Microsoft.KeyVault/vaults/kv-z"
	w.put(t, groupA+"-2", map[string]any{"location": "eastus"})
	w.put(t, other, map[string]any{})
	w.put(t, vaultA+"/secrets/s", map[string]any{})
	c := w.clients(t, owner, subA)
	ctx := t.Context()
	all, pages, err := drain(ctx, c.vaults.NewListBySubscriptionPager(nil), func(p armkeyvault.VaultsClientListBySubscriptionResponse) []*armkeyvault.Vault { return p.Value })
	if err != nil || len(all) != 8 || pages != 3 {
		t.Errorf("subscription: %d vaults on %d pages, %v", len(all), pages, err)
	}
	some, pages, err := drain(ctx, c.vaults.NewListByResourceGroupPager("RG-app", &armkeyvault.VaultsClientListByResourceGroupOptions{Top: to.Ptr[int32](2)}), func(p armkeyvault.VaultsClientListByResourceGroupResponse) []*armkeyvault.Vault { return p.Value })
	if err != nil || len(some) != 7 || pages != 4 {
		t.Errorf("group: %d vaults on %d pages, %v", len(some), pages, err)
	}
	names := func(p armresources.ClientListResponse) (out []string) {
		for _, r := range p.Value {
			if r.Type == nil || *r.Type != "Microsoft.KeyVault/vaults" {
				t.Errorf("listed %v", r.Type)
			}
			out = append(out, *r.Name)
		}
		return out
	}
	listed, _, err := drain(ctx, c.resources.NewListPager(nil), names)
	if err != nil || len(listed) != 8 || !slices.Contains(listed, "kv-z") {
		t.Errorf("resources: %v, %v", listed, err)
	}
	filtered, _, err := drain(ctx, c.resources.NewListPager(&armresources.ClientListOptions{Filter: to.Ptr("resourceType eq 'microsoft.keyvault/vaults' and name eq 'KV-Z'"), Expand: to.Ptr("createdTime")}), names)
	if err != nil || !slices.Equal(filtered, []string{"kv-z"}) {
		t.Errorf("filtered: %v, %v", filtered, err)
	}
	mine, _, err := drain(ctx, w.clients(t, reader, subA).resources.NewListPager(nil), names)
	if err != nil || len(mine) != 7 || slices.Contains(mine, "kv-z") {
		t.Errorf("what a reader of one group sees: %v, %v", mine, err)
	}
	_, _, err = drain(ctx, w.clients(t, nobody, subA).resources.NewListPager(nil), names)
	wantSDKError(t, err, http.StatusForbidden, "AuthorizationFailed")
	inGroup, _, err := drain(ctx, c.resources.NewListByResourceGroupPager("rg-app-2", nil), func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
		return p.Value
	})
	if err != nil || len(inGroup) != 1 || *inGroup[0].ID != other {
		t.Errorf("resources of a group: %v, %v", inGroup, err)
	}
}

func TestSubscriptionsAndTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	for p, want := range map[principal][]string{owner: {subA}, reader: {subA}, nobody: nil, ownerB: {subB}} {
		got, _, err := drain(ctx, w.clients(t, p, subA).subscriptions.NewListPager(nil), func(p armsubscriptions.ClientListResponse) (out []string) {
			for _, s := range p.Value {
				out = append(out, *s.SubscriptionID)
			}
			return out
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", p.object, diff)
		}
	}
	c := w.clients(t, owner, subA)
	sub, err := c.subscriptions.Get(ctx, subA, nil)
	if err != nil || *sub.DisplayName != "Contoso Production" || *sub.TenantID != tenantA || *sub.State != armsubscriptions.SubscriptionStateEnabled {
		t.Errorf("%+v, %v", sub.Subscription, err)
	}
	tenants, _, err := drain(ctx, c.tenants.NewListPager(nil), func(p armsubscriptions.TenantsClientListResponse) []*armsubscriptions.TenantIDDescription {
		return p.Value
	})
	if err != nil || len(tenants) != 1 || *tenants[0].DisplayName != "Contoso" || *tenants[0].DefaultDomain != "contoso.onmicrosoft.com" {
		t.Errorf("tenants %v, %v", tenants, err)
	}
	locations, _, err := drain(ctx, c.subscriptions.NewListLocationsPager(subA, nil), func(p armsubscriptions.ClientListLocationsResponse) []*armsubscriptions.Location { return p.Value })
	if err != nil || len(locations) < 50 {
		t.Errorf("%d locations, %v", len(locations), err)
	}
	_, _, err = drain(ctx, w.clients(t, nobody, subA).subscriptions.NewListLocationsPager(subA, nil), func(p armsubscriptions.ClientListLocationsResponse) []*armsubscriptions.Location { return p.Value })
	wantSDKError(t, err, http.StatusForbidden, "AuthorizationFailed")
}

func TestProviders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Register(&planks{typ: "Contoso.Wood/planks"})
	c := w.clients(t, owner, subA)
	ctx := t.Context()
	all, _, err := drain(ctx, c.providers.NewListPager(nil), func(p armresources.ProvidersClientListResponse) (out []string) {
		for _, e := range p.Value {
			out = append(out, *e.Namespace+" "+*e.RegistrationState)
		}
		return out
	})
	if err != nil || !slices.Contains(all, "Microsoft.KeyVault Registered") || !slices.Contains(all, "Contoso.Wood Registered") {
		t.Errorf("providers %v, %v", all, err)
	}
	kv, err := c.providers.Get(ctx, "Microsoft.KeyVault", nil)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(kv.ResourceTypes, func(r *armresources.ProviderResourceType) bool { return *r.ResourceType == "vaults" })
	if i < 0 || *kv.ResourceTypes[i].APIVersions[0] != kvVersion || len(kv.ResourceTypes[i].Locations) < 50 {
		t.Errorf("resource types %v", kv.ResourceTypes)
	}
	if _, err := c.providers.Unregister(ctx, "microsoft.KEYVAULT", nil); err != nil {
		t.Fatal(err)
	}
	a := w.do(t, owner, "PUT", version(vaultA+"-b", kvVersion), `{"location":"westeurope"}`)
	wantError(t, a, http.StatusConflict, "MissingSubscriptionRegistration")
	// The SDK registers on its own and tries again.
	w.options.DisableRPRegistration = false
	poller, err := w.clients(t, owner, subA).vaults.BeginCreateOrUpdate(ctx, "rg-app", "kv-b", newVault("westeurope"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(ctx, quick); err != nil {
		t.Fatal(err)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.clients(t, owner, subA)
	ctx := t.Context()
	tags := func(kv ...string) *armresources.Tags {
		out := &armresources.Tags{Tags: map[string]*string{}}
		for i := 0; i < len(kv); i += 2 {
			out.Tags[kv[i]] = to.Ptr(kv[i+1])
		}
		return out
	}
	patch := func(op armresources.TagsPatchOperation, t *armresources.Tags) func() error {
		return func() error {
			p, err := c.tags.BeginUpdateAtScope(ctx, vaultA, armresources.TagsPatchResource{Operation: to.Ptr(op), Properties: t}, nil)
			if err == nil {
				_, err = p.PollUntilDone(ctx, quick)
			}
			return err
		}
	}
	put := func() error {
		p, err := c.tags.BeginCreateOrUpdateAtScope(ctx, vaultA, armresources.TagsResource{Properties: tags("x", "1", "y", "2")}, nil)
		if err == nil {
			_, err = p.PollUntilDone(ctx, quick)
		}
		return err
	}
	remove := func() error {
		p, err := c.tags.BeginDeleteAtScope(ctx, vaultA, nil)
		if err == nil {
			_, err = p.PollUntilDone(ctx, quick)
		}
		return err
	}
	for _, tc := range []struct {
		name string
		call func() error
		want map[string]string
	}{
		{"put", put, map[string]string{"x": "1", "y": "2"}},
		{"merge", patch(armresources.TagsPatchOperationMerge, tags("y", "3", "z", "4")), map[string]string{"x": "1", "y": "3", "z": "4"}},
		{"delete some", patch(armresources.TagsPatchOperationDelete, tags("y", "3", "z", "other")), map[string]string{"x": "1", "z": "4"}},
		{"replace", patch(armresources.TagsPatchOperationReplace, tags("n", "5")), map[string]string{"n": "5"}},
		{"delete all", remove, map[string]string{}},
	} {
		if err := tc.call(); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		res, err := c.tags.GetAtScope(ctx, vaultA, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for k, v := range res.Properties.Tags {
			got[k] = *v
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	wantSDKError(t, patch("Swap", tags())(), http.StatusBadRequest, "InvalidTagsPatchOperation")
	group, err := c.tags.GetAtScope(ctx, groupA, nil)
	if err != nil || *group.Properties.Tags["env"] != "prod" {
		t.Errorf("tags of the group %v, %v", group.Properties, err)
	}
	_, err = w.clients(t, nobody, subA).tags.GetAtScope(ctx, groupA, nil)
	wantSDKError(t, err, http.StatusForbidden, "AuthorizationFailed")
}
