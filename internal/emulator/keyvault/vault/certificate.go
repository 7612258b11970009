package vault

import (
	"crypto/sha1" //nolint:gosec // x5t is defined as the SHA-1 thumbprint
	"slices"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// certificate is a certificate with its versions, oldest first, its one policy and
// perhaps an operation. A key and a secret of the same name, with the same versions, go
// with it; they hold the private key and what it shows.
type certificate struct {
	Name      string
	Versions  []certVersion
	Policy    pki.Policy
	Operation *operation
}

type certVersion struct {
	ID        versionID
	Certs     [][]byte // the leaf and its chain, in the order in which they are shown
	Leaf      []byte
	KeepOrder *bool
	Tags      map[string]string
	stamps
}

func (c *certificate) latest() *certVersion {
	if len(c.Versions) == 0 {
		return nil
	}
	return &c.Versions[len(c.Versions)-1]
}

func (c *certificate) version(id string) *certVersion {
	if id == "" {
		return c.latest()
	}
	for i := range c.Versions {
		if c.Versions[i].ID.String() == id {
			return &c.Versions[i]
		}
	}
	return nil
}

// Certificate is a CertificateBundle or its deleted form.
type Certificate struct {
	*Gone
	ID         string            `json:"id"`
	KID        string            `json:"kid,omitempty"`
	SID        string            `json:"sid,omitempty"`
	X5T        Bytes             `json:"x5t,omitempty"`
	CER        []byte            `json:"cer"`
	Attributes Attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	Policy     *pki.Policy       `json:"policy,omitempty"`
	Pending    *Reference        `json:"pending,omitempty"`
	KeepOrder  *bool             `json:"preserveCertOrder,omitempty"`
}

// Reference is an identifier by itself.
type Reference struct {
	ID string `json:"id"`
}

// CertificateItem is a CertificateItem or its deleted form.
type CertificateItem struct {
	*Gone
	ID         string            `json:"id"`
	X5T        Bytes             `json:"x5t,omitempty"`
	Attributes Attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
}

// CertificateIn is the body of create, import, merge and update.
type CertificateIn struct {
	Value      *string           `json:"value"`
	Password   *string           `json:"pwd"`
	X5C        []*string         `json:"x5c"`
	Policy     *pki.Policy       `json:"policy"`
	Attributes *AttributesIn     `json:"attributes"`
	Tags       map[string]string `json:"tags"`
	KeepOrder  *bool             `json:"preserveCertOrder"`
}

// GetCertificate reads a certificate; disabled ones, too. A look at a certificate moves
// its operation on, as a look at the operation does.
func (v *Vault) GetCertificate(name, version string) (Certificate, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := v.certs.Get(name, v.now())
	if !ok {
		return Certificate{}, kindCert.notFound(name, version)
	}
	v.advance(c)
	ver := c.version(version)
	if ver == nil && (version != "" || c.Operation == nil) {
		return Certificate{}, kindCert.notFound(name, version)
	}
	return v.showCert(c, ver), nil
}

// UpdateCertificate changes attributes and tags of a version, on its key and its secret,
// too; without a version it may also bring a policy.
func (v *Vault) UpdateCertificate(name, version string, in CertificateIn) (Certificate, *wire.Error) {
	if err := checkTags(in.Tags, maxObjectTag); err != nil {
		return Certificate{}, err
	}
	// That a policy is refused together with a version is known; the words are not.
	if in.Policy != nil && version != "" {
		return Certificate{}, BadParameter("Policy cannot be updated on a specific version of the certificate")
	}
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := existing(&v.certs, kindCert, name, version, now)
	if err != nil {
		return Certificate{}, err
	}
	ver := c.version(version)
	if ver == nil {
		return Certificate{}, kindCert.notFound(name, version)
	}
	if in.Policy != nil {
		if err := v.mergePolicy(c, *in.Policy); err != nil {
			return Certificate{}, err
		}
	}
	if err := ver.apply(now.Unix(), in.Attributes); err != nil {
		return Certificate{}, err
	}
	if in.Tags != nil {
		ver.Tags = keepTags(in.Tags)
	}
	v.spread(c, ver)
	return v.showCert(c, ver), nil
}

// spread gives the key and the secret of a version its attributes and tags.
func (v *Vault) spread(c *certificate, ver *certVersion) {
	id := ver.ID.String()
	if k := v.keys.Find(c.Name, v.now()).Object; k != nil {
		if kv := k.version(id); kv != nil {
			kv.stamps, kv.Tags = ver.stamps, ver.Tags
		}
	}
	if s := v.secrets.Find(c.Name, v.now()).Object; s != nil {
		if sv := s.version(id); sv != nil {
			sv.stamps, sv.Tags = ver.stamps, ver.Tags
		}
	}
}

// GetPolicy reads a certificate's policy.
func (v *Vault) GetPolicy(name string) (pki.Policy, *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	c, ok := v.certs.Get(name, v.now())
	if !ok {
		return pki.Policy{}, kindCert.notFound(name, "")
	}
	return v.showPolicy(c), nil
}

// UpdatePolicy replaces the sections of a policy that are given.
func (v *Vault) UpdatePolicy(name string, in pki.Policy) (pki.Policy, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := existing(&v.certs, kindCert, name, "", v.now())
	if err != nil {
		return pki.Policy{}, err
	}
	if err := v.mergePolicy(c, in); err != nil {
		return pki.Policy{}, err
	}
	return v.showPolicy(c), nil
}

func (v *Vault) mergePolicy(c *certificate, in pki.Policy) *wire.Error {
	p, bad := c.Policy.Merge(in).Normal()
	if bad != nil {
		return BadParameter("%s", bad.Error())
	}
	if err := v.hardware(jwk.IsHSM(p.Key.Kty), KeyIn{}); err != nil {
		return err
	}
	if err := v.knownIssuer(p); err != nil {
		return err
	}
	c.Policy = v.stampPolicy(p, c.Policy.Attributes)
	return nil
}

// stampPolicy sets the policy's own attributes.
func (v *Vault) stampPolicy(p pki.Policy, old *pki.PolicyAttributes) pki.Policy {
	now, enabled := v.now().Unix(), true
	a := &pki.PolicyAttributes{Enabled: &enabled, Created: now, Updated: now}
	if old != nil {
		a.Created = old.Created
	}
	p.Attributes = a
	return p
}

// ListCertificates lists the latest version of each certificate; with pending, also
// those whose first version is not made yet.
func (v *Vault) ListCertificates(marker string, n int, pending bool) Page[CertificateItem] {
	v.mu.RLock()
	defer v.mu.RUnlock()
	page, next := v.certs.Page(marker, n, v.now(), func(c *certificate) bool { return pending || len(c.Versions) > 0 })
	return Page[CertificateItem]{Items: items(page, func(c *certificate) CertificateItem { return v.certItem(c, c.latest(), "") }), Marker: next}
}

// ListCertificateVersions lists the versions of a certificate in the order of their
// identifiers.
func (v *Vault) ListCertificateVersions(name, marker string, n int) Page[CertificateItem] {
	v.mu.RLock()
	defer v.mu.RUnlock()
	c, ok := v.certs.Get(name, v.now())
	if !ok {
		return Page[CertificateItem]{Items: []CertificateItem{}}
	}
	return versionPage(c.Versions, func(ver *certVersion) versionID { return ver.ID }, marker, n, func(ver *certVersion) CertificateItem {
		return v.certItem(c, ver, ver.ID.String())
	})
}

// DeleteCertificate deletes a certificate with its key and its secret.
func (v *Vault) DeleteCertificate(name string) (Certificate, *wire.Error) {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	c, err := existing(&v.certs, kindCert, name, "", now)
	if err != nil {
		return Certificate{}, err
	}
	if len(c.Versions) > 0 {
		bury(v, &v.keys, c.Name, now)
		bury(v, &v.secrets, c.Name, now)
	}
	return v.goneCert(bury(v, &v.certs, c.Name, now)), nil
}

// GetDeletedCertificate reads a deleted certificate.
func (v *Vault) GetDeletedCertificate(name string) (Certificate, *wire.Error) {
	return findDeleted(v, &v.certs, kindCert, name, v.goneCert)
}

// ListDeletedCertificates lists the deleted certificates.
func (v *Vault) ListDeletedCertificates(marker string, n int) Page[CertificateItem] {
	return listDeleted(v, &v.certs, marker, n, func(e shelf.Entry[certificate]) CertificateItem {
		out := v.certItem(e.Object, e.Object.latest(), "")
		out.Gone = v.gone(kindCert, e.Object.Name, e.DeletedAt, e.PurgeAt)
		return out
	})
}

// RecoverCertificate brings a deleted certificate back with its key and its secret.
func (v *Vault) RecoverCertificate(name string) (Certificate, *wire.Error) {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := raise(v, &v.certs, name, now)
	if !ok {
		return Certificate{}, kindCert.deletedNotFound(name)
	}
	raise(v, &v.keys, name, now)
	raise(v, &v.secrets, name, now)
	return v.showCert(c, c.latest()), nil
}

// PurgeCertificate removes a deleted certificate with its key and its secret for good.
func (v *Vault) PurgeCertificate(name string) *wire.Error {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.certs.Find(name, now).Status != shelf.Deleted {
		return kindCert.deletedNotFound(name)
	}
	if err := v.mayPurge(); err != nil {
		return err
	}
	v.certs.Purge(name, now)
	v.keys.Purge(name, now)
	v.secrets.Purge(name, now)
	return nil
}

func (v *Vault) goneCert(e shelf.Entry[certificate]) Certificate {
	out := v.showCert(e.Object, e.Object.latest())
	out.Gone = v.gone(kindCert, e.Object.Name, e.DeletedAt, e.PurgeAt)
	return out
}

// showCert gives a version as a bundle. Without a version it shows the certificate that
// its operation is about to make: disabled and without content.
func (v *Vault) showCert(c *certificate, ver *certVersion) Certificate {
	policy := v.showPolicy(c)
	out := Certificate{ID: v.url(kindCert, c.Name, ""), Policy: &policy, CER: []byte{}}
	if c.Operation != nil {
		out.Pending = &Reference{ID: v.url(kindCert, c.Name, "pending")}
	}
	if ver == nil {
		out.Attributes = v.show(c.pendingStamps())
		if c.Operation != nil {
			out.Tags = c.Operation.Tags
		}
		return out
	}
	id := ver.ID.String()
	out.ID, out.KID, out.SID = v.url(kindCert, c.Name, id), v.url(kindKey, c.Name, id), v.url(kindSecret, c.Name, id)
	out.X5T, out.CER = ver.thumbprint(), ver.Leaf
	out.Attributes, out.Tags, out.KeepOrder = v.show(ver.stamps), ver.Tags, ver.KeepOrder
	return out
}

func (ver *certVersion) thumbprint() []byte {
	sum := sha1.Sum(ver.Leaf) //nolint:gosec // see the import
	return sum[:]
}

func (v *Vault) showPolicy(c *certificate) pki.Policy {
	p := c.Policy
	p.ID = v.url(kindCert, c.Name, "policy")
	return p
}

func (v *Vault) certItem(c *certificate, ver *certVersion, id string) CertificateItem {
	out := CertificateItem{ID: v.url(kindCert, c.Name, id)}
	if ver == nil {
		out.Attributes = v.show(c.pendingStamps())
		return out
	}
	out.X5T, out.Attributes, out.Tags = ver.thumbprint(), v.show(ver.stamps), ver.Tags
	return out
}

func (c *certificate) pendingStamps() stamps {
	s := stamps{Disabled: true}
	if c.Operation != nil {
		s.Created, s.Updated = c.Operation.Created, c.Operation.Created
	}
	return s
}

// certValue is what the secret of a version shows in a content type.
func (v *Vault) certValue(c *certificate, ver *certVersion, contentType string) (string, error) {
	var kv *keyVersion
	if k, ok := v.keys.Get(c.Name, v.now()); ok {
		kv = k.version(ver.ID.String())
	}
	if kv == nil || !kv.Exportable {
		return pki.Show(contentType, nil, ver.Certs)
	}
	return pki.Show(contentType, signer(kv.Material), ver.Certs)
}

// addVersion makes a version of a certificate with its key and its secret. The caller
// holds the lock and has made sure that both names are free.
func (v *Vault) addVersion(c *certificate, ver certVersion, material *jwk.Key, p pki.Policy) error {
	k := v.keys.Find(c.Name, v.now()).Object
	if k == nil {
		k = &key{Name: c.Name, Managed: true}
		v.keys.Put(c.Name, k)
	}
	s := v.secrets.Find(c.Name, v.now()).Object
	if s == nil {
		s = &secret{Name: c.Name, Managed: true}
		v.secrets.Put(c.Name, s)
	}
	k.Versions = append(k.Versions, keyVersion{
		ID: ver.ID, Material: material, Ops: slices.Clone(material.Ops()), Tags: ver.Tags, Exportable: p.Exportable(), stamps: ver.stamps,
	})
	value, err := v.certValue(c, &ver, p.Secret.ContentType)
	if err != nil {
		return err
	}
	s.Versions = append(s.Versions, secretVersion{ID: ver.ID, Value: value, ContentType: p.Secret.ContentType, Tags: ver.Tags, stamps: ver.stamps})
	c.Versions = append(c.Versions, ver)
	return nil
}
