package keyvault_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/google/go-cmp/cmp"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
)

func selfSigned() azcertificates.CertificatePolicy {
	return azcertificates.CertificatePolicy{
		IssuerParameters: &azcertificates.IssuerParameters{Name: to.Ptr("Self"), CertificateTransparency: to.Ptr(false)},
		KeyProperties: &azcertificates.KeyProperties{
			Curve: to.Ptr(azcertificates.CurveNameP256), Exportable: to.Ptr(true), KeySize: to.Ptr(int32(256)), KeyType: to.Ptr(azcertificates.KeyTypeEC), ReuseKey: to.Ptr(false),
		},
		LifetimeActions: []*azcertificates.LifetimeAction{{
			Action:  &azcertificates.LifetimeActionType{ActionType: to.Ptr(azcertificates.CertificatePolicyActionEmailContacts)},
			Trigger: &azcertificates.LifetimeActionTrigger{LifetimePercentage: to.Ptr(int32(98))},
		}},
		SecretProperties: &azcertificates.SecretProperties{ContentType: to.Ptr("application/x-pkcs12")},
		X509CertificateProperties: &azcertificates.X509CertificateProperties{
			EnhancedKeyUsage: []*string{to.Ptr("1.3.6.1.5.5.7.3.1")},
			KeyUsage:         []*azcertificates.KeyUsageType{to.Ptr(azcertificates.KeyUsageTypeKeyAgreement), to.Ptr(azcertificates.KeyUsageTypeDigitalSignature)},
			Subject:          to.Ptr(`CN=www.contoso.com, O="Contoso, Ltd"`),
			SubjectAlternativeNames: &azcertificates.SubjectAlternativeNames{
				DNSNames: []*string{to.Ptr("www.contoso.com")}, Emails: []*string{to.Ptr("a@contoso.com")}, UserPrincipalNames: []*string{to.Ptr("u@contoso.com")},
				IPAddresses: []*string{to.Ptr("10.1.2.3")}, URIs: []*string{to.Ptr("https://contoso.com/x")},
			},
			ValidityInMonths: to.Ptr(int32(24)),
		},
	}
}

// create makes a certificate and looks at its operation until it is completed.
func create(t *testing.T, c *azcertificates.Client, name string, in azcertificates.CreateCertificateParameters) azcertificates.Certificate {
	t.Helper()
	op, err := c.CreateCertificate(t.Context(), name, in, nil)
	check(t, err)
	for *op.Status == "inProgress" {
		got, err := c.GetCertificateOperation(t.Context(), name, nil)
		check(t, err)
		op.CertificateOperation = got.CertificateOperation
	}
	if *op.Status != "completed" || *op.Target != "https://kv1.vault.azure.net/certificates/"+name {
		t.Fatalf("operation = %+v", op.CertificateOperation)
	}
	got, err := c.GetCertificate(t.Context(), name, "", nil)
	check(t, err)
	return got.Certificate
}

