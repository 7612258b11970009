// Package conformance tells the conformance suite how to judge the Key Vault plugin: how
// a vault is filled, and what a target must look like after a run. It knows the emulator's
// view of a vault and nothing of the plugin's code.
package conformance

import (
	_ "embed"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// operations are the provider's operations at a vault that a plugin could declare, as
// Microsoft lists them: "Azure permissions for Security", 1 March 2024,
// https://learn.microsoft.com/azure/role-based-access-control/permissions/security.
//
//go:embed operations.txt
var operations string

// Subject describes p, the Key Vault plugin, to the conformance suite.
func Subject(p plugin.Plugin) plugintest.Subject {
	return plugintest.Subject{
		Plugin:     p,
		Resource:   vault,
		Host:       func(name string) string { return name + ".vault.azure.net" },
		Seed:       seed,
		Bulk:       func(n int) json.RawMessage { return encode(content{Generate: &generate{Secrets: n}}) },
		Change:     change,
		Expect:     expect,
		ReadsValue: readsValue,
		Variants: []plugintest.Variant{
			{},
			{Settings: plugin.Settings{"versions": "all"}},
			{Settings: plugin.Settings{"disabled": "read"}, Beyond: toReadDisabled},
			{Settings: plugin.Settings{"deleted": "recover"}, Before: graveyard, Beyond: toRecover},
		},
		Operations: strings.Fields(operations),
	}
}

// vault is the ARM body of a vault. The source can hold keys in hardware, the target
// cannot.
func vault(side plugin.Side, tenantID string) map[string]any {
	sku := "premium"
	if side == plugin.Target {
		sku = "standard"
	}
	return map[string]any{
		"location": "westeurope",
		"properties": map[string]any{
			"tenantId": tenantID, "enableRbacAuthorization": true, "enableSoftDelete": true, "softDeleteRetentionInDays": 90,
			"sku": map[string]any{"family": "A", "name": sku},
		},
	}
}

// readsValue recognises GET /secrets/NAME and GET /secrets/NAME/VERSION.
func readsValue(r wire.Request) bool {
	parts := strings.FieldsFunc(r.Path, func(c rune) bool { return c == '/' })
	return r.Method == http.MethodGet && len(parts) >= 2 && strings.EqualFold(parts[0], "secrets") &&
		(len(parts) == 2 || !strings.EqualFold(parts[2], "versions"))
}

func rights(side plugin.Side, actions ...string) []plugin.Permission {
	for i := range actions {
		actions[i] = "Microsoft.KeyVault/vaults/" + actions[i]
	}
	return []plugin.Permission{{Side: side, DataActions: actions, Reason: "a setting needs it"}}
}

// toReadDisabled is what disabled=read needs: to enable objects of the source for a moment.
func toReadDisabled(mode plugin.Mode) []plugin.Permission {
	if mode == plugin.Template {
		return nil
	}
	return rights(plugin.Source, "secrets/update/action", "certificates/update/action")
}

// toRecover is what deleted=recover needs at the target: to recover, and to change what
// comes back.
func toRecover(plugin.Mode) []plugin.Permission {
	return rights(plugin.Target, "secrets/recover/action", "keys/recover/action", "certificates/recover/action")
}

// graveyard is what lies deleted in the target of a run with deleted=recover.
func graveyard(*rand.Rand, int) json.RawMessage {
	return encode(content{
		DeletedSecrets:      []secret{{Name: plainSecret, Value: "of an earlier life"}},
		DeletedKeys:         []key{{Name: plainKey, Curve: "P-521"}},
		DeletedCertificates: []certificate{{Name: plainCertificate, Subject: "CN=of an earlier life"}},
	})
}
