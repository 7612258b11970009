package blob

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// stub tells whether the job is about an empty blob that stands for a directory, which
// the target has as what they are.
func (b *blobJob) stub() bool {
	p := b.ref.Props
	return p != nil && b.To.HNS && !b.From.HNS && placed(b.name) && isFolder(&listing.Entry{Metadata: p.Metadata, Size: b.Item.Size})
}

// placed tells whether a hierarchical namespace keeps a name as it is: it has no parts that
// are empty.
func placed(name string) bool {
	return !strings.HasPrefix(name, "/") && !strings.HasSuffix(name, "/") && !strings.Contains(name, "//")
}

// own is the metadata of a directory without the one that says that it is one.
func own(metadata map[string]string) map[string]string {
	out := maps.Clone(metadata)
	maps.DeleteFunc(out, func(k, _ string) bool { return strings.EqualFold(k, folder) })
	return out
}

// marked is the metadata that a directory is to have, as the SDK takes it.
func marked(metadata map[string]string) map[string]*string {
	yes := "true"
	out := map[string]*string{folder: &yes}
	for k, v := range own(metadata) {
		out[k] = &v
	}
	return out
}

// setFolderMetadata gives a directory of the target the metadata that the source's has. may
// says that it needs no permission to overwrite; neither does a directory that has none.
func (b *blobJob) setFolderMetadata(ctx context.Context, src seen, at *listing.Entry, may bool) (bool, error) {
	if part.SameMetadata(own(src.Metadata), own(at.Metadata)) {
		return false, nil
	}
	if !may && !b.Overwrite && len(own(at.Metadata)) > 0 {
		return false, b.Problem("copy", plugin.Target, errs.Conflict, errors.New("the target differs in metadata"))
	}
	to, err := b.To.Blobs(ctx)
	if err != nil {
		return false, b.Fail("reach the blob service", plugin.Target, err)
	}
	b.To.Wrote()
	_, err = to.NewContainerClient(b.container).NewBlobClient(b.name).SetMetadata(ctx, marked(src.Metadata), nil)
	return err == nil, b.Fail("set the directory's metadata", plugin.Target, err, writeBlobs)
}

// noLists is what an account without a hierarchical namespace cannot hold.
const noLists = "its owner and access control list, which the target's kind of account does not have"

// lostAccess says that the rights of a path, which were asked for, are left behind.
func (b *blobJob) lostAccess() []string {
	if b.ref.Access == nil || b.To.HNS {
		return nil
	}
	return []string{noLists}
}

// hasNoPlace tells whether a target with a hierarchical namespace refused a name for the
// sake of another one: a file is where a directory has to be, or the other way about.
func hasNoPlace(err error, from, to account.Facts) bool {
	var re *azcore.ResponseError
	return to.HNS && !from.HNS && errors.As(err, &re) && (re.ErrorCode == "PathConflict" || re.ErrorCode == "ResourceTypeMismatch")
}
