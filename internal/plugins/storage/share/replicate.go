package share

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/fileerror"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/shares"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/way"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// looks is how often an item is looked at anew because something changed meanwhile.
const looks = 3

// isPart says of a file at the source that it is no whole one.
const isPart = "it is a part that a copy to here has not finished"

// replicate copies a directory or file.
func (n *job) replicate(ctx context.Context, c *copier.Copier) (plugin.Outcome, error) {
	if n.ref.AtThere.For(n.To, time.Now()) == alike {
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	}
	if why := shares.Impossible(n.ref.NFS, n.To.Facts); why != "" {
		return part.Skipped(why)
	}
	for try := 1; ; try++ {
		out, err := n.attempt(ctx, c)
		if err == nil || try == looks || !errors.Is(err, copier.ErrSourceChanged) {
			return out, err
		}
	}
}

// attempt looks at both sides, and writes what is missing or may be replaced.
func (n *job) attempt(ctx context.Context, c *copier.Copier) (plugin.Outcome, error) {
	src, err := n.source(ctx)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if _, yes := src.Unfinished(); yes {
		return part.Skipped(isPart)
	}
	there, err := n.look(ctx, plugin.Target)
	if err != nil {
		return plugin.Outcome{}, err
	}
	out := plugin.Outcome{Status: plugin.Created, Warnings: part.NotCarried(lost(src))}
	if there == nil {
		out.Bytes, err = n.make(ctx, c, src, &out)
		return n.done(out, err)
	}
	if of, ours := there.Unfinished(); ours {
		out.Bytes, err = n.fill(ctx, c, src, of == src.Token(n.from), &out)
		return n.done(out, err)
	}
	fields := src.Differences(there)
	if len(fields) == 0 {
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	}
	if err := n.mayReplace(src, there, fields); err != nil {
		return plugin.Outcome{}, err
	}
	out.Status = plugin.Updated
	out.Bytes, err = n.replace(ctx, c, src, there, &out)
	return n.done(out, err)
}

func (n *job) done(out plugin.Outcome, err error) (plugin.Outcome, error) {
	if err != nil {
		return plugin.Outcome{}, err
	}
	return out, nil
}

// lost says what of a node cannot be carried over.
func lost(src *node.Props) []string {
	var out []string
	if src.Unknown != "" {
		out = append(out, "attributes that this program does not know ("+src.Unknown+")")
	}
	if src.Kind == node.File && src.Names > 1 {
		out = append(out, fmt.Sprintf("that it is one file with %d names (hard links): each becomes a file of its own", src.Names))
	}
	return out
}

// mayReplace tells whether what differs at the target may be made like the source.
func (n *job) mayReplace(src, there *node.Props, fields []string) error {
	switch {
	case src.Kind != there.Kind:
		e := n.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("a %s stands where the %s should", there.Kind, src.Kind))
		e.Hint = "move or delete it at the target"
		return e
	case src.To != there.To:
		e := n.Problem("copy", plugin.Target, errs.Conflict, errors.New("the target's link leads somewhere else, and a link cannot be changed"))
		e.Hint = "delete it at the target"
		return e
	case !n.Overwrite:
		return n.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target differs in %s", strings.Join(fields, ", ")))
	}
	return nil
}

// make writes what the target lacks. If it is there after all, the answer to this very
// request was lost, or somebody else was faster.
func (n *job) make(ctx context.Context, c *copier.Copier, src *node.Props, out *plugin.Outcome) (int64, error) {
	var err error
	switch src.Kind {
	case node.File:
		return n.fill(ctx, c, src, false, out)
	case node.Directory:
		err = node.CreateDirectory(ctx, n.to, src)
	case node.Link:
		err = node.CreateLink(ctx, n.to, src)
	}
	if !fileerror.HasCode(err, fileerror.ResourceAlreadyExists) {
		return 0, n.write("create the "+n.what(), err)
	}
	there, lookErr := n.look(ctx, plugin.Target)
	if lookErr != nil {
		return 0, lookErr
	}
	if there == nil {
		return 0, n.write("create the "+n.what(), err)
	}
	if fields := src.Differences(there); len(fields) > 0 {
		if err := n.mayReplace(src, there, fields); err != nil {
			return 0, err
		}
		return n.replace(ctx, c, src, there, out)
	}
	return 0, nil
}

// replace makes what the target has like the source.
func (n *job) replace(ctx context.Context, c *copier.Copier, src, there *node.Props, out *plugin.Outcome) (int64, error) {
	metadata := !part.SameMetadata(src.Metadata, there.Metadata)
	if src.Kind == node.Directory {
		return 0, n.write("set the directory's properties", node.SetDirectory(ctx, n.to, src, there, metadata))
	}
	alone := src.Kind == node.Link || src.SameContent(there) // its properties differ, no more
	if there.ReadOnly() && (metadata || !alone) {
		if err := node.Unlock(ctx, n.to, there); err != nil {
			return 0, n.write("make the file writable", err)
		}
	}
	if alone {
		return 0, n.write("set the file's properties", node.SetFile(ctx, n.to, src, there, metadata))
	}
	return n.fill(ctx, c, src, false, out)
}

// fill makes a file whole, and returns how many bytes it wrote. resume says that a part of
// it is there.
func (n *job) fill(ctx context.Context, c *copier.Copier, src *node.Props, resume bool, out *plugin.Outcome) (int64, error) {
	if src.Size == 0 {
		return 0, n.write("create the file", node.CreateFile(ctx, n.to, src, ""))
	}
	if !resume {
		if err := node.CreateFile(ctx, n.to, src, src.Token(n.from)); err != nil {
			return 0, n.write("create the file", err)
		}
	}
	o := n.order(src)
	o.Resume = resume
	res, err := c.Copy(ctx, o)
	if err != nil {
		return res.Bytes, n.copyFailed(err)
	}
	out.Path, out.Warnings = res.Path, append(out.Warnings, res.Warnings...)
	return res.Bytes, n.write("finish the file", node.SetFile(ctx, n.to, src, &node.Props{SDDL: src.SDDL}, false))
}

// order is what the copier needs to know.
func (n *job) order(src *node.Props) copier.Order {
	return copier.Order{
		From: n.From, To: n.To, Share: n.from.Share, Path: n.from.Path, Size: src.Size, ETag: src.ETag, Via: n.via(), Progress: n.Progress,
	}
}

// copyFailed says what could not be done, on which side, and what it needs.
func (n *job) copyFailed(err error) error {
	side, op := plugin.Target, "copy"
	var at *way.Error
	if errors.As(err, &at) {
		side, op = at.Side, at.Op
	}
	if errors.Is(err, copier.ErrLongPath) {
		e := n.Problem(op, side, errs.Unsupported, err)
		e.Hint = "use --set storage.copy=auto"
		return e
	}
	if side == plugin.Source {
		return n.fail(op, side, err, node.Read, node.ReadAsBackup, node.Delegate)
	}
	return n.write(op, err)
}
