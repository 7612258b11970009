package keyvault_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/google/go-cmp/cmp"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
)

// issued is a leaf with its key and the CA that signed it.
type issued struct {
	key  *ecdsa.PrivateKey
	leaf *x509.Certificate
	ca   *x509.Certificate
}

func issue(t *testing.T) issued {
	t.Helper()
	ca, caKey := authority(t)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	check(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(9), Subject: pkix.Name{Country: []string{"AU"}, Province: []string{"Some-State"}, Organization: []string{"Internet Widgits Pty Ltd"}},
		NotBefore: start, NotAfter: start.AddDate(10, 0, -3), DNSNames: []string{"a.example"}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign,
	}, ca, key.Public(), caKey)
	check(t, err)
	leaf, err := x509.ParseCertificate(der)
	check(t, err)
	return issued{key, leaf, ca}
}

func (i issued) pem(t *testing.T, order ...string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	check(t, err)
	blocks := map[string]*pem.Block{
		"key": {Type: "PRIVATE KEY", Bytes: der}, "leaf": {Type: "CERTIFICATE", Bytes: i.leaf.Raw}, "ca": {Type: "CERTIFICATE", Bytes: i.ca.Raw},
	}
	var out strings.Builder
	for _, o := range order {
		check(t, pem.Encode(&out, blocks[o]))
	}
	return out.String()
}

func TestImportCertificate(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.certs(t, "kv1")
	i := issue(t)
	plain, err := pkcs12.Modern2023.Encode(i.key, i.leaf, []*x509.Certificate{i.ca}, "")
	check(t, err)
	locked, err := pkcs12.LegacyDES.Encode(i.key, i.leaf, []*x509.Certificate{i.ca}, "secret")
	check(t, err)
	pemPolicy := &azcertificates.CertificatePolicy{SecretProperties: &azcertificates.SecretProperties{ContentType: to.Ptr("application/x-pem-file")}}
	tests := []struct {
		name string
		in   azcertificates.ImportCertificateParameters
	}{
		{"pfx", azcertificates.ImportCertificateParameters{Base64EncodedCertificate: to.Ptr(base64.StdEncoding.EncodeToString(plain))}},
		{"pfx-password", azcertificates.ImportCertificateParameters{Base64EncodedCertificate: to.Ptr(base64.StdEncoding.EncodeToString(locked)), Password: to.Ptr("secret")}},
		{"pem", azcertificates.ImportCertificateParameters{Base64EncodedCertificate: to.Ptr(i.pem(t, "key", "leaf", "ca")), CertificatePolicy: pemPolicy}},
		{"pem-order", azcertificates.ImportCertificateParameters{Base64EncodedCertificate: to.Ptr(i.pem(t, "ca", "leaf", "key")), CertificatePolicy: pemPolicy}},
		{"pem-kept", azcertificates.ImportCertificateParameters{Base64EncodedCertificate: to.Ptr(i.pem(t, "ca", "leaf", "key")), CertificatePolicy: pemPolicy, PreserveCertOrder: to.Ptr(true)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.in.Tags = map[string]*string{"a": to.Ptr("b")}
			tt.in.CertificateAttributes = &azcertificates.CertificateAttributes{Enabled: to.Ptr(true)}
			got, err := c.ImportCertificate(t.Context(), tt.name, tt.in, nil)
			check(t, err)
			if !bytes.Equal(got.CER, i.leaf.Raw) || *got.Tags["a"] != "b" || !got.Attributes.Expires.Equal(i.leaf.NotAfter) {
				t.Errorf("imported = %+v", got.Certificate)
			}
			s, err := l.secrets(t, "kv1").GetSecret(t.Context(), tt.name, "", nil)
			check(t, err)
			key, first := openSecret(t, *s.Value, *s.ContentType)
			if key == nil || !i.key.PublicKey.Equal(key.Public()) {
				t.Error("the secret has another key, or none")
			}
			if wantFirst := map[bool]*x509.Certificate{true: i.ca, false: i.leaf}[tt.name == "pem-kept"]; !bytes.Equal(first.Raw, wantFirst.Raw) {
				t.Errorf("the first certificate is %s", first.Subject)
			}
		})
	}
}

