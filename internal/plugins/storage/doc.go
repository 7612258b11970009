// Package storage replicates the data plane of storage accounts.
//
// It holds what is common: the plugin, the way from an item to the part that copies it, the
// order of the parts and of their listings. Each service of an account is a part in a room
// of its own (package part says what that is); package account signs in and finds addresses.
//
// # Template and replication
//
// Template mode copies structure: containers, shares, tables and queues with their
// metadata, access policies and settings. Replication copies what is in them, too.
//
// # How it stays idempotent
//
// Both sides are listed together where the service lists in order, so that what is the same
// costs no request of its own; every write is conditional on what was seen, save in the file
// service, which has no conditions: there what is written over is looked at right before. A
// run that was cut is gone on with: blocks and ranges that arrived are not sent again.
package storage
