package pki

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // PBES2 with 3DES is still met in files
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // the default pseudo-random function of PBKDF2
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"
)

// The object identifiers of PBES2 (RFC 8018).
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	pbkdf2Hashes = map[string]func() hash.Hash{
		"":                    sha1.New,
		"1.2.840.113549.2.7":  sha1.New,
		"1.2.840.113549.2.9":  sha256.New,
		"1.2.840.113549.2.10": sha512.New384,
		"1.2.840.113549.2.11": sha512.New,
	}
	pbes2Ciphers = map[string]struct {
		size  int
		block func([]byte) (cipher.Block, error)
	}{
		"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
		"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
		"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
		"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
	}
)

type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2Params struct {
	KDF    pkix.AlgorithmIdentifier
	Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// decryptPKCS8 opens an EncryptedPrivateKeyInfo. Only PBES2 is understood, which is what
// OpenSSL writes; the older PKCS#12 schemes are refused.
func decryptPKCS8(der []byte, password string) ([]byte, error) {
	var enc encryptedKey
	if _, err := asn1.Unmarshal(der, &enc); err != nil {
		return nil, invalid(badPEM)
	}
	if !enc.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, invalid("%s The emulator opens keys encrypted with PBES2 only, not %s.", badPEM, enc.Algorithm.Algorithm)
	}
	block, iv, err := pbes2Block(enc.Algorithm.Parameters.FullBytes, password)
	if err != nil {
		return nil, err
	}
	if len(enc.Data) == 0 || len(enc.Data)%block.BlockSize() != 0 || len(iv) != block.BlockSize() {
		return nil, invalid(badPEM)
	}
	plain := make([]byte, len(enc.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, enc.Data)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > block.BlockSize() {
		return nil, invalid(badPassword)
	}
	return plain[:len(plain)-pad], nil
}

func pbes2Block(params []byte, password string) (cipher.Block, []byte, error) {
	var p pbes2Params
	var kdf pbkdf2Params
	var iv []byte
	if _, err := asn1.Unmarshal(params, &p); err != nil || !p.KDF.Algorithm.Equal(oidPBKDF2) {
		return nil, nil, invalid(badPEM)
	}
	if _, err := asn1.Unmarshal(p.KDF.Parameters.FullBytes, &kdf); err != nil || kdf.Iterations < 1 || kdf.Iterations > 10_000_000 {
		return nil, nil, invalid(badPEM)
	}
	if _, err := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, nil, invalid(badPEM)
	}
	prf := ""
	if len(kdf.PRF.Algorithm) > 0 {
		prf = kdf.PRF.Algorithm.String()
	}
	h, ok := pbkdf2Hashes[prf]
	c, known := pbes2Ciphers[p.Cipher.Algorithm.String()]
	if !ok || !known {
		return nil, nil, invalid(badPEM)
	}
	key, err := pbkdf2.Key(h, password, kdf.Salt, kdf.Iterations, c.size)
	if err != nil {
		return nil, nil, invalid(badPEM)
	}
	block, err := c.block(key)
	if err != nil {
		return nil, nil, invalid(badPEM)
	}
	return block, iv, nil
}
