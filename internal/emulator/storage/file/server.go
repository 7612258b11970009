package file

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/rate"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Options set a Server up.
type Options struct {
	Clock  wire.Clock // tells the time where no request does; nil: the system's
	Limits bool       // enforce the service's target: 1,000 requests a second and share
}

// Server is Azure Files for all accounts. New makes one.
type Server struct {
	opt   Options
	meter rate.Meter

	mu       sync.Mutex // guards accounts, not what is in them
	accounts map[string]*account
}

var (
	_ kit.Server     = (*Server)(nil)
	_ kit.Configurer = (*Server)(nil)
	_ kit.Seeder     = (*Server)(nil)
)

// account is what one account has. mu guards all of it; nodes may be read without it.
type account struct {
	mu       sync.RWMutex
	settings *settings.Properties
	shares   map[string]*tree.Share
	deleted  []*tree.Share // those that can be restored
	keepDays int           // how long a deleted share can be; 0: not at all
	discard  bool          // content that comes in is hashed and dropped
	stamps   tree.Stamps
}

// New makes a Server without any share.
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
		a = &account{settings: settings.New(false), shares: map[string]*tree.Share{}}
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

// Policies returns the stored access policies of a share; ok is false if there is none.
func (s *Server) Policies(accountID, name string) ([]kit.Policy, bool) {
	a := s.account(accountID)
	a.mu.RLock()
	defer a.mu.RUnlock()
	sh, ok := a.shares[name]
	if !ok {
		return nil, false
	}
	return slices.Clone(sh.Policies), true
}

// Public returns "": no share can be read anonymously.
func (s *Server) Public(string, string) string { return "" }

// Configure takes over what ARM's fileServices/default says of deleted shares.
func (s *Server) Configure(a kit.Account, properties map[string]any) error {
	acct := s.account(a.ID)
	acct.mu.Lock()
	defer acct.mu.Unlock()
	acct.keepDays = 0
	keep, _ := properties["shareDeleteRetentionPolicy"].(map[string]any)
	if on, _ := keep["enabled"].(bool); on {
		switch days := keep["days"].(type) {
		case float64:
			acct.keepDays = int(days)
		case int:
			acct.keepDays = days
		}
		if acct.keepDays < 1 || acct.keepDays > 365 {
			acct.keepDays = 0
			return fmt.Errorf("shareDeleteRetentionPolicy: days are %v, not 1 to 365", keep["days"])
		}
	}
	return nil
}

// names lists the shares in order.
func (a *account) names() []string { return slices.Sorted(maps.Keys(a.shares)) }

// expire forgets the deleted shares whose time is over.
func (a *account) expire(now time.Time) {
	a.deleted = slices.DeleteFunc(a.deleted, func(sh *tree.Share) bool {
		return !now.Before(sh.Deleted.AddDate(0, 0, a.keepDays))
	})
}

// Serve answers a request.
func (s *Server) Serve(c *kit.Call) {
	x := &call{Call: c, server: s, account: s.account(c.Account.ID), query: c.R.URL.Query(), out: c.W.Header()}
	if err := x.serve(); err != nil {
		kit.WriteError(c.W, err)
	}
}
