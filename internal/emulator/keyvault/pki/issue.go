package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // a subject key identifier, not a signature
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

var keyUsages = map[string]x509.KeyUsage{
	"digitalSignature": x509.KeyUsageDigitalSignature, "nonRepudiation": x509.KeyUsageContentCommitment,
	"keyEncipherment": x509.KeyUsageKeyEncipherment, "dataEncipherment": x509.KeyUsageDataEncipherment,
	"keyAgreement": x509.KeyUsageKeyAgreement, "keyCertSign": x509.KeyUsageCertSign, "cRLSign": x509.KeyUsageCRLSign,
	"encipherOnly": x509.KeyUsageEncipherOnly, "decipherOnly": x509.KeyUsageDecipherOnly,
}

var (
	oidKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSAN      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasic    = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidEKU      = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// Backdate is how long before its making a certificate is valid from.
const Backdate = 10 * time.Minute

// SelfSigned makes the certificate that a normal policy asks for, valid from shortly
// before now. The policy must have x509_props.
func SelfSigned(p Policy, key crypto.Signer, now time.Time) ([]byte, error) {
	exts, err := p.X509.extensions()
	if err != nil {
		return nil, err
	}
	subject, err := p.X509.rawSubject()
	if err != nil {
		return nil, err
	}
	serial := make([]byte, 16)
	if _, err := rand.Read(serial); err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	serial[0] &= 0x7f
	id, err := keyID(key.Public())
	if err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Second)
	tpl := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), RawSubject: subject,
		NotBefore: now.Add(-Backdate), NotAfter: now.AddDate(0, p.X509.ValidityMonths, 0),
		SubjectKeyId: id, AuthorityKeyId: id, ExtraExtensions: exts,
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return der, nil
}

// Request makes the PKCS#10 signing request that a normal policy asks for.
func Request(p Policy, key crypto.Signer) ([]byte, error) {
	exts, err := p.X509.extensions()
	if err != nil {
		return nil, err
	}
	subject, err := p.X509.rawSubject()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{RawSubject: subject, ExtraExtensions: exts}, key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate request: %w", err)
	}
	return der, nil
}

func keyID(pub any) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("encode a public key: %w", err)
	}
	sum := sha1.Sum(der) //nolint:gosec // see the import
	return sum[:], nil
}

func (x X509Props) rawSubject() ([]byte, error) {
	seq, err := ParseName(x.Subject)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(seq)
}

// extensions are those of a certificate made from a policy: key usage (critical), basic
// constraints, extended key usages, alternative names.
func (x X509Props) extensions() ([]pkix.Extension, error) {
	exts := []pkix.Extension{}
	add := func(id asn1.ObjectIdentifier, critical bool, v any) error {
		der, err := asn1.Marshal(v)
		exts = append(exts, pkix.Extension{Id: id, Critical: critical, Value: der})
		return err
	}
	if len(x.KeyUsage) > 0 {
		if err := add(oidKeyUsage, true, x.usageBits()); err != nil {
			return nil, err
		}
	}
	basic := struct {
		CA bool `asn1:"optional"`
	}{x.Basic != nil && x.Basic.CA}
	if err := add(oidBasic, false, basic); err != nil {
		return nil, err
	}
	if len(x.EKUs) > 0 {
		oids := make([]asn1.ObjectIdentifier, 0, len(x.EKUs))
		for _, text := range x.EKUs {
			oid, err := parseOID(text)
			if err != nil {
				return nil, err
			}
			oids = append(oids, oid)
		}
		if err := add(oidEKU, false, oids); err != nil {
			return nil, err
		}
	}
	if names := x.SANs.encode(); len(names) > 0 {
		if err := add(oidSAN, false, names); err != nil {
			return nil, err
		}
	}
	return exts, nil
}

// usageBits encodes the key usages as a bit string without trailing zero bits.
func (x X509Props) usageBits() asn1.BitString {
	var bits, last int
	for _, u := range x.KeyUsage {
		bits |= int(keyUsages[u])
	}
	for i := range 9 {
		if bits&(1<<i) != 0 {
			last = i
		}
	}
	b := []byte{0, 0}
	for i := range 9 {
		if bits&(1<<i) != 0 {
			b[i/8] |= 0x80 >> (i % 8)
		}
	}
	return asn1.BitString{Bytes: b[:last/8+1], BitLength: last + 1}
}
