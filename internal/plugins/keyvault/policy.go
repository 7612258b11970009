package keyvault

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
)

// The issuers that need no issuer object:
// https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#certificate-issuer.
const (
	issuerSelf    = "Self"
	issuerUnknown = "Unknown"
)

// certPolicy is a certificate's policy in a form that can be compared: defaults are filled in
// and lists whose order means nothing are sorted.
type certPolicy struct {
	Issuer, CertificateType string
	Transparency            bool
	KeyType                 azcertificates.KeyType
	KeySize                 int32
	Curve                   azcertificates.CurveName
	Exportable, ReuseKey    bool
	ContentType             string
	Subject                 string
	Validity                int32 // months
	DNSNames, Emails, Users []string
	Addresses, URIs         []string
	Usages                  []azcertificates.KeyUsageType
	ExtendedUsages          []string
	Actions                 []policyAction
}

type policyAction struct {
	Type       azcertificates.CertificatePolicyAction
	Days       int32 // before expiry; 0 if Percentage is set
	Percentage int32
}

func policyOf(p *azcertificates.CertificatePolicy) certPolicy {
	w := val(p)
	issuer, key, x509 := val(w.IssuerParameters), val(w.KeyProperties), val(w.X509CertificateProperties)
	names := val(x509.SubjectAlternativeNames)
	out := certPolicy{
		Issuer: val(issuer.Name), CertificateType: val(issuer.CertificateType), Transparency: val(issuer.CertificateTransparency),
		KeyType: val(key.KeyType), KeySize: val(key.KeySize), Curve: val(key.Curve),
		Exportable: key.Exportable == nil || *key.Exportable, ReuseKey: val(key.ReuseKey),
		ContentType: val(val(w.SecretProperties).ContentType),
		Subject:     strings.ReplaceAll(val(x509.Subject), ", ", ","), Validity: val(x509.ValidityInMonths),
		DNSNames: sorted(names.DNSNames), Emails: sorted(names.Emails), Users: sorted(names.UserPrincipalNames),
		Addresses: sorted(names.IPAddresses), URIs: sorted(names.URIs),
		Usages: sorted(x509.KeyUsage), ExtendedUsages: sorted(x509.EnhancedKeyUsage),
	}
	for _, a := range w.LifetimeActions {
		if a != nil {
			t := val(a.Trigger)
			out.Actions = append(out.Actions, policyAction{val(val(a.Action).ActionType), val(t.DaysBeforeExpiry), val(t.LifetimePercentage)})
		}
	}
	slices.SortFunc(out.Actions, func(a, b policyAction) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Days, b.Days), cmp.Compare(a.Percentage, b.Percentage))
	})
	return out
}

func (p certPolicy) differs(o certPolicy) []string {
	if reflect.DeepEqual(p, o) {
		return nil
	}
	return []string{"policy"}
}

// sorted returns what a list of pointers points at, in order; nil for an empty list.
func sorted[T cmp.Ordered](in []*T) []T {
	out := values(in)
	slices.Sort(out)
	return out
}

// writable returns a policy as it can be sent: without what only the service sets, and
// with the content type of the certificate that goes with it.
func writable(p *azcertificates.CertificatePolicy, contentType string) *azcertificates.CertificatePolicy {
	w := val(p)
	w.ID, w.Attributes = nil, nil
	if contentType != "" {
		w.SecretProperties = &azcertificates.SecretProperties{ContentType: &contentType}
	}
	return &w
}

// ownIssuer tells whether a certificate's issuer is an issuer object of the vault.
func (p certPolicy) ownIssuer() bool {
	return p.Issuer != "" && !strings.EqualFold(p.Issuer, issuerSelf) && !strings.EqualFold(p.Issuer, issuerUnknown)
}

// isHSM tells whether a policy's key is protected by an HSM.
func (p certPolicy) isHSM() bool { return strings.HasSuffix(string(p.KeyType), "-HSM") }
