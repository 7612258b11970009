package jwk

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// Secret is a JSON Web Key with its private members, as an import brings it.
type Secret struct {
	Kty, Crv         string
	N, E, D          []byte
	DP, DQ, QI, P, Q []byte
	X, Y             []byte
	K                []byte // symmetric: refused
	KeyHSM           []byte // transfer blob of "bring your own key": refused
}

// Import makes a key of a JSON Web Key with private members.
func Import(s Secret, hsm bool) (*Key, error) {
	if len(s.KeyHSM) > 0 {
		return nil, problem("Property key_hsm is not supported: the emulator has no HSM that could open a transfer blob")
	}
	var (
		k   *Key
		err error
	)
	switch s.Kty {
	case RSA, RSAHSM:
		k, err = importRSA(s)
	case EC, ECHSM:
		k, err = importEC(s)
	default:
		_, err = Spec{Kty: s.Kty}.Normal()
	}
	if err != nil {
		return nil, err
	}
	if hsm && !IsHSM(k.kty) {
		k.kty += "-HSM"
	}
	return k, nil
}

func importRSA(s Secret) (*Key, error) {
	if len(s.N) == 0 || len(s.E) == 0 || len(s.D) == 0 || len(s.P) == 0 || len(s.Q) == 0 {
		return nil, problem("Property key has invalid value: an RSA key to import has n, e, d, p and q")
	}
	e := new(big.Int).SetBytes(s.E)
	if !e.IsInt64() || e.Int64() > 1<<31-1 {
		return nil, problem("Property e has invalid value")
	}
	p := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).SetBytes(s.N), E: int(e.Int64())},
		D:         new(big.Int).SetBytes(s.D),
		Primes:    []*big.Int{new(big.Int).SetBytes(s.P), new(big.Int).SetBytes(s.Q)},
	}
	if _, err := (Spec{Kty: s.Kty, Size: p.N.BitLen()}).Normal(); err != nil {
		return nil, err
	}
	p.Precompute()
	if err := p.Validate(); err != nil {
		return nil, problem("Property key has invalid value: the members do not make an RSA key")
	}
	return &Key{kty: s.Kty, rsa: p}, nil
}

func importEC(s Secret) (*Key, error) {
	spec, err := Spec{Kty: s.Kty, Curve: s.Crv}.Normal()
	if err != nil {
		return nil, err
	}
	if len(s.D) == 0 || len(s.X) == 0 || len(s.Y) == 0 {
		return nil, problem("Property key has invalid value: an EC key to import has crv, x, y and d")
	}
	k := &Key{kty: s.Kty}
	if spec.Curve == P256K {
		k.k1 = secp256k1.PrivKeyFromBytes(s.D)
	} else if k.ec, err = ecdsa.ParseRawPrivateKey(stdCurves[spec.Curve], padded(s.D, (spec.Size+7)/8)); err != nil {
		return nil, problem("Property d has invalid value")
	}
	x, y := k.point()
	if new(big.Int).SetBytes(s.X).Cmp(new(big.Int).SetBytes(x)) != 0 || new(big.Int).SetBytes(s.Y).Cmp(new(big.Int).SetBytes(y)) != 0 {
		return nil, problem("Property key has invalid value: x and y do not belong to d")
	}
	return k, nil
}

// padded gives big-endian b exactly n bytes, if it fits.
func padded(b []byte, n int) []byte {
	for len(b) > n && b[0] == 0 {
		b = b[1:]
	}
	if len(b) >= n {
		return b
	}
	return append(make([]byte, n-len(b)), b...)
}

// sealed is the serialisation of a key inside an encrypted backup.
type sealed struct {
	Kty   string `json:"kty"`
	PKCS8 []byte `json:"pkcs8,omitempty"`
	K1    []byte `json:"k1,omitempty"`
}

// MarshalJSON writes the whole key, private half included. It is for the vault's
// encrypted backups only.
func (k *Key) MarshalJSON() ([]byte, error) {
	s := sealed{Kty: k.kty}
	if k.k1 != nil {
		s.K1 = k.k1.Serialize()
		return json.Marshal(s)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.Private())
	if err != nil {
		return nil, fmt.Errorf("serialise a %s key: %w", k.kty, err)
	}
	s.PKCS8 = der
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (k *Key) UnmarshalJSON(data []byte) error {
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("read a serialised key: %w", err)
	}
	if len(s.K1) > 0 {
		*k = Key{kty: s.Kty, k1: secp256k1.PrivKeyFromBytes(s.K1)}
		return nil
	}
	priv, err := x509.ParsePKCS8PrivateKey(s.PKCS8)
	if err != nil {
		return fmt.Errorf("read a serialised key: %w", err)
	}
	got, err := FromPrivate(priv, false)
	if err != nil {
		return err
	}
	*k = Key{kty: s.Kty, rsa: got.rsa, ec: got.ec}
	return nil
}
