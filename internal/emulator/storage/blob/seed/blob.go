package seed

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/tagquery"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/lease"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// octets is content in a scenario.
type octets struct {
	Content *string `json:"content"`
	Base64  string  `json:"base64"`
	Size    int64   `json:"size"`
	Seed    uint64  `json:"seed"`
}

func (o octets) content() (content.Content, error) {
	switch {
	case o.Size < 0:
		return content.Content{}, fmt.Errorf("size is %d", o.Size)
	case o.Base64 != "":
		raw, err := base64.StdEncoding.DecodeString(o.Base64)
		if err != nil {
			return content.Content{}, fmt.Errorf("base64: %w", err)
		}
		return content.Of(raw), nil
	case o.Content != nil:
		return content.Of([]byte(*o.Content)), nil
	}
	return content.Virtual(o.Seed, o.Size), nil
}

// state is a blob at one time: now, or as a snapshot or an older version.
type state struct {
	octets
	ContentType  string            `json:"contentType"`
	Encoding     string            `json:"contentEncoding"`
	Language     string            `json:"contentLanguage"`
	Disposition  string            `json:"contentDisposition"`
	CacheControl string            `json:"cacheControl"`
	NoMD5        bool              `json:"noMD5"`
	Metadata     map[string]string `json:"metadata"`
	Tags         map[string]string `json:"tags"`
	Tier         string            `json:"tier"`
}

type blobSeed struct {
	state
	accessSeed
	Name      string   `json:"name"`
	Type      string   `json:"type"` // "block", "page" or "append"
	Snapshots []state  `json:"snapshots"`
	Versions  []state  `json:"versions"`
	BlockSize int64    `json:"blockSize"`
	Ranges    []ranges `json:"ranges"`
	Sequence  int64    `json:"sequenceNumber"`
	Sealed    bool     `json:"sealed"`
	Scope     string   `json:"encryptionScope"`
	Staged    []staged `json:"uncommitted"`
	Leased    bool     `json:"leased"`
	Hold      bool     `json:"legalHold"`
	Until     string   `json:"immutableUntil"`
	Locked    bool     `json:"immutabilityLocked"`
	Deleted   bool     `json:"deleted"`
}

type ranges struct {
	octets
	Offset int64 `json:"offset"`
}

type staged struct {
	octets
	ID string `json:"id"`
}

// hashedAtMost is the longest generated content whose MD5 is computed for a scenario.
const hashedAtMost = 64 << 20

// plant makes the blob as a client would: oldest first.
func (s blobSeed) plant(c *model.Container, now time.Time) error {
	var steps []func(t *model.Tx) error
	for _, old := range s.Versions {
		steps = append(steps, s.write(old))
	}
	for _, old := range s.Snapshots {
		steps = append(steps, s.write(old), func(t *model.Tx) error {
			t.TakeSnapshot(func(*model.Blob) {})
			return nil
		})
	}
	if s.Name == "" || len(s.Name) > 1024 {
		return fmt.Errorf("a name has 1 to 1,024 characters")
	}
	steps = append(steps, s.write(s.state), s.finish)
	var failure error
	refusal := c.Change(s.Name, now, func(t *model.Tx) *wire.Error {
		if err := t.Room(); err != nil {
			return err
		}
		for _, step := range steps {
			if failure = step(t); failure != nil {
				return &wire.Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: failure.Error()}
			}
		}
		return nil
	})
	if failure != nil {
		return failure
	}
	return asError(refusal)
}

// write replaces the blob with a state.
func (s blobSeed) write(st state) func(t *model.Tx) error {
	return func(t *model.Tx) error {
		b, err := s.blob(st)
		if err == nil {
			t.Replace(b)
		}
		return err
	}
}

