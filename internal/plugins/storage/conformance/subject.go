// Package conformance tells the conformance suite how to judge the plugin for storage
// accounts: how an account is filled, and what a target must look like after a run. Its
// judgement rests on the emulator's view of an account alone.
//
// Directories of a hierarchical namespace are not among what it seeds: an account has
// either those or page blobs, index tags and snapshots. Nor is signing in with an account's
// key: such requests are dated, and the suite's service has a clock of its own.
package conformance

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// operations are those of the provider, by the list of which the catalog says when
// Microsoft published it.
func operations() []string {
	p, _ := catalog.Operations("Microsoft.Storage")
	return slices.Concat(p.Actions, p.DataActions)
}

// Subject describes the storage plugin to the conformance suite.
func Subject() plugintest.Subject {
	return plugintest.Subject{
		Plugin:     storage.New(),
		Resource:   account,
		Host:       func(name string) string { return name + ".blob.core.windows.net" },
		Seed:       seed,
		Bulk:       bulk,
		Change:     change,
		Key:        key,
		Content:    isContent,
		Expect:     expect,
		ReadsValue: readsValue,
		Writes:     writes,
		Variants: []plugintest.Variant{
			{},
			{Settings: plugin.Settings{"copy": "server", "single-mib": "1"}}, // which cannot do without a signature
			{Settings: plugin.Settings{"copy": "stream"}},
			{Settings: plugin.Settings{"history": "snapshots"}},
		},
		Operations: operations(),
	}
}

// account is the ARM body of an account.
func account(plugin.Side, string) map[string]any {
	return map[string]any{
		"location": "westeurope", "kind": "StorageV2", "sku": map[string]any{"name": "Standard_LRS"},
		"properties": map[string]any{"allowBlobPublicAccess": true, "supportsHttpsTrafficOnly": true},
	}
}

// readsValue recognises Get Blob, Get File and the query of a table's entities.
func readsValue(r wire.Request) bool {
	path := strings.Trim(r.Path, "/")
	switch {
	case r.Method != http.MethodGet:
		return false
	case strings.Contains(r.Host, ".blob."):
		return strings.Contains(path, "/") && !strings.Contains(r.Query, "comp=")
	case strings.Contains(r.Host, ".file."):
		return strings.Contains(path, "/") && !strings.Contains(r.Query, "comp=") && !strings.Contains(r.Query, "restype=")
	case strings.Contains(r.Host, ".table."):
		return strings.Contains(path, "(") && !strings.HasPrefix(path, "Tables")
	case strings.Contains(r.Host, ".queue."):
		return strings.Contains(path, "/messages")
	}
	return false
}

// writes knows the reads that are sent as POST: for a user delegation key and for the
// account's keys.
func writes(r wire.Request) bool {
	if strings.Contains(r.Query, "comp=userdelegationkey") || strings.HasSuffix(strings.ToLower(r.Path), "/listkeys") {
		return false
	}
	return r.Write()
}

// key is that of the item that stands for an object.
func key(o wire.Object) plugin.Key {
	switch o.Kind {
	case "snapshot", "version", // a blob's past belongs to it
		"message", "queueService", "tableService", "fileService": // what is set there shows as CORS rules
		return ""
	case "entity":
		return plugin.Key("entities/" + strings.TrimPrefix(o.Key, "tables/"))
	default:
		return plugin.Key(o.Key)
	}
}

// isContent tells what template mode leaves out.
func isContent(o wire.Object) bool {
	switch o.Kind {
	case "blob", "entity", "directory", "file":
		return true
	}
	return false
}

func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("conformance: " + err.Error()) // of values of this package alone
	}
	return raw
}
