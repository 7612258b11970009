// Package answers asks the emulator and Azurite, a server that nobody here wrote, the same
// questions with the unmodified SDKs, and compares the answers. Where they differ, the
// table says which of them Azure's documentation bears out.
package answers

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/test/components"
	"github.com/azure-tenant-grapher/atg/test/components/azurite"
)

// account holds everything that is asked about; blobs are also copied from second.
const (
	account = "atganswers"
	second  = "atgsecond"
)

// accountKey signs in to both accounts of both servers.
var accountKey = base64.StdEncoding.EncodeToString([]byte("a key that only this test knows, of the length that keys have: 64b"[:64]))

// world is a server with two accounts.
type world struct {
	tables *aztables.ServiceClient
	queues *azqueue.ServiceClient
	blobs  *service.Client
	second *service.Client // of the second account
	seen   *recorder       // of the answers about blobs
	// address is where an account has a service, without a slash at the end.
	address func(account, service string) string
}

// clients makes the SDK's clients of a server by the addresses of its services.
func clients(t *testing.T, hc *http.Client, address func(account, service string) string) world {
	t.Helper()
	t.Cleanup(hc.CloseIdleConnections)
	opt := azcore.ClientOptions{Transport: hc, Retry: policy.RetryOptions{MaxRetries: -1}}
	tc, err := aztables.NewSharedKeyCredential(account, accountKey)
	must(t, err)
	tables, err := aztables.NewServiceClientWithSharedKey(address(account, "table")+"/", tc, &aztables.ClientOptions{ClientOptions: opt})
	must(t, err)
	qc, err := azqueue.NewSharedKeyCredential(account, accountKey)
	must(t, err)
	queues, err := azqueue.NewServiceClientWithSharedKeyCredential(address(account, "queue")+"/", qc, &azqueue.ClientOptions{ClientOptions: opt})
	must(t, err)
	w := world{tables: tables, queues: queues, seen: &recorder{client: hc, apart: map[string]bool{}}, address: address}
	w.blobs, w.second = w.blobsOf(t, account, accountKey), w.blobsOf(t, second, accountKey)
	w.seen.names = strings.NewReplacer(address(account, "blob"), "ACCOUNT", address(second, "blob"), "SECOND", "https"+strings.TrimPrefix(address(account, "blob"), "http"), "ACCOUNT")
	return w
}

// blobsOf is the client of an account's blobs that signs with a key.
func (w world) blobsOf(t *testing.T, name, key string) *service.Client {
	t.Helper()
	cred, err := service.NewSharedKeyCredential(name, key)
	must(t, err)
	c, err := service.NewClientWithSharedKeyCredential(w.address(name, "blob"), cred, w.options())
	must(t, err)
	return c
}

// options are those of all clients of blobs.
func (w world) options() *service.ClientOptions {
	return &service.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: w.seen, Retry: policy.RetryOptions{MaxRetries: -1}}}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused verifies no token: everybody here signs in with the key.
type refused struct{}

func (refused) Verify(*http.Request) (wire.Claims, error) { return wire.Claims{}, wire.ErrNoToken }

func (refused) Allowed(wire.Claims, string, string, bool) bool { return false }

// emulator runs this project's service.
func emulator(t *testing.T) world {
	t.Helper()
	svc := storage.New(storage.Options{Tokens: refused{}, Access: refused{}})
	for _, name := range []string{account, second} {
		id := "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/" + name
		res := &wire.Resource{ID: id, TenantID: "t", Type: "Microsoft.Storage/storageAccounts", Name: name, Body: map[string]any{
			"location": "westeurope", "kind": "StorageV2", "sku": map[string]any{"name": "Standard_RAGRS"},
			"properties": map[string]any{"supportsHttpsTrafficOnly": false, "allowBlobPublicAccess": true},
		}}
		if err := svc.Put(res, nil); err != nil {
			t.Fatal(err)
		}
		must(t, svc.Seed(id, fmt.Appendf(nil, `{"accountKeys":[%q]}`, accountKey)))
	}
	srv := httptest.NewServer(svc)
	t.Cleanup(srv.Close)
	hc := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", srv.Listener.Addr().String())
	}}}
	return clients(t, hc, func(account, service string) string { return "http://" + account + "." + service + ".core.windows.net" })
}

// counterpart runs Azurite for the length of the test. It is asked by its address, because it
// does not understand batches that name a host.
func counterpart(t *testing.T) world {
	t.Helper()
	server, err := azurite.Start(t.Context(), azurite.Options{
		Program: components.Find(t, "azurite", "ATG_AZURITE", "azurite-*/node_modules/.bin/azurite"), Dir: t.TempDir(),
		Accounts: map[string]string{account: accountKey, second: accountKey},
	})
	must(t, err)
	t.Cleanup(server.Stop)
	return clients(t, &http.Client{Transport: &http.Transport{}}, func(account, service string) string {
		return "http://127.0.0.1:" + server.Ports[service] + "/" + account
	})
}
