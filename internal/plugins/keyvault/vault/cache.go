package vault

import (
	"reflect"
	"slices"
	"sync"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// kept bounds a Cache: twice as many vaults as any engine works at together.
const kept = 64

// Cache hands out the clients of endpoints and keeps the ones used last. The zero Cache
// is ready for use, also concurrently. It holds nothing that a call's result depends on:
// without it the same calls only cost more round trips.
type Cache struct {
	mu      sync.Mutex // guards entries
	entries []entry    // the one used last comes first
}

type entry struct {
	of      plugin.Endpoint
	clients *Clients
}

// For returns the clients of an endpoint. It does no I/O. Endpoints share clients if
// vault, credential and every option are identical, not merely alike.
func (c *Cache) For(e plugin.Endpoint) (*Clients, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.entries, func(known entry) bool { return sameEndpoint(known.of, e) })
	if at < 0 {
		clients, err := connect(e)
		if err != nil {
			return nil, err
		}
		c.entries = slices.Insert(c.entries, 0, entry{plugin.Endpoint{Resource: addressing(e), Credential: e.Credential, Options: e.Options}, clients})
		if len(c.entries) > kept {
			clear(c.entries[kept:])
			c.entries = c.entries[:kept]
		}
		return clients, nil
	}
	used := c.entries[at]
	copy(c.entries[1:at+1], c.entries[:at])
	c.entries[0] = used
	return used.clients, nil
}

// addressing returns what address reads of a resource, and its ID.
func addressing(e plugin.Endpoint) plugin.Resource {
	return plugin.Resource{ID: e.Resource.ID, Name: e.Resource.Name, Properties: e.Resource.Properties}
}

func sameEndpoint(a, b plugin.Endpoint) bool {
	return a.Resource.ID == b.Resource.ID && a.Resource.Name == b.Resource.Name &&
		slices.Equal(a.Resource.Properties, b.Resource.Properties) &&
		identical(reflect.ValueOf(a.Credential), reflect.ValueOf(b.Credential)) &&
		identical(reflect.ValueOf(a.Options), reflect.ValueOf(b.Options))
}

// identical tells whether two values of one type cannot be told apart: structs by their
// fields, slices by their elements, everything else by ==. Functions cannot be compared,
// so options that hold one are never identical.
func identical(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
		return a.IsValid() == b.IsValid() && !a.IsValid()
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !identical(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		return identicalElements(a, b)
	case reflect.Interface:
		return identical(a.Elem(), b.Elem())
	case reflect.Func:
		return a.IsNil() && b.IsNil()
	case reflect.Map:
		return a.UnsafePointer() == b.UnsafePointer()
	default:
		return a.Comparable() && b.Comparable() && a.Equal(b)
	}
}

func identicalElements(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if !identical(a.Index(i), b.Index(i)) {
			return false
		}
	}
	return true
}
