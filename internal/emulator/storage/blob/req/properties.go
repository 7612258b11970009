package req

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/tagquery"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/meta"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// DefaultType is the content type of a blob that was given none.
const DefaultType = "application/octet-stream"

// Headers reads the x-ms-blob-… headers that set a blob's HTTP headers.
func (r *Request) Headers() (model.Headers, *wire.Error) {
	h := model.Headers{
		ContentType: r.Header("X-Ms-Blob-Content-Type"), Encoding: r.Header("X-Ms-Blob-Content-Encoding"), Language: r.Header("X-Ms-Blob-Content-Language"),
		Disposition: r.Header("X-Ms-Blob-Content-Disposition"), CacheControl: r.Header("X-Ms-Blob-Cache-Control"),
	}
	if v := r.Header("X-Ms-Blob-Content-Md5"); v != "" {
		sum, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(sum) != 16 {
			return h, Bad("InvalidMd5", "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.")
		}
		h.MD5 = sum
	}
	return h, nil
}

// PutHeaders are those of Put Blob, which also takes the plain headers of the request.
func (r *Request) PutHeaders() (model.Headers, *wire.Error) {
	h, err := r.Headers()
	h.ContentType = cmp.Or(h.ContentType, r.Header("Content-Type"), DefaultType)
	h.Encoding = cmp.Or(h.Encoding, r.Header("Content-Encoding"))
	h.Language = cmp.Or(h.Language, r.Header("Content-Language"))
	h.CacheControl = cmp.Or(h.CacheControl, r.Header("Cache-Control"))
	return h, err
}

// Metadata reads the x-ms-meta- headers.
func (r *Request) Metadata() (meta.Map, *wire.Error) { return meta.FromHeader(r.In) }

// blockTiers and pageTiers are what x-ms-access-tier may say.
var (
	blockTiers = []string{"Hot", "Cool", "Cold", "Archive"}
	pageTiers  = []string{"P4", "P6", "P10", "P15", "P20", "P30", "P40", "P50", "P60", "P70", "P80"}
)

// Tier reads x-ms-access-tier for a type of blob; "" if it is absent. Premium accounts for
// block blobs have no tiers.
func (r *Request) Tier(t model.Type) (string, *wire.Error) {
	v := r.Header("X-Ms-Access-Tier")
	if v == "" {
		return "", nil
	}
	known := blockTiers
	if t == model.Page {
		known = pageTiers
	}
	i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, v) })
	premium := strings.HasPrefix(r.Account.SKU, "Premium")
	switch {
	case i < 0:
		return "", BadHeader("x-ms-access-tier", v)
	case t == model.Append, premium != (t == model.Page):
		return "", Bad("AccessTierNotSupportedForBlobType", "The access tier is not supported for this blob type.") // words not confirmed
	}
	return known[i], nil
}

// DefaultTier is the tier of a new blob that was given none.
func (r *Request) DefaultTier(t model.Type) model.Tier {
	if t != model.Block || strings.HasPrefix(r.Account.SKU, "Premium") || r.Account.Kind == "Storage" {
		return model.Tier{}
	}
	return model.Tier{Name: "Hot", Inferred: true}
}

// Tags reads x-ms-tags, a URL-encoded list; nil if it is absent.
func (r *Request) Tags() (map[string]string, *wire.Error) {
	v := r.Header("X-Ms-Tags")
	if v == "" {
		return nil, nil
	}
	if r.Account.HNS {
		return nil, Bad("BlobTagsNotSupportedForAccountType", "Blob tags are not supported for this account type.") // words not confirmed
	}
	values, err := url.ParseQuery(v)
	if err != nil {
		return nil, BadHeader("x-ms-tags", v)
	}
	tags := map[string]string{}
	for k, vs := range values {
		tags[k] = vs[0]
	}
	if err := tagquery.Check(tags); err != nil {
		return nil, BadTags(err)
	}
	return tags, nil
}

// BadTags is the refusal of tags that tagquery.Check does not let through. The codes are
// those that Azurite knows; REST's reference has none but the status.
func BadTags(err error) *wire.Error {
	switch {
	case errors.Is(err, tagquery.ErrTooLarge):
		return Bad("TagsTooLarge", "The tags specified are invalid: "+err.Error()) // words not confirmed
	case errors.Is(err, tagquery.ErrNoName):
		return Bad("EmptyTagName", "The tags specified are invalid: "+err.Error()) // words not confirmed
	}
	return Bad("InvalidTag", "The tags specified are invalid: "+err.Error()) // words not confirmed
}

// Policy reads the immutability headers; nil if they are absent.
func (r *Request) Policy() (*model.Policy, *wire.Error) {
	until, mode := r.Header("X-Ms-Immutability-Policy-Until-Date"), r.Header("X-Ms-Immutability-Policy-Mode")
	if until == "" && mode == "" {
		return nil, nil
	}
	t, err := http.ParseTime(until)
	if err != nil || !t.After(r.Now) {
		return nil, BadHeader("x-ms-immutability-policy-until-date", until)
	}
	switch strings.ToLower(mode) {
	case "", "unlocked":
		mode = "Unlocked"
	case "locked":
		mode = "Locked"
	default:
		return nil, BadHeader("x-ms-immutability-policy-mode", mode)
	}
	return &model.Policy{Until: t.UTC().Truncate(time.Second), Mode: mode}, nil
}

// EncryptionScope reads x-ms-encryption-scope, or takes the container's.
func (r *Request) EncryptionScope(c model.ContainerState) (string, *wire.Error) {
	if r.Header("X-Ms-Encryption-Key") != "" {
		return "", NotImplemented("encryption with keys that the client sends")
	}
	v := r.Header("X-Ms-Encryption-Scope")
	switch {
	case v == "":
		return c.Scope, nil
	case c.DenyOverride && c.Scope != "" && v != c.Scope:
		return "", Refuse(http.StatusForbidden, "RequestForbiddenByContainerEncryptionPolicy", "The request is forbidden by the container's encryption policy.") // words not confirmed
	case v != c.Scope && !slices.Contains(r.Store.Settings().Scopes, v):
		return "", Bad("EncryptionScopeNotFound", "The specified encryption scope does not exist.") // words not confirmed
	}
	return v, nil
}
