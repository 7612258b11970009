// Package azuresdk drives the emulator with Azure's SDK for Go, unmodified: its clients see
// public Azure, true names and their own default options beside a transport.
package azuresdk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
)

const (
	group     = "rg-contoso" // of the default scenario
	vault     = "kv-sdk"
	vaultURL  = "https://" + vault + ".vault.azure.net/"
	otherURL  = "https://kv-not-there.vault.azure.net/"
	vaultType = "Microsoft.KeyVault/vaults"
)

// world is an emulator with one vault, and clients of its owner.
type world struct {
	emulator *emulator.Emulator
	id       emulator.Identity
	options  policy.ClientOptions
	cred     azcore.TokenCredential

	resources *armresources.Client
	groups    *armresources.ResourceGroupsClient
	vaults    *armkeyvault.VaultsClient
	secrets   *azsecrets.Client
	keys      *azkeys.Client
	certs     *azcertificates.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	emu, err := emulator.Start(emulator.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emu.Close() })
	w := &world{emulator: emu}
	if w.id, err = emu.Principal("contoso"); err != nil {
		t.Fatal(err)
	}
	// One try: an error case must not wait for retries.
	w.options = policy.ClientOptions{
		Transport: &http.Client{Transport: emu.Transport()},
		Retry:     policy.RetryOptions{MaxRetries: -1, RetryDelay: time.Millisecond},
	}
	w.cred, err = azidentity.NewClientSecretCredential(w.id.TenantID, w.id.AppID, w.id.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: w.options})
	if err != nil {
		t.Fatal(err)
	}
	w.connect(t)
	w.createVault(t)
	return w
}

// connect makes the clients, each by its own constructor.
func (w *world) connect(t *testing.T) {
	t.Helper()
	var errs [6]error
	arms := &arm.ClientOptions{ClientOptions: w.options}
	w.resources, errs[0] = armresources.NewClient(w.id.SubscriptionID, w.cred, arms)
	w.groups, errs[1] = armresources.NewResourceGroupsClient(w.id.SubscriptionID, w.cred, arms)
	w.vaults, errs[2] = armkeyvault.NewVaultsClient(w.id.SubscriptionID, w.cred, arms)
	w.secrets, errs[3] = azsecrets.NewClient(vaultURL, w.cred, &azsecrets.ClientOptions{ClientOptions: w.options})
	w.keys, errs[4] = azkeys.NewClient(vaultURL, w.cred, &azkeys.ClientOptions{ClientOptions: w.options})
	w.certs, errs[5] = azcertificates.NewClient(vaultURL, w.cred, &azcertificates.ClientOptions{ClientOptions: w.options})
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
}

func (w *world) createVault(t *testing.T) {
	t.Helper()
	poller, err := w.vaults.BeginCreateOrUpdate(t.Context(), group, vault, w.vaultParameters(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), &frequently); err != nil {
		t.Fatal(err)
	}
}

func (w *world) vaultParameters() armkeyvault.VaultCreateOrUpdateParameters {
	family, sku := armkeyvault.SKUFamilyA, armkeyvault.SKUNameStandard
	location, rbac := "westeurope", true
	return armkeyvault.VaultCreateOrUpdateParameters{
		Location: &location,
		Properties: &armkeyvault.VaultProperties{
			TenantID: &w.id.TenantID, SKU: &armkeyvault.SKU{Family: &family, Name: &sku}, EnableRbacAuthorization: &rbac,
		},
	}
}

// tryCredential signs in and reads the vault's resource.
func (w *world) tryCredential(ctx context.Context, tenant, secret string) error {
	cred, err := azidentity.NewClientSecretCredential(tenant, w.id.AppID, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: w.options})
	if err != nil {
		return err
	}
	_, err = cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
	return err
}

// counts goes through all pages, whose items must add up to want.
func counts[P any](ctx context.Context, want int, pager *runtime.Pager[P], size func(P) int) error {
	n, pages := 0, 0
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		n, pages = n+size(page), pages+1
	}
	if n != want {
		return fmt.Errorf("%d items on %d pages, want %d", n, pages, want)
	}
	return nil
}
