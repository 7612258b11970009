package posix

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Superuser is the owner of what was made with a key or a signature.
const Superuser = "$superuser"

// Mode are the nine rights of owner, group and others and the sticky bit, as chmod has them.
type Mode uint16

const sticky Mode = 0o1000

// The rights of new paths, before the umask, and the umask of a request that has none
// (Azure: Path Create).
const (
	NewFile      Mode = 0o666
	NewDirectory Mode = 0o777
	NewRoot      Mode = 0o750 // of a file system; not confirmed
	Umask        Mode = 0o027
)

// ParseMode reads "0750", "rwxr-x---" and "rwxr-x--T".
func ParseMode(text string) (Mode, error) {
	if len(text) == 4 {
		n, err := strconv.ParseUint(text, 8, 10)
		if err != nil {
			return 0, fmt.Errorf("%q is not of four octal digits", text)
		}
		return Mode(n), nil
	}
	text = strings.TrimSuffix(text, "+")
	if len(text) != 9 {
		return 0, fmt.Errorf("%q is neither like rwxr-x--- nor like 0750", text)
	}
	var m Mode
	if i := strings.IndexByte("tT", text[8]); i >= 0 {
		m, text = sticky, text[:8]+"x-"[i:i+1]
	}
	for i := range 3 {
		b, err := parseBits(text[3*i : 3*i+3])
		if err != nil {
			return 0, err
		}
		m |= Mode(b) << (6 - 3*i)
	}
	return m, nil
}

func (m Mode) class(i int) Bits { return Bits(m>>(6-3*i)) & All }

// Access is who owns a path and what the others may do with it.
type Access struct {
	Owner, Group string
	Sticky       bool
	ACL          ACL
}

// New is the access of a path that has nothing but a mode.
func New(owner, group string, m Mode) Access {
	return Access{Owner: owner, Group: group}.Chmod(m)
}

// Chmod sets the rights of owner, group and others. Where there is a mask it stands for
// the group.
func (a Access) Chmod(m Mode) Access {
	a.Sticky = m&sticky != 0
	group := Group
	if _, ok := a.ACL.bits(false, Mask, ""); ok {
		group = Mask
	}
	for i, kind := range []Kind{User, group, Other} {
		a.ACL = a.ACL.with(Entry{Kind: kind, Bits: m.class(i)})
	}
	return a
}

// Permissions are the rights as x-ms-permissions has them: "rwxr-x---", with a "+" behind
// if there are more entries than the three. The mask stands for the group.
func (a Access) Permissions() string {
	group, masked := a.ACL.bits(false, Mask, "")
	if !masked {
		group, _ = a.ACL.bits(false, Group, "")
	}
	user, _ := a.ACL.bits(false, User, "")
	other, _ := a.ACL.bits(false, Other, "")
	out := user.String() + group.String() + other.String()
	if a.Sticky {
		out = out[:8] + map[bool]string{true: "t", false: "T"}[other&Execute != 0]
	}
	if len(a.ACL) > 3 {
		out += "+"
	}
	return out
}

// Replace sets the whole list. The three entries without a name must be there; a mask is
// added where named entries need one.
func (a Access) Replace(list ACL, directory bool) (Access, error) {
	for _, kind := range []Kind{User, Group, Other} {
		if _, ok := list.bits(false, kind, ""); !ok {
			return a, fmt.Errorf("the entry %s:: is not in the list", kindNames[kind])
		}
	}
	return a.finish(list, directory)
}

// Modify adds entries, or puts them in the place of those that are about the same.
func (a Access) Modify(list ACL, directory bool) (Access, error) {
	next := a.ACL
	for _, e := range list {
		next = next.with(e)
	}
	for _, def := range []bool{false, true} { // a mask that nobody gave follows the entries
		if _, given := list.bits(def, Mask, ""); !given && list.scope(def).named() {
			next = next.without(Entry{Default: def, Kind: Mask})
		}
	}
	return a.finish(next, directory)
}

