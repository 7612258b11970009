// Package node reads and writes what the directories, files and symbolic links of a share
// are beside their content: the properties of SMB or NFS, HTTP headers and metadata.
package node

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
)

// The rights that operations need with a token. The service asks for the second of each
// pair because of x-ms-file-request-intent: backup
// (https://learn.microsoft.com/azure/storage/files/authorize-oauth-rest).
const (
	service = "Microsoft.Storage/storageAccounts/fileServices/"

	Read              = service + "fileshares/files/read"
	ReadAsBackup      = service + "readFileBackupSemantics/action"
	Write             = service + "fileshares/files/write"
	WriteAsBackup     = service + "writeFileBackupSemantics/action"
	ModifyPermissions = service + "fileshares/files/modifypermissions/action"
	Delegate          = service + "generateUserDelegationKey/action"
)

// Kind is what a node is.
type Kind string

// The kinds. A Link is a symbolic link, of a share of NFS.
const (
	Directory Kind = "directory"
	File      Kind = "file"
	Link      Kind = "link"
)

// Place is where a node is, or would be.
type Place struct {
	*account.Account
	Share string
	Path  string // "" for the root directory
}

// Props are a node's properties. What its kind or its share's protocol does not have is
// zero.
type Props struct {
	Kind     Kind
	NFS      bool // of a share of NFS
	ETag     azcore.ETag
	Modified time.Time // by the service; in seconds

	Size                      int64
	Created, Written, Changed time.Time // by clients, who can set them as they like

	Attributes string // of SMB: names in order, joined by "|"; without Directory
	Unknown    string // those that this program does not know
	SDDL       string // of SMB: the security descriptor

	Mode, Owner, Group string // of NFS
	Names              int64  // hard links to the file
	To                 string // where a Link leads

	ContentType, Encoding, Language, Disposition, CacheControl string
	MD5                                                        []byte
	Metadata                                                   map[string]string // names in lower case
}

// attributes are those of NTFS that the service knows, in the order of the alphabet. That
// a directory is one goes without saying
// (https://learn.microsoft.com/rest/api/storageservices/set-file-properties).
var attributes = []string{"Archive", "Hidden", "NoScrubData", "NotContentIndexed", "Offline", "ReadOnly", "System", "Temporary"}

// Attributes brings the attributes of an answer, "ReadOnly | Archive", into the form of
// Props, and returns those that this program does not know.
func Attributes(text string) (known, unknown string) {
	var have, other []string
	for name := range strings.SplitSeq(text, "|") {
		name = strings.TrimSpace(name)
		at := slices.IndexFunc(attributes, func(a string) bool { return strings.EqualFold(a, name) })
		switch {
		case name == "" || strings.EqualFold(name, "None") || strings.EqualFold(name, "Directory"):
		case at >= 0:
			have = append(have, attributes[at])
		default:
			other = append(other, name)
		}
	}
	slices.Sort(have)
	return strings.Join(have, "|"), strings.Join(other, ", ")
}

// ReadOnly tells whether the service refuses to write to the file.
func (p *Props) ReadOnly() bool { return strings.Contains(p.Attributes, "ReadOnly") }

// octets is the type of a file that was written without one.
const octets = "application/octet-stream"

// Differences names what is not the same at the target, for people. Times of directories
// are moved by the service when something comes into them, and the time of a change by
// every change: they are carried over and not compared.
func (p *Props) Differences(at *Props) []string {
	if p.Kind != at.Kind {
		return []string{"kind"}
	}
	var out []string
	add := func(differs bool, name string) {
		if differs {
			out = append(out, name)
		}
	}
	add(p.Size != at.Size, "size")
	add(p.Kind != Directory && !p.Written.Equal(at.Written), "last write time")
	add(len(p.MD5) > 0 && len(at.MD5) > 0 && !bytes.Equal(p.MD5, at.MD5), "content")
	add(len(p.MD5) > 0 && len(at.MD5) == 0, "content MD5")
	add(!p.Created.Equal(at.Created), "creation time")
	add(p.Attributes != at.Attributes, "attributes")
	add(p.SDDL != at.SDDL, "permission")
	add(p.Mode != at.Mode, "mode")
	add(p.Owner != at.Owner, "owner")
	add(p.Group != at.Group, "group")
	add(p.To != at.To, "link target")
	add(cmp.Or(p.ContentType, octets) != cmp.Or(at.ContentType, octets), "content type")
	add(p.Encoding != at.Encoding, "content encoding")
	add(p.Language != at.Language, "content language")
	add(p.Disposition != at.Disposition, "content disposition")
	add(p.CacheControl != at.CacheControl, "cache control")
	add(!part.SameMetadata(p.Metadata, at.Metadata), "metadata")
	return out
}

// SameContent tells whether two files have the same content as far as one can see without
// reading it.
func (p *Props) SameContent(at *Props) bool {
	summed := len(p.MD5) > 0 && len(at.MD5) > 0
	return p.Size == at.Size && p.Written.Equal(at.Written) && (!summed || bytes.Equal(p.MD5, at.MD5))
}

// Summed tells whether both sides state the same MD5 of the content.
func (p *Props) Summed(at *Props) bool { return len(p.MD5) > 0 && bytes.Equal(p.MD5, at.MD5) }

// A file shows what it holds so far while it is written. So it is made with a type of its
// own, which names its source, and gets the right one, with all else that makes it whole,
// by the last request: no part is ever taken for a whole, also by a later run.
const unfinished = "application/x-atg-unfinished; of="

// Unfinished tells whether a file is a part that some run left, and of which source.
func (p *Props) Unfinished() (of string, yes bool) {
	return strings.CutPrefix(p.ContentType, unfinished)
}

// Token names a file at the source as it is now.
func (p *Props) Token(at Place) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d\n%d", strings.ToLower(at.ID), at.Share, at.Path, p.ETag, p.Size, p.Written.UnixNano()))
	return hex.EncodeToString(sum[:16])
}
