// Package pki is the X.509 side of Key Vault certificates: the certificate policy with the
// service's defaults and checks, distinguished names, self-signed certificates and
// signing requests made from a policy, and the PFX and PEM bundles that are imported and
// that the managed secret of a certificate shows.
//
// The shapes are those of the REST reference of Key Vault certificates (CertificatePolicy).
// Defaults and normal forms follow recorded answers of the service: key usages come back in
// alphabetical order, both TLS purposes are the default extended key usages.
package pki

import (
	"encoding/asn1"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
)

// The content types of a certificate's secret.
const (
	PFX = "application/x-pkcs12"
	PEM = "application/x-pem-file"
)

// The reserved issuer names.
const (
	Self    = "Self"
	Unknown = "Unknown"
)

// Policy is a certificate's management policy.
type Policy struct {
	ID         string            `json:"id,omitempty"`
	Key        *KeyProps         `json:"key_props,omitempty"`
	Secret     *SecretProps      `json:"secret_props,omitempty"`
	X509       *X509Props        `json:"x509_props,omitempty"`
	Lifetime   []LifetimeAction  `json:"lifetime_actions,omitempty"`
	Issuer     *IssuerParams     `json:"issuer,omitempty"`
	Attributes *PolicyAttributes `json:"attributes,omitempty"`
}

// KeyProps describes the key pair.
type KeyProps struct {
	Exportable *bool  `json:"exportable,omitempty"`
	Kty        string `json:"kty,omitempty"`
	Size       int    `json:"key_size,omitempty"`
	Curve      string `json:"crv,omitempty"`
	ReuseKey   *bool  `json:"reuse_key,omitempty"`
}

// SecretProps describes the secret that shows the certificate.
type SecretProps struct {
	ContentType string `json:"contentType,omitempty"`
}

// X509Props describes the X.509 certificate.
type X509Props struct {
	Subject        string            `json:"subject"`
	SANs           *SANs             `json:"sans,omitempty"`
	EKUs           []string          `json:"ekus"`
	KeyUsage       []string          `json:"key_usage"`
	ValidityMonths int               `json:"validity_months,omitempty"`
	Basic          *BasicConstraints `json:"basic_constraints,omitempty"`
}

// BasicConstraints tells whether the certificate is a CA's.
type BasicConstraints struct {
	CA bool `json:"ca"`
}

// SANs are subject alternative names.
type SANs struct {
	Emails []string `json:"emails,omitempty"`
	DNS    []string `json:"dns_names,omitempty"`
	UPNs   []string `json:"upns,omitempty"`
	URIs   []string `json:"uris,omitempty"`
	IPs    []string `json:"ipAddresses,omitempty"`
}

// LifetimeAction is what happens before a certificate expires.
type LifetimeAction struct {
	Trigger Trigger `json:"trigger"`
	Action  Action  `json:"action"`
}

// Trigger says when; exactly one member is set.
type Trigger struct {
	Percentage int `json:"lifetime_percentage,omitempty"`
	Days       int `json:"days_before_expiry,omitempty"`
}

// Action says what: AutoRenew or EmailContacts.
type Action struct {
	Type string `json:"action_type"`
}

// IssuerParams names who signs: Self, Unknown, or an issuer object of the vault.
type IssuerParams struct {
	Name         string `json:"name,omitempty"`
	Type         string `json:"cty,omitempty"`
	Transparency *bool  `json:"cert_transparency,omitempty"`
}

// PolicyAttributes are the policy's own; times in Unix seconds.
type PolicyAttributes struct {
	Enabled *bool `json:"enabled,omitempty"`
	Created int64 `json:"created,omitempty"`
	Updated int64 `json:"updated,omitempty"`
}

// Invalid is a policy or a bundle that the service refuses. Its text is an answer to the
// caller.
type Invalid struct{ Text string }

// Error implements error.
func (e *Invalid) Error() string { return e.Text }

func invalid(format string, args ...any) error { return &Invalid{Text: fmt.Sprintf(format, args...)} }

// Exportable tells whether the private key may be read through the secret.
func (p Policy) Exportable() bool {
	return p.Key != nil && p.Key.Exportable != nil && *p.Key.Exportable
}

// Merge returns p with each section that q has in its place.
func (p Policy) Merge(q Policy) Policy {
	if q.Key != nil {
		p.Key = q.Key
	}
	if q.Secret != nil {
		p.Secret = q.Secret
	}
	if q.X509 != nil {
		p.X509 = q.X509
	}
	if q.Lifetime != nil {
		p.Lifetime = q.Lifetime
	}
	if q.Issuer != nil {
		p.Issuer = q.Issuer
	}
	return p
}

