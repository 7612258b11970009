package storage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// operation is one of the REST API, as it goes over the wire.
type operation struct {
	name, method, query, body string
	header                    map[string]string
	creates                   bool // the blob need not be there
	timeless                  bool // takes no conditions
}

var ofBlobs = []operation{
	{name: "Put Blob", method: "PUT", header: map[string]string{"x-ms-blob-type": "BlockBlob"}, creates: true},
	{name: "Get Blob", method: "GET"},
	{name: "Get Blob Properties", method: "HEAD"},
	{name: "Get Blob Metadata", method: "GET", query: "comp=metadata"},
	{name: "Set Blob Metadata", method: "PUT", query: "comp=metadata"},
	{name: "Set Blob Properties", method: "PUT", query: "comp=properties"},
	{name: "Delete Blob", method: "DELETE"},
	{name: "Undelete Blob", method: "PUT", query: "comp=undelete", timeless: true},
	{name: "Snapshot Blob", method: "PUT", query: "comp=snapshot"},
	{name: "Lease Blob", method: "PUT", query: "comp=lease", header: map[string]string{"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"}},
	{name: "Get Blob Tags", method: "GET", query: "comp=tags"},
	{name: "Set Blob Tags", method: "PUT", query: "comp=tags", body: "<Tags><TagSet/></Tags>"},
	{name: "Set Blob Tier", method: "PUT", query: "comp=tier", header: map[string]string{"x-ms-access-tier": "Cool"}},
	{name: "Put Block", method: "PUT", query: "comp=block&blockid=MDE%3D", body: "x", creates: true, timeless: true},
	{name: "Put Block List", method: "PUT", query: "comp=blocklist", body: "<BlockList/>", creates: true},
	{name: "Get Block List", method: "GET", query: "comp=blocklist", timeless: true},
	{name: "Put Page", method: "PUT", query: "comp=page", body: strings.Repeat("x", 512), header: map[string]string{"x-ms-range": "bytes=0-511", "x-ms-page-write": "update"}},
	{name: "Get Page Ranges", method: "GET", query: "comp=pagelist"},
	{name: "Append Block", method: "PUT", query: "comp=appendblock", body: "x"},
	{name: "Append Blob Seal", method: "PUT", query: "comp=seal"},
	{name: "Abort Copy Blob", method: "PUT", query: "comp=copy&copyid=x", header: map[string]string{"x-ms-copy-action": "abort"}, timeless: true},
	{name: "Set Immutability Policy", method: "PUT", query: "comp=immutabilityPolicies", header: map[string]string{"x-ms-immutability-policy-until-date": "Thu, 01 Jan 2099 00:00:00 GMT"}, timeless: true},
	{name: "Delete Immutability Policy", method: "DELETE", query: "comp=immutabilityPolicies", timeless: true},
	{name: "Set Legal Hold", method: "PUT", query: "comp=legalhold", header: map[string]string{"x-ms-legal-hold": "true"}, timeless: true},
}

var ofContainers = []operation{
	{name: "Get Container Properties", method: "GET"},
	{name: "Set Container Metadata", method: "PUT", query: "comp=metadata"},
	{name: "Lease Container", method: "PUT", query: "comp=lease", header: map[string]string{"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"}},
	{name: "List Blobs", method: "GET", query: "comp=list", timeless: true},
	{name: "Find Blobs by Tags", method: "GET", query: "comp=blobs&where=a%3D%271%27", timeless: true},
	{name: "Delete Container", method: "DELETE"},
}

// wireLab sends plain requests that a signature opens.
type wireLab struct {
	*lab
	all, none string // signatures
}

func newWireLab(t *testing.T, data string) *wireLab {
	t.Helper()
	w := &wireLab{lab: newLab(t, data, nil)}
	cred, err := service.NewSharedKeyCredential(source, key(source))
	ok(t, err)
	for sp, to := range map[string]*string{"rwdlacutfxyi": &w.all, "p": &w.none} {
		v := sas.AccountSignatureValues{Permissions: sp, ResourceTypes: "sco", ExpiryTime: w.now().Add(time.Hour)}
		p, err := v.SignWithSharedKey(cred)
		ok(t, err)
		*to = p.Encode()
	}
	return w
}

