package entra_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"

	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
)

const appC = "aaaaaaaa-0000-4000-8000-00000000000c"

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func selfSigned(t testing.TB) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cert, key := selfSigned(t)
	mustAdd(t, s.Authority, tenantA, entra.App{AppID: appC, ObjectID: objectA, Certificates: []*x509.Certificate{cert}})
	t.Run("azidentity", func(t *testing.T) {
		t.Parallel()
		cred, err := azidentity.NewClientCertificateCredential(tenantA, appC, []*x509.Certificate{cert}, key, &azidentity.ClientCertificateCredentialOptions{
			ClientOptions: policy.ClientOptions{Transport: s.client},
		})
		if err != nil {
			t.Fatal(err)
		}
		tok, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{arm + "/.default"}})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := s.verify(t, tok.Token); err != nil || c.AppID != appC {
			t.Errorf("%+v %v", c, err)
		}
	})
	t.Run("assertions", func(t *testing.T) {
		t.Parallel()
		testAssertions(t, s, cert, key)
	})
}

func testAssertions(t *testing.T, s *site, cert *x509.Certificate, key *rsa.PrivateKey) {
	_, stranger := selfSigned(t)
	sum := sha1.Sum(cert.Raw)
	x5t := base64.StdEncoding.EncodeToString(sum[:])
	endpoint := "https://login.microsoftonline.com/" + tenantA + "/oauth2/v2.0/token"
	now := s.clock.Now()
	tests := []struct {
		name               string
		x5t                string
		key                *rsa.PrivateKey
		iss, sub, audience string
		expires            time.Time
		code               float64 // 0: a token
	}{
		{"good", x5t, key, appC, appC, endpoint, now.Add(time.Minute), 0},
		{"by domain", x5t, key, appC, appC, "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0", now.Add(time.Minute), 0},
		{"not registered", "AAAA", key, appC, appC, endpoint, now.Add(time.Minute), 700027},
		{"no thumbprint", "", key, appC, appC, endpoint, now.Add(time.Minute), 700027},
		{"wrong key", x5t, stranger, appC, appC, endpoint, now.Add(time.Minute), 700027},
		{"federated", x5t, key, "https://token.actions.githubusercontent.com", appC, endpoint, now.Add(time.Minute), 700211},
		{"another app", x5t, key, appA, appA, endpoint, now.Add(time.Minute), 700021},
		{"another tenant", x5t, key, appC, appC, "https://login.microsoftonline.com/" + tenantB + "/oauth2/v2.0/token", now.Add(time.Minute), 700023},
		{"another site", x5t, key, appC, appC, "https://example.com/" + tenantA, now.Add(time.Minute), 700023},
		{"late", x5t, key, appC, appC, endpoint, now, 700024},
	}
	for _, tt := range tests {
		tok := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": tt.iss, "sub": tt.sub, "aud": tt.audience, "exp": tt.expires.Unix(), "nbf": now.Unix()})
		if tt.x5t != "" {
			tok.Header["x5t"] = tt.x5t
		}
		raw, err := tok.SignedString(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		status, body := s.post(t, "/"+tenantA+"/oauth2/v2.0/token", form("client_id", appC, "client_secret", "",
			"client_assertion", raw, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
		codes, _ := body["error_codes"].([]any)
		switch {
		case tt.code == 0 && status != http.StatusOK:
			t.Errorf("%s: %d %v", tt.name, status, body)
		case tt.code != 0 && (len(codes) != 1 || codes[0] != tt.code):
			t.Errorf("%s: %d %v, want %v", tt.name, status, body, tt.code)
		}
	}
}

// TestAssertionOfAnotherAlgorithm shows that only RSA assertions are taken.
func TestAssertionOfAnotherAlgorithm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": appA, "sub": appA}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := s.post(t, "/"+tenantA+"/oauth2/v2.0/token", form("client_assertion", raw)); status != http.StatusUnauthorized || body["error"] != "invalid_client" {
		t.Errorf("%d %v", status, body)
	}
}
