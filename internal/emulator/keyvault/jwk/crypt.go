package jwk

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RSA-OAEP is defined with SHA-1 (RFC 7518 §4.3)
	"crypto/sha256"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Encrypt encrypts, or wraps, a short text with an RSA key. The errors are Problems.
func (k *Key) Encrypt(alg string, plain []byte) ([]byte, error) {
	if k.rsa == nil {
		return nil, problem("Key and encryption algorithm are incompatible")
	}
	var (
		out []byte
		err error
	)
	switch alg {
	case "RSA1_5":
		//nolint:staticcheck // deprecated by the standard library, offered by the service
		out, err = rsa.EncryptPKCS1v15(rand.Reader, &k.rsa.PublicKey, plain)
	case "RSA-OAEP":
		out, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, &k.rsa.PublicKey, plain, nil) //nolint:gosec // see the import
	case "RSA-OAEP-256":
		out, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, &k.rsa.PublicKey, plain, nil)
	default:
		return nil, problem("Property alg has invalid value %q", alg)
	}
	if err != nil {
		return nil, problem("The parameter is incorrect.\r\n")
	}
	return out, nil
}

// Decrypt is the reverse of Encrypt. The errors are Problems.
func (k *Key) Decrypt(alg string, cipher []byte) ([]byte, error) {
	if k.rsa == nil {
		return nil, problem("Key and encryption algorithm are incompatible")
	}
	var (
		out []byte
		err error
	)
	switch alg {
	case "RSA1_5":
		//nolint:staticcheck // deprecated by the standard library, offered by the service
		out, err = rsa.DecryptPKCS1v15(nil, k.rsa, cipher)
	case "RSA-OAEP":
		out, err = rsa.DecryptOAEP(sha1.New(), nil, k.rsa, cipher, nil) //nolint:gosec // see the import
	case "RSA-OAEP-256":
		out, err = rsa.DecryptOAEP(sha256.New(), nil, k.rsa, cipher, nil)
	default:
		return nil, problem("Property alg has invalid value %q", alg)
	}
	if err != nil {
		return nil, problem("The parameter is incorrect.\r\n")
	}
	return out, nil
}

// signing is what a signature algorithm needs.
type signing struct {
	hash  crypto.Hash
	pss   bool
	curve string // "" for RSA
}

var signatures = map[string]signing{
	"RS256":  {hash: crypto.SHA256},
	"RS384":  {hash: crypto.SHA384},
	"RS512":  {hash: crypto.SHA512},
	"PS256":  {hash: crypto.SHA256, pss: true},
	"PS384":  {hash: crypto.SHA384, pss: true},
	"PS512":  {hash: crypto.SHA512, pss: true},
	"ES256":  {hash: crypto.SHA256, curve: P256},
	"ES384":  {hash: crypto.SHA384, curve: P384},
	"ES512":  {hash: crypto.SHA512, curve: P521},
	"ES256K": {hash: crypto.SHA256, curve: P256K},
}

func (k *Key) signing(alg string, digest []byte) (signing, error) {
	s, ok := signatures[alg]
	if !ok {
		return s, problem("Property alg has invalid value %q", alg)
	}
	if s.curve != k.Spec().Curve {
		return s, problem("Key and signing algorithm are incompatible. Key is of type %q, and algorithm is %q.", k.kty, alg)
	}
	if len(digest) != s.hash.Size() {
		return s, problem("Invalid length of 'value': %d bytes. %s requires %d bytes, encoded with base64url.", len(digest), alg, s.hash.Size())
	}
	return s, nil
}

// Sign signs a digest. An EC signature is r and s at full length, one after the other.
// The errors are Problems, except where the random source fails.
func (k *Key) Sign(alg string, digest []byte) ([]byte, error) {
	s, err := k.signing(alg, digest)
	if err != nil {
		return nil, err
	}
	switch {
	case k.k1 != nil:
		sig := k1ecdsa.Sign(k.k1, digest)
		r, sv := sig.R(), sig.S()
		rb, sb := r.Bytes(), sv.Bytes()
		return append(rb[:], sb[:]...), nil
	case k.ec != nil:
		return k.signEC(digest)
	case s.pss:
		return rsa.SignPSS(rand.Reader, k.rsa, s.hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	return rsa.SignPKCS1v15(nil, k.rsa, s.hash, digest)
}

func (k *Key) signEC(digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, k.ec, digest)
	if err != nil {
		return nil, err
	}
	n := (k.ec.Curve.Params().BitSize + 7) / 8
	out := make([]byte, 2*n)
	r.FillBytes(out[:n])
	s.FillBytes(out[n:])
	return out, nil
}

// Verify tells whether sig is this key's signature of a digest. The error is a Problem:
// algorithm and key do not fit.
func (k *Key) Verify(alg string, digest, sig []byte) (bool, error) {
	s, err := k.signing(alg, digest)
	if err != nil {
		return false, err
	}
	switch {
	case k.k1 != nil:
		return k.verifyK1(digest, sig), nil
	case k.ec != nil:
		n := (k.ec.Curve.Params().BitSize + 7) / 8
		if len(sig) != 2*n {
			return false, nil
		}
		return ecdsa.Verify(&k.ec.PublicKey, digest, new(big.Int).SetBytes(sig[:n]), new(big.Int).SetBytes(sig[n:])), nil
	case s.pss:
		return rsa.VerifyPSS(&k.rsa.PublicKey, s.hash, digest, sig, nil) == nil, nil
	}
	return rsa.VerifyPKCS1v15(&k.rsa.PublicKey, s.hash, digest, sig) == nil, nil
}

func (k *Key) verifyK1(digest, sig []byte) bool {
	if len(sig) != 64 {
		return false
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(sig[:32]) || s.SetByteSlice(sig[32:]) {
		return false
	}
	return k1ecdsa.NewSignature(&r, &s).Verify(digest, k.k1.PubKey())
}