// Remove takes entries away. The three without a name stay in the access list.
func (a Access) Remove(list ACL, directory bool) (Access, error) {
	next := a.ACL
	for _, e := range list {
		if !e.Default && e.ID == "" && e.Kind != Mask {
			return a, fmt.Errorf("the entry %s:: cannot be removed", kindNames[e.Kind])
		}
		next = next.without(e)
	}
	return a.finish(next, directory)
}

func (a ACL) without(e Entry) ACL { return slices.DeleteFunc(slices.Clone(a), e.about) }

func (a ACL) named() bool {
	return slices.ContainsFunc(a, func(e Entry) bool { return e.ID != "" })
}

// most is how many entries a list may have (Azure: Access control lists, limits of 32 in
// each of the two).
const most = 32

// finish completes a list: masks, and what a default list leaves out.
func (a Access) finish(list ACL, directory bool) (Access, error) {
	def := list.scope(true)
	switch {
	case len(def) > 0 && !directory:
		return a, errors.New("files have no default entries")
	case len(def) > most, len(list)-len(def) > most:
		return a, fmt.Errorf("a list has at most %d entries", most)
	}
	if len(def) > 0 {
		for _, kind := range []Kind{User, Group, Other} { // that they come from the access list is not confirmed
			if _, ok := def.bits(true, kind, ""); !ok {
				bits, _ := list.bits(false, kind, "")
				list = list.with(Entry{Default: true, Kind: kind, Bits: bits})
			}
		}
	}
	a.ACL = list.masked(false).masked(true).sorted()
	return a, nil
}

// masked adds the mask that named entries need: all that they and the group have.
func (a ACL) masked(def bool) ACL {
	if _, ok := a.bits(def, Mask, ""); ok || !a.scope(def).named() {
		return a
	}
	var all Bits
	for _, e := range a.scope(def) {
		if e.Kind == Group || e.ID != "" {
			all |= e.Bits
		}
	}
	return a.with(Entry{Default: def, Kind: Mask, Bits: all})
}

// Inherit is the access of a new path in a directory: what the directory's default list
// says, cut down to the mode, or the mode less the umask where there is no such list. That
// the mode cuts is POSIX's rule; that Azure follows it is not confirmed.
func (a Access) Inherit(owner string, directory bool, m, umask Mode) Access {
	def := a.ACL.scope(true)
	if len(def) == 0 {
		return New(owner, a.Group, m&^umask)
	}
	out := Access{Owner: owner, Group: a.Group, Sticky: m&sticky != 0, ACL: def.as(false)}
	cut := func(kind Kind, by Bits) {
		if b, ok := out.ACL.bits(false, kind, ""); ok {
			out.ACL = out.ACL.with(Entry{Kind: kind, Bits: b & by})
		}
	}
	cut(User, m.class(0))
	cut(Other, m.class(2))
	if _, ok := out.ACL.bits(false, Mask, ""); ok {
		cut(Mask, m.class(1))
	} else {
		cut(Group, m.class(1))
	}
	if directory {
		out.ACL = append(out.ACL, def...)
	}
	return out
}

// Allows tells whether somebody has all of some rights, by the algorithm that the page
// gives: owner, named users, groups, others; the mask cuts all but the owner's. An identity
// is a member of no group but itself.
func (a Access) Allows(id string, want Bits) bool {
	mask, ok := a.ACL.bits(false, Mask, "")
	if !ok {
		mask = All
	}
	if id != "" && strings.EqualFold(id, a.Owner) {
		own, _ := a.ACL.bits(false, User, "")
		return own&want == want
	}
	if b, ok := a.ACL.bits(false, User, id); ok && id != "" {
		return b&mask&want == want
	}
	var groups Bits
	member := false
	if b, ok := a.ACL.bits(false, Group, id); ok && id != "" {
		groups, member = groups|b, true
	}
	if id != "" && strings.EqualFold(id, a.Group) {
		b, _ := a.ACL.bits(false, Group, "")
		groups, member = groups|b, true
	}
	if !member {
		groups, _ = a.ACL.bits(false, Other, "")
	}
	return groups&mask&want == want
}