// TestImportedPolicy: the service completes the policy from the certificate. The words of
// the subject are those of a recorded answer.
func TestImportedPolicy(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	i := issue(t)
	got, err := l.certs(t, "kv1").ImportCertificate(t.Context(), "c", azcertificates.ImportCertificateParameters{
		Base64EncodedCertificate: to.Ptr(i.pem(t, "key", "leaf")),
		CertificatePolicy: &azcertificates.CertificatePolicy{
			SecretProperties: &azcertificates.SecretProperties{ContentType: to.Ptr("application/x-pem-file")}, KeyProperties: &azcertificates.KeyProperties{Exportable: to.Ptr(false)},
		},
	}, nil)
	check(t, err)
	p := got.Policy
	p.ID, p.Attributes = nil, nil
	want := &azcertificates.CertificatePolicy{
		IssuerParameters: &azcertificates.IssuerParameters{Name: to.Ptr("Unknown")},
		KeyProperties: &azcertificates.KeyProperties{
			Curve: to.Ptr(azcertificates.CurveNameP384), Exportable: to.Ptr(false), KeySize: to.Ptr(int32(384)), KeyType: to.Ptr(azcertificates.KeyTypeEC), ReuseKey: to.Ptr(false),
		},
		LifetimeActions: []*azcertificates.LifetimeAction{{
			Action:  &azcertificates.LifetimeActionType{ActionType: to.Ptr(azcertificates.CertificatePolicyActionEmailContacts)},
			Trigger: &azcertificates.LifetimeActionTrigger{LifetimePercentage: to.Ptr(int32(80))},
		}},
		SecretProperties: &azcertificates.SecretProperties{ContentType: to.Ptr("application/x-pem-file")},
		X509CertificateProperties: &azcertificates.X509CertificateProperties{
			EnhancedKeyUsage: []*string{}, KeyUsage: []*azcertificates.KeyUsageType{to.Ptr(azcertificates.KeyUsageTypeCRLSign), to.Ptr(azcertificates.KeyUsageTypeDigitalSignature)},
			Subject: to.Ptr("O=Internet Widgits Pty Ltd, S=Some-State, C=AU"), SubjectAlternativeNames: &azcertificates.SubjectAlternativeNames{DNSNames: []*string{to.Ptr("a.example")}},
			ValidityInMonths: to.Ptr(int32(120)),
		},
	}
	// Go orders the parts of a name in its own way; what counts is that they are there.
	subject := *p.X509CertificateProperties.Subject
	for _, part := range []string{"O=Internet Widgits Pty Ltd", "S=Some-State", "C=AU"} {
		if !strings.Contains(subject, part) {
			t.Errorf("subject %q lacks %q", subject, part)
		}
	}
	want.X509CertificateProperties.Subject = &subject
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	s, err := l.secrets(t, "kv1").GetSecret(t.Context(), "c", "", nil)
	check(t, err)
	if key, _ := openSecret(t, *s.Value, *s.ContentType); key != nil {
		t.Error("the secret shows a key that cannot be exported")
	}
}

func TestImportRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	i, other := issue(t), issue(t)
	locked, err := pkcs12.LegacyDES.Encode(i.key, i.leaf, nil, "secret")
	check(t, err)
	trust, err := pkcs12.LegacyDES.EncodeTrustStore([]*x509.Certificate{i.ca}, "")
	check(t, err)
	asPEM := &azcertificates.CertificatePolicy{SecretProperties: &azcertificates.SecretProperties{ContentType: to.Ptr("application/x-pem-file")}}
	asText := &azcertificates.CertificatePolicy{SecretProperties: &azcertificates.SecretProperties{ContentType: to.Ptr("text/plain")}}
	asRSA := &azcertificates.CertificatePolicy{SecretProperties: asPEM.SecretProperties, KeyProperties: &azcertificates.KeyProperties{KeyType: to.Ptr(azcertificates.KeyTypeRSA)}}
	sec1, err := x509.MarshalECPrivateKey(i.key)
	check(t, err)
	tests := []struct {
		name   string
		value  string
		policy *azcertificates.CertificatePolicy
	}{
		{"nothing", "", nil},
		{"PEM without a policy that says so", i.pem(t, "key", "leaf"), nil},
		{"wrong password", base64.StdEncoding.EncodeToString(locked), nil},
		{"no key in the PFX", base64.StdEncoding.EncodeToString(trust), nil},
		{"garbage", "!!!", nil},
		{"not a PFX", base64.StdEncoding.EncodeToString([]byte("not a PFX")), nil},
		{"no key in the PEM", i.pem(t, "leaf"), asPEM},
		{"no certificate", i.pem(t, "key"), asPEM},
		{"another's key", i.pem(t, "key") + other.pem(t, "leaf"), asPEM},
		{"two keys", i.pem(t, "key", "key", "leaf"), asPEM},
		{"not PKCS#8", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})) + i.pem(t, "leaf"), asPEM},
		{"content type", i.pem(t, "key", "leaf"), asText},
		{"other key type", i.pem(t, "key", "leaf"), asRSA},
	}
	for _, tt := range tests {
		_, err := l.certs(t, "kv1").ImportCertificate(t.Context(), "c", azcertificates.ImportCertificateParameters{Base64EncodedCertificate: &tt.value, CertificatePolicy: tt.policy}, nil)
		if err == nil {
			t.Errorf("%s: imported", tt.name)
			continue
		}
		wantError(t, err, 400, "BadParameter", "")
	}
	for _, body := range []string{
		`{}`, `{"policy":{}}`, `{"policy":{"issuer":{"name":"Self"}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"nonsense"}}}`, `{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"ZZ=x"}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x","validity_months":-1}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x","ekus":["x"]}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x","key_usage":["x"]}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x","sans":{"ipAddresses":["x"]}}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x"},"key_props":{"kty":"oct"}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x"},"key_props":{"kty":"EC-HSM"}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x"},"key_props":{"kty":"EC-HSM","exportable":true}}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x"},"lifetime_actions":[{"trigger":{},"action":{"action_type":"AutoRenew"}}]}}`,
		`{"policy":{"issuer":{"name":"Self"},"x509_props":{"subject":"CN=x"},"lifetime_actions":[{"trigger":{"lifetime_percentage":80},"action":{"action_type":"Explode"}}]}}`,
	} {
		if a := l.call(t, "POST", "certificates/c/create", body); a.status != 400 {
			t.Errorf("create %s: %d %s", body, a.status, a.body)
		}
	}
}

