// Package share replicates the file service of a storage account: shares, directories,
// files and, of NFS, symbolic links.
//
// # A listing is nearly enough
//
// The directories of a share are listed beside those of the target. A listing shows size,
// times, attributes and the key of the permission; times can be set, so that a copy has
// those of its source, and two files with the same size and the same times of creation and
// last write count as the same, as for every tool that copies files. What no listing shows,
// HTTP headers and metadata, is the same if the target was changed by the service's own
// clock after the source was; else both are looked at. The setting verify says how far to
// trust in that: it is the blob service's own.
//
// # No conditions
//
// The file service has no conditions for writes. What is at the target is looked at right
// before something is written there; only directories and links are made on the condition
// that nothing is there, which is in the nature of the requests.
//
// # Decided cases
//
// Info says in sentences what is copied. A file is made with its size, a type of its own and
// the rights of its source, gets what is written in the source, hole by hole, and becomes
// whole by one last request; a run that was cut goes on with what is there, if the source
// still is the same. An empty file is made by one request. Names are taken as they are, dots
// at their ends included. What is written over is gone from the first request on, and its
// place is taken by a part until the last one. A hard link is copied as a file of its own, with a warning. A lease
// at the source does not matter, one at the target makes the service refuse. Soft-deleted
// shares are not listed and so not copied.
package share

import (
	"context"
	"errors"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/shares"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The kinds of item, beside that of shares. A link is a file to a listing.
const (
	kindDirectory = "file-directory"
	kindFile      = "file"
)

// Part is the file service. Make one with New.
type Part struct{ copier *copier.Copier }

var _ part.Part = (*Part)(nil)

// New returns the file service.
func New() *Part { return &Part{copier: copier.New()} }

// Replicate implements part.Part.
func (p *Part) Replicate(ctx context.Context, j part.Job) (plugin.Outcome, error) {
	if j.Item.Kind == shares.Kind {
		s, err := shares.New(j)
		if err != nil {
			return plugin.Outcome{}, err
		}
		return s.Replicate(ctx)
	}
	n, err := newJob(j)
	if err != nil {
		return plugin.Outcome{}, err
	}
	return n.replicate(ctx, p.copier)
}

// Compare implements part.Part.
func (p *Part) Compare(ctx context.Context, j part.Job) (plugin.Comparison, error) {
	if j.Item.Kind == shares.Kind {
		s, err := shares.New(j)
		if err != nil {
			return plugin.Comparison{}, err
		}
		return s.Compare(ctx)
	}
	n, err := newJob(j)
	if err != nil {
		return plugin.Comparison{}, err
	}
	return n.compare(ctx, p.copier)
}

// Declare implements part.Part. Content has no form as code.
func (*Part) Declare(ctx context.Context, j part.Job) ([]iac.Block, error) {
	if j.Item.Kind != shares.Kind {
		return nil, nil
	}
	s, err := shares.New(j)
	if err != nil {
		return nil, err
	}
	return s.Declare(ctx)
}

// ref is how a directory or file is found again. Its place stands in the item's key.
type ref struct {
	NFS     bool       `json:"n,omitempty"`
	AtThere *hint.Hint `json:"o,omitempty"`
}

// job is a job for one directory or file.
type job struct {
	part.Job
	ref  ref
	from node.Place
	to   node.Place
}

func newJob(j part.Job) (*job, error) {
	n := &job{Job: j}
	rest, ok := strings.CutPrefix(string(j.Item.Key), shares.Prefix)
	share, path, _ := strings.Cut(rest, "/")
	n.from, n.to = node.Place{Account: j.From, Share: share, Path: path}, node.Place{Account: j.To, Share: share, Path: path}
	var err error
	if n.ref, err = plugin.Decode[ref](j.Item); err != nil || !ok || path == "" {
		return nil, j.Problem("start", "", errs.Invalid, errors.New("its reference was not made by this version: plan again"))
	}
	return n, nil
}

func (n *job) directory() bool { return n.Item.Kind == kindDirectory }

// look reads what a side has; nil if nothing.
func (n *job) look(ctx context.Context, side plugin.Side) (*node.Props, error) {
	at := n.from
	if side == plugin.Target {
		at = n.to
	}
	p, err := node.Look(ctx, at, n.directory())
	return p, n.fail("look at the "+n.what(), side, err, node.Read, node.ReadAsBackup)
}

// source looks at the source, which must still have what was listed.
func (n *job) source(ctx context.Context) (*node.Props, error) {
	p, err := n.look(ctx, plugin.Source)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return nil, n.Problem("copy", plugin.Source, errs.NotFound, errors.New("it was deleted after it was listed"))
	case (p.Kind == node.Directory) != n.directory():
		return nil, n.Problem("copy", plugin.Source, errs.Conflict, errors.New("it became something else after it was listed: plan again"))
	}
	return p, nil
}

func (n *job) what() string {
	if n.directory() {
		return "directory"
	}
	return "file"
}

// fail says what could not be done, and what to do where the service's code tells.
func (n *job) fail(op string, side plugin.Side, err error, actions ...string) error {
	return node.Explain(n.Fail(op, side, err, actions...))
}

// write wraps what a write to the target answered.
func (n *job) write(op string, err error) error {
	return n.fail(op, plugin.Target, err, node.Write, node.WriteAsBackup, node.ModifyPermissions)
}
