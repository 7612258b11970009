// Package vault is one Key Vault's data plane without its wire: secrets, keys and
// certificates with versions, attributes, tags and soft delete, issuers and contacts. Its
// methods are the operations of the Key Vault REST reference; they take and return the
// documented JSON shapes and fail with the service's errors.
//
// A Vault is safe for concurrent use. It has one lock, which is not held while a key is
// generated.
package vault

import (
	"crypto/cipher"
	"encoding/hex"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/issuers"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Config is what a vault's ARM resource says that its data plane must know.
type Config struct {
	BaseURL         string // "https://name.vault.azure.net", no slash at the end
	SoftDelete      bool
	RetentionDays   int // 7 to 90
	PurgeProtection bool
	Premium         bool // the SKU, which HSM keys need
	SubscriptionID  string
	Geography       string // of the location: where backups can be restored
}

// Options are the same for all vaults of a service.
type Options struct {
	Clock wire.Clock
	// DeleteFor is how long a deleted object is on its way to the deleted ones.
	DeleteFor time.Duration
	// RecoverFor is how long a recovered object cannot be written. In the first half of
	// that time it cannot be read either: the service lets reads through earlier than
	// writes.
	RecoverFor time.Duration
	// Polls is how often a certificate operation is looked at in progress before it is
	// completed.
	Polls int
	// Seal encrypts backups.
	Seal cipher.AEAD
}

// Vault holds the objects of one vault.
type Vault struct {
	Book *issuers.Book

	opt Options

	mu      sync.RWMutex // guards all below
	cfg     Config
	secrets shelf.Shelf[secret]
	keys    shelf.Shelf[key]
	certs   shelf.Shelf[certificate]
}

// New makes an empty vault.
func New(cfg Config, opt Options) *Vault {
	return &Vault{Book: issuers.New(cfg.BaseURL, opt.Clock), opt: opt, cfg: cfg}
}

// Configure takes over a changed ARM resource.
func (v *Vault) Configure(cfg Config) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cfg = cfg
}

func (v *Vault) now() time.Time { return v.opt.Clock() }

// recovery is the recoveryLevel and recoverableDays of every object of the vault.
func (v *Vault) recovery() (level string, days int) {
	c := v.cfg
	if !c.SoftDelete {
		return "Purgeable", 0
	}
	level = "Recoverable"
	if c.RetentionDays < maxRetention {
		level = "CustomizedRecoverable"
	}
	if !c.PurgeProtection {
		level += "+Purgeable"
	}
	return level, c.RetentionDays
}

// maxRetention is the retention, in days, of a vault that says nothing of it.
const maxRetention = 90

func (v *Vault) retention() time.Duration { return time.Duration(v.cfg.RetentionDays) * 24 * time.Hour }

// versionID identifies a version; on the wire it is 32 hexadecimal digits.
type versionID [16]byte

func newVersionID() versionID { return versionID(uuid.New()) }

// String gives the form on the wire.
func (id versionID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText and UnmarshalText serve backups.
func (id versionID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *versionID) UnmarshalText(text []byte) error {
	_, err := hex.Decode(id[:], text)
	return err
}

// url is the identifier of an object, or of a version of it if there is one.
func (v *Vault) url(k kind, name, version string) string {
	u := v.cfg.BaseURL + "/" + k.path + "/" + name
	if version != "" {
		u += "/" + version
	}
	return u
}

// Page is a page of a list. Marker is for the next one, "" on the last page.
type Page[T any] struct {
	Items  []T
	Marker string
}
