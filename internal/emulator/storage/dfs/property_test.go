package dfs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/filesystem"
	"pgregory.net/rapid"
)

// tree is what a file system is to be: content by path; directories have a slash behind.
type tree map[string]string

func (m tree) dir(p string) bool  { _, ok := m[p+"/"]; return ok || p == "" }
func (m tree) file(p string) bool { _, ok := m[p]; return ok }

// way tells whether no file stands above a path.
func (m tree) way(p string) bool {
	for i := range p {
		if p[i] == '/' && m.file(p[:i]) {
			return false
		}
	}
	return true
}

// raise adds the directories above a path.
func (m tree) raise(p string) {
	for i := range p {
		if p[i] == '/' {
			m[p[:i+1]] = ""
		}
	}
}

func (m tree) full(p string) bool {
	for name := range m {
		if strings.HasPrefix(name, p+"/") && name != p+"/" {
			return true
		}
	}
	return false
}

// create makes a file or directory.
func (m tree) create(p, content string, dir bool) string {
	switch {
	case !m.way(p):
		return "PathConflict"
	case dir && m.file(p), !dir && m.dir(p):
		return "PathAlreadyExists"
	}
	m.raise(p)
	if dir {
		m[p+"/"] = ""
	} else {
		m[p] = content
	}
	return ""
}

func (m tree) remove(p string, recursive bool) string {
	switch {
	case m.file(p):
		delete(m, p)
		return ""
	case !m.dir(p):
		return "PathNotFound"
	case m.full(p) && !recursive:
		return "DirectoryNotEmpty"
	}
	maps.DeleteFunc(m, func(name, _ string) bool { return strings.HasPrefix(name, p+"/") })
	return ""
}

func (m tree) rename(from, to string) string {
	up := to[:max(strings.LastIndex(to, "/"), 0)]
	switch {
	case !m.file(from) && !m.dir(from):
		return "SourcePathNotFound"
	case strings.HasPrefix(to, from+"/"):
		return "InvalidRenameSourcePath"
	case !m.way(to):
		return "PathConflict"
	case !m.dir(up):
		return "RenameDestinationParentPathNotFound"
	case from == to:
		return ""
	case m.file(from) && m.dir(to), m.dir(from) && m.file(to):
		return "InvalidSourceOrDestinationResourceType"
	case m.dir(from) && m.dir(to) && m.full(to):
		return "PathAlreadyExists"
	}
	moved := tree{}
	for name, content := range m {
		if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
			moved[to+rest] = content
			delete(m, name)
		}
	}
	maps.Copy(m, moved)
	return ""
}

// listing is the order in which the service lists the paths.
func (m tree) listing() []string {
	out := slices.Collect(maps.Keys(m))
	slices.SortFunc(out, func(a, b string) int {
		place := func(p string) string { return strings.ReplaceAll(strings.TrimSuffix(p, "/"), "/", "\x00") }
		return strings.Compare(place(a), place(b))
	})
	return out
}

// TestTrees does the same to the service and to a map, and looks whether they agree.
func TestTrees(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	svc := l.service(lake)
	path := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "a-b", "a b", "ü", "a.b"}), 1, 3).Draw(t, "parts"), "/")
	})
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		fs := svc.NewFileSystemClient("round" + string(rune('a'+round%26)) + strings.Repeat("x", round/26))
		_, err := fs.Create(t.Context(), nil)
		l.ok(err)
		want := tree{}
		step := func(what string, err error, model string) {
			if got := code(err); got != model {
				rt.Fatalf("%s: %q, the model says %q", what, got, model)
			}
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			a, b := path.Draw(rt, "path"), path.Draw(rt, "other")
			switch rapid.SampledFrom([]string{"file", "blob", "dir", "delete", "rename", "rename", "delete all"}).Draw(rt, "what") {
			case "file":
				err := l.tryWrite(fs, a, "content of "+b)
				step("create "+a, err, want.create(a, "content of "+b, false))
			case "blob":
				_, err := l.blobs(lake, name(fs)).NewBlockBlobClient(a).Upload(t.Context(), body(b), nil)
				model := want.create(a, b, false)
				if model == "PathAlreadyExists" {
					model = "ResourceTypeMismatch" // the blob service's word for it
				}
				step("put "+a, err, model)
			case "dir":
				_, err := fs.NewDirectoryClient(a).Create(t.Context(), nil)
				step("mkdir "+a, err, want.create(a, "", true))
			case "delete":
				_, err := fs.NewFileClient(a).Delete(t.Context(), nil)
				step("delete "+a, err, want.remove(a, false))
			case "delete all":
				_, err := fs.NewDirectoryClient(a).Delete(t.Context(), nil)
				step("delete all "+a, err, want.remove(a, true))
			case "rename":
				_, err := fs.NewDirectoryClient(a).Rename(t.Context(), b, nil)
				step("rename "+a+" to "+b, err, want.rename(a, b))
			}
		}
		if got := l.paths(fs, "", true, 3); !slices.Equal(got, want.listing()) {
			rt.Fatalf("the service has %q\nthe model    %q", got, want.listing())
		}
		for p, content := range want {
			if !strings.HasSuffix(p, "/") {
				if got := l.read(fs, p); got != content {
					rt.Fatalf("%s holds %q, want %q", p, got, content)
				}
			}
		}
	})
}

func name(fs *filesystem.Client) string {
	u := fs.DFSURL()
	return u[strings.LastIndex(u, "/")+1:]
}

// tryWrite makes a file with content, or says why not.
func (l *lab) tryWrite(fs *filesystem.Client, path, content string) error {
	f := fs.NewFileClient(path)
	if _, err := f.Create(l.Context(), nil); err != nil {
		return err
	}
	if _, err := f.AppendData(l.Context(), 0, body(content), nil); err != nil {
		return err
	}
	_, err := f.FlushData(l.Context(), int64(len(content)), nil)
	return err
}
