// Package containers replicates the blob containers of a storage account, without what is
// in them: metadata, public access, stored access policies.
package containers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/policy"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Kind is that of the items, and Prefix what their keys begin with.
const (
	Kind   = "container"
	Prefix = "containers/"
)

// The rights that operations need
// (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
const (
	Read          = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
	Write         = "Microsoft.Storage/storageAccounts/blobServices/containers/write"
	ReadPolicies  = "Microsoft.Storage/storageAccounts/blobServices/containers/getAcl/action"
	WritePolicies = "Microsoft.Storage/storageAccounts/blobServices/containers/setAcl/action"
)

// maxMetadata bounds what a reference holds, in bytes of JSON: an item is a name tag.
const maxMetadata = 2 << 10

// ref is how a container is found again. Its name stands in the item's key.
type ref struct {
	Public   string            `json:"a,omitempty"` // "blob", "container"; "" for none
	Metadata map[string]string `json:"m,omitempty"`
	Long     bool              `json:"l,omitempty"` // the metadata is too long for a name tag
	Lost     []string          `json:"x,omitempty"`
}

// System tells whether a container is the service's own. $root and $web hold what users put there.
func System(name string) bool {
	return strings.HasPrefix(name, "$") && name != "$root" && name != "$web"
}

// Item makes the item of a container.
func Item(c listing.Container, cursor string) plugin.Item {
	r := ref{Public: c.Public, Metadata: c.Metadata}
	if raw, err := json.Marshal(c.Metadata); err != nil || len(raw) > maxMetadata {
		r.Metadata, r.Long = nil, true
	}
	if c.Immutable {
		r.Lost = append(r.Lost, "its immutability policy")
	}
	if c.LegalHold {
		r.Lost = append(r.Lost, "its legal hold")
	}
	if c.Scope != "" && !strings.HasPrefix(c.Scope, "$account-encryption-key") {
		r.Lost = append(r.Lost, "its default encryption scope "+c.Scope)
	}
	it := plugin.Item{Key: plugin.Key(Prefix + c.Name), Kind: Kind, Size: 0, Rev: c.ETag, Ref: plugin.Encode(r), Cursor: cursor}
	if c.Public != "" {
		it.Attrs = map[string]string{"public": c.Public}
	}
	return it
}

// Job is a job for one container. Make one with New.
type Job struct {
	part.Job
	ref  ref
	name string
}

// New reads what a job is about.
func New(j part.Job) (*Job, error) {
	c := &Job{Job: j}
	var ok bool
	c.name, ok = strings.CutPrefix(string(j.Item.Key), Prefix)
	var err error
	if c.ref, err = plugin.Decode[ref](j.Item); err != nil || !ok || c.name == "" {
		return nil, j.Problem("start", "", errs.Invalid, errors.New("its reference was not made by this version: plan again"))
	}
	return c, nil
}

// shape is what a container is beside its blobs.
type shape struct {
	public   string
	metadata map[string]string
	policies []policy.Policy
}

// read returns what a side has, nil if nothing.
func (c *Job) read(ctx context.Context, side plugin.Side) (*shape, error) {
	a := c.On(side)
	client, err := a.Blobs(ctx)
	if err != nil {
		return nil, c.Fail("reach the blob service", side, err)
	}
	var found *listing.Container
	marker := ""
	for more := true; more && found == nil; more = marker != "" {
		marker, err = listing.Containers(ctx, client, c.name, marker, 1, func(l listing.Container) bool {
			found = &l
			return false
		})
		if err != nil {
			return nil, c.Fail("look at the container", side, err, Read)
		}
	}
	if found == nil || found.Name != c.name {
		return nil, nil
	}
	ps, err := c.policies(ctx, side)
	if err != nil {
		return nil, err
	}
	return &shape{found.Public, found.Metadata, ps}, nil
}

func (c *Job) policies(ctx context.Context, side plugin.Side) ([]policy.Policy, error) {
	client, err := c.On(side).Blobs(ctx)
	if err != nil {
		return nil, c.Fail("reach the blob service", side, err)
	}
	resp, err := client.NewContainerClient(c.name).GetAccessPolicy(ctx, nil)
	if err != nil {
		return nil, c.Fail("read the stored access policies", side, err, ReadPolicies)
	}
	return policiesOf(resp.SignedIdentifiers), nil
}

// wanted is what the target's container is to be, and what it cannot be.
func (c *Job) wanted(ctx context.Context) (shape, []string, error) {
	s := shape{public: c.ref.Public, metadata: c.ref.Metadata}
	lost := append([]string(nil), c.ref.Lost...)
	if c.ref.Long {
		whole, err := c.read(ctx, plugin.Source)
		if err != nil {
			return s, nil, err
		}
		if whole == nil {
			return s, nil, c.Problem("copy", plugin.Source, errs.NotFound, errors.New("it was deleted after it was listed"))
		}
		s = *whole
	} else {
		var err error
		if s.policies, err = c.policies(ctx, plugin.Source); err != nil {
			return s, nil, err
		}
	}
	if s.public != "" && c.To.NoPublicAccess {
		lost = append(lost, "public access, which the target's account does not allow")
		s.public = ""
	}
	return s, lost, nil
}

const fieldPolicies = "stored access policies"

func (s shape) differences(at shape) []string {
	var out []string
	if s.public != at.public {
		out = append(out, "public access")
	}
	if !part.SameMetadata(s.metadata, at.metadata) {
		out = append(out, "metadata")
	}
	if !policy.Same(s.policies, at.policies) {
		out = append(out, fieldPolicies)
	}
	return out
}

