// Package blob is the Blob service of every emulated storage account: containers, block,
// page and append blobs, versions, snapshots, soft delete, leases, tags, tiers,
// immutability, copies by URL, batches and the static website.
//
// The rooms below it: model (what is kept), req (what requests say), containers, blobs and
// copies (the operations), tagquery (expressions over tags), seed (scenarios). What it
// answers follows Microsoft's Blob service REST API; a comment says so where words or
// behaviour could not be confirmed.
//
// # Seed format
//
// Of a scenario's "data" object of a storage account it reads, all optional:
//
//	"containers": [{"name", "publicAccess": "blob"|"container", "metadata", "policies": [{"id", "start", "expiry", "permission"}],
//	    "defaultEncryptionScope", "denyEncryptionScopeOverride", "legalHolds": [tags], "versionImmutability",
//	    "immutability": {"days", "locked"}, "directories": [DIRECTORY], "blobs": [BLOB]}]
//	"virtual": {"container", "count", "size", "seed", "prefix", "perFolder", "tier", "contentType"} or a list of these, one a container
//	"discardWrites": true      what clients write is hashed and dropped
//	"encryptionScopes": [names that requests may use]
//	"staticWebsite": {"indexDocument", "defaultIndexDocumentPath", "errorDocument404Path"}: it is on
//
// A BLOB is {"name", "type": "block"|"page"|"append", "content": text | "base64" | "size" and
// "seed", "contentType", "contentEncoding", "contentLanguage", "contentDisposition",
// "cacheControl", "noMD5", "metadata", "tags", "tier", "snapshots" and "versions": [the members
// before this one, of older states, oldest first], "blockSize": written in blocks of that
// size, "ranges": [{"offset", content}] of a page blob, "sequenceNumber", "sealed",
// "encryptionScope", "uncommitted": [{"id", content}], "leased", "legalHold",
// "immutableUntil", "immutabilityLocked", "deleted": after all that}.
//
// A DIRECTORY, of accounts with isHnsEnabled, is {"path", "metadata", "owner", "group",
// "permissions": "rwxr-x---"|"0750", "acl": as x-ms-acl has it, "defaultAcl": the same without
// "default:"}; the path "/" is the root directory. A BLOB of these accounts may have owner,
// group, permissions and acl too. What is left out comes from the directory above, and
// directories that nobody names are made where a blob needs them.
//
// Generated blobs cost no memory; accounts with isHnsEnabled cannot have them. They are named by prefix, a folder for every perFolder of
// them, and a number; their octets come from seed + number. Of at most 64 KiB they have a
// Content-MD5.
//
// # Objects
//
// containers/NAME, blobs/CONTAINER/NAME and, of snapshots and versions, the same with "@0",
// "@1", … behind, oldest first. Fields of blobs: type, size, contentType, contentEncoding,
// contentLanguage, contentDisposition, cacheControl, contentMD5, metadata, tags, tier,
// tierInferred, rehydratingTo, encryptionScope, legalHold, immutableUntil,
// immutabilityMode, blocks, uncommittedBlocks, appends, sealed, sequenceNumber, ranges,
// copyStatus, lease, etag, modified, sha256 and, of short texts, content. Directories, of
// kind "directory" and keyed as blobs are, have metadata, etag and modified. With a
// hierarchical namespace directories, blobs and, for their root directory, containers have
// owner, group, permissions and acl.
//
// # Differences from Azure
//
// Names of metadata are answered in lower case. A blob in the archive cannot be copied.
// Query Blob Contents, Incremental Copy Blob and keys that the client sends are answered
// with 501 NotImplemented, a code that Azure does not use here. Copies from a URL compute
// no checksum that was not asked for.
//
// Of a hierarchical namespace, snapshots and soft deletion work as without one, showonly of
// List Blobs is not read, and a prefix that leads through a file finds nothing. Which error
// codes blobs get that have no place is not confirmed (see model.Tx.Room).
package blob
