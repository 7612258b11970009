package tree

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Path are the names from the root of a share to a node; nil is the root.
type Path []string

// Limits of names (Azure: Naming and referencing shares, directories, files, and metadata).
const (
	LongestName = 255
	LongestPath = 2048
	Deepest     = 250
)

// ParsePath splits a path as a client wrote it. Dots at the end of names are cut unless
// they are kept. The errors are InvalidResourceName and InvalidFileOrDirectoryPathName.
func ParsePath(s string, keepDots bool) (Path, *wire.Error) {
	s = strings.Trim(strings.ReplaceAll(s, `\`, "/"), "/")
	if s == "" {
		return nil, nil
	}
	if utf8.RuneCountInString(s) > LongestPath {
		return nil, badPath()
	}
	var p Path
	for name := range strings.SplitSeq(s, "/") {
		if !keepDots && name != "." && name != ".." {
			name = strings.TrimRight(name, ".")
		}
		switch {
		case name == "" || name == "." || name == "..":
			return nil, badPath()
		case utf8.RuneCountInString(name) > LongestName || strings.ContainsFunc(name, forbidden) || !utf8.ValidString(name):
			return nil, &wire.Error{Status: http.StatusBadRequest, Code: "InvalidResourceName", Message: "The specified resource name contains invalid characters."}
		}
		p = append(p, name)
	}
	if len(p) > Deepest {
		return nil, badPath()
	}
	return p, nil
}

func forbidden(r rune) bool { return r < 0x20 || strings.ContainsRune(`":|<>*?`, r) }

func badPath() *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "InvalidFileOrDirectoryPathName", Message: "The specified file or directory path name is invalid."}
}

// String is the path with slashes.
func (p Path) String() string { return strings.Join(p, "/") }

// Parent is the directory that the path is in.
func (p Path) Parent() Path { return p[:len(p)-1] }

// Name is the last name, "" of the root.
func (p Path) Name() string {
	if len(p) == 0 {
		return ""
	}
	return p[len(p)-1]
}

// Child is the path of a name in the directory p.
func (p Path) Child(name string) Path { return append(p[:len(p):len(p)], name) }

const (
	separator = "\x00" // sorts what is in a directory right behind it
	behind    = "\x01" // sorts behind all of it
)

// key is how a share orders and finds a path: without regard to case unless the share
// regards it.
func (s *Share) key(p Path) string {
	k := strings.Join(p, separator)
	if s.Protocol == "NFS" {
		return k
	}
	return strings.ToLower(k)
}
