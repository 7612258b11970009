// Package blob replicates the blob service of a storage account: containers and blobs.
//
// # A listing is enough
//
// The blobs of a container are listed beside those of the target's container, in the order
// of names. What is the same needs no request of its own, however many blobs there are;
// what is not is written on the condition that the target still is as it was listed.
//
// # What is copied
//
// Info says it in sentences. Decided cases: uncommitted and soft-deleted blobs are not
// listed and so not copied; a lease at the source does not matter, one at the target makes
// the service refuse; names are taken as they are; a blob without a type is one of
// application/octet-stream; metadata whose names the service does not give out is named
// in a warning; $root and $web are copied, $logs and other containers of the system are not.
package blob

import (
	"context"
	"fmt"
	"strconv"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// The kinds of item, as they stand in Item.Kind.
const (
	kindBlob      = "blob"
	kindDirectory = "directory"
)

// The settings, and those of their values that the code asks for.
const (
	setCopy    = "copy"
	setAzCopy  = "azcopy"
	setSingle  = "single-mib"
	setVerify  = "verify"
	setHistory = "history"
	setArchive = "archive"
	setTags    = "tags"
	setACLMap  = "acl-map"

	verifyListing     = "listing"
	verifyUnsummed    = "unsummed"
	verifyContent     = "content"
	historyNone       = "none"
	archiveRehydrated = "rehydrate"
	tagsCopied        = "copy"
)

// The data actions of Microsoft.Storage that the part needs
// (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
const (
	service = "Microsoft.Storage/storageAccounts/blobServices/"

	readBlobs  = service + "containers/blobs/read"
	writeBlobs = service + "containers/blobs/write"
	readTags   = service + "containers/blobs/tags/read"
	writeTags  = service + "containers/blobs/tags/write"
	delegate   = service + "generateUserDelegationKey/action"
)

// Part is the blob service. Make one with New.
type Part struct {
	copier   *copier.Copier
	programs programs
}

var _ part.Part = (*Part)(nil)

// New returns the blob service.
func New() *Part { return &Part{copier: copier.New()} }

// maxSingle is the most that Put Blob From URL takes, in MiB
// (https://learn.microsoft.com/rest/api/storageservices/put-blob-from-url).
const maxSingle = 5000

// single returns the size up to which a blob is copied by one request, in bytes.
func single(setting func(string) string) (int64, error) {
	text := setting(setSingle)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > maxSingle {
		return 0, &errs.Error{
			Op: "read the setting " + setSingle, Kind: errs.Invalid, Err: fmt.Errorf("%q is not a number of MiB from 1 to %d", text, maxSingle),
			Hint: "use --set storage." + setSingle + "=256",
		}
	}
	return n << 20, nil
}

// checkSettings refuses what no list of legal values refuses.
func checkSettings(setting func(string) string) error {
	if _, err := single(setting); err != nil {
		return err
	}
	_, err := readIdentities(setting(setACLMap))
	return err
}

// About implements part.Part.
func (*Part) About() part.About {
	return part.About{
		Name: "blobs", Service: account.Blob, PerSecond: 2000,
		Items: []plugin.ItemKind{
			{Name: containers.Kind, Plural: "blob containers", Holds: true},
			{Name: kindBlob, Plural: "blobs"},
			{Name: kindDirectory, Plural: "blob directories", Holds: true},
		},
		Settings: settings(), Limits: limits(), Cannot: cannot(), Permissions: permissions,
	}
}

// Replicate implements part.Part.
func (p *Part) Replicate(ctx context.Context, j part.Job) (plugin.Outcome, error) {
	if j.Item.Kind == containers.Kind {
		return p.replicateContainer(ctx, j)
	}
	b, err := newBlobJob(j)
	switch {
	case err != nil:
		return plugin.Outcome{}, err
	case j.Item.Kind == kindDirectory, b.stub():
		return b.replicateDirectory(ctx)
	default:
		return b.replicate(ctx, p.copier)
	}
}

// Compare implements part.Part.
func (p *Part) Compare(ctx context.Context, j part.Job) (plugin.Comparison, error) {
	if j.Item.Kind == containers.Kind {
		return p.compareContainer(ctx, j)
	}
	b, err := newBlobJob(j)
	switch {
	case err != nil:
		return plugin.Comparison{}, err
	case j.Item.Kind == kindDirectory, b.stub():
		return b.compareDirectory(ctx)
	default:
		return b.compare(ctx, p.copier)
	}
}

// Declare implements part.Part. Content has no form as code.
func (p *Part) Declare(ctx context.Context, j part.Job) ([]iac.Block, error) {
	if j.Item.Kind != containers.Kind {
		return nil, nil
	}
	c, err := containers.New(j)
	if err != nil {
		return nil, err
	}
	return c.Declare(ctx)
}
