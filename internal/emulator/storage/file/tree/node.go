// Package tree holds what a file share is: its directories and files with their
// properties, its snapshots and its permissions. Nodes are immutable, so that a snapshot
// costs nothing and a reader needs no lock.
package tree

import (
	"fmt"
	"maps"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
)

// Kind is what a node is.
type Kind int

// The kinds of nodes. A Link is a symbolic link, of an NFS share.
const (
	Directory Kind = iota
	File
	Link
)

// Headers are the HTTP headers that a file is served with.
type Headers struct {
	Type, Encoding, Language, CacheControl, Disposition string
	MD5                                                 []byte
}

// Copy tells of the last copy to a file; nil if there was none.
type Copy struct {
	ID, Source, Status, Progress string
	Completed                    time.Time
}

// Node is a directory, a file or a link. A node that is in a Share is never changed.
type Node struct {
	Kind       Kind
	Path       Path
	ID         uint64
	ETag       string
	Modified   time.Time
	Metadata   meta.Map
	Attributes Attributes
	Created    time.Time
	Written    time.Time
	Changed    time.Time
	Permission string // key of the security descriptor, of an SMB share
	Mode       string // four octal digits, of an NFS share; and so are
	Owner      string
	Group      string

	// Of files alone:
	Content content.Sparse
	Headers Headers
	Lease   lease.Lease
	Copy    *Copy
	Links   int    // names of the file; more than one of an NFS share
	Text    string // where a Link leads
}

// Clone returns a copy that may be changed.
func (n *Node) Clone() *Node {
	out := *n
	out.Metadata = maps.Clone(n.Metadata)
	return &out
}

// Type is the value of x-ms-file-file-type.
func (n *Node) Type() string {
	return [...]string{"Directory", "Regular", "SymLink"}[n.Kind]
}

// Stamps gives out entity tags and identifiers. The zero value is ready; its owner locks.
type Stamps struct {
	last uint64
	id   uint64
}

// ETag returns a tag that was never given before.
func (s *Stamps) ETag(now time.Time) string {
	s.last = max(s.last+1, uint64(now.UnixNano()/100))
	return fmt.Sprintf(`"0x%X"`, s.last+0x8D0000000000000)
}

// ID returns the identifier of a new node. Azure's have 64 bits without an order; those
// of the first directories of a share are as large.
func (s *Stamps) ID() uint64 {
	s.id++
	return 0x3500000000000000 + s.id<<24
}