func (s blobSeed) blob(st state) (*model.Blob, error) {
	data, err := st.content()
	if err != nil {
		return nil, err
	}
	b := &model.Blob{Scope: s.Scope, Tags: st.Tags, Headers: model.Headers{
		ContentType: st.ContentType, Encoding: st.Encoding, Language: st.Language, Disposition: st.Disposition, CacheControl: st.CacheControl,
	}}
	if b.Headers.ContentType == "" {
		b.Headers.ContentType = "application/octet-stream"
	}
	if b.Meta, err = meta.FromSeed(st.Metadata); err != nil {
		return nil, err
	}
	if err := tagquery.Check(st.Tags); err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	if err := s.fill(b, data); err != nil {
		return nil, err
	}
	if !st.NoMD5 && b.Type == model.Block && b.Blocks == nil && data.Size() <= hashedAtMost {
		sums, err := content.Sum(data)
		if err != nil {
			return nil, err
		}
		b.Headers.MD5 = sums.MD5
	}
	if b.Type == model.Block {
		b.Tier = model.Tier{Name: "Hot", Inferred: true}
		if st.Tier != "" {
			b.Tier = model.Tier{Name: st.Tier}
		}
	}
	return b, nil
}

// fill gives the blob its type and content.
func (s blobSeed) fill(b *model.Blob, data content.Content) error {
	switch strings.ToLower(strings.TrimSuffix(strings.ToLower(s.Type), "blob")) {
	case "", "block":
		b.Type, b.Data = model.Block, data
		for off := int64(0); s.BlockSize > 0 && off < data.Size(); off += s.BlockSize {
			id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08d", len(b.Blocks)))
			b.Blocks = append(b.Blocks, model.CommittedBlock{ID: id, Size: min(s.BlockSize, data.Size()-off)})
		}
	case "append":
		b.Type, b.Data, b.Sealed, b.Appends = model.Append, data, s.Sealed, 1
	case "page":
		return s.pages(b, data)
	default:
		return fmt.Errorf("type %q: block, page and append are known", s.Type)
	}
	return nil
}

func (s blobSeed) pages(b *model.Blob, data content.Content) error {
	b.Type, b.Sequence = model.Page, s.Sequence
	if data.Size()%512 != 0 {
		return fmt.Errorf("the size %d is no multiple of 512", data.Size())
	}
	if s.Ranges == nil {
		b.Pages = content.SparseOf(data)
		return nil
	}
	b.Pages = content.NewSparse(s.Size)
	for _, r := range s.Ranges {
		c, err := r.content()
		if err != nil {
			return err
		}
		if r.Offset%512 != 0 || c.Size()%512 != 0 || r.Offset < 0 || r.Offset+c.Size() > s.Size {
			return fmt.Errorf("the range %d+%d is not made of pages of the blob", r.Offset, c.Size())
		}
		b.Pages = b.Pages.Write(r.Offset, c)
	}
	return nil
}

// finish adds what is not a matter of writing.
func (s blobSeed) finish(t *model.Tx) error {
	b := t.Base.Clone()
	b.Hold = s.Hold
	if s.Until != "" {
		until, err := time.Parse(time.RFC3339, s.Until)
		if err != nil {
			return fmt.Errorf("immutableUntil: %w", err)
		}
		b.Policy = &model.Policy{Until: until.UTC(), Mode: map[bool]string{false: "Unlocked", true: "Locked"}[s.Locked]}
	}
	if s.given() {
		if b.Access == nil {
			return fmt.Errorf("only blobs of accounts with isHnsEnabled have owners and lists")
		}
		a, err := s.over(*b.Access, false)
		if err != nil {
			return err
		}
		b.Access = &a
	}
	t.Base = b
	if s.Leased {
		t.Lease = lease.Lease{ID: "00000000-0000-4000-8000-000000000001", Duration: lease.Infinite, Since: t.Now}
	}
	for _, blk := range s.Staged {
		data, err := blk.content()
		if err != nil {
			return err
		}
		if t.Staged == nil {
			t.Staged = &model.Staged{Blocks: map[string]model.StagedBlock{}, Since: t.Now}
		}
		t.Staged.Stage(blk.ID, model.StagedBlock{Data: data})
	}
	if s.Deleted {
		t.Remove()
	}
	return nil
}
