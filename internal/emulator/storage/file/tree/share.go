package tree

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/btree"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Share is a file share or one of its snapshots. It has no lock: its owner has. New makes
// one; its fields may be set as long as nobody reads it.
type Share struct {
	Name       string
	Protocol   string // "SMB", "NFS"
	RootSquash string // of an NFS share
	Quota      int    // GiB
	Tier       string
	TierSince  time.Time
	Metadata   meta.Map
	Policies   []kit.Policy
	Lease      lease.Lease
	ETag       string
	Modified   time.Time

	Snapshot  string    // the moment of a snapshot; "" of the share itself
	Deleted   time.Time // of a share that was deleted and can be restored
	Version   string    // … and what it is called by then
	snapshots []*Share  // oldest first

	nodes       *btree.Map[string, *Node]
	links       map[uint64][]Path     // the names of files with more than one
	permissions map[string]Descriptor // by key; shared with the snapshots
}

// Descriptor is a security descriptor as a client gave it: in SDDL or, of the format
// "binary", in base64.
type Descriptor struct{ Text, Format string }

// New makes an empty share.
func New(name, protocol string, stamps *Stamps, now time.Time) *Share {
	s := &Share{Name: name, Protocol: protocol, ETag: stamps.ETag(now), Modified: now, nodes: &btree.Map[string, *Node]{}, links: map[uint64][]Path{}, permissions: map[string]Descriptor{}}
	root := &Node{Kind: Directory, ID: 0, Attributes: DirectoryFlag, Created: now, Written: now, Changed: now, Modified: now, ETag: s.ETag}
	if protocol == "NFS" {
		root.Mode, root.Owner, root.Group = "0755", "0", "0"
	} else {
		root.Permission = s.AddPermission(Descriptor{Text: rootDescriptor, Format: "sddl"})
	}
	s.nodes.Set("", root)
	return s
}

// rootDescriptor is of the root directory of a share: what administrators, users and the
// system get by default.
const rootDescriptor = "O:SYG:SYD:(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICIIO;GXGR;;;BU)(A;OICI;0x1301bf;;;AU)"

// AddPermission keeps a descriptor and returns its key: the same one for the same text.
func (s *Share) AddPermission(d Descriptor) string {
	sum := sha256.Sum256([]byte(d.Format + "\x00" + d.Text))
	key := fmt.Sprintf("%d*%d", binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))
	s.permissions[key] = d
	return key
}

// Permission finds a descriptor; ok is false if the key is unknown.
func (s *Share) Permission(key string) (d Descriptor, ok bool) {
	d, ok = s.permissions[key]
	return d, ok
}

// Get returns a node, or nil.
func (s *Share) Get(p Path) *Node {
	n, _ := s.nodes.Get(s.key(p))
	return n
}

// In returns the directory that a node at p is in, or would be; of the root, itself. The
// error is ParentNotFound.
func (s *Share) In(p Path) (*Node, *wire.Error) {
	if len(p) == 0 {
		return s.Get(nil), nil
	}
	parent := s.Get(p.Parent())
	if parent == nil || parent.Kind != Directory {
		return nil, &wire.Error{Status: http.StatusNotFound, Code: "ParentNotFound", Message: "The specified parent path does not exist."}
	}
	return parent, nil
}

// Put sets a node at its path, and under the other names of a file that has some.
func (s *Share) Put(n *Node) {
	names, ok := s.links[n.ID]
	if !ok {
		s.nodes.Set(s.key(n.Path), n)
		return
	}
	for _, p := range names {
		twin := n.Clone()
		twin.Path, twin.Links = p, len(names)
		s.nodes.Set(s.key(p), twin)
	}
}

// Link gives a file another name.
func (s *Share) Link(n *Node, p Path) *Node {
	names := s.links[n.ID]
	if names == nil {
		names = []Path{n.Path}
	}
	s.links[n.ID] = append(slices.Clone(names), p)
	s.Put(n)
	return s.Get(p)
}

