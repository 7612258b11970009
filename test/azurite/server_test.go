package azurite

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
	"github.com/azure-tenant-grapher/atg/test/components"
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

// start runs Azurite for the length of the test. It knows API versions up to the newest of
// its making, so it is told not to look at the clients'.
func start(t *testing.T) *server {
	t.Helper()
	program := components.Find(t, "azurite", "ATG_AZURITE", "azurite-*/node_modules/.bin/azurite")
	dir := t.TempDir()
	cert, key, pool := certificate(t, dir)
	ports := map[string]string{}
	args := []string{"--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence", "--cert", cert, "--key", key}
	for _, s := range services {
		ports[s] = freePort(t)
		args = append(args, "--"+s+"Port", ports[s])
	}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+source+":"+accountKey+";"+target+":"+accountKey, "NODE_EXTRA_CA_CERTS="+cert)
	log, err := os.Create(filepath.Join(dir, "azurite.log"))
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
			t.Logf("azurite said:\n%s", text)
		}
		_ = log.Close()
	})
	s := &server{http: client(ports, pool)}
	s.wait(t, ports)
	return s
}

// accountKey is the key of both accounts.
var accountKey = base64.StdEncoding.EncodeToString([]byte("a key that only this test knows, of some length"))

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// certificate makes one for the names of both accounts, and says where it lies.
func certificate(t *testing.T, dir string) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "azurite"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, s := range services {
		template.DNSNames = append(template.DNSNames, "*."+s+".core.windows.net")
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pool = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", raw), pool
}

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

func (s *server) wait(t *testing.T, ports map[string]string) {
	t.Helper()
	deadline, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for name := range ports {
		for {
			req, _ := http.NewRequestWithContext(deadline, http.MethodGet, "https://"+source+"."+name+".core.windows.net/", nil)
			resp, err := s.http.Do(req)
			if err == nil {
				resp.Body.Close()
				break
			}
			select {
			case <-tick.C:
			case <-deadline.Done():
				t.Fatalf("azurite did not answer within 60 s: %v", err)
			}
		}
	}
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
