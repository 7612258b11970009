package keyvault

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// armVersion is the API version of Microsoft.KeyVault in the declarations; the resource
// types and their properties are those of
// https://learn.microsoft.com/azure/templates/microsoft.keyvault/2024-11-01/vaults/secrets.
const armVersion = "2024-11-01"

// terraform starts a Terraform resource below the target vault.
func (j *job) terraform(typ string, attrs ...iac.Attr) *iac.TFForm {
	head := iac.Object{{Name: "name", Value: j.ref.Name}, {Name: "key_vault_id", Value: j.Target.Resource.ID}}
	return &iac.TFForm{Type: typ, Attrs: append(head, attrs...)}
}

// armResource starts a resource below the target vault.
func (j *job) armResource(child string, attrs ...iac.Attr) *iac.ARMForm {
	return &iac.ARMForm{
		Type: "Microsoft.KeyVault/vaults/" + child, APIVersion: armVersion,
		Name: j.Target.Resource.Name + "/" + j.ref.Name, Attrs: attrs,
	}
}

// some returns the attribute if value is not the zero value.
func some[T comparable](name string, value T) []iac.Attr {
	var zero T
	if value == zero {
		return nil
	}
	return []iac.Attr{{Name: name, Value: value}}
}

// several returns the attribute if the list is not empty.
func several[T ~string](name string, list []T) []iac.Attr {
	if len(list) == 0 {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return []iac.Attr{{Name: name, Value: out}}
}

func tagAttrs(tags map[string]string) []iac.Attr {
	if len(tags) == 0 {
		return nil
	}
	obj := iac.Object{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		obj = append(obj, iac.Attr{Name: k, Value: tags[k]})
	}
	return []iac.Attr{{Name: "tags", Value: obj}}
}

// dates are the attributes as Terraform has them.
func (a attributes) dates() []iac.Attr {
	var out []iac.Attr
	for _, d := range []struct {
		name    string
		seconds int64
	}{{"not_before_date", a.NotBefore}, {"expiration_date", a.Expires}} {
		if d.seconds != 0 {
			out = append(out, iac.Attr{Name: d.name, Value: moment(d.seconds).Format(time.RFC3339)})
		}
	}
	return out
}

// object is the attributes as ARM has them.
func (a attributes) object(more ...iac.Attr) iac.Attr {
	obj := iac.Object{{Name: "enabled", Value: !a.Disabled}}
	obj = append(obj, some("nbf", a.NotBefore)...)
	obj = append(obj, some("exp", a.Expires)...)
	return iac.Attr{Name: "attributes", Value: append(obj, more...)}
}

// declareSecret declares a secret. Its value is a parameter in both modes.
func (j *job) declareSecret(ctx context.Context) ([]iac.Block, error) {
	m, err := j.sourceMeta(ctx)
	if err != nil {
		return nil, err
	}
	value := iac.Param{Name: "secret_" + j.ref.Name, Description: "Value of the secret " + j.ref.Name + ".", Sensitive: true}
	attrs := []iac.Attr{{Name: "value", Value: iac.Ref(value.Name)}}
	attrs = append(attrs, some("content_type", m.ContentType)...)
	attrs = append(attrs, m.dates()...)
	tf := j.terraform("azurerm_key_vault_secret", append(attrs, tagAttrs(m.Tags)...)...)
	tf.Import = j.importSecret
	tf.IgnoreChanges = []string{"value"} // it changes outside of the code: by replication, by rotation
	props := iac.Object{{Name: "value", Value: iac.Ref(value.Name)}}
	props = append(props, some("contentType", m.ContentType)...)
	props = append(props, m.object())
	note := ""
	if m.Disabled {
		note = "Disabled at the source. Terraform's provider has no attribute for that; disable it after the deployment."
	}
	return []iac.Block{{
		Name: j.ref.Name, Note: note, Params: []iac.Param{value}, TF: tf,
		ARM: j.armResource("secrets", append(tagAttrs(m.Tags), iac.Attr{Name: "properties", Value: props})...),
	}}, nil
}

// declareKey declares a key of the source's shape. Its material is the target's own.
func (j *job) declareKey(ctx context.Context) ([]iac.Block, error) {
	s, err := j.readKey(ctx, plugin.Source)
	if err != nil {
		return nil, err
	}
	attrs := []iac.Attr{{Name: "key_type", Value: string(s.Type)}}
	attrs = append(attrs, some("key_size", int(s.Size))...)
	attrs = append(attrs, some("curve", string(s.Curve))...)
	attrs = append(attrs, several("key_opts", s.Operations)...)
	attrs = append(attrs, s.dates()...)
	attrs = append(attrs, tagAttrs(s.Tags)...)
	props := iac.Object{{Name: "kty", Value: string(s.Type)}}
	props = append(props, some("keySize", int(s.Size))...)
	props = append(props, some("curveName", string(s.Curve))...)
	props = append(props, several("keyOps", s.Operations)...)
	props = append(props, s.object(some("exportable", s.Exportable)...))
	if !s.Rotation.empty() {
		attrs = append(attrs, s.Rotation.terraform())
		props = append(props, s.Rotation.arm())
	}
	note := "A new key of the same shape: key material cannot leave Azure."
	if s.Disabled {
		note += "\nDisabled at the source. Terraform's provider has no attribute for that; disable it after the deployment."
	}
	if s.Release != (releasePolicy{}) {
		note += "\nIts release policy names attestation services and is not declared."
	}
	tf := j.terraform("azurerm_key_vault_key", attrs...)
	tf.Import = j.importKey
	return []iac.Block{{
		Name: j.ref.Name, Note: note,
		TF:  tf,
		ARM: j.armResource("keys", append(tagAttrs(s.Tags), iac.Attr{Name: "properties", Value: props})...),
	}}, nil
}

// terraform is the policy as azurerm_key_vault_key has it.
func (r rotation) terraform() iac.Attr {
	nested := iac.Nested(some("expire_after", r.ExpiryTime))
	for _, a := range r.Actions {
		if a.Type == byDefault.Type {
			nested = append(nested, iac.Attr{Name: "notify_before_expiry", Value: a.TimeBeforeExpiry})
		}
	}
	for _, a := range r.Actions {
		if a.Type != byDefault.Type {
			trigger := append(some("time_after_creation", a.TimeAfterCreate), some("time_before_expiry", a.TimeBeforeExpiry)...)
			nested = append(nested, iac.Attr{Name: "automatic", Value: iac.Nested(trigger)})
		}
	}
	return iac.Attr{Name: "rotation_policy", Value: nested}
}

// arm is the policy as Microsoft.KeyVault/vaults/keys has it, where actions are written in
// lower case.
func (r rotation) arm() iac.Attr {
	obj := iac.Object{{Name: "attributes", Value: iac.Object(some("expiryTime", r.ExpiryTime))}}
	actions := []any{}
	for _, a := range r.Actions {
		trigger := append(some("timeAfterCreate", a.TimeAfterCreate), some("timeBeforeExpiry", a.TimeBeforeExpiry)...)
		actions = append(actions, iac.Object{
			{Name: "action", Value: iac.Object{{Name: "type", Value: strings.ToLower(a.Type)}}},
			{Name: "trigger", Value: iac.Object(trigger)},
		})
	}
	return iac.Attr{Name: "rotationPolicy", Value: append(obj, iac.Attr{Name: "lifetimeActions", Value: actions})}
}

// declareIssuer declares an issuer; what the provider needs of credentials are parameters.
func (j *job) declareIssuer(ctx context.Context) ([]iac.Block, error) {
	i, err := j.readIssuer(ctx, plugin.Source, j.ref.Name)
	if err != nil {
		return nil, err
	}
	account := iac.Param{Name: "issuer_" + j.ref.Name + "_account", Description: "Account at the certificate authority of the issuer " + j.ref.Name + "."}
	password := iac.Param{Name: "issuer_" + j.ref.Name + "_password", Description: "Password of that account.", Sensitive: true}
	attrs := append([]iac.Attr{{Name: "provider_name", Value: i.Provider}}, some("org_id", i.Organization)...)
	attrs = append(attrs, iac.Attr{Name: "account_id", Value: iac.Ref(account.Name)}, iac.Attr{Name: "password", Value: iac.Ref(password.Name)})
	for _, a := range i.Admins {
		admin := append(iac.Nested(some("email_address", a.Email)), some("first_name", a.First)...)
		admin = append(append(admin, some("last_name", a.Last)...), some("phone", a.Phone)...)
		attrs = append(attrs, iac.Attr{Name: "admin", Value: admin})
	}
	tf := j.terraform("azurerm_key_vault_certificate_issuer", attrs...)
	tf.Import = j.importIssuer
	return []iac.Block{{
		Name: j.ref.Name, Note: "The certificate issuer " + j.ref.Name + ". Azure has no ARM type for issuers.",
		Params: []iac.Param{account, password}, TF: tf,
	}}, nil
}

// declareContacts declares the contacts.
func (j *job) declareContacts(ctx context.Context) ([]iac.Block, error) {
	list, err := j.readContacts(ctx, plugin.Source)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b contact) int { return strings.Compare(a.Email, b.Email) })
	attrs := iac.Object{{Name: "key_vault_id", Value: j.Target.Resource.ID}}
	for _, c := range list {
		one := append(iac.Nested(some("email", c.Email)), some("name", c.Name)...)
		attrs = append(attrs, iac.Attr{Name: "contact", Value: append(one, some("phone", c.Phone)...)})
	}
	return []iac.Block{{
		Name: "contacts", Note: "The certificate contacts. Azure has no ARM type for them.",
		TF: &iac.TFForm{Type: "azurerm_key_vault_certificate_contacts", Attrs: attrs, Import: j.importContacts},
	}}, nil
}

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
	b.TF.Import = j.importCertificate
	b.After = []string{"issuers/" + c.policy.Issuer}
	if c.disabled {
		b.Note += "\nDisabled at the source. Terraform's provider has no attribute for that; disable it after the deployment."
	}
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
		{Name: "action", Value: iac.Nested{{Name: "action_type", Value: string(a.Type)}}},
		{Name: "trigger", Value: iac.Nested(trigger)},
	}}
}
