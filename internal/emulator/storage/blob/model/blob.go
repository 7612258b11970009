// Package model is what Blob Storage holds: accounts, containers, blobs with their
// versions and snapshots, uncommitted blocks. It knows nothing of HTTP.
//
// A Blob that others can see never changes: a change makes a new one and puts it in the
// place of the old, under the lock of its container. A reader may therefore go on with
// what it found, without a lock, for as long as it likes.
package model

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
)

// Type is the kind of a blob, as x-ms-blob-type has it.
type Type string

// The types of blobs.
const (
	Block  Type = "BlockBlob"
	Page   Type = "PageBlob"
	Append Type = "AppendBlob"
)

// Stamp is the form of snapshot and version IDs.
const Stamp = "2006-01-02T15:04:05.0000000Z"

// Headers are the properties that a GET answers with as HTTP headers.
type Headers struct {
	ContentType, Encoding, Language, Disposition, CacheControl string
	MD5                                                        []byte // nil: unknown
}

// MD5Text is the hash in Base64, "" if it is unknown.
func (h Headers) MD5Text() string {
	if h.MD5 == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(h.MD5)
}

// CommittedBlock is one of a block blob's blocks.
type CommittedBlock struct {
	ID   string // Base64, as the client gave it
	Size int64
}

// Copy is what is known of the copy that made a blob.
type Copy struct {
	ID, Source, Status, Description string
	Started                         time.Time
	Completed                       time.Time
	Ready                           time.Time // a pending copy succeeds then
	Incremental                     bool
}

// ProgressAt is how far the copy of n octets is: "done/all".
func (c *Copy) ProgressAt(now time.Time, n int64) string {
	done := n
	if whole := c.Ready.Sub(c.Started); c.Status == "pending" && whole > 0 {
		done = min(n, int64(float64(n)*now.Sub(c.Started).Seconds()/whole.Seconds()))
	}
	return strconv.FormatInt(done, 10) + "/" + strconv.FormatInt(n, 10)
}

// Policy is the time-based retention of a blob version.
type Policy struct {
	Until time.Time
	Mode  string // "Unlocked" or "Locked"
}

// Blob is a blob, one of its snapshots or one of its versions.
type Blob struct {
	Type     Type
	Data     content.Content // block and append blobs
	Pages    content.Sparse  // page blobs
	ETag     string          // without quotes
	Created  time.Time
	Modified time.Time
	Headers  Headers
	Meta     meta.Map
	Tags     map[string]string
	Tier     Tier
	Blocks   []CommittedBlock // nil: not written block by block
	Appends  int              // an append blob's committed blocks
	Sealed   bool
	Sequence int64 // of a page blob
	Copy     *Copy
	Scope    string // encryption scope
	Policy   *Policy
	Hold     bool // legal hold
	Accessed time.Time
	Dir      bool          // a directory of a hierarchical namespace
	Access   *posix.Access // nil: the account has no such namespace
	Expires  time.Time     // zero: never
	ByPath   bool          // written by path, not as a blob

	Snapshot string    // ID; "" for a base blob or a version
	Version  string    // ID; "" if none was kept
	Deleted  time.Time // softly; zero: not
	Purge    time.Time // when a soft-deleted blob goes for good
}

// Size is the number of octets of the blob.
func (b *Blob) Size() int64 {
	if b.Type == Page {
		return b.Pages.Size()
	}
	return b.Data.Size()
}

// Content returns n octets from off on.
func (b *Blob) Content(off, n int64) content.Content {
	if b.Type == Page {
		return b.Pages.Content(off, n)
	}
	return b.Data.Slice(off, n)
}

// Clone returns a copy that may be changed. Maps and slices are shared: change them by
// putting others in their place.
func (b *Blob) Clone() *Blob {
	out := *b
	return &out
}

// Tier is where a blob is kept.
type Tier struct {
	Name     string    // "Hot", "Cool", "Cold", "Archive", "P10", …; "": the account has none
	Inferred bool      // nobody set it
	Changed  time.Time // zero: never
	// Of a blob on its way out of the archive: where to, how fast and when it gets there.
	To       string
	Priority string
	Ready    time.Time
}

// Settle finishes what time has finished: a rehydration or a copy that is over. It returns
// b itself if there was nothing to finish.
func (b *Blob) Settle(now time.Time) *Blob {
	rehydrated := b.Tier.To != "" && !now.Before(b.Tier.Ready)
	copied := b.Copy != nil && b.Copy.Status == "pending" && !now.Before(b.Copy.Ready)
	if !rehydrated && !copied {
		return b
	}
	out := b.Clone()
	if rehydrated {
		out.Tier = Tier{Name: b.Tier.To, Changed: b.Tier.Ready}
	}
	if copied {
		done := *b.Copy
		done.Status, done.Completed = "success", b.Copy.Ready
		out.Copy = &done
	}
	return out
}

// Entry is all there is under one name.
type Entry struct {
	Base   *Blob   // nil: none
	Old    []*Blob // snapshots, versions and softly deleted ones, oldest first
	Lease  lease.Lease
	Staged *Staged // uncommitted blocks; nil: none
	// Pending is what was appended by path and not yet flushed, by its place in the file.
	Pending map[int64]content.Content
}

// Empty tells whether nothing is left.
func (e *Entry) Empty() bool {
	return e.Base == nil && len(e.Old) == 0 && e.Staged == nil && len(e.Pending) == 0
}

// Live is the base blob, if it is not deleted.
func (e *Entry) Live() *Blob {
	if e.Base == nil || !e.Base.Deleted.IsZero() {
		return nil
	}
	return e.Base
}

// Find returns the snapshot or version with an ID, deleted or not; nil if there is none.
func (e *Entry) Find(snapshot, version string) *Blob {
	if version != "" && e.Base != nil && e.Base.Version == version {
		return e.Base
	}
	for _, b := range e.Old {
		if snapshot != "" && b.Snapshot == snapshot || version != "" && b.Version == version {
			return b
		}
	}
	return nil
}

// Staged are the uncommitted blocks under a name.
type Staged struct {
	Blocks map[string]StagedBlock // by ID
	order  []string
	Since  time.Time
}

// StagedBlock is an uncommitted block.
type StagedBlock struct {
	Data content.Content
}

// Stage adds a block, or puts it in the place of one with the same ID.
func (s *Staged) Stage(id string, b StagedBlock) {
	if _, ok := s.Blocks[id]; !ok {
		s.order = append(s.order, id)
	}
	s.Blocks[id] = b
}

// List returns the IDs and sizes of the blocks, in the order they came.
func (s *Staged) List() []CommittedBlock {
	if s == nil {
		return nil
	}
	out := make([]CommittedBlock, 0, len(s.order))
	for _, id := range s.order {
		out = append(out, CommittedBlock{ID: id, Size: s.Blocks[id].Data.Size()})
	}
	return out
}

// week is how long uncommitted blocks are kept (Azure: Put Block).
const week = 7 * 24 * time.Hour

func (s *Staged) over(now time.Time) bool { return s != nil && !now.Before(s.Since.Add(week)) }
