// Package plugins is the list of the resource types that this program can replicate. A
// new type is one folder below this one and one line here.
package plugins

import (
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// All returns every plugin, for plugin.NewRegistry.
func All() []plugin.Plugin {
	return []plugin.Plugin{
		keyvault.New(),
		storage.New(),
	}
}
