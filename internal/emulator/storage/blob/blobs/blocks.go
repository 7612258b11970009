package blobs

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// BlockID reads and checks the block ID of Put Block.
func BlockID(r *req.Request) (string, *wire.Error) {
	id := r.Param("blockid")
	raw, err := base64.StdEncoding.DecodeString(id)
	if id == "" || err != nil || len(raw) == 0 {
		return "", req.BadQuery("blockid", id)
	}
	if len(raw) > 64 {
		return "", req.Bad("OutOfRangeInput", "One of the request inputs is out of range.")
	}
	return id, nil
}

// PutBlock answers Put Block.
func PutBlock(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	id, err := BlockID(r)
	if err != nil {
		return err
	}
	if n, err := r.Length(); err != nil || n == 0 {
		if err == nil {
			err = req.BadHeader("Content-Length", "0")
		}
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	data, sums, err := r.Body(content.Ingest{Drop: r.Store.Settings().Drop}, longestBlock)
	if err != nil {
		return err
	}
	if err := Stage(r, c, id, data); err != nil {
		return err
	}
	r.Sums(sums)
	return r.Answer(http.StatusCreated)
}

// Stage adds an uncommitted block. All block IDs of a blob have one length.
func Stage(r *req.Request, c *model.Container, id string, data content.Content) *wire.Error {
	if err := CheckName(r.Blob); err != nil {
		return err
	}
	scope, err := r.EncryptionScope(c.View())
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		if err := t.Room(); err != nil {
			return err
		}
		if live := t.Live(); live != nil {
			if live.Type != model.Block {
				return req.WrongType()
			}
			if err := t.Lease.CheckWrite(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
				return err
			}
		}
		s := t.Staged
		if s == nil {
			s = &model.Staged{Blocks: map[string]model.StagedBlock{}, Since: r.Now}
		}
		for other := range s.Blocks {
			if len(other) != len(id) {
				return req.Bad("InvalidBlobOrBlock", "The specified blob or block content is invalid.")
			}
			break
		}
		if len(s.Blocks) >= mostStaged {
			return req.Conflict("BlockCountExceedsLimit", "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.")
		}
		s.Stage(id, model.StagedBlock{Data: data})
		t.Staged = s
		return nil
	})
	if err != nil {
		return err
	}
	r.Out["X-Ms-Request-Server-Encrypted"] = []string{"true"}
	if scope != "" {
		r.Out["X-Ms-Encryption-Scope"] = []string{scope}
	}
	return nil
}

// listedBlock is an element of a block list that is to be committed.
type listedBlock struct{ from, id string }

// readList reads <BlockList><Latest>id</Latest>…, keeping the order of elements.
func readList(body io.Reader) ([]listedBlock, error) {
	d := xml.NewDecoder(body)
	var out []listedBlock
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && depth == 0 {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			if depth == 1 {
				continue
			}
			var id string
			if err := d.DecodeElement(&id, &e); err != nil {
				return nil, err
			}
			depth--
			out = append(out, listedBlock{e.Name.Local, strings.TrimSpace(id)})
		case xml.EndElement:
			depth--
		}
	}
}

// PutBlockList answers Put Block List.
func PutBlockList(r *req.Request) *wire.Error {
	if err := r.Allow("w", "", "containers/blobs/write"); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	b, err := Fresh(r, c, model.Block, false)
	if err != nil {
		return err
	}
	if b.Headers.ContentType == "" {
		b.Headers.ContentType = req.DefaultType
	}
	body, sums, err := r.Body(content.Ingest{}, 8<<20)
	if err != nil {
		return err
	}
	text, bad := body.Bytes()
	if bad != nil {
		return req.BadXML()
	}
	list, bad := readList(strings.NewReader(string(text)))
	if bad != nil {
		return req.BadXML()
	}
	if len(list) > mostBlocks {
		return req.Bad("BlockListTooLong", "The block list may not contain more than 50,000 blocks.")
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		if err := (Guard{Cond: cond, Overwrite: true}).Check(r, t); err != nil {
			return err
		}
		if err := assemble(b, t.Entry, list); err != nil {
			return err
		}
		Written(r, t.Replace(b))
		return nil
	})
	if err != nil {
		return err
	}
	r.Sums(sums)
	return r.Answer(http.StatusCreated)
}

