package emulator

import (
	"github.com/azure-tenant-grapher/atg/internal/emulator/graph"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// services are the emulated data planes, one line each.
func services(k Kit) []wire.Service {
	return []wire.Service{
		graph.New(graph.Options{Tokens: k.Tokens, Directory: k.Directory, Clock: k.Clock}),
		keyvault.New(keyvault.Options{Tokens: k.Tokens, Access: k.Access, Clock: k.Clock, Limits: k.Limits}),
		storage.New(storage.Options{Tokens: k.Tokens, Access: k.Access, Clock: k.Clock, Limits: k.Limits}),
	}
}
