package vault_test

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/issuers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func newVault(tb testing.TB) *vault.Vault {
	tb.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		tb.Fatal(err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		tb.Fatal(err)
	}
	cfg := vault.Config{BaseURL: "https://kv1.vault.azure.net", SoftDelete: true, RetentionDays: 90}
	return vault.New(cfg, vault.Options{Clock: func() time.Time { return time.Unix(1_800_000_000, 0) }, Seal: seal})
}

func must(tb testing.TB, err *wire.Error) {
	tb.Helper()
	if err != nil {
		tb.Error(err)
	}
}

// TestTogether: whoever works at the same time sees whole objects, and no write is lost.
func TestTogether(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	const workers, rounds = 8, 20
	value, policy := "x", pki.Policy{Key: &pki.KeyProps{Kty: "EC"}, Issuer: &pki.IssuerParams{Name: "Self"}, X509: &pki.X509Props{Subject: "CN=x"}}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			own := fmt.Sprintf("own-%d", w)
			for range rounds {
				_, err := v.SetSecret("shared", vault.SecretIn{Value: &value, Tags: map[string]string{"a": "b"}})
				must(t, err)
				_, err = v.SetSecret(own, vault.SecretIn{Value: &value})
				must(t, err)
				_, err = v.UpdateSecret("shared", "", vault.SecretIn{Tags: map[string]string{"a": own}})
				must(t, err)
				_, err = v.GetSecret("shared", "", "", true)
				must(t, err)
				_, err = v.DeleteSecret(own)
				must(t, err)
				v.ListSecrets("", 25)
				v.ListDeletedSecrets("", 25)
				must(t, v.PurgeSecret(own))
				_, err = v.CreateKey("shared-key", vault.KeyIn{Kty: "EC"})
				must(t, err)
				v.ListKeys("", 25)
				v.Dump()
			}
			_, err := v.CreateCertificate(fmt.Sprintf("cert-%d", w), vault.CertificateIn{Policy: &policy})
			must(t, err)
			_, err = v.GetCertificate(fmt.Sprintf("cert-%d", w), "")
			must(t, err)
		})
	}
	wg.Wait()
	for _, o := range v.Dump() {
		want := map[string]string{"secret": fmt.Sprint(workers * rounds), "key": fmt.Sprint(workers * rounds), "certificate": "1"}[o.Kind]
		if o.Fields["versions"] != want {
			t.Errorf("%s has %s versions, want %s", o.Key, o.Fields["versions"], want)
		}
	}
}

// TestExpiryTimes: the periods of rotation policies are ISO 8601 durations.
func TestExpiryTimes(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	if _, err := v.CreateKey("k", vault.KeyIn{Kty: "EC"}); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	for text, want := range map[string]time.Time{
		"P28D": now.AddDate(0, 0, 28), "P4W": now.AddDate(0, 0, 28), "P3M": now.AddDate(0, 3, 0), "P1Y10D": now.AddDate(1, 0, 10),
		"PT672H": now.Add(672 * time.Hour), "P27DT24H1M1S": now.AddDate(0, 0, 27).Add(24*time.Hour + 61*time.Second),
		"P1M": now.AddDate(0, 1, 0),
	} {
		if _, err := v.SetRotationPolicy("k", vault.RotationPolicy{Attributes: vault.RotationAttributes{ExpiryTime: &text}}); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		k, err := v.RotateKey("k")
		if err != nil || k.Attributes.Expires != want.Unix() {
			t.Errorf("%s: expires %d, want %d, %v", text, k.Attributes.Expires, want.Unix(), err)
		}
	}
	for _, text := range []string{"", "P", "PT", "P1", "28D", "P27D", "P3W6D", "PT48H", "P99999D", "P1Y2", "-P1Y"} {
		if _, err := v.SetRotationPolicy("k", vault.RotationPolicy{Attributes: vault.RotationAttributes{ExpiryTime: &text}}); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestVersionsOfACertificate(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	policy := pki.Policy{Key: &pki.KeyProps{Kty: "EC"}, Issuer: &pki.IssuerParams{Name: "Self"}, X509: &pki.X509Props{Subject: "CN=x"}}
	for range 3 {
		if _, err := v.CreateCertificate("c", vault.CertificateIn{Policy: &policy}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.GetOperation("c"); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for marker := ""; ; {
		p := v.ListCertificateVersions("c", marker, 2)
		for _, c := range p.Items {
			seen[c.ID] = true
		}
		if marker = p.Marker; marker == "" {
			break
		}
	}
	if len(seen) != 3 {
		t.Errorf("versions = %v", seen)
	}
	if p := v.ListCertificateVersions("none", "", 2); p.Items == nil || len(p.Items) != 0 {
		t.Errorf("versions of nothing = %v", p)
	}
	// More versions than the service backs up.
	value := "x"
	for range 501 {
		if _, err := v.SetSecret("many", vault.SecretIn{Value: &value}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.BackupSecret("many"); err == nil {
		t.Error("501 versions were backed up")
	}
}

func TestIssuersShowNoPassword(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	provider, account, password := "DigiCert", "acc", "topsecret"
	if _, err := v.Book.Set("Ca", issuers.In{Provider: &provider, Credentials: &issuers.Credentials{AccountID: &account, Password: &password}}); err != nil {
		t.Fatal(err)
	}
	got, err := v.Book.Get("CA")
	if err != nil || got.Credentials.Password != nil || !v.Book.Has("ca") || v.Book.Has("cb") {
		t.Errorf("issuer = %+v, %v", got, err)
	}
	empty := ""
	if _, err := v.Book.Set("bare", issuers.In{Provider: &provider, Org: &issuers.Org{ID: &empty}}); err != nil {
		t.Fatal(err)
	}
	for _, o := range v.Dump() {
		if o.Fields["orgDetails"] != "" {
			t.Errorf("%s has an organisation: %q", o.Key, o.Fields["orgDetails"])
		}
	}
	if _, err := v.Book.Delete("bare"); err != nil {
		t.Fatal(err)
	}
	v.Book.Each(func(name string, _ issuers.Issuer, pw string) {
		if name != "Ca" || pw != password {
			t.Errorf("%s has the password %q", name, pw)
		}
	})
}