func TestIssuersAndContacts(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.certs(t, "kv1")
	set, err := c.SetIssuer(t.Context(), "Digi", azcertificates.SetIssuerParameters{
		Provider: to.Ptr("DigiCert"), Credentials: &azcertificates.IssuerCredentials{AccountID: to.Ptr("acc"), Password: to.Ptr("topsecret")},
		OrganizationDetails: &azcertificates.OrganizationDetails{ID: to.Ptr("org"), AdminContacts: []*azcertificates.AdministratorContact{{Email: to.Ptr("a@b.c"), FirstName: to.Ptr("A")}}},
	}, nil)
	check(t, err)
	if *set.ID != "https://kv1.vault.azure.net/certificates/issuers/Digi" || *set.Credentials.AccountID != "acc" || set.Credentials.Password != nil || !*set.Attributes.Enabled {
		t.Errorf("issuer = %+v", set.Issuer)
	}
	up, err := c.UpdateIssuer(t.Context(), "digi", azcertificates.UpdateIssuerParameters{Attributes: &azcertificates.IssuerAttributes{Enabled: to.Ptr(false)}}, nil)
	check(t, err)
	if *up.Attributes.Enabled || *up.Provider != "DigiCert" || *up.OrganizationDetails.AdminContacts[0].Email != "a@b.c" {
		t.Errorf("updated = %+v", up.Issuer)
	}
	if a := l.call(t, "GET", "certificates/issuers/digi", ""); strings.Contains(a.body, "topsecret") || a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, n := range []string{"a", "z"} {
		_, err := c.SetIssuer(t.Context(), n, azcertificates.SetIssuerParameters{Provider: to.Ptr("Test")}, nil)
		check(t, err)
	}
	if a := l.call(t, "GET", "certificates/issuers?maxresults=2", ""); !strings.Contains(a.body, "/issuers/Digi") || strings.Contains(a.body, "/issuers/z") || !strings.Contains(a.body, "skiptoken") {
		t.Errorf("page = %s", a.body)
	}
	names := ""
	for pager := c.NewListIssuerPropertiesPager(nil); pager.More(); {
		p, err := pager.NextPage(t.Context())
		check(t, err)
		for _, i := range p.Value {
			names += (*i.ID)[strings.LastIndex(*i.ID, "/"):]
		}
	}
	if names != "/a/Digi/z" {
		t.Errorf("issuers = %s", names)
	}
	_, err = c.DeleteIssuer(t.Context(), "DIGI", nil)
	check(t, err)
	_, err = c.GetIssuer(t.Context(), "Digi", nil)
	wantError(t, err, 404, "CertificateIssuerNotFound", "")
	_, err = c.DeleteIssuer(t.Context(), "Digi", nil)
	wantError(t, err, 404, "CertificateIssuerNotFound", "")
	_, err = c.UpdateIssuer(t.Context(), "Digi", azcertificates.UpdateIssuerParameters{}, nil)
	wantError(t, err, 404, "CertificateIssuerNotFound", "")
	if a := l.call(t, "PUT", "certificates/issuers/x", `{}`); a.status != 400 {
		t.Errorf("an issuer without provider: %d %s", a.status, a.body)
	}

	_, err = c.GetContacts(t.Context(), nil)
	wantError(t, err, 404, "ContactsNotFound", "")
	_, err = c.DeleteContacts(t.Context(), nil)
	wantError(t, err, 404, "ContactsNotFound", "")
	_, err = c.SetContacts(t.Context(), azcertificates.Contacts{}, nil)
	wantError(t, err, 400, "BadParameter", "")
	in := azcertificates.Contacts{ContactList: []*azcertificates.Contact{{Email: to.Ptr("a@b.c"), Name: to.Ptr("A"), Phone: to.Ptr("1")}}}
	_, err = c.SetContacts(t.Context(), in, nil)
	check(t, err)
	got, err := c.GetContacts(t.Context(), nil)
	check(t, err)
	if *got.ID != "https://kv1.vault.azure.net/certificates/contacts" || *got.ContactList[0].Email != "a@b.c" {
		t.Errorf("contacts = %+v", got.Contacts)
	}
	_, err = c.DeleteContacts(t.Context(), nil)
	check(t, err)
}
