package model

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/btree"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Store holds what all accounts have.
type Store struct {
	mu       sync.RWMutex
	accounts map[string]*Account // by lower-case ID
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{accounts: map[string]*Account{}} }

// Account returns what an account has, which may be nothing yet.
func (s *Store) Account(id string) *Account {
	id = strings.ToLower(id)
	s.mu.RLock()
	a, ok := s.accounts[id]
	s.mu.RUnlock()
	if ok {
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.accounts[id]; ok {
		return a
	}
	a = &Account{}
	a.settings.Store(&Settings{})
	s.accounts[id] = a
	return a
}

// Drop forgets an account.
func (s *Store) Drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, strings.ToLower(id))
}

// Settings are those of an account's blob service that Resource Manager sets, and those of
// its scenario.
type Settings struct {
	Versioning    bool
	DeleteDays    int // soft delete of blobs; 0: off
	ContainerDays int // soft delete of containers; 0: off
	Permanent     bool
	Drop          bool     // hash what is written and keep nothing of it
	Scopes        []string // encryption scopes that can be used
}

// Account is what one account has.
type Account struct {
	settings   atomic.Pointer[Settings]
	hierarchy  atomic.Bool  // hierarchical namespace
	mu         sync.RWMutex // guards what follows, not what is in the containers
	containers btree.Map[string, *Container]
	deleted    []*Container // softly, oldest first
	last       time.Time
}

// Settings returns the account's settings.
func (a *Account) Settings() Settings { return *a.settings.Load() }

// Hierarchical tells whether the account has a hierarchical namespace, and SetHierarchical
// says so; it must be said before there is a container.
func (a *Account) Hierarchical() bool { return a.hierarchy.Load() }

// SetHierarchical see Hierarchical.
func (a *Account) SetHierarchical(is bool) { a.hierarchy.Store(is) }

// Configure changes the account's settings.
func (a *Account) Configure(change func(*Settings)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := a.Settings()
	change(&next)
	a.settings.Store(&next)
}

// serial makes ETags that are all different.
var serial atomic.Uint64

// NewETag returns an ETag in the service's form, without quotes.
func NewETag() string { return fmt.Sprintf("0x8DE%012X", serial.Add(1)) }

// Container finds a live container: ContainerNotFound, ContainerBeingDeleted otherwise.
func (a *Account) Container(name string) (*Container, *wire.Error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if c, ok := a.containers.Get(name); ok {
		return c, nil
	}
	return nil, ContainerNotFound()
}

// ContainerNotFound is the refusal of an operation on a container that is not there.
func ContainerNotFound() *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "ContainerNotFound", Message: "The specified container does not exist."}
}

// Create makes a container.
func (a *Account) Create(name string, now time.Time, s ContainerState) (*Container, *wire.Error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.containers.Get(name); ok {
		return nil, &wire.Error{Status: http.StatusConflict, Code: "ContainerAlreadyExists", Message: "The specified container already exists."}
	}
	if a.Hierarchical() && s.Root == nil {
		root := posix.New(posix.Superuser, posix.Superuser, posix.NewRoot)
		s.Root = &root
	}
	c := newContainer(a, name, now, s)
	a.containers.Set(name, c)
	return c, nil
}

// Delete removes a container, softly if the account says so. Check is asked under the
// locks whether it may go.
func (a *Account) Delete(name string, now time.Time, check func(*Container) *wire.Error) *wire.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.containers.Get(name)
	if !ok {
		return ContainerNotFound()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := check(c); err != nil {
		return err
	}
	a.containers.Delete(name)
	if days := a.Settings().ContainerDays; days > 0 {
		at := a.tick(now)
		c.DeletedAt, c.PurgeAt, c.Version = at, at.AddDate(0, 0, days), at.Format(Stamp)
		a.deleted = append(a.deleted, c)
	}
	return nil
}

// tick returns a time that no other call of the account got. The caller holds the lock.
func (a *Account) tick(now time.Time) time.Time {
	now = now.UTC().Truncate(100 * time.Nanosecond)
	if !now.After(a.last) {
		now = a.last.Add(100 * time.Nanosecond)
	}
	a.last = now
	return now
}

// Restore brings a softly deleted container back.
func (a *Account) Restore(name, version string, now time.Time) *wire.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.containers.Get(name); ok {
		return &wire.Error{Status: http.StatusConflict, Code: "ContainerAlreadyExists", Message: "The specified container already exists."}
	}
	i := slices.IndexFunc(a.deleted, func(c *Container) bool {
		return c.Name == name && c.Version == version && now.Before(c.PurgeAt)
	})
	if i < 0 {
		return ContainerNotFound()
	}
	c := a.deleted[i]
	a.deleted = slices.Delete(a.deleted, i, i+1)
	c.mu.Lock()
	c.DeletedAt, c.PurgeAt, c.Version = time.Time{}, time.Time{}, ""
	c.mu.Unlock()
	a.containers.Set(name, c)
	return nil
}

// Containers calls yield with every container from a name on, in order, until it returns
// false. Softly deleted ones are among them if asked for.
func (a *Account) Containers(from string, deleted bool, now time.Time, yield func(*Container) bool) {
	a.mu.RLock()
	var all []*Container
	a.containers.Ascend(from, func(_ string, c *Container) bool {
		all = append(all, c)
		return true
	})
	if deleted {
		for _, c := range a.deleted {
			if c.Name >= from && now.Before(c.PurgeAt) {
				all = append(all, c)
			}
		}
		slices.SortStableFunc(all, func(x, y *Container) int {
			if d := strings.Compare(x.Name, y.Name); d != 0 {
				return d
			}
			return strings.Compare(y.Version, x.Version)
		})
	}
	a.mu.RUnlock()
	for _, c := range all {
		if !yield(c) {
			return
		}
	}
}

// Look returns a live blob; nil if there is none.
func (a *Account) Look(container, name string, now time.Time) *Blob {
	c, err := a.Container(container)
	if err != nil {
		return nil
	}
	var b *Blob
	_ = c.Read(name, now, func(e *Entry) *wire.Error { // look does not fail
		b = e.Live()
		return nil
	})
	return b
}
