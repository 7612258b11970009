package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                    "",
		"CN=www.contoso.com":                  "CN=www.contoso.com",
		"C=US, ST=WA, O=Test Noodle, CN=a":    "C=US, S=WA, O=Test Noodle, CN=a",
		`CN=a,O="Contoso, Ltd"`:               `CN=a, O="Contoso, Ltd"`,
		`CN=a\,b; OU=x`:                       `CN="a,b", OU=x`,
		`cn="say ""hi"""`:                     `CN="say ""hi"""`,
		"E=a@b.c, DC=contoso, DC=com, UID=1":  "E=a@b.c, DC=contoso, DC=com, UID=1",
		"OID.1.2.3.4=x, 2.5.4.15=y, CN=Ünï ©": "OID.1.2.3.4=x, OID.2.5.4.15=y, CN=Ünï ©",
	} {
		seq, err := pki.ParseName(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		raw, err := asn1.Marshal(seq)
		if err != nil {
			t.Fatal(err)
		}
		if got := pki.FormatName(raw); got != want {
			t.Errorf("%q comes back as %q, want %q", in, got, want)
		}
	}
	for _, bad := range []string{"x", "CN", "QQ=x", "1.x=y", "1=y"} {
		if _, err := pki.ParseName(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	if got := pki.FormatName([]byte("no")); got != "" {
		t.Errorf("garbage is %q", got)
	}
}

func policy(t *testing.T, p pki.Policy) pki.Policy {
	t.Helper()
	if p.Issuer == nil {
		p.Issuer = &pki.IssuerParams{Name: "Self"}
	}
	p, err := p.Normal()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	got := policy(t, pki.Policy{Issuer: &pki.IssuerParams{Name: "unKNOWN"}, X509: &pki.X509Props{Subject: "CN=x"}})
	want := pki.Policy{
		Key: &pki.KeyProps{Exportable: &yes, Kty: "RSA", Size: 2048, ReuseKey: &no}, Secret: &pki.SecretProps{ContentType: pki.PFX},
		X509: &pki.X509Props{
			Subject: "CN=x", EKUs: []string{"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}, KeyUsage: []string{"digitalSignature", "keyEncipherment"},
			ValidityMonths: 12, Basic: &pki.BasicConstraints{},
		},
		Issuer: &pki.IssuerParams{Name: pki.Unknown}, Lifetime: []pki.LifetimeAction{{Trigger: pki.Trigger{Percentage: 80}, Action: pki.Action{Type: "EmailContacts"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if got := policy(t, pki.Policy{Key: &pki.KeyProps{Kty: "EC-HSM"}}); got.Exportable() || got.Lifetime[0].Action.Type != "AutoRenew" || got.Key.Curve != "P-256" {
		t.Errorf("policy = %+v", got)
	}
}

// TestDescribe: a certificate made from a policy describes that policy.
func TestDescribe(t *testing.T) {
	t.Parallel()
	p := policy(t, pki.Policy{Key: &pki.KeyProps{Kty: "EC", Curve: "P-521"}, X509: &pki.X509Props{
		Subject: "C=US, S=WA, CN=x", EKUs: []string{"1.3.6.1.5.5.7.3.3", "1.2.3.4"}, ValidityMonths: 120,
		KeyUsage: []string{"decipherOnly", "digitalSignature", "keyAgreement", "cRLSign", "keyCertSign", "dataEncipherment", "nonRepudiation", "encipherOnly"},
		SANs:     &pki.SANs{Emails: []string{"a@b.c"}, DNS: []string{"a.b"}, UPNs: []string{"ü@b.c"}, URIs: []string{"urn:x"}, IPs: []string{"10.0.0.1", "fe80::1"}},
		Basic:    &pki.BasicConstraints{CA: true},
	}})
	key, err := jwk.Generate(jwk.Spec{Kty: "EC", Curve: "P-521"})
	if err != nil {
		t.Fatal(err)
	}
	der, err := pki.SelfSigned(p, key.Private().(crypto.Signer), time.Date(2026, 1, 31, 0, 0, 0, 5, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pki.Describe(pki.Policy{Issuer: p.Issuer, Lifetime: p.Lifetime}, c, key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	csr, err := pki.Request(p, key.Private().(crypto.Signer))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := x509.ParseCertificateRequest(csr); err != nil || r.CheckSignature() != nil || r.IPAddresses[1].String() != "fe80::1" {
		t.Errorf("request = %+v, %v", r, err)
	}
	if _, err := pki.Describe(pki.Policy{Key: &pki.KeyProps{Kty: "RSA"}}, c, key); err == nil {
		t.Error("an EC key passed for an RSA key")
	}
	if _, ok := pki.Matches([]byte("x"), key.Private().(crypto.Signer)); ok {
		t.Error("garbage matches")
	}
}

func TestNormalRefusals(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]pki.Policy{
		"no issuer":        {},
		"curve of RSA":     {Issuer: &pki.IssuerParams{Name: "Self"}, Key: &pki.KeyProps{Curve: "P-256"}},
		"many months":      {Issuer: &pki.IssuerParams{Name: "Self"}, X509: &pki.X509Props{Subject: "CN=x", ValidityMonths: 1201}},
		"URI":              {Issuer: &pki.IssuerParams{Name: "Self"}, X509: &pki.X509Props{Subject: "CN=x", SANs: &pki.SANs{URIs: []string{"%zz"}}}},
		"two triggers":     {Issuer: &pki.IssuerParams{Name: "Self"}, Lifetime: []pki.LifetimeAction{{Trigger: pki.Trigger{Percentage: 1, Days: 1}, Action: pki.Action{Type: "AutoRenew"}}}},
		"over 99 per cent": {Issuer: &pki.IssuerParams{Name: "Self"}, Lifetime: []pki.LifetimeAction{{Trigger: pki.Trigger{Percentage: 100}, Action: pki.Action{Type: "AutoRenew"}}}},
	} {
		if _, err := p.Normal(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestEncryptedPEM reads keys that OpenSSL encrypted, where there is an OpenSSL.
func TestEncryptedPEM(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl to write an encrypted key with")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	plain := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	cert, err := pki.SelfSigned(policy(t, pki.Policy{X509: &pki.X509Props{Subject: "CN=x"}}), key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	for _, args := range [][]string{
		{"-v2", "aes-256-cbc"}, {"-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"}, {"-v2", "des3", "-v2prf", "hmacWithSHA1"},
	} {
		cmd := exec.CommandContext(t.Context(), openssl, append([]string{"pkcs8", "-topk8", "-passout", "pass:secret"}, args...)...)
		cmd.Stdin = strings.NewReader(string(plain))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %v: %v", args, err)
		}
		b, err := pki.Read(string(out)+certPEM, "secret", pki.PEM, false)
		if err != nil || !key.Equal(b.Key) {
			t.Errorf("%v: %v", args, err)
		}
		if _, err := pki.Read(string(out)+certPEM, "wrong", pki.PEM, false); err == nil {
			t.Errorf("%v: a wrong password opens it", args)
		}
	}
}

func TestBadEncryptedPEM(t *testing.T) {
	t.Parallel()
	for _, der := range [][]byte{nil, {0x30, 0}, {0x30, 0x0b, 0x30, 0x05, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x04, 0x02, 1, 2}} {
		text := string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}))
		if _, err := pki.Read(text, "x", pki.PEM, false); err == nil {
			t.Errorf("%x was read", der)
		}
	}
}
