package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// ref is how a blob is found again. Its container and its name stand in the item's key.
type ref struct {
	// Props are what the listing said; nil if that is too long for a name tag, and then the
	// source is asked again.
	Props *props `json:"p,omitempty"`
	// Modified is when the source was last changed, in Unix seconds.
	Modified int64  `json:"d,omitempty"`
	Archive  string `json:"a,omitempty"` // what the listing said of a rehydration
	// Past is how many snapshots or versions the blob has besides, where they are copied.
	Past    int      `json:"h,omitempty"`
	Lost    []string `json:"x,omitempty"` // what cannot be carried over, for people
	Access  *access  `json:"w,omitempty"` // of a directory or file in a hierarchical namespace
	AtThere *hint    `json:"o,omitempty"`
}

// maxProps bounds ref.Props, in bytes of JSON: metadata may take 8 KiB, index tags 4 KiB.
const maxProps = 2 << 10

// hint is what stood at the target while the source was listed. It may be old, so a write
// is made on the condition that it still holds; it spares the items that are the same a
// request each.
type hint struct {
	To string `json:"i"`           // which target
	At int64  `json:"t"`           // when, in Unix milliseconds
	Is state  `json:"s"`           // what
	E  string `json:"e,omitempty"` // the ETag there
}

// state is what a listing shows of a blob at the target.
type state string

const (
	absent state = "n" // nothing of that name
	proven state = "=" // the same, its checksum included
	alike  state = "~" // the same as far as a listing shows; one has no checksum
	other  state = "x" // something else
	unsure state = "?" // only the content tells
)

// freshness is how long a hint is taken for true where it spares a look. A listing runs
// ahead of the work by less.
const freshness = 15 * time.Minute

// targetName is short and says nothing: it stands in every item.
func targetName(id string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(id)))
	return hex.EncodeToString(sum[:4])
}

// hint returns what was noted of the job's own target, or nil.
func (b *blobJob) hint() *hint {
	h := b.ref.AtThere
	if h == nil || h.To != targetName(b.To.ID) {
		return nil
	}
	return h
}

// fresh tells whether a hint is young enough to spare a look.
func (h *hint) fresh() bool {
	age := time.Since(time.UnixMilli(h.At))
	return age >= 0 && age < freshness
}

// blobJob is a job for one blob.
type blobJob struct {
	part.Job
	ref       ref
	container string
	name      string
}

const (
	containerKeys = "containers/"
	blobKeys      = "blobs/"
)

func newBlobJob(j part.Job) (*blobJob, error) {
	b := &blobJob{Job: j}
	rest, ok := strings.CutPrefix(string(j.Item.Key), blobKeys)
	b.container, b.name, _ = strings.Cut(rest, "/")
	var err error
	if b.ref, err = plugin.Decode[ref](j.Item); err != nil || !ok || b.name == "" {
		return nil, j.Problem("start", "", errs.Invalid, fmt.Errorf("its reference was not made by this version: plan again"))
	}
	return b, nil
}

// item makes the item of an entry. h may be nil.
func item(containerName string, e *listing.Entry, r ref, cursor string) plugin.Item {
	it := plugin.Item{
		Key: plugin.Key(blobKeys + containerName + "/" + e.Name), Parent: plugin.Key(containerKeys + containerName), Kind: kindBlob,
		Size: e.Size, Rev: e.ETag, Cursor: cursor,
	}
	if e.Directory {
		it.Kind, it.Size = kindDirectory, 0
	}
	if e.MD5 != "" {
		it.Digest = "md5:" + e.MD5
	}
	p := propsOf(e)
	r.Props, r.Modified, r.Archive = &p, e.Modified.Unix(), e.Archive
	r.Lost = lost(e)
	if raw, err := json.Marshal(p); err != nil || len(raw) > maxProps {
		r.Props = nil
	}
	shown := map[string]string{}
	if p.Type != blockBlob {
		shown["type"] = p.Type
	}
	if p.Tier != "" {
		shown["tier"] = p.Tier
	}
	if len(shown) > 0 {
		it.Attrs = shown
	}
	it.Ref = plugin.Encode(r)
	return it
}

// lost says what of a blob at the source is its own there and cannot be carried over.
func lost(e *listing.Entry) []string {
	var out []string
	if len(e.Invalid) > 0 {
		out = append(out, "metadata whose names the service does not give out: "+plural(e.Invalid))
	}
	if e.Immutable != "" {
		out = append(out, "its immutability policy ("+e.Immutable+")")
	}
	if e.LegalHold {
		out = append(out, "its legal hold")
	}
	if e.Scope != "" && !strings.HasPrefix(e.Scope, "$account-encryption-key") {
		out = append(out, "its encryption scope "+e.Scope)
	}
	return out
}
