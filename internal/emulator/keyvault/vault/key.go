package vault

import (
	"slices"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// key is a key with its versions, oldest first.
type key struct {
	Name     string
	Managed  bool
	Versions []keyVersion
	Rotation *RotationPolicy
}

type keyVersion struct {
	ID         versionID
	Material   *jwk.Key
	Ops        []string
	Tags       map[string]string
	Exportable bool
	Release    *ReleasePolicy
	stamps
}

func (k *key) isManaged() bool { return k.Managed }

func (k *key) latest() *keyVersion { return &k.Versions[len(k.Versions)-1] }

func (k *key) version(id string) *keyVersion {
	if id == "" {
		return k.latest()
	}
	for i := range k.Versions {
		if k.Versions[i].ID.String() == id {
			return &k.Versions[i]
		}
	}
	return nil
}

// JSONWebKey is a key on the wire. Only an import brings private members; none are ever
// answered.
type JSONWebKey struct {
	KID    string   `json:"kid,omitempty"`
	Kty    string   `json:"kty,omitempty"`
	KeyOps []string `json:"key_ops,omitempty"`
	Crv    string   `json:"crv,omitempty"`
	N      Bytes    `json:"n,omitempty"`
	E      Bytes    `json:"e,omitempty"`
	X      Bytes    `json:"x,omitempty"`
	Y      Bytes    `json:"y,omitempty"`
	D      Bytes    `json:"d,omitempty"`
	DP     Bytes    `json:"dp,omitempty"`
	DQ     Bytes    `json:"dq,omitempty"`
	QI     Bytes    `json:"qi,omitempty"`
	P      Bytes    `json:"p,omitempty"`
	Q      Bytes    `json:"q,omitempty"`
	K      Bytes    `json:"k,omitempty"`
	KeyHSM Bytes    `json:"key_hsm,omitempty"`
}

// ReleasePolicy says under which conditions an exportable key may be released.
type ReleasePolicy struct {
	ContentType string `json:"contentType,omitempty"`
	Data        Bytes  `json:"data,omitempty"`
	Immutable   bool   `json:"immutable"`
}

// KeyIn is the body of CreateKey, ImportKey and UpdateKey.
type KeyIn struct {
	Kty            string            `json:"kty"`
	Size           int               `json:"key_size"`
	PublicExponent int               `json:"public_exponent"`
	Crv            string            `json:"crv"`
	KeyOps         []string          `json:"key_ops"`
	HSM            *bool             `json:"Hsm"`
	Key            *JSONWebKey       `json:"key"`
	Attributes     *AttributesIn     `json:"attributes"`
	Release        *ReleasePolicy    `json:"release_policy"`
	Tags           map[string]string `json:"tags"`
}

// Key is a KeyBundle or its deleted form.
type Key struct {
	*Gone
	Key        *JSONWebKey       `json:"key"`
	Attributes Attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	Managed    bool              `json:"managed,omitempty"`
	Release    *ReleasePolicy    `json:"release_policy,omitempty"`
}

// KeyItem is a KeyItem or its deleted form.
type KeyItem struct {
	*Gone
	KID        string            `json:"kid"`
	Attributes Attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	Managed    bool              `json:"managed,omitempty"`
}

var keyOperations = []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export"}

// check holds for what create, import and update have in common.
func (in KeyIn) check() *wire.Error {
	ops := in.KeyOps
	if in.Key != nil {
		ops = append(slices.Clone(ops), in.Key.KeyOps...)
	}
	for _, op := range ops {
		if !slices.Contains(keyOperations, op) {
			return BadParameter("Property key_ops has invalid value %q", op)
		}
	}
	exportable := in.Attributes != nil && in.Attributes.Exportable != nil && *in.Attributes.Exportable
	if exportable && in.Release == nil {
		return BadParameter("AKV.SKR.1004: Exportable keys must have release policy.")
	}
	return checkTags(in.Tags, maxObjectTag)
}

// hardware refuses HSM-protected keys in a standard vault, and exportable keys that are
// not in an HSM. The words are not confirmed.
func (v *Vault) hardware(hsm bool, in KeyIn) *wire.Error {
	if hsm && !v.cfg.Premium {
		return BadParameter("HSM-protected keys are not supported by the SKU of this key vault: use a premium vault")
	}
	if in.Release != nil && !hsm {
		return BadParameter("Property release_policy has invalid value: only HSM-protected keys can be exportable")
	}
	return nil
}

// CreateKey makes a key or a new version of it.
func (v *Vault) CreateKey(name string, in KeyIn) (Key, *wire.Error) {
	if in.Kty == "" {
		return Key{}, missing()
	}
	if in.PublicExponent != 0 && in.PublicExponent != 65537 {
		return Key{}, BadParameter("Property public_exponent has invalid value %d: the emulator makes RSA keys with the exponent 65537 only", in.PublicExponent)
	}
	if err := in.check(); err != nil {
		return Key{}, err
	}
	spec, bad := jwk.Spec{Kty: in.Kty, Size: in.Size, Curve: in.Crv}.Normal()
	if bad != nil {
		return Key{}, BadParameter("%s", bad.Error())
	}
	if err := v.keyFree(name, "create", jwk.IsHSM(spec.Kty), in); err != nil {
		return Key{}, err
	}
	material, bad := jwk.Generate(spec)
	if bad != nil {
		return Key{}, BadParameter("%s", bad.Error())
	}
	return v.addKey(name, "create", material, in)
}

// ImportKey makes a key or a new version of it from a JSON Web Key.
func (v *Vault) ImportKey(name string, in KeyIn) (Key, *wire.Error) {
	if in.Key == nil || in.Key.Kty == "" {
		return Key{}, missing()
	}
	if err := in.check(); err != nil {
		return Key{}, err
	}
	j := in.Key
	material, bad := jwk.Import(jwk.Secret{
		Kty: j.Kty, Crv: j.Crv, N: j.N, E: j.E, D: j.D, DP: j.DP, DQ: j.DQ, QI: j.QI, P: j.P, Q: j.Q, X: j.X, Y: j.Y, K: j.K, KeyHSM: j.KeyHSM,
	}, in.HSM != nil && *in.HSM)
	if bad != nil {
		return Key{}, BadParameter("%s", bad.Error())
	}
	in.KeyOps = j.KeyOps
	if err := v.keyFree(name, "import", jwk.IsHSM(material.Kty()), in); err != nil {
		return Key{}, err
	}
	return v.addKey(name, "import", material, in)
}

// keyFree refuses before the costly work what addKey would refuse after it.
func (v *Vault) keyFree(name, operation string, hsm bool, in KeyIn) *wire.Error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.hardware(hsm, in); err != nil {
		return err
	}
	_, err := v.claimKey(name, operation)
	return err
}