func TestCreateCertificate(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{Polls: 2})
	l.vault(t, "kv1", nil)
	c := l.certs(t, "kv1")
	policy := selfSigned()
	op, err := c.CreateCertificate(t.Context(), "tls", azcertificates.CreateCertificateParameters{
		CertificatePolicy: &policy, Tags: map[string]*string{"a": to.Ptr("b")}, PreserveCertOrder: to.Ptr(true),
	}, nil)
	check(t, err)
	csr, err := x509.ParseCertificateRequest(op.CSR)
	check(t, err)
	check(t, csr.CheckSignature())
	if *op.Status != "inProgress" || *op.CancellationRequested || !*op.PreserveCertOrder || len(*op.RequestID) != 32 || csr.Subject.CommonName != "www.contoso.com" {
		t.Errorf("operation = %+v", op.CertificateOperation)
	}
	for range 2 {
		got, err := c.GetCertificateOperation(t.Context(), "tls", nil)
		check(t, err)
		if *got.Status != "inProgress" || !strings.Contains(*got.StatusDetails, "in progress") {
			t.Errorf("operation = %+v", got.CertificateOperation)
		}
	}
	cert, err := c.GetCertificate(t.Context(), "tls", "", nil) // the third look
	check(t, err)
	x, err := x509.ParseCertificate(cert.CER)
	check(t, err)
	version := cert.ID.Version()
	if cert.KID.Version() != version || cert.SID.Version() != version || *cert.Tags["a"] != "b" || !*cert.PreserveCertOrder {
		t.Errorf("certificate = %+v", cert.Certificate)
	}
	if !cert.Attributes.NotBefore.Equal(x.NotBefore) || !cert.Attributes.Expires.Equal(x.NotAfter) || !x.NotBefore.Equal(start.Add(-10*time.Minute)) || !x.NotAfter.Equal(start.AddDate(0, 24, 0)) {
		t.Errorf("validity %s to %s", x.NotBefore, x.NotAfter)
	}
	if x.Subject.Organization[0] != "Contoso, Ltd" || x.DNSNames[0] != "www.contoso.com" || x.EmailAddresses[0] != "a@contoso.com" || x.IPAddresses[0].String() != "10.1.2.3" ||
		x.URIs[0].String() != "https://contoso.com/x" || x.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement || len(x.ExtKeyUsage) != 1 || x.IsCA {
		t.Errorf("x509 = %+v", x)
	}
	check(t, x.CheckSignature(x.SignatureAlgorithm, x.RawTBSCertificate, x.Signature))

	got, err := c.GetCertificatePolicy(t.Context(), "tls", nil)
	check(t, err)
	want := selfSigned()
	slices.Reverse(want.X509CertificateProperties.KeyUsage) // the service sorts them
	want.ID, want.Attributes = got.ID, got.Attributes
	if diff := cmp.Diff(want, got.CertificatePolicy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

func TestManagedSecretAndKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, contentType string
		exportable        bool
	}{{"pfx", "application/x-pkcs12", true}, {"pem", "application/x-pem-file", true}, {"pfx-closed", "application/x-pkcs12", false}, {"pem-closed", "application/x-pem-file", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, keyvault.Options{})
			l.vault(t, "kv1", nil)
			policy := selfSigned()
			policy.SecretProperties.ContentType = to.Ptr(tt.contentType)
			policy.KeyProperties.Exportable = to.Ptr(tt.exportable)
			cert := create(t, l.certs(t, "kv1"), "tls", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy})
			s, err := l.secrets(t, "kv1").GetSecret(t.Context(), "tls", "", nil)
			check(t, err)
			if !*s.Managed || *s.ContentType != tt.contentType || *s.KID != azsecrets.ID(*cert.KID) || s.ID.Version() != cert.ID.Version() {
				t.Errorf("secret = %+v", s.Secret)
			}
			key, leaf := openSecret(t, *s.Value, tt.contentType)
			if (key != nil) != tt.exportable || !bytes.Equal(leaf.Raw, cert.CER) {
				t.Errorf("private key %v, leaf %s", key != nil, leaf.Subject)
			}
			if pub, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || key != nil && !pub.Equal(key.Public()) {
				t.Error("the key is another's")
			}
			managedRefusals(t, l)
		})
	}
}

// openSecret reads what a managed secret shows.
func openSecret(t *testing.T, value, contentType string) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	if contentType == "application/x-pem-file" {
		var key crypto.Signer
		for rest := []byte(value); ; {
			block, more := pem.Decode(rest)
			if block == nil {
				t.Fatal("no certificate")
			}
			if rest = more; block.Type == "PRIVATE KEY" {
				k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
				check(t, err)
				key, _ = k.(crypto.Signer)
				continue
			}
			leaf, err := x509.ParseCertificate(block.Bytes)
			check(t, err)
			return key, leaf
		}
	}
	data, err := base64.StdEncoding.DecodeString(value)
	check(t, err)
	if certs, err := pkcs12.DecodeTrustStore(data, ""); err == nil {
		return nil, certs[0]
	}
	k, leaf, _, err := pkcs12.DecodeChain(data, "")
	check(t, err)
	key, _ := k.(crypto.Signer)
	return key, leaf
}

