package blob

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/directory"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	setOwner  = service + "containers/blobs/manageOwnership/action"
	setRights = service + "containers/blobs/modifyPermissions/action"

	// folder marks an empty blob that stands for a directory where there are none.
	folder = "hdi_isfolder"
)

// isFolder tells whether an entry stands for a directory.
func isFolder(e *listing.Entry) bool {
	if e.Directory {
		return true
	}
	for k, v := range e.Metadata {
		if strings.EqualFold(k, folder) && strings.EqualFold(v, "true") {
			return e.Size == 0
		}
	}
	return false
}

// replicateDirectory makes a directory: a true one where the target has a hierarchical
// namespace, an empty blob that says it is one elsewhere.
func (b *blobJob) replicateDirectory(ctx context.Context) (plugin.Outcome, error) {
	if b.name == rootName && b.Item.Kind == kindDirectory {
		return b.replicateRoot(ctx)
	}
	src, err := b.source(ctx)
	if err != nil {
		return plugin.Outcome{}, err
	}
	at, err := b.look(ctx, plugin.Target)
	if err != nil {
		return plugin.Outcome{}, err
	}
	ours := len(b.Checkpoint) > 0
	out := plugin.Outcome{Status: plugin.Created, Warnings: part.NotCarried(b.ref.Lost, b.lostAccess())}
	switch {
	case at == nil:
		ours = true
		if at, err = b.newDirectory(ctx, src); err != nil || at == nil {
			return out, err
		}
	case !isFolder(at):
		e := b.Problem("copy", plugin.Target, errs.Conflict, errors.New("a blob stands where the directory should"))
		e.Hint = "move or delete it at the target"
		return plugin.Outcome{}, e
	default:
		out.Status = plugin.Unchanged
	}
	return b.dress(ctx, out, src, at, ours)
}

// newDirectory makes the directory and returns what the target then has.
func (b *blobJob) newDirectory(ctx context.Context, src seen) (*listing.Entry, error) {
	if err := b.begin(); err != nil {
		return nil, err
	}
	if err := b.makeDirectory(ctx, src); err != nil {
		return nil, err
	}
	return b.look(ctx, plugin.Target)
}

// dress gives a directory that is there its metadata, owner and ACL.
func (b *blobJob) dress(ctx context.Context, out plugin.Outcome, src seen, at *listing.Entry, ours bool) (plugin.Outcome, error) {
	described, err := b.setFolderMetadata(ctx, src, at, ours)
	if err != nil {
		return plugin.Outcome{}, err
	}
	set, unknown, err := b.setAccess(ctx, at, ours)
	if err != nil {
		return plugin.Outcome{}, err
	}
	if (set || described) && out.Status == plugin.Unchanged {
		out.Status = plugin.Updated
	}
	out.Warnings = append(out.Warnings, unmapped(unknown)...)
	return out, nil
}

// begun is the checkpoint of a path that is made in more than one request.
const begun = `{"begun":true}`

// begin notes durably, before a path is made, that its rights are this program's to set.
func (b *blobJob) begin() error {
	if b.Save == nil || b.ref.Access == nil || !b.To.HNS {
		return nil
	}
	return b.Fail("save a checkpoint", plugin.Target, b.Save([]byte(begun)))
}

// withAccess gives a blob that was copied, or was there, its owner and ACL.
func (b *blobJob) withAccess(ctx context.Context, out plugin.Outcome) (plugin.Outcome, error) {
	if out.Status == plugin.Created || out.Status == plugin.Updated {
		out.Warnings = append(out.Warnings, part.NotCarried(b.lostAccess())...)
	}
	if b.ref.Access == nil || !b.To.HNS || out.Status == plugin.Skipped {
		return out, nil
	}
	at, err := b.look(ctx, plugin.Target)
	if err != nil || at == nil {
		return out, err
	}
	set, unknown, err := b.setAccess(ctx, at, out.Status != plugin.Unchanged || len(b.Checkpoint) > 0)
	if set && out.Status == plugin.Unchanged {
		out.Status = plugin.Updated
	}
	out.Warnings = append(out.Warnings, unmapped(unknown)...)
	return out, err
}

