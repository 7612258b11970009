package vault

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/pki"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
)

// Dated is what a loaded version has besides its content.
type Dated struct {
	Made time.Time // becomes created and updated
	In   AttributesIn
	Tags map[string]string
}

func (d Dated) stamps() (stamps, error) {
	s, err := fresh(d.Made.Unix(), &d.In)
	if err != nil {
		return s, err
	}
	if err := checkTags(d.Tags, maxSecretTag); err != nil {
		return s, err
	}
	return s, nil
}

// LoadedSecret is one version of a secret to load.
type LoadedSecret struct {
	Dated
	Value       string
	ContentType string
}

// LoadedKey is one version of a key to load.
type LoadedKey struct {
	Dated
	Material *jwk.Key
	Ops      []string
}

// LoadedCert is one version of a certificate to load.
type LoadedCert struct {
	Dated
	Material *jwk.Key
	DER      []byte
}

// LoadSecret puts a secret with its versions, oldest first, into the vault as if they had
// been set at their times, and deletes it again if it is to be a deleted one.
func (v *Vault) LoadSecret(name string, versions []LoadedSecret, deleted bool) error {
	s := &secret{Name: name}
	for _, l := range versions {
		in := SecretIn{Value: &l.Value, ContentType: &l.ContentType, Tags: l.Tags}
		if err := in.check(true); err != nil {
			return fmt.Errorf("secret %s: %w", name, err)
		}
		st, err := l.stamps()
		if err != nil {
			return fmt.Errorf("secret %s: %w", name, err)
		}
		s.Versions = append(s.Versions, secretVersion{
			ID: newVersionID(), Value: l.Value, ContentType: l.ContentType, Tags: keepTags(l.Tags), stamps: st,
		})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return place(v, &v.secrets, kindSecret, name, s, deleted)
}

// LoadKey is LoadSecret for a key.
func (v *Vault) LoadKey(name string, versions []LoadedKey, rotation *RotationPolicy, deleted bool) error {
	k := &key{Name: name}
	if rotation != nil {
		p := *rotation
		if err := p.Check(); err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
		k.Rotation = &p
	}
	for _, l := range versions {
		st, err := l.stamps()
		if err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
		if err := (KeyIn{KeyOps: l.Ops}).check(); err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
		ver := keyVersion{ID: newVersionID(), Material: l.Material, Ops: slices.Clone(l.Ops), Tags: keepTags(l.Tags), stamps: st}
		if l.Ops == nil {
			ver.Ops = l.Material.Ops()
		}
		k.Versions = append(k.Versions, ver)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, l := range versions {
		if err := v.hardware(jwk.IsHSM(l.Material.Kty()), KeyIn{}); err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
	}
	return place(v, &v.keys, kindKey, name, k, deleted)
}

// LoadCertificate is LoadSecret for a certificate; the policy is in its normal form.
func (v *Vault) LoadCertificate(name string, p pki.Policy, versions []LoadedCert, deleted bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	for k, s := range map[kind]shelf.Status{
		kindCert: v.certs.Find(name, now).Status, kindKey: v.keys.Find(name, now).Status, kindSecret: v.secrets.Find(name, now).Status,
	} {
		if s != shelf.Absent {
			return fmt.Errorf("certificate %s: a %s of that name exists", name, k.word)
		}
	}
	if err := v.hardware(jwk.IsHSM(p.Key.Kty), KeyIn{}); err != nil {
		return fmt.Errorf("certificate %s: %w", name, err)
	}
	if err := v.knownIssuer(p); err != nil {
		return fmt.Errorf("certificate %s: issuer %s: %w", name, p.Issuer.Name, err)
	}
	c := &certificate{Name: name, Policy: v.stampPolicy(p, nil)}
	for _, l := range versions {
		if err := v.loadVersion(c, l); err != nil {
			return fmt.Errorf("certificate %s: %w", name, err)
		}
	}
	v.certs.Put(name, c)
	if deleted {
		bury(v, &v.keys, name, now)
		bury(v, &v.secrets, name, now)
		bury(v, &v.certs, name, now)
	}
	return nil
}

func (v *Vault) loadVersion(c *certificate, l LoadedCert) error {
	leaf, err := x509.ParseCertificate(l.DER)
	if err != nil {
		return err
	}
	st, err := l.stamps()
	if err != nil {
		return err
	}
	st.NotBefore, st.Expires = leaf.NotBefore.Unix(), leaf.NotAfter.Unix()
	ver := certVersion{ID: newVersionID(), Certs: [][]byte{l.DER}, Leaf: l.DER, Tags: keepTags(l.Tags), stamps: st}
	return v.addVersion(c, ver, l.Material, c.Policy)
}

// place puts an object into a shelf that has nothing of its name. The caller holds the
// lock.
func place[T any](v *Vault, s *shelf.Shelf[T], k kind, name string, obj *T, deleted bool) error {
	now := v.now()
	if s.Find(name, now).Status != shelf.Absent || v.certs.Find(name, now).Status != shelf.Absent {
		return fmt.Errorf("%s %s: the name is in use", k.word, name)
	}
	s.Put(name, obj)
	if deleted {
		bury(v, s, name, now)
	}
	return nil
}

// GeneratedSecret is a secret of one version for LoadGenerated.
type GeneratedSecret struct {
	Name  string
	Value string
	ID    [16]byte // the version's identifier
}

// LoadGenerated puts n plain secrets into the vault. next gives them in ascending order
// of their names; its strings may share memory.
func (v *Vault) LoadGenerated(n int, made time.Time, next func(i int) GeneratedSecret) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now, st := v.now(), stamps{Created: made.Unix(), Updated: made.Unix()}
	check := v.secrets.Len() > 0
	objects := make([]secret, n)
	versions := make([]secretVersion, n)
	for i := range n {
		g := next(i)
		if check && v.secrets.Find(g.Name, now).Status != shelf.Absent {
			return fmt.Errorf("secret %s: the name is in use", g.Name)
		}
		versions[i] = secretVersion{ID: g.ID, Value: g.Value, stamps: st}
		objects[i] = secret{Name: g.Name, Versions: versions[i : i+1 : i+1]}
		v.secrets.Load(g.Name, &objects[i])
	}
	return nil
}
