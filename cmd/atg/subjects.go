package main

import "github.com/azure-tenant-grapher/atg/plugin/plugintest"

// subjects say how the conformance suite checks a plugin, by the plugin's name.
var subjects = map[string]func() plugintest.Subject{}

// subject finds a plugin's subject.
func subject(name string) (plugintest.Subject, bool) {
	of, ok := subjects[name]
	if !ok {
		return plugintest.Subject{}, false
	}
	return of(), true
}
