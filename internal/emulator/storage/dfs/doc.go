// Package dfs is the service of paths of every emulated storage account,
// ACCOUNT.dfs.core.windows.net: file systems, files and directories, their owners and
// access control lists. It works on what package blob holds: a file made here is a blob,
// a container made there is a file system.
//
// What it answers follows Microsoft's Azure Data Lake Storage REST API; a comment says so
// where words or behaviour could not be confirmed.
//
// # Differences from Azure
//
// Access control lists let in the bearers of tokens alone, and by their own object IDs: the
// members of groups are not looked up, and a flat list of blobs needs the rights to the
// directory of its prefix, not to those below. What a user delegation
// signature says of saoid and suoid is signed, not obeyed. upn changes nothing. A rename or
// a deletion is done in one request however much there is below, and needs no continuation.
// A rename checks the caller's rights at both places and reads no signature of the source.
// Structured bodies, encryption contexts and the list of deleted paths do not exist.
//
// Accounts without a hierarchical namespace have file systems, files and listings here,
// and directories that are empty blobs with hdi_isfolder; they do not rename, delete what is
// below, nor have owners and lists.
package dfs
