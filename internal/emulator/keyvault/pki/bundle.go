package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// Bundle is a certificate with its private key and chain.
type Bundle struct {
	Key   crypto.Signer
	Leaf  *x509.Certificate
	Certs [][]byte // DER of the leaf and its chain, in the order in which they are shown
}

// The service's words for what it cannot import. The first is confirmed by reports, the
// others follow it.
const (
	badPFX      = "The specified PKCS#12 X.509 certificate content can not be read. Please check if certificate is in valid PKCS#12 format."
	badPEM      = "The specified PEM X.509 certificate content is in an unexpected format. Please check if certificate is in valid PEM format."
	badPassword = "The specified PKCS#12 X.509 certificate content has an incorrect password."
	noKey       = "Private key is not specified in the specified X.509 certificate content. Please specify private key in the X.509 certificate content."
)

// Read reads what an import brings: a PFX in base64, or PEM text with the certificate,
// its chain and its PKCS#8 key. Password may be empty. The leaf comes first unless the
// order is to be kept. The errors are Invalid.
func Read(value, password, contentType string, keepOrder bool) (*Bundle, error) {
	if contentType == PEM {
		return readPEM(value, password, keepOrder)
	}
	return readPFX(value, password)
}

func readPFX(value, password string) (*Bundle, error) {
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
	if err != nil {
		return nil, invalid(badPFX)
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, password)
	if err != nil {
		return nil, invalid("%s", pfxProblem(err))
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, invalid(noKey)
	}
	b := &Bundle{Key: signer, Leaf: leaf, Certs: [][]byte{leaf.Raw}}
	for _, c := range chain {
		b.Certs = append(b.Certs, c.Raw)
	}
	return b, b.match()
}

func pfxProblem(err error) string {
	switch {
	case err == pkcs12.ErrIncorrectPassword: //nolint:errorlint // a bare sentinel
		return badPassword
	case strings.Contains(err.Error(), "private key missing"), strings.Contains(err.Error(), "exactly one private key"):
		return noKey
	}
	return badPFX
}

func readPEM(value, password string, keepOrder bool) (*Bundle, error) {
	b := &Bundle{}
	for rest := []byte(value); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if err := b.take(block, password); err != nil {
			return nil, err
		}
	}
	if len(b.Certs) == 0 {
		return nil, invalid(badPEM)
	}
	if b.Key == nil {
		return nil, invalid(noKey)
	}
	if err := b.findLeaf(keepOrder); err != nil {
		return nil, err
	}
	return b, b.match()
}

// take adds one PEM block. Keys are in PKCS#8 only.
func (b *Bundle) take(block *pem.Block, password string) error {
	der := block.Bytes
	switch block.Type {
	case "CERTIFICATE":
		b.Certs = append(b.Certs, der)
		return nil
	case "ENCRYPTED PRIVATE KEY":
		plain, err := decryptPKCS8(der, password)
		if err != nil {
			return err
		}
		der = plain
	case "PRIVATE KEY":
	default:
		return invalid("%s A private key is in PKCS#8 form; found %q.", badPEM, block.Type)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return invalid(badPEM)
	}
	signer, ok := key.(crypto.Signer)
	if !ok || b.Key != nil {
		return invalid(badPEM)
	}
	b.Key = signer
	return nil
}

// findLeaf finds the certificate that belongs to the key.
func (b *Bundle) findLeaf(keepOrder bool) error {
	for i, der := range b.Certs {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return invalid(badPEM)
		}
		if b.Leaf == nil && samePublic(c.PublicKey, b.Key.Public()) {
			b.Leaf = c
			if !keepOrder {
				b.Certs = append([][]byte{der}, append(append([][]byte{}, b.Certs[:i]...), b.Certs[i+1:]...)...)
			}
		}
	}
	if b.Leaf == nil {
		return invalid("%s No certificate belongs to the private key.", badPEM)
	}
	return nil
}

func (b *Bundle) match() error {
	if !samePublic(b.Leaf.PublicKey, b.Key.Public()) {
		return invalid("The private key does not belong to the certificate.")
	}
	return nil
}

func samePublic(a, b any) bool {
	eq, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && eq.Equal(b)
}

// Matches tells whether a certificate is for the key, and parses it.
func Matches(der []byte, key crypto.Signer) (*x509.Certificate, bool) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, false
	}
	return c, samePublic(c.PublicKey, key.Public())
}

// Show writes certificates and, unless it is nil, their key, as the managed secret of a
// certificate holds them: a PFX without password in base64, or PEM text.
func Show(contentType string, key crypto.Signer, certs [][]byte) (string, error) {
	if contentType == PEM {
		return showPEM(key, certs)
	}
	parsed := make([]*x509.Certificate, 0, len(certs))
	leaf := 0
	for i, der := range certs {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return "", fmt.Errorf("show a certificate: %w", err)
		}
		if key != nil && samePublic(c.PublicKey, key.Public()) {
			leaf = i
		}
		parsed = append(parsed, c)
	}
	var pfx []byte
	var err error
	if key == nil {
		pfx, err = pkcs12.LegacyDES.EncodeTrustStore(parsed, "")
	} else {
		chain := append(append([]*x509.Certificate{}, parsed[:leaf]...), parsed[leaf+1:]...)
		pfx, err = pkcs12.LegacyDES.Encode(key, parsed[leaf], chain, "")
	}
	if err != nil {
		return "", fmt.Errorf("show a certificate as PFX: %w", err)
	}
	return base64.StdEncoding.EncodeToString(pfx), nil
}

func showPEM(key crypto.Signer, certs [][]byte) (string, error) {
	var out bytes.Buffer
	if key != nil {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return "", fmt.Errorf("show a private key: %w", err)
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	for _, der := range certs {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return out.String(), nil
}
