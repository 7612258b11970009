package answers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// blobQuestions are all about blobs, in the order in which they are asked: later ones find
// what earlier ones left.
func blobQuestions() []question {
	all := slices.Concat(
		serviceQuestions(), containerQuestions(), putQuestions(), conditionQuestions(), readQuestions(), blockQuestions(), appendQuestions(), pageQuestions(),
		propertyQuestions(), snapshotQuestions(), leaseQuestions(), listQuestions(), tagQuestions(), copyQuestions(), batchQuestions(), accessQuestions(),
	)
	for i := range all {
		d := blobDifferences[all[i].name]
		all[i].differs, all[i].want, all[i].alone = d.document, d.want, d.alone
	}
	return all
}

// TestBlobQuestionsAreNamed sees that no two questions have one name, and that every
// difference is one of a question.
func TestBlobQuestionsAreNamed(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for _, q := range blobQuestions() {
		if named[q.name] {
			t.Errorf("two questions are called %q", q.name)
		}
		named[q.name] = true
	}
	for name, d := range blobDifferences {
		if !named[name] || d.document == "" || d.want == "" {
			t.Errorf("the difference %q has no question, no document, or nothing that the emulator must answer: %+v", name, d)
		}
	}
}

// ask is what a question does.
type ask = func(context.Context, world) (string, error)

// unseen are the headers that are not compared.
var unseen = map[string]bool{
	// of the connection and of the single request
	"Connection": true, "Date": true, "Keep-Alive": true, "Server": true, "Transfer-Encoding": true, "X-Ms-Client-Request-Id": true, "X-Ms-Request-Id": true,
	// the client's, or the newest that the server knows
	"X-Ms-Version": true,
}

// apart are the headers and fields of which the two differ in many answers, and Azure's
// document that the emulator follows. They are compared nowhere; that the emulator has the
// headers is seen at the end.
var apart = map[string]string{
	"X-Ms-Default-Encryption-Scope":                  "Get Container Properties: returned since 2019-07-07; Azurite has no scopes",
	"X-Ms-Deny-Encryption-Scope-Override":            "Get Container Properties: returned since 2019-07-07; Azurite has no scopes",
	"X-Ms-Immutable-Storage-With-Versioning-Enabled": "Get Container Properties: returned since 2020-10-02; Azurite has no versions",
	"X-Ms-Content-Crc64":                             "Put Blob, Put Block, Append Block, Put Page, Put Block List: returned since 2019-02-02, beside a Content-MD5 not; Azurite does it otherwise in each",
	"X-Ms-Access-Tier-Change-Time":                   "Get Blob Properties: returned only if the tier was ever set; Azurite always has it",
	"X-Ms-Request-Server-Encrypted":                  "Put Blob, Set Blob Metadata, Snapshot Blob: returned since 2015-12-11; Azurite has it in some",
	"DefaultEncryptionScope":                         "List Containers: an element of Properties; Azurite has no scopes",
	"PreventEncryptionScopeOverride":                 "List Containers: an element of Properties; Azurite has no scopes",
	"IsImmutableStorageWithVersioningEnabled":        "List Containers: an element of Properties; Azurite has no versions",
	"AccessTierChangeTime":                           "List Blobs: only if the tier was ever set; Azurite always has it",
	"Accept-Ranges":                                  "Get Blob: the service supports requests for parts of a blob; Azurite has it of block and append blobs",
	"MaxResults":                                     "List Containers, List Blobs: Marker, Prefix and MaxResults are there only if the URI has them; Azurite always has it",
}

// onlyTrue are headers that Azure sends if they are true, and Azurite always.
var onlyTrue = map[string]string{
	"X-Ms-Access-Tier-Inferred": "Get Blob Properties: without this header the tier was set",
	"X-Ms-Incremental-Copy":     "Get Blob Properties: included if the blob is the target of an incremental copy",
}

// stamps are the headers of which only the presence can be compared.
var stamps = []string{"Etag", "Last-Modified", "X-Ms-Creation-Time", "X-Ms-Access-Tier-Change-Time", "X-Ms-Copy-Completion-Time", "X-Ms-Copy-Id", "X-Ms-Snapshot"}

// snapshotOf is the snapshot in a URL.
var snapshotOf = regexp.MustCompile(`snapshot=[^&" ]+`)

// recorder sends requests and writes down what came back.
type recorder struct {
	client *http.Client
	names  *strings.Replacer // the addresses of the accounts become names
	lines  []string
	apart  map[string]bool // the headers of that table that came
}

