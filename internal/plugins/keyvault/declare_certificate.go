package keyvault

import (
	"context"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"

	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// declareCertificate declares a certificate: with its content as a parameter in
// replication mode, if that can be had, and else to be issued anew.
func (j *job) declareCertificate(ctx context.Context) ([]iac.Block, error) {
	c, err := j.readCertificate(ctx, plugin.Source)
	if err != nil {
		return nil, err
	}
	b := iac.Block{
		Name: j.ref.Name,
		Note: "The certificate " + j.ref.Name + ", issued anew from its policy. Azure has no ARM type for certificates.",
	}
	var attrs []iac.Attr
	if j.Mode == plugin.Replication && c.policy.Exportable {
		content := iac.Param{
			Name:        "certificate_" + j.ref.Name,
			Description: "The certificate " + j.ref.Name + " with its private key, as PFX in base64 or as PEM.", Sensitive: true,
		}
		b.Params = []iac.Param{content}
		b.Note = "The certificate " + j.ref.Name + ", imported. Azure has no ARM type for certificates."
		attrs = append(attrs, iac.Attr{Name: "certificate", Value: iac.Nested{{Name: "contents", Value: iac.Ref(content.Name)}}})
	}
	attrs = append(attrs, iac.Attr{Name: "certificate_policy", Value: c.policy.terraform()})
	// Blocks come after the plain attributes.
	b.TF = j.terraform("azurerm_key_vault_certificate", slices.Concat(tagAttrs(c.tags), attrs)...)
	return []iac.Block{b}, nil
}

// terraform is the policy as azurerm_key_vault_certificate has it.
func (p certPolicy) terraform() iac.Nested {
	out := iac.Nested{
		{Name: "issuer_parameters", Value: iac.Nested{{Name: "name", Value: p.Issuer}}},
		{Name: "key_properties", Value: p.terraformKey()},
	}
	for _, a := range p.Actions {
		out = append(out, a.terraform())
	}
	out = append(out, iac.Attr{Name: "secret_properties", Value: iac.Nested{{Name: "content_type", Value: p.ContentType}}})
	x509 := iac.Nested(slices.Concat(
		several("extended_key_usage", p.ExtendedUsages), several("key_usage", p.Usages),
		some("subject", p.Subject), some("validity_in_months", int(p.Validity)),
	))
	if names := slices.Concat(several("dns_names", p.DNSNames), several("emails", p.Emails), several("upns", p.Users)); len(names) > 0 {
		x509 = append(x509, iac.Attr{Name: "subject_alternative_names", Value: iac.Nested(names)})
	}
	return append(out, iac.Attr{Name: "x509_certificate_properties", Value: x509})
}

func (p certPolicy) terraformKey() iac.Nested {
	out := iac.Nested(slices.Concat(
		some("curve", string(p.Curve)), some("key_size", int(p.KeySize)), some("key_type", string(p.KeyType)),
	))
	return append(out, iac.Attr{Name: "exportable", Value: p.Exportable}, iac.Attr{Name: "reuse_key", Value: p.ReuseKey})
}

// terraform is a lifetime action; its type is what the provider calls action_type.
func (a policyAction) terraform() iac.Attr {
	trigger := append(some("days_before_expiry", int(a.Days)), some("lifetime_percentage", int(a.Percentage))...)
	return iac.Attr{Name: "lifetime_action", Value: iac.Nested{
		{Name: "action", Value: iac.Nested{{Name: "action_type", Value: string(azcertificates.CertificatePolicyAction(a.Type))}}},
		{Name: "trigger", Value: iac.Nested(trigger)},
	}}
}
