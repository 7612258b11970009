// Package posix is who may do what with the paths of a hierarchical namespace: owner,
// owning group and access control lists, and how new paths come by theirs (Azure: Access
// control lists in Azure Data Lake Storage). A comment says so where words or behaviour
// could not be confirmed.
package posix

import (
	"fmt"
	"slices"
	"strings"
)

// Bits are what an entry grants.
type Bits uint8

// The three rights.
const (
	Execute Bits = 1 << iota
	Write
	Read
	All = Read | Write | Execute
)

// String is "rwx" with a hyphen for what is not granted.
func (b Bits) String() string {
	out := []byte("---")
	for i, bit := range []Bits{Read, Write, Execute} {
		if b&bit != 0 {
			out[i] = "rwx"[i]
		}
	}
	return string(out)
}

// parseBits reads "r-x"; of "rwt" and "rwT" the sticky bit belongs to the mode.
func parseBits(text string) (Bits, error) {
	var b Bits
	if len(text) != 3 {
		return 0, fmt.Errorf("%q is not like rwx", text)
	}
	for i, bit := range []Bits{Read, Write, Execute} {
		switch text[i] {
		case "rwx"[i]:
			b |= bit
		case '-':
		default:
			return 0, fmt.Errorf("%q is not like rwx", text)
		}
	}
	return b, nil
}

// Kind is whom an entry is about. The order is that of a list.
type Kind uint8

// The kinds of entries.
const (
	User Kind = iota
	Group
	Mask
	Other
)

var kindNames = []string{"user", "group", "mask", "other"}

// Entry is one of a list. Without an ID it is about the owner, the owning group or
// everybody else.
type Entry struct {
	Default bool // of a directory: what new paths in it get
	Kind    Kind
	ID      string
	Bits    Bits
}

// String is the entry as x-ms-acl has it: "default:user:ID:rwx".
func (e Entry) String() string {
	scope := ""
	if e.Default {
		scope = "default:"
	}
	return scope + kindNames[e.Kind] + ":" + e.ID + ":" + e.Bits.String()
}

// about tells whether two entries are about the same.
func (e Entry) about(o Entry) bool {
	return e.Default == o.Default && e.Kind == o.Kind && strings.EqualFold(e.ID, o.ID)
}

// ACL is an access control list, in order: access entries before default ones, of each
// users, groups, the mask and the others.
type ACL []Entry

// Text is the list as x-ms-acl has it.
func (a ACL) Text() string {
	out := make([]string, 0, len(a))
	for _, e := range a {
		out = append(out, e.String())
	}
	return strings.Join(out, ",")
}

// Parse reads a list of entries. Bits says whether they have rights, as all have but those
// that are to be removed.
func Parse(text string, bits bool) (ACL, error) {
	var out ACL
	for part := range strings.SplitSeq(text, ",") {
		e, err := parseEntry(strings.TrimSpace(part), bits)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, e.about) {
			return nil, fmt.Errorf("%q stands twice in the list", part)
		}
		out = append(out, e)
	}
	return out.sorted(), nil
}

func parseEntry(text string, bits bool) (Entry, error) {
	var e Entry
	fields := strings.Split(text, ":")
	if fields[0] == "default" {
		e.Default, fields = true, fields[1:]
	}
	if !bits && len(fields) < 3 { // "user:ID", "mask" and "mask:" are all taken
		fields = append(fields, make([]string, 3-len(fields))...)
	}
	if len(fields) != 3 {
		return e, fmt.Errorf("%q is not [default:]KIND:[ID]:RIGHTS", text)
	}
	i := slices.Index(kindNames, fields[0])
	if i < 0 {
		return e, fmt.Errorf("%q: user, group, mask and other are known", text)
	}
	e.Kind, e.ID = Kind(i), fields[1]
	if e.ID != "" && e.Kind > Group {
		return e, fmt.Errorf("%q: only users and groups have names", text)
	}
	var err error
	if bits {
		e.Bits, err = parseBits(fields[2])
	}
	return e, err
}

// sorted puts the entries in order; named ones stay in the order they came.
func (a ACL) sorted() ACL {
	out := slices.Clone(a)
	slices.SortStableFunc(out, func(x, y Entry) int { return x.rank() - y.rank() })
	return out
}

func (e Entry) rank() int {
	r := int(e.Kind) * 2
	if e.ID != "" {
		r++
	}
	if e.Default {
		r += 100
	}
	return r
}

// bits are those of an entry; ok is false if there is none.
func (a ACL) bits(def bool, kind Kind, id string) (Bits, bool) {
	i := slices.IndexFunc(a, Entry{Default: def, Kind: kind, ID: id}.about)
	if i < 0 {
		return 0, false
	}
	return a[i].Bits, true
}

// with puts an entry in the place of one that is about the same, or adds it.
func (a ACL) with(e Entry) ACL {
	out := slices.Clone(a)
	if i := slices.IndexFunc(out, e.about); i >= 0 {
		out[i].Bits = e.Bits
		return out
	}
	return append(out, e).sorted()
}

// scope are the access entries or the default ones.
func (a ACL) scope(def bool) ACL {
	var out ACL
	for _, e := range a {
		if e.Default == def {
			out = append(out, e)
		}
	}
	return out
}

// Access returns the entries that are not default ones.
func (a ACL) Access() ACL { return a.scope(false) }

// as returns the entries with another scope.
func (a ACL) as(def bool) ACL {
	out := slices.Clone(a)
	for i := range out {
		out[i].Default = def
	}
	return out
}