// managedRefusals: the key and the secret of a certificate are written through it only.
func managedRefusals(t *testing.T, l *lab) {
	t.Helper()
	for _, step := range []struct{ method, path, body, inner string }{
		{"PUT", "secrets/tls", `{"value":"x"}`, "SecretManagedByKeyVault"},
		{"PATCH", "secrets/tls", `{"tags":{}}`, "SecretManagedByKeyVault"},
		{"DELETE", "secrets/tls", ``, "SecretManagedByKeyVault"},
		{"POST", "secrets/tls/backup", ``, "SecretManagedByKeyVault"},
		{"POST", "keys/tls/create", `{"kty":"EC"}`, "KeyManagedByKeyVault"},
		{"POST", "keys/tls/rotate", ``, "KeyManagedByKeyVault"},
		{"PUT", "keys/tls/rotationpolicy", `{}`, "KeyManagedByKeyVault"},
		{"PATCH", "keys/tls", `{}`, "KeyManagedByKeyVault"},
		{"DELETE", "keys/tls", ``, "KeyManagedByKeyVault"},
		{"POST", "keys/tls/backup", ``, "KeyManagedByKeyVault"},
	} {
		a := l.call(t, step.method, step.path, step.body)
		if code, inner, _ := a.code(t); a.status != 403 || code != "Forbidden" || inner != step.inner {
			t.Errorf("%s %s: %d %s", step.method, step.path, a.status, a.body)
		}
	}
}

func TestOutContentTypeAndLineage(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	policy := selfSigned()
	c, s := l.certs(t, "kv1"), l.secrets(t, "kv1")
	first := create(t, c, "tls", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy})
	second := create(t, c, "tls", azcertificates.CreateCertificateParameters{})
	got, err := s.GetSecret(t.Context(), "tls", "", &azsecrets.GetSecretOptions{OutContentType: to.Ptr(azsecrets.ContentTypePEM)})
	check(t, err)
	key, leaf := openSecret(t, *got.Value, "application/x-pem-file")
	if key == nil || !bytes.Equal(leaf.Raw, second.CER) || *got.ContentType != "application/x-pem-file" || *got.PreviousVersion != first.ID.Version() {
		t.Errorf("secret as PEM = %+v", got.Secret)
	}
	same, err := s.GetSecret(t.Context(), "tls", first.ID.Version(), &azsecrets.GetSecretOptions{OutContentType: to.Ptr(azsecrets.ContentTypePFX)})
	check(t, err)
	if *same.ContentType != "application/x-pkcs12" || same.PreviousVersion != nil {
		t.Errorf("secret as PFX = %+v", same.Secret)
	}
	a := l.call(t, "GET", "secrets/tls?outContentType=text/plain", "")
	if code, _, _ := a.code(t); a.status != 400 || code != "BadParameter" {
		t.Errorf("%d %s", a.status, a.body)
	}
	old := l.raw(t, "GET", "https://kv1.vault.azure.net/secrets/tls?api-version=7.4&outContentType=application/x-pem-file", token(tenantA, "https://vault.azure.net"), "")
	if old.status != 200 || strings.Contains(old.body, "previousVersion") || !strings.Contains(old.body, "application/x-pkcs12") {
		t.Errorf("an older API version: %s", old.body)
	}
}

