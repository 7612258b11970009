package jwk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// The key types of Key Vault, as JSON Web Keys write them.
const (
	RSA    = "RSA"
	RSAHSM = "RSA-HSM"
	EC     = "EC"
	ECHSM  = "EC-HSM"
	Oct    = "oct"
	OctHSM = "oct-HSM"
)

// The curves of Key Vault.
const (
	P256  = "P-256"
	P256K = "P-256K"
	P384  = "P-384"
	P521  = "P-521"
)

// Problem is a key, parameter or operation that cannot be. Its text is an answer to the
// caller.
type Problem struct{ Text string }

// Error implements error.
func (p *Problem) Error() string { return p.Text }

func problem(format string, args ...any) error { return &Problem{Text: fmt.Sprintf(format, args...)} }

// Key is the material of one key version. It is immutable.
type Key struct {
	kty string // as asked for: with -HSM where it is
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	k1  *secp256k1.PrivateKey
}

// IsHSM tells whether a key type is hardware-protected.
func IsHSM(kty string) bool { return strings.HasSuffix(kty, "-HSM") }

// Spec says what key to make. The zero values mean Key Vault's defaults: 2,048 bits for
// RSA, P-256 for EC.
type Spec struct {
	Kty   string
	Size  int
	Curve string
}

// Normal fills in the defaults and refuses what a vault cannot make. Symmetric keys exist
// in managed HSMs only.
func (s Spec) Normal() (Spec, error) {
	switch s.Kty {
	case RSA, RSAHSM:
		if s.Size == 0 {
			s.Size = 2048
		}
		if s.Size != 2048 && s.Size != 3072 && s.Size != 4096 {
			return s, problem("Property key_size has invalid value %d: an RSA key has 2048, 3072 or 4096 bits", s.Size)
		}
		s.Curve = ""
	case EC, ECHSM:
		if s.Curve == "" {
			s.Curve = P256
		}
		size, ok := curveSizes[s.Curve]
		if !ok {
			return s, problem("Property crv has invalid value %q: it is one of P-256, P-384, P-521, P-256K", s.Curve)
		}
		s.Size = size
	case Oct, OctHSM:
		return s, problem("Property kty has invalid value %q: symmetric keys are supported in managed HSMs only", s.Kty)
	default:
		return s, problem("Property kty has invalid value %q", s.Kty)
	}
	return s, nil
}

var curveSizes = map[string]int{P256: 256, P256K: 256, P384: 384, P521: 521}

var stdCurves = map[string]elliptic.Curve{P256: elliptic.P256(), P384: elliptic.P384(), P521: elliptic.P521()}

// Generate makes a new key. RSA takes a tenth of a second and more: do not hold a lock.
func Generate(spec Spec) (*Key, error) {
	spec, err := spec.Normal()
	if err != nil {
		return nil, err
	}
	k := &Key{kty: spec.Kty}
	switch spec.Curve {
	case "":
		k.rsa, err = rsa.GenerateKey(rand.Reader, spec.Size)
	case P256K:
		k.k1, err = secp256k1.GeneratePrivateKey()
	default:
		k.ec, err = ecdsa.GenerateKey(stdCurves[spec.Curve], rand.Reader)
	}
	if err != nil {
		return nil, fmt.Errorf("generate a %s key: %w", spec.Kty, err)
	}
	return k, nil
}

// FromPrivate wraps an RSA or EC private key of the standard library, as a certificate
// brings it.
func FromPrivate(priv any, hsm bool) (*Key, error) {
	k := &Key{}
	switch p := priv.(type) {
	case *rsa.PrivateKey:
		k.kty, k.rsa = RSA, p
	case *ecdsa.PrivateKey:
		k.kty, k.ec = EC, p
	default:
		return nil, problem("The private key is of a type that Key Vault does not support: %T", priv)
	}
	if _, err := k.Spec().Normal(); err != nil {
		return nil, err
	}
	if hsm {
		k.kty += "-HSM"
	}
	return k, nil
}

// Private is the key as the standard library has it, or nil for P-256K.
func (k *Key) Private() any {
	switch {
	case k.rsa != nil:
		return k.rsa
	case k.ec != nil:
		return k.ec
	}
	return nil
}

// Kty is the key type, "-HSM" included.
func (k *Key) Kty() string { return k.kty }

// Spec says what it would take to make a key like this one.
func (k *Key) Spec() Spec {
	switch {
	case k.rsa != nil:
		return Spec{Kty: k.kty, Size: k.rsa.N.BitLen()}
	case k.k1 != nil:
		return Spec{Kty: k.kty, Size: 256, Curve: P256K}
	}
	return Spec{Kty: k.kty, Size: k.ec.Curve.Params().BitSize, Curve: k.ec.Curve.Params().Name}
}

// Ops are the operations that a key of this type can be used for, in the service's order.
func (k *Key) Ops() []string {
	if k.rsa != nil {
		return []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"}
	}
	return []string{"sign", "verify"}
}

// Public is the public half as the members of a JSON Web Key: kty, crv, n, e, x, y.
type Public struct {
	Kty string
	Crv string
	N   []byte
	E   []byte
	X   []byte
	Y   []byte
}

// Public returns the public half.
func (k *Key) Public() Public {
	if k.rsa != nil {
		return Public{Kty: k.kty, N: k.rsa.N.Bytes(), E: big.NewInt(int64(k.rsa.E)).Bytes()}
	}
	x, y := k.point()
	return Public{Kty: k.kty, Crv: k.Spec().Curve, X: x, Y: y}
}

// point is the public point of an EC key, both coordinates at full length.
func (k *Key) point() (x, y []byte) {
	var raw []byte
	if k.k1 != nil {
		raw = k.k1.PubKey().SerializeUncompressed()
	} else if pub, err := k.ec.PublicKey.Bytes(); err == nil {
		raw = pub
	}
	if len(raw) == 0 {
		return nil, nil
	}
	n := (len(raw) - 1) / 2
	return raw[1 : 1+n], raw[1+n:]
}

// Thumbprint is the SHA-256 thumbprint of RFC 7638 over the public half, base64url. The
// type counts without "-HSM", so that it tells keys apart and not where they are kept.
func (k *Key) Thumbprint() string {
	p, b64 := k.Public(), base64.RawURLEncoding.EncodeToString
	text := fmt.Sprintf(`{"crv":"%s","kty":"EC","x":"%s","y":"%s"}`, p.Crv, b64(p.X), b64(p.Y))
	if k.rsa != nil {
		text = fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, b64(p.E), b64(p.N))
	}
	sum := sha256.Sum256([]byte(text))
	return b64(sum[:])
}
