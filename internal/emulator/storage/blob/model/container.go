package model

import (
	"net/http"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// ContainerState is what a container is besides its blobs.
type ContainerState struct {
	Meta         meta.Map
	Public       string // "", "blob" or "container"
	Policies     []kit.Policy
	Scope        string // default encryption scope; "": the account's
	DenyOverride bool

	ETag     string
	Modified time.Time
	Lease    lease.Lease

	// Worm is the time-based retention of the whole container; nil: none.
	Worm *Worm
	// Holds are the tags of its legal holds.
	Holds []string
	// VersionWorm lets blob versions have policies of their own.
	VersionWorm bool
	// Root is who may do what with the root directory; nil: there is no hierarchy.
	Root *posix.Access
}

// Worm is a container's immutability policy.
type Worm struct {
	Days         int
	Locked       bool
	AllowAppend  bool // to append blobs
	AllowAppends bool // to append blobs and by Put Block List to block blobs
	ETag         string
	Updates      int // how often it was extended since it was locked
	At           time.Time
}

// Container is one container. What it says of itself is read and changed through View and
// Update, its blobs through Read and Change.
type Container struct {
	Name string

	account *Account
	mu      sync.RWMutex // guards what follows
	ContainerState
	entries btree.Map[string, *Entry]
	virtual *Virtual
	last    time.Time

	DeletedAt, PurgeAt time.Time
	Version            string
}

func newContainer(a *Account, name string, now time.Time, s ContainerState) *Container {
	s.ETag, s.Modified = NewETag(), now.UTC()
	return &Container{Name: name, account: a, ContainerState: s}
}

// View returns what the container says of itself.
func (c *Container) View() ContainerState {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.ContainerState
}

// Update changes what the container says of itself; an error of change leaves it as it
// was.
func (c *Container) Update(change func(*ContainerState) *wire.Error) *wire.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.ContainerState
	if err := change(&next); err != nil {
		return err
	}
	c.ContainerState = next
	return nil
}

// SetVirtual fills the container with generated blobs.
func (c *Container) SetVirtual(v *Virtual) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.virtual = v
}

// Full tells whether there is any blob; the caller is in Account.Delete.
func (c *Container) Full() bool { return c.entries.Len() > 0 || c.virtual != nil }

// Read calls look with what is under a name, which is never nil and must not be changed.
func (c *Container) Read(name string, now time.Time, look func(e *Entry) *wire.Error) *wire.Error {
	c.mu.RLock()
	e := c.entry(name)
	if e.settled(now) {
		defer c.mu.RUnlock()
		return look(e)
	}
	c.mu.RUnlock()
	return c.Change(name, now, func(t *Tx) *wire.Error { return look(t.Entry) })
}

// entry finds what is under a name; the caller holds the lock.
func (c *Container) entry(name string) *Entry {
	if e, ok := c.entries.Get(c.key(name)); ok {
		return e
	}
	if c.virtual != nil {
		if b := c.virtual.blob(name); b != nil {
			return &Entry{Base: b}
		}
	}
	return &Entry{}
}

// settled tells whether time has not finished anything that must be written down.
func (e *Entry) settled(now time.Time) bool {
	if e.Staged.over(now) {
		return false
	}
	if e.Base != nil && (e.Base.Settle(now) != e.Base || e.Base.expired(now)) {
		return false
	}
	for _, b := range e.Old {
		if b.Settle(now) != b || !b.Purge.IsZero() && !now.Before(b.Purge) {
			return false
		}
	}
	return e.Base == nil || e.Base.Purge.IsZero() || now.Before(e.Base.Purge)
}

// Change calls change with what is under a name, to be changed by the methods of Tx. It
// must return an error before it changes anything.
func (c *Container) Change(name string, now time.Time, change func(t *Tx) *wire.Error) *wire.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.DeletedAt.IsZero() {
		return ContainerNotFound()
	}
	key := c.key(name)
	_, kept := c.entries.Get(key)
	e := c.entry(name)
	e.settle(now)
	was := e.Live()
	t := &Tx{Entry: e, Name: name, Now: now, Settings: c.account.Settings(), Container: c.ContainerState, c: c}
	if err := change(t); err != nil {
		return err
	}
	switch {
	case !e.Empty():
		if !kept {
			c.entries.Set(key, e)
		}
		if was == nil && e.Live() != nil {
			c.raise(name, e.Live(), now)
		}
	case c.virtual != nil && c.virtual.blob(name) != nil:
		c.entries.Set(key, e) // stands in the place of the generated one
	case kept:
		c.entries.Delete(key)
	}
	return nil
}

// settle writes down what time has finished.
func (e *Entry) settle(now time.Time) {
	over := func(b *Blob) bool { return !b.Purge.IsZero() && !now.Before(b.Purge) }
	if e.Base != nil {
		if e.Base = e.Base.Settle(now); over(e.Base) || e.Base.expired(now) {
			e.Base, e.Pending = nil, nil
		}
	}
	if e.Staged.over(now) {
		e.Staged = nil
	}
	var old []*Blob
	for _, b := range e.Old {
		if !over(b) {
			old = append(old, b.Settle(now))
		}
	}
	e.Old = old
}

// tick returns a time that no other change of the container got; snapshots and versions
// are named by it. The caller holds the lock.
func (c *Container) tick(now time.Time) time.Time {
	now = now.UTC().Truncate(100 * time.Nanosecond)
	if !now.After(c.last) {
		now = c.last.Add(100 * time.Nanosecond)
	}
	c.last = now
	return now
}

// BlobNotFound is the refusal of an operation on a blob that is not there.
func BlobNotFound() *wire.Error {
	return &wire.Error{Status: http.StatusNotFound, Code: "BlobNotFound", Message: "The specified blob does not exist."}
}
