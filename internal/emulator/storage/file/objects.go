package file

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/settings"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Objects returns the shares, directories and files of an account.
func (s *Server) Objects(a kit.Account) ([]wire.Object, error) {
	acct := s.account(a.ID)
	acct.mu.RLock()
	defer acct.mu.RUnlock()
	var out []wire.Object
	if text := acct.settings.Text(); text != settings.New(false).Text() {
		out = append(out, wire.Object{Key: "shares", Kind: "fileService", Fields: map[string]string{"settings": text}})
	}
	for _, name := range acct.names() {
		sh := acct.shares[name]
		out = append(out, wire.Object{Key: "shares/" + name, Kind: "share", Fields: map[string]string{
			"quota": strconv.Itoa(sh.Quota), "tier": sh.Tier, "protocol": sh.Protocol, "rootSquash": sh.RootSquash,
			"metadata": sh.Metadata.Text(), "policies": acl.Text(sh.Policies), "snapshots": strconv.Itoa(len(sh.Snapshots())),
		}})
		sh.Below(nil, func(n *tree.Node) bool {
			out = append(out, object(sh, n))
			return true
		})
	}
	return out, nil
}

// shown is how long a text may be that an object shows.
const shown = 4 << 10

func object(sh *tree.Share, n *tree.Node) wire.Object {
	f := map[string]string{
		"type": n.Type(), "metadata": n.Metadata.Text(), "created": iso(n.Created), "written": iso(n.Written), "changed": iso(n.Changed),
	}
	if sh.Protocol == "NFS" {
		f["mode"], f["owner"], f["group"] = n.Mode, n.Owner, n.Group
	} else {
		d, _ := sh.Permission(n.Permission)
		f["attributes"], f["permission"] = n.Attributes.String(), d.Text
	}
	kind := [...]string{"directory", "file", "link"}[n.Kind]
	switch n.Kind {
	case tree.File:
		describeContent(f, n)
	case tree.Link:
		f["link"] = n.Text
	case tree.Directory:
	}
	return wire.Object{Key: "shares/" + sh.Name + "/" + n.Path.String(), Kind: kind, Fields: f}
}

func describeContent(f map[string]string, n *tree.Node) {
	size := n.Content.Size()
	whole := n.Content.Content(0, size)
	f["size"], f["links"] = strconv.FormatInt(size, 10), strconv.Itoa(n.Links)
	f["sha256"] = digest(whole)
	if size <= shown {
		if data, err := whole.Bytes(); err == nil && utf8.Valid(data) {
			f["content"] = string(data)
		}
	}
	var ranges []string
	for _, r := range sectors(n.Content.Ranges(0, size), size) {
		ranges = append(ranges, fmt.Sprintf("%d-%d", r.Start, r.End))
	}
	f["ranges"] = strings.Join(ranges, ",")
	h := n.Headers
	f["contentType"], f["contentEncoding"], f["contentLanguage"], f["cacheControl"], f["contentDisposition"] = h.Type, h.Encoding, h.Language, h.CacheControl, h.Disposition
	f["md5"] = base64.StdEncoding.EncodeToString(h.MD5)
}

// digest is the SHA-256 of a content, or "dropped".
func digest(c content.Content) string {
	h := sha256.New()
	if _, err := c.WriteTo(h); err != nil {
		return "dropped"
	}
	return hex.EncodeToString(h.Sum(nil))
}