// Remove takes a node away and returns how many names its file still has.
func (s *Share) Remove(n *Node) int {
	s.nodes.Delete(s.key(n.Path))
	names, ok := s.links[n.ID]
	if !ok {
		return 0
	}
	names = slices.DeleteFunc(slices.Clone(names), func(p Path) bool { return s.key(p) == s.key(n.Path) })
	last := s.Get(names[0])
	if s.links[n.ID] = names; len(names) == 1 {
		delete(s.links, n.ID)
		last = last.Clone()
		last.Links = 1
	}
	s.Put(last)
	return len(names)
}

// Children calls f for what is in a directory, in order of the names from a name on, until
// it returns false. It costs what it shows.
func (s *Share) Children(dir Path, from string, f func(*Node) bool) {
	prefix := s.key(dir)
	if len(dir) > 0 {
		prefix += separator
	}
	at := prefix + s.key(Path{from})
	for {
		var n *Node
		var key string
		s.nodes.Ascend(at, func(k string, v *Node) bool {
			if k == "" { // the root itself
				return true
			}
			key, n = k, v
			return false
		})
		if n == nil || !strings.HasPrefix(key, prefix) || !f(n) {
			return
		}
		at = key + behind
		if n.Kind != Directory {
			at = key + separator
		}
	}
}

// Below calls f for every node under a directory, in order.
func (s *Share) Below(dir Path, f func(*Node) bool) {
	prefix := s.key(dir)
	if len(dir) > 0 {
		prefix += separator
	}
	s.nodes.Ascend(prefix, func(k string, n *Node) bool {
		if k == "" {
			return true
		}
		return strings.HasPrefix(k, prefix) && f(n)
	})
}

// Empty tells whether nothing is in a directory.
func (s *Share) Empty(dir Path) bool {
	empty := true
	s.Children(dir, "", func(*Node) bool {
		empty = false
		return false
	})
	return empty
}

// Move puts a node, with all that is below it, at another path.
func (s *Share) Move(n *Node, to Path) {
	var all []*Node
	s.Below(n.Path, func(x *Node) bool {
		all = append(all, x)
		return true
	})
	from := len(n.Path)
	for _, x := range append([]*Node{n}, all...) {
		s.nodes.Delete(s.key(x.Path))
		moved := x.Clone()
		moved.Path = slices.Concat(to, x.Path[from:])
		s.rename(x, moved.Path)
		s.nodes.Set(s.key(moved.Path), moved)
	}
}

// rename keeps the list of a file's names up to date.
func (s *Share) rename(n *Node, to Path) {
	names, ok := s.links[n.ID]
	if !ok {
		return
	}
	names = slices.Clone(names)
	for i, p := range names {
		if s.key(p) == s.key(n.Path) {
			names[i] = to
		}
	}
	s.links[n.ID] = names
}

// Usage is how many bytes the files have.
func (s *Share) Usage() int64 {
	var sum int64
	s.nodes.Scan(func(_ string, n *Node) bool {
		sum += n.Content.Size()
		return true
	})
	return sum
}

// Snap makes a snapshot and returns it; moment tells when, in the form of the wire.
func (s *Share) Snap(moment, etag string, now time.Time) *Share {
	snap := *s
	snap.nodes, snap.links, snap.Metadata = s.nodes.Copy(), maps.Clone(s.links), maps.Clone(s.Metadata)
	snap.Snapshot, snap.snapshots, snap.Lease = moment, nil, lease.Lease{}
	snap.ETag, snap.Modified = etag, now
	s.snapshots = append(s.snapshots, &snap)
	return &snap
}

// Snapshots returns the snapshots, oldest first.
func (s *Share) Snapshots() []*Share { return slices.Clone(s.snapshots) }

// At returns the snapshot of a moment, or nil.
func (s *Share) At(moment string) *Share {
	for _, snap := range s.snapshots {
		if snap.Snapshot == moment {
			return snap
		}
	}
	return nil
}

// DropSnapshot forgets the snapshot of a moment.
func (s *Share) DropSnapshot(moment string) {
	s.snapshots = slices.DeleteFunc(slices.Clone(s.snapshots), func(x *Share) bool { return x.Snapshot == moment })
}
