package keyvault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/seed"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/throttle"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// suffix is what the host name of every vault ends in.
const suffix = ".vault.azure.net"

// Options configure a Service.
type Options struct {
	Tokens wire.Tokens
	Access wire.Access
	Clock  wire.Clock // nil: the system's
	// Limits turns the service limits on.
	Limits bool
	// DeleteFor is how long a deleted object takes to appear among the deleted ones.
	DeleteFor time.Duration
	// RecoverFor is how long a recovered object cannot be written; in the first half of
	// it, it cannot be read either. 0: DefaultRecover. Negative: no time at all.
	RecoverFor time.Duration
	// Polls is how often a certificate operation is seen in progress before it is
	// completed. 0: DefaultPolls. Negative: never.
	Polls int
	// ClientAddress is the IP address that all requests seem to come from, as firewall
	// rules see it. "": DefaultClientAddress.
	ClientAddress string
}

// Defaults of Options.
const (
	DefaultRecover       = 2 * time.Second
	DefaultPolls         = 1
	DefaultClientAddress = "203.0.113.10"
)

// Service answers for all vaults of all tenants.
type Service struct {
	opt  Options
	seal cipher.AEAD

	mu      sync.RWMutex      // guards what follows
	live    map[string]*entry // by name in lower case
	deleted map[string]*entry
}

var (
	_ wire.Service   = (*Service)(nil)
	_ wire.DataPlane = (*Service)(nil)
	_ wire.Operator  = (*Service)(nil)
)

// entry is one vault: its ARM side and its data. Id, name, location, data and meter do not
// change; what else there is, Service.mu guards.
type entry struct {
	id       string // ARM resource ID, as first written
	name     string // as first written
	location string
	data     *vault.Vault
	meter    *throttle.Meter

	settings  settings
	body      map[string]any
	deletedAt time.Time
}

// New makes a service without vaults.
func New(opt Options) *Service {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.RecoverFor == 0 {
		opt.RecoverFor = DefaultRecover
	}
	if opt.Polls == 0 {
		opt.Polls = DefaultPolls
	}
	if opt.ClientAddress == "" {
		opt.ClientAddress = DefaultClientAddress
	}
	opt.RecoverFor, opt.Polls = max(opt.RecoverFor, 0), max(opt.Polls, 0)
	return &Service{opt: opt, seal: newSeal(), live: map[string]*entry{}, deleted: map[string]*entry{}}
}

// newSeal makes the cipher of backups. Its key dies with the process, as do the vaults.
func newSeal() cipher.AEAD {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil // impossible with a key of 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil // impossible with AES
	}
	return aead
}

// Name implements wire.Service.
func (s *Service) Name() string { return "keyvault" }

// Owns implements wire.Service: every host directly under vault.azure.net, whether there
// is such a vault or not.
func (s *Service) Owns(host string) bool {
	name, ok := strings.CutSuffix(host, suffix)
	return ok && name != "" && !strings.Contains(name, ".")
}

// Exists tells whether a host is that of a live vault. Azure has no name in its DNS for
// others, so that a connection to them fails.
func (s *Service) Exists(host string) bool {
	_, _, ok := s.vaultOf(host)
	return ok
}

// vaultOf finds the live vault of a host, with its settings of the moment.
func (s *Service) vaultOf(host string) (*entry, settings, bool) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	name, ok := strings.CutSuffix(strings.ToLower(host), suffix)
	if !ok {
		return nil, settings{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.live[name]
	if !ok {
		return nil, settings{}, false
	}
	return e, e.settings, true
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, set, ok := s.vaultOf(r.Host)
	if !ok {
		// Azure has no host of that name; this is the nearest that HTTP can say.
		wire.WriteError(w, &wire.Error{Status: http.StatusNotFound, Code: "VaultNotFound", Message: "There is no key vault at " + r.Host + "."})
		return
	}
	h := w.Header()
	h.Set("X-Ms-Keyvault-Region", e.location)
	h.Set("X-Ms-Keyvault-Service-Version", "1.9.3070.1")
	h.Set("X-Ms-Keyvault-Network-Info", "conn_type=Ipv4;addr="+s.opt.ClientAddress+";act_addr_fam=InterNetwork;")
	h.Set("Strict-Transport-Security", "max-age=31536000;includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	c := &call{svc: s, vault: e, set: set, r: r, header: h}
	status, body, err := c.serve()
	switch {
	case err != nil:
		wire.WriteError(w, err)
	case body == nil:
		w.WriteHeader(status)
	default:
		wire.WriteJSON(w, status, body)
	}
}

// Seed implements wire.DataPlane. On an error some of the objects may have been made.
func (s *Service) Seed(resourceID string, data json.RawMessage) error {
	e, err := s.byID(resourceID)
	if err != nil {
		return err
	}
	if err := seed.Plant(e.data, data, s.opt.Clock()); err != nil {
		return fmt.Errorf("key vault %s: %w", e.name, err)
	}
	return nil
}

// Objects implements wire.DataPlane.
func (s *Service) Objects(resourceID string) ([]wire.Object, error) {
	e, err := s.byID(resourceID)
	if err != nil {
		return nil, err
	}
	return e.data.Dump(), nil
}

func (s *Service) byID(id string) (*entry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, e := range s.live {
		if strings.EqualFold(e.id, strings.TrimSuffix(id, "/")) {
			return e, nil
		}
	}
	return nil, fmt.Errorf("there is no key vault %s", id)
}
