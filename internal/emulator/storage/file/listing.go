package file

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// listing is the document of List Directories and Files.
type listing struct {
	XMLName     xml.Name `xml:"EnumerationResults"`
	Endpoint    string   `xml:"ServiceEndpoint,attr"`
	Share       string   `xml:"ShareName,attr"`
	Snapshot    string   `xml:"ShareSnapshot,attr,omitempty"`
	Path        string   `xml:"DirectoryPath,attr"`
	Marker      string   `xml:"Marker,omitempty"`
	Prefix      *text    `xml:"Prefix"`
	MaxResults  string   `xml:"MaxResults,omitempty"`
	DirectoryID string   `xml:"DirectoryId,omitempty"`
	Entries     struct{ All []entry }
	NextMarker  string `xml:"NextMarker"`
}

// text is a name; one that XML cannot have is percent-encoded.
type text struct {
	Encoded bool   `xml:"Encoded,attr,omitempty"`
	Value   string `xml:",chardata"`
}

func name(s string) *text {
	if strings.ContainsAny(s, "\uFFFE\uFFFF") {
		return &text{Encoded: true, Value: url.PathEscape(s)}
	}
	return &text{Value: s}
}

// entry is one file or directory: its XMLName tells which.
type entry struct {
	XMLName    xml.Name
	ID         string `xml:"FileId,omitempty"`
	Name       *text
	Properties struct {
		Size     *int64 `xml:"Content-Length"`
		Created  string `xml:"CreationTime,omitempty"`
		Accessed string `xml:"LastAccessTime,omitempty"`
		Written  string `xml:"LastWriteTime,omitempty"`
		Changed  string `xml:"ChangeTime,omitempty"`
		Modified string `xml:"Last-Modified,omitempty"`
		ETag     string `xml:"Etag,omitempty"`
	}
	Attributes string `xml:",omitempty"`
	Permission string `xml:"PermissionKey,omitempty"`
}

// show tells of an entry what is asked for: sizes always, timestamps, etag, attributes
// and permissionkey if they are included. The time of the last access is that of the last
// write.
func show(n *tree.Node, include []string, nfs bool) entry {
	e := entry{XMLName: xml.Name{Local: "File"}, Name: name(n.Path.Name())}
	if n.Kind == tree.Directory {
		e.XMLName.Local = "Directory"
	} else {
		size := n.Content.Size()
		e.Properties.Size = &size
	}
	if len(include) > 0 {
		e.ID = strconv.FormatUint(n.ID, 10)
	}
	p := &e.Properties
	if slices.Contains(include, "timestamps") {
		p.Created, p.Written, p.Changed, p.Modified = iso(n.Created), iso(n.Written), iso(n.Changed), httpTime(n.Modified)
		p.Accessed = iso(n.Written)
	}
	if slices.Contains(include, "etag") {
		p.ETag = n.ETag
	}
	if slices.Contains(include, "attributes") && !nfs {
		e.Attributes = n.Attributes.String()
	}
	if slices.Contains(include, "permissionkey") && !nfs {
		e.Permission = n.Permission
	}
	return e
}

// extras reads include; x-ms-file-extended-info alone asks for identifiers.
func (x *call) extras() []string {
	var out []string
	for v := range strings.SplitSeq(strings.ToLower(x.query.Get("include")), ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	if strings.EqualFold(x.R.Header.Get("X-Ms-File-Extended-Info"), "true") {
		out = append(out, "ids")
	}
	return out
}

// listDirectory answers List Directories and Files.
func (x *call) listDirectory() *wire.Error {
	most, err := x.pageSize()
	if err != nil {
		return err
	}
	q := x.query
	include := x.extras()
	for _, v := range include {
		if !slices.Contains([]string{"timestamps", "etag", "attributes", "permissionkey", "ids"}, v) {
			return badQuery("include", q.Get("include"))
		}
	}
	sh, dir, err := x.node()
	if err != nil {
		return err
	}
	if dir.Kind != tree.Directory {
		return typeMismatch()
	}
	doc := listing{
		Endpoint: "https://" + x.R.Host + "/", Share: x.share, Snapshot: q.Get("sharesnapshot"), Path: x.path.String(), Marker: q.Get("marker"), MaxResults: q.Get("maxresults"),
	}
	if p := q.Get("prefix"); p != "" {
		doc.Prefix = name(p)
	}
	if len(include) > 0 {
		doc.DirectoryID = strconv.FormatUint(dir.ID, 10)
	}
	x.account.mu.RLock()
	x.fill(&doc, sh, most, include)
	x.account.mu.RUnlock()
	kit.WriteXML(x.W, http.StatusOK, doc)
	return nil
}

// fill puts a page of entries into the list.
func (x *call) fill(doc *listing, sh *tree.Share, most int, include []string) {
	prefix := x.query.Get("prefix")
	from := max(unmark(doc.Marker), prefix)
	begins := func(s string) bool { return strings.HasPrefix(s, prefix) }
	if sh.Protocol != "NFS" {
		prefix, from = strings.ToLower(prefix), max(unmark(doc.Marker), strings.ToLower(prefix))
		begins = func(s string) bool { return strings.HasPrefix(strings.ToLower(s), prefix) }
	}
	sh.Children(x.path, from, func(n *tree.Node) bool {
		if !begins(n.Path.Name()) {
			return false
		}
		if len(doc.Entries.All) == most {
			at := n.Path.Name()
			if sh.Protocol != "NFS" {
				at = strings.ToLower(at)
			}
			doc.NextMarker = mark(at)
			return false
		}
		doc.Entries.All = append(doc.Entries.All, show(n, include, sh.Protocol == "NFS"))
		return true
	})
}

// listHandles answers List Handles: nobody has mounted a share of the emulator.
func (x *call) listHandles() *wire.Error {
	if _, _, err := x.node(); err != nil {
		return err
	}
	if _, err := x.pageSize(); err != nil {
		return err
	}
	kit.WriteXML(x.W, http.StatusOK, struct {
		XMLName xml.Name `xml:"EnumerationResults"`
		Entries string   `xml:"Entries"`
		Next    string   `xml:"NextMarker"`
	}{})
	return nil
}

// closeHandles answers Force Close Handles.
func (x *call) closeHandles() *wire.Error {
	if x.R.Header.Get("X-Ms-Handle-Id") == "" {
		return noHeader("x-ms-handle-id")
	}
	if _, _, err := x.node(); err != nil {
		return err
	}
	x.out.Set("X-Ms-Number-Of-Handles-Closed", "0")
	x.out.Set("X-Ms-Number-Of-Handles-Failed", "0")
	return x.answer(http.StatusOK)
}
