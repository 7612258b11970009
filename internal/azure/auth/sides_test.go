package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The source's credential, pointed at the target's vault by mistake, fails before it sends
// a token: the vault's challenge names another tenant.
func TestCredentialOfTheOtherSide(t *testing.T) {
	t.Parallel()
	e, err := emulator.Start(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	source, err := e.Principal("contoso")
	if err != nil {
		t.Fatal(err)
	}
	target, err := e.Principal("fabrikam")
	if err != nil {
		t.Fatal(err)
	}
	id := "/subscriptions/" + target.SubscriptionID + "/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/kv-of-fabrikam"
	if err := e.ARM().Put(id, map[string]any{"location": "westeurope", "properties": map[string]any{
		"tenantId": target.TenantID, "sku": map[string]any{"family": "A", "name": "standard"}, "enableRbacAuthorization": true,
	}}); err != nil {
		t.Fatal(err)
	}
	get := func(side plugin.Side, who emulator.Identity) error {
		options := pipeline.New(pipeline.Options{Side: side, Transport: &http.Client{Transport: e.Transport()}, RetryDelay: time.Nanosecond})
		res, err := auth.Resolve(t.Context(), auth.Config{
			Side: side, TenantID: who.TenantID, Flags: principal("test", "", who.AppID, who.Secret), Options: options,
		})
		if err != nil {
			t.Fatal(err)
		}
		client, err := azsecrets.NewClient("https://kv-of-fabrikam.vault.azure.net", res.Credential, &azsecrets.ClientOptions{ClientOptions: options})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.SetSecret(t.Context(), "canary", azsecrets.SetSecretParameters{Value: new("value")}, nil)
		return err
	}
	if err := get(plugin.Target, target); err != nil {
		t.Errorf("with the target's own credential: %v", err)
	}
	e.ResetRequests()
	err = get(plugin.Source, source)
	if errs.KindOf(err) != errs.Unauthenticated || !strings.Contains(err.Error(), "cannot serve tenant "+target.TenantID) {
		t.Errorf("with the source's credential: %v", err)
	}
	for _, r := range e.Requests() {
		if r.Service == "keyvault" && (r.Status != http.StatusUnauthorized || r.TenantID != "") {
			t.Errorf("%s %s%s with a token of %q: %d", r.Method, r.Host, r.Path, r.TenantID, r.Status)
		}
		if r.Service == "entra" && strings.Contains(r.Path, target.TenantID) {
			t.Errorf("the source asked for a token of the target's tenant: %s", r.Path)
		}
	}
}
