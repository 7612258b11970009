package dfs

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// longestPage is how many results a list answers with at once.
const longestPage = 5000

// mark makes the continuation behind which a list goes on at a name.
func mark(name string) string { return base64.StdEncoding.EncodeToString([]byte(name)) }

// page reads how many results are wanted, and from where on.
func page(r *req.Request) (most int, from string, err *wire.Error) {
	most = longestPage
	if v := r.Param("maxresults"); v != "" {
		n, bad := strconv.Atoi(v)
		if bad != nil || n < 1 {
			return 0, "", req.Bad("OutOfRangeQueryParameterValue", "One of the query parameters specified in the request URI is outside the permissible range.")
		}
		most = min(n, longestPage)
	}
	from, err = unmark(r)
	return most, from, err
}

func unmark(r *req.Request) (string, *wire.Error) {
	text := r.Param("continuation")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", req.BadQuery("continuation", text)
	}
	return string(raw), nil
}

// listedPath is one of Path List. All values are texts, as the service writes them.
type listedPath struct {
	Length      string `json:"contentLength,omitempty"`
	Created     string `json:"creationTime,omitempty"`
	ETag        string `json:"etag,omitempty"`
	Expires     string `json:"expiryTime,omitempty"`
	Group       string `json:"group,omitempty"`
	IsDirectory string `json:"isDirectory,omitempty"`
	Modified    string `json:"lastModified,omitempty"`
	Name        string `json:"name"`
	Owner       string `json:"owner,omitempty"`
	Permissions string `json:"permissions,omitempty"`
	Scope       string `json:"EncryptionScope,omitempty"`
}

func listed(name string, b *model.Blob) listedPath {
	out := listedPath{
		Name: name, Length: strconv.FormatInt(b.Size(), 10), Created: fileTime(b.Created), ETag: b.ETag,
		Modified: b.Modified.UTC().Format(http.TimeFormat), Scope: b.Scope,
	}
	if isDirectory(b) {
		out.IsDirectory = "true"
	}
	if !b.Expires.IsZero() {
		out.Expires = fileTime(b.Expires)
	}
	if a := b.Access; a != nil {
		out.Owner, out.Group, out.Permissions = a.Owner, a.Group, a.Permissions()
	}
	return out
}

// listPaths answers Path List.
func listPaths(r *req.Request) *wire.Error {
	recursive, err := readRecursive(r)
	if err != nil {
		return err
	}
	of := *r
	of.Blob = req.Clean(r.Param("directory"))
	need := model.Rights{Path: of.Blob, Want: posix.Read | posix.Execute}
	if err := of.AllowPath("l", need, "containers/blobs/read"); err != nil {
		return err
	}
	most, from, err := page(r)
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	if err := checkDirectory(r, of.Blob); err != nil {
		return err
	}
	l := &lister{most: most, recursive: recursive, paths: []listedPath{}}
	l.who, l.bound = r.ByLists("containers/blobs/read")
	c.Walk(l.walk(of.Blob, from), r.Now)
	if l.denied {
		return notAuthorized()
	}
	if l.next != "" {
		r.Out.Set("X-Ms-Continuation", mark(l.next))
	}
	s := c.View()
	r.ETag(s.ETag, s.Modified)
	return writeJSON(r, map[string]any{"paths": l.paths})
}

func readRecursive(r *req.Request) (bool, *wire.Error) {
	text := r.Param("recursive")
	if text == "" {
		return false, missingQuery("recursive")
	}
	out, err := strconv.ParseBool(text)
	if err != nil {
		return false, req.BadQuery("recursive", text)
	}
	return out, nil
}

// lister gathers a page of paths.
type lister struct {
	most      int
	recursive bool
	who       string // whom lists alone let in, if bound
	bound     bool

	paths  []listedPath
	next   string // the first path of the next page; "" after the last
	denied bool   // there is a directory that may not be listed
}

func (l *lister) walk(dir, from string) model.Walk {
	w := model.Walk{From: from, Visible: func(e *model.Entry) bool { return e.Live() != nil }, Visit: l.visit}
	if dir != "" {
		w.Prefix = dir + "/"
	}
	if !l.recursive {
		w.Delimiter = "/"
	}
	return w
}

func (l *lister) visit(name string, e *model.Entry) bool {
	bare := strings.TrimSuffix(name, "/")
	if l.denied = l.bound && l.recursive && closed(e.Live(), l.who); l.denied {
		return false
	}
	switch {
	case len(l.paths) == l.most && e == nil:
		l.next = name
		return false
	case len(l.paths) == l.most:
		l.next = bare // its own name, or its entry would be behind it
		return false
	case e == nil: // only blobs below say that there is a directory
		l.paths = append(l.paths, listedPath{Name: bare, IsDirectory: "true", Length: "0"})
	default:
		l.paths = append(l.paths, listed(bare, e.Live()))
	}
	return true
}

// closed tells whether a path is a directory that somebody may not list.
func closed(b *model.Blob, who string) bool {
	return b.Dir && (b.Access == nil || !b.Access.Allows(who, posix.Read|posix.Execute))
}

// checkDirectory refuses to list what is not there. Without a hierarchy, any name may be
// that of a directory.
func checkDirectory(r *req.Request, dir string) *wire.Error {
	if dir == "" || !r.Store.Hierarchical() {
		return nil
	}
	if b := r.Store.Look(r.Container, dir, r.Now); b == nil || !b.Dir {
		return model.BlobNotFound()
	}
	return nil
}
