package keyvault_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
)

func premium() map[string]any {
	return map[string]any{"sku": map[string]any{"family": "A", "name": "premium"}}
}

func TestCreateKeys(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", premium())
	c := l.keys(t, "kv1")
	tests := []struct {
		name string
		in   azkeys.CreateKeyParameters
		kty  azkeys.KeyType
		crv  azkeys.CurveName
		size int
	}{
		{"rsa", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeRSA)}, azkeys.KeyTypeRSA, "", 256},
		{"rsa-hsm", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeRSAHSM), KeySize: to.Ptr(int32(3072))}, azkeys.KeyTypeRSAHSM, "", 384},
		{"ec", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC)}, azkeys.KeyTypeEC, azkeys.CurveNameP256, 32},
		{"ec-384", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeECHSM), Curve: to.Ptr(azkeys.CurveNameP384)}, azkeys.KeyTypeECHSM, azkeys.CurveNameP384, 48},
		{"ec-521", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP521)}, azkeys.KeyTypeEC, azkeys.CurveNameP521, 66},
		{"ec-256k", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP256K)}, azkeys.KeyTypeEC, azkeys.CurveNameP256K, 32},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			made, err := c.CreateKey(t.Context(), tt.name, tt.in, nil)
			check(t, err)
			k := made.Key
			if *k.Kty != tt.kty || tt.crv != "" && *k.Crv != tt.crv || len(k.N)+len(k.X) != tt.size || len(k.D)+len(k.P)+len(k.K) != 0 {
				t.Errorf("key = %+v", k)
			}
			if *made.Attributes.Exportable || *made.Attributes.HSMPlatform == "" || *made.Attributes.RecoverableDays != 90 {
				t.Errorf("attributes = %+v", made.Attributes)
			}
			got, err := c.GetKey(t.Context(), tt.name, made.Key.KID.Version(), nil)
			check(t, err)
			if *got.Key.KID != *k.KID || len(got.Key.KeyOps) == 0 {
				t.Errorf("read again: %+v", got.Key)
			}
		})
	}
}

func TestKeyRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	if a := l.call(t, "POST", "keys/ec/create", `{"kty":"EC"}`); a.status != 200 {
		t.Fatal(a.body)
	}
	tests := []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"no type", "POST", "keys/a/create", `{}`, 400, "BadParameter"},
		{"symmetric", "POST", "keys/a/create", `{"kty":"oct"}`, 400, "BadParameter"},
		{"symmetric HSM", "POST", "keys/a/create", `{"kty":"oct-HSM","key_size":256}`, 400, "BadParameter"},
		{"unknown type", "POST", "keys/a/create", `{"kty":"OKP"}`, 400, "BadParameter"},
		{"RSA of 1024", "POST", "keys/a/create", `{"kty":"RSA","key_size":1024}`, 400, "BadParameter"},
		{"unknown curve", "POST", "keys/a/create", `{"kty":"EC","crv":"P-224"}`, 400, "BadParameter"},
		{"HSM in a standard vault", "POST", "keys/a/create", `{"kty":"EC-HSM"}`, 400, "BadParameter"},
		{"exponent", "POST", "keys/a/create", `{"kty":"RSA","public_exponent":3}`, 400, "BadParameter"},
		{"operation", "POST", "keys/a/create", `{"kty":"EC","key_ops":["fly"]}`, 400, "BadParameter"},
		{"exportable without policy", "POST", "keys/a/create", `{"kty":"EC","attributes":{"exportable":true}}`, 400, "BadParameter"},
		{"policy on a software key", "POST", "keys/a/create", `{"kty":"EC","release_policy":{"data":"e30"}}`, 400, "BadParameter"},
		{"import of nothing", "PUT", "keys/a", `{}`, 400, "BadParameter"},
		{"import of half a key", "PUT", "keys/a", `{"key":{"kty":"RSA","n":"AQAB"}}`, 400, "BadParameter"},
		{"import of a transfer blob", "PUT", "keys/a", `{"key":{"kty":"RSA-HSM","key_hsm":"AQAB"}}`, 400, "BadParameter"},
		{"missing", "GET", "keys/none", ``, 404, "KeyNotFound"},
		{"missing version", "GET", "keys/ec/" + strings.Repeat("0", 32), ``, 404, "KeyNotFound"},
		{"update of nothing", "PATCH", "keys/none", `{}`, 404, "KeyNotFound"},
		{"rotate of nothing", "POST", "keys/none/rotate", ``, 404, "KeyNotFound"},
		{"policy of nothing", "GET", "keys/none/rotationpolicy", ``, 404, "KeyNotFound"},
		{"delete of nothing", "DELETE", "keys/none", ``, 404, "KeyNotFound"},
		{"deleted of nothing", "GET", "deletedkeys/none", ``, 404, "KeyNotFound"},
		{"use of nothing", "POST", "keys/none/sign", `{"alg":"ES256","value":"AQAB"}`, 404, "KeyNotFound"},
		{"sign without a value", "POST", "keys/ec/sign", `{"alg":"ES256"}`, 400, "BadParameter"},
		{"sign a short digest", "POST", "keys/ec/sign", `{"alg":"ES256","value":"AQAB"}`, 400, "BadParameter"},
		{"sign with another algorithm", "POST", "keys/ec/sign", `{"alg":"RS256","value":"AQAB"}`, 400, "BadParameter"},
		{"encrypt with an EC key", "POST", "keys/ec/encrypt", `{"alg":"RSA-OAEP","value":"AQAB"}`, 403, "Forbidden"},
		{"release", "POST", "keys/ec/release", `{"target":"x"}`, 403, "Forbidden"},
		{"short expiry", "PUT", "keys/ec/rotationpolicy", `{"attributes":{"expiryTime":"P27D"}}`, 400, "BadParameter"},
		{"no duration", "PUT", "keys/ec/rotationpolicy", `{"attributes":{"expiryTime":"28 days"}}`, 400, "BadParameter"},
		{"short lead", "PUT", "keys/ec/rotationpolicy", `{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P6D"},"action":{"type":"rotate"}}]}`, 400, "BadParameter"},
		{"no trigger", "PUT", "keys/ec/rotationpolicy", `{"lifetimeActions":[{"trigger":{},"action":{"type":"rotate"}}]}`, 400, "BadParameter"},
		{"unknown action", "PUT", "keys/ec/rotationpolicy", `{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"burn"}}]}`, 400, "BadParameter"},
		{"notify after creation", "PUT", "keys/ec/rotationpolicy", `{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"Notify"}}]}`, 400, "BadParameter"},
		{"get random bytes", "POST", "rng", `{"count":4}`, 404, "NotFound"},
	}
	for _, tt := range tests {
		a := l.call(t, tt.method, tt.path, tt.body)
		if a.status != tt.status {
			t.Errorf("%s: status %d, want %d: %.200s", tt.name, a.status, tt.status, a.body)
			continue
		}
		if code, _, message := a.code(t); code != tt.code || message == "" {
			t.Errorf("%s: code %s %q, want %s", tt.name, code, message, tt.code)
		}
	}
}

