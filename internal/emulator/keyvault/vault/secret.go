package vault

import (
	"unicode/utf8"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// MaxSecret is the longest value of a secret in bytes.
const MaxSecret = 25600

// maxContentType is the longest content type in characters.
const maxContentType = 255

// secret is a secret with its versions, oldest first. There may be a million of them.
type secret struct {
	Name     string
	Managed  bool
	Versions []secretVersion
}

type secretVersion struct {
	ID          versionID
	Value       string
	ContentType string
	Tags        map[string]string
	stamps
}

func (s *secret) isManaged() bool { return s.Managed }

func (s *secret) latest() *secretVersion { return &s.Versions[len(s.Versions)-1] }

// version finds a version by its identifier; the latest one if that is empty.
func (s *secret) version(id string) *secretVersion {
	if id == "" {
		return s.latest()
	}
	for i := range s.Versions {
		if s.Versions[i].ID.String() == id {
			return &s.Versions[i]
		}
	}
	return nil
}

// SecretIn is the body of SetSecret and UpdateSecret.
type SecretIn struct {
	Value       *string           `json:"value"`
	ContentType *string           `json:"contentType"`
	Attributes  *AttributesIn     `json:"attributes"`
	Tags        map[string]string `json:"tags"`
}

// Secret is a SecretBundle, SecretItem or their deleted forms.
type Secret struct {
	*Gone
	Value           string            `json:"value,omitempty"`
	ContentType     string            `json:"contentType,omitempty"`
	ID              string            `json:"id"`
	Managed         bool              `json:"managed,omitempty"`
	Attributes      Attributes        `json:"attributes"`
	Tags            map[string]string `json:"tags,omitempty"`
	KID             string            `json:"kid,omitempty"`
	PreviousVersion string            `json:"previousVersion,omitempty"`
}

func (in SecretIn) check(set bool) *wire.Error {
	// The service answers an empty value as it does a missing one.
	if set && (in.Value == nil || *in.Value == "") {
		return missing()
	}
	// The limit is documented; the service's words for it are not known.
	if set && len(*in.Value) > MaxSecret {
		return BadParameter("Property value has invalid length %d: a secret has at most %d bytes", len(*in.Value), MaxSecret)
	}
	if in.ContentType != nil && utf8.RuneCountInString(*in.ContentType) > maxContentType {
		return BadParameter("Property contentType has invalid length: it has at most %d characters", maxContentType)
	}
	return checkTags(in.Tags, maxSecretTag)
}

// SetSecret makes a secret or a new version of it.
func (v *Vault) SetSecret(name string, in SecretIn) (Secret, *wire.Error) {
	if err := in.check(true); err != nil {
		return Secret{}, err
	}
	now := v.now()
	st, err := fresh(now.Unix(), in.Attributes)
	if err != nil {
		return Secret{}, err
	}
	ver := secretVersion{ID: newVersionID(), Value: *in.Value, Tags: keepTags(in.Tags), stamps: st}
	if in.ContentType != nil {
		ver.ContentType = *in.ContentType
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s, err := claim(&v.secrets, kindSecret, name, now)
	if err != nil {
		return Secret{}, err
	}
	if s != nil && s.Managed || v.certs.Find(name, now).Object != nil {
		return Secret{}, kindSecret.managed("set")
	}
	if s == nil {
		s = &secret{Name: name}
		v.secrets.Put(name, s)
	}
	s.Versions = append(s.Versions, ver)
	return v.showSecret(s, &ver, ver.ID.String(), true), nil
}

// GetSecret reads a secret; the latest version if none is named. OutContentType, if not
// empty, asks for the certificate behind a managed secret in another form; lineage asks
// for previousVersion. Both came with the API version 2025-07-01.
func (v *Vault) GetSecret(name, version, outContentType string, lineage bool) (Secret, *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	s, ok := v.secrets.Get(name, v.now())
	if !ok {
		return Secret{}, kindSecret.notFound(name, version)
	}
	ver := s.version(version)
	if ver == nil {
		return Secret{}, kindSecret.notFound(name, version)
	}
	if ver.Disabled {
		return Secret{}, forbidden("SecretDisabled", "Operation get is not allowed on a disabled secret.")
	}
	out := v.showSecret(s, ver, ver.ID.String(), true)
	if lineage && s.Managed {
		out.PreviousVersion = s.before(ver)
	}
	if outContentType == "" || outContentType == out.ContentType {
		return out, nil
	}
	return v.converted(out, s, ver, outContentType)
}

func (s *secret) before(ver *secretVersion) string {
	for i := 1; i < len(s.Versions); i++ {
		if s.Versions[i].ID == ver.ID {
			return s.Versions[i-1].ID.String()
		}
	}
	return ""
}

// converted turns a managed PFX into PEM, the one conversion that the service offers.
func (v *Vault) converted(out Secret, s *secret, ver *secretVersion, to string) (Secret, *wire.Error) {
	if !s.Managed || ver.ContentType != pki.PFX || to != pki.PEM {
		return Secret{}, BadParameter("Property outContentType has invalid value %q: only %s can be converted, to %s", to, pki.PFX, pki.PEM)
	}
	c, ok := v.certs.Get(s.Name, v.now())
	if !ok {
		return Secret{}, kindSecret.notFound(s.Name, ver.ID.String())
	}
	cv := c.version(ver.ID.String())
	text, err := v.certValue(c, cv, pki.PEM)
	if err != nil {
		return Secret{}, BadParameter("%s", err.Error())
	}
	out.Value, out.ContentType = text, pki.PEM
	return out, nil
}

// UpdateSecret changes attributes, content type and tags of a version.
func (v *Vault) UpdateSecret(name, version string, in SecretIn) (Secret, *wire.Error) {
	if err := in.check(false); err != nil {
		return Secret{}, err
	}
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	s, err := existing(&v.secrets, kindSecret, name, version, now)
	if err != nil {
		return Secret{}, err
	}
	if s.Managed {
		return Secret{}, kindSecret.managed("update")
	}
	ver := s.version(version)
	if ver == nil {
		return Secret{}, kindSecret.notFound(name, version)
	}
	if err := ver.apply(now.Unix(), in.Attributes); err != nil {
		return Secret{}, err
	}
	if in.ContentType != nil {
		ver.ContentType = *in.ContentType
	}
	if in.Tags != nil {
		ver.Tags = keepTags(in.Tags)
	}
	return v.showSecret(s, ver, ver.ID.String(), false), nil
}

// showSecret gives a version as a bundle or, without an identifier of the version, as a
// list item.
func (v *Vault) showSecret(s *secret, ver *secretVersion, id string, value bool) Secret {
	out := Secret{
		ID: v.url(kindSecret, s.Name, id), ContentType: ver.ContentType, Managed: s.Managed,
		Attributes: v.show(ver.stamps), Tags: ver.Tags,
	}
	if value {
		out.Value = ver.Value
	}
	if s.Managed && id != "" {
		out.KID = v.url(kindKey, s.Name, ver.ID.String())
	}
	return out
}

// ListSecrets lists the latest version of each secret, without values.
func (v *Vault) ListSecrets(marker string, n int) Page[Secret] {
	v.mu.RLock()
	defer v.mu.RUnlock()
	page, next := v.secrets.Page(marker, n, v.now(), every[secret])
	return Page[Secret]{Items: items(page, func(s *secret) Secret { return v.showSecret(s, s.latest(), "", false) }), Marker: next}
}

// ListSecretVersions lists the versions of a secret, without values, in the order of
// their identifiers. A secret that is not there has none.
func (v *Vault) ListSecretVersions(name, marker string, n int) Page[Secret] {
	v.mu.RLock()
	defer v.mu.RUnlock()
	s, ok := v.secrets.Get(name, v.now())
	if !ok {
		return Page[Secret]{Items: []Secret{}}
	}
	return versionPage(s.Versions, func(ver *secretVersion) versionID { return ver.ID }, marker, n, func(ver *secretVersion) Secret {
		return v.showSecret(s, ver, ver.ID.String(), false)
	})
}

// DeleteSecret deletes a secret with all its versions.
func (v *Vault) DeleteSecret(name string) (Secret, *wire.Error) {
	return remove(v, &v.secrets, kindSecret, name, v.goneSecret)
}

// GetDeletedSecret reads a deleted secret, without its value.
func (v *Vault) GetDeletedSecret(name string) (Secret, *wire.Error) {
	return findDeleted(v, &v.secrets, kindSecret, name, v.goneSecret)
}

// ListDeletedSecrets lists the deleted secrets.
func (v *Vault) ListDeletedSecrets(marker string, n int) Page[Secret] {
	return listDeleted(v, &v.secrets, marker, n, v.goneSecretItem)
}

// RecoverSecret brings a deleted secret back.
func (v *Vault) RecoverSecret(name string) (Secret, *wire.Error) {
	return restoreDeleted(v, &v.secrets, kindSecret, name, func(s *secret) Secret { return v.showSecret(s, s.latest(), s.latest().ID.String(), false) })
}

// PurgeSecret removes a deleted secret for good.
func (v *Vault) PurgeSecret(name string) *wire.Error { return purge(v, &v.secrets, kindSecret, name) }

func (v *Vault) goneSecret(e shelf.Entry[secret]) Secret {
	out := v.showSecret(e.Object, e.Object.latest(), e.Object.latest().ID.String(), false)
	out.Gone = v.gone(kindSecret, e.Object.Name, e.DeletedAt, e.PurgeAt)
	return out
}

func (v *Vault) goneSecretItem(e shelf.Entry[secret]) Secret {
	out := v.showSecret(e.Object, e.Object.latest(), "", false)
	out.Gone = v.gone(kindSecret, e.Object.Name, e.DeletedAt, e.PurgeAt)
	return out
}

// LookSecret shows the latest version without its value, disabled or not, as Resource
// Manager sees it.
func (v *Vault) LookSecret(name string) (Secret, *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	s, ok := v.secrets.Get(name, v.now())
	if !ok {
		return Secret{}, kindSecret.notFound(name, "")
	}
	return v.showSecret(s, s.latest(), s.latest().ID.String(), false), nil
}
