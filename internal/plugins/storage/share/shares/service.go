package shares

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/fileerror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/policy"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// smallest is the least quota of a share in an account, in GiB: where storage is
// provisioned, it begins higher (https://learn.microsoft.com/azure/storage/files/understanding-billing).
func smallest(f account.Facts) int32 {
	switch {
	case strings.Contains(strings.ToUpper(f.SKU), "V2_"): // "StandardV2_LRS", "PremiumV2_LRS"
		return 32
	case f.Premium():
		return 100
	default:
		return 1
	}
}

// hasTiers tells whether an account's shares have tiers
// (https://learn.microsoft.com/azure/storage/files/storage-files-planning).
func hasTiers(f account.Facts) bool {
	return !f.Premium() && !strings.EqualFold(f.Kind, "FileStorage") && !strings.EqualFold(f.Kind, "Storage")
}

func (s *Job) client(ctx context.Context, side plugin.Side) (*share.Client, error) {
	c, err := s.On(side).Files(ctx)
	if err != nil {
		return nil, s.Fail("reach the file service", side, err)
	}
	return c.NewShareClient(s.name), nil
}

// read returns what a side has, nil if nothing.
func (s *Job) read(ctx context.Context, side plugin.Side) (*shape, error) {
	c, err := s.client(ctx, side)
	if err != nil {
		return nil, err
	}
	p, err := c.GetProperties(ctx, nil)
	if node.Missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.fail("look at the share", side, err, Read)
	}
	out := &shape{protocol: "SMB", metadata: node.Lower(p.Metadata)}
	if p.EnabledProtocols != nil && strings.EqualFold(*p.EnabledProtocols, protocolNFS) {
		out.protocol = protocolNFS
	}
	if p.Quota != nil {
		out.quota = *p.Quota
	}
	if p.AccessTier != nil {
		out.tier = *p.AccessTier
	}
	if out.protocol == protocolNFS && p.RootSquash != nil {
		out.rootSquash = string(*p.RootSquash)
	}
	return out, s.readMore(ctx, side, c, out)
}

// readMore reads what takes requests of its own. A share of NFS has no policies
// (https://learn.microsoft.com/rest/api/storageservices/get-share-acl).
func (s *Job) readMore(ctx context.Context, side plugin.Side, c *share.Client, out *shape) error {
	if out.protocol != protocolNFS {
		acl, err := c.GetAccessPolicy(ctx, nil)
		if err != nil {
			return s.fail("read the stored access policies", side, err, Read)
		}
		for _, id := range acl.SignedIdentifiers {
			if id == nil {
				continue
			}
			var p share.AccessPolicy
			if id.AccessPolicy != nil {
				p = *id.AccessPolicy
			}
			out.policies = append(out.policies, policy.Of(id.ID, p.Start, p.Expiry, p.Permission))
		}
	}
	if s.Mode == plugin.Template {
		return nil
	}
	var err error
	out.root, err = node.Look(ctx, s.root(side), true)
	return s.fail("look at the root directory", side, err, node.Read, node.ReadAsBackup)
}

func (s *Job) root(side plugin.Side) node.Place {
	return node.Place{Account: s.On(side), Share: s.name}
}

// wanted is what the target's share is to be, and what it cannot be.
func (s *Job) wanted(ctx context.Context) (shape, []string, error) {
	src, err := s.read(ctx, plugin.Source)
	if err != nil {
		return shape{}, nil, err
	}
	if src == nil {
		return shape{}, nil, s.Problem("copy", plugin.Source, errs.NotFound, errors.New("it was deleted after it was listed"))
	}
	want := *src
	var lost []string
	if s.ref.Snapshots > 0 {
		lost = append(lost, fmt.Sprintf("its snapshots (%d), which cannot be written", s.ref.Snapshots))
	}
	if !hasTiers(s.To.Facts) || !hasTiers(s.From.Facts) {
		if want.tier = ""; hasTiers(s.From.Facts) {
			lost = append(lost, "its tier "+src.tier+", since the target's account has no tiers")
		}
	}
	if least := smallest(s.To.Facts); want.quota < least {
		lost = append(lost, fmt.Sprintf("its quota of %d GiB, since shares of the target's account begin at %d", want.quota, least))
		want.quota = least
	}
	return want, lost, nil
}

