package main

import (
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault/conformance"
	storage "github.com/azure-tenant-grapher/atg/internal/plugins/storage/conformance"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// subjects say how the conformance suite checks a plugin, by the plugin's name. They are
// kept apart from the list of plugins because they bring the emulator along.
var subjects = map[string]func() plugintest.Subject{
	"keyvault": conformance.Subject,
	"storage":  storage.Subject,
}

// subject finds the subject of p.
func subject(p plugin.Plugin) (plugintest.Subject, bool) {
	of, ok := subjects[p.Info().Name]
	if !ok {
		return plugintest.Subject{}, false
	}
	return of(), true
}
