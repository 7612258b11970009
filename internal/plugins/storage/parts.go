package storage

import (
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/queue"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/table"
)

// parts are the services of an account in the order in which they are copied. A new one is
// a folder below this one and one line here.
func parts() []part.Part {
	return []part.Part{
		settings.New(), // the static website brings its container along
		blob.New(),
		share.New(),
		queue.New(),
		table.New(),
	}
}
