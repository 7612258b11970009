package vault

import (
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/shelf"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// object is what the life cycle must know of a secret or key.
type object interface{ isManaged() bool }

// claim finds what a write meets under a name: the live object, nothing, or a conflict.
func claim[T any](s *shelf.Shelf[T], k kind, name string, now time.Time) (*T, *wire.Error) {
	e := s.Find(name, now)
	if err := k.inTheWay(name, e.Status); err != nil {
		return nil, err
	}
	return e.Object, nil
}

// existing is claim for operations that need the object to be there.
func existing[T any](s *shelf.Shelf[T], k kind, name, version string, now time.Time) (*T, *wire.Error) {
	e := s.Find(name, now)
	switch e.Status {
	case shelf.Live:
		return e.Object, nil
	case shelf.Recovering:
		return nil, k.inTheWay(name, e.Status)
	case shelf.Absent, shelf.Deleting, shelf.Deleted:
	}
	return nil, k.notFound(name, version)
}

// bury soft-deletes a live object, or drops it where the vault has no soft delete. The
// caller holds the lock.
func bury[T any](v *Vault, s *shelf.Shelf[T], name string, now time.Time) shelf.Entry[T] {
	if v.cfg.SoftDelete {
		e, _ := s.Delete(name, now, v.opt.DeleteFor, v.retention())
		return e
	}
	e := s.Find(name, now)
	s.Drop(name)
	return shelf.Entry[T]{Object: e.Object, DeletedAt: now, PurgeAt: now}
}

// raise is the reverse of bury. The caller holds the lock.
func raise[T any](v *Vault, s *shelf.Shelf[T], name string, now time.Time) (*T, bool) {
	return s.Recover(name, now, v.opt.RecoverFor/2, v.opt.RecoverFor)
}

// remove deletes a secret or key that no certificate manages.
func remove[T any, P interface {
	*T
	object
}, R any](v *Vault, s *shelf.Shelf[T], k kind, name string, show func(shelf.Entry[T]) R) (R, *wire.Error) {
	var none R
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	obj, err := existing(s, k, name, "", now)
	if err != nil {
		return none, err
	}
	if P(obj).isManaged() {
		return none, k.managed("delete")
	}
	return show(bury(v, s, name, now)), nil
}

func findDeleted[T, R any](v *Vault, s *shelf.Shelf[T], k kind, name string, show func(shelf.Entry[T]) R) (R, *wire.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := s.Find(name, v.now())
	if e.Status != shelf.Deleted {
		var none R
		return none, k.deletedNotFound(name)
	}
	return show(e), nil
}

func listDeleted[T, R any](v *Vault, s *shelf.Shelf[T], marker string, n int, show func(shelf.Entry[T]) R) Page[R] {
	v.mu.Lock()
	defer v.mu.Unlock()
	entries, next := s.DeletedPage(marker, n, v.now())
	out := make([]R, 0, len(entries))
	for _, e := range entries {
		out = append(out, show(e))
	}
	return Page[R]{Items: out, Marker: next}
}

// restoreDeleted recovers a deleted secret or key that no certificate manages.
func restoreDeleted[T any, P interface {
	*T
	object
}, R any](v *Vault, s *shelf.Shelf[T], k kind, name string, show func(*T) R) (R, *wire.Error) {
	var none R
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := unmanagedGrave[T, P](s, k, name, "recover", now); err != nil {
		return none, err
	}
	obj, _ := raise(v, s, name, now)
	return show(obj), nil
}

func purge[T any, P interface {
	*T
	object
}](v *Vault, s *shelf.Shelf[T], k kind, name string) *wire.Error {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := unmanagedGrave[T, P](s, k, name, "purge", now); err != nil {
		return err
	}
	if err := v.mayPurge(); err != nil {
		return err
	}
	s.Purge(name, now)
	return nil
}

// mayPurge refuses if the vault is protected. The words are not confirmed.
func (v *Vault) mayPurge() *wire.Error {
	if v.cfg.PurgeProtection {
		return forbidden("ForbiddenByPolicy", "Operation \"purge\" is not allowed because purge protection is enabled for this vault. "+
			"Key Vault service will automatically purge it after the retention period has passed.")
	}
	return nil
}

// unmanagedGrave refuses unless there is a deleted object that no certificate manages.
func unmanagedGrave[T any, P interface {
	*T
	object
}](s *shelf.Shelf[T], k kind, name, operation string, now time.Time) *wire.Error {
	e := s.Find(name, now)
	if e.Status != shelf.Deleted {
		return k.deletedNotFound(name)
	}
	if P(e.Object).isManaged() {
		return k.managed(operation)
	}
	return nil
}

func (v *Vault) gone(k kind, name string, deleted, purge time.Time) *Gone {
	return &Gone{RecoveryID: v.cfg.BaseURL + "/deleted" + k.path + "/" + name, DeletedDate: deleted.Unix(), ScheduledPurgeDate: purge.Unix()}
}

func every[T any](*T) bool { return true }

func items[T, R any](page []shelf.Entry[T], show func(*T) R) []R {
	out := make([]R, 0, len(page))
	for _, e := range page {
		out = append(out, show(e.Object))
	}
	return out
}

// versionPage lists versions in the order of their identifiers, which is not that of
// their making: the service's order follows the identifier, too.
func versionPage[V, R any](versions []V, id func(*V) versionID, marker string, n int, show func(*V) R) Page[R] {
	order := make([]*V, 0, len(versions))
	for i := range versions {
		if id(&versions[i]).String() > marker {
			order = append(order, &versions[i])
		}
	}
	slices.SortFunc(order, func(a, b *V) int { return strings.Compare(id(a).String(), id(b).String()) })
	p := Page[R]{Items: []R{}}
	for _, ver := range order[:min(n, len(order))] {
		p.Items = append(p.Items, show(ver))
	}
	if len(order) > n {
		p.Marker = id(order[n-1]).String()
	}
	return p
}