// create makes the share. It returns false if it is there already.
func (s *Job) create(ctx context.Context, want shape) (bool, error) {
	c, err := s.client(ctx, plugin.Target)
	if err != nil {
		return false, err
	}
	if want.more() && s.Save != nil {
		if err := s.Save([]byte(begun)); err != nil {
			return false, s.Fail("save a checkpoint", plugin.Target, err)
		}
	}
	opt := &share.CreateOptions{Metadata: node.Pointers(want.metadata), Quota: &want.quota, AccessTier: tier(want.tier)}
	if want.protocol == protocolNFS {
		opt.EnabledProtocols, opt.RootSquash = &want.protocol, squash(want.rootSquash)
	}
	s.To.Wrote()
	_, err = c.Create(ctx, opt)
	if fileerror.HasCode(err, fileerror.ShareAlreadyExists) {
		return false, nil
	}
	return err == nil, s.fail("create the share", plugin.Target, err, Write)
}

func tier(name string) *share.AccessTier {
	if name == "" {
		return nil
	}
	t := share.AccessTier(name)
	return &t
}

func squash(name string) *share.RootSquash {
	if name == "" {
		return nil
	}
	r := share.RootSquash(name)
	return &r
}

// update writes what differs.
func (s *Job) update(ctx context.Context, want, at shape) error {
	c, err := s.client(ctx, plugin.Target)
	if err != nil {
		return err
	}
	s.To.Wrote()
	if want.quota != at.quota || want.rootSquash != at.rootSquash || want.tier != "" && want.tier != at.tier {
		opt := &share.SetPropertiesOptions{Quota: &want.quota, AccessTier: tier(want.tier), RootSquash: squash(want.rootSquash)}
		if _, err := c.SetProperties(ctx, opt); err != nil {
			return s.fail("set the share's properties", plugin.Target, err, Write)
		}
	}
	if !part.SameMetadata(want.metadata, at.metadata) {
		if _, err := c.SetMetadata(ctx, &share.SetMetadataOptions{Metadata: node.Pointers(want.metadata)}); err != nil {
			return s.fail("set the share's metadata", plugin.Target, err, Write)
		}
	}
	if !policy.Same(want.policies, at.policies) {
		if _, err := c.SetAccessPolicy(ctx, &share.SetAccessPolicyOptions{ShareACL: identifiers(want.policies)}); err != nil {
			return s.fail("set the stored access policies", plugin.Target, err, Write)
		}
	}
	if want.root == nil || at.root == nil || !rootDiffers(want.root, at.root) {
		return nil
	}
	root := *want.root
	root.Created, root.Written, root.Changed = time.Time{}, time.Time{}, time.Time{} // they are the share's own
	err = node.SetDirectory(ctx, s.root(plugin.Target), &root, at.root, !part.SameMetadata(want.root.Metadata, at.root.Metadata))
	return s.fail("set up the root directory", plugin.Target, err, node.Write, node.WriteAsBackup, node.ModifyPermissions)
}

func identifiers(ps []policy.Policy) []*share.SignedIdentifier {
	out := make([]*share.SignedIdentifier, 0, len(ps))
	for _, p := range ps {
		a := &share.AccessPolicy{}
		id := &share.SignedIdentifier{AccessPolicy: a}
		id.ID, a.Start, a.Expiry, a.Permission = p.Fields()
		out = append(out, id)
	}
	return out
}

// fail says what could not be done, and what to do where the service's code tells.
func (s *Job) fail(op string, side plugin.Side, err error, actions ...string) error {
	return node.Explain(s.Fail(op, side, err, actions...))
}
