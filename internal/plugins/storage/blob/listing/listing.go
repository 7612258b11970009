// Package listing reads what List Blobs answers
// (https://learn.microsoft.com/rest/api/storageservices/list-blobs). The SDK's own reader
// writes the names of metadata in lower case, loses those that are not legal and takes
// several times as long; a copy has to keep the names, and an account may have a hundred
// million blobs. The requests are the SDK's: it signs in, retries and counts.
package listing

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// PageSize is the most that the service puts on one page.
const PageSize = 5000

// Entry is a blob, a snapshot, a version or a directory as a listing shows it.
type Entry struct {
	Name      string
	Snapshot  string // when it was taken, as the service writes it; "" for the blob itself
	Version   string
	Current   bool // the current version
	Directory bool // of a hierarchical namespace

	Type     string // "BlockBlob", "PageBlob", "AppendBlob"
	Size     int64
	ETag     string // with its quotes
	Modified time.Time
	MD5      string // base64; "" if the blob has none

	ContentType, Encoding, Language, Disposition, CacheControl string

	Tier         string // "" if the account has none
	TierInferred bool   // the account's default, not the blob's own
	Archive      string // "rehydrate-pending-to-hot", …
	Sequence     int64  // of a page blob
	Sealed       bool   // an append blob that takes no more
	LeaseStatus  string // "locked", "unlocked"
	Scope        string // encryption scope
	Key          string // SHA-256 of a key that the customer provides with each request
	Immutable    string // mode of the immutability policy, if any
	LegalHold    bool

	Owner, Group, Permissions, ACL string // of a hierarchical namespace

	Metadata map[string]string // names as they were written
	Invalid  []string          // names of metadata that the service cannot give out
	Tags     map[string]string

	immutable bool   // of a container
	public    string // of a container
}

// Container is a container as a listing shows it.
type Container struct {
	Name      string
	Public    string // "", "blob" or "container"
	ETag      string // with its quotes
	Metadata  map[string]string
	Scope     string // default encryption scope
	Immutable bool   // it has an immutability policy
	LegalHold bool
}

// Containers reads one page of an account's containers whose names begin with prefix, as
// Page does of blobs. max 0 means PageSize.
func Containers(ctx context.Context, c *service.Client, prefix, marker string, max int32, yield func(Container) bool) (string, error) {
	if max == 0 {
		max = PageSize
	}
	opt := &service.ListContainersOptions{MaxResults: &max, Include: service.ListContainersInclude{Metadata: true}}
	if prefix != "" {
		opt.Prefix = &prefix
	}
	if marker != "" {
		opt.Marker = &marker
	}
	raw := &raw{}
	if _, err := c.NewListContainersPager(opt).NextPage(context.WithValue(ctx, rawKey{}, raw)); err != nil {
		return "", err
	}
	return parse(raw.body, "Container", func(e *Entry) bool {
		return yield(Container{
			Name: e.Name, Public: e.public, ETag: e.ETag, Metadata: e.Metadata, Scope: e.Scope, Immutable: e.immutable, LegalHold: e.LegalHold,
		})
	})
}

// Query says what to list of one container.
type Query struct {
	Prefix  string
	Marker  string // of the page; "" for the first
	From    string // the name to start at, where the service knows startFrom; a hint
	Max     int32  // entries on a page; 0: PageSize
	Tags    bool
	History string // "snapshots", "versions" or ""
	Access  bool   // owner, group, permissions and ACL of a hierarchical namespace
}

// Page reads one page. It calls yield for each entry, in the order of the service, and
// returns the marker of the next page, "" after the last. yield returns false to stop.
func Page(ctx context.Context, c *container.Client, q Query, yield func(*Entry) bool) (string, error) {
	if q.Max == 0 {
		q.Max = PageSize
	}
	opt := &container.ListBlobsFlatOptions{
		MaxResults: &q.Max,
		Include: container.ListBlobsInclude{
			Metadata: true, Tags: q.Tags, Snapshots: q.History == "snapshots", Versions: q.History == "versions", Permissions: q.Access,
		},
	}
	if q.Prefix != "" {
		opt.Prefix = &q.Prefix
	}
	if q.Marker != "" {
		opt.Marker = &q.Marker
	}
	raw := &raw{from: q.From}
	if _, err := c.NewListBlobsFlatPager(opt).NextPage(context.WithValue(ctx, rawKey{}, raw)); err != nil {
		return "", err
	}
	return parse(raw.body, "Blob", yield)
}

type rawKey struct{}

// raw is what a request with this value in its context wants of a Tap.
type raw struct {
	from string
	body string
}

// Tap is a per-call policy that hands the body of a listing to this package and leaves an
// empty one to the SDK. The blob clients that Page is used with must have it.
type Tap struct{}

// Do implements policy.Policy.
func (Tap) Do(req *policy.Request) (*http.Response, error) {
	want, ok := req.Raw().Context().Value(rawKey{}).(*raw)
	if !ok {
		return req.Next()
	}
	if want.from != "" {
		// List Blobs: "startFrom", inclusive. The SDK's pager leaves it out.
		q := req.Raw().URL.Query()
		q.Set("startFrom", want.from)
		req.Raw().URL.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	}
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	var b strings.Builder
	if resp.ContentLength > 0 {
		b.Grow(int(min(resp.ContentLength, 64<<20)))
	}
	_, err = io.Copy(&b, resp.Body) // the pipeline below has it in memory already
	_ = resp.Body.Close()           // nothing more can be read
	if err != nil {
		return nil, err
	}
	want.body = b.String()
	resp.Body = io.NopCloser(strings.NewReader("<EnumerationResults></EnumerationResults>"))
	return resp, nil
}
