// Package listing reads what List Directories and Files answers
// (https://learn.microsoft.com/rest/api/storageservices/list-directories-and-files). The
// SDK's own reader parts files from directories, so that the order is lost, and does not
// decode names that XML cannot hold as the service encodes them. The requests are the
// SDK's: it signs in, retries and counts.
package listing

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
)

// PageSize is the most that the service puts on one page.
const PageSize = 5000

// Entry is a file or a directory as a listing shows it.
type Entry struct {
	Name                       string
	Directory                  bool
	Size                       int64
	Created, Written, Modified time.Time // zero where the service does not tell
	ETag                       string    // with its quotes
	Attributes                 string    // as the service writes them; "" on a share of NFS
	Permission                 string    // the key of the security descriptor; "" on a share of NFS
}

// Page reads one page of a directory, in the order of the service. It returns the marker
// of the next page, "" after the last. A share of NFS is not asked for what only SMB has.
func Page(ctx context.Context, c *directory.Client, marker string, nfs bool) ([]Entry, string, error) {
	most, more := int32(PageSize), true
	opt := &directory.ListFilesAndDirectoriesOptions{
		MaxResults: &most, IncludeExtendedInfo: &more,
		Include: directory.ListFilesInclude{Timestamps: true, ETag: true, Attributes: !nfs, PermissionKey: !nfs},
	}
	if marker != "" {
		opt.Marker = &marker
	}
	got := &answer{}
	if _, err := c.NewListFilesAndDirectoriesPager(opt).NextPage(context.WithValue(ctx, answerKey{}, got)); err != nil {
		return nil, "", err
	}
	return parse(got.body)
}

// document is the answer, as far as it is read.
type document struct {
	Entries struct {
		All []element `xml:",any"`
	} `xml:"Entries"`
	NextMarker *string `xml:"NextMarker"`
}

type element struct {
	XMLName xml.Name
	Name    struct {
		Encoded bool   `xml:"Encoded,attr"`
		Text    string `xml:",chardata"`
	} `xml:"Name"`
	Properties struct {
		Size     int64  `xml:"Content-Length"`
		Created  string `xml:"CreationTime"`
		Written  string `xml:"LastWriteTime"`
		Modified string `xml:"Last-Modified"`
		ETag     string `xml:"Etag"`
	} `xml:"Properties"`
	Attributes string `xml:"Attributes"`
	Permission string `xml:"PermissionKey"`
}

func parse(body []byte) ([]Entry, string, error) {
	var doc document
	if err := xml.Unmarshal(body, &doc); err != nil {
		return nil, "", fmt.Errorf("the listing cannot be read: %w", err)
	}
	if doc.NextMarker == nil {
		return nil, "", errors.New("the listing breaks off")
	}
	out := make([]Entry, 0, len(doc.Entries.All))
	for _, x := range doc.Entries.All {
		e, err := x.entry()
		if err != nil {
			return nil, "", err
		}
		out = append(out, e)
	}
	return out, *doc.NextMarker, nil
}

func (x *element) entry() (Entry, error) {
	e := Entry{Name: x.Name.Text, Directory: x.XMLName.Local == "Directory", Size: x.Properties.Size, Attributes: x.Attributes, Permission: x.Permission}
	var err error
	if x.Name.Encoded {
		if e.Name, err = url.PathUnescape(x.Name.Text); err != nil {
			return e, fmt.Errorf("the listing has a name that is not encoded as it says: %w", err)
		}
	}
	if tag := strings.Trim(x.Properties.ETag, `"`); tag != "" { // the page shows it with quotes, and without
		e.ETag = `"` + tag + `"`
	}
	for _, t := range []struct {
		to     *time.Time
		text   string
		layout string
	}{{&e.Created, x.Properties.Created, time.RFC3339Nano}, {&e.Written, x.Properties.Written, time.RFC3339Nano}, {&e.Modified, x.Properties.Modified, http.TimeFormat}} {
		if t.text == "" {
			continue
		}
		if *t.to, err = time.Parse(t.layout, t.text); err != nil {
			return e, fmt.Errorf("the listing has %q as a time of %s", t.text, e.Name)
		}
	}
	return e, nil
}

type answerKey struct{}

// answer is what a request with this value in its context wants of a Tap.
type answer struct{ body []byte }

// Tap is a per-call policy that hands the body of a listing to this package and leaves an
// empty one to the SDK. The clients that Page is used with must have it.
type Tap struct{}

// Do implements policy.Policy.
func (Tap) Do(req *policy.Request) (*http.Response, error) {
	want, ok := req.Raw().Context().Value(answerKey{}).(*answer)
	resp, err := req.Next()
	if !ok || err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body) // the pipeline below has it in memory already
	_ = resp.Body.Close()              // nothing more can be read
	if err != nil {
		return nil, err
	}
	want.body = body
	resp.Body = io.NopCloser(strings.NewReader("<EnumerationResults></EnumerationResults>"))
	return resp, nil
}
