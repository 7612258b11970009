package blob

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/hint"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// ref is how a blob is found again. Its container and its name stand in the item's key.
type ref struct {
	// Props are what the listing said; nil if that is too long for a name tag, and then the
	// source is asked again.
	Props   *props `json:"p,omitempty"`
	Archive string `json:"a,omitempty"` // what the listing said of a rehydration
	// Past is how many snapshots or versions the blob has besides, where they are copied.
	Past    int        `json:"h,omitempty"`
	Lost    []string   `json:"x,omitempty"` // what cannot be carried over, for people
	Access  *access    `json:"w,omitempty"` // of a directory or file in a hierarchical namespace
	AtThere *hint.Hint `json:"o,omitempty"`
	// New says that the target's blob is younger than the listing of its container.
	New bool `json:"n,omitempty"`
}

// maxProps bounds ref.Props, in bytes of JSON: metadata may take 8 KiB, index tags 4 KiB.
const maxProps = 2 << 10

// What a listing shows of a blob at the target, beside hint.Absent.
const (
	proven = hint.Same       // the same, its checksum included
	alike  = hint.State("~") // the same as far as a listing shows; one has no checksum
	other  = hint.Other
	unsure = hint.State("?") // only the content tells
)

// blobJob is a job for one blob.
type blobJob struct {
	part.Job
	ref       ref
	container string
	name      string
}

const blobKeys = "blobs/"

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

// parentOf returns the key of what holds a blob: with a hierarchical namespace the
// directory that it is in, so that it does not come into being on the way, with other
// rights; else the container.
func parentOf(containerName, name string, hns bool) plugin.Key {
	if at := strings.LastIndexByte(name, '/'); hns && at > 0 {
		return plugin.Key(blobKeys + containerName + "/" + name[:at])
	}
	return plugin.Key(containers.Prefix + containerName)
}

// item makes the item of an entry.
func item(containerName string, e *listing.Entry, hns bool, r ref, cursor string) plugin.Item {
	it := plugin.Item{
		Key: plugin.Key(blobKeys + containerName + "/" + e.Name), Parent: parentOf(containerName, e.Name, hns), Kind: kindBlob,
		Size: e.Size, Rev: e.ETag, Modified: e.Modified, Cursor: cursor,
	}
	if e.Directory {
		it.Kind, it.Size = kindDirectory, 0
	}
	if e.MD5 != "" {
		it.Digest = "md5:" + e.MD5
	}
	p := propsOf(e)
	r.Props, r.Archive = &p, e.Archive
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
	if strings.ContainsAny(e.Permissions, "tT") { // setting a list and the mode in one request is refused
		out = append(out, "its sticky bit")
	}
	return out
}