// send returns the error code of the answer, or its status if it has none.
func (w *wireLab) send(tb testing.TB, op operation, path, signature string, more map[string]string) string {
	tb.Helper()
	query := op.query
	if query != "" {
		query += "&"
	}
	r, err := http.NewRequestWithContext(tb.Context(), op.method, blobURL(source)+path+"?"+query+signature, strings.NewReader(op.body))
	ok(tb, err)
	r.Header.Set("X-Ms-Version", "2023-11-03")
	for _, h := range []map[string]string{op.header, more} {
		for k, v := range h {
			r.Header.Set(k, v)
		}
	}
	resp, err := (&http.Client{Transport: w.emu.Transport()}).Do(r)
	ok(tb, err)
	_ = resp.Body.Close()
	if c := resp.Header.Get("X-Ms-Error-Code"); c != "" {
		return c
	}
	return resp.Status
}

// TestEveryOperationChecks: rights, container, blob and conditions, for each operation.
func TestEveryOperationChecks(t *testing.T) {
	t.Parallel()
	w := newWireLab(t, `"containers":[{"name":"box","versionImmutability":true,"blobs":[{"name":"x","content":"1"}]}]`)
	badTime := map[string]string{"If-Modified-Since": "yesterday"}
	for _, op := range ofBlobs {
		for _, c := range []struct{ what, path, signature, want string }{
			{"without the right", "box/x", w.none, "AuthorizationPermissionMismatch"},
			{"without a container", "nobox/x", w.all, "ContainerNotFound"},
			{"without a blob", "box/none", w.all, "BlobNotFound"},
		} {
			if c.what == "without a blob" && op.creates {
				continue
			}
			if got := w.send(t, op, c.path, c.signature, nil); got != c.want {
				t.Errorf("%s %s: %s, want %s", op.name, c.what, got, c.want)
			}
		}
		if op.timeless {
			continue
		}
		if got := w.send(t, op, "box/x", w.all, badTime); got != "InvalidHeaderValue" {
			t.Errorf("%s with a bad condition: %s", op.name, got)
		}
		if got := w.send(t, op, "box/x", w.all, map[string]string{"If-Match": `"0x0"`}); got != "ConditionNotMet" && !strings.HasPrefix(got, "InvalidBlobType") {
			t.Errorf("%s with another ETag: %s", op.name, got)
		}
	}
	for _, op := range ofContainers {
		op.query = strings.TrimPrefix(op.query+"&restype=container", "&")
		if got := w.send(t, op, "box", w.none, nil); got != "AuthorizationPermissionMismatch" {
			t.Errorf("%s without the right: %s", op.name, got)
		}
		if got := w.send(t, op, "nobox", w.all, nil); got != "ContainerNotFound" {
			t.Errorf("%s without a container: %s", op.name, got)
		}
		if !op.timeless && op.method != http.MethodGet {
			if got := w.send(t, op, "box", w.all, badTime); got != "InvalidHeaderValue" {
				t.Errorf("%s with a bad condition: %s", op.name, got)
			}
		}
	}
}

// TestLeaseGuards: each write of a leased blob wants the lease.
func TestLeaseGuards(t *testing.T) {
	t.Parallel()
	w := newWireLab(t, `"containers":[{"name":"box","blobs":[{"name":"x","content":"1","leased":true},{"name":"p","type":"page","size":512,"leased":true},{"name":"a","type":"append","content":"1","leased":true}]}]`)
	for _, op := range ofBlobs {
		path := "box/x"
		switch op.name {
		case "Put Page":
			path = "box/p"
		case "Append Block", "Append Blob Seal":
			path = "box/a"
		case "Put Blob", "Set Blob Metadata", "Set Blob Properties", "Delete Blob", "Set Blob Tags", "Put Block", "Put Block List":
		case "Get Blob", "Get Blob Properties", "Get Blob Tags":
			if got := w.send(t, op, path, w.all, map[string]string{"x-ms-lease-id": "99999999-0000-4000-8000-000000000001"}); got != "LeaseIdMismatchWithBlobOperation" {
				t.Errorf("%s with another lease: %s", op.name, got)
			}
			continue
		default:
			continue
		}
		if got := w.send(t, op, path, w.all, nil); got != "LeaseIdMissing" {
			t.Errorf("%s without the lease: %s", op.name, got)
		}
	}
}

