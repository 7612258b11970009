package seed

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// shownText is the longest content that stands in an object as it is.
const shownText = 4 << 10

// Objects returns the containers, blobs, snapshots and versions of an account that are not
// deleted, sorted by key: containers/NAME, blobs/CONTAINER/NAME, and of snapshots and
// versions the same with "@" and a number behind, oldest first.
func Objects(a *model.Account, now time.Time) []wire.Object {
	var out []wire.Object
	a.Containers("", false, now, func(c *model.Container) bool {
		s := c.View()
		f := map[string]string{
			"metadata": s.Meta.Text(), "publicAccess": s.Public, "policies": acl.Text(s.Policies), "legalHolds": strings.Join(s.Holds, "\n"),
			"defaultEncryptionScope": s.Scope, "immutabilityDays": worm(s.Worm), "lease": s.Lease.State(now),
		}
		accessFields(f, s.Root)
		out = append(out, wire.Object{Key: "containers/" + c.Name, Kind: "container", Fields: f})
		c.Walk(model.Walk{Visible: func(*model.Entry) bool { return true }, Visit: func(name string, e *model.Entry) bool {
			out = append(out, entry(c.Name, name, e, now)...)
			return true
		}}, now)
		return true
	})
	slices.SortFunc(out, func(x, y wire.Object) int { return strings.Compare(x.Key, y.Key) })
	return out
}

func worm(w *model.Worm) string {
	if w == nil {
		return ""
	}
	return strconv.Itoa(w.Days)
}

// entry shows what is under one name.
func entry(container, name string, e *model.Entry, now time.Time) []wire.Object {
	var out []wire.Object
	key := "blobs/" + container + "/" + name
	n := 0
	for _, b := range e.Old {
		if !b.Deleted.IsZero() {
			continue
		}
		o := object(key+"@"+strconv.Itoa(n), b)
		o.Kind = "version"
		if b.Snapshot != "" {
			o.Kind = "snapshot"
		}
		out = append(out, o)
		n++
	}
	if b := e.Live(); b != nil && b.Dir {
		out = append(out, directory(key, b))
	} else if b != nil {
		o := object(key, b)
		o.Fields["lease"] = e.Lease.State(now)
		o.Fields["uncommittedBlocks"] = strconv.Itoa(len(e.Staged.List()))
		out = append(out, o)
	}
	return out
}

func object(key string, b *model.Blob) wire.Object {
	f := map[string]string{
		"type": string(b.Type), "size": strconv.FormatInt(b.Size(), 10),
		"contentType": b.Headers.ContentType, "contentEncoding": b.Headers.Encoding, "contentLanguage": b.Headers.Language,
		"contentDisposition": b.Headers.Disposition, "cacheControl": b.Headers.CacheControl, "contentMD5": b.Headers.MD5Text(),
		"metadata": b.Meta.Text(), "tags": tagText(b.Tags), "tier": b.Tier.Name, "tierInferred": strconv.FormatBool(b.Tier.Inferred),
		"rehydratingTo": b.Tier.To, "encryptionScope": b.Scope, "legalHold": strconv.FormatBool(b.Hold), "blocks": strconv.Itoa(len(b.Blocks)),
		"etag": b.ETag, "modified": b.Modified.UTC().Format(time.RFC3339),
	}
	if b.Policy != nil {
		f["immutableUntil"], f["immutabilityMode"] = b.Policy.Until.Format(time.RFC3339), b.Policy.Mode
	}
	switch b.Type {
	case model.Append:
		f["sealed"], f["appends"] = strconv.FormatBool(b.Sealed), strconv.Itoa(b.Appends)
	case model.Page:
		f["sequenceNumber"], f["ranges"] = strconv.FormatInt(b.Sequence, 10), rangeText(b)
	case model.Block:
	}
	if b.Copy != nil {
		f["copyStatus"] = b.Copy.Status
	}
	accessFields(f, b.Access)
	contentFields(f, b)
	return wire.Object{Key: key, Kind: "blob", Fields: f}
}

func directory(key string, b *model.Blob) wire.Object {
	f := map[string]string{"metadata": b.Meta.Text(), "etag": b.ETag, "modified": b.Modified.UTC().Format(time.RFC3339)}
	accessFields(f, b.Access)
	return wire.Object{Key: key, Kind: "directory", Fields: f}
}

func accessFields(f map[string]string, a *posix.Access) {
	if a != nil {
		f["owner"], f["group"], f["permissions"], f["acl"] = a.Owner, a.Group, a.Permissions(), a.ACL.Text()
	}
}

// contentFields: a hash of all, and short texts as they are. What was dropped has neither.
func contentFields(f map[string]string, b *model.Blob) {
	h := sha256.New()
	c := b.Content(0, b.Size())
	if _, err := c.WriteTo(h); err != nil {
		return
	}
	f["sha256"] = hex.EncodeToString(h.Sum(nil))
	if b.Size() > shownText {
		return
	}
	if raw, err := c.Bytes(); err == nil && utf8.Valid(raw) {
		f["content"] = string(raw)
	}
}

func rangeText(b *model.Blob) string {
	var out []string
	for _, r := range b.Pages.Ranges(0, b.Size()) {
		out = append(out, strconv.FormatInt(r.Off, 10)+"-"+strconv.FormatInt(r.End()-1, 10))
	}
	return strings.Join(out, ",")
}

// tagText is the tags as x-ms-tags has them, sorted.
func tagText(tags map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, url.QueryEscape(k)+"="+url.QueryEscape(tags[k]))
	}
	return strings.Join(out, "&")
}
