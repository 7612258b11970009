package vault

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/issuers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// CreateCertificate starts the making of a certificate or of a new version by its
// policy. A self-signed one is completed after some looks at it; one of issuer Unknown
// waits for a merge; one of an issuer object fails, for the emulator reaches no
// certification authority.
func (v *Vault) CreateCertificate(name string, in CertificateIn) (Operation, *wire.Error) {
	if err := checkTags(in.Tags, maxObjectTag); err != nil {
		return Operation{}, err
	}
	policy, reuse, err := v.startable(name, in)
	if err != nil {
		return Operation{}, err
	}
	op, err := v.prepare(policy, reuse, in)
	if err != nil {
		return Operation{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := v.claimCert(name)
	if err != nil {
		return Operation{}, err
	}
	if c == nil {
		c = &certificate{Name: name}
		v.certs.Put(name, c)
	}
	c.Policy = v.stampPolicy(policy, c.Policy.Attributes)
	c.Operation = op
	return v.showOperation(c), nil
}

// startable finds the policy to work by and the key to use again, if any.
func (v *Vault) startable(name string, in CertificateIn) (pki.Policy, *jwk.Key, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := v.claimCert(name)
	if err != nil {
		return pki.Policy{}, nil, err
	}
	var given pki.Policy
	switch {
	case in.Policy != nil:
		given = *in.Policy
	case c != nil:
		given = c.Policy
	default:
		return pki.Policy{}, nil, missing()
	}
	p, bad := given.Normal()
	if bad != nil {
		return p, nil, BadParameter("%s", bad.Error())
	}
	if p.X509 == nil || p.X509.Subject == "" && p.X509.SANs == nil {
		return p, nil, BadParameter("Property x509_props has invalid value: the policy has neither a subject nor subject alternative names")
	}
	if p.Key.Curve == jwk.P256K {
		return p, nil, BadParameter("Property crv has invalid value: the emulator signs no certificates with P-256K")
	}
	if err := v.hardware(jwk.IsHSM(p.Key.Kty), KeyIn{}); err != nil {
		return p, nil, err
	}
	return p, v.keyToReuse(c, p), v.knownIssuer(p)
}

func (v *Vault) keyToReuse(c *certificate, p pki.Policy) *jwk.Key {
	if c == nil || p.Key.ReuseKey == nil || !*p.Key.ReuseKey {
		return nil
	}
	k := v.keys.Find(c.Name, v.now()).Object
	if k == nil {
		return nil
	}
	last := k.latest().Material
	if last.Spec() != (jwk.Spec{Kty: p.Key.Kty, Size: p.Key.Size, Curve: p.Key.Curve}) {
		return nil
	}
	return last
}

// claimCert is claim for a certificate: its key and its secret must be free, too, and no
// operation may be in progress. How the service takes a key or secret of the same name
// that stands by itself is not known; the emulator refuses.
func (v *Vault) claimCert(name string) (*certificate, *wire.Error) {
	now := v.now()
	c, err := claim(&v.certs, kindCert, name, now)
	if err != nil {
		return nil, err
	}
	if c != nil {
		v.advance(c)
		if c.Operation != nil && c.Operation.Status == inProgress {
			return nil, conflict("", "A certificate operation for %s is in progress. Complete or delete it first.", name)
		}
	}
	k, err := claim(&v.keys, kindKey, name, now)
	if err != nil {
		return nil, err
	}
	s, err := claim(&v.secrets, kindSecret, name, now)
	if err != nil {
		return nil, err
	}
	if k != nil && !k.Managed || s != nil && !s.Managed {
		return nil, conflict("", "A key or secret with the name %s exists in this key vault and is not managed by a certificate.", name)
	}
	return c, nil
}

// knownIssuer refuses a policy that names an issuer which the vault does not have.
func (v *Vault) knownIssuer(p pki.Policy) *wire.Error {
	if p.Issuer.Name == pki.Self || p.Issuer.Name == pki.Unknown {
		return nil
	}
	if !v.Book.Has(p.Issuer.Name) {
		return issuers.NotFound()
	}
	return nil
}

// prepare does the slow work of an operation: key, signing request, certificate.
func (v *Vault) prepare(p pki.Policy, material *jwk.Key, in CertificateIn) (*operation, *wire.Error) {
	var err error
	if material == nil {
		if material, err = jwk.Generate(jwk.Spec{Kty: p.Key.Kty, Size: p.Key.Size, Curve: p.Key.Curve}); err != nil {
			return nil, unusable(err)
		}
	}
	op := &operation{
		RequestID: strings.ReplaceAll(uuid.NewString(), "-", ""), Status: inProgress, Polls: v.opt.Polls, Created: v.now().Unix(),
		Key: material, Tags: keepTags(in.Tags), Attributes: in.Attributes, KeepOrder: in.KeepOrder, Issuer: *p.Issuer,
	}
	if op.CSR, err = pki.Request(p, signer(material)); err != nil {
		return nil, unusable(err)
	}
	if p.Issuer.Name == pki.Self {
		if op.Cert, err = pki.SelfSigned(p, signer(material), v.now()); err != nil {
			return nil, unusable(err)
		}
	}
	return op, nil
}

func signer(k *jwk.Key) crypto.Signer {
	s, _ := k.Private().(crypto.Signer)
	return s
}

// ImportCertificate makes a certificate or a new version of a PFX or of PEM text with
// the private key.
func (v *Vault) ImportCertificate(name string, in CertificateIn) (Certificate, *wire.Error) {
	if in.Value == nil || *in.Value == "" {
		return Certificate{}, missing()
	}
	if err := checkTags(in.Tags, maxObjectTag); err != nil {
		return Certificate{}, err
	}
	policy, bundle, material, bad := readImport(in)
	if bad != nil {
		return Certificate{}, BadParameter("%s", bad.Error())
	}
	ver, err := v.newVersion(bundle.Leaf, bundle.Certs, in.Attributes, in.Tags)
	if err != nil {
		return Certificate{}, err
	}
	ver.KeepOrder = in.KeepOrder
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.hardware(jwk.IsHSM(policy.Key.Kty), KeyIn{}); err != nil {
		return Certificate{}, err
	}
	c, err := v.claimCert(name)
	if err != nil {
		return Certificate{}, err
	}
	if err := v.knownIssuer(policy); err != nil {
		return Certificate{}, err
	}
	if c == nil {
		c = &certificate{Name: name}
	}
	c.Policy = v.stampPolicy(policy, c.Policy.Attributes)
	if bad := v.addVersion(c, ver, material, c.Policy); bad != nil {
		return Certificate{}, unusable(bad)
	}
	c.Operation = nil
	v.certs.Put(name, c)
	return v.showCert(c, c.latest()), nil
}

func readImport(in CertificateIn) (pki.Policy, *pki.Bundle, *jwk.Key, error) {
	var given pki.Policy
	if in.Policy != nil {
		given = *in.Policy
	}
	contentType, password := pki.PFX, ""
	if given.Secret != nil && given.Secret.ContentType != "" {
		contentType = given.Secret.ContentType
	}
	if in.Password != nil {
		password = *in.Password
	}
	bundle, err := pki.Read(*in.Value, password, contentType, in.KeepOrder != nil && *in.KeepOrder)
	if err != nil {
		return given, nil, nil, err
	}
	material, err := jwk.FromPrivate(bundle.Key, given.Key != nil && jwk.IsHSM(given.Key.Kty))
	if err != nil {
		return given, nil, nil, err
	}
	policy, err := pki.Describe(given, bundle.Leaf, material)
	return policy, bundle, material, err
}

// newVersion makes a version of certificates; its validity is the leaf's.
func (v *Vault) newVersion(leaf *x509.Certificate, certs [][]byte, in *AttributesIn, tags map[string]string) (certVersion, *wire.Error) {
	nbf, exp := leaf.NotBefore.Unix(), leaf.NotAfter.Unix()
	a := &AttributesIn{NotBefore: &nbf, Expires: &exp}
	if in != nil {
		a.Enabled = in.Enabled
	}
	st, err := fresh(v.now().Unix(), a)
	return certVersion{ID: newVersionID(), Certs: certs, Leaf: leaf.Raw, Tags: keepTags(tags), stamps: st}, err
}

// MergeCertificate completes an operation with the certificate that an authority made of
// its signing request.
func (v *Vault) MergeCertificate(name string, in CertificateIn) (Certificate, *wire.Error) {
	if len(in.X5C) == 0 {
		return Certificate{}, missing()
	}
	if err := checkTags(in.Tags, maxObjectTag); err != nil {
		return Certificate{}, err
	}
	certs := make([][]byte, 0, len(in.X5C))
	for _, text := range in.X5C {
		if text == nil {
			return Certificate{}, missing()
		}
		der, bad := base64.StdEncoding.DecodeString(*text)
		if bad != nil {
			return Certificate{}, BadParameter("Property x5c has invalid value")
		}
		certs = append(certs, der)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := existing(&v.certs, kindCert, name, "", v.now())
	if err != nil {
		return Certificate{}, err
	}
	op := c.Operation
	if op == nil || op.Status != inProgress || op.Cancelled || op.Cert != nil {
		return Certificate{}, pendingNotFound(name)
	}
	return v.merge(c, op, certs, in)
}

func (v *Vault) merge(c *certificate, op *operation, certs [][]byte, in CertificateIn) (Certificate, *wire.Error) {
	leaf, ok := pki.Matches(certs[0], signer(op.Key))
	if !ok {
		return Certificate{}, BadParameter("Property x5c has invalid value X5C: Public key from x509 certificate and key of this instance doesn't match")
	}
	attributes, tags := op.Attributes, op.Tags
	if in.Attributes != nil {
		attributes = in.Attributes
	}
	if in.Tags != nil {
		tags = in.Tags
	}
	if err := v.complete(c, op, leaf, certs, attributes, tags); err != nil {
		return Certificate{}, err
	}
	return v.showCert(c, c.latest()), nil
}

// complete makes the version that an operation was for.
func (v *Vault) complete(c *certificate, op *operation, leaf *x509.Certificate, certs [][]byte, a *AttributesIn, tags map[string]string) *wire.Error {
	ver, err := v.newVersion(leaf, certs, a, tags)
	if err != nil {
		return err
	}
	ver.KeepOrder = op.KeepOrder
	if bad := v.addVersion(c, ver, op.Key, c.Policy); bad != nil {
		return unusable(bad)
	}
	op.Status, op.Details, op.Completed = completed, "", time.Unix(ver.Created, 0)
	op.Key, op.Cert = nil, nil
	return nil
}
