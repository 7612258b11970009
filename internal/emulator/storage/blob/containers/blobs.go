package containers

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/tagquery"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// includes are the values of include of List Blobs.
var includes = []string{
	"snapshots", "metadata", "uncommittedblobs", "copy", "deleted", "tags", "versions", "deletedwithversions", "immutabilitypolicy", "legalhold", "permissions",
}

// ListBlobs answers List Blobs, flat and by hierarchy.
func ListBlobs(r *req.Request) *wire.Error {
	l, err := read(r, includes...)
	if err != nil {
		return err
	}
	if err := r.Allow("l", "container", "containers/blobs/read"); err != nil {
		return err
	}
	if l.has("tags") {
		if err := r.Allow("t", "", "containers/blobs/tags/read"); err != nil {
			return err
		}
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	if l.delimiter != "" && l.has("snapshots") {
		return req.BadQuery("include", r.Param("include"))
	}
	x := newWriter()
	x.open("EnumerationResults", "ServiceEndpoint", "https://"+r.R.Host+"/", "ContainerName", r.Container)
	l.echo(x, r)
	x.open("Blobs")
	next := l.walk(x, c, r.Now)
	x.close("Blobs")
	x.text("NextMarker", next)
	x.close("EnumerationResults")
	return x.send(r, http.StatusOK)
}

// walk writes a page and returns the marker of the next.
func (l listing) walk(x *writer, c *model.Container, now time.Time) string {
	next, n := "", 0
	c.Walk(model.Walk{
		From: l.marker, Prefix: l.prefix, Delimiter: l.delimiter,
		Visible: func(e *model.Entry) bool { return len(l.shown(e)) > 0 },
		Visit: func(name string, e *model.Entry) bool {
			dir := e != nil && l.delimiter != "" && strings.HasSuffix(name, l.delimiter) && e.Live() != nil && e.Live().Dir
			if n >= l.most {
				if dir { // its own name, or its entry would be behind the marker
					name = strings.TrimSuffix(name, l.delimiter)
				}
				next = mark(name)
				return false
			}
			if e == nil || dir {
				n++
				l.prefixed(x, name, e, now)
				return true
			}
			for _, b := range l.shown(e) {
				n++
				l.blob(x, name, e, b, now)
			}
			return true
		},
	}, now)
	return next
}

// prefixed writes a common prefix. One that is a directory has properties (Azure: List
// Blobs, of accounts with a hierarchical namespace).
func (l listing) prefixed(x *writer, name string, e *model.Entry, now time.Time) {
	x.open("BlobPrefix")
	x.name(name)
	if e != nil {
		l.properties(x, e, e.Live(), now)
	}
	x.close("BlobPrefix")
}

// uncommitted stands for a name that has uncommitted blocks alone.
var uncommitted = &model.Blob{Type: model.Block}

// shown are the blobs under a name that the list is asked for, the base blob last.
func (l listing) shown(e *model.Entry) []*model.Blob {
	if e.Base != nil && len(e.Old) == 0 && e.Base.Deleted.IsZero() {
		return []*model.Blob{e.Base}
	}
	out := l.older(e)
	switch {
	case e.Base != nil && (e.Base.Deleted.IsZero() || l.has("deleted")):
		out = append(out, e.Base)
	case e.Base == nil && e.Staged != nil && l.has("uncommittedblobs"):
		out = append(out, uncommitted)
	case e.Base == nil && l.has("deletedwithversions") && len(out) == 0 && hasVersions(e):
		out = append(out, &model.Blob{Type: model.Block, Deleted: time.Unix(1, 0)})
	}
	return out
}

// older are the snapshots and versions that the list is asked for.
func (l listing) older(e *model.Entry) []*model.Blob {
	var out []*model.Blob
	for _, b := range e.Old {
		switch {
		case !b.Deleted.IsZero() && !l.has("deleted"):
		case b.Snapshot != "" && (l.has("snapshots") || !b.Deleted.IsZero()):
			out = append(out, b)
		case b.Snapshot == "" && l.has("versions"):
			out = append(out, b)
		}
	}
	return out
}

func hasVersions(e *model.Entry) bool {
	for _, b := range e.Old {
		if b.Snapshot == "" {
			return true
		}
	}
	return false
}

// name writes a name, percent-encoded where XML cannot hold it.
func (x *writer) name(name string) {
	if strings.IndexFunc(name, func(c rune) bool { return c == 0xFFFE || c == 0xFFFF || c < ' ' && c != '\t' && c != '\n' && c != '\r' }) >= 0 {
		x.open("Name", "Encoded", "true")
		x.escape(url.PathEscape(name))
		x.close("Name")
		return
	}
	x.text("Name", name)
}

func (l listing) blob(x *writer, name string, e *model.Entry, b *model.Blob, now time.Time) {
	x.open("Blob")
	x.name(name)
	if !b.Deleted.IsZero() {
		x.text("Deleted", "true")
	}
	x.optional("Snapshot", b.Snapshot)
	if b.Version != "" {
		x.text("VersionId", b.Version)
		if b == e.Base && b.Deleted.IsZero() {
			x.text("IsCurrentVersion", "true")
		}
	}
	if b == e.Base && b.Deleted.IsZero() && l.has("deletedwithversions") && hasVersions(e) {
		x.text("HasVersionsOnly", "false")
	} else if e.Base == nil && l.has("deletedwithversions") {
		x.text("HasVersionsOnly", "true")
	}
	l.properties(x, e, b, now)
	if l.has("metadata") {
		x.metadata(b.Meta)
	}
	if l.has("tags") && len(b.Tags) > 0 {
		x.open("Tags")
		x.tags(b.Tags)
		x.close("Tags")
	}
	x.text("OrMetadata", "")
	x.close("Blob")
}

func (l listing) properties(x *writer, e *model.Entry, b *model.Blob, now time.Time) {
	x.open("Properties")
	if b != uncommitted {
		x.text("Creation-Time", b.Created.UTC().Format(http.TimeFormat))
		x.text("Last-Modified", b.Modified.UTC().Format(http.TimeFormat))
		x.text("Etag", b.ETag)
	}
	x.number("Content-Length", b.Size())
	x.text("Content-Type", b.Headers.ContentType)
	x.text("Content-Encoding", b.Headers.Encoding)
	x.text("Content-Language", b.Headers.Language)
	x.text("Content-CRC64", "")
	x.text("Content-MD5", b.Headers.MD5Text())
	x.text("Cache-Control", b.Headers.CacheControl)
	x.text("Content-Disposition", b.Headers.Disposition)
	if b.Type == model.Page {
		x.number("x-ms-blob-sequence-number", b.Sequence)
	}
	x.text("BlobType", string(b.Type))
	l.tier(x, b)
	if b == e.Base && b.Deleted.IsZero() { // what is deleted has no lease (Azure: List Blobs)
		writeLease(x, e.Lease, now)
	}
	if b.Type == model.Append {
		x.text("Sealed", strconv.FormatBool(b.Sealed))
	}
	if l.has("copy") && b.Copy != nil {
		writeCopy(x, b, now)
	}
	if !b.Deleted.IsZero() && !b.Purge.IsZero() {
		x.text("DeletedTime", b.Deleted.UTC().Format(http.TimeFormat))
		x.number("RemainingRetentionDays", int64(b.Purge.Sub(now).Hours()/24))
	}
	x.text("ServerEncrypted", "true")
	x.optional("EncryptionScope", b.Scope)
	if len(b.Tags) > 0 {
		x.number("TagCount", int64(len(b.Tags)))
	}
	if l.has("immutabilitypolicy") && b.Policy != nil {
		x.text("ImmutabilityPolicyUntilDate", b.Policy.Until.UTC().Format(http.TimeFormat))
		x.text("ImmutabilityPolicyMode", strings.ToLower(b.Policy.Mode))
	}
	if l.has("legalhold") && b.Hold {
		x.text("LegalHold", "true")
	}
	l.access(x, b)
	x.close("Properties")
}

// access writes what a path of a hierarchical namespace is and, on request, whose.
func (l listing) access(x *writer, b *model.Blob) {
	if b.Access == nil {
		return
	}
	x.text("ResourceType", b.ResourceType())
	if !b.Expires.IsZero() {
		x.text("Expiry-Time", b.Expires.UTC().Format(http.TimeFormat))
	}
	if l.has("permissions") {
		x.text("Owner", b.Access.Owner)
		x.text("Group", b.Access.Group)
		x.text("Permissions", b.Access.Permissions())
		x.text("Acl", b.Access.ACL.Text())
	}
}

func (l listing) tier(x *writer, b *model.Blob) {
	if b.Tier.Name == "" {
		return
	}
	x.text("AccessTier", b.Tier.Name)
	if b.Tier.Inferred {
		x.text("AccessTierInferred", "true")
	}
	if !b.Tier.Changed.IsZero() {
		x.text("AccessTierChangeTime", b.Tier.Changed.UTC().Format(http.TimeFormat))
	}
	if b.Tier.To != "" {
		x.text("ArchiveStatus", "rehydrate-pending-to-"+strings.ToLower(b.Tier.To))
		x.text("RehydratePriority", b.Tier.Priority)
	}
}

func writeLease(x *writer, l lease.Lease, now time.Time) {
	if l.ID == "" {
		x.WriteString("<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>")
		return
	}
	x.text("LeaseStatus", l.Status(now))
	x.text("LeaseState", l.State(now))
	x.optional("LeaseDuration", l.DurationText(now))
}

func writeCopy(x *writer, b *model.Blob, now time.Time) {
	c := b.Copy
	x.text("CopyId", c.ID)
	x.text("CopySource", c.Source)
	x.text("CopyStatus", c.Status)
	x.optional("CopyProgress", c.ProgressAt(now, b.Size()))
	x.optional("CopyStatusDescription", c.Description)
	if !c.Completed.IsZero() {
		x.text("CopyCompletionTime", c.Completed.UTC().Format(http.TimeFormat))
	}
	if c.Incremental {
		x.text("IncrementalCopy", "true")
	}
}

// found is one result of Find Blobs by Tags.
type found struct {
	Name      string `xml:"Name"`
	Container string `xml:"ContainerName"`
	Tags      struct {
		Set []tag `xml:"TagSet>Tag"`
	} `xml:"Tags"`
	Version string `xml:"VersionId,omitempty"`
	Current string `xml:"IsCurrentVersion,omitempty"`
}

type tag struct {
	Key, Value string
}

// Find answers Find Blobs by Tags, in the account or in one container.
func Find(r *req.Request) *wire.Error {
	if err := r.Allow("f", "", "containers/blobs/filter/action"); err != nil {
		return err
	}
	l, err := read(r, "versions", "deleted")
	if err != nil {
		return err
	}
	where := r.Param("where")
	q, bad := tagquery.ParseFind(where)
	if bad != nil || r.Container != "" && q.NamesContainer() {
		return req.BadQuery("where", where)
	}
	out := struct {
		XMLName xml.Name `xml:"EnumerationResults"`
		Service string   `xml:"ServiceEndpoint,attr"`
		Where   string   `xml:"Where"`
		Blobs   []found  `xml:"Blobs>Blob"`
		Next    string   `xml:"NextMarker"`
	}{Service: "https://" + r.R.Host + "/", Where: where}
	from, name, _ := strings.Cut(l.marker, "/")
	search := func(c *model.Container) bool {
		if c.Name != from {
			name = ""
		}
		c.Walk(model.Walk{From: name, Visible: func(e *model.Entry) bool { return e.Live() != nil }, Visit: func(n string, e *model.Entry) bool {
			if !q.MatchesIn(c.Name, e.Base.Tags) {
				return true
			}
			if len(out.Blobs) == l.most {
				out.Next = mark(c.Name + "/" + n)
				return false
			}
			out.Blobs = append(out.Blobs, result(c.Name, n, e.Base, q))
			return true
		}}, r.Now)
		return out.Next == ""
	}
	if r.Container != "" {
		c, err := r.OpenContainer()
		if err != nil {
			return err
		}
		search(c)
	} else {
		r.Store.Containers(from, false, r.Now, search)
	}
	return r.WriteXML(out)
}

// result shows the tags that the expression speaks of.
func result(container, name string, b *model.Blob, q *tagquery.Query) found {
	f := found{Name: name, Container: container, Version: b.Version}
	for _, k := range q.Keys() {
		if v, ok := b.Tags[k]; ok {
			f.Tags.Set = append(f.Tags.Set, tag{k, v})
		}
	}
	if b.Version != "" {
		f.Current = strconv.FormatBool(true)
	}
	return f
}
