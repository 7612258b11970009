package shares

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/iac"
)

// armVersion is the API version in the declarations, whose properties are those of
// https://learn.microsoft.com/azure/templates/microsoft.storage/2023-05-01/storageaccounts/fileservices/shares.
const armVersion = "2023-05-01"

// Declare describes the share with its stored access policies, which have a form in all
// formats. Root squash has none in the azurerm provider's share.
func (s *Job) Declare(ctx context.Context) ([]iac.Block, error) {
	if Impossible(s.ref.NFS, s.To.Facts) != "" {
		return nil, nil
	}
	want, _, err := s.wanted(ctx)
	if err != nil {
		return nil, err
	}
	id := s.Target.Resource.ID
	tf := iac.Object{
		{Name: "name", Value: s.name}, {Name: "storage_account_id", Value: id}, {Name: "quota", Value: int(want.quota)}, {Name: "enabled_protocol", Value: want.protocol},
	}
	props := iac.Object{{Name: "shareQuota", Value: int(want.quota)}, {Name: "enabledProtocols", Value: want.protocol}}
	if want.tier != "" {
		tf = append(tf, iac.Attr{Name: "access_tier", Value: want.tier})
		props = append(props, iac.Attr{Name: "accessTier", Value: want.tier})
	}
	if want.rootSquash != "" {
		props = append(props, iac.Attr{Name: "rootSquash", Value: want.rootSquash})
	}
	if m := metadata(want); len(m) > 0 {
		tf = append(tf, iac.Attr{Name: "metadata", Value: m})
		props = append(props, iac.Attr{Name: "metadata", Value: m})
	}
	for _, p := range want.policies {
		tf = append(tf, iac.Attr{Name: "acl", Value: iac.Nested{{Name: "id", Value: p.ID}, {Name: "access_policy", Value: iac.Nested(grant(p.Start, p.Expiry, "start", "expiry", "permissions", p.Permission))}}})
	}
	if len(want.policies) > 0 {
		props = append(props, iac.Attr{Name: "signedIdentifiers", Value: signed(want)})
	}
	b := iac.Block{
		Name: s.name,
		TF:   &iac.TFForm{Type: "azurerm_storage_share", Attrs: tf, ImportID: id + "/fileServices/default/shares/" + s.name},
		ARM: &iac.ARMForm{
			Type: "Microsoft.Storage/storageAccounts/fileServices/shares", APIVersion: armVersion,
			Name: s.Target.Resource.Name + "/default/" + s.name, Attrs: iac.Object{{Name: "properties", Value: props}},
		},
	}
	if want.rootSquash != "" && want.rootSquash != "NoRootSquash" {
		b.Note = "Its root squash (" + want.rootSquash + ") is not part of Terraform's share: a run copies it."
	}
	return []iac.Block{b}, nil
}

func metadata(s shape) iac.Object {
	var out iac.Object
	for _, k := range slices.Sorted(maps.Keys(s.metadata)) {
		out = append(out, iac.Attr{Name: k, Value: s.metadata[k]})
	}
	return out
}

// grant are the members of a policy under the names that a format has for them.
func grant(start, expiry time.Time, startName, expiryName, permissionName, permission string) iac.Object {
	out := iac.Object{{Name: permissionName, Value: permission}}
	if !start.IsZero() {
		out = append(out, iac.Attr{Name: startName, Value: start.UTC().Format(time.RFC3339)})
	}
	if !expiry.IsZero() {
		out = append(out, iac.Attr{Name: expiryName, Value: expiry.UTC().Format(time.RFC3339)})
	}
	return out
}

// signed are the policies as Resource Manager has them.
func signed(s shape) []any {
	var out []any
	for _, p := range s.policies {
		out = append(out, iac.Object{{Name: "id", Value: p.ID}, {Name: "accessPolicy", Value: grant(p.Start, p.Expiry, "startTime", "expiryTime", "permission", p.Permission)}})
	}
	return out
}
