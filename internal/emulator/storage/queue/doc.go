// Package queue emulates Azure Queue Storage: the queues of every storage account, their
// metadata and stored access policies, and their messages with visibility, pop receipts
// and expiry, after Microsoft's REST reference (Queue Storage REST API).
//
// # Differences from Azure
//
// A deleted queue's name is free at once; Azure keeps it for 30 seconds and more. Messages
// come strictly in the order in which they are visible. The count of messages is exact.
// Names of metadata are kept in lower case.
//
// # Seed format
//
//	"queues": [{"name", "metadata": {name: value},
//	            "policies": [{"id", "start", "expiry", "permission"}],
//	            "messages": [{"text", "ttl", "hidden"}],
//	            "generate": {"count", "bytes", "seed"}}]
//
// Times to live and the time that a message is hidden are in seconds; no ttl is 7 days,
// -1 is never. Generated messages are letters and digits, the same ones for the same seed.
//
// # Objects
//
// queues/NAME (metadata, policies, messages: how many) and queues/NAME/NUMBER, one a
// message in the order of insertion (text, inserted, expires, visible, dequeued); "queues"
// with the settings of the service if they are not the default ones.
package queue
