package blobs

import (
	"net/http"
	"strconv"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The limits of versions since 2019-12-12 (Azure: Scalability and performance targets for
// Blob storage).
const (
	longestPut    = 5000 << 20
	longestName   = 1024
	longestPage   = 4 << 20
	longestAppend = 100 << 20
	longestBlob   = 8 << 40 // of a page blob
	mostBlocks    = 50_000
	mostStaged    = 100_000
	longestBlock  = 4000 << 20
)

// AllowCreate asks for the right to write a blob, or to create a new one; fresh tells
// whether only a new one may be made.
func AllowCreate(r *req.Request) (fresh bool, err *wire.Error) {
	err = r.Allow("w", "", "containers/blobs/write")
	if err == nil {
		return false, nil
	}
	if r.Allow("c", "", "containers/blobs/add/action") == nil {
		return true, nil
	}
	return false, err
}

// Overwrite is the refusal of one who may only create.
func Overwrite() *wire.Error {
	return req.Refuse(http.StatusForbidden, "UnauthorizedBlobOverwrite", "This request is not authorized to perform blob overwrites.")
}

// CheckName refuses names that no blob can have.
func CheckName(name string) *wire.Error {
	if name == "" || len([]rune(name)) > longestName {
		return req.Bad("OutOfRangeInput", "One of the request inputs is out of range.")
	}
	return nil
}

// Fresh is a new blob of a type with all that the headers of its creation may say. Plain
// tells whether the plain headers of the request count, as they do for Put Blob.
func Fresh(r *req.Request, c *model.Container, t model.Type, plain bool) (*model.Blob, *wire.Error) {
	if err := CheckName(r.Blob); err != nil {
		return nil, err
	}
	b := &model.Blob{Type: t, Tier: r.DefaultTier(t), Access: &posix.Access{Owner: r.Caller()}}
	var err *wire.Error
	if plain {
		b.Headers, err = r.PutHeaders()
	} else {
		b.Headers, err = r.Headers()
	}
	if err != nil {
		return nil, err
	}
	if b.Meta, err = r.Metadata(); err != nil {
		return nil, err
	}
	if b.Tags, err = r.Tags(); err != nil {
		return nil, err
	}
	if b.Tags != nil {
		if err := r.Allow("t", "", "containers/blobs/tags/write"); err != nil {
			return nil, err
		}
	}
	state := c.View()
	if b.Scope, err = r.EncryptionScope(state); err != nil {
		return nil, err
	}
	tier, err := r.Tier(t)
	if err != nil {
		return nil, err
	}
	if tier != "" {
		b.Tier = model.Tier{Name: tier, Changed: r.Now}
	}
	return b, protect(r, state, b)
}

// protect reads the headers for immutability, which containers must be made for.
func protect(r *req.Request, c model.ContainerState, b *model.Blob) *wire.Error {
	var err *wire.Error
	if b.Policy, err = r.Policy(); err != nil {
		return err
	}
	b.Hold = r.Header("X-Ms-Legal-Hold") == "true"
	if (b.Policy != nil || b.Hold) && !c.VersionWorm {
		return versionWormOff()
	}
	return nil
}

// versionWormOff: the code is the service's, its words are not confirmed.
func versionWormOff() *wire.Error {
	return req.Conflict("ImmutableStorageWithVersioningNotEnabled", "Immutable storage with versioning is not enabled for the container.")
}

// Guard checks a write on the base blob: conditions, lease, immutability and, for those
// who may only create, that there is none.
type Guard struct {
	Cond      req.Conditions
	Fresh     bool // there must be no blob yet
	Overwrite bool // the content is to go: immutability and leases count
	Mark      bool // the new blob marks a directory, which may be there already
}

// Check applies the guard.
func (g Guard) Check(r *req.Request, t *model.Tx) *wire.Error {
	live := t.Live()
	if err := g.place(t); err != nil {
		return err
	}
	if err := g.Cond.CheckWrite(live); err != nil {
		return err
	}
	if live != nil && live.Copy != nil && live.Copy.Status == "pending" {
		return req.Conflict("PendingCopyOperation", "There is currently a pending copy operation.")
	}
	if live == nil {
		if r.Header("X-Ms-Lease-Id") != "" {
			return t.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Blob", r.Now)
		}
		return nil
	}
	if err := t.Lease.CheckWrite(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
		return err
	}
	if g.Overwrite && !t.Settings.Versioning || g.Overwrite && len(t.Container.Holds)+days(t.Container.Worm) > 0 {
		return t.Immutable(live)
	}
	return nil
}

// place checks whether the path may be written at all.
func (g Guard) place(t *model.Tx) *wire.Error {
	live := t.Live()
	switch {
	case g.Fresh && live != nil:
		return Overwrite()
	case g.Mark && live != nil && live.Dir:
		return nil // AzCopy goes by that (its ste/sender-blobFolders.go); not confirmed otherwise
	case g.Overwrite:
		return t.Room()
	}
	return nil
}

func days(w *model.Worm) int {
	if w == nil {
		return 0
	}
	return w.Days
}

// Written answers a write that made or changed b.
func Written(r *req.Request, b *model.Blob) {
	r.ETag(b.ETag, b.Modified)
	h := r.Out
	h["X-Ms-Request-Server-Encrypted"] = []string{"true"}
	if b.Version != "" {
		h["X-Ms-Version-Id"] = []string{b.Version}
	}
	if b.Scope != "" {
		h["X-Ms-Encryption-Scope"] = []string{b.Scope}
	}
}

// Put answers Put Blob of all three types.
func Put(r *req.Request) *wire.Error {
	fresh, err := AllowCreate(r)
	if err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	t := model.Type(r.Header("X-Ms-Blob-Type"))
	var b *model.Blob
	switch t {
	case model.Block, model.Page, model.Append:
		b, err = Fresh(r, c, t, true)
	case "":
		err = req.MissingHeader("x-ms-blob-type")
	default:
		err = req.BadHeader("x-ms-blob-type", string(t))
	}
	if err == nil {
		err = fill(r, b)
	}
	if err != nil {
		return err
	}
	return Store(r, c, b, Guard{Cond: cond, Fresh: fresh, Overwrite: true})
}

// Store puts a new blob in its place and answers 201.
func Store(r *req.Request, c *model.Container, b *model.Blob, g Guard) *wire.Error {
	g.Mark = c.Marks(b)
	err := c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		if err := g.Check(r, t); err != nil {
			return err
		}
		Written(r, t.Replace(b))
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusCreated)
}

// fill takes in the content of a Put Blob: the body of a block blob, the announced length
// of a page blob.
func fill(r *req.Request, b *model.Blob) *wire.Error {
	if b.Type == model.Block {
		data, sums, err := r.Body(content.Ingest{MD5: true, Drop: r.Store.Settings().Drop}, longestPut)
		if err != nil {
			return err
		}
		b.Data = data
		if b.Headers.MD5 == nil {
			b.Headers.MD5 = sums.MD5
		}
		r.Out["Content-Md5"] = []string{model.Headers{MD5: sums.MD5}.MD5Text()}
		if r.Header("Content-MD5") == "" {
			r.Sums(sums)
		}
		return nil
	}
	if n, err := r.Length(); err != nil || n > 0 {
		if err != nil {
			return err
		}
		return req.BadHeader("Content-Length", strconv.FormatInt(n, 10))
	}
	if b.Type == model.Append {
		return nil
	}
	if r.Account.HNS {
		return req.Conflict("FeatureNotSupportedForHnsAccount", "Page blobs are not supported for accounts with a hierarchical namespace.") // words not confirmed
	}
	return size(r, b)
}

// size reads the length of a page blob.
func size(r *req.Request, b *model.Blob) *wire.Error {
	if r.Header("X-Ms-Blob-Content-Length") == "" {
		return req.MissingHeader("x-ms-blob-content-length")
	}
	n, err := r.Int("x-ms-blob-content-length", 0)
	if err != nil {
		return err
	}
	if n%512 != 0 || n > longestBlob {
		return req.BadHeader("x-ms-blob-content-length", strconv.FormatInt(n, 10))
	}
	b.Pages = content.NewSparse(n)
	b.Sequence, err = r.Int("x-ms-blob-sequence-number", 0)
	return err
}
