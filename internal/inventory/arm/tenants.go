package arm

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"
)

// TenantName returns the display name of the client's tenant, else its default domain, else
// "": a guest is not told the name of every tenant. It follows Tenants_List.
func (c *Client) TenantName(ctx context.Context) (string, error) {
	const op = "read the tenant's name"
	client, err := armsubscriptions.NewTenantsClient(c.cred, &c.options)
	if err != nil {
		return "", c.wrap(op, "", err)
	}
	all := pages(ctx, client.NewListPager(nil), func(p armsubscriptions.TenantsClientListResponse) []*armsubscriptions.TenantIDDescription {
		return p.Value
	})
	for page, err := range all {
		if err != nil {
			return "", c.wrap(op, "", err)
		}
		for _, t := range page {
			if !strings.EqualFold(text(t.TenantID), c.tenant) {
				continue
			}
			if name := text(t.DisplayName); name != "" {
				return name, nil
			}
			return text(t.DefaultDomain), nil
		}
	}
	return "", nil
}