// differsInAccess tells whether the target has not the owner and ACL that it is to have.
func (b *blobJob) differsInAccess(at *listing.Entry) (bool, error) {
	ids, err := readIdentities(b.Setting(setACLMap))
	if err != nil || ids == nil || b.ref.Access == nil || !b.To.HNS {
		return false, err
	}
	want, _ := ids.mapped(*b.ref.Access)
	return want.differs(accessOf(at, true)), nil
}

func unmapped(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	return []string{"Left away, since the map of object IDs does not have them: " + strings.Join(ids, ", ") + "."}
}

func (b *blobJob) makeDirectory(ctx context.Context, src seen) error {
	b.To.Wrote()
	if b.To.HNS {
		c, err := b.To.Path(ctx, b.container, b.name)
		if err != nil {
			return b.Fail("reach the directory", plugin.Target, err)
		}
		star := azcore.ETagAny
		cond := &directory.AccessConditions{ModifiedAccessConditions: &directory.ModifiedAccessConditions{IfNoneMatch: &star}}
		_, err = c.Create(ctx, &directory.CreateOptions{AccessConditions: cond})
		return b.Fail("create the directory", plugin.Target, err, writeBlobs)
	}
	to, err := b.To.Blobs(ctx)
	if err != nil {
		return b.Fail("reach the blob service", plugin.Target, err)
	}
	cond := ifAbsent()
	_, err = to.NewContainerClient(b.container).NewBlockBlobClient(b.name).Upload(ctx, streaming.NopCloser(bytes.NewReader(nil)), &blockblob.UploadOptions{
		AccessConditions: &cond, Metadata: marked(src.Metadata),
	})
	return b.Fail("create the directory", plugin.Target, err, writeBlobs)
}

// setAccess gives a path of the target the owner and ACL that the source has, mapped, if
// that is asked for and they differ. may says that it needs no permission to overwrite.
func (b *blobJob) setAccess(ctx context.Context, at *listing.Entry, may bool) (set bool, unknown []string, err error) {
	ids, err := readIdentities(b.Setting(setACLMap))
	if err != nil || ids == nil || b.ref.Access == nil || !b.To.HNS {
		return false, nil, err
	}
	want, unknown := ids.mapped(*b.ref.Access)
	if !want.differs(accessOf(at, true)) {
		return false, unknown, nil
	}
	if !may && !b.Overwrite {
		return false, unknown, b.Problem("copy", plugin.Target, errs.Conflict, errors.New("the target differs in access control"))
	}
	c, err := b.To.Path(ctx, b.container, b.name)
	if err != nil {
		return false, unknown, b.Fail("reach the path", plugin.Target, err)
	}
	err = b.grant(ctx, c, want)
	return err == nil, unknown, err
}

// compareDirectory compares a directory.
func (b *blobJob) compareDirectory(ctx context.Context) (plugin.Comparison, error) {
	if b.name == rootName && b.Item.Kind == kindDirectory {
		return b.compareRoot(ctx)
	}
	at, err := b.look(ctx, plugin.Target)
	if err != nil && !isMissing(err) {
		return plugin.Comparison{}, err
	}
	if at == nil {
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	src, err := b.source(ctx)
	if err != nil {
		return plugin.Comparison{}, err
	}
	var fields []string
	switch {
	case !isFolder(at):
		fields = append(fields, "kind")
	case !part.SameMetadata(own(src.Metadata), own(at.Metadata)):
		fields = append(fields, "metadata")
	}
	differs, err := b.differsInAccess(at)
	if differs {
		fields = append(fields, "access control")
	}
	return part.Verdict(fields), err
}