// Do implements policy.Transporter.
func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	r.lines = append(r.lines, line(resp))
	for name := range resp.Header {
		if apart[name] != "" {
			r.apart[name] = true
		}
	}
	return resp, nil
}

// take returns the answers since the last time.
func (r *recorder) take() string {
	out := strings.Join(r.lines, " / ")
	r.lines = nil
	return out
}

// line is an answer's status, error code and headers.
func line(resp *http.Response) string {
	out := []string{fmt.Sprint(resp.StatusCode)}
	if code := resp.Header.Get("X-Ms-Error-Code"); code != "" {
		out = append(out, code)
	}
	document := strings.HasPrefix(resp.Header.Get("Content-Type"), "application/xml") || strings.HasPrefix(resp.Header.Get("Content-Type"), "multipart/mixed")
	var headers []string
	for name, values := range resp.Header {
		v := strings.Join(values, ",")
		switch {
		case unseen[name], name == "X-Ms-Error-Code":
			continue
		case apart[name] != "":
			continue
		case onlyTrue[name] != "" && v == "false", otherwise(resp, name):
			continue
		case resp.StatusCode == http.StatusNotModified && (name == "Etag" || name == "Last-Modified"):
			continue // RFC 9110, 15.4.5, has a server send them; Azurite does not
		case document && (name == "Content-Length" || name == "Content-Type"), resp.StatusCode >= 300 && strings.HasPrefix(name, "Content-"):
			continue // of the document, which is written in several ways
		case slices.Contains(stamps, name):
			v = "*"
		}
		headers = append(headers, name+"="+v)
	}
	slices.Sort(headers)
	return strings.Join(append(out, headers...), " ")
}

// otherwise tells whether Azurite does otherwise with a header in a whole kind of answers:
//
//   - Get Blob: x-ms-blob-content-md5 is returned if the request has a range, and Content-MD5 if
//     the blob has one; Azurite returns the one always and computes the other.
//   - Put Block, Put Block List: Content-MD5 is returned if the request has it (since
//     2019-02-02); Azurite has it in the second alone, and always.
//   - List Blobs: snapshots have no LeaseStatus, as they cannot have leases; Azurite tells that
//     of the blob.
func otherwise(resp *http.Response, name string) bool {
	q := resp.Request.URL.Query()
	switch name {
	case "X-Ms-Blob-Content-Md5":
		return resp.StatusCode == http.StatusOK
	case "Content-Md5":
		return resp.Request.Method == http.MethodGet && resp.StatusCode == http.StatusOK || strings.HasPrefix(q.Get("comp"), "block")
	case "X-Ms-Lease-State", "X-Ms-Lease-Status":
		return q.Has("snapshot")
	}
	return false
}

// changing are the fields of documents of which only the presence can be compared.
var changing = []string{"LastModified", "ETag", "CreationTime", "AccessTierChangeTime", "CopyID", "CopyCompletionTime", "DeletedTime", "Snapshot", "NextMarker", "Marker", "ServiceEndpoint"}

// fields is what the SDK read of a document, without what it lacks, as JSON.
func fields(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return err.Error()
	}
	data, err = json.Marshal(prune(tree))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// prune takes out what is null or empty, for which there are two ways to write it, and the
// values of what changes. Tags have no order.
func prune(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	case map[string]any:
		if tags, ok := v["BlobTagSet"].([]any); ok {
			slices.SortFunc(tags, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		if p, ok := v["Properties"].(map[string]any); ok && v["Snapshot"] != nil {
			delete(p, "LeaseState") // as in otherwise
			delete(p, "LeaseStatus")
		}
		for k, member := range v {
			switch {
			case member == nil, member == "":
				delete(v, k)
			case apart[k] != "", k == "IncrementalCopy" && member == false: // as in onlyTrue
				delete(v, k)
			case slices.Contains(changing, k) && member != "":
				v[k] = "*"
			default:
				v[k] = prune(member)
			}
		}
	}
	return v
}

// content reads a body: its octets if they are few, else how many.
func content(body io.ReadCloser) (string, error) {
	data, err := io.ReadAll(body)
	_ = body.Close()
	if len(data) > 64 {
		return fmt.Sprint(len(data), " octets"), err
	}
	return fmt.Sprintf("%q", data), err
}

// long ago and far ahead, for conditions.
var (
	past   = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	future = time.Now().Add(24 * time.Hour)
)
