// Package conformance tells the conformance suite how to judge the Key Vault plugin: how
// a vault is filled, and what a target must look like after a run. Its judgement rests on
// the emulator's view of a vault alone.
package conformance

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
)

// operations are those of the provider, by the list of which the catalog says when
// Microsoft published it.
func operations() []string {
	p, _ := catalog.Operations("Microsoft.KeyVault")
	return slices.Concat(p.Actions, p.DataActions)
}

// Subject describes the Key Vault plugin to the conformance suite. Its plugin does not
// wait between two looks at the service: the suite's service has no true waits.
func Subject() plugintest.Subject {
	return plugintest.Subject{
		Plugin:     keyvault.NewWaiting(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }),
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
		Operations: operations(),
		Waive: map[string]string{
			"Permissions/TemplateSubset": "template mode issues certificates anew and replication imports them: Azure has a right for each (certificates/create/action, certificates/import/action)",
		},
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

// toRecover is what deleted=recover needs at the target: to recover, and to bring up to
// date in place what does not need another version.
func toRecover(mode plugin.Mode) []plugin.Permission {
	out := rights(plugin.Target, "secrets/recover/action", "keys/recover/action", "certificates/recover/action", "keys/update/action")
	if mode == plugin.Template { // replication writes new versions of secrets and certificates
		out = append(out, rights(plugin.Target, "secrets/update/action", "certificates/update/action")...)
	}
	return out
}

// graveyard is what lies deleted in the target of a run with deleted=recover.
func graveyard(*rand.Rand, int) json.RawMessage {
	tags := map[string]string{"of": "an earlier life"}
	return encode(content{
		DeletedSecrets:      []secret{{Name: plainSecret, Value: "of an earlier life", Tags: tags}},
		DeletedKeys:         []key{{Name: plainKey, Curve: "P-521"}, {Name: taggedKey, Curve: "P-384", KeyOps: []string{"verify"}, Tags: tags}},
		DeletedCertificates: []certificate{{Name: plainCertificate, Tags: tags}},
	})
}
