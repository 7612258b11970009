// Package shares replicates the file shares of a storage account, without what is in them:
// quota, tier, protocol, root squash, metadata, stored access policies and, in replication
// mode, the rights and attributes of the root directory.
package shares

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/policy"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/share/node"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Kind is that of the items, and Prefix what their keys begin with.
const (
	Kind   = "share"
	Prefix = "shares/"
)

// The rights that operations on shares need. The service takes tokens for them since its
// version 2024-11-04 (https://learn.microsoft.com/azure/storage/files/authorize-oauth-rest),
// so that Resource Manager, which is asked for the same rights, need not be reached and
// accounts that sign in with a key work alike.
const (
	Read  = "Microsoft.Storage/storageAccounts/fileServices/shares/read"
	Write = "Microsoft.Storage/storageAccounts/fileServices/shares/write"
)

// protocolNFS is what EnabledProtocols says of a share that is not one of SMB.
const protocolNFS = "NFS"

// ref is what the listing tells of a share that it takes no request to know.
type ref struct {
	NFS       bool `json:"n,omitempty"`
	Snapshots int  `json:"h,omitempty"`
}

// Item makes the item of a share that was listed, and of how many snapshots with it.
func Item(s *service.Share, snapshots int, cursor string) plugin.Item {
	r := ref{NFS: IsNFS(s), Snapshots: snapshots}
	it := plugin.Item{Key: plugin.Key(Prefix + *s.Name), Kind: Kind, Cursor: cursor, Ref: plugin.Encode(r)}
	if s.Properties != nil && s.Properties.ETag != nil {
		it.Rev = string(*s.Properties.ETag)
	}
	if r.NFS {
		it.Attrs = map[string]string{"protocol": protocolNFS}
	}
	return it
}

// IsNFS tells whether a share that was listed is one of NFS.
func IsNFS(s *service.Share) bool {
	return s.Properties != nil && s.Properties.EnabledProtocols != nil && strings.EqualFold(*s.Properties.EnabledProtocols, protocolNFS)
}

// Impossible says why a share can never be in an account; "" if it can
// (https://learn.microsoft.com/azure/storage/files/files-nfs-protocol).
func Impossible(nfs bool, to account.Facts) string {
	if nfs && (!strings.EqualFold(to.Kind, "FileStorage") || !to.Premium()) {
		return fmt.Sprintf("it is a share of NFS, and the target's account (%s, %s) has none: that takes a premium FileStorage account", to.Kind, to.SKU)
	}
	return ""
}

// Job is a job for one share. Make one with New.
type Job struct {
	part.Job
	ref  ref
	name string
}

// New reads what a job is about.
func New(j part.Job) (*Job, error) {
	s := &Job{Job: j}
	var ok bool
	s.name, ok = strings.CutPrefix(string(j.Item.Key), Prefix)
	var err error
	if s.ref, err = plugin.Decode[ref](j.Item); err != nil || !ok || s.name == "" {
		return nil, j.Problem("start", "", errs.Invalid, errors.New("its reference was not made by this version: plan again"))
	}
	return s, nil
}

// begun is the checkpoint of a share that is made in more than one request.
const begun = `{"begun":true}`

// Replicate copies the share, as plugin.Plugin says.
func (s *Job) Replicate(ctx context.Context) (plugin.Outcome, error) {
	if why := Impossible(s.ref.NFS, s.To.Facts); why != "" {
		return part.Skipped(why)
	}
	want, lost, err := s.wanted(ctx)
	if err != nil {
		return plugin.Outcome{}, err
	}
	at, err := s.read(ctx, plugin.Target)
	if err != nil {
		return plugin.Outcome{}, err
	}
	ours := len(s.Checkpoint) > 0
	if at == nil {
		made, err := s.create(ctx, want)
		if err != nil {
			return plugin.Outcome{}, err
		}
		if at, err = s.created(ctx, made, want); err != nil {
			return plugin.Outcome{}, err
		}
		// What it lacks is what would have been set next: the answer to the request was lost.
		ours = ours || made || onlyLacks(want.differences(*at), *at)
	}
	out := plugin.Outcome{Status: plugin.Created, Warnings: part.NotCarried(lost)}
	if !ours {
		fields := want.differences(*at)
		if len(fields) == 0 {
			return plugin.Outcome{Status: plugin.Unchanged}, nil
		}
		if err := s.mayReplace(want, *at, fields); err != nil {
			return plugin.Outcome{}, err
		}
		out.Status = plugin.Updated
	}
	return out, s.update(ctx, want, *at)
}

