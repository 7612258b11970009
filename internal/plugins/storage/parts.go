package storage

import (
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/queue"
)

// parts are the services of an account in the order in which they are copied. A new one is
// a folder below this one and one line here.
func parts() []part.Part {
	return []part.Part{
		blob.New(),
		queue.New(),
	}
}
