package keyvault

import (
	"maps"
	"time"
)

// attributes are what secrets, keys and certificates have in common and a user can set.
// Times are in seconds since 1970, as on the wire; 0 is none. Creation, update and
// recovery level are the service's own and never compared.
type attributes struct {
	Disabled  bool  `json:"off,omitempty"`
	NotBefore int64 `json:"nbf,omitempty"`
	Expires   int64 `json:"exp,omitempty"`
}

// differs names the attributes in which a and b differ.
func (a attributes) differs(b attributes) []string {
	var out []string
	if a.Disabled != b.Disabled {
		out = append(out, "enabled")
	}
	if a.NotBefore != b.NotBefore {
		out = append(out, "notBefore")
	}
	if a.Expires != b.Expires {
		out = append(out, "expires")
	}
	return out
}

// removesDate tells whether going from old to a takes a date away, which Key Vault
// cannot do in place: an update leaves alone what it does not name.
func (a attributes) removesDate(old attributes) bool {
	return a.NotBefore == 0 && old.NotBefore != 0 || a.Expires == 0 && old.Expires != 0
}

// enabled returns the wire form of Disabled.
func (a attributes) enabled() *bool {
	on := !a.Disabled
	return &on
}

// attributesOf reads the wire form. An object is enabled unless it says otherwise.
func attributesOf(enabled *bool, notBefore, expires *time.Time) attributes {
	return attributes{Disabled: enabled != nil && !*enabled, NotBefore: seconds(notBefore), Expires: seconds(expires)}
}

func seconds(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.Unix()
}

func moment(seconds int64) *time.Time {
	if seconds == 0 {
		return nil
	}
	t := time.Unix(seconds, 0).UTC()
	return &t
}

// val returns what p points at, or the zero value.
func val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// opt returns a pointer to v, or nil for the zero value.
func opt[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// values returns what a list of pointers points at.
func values[T any](in []*T) []T {
	var out []T
	for _, p := range in {
		if p != nil {
			out = append(out, *p)
		}
	}
	return out
}

// pointers is the wire form of a list.
func pointers[T any](in []T) []*T {
	out := make([]*T, len(in))
	for i := range in {
		out[i] = &in[i]
	}
	return out
}

// tagsOf returns tags as plain text; nil if there are none.
func tagsOf(in map[string]*string) map[string]string {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[k] = val(v)
	}
	return out
}

// wireTags returns tags as the SDK wants them. It is never nil: an update without tags
// leaves the old ones.
func wireTags(in map[string]string) map[string]*string {
	out := make(map[string]*string, len(in))
	for k, v := range in {
		out[k] = &v
	}
	return out
}

func tagsDiffer(a, b map[string]string) []string {
	if maps.Equal(a, b) {
		return nil
	}
	return []string{"tags"}
}

// sameSet tells whether two lists hold the same things, in whatever order.
func sameSet[T comparable](a, b []T) bool {
	count := map[T]int{}
	for _, v := range a {
		count[v]++
	}
	for _, v := range b {
		count[v]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
