// Package lowkeyvault runs the Key Vault plugin, unchanged, between two vaults of Lowkey
// Vault, a server that nobody here wrote.
//
// What Lowkey Vault (3.4) does not do, and the emulator alone covers: certificate issuers and
// contacts (no such routes), rights and tenants (it takes every token), service limits,
// certificates that were not self-signed, imports of PEM text (it decodes every import as
// base64, where Azure and its SDKs take PEM as it is), and the delay after a recovery.
package lowkeyvault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/engine/local"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// vaultClients are the SDK's own clients of one vault: what the test seeds and reads with.
type vaultClients struct {
	secrets *azsecrets.Client
	keys    *azkeys.Client
	certs   *azcertificates.Client
}

func (s *server) clients(t *testing.T, name string) vaultClients {
	t.Helper()
	url := "https://" + name + ".vault.azure.net/"
	secrets, err1 := azsecrets.NewClient(url, anyToken{}, &azsecrets.ClientOptions{ClientOptions: s.options()})
	keys, err2 := azkeys.NewClient(url, anyToken{}, &azkeys.ClientOptions{ClientOptions: s.options()})
	certs, err3 := azcertificates.NewClient(url, anyToken{}, &azcertificates.ClientOptions{ClientOptions: s.options()})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return vaultClients{secrets, keys, certs}
}

func to[T any](v T) *T { return &v }

// seed fills the source: secrets in several shapes, keys, certificates of both formats.
func (c vaultClients) seed(ctx context.Context) error {
	var all []error
	set := func(name string, p azsecrets.SetSecretParameters) {
		_, err := c.secrets.SetSecret(ctx, name, p, nil)
		all = append(all, err)
	}
	set("plain", azsecrets.SetSecretParameters{Value: to("v1")})
	set("plain", azsecrets.SetSecretParameters{Value: to("v2")})
	set("tagged", azsecrets.SetSecretParameters{Value: to("zwölf\nlines"), ContentType: to("text/plain"), Tags: map[string]*string{"team": to("red"), "cost": to("7")}})
	set("expired", azsecrets.SetSecretParameters{Value: to("old"), SecretAttributes: &azsecrets.SecretAttributes{Expires: to(time.Now().Add(-time.Hour).Truncate(time.Second))}})
	set("disabled", azsecrets.SetSecretParameters{Value: to("hidden"), SecretAttributes: &azsecrets.SecretAttributes{Enabled: to(false)}})
	_, err := c.keys.CreateKey(ctx, "rsa", azkeys.CreateKeyParameters{Kty: to(azkeys.KeyTypeRSA), KeySize: to(int32(2048)), KeyOps: []*azkeys.KeyOperation{to(azkeys.KeyOperationSign), to(azkeys.KeyOperationVerify)}}, nil)
	all = append(all, err)
	_, err = c.keys.CreateKey(ctx, "ec", azkeys.CreateKeyParameters{Kty: to(azkeys.KeyTypeEC), Curve: to(azkeys.CurveNameP384)}, nil)
	all = append(all, err)
	all = append(all, c.createCertificate(ctx, "tls-pem", "application/x-pem-file"), c.createCertificate(ctx, "tls-pfx", "application/x-pkcs12"))
	return errors.Join(all...)
}

func (c vaultClients) createCertificate(ctx context.Context, name, format string) error {
	_, err := c.certs.CreateCertificate(ctx, name, azcertificates.CreateCertificateParameters{CertificatePolicy: &azcertificates.CertificatePolicy{
		IssuerParameters:          &azcertificates.IssuerParameters{Name: to("Self")},
		KeyProperties:             &azcertificates.KeyProperties{KeyType: to(azcertificates.KeyTypeRSA), KeySize: to(int32(2048)), Exportable: to(true), ReuseKey: to(false)},
		SecretProperties:          &azcertificates.SecretProperties{ContentType: to(format)},
		X509CertificateProperties: &azcertificates.X509CertificateProperties{Subject: to("CN=" + name + ".example"), ValidityInMonths: to(int32(12))},
	}}, nil)
	return err
}

// writes counts the requests that change something.
type writes struct{ n atomic.Int64 }

// Do implements policy.Policy.
func (w *writes) Do(req *policy.Request) (*http.Response, error) {
	if req.Raw().Method != http.MethodGet {
		w.n.Add(1)
	}
	return req.Next()
}

