package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
)

// TestUnregistered: a scenario can have resource providers that are not registered.
func TestUnregistered(t *testing.T) {
	t.Parallel()
	world := scenario.Default()
	world.Tenants[0].Subscriptions[0].Unregistered = []string{"Microsoft.KeyVault"}
	e := start(t, emulator.Options{Scenario: world})
	id, client := who(t, e, "contoso"), &http.Client{Transport: e.Transport()}
	cred, err := azidentity.NewClientSecretCredential(id.TenantID, id.AppID, id.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: policy.ClientOptions{Transport: client}})
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, path, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, "https://management.azure.com/subscriptions/"+scenario.ContosoSubscription+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token.Token)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	vault := "/resourceGroups/rg-contoso/providers/Microsoft.KeyVault/vaults/kv-late?api-version=2024-11-01"
	body := `{"location":"westeurope","properties":{"tenantId":"` + scenario.ContosoTenant + `","sku":{"family":"A","name":"standard"},"enableRbacAuthorization":true}}`
	for _, step := range []struct {
		method, path, body string
		want               int // 0: any success
	}{
		{http.MethodPut, vault, body, http.StatusConflict},
		{http.MethodPost, "/providers/Microsoft.KeyVault/register?api-version=2021-04-01", "", http.StatusOK},
		{http.MethodPut, vault, body, 0},
	} {
		if got := call(step.method, step.path, step.body); got != step.want && (step.want != 0 || got >= http.StatusBadRequest) {
			t.Errorf("%s %s: %d, want %d", step.method, step.path, got, step.want)
		}
	}
}