func (v *Vault) claimKey(name, operation string) (*key, *wire.Error) {
	now := v.now()
	k, err := claim(&v.keys, kindKey, name, now)
	if err != nil {
		return nil, err
	}
	if k != nil && k.Managed || v.certs.Find(name, now).Object != nil {
		return nil, kindKey.managed(operation)
	}
	return k, nil
}

func (v *Vault) addKey(name, operation string, material *jwk.Key, in KeyIn) (Key, *wire.Error) {
	st, err := fresh(v.now().Unix(), in.Attributes)
	if err != nil {
		return Key{}, err
	}
	ver := keyVersion{ID: newVersionID(), Material: material, Ops: slices.Clone(in.KeyOps), Tags: keepTags(in.Tags), Release: in.Release, Exportable: in.Release != nil, stamps: st}
	if in.KeyOps == nil {
		ver.Ops = material.Ops()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	k, err := v.claimKey(name, operation)
	if err != nil {
		return Key{}, err
	}
	if k == nil {
		k = &key{Name: name}
		v.keys.Put(name, k)
	}
	k.Versions = append(k.Versions, ver)
	return v.showKey(k, &ver), nil
}

// GetKey reads the public half and the attributes of a key; disabled ones, too.
func (v *Vault) GetKey(name, version string) (Key, *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	k, ver, err := v.findKey(name, version)
	if err != nil {
		return Key{}, err
	}
	return v.showKey(k, ver), nil
}

func (v *Vault) findKey(name, version string) (*key, *keyVersion, *wire.Error) {
	k, ok := v.keys.Get(name, v.now())
	if !ok {
		return nil, nil, kindKey.notFound(name, version)
	}
	ver := k.version(version)
	if ver == nil {
		return nil, nil, kindKey.notFound(name, version)
	}
	return k, ver, nil
}

// UpdateKey changes attributes, operations and tags of a version.
func (v *Vault) UpdateKey(name, version string, in KeyIn) (Key, *wire.Error) {
	if err := in.check(); err != nil {
		return Key{}, err
	}
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	k, err := existing(&v.keys, kindKey, name, version, now)
	if err != nil {
		return Key{}, err
	}
	if k.Managed {
		return Key{}, kindKey.managed("update")
	}
	ver := k.version(version)
	if ver == nil {
		return Key{}, kindKey.notFound(name, version)
	}
	if in.Release != nil && (!ver.Exportable || ver.Release.Immutable) {
		return Key{}, BadParameter("Property release_policy has invalid value: the key is not exportable or its policy is immutable")
	}
	if err := ver.apply(now.Unix(), in.Attributes); err != nil {
		return Key{}, err
	}
	if in.KeyOps != nil {
		ver.Ops = slices.Clone(in.KeyOps)
	}
	if in.Release != nil {
		ver.Release = in.Release
	}
	if in.Tags != nil {
		ver.Tags = keepTags(in.Tags)
	}
	return v.showKey(k, ver), nil
}

// ListKeys lists the latest version of each key.
func (v *Vault) ListKeys(marker string, n int) Page[KeyItem] {
	v.mu.RLock()
	defer v.mu.RUnlock()
	page, next := v.keys.Page(marker, n, v.now(), every[key])
	return Page[KeyItem]{Items: items(page, func(k *key) KeyItem { return v.keyItem(k, k.latest(), "") }), Marker: next}
}

// ListKeyVersions lists the versions of a key in the order of their identifiers.
func (v *Vault) ListKeyVersions(name, marker string, n int) Page[KeyItem] {
	v.mu.RLock()
	defer v.mu.RUnlock()
	k, ok := v.keys.Get(name, v.now())
	if !ok {
		return Page[KeyItem]{Items: []KeyItem{}}
	}
	return versionPage(k.Versions, func(ver *keyVersion) versionID { return ver.ID }, marker, n, func(ver *keyVersion) KeyItem {
		return v.keyItem(k, ver, ver.ID.String())
	})
}

// DeleteKey deletes a key with all its versions.
func (v *Vault) DeleteKey(name string) (Key, *wire.Error) {
	return remove(v, &v.keys, kindKey, name, v.goneKey)
}

// GetDeletedKey reads a deleted key.
func (v *Vault) GetDeletedKey(name string) (Key, *wire.Error) {
	return findDeleted(v, &v.keys, kindKey, name, v.goneKey)
}

// ListDeletedKeys lists the deleted keys.
func (v *Vault) ListDeletedKeys(marker string, n int) Page[KeyItem] {
	return listDeleted(v, &v.keys, marker, n, func(e shelf.Entry[key]) KeyItem {
		out := v.keyItem(e.Object, e.Object.latest(), "")
		out.Gone = v.gone(kindKey, e.Object.Name, e.DeletedAt, e.PurgeAt)
		return out
	})
}

// RecoverKey brings a deleted key back.
func (v *Vault) RecoverKey(name string) (Key, *wire.Error) {
	return restoreDeleted(v, &v.keys, kindKey, name, func(k *key) Key { return v.showKey(k, k.latest()) })
}

// PurgeKey removes a deleted key for good.
func (v *Vault) PurgeKey(name string) *wire.Error { return purge(v, &v.keys, kindKey, name) }

func (v *Vault) goneKey(e shelf.Entry[key]) Key {
	out := v.showKey(e.Object, e.Object.latest())
	out.Gone = v.gone(kindKey, e.Object.Name, e.DeletedAt, e.PurgeAt)
	return out
}

func (v *Vault) showKey(k *key, ver *keyVersion) Key {
	pub := ver.Material.Public()
	return Key{
		Key: &JSONWebKey{
			KID: v.url(kindKey, k.Name, ver.ID.String()), Kty: pub.Kty, KeyOps: slices.Clone(ver.Ops),
			Crv: pub.Crv, N: pub.N, E: pub.E, X: pub.X, Y: pub.Y,
		},
		Attributes: v.keyAttributes(ver), Tags: ver.Tags, Managed: k.Managed, Release: ver.Release,
	}
}

func (v *Vault) keyItem(k *key, ver *keyVersion, id string) KeyItem {
	return KeyItem{KID: v.url(kindKey, k.Name, id), Attributes: v.keyAttributes(ver), Tags: ver.Tags, Managed: k.Managed}
}

// keyAttributes adds what only keys have. Platform "0" is software; which number an HSM
// of a vault shows is not confirmed.
func (v *Vault) keyAttributes(ver *keyVersion) Attributes {
	a := v.show(ver.stamps)
	exportable := ver.Exportable
	a.Exportable, a.HSMPlatform = &exportable, "0"
	if jwk.IsHSM(ver.Material.Kty()) {
		a.HSMPlatform = "2"
	}
	return a
}
