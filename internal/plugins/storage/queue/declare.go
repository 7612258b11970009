package queue

import (
	"context"
	"maps"
	"slices"

	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// armVersion is the API version in the declarations, whose properties are those of
// https://learn.microsoft.com/azure/templates/microsoft.storage/2023-05-01/storageaccounts/queueservices/queues.
const armVersion = "2023-05-01"

// declare describes the queue. Stored access policies have no form as code.
func declare(ctx context.Context, j part.Job, r ref) ([]iac.Block, error) {
	src, err := look(ctx, j, plugin.Source, r.Name)
	if err != nil {
		return nil, err
	}
	var metadata iac.Object
	for _, k := range slices.Sorted(maps.Keys(src.metadata)) {
		metadata = append(metadata, iac.Attr{Name: k, Value: src.metadata[k]})
	}
	var more iac.Object
	if len(metadata) > 0 {
		more = iac.Object{{Name: "metadata", Value: metadata}}
	}
	id, note := j.Target.Resource.ID, ""
	if len(src.policies) > 0 {
		note = "Its stored access policies are not part of this code: a run copies them."
	}
	return []iac.Block{{
		Name: r.Name, Note: note,
		TF: &iac.TFForm{
			Type:     "azurerm_storage_queue",
			Attrs:    append(iac.Object{{Name: "name", Value: r.Name}, {Name: "storage_account_id", Value: id}}, more...),
			ImportID: id + "/queueServices/default/queues/" + r.Name,
		},
		ARM: &iac.ARMForm{
			Type: "Microsoft.Storage/storageAccounts/queueServices/queues", APIVersion: armVersion,
			Name: j.Target.Resource.Name + "/default/" + r.Name, Attrs: iac.Object{{Name: "properties", Value: more}},
		},
	}}, nil
}
