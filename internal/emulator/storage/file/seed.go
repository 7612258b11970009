package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/acl"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file/tree"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
)

// seededShare is one share of a scenario; the package comment documents it.
type seededShare struct {
	Name        string            `json:"name"`
	Quota       int               `json:"quota"`
	Tier        string            `json:"tier"`
	Protocol    string            `json:"protocol"`
	RootSquash  string            `json:"rootSquash"`
	Metadata    map[string]string `json:"metadata"`
	Policies    json.RawMessage   `json:"policies"`
	Directories []seededNode      `json:"directories"`
	Files       []seededNode      `json:"files"`
	Generate    struct {
		Count        int    `json:"count"`
		Size         int64  `json:"size"`
		Seed         uint64 `json:"seed"`
		Prefix       string `json:"prefix"`
		PerDirectory int    `json:"perDirectory"`
	} `json:"generate"`
	Snapshots int `json:"snapshots"`
}

type seededNode struct {
	Path        string            `json:"path"`
	Attributes  string            `json:"attributes"`
	Created     time.Time         `json:"created"`
	Written     time.Time         `json:"written"`
	Changed     time.Time         `json:"changed"`
	Permission  string            `json:"permission"`
	Metadata    map[string]string `json:"metadata"`
	Mode        string            `json:"mode"`
	Owner       string            `json:"owner"`
	Group       string            `json:"group"`
	Content     *string           `json:"content"`
	Size        int64             `json:"size"`
	Seed        uint64            `json:"seed"`
	Type        string            `json:"contentType"`
	Encoding    string            `json:"contentEncoding"`
	Language    string            `json:"contentLanguage"`
	Cache       string            `json:"cacheControl"`
	Disposition string            `json:"contentDisposition"`
	MD5         bool              `json:"md5"`
	Link        string            `json:"link"`
}

// SeedKeys implements kit.Seeder.
func (s *Server) SeedKeys() []string { return []string{"shares", "discardWrites"} }

