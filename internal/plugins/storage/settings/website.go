package settings

import (
	"context"
	"maps"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// website is the static website of an account that has one. Resource Manager does not know
// of it: it is a property of the blob service
// (https://learn.microsoft.com/rest/api/storageservices/set-blob-service-properties).
type website struct {
	Index, Path, NotFound string
}

func readWebsite(ctx context.Context, a *account.Account) (any, error) {
	c, err := a.Blobs(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.GetProperties(ctx, nil)
	if err != nil {
		return nil, err
	}
	w := p.StaticWebsite
	if w == nil || w.Enabled == nil || !*w.Enabled {
		return nil, nil
	}
	return website{text(w.IndexDocument), text(w.DefaultIndexDocumentPath), text(w.ErrorDocument404Path)}, nil
}

// writeWebsite sets it. What a request leaves out stays as it is.
func writeWebsite(ctx context.Context, a *account.Account, value any) error {
	w, yes := value.(website), true
	c, err := a.Blobs(ctx)
	if err != nil {
		return err
	}
	_, err = c.SetProperties(ctx, &service.SetPropertiesOptions{StaticWebsite: &service.StaticWebsite{
		Enabled: &yes, IndexDocument: some(w.Index), DefaultIndexDocumentPath: some(w.Path), ErrorDocument404Path: some(w.NotFound),
	}})
	return err
}

func declareWebsite(res plugin.Resource, value any) iac.Block {
	w := value.(website)
	attrs := iac.Object{{Name: "storage_account_id", Value: res.ID}}
	if w.Index != "" {
		attrs = append(attrs, iac.Attr{Name: "index_document", Value: w.Index})
	}
	if w.NotFound != "" {
		attrs = append(attrs, iac.Attr{Name: "error_404_document", Value: w.NotFound})
	}
	return iac.Block{
		Name: "website", Note: "Azure Resource Manager has no form for the static website.",
		TF: &iac.TFForm{Type: "azurerm_storage_account_static_website", Attrs: attrs, ImportID: res.ID},
	}
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func sortedKeys(o object) []string { return slices.Sorted(maps.Keys(o)) }