// TestUpdateCertificate: attributes and tags spread to key and secret; the policy is one.
func TestUpdateCertificate(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c, policy := l.certs(t, "kv1"), selfSigned()
	cert := create(t, c, "tls", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy})
	exp := start.AddDate(5, 0, 0)
	up, err := c.UpdateCertificate(t.Context(), "tls", "", azcertificates.UpdateCertificateParameters{
		CertificateAttributes: &azcertificates.CertificateAttributes{Enabled: to.Ptr(false), Expires: &exp}, Tags: map[string]*string{"k": to.Ptr("v")},
	}, nil)
	check(t, err)
	if *up.Attributes.Enabled || !up.Attributes.Expires.Equal(exp) || *up.Tags["k"] != "v" {
		t.Errorf("updated = %+v", up.Certificate)
	}
	_, err = l.secrets(t, "kv1").GetSecret(t.Context(), "tls", "", nil)
	wantError(t, err, 403, "Forbidden", "SecretDisabled")
	key, err := l.keys(t, "kv1").GetKey(t.Context(), "tls", "", nil)
	check(t, err)
	if *key.Attributes.Enabled || !key.Attributes.Expires.Equal(exp) || *key.Tags["k"] != "v" || !*key.Managed {
		t.Errorf("key = %+v", key.KeyBundle)
	}
	_, err = c.GetCertificate(t.Context(), "tls", "", nil) // disabled certificates are readable
	check(t, err)
	_, err = c.UpdateCertificate(t.Context(), "tls", cert.ID.Version(), azcertificates.UpdateCertificateParameters{CertificatePolicy: &policy}, nil)
	wantError(t, err, 400, "BadParameter", "")
	changed, err := c.UpdateCertificatePolicy(t.Context(), "tls", azcertificates.CertificatePolicy{
		KeyProperties: &azcertificates.KeyProperties{
			Curve: to.Ptr(azcertificates.CurveNameP256K), KeySize: to.Ptr(int32(256)), KeyType: to.Ptr(azcertificates.KeyTypeEC), Exportable: to.Ptr(true), ReuseKey: to.Ptr(true),
		},
	}, nil)
	check(t, err)
	if *changed.KeyProperties.Curve != azcertificates.CurveNameP256K || *changed.X509CertificateProperties.Subject != *policy.X509CertificateProperties.Subject {
		t.Errorf("policy = %+v", changed.CertificatePolicy)
	}
	_, err = c.CreateCertificate(t.Context(), "tls", azcertificates.CreateCertificateParameters{}, nil)
	wantError(t, err, 400, "BadParameter", "") // the emulator signs none with that curve
}