// Seed adds the "shares" of a scenario's data; shares that exist get the files added.
func (s *Server) Seed(a kit.Account, data json.RawMessage, now time.Time) error {
	var in struct {
		Shares  []json.RawMessage `json:"shares"`
		Discard bool              `json:"discardWrites"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("shares: %w", err)
	}
	acct := s.account(a.ID)
	acct.mu.Lock()
	defer acct.mu.Unlock()
	acct.discard = acct.discard || in.Discard
	for i, raw := range in.Shares {
		var sh seededShare
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&sh); err != nil {
			return fmt.Errorf("shares[%d]: %w", i, err)
		}
		if err := acct.seed(a, sh, now); err != nil {
			return fmt.Errorf("shares[%d] %q: %w", i, sh.Name, err)
		}
	}
	return nil
}

func (acct *account) seed(a kit.Account, in seededShare, now time.Time) error {
	sh, err := acct.seedShare(a, in, now)
	if err != nil {
		return err
	}
	for i, d := range in.Directories {
		if err := acct.seedNode(sh, tree.Directory, d, now); err != nil {
			return fmt.Errorf("directories[%d] %q: %w", i, d.Path, err)
		}
	}
	for i, f := range in.Files {
		kind := tree.File
		if f.Link != "" {
			kind = tree.Link
		}
		if err := acct.seedNode(sh, kind, f, now); err != nil {
			return fmt.Errorf("files[%d] %q: %w", i, f.Path, err)
		}
	}
	for i := range in.Generate.Count {
		g := in.Generate
		path := fmt.Sprintf("%s/%06d/%09d", g.Prefix, i/max(g.PerDirectory, 1), i)
		n := seededNode{Path: path, Size: g.Size, Seed: g.Seed + uint64(i) + 1}
		if err := acct.seedNode(sh, tree.File, n, now); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	}
	for i := range in.Snapshots {
		at := now.Add(time.Duration(i) * time.Second)
		sh.Snap(iso(at), acct.stamps.ETag(at), at)
	}
	return nil
}

// seedShare makes the share, or changes the one that is there.
func (acct *account) seedShare(a kit.Account, in seededShare, now time.Time) (*tree.Share, error) {
	if err := checkShareName(in.Name); err != nil {
		return nil, err
	}
	sh, ok := acct.shares[in.Name]
	if !ok {
		protocol := strings.ToUpper(in.Protocol)
		if protocol == "" {
			protocol = "SMB"
		}
		if protocol != "SMB" && protocol != "NFS" {
			return nil, fmt.Errorf("protocol %q is not SMB or NFS", in.Protocol)
		}
		sh = newShare(a, acct, in.Name, protocol, now)
		acct.shares[in.Name] = sh
	}
	policies, err := acl.Seed(in.Policies, letters)
	if err != nil {
		return nil, err
	}
	if sh.Metadata, err = meta.FromSeed(in.Metadata); err != nil {
		return nil, err
	}
	sh.Policies = policies
	if in.Quota > 0 {
		sh.Quota = in.Quota
	}
	if in.Tier != "" {
		sh.Tier = in.Tier
	}
	if in.RootSquash != "" {
		sh.RootSquash = in.RootSquash
	}
	return sh, nil
}

// seedNode makes a node, and the directories above it.
func (acct *account) seedNode(sh *tree.Share, kind tree.Kind, in seededNode, now time.Time) error {
	path, err := tree.ParsePath(in.Path, true)
	if err != nil {
		return err
	}
	if len(path) == 0 && kind != tree.Directory {
		return errors.New("the path is empty")
	}
	for i := 1; i < len(path); i++ {
		if above := sh.Get(path[:i]); above == nil {
			if err := acct.seedNode(sh, tree.Directory, seededNode{Path: path[:i].String()}, now); err != nil {
				return err
			}
		} else if above.Kind != tree.Directory {
			return fmt.Errorf("%s is a file", path[:i])
		}
	}
	md, bad := meta.FromSeed(in.Metadata)
	if bad != nil {
		return bad
	}
	n := &tree.Node{Kind: kind, Path: path, ID: acct.stamps.ID(), ETag: acct.stamps.ETag(now), Modified: now, Metadata: md, Links: 1, Text: in.Link}
	n.Created, n.Written, n.Changed = or(in.Created, now), or(in.Written, now), or(in.Changed, now)
	if err := in.describe(sh, n); err != nil {
		return err
	}
	if kind == tree.File {
		if err := in.fill(n); err != nil {
			return err
		}
	}
	sh.Put(n)
	return nil
}

func or(t, def time.Time) time.Time {
	if t.IsZero() {
		return def.UTC()
	}
	return t.UTC()
}

// describe sets what the share's protocol knows of a node.
func (in seededNode) describe(sh *tree.Share, n *tree.Node) error {
	if sh.Protocol == "NFS" {
		h := map[string][]string{}
		for name, v := range map[string]string{"X-Ms-Mode": in.Mode, "X-Ms-Owner": in.Owner, "X-Ms-Group": in.Group} {
			if v != "" {
				h[name] = []string{v}
			}
		}
		if err := describeNFS(h, n, true); err != nil {
			return err
		}
		if n.Kind == tree.Link && in.Mode == "" {
			n.Mode = "0777"
		}
		return nil
	}
	if n.Kind == tree.Link {
		return errors.New("a share of SMB has no symbolic links")
	}
	h := map[string][]string{}
	if in.Attributes != "" {
		h["X-Ms-File-Attributes"] = []string{in.Attributes}
	}
	if err := attributes(h, n, in.Attributes == ""); err != nil {
		return err
	}
	if in.Permission != "" {
		n.Permission = sh.AddPermission(tree.Descriptor{Text: in.Permission, Format: "sddl"})
		return nil
	}
	parent, err := sh.In(n.Path)
	if err != nil {
		return err
	}
	n.Permission = parent.Permission
	return nil
}

// fill gives a file its content and headers.
func (in seededNode) fill(n *tree.Node) error {
	whole := content.Virtual(in.Seed, in.Size)
	if in.Content != nil {
		whole = content.Of([]byte(*in.Content))
	}
	n.Content = content.NewSparse(whole.Size())
	if in.Content != nil || in.Seed != 0 {
		n.Content = n.Content.Write(0, whole)
	}
	n.Headers = tree.Headers{Type: in.Type, Encoding: in.Encoding, Language: in.Language, CacheControl: in.Cache, Disposition: in.Disposition}
	if n.Headers.Type == "" {
		n.Headers.Type = "application/octet-stream"
	}
	if in.MD5 {
		sums, err := content.Sum(n.Content.Content(0, n.Content.Size()))
		if err != nil {
			return err
		}
		n.Headers.MD5 = sums.MD5
	}
	return nil
}
