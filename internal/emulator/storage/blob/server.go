package blob

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/seed"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Options configure a Server.
type Options struct {
	Clock wire.Clock // tells the time where no request does; nil: the system's
}

// Server is Blob Storage for all accounts.
type Server struct {
	opt   Options
	store *model.Store

	mu         sync.Mutex             // guards properties
	properties map[string]*properties // by lower-case account ID
}

var (
	_ kit.Server     = (*Server)(nil)
	_ kit.Configurer = (*Server)(nil)
	_ kit.Seeder     = (*Server)(nil)
)

// New makes a Server without any container.
func New(opt Options) *Server {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	return &Server{opt: opt, store: model.NewStore(), properties: map[string]*properties{}}
}

// Serve implements kit.Server.
func (s *Server) Serve(c *kit.Call) {
	r := req.New(c, s.Store(c.Account))
	if err := s.serve(r); err != nil {
		bare(r.Out)
		kit.WriteError(c.W, err)
	}
}

// kept are the headers that a refusal has, too: those of every answer, and what a client
// learns of a blob that it has, or of a range that there is none of.
var kept = []string{
	wire.HeaderRequestID, wire.HeaderClientRequestID, "Content-Range", "Date", "Etag", "Last-Modified", "Server", "X-Ms-Version",
}

// bare takes out of a refusal what the operation has written of its success.
func bare(h http.Header) {
	for name := range h {
		if !slices.Contains(kept, name) {
			delete(h, name)
		}
	}
}

// Store is what an account holds, for the service of its paths.
func (s *Server) Store(a kit.Account) *model.Account {
	out := s.store.Account(a.ID)
	out.SetHierarchical(a.HNS)
	return out
}

func (s *Server) serve(r *req.Request) *wire.Error {
	if strings.HasSuffix(r.Path, "/") && r.Blob == "" {
		r.Path = r.Container
	}
	if r.Service == kit.Web {
		return s.website(r)
	}
	op, err := route(r)
	if err != nil {
		return err
	}
	return op(s, r)
}

// Drop implements kit.Server.
func (s *Server) Drop(accountID string) {
	s.store.Drop(accountID)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.properties, strings.ToLower(accountID))
}

// Policies implements kit.Server.
func (s *Server) Policies(accountID, container string) ([]kit.Policy, bool) {
	c, err := s.store.Account(accountID).Container(container)
	if err != nil {
		return nil, false
	}
	return c.View().Policies, true
}

// Public implements kit.Server.
func (s *Server) Public(accountID, container string) string {
	c, err := s.store.Account(accountID).Container(container)
	if err != nil {
		return ""
	}
	return c.View().Public
}

// retention is a soft-delete setting of Resource Manager.
type retention struct {
	Enabled bool `json:"enabled"`
	Days    int  `json:"days"`
	Purge   bool `json:"allowPermanentDelete"`
}

// Configure implements kit.Configurer: versioning and soft delete are set in Resource
// Manager (blobServices/default), soft delete of blobs also by Set Blob Service Properties.
func (s *Server) Configure(a kit.Account, props map[string]any) error {
	var in struct {
		Versioning bool       `json:"isVersioningEnabled"`
		Blobs      *retention `json:"deleteRetentionPolicy"`
		Containers *retention `json:"containerDeleteRetentionPolicy"`
	}
	data, err := json.Marshal(props)
	if err == nil {
		err = json.Unmarshal(data, &in)
	}
	if err != nil {
		return fmt.Errorf("the blob service's properties cannot be read: %w", err)
	}
	for _, r := range []*retention{in.Blobs, in.Containers} {
		if r != nil && r.Enabled && (r.Days < 1 || r.Days > 365) {
			return errors.New("the days of a retention policy are 1 to 365")
		}
	}
	if a.HNS && in.Versioning {
		return errors.New("blob versioning is not supported for accounts with a hierarchical namespace")
	}
	s.Store(a).Configure(func(set *model.Settings) {
		set.Versioning = in.Versioning
		set.DeleteDays, set.Permanent = in.Blobs.days(), in.Blobs != nil && in.Blobs.Purge
		set.ContainerDays = in.Containers.days()
	})
	return nil
}

func (r *retention) days() int {
	if r == nil || !r.Enabled {
		return 0
	}
	return r.Days
}

// Container changes what Resource Manager alone sets of a container, such as legal holds;
// it returns what the container is afterwards.
func (s *Server) Container(accountID, name string, change func(*model.ContainerState) *wire.Error) (model.ContainerState, *wire.Error) {
	c, err := s.store.Account(accountID).Container(name)
	if err != nil {
		return model.ContainerState{}, err
	}
	err = c.Update(change)
	return c.View(), err
}

// SeedKeys implements kit.Seeder.
func (s *Server) SeedKeys() []string { return append([]string{"staticWebsite"}, seed.Keys...) }

// Seed implements kit.Server.
func (s *Server) Seed(a kit.Account, data json.RawMessage, now time.Time) error {
	if err := s.seedWebsite(a, data); err != nil {
		return err
	}
	return seed.Plant(s.Store(a), data, now)
}

// Objects implements kit.Server. Hashing what is generated takes its time: 100 GiB about a
// minute.
func (s *Server) Objects(a kit.Account) ([]wire.Object, error) {
	return seed.Objects(s.Store(a), s.opt.Clock()), nil
}
