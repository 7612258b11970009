package storage

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/access"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/dfs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/queue"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// DefaultClientAddress is the IP address that all requests seem to come from, as firewall
// rules and signatures see it.
const DefaultClientAddress = "203.0.113.10"

// Options configure a Service.
type Options struct {
	Tokens wire.Tokens
	Access wire.Access
	Clock  wire.Clock // nil: the system's
	Limits bool       // enforce the service limits
	// ClientAddress is the address that requests seem to come from; "": DefaultClientAddress.
	ClientAddress string
	// Servers are the services of an account; nil: all there are.
	Servers map[kit.Kind]kit.Server
}

// Service answers for all storage accounts of all tenants.
type Service struct {
	opt     Options
	gate    access.Gate
	servers map[kit.Kind]kit.Server

	mu   sync.RWMutex      // guards live and what its entries say they leave to it
	live map[string]*entry // by name
}

var (
	_ wire.Service     = (*Service)(nil)
	_ wire.Named       = (*Service)(nil)
	_ wire.Streamer    = (*Service)(nil)
	_ wire.ErrorWriter = (*Service)(nil)
	_ wire.DataPlane   = (*Service)(nil)
	_ wire.Operator    = (*Service)(nil)
)

// New makes a service without accounts.
func New(opt Options) *Service {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.ClientAddress == "" {
		opt.ClientAddress = DefaultClientAddress
	}
	if opt.Servers == nil {
		opt.Servers = servers(opt)
	}
	return &Service{opt: opt, gate: access.Gate{Tokens: opt.Tokens, Access: opt.Access}, servers: opt.Servers, live: map[string]*entry{}}
}

// Name implements wire.Service.
func (s *Service) Name() string { return "storage" }

// Streams implements wire.Streamer: no service of an account reads a body under a lock.
func (s *Service) Streams() bool { return true }

// WriteError implements wire.ErrorWriter.
func (s *Service) WriteError(w http.ResponseWriter, _ *http.Request, e *wire.Error) {
	kit.WriteError(w, e)
}

// place is what a host name says.
type place struct {
	account   string
	kind      kit.Kind
	secondary bool
}

// suffix is what the host names of all services end in.
const suffix = ".core.windows.net"

// kinds are the services that have host names of their own.
var kinds = []kit.Kind{kit.Blob, kit.DFS, kit.File, kit.Queue, kit.Table, kit.Web}

// placeOf reads ACCOUNT.KIND.core.windows.net, ACCOUNT-secondary.… and, of the static
// website, ACCOUNT.zN.web.….
func placeOf(host string) (place, bool) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	name, ok := strings.CutSuffix(strings.ToLower(host), suffix)
	if !ok {
		return place{}, false
	}
	parts := strings.Split(name, ".")
	kind := kit.Kind(parts[len(parts)-1])
	zoned := kind == kit.Web && len(parts) == 3 && strings.HasPrefix(parts[1], "z")
	if parts[0] == "" || !slices.Contains(kinds, kind) || len(parts) != 2 && !zoned {
		return place{}, false
	}
	account, secondary := strings.CutSuffix(parts[0], "-secondary")
	return place{account, kind, secondary}, true
}

// Owns implements wire.Service: the hosts of all accounts, whether they are there or not.
func (s *Service) Owns(host string) bool {
	_, ok := placeOf(host)
	return ok
}

// Exists implements wire.Named: Azure's DNS knows the services of live accounts alone.
func (s *Service) Exists(host string) bool {
	p, ok := placeOf(host)
	if !ok {
		return false
	}
	_, _, ok = s.at(p)
	return ok
}

// at finds the live account of a place, with its settings of the moment.
func (s *Service) at(p place) (*entry, settings, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.live[p.account]
	if !ok || !e.settings.serves(p) {
		return nil, settings{}, false
	}
	return e, e.settings, true
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, known := placeOf(r.Host)
	e, set, ok := s.at(p)
	if !known || !ok {
		// Azure has no host of that name; this is the nearest that HTTP can say.
		kit.WriteError(w, &wire.Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "There is no storage service at " + r.Host + "."})
		return
	}
	now := s.opt.Clock().UTC()
	stamp(w, r, p.kind, now)
	c := &call{svc: s, entry: e, set: set, place: p, w: w, r: r, now: now}
	if err := c.serve(); err != nil {
		c.writeError(err)
	}
}

// stamp sets the headers that all answers have, the service's own time among them. Storage
// echoes the client's request ID without being asked to.
func stamp(w http.ResponseWriter, r *http.Request, kind kit.Kind, now time.Time) {
	h := w.Header()
	h.Set("Date", now.Format(http.TimeFormat))
	h.Set("Server", serverNames[kind])
	if id := r.Header.Get(wire.HeaderClientRequestID); id != "" && len(id) <= 1024 {
		h.Set(wire.HeaderClientRequestID, id)
	}
}

var serverNames = map[kit.Kind]string{
	kit.Blob: "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0", kit.DFS: "Windows-Azure-HDFS/1.0 Microsoft-HTTPAPI/2.0",
	kit.File: "Windows-Azure-File/1.0 Microsoft-HTTPAPI/2.0", kit.Queue: "Windows-Azure-Queue/1.0 Microsoft-HTTPAPI/2.0",
	kit.Table: "Windows-Azure-Table/1.0 Microsoft-HTTPAPI/2.0", kit.Web: "Windows-Azure-Web/1.0 Microsoft-HTTPAPI/2.0",
}

// Seed implements wire.DataPlane. On an error some of the objects may have been made.
func (s *Service) Seed(resourceID string, data json.RawMessage) error {
	e, err := s.byID(resourceID)
	if err != nil {
		return err
	}
	if err := s.seed(e, data); err != nil {
		return fmt.Errorf("storage account %s: %w", e.name, err)
	}
	return nil
}

// Objects implements wire.DataPlane.
func (s *Service) Objects(resourceID string) ([]wire.Object, error) {
	e, err := s.byID(resourceID)
	if err != nil {
		return nil, err
	}
	var out []wire.Object
	account := s.accountOf(e)
	for kind, server := range s.servers {
		if kind == kit.Web || kind == kit.DFS {
			continue // they share the blob service's data
		}
		objects, err := server.Objects(account)
		if err != nil {
			return nil, fmt.Errorf("storage account %s: %w", e.name, err)
		}
		out = append(out, objects...)
	}
	out = append(out, s.settingsObjects(e)...)
	slices.SortFunc(out, func(a, b wire.Object) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

func (s *Service) byID(id string) (*entry, error) {
	id = strings.TrimSuffix(id, "/")
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.live[strings.ToLower(id[strings.LastIndex(id, "/")+1:])]
	if !ok || !strings.EqualFold(e.id, id) {
		return nil, fmt.Errorf("there is no storage account %s", id)
	}
	return e, nil
}

func (s *Service) accountOf(e *entry) kit.Account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return e.account()
}

// servers are the services of an account. The static website shows the blob service's data.
func servers(opt Options) map[kit.Kind]kit.Server {
	blobs := blob.New(blob.Options{Clock: opt.Clock})
	return map[kit.Kind]kit.Server{
		kit.Blob:  blobs,
		kit.Web:   blobs,
		kit.DFS:   dfs.New(blobs),
		kit.File:  file.New(file.Options{Clock: opt.Clock, Limits: opt.Limits}),
		kit.Queue: queue.New(queue.Options{Clock: opt.Clock, Limits: opt.Limits}),
		kit.Table: table.New(table.Options{Clock: opt.Clock, Limits: opt.Limits}),
	}
}
