// Package keyvault replicates the data plane of Key Vaults: secrets, keys, certificates,
// certificate issuers and contacts.
//
// # What is copied
//
// In replication mode: the current version of every enabled secret, or all of its
// versions, with content type, tags and attributes, an expiry in the past included
// (https://learn.microsoft.com/azure/key-vault/secrets/about-secrets); certificates with
// their private keys, where policy lets those be exported
// (https://learn.microsoft.com/azure/key-vault/certificates/about-certificates); issuers
// without their credentials; the contacts. Keys are created anew in the same shape, since
// key material never leaves Azure
// (https://learn.microsoft.com/azure/key-vault/keys/about-keys), and are never counted as
// proven equal.
//
// In template mode: every secret under a value that says it is a placeholder, keys of the
// same shape, certificates issued anew from their policy, issuers and contacts. No secret
// value is read, on either side.
//
// # How it stays idempotent
//
// Every write of a secret, key or certificate makes a new version, and versions cannot be
// deleted. So the target is always looked at first, nothing is written where value and
// attributes are equal, what is no part of a version's value is changed in place, and a
// write whose answer was lost is not repeated before another look.
//
// # What cannot be copied
//
// Info says it in sentences. Behind them: a disabled secret is not given out
// (https://github.com/Azure/AzureKeyVault/issues/15); BackupSecret and its like restore
// only within one subscription and geography
// (https://learn.microsoft.com/azure/key-vault/general/backup), so they are of no use
// between tenants; a soft-deleted name stays taken
// (https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview); an expiry
// date cannot be removed from a version
// (https://github.com/hashicorp/terraform-provider-azurerm/issues/28355).
//
// # Layout
//
// A job is one task with its settings and clients. Each kind of item has a file with a
// replicate and a compare function; discover.go lists, recover.go deals with soft-deleted
// names, history.go aligns versions, declare.go writes declarations. Package vault makes
// clients.
package keyvault
