package plugins_test

import (
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestRegistryTakesAll(t *testing.T) {
	t.Parallel()
	r, err := plugin.NewRegistry(plugins.All()...)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.For("microsoft.keyvault/VAULTS", ""); got == nil || got.Info().Name != "keyvault" {
		t.Errorf("the plugin for Key Vaults is %v", got)
	}
}