func TestUseOfKeys(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.keys(t, "kv1")
	for name, in := range map[string]azkeys.CreateKeyParameters{
		"rsa":  {Kty: to.Ptr(azkeys.KeyTypeRSA)},
		"p256": {Kty: to.Ptr(azkeys.KeyTypeEC)}, "p384": {Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP384)},
		"p521": {Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP521)}, "p256k": {Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP256K)},
	} {
		_, err := c.CreateKey(t.Context(), name, in, nil)
		check(t, err)
	}
	plain := []byte("a key to wrap")
	for _, alg := range []azkeys.EncryptionAlgorithm{azkeys.EncryptionAlgorithmRSA15, azkeys.EncryptionAlgorithmRSAOAEP, azkeys.EncryptionAlgorithmRSAOAEP256} {
		in := azkeys.KeyOperationParameters{Algorithm: to.Ptr(alg), Value: plain}
		enc, err := c.Encrypt(t.Context(), "rsa", "", in, nil)
		check(t, err)
		in.Value = enc.Result
		dec, err := c.Decrypt(t.Context(), "rsa", enc.KID.Version(), in, nil)
		check(t, err)
		in.Value = plain
		wrapped, err := c.WrapKey(t.Context(), "rsa", "", in, nil)
		check(t, err)
		in.Value = wrapped.Result
		unwrapped, err := c.UnwrapKey(t.Context(), "rsa", "", in, nil)
		check(t, err)
		if !bytes.Equal(dec.Result, plain) || !bytes.Equal(unwrapped.Result, plain) || bytes.Equal(enc.Result, plain) {
			t.Errorf("%s does not come back", alg)
		}
		in.Value = plain
		_, err = c.Decrypt(t.Context(), "rsa", "", in, nil)
		wantError(t, err, 400, "BadParameter", "")
	}
	for alg, key := range map[azkeys.SignatureAlgorithm]string{
		"RS256": "rsa", "RS384": "rsa", "RS512": "rsa", "PS256": "rsa", "PS384": "rsa", "PS512": "rsa",
		"ES256": "p256", "ES384": "p384", "ES512": "p521", "ES256K": "p256k",
	} {
		digest := make([]byte, map[string]int{"256": 32, "384": 48, "512": 64}[strings.TrimSuffix(string(alg), "K")[2:]])
		digest[0] = 7
		sig, err := c.Sign(t.Context(), key, "", azkeys.SignParameters{Algorithm: to.Ptr(alg), Value: digest}, nil)
		check(t, err)
		ok, err := c.Verify(t.Context(), key, "", azkeys.VerifyParameters{Algorithm: to.Ptr(alg), Digest: digest, Signature: sig.Result}, nil)
		check(t, err)
		sig.Result[len(sig.Result)-1] ^= 1
		bad, err := c.Verify(t.Context(), key, "", azkeys.VerifyParameters{Algorithm: to.Ptr(alg), Digest: digest, Signature: sig.Result}, nil)
		check(t, err)
		if !*ok.Value || *bad.Value {
			t.Errorf("%s: good signature %v, broken one %v", alg, *ok.Value, *bad.Value)
		}
	}
}

func TestKeyDates(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.keys(t, "kv1")
	exp := start.Add(time.Hour)
	_, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeRSA), KeyAttributes: &azkeys.KeyAttributes{Expires: &exp}}, nil)
	check(t, err)
	in := azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: []byte("x")}
	enc, err := c.Encrypt(t.Context(), "k", "", in, nil)
	check(t, err)
	l.advance(2 * time.Hour)
	_, err = c.Encrypt(t.Context(), "k", "", in, nil)
	wantError(t, err, 403, "Forbidden", "KeyExpired")
	in.Value = enc.Result
	_, err = c.Decrypt(t.Context(), "k", "", in, nil) // goes on
	check(t, err)
	nbf, later := l.now().Add(time.Hour), l.now().Add(2*time.Hour)
	_, err = c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{KeyAttributes: &azkeys.KeyAttributes{NotBefore: &nbf, Expires: &later}}, nil)
	check(t, err)
	_, err = c.Encrypt(t.Context(), "k", "", in, nil)
	wantError(t, err, 403, "Forbidden", "KeyNotYetValid")
	_, err = c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(false)}}, nil)
	check(t, err)
	_, err = c.Decrypt(t.Context(), "k", "", in, nil)
	wantError(t, err, 403, "Forbidden", "KeyDisabled")
	_, err = c.GetKey(t.Context(), "k", "", nil) // disabled keys are readable
	check(t, err)
	_, err = c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{KeyAttributes: &azkeys.KeyAttributes{Enabled: to.Ptr(true)}, KeyOps: []*azkeys.KeyOperation{to.Ptr(azkeys.KeyOperationSign)}, Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	check(t, err)
	_, err = c.Decrypt(t.Context(), "k", "", in, nil)
	wantError(t, err, 403, "Forbidden", "KeyOperationForbidden")
}

