package loopback

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// validity of the authority and its leaves: the longest that all TLS clients accept of
// a leaf.
const validity = 397 * 24 * time.Hour

// maxLeaves bounds the cache of certificates; a client may ask for any name.
const maxLeaves = 10_000

// CA is a certificate authority in memory. It is safe for concurrent use.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	leaf *ecdsa.PrivateKey // one key for all leaves: they live in this process alone

	mu     sync.Mutex // guards leaves
	leaves map[string]*tls.Certificate
}

// NewCA makes an authority that is valid from an hour before now. TLS clients go by the
// true time, not by the emulator's clock, so now must be the true time.
func NewCA(now time.Time) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the certificate authority: %w", err)
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the certificates: %w", err)
	}
	tmpl, err := template("Azure emulator certificate authority", now)
	if err != nil {
		return nil, err
	}
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.MaxPathLenZero = true, true, true
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	tmpl.PermittedDNSDomains, tmpl.PermittedDNSDomainsCritical = domains, true
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	return &CA{cert: cert, key: key, leaf: leaf, leaves: map[string]*tls.Certificate{}}, nil
}

func template(name string, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Azure emulator, not Microsoft"}},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(validity),
	}, nil
}

// PEM returns the authority's certificate.
func (c *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
}

// Pool returns a pool that trusts the authority alone.
func (c *CA) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c.cert)
	return p
}

// Leaf returns the certificate of an Azure name; other names get an error.
func (c *CA) Leaf(name string) (*tls.Certificate, error) {
	name = Canonical(name)
	if !IsAzure(name) {
		return nil, fmt.Errorf("the emulator has no certificate for %q: it is no Azure name", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.leaves[name]; known != nil {
		return known, nil
	}
	made, err := c.sign(name)
	if err != nil {
		return nil, err
	}
	if len(c.leaves) >= maxLeaves {
		clear(c.leaves)
	}
	c.leaves[name] = made
	return made, nil
}

func (c *CA) sign(name string) (*tls.Certificate, error) {
	tmpl, err := template("Azure emulator", c.cert.NotBefore.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	tmpl.DNSNames = []string{name}
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, c.cert, &c.leaf.PublicKey, c.key)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", name, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: c.leaf}, nil
}

// serverTLS picks the certificate by the name that the client asks for. HTTP/1.1 only:
// the services read whole bodies first, which an HTTP/2 connection's shared flow control
// does not go well with, and Azure Storage speaks no HTTP/2 either.
func (c *CA) serverTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.Leaf(h.ServerName)
		},
	}
}
