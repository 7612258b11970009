package storage

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
)

// entry is one account. Id, name, tenant, location, created and meter do not change; what
// else there is, Service.mu guards.
type entry struct {
	id       string // ARM resource ID, as first written
	name     string
	tenant   string
	location string
	created  time.Time
	meter    *meter

	settings   settings
	keys       []accountKey
	delegation []byte
	docs       map[string]map[string]any // properties of what ARM alone knows, by path below the account in lower case
}

// accountKey is one of the two keys of an account.
type accountKey struct {
	name    string // "key1"
	raw     []byte
	created time.Time
}

func newKey(name string, now time.Time) accountKey {
	return accountKey{name: name, raw: random(64), created: now}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

func (k accountKey) value() string { return base64.StdEncoding.EncodeToString(k.raw) }

// account is what services see. The caller holds Service.mu.
func (e *entry) account() kit.Account {
	return kit.Account{
		ID: e.id, Name: e.name, TenantID: e.tenant, Location: e.location, Kind: e.settings.kind, SKU: e.settings.sku, HNS: e.settings.hns, Created: e.created,
		CopyScope: e.settings.properties.AllowedCopyScope,
	}
}

// setKeys takes the keys of a scenario: Base64, one or two.
func (e *entry) setKeys(values []string, now time.Time) error {
	if len(values) > len(e.keys) {
		return fmt.Errorf("keys: an account has %d, not %d", len(e.keys), len(values))
	}
	for i, v := range values {
		raw, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(raw) == 0 {
			return fmt.Errorf("keys: number %d is not Base64", i+1)
		}
		e.keys[i].raw, e.keys[i].created = raw, now
	}
	return nil
}

// requestsPerSecond is the lower of the two limits that Microsoft's page "Scalability and
// performance targets for standard storage accounts" gives, that of most regions.
const requestsPerSecond = 20_000

// meter counts an account's requests: a bucket of one second's worth.
type meter struct {
	mu   sync.Mutex
	last time.Time
	left float64
}

// admit counts a request or refuses it.
func (m *meter) admit(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last.IsZero() {
		m.left = requestsPerSecond
	} else if d := now.Sub(m.last); d > 0 {
		m.left = min(requestsPerSecond, m.left+d.Seconds()*requestsPerSecond)
	}
	if m.last.Before(now) {
		m.last = now
	}
	if m.left < 1 {
		return false
	}
	m.left--
	return true
}