// TestBadRequests: what is wrong with a request is told by its code.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	w := newWireLab(t, `"containers":[{"name":"box","blobs":[{"name":"x","content":"1"},{"name":"p","type":"page","size":1024}]}]`)
	type h = map[string]string
	for _, c := range []struct {
		name string
		op   operation
		path string
		want string
	}{
		{"no type", operation{method: "PUT"}, "box/n", "MissingRequiredHeader"},
		{"unknown type", operation{method: "PUT", header: h{"x-ms-blob-type": "Round"}}, "box/n", "InvalidHeaderValue"},
		{"body of a page blob", operation{method: "PUT", body: "x", header: h{"x-ms-blob-type": "PageBlob"}}, "box/n", "InvalidHeaderValue"},
		{"page blob without a size", operation{method: "PUT", header: h{"x-ms-blob-type": "PageBlob"}}, "box/n", "MissingRequiredHeader"},
		{"bad MD5 of the blob", operation{method: "PUT", header: h{"x-ms-blob-type": "BlockBlob", "x-ms-blob-content-md5": "x"}}, "box/n", "InvalidMd5"},
		{"bad MD5 of the body", operation{method: "PUT", body: "x", header: h{"x-ms-blob-type": "BlockBlob", "Content-MD5": "x"}}, "box/n", "InvalidMd5"},
		{"bad CRC64 of the body", operation{method: "PUT", body: "x", header: h{"x-ms-blob-type": "BlockBlob", "x-ms-content-crc64": "x"}}, "box/n", "InvalidHeaderValue"},
		{"both sums", operation{method: "PUT", body: "x", header: h{"x-ms-blob-type": "BlockBlob", "x-ms-content-crc64": "x", "Content-MD5": "x"}}, "box/n", "BothCrc64AndMd5HeaderPresent"},
		{"bad tags", operation{method: "PUT", header: h{"x-ms-blob-type": "BlockBlob", "x-ms-tags": "%zz"}}, "box/n", "InvalidHeaderValue"},
		{"tier of an append blob", operation{method: "PUT", header: h{"x-ms-blob-type": "AppendBlob", "x-ms-access-tier": "Hot"}}, "box/n", "AccessTierNotSupportedForBlobType"},
		{"policy in a plain container", operation{method: "PUT", header: h{"x-ms-blob-type": "BlockBlob", "x-ms-legal-hold": "true"}}, "box/n", "ImmutableStorageWithVersioningNotEnabled"},
		{"policy of the past", operation{method: "PUT", header: h{"x-ms-blob-type": "BlockBlob", "x-ms-immutability-policy-until-date": "Thu, 01 Jan 1998 00:00:00 GMT"}}, "box/n", "InvalidHeaderValue"},
		{"mode of a policy", operation{method: "PUT", header: h{"x-ms-blob-type": "BlockBlob", "x-ms-immutability-policy-until-date": "Thu, 01 Jan 2099 00:00:00 GMT", "x-ms-immutability-policy-mode": "Half"}}, "box/n", "InvalidHeaderValue"},
		{"the client's own key", operation{method: "PUT", header: h{"x-ms-blob-type": "BlockBlob", "x-ms-encryption-key": "x"}}, "box/n", "NotImplemented"},
		{"block without an ID", operation{method: "PUT", query: "comp=block", body: "x"}, "box/n", "InvalidQueryParameterValue"},
		{"empty block", operation{method: "PUT", query: "comp=block&blockid=MDE%3D"}, "box/n", "InvalidHeaderValue"},
		{"no XML of blocks", operation{method: "PUT", query: "comp=blocklist", body: "<Block"}, "box/n", "InvalidXmlDocument"},
		{"kind of blocks", operation{method: "GET", query: "comp=blocklist&blocklisttype=some"}, "box/x", "InvalidQueryParameterValue"},
		{"blocks of a page blob", operation{method: "GET", query: "comp=blocklist"}, "box/p", "InvalidBlobType"},
		{"half a page", operation{method: "PUT", query: "comp=page", body: "x", header: h{"x-ms-range": "bytes=0-0", "x-ms-page-write": "update"}}, "box/p", "InvalidPageRange"},
		{"page without a range", operation{method: "PUT", query: "comp=page", body: "x", header: h{"x-ms-page-write": "update"}}, "box/p", "MissingRequiredHeader"},
		{"page range that is none", operation{method: "PUT", query: "comp=page", body: "x", header: h{"x-ms-range": "pages 1", "x-ms-page-write": "update"}}, "box/p", "InvalidHeaderValue"},
		{"pages of another length", operation{method: "PUT", query: "comp=page", body: "x", header: h{"x-ms-range": "bytes=0-511", "x-ms-page-write": "update"}}, "box/p", "InvalidHeaderValue"},
		{"page action", operation{method: "PUT", query: "comp=page", body: "x", header: h{"x-ms-range": "bytes=0-511", "x-ms-page-write": "burn"}}, "box/p", "InvalidHeaderValue"},
		{"page of a block blob", operation{method: "PUT", query: "comp=page", header: h{"x-ms-range": "bytes=0-511", "x-ms-page-write": "clear"}}, "box/x", "InvalidBlobType"},
		{"ranges of a block blob", operation{method: "GET", query: "comp=pagelist"}, "box/x", "InvalidBlobType"},
		{"previous snapshot", operation{method: "GET", query: "comp=pagelist&prevsnapshot=2020-01-01T00:00:00.0000000Z"}, "box/p", "PreviousSnapshotNotFound"},
		{"results of ranges", operation{method: "GET", query: "comp=pagelist&maxresults=x"}, "box/p", "InvalidQueryParameterValue"},
		{"marker of ranges", operation{method: "GET", query: "comp=pagelist&marker=x"}, "box/p", "InvalidQueryParameterValue"},
		{"sequence number action", operation{method: "PUT", query: "comp=properties", header: h{"x-ms-sequence-number-action": "halve"}}, "box/p", "InvalidHeaderValue"},
		{"size of a block blob", operation{method: "PUT", query: "comp=properties", header: h{"x-ms-blob-content-length": "512"}}, "box/x", "InvalidOperation"},
		{"empty append", operation{method: "PUT", query: "comp=appendblock"}, "box/x", "InvalidHeaderValue"},
		{"append to a block blob", operation{method: "PUT", query: "comp=appendblock", body: "x"}, "box/x", "InvalidBlobType"},
		{"seal of a block blob", operation{method: "PUT", query: "comp=seal"}, "box/x", "InvalidBlobType"},
		{"tags that are no XML", operation{method: "PUT", query: "comp=tags", body: "<"}, "box/x", "InvalidXmlDocument"},
		{"a tag twice", operation{method: "PUT", query: "comp=tags", body: "<Tags><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tags>"}, "box/x", "DuplicateTagNames"},
		{"no tier", operation{method: "PUT", query: "comp=tier"}, "box/x", "MissingRequiredHeader"},
		{"snapshots to delete", operation{method: "DELETE", header: h{"x-ms-delete-snapshots": "some"}}, "box/x", "InvalidHeaderValue"},
		{"permanent delete", operation{method: "DELETE", query: "deletetype=permanent"}, "box/x", "PermanentDeleteNotEnabled"},
		{"no such snapshot", operation{method: "DELETE", query: "snapshot=2020-01-01T00:00:00.0000000Z"}, "box/x", "BlobNotFound"},
		{"snapshot that is no time", operation{method: "GET", query: "snapshot=old"}, "box/x", "InvalidQueryParameterValue"},
		{"snapshot and version", operation{method: "GET", query: "snapshot=a&versionid=b"}, "box/x", "MutuallyExclusiveQueryParameters"},
		{"no lease action", operation{method: "PUT", query: "comp=lease"}, "box/x", "MissingRequiredHeader"},
		{"lease action", operation{method: "PUT", query: "comp=lease", header: h{"x-ms-lease-action": "steal"}}, "box/x", "InvalidHeaderValue"},
		{"lease without a duration", operation{method: "PUT", query: "comp=lease", header: h{"x-ms-lease-action": "acquire"}}, "box/x", "MissingRequiredHeader"},
		{"renewal without an ID", operation{method: "PUT", query: "comp=lease", header: h{"x-ms-lease-action": "renew"}}, "box/x", "MissingRequiredHeader"},
		{"change without a proposal", operation{method: "PUT", query: "comp=lease", header: h{"x-ms-lease-action": "change", "x-ms-lease-id": "a"}}, "box/x", "MissingRequiredHeader"},
		{"proposal that is no GUID", operation{method: "PUT", query: "comp=lease", header: h{"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1", "x-ms-proposed-lease-id": "a"}}, "box/x", "InvalidHeaderValue"},
		{"break period", operation{method: "PUT", query: "comp=lease", header: h{"x-ms-lease-action": "break", "x-ms-lease-break-period": "99"}}, "box/x", "InvalidHeaderValue"},
		{"sum of the whole", operation{method: "GET", header: h{"x-ms-range-get-content-md5": "true"}}, "box/x", "InvalidHeaderValue"},
		{"condition on tags", operation{method: "GET", header: h{"x-ms-if-tags": "tag"}}, "box/x", "InvalidHeaderValue"},
		{"legal hold", operation{method: "PUT", query: "comp=legalhold", header: h{"x-ms-legal-hold": "maybe"}}, "box/x", "InvalidHeaderValue"},
		{"policy without a date", operation{method: "PUT", query: "comp=immutabilityPolicies"}, "box/x", "MissingRequiredHeader"},
		{"copy action", operation{method: "PUT", query: "comp=copy"}, "box/x", "InvalidHeaderValue"},
		{"copy with a body", operation{method: "PUT", body: "x", header: h{"x-ms-copy-source": blobURL(source) + "box/x"}}, "box/n", "InvalidHeaderValue"},
		{"copy of a relative URL", operation{method: "PUT", header: h{"x-ms-copy-source": "box/x"}}, "box/n", "InvalidHeaderValue"},
		{"put page blob from URL", operation{method: "PUT", header: h{"x-ms-copy-source": blobURL(source) + "box/x", "x-ms-blob-type": "PageBlob"}}, "box/n", "InvalidHeaderValue"},
		{"tag option", operation{method: "PUT", header: h{"x-ms-copy-source": blobURL(source) + "box/x", "x-ms-blob-type": "BlockBlob", "x-ms-copy-source-tag-option": "SOME"}}, "box/n", "InvalidHeaderValue"},
		{"source range", operation{method: "PUT", query: "comp=block&blockid=MDE%3D", header: h{"x-ms-copy-source": blobURL(source) + "box/x", "x-ms-source-range": "all"}}, "box/n", "InvalidHeaderValue"},
		{"source range behind the end", operation{method: "PUT", query: "comp=block&blockid=MDE%3D", header: h{"x-ms-copy-source": blobURL(source) + "box/x", "x-ms-source-range": "bytes=5-9"}}, "box/n", "InvalidRange"},
		{"source range over the end", operation{method: "PUT", query: "comp=block&blockid=MDE%3D", header: h{"x-ms-copy-source": blobURL(source) + "box/x", "x-ms-source-range": "bytes=0-9"}}, "box/n", "InvalidRange"},
		{"synchronous copy of pages", operation{method: "PUT", header: h{"x-ms-copy-source": blobURL(source) + "box/p", "x-ms-requires-sync": "true"}}, "box/n", "InvalidBlobType"},
		{"pages from URL of another length", operation{method: "PUT", query: "comp=page", header: h{"x-ms-copy-source": blobURL(source) + "box/p", "x-ms-range": "bytes=0-511", "x-ms-source-range": "bytes=0-1023", "x-ms-page-write": "update"}}, "box/p", "InvalidHeaderValue"},
		{"unknown operation", operation{method: "PUT", query: "comp=nonsense"}, "box/x", "InvalidQueryParameterValue"},
		{"unknown verb", operation{method: "PATCH", query: "comp=tags"}, "box/x", "UnsupportedHttpVerb"},
		{"query of contents", operation{method: "POST", query: "comp=query"}, "box/x", "NotImplemented"},
		{"preflight", operation{method: "OPTIONS"}, "box/x", "CorsPreflightFailure"},
		{"unknown version", operation{method: "GET", header: h{"x-ms-version": "2024-01-01"}}, "box/x", "InvalidHeaderValue"},
		{"public access", operation{method: "PUT", query: "restype=container", header: h{"x-ms-blob-public-access": "all"}}, "newbox", "InvalidHeaderValue"},
		{"restored under another name", operation{method: "PUT", query: "restype=container&comp=undelete", header: h{"x-ms-deleted-container-name": "other"}}, "newbox", "InvalidHeaderValue"},
		{"restored from nothing", operation{method: "PUT", query: "restype=container&comp=undelete", header: h{"x-ms-deleted-container-name": "newbox"}}, "newbox", "ContainerNotFound"},
		{"restored over a living one", operation{method: "PUT", query: "restype=container&comp=undelete", header: h{"x-ms-deleted-container-name": "box"}}, "box", "ContainerAlreadyExists"},
		{"include of a list", operation{method: "GET", query: "restype=container&comp=list&include=all"}, "box", "InvalidQueryParameterValue"},
		{"results of a list", operation{method: "GET", query: "restype=container&comp=list&maxresults=0"}, "box", "OutOfRangeQueryParameterValue"},
		{"snapshots of a hierarchy", operation{method: "GET", query: "restype=container&comp=list&delimiter=/&include=snapshots"}, "box", "InvalidQueryParameterValue"},
		{"account SAS of an ACL", operation{method: "GET", query: "restype=container&comp=acl"}, "box", "AuthorizationFailure"},
		{"batch without a boundary", operation{method: "POST", query: "comp=batch"}, "", "InvalidHeaderValue"},
		{"batch of nothing", operation{method: "POST", query: "comp=batch", body: "--b--\r\n", header: h{"Content-Type": "multipart/mixed; boundary=b"}}, "", "ExceedsMaxBatchRequestCount"},
		{"service properties", operation{method: "PUT", query: "restype=service&comp=properties", body: "<"}, "", "InvalidXmlDocument"},
		{"days of service properties", operation{method: "PUT", query: "restype=service&comp=properties", body: "<StorageServiceProperties><DeleteRetentionPolicy><Enabled>true</Enabled><Days>0</Days></DeleteRetentionPolicy></StorageServiceProperties>"}, "", "InvalidXmlNodeValue"},
		{"scheme", operation{method: "GET", header: h{"Authorization": "Basic x"}}, "box/x", "InvalidAuthenticationInfo"},
		{"key without a signature", operation{method: "GET", header: h{"Authorization": "SharedKey " + source}}, "box/x", "InvalidAuthenticationInfo"},
		{"key of another account", operation{method: "GET", header: h{"Authorization": "SharedKey other:c2ln"}}, "box/x", "AuthenticationFailed"},
		{"key without a date", operation{method: "GET", header: h{"Authorization": "SharedKey " + source + ":c2ln"}}, "box/x", "AuthenticationFailed"},
		{"list of containers", operation{method: "GET", query: "comp=list&include=metadata&prefix=b"}, "", "200 OK"},
		{"range", operation{method: "GET", header: h{"x-ms-range": "bytes=0-0", "x-ms-range-get-content-crc64": "true"}}, "box/x", "206 Partial Content"},
	} {
		if got := w.send(t, c.op, c.path, w.all, nil); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
