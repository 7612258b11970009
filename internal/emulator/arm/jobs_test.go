package arm_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// TestResume stops after the start of an operation and goes on with another client that
// has the token alone.
func TestResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	first, err := w.clients(t, owner, subA).vaults.BeginCreateOrUpdate(ctx, "rg-app", "kv-new", newVault("westeurope"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Poll(ctx); err != nil || first.Done() {
		t.Fatalf("after one poll: done %v, %v", first.Done(), err)
	}
	token, err := first.ResumeToken()
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.clients(t, owner, subA).vaults.BeginCreateOrUpdate(ctx, "", "", armkeyvault.VaultCreateOrUpdateParameters{}, &armkeyvault.VaultsClientBeginCreateOrUpdateOptions{ResumeToken: token})
	if err != nil {
		t.Fatal(err)
	}
	made, err := second.PollUntilDone(ctx, quick)
	if err != nil || *made.Name != "kv-new" || *made.Properties.ProvisioningState != "Succeeded" {
		t.Fatalf("%+v, %v", made.Vault, err)
	}

	del, err := w.clients(t, owner, subA).groups.BeginDelete(ctx, "rg-app", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token, err = del.ResumeToken(); err != nil {
		t.Fatal(err)
	}
	again, err := w.clients(t, owner, subA).groups.BeginDelete(ctx, "", &armresources.ResourceGroupsClientBeginDeleteOptions{ResumeToken: token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.PollUntilDone(ctx, quick); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.Get(groupA); ok {
		t.Error("the group is still there")
	}
}

const newVaultBody = `{"location":"westeurope","properties":{"sku":{"family":"A","name":"standard"}}}`

// TestProtocol looks at the bytes: status, headers and documents of each step.
func TestProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := version(groupA+"/providers/Microsoft.KeyVault/vaults/kv-p", kvVersion)
	a := w.do(t, owner, "PUT", path, newVaultBody)
	status, result := a.header.Get("Azure-AsyncOperation"), a.header.Get("Location")
	if a.status != http.StatusCreated || a.field("properties", "provisioningState") != "RegisteringDns" || a.header.Get("Retry-After") != "1" || a.header.Get("x-ms-retry-after-ms") != "1" ||
		!strings.Contains(status, "/providers/Microsoft.KeyVault/locations/westeurope/operationStatuses/") || !strings.Contains(result, "/operationResults/") {
		t.Fatalf("PUT: %d %v %s", a.status, a.header, a.raw)
	}
	if a = w.do(t, owner, "GET", status, ""); a.status != http.StatusOK || a.body["status"] != "InProgress" || a.header.Get("Retry-After") == "" {
		t.Errorf("first look: %d %s", a.status, a.raw)
	}
	if a = w.do(t, owner, "GET", result, ""); a.status != http.StatusAccepted || a.header.Get("Location") != result {
		t.Errorf("second look, at the result: %d %v", a.status, a.header)
	}
	if a = w.do(t, owner, "GET", status, ""); a.body["status"] != "Succeeded" || a.body["endTime"] == nil {
		t.Errorf("third look: %s", a.raw)
	}
	if a = w.do(t, owner, "GET", result, ""); a.status != http.StatusOK || a.body["name"] != "kv-p" || a.field("properties", "provisioningState") != "Succeeded" {
		t.Errorf("result: %d %s", a.status, a.raw)
	}
	if a = w.do(t, owner, "PUT", path, newVaultBody); a.status != http.StatusOK || a.field("properties", "provisioningState") != "Updating" {
		t.Errorf("update: %d %s", a.status, a.raw)
	}
	wantError(t, w.do(t, ownerB, "GET", status, ""), http.StatusUnauthorized, "InvalidAuthenticationTokenTenant")
	other := strings.Replace(status, subA, subA2, 1)
	if a = w.do(t, owner, "GET", other, ""); a.status == http.StatusOK {
		t.Errorf("the operation is known in another subscription: %s", a.raw)
	}
}

func TestLooksAtTheResourceCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := version(groupA+"/providers/Microsoft.KeyVault/vaults/kv-p", kvVersion)
	w.do(t, owner, "PUT", path, newVaultBody)
	for i, want := range []string{"RegisteringDns", "RegisteringDns", "Succeeded"} {
		if got := w.do(t, owner, "GET", path, "").field("properties", "provisioningState"); got != want {
			t.Errorf("look %d: %v, want %s", i, got, want)
		}
	}
	w.do(t, owner, "DELETE", version(groupA, resVersion), "")
	for i, want := range []int{204, 204, 404} {
		if got := w.do(t, owner, "HEAD", version(groupA, resVersion), "").status; got != want {
			t.Errorf("look at the group %d: %d, want %d", i, got, want)
		}
	}
}

// TestNobodyLooks: an operation ends in its own time.
func TestNobodyLooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do(t, owner, "DELETE", version(groupA, resVersion), "")
	if a.status != http.StatusAccepted || a.header.Get("Azure-AsyncOperation") != "" || !strings.Contains(a.header.Get("Location"), "/operationresults/") {
		t.Fatalf("DELETE of a group: %d %v", a.status, a.header)
	}
	list := version("/subscriptions/"+subA+"/resourceGroups", resVersion)
	if n := len(w.do(t, owner, "GET", list, "").ids()); n != 1 {
		t.Fatalf("%d groups, want the one that goes", n)
	}
	w.clock.Add(31 * time.Second)
	if ids := w.do(t, owner, "GET", list, "").ids(); len(ids) != 0 {
		t.Errorf("after its time: %v", ids)
	}
	result := a.header.Get("Location")
	if a = w.do(t, owner, "GET", result, ""); a.status != http.StatusOK {
		t.Errorf("result afterwards: %d %s", a.status, a.raw)
	}
	w.clock.Add(2 * time.Hour)
	w.put(t, groupA, map[string]any{"location": "eastus"})
	if a = w.do(t, owner, "DELETE", version(groupA, resVersion), ""); a.status != http.StatusAccepted {
		t.Fatalf("second DELETE: %d", a.status)
	}
	wantError(t, w.do(t, owner, "GET", result, ""), http.StatusNotFound, "NotFound")
}

func TestFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.clients(t, owner, subA)
	ctx := t.Context()
	w.FailNext("PUT", groupA+"/providers/Microsoft.KeyVault/vaults/KV-new", wire.Error{Status: 409, Code: "VaultAlreadyExists", Message: "The vault name 'kv-new' is already in use."})
	poller, err := c.vaults.BeginCreateOrUpdate(ctx, "rg-app", "kv-new", newVault("westeurope"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = poller.PollUntilDone(ctx, quick)
	var re *azcore.ResponseError
	if !errors.As(err, &re) || re.ErrorCode != "VaultAlreadyExists" {
		t.Errorf("create: %v", err)
	}
	got, err := c.vaults.Get(ctx, "rg-app", "kv-new", nil)
	if err != nil || *got.Properties.ProvisioningState != "Failed" {
		t.Errorf("what is left: %+v, %v", got.Properties, err)
	}

	w.FailNext("DELETE", groupA, wire.Error{Status: 409, Code: "ResourceGroupDeletionBlocked", Message: "Deletion of resource group failed."})
	del, err := c.groups.BeginDelete(ctx, "rg-app", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = del.PollUntilDone(ctx, quick)
	wantSDKError(t, err, http.StatusConflict, "ResourceGroupDeletionBlocked")
	group, err := c.groups.Get(ctx, "rg-app", nil)
	if err != nil || *group.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("the group afterwards: %v, %v", group.Properties, err)
	}
	if del, err = c.groups.BeginDelete(ctx, "rg-app", nil); err != nil {
		t.Fatal(err)
	}
	if _, err = del.PollUntilDone(ctx, quick); err != nil {
		t.Errorf("the second attempt: %v", err)
	}
}

func TestNoPolls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *arm.Options) { o.Polls, o.RetryAfter = 0, 2*time.Second })
	a := w.do(t, owner, "PUT", version(vaultA+"2", kvVersion), newVaultBody)
	if a.status != http.StatusCreated || a.field("properties", "provisioningState") != "Succeeded" || a.header.Get("Retry-After") != "2" || a.header.Get("x-ms-retry-after-ms") != "" {
		t.Errorf("PUT: %d %v %s", a.status, a.header, a.raw)
	}
	if s := w.do(t, owner, "GET", a.header.Get("Azure-AsyncOperation"), ""); s.body["status"] != "Succeeded" {
		t.Errorf("first look: %s", s.raw)
	}
	if d := w.do(t, owner, "DELETE", version(groupA, resVersion), ""); d.status != http.StatusAccepted {
		t.Errorf("DELETE: %d", d.status)
	}
	if _, ok := w.Get(vaultA); ok {
		t.Error("the vault is still there")
	}
}

// TestAsyncResourceDelete: a resource type whose DELETE is long-running.
func TestAsyncResourceDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := vaultA + "/privateEndpointConnections/pe"
	w.put(t, conn, map[string]any{"properties": map[string]any{"provisioningState": "ignored"}})
	path := version(conn, kvVersion)
	a := w.do(t, owner, "DELETE", path, "")
	if a.status != http.StatusAccepted || a.header.Get("Azure-AsyncOperation") == "" {
		t.Fatalf("DELETE: %d %v %s", a.status, a.header, a.raw)
	}
	if got := w.do(t, owner, "GET", path, "").field("properties", "provisioningState"); got != "Deleting" {
		t.Errorf("while it goes: %v", got)
	}
	w.do(t, owner, "GET", path, "")
	wantError(t, w.do(t, owner, "GET", path, ""), http.StatusNotFound, "ResourceNotFound")
	if a = w.do(t, owner, "GET", a.header.Get("Location"), ""); a.status != http.StatusNoContent {
		t.Errorf("result: %d %s", a.status, a.raw)
	}
	if a = w.do(t, owner, "DELETE", path, ""); a.status != http.StatusNoContent {
		t.Errorf("DELETE of nothing: %d", a.status)
	}
}
