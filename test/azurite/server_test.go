package azurite

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
	"github.com/azure-tenant-grapher/atg/test/components"
	"github.com/azure-tenant-grapher/atg/test/components/azurite"
)

// The two accounts, in one process. They are signed in to with their keys: Azurite takes
// tokens, but not for a container's access policies, and looks at no signature.
const (
	source = "atgsource"
	target = "atgtarget"
)

// services are those that Azurite has, in the order of the server's ports.
var services = []string{"blob", "queue", "table"}

// server is a running Azurite with two accounts under Azure's true names: its transport
// sends them to it, so the plugin runs unchanged.
type server struct {
	http *http.Client
}

// start runs Azurite for the length of the test.
func start(t *testing.T) *server {
	t.Helper()
	running, err := azurite.Start(t.Context(), azurite.Options{
		Program: components.Find(t, "azurite", "ATG_AZURITE", "azurite-*/node_modules/.bin/azurite"), Dir: t.TempDir(), TLS: true,
		Accounts: map[string]string{source: accountKey, target: accountKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		running.Stop()
		if t.Failed() {
			t.Logf("azurite said:\n%s", running.Said())
		}
	})
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(running.CA) {
		t.Fatal("azurite's certificate cannot be read")
	}
	return &server{http: client(running.Ports, pool)}
}

// accountKey is the key of both accounts.
var accountKey = base64.StdEncoding.EncodeToString([]byte("a key that only this test knows, of some length"))

// client sends NAME.SERVICE.core.windows.net to Azurite's port for the service, and
// nothing anywhere else.
func client(ports map[string]string, pool *x509.CertPool) *http.Client {
	var d net.Dialer
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			parts := strings.Split(addr, ".")
			if len(parts) < 2 || ports[parts[1]] == "" {
				return nil, fmt.Errorf("azurite has no %s", addr)
			}
			return d.DialContext(ctx, network, "127.0.0.1:"+ports[parts[1]])
		},
		MaxIdleConnsPerHost: 32,
		TLSClientConfig:     &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}}
}

// options are those of every client.
func (s *server) options() policy.ClientOptions { return policy.ClientOptions{Transport: s.http} }

// replicate runs the plugin from the one account to the other, and again: everything but
// what is said to be beyond proof is verified, and the second run finds nothing to do.
func (s *server) replicate(t *testing.T, set plugin.Settings, items, unproven int) {
	t.Helper()
	n := &counter{}
	a, b := s.endpoint(source), s.endpoint(target)
	b.Options.PerCallPolicies = []policy.Policy{n}
	pairs := []engine.Pair{{Plugin: storage.New(), Source: a, Target: b, Rule: "test"}}
	opt := engine.Options{Run: "azurite", Command: "apply", Mode: plugin.Replication, Settings: map[string]plugin.Settings{"storage": set}}
	first, err := local.New().Apply(t.Context(), pairs, opt)
	if err != nil {
		t.Fatal(err)
	}
	if f := first.Fidelity; len(first.Failures) > 0 || f.Verified != int64(items-unproven) || f.Items != int64(items) {
		t.Errorf("%d of %d items verified, want %d\nfailures %+v\nskipped %+v\nunproven %+v\ndifferent %+v", f.Verified, f.Items, items, first.Failures, first.Skipped, first.Unproven, first.Different)
	}
	n.writes.Store(0)
	second, err := local.New().Apply(t.Context(), pairs, opt)
	if err != nil {
		t.Fatal(err)
	}
	if n.writes.Load() > 0 || second.Outcomes[plugin.Unchanged] != int64(items) {
		t.Errorf("a second run makes %d writes to the target: %v", n.writes.Load(), second.Outcomes)
	}
}

// endpoint is one of the accounts as the plugin sees it.
func (s *server) endpoint(name string) plugin.Endpoint {
	addresses := ""
	for i, service := range services {
		if i > 0 {
			addresses += ","
		}
		addresses += fmt.Sprintf(`"%s":"https://%s.%s.core.windows.net/"`, service, name, service)
	}
	return plugin.Endpoint{
		Resource: plugin.Resource{
			ID:   "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/" + name,
			Type: "Microsoft.Storage/storageAccounts", Kind: "StorageV2", SKU: "Standard_LRS", Name: name,
			Properties: []byte(`{"primaryEndpoints":{` + addresses + `}}`),
		},
		Options: s.options(),
		Secret: func(what string) (secret.Value, bool) {
			return secret.New(accountKey), what == "accountKey"
		},
	}
}
