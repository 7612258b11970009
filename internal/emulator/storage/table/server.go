package table

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/rate"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/entity"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Options set a Server up.
type Options struct {
	Clock  wire.Clock // tells the time where no request does; nil: the system's
	Limits bool       // enforce the service's targets: 2,000 entities a second and partition
}

// Server is Table Storage for all accounts. New makes one.
type Server struct {
	opt   Options
	meter rate.Meter

	mu       sync.Mutex // guards accounts, not what is in them
	accounts map[string]*account
}

var (
	_ kit.Server = (*Server)(nil)
	_ kit.Seeder = (*Server)(nil)
)

// account is what one account has. mu guards all of it.
type account struct {
	mu       sync.RWMutex
	settings *settings.Properties
	tables   map[string]*table // by name in lower case
}

type table struct {
	name     string // as first written
	policies []kit.Policy
	rows     *entity.Table
}

// New makes a Server without any table.
func New(opt Options) *Server {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	return &Server{opt: opt, accounts: map[string]*account{}}
}

func (s *Server) account(id string) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = strings.ToLower(id)
	a, ok := s.accounts[id]
	if !ok {
		a = &account{settings: settings.New(true), tables: map[string]*table{}}
		s.accounts[id] = a
	}
	return a
}

// Drop forgets everything of an account.
func (s *Server) Drop(accountID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, strings.ToLower(accountID))
}

// Policies returns the stored access policies of a table; ok is false if there is none.
func (s *Server) Policies(accountID, name string) ([]kit.Policy, bool) {
	a := s.account(accountID)
	a.mu.RLock()
	defer a.mu.RUnlock()
	t := a.find(name)
	if t == nil {
		return nil, false
	}
	return slices.Clone(t.policies), true
}

// Public returns "": no table can be read anonymously.
func (s *Server) Public(string, string) string { return "" }

// Names lists an account's tables in order of their names.
func (s *Server) Names(accountID string) []string {
	a := s.account(accountID)
	a.mu.RLock()
	defer a.mu.RUnlock()
	names := make([]string, 0, len(a.tables))
	for _, t := range a.sorted() {
		names = append(names, t.name)
	}
	return names
}

// Create makes a table, as the management plane does. The errors are TableAlreadyExists
// and those of bad names.
func (s *Server) Create(accountID, name string) *wire.Error {
	if err := checkName(name); err != nil {
		return err
	}
	a := s.account(accountID)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.create(name)
}

// Delete removes a table, as the management plane does; the error is ResourceNotFound.
func (s *Server) Delete(accountID, name string) *wire.Error {
	a := s.account(accountID)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.find(name) == nil {
		return fault.NotFound()
	}
	delete(a.tables, strings.ToLower(name))
	return nil
}

// SetPolicies replaces the stored access policies of a table, as the management plane does.
func (s *Server) SetPolicies(accountID, name string, ps []kit.Policy) *wire.Error {
	a := s.account(accountID)
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.find(name)
	if t == nil {
		return fault.TableNotFound()
	}
	t.policies = slices.Clone(ps)
	return nil
}

func (a *account) find(name string) *table { return a.tables[strings.ToLower(name)] }

func (a *account) create(name string) *wire.Error {
	if a.find(name) != nil {
		return fault.TableExists()
	}
	a.tables[strings.ToLower(name)] = &table{name: name, rows: entity.New()}
	return nil
}

// sorted returns the tables in order of their names, without regard to case.
func (a *account) sorted() []*table {
	out := make([]*table, 0, len(a.tables))
	for _, k := range slices.Sorted(maps.Keys(a.tables)) {
		out = append(out, a.tables[k])
	}
	return out
}

// checkName applies the rules for table names (Azure: Understanding the Table service
// data model). "tables" is reserved.
func checkName(name string) *wire.Error {
	switch {
	case len(name) < 3 || len(name) > 63:
		return fault.NameLength()
	case strings.EqualFold(name, "tables"):
		return fault.NameCharacters()
	}
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		digit := r >= '0' && r <= '9'
		if !letter && (i == 0 || !digit) {
			return fault.NameCharacters()
		}
	}
	return nil
}

// Serve answers a request.
func (s *Server) Serve(c *kit.Call) {
	x := &call{Call: c, server: s, account: s.account(c.Account.ID), query: c.R.URL.Query()}
	res, err := x.serve()
	if err != nil {
		s.WriteError(c.W, c.R, err)
		return
	}
	res.write(c.W)
}
