package dfs

import (
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/blobs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/posix"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// mostRecords is how many paths a request changes at most.
const mostRecords = 2000

// changed is the answer of setAccessControlRecursive.
type changed struct {
	Directories int           `json:"directoriesSuccessful"`
	Files       int           `json:"filesSuccessful"`
	Failures    int           `json:"failureCount"`
	Failed      []failedEntry `json:"failedEntries"`
}

type failedEntry struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // "DIRECTORY" or "FILE"
	Message string `json:"errorMessage"`
}

// sweep is one request's part of a recursive change.
type sweep struct {
	r     *req.Request
	c     *model.Container
	alter func(posix.Access, bool) (posix.Access, error)
	super bool
	force bool
	out   changed
}

// setAccessRecursive answers Path Update with setAccessControlRecursive: a page of the
// directory and the paths below it, in the order of a listing.
func setAccessRecursive(r *req.Request) *wire.Error {
	if err := onlyHierarchical(r); err != nil {
		return err
	}
	s, err := readSweep(r)
	if err != nil {
		return err
	}
	if err := allowModify(r); err != nil {
		return err
	}
	most, from, err := records(r)
	if err != nil {
		return err
	}
	if s.c, err = r.OpenContainer(); err != nil {
		return err
	}
	if r.Blob != "" && r.Store.Look(r.Container, r.Blob, r.Now) == nil {
		return model.BlobNotFound()
	}
	names, next := s.names(from, most)
	for i, name := range names {
		s.one(name)
		if s.out.Failures > 0 && !s.force {
			if next = ""; i+1 < len(names) {
				next = names[i+1]
			}
			break
		}
	}
	if next != "" {
		r.Out.Set("X-Ms-Continuation", mark(next))
	}
	return writeJSON(r, s.out)
}

// readSweep reads mode, list and flag.
func readSweep(r *req.Request) (*sweep, *wire.Error) {
	mode, text := strings.ToLower(r.Param("mode")), r.Header("X-Ms-Acl")
	if text == "" {
		return nil, req.MissingHeader("x-ms-acl")
	}
	list, err := posix.Parse(text, mode != "remove")
	if err != nil {
		return nil, req.BadHeader("x-ms-acl", text)
	}
	s := &sweep{r: r, force: strings.EqualFold(r.Param("forceflag"), "true"), super: mayModify(r) == nil, out: changed{Failed: []failedEntry{}}}
	by := map[string]func(posix.Access, posix.ACL, bool) (posix.Access, error){
		"set": posix.Access.Replace, "modify": posix.Access.Modify, "remove": posix.Access.Remove,
	}[mode]
	if by == nil {
		return nil, req.BadQuery("mode", mode)
	}
	s.alter = func(a posix.Access, dir bool) (posix.Access, error) {
		if dir {
			return by(a, list, true)
		}
		return by(a, list.Access(), false) // files have no default entries
	}
	return s, nil
}

func records(r *req.Request) (int, string, *wire.Error) {
	most := mostRecords
	if v := r.Param("maxrecords"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return 0, "", req.Bad("OutOfRangeQueryParameterValue", "One of the query parameters specified in the request URI is outside the permissible range.")
		}
		most = min(n, mostRecords)
	}
	from, err := unmark(r)
	return most, from, err
}

// names are the paths of the page and the first of the next one; "/" is the root directory.
func (s *sweep) names(from string, most int) (names []string, next string) {
	top := s.r.Blob
	if top == "" {
		top = "/"
	}
	if from == "" {
		names = append(names, top)
	}
	walk := model.Walk{From: from, Visible: func(e *model.Entry) bool { return e.Live() != nil }}
	if s.r.Blob != "" {
		walk.Prefix = s.r.Blob + "/"
	}
	walk.Visit = func(name string, _ *model.Entry) bool {
		if len(names) == most {
			next = name
			return false
		}
		names = append(names, name)
		return true
	}
	s.c.Walk(walk, s.r.Now)
	return names, next
}

// one changes a path and counts it.
func (s *sweep) one(name string) {
	if name == "/" {
		s.count("/", true, changeRoot(s.r, s.checked))
		return
	}
	inner := *s.r
	inner.Blob = name
	dir := false
	err := s.c.Change(name, s.r.Now, func(t *model.Tx) *wire.Error {
		b := t.Live()
		if b == nil {
			return model.BlobNotFound()
		}
		dir = b.Dir
		if err := (blobs.Guard{}).Check(&inner, t); err != nil {
			return err
		}
		next, err := s.checked(*b.Access, b.Dir)
		if err != nil {
			return err
		}
		alterAccess(t, b, next)
		return nil
	})
	s.count(name, dir, err)
}

// checked alters an access if it is the caller's to alter.
func (s *sweep) checked(a posix.Access, dir bool) (posix.Access, *wire.Error) {
	if !s.super && !strings.EqualFold(a.Owner, s.r.Caller()) {
		return a, notAuthorized()
	}
	next, err := s.alter(a, dir)
	if err != nil {
		return a, badList(nil, err)
	}
	return next, nil
}

func (s *sweep) count(name string, dir bool, err *wire.Error) {
	switch {
	case err != nil:
		kind := "FILE"
		if dir {
			kind = "DIRECTORY"
		}
		s.out.Failures++
		s.out.Failed = append(s.out.Failed, failedEntry{name, kind, err.Message})
	case dir:
		s.out.Directories++
	default:
		s.out.Files++
	}
}