// created returns what stands where the share was to be made; made says that it was.
func (s *Job) created(ctx context.Context, made bool, want shape) (*shape, error) {
	if made && !want.more() {
		return &want, nil
	}
	at, err := s.read(ctx, plugin.Target)
	if err != nil || at != nil {
		return at, err
	}
	e := s.Problem("create the share", plugin.Target, errs.Unavailable, errors.New("the service says that it is there already, and does not show it: a share of that name was deleted and still is kept"))
	e.Hint = "restore the deleted share, or wait until it is gone"
	return nil, e
}

// theirs returns the fields in which somebody's work would be undone. A root directory that
// was not touched since the share was made, by the control plane as a rule, is nobody's. That
// Azure gives a new one equal times of creation and change could not be confirmed; if it
// does not, the user has to say that it may be changed.
func (s shape) theirs(fields []string) []string {
	if s.root == nil || s.root.Created.IsZero() || !s.root.Created.Equal(s.root.Changed) {
		return fields
	}
	return slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return f == fieldRoot })
}

// onlyLacks tells whether a share is as one that was made a moment ago.
func onlyLacks(fields []string, at shape) bool {
	for _, f := range fields {
		if f != fieldPolicies && f != fieldRoot {
			return false
		}
	}
	return len(at.policies) == 0
}

// mayReplace tells whether what differs at the target may be made like the source.
func (s *Job) mayReplace(want, at shape, fields []string) error {
	if want.protocol != at.protocol {
		e := s.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target's share is one of %s, the source's one of %s; a share keeps its protocol for life", at.protocol, want.protocol))
		e.Hint = "delete the target's share, if nothing of it is needed: az storage share-rm delete --name " + s.name
		return e
	}
	if theirs := at.theirs(fields); len(theirs) > 0 && !s.Overwrite {
		return s.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target differs in %s", strings.Join(theirs, ", ")))
	}
	return nil
}

// Compare compares it, as plugin.Comparer says.
func (s *Job) Compare(ctx context.Context) (plugin.Comparison, error) {
	if why := Impossible(s.ref.NFS, s.To.Facts); why != "" {
		return part.Cannot(why)
	}
	want, _, err := s.wanted(ctx)
	if err != nil {
		return plugin.Comparison{}, err
	}
	at, err := s.read(ctx, plugin.Target)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case at == nil:
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	return part.Verdict(want.differences(*at)), nil
}

const (
	fieldPolicies = "stored access policies"
	fieldRoot     = "root directory"
)

// shape is what a share is beside its content.
type shape struct {
	protocol   string // "SMB", "NFS"
	rootSquash string // of NFS
	quota      int32  // GiB
	tier       string // "" if that is not a matter of the share
	metadata   map[string]string
	policies   []policy.Policy
	root       *node.Props // nil in template mode
}

// differences names what is not the same at the target.
func (s shape) differences(at shape) []string {
	var out []string
	add := func(differs bool, name string) {
		if differs {
			out = append(out, name)
		}
	}
	add(s.protocol != at.protocol, "protocol")
	add(s.rootSquash != at.rootSquash, "root squash")
	add(s.quota != at.quota, "quota")
	add(s.tier != "" && s.tier != at.tier, "tier")
	add(!part.SameMetadata(s.metadata, at.metadata), "metadata")
	add(!policy.Same(s.policies, at.policies), fieldPolicies)
	add(s.root != nil && at.root != nil && s.protocol == at.protocol && rootDiffers(s.root, at.root), fieldRoot)
	return out
}

// rootDiffers compares root directories, which come with their share: their times are the
// share's own.
func rootDiffers(a, b *node.Props) bool {
	x, y := *a, *b
	x.Created, y.Created = a.Created, a.Created
	return len(x.Differences(&y)) > 0
}

// more tells whether a share is not whole with the request that makes it.
func (s shape) more() bool { return len(s.policies) > 0 || s.root != nil }