func TestMergeCertificate(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.certs(t, "kv1")
	in := azcertificates.CreateCertificateParameters{CertificatePolicy: &azcertificates.CertificatePolicy{
		IssuerParameters: &azcertificates.IssuerParameters{Name: to.Ptr("Unknown")}, X509CertificateProperties: &azcertificates.X509CertificateProperties{Subject: to.Ptr("CN=merged")},
		KeyProperties: &azcertificates.KeyProperties{KeyType: to.Ptr(azcertificates.KeyTypeEC)},
	}}
	op, err := c.CreateCertificate(t.Context(), "m", in, nil)
	check(t, err)
	for range 5 { // it does not end by itself
		got, err := c.GetCertificateOperation(t.Context(), "m", nil)
		check(t, err)
		if *got.Status != "inProgress" || !strings.Contains(*got.StatusDetails, "Perform Merge") {
			t.Fatalf("operation = %+v", got.CertificateOperation)
		}
	}
	_, err = c.CreateCertificate(t.Context(), "m", in, nil)
	wantError(t, err, 409, "Conflict", "")
	pending, err := c.GetCertificate(t.Context(), "m", "", nil)
	check(t, err)
	if *pending.Attributes.Enabled || len(pending.CER) != 0 {
		t.Errorf("pending = %+v", pending.Certificate)
	}
	if a := l.call(t, "GET", "certificates", ""); a.body != `{"value":[],"nextLink":null}` {
		t.Errorf("certificates = %s", a.body)
	}
	if a := l.call(t, "GET", "certificates?includePending=true", ""); !strings.Contains(a.body, `"https://kv1.vault.azure.net/certificates/m"`) {
		t.Errorf("certificates with pending = %s", a.body)
	}
	a := l.call(t, "PUT", "secrets/m", `{"value":"x"}`)
	if a.status != 403 {
		t.Errorf("a secret of a pending certificate's name: %d %s", a.status, a.body)
	}
	csr, err := x509.ParseCertificateRequest(op.CSR)
	check(t, err)
	ca, caKey := authority(t)
	leaf, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: csr.Subject, NotBefore: start, NotAfter: start.AddDate(1, 0, 0),
	}, ca, csr.PublicKey, caKey)
	check(t, err)
	_, err = c.MergeCertificate(t.Context(), "m", azcertificates.MergeCertificateParameters{X509Certificates: [][]byte{ca.Raw}}, nil)
	wantError(t, err, 400, "BadParameter", "")
	merged, err := c.MergeCertificate(t.Context(), "m", azcertificates.MergeCertificateParameters{X509Certificates: [][]byte{leaf, ca.Raw}, Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	check(t, err)
	if !bytes.Equal(merged.CER, leaf) || *merged.Tags["a"] != "b" || !merged.Attributes.Expires.Equal(start.AddDate(1, 0, 0)) {
		t.Errorf("merged = %+v", merged.Certificate)
	}
	_, err = c.MergeCertificate(t.Context(), "m", azcertificates.MergeCertificateParameters{X509Certificates: [][]byte{leaf}}, nil)
	wantError(t, err, 404, "PendingCertificateNotFound", "")
	s, err := l.secrets(t, "kv1").GetSecret(t.Context(), "m", "", nil)
	check(t, err)
	data, err := base64.StdEncoding.DecodeString(*s.Value)
	check(t, err)
	if _, _, chain, err := pkcs12.DecodeChain(data, ""); err != nil || len(chain) != 1 {
		t.Errorf("chain of %d, %v", len(chain), err)
	}
}

func authority(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: start, NotAfter: start.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	check(t, err)
	ca, err := x509.ParseCertificate(der)
	check(t, err)
	return ca, key
}

func TestCertificateOperations(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", nil)
	c := l.certs(t, "kv1")
	unknown := selfSigned()
	unknown.IssuerParameters.Name = to.Ptr("unknown")
	start := func() {
		_, err := c.CreateCertificate(t.Context(), "x", azcertificates.CreateCertificateParameters{CertificatePolicy: &unknown}, nil)
		check(t, err)
	}
	start()
	up, err := c.UpdateCertificateOperation(t.Context(), "x", azcertificates.UpdateCertificateOperationParameter{CancellationRequested: to.Ptr(true)}, nil)
	check(t, err)
	if !*up.CancellationRequested || *up.Status != "cancelled" {
		t.Errorf("cancelled = %+v", up.CertificateOperation)
	}
	_, err = c.UpdateCertificateOperation(t.Context(), "x", azcertificates.UpdateCertificateOperationParameter{CancellationRequested: to.Ptr(true)}, nil)
	wantError(t, err, 409, "Conflict", "")
	start() // a cancelled operation is not in the way
	_, err = c.DeleteCertificateOperation(t.Context(), "x", nil)
	check(t, err)
	_, err = c.GetCertificate(t.Context(), "x", "", nil)
	wantError(t, err, 404, "CertificateNotFound", "")
	_, err = c.GetCertificateOperation(t.Context(), "x", nil)
	wantError(t, err, 404, "CertificateNotFound", "")

	policy := selfSigned()
	policy.KeyProperties.ReuseKey = to.Ptr(true)
	one := create(t, c, "y", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy})
	two := create(t, c, "y", azcertificates.CreateCertificateParameters{})
	a, err := x509.ParseCertificate(one.CER)
	check(t, err)
	b, err := x509.ParseCertificate(two.CER)
	check(t, err)
	if !bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) || bytes.Equal(one.CER, two.CER) {
		t.Error("the key was not used again, or the certificate was")
	}
	_, err = c.DeleteCertificateOperation(t.Context(), "y", nil)
	check(t, err)
	_, err = c.GetCertificateOperation(t.Context(), "y", nil)
	wantError(t, err, 404, "PendingCertificateNotFound", "")

	policy.IssuerParameters.Name = to.Ptr("ourca")
	_, err = c.CreateCertificate(t.Context(), "z", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy}, nil)
	wantError(t, err, 404, "CertificateIssuerNotFound", "")
	_, err = c.SetIssuer(t.Context(), "OurCA", azcertificates.SetIssuerParameters{Provider: to.Ptr("DigiCert")}, nil)
	check(t, err)
	_, err = c.CreateCertificate(t.Context(), "z", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy}, nil)
	check(t, err)
	for range 2 {
		_, err = c.GetCertificateOperation(t.Context(), "z", nil)
		check(t, err)
	}
	op, err := c.GetCertificateOperation(t.Context(), "z", nil)
	check(t, err)
	if *op.Status != "failed" || op.Error == nil {
		t.Errorf("operation with a CA = %+v", op.CertificateOperation)
	}
}

