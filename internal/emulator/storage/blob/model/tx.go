package model

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Tx is a change of what is under one name, made under the container's lock.
type Tx struct {
	*Entry
	Name      string
	Now       time.Time
	Settings  Settings
	Container ContainerState
	c         *Container
}

// Tick returns a time that no other change got.
func (t *Tx) Tick() time.Time { return t.c.tick(t.Now) }

// Stamp gives a blob a new ETag and time of change.
func (t *Tx) Stamp(b *Blob) *Blob {
	b.ETag, b.Modified = NewETag(), t.Now.UTC()
	return b
}

// written stamps a blob that takes the place of the base blob.
func (t *Tx) written(b *Blob) *Blob {
	t.Lease = t.Lease.Written(t.Now)
	return t.Stamp(b)
}

// Replace puts a new blob in the place of the base blob: the old one becomes a version or
// a softly deleted snapshot, as the account has it, and uncommitted blocks are gone.
func (t *Tx) Replace(b *Blob) *Blob {
	at := t.Tick()
	t.written(b)
	b.Created = at
	old := t.Live()
	if old != nil {
		b.Created = old.Created // that an overwrite keeps it is not confirmed
		if !old.Dir {
			t.supersede(old, at)
		}
	}
	t.c.marked(b)
	t.c.adopt(t.Name, b, old)
	if t.Settings.Versioning {
		b.Version = at.Format(Stamp)
	}
	b.Snapshot, b.Deleted, b.Purge = "", time.Time{}, time.Time{}
	if t.Base != nil && t.Live() == nil { // softly deleted: stays so beside the new one
		gone := t.Base.Clone()
		gone.Snapshot = at.Format(Stamp)
		t.keep(gone)
	}
	t.Base, t.Staged, t.Pending = b, nil, nil
	return b
}

// NewVersion puts a changed blob in the place of the base blob and keeps the old one as a
// version, where versions are kept (Azure: a change of metadata makes a version).
func (t *Tx) NewVersion(b *Blob) *Blob {
	at := t.Tick()
	if old := t.Live(); old != nil && t.Settings.Versioning {
		t.supersede(old, at)
	}
	if t.Settings.Versioning {
		b.Version = at.Format(Stamp)
	}
	t.Base = t.written(b)
	return b
}

// Alter puts a changed blob in the place of the base blob.
func (t *Tx) Alter(b *Blob) *Blob {
	t.Base = t.written(b)
	return b
}

// Swap puts a changed blob in the place of another under the name, without a new ETag.
func (t *Tx) Swap(old, b *Blob) {
	if t.Base == old {
		t.Base = b
		return
	}
	if i := slices.Index(t.Old, old); i >= 0 {
		t.Old[i] = b
	}
}

// supersede keeps a base blob that another takes the place of.
func (t *Tx) supersede(old *Blob, at time.Time) {
	kept := old.Clone()
	switch {
	case t.Settings.Versioning:
		if kept.Version == "" {
			kept.Version = old.Modified.UTC().Format(Stamp)
		}
	case t.Settings.DeleteDays > 0:
		kept.Snapshot = at.Format(Stamp)
		t.bury(kept)
	default:
		return
	}
	t.keep(kept)
}

// bury marks a blob as softly deleted.
func (t *Tx) bury(b *Blob) {
	b.Deleted, b.Purge = t.Now.UTC(), t.Now.UTC().AddDate(0, 0, t.Settings.DeleteDays)
}

// keep adds an older blob in its order.
func (t *Tx) keep(b *Blob) {
	t.Old = append(slices.Clone(t.Old), b)
	slices.SortStableFunc(t.Old, func(x, y *Blob) int { return cmp.Compare(x.age(), y.age()) })
}

func (b *Blob) age() string { return cmp.Or(b.Snapshot, b.Version) }

// TakeSnapshot keeps a read-only copy of the base blob.
func (t *Tx) TakeSnapshot(change func(*Blob)) *Blob {
	at := t.Tick()
	snap := t.Base.Clone()
	snap.Data = t.Base.Data.Fork()
	snap.Snapshot, snap.Version = at.Format(Stamp), ""
	change(snap)
	t.keep(snap)
	if t.Settings.Versioning { // the base becomes a version of its own
		old := t.Base.Clone()
		if old.Version == "" {
			old.Version = old.Modified.UTC().Format(Stamp)
		}
		t.keep(old)
		base := t.Base.Clone()
		base.Version = t.Tick().Format(Stamp)
		t.Base = base
		snap.Version = base.Version
	}
	return snap
}

// Remove deletes the base blob; permanent is for accounts that allow it and for softly
// deleted ones. Versions stay; snapshots must have gone.
func (t *Tx) Remove() {
	old := t.Base
	t.Base, t.Staged, t.Pending, t.Lease = nil, nil, nil, lease.Lease{}
	switch {
	case t.Settings.Versioning:
		kept := old.Clone()
		if kept.Version == "" {
			kept.Version = old.Modified.UTC().Format(Stamp)
		}
		t.keep(kept)
	case t.Settings.DeleteDays > 0:
		kept := old.Clone()
		t.bury(kept)
		t.Base = kept
	}
}

// RemoveOld deletes a snapshot or version, softly if the account says so.
func (t *Tx) RemoveOld(b *Blob, permanent bool) {
	if t.Base == b {
		t.Remove()
		return
	}
	i := slices.Index(t.Old, b)
	if i < 0 {
		return
	}
	if t.Settings.DeleteDays > 0 && !permanent {
		kept := b.Clone()
		t.bury(kept)
		t.Old = slices.Clone(t.Old)
		t.Old[i] = kept
		return
	}
	t.Old = slices.Delete(slices.Clone(t.Old), i, i+1)
}

// Snapshots are those that are not deleted.
func (t *Tx) Snapshots() []*Blob {
	var out []*Blob
	for _, b := range t.Old {
		if b.Snapshot != "" && b.Deleted.IsZero() {
			out = append(out, b)
		}
	}
	return out
}

// Undelete brings back everything under the name that is softly deleted; false if there is
// nothing under it at all.
func (t *Tx) Undelete() bool {
	if t.Base == nil && len(t.Old) == 0 {
		return false
	}
	back := func(b *Blob) *Blob {
		if b.Deleted.IsZero() {
			return b
		}
		b = b.Clone()
		b.Deleted, b.Purge = time.Time{}, time.Time{}
		return b
	}
	if t.Base != nil {
		t.Base = back(t.Base)
	}
	old := make([]*Blob, 0, len(t.Old))
	for _, b := range t.Old {
		old = append(old, back(b))
	}
	t.Old = old
	return true
}

// Immutable refuses to overwrite or delete a blob that a policy or a hold protects.
func (t *Tx) Immutable(b *Blob) *wire.Error {
	if b == nil {
		return nil
	}
	if len(t.Container.Holds) > 0 || b.Hold || b.Policy != nil && t.Now.Before(b.Policy.Until) {
		return immutable()
	}
	if w := t.Container.Worm; w != nil && t.Now.Before(b.Created.AddDate(0, 0, w.Days)) {
		return immutable()
	}
	return nil
}

func immutable() *wire.Error {
	return &wire.Error{Status: http.StatusConflict, Code: "BlobImmutableDueToPolicy", Message: "This operation is not permitted as the blob is immutable due to a policy."}
}