func TestImportKey(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", premium())
	c := l.keys(t, "kv1")
	priv, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	jwk := azkeys.JSONWebKey{
		Kty: to.Ptr(azkeys.KeyTypeRSA), N: priv.N.Bytes(), E: big.NewInt(int64(priv.E)).Bytes(), D: priv.D.Bytes(),
		P: priv.Primes[0].Bytes(), Q: priv.Primes[1].Bytes(), DP: priv.Precomputed.Dp.Bytes(), DQ: priv.Precomputed.Dq.Bytes(), QI: priv.Precomputed.Qinv.Bytes(),
		KeyOps: []*azkeys.KeyOperation{to.Ptr(azkeys.KeyOperationSign), to.Ptr(azkeys.KeyOperationVerify)},
	}
	got, err := c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: &jwk, HSM: to.Ptr(true), Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	check(t, err)
	if *got.Key.Kty != azkeys.KeyTypeRSAHSM || len(got.Key.KeyOps) != 2 || got.Key.D != nil || *got.Tags["a"] != "b" {
		t.Errorf("imported = %+v", got.KeyBundle)
	}
	digest := sha256.Sum256([]byte("x"))
	sig, err := c.Sign(t.Context(), "k", "", azkeys.SignParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmPS256), Value: digest[:]}, nil)
	check(t, err)
	check(t, rsa.VerifyPSS(&priv.PublicKey, 5, digest[:], sig.Result, nil))
	jwk.D = big.NewInt(3).Bytes()
	_, err = c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: &jwk}, nil)
	wantError(t, err, 400, "BadParameter", "")
	jwk.Kty = to.Ptr(azkeys.KeyTypeOct)
	_, err = c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: &jwk}, nil)
	wantError(t, err, 400, "BadParameter", "")
}

// TestNoPrivateMaterial looks for the members of private keys in every answer.
func TestNoPrivateMaterial(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{RecoverFor: -1})
	l.vault(t, "kv1", nil)
	for i, kty := range []string{"RSA", "EC"} {
		name := fmt.Sprintf("k%d", i)
		for _, step := range [][3]string{
			{"POST", "keys/" + name + "/create", `{"kty":"` + kty + `"}`},
			{"GET", "keys/" + name, ""},
			{"GET", "keys", ""},
			{"GET", "keys/" + name + "/versions", ""},
			{"PATCH", "keys/" + name, `{"tags":{"a":"b"}}`},
			{"POST", "keys/" + name + "/rotate", ""},
			{"DELETE", "keys/" + name, ""},
			{"GET", "deletedkeys/" + name, ""},
			{"GET", "deletedkeys", ""},
			{"POST", "deletedkeys/" + name + "/recover", ""},
		} {
			a := l.call(t, step[0], step[1], step[2])
			if a.status != 200 {
				t.Errorf("%s %s: %d %s", step[0], step[1], a.status, a.body)
			}
			for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "k", "key_hsm"} {
				if strings.Contains(a.body, `"`+member+`":`) {
					t.Errorf("%s %s shows %q", step[0], step[1], member)
				}
			}
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.keys(t, "kv1")
	first, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP384), Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	check(t, err)
	def, err := c.GetKeyRotationPolicy(t.Context(), "k", nil)
	check(t, err)
	if len(def.LifetimeActions) != 1 || *def.LifetimeActions[0].Action.Type != azkeys.KeyRotationPolicyActionNotify || def.Attributes.ExpiryTime != nil {
		t.Errorf("default policy = %+v", def.KeyRotationPolicy)
	}
	set, err := c.UpdateKeyRotationPolicy(t.Context(), "k", azkeys.KeyRotationPolicy{
		Attributes: &azkeys.KeyRotationPolicyAttributes{ExpiryTime: to.Ptr("P1Y2M")},
		LifetimeActions: []*azkeys.LifetimeAction{{
			Action: &azkeys.LifetimeActionType{Type: to.Ptr(azkeys.KeyRotationPolicyAction("rotate"))}, Trigger: &azkeys.LifetimeActionTrigger{TimeBeforeExpiry: to.Ptr("P30D")},
		}},
	}, nil)
	check(t, err)
	if *set.LifetimeActions[0].Action.Type != azkeys.KeyRotationPolicyActionRotate || !set.Attributes.Created.Equal(start) {
		t.Errorf("policy = %+v", set.KeyRotationPolicy)
	}
	next, err := c.RotateKey(t.Context(), "k", nil)
	check(t, err)
	if next.Key.KID.Version() == first.Key.KID.Version() || *next.Key.Crv != azkeys.CurveNameP384 || *next.Tags["a"] != "b" || !next.Attributes.Expires.Equal(start.AddDate(1, 2, 0)) {
		t.Errorf("rotated = %+v", next.KeyBundle)
	}
}

