package model

import (
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// FolderMark is the metadata that a directory shows as a blob.
const FolderMark = "hdi_isfolder"

// key is the place of a name among the others: in a hierarchy, what a directory holds comes
// right behind it.
func (c *Container) key(name string) string {
	if !c.account.Hierarchical() {
		return name
	}
	return strings.ReplaceAll(name, "/", "\x00")
}

// name undoes key.
func (c *Container) name(key string) string {
	if !c.account.Hierarchical() {
		return key
	}
	return strings.ReplaceAll(key, "\x00", "/")
}

// Before tells whether the container lists a before b.
func (c *Container) Before(a, b string) bool { return c.key(a) < c.key(b) }

// NewDirectory is a directory that nobody has seen yet.
func NewDirectory(access *posix.Access, m meta.Map) *Blob {
	return (&Blob{Type: Block, Headers: Headers{ContentType: "application/octet-stream"}, Dir: true, Access: access}).WithMeta(m)
}

// WithMeta gives a blob that nobody has seen yet its metadata, which of a directory always
// says that it is one.
func (b *Blob) WithMeta(m meta.Map) *Blob {
	b.Meta = m
	if b.Dir {
		b.Meta = meta.Map{FolderMark: "true"}
		for k, v := range m {
			b.Meta[k] = v
		}
	}
	return b
}

// ResourceType is "directory" or "file", as x-ms-resource-type has it.
func (b *Blob) ResourceType() string {
	if b.Dir {
		return "directory"
	}
	return "file"
}

// expired tells whether a file's time is over.
func (b *Blob) expired(now time.Time) bool { return !b.Expires.IsZero() && !now.Before(b.Expires) }

// parents yields the directories above a path, the topmost first, without the root.
func parents(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := 1; i < len(name); i++ {
			if name[i] == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}

// Parent is the directory that holds a path; "" is the root.
func Parent(name string) string {
	return name[:max(strings.LastIndexByte(name, '/'), 0)]
}

// live is the blob under a name at the moment; the caller holds the lock.
func (c *Container) live(name string) *Blob { return c.entry(name).Live() }

// accessOf is who may do what with a directory that is there or will be made when it is
// needed; the caller holds the lock.
func (c *Container) accessOf(dir string) posix.Access {
	for dir != "" {
		if b := c.live(dir); b != nil && b.Access != nil {
			return *b.Access
		}
		dir = Parent(dir)
	}
	if c.Root == nil {
		return posix.New(posix.Superuser, posix.Superuser, posix.NewRoot)
	}
	return *c.Root
}

// Marks tells whether a new blob becomes a directory: an empty block blob that says it is one.
func (c *Container) Marks(b *Blob) bool {
	return c.account.Hierarchical() && b.Type == Block && b.Size() == 0 && strings.EqualFold(b.Meta[FolderMark], "true")
}

// marked makes a directory of a blob that marks one.
func (c *Container) marked(b *Blob) {
	if c.Marks(b) {
		b.Dir, b.Tier = true, Tier{}
	}
}

// adopt gives a new blob what its directory hands down, unless it takes the place of
// another, whose owner and list it keeps; that an overwrite keeps them is not confirmed.
// Where the blob brings an access with a list, that one stays.
func (c *Container) adopt(name string, b, old *Blob) {
	switch {
	case !c.account.Hierarchical():
		b.Access = nil
	case b.Access != nil && b.Access.ACL != nil:
	case old != nil && old.Access != nil:
		b.Access = old.Access
	default:
		b.Access = c.inherit(name, b.owner(), b.Dir)
	}
}

// owner is who is to own a new blob.
func (b *Blob) owner() string {
	if b.Access == nil || b.Access.Owner == "" {
		return posix.Superuser
	}
	return b.Access.Owner
}

func (c *Container) inherit(name, owner string, dir bool) *posix.Access {
	m := posix.NewFile
	if dir {
		m = posix.NewDirectory
	}
	a := c.accessOf(Parent(name)).Inherit(owner, dir, m, posix.Umask)
	return &a
}

// raise makes the directories above a new blob that are not there yet. The caller holds the
// lock and has made sure that no file is in the way.
func (c *Container) raise(name string, b *Blob, now time.Time) {
	if !c.account.Hierarchical() {
		return
	}
	for dir := range parents(name) {
		e := c.entry(dir)
		if e.Live() != nil {
			continue
		}
		d := NewDirectory(c.inherit(dir, b.owner(), true), nil)
		d.ETag, d.Modified, d.Created = NewETag(), now.UTC(), now.UTC()
		e.Base = d
		c.entries.Set(c.key(dir), e)
	}
}

// above returns the file that stands where a directory above a path would have to be; ""
// if there is none. The caller holds the lock.
func (c *Container) above(name string) string {
	for dir := range parents(name) {
		if b := c.live(dir); b != nil && !b.Dir {
			return dir
		}
	}
	return ""
}

// full tells whether a directory holds anything live; the caller holds the lock.
func (c *Container) full(dir string, now time.Time) bool {
	found := false
	c.below(dir, func(_ string, e *Entry) bool {
		b := e.Live()
		found = b != nil && !b.expired(now)
		return !found
	})
	return found
}

// below visits what is under a directory in order; "" is the root. The caller holds the lock.
func (c *Container) below(dir string, visit func(key string, e *Entry) bool) {
	prefix := ""
	if dir != "" {
		prefix = c.key(dir + "/")
	}
	c.entries.Ascend(prefix, func(key string, e *Entry) bool {
		return strings.HasPrefix(key, prefix) && visit(key, e)
	})
}

// Room refuses to put a file where a directory is, or below a file. The codes are those of
// the paths' own service; that blobs get the same is not confirmed.
func (t *Tx) Room() *wire.Error {
	if !t.c.account.Hierarchical() {
		return nil
	}
	if b := t.Live(); b != nil && b.Dir {
		return &wire.Error{Status: http.StatusConflict, Code: "ResourceTypeMismatch", Message: "The resource type specified in the request does not match the type of the resource."}
	}
	return t.Way()
}

// Way refuses a path below a file.
func (t *Tx) Way() *wire.Error {
	if t.c.account.Hierarchical() && t.c.above(t.Name) != "" {
		return pathConflict()
	}
	return nil
}

func pathConflict() *wire.Error {
	return &wire.Error{
		Status: http.StatusConflict, Code: "PathConflict",
		Message: "The specified path, or an element of the path, exists and its resource type is invalid for this operation.",
	}
}

// Full tells whether the path is a directory that holds anything.
func (t *Tx) Full() bool {
	b := t.Live()
	return b != nil && b.Dir && t.c.full(t.Name, t.Now)
}

// Above is who may do what with the directory that holds the path.
func (t *Tx) Above() posix.Access { return t.c.accessOf(Parent(t.Name)) }

// Clear deletes everything below a directory, which itself the caller removes.
func (t *Tx) Clear() {
	var gone []string
	t.c.below(t.Name, func(key string, e *Entry) bool {
		inner := &Tx{Entry: e, Name: t.c.name(key), Now: t.Now, Settings: t.Settings, Container: t.Container, c: t.c}
		if e.Live() != nil {
			inner.Remove()
		}
		if e.Staged, e.Pending = nil, nil; e.Empty() {
			gone = append(gone, key)
		}
		return true
	})
	for _, key := range gone {
		t.c.entries.Delete(key)
	}
}

// Rights are what a caller needs who is let in by the lists of paths.
type Rights struct {
	Path   string     // "" is the root directory
	Want   posix.Bits // on the path
	Create posix.Bits // on the directory that is to hold the path, if that is not there
	Leaves string     // what is to leave the path, a directory; "": nothing
}

// Leave are the rights to take a path away from where it is.
func Leave(name string) Rights {
	return Rights{Path: Parent(name), Want: posix.Write | posix.Execute, Leaves: name}
}

// Allows tells whether somebody may do something with a path by its list and by those of
// all directories above it, which must let him through.
func (c *Container) Allows(id string, need Rights) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.Root == nil {
		return false
	}
	if need.Leaves != "" && !c.loose(id, need) {
		return false
	}
	if need.Path == "" {
		return c.Root.Allows(id, need.Want)
	}
	if !c.Root.Allows(id, posix.Execute) {
		return false
	}
	for up := range parents(need.Path) {
		if b := c.live(up); b != nil && b.Access != nil && !b.Access.Allows(id, posix.Execute) {
			return false
		}
	}
	if b := c.live(need.Path); b != nil {
		return b.Access != nil && b.Access.Allows(id, need.Want)
	}
	return c.accessOf(Parent(need.Path)).Allows(id, need.Create)
}

// loose tells whether a sticky bit does not hold a path back: out of such a directory only
// its owner and that of the path may take it. The caller holds the lock.
func (c *Container) loose(id string, need Rights) bool {
	dir := c.accessOf(need.Path)
	if !dir.Sticky || strings.EqualFold(dir.Owner, id) {
		return true
	}
	b := c.live(need.Leaves)
	return b == nil || b.Access != nil && strings.EqualFold(b.Access.Owner, id)
}

// Owns tells whether somebody is the owner of a path; "" is the root directory.
func (c *Container) Owns(id, name string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	a := c.Root
	if name != "" {
		b := c.live(name)
		if b == nil {
			return false
		}
		a = b.Access
	}
	return a != nil && id != "" && strings.EqualFold(a.Owner, id)
}
