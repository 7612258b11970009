package account

import (
	"reflect"
	"slices"
	"sync"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// kept bounds a Cache: both sides of twice as many pairs as any engine works at together.
const kept = 128

// Cache hands out the accounts of endpoints and keeps the ones used last, so that clients,
// keys and signatures are made once for a pair and not for each item. The zero Cache is
// ready for use, also concurrently. Without it the same calls only cost more round trips.
type Cache struct {
	mu      sync.Mutex // guards entries
	entries []entry    // the one used last comes first
}

type entry struct {
	of      plugin.Endpoint
	useKey  bool
	account *Account
}

// For returns the account of an endpoint; useKey asks for signing in with its key. It does
// no I/O. Endpoints share an Account if resource, credential and every option are
// identical, not merely alike.
func (c *Cache) For(e plugin.Endpoint, useKey bool) (*Account, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.entries, func(known entry) bool { return known.useKey == useKey && sameEndpoint(known.of, e) })
	if at < 0 {
		a, err := open(e, useKey)
		if err != nil {
			return nil, err
		}
		c.entries = slices.Insert(c.entries, 0, entry{e, useKey, a})
		if len(c.entries) > kept {
			clear(c.entries[kept:])
			c.entries = c.entries[:kept]
		}
		return a, nil
	}
	used := c.entries[at]
	copy(c.entries[1:at+1], c.entries[:at])
	c.entries[0] = used
	return used.account, nil
}

func sameEndpoint(a, b plugin.Endpoint) bool {
	return a.Resource.ID == b.Resource.ID && a.Resource.Name == b.Resource.Name &&
		slices.Equal(a.Resource.Properties, b.Resource.Properties) &&
		sameSecret(a, b) &&
		identical(reflect.ValueOf(a.Credential), reflect.ValueOf(b.Credential)) &&
		identical(reflect.ValueOf(a.Options), reflect.ValueOf(b.Options))
}

// sameSecret tells whether two endpoints were given the same key or none.
func sameSecret(a, b plugin.Endpoint) bool {
	for _, name := range []string{secretKey, secretConnection} {
		va, oka := lookup(a.Secret, name)
		vb, okb := lookup(b.Secret, name)
		if oka != okb || !va.Equal(vb) {
			return false
		}
	}
	return true
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
		return each(a.NumField(), func(i int) bool { return identical(a.Field(i), b.Field(i)) })
	case reflect.Slice:
		return a.Len() == b.Len() && each(a.Len(), func(i int) bool { return identical(a.Index(i), b.Index(i)) })
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

// each tells whether a condition holds for all numbers below n.
func each(n int, holds func(int) bool) bool {
	for i := range n {
		if !holds(i) {
			return false
		}
	}
	return true
}
