// Package storage emulates Azure Storage: the accounts' side of Azure Resource Manager
// (Microsoft.Storage/storageAccounts), their host names, who is let in, and the services
// behind them under their true names, ACCOUNT.blob.core.windows.net and so on.
//
// Rooms: access (signing in), kit (what services share), content (octets), lease, acl, meta,
// posix (owners and lists of paths), settings; blob and the other services, each a
// kit.Server. The service of paths, dfs, works on what blob holds. What the package answers follows
// Microsoft's REST references of Storage and of the storage resource provider; a comment
// says so where words or behaviour could not be confirmed.
//
// Containers, shares, queues and tables of Resource Manager are those of the data plane:
// one made on either side is seen on the other.
//
// # Differences from Azure
//
// Private endpoints and virtual network rules do not exist: an account without public
// access answers nobody, and one that takes copies from its virtual network alone takes none
// from another account. Every request seems to come from Options.ClientAddress, and the
// services' own requests for the source of a copy from an address that no rule names. Two
// accounts differ at once after a change: nothing is eventually consistent. Deleted accounts
// cannot be recovered. Encryption scopes are those of the scenario.
//
// # Seed format
//
// A scenario's "data" of an account is a JSON object. The account's own members, all
// optional:
//
//	"accountKeys": [Base64, Base64]      instead of drawn ones
//	"blobService", "fileService", "queueService", "tableService": properties of the resource
//	    <kind>Services/default, such as {"isVersioningEnabled": true}
//	"managementPolicy": {"rules": […]}   as in the API
//
// Every service adds its own (see their packages): "containers" (with
// the directories of a hierarchical namespace), "virtual", "discardWrites",
// "staticWebsite" and "encryptionScopes" of package blob, "shares" of file, "tables" of
// table, "queues" of queue. A member that no service knows is an error.
//
// # Objects
//
// The objects of all services: see their packages.
package storage
