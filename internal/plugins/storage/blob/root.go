package blob

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/directory"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// rootName is that of a file system's root directory, whose owner and ACL decide for all
// below it. No listing shows it, and no path is called so.
const rootName = "/"

// plainRoot is the ACL of a root directory that nobody has set.
const plainRoot = "user::rwx,group::r-x,other::---"

// discoverRoot yields a container's root directory, where owners and ACLs are copied.
func discoverRoot(ctx context.Context, l part.Listing, container string, yield func(plugin.Item, error) bool) bool {
	if !l.Source.HNS || l.Setting(setACLMap) == "" {
		return true
	}
	a, err := rootAccess(ctx, l.Source, container)
	if err != nil {
		return yield(plugin.Item{}, l.Fail("read the owner and the ACL of "+container, err, readBlobs)) && ctx.Err() == nil
	}
	return yield(plugin.Item{
		Key: plugin.Key(blobKeys + container + "/" + rootName), Parent: plugin.Key(containers.Prefix + container), Kind: kindDirectory,
		Ref: plugin.Encode(ref{Access: a}), Cursor: cursor{container: container, blob: rootName}.String(),
	}, nil)
}

// rootAccess reads whose a root directory is.
func rootAccess(ctx context.Context, a *account.Account, container string) (*access, error) {
	c, err := a.Path(ctx, container, "")
	if err != nil {
		return nil, err
	}
	r, err := c.GetAccessControl(ctx, nil)
	if err != nil {
		return nil, err
	}
	out := &access{}
	for to, from := range map[*string]*string{&out.Owner: r.Owner, &out.Group: r.Group, &out.ACL: r.ACL} {
		if from != nil {
			*to = *from
		}
	}
	return out, nil
}

// replicateRoot gives the target's root directory the owner and the ACL of the source's. One
// that nobody has set needs no permission to overwrite.
func (b *blobJob) replicateRoot(ctx context.Context) (plugin.Outcome, error) {
	want, at, unknown, err := b.roots(ctx)
	if err != nil || want == nil {
		return plugin.Outcome{Status: plugin.Skipped, Reason: noRoot}, err
	}
	out := plugin.Outcome{Status: plugin.Unchanged, Warnings: unmapped(unknown)}
	switch {
	case !want.differs(at):
		return out, nil
	case !b.Overwrite && !sameACL(at.ACL, plainRoot):
		return out, b.Problem("copy", plugin.Target, errs.Conflict, errors.New("the target's root directory differs in access control"))
	}
	c, err := b.To.Path(ctx, b.container, "")
	if err != nil {
		return out, b.Fail("reach the root directory", plugin.Target, err)
	}
	out.Status = plugin.Updated
	return out, b.grant(ctx, c, *want)
}

// compareRoot compares root directories.
func (b *blobJob) compareRoot(ctx context.Context) (plugin.Comparison, error) {
	want, at, _, err := b.roots(ctx)
	switch {
	case isMissing(err):
		return plugin.Comparison{State: plugin.Missing}, nil
	case err != nil:
		return plugin.Comparison{}, err
	case want == nil:
		return part.Cannot(noRoot)
	case want.differs(at):
		return part.Verdict([]string{"access control"}), nil
	}
	return part.Verdict(nil), nil
}

const noRoot = "the target's kind of account has no owners and access control lists"

// roots returns what the target's root directory is to have and what it has; want is nil
// where it can have nothing.
func (b *blobJob) roots(ctx context.Context) (want, at *access, unknown []string, err error) {
	ids, err := readIdentities(b.Setting(setACLMap))
	if err != nil || ids == nil || b.ref.Access == nil || !b.To.HNS {
		return nil, nil, nil, err
	}
	a, unknown := ids.mapped(*b.ref.Access)
	at, err = rootAccess(ctx, b.To, b.container)
	return &a, at, unknown, b.Fail("read the owner and the ACL of the root directory", plugin.Target, err, readBlobs)
}

// grant sets the owner, the group and the ACL of a path.
func (b *blobJob) grant(ctx context.Context, c *directory.Client, want access) error {
	opt := &directory.SetAccessControlOptions{ACL: &want.ACL}
	if want.Owner != "" {
		opt.Owner = &want.Owner
	}
	if want.Group != "" {
		opt.Group = &want.Group
	}
	b.To.Wrote()
	_, err := c.SetAccessControl(ctx, opt)
	return b.Fail("set the owner and the ACL", plugin.Target, err, setOwner, setRights)
}
