package model

import (
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Move says what is to be renamed: a path and all below it, within an account.
type Move struct {
	From, To       string // paths
	Source, Target string // containers
	Check          func(from, to *Tx) *wire.Error
	Change         func(b *Blob) // of the path that moved; nil: it stays as it is
}

func refuse(status int, code, message string) *wire.Error {
	return &wire.Error{Status: status, Code: code, Message: message}
}

// Rename moves a path in one step: whoever looks sees all of it at the old place or at the
// new one. It returns what moved.
func (a *Account) Rename(m Move, now time.Time) (*Blob, *wire.Error) {
	src, err := a.Container(m.Source)
	if err != nil {
		return nil, err
	}
	dst, err := a.Container(m.Target)
	if err != nil {
		return nil, err
	}
	first, second := src, dst
	if dst.Name < src.Name { // always in one order, or two renames wait for each other
		first, second = dst, src
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	if second != first {
		second.mu.Lock()
		defer second.mu.Unlock()
	}
	if !src.DeletedAt.IsZero() || !dst.DeletedAt.IsZero() {
		return nil, ContainerNotFound()
	}
	return rename(src, dst, m, now)
}

// at is a change of a path in a container whose lock is held.
func (c *Container) at(name string, now time.Time) *Tx {
	e := c.entry(name)
	e.settle(now)
	return &Tx{Entry: e, Name: name, Now: now, Settings: c.account.Settings(), Container: c.ContainerState, c: c}
}

func rename(src, dst *Container, m Move, now time.Time) (*Blob, *wire.Error) {
	from, to := src.at(m.From, now), dst.at(m.To, now)
	if err := movable(from, to, m); err != nil {
		return nil, err
	}
	if err := m.Check(from, to); err != nil {
		return nil, err
	}
	if src == dst && m.From == m.To {
		return from.Live(), nil
	}
	if to.Live() != nil {
		to.Remove()
	}
	from.move(m.To, dst)
	moved := dst.entry(m.To)
	moved.Lease = from.Lease
	if m.Change != nil {
		b := moved.Base.Clone()
		m.Change(b)
		moved.Base = b
	}
	return moved.Base, nil
}

// movable refuses what cannot be renamed.
func movable(from, to *Tx, m Move) *wire.Error {
	b, there := from.Live(), to.Live()
	up := Parent(m.To)
	switch {
	case b == nil:
		return refuse(http.StatusNotFound, "SourcePathNotFound", "The source path for a rename operation does not exist.")
	case to.c == from.c && strings.HasPrefix(m.To, m.From+"/"):
		return refuse(http.StatusConflict, "InvalidRenameSourcePath", "The source directory cannot be the same as the destination directory, nor can the destination be a subdirectory of the source directory.")
	case to.c.above(m.To) != "":
		return pathConflict()
	case up != "" && to.c.live(up) == nil:
		return refuse(http.StatusNotFound, "RenameDestinationParentPathNotFound", "The parent directory of the destination path does not exist.")
	case there != nil && there != b && there.Dir != b.Dir:
		return refuse(http.StatusConflict, "InvalidSourceOrDestinationResourceType", "The source and destination resource type must be identical.")
	case there != b && to.Full():
		return refuse(http.StatusConflict, "PathAlreadyExists", "The specified path already exists.")
	}
	return nil
}

// move puts everything under a path under another one.
func (t *Tx) move(to string, dst *Container) {
	type step struct {
		key string
		e   *Entry
	}
	steps := []step{{t.c.key(t.Name), t.Entry}}
	if t.Live().Dir {
		t.c.below(t.Name, func(key string, e *Entry) bool {
			steps = append(steps, step{key, e})
			return true
		})
	}
	for _, s := range steps {
		t.c.entries.Delete(s.key)
	}
	base, old := dst.key(to), t.c.key(t.Name)
	for _, s := range steps {
		dst.entries.Set(base+s.key[len(old):], s.e)
	}
}
