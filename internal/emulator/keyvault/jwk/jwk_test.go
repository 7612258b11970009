package jwk_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
)

func generate(t *testing.T, s jwk.Spec) *jwk.Key {
	t.Helper()
	k, err := jwk.Generate(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSpecs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   jwk.Spec
		want jwk.Spec
		ok   bool
	}{
		{jwk.Spec{Kty: "RSA"}, jwk.Spec{Kty: "RSA", Size: 2048}, true},
		{jwk.Spec{Kty: "RSA-HSM", Size: 4096, Curve: "P-256"}, jwk.Spec{Kty: "RSA-HSM", Size: 4096}, true},
		{jwk.Spec{Kty: "EC"}, jwk.Spec{Kty: "EC", Size: 256, Curve: "P-256"}, true},
		{jwk.Spec{Kty: "EC-HSM", Curve: "P-521", Size: 7}, jwk.Spec{Kty: "EC-HSM", Size: 521, Curve: "P-521"}, true},
		{jwk.Spec{Kty: "EC", Curve: "P-256K"}, jwk.Spec{Kty: "EC", Size: 256, Curve: "P-256K"}, true},
		{jwk.Spec{Kty: "RSA", Size: 1024}, jwk.Spec{}, false},
		{jwk.Spec{Kty: "EC", Curve: "X25519"}, jwk.Spec{}, false},
		{jwk.Spec{Kty: "oct"}, jwk.Spec{}, false},
		{jwk.Spec{Kty: "oct-HSM"}, jwk.Spec{}, false},
		{jwk.Spec{}, jwk.Spec{}, false},
	} {
		got, err := tt.in.Normal()
		var p *jwk.Problem
		if tt.ok != (err == nil) || !tt.ok && !errors.As(err, &p) || tt.ok && got != tt.want {
			t.Errorf("%+v: %+v, %v", tt.in, got, err)
		}
		if _, err := jwk.Generate(tt.in); !tt.ok && err == nil {
			t.Errorf("%+v was generated", tt.in)
		}
	}
}

// TestThumbprint uses the example of RFC 7638 §3.1.
func TestThumbprint(t *testing.T) {
	t.Parallel()
	n, err := base64.RawURLEncoding.DecodeString("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw")
	if err != nil {
		t.Fatal(err)
	}
	priv := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}}
	for _, hsm := range []bool{false, true} {
		k, err := jwk.FromPrivate(priv, hsm)
		if err != nil {
			t.Fatal(err)
		}
		if got := k.Thumbprint(); got != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" || jwk.IsHSM(k.Kty()) != hsm {
			t.Errorf("%s: %s", k.Kty(), got)
		}
	}
}

