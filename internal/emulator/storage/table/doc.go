// Package table emulates Azure Table Storage: the tables of every storage account, their
// entities with all types, queries, batches, stored access policies and service
// properties, after Microsoft's REST reference (Table Storage REST API).
//
// # Differences from Azure
//
// A deleted table's name is free at once. Atom is refused, as versions from 2015-12-11 on
// do. A page ends after 1,000 entities and never before: Azure also ends one after five
// seconds or at the end of a partition. The limit of 15 comparisons in a filter is not
// enforced.
//
// # Seed format
//
//	"tables": [{"name",
//	            "policies": [{"id", "start", "expiry", "permission"}],
//	            "entities": [entities as the service takes them: {"PartitionKey", "RowKey", "N@odata.type": "Edm.Int64", "N": "5", …}],
//	            "generate": {"count", "perPartition", "prefix", "seed", "bytes"}}]
//
// Generated entities cost no memory until they are changed: entity i has the partition
// key prefix ("p") and i / perPartition (1,000) in eight digits, the row key i in ten, and
// a property of each type, "Text" of so many bytes.
//
// # Objects
//
// tables/NAME (name, policies, entities: how many) and tables/NAME/PARTITION/ROW (each
// property as "Edm.Type value", PartitionKey, RowKey); "tables" with the settings of the
// service if they are not the default ones.
package table
