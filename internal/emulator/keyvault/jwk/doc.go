// Package jwk holds the material of Key Vault keys: RSA keys of 2,048, 3,072 and 4,096
// bits and EC keys on P-256, P-384, P-521 and P-256K (secp256k1). It makes and imports
// them, shows their public half as a JSON Web Key, and does the cryptography that the
// service does with them. The private half leaves the package only as an opaque
// serialisation for the vault's own encrypted backups and as the key of a certificate.
//
// What the algorithms are is defined in the REST reference of Key Vault keys
// (JsonWebKeyEncryptionAlgorithm, JsonWebKeySignatureAlgorithm) and RFC 7518.
package jwk
