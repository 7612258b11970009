package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"math"
	"slices"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
)

// averageMonth is the length of a month in hours, by which a validity is counted back.
const averageMonth = 365.25 * 24 / 12

// Describe completes the policy of an imported certificate from the certificate: subject,
// names, usages, validity, key. What the caller gave stays. The service makes issuer
// Unknown of a missing one.
func Describe(given Policy, c *x509.Certificate, key *jwk.Key) (Policy, error) {
	p := given
	if p.Issuer == nil || p.Issuer.Name == "" {
		p.Issuer = &IssuerParams{Name: Unknown}
	}
	if p.X509 == nil {
		p.X509 = describeX509(c)
	}
	spec := key.Spec()
	k := KeyProps{}
	if p.Key != nil {
		k = *p.Key
	}
	if k.Kty == "" {
		k.Kty = spec.Kty
	}
	if jwk.IsHSM(k.Kty) != jwk.IsHSM(spec.Kty) || k.Kty != spec.Kty {
		return p, invalid("Property kty has invalid value %q: the key of the certificate is of type %s", k.Kty, spec.Kty)
	}
	k.Size, k.Curve = spec.Size, spec.Curve
	p.Key = &k
	return p.Normal()
}

func describeX509(c *x509.Certificate) *X509Props {
	months := int(math.Round(c.NotAfter.Sub(c.NotBefore).Hours() / averageMonth))
	x := &X509Props{
		Subject: FormatName(c.RawSubject), SANs: sansOf(c), EKUs: []string{}, KeyUsage: []string{},
		ValidityMonths: min(max(months, 1), 1200), Basic: &BasicConstraints{CA: c.BasicConstraintsValid && c.IsCA},
	}
	for name, bit := range keyUsages {
		if c.KeyUsage&bit != 0 {
			x.KeyUsage = append(x.KeyUsage, name)
		}
	}
	slices.Sort(x.KeyUsage)
	x.EKUs = append(x.EKUs, ekusOf(c)...)
	return x
}

// ekusOf reads the extended key usages as they stand, known or not.
func ekusOf(c *x509.Certificate) []string {
	var out []string
	for _, ext := range c.Extensions {
		if !ext.Id.Equal(oidEKU) {
			continue
		}
		var oids []asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(ext.Value, &oids); err != nil {
			return nil
		}
		for _, oid := range oids {
			out = append(out, oid.String())
		}
	}
	return out
}
