package entity

import (
	"time"

	"github.com/tidwall/btree"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Table holds the entities of one table. It has no lock: its owner has. New makes one.
type Table struct {
	rows *btree.BTreeG[row]
	made []Generated
	last time.Time // the latest stamp that was given
}

// row is a key and its entity; a nil entity hides a generated one that was deleted.
type row struct {
	pk, rk string
	entity *Entity
}

func (r row) less(o row) bool { return r.pk < o.pk || r.pk == o.pk && r.rk < o.rk }

// New makes an empty table.
func New() *Table {
	return &Table{rows: btree.NewBTreeGOptions(row.less, btree.Options{NoLocks: true})}
}

// Get returns an entity, or nil.
func (t *Table) Get(pk, rk string) *Entity {
	if r, ok := t.rows.Get(row{pk: pk, rk: rk}); ok {
		return r.entity
	}
	for _, g := range t.made {
		if e := g.find(pk, rk); e != nil {
			return e
		}
	}
	return nil
}

// Kind is what a change does.
type Kind int

// The kinds of changes.
const (
	Insert Kind = iota
	Replace
	Merge
	Delete
)

// Change is one write. IfMatch is the condition of Replace, Merge and Delete: "*" for any
// entity; "" makes Replace and Merge insert what is not there.
type Change struct {
	Kind                 Kind
	PartitionKey, RowKey string
	IfMatch              string
	Properties           []Property
}

// Apply does changes, all or none: either it returns the new entities, nil for a deleted
// one, or the error of the first change that fails and its index. No two changes may be
// about the same entity.
func (t *Table) Apply(now time.Time, changes ...Change) (out []*Entity, failed int, err *wire.Error) {
	stamp := t.stamp(now)
	out = make([]*Entity, len(changes))
	for i, ch := range changes {
		e, err := t.stage(ch)
		if err != nil {
			return nil, i, err
		}
		if e != nil {
			e.Stamp = stamp
		}
		out[i] = e
	}
	t.last = stamp
	for i, ch := range changes {
		t.put(ch, out[i])
	}
	return out, 0, nil
}

// stamp is now, or a moment after the last stamp if the clock stands.
func (t *Table) stamp(now time.Time) time.Time {
	now = now.UTC().Truncate(100 * time.Nanosecond)
	if !now.After(t.last) {
		return t.last.Add(100 * time.Nanosecond)
	}
	return now
}

// stage makes the entity that a change leads to, and nothing else.
func (t *Table) stage(ch Change) (*Entity, *wire.Error) {
	old := t.Get(ch.PartitionKey, ch.RowKey)
	if err := ch.allowed(old); err != nil {
		return nil, err
	}
	if ch.Kind == Delete {
		return nil, nil
	}
	e := &Entity{PartitionKey: ch.PartitionKey, RowKey: ch.RowKey, Properties: ch.Properties}
	if ch.Kind == Merge && old != nil {
		e.Properties = old.merged(ch.Properties)
	}
	return e, e.check()
}

// allowed checks existence and condition.
func (ch Change) allowed(old *Entity) *wire.Error {
	switch {
	case ch.Kind == Insert && old != nil:
		return fault.EntityExists()
	case ch.Kind == Insert || ch.IfMatch == "" && ch.Kind != Delete:
		return nil
	case old == nil:
		return fault.NotFound()
	case ch.IfMatch != "*" && ch.IfMatch != old.ETag():
		return fault.Condition()
	}
	return nil
}

func (t *Table) put(ch Change, e *Entity) {
	r := row{pk: ch.PartitionKey, rk: ch.RowKey, entity: e}
	if e == nil && !t.generates(ch.PartitionKey, ch.RowKey) {
		t.rows.Delete(r)
		return
	}
	t.rows.Set(r)
}

func (t *Table) generates(pk, rk string) bool {
	for _, g := range t.made {
		if g.find(pk, rk) != nil {
			return true
		}
	}
	return false
}

// Ascend calls f for every entity from a key on, in order, until it returns false.
func (t *Table) Ascend(pk, rk string, f func(*Entity) bool) {
	runs := make([]*run, 0, len(t.made)+1)
	for i := range t.made {
		runs = append(runs, t.made[i].run(pk, rk))
	}
	iter := t.rows.Iter()
	runs = append(runs, stored(iter, pk, rk))
	defer iter.Release()
	for {
		e, ok := least(runs)
		if !ok {
			return
		}
		if e != nil && !f(e) {
			return
		}
	}
}