// Normal returns the policy with the service's defaults and in its normal form, or an
// Invalid. The policy of an imported certificate may lack a subject and usages.
func (p Policy) Normal() (Policy, error) {
	for _, step := range []func(*Policy) error{normalIssuer, normalKey, normalSecret, normalX509, normalLifetime} {
		if err := step(&p); err != nil {
			return p, err
		}
	}
	return p, nil
}

func normalIssuer(p *Policy) error {
	if p.Issuer == nil || p.Issuer.Name == "" {
		return invalid("Property issuer has invalid value: the policy names no issuer")
	}
	issuer := *p.Issuer
	for _, reserved := range []string{Self, Unknown} {
		if strings.EqualFold(issuer.Name, reserved) {
			issuer.Name = reserved
		}
	}
	p.Issuer = &issuer
	return nil
}

func normalKey(p *Policy) error {
	k := KeyProps{}
	if p.Key != nil {
		k = *p.Key
	}
	if k.Kty == "" {
		k.Kty = jwk.RSA
	}
	if k.Curve != "" && k.Size == 0 && k.Kty == jwk.RSA {
		return invalid("Property crv has invalid value: an RSA key has no curve")
	}
	spec, err := jwk.Spec{Kty: k.Kty, Size: k.Size, Curve: k.Curve}.Normal()
	if err != nil {
		return invalid("%s", err.Error())
	}
	k.Size, k.Curve = spec.Size, spec.Curve
	if k.Exportable == nil {
		yes := !jwk.IsHSM(k.Kty)
		k.Exportable = &yes
	}
	if *k.Exportable && jwk.IsHSM(k.Kty) {
		return invalid("Property exportable has invalid value: the key of type %s cannot be exported", k.Kty)
	}
	if k.ReuseKey == nil {
		no := false
		k.ReuseKey = &no
	}
	p.Key = &k
	return nil
}

func normalSecret(p *Policy) error {
	if p.Secret == nil || p.Secret.ContentType == "" {
		p.Secret = &SecretProps{ContentType: PFX}
	}
	if p.Secret.ContentType != PFX && p.Secret.ContentType != PEM {
		return invalid("Property contentType has invalid value %q: it is %s or %s", p.Secret.ContentType, PFX, PEM)
	}
	return nil
}

func normalX509(p *Policy) error {
	if p.X509 == nil {
		return nil
	}
	x := *p.X509
	if x.EKUs == nil {
		x.EKUs = []string{"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}
	}
	if x.KeyUsage == nil {
		x.KeyUsage = []string{"digitalSignature", "keyEncipherment"}
	}
	x.KeyUsage = slices.Sorted(slices.Values(x.KeyUsage))
	if x.ValidityMonths == 0 {
		x.ValidityMonths = 12
	}
	if x.Basic == nil {
		x.Basic = &BasicConstraints{}
	}
	p.X509 = &x
	return x.check()
}

func (x X509Props) check() error {
	if x.ValidityMonths < 1 || x.ValidityMonths > 1200 {
		return invalid("Property validity_months has invalid value %d", x.ValidityMonths)
	}
	if _, err := ParseName(x.Subject); err != nil {
		return err
	}
	for _, oid := range x.EKUs {
		if _, err := parseOID(oid); err != nil {
			return invalid("Property ekus has invalid value %q", oid)
		}
	}
	for _, u := range x.KeyUsage {
		if _, ok := keyUsages[u]; !ok {
			return invalid("Property key_usage has invalid value %q", u)
		}
	}
	if x.SANs == nil {
		return nil
	}
	for _, ip := range x.SANs.IPs {
		if net.ParseIP(ip) == nil {
			return invalid("Property ipAddresses has invalid value %q", ip)
		}
	}
	for _, u := range x.SANs.URIs {
		if _, err := url.Parse(u); err != nil {
			return invalid("Property uris has invalid value %q", u)
		}
	}
	return nil
}

func normalLifetime(p *Policy) error {
	if p.Lifetime == nil {
		action := "AutoRenew"
		if p.Issuer.Name == Unknown {
			action = "EmailContacts"
		}
		p.Lifetime = []LifetimeAction{{Trigger: Trigger{Percentage: 80}, Action: Action{Type: action}}}
	}
	for _, a := range p.Lifetime {
		if a.Action.Type != "AutoRenew" && a.Action.Type != "EmailContacts" {
			return invalid("Property action_type has invalid value %q", a.Action.Type)
		}
		if (a.Trigger.Percentage == 0) == (a.Trigger.Days == 0) {
			return invalid("Property trigger has invalid value: set lifetime_percentage or days_before_expiry")
		}
		if a.Trigger.Percentage < 0 || a.Trigger.Percentage > 99 || a.Trigger.Days < 0 {
			return invalid("Property trigger has invalid value")
		}
	}
	return nil
}

func parseOID(text string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, invalid("%q is no object identifier", text)
		}
		oid = append(oid, n)
	}
	if len(oid) < 2 {
		return nil, invalid("%q is no object identifier", text)
	}
	return oid, nil
}