func TestReplicate(t *testing.T) {
	t.Parallel()
	s := start(t)
	source, target := s.clients(t, "kv-source"), s.clients(t, "kv-target")
	if err := source.seed(t.Context()); err != nil {
		t.Fatalf("seeding Lowkey Vault: %v", err)
	}
	var counter writes
	to := s.endpoint("kv-target")
	to.Options.PerCallPolicies = append(to.Options.PerCallPolicies, &counter)
	pairs := []engine.Pair{{Plugin: keyvault.New(), Source: s.endpoint("kv-source"), Target: to, Rule: "test"}}
	opt := engine.Options{
		Run: "lowkey", Command: "apply", Mode: plugin.Replication,
		Settings: map[string]plugin.Settings{"keyvault": {"kinds": "secret,key,certificate"}},
	}

	first, err := local.New().Apply(t.Context(), pairs, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range first.Failures {
		if f.Item != "certificates/tls-pem" || !strings.Contains(f.Message, "Illegal base64") {
			t.Errorf("%s failed: %s", f.Item, f.Message)
		}
	}
	// 4 secrets, 2 keys, 2 certificates; keys cannot be proven, the disabled secret not
	// read, and Lowkey Vault imports no PEM.
	if got := first.Fidelity; got.Items != 8 || got.Verified != 4 {
		t.Errorf("%d items, %d verified; want 8 and 4\nskipped %+v\nunproven %+v\ndifferent %+v", got.Items, got.Verified, first.Skipped, first.Unproven, first.Different)
	}
	compare(t, source, target)

	counter.n.Store(0)
	second, err := local.New().Apply(t.Context(), pairs, opt)
	if err != nil {
		t.Fatal(err)
	}
	// The one write is the PEM that is refused again.
	if n := counter.n.Load(); n > 1 || second.Outcomes[plugin.Unchanged] != 6 {
		t.Errorf("a second run made %d writes: %v", n, second.Outcomes)
	}
}

// compare reads both vaults with the SDK alone.
func compare(t *testing.T, source, target vaultClients) {
	t.Helper()
	ctx := t.Context()
	for _, name := range []string{"plain", "tagged", "expired", "tls-pfx"} {
		want, got := source.secret(ctx, name), target.secret(ctx, name)
		if want != got {
			t.Errorf("secret %s: target has %q, source has %q", name, got, want)
		}
	}
	for _, name := range []string{"rsa", "ec"} {
		if want, got := source.shape(ctx, name), target.shape(ctx, name); want != got {
			t.Errorf("key %s: target has %s, source has %s", name, got, want)
		}
	}
	if want, got := source.thumbprint(ctx, "tls-pfx"), target.thumbprint(ctx, "tls-pfx"); want != got {
		t.Errorf("certificate tls-pfx: target has %s, source has %s", got, want)
	}
}

// secret describes a secret. The stored form of a certificate's private key is the server's
// own and random (a PKCS#12 file is encrypted anew), so only that there is one is said, and
// not its expiry, which Lowkey Vault rounds to a day when it imports.
func (c vaultClients) secret(ctx context.Context, name string) string {
	got, err := c.secrets.GetSecret(ctx, name, "", nil)
	if err != nil {
		return err.Error()
	}
	value, expires := *got.Value, got.Attributes.Expires
	if got.Managed != nil && *got.Managed {
		value, expires = fmt.Sprintf("a private key: %v", len(value) > 1000), nil
	}
	tags := map[string]string{}
	for k, v := range got.Tags {
		tags[k] = *v
	}
	var contentType string
	if got.ContentType != nil {
		contentType = *got.ContentType
	}
	return fmt.Sprintf("%s | %s | %v | %v | %v", value, contentType, tags, expires, *got.Attributes.Enabled)
}

func (c vaultClients) shape(ctx context.Context, name string) string {
	got, err := c.keys.GetKey(ctx, name, "", nil)
	if err != nil {
		return err.Error()
	}
	ops := ""
	for _, op := range got.Key.KeyOps {
		ops += string(*op) + " "
	}
	curve := ""
	if got.Key.Crv != nil {
		curve = string(*got.Key.Crv)
	}
	return fmt.Sprintf("%s %d %s %s", *got.Key.Kty, len(got.Key.N), curve, ops)
}

func (c vaultClients) thumbprint(ctx context.Context, name string) string {
	got, err := c.certs.GetCertificate(ctx, name, "", nil)
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(got.CER)
	return hex.EncodeToString(sum[:])
}
