package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/internal/azure/pipeline"
	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The tenants and applications of these tests.
const (
	contoso  = "11111111-1111-4111-8111-111111111111"
	fabrikam = "22222222-2222-4222-8222-222222222222"

	sourceApp = "aaaaaaaa-0000-4000-8000-000000000001" // in contoso
	targetApp = "aaaaaaaa-0000-4000-8000-000000000002" // in fabrikam
	bothApp   = "aaaaaaaa-0000-4000-8000-000000000003" // in both
	object    = "bbbbbbbb-0000-4000-8000-000000000001"

	sourceSecret = "source-secret"
	targetSecret = "target-secret"
	bothSecret   = "both-secret"
)

// sts is a sign-in service within the process. It is a transport that reaches nothing else.
type sts struct {
	authority *entra.Authority
	down      bool   // nothing answers
	metadata  bool   // the metadata service of an Azure machine answers, without an identity
	alone     string // host of the sign-in service of a cloud of its own; no other answers then

	mu    sync.Mutex
	hosts []string // asked so far; mu guards it
}

// Do implements policy.Transporter.
func (s *sts) Do(req *http.Request) (*http.Response, error) {
	host := req.URL.Hostname()
	s.mu.Lock()
	s.hosts = append(s.hosts, host)
	s.mu.Unlock()
	rec := httptest.NewRecorder()
	switch {
	case s.down:
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	case host == "169.254.169.254" && s.metadata:
		http.Error(rec, `{"error":"invalid_request","error_description":"Identity not found"}`, http.StatusBadRequest)
	case s.alone != "" && host != s.alone, s.alone == "" && !s.authority.Owns(host):
		return nil, errors.New("this transport refuses " + host)
	default:
		in := req.Clone(req.Context())
		in.Host, in.RequestURI = req.URL.Host, req.URL.RequestURI()
		if in.Body == nil {
			in.Body = http.NoBody
		}
		s.authority.ServeHTTP(rec, in)
	}
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

func newSTS(t testing.TB, certificates ...*x509.Certificate) *sts {
	t.Helper()
	a := entra.New(entra.Options{})
	a.AddTenant(entra.Tenant{ID: contoso, Name: "contoso", Domain: "contoso.onmicrosoft.com"})
	a.AddTenant(entra.Tenant{ID: fabrikam, Name: "fabrikam", Domain: "fabrikam.onmicrosoft.com"})
	add := func(tenant, app, secret, name string) {
		err := a.AddApp(tenant, entra.App{AppID: app, ObjectID: object, Secret: secret, Name: name, Certificates: certificates})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(contoso, sourceApp, sourceSecret, "atg-source")
	add(fabrikam, targetApp, targetSecret, "atg-target")
	add(contoso, bothApp, bothSecret, "atg-both")
	add(fabrikam, bothApp, bothSecret, "atg-both")
	return &sts{authority: a}
}

// options is a pipeline over the sign-in service that does not wait between tries.
func (s *sts) options(side plugin.Side) pipeline.Options {
	return pipeline.Options{Side: side, Transport: s, RetryDelay: time.Nanosecond}
}

// certificate returns a self-signed certificate and its key.
func certificate(t testing.TB) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "atg"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// pemFile writes a certificate and a key (RSA or EC, or nil) to a file.
func pemFile(t testing.TB, cert *x509.Certificate, key any) string {
	t.Helper()
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	if key != nil {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	}
	path := filepath.Join(t.TempDir(), "principal.pem")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// privateCloud is a cloud whose sign-in service is not one of those that Entra ID knows.
func privateCloud(t testing.TB) azcloud.Configuration {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cloud.json")
	text := `{"name":"Example","resourceManager":"https://management.example.com/","authentication":{"loginEndpoint":"https://login.example.com/",
		"audiences":["https://management.core.windows.net/"],"identityProvider":"AAD"},"suffixes":{"keyVaultDns":"vault.example.com"}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	config, _, err := cloud.Load(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return config
}
