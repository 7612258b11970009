package containers

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/iac"
)

// armVersion is the API version in the declarations, whose properties are those of
// https://learn.microsoft.com/azure/templates/microsoft.storage/2023-05-01/storageaccounts/blobservices/containers.
const armVersion = "2023-05-01"

// Declare describes the container. Stored access policies have no form as code in Azure
// Resource Manager, nor in the azurerm provider's container.
func (c *Job) Declare(ctx context.Context) ([]iac.Block, error) {
	want, _, err := c.wanted(ctx)
	if err != nil {
		return nil, err
	}
	id := c.Target.Resource.ID
	metadata := iac.Object{}
	for _, k := range slices.Sorted(maps.Keys(want.metadata)) {
		metadata = append(metadata, iac.Attr{Name: strings.ToLower(k), Value: want.metadata[k]})
	}
	access := map[string]string{"": "private", "blob": "blob", "container": "container"}[want.public]
	tf := iac.Object{
		{Name: "name", Value: c.name}, {Name: "storage_account_id", Value: id}, {Name: "container_access_type", Value: access},
	}
	level := map[string]string{"": "None", "blob": "Blob", "container": "Container"}[want.public]
	props := iac.Object{{Name: "publicAccess", Value: level}}
	if len(metadata) > 0 {
		tf = append(tf, iac.Attr{Name: "metadata", Value: metadata})
		props = append(props, iac.Attr{Name: "metadata", Value: metadata})
	}
	b := iac.Block{
		Name: c.name,
		TF:   &iac.TFForm{Type: "azurerm_storage_container", Attrs: tf, ImportID: id + "/blobServices/default/containers/" + c.name},
		ARM: &iac.ARMForm{
			Type: "Microsoft.Storage/storageAccounts/blobServices/containers", APIVersion: armVersion,
			Name: c.Target.Resource.Name + "/default/" + c.name, Attrs: iac.Object{{Name: "properties", Value: props}},
		},
	}
	if len(want.policies) > 0 {
		b.Note = "Its stored access policies are not part of this code: a run copies them."
	}
	return []iac.Block{b}, nil
}
