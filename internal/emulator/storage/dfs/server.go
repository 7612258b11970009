package dfs

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Server is the service of paths for all accounts.
type Server struct {
	blobs *blob.Server
}

var (
	_ kit.Server = (*Server)(nil)
	_ kit.Seeder = (*Server)(nil)
)

// New makes a Server over what a blob service holds.
func New(blobs *blob.Server) *Server { return &Server{blobs} }

// Serve implements kit.Server.
func (s *Server) Serve(c *kit.Call) {
	call := *c
	call.W = &writer{ResponseWriter: c.W}
	r := req.New(&call, s.blobs.Store(c.Account))
	op, err := route(r)
	if err == nil {
		err = op(r)
	}
	if err != nil {
		s.WriteError(c.W, c.R, err)
	}
}

// WriteError answers a refusal in the words of this service: JSON.
func (s *Server) WriteError(w http.ResponseWriter, _ *http.Request, e *wire.Error) { refuse(w, e) }

// Drop implements kit.Server: the blob service forgets for both.
func (s *Server) Drop(string) {}

// Policies implements kit.Server.
func (s *Server) Policies(accountID, container string) ([]kit.Policy, bool) {
	return s.blobs.Policies(accountID, container)
}

// Public implements kit.Server: paths cannot be read anonymously; that Azure refuses it here
// is not confirmed.
func (s *Server) Public(string, string) string { return "" }

// SeedKeys implements kit.Seeder: the blob service reads the scenario.
func (s *Server) SeedKeys() []string { return nil }

// Seed implements kit.Server.
func (s *Server) Seed(kit.Account, json.RawMessage, time.Time) error { return nil }

// Objects implements kit.Server: the blob service shows them.
func (s *Server) Objects(kit.Account) ([]wire.Object, error) { return nil, nil }
