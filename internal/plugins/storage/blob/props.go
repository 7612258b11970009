package blob

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/copier"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/listing"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
)

// The types of blob, as Props.Type has them.
const (
	blockBlob  = ""
	pageBlob   = "page"
	appendBlob = "append"
)

// props is what a copy carries over beside the content. The zero value of every field
// means that the blob has none.
type props struct {
	Type         string            `json:"y,omitempty"`
	ContentType  string            `json:"t,omitempty"`
	Encoding     string            `json:"e,omitempty"`
	Language     string            `json:"l,omitempty"`
	Disposition  string            `json:"d,omitempty"`
	CacheControl string            `json:"c,omitempty"`
	MD5          string            `json:"5,omitempty"` // base64
	Tier         string            `json:"r,omitempty"` // the blob's own; "" where it is the account's default
	Sequence     int64             `json:"n,omitempty"`
	Sealed       bool              `json:"s,omitempty"`
	Metadata     map[string]string `json:"m,omitempty"`
	Tags         map[string]string `json:"g,omitempty"`
}

// octets is the type of a blob that was written without one.
const octets = "application/octet-stream"

func propsOf(e *listing.Entry) props {
	p := props{
		ContentType: e.ContentType, Encoding: e.Encoding, Language: e.Language, Disposition: e.Disposition, CacheControl: e.CacheControl,
		MD5: e.MD5, Sequence: e.Sequence, Sealed: e.Sealed, Metadata: e.Metadata, Tags: e.Tags,
	}
	switch e.Type {
	case "PageBlob":
		p.Type = pageBlob
	case "AppendBlob":
		p.Type = appendBlob
	}
	if !e.TierInferred {
		p.Tier = e.Tier
	}
	if p.ContentType == octets {
		p.ContentType = ""
	}
	return p
}

// headers are the HTTP headers as the SDK takes them. What is "" is left away: the service
// then has its default.
func (p props) headers() *azblob.HTTPHeaders {
	h := &azblob.HTTPHeaders{}
	for _, f := range []struct {
		to   **string
		from string
	}{
		{&h.BlobContentType, p.ContentType},
		{&h.BlobContentEncoding, p.Encoding},
		{&h.BlobContentLanguage, p.Language},
		{&h.BlobContentDisposition, p.Disposition},
		{&h.BlobCacheControl, p.CacheControl},
	} {
		if f.from != "" {
			*f.to = &f.from
		}
	}
	if sum, err := base64.StdEncoding.DecodeString(p.MD5); err == nil && len(sum) > 0 {
		h.BlobContentMD5 = sum
	}
	return h
}

// carried is what the copier writes with the content.
func (p props) carried() copier.Properties {
	c := copier.Properties{Headers: p.headers(), Tags: p.Tags, Sequence: p.Sequence, Sealed: p.Sealed, Tier: p.Tier}
	if len(p.Metadata) > 0 {
		c.Metadata = make(map[string]*string, len(p.Metadata))
		for k, v := range p.Metadata {
			c.Metadata[k] = &v
		}
	}
	return c
}

// kind is the blob's type as the copier has it.
func (p props) kind() azblob.BlobType {
	switch p.Type {
	case pageBlob:
		return azblob.BlobTypePageBlob
	case appendBlob:
		return azblob.BlobTypeAppendBlob
	default:
		return azblob.BlobTypeBlockBlob
	}
}

// differences names, for people, what a copy of p at the target has that p has not, or the
// other way round. The content, and with it the MD5, is not looked at.
func (p props) differences(at props) []string {
	var out []string
	add := func(differs bool, name string) {
		if differs {
			out = append(out, name)
		}
	}
	add(p.Type != at.Type, "blob type")
	add(p.ContentType != at.ContentType, "content type")
	add(p.Encoding != at.Encoding, "content encoding")
	add(p.Language != at.Language, "content language")
	add(p.Disposition != at.Disposition, "content disposition")
	add(p.CacheControl != at.CacheControl, "cache control")
	add(!part.SameMetadata(p.Metadata, at.Metadata), "metadata")
	add(!maps.Equal(p.Tags, at.Tags), "index tags")
	add(p.Tier != "" && p.Tier != at.Tier, "tier")
	add(p.Sequence != at.Sequence, "sequence number")
	add(p.Sealed != at.Sealed, "seal")
	return out
}

// fit leaves away what the target cannot hold, and says so.
func (p props) fit(to account.Facts) (props, []string) {
	var lost []string
	if p.Tier != "" && !hasTiers(to) {
		p.Tier = "" // premium performance, or an account of the first generation: there is one tier
	}
	if p.Type == pageBlob {
		p.Tier = "" // a premium page blob's is its size's
	}
	if len(p.Tags) > 0 && !hasTags(to) {
		lost = append(lost, "its index tags, which the target's kind of account does not have")
		p.Tags = nil
	}
	return p, lost
}

// hasTiers tells whether blobs of an account have tiers of their own
// (https://learn.microsoft.com/azure/storage/blobs/access-tiers-overview).
func hasTiers(f account.Facts) bool {
	return !f.Premium() && !strings.EqualFold(f.Kind, "Storage")
}

// hasTags tells whether an account has blob index tags
// (https://learn.microsoft.com/azure/storage/blobs/storage-manage-find-blobs): general
// purpose v2 without a hierarchical namespace.
func hasTags(f account.Facts) bool {
	return strings.EqualFold(f.Kind, "StorageV2") && !f.HNS && !f.Premium()
}

// mark is in the metadata of a blob that is being written piece by piece in place: page
// and append blobs show what they hold so far, and a run that was cut must not leave a
// part for a whole. Its value is what the source was like.
const mark = copier.Mark

// unfinished tells whether a blob is a part that some run left, and of which source.
func (p props) unfinished() (of string, yes bool) {
	for k, v := range p.Metadata {
		if strings.EqualFold(k, mark) {
			return v, true
		}
	}
	return "", false
}

// plural joins names for a sentence.
func plural(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), ", ") }
