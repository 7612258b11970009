package lowkeyvault

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/test/components"
)

// server is a running Lowkey Vault with two vaults under Key Vault's true names. Its
// transport sends every name to it, so the plugin runs unchanged.
type server struct {
	transport *http.Client
}

// start runs Lowkey Vault for the length of the test. It knows api-versions up to 7.6,
// so the clients' newer one is rewritten on the way.
func start(t *testing.T) *server {
	t.Helper()
	jar := components.Find(t, "lowkey-vault", "ATG_LOWKEY_VAULT_JAR", "lowkey-vault-app-*.jar")
	java, err := exec.LookPath("java")
	if err != nil {
		t.Fatalf("lowkey-vault needs Java 17: %v", err)
	}
	tlsPort, httpPort := freePort(t), freePort(t)
	ctx, cancel := context.WithCancel(t.Context())
	// With Java's newer PKCS#12 encryption Lowkey Vault cannot read its own exports, whose
	// password is empty. Azure uses the older one too.
	cmd := exec.CommandContext(ctx, java, "-Xmx512m", "-Dkeystore.pkcs12.legacy=true", "-jar", jar,
		fmt.Sprintf("--server.port=%d", tlsPort), fmt.Sprintf("--app.token.port=%d", httpPort),
		"--LOWKEY_VAULT_NAMES=source,target", "--LOWKEY_AUTH_RESOURCE=vault.azure.net",
		"--LOWKEY_VAULT_ALIASES=source.localhost=kv-source.vault.azure.net,target.localhost=kv-target.vault.azure.net")
	log, err := os.Create(filepath.Join(t.TempDir(), "lowkey-vault.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("lowkey-vault said:\n%s", text)
		}
		_ = log.Close()
	})
	s := &server{transport: client(fmt.Sprintf("127.0.0.1:%d", tlsPort))}
	s.wait(t)
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// client dials addr for every host. The certificate is one that Lowkey Vault made for
// itself and for localhost, so it is not checked.
func client(addr string) *http.Client {
	var d net.Dialer
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return d.DialContext(ctx, network, addr)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
}

func (s *server) wait(t *testing.T) {
	t.Helper()
	deadline, stop := context.WithTimeout(t.Context(), 90*time.Second)
	defer stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		req, _ := http.NewRequestWithContext(deadline, http.MethodGet, "https://kv-source.vault.azure.net/ping", nil)
		if resp, err := s.transport.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline.Done():
			t.Fatal("lowkey-vault did not answer within 90 s")
		}
	}
}

// options are those of every client: this server's transport and its newest api-version.
func (s *server) options() policy.ClientOptions {
	return policy.ClientOptions{
		Transport:       s.transport,
		PerCallPolicies: []policy.Policy{apiVersion("7.6")},
	}
}

type apiVersion string

// Do implements policy.Policy.
func (v apiVersion) Do(req *policy.Request) (*http.Response, error) {
	q := req.Raw().URL.Query()
	q.Set("api-version", string(v))
	req.Raw().URL.RawQuery = q.Encode()
	return req.Next()
}

// anyToken is a credential for a server that takes every token.
type anyToken struct{}

// GetToken implements azcore.TokenCredential.
func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "any", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// endpoint is one of the server's vaults as the plugin sees it.
func (s *server) endpoint(name string) plugin.Endpoint {
	return plugin.Endpoint{
		Resource: plugin.Resource{
			ID:         "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/" + name,
			Type:       "Microsoft.KeyVault/vaults",
			Name:       name,
			Properties: []byte(`{"vaultUri":"https://` + name + `.vault.azure.net/","enableRbacAuthorization":true}`),
		},
		Credential: anyToken{},
		Options:    s.options(),
	}
}
