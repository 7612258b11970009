// Package entity keeps the entities of one table, ordered by partition and row key, and
// changes them under the service's rules: limits, conditions, merging (Azure:
// Understanding the Table service data model; Insert, Update, Merge, Delete Entity).
package entity

import (
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/edm"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/table/fault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Limits of an entity.
const (
	MostProperties = 252
	LongestName    = 255
	LongestKey     = 1024
	Largest        = 1 << 20
)

// Property is one named value.
type Property struct {
	Name  string
	Value edm.Value
}

// Entity is a row. One that is in a table is never changed: a change makes a new one.
type Entity struct {
	PartitionKey, RowKey string
	Stamp                time.Time
	Properties           []Property
}

// ETag is the entity's tag: its time stamp.
func (e *Entity) ETag() string {
	return `W/"datetime'` + strings.ReplaceAll(edm.FormatTime(e.Stamp), ":", "%3A") + `'"`
}

// Get returns a property, the keys and the time stamp included.
func (e *Entity) Get(name string) (edm.Value, bool) {
	switch name {
	case "PartitionKey":
		return edm.Text(e.PartitionKey), true
	case "RowKey":
		return edm.Text(e.RowKey), true
	case "Timestamp":
		v, err := edm.Time(e.Stamp)
		return v, err == nil
	}
	i := slices.IndexFunc(e.Properties, func(p Property) bool { return p.Name == name })
	if i < 0 {
		return edm.Value{}, false
	}
	return e.Properties[i].Value, true
}

// size is what the entity counts towards its limit.
func (e *Entity) size() int {
	n := 4 + 2*(edm.Units(e.PartitionKey)+edm.Units(e.RowKey))
	for _, p := range e.Properties {
		n += 8 + 2*edm.Units(p.Name) + p.Value.Size()
	}
	return n
}

// check tells what the service would refuse.
func (e *Entity) check() *wire.Error {
	if err := checkKey("PartitionKey", e.PartitionKey); err != nil {
		return err
	}
	if err := checkKey("RowKey", e.RowKey); err != nil {
		return err
	}
	if len(e.Properties) > MostProperties {
		return fault.TooManyProperties()
	}
	for _, p := range e.Properties {
		switch {
		case edm.Units(p.Name) > LongestName:
			return fault.NameTooLong()
		case !meta.Identifier(p.Name):
			return fault.PropertyName()
		case p.Value.TooLarge():
			return fault.ValueTooLarge()
		}
	}
	if e.size() > Largest {
		return fault.TooLarge()
	}
	return nil
}

// checkKey refuses the characters that keys may not have. That a key that is too long is
// refused as any other value is, could not be confirmed.
func checkKey(name, key string) *wire.Error {
	if edm.Units(key) > LongestKey {
		return fault.ValueTooLarge()
	}
	forbidden := func(r rune) bool {
		return strings.ContainsRune(`/\#?`, r) || r < 0x20 || r >= 0x7f && r <= 0x9f
	}
	if strings.ContainsFunc(key, forbidden) {
		return fault.OutOfRange(name, key)
	}
	return nil
}

// merged returns the entity with the properties of a change over its own.
func (e *Entity) merged(over []Property) []Property {
	out := slices.Clone(e.Properties)
	for _, p := range over {
		i := slices.IndexFunc(out, func(q Property) bool { return q.Name == p.Name })
		if i < 0 {
			out = append(out, p)
			continue
		}
		out[i] = p
	}
	return out
}
