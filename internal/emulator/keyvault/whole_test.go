package keyvault_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
)

// TestVaultsThroughResourceManager leads an unmodified armkeyvault client through the life
// of a vault: made, opened by an access policy, deleted, recovered, purged.
func TestVaultsThroughResourceManager(t *testing.T) {
	t.Parallel()
	emu, err := emulator.Start(emulator.Options{Strict: true})
	check(t, err)
	t.Cleanup(func() { _ = emu.Close() })
	me, err := emu.Principal("contoso")
	check(t, err)
	opts := policy.ClientOptions{Transport: &http.Client{Transport: emu.Transport()}, Retry: policy.RetryOptions{MaxRetries: -1}}
	cred, err := azidentity.NewClientSecretCredential(me.TenantID, me.AppID, me.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: opts})
	check(t, err)
	vaults, err := armkeyvault.NewVaultsClient(me.SubscriptionID, cred, &arm.ClientOptions{ClientOptions: opts})
	check(t, err)
	secrets, err := azsecrets.NewClient("https://kv-whole.vault.azure.net", cred, &azsecrets.ClientOptions{ClientOptions: opts})
	check(t, err)
	const group, name = "rg-contoso", "kv-whole"
	poll := runtime.PollUntilDoneOptions{Frequency: 1}
	put := func(p armkeyvault.VaultProperties) (armkeyvault.Vault, error) {
		p.TenantID, p.SKU = &me.TenantID, &armkeyvault.SKU{Family: to.Ptr(armkeyvault.SKUFamilyA), Name: to.Ptr(armkeyvault.SKUNameStandard)}
		poller, err := vaults.BeginCreateOrUpdate(t.Context(), group, name, armkeyvault.VaultCreateOrUpdateParameters{Location: to.Ptr("westeurope"), Properties: &p}, nil)
		if err != nil {
			return armkeyvault.Vault{}, err
		}
		got, err := poller.PollUntilDone(t.Context(), &poll)
		return got.Vault, err
	}
	available := func() bool {
		got, err := vaults.CheckNameAvailability(t.Context(), armkeyvault.VaultCheckNameAvailabilityParameters{Name: to.Ptr(name), Type: to.Ptr("Microsoft.KeyVault/vaults")}, nil)
		check(t, err)
		return *got.NameAvailable
	}

	if !available() {
		t.Error("the name is taken before")
	}
	made, err := put(armkeyvault.VaultProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{}})
	check(t, err)
	if *made.Properties.VaultURI != "https://kv-whole.vault.azure.net/" || available() {
		t.Errorf("vault = %+v", made.Properties)
	}
	value := azsecrets.SetSecretParameters{Value: to.Ptr("kept")}
	_, err = secrets.SetSecret(t.Context(), "s", value, nil)
	wantError(t, err, 403, "Forbidden", "ForbiddenByPolicy")
	_, err = vaults.UpdateAccessPolicy(t.Context(), group, name, armkeyvault.AccessPolicyUpdateKindAdd, armkeyvault.VaultAccessPolicyParameters{
		Properties: &armkeyvault.VaultAccessPolicyProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{{
			TenantID: &me.TenantID, ObjectID: &me.ObjectID, Permissions: &armkeyvault.Permissions{Secrets: []*armkeyvault.SecretPermissions{to.Ptr(armkeyvault.SecretPermissionsSet), to.Ptr(armkeyvault.SecretPermissionsGet)}},
		}}},
	}, nil)
	check(t, err)
	_, err = secrets.SetSecret(t.Context(), "s", value, nil)
	check(t, err)
	read, err := vaults.Get(t.Context(), group, name, nil)
	check(t, err)
	if len(read.Properties.AccessPolicies) != 1 {
		t.Errorf("access policies = %+v", read.Properties.AccessPolicies)
	}

	_, err = vaults.Delete(t.Context(), group, name, nil)
	check(t, err)
	deleted, err := vaults.GetDeleted(t.Context(), name, "westeurope", nil)
	check(t, err)
	if *deleted.Properties.VaultID != *made.ID {
		t.Errorf("deleted vault = %+v", deleted.Properties)
	}
	if page, err := vaults.NewListDeletedPager(nil).NextPage(t.Context()); err != nil || len(page.Value) != 1 {
		t.Errorf("deleted vaults = %+v, %v", page.Value, err)
	}
	_, err = put(armkeyvault.VaultProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{}})
	wantError(t, err, 409, "ConflictError", "")
	back, err := put(armkeyvault.VaultProperties{CreateMode: to.Ptr(armkeyvault.CreateModeRecover)})
	check(t, err)
	if len(back.Properties.AccessPolicies) != 1 {
		t.Errorf("recovered = %+v", back.Properties)
	}
	got, err := secrets.GetSecret(t.Context(), "s", "", nil)
	check(t, err)
	if *got.Value != "kept" {
		t.Errorf("secret = %s", *got.Value)
	}

	_, err = vaults.Delete(t.Context(), group, name, nil)
	check(t, err)
	purge, err := vaults.BeginPurgeDeleted(t.Context(), name, "westeurope", nil)
	check(t, err)
	_, err = purge.PollUntilDone(t.Context(), &poll)
	check(t, err)
	if !available() {
		t.Error("the name is taken after the purge")
	}
}