// begun is the checkpoint of a container that is made in more than one request.
const begun = `{"begun":true}`

// Replicate copies the container, as plugin.Plugin says.
func (c *Job) Replicate(ctx context.Context) (plugin.Outcome, error) {
	want, lost, err := c.wanted(ctx)
	if err != nil {
		return plugin.Outcome{}, err
	}
	at, err := c.read(ctx, plugin.Target)
	if err != nil {
		return plugin.Outcome{}, err
	}
	ours := len(c.Checkpoint) > 0
	if at == nil {
		made, err := c.create(ctx, want)
		if err != nil || made {
			return plugin.Outcome{Status: plugin.Created, Warnings: part.NotCarried(lost)}, err
		}
		if at, err = c.read(ctx, plugin.Target); err != nil || at == nil {
			return plugin.Outcome{}, errors.Join(err, c.Problem("create", plugin.Target, errs.Unavailable, errors.New("it is there and is not")))
		}
		// What it lacks is what would have been set next: the answer to the request was lost.
		ours = ours || slices.Equal(want.differences(*at), []string{fieldPolicies}) && len(at.policies) == 0
	}
	fields := want.differences(*at)
	if len(fields) == 0 {
		return plugin.Outcome{Status: plugin.Unchanged}, nil
	}
	if !c.Overwrite && !ours {
		return plugin.Outcome{}, c.Problem("copy", plugin.Target, errs.Conflict, fmt.Errorf("the target differs in %s", strings.Join(fields, ", ")))
	}
	if err := c.update(ctx, want, *at); err != nil {
		return plugin.Outcome{}, err
	}
	status := plugin.Updated
	if ours {
		status = plugin.Created
	}
	return plugin.Outcome{Status: status, Warnings: part.NotCarried(lost)}, nil
}

// create makes the container. It returns false if it is there already.
func (c *Job) create(ctx context.Context, want shape) (bool, error) {
	client, err := c.client(ctx)
	if err != nil {
		return false, err
	}
	if len(want.policies) > 0 && c.Save != nil {
		if err := c.Save([]byte(begun)); err != nil {
			return false, c.Fail("save a checkpoint", plugin.Target, err)
		}
	}
	c.To.Wrote()
	_, err = client.Create(ctx, &container.CreateOptions{Metadata: pointers(want.metadata), Access: publicAccess(want.public)})
	if bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
		return false, nil
	}
	if err != nil {
		return false, c.Fail("create the container", plugin.Target, err, Write)
	}
	if len(want.policies) > 0 {
		return true, c.setPolicies(ctx, client, want)
	}
	return true, nil
}

func (c *Job) client(ctx context.Context) (*container.Client, error) {
	to, err := c.To.Blobs(ctx)
	if err != nil {
		return nil, c.Fail("reach the blob service", plugin.Target, err)
	}
	return to.NewContainerClient(c.name), nil
}

func (c *Job) setPolicies(ctx context.Context, client *container.Client, want shape) error {
	_, err := client.SetAccessPolicy(ctx, &container.SetAccessPolicyOptions{Access: publicAccess(want.public), ContainerACL: identifiers(want.policies)})
	return c.Fail("set the stored access policies", plugin.Target, err, WritePolicies)
}

func (c *Job) update(ctx context.Context, want, at shape) error {
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	c.To.Wrote()
	if !part.SameMetadata(want.metadata, at.metadata) {
		if _, err := client.SetMetadata(ctx, &container.SetMetadataOptions{Metadata: pointers(want.metadata)}); err != nil {
			return c.Fail("set the container's metadata", plugin.Target, err, Write)
		}
	}
	if want.public != at.public || !policy.Same(want.policies, at.policies) {
		return c.setPolicies(ctx, client, want)
	}
	return nil
}

// Compare compares it, as plugin.Comparer says.
func (c *Job) Compare(ctx context.Context) (plugin.Comparison, error) {
	want, _, err := c.wanted(ctx)
	if err != nil {
		return plugin.Comparison{}, err
	}
	at, err := c.read(ctx, plugin.Target)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case at == nil:
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	cmp := part.Verdict(want.differences(*at))
	if cmp.State == plugin.Same && want.public != c.ref.Public {
		cmp.Proven, cmp.Reason = false, "public access is not copied: the target's account does not allow it"
	}
	return cmp, nil
}

// publicAccess is a level of public access as the SDK takes it.
func publicAccess(public string) *container.PublicAccessType {
	if public == "" {
		return nil
	}
	p := container.PublicAccessType(public)
	return &p
}

func pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = &v
	}
	return out
}

func policiesOf(ids []*container.SignedIdentifier) []policy.Policy {
	out := make([]policy.Policy, 0, len(ids))
	for _, s := range ids {
		if s == nil {
			continue
		}
		a := s.AccessPolicy
		if a == nil {
			a = &container.AccessPolicy{}
		}
		out = append(out, policy.Of(s.ID, a.Start, a.Expiry, a.Permission))
	}
	return out
}

func identifiers(ps []policy.Policy) []*container.SignedIdentifier {
	out := make([]*container.SignedIdentifier, 0, len(ps))
	for _, p := range ps {
		a := &container.AccessPolicy{}
		s := &container.SignedIdentifier{AccessPolicy: a}
		s.ID, a.Start, a.Expiry, a.Permission = p.Fields()
		out = append(out, s)
	}
	return out
}
