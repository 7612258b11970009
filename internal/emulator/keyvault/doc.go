// Package keyvault emulates Azure Key Vault: the data plane of every vault under its true
// host name, NAME.vault.azure.net, and the vaults' side of Azure Resource Manager.
//
// What it answers follows Microsoft's REST reference for secrets, keys and certificates
// (API versions 2015-06-01 to 2026-04-01), the provider-operations reference for role-based
// access, the page on service limits, and recorded answers of the service for shapes and
// words. A comment says so where words or behaviour could not be confirmed.
//
// # Differences from Azure
//
// Symmetric keys are refused, as vaults refuse them. RSA keys have the exponent 65537.
// Keys are not released, and not rotated by a policy alone. No certification authority is
// reachable: an operation with an issuer object fails. Certificates have no P-256K keys.
// Private endpoints do not exist: a vault without public access answers nobody. Every
// request seems to come from Options.ClientAddress.
//
// # Seed format
//
// A scenario's "data" of a vault is a JSON object; all members are optional, an unknown
// one is an error:
//
//	{
//	  "secrets":      [{"name", "value", "contentType", "tags", "enabled", "notBefore", "expires",
//	                    "versions": [older values, oldest first: the same members without "name"]}],
//	  "keys":         [{"name", "kty", "size", "curve", "keyOps", "tags", "enabled", "notBefore", "expires",
//	                    "rotationPolicy": as in the REST API, "versions": how many}],
//	  "certificates": [{"name", "subject", "sans", "ekus", "keyUsage", "keyType", "keySize", "curve", "exportable",
//	                    "contentType", "tags", "validityMonths", "versions": how many, "enabled", "issuer",
//	                    "reuseKey", "lifetimeActions": as in the REST API}],
//	  "issuers":      [{"name", "provider", "accountId", "password", "orgId", "enabled"}],
//	  "contacts":     [{"email", "name", "phone"}],
//	  "deletedSecrets", "deletedKeys", "deletedCertificates": as above, and then soft-deleted,
//	  "generate":     {"secrets": how many, "prefix", "valueBytes", "seed"}
//	}
//
// Times are RFC 3339 texts or Unix seconds. Versions are an hour apart, the latest is of
// the time of seeding. A key of no kty is an EC key on P-256, and so is a certificate's of
// no keyType, because RSA keys take long to make; a certificate of no subject is CN=name,
// of no issuer Self (or Unknown, or one of "issuers": the certificates themselves are
// always self-signed). "sans" is {"dns_names", "emails", "upns", "uris", "ipAddresses"}.
// Generated secrets are named by prefix ("secret-") and a number, have values of
// valueBytes (32) letters and digits, and are the same for the same seed.
//
// # Objects
//
// Objects lists secrets/NAME, keys/NAME, certificates/NAME, issuers/NAME and contacts.
// The key and the secret of a certificate are part of it. Fields of all but issuers and
// contacts: enabled, notBefore, expires, tags (lines "name=value", sorted), versions (how
// many); the fields of the latest version, and those of each version under "v0.", "v1.", …,
// oldest first, if there is more than one. Secrets: value, contentType. Keys: kty, size,
// curve, ops, exportable, thumbprint (RFC 7638), rotationPolicy. Certificates: x5t, chain
// (how many certificates), policy (JSON without id and attributes), exportable,
// contentType, hasPrivateKey, keyThumbprint, operation (status). Issuers: provider,
// accountId, password, orgDetails, enabled. Contacts: contacts. Times are RFC 3339, ""
// for none.
package keyvault
