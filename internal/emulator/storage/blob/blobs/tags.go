package blobs

import (
	"encoding/xml"
	"net/http"
	"slices"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/req"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/tagquery"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// tagDocument is the body of Get and Set Blob Tags.
type tagDocument struct {
	XMLName xml.Name   `xml:"Tags"`
	Tags    []tagEntry `xml:"TagSet>Tag"`
}

type tagEntry struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
}

// GetTags answers Get Blob Tags.
func GetTags(r *req.Request) *wire.Error {
	if err := r.Allow("t", "", "containers/blobs/tags/read"); err != nil {
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
	var out tagDocument
	err = c.Read(r.Blob, r.Now, func(e *model.Entry) *wire.Error {
		b, err := r.Pick(e)
		if err != nil {
			return err
		}
		if err := e.Lease.CheckRead(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
			return err
		}
		if err := cond.CheckWrite(b); err != nil {
			return err
		}
		for k, v := range b.Tags {
			out.Tags = append(out.Tags, tagEntry{k, v})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(out.Tags, func(a, b tagEntry) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return r.WriteXML(out)
}

// SetTags answers Set Blob Tags. Neither ETag nor time of change move.
func SetTags(r *req.Request) *wire.Error {
	if err := r.Allow("t", "", "containers/blobs/tags/write"); err != nil {
		return err
	}
	cond, err := r.Conditions()
	if err != nil {
		return err
	}
	tags, err := readTags(r)
	if err != nil {
		return err
	}
	c, err := r.OpenContainer()
	if err != nil {
		return err
	}
	err = c.Change(r.Blob, r.Now, func(t *model.Tx) *wire.Error {
		b, err := r.Pick(t.Entry)
		if err != nil {
			return err
		}
		if err := cond.CheckWrite(b); err != nil {
			return err
		}
		if b == t.Base {
			if err := t.Lease.CheckWrite(r.Header("X-Ms-Lease-Id"), "Blob", r.Now); err != nil {
				return err
			}
		}
		next := b.Clone()
		next.Tags = tags
		t.Swap(b, next)
		return nil
	})
	if err != nil {
		return err
	}
	return r.Answer(http.StatusNoContent)
}

func readTags(r *req.Request) (map[string]string, *wire.Error) {
	if r.Account.HNS {
		return nil, req.Bad("BlobTagsNotSupportedForAccountType", "Blob tags are not supported for this account type.") // words not confirmed
	}
	body, err := r.XML(64 << 10)
	if err != nil {
		return nil, err
	}
	var in tagDocument
	if xml.Unmarshal(body, &in) != nil {
		return nil, req.BadXML()
	}
	tags := map[string]string{}
	for _, e := range in.Tags {
		if _, twice := tags[e.Key]; twice {
			return nil, req.Bad("DuplicateTagNames", "The tags specified are invalid: "+e.Key+" is there twice") // words not confirmed
		}
		tags[e.Key] = e.Value
	}
	if bad := tagquery.Check(tags); bad != nil {
		return nil, req.BadTags(bad)
	}
	return tags, nil
}