func TestSerialise(t *testing.T) {
	t.Parallel()
	for _, s := range []jwk.Spec{{Kty: "RSA"}, {Kty: "EC-HSM", Curve: "P-384"}, {Kty: "EC", Curve: "P-256K"}} {
		k := generate(t, s)
		data, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		var back jwk.Key
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if back.Kty() != s.Kty || back.Thumbprint() != k.Thumbprint() || back.Spec() != k.Spec() {
			t.Errorf("%+v comes back as %+v", k.Spec(), back.Spec())
		}
		if (back.Private() == nil) != (s.Curve == "P-256K") {
			t.Errorf("%+v: private %v", s, back.Private())
		}
	}
	for _, bad := range []string{`[]`, `{"pkcs8":"AQAB"}`} {
		if err := json.Unmarshal([]byte(bad), new(jwk.Key)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestImportEC(t *testing.T) {
	t.Parallel()
	for _, crv := range []string{"P-256", "P-384", "P-521", "P-256K"} {
		k := generate(t, jwk.Spec{Kty: "EC", Curve: crv})
		data, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		pub := k.Public()
		d := scalar(t, k, data)
		in := jwk.Secret{Kty: "EC", Crv: crv, X: pub.X, Y: pub.Y, D: d}
		got, err := jwk.Import(in, true)
		if err != nil {
			t.Fatalf("%s: %v", crv, err)
		}
		if got.Thumbprint() != k.Thumbprint() || got.Kty() != "EC-HSM" {
			t.Errorf("%s: another key came in", crv)
		}
		in.X = append([]byte{1}, pub.X[1:]...)
		if bytes.Equal(in.X, pub.X) {
			in.X[0]++
		}
		if _, err := jwk.Import(in, false); err == nil {
			t.Errorf("%s: a wrong point was imported", crv)
		}
		in.D = nil
		if _, err := jwk.Import(in, false); err == nil {
			t.Errorf("%s: no private key was imported", crv)
		}
	}
	if _, err := jwk.Import(jwk.Secret{Kty: "EC", Crv: "P-256", X: []byte{1}, Y: []byte{1}, D: make([]byte, 32)}, false); err == nil {
		t.Error("a zero key was imported")
	}
	if _, err := jwk.Import(jwk.Secret{Kty: "EC", Crv: "nope"}, false); err == nil {
		t.Error("an unknown curve was imported")
	}
}

// scalar finds the private scalar of a key.
func scalar(t *testing.T, k *jwk.Key, sealed []byte) []byte {
	t.Helper()
	if ec, ok := k.Private().(interface{ Bytes() ([]byte, error) }); ok {
		d, err := ec.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	var raw struct{ K1 []byte }
	if err := json.Unmarshal(sealed, &raw); err != nil {
		t.Fatal(err)
	}
	return raw.K1
}

func TestProblems(t *testing.T) {
	t.Parallel()
	r, e, k1 := generate(t, jwk.Spec{Kty: "RSA"}), generate(t, jwk.Spec{Kty: "EC"}), generate(t, jwk.Spec{Kty: "EC", Curve: "P-256K"})
	digest := make([]byte, 32)
	first := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"encrypt with EC":         first(e.Encrypt("RSA-OAEP", digest)),
		"decrypt with EC":         first(e.Decrypt("RSA-OAEP", digest)),
		"encrypt with AES":        first(r.Encrypt("A256GCM", digest)),
		"decrypt with AES":        first(r.Decrypt("A256GCM", digest)),
		"encrypt too much":        first(r.Encrypt("RSA-OAEP-256", make([]byte, 500))),
		"decrypt garbage":         first(r.Decrypt("RSA-OAEP", digest)),
		"sign with nothing":       first(r.Sign("HS256", digest)),
		"sign with another curve": first(e.Sign("ES256K", digest)),
		"sign a long digest":      first(k1.Sign("ES256K", make([]byte, 33))),
		"verify a short digest":   first(r.Verify("RS256", digest[:5], nil)),
		"an ed25519 key":          first(jwk.FromPrivate(ed25519.NewKeyFromSeed(digest), false)),
		"an exponent too big":     first(jwk.Import(jwk.Secret{Kty: "RSA", N: digest, E: bytes.Repeat([]byte{9}, 9), D: digest, P: digest, Q: digest}, false)),
		"a modulus too small":     first(jwk.Import(jwk.Secret{Kty: "RSA", N: []byte{9}, E: []byte{3}, D: digest, P: digest, Q: digest}, false)),
	} {
		var p *jwk.Problem
		if !errors.As(err, &p) || p.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, k := range []*jwk.Key{e, k1} {
		alg := map[string]string{"P-256": "ES256", "P-256K": "ES256K"}[k.Spec().Curve]
		for _, sig := range [][]byte{nil, make([]byte, 64), bytes.Repeat([]byte{0xff}, 64)} {
			if ok, err := k.Verify(alg, digest, sig); ok || err != nil {
				t.Errorf("%s verifies %x: %v, %v", alg, sig, ok, err)
			}
		}
	}
}

func TestSmallRSAIsRefused(t *testing.T) {
	t.Parallel()
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwk.FromPrivate(k, false); err == nil {
		t.Error("1,024 bits were taken")
	}
}
