package vault

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// maxBackupVersions is the most versions that the service backs up (general/backup).
const maxBackupVersions = 500

// Blob is a backup on the wire.
type Blob struct {
	Value Bytes `json:"value"`
}

// backup is what is inside a blob, encrypted.
type backup struct {
	Kind         string       `json:"kind"`
	Subscription string       `json:"subscription"`
	Geography    string       `json:"geography"`
	Secret       *secret      `json:"secret,omitempty"`
	Key          *key         `json:"key,omitempty"`
	Cert         *certificate `json:"cert,omitempty"`
}

// BackupSecret gives a secret with all versions as an encrypted blob.
func (v *Vault) BackupSecret(name string) (Blob, *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	s, ok := v.secrets.Get(name, v.now())
	if !ok {
		return Blob{}, kindSecret.notFound(name, "")
	}
	if s.Managed {
		return Blob{}, kindSecret.managed("backup")
	}
	return v.seal(backup{Kind: kindSecret.path, Secret: s}, len(s.Versions))
}

// BackupKey gives a key with all versions as an encrypted blob.
func (v *Vault) BackupKey(name string) (Blob, *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	k, ok := v.keys.Get(name, v.now())
	if !ok {
		return Blob{}, kindKey.notFound(name, "")
	}
	if k.Managed {
		return Blob{}, kindKey.managed("backup")
	}
	return v.seal(backup{Kind: kindKey.path, Key: k}, len(k.Versions))
}

// BackupCertificate gives a certificate with all versions, its key and its secret as an
// encrypted blob.
func (v *Vault) BackupCertificate(name string) (Blob, *wire.Error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	c, ok := v.certs.Get(name, v.now())
	if !ok || len(c.Versions) == 0 {
		return Blob{}, kindCert.notFound(name, "")
	}
	k, _ := v.keys.Get(name, v.now())
	s, _ := v.secrets.Get(name, v.now())
	kept := *c
	kept.Operation = nil
	return v.seal(backup{Kind: kindCert.path, Cert: &kept, Key: k, Secret: s}, len(c.Versions))
}

func (v *Vault) seal(b backup, versions int) (Blob, *wire.Error) {
	if versions > maxBackupVersions {
		return Blob{}, BadParameter("An object with more than %d versions cannot be backed up.", maxBackupVersions)
	}
	b.Subscription, b.Geography = v.cfg.SubscriptionID, v.cfg.Geography
	plain, err := json.Marshal(b)
	if err != nil {
		return Blob{}, unusable(err)
	}
	nonce := make([]byte, v.opt.Seal.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return Blob{}, unusable(err)
	}
	return Blob{Value: v.opt.Seal.Seal(nonce, nonce, plain, nil)}, nil
}

// open decrypts a blob that was made in this vault's subscription and geography. The
// service's words are known for the failure to decrypt only.
func (v *Vault) open(in Blob, k kind) (backup, *wire.Error) {
	var b backup
	n := v.opt.Seal.NonceSize()
	if len(in.Value) == 0 {
		return b, missing()
	}
	unreadable := BadParameter("Cannot decrypt backup blob")
	if len(in.Value) < n {
		return b, unreadable
	}
	plain, err := v.opt.Seal.Open(nil, in.Value[:n], in.Value[n:], nil)
	if err != nil || json.Unmarshal(plain, &b) != nil || b.Kind != k.path {
		return b, unreadable
	}
	if b.Subscription != v.cfg.SubscriptionID || b.Geography != v.cfg.Geography {
		return b, BadParameter("Cannot decrypt backup blob: it was made in another subscription or geography than those of this key vault")
	}
	return b, nil
}

// vacant refuses a restore over a name that is in use in any way.
func vacant[T any](s *shelf.Shelf[T], k kind, name string, now time.Time) *wire.Error {
	obj, err := claim(s, k, name, now)
	if err != nil {
		return err
	}
	if obj != nil {
		return conflict("", "%s %s already exists in this key vault: a backup cannot be restored over it.", k.noun, name)
	}
	return nil
}

// RestoreSecret brings a backed-up secret into a vault that does not have its name.
func (v *Vault) RestoreSecret(in Blob) (Secret, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	b, err := v.open(in, kindSecret)
	if err != nil {
		return Secret{}, err
	}
	if err := vacant(&v.secrets, kindSecret, b.Secret.Name, v.now()); err != nil {
		return Secret{}, err
	}
	v.secrets.Put(b.Secret.Name, b.Secret)
	return v.showSecret(b.Secret, b.Secret.latest(), b.Secret.latest().ID.String(), false), nil
}

// RestoreKey brings a backed-up key into a vault that does not have its name.
func (v *Vault) RestoreKey(in Blob) (Key, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	b, err := v.open(in, kindKey)
	if err != nil {
		return Key{}, err
	}
	if err := vacant(&v.keys, kindKey, b.Key.Name, v.now()); err != nil {
		return Key{}, err
	}
	v.keys.Put(b.Key.Name, b.Key)
	return v.showKey(b.Key, b.Key.latest()), nil
}

// RestoreCertificate brings a backed-up certificate into a vault that does not have its
// name, nor a key or secret of that name.
func (v *Vault) RestoreCertificate(in Blob) (Certificate, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	b, err := v.open(in, kindCert)
	if err != nil {
		return Certificate{}, err
	}
	if b.Key == nil || b.Secret == nil {
		return Certificate{}, unusable(errors.New("a certificate's backup lacks its key or its secret"))
	}
	name, now := b.Cert.Name, v.now()
	if err := vacant(&v.certs, kindCert, name, now); err != nil {
		return Certificate{}, err
	}
	if err := vacant(&v.keys, kindKey, name, now); err != nil {
		return Certificate{}, err
	}
	if err := vacant(&v.secrets, kindSecret, name, now); err != nil {
		return Certificate{}, err
	}
	v.certs.Put(name, b.Cert)
	v.keys.Put(name, b.Key)
	v.secrets.Put(name, b.Secret)
	return v.showCert(b.Cert, b.Cert.latest()), nil
}