func TestCertificateSoftDelete(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{RecoverFor: 10 * time.Second})
	l.vault(t, "kv1", nil)
	l.vault(t, "kv2", nil)
	c, policy := l.certs(t, "kv1"), selfSigned()
	cert := create(t, c, "tls", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy})
	blob, err := c.BackupCertificate(t.Context(), "tls", nil)
	check(t, err)
	gone, err := c.DeleteCertificate(t.Context(), "tls", nil)
	check(t, err)
	if *gone.RecoveryID != "https://kv1.vault.azure.net/deletedcertificates/tls" || !bytes.Equal(gone.CER, cert.CER) {
		t.Errorf("deleted = %+v", gone.DeletedCertificate)
	}
	for _, path := range []string{"deletedcertificates/tls", "deletedkeys/tls", "deletedsecrets/tls", "deletedcertificates"} {
		if a := l.call(t, "GET", path, ""); a.status != 200 || !strings.Contains(a.body, "scheduledPurgeDate") {
			t.Errorf("GET %s: %d %s", path, a.status, a.body)
		}
	}
	for _, step := range [][2]string{{"POST", "deletedsecrets/tls/recover"}, {"DELETE", "deletedsecrets/tls"}, {"DELETE", "deletedkeys/tls"}} {
		if a := l.call(t, step[0], step[1], ""); a.status != 403 {
			t.Errorf("%s %s: %d %s", step[0], step[1], a.status, a.body)
		}
	}
	_, err = c.CreateCertificate(t.Context(), "tls", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy}, nil)
	wantError(t, err, 409, "Conflict", "ObjectIsDeletedButRecoverable")
	_, err = c.RecoverDeletedCertificate(t.Context(), "tls", nil)
	check(t, err)
	_, err = c.CreateCertificate(t.Context(), "tls", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy}, nil)
	wantError(t, err, 409, "Conflict", "ObjectIsBeingRecovered")
	l.advance(10 * time.Second)
	s, err := l.secrets(t, "kv1").GetSecret(t.Context(), "tls", "", nil)
	check(t, err)
	_, err = c.RestoreCertificate(t.Context(), azcertificates.RestoreCertificateParameters{CertificateBackup: blob.Value}, nil)
	wantError(t, err, 409, "Conflict", "")
	_, err = l.certs(t, "kv2").RestoreCertificate(t.Context(), azcertificates.RestoreCertificateParameters{CertificateBackup: blob.Value}, nil)
	check(t, err)
	other, err := l.secrets(t, "kv2").GetSecret(t.Context(), "tls", cert.ID.Version(), nil)
	check(t, err)
	if *other.Value != *s.Value {
		t.Error("the restored secret is another")
	}
	_, err = c.DeleteCertificate(t.Context(), "tls", nil)
	check(t, err)
	_, err = c.PurgeDeletedCertificate(t.Context(), "tls", nil)
	check(t, err)
	for _, path := range []string{"deletedcertificates/tls", "deletedkeys/tls", "deletedsecrets/tls"} {
		if a := l.call(t, "GET", path, ""); a.status != 404 {
			t.Errorf("GET %s after the purge: %d %s", path, a.status, a.body)
		}
	}
	a := l.call(t, "PUT", "secrets/tls", `{"value":"free again"}`)
	if a.status != 200 {
		t.Errorf("the name is not free: %s", a.body)
	}
	_, err = c.CreateCertificate(t.Context(), "tls", azcertificates.CreateCertificateParameters{CertificatePolicy: &policy}, nil)
	wantError(t, err, 409, "Conflict", "")
}
