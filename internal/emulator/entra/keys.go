package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is defined as a SHA-1 thumbprint (RFC 7517, 4.8); it protects nothing
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// signingKey signs access tokens; its certificate gives the key ID, as in Entra.
type signingKey struct {
	key *rsa.PrivateKey
	der []byte // self-signed certificate
	kid string // base64url of the certificate's SHA-1
}

// signer is made once per process, on first use: an RSA key takes a large part of the
// time in which an emulator must be ready, and programs start many. All tenants of
// Entra share their signing keys too; what separates tenants is the issuer.
var signer = sync.OnceValues(newSigningKey)

func newSigningKey() (*signingKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("entra: signing key: %w", err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "accounts.accesscontrol.windows.net"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("entra: certificate of the signing key: %w", err)
	}
	sum := sha1.Sum(der) //nolint:gosec // see the import
	return &signingKey{key: key, der: der, kid: base64.RawURLEncoding.EncodeToString(sum[:])}, nil
}

// Warm makes the signing key now, so that the first token need not wait for it.
func (a *Authority) Warm() error {
	_, err := signer()
	return err
}

type jwks struct {
	Keys []jwk `json:"keys"`
}

type jwk struct {
	Kty    string   `json:"kty"`
	Use    string   `json:"use"`
	Kid    string   `json:"kid"`
	X5t    string   `json:"x5t"`
	N      string   `json:"n"`
	E      string   `json:"e"`
	X5c    []string `json:"x5c"`
	Issuer string   `json:"issuer,omitempty"` // version 2.0 endpoint only
}

func (k *signingKey) jwks(issuer string) jwks {
	return jwks{Keys: []jwk{{
		Kty: "RSA", Use: "sig", Kid: k.kid, X5t: k.kid,
		N:      base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()),
		E:      base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.key.E)).Bytes()),
		X5c:    []string{base64.StdEncoding.EncodeToString(k.der)},
		Issuer: issuer,
	}}}
}