func TestKeySoftDeleteAndBackup(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{RecoverFor: -1})
	l.vault(t, "kv1", nil)
	l.vault(t, "kv2", nil)
	c := l.keys(t, "kv1")
	made := make([]azkeys.KeyBundle, 0, 2)
	for _, crv := range []azkeys.CurveName{azkeys.CurveNameP256, azkeys.CurveNameP256K} {
		k, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC), Curve: to.Ptr(crv)}, nil)
		check(t, err)
		made = append(made, k.KeyBundle)
	}
	blob, err := c.BackupKey(t.Context(), "k", nil)
	check(t, err)
	gone, err := c.DeleteKey(t.Context(), "k", nil)
	check(t, err)
	if *gone.RecoveryID != "https://kv1.vault.azure.net/deletedkeys/k" {
		t.Errorf("deleted = %+v", gone.DeletedKey)
	}
	_, err = c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC)}, nil)
	wantError(t, err, 409, "Conflict", "ObjectIsDeletedButRecoverable")
	_, err = c.RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: blob.Value}, nil)
	wantError(t, err, 409, "Conflict", "ObjectIsDeletedButRecoverable")
	_, err = c.RecoverDeletedKey(t.Context(), "k", nil)
	check(t, err)
	_, err = c.RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: blob.Value}, nil)
	wantError(t, err, 409, "Conflict", "")
	_, err = l.keys(t, "kv2").RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: blob.Value}, nil)
	check(t, err)
	for _, m := range made {
		got, err := l.keys(t, "kv2").GetKey(t.Context(), "k", m.Key.KID.Version(), nil)
		check(t, err)
		if !bytes.Equal(got.Key.X, m.Key.X) {
			t.Errorf("restored %v, want %v", got.Key, m.Key)
		}
	}
	_, err = c.DeleteKey(t.Context(), "k", nil)
	check(t, err)
	_, err = c.PurgeDeletedKey(t.Context(), "k", nil)
	check(t, err)
	_, err = c.GetDeletedKey(t.Context(), "k", nil)
	wantError(t, err, 404, "KeyNotFound", "")
	// A key's backup is no secret's.
	a := l.call(t, "POST", "secrets/restore", `{"value":"`+base64.RawURLEncoding.EncodeToString(blob.Value)+`"}`)
	if a.status != 400 {
		t.Errorf("a key restored as a secret: %d %s", a.status, a.body)
	}
}

func TestExportableKey(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", premium())
	a := l.call(t, "POST", "keys/k/create", `{"kty":"EC-HSM","attributes":{"exportable":true},"release_policy":{"data":"e30","contentType":"application/json"}}`)
	var got struct {
		Attributes struct{ Exportable bool }
		Policy     struct{ Data string } `json:"release_policy"`
	}
	check(t, json.Unmarshal([]byte(a.body), &got))
	if a.status != 200 || !got.Attributes.Exportable || got.Policy.Data != "e30" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := l.call(t, "PATCH", "keys/k", `{"release_policy":{"data":"e30","immutable":true}}`); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := l.call(t, "PATCH", "keys/k", `{"release_policy":{"data":"e30"}}`); a.status != 400 {
		t.Errorf("an immutable policy was changed: %d %s", a.status, a.body)
	}
	if a := l.call(t, "POST", "keys/k/release", `{"target":"x"}`); a.status != 403 || !strings.Contains(a.body, "attestation") {
		t.Errorf("release: %d %s", a.status, a.body)
	}
}
