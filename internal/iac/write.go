package iac

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
)

// manifestName is the file that says what an earlier generation wrote.
const manifestName = ".atg-generated.json"

const (
	dirMode  = 0o700
	fileMode = 0o600
)

// manifest holds the files of a generation: what is as it was written may be written anew.
type manifest struct {
	Format string            `json:"format"` // manifestFormat
	SHA256 map[string]string `json:"sha256"` // of content, by path
}

const manifestFormat = "atg-generated"

// Written is what Write did.
type Written struct {
	Files   []string // paths below the directory, as they were given
	Changed int      // how many of them are new or have other content than before
	Removed []string // files of an earlier generation that this one does not have
}

// Earlier tells whether dir holds an earlier generation.
func Earlier(dir string) (bool, error) {
	m, err := readManifest(dir)
	return m != nil, err
}

// Write puts files below dir, which it makes if need be, and removes what an earlier
// generation wrote and this one does not. A file that no generation wrote, or that somebody has
// changed since, is in the way: then nothing is written and the error, of kind Conflict, names it,
// unless force is set. Files are readable by their owner alone.
func Write(dir string, files []File, force bool) (Written, error) {
	old, err := readManifest(dir)
	if err != nil && !force {
		return Written{}, err
	}
	if old == nil {
		old = &manifest{}
	}
	stale := old.stale(files)
	if !force {
		if err := old.inTheWay(dir, files, stale); err != nil {
			return Written{}, err
		}
	}
	out := Written{Removed: stale}
	next := manifest{Format: manifestFormat, SHA256: map[string]string{}}
	for _, f := range files {
		changed, err := writeFile(dir, f)
		if err != nil {
			return out, problem(dir, errs.Invalid, err)
		}
		if changed {
			out.Changed++
		}
		out.Files = append(out.Files, f.Path)
		next.SHA256[f.Path] = digest(f.Content)
	}
	for _, path := range stale {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(path))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, problem(dir, errs.Invalid, err)
		}
	}
	text, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return out, err
	}
	if _, err := writeFile(dir, File{manifestName, append(text, '\n')}); err != nil {
		return out, problem(dir, errs.Invalid, err)
	}
	return out, nil
}

func problem(dir string, kind errs.Kind, err error) *errs.Error {
	return &errs.Error{Op: "write the code to " + dir, Kind: kind, Err: err}
}

// readManifest returns nil if dir holds no earlier generation.
func readManifest(dir string) (*manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, problem(dir, errs.Invalid, err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil || m.Format != manifestFormat {
		e := problem(dir, errs.Conflict, fmt.Errorf("%s was not written by this program", manifestName))
		e.Hint = "choose another directory, or write over it with --force"
		return nil, e
	}
	return &m, nil
}

// stale lists what m has and files do not, in order. Paths that lead out of the directory
// are none of ours, whoever wrote them into the manifest.
func (m *manifest) stale(files []File) []string {
	var out []string
	for path := range m.SHA256 {
		if filepath.IsLocal(filepath.FromSlash(path)) && !slices.ContainsFunc(files, func(f File) bool { return f.Path == path }) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// inTheWay refuses to replace or remove what is not as m says.
func (m *manifest) inTheWay(dir string, files []File, stale []string) error {
	paths := slices.Clone(stale)
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	var foreign []string
	for _, path := range paths {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return problem(dir, errs.Conflict, err)
		case digest(text) != m.SHA256[path] && !slices.ContainsFunc(files, func(f File) bool { return f.Path == path && string(f.Content) == string(text) }):
			foreign = append(foreign, path)
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	verb := "is"
	if len(foreign) > 1 {
		verb = "are"
	}
	e := problem(dir, errs.Conflict, fmt.Errorf("%s %s not as this program wrote it", strings.Join(foreign, ", "), verb))
	e.Hint = "choose another directory, or write over it with --force"
	return e
}

// writeFile replaces a file whole, or leaves it if it has the content already. changed
// tells which.
func writeFile(dir string, f File) (changed bool, err error) {
	path := filepath.Join(dir, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return false, err
	}
	if old, err := os.ReadFile(path); err == nil && string(old) == string(f.Content) {
		return false, nil
	}
	part := path + ".part"
	if err := os.WriteFile(part, f.Content, fileMode); err != nil {
		return false, err
	}
	if err := os.Rename(part, path); err != nil {
		return false, errors.Join(err, os.Remove(part))
	}
	return true, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
