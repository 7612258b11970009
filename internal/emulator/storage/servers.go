package storage

import (
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table"
)

// servers are the services of an account. The static website shows the blob service's data.
func servers(opt Options) map[kit.Kind]kit.Server {
	blobs := blob.New(blob.Options{Clock: opt.Clock})
	return map[kit.Kind]kit.Server{
		kit.Blob:  blobs,
		kit.Web:   blobs,
		kit.File:  file.New(file.Options{Clock: opt.Clock, Limits: opt.Limits}),
		kit.Queue: queue.New(queue.Options{Clock: opt.Clock, Limits: opt.Limits}),
		kit.Table: table.New(table.Options{Clock: opt.Clock, Limits: opt.Limits}),
	}
}
