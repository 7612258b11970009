package seed

import (
	"crypto"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
)

// plantKeys makes keys and certificates, the slow part of it in parallel.
func (in seed) plantKeys(v *vault.Vault, now time.Time) error {
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for _, k := range in.Keys {
		work.Go(func() error { return k.plant(v, now, false) })
	}
	for _, k := range in.DeletedKeys {
		work.Go(func() error { return k.plant(v, now, true) })
	}
	for _, c := range in.Certificates {
		work.Go(func() error { return c.plant(v, now, false) })
	}
	for _, c := range in.DeletedCertificates {
		work.Go(func() error { return c.plant(v, now, true) })
	}
	return work.Wait()
}

func (k seedKey) plant(v *vault.Vault, now time.Time, deleted bool) error {
	if !vault.ValidName(k.Name) {
		return fmt.Errorf("key %q: not a valid name", k.Name)
	}
	if k.Kty == "" {
		k.Kty = jwk.EC
	}
	n := max(k.Versions, 1)
	loaded := make([]vault.LoadedKey, 0, n)
	for i := range n {
		material, err := jwk.Generate(jwk.Spec{Kty: k.Kty, Size: k.Size, Curve: k.Curve})
		if err != nil {
			return fmt.Errorf("key %s: %w", k.Name, err)
		}
		loaded = append(loaded, vault.LoadedKey{Material: material, Ops: k.KeyOps, Dated: vault.Dated{
			Made: now.Add(-versionStep * time.Duration(n-1-i)), Tags: k.Tags,
			In: vault.AttributesIn{Enabled: k.Enabled, NotBefore: k.NotBefore.unix(), Expires: k.Expires.unix()},
		}})
	}
	return v.LoadKey(k.Name, loaded, k.Rotation, deleted)
}

func (c seedCertificate) plant(v *vault.Vault, now time.Time, deleted bool) error {
	if !vault.ValidName(c.Name) {
		return fmt.Errorf("certificate %q: not a valid name", c.Name)
	}
	p, err := c.policy()
	if err != nil {
		return fmt.Errorf("certificate %s: %w", c.Name, err)
	}
	n := max(c.Versions, 1)
	loaded := make([]vault.LoadedCert, 0, n)
	var material *jwk.Key
	for i := range n {
		if material == nil || !*p.Key.ReuseKey {
			if material, err = jwk.Generate(jwk.Spec{Kty: p.Key.Kty, Size: p.Key.Size, Curve: p.Key.Curve}); err != nil {
				return fmt.Errorf("certificate %s: %w", c.Name, err)
			}
		}
		signer, ok := material.Private().(crypto.Signer)
		if !ok {
			return fmt.Errorf("certificate %s: the emulator signs no certificates with %s", c.Name, p.Key.Curve)
		}
		made := now.Add(-versionStep * time.Duration(n-1-i))
		der, err := pki.SelfSigned(p, signer, made)
		if err != nil {
			return fmt.Errorf("certificate %s: %w", c.Name, err)
		}
		loaded = append(loaded, vault.LoadedCert{Material: material, DER: der, Dated: vault.Dated{
			Made: made, Tags: c.Tags, In: vault.AttributesIn{Enabled: c.Enabled},
		}})
	}
	return v.LoadCertificate(c.Name, p, loaded, deleted)
}

func (c seedCertificate) policy() (pki.Policy, error) {
	if c.Subject == "" {
		c.Subject = "CN=" + c.Name
	}
	if c.KeyType == "" && c.KeySize == 0 {
		c.KeyType = jwk.EC
	}
	if c.Issuer == "" {
		c.Issuer = pki.Self
	}
	return pki.Policy{
		Key:      &pki.KeyProps{Exportable: c.Exportable, Kty: c.KeyType, Size: c.KeySize, Curve: c.Curve, ReuseKey: c.ReuseKey},
		Secret:   &pki.SecretProps{ContentType: c.ContentType},
		X509:     &pki.X509Props{Subject: c.Subject, SANs: c.SANs, EKUs: c.EKUs, KeyUsage: c.KeyUsage, ValidityMonths: c.ValidityMonths},
		Issuer:   &pki.IssuerParams{Name: c.Issuer},
		Lifetime: c.Lifetime,
	}.Normal()
}