// assemble puts a blob together of its old blocks and the uncommitted ones.
func assemble(b *model.Blob, e *model.Entry, list []listedBlock) *wire.Error {
	old := e.Live()
	if old != nil && old.Type != model.Block {
		return req.WrongType()
	}
	committed := map[string]content.Content{}
	if old != nil {
		at := int64(0)
		for _, blk := range old.Blocks {
			committed[blk.ID] = old.Data.Slice(at, blk.Size)
			at += blk.Size
		}
	}
	b.Blocks = make([]model.CommittedBlock, 0, len(list))
	for _, l := range list {
		data, ok := pick(e.Staged, committed, l)
		if !ok {
			return req.Bad("InvalidBlockList", "The specified block list is invalid.")
		}
		b.Data = b.Data.Append(data)
		b.Blocks = append(b.Blocks, model.CommittedBlock{ID: l.id, Size: data.Size()})
	}
	return nil
}

func pick(s *model.Staged, committed map[string]content.Content, l listedBlock) (content.Content, bool) {
	if s != nil && (l.from == "Latest" || l.from == "Uncommitted") {
		if blk, ok := s.Blocks[l.id]; ok {
			return blk.Data, true
		}
	}
	if l.from == "Latest" || l.from == "Committed" {
		data, ok := committed[l.id]
		return data, ok
	}
	return content.Content{}, false
}

// blockList is the answer of Get Block List.
type blockList struct {
	XMLName     xml.Name `xml:"BlockList"`
	Committed   *blocks  `xml:"CommittedBlocks"`
	Uncommitted *blocks  `xml:"UncommittedBlocks"`
}

type blocks struct {
	Block []block `xml:"Block"`
}

type block struct {
	Name string `xml:"Name"`
	Size int64  `xml:"Size"`
}

// GetBlockList answers Get Block List.
func GetBlockList(r *req.Request) *wire.Error {
	if err := r.Allow("r", "blob", "containers/blobs/read"); err != nil {
		return err
	}
	kind := strings.ToLower(r.Param("blocklisttype"))
	if !slices.Contains([]string{"", "committed", "uncommitted", "all"}, kind) {
		return req.BadQuery("blocklisttype", kind)
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	var out blockList
	err = c.Read(r.Blob, r.Now, func(e *model.Entry) *wire.Error {
		b, err := r.Pick(e)
		if err != nil && (e.Staged == nil || r.Param("snapshot") != "") {
			return err
		}
		if b != nil && b.Type != model.Block {
			return req.WrongType()
		}
		if kind != "uncommitted" {
			out.Committed = &blocks{}
			if b != nil {
				out.Committed.Block = listed(b.Blocks)
			}
		}
		if kind == "uncommitted" || kind == "all" {
			out.Uncommitted = &blocks{listed(e.Staged.List())}
		}
		describeSize(r, b)
		return nil
	})
	if err != nil {
		return err
	}
	return r.WriteXML(out)
}

func listed(in []model.CommittedBlock) []block {
	out := make([]block, 0, len(in))
	for _, b := range in {
		out = append(out, block{b.ID, b.Size})
	}
	return out
}

// describeSize writes the headers of a block list; ETag and time are only those of committed
// blocks.
func describeSize(r *req.Request, b *model.Blob) {
	if b == nil {
		r.Out.Set("X-Ms-Blob-Content-Length", "0")
		return
	}
	if len(b.Blocks) > 0 || b.Size() > 0 {
		r.ETag(b.ETag, b.Modified)
	}
	r.Out.Set("X-Ms-Blob-Content-Length", strconv.FormatInt(b.Size(), 10))
}
