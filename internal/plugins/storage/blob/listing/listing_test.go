package listing

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const page = "\ufeff" + `<?xml version="1.0" encoding="utf-8"?>
<EnumerationResults ServiceEndpoint="https://a.blob.core.windows.net/" ContainerName="c"><MaxResults>2</MaxResults>
<Blobs>
 <Blob><Name>a&amp;b &lt;c&gt; &#228;&#x20AC;&quot;&apos;</Name><Snapshot>2026-01-02T03:04:05.0000001Z</Snapshot>
  <Properties><Creation-Time>Mon, 23 Nov 2026 00:00:00 GMT</Creation-Time><Last-Modified>Mon, 23 Nov 2026 00:00:01 GMT</Last-Modified><Etag>0x8D1</Etag>
   <Content-Length>7</Content-Length><Content-Type>text/plain</Content-Type><Content-Encoding>gzip</Content-Encoding><Content-Language>de</Content-Language>
   <Content-MD5>XrY7u+Ae7tCTyyK7j1rNww==</Content-MD5><Cache-Control>no-store</Cache-Control><Content-Disposition>inline</Content-Disposition>
   <BlobType>BlockBlob</BlobType><AccessTier>Cool</AccessTier><LeaseStatus>locked</LeaseStatus><ServerEncrypted>true</ServerEncrypted>
   <ImmutabilityPolicyMode>Unlocked</ImmutabilityPolicyMode><LegalHold>true</LegalHold><EncryptionScope>s1</EncryptionScope><CustomerProvidedKeySha256>k</CustomerProvidedKeySha256>
   <ArchiveStatus>rehydrate-pending-to-hot</ArchiveStatus><Owner>o</Owner><Group>g</Group><Permissions>rwxr-x---</Permissions><Acl>user::rwx</Acl></Properties>
  <Metadata><CamelCase>v 1</CamelCase><empty /><x-ms-invalid-name>bad name</x-ms-invalid-name></Metadata>
  <Tags><TagSet><Tag><Key>team</Key><Value>red</Value></Tag><Tag><Key>none</Key><Value></Value></Tag></TagSet></Tags><OrMetadata /></Blob>
 <BlobPrefix><Name>dir/</Name></BlobPrefix>
 <Blob><Name Encoded="true">x%EF%BF%BE%2Fy</Name><VersionId>v1</VersionId><IsCurrentVersion>true</IsCurrentVersion>
  <Properties><Last-Modified></Last-Modified><Etag>"0x8D2"</Etag><ResourceType>directory</ResourceType><Content-Length></Content-Length><BlobType>PageBlob</BlobType>
  <x-ms-blob-sequence-number>9</x-ms-blob-sequence-number><AccessTierInferred>true</AccessTierInferred><Sealed>true</Sealed></Properties><Metadata/><Tags/></Blob>
</Blobs><NextMarker>2!4&amp;5</NextMarker></EnumerationResults>`

func TestParse(t *testing.T) {
	t.Parallel()
	var got []Entry
	next, err := parse(page, "Blob", func(e *Entry) bool { got = append(got, *e); return true })
	if err != nil || next != "2!4&5" {
		t.Fatalf("marker %q, %v", next, err)
	}
	want := []Entry{
		{
			Name: `a&b <c> ä€"'`, Snapshot: "2026-01-02T03:04:05.0000001Z", Type: "BlockBlob", Size: 7, ETag: `"0x8D1"`,
			Modified: time.Date(2026, 11, 23, 0, 0, 1, 0, time.UTC), MD5: "XrY7u+Ae7tCTyyK7j1rNww==", ContentType: "text/plain", Encoding: "gzip", Language: "de",
			Disposition: "inline", CacheControl: "no-store", Tier: "Cool", Archive: "rehydrate-pending-to-hot", LeaseStatus: "locked", Scope: "s1", Key: "k",
			Immutable: "Unlocked", LegalHold: true, Owner: "o", Group: "g", Permissions: "rwxr-x---", ACL: "user::rwx",
			Metadata: map[string]string{"CamelCase": "v 1", "empty": ""}, Invalid: []string{"bad name"}, Tags: map[string]string{"team": "red", "none": ""},
		},
		{Name: "x\uFFFE/y", Version: "v1", Current: true, Directory: true, Type: "PageBlob", ETag: `"0x8D2"`, Sequence: 9, TierInferred: true, Sealed: true},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Entry{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseStopsWhereItIsTold(t *testing.T) {
	t.Parallel()
	n := 0
	next, err := parse(page, "Blob", func(*Entry) bool { n++; return false })
	if n != 1 || next == "" || err != nil {
		t.Errorf("%d entries, marker %q, %v; want one, and the marker all the same", n, next, err)
	}
}

func TestParseRefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"cut in a name":        page[:strings.Index(page, "&#228;")],
		"cut in an entry":      page[:strings.Index(page, "<Metadata>")],
		"cut in metadata":      page[:strings.Index(page, "<x-ms-invalid-name>")],
		"cut in tags":          page[:strings.Index(page, "<Value>red")],
		"cut behind an entry":  page[:strings.Index(page, "<BlobPrefix>")],
		"cut in a tag":         page[:len(page)-3],
		"nothing":              "",
		"an unknown entity":    strings.Replace(page, "&#228;", "&auml;", 1),
		"half an entity":       strings.Replace(page, "&#228;", "&#228", 1),
		"no number":            strings.Replace(page, ">7<", ">seven<", 1),
		"no date":              strings.Replace(page, "Mon, 23 Nov 2026 00:00:01 GMT", "yesterday", 1),
		"a name badly encoded": strings.Replace(page, "x%EF", "x%ZZ", 1),
	}
	for name, doc := range tests {
		if _, err := parse(doc, "Blob", func(*Entry) bool { return true }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// wire is a transport that answers with a fixed body and keeps the request.
type wire struct {
	status int
	body   string
	query  map[string][]string
}

// Do implements policy.Transporter.
func (w *wire) Do(req *http.Request) (*http.Response, error) {
	w.query = req.URL.Query()
	return &http.Response{StatusCode: w.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(w.body)), Request: req}, nil
}

func client(t *testing.T, w *wire) *service.Client {
	t.Helper()
	opt := &service.ClientOptions{ClientOptions: policy.ClientOptions{Transport: w, PerCallPolicies: []policy.Policy{Tap{}}}}
	c, err := service.NewClientWithNoCredential("https://a.blob.core.windows.net/", opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPage(t *testing.T) {
	t.Parallel()
	w := &wire{status: http.StatusOK, body: page}
	c := client(t, w).NewContainerClient("c")
	names := []string{}
	next, err := Page(t.Context(), c, Query{Prefix: "p q", Marker: "m", From: "p q+r", Tags: true, History: "versions"}, func(e *Entry) bool {
		names = append(names, e.Name)
		return true
	})
	if err != nil || next == "" || len(names) != 2 {
		t.Fatalf("%v, marker %q, %v", names, next, err)
	}
	want := map[string][]string{
		"restype": {"container"}, "comp": {"list"}, "prefix": {"p q"}, "marker": {"m"}, "maxresults": {"5000"}, "startFrom": {"p q+r"},
		"include": {"metadata,tags,versions"},
	}
	if diff := cmp.Diff(want, w.query, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("query (-want +got)\n%s", diff)
	}
	w.status = http.StatusForbidden
	if _, err := Page(t.Context(), c, Query{}, func(*Entry) bool { return true }); err == nil {
		t.Error("a refusal gives no error")
	}
}

func TestContainers(t *testing.T) {
	t.Parallel()
	w := &wire{status: http.StatusOK, body: `<EnumerationResults><Containers>
		<Container><Name>$web</Name><Properties><Etag>"1"</Etag><PublicAccess>container</PublicAccess><HasImmutabilityPolicy>true</HasImmutabilityPolicy><HasLegalHold>true</HasLegalHold><DefaultEncryptionScope>s</DefaultEncryptionScope></Properties><Metadata><Own>er</Own></Metadata></Container>
		<Container><Name>b</Name><Properties><Etag>2</Etag></Properties></Container></Containers><NextMarker /></EnumerationResults>`}
	var got []Container
	next, err := Containers(t.Context(), client(t, w), "b", "m", 0, func(c Container) bool { got = append(got, c); return true })
	want := []Container{
		{Name: "$web", Public: "container", ETag: `"1"`, Metadata: map[string]string{"Own": "er"}, Scope: "s", Immutable: true, LegalHold: true},
		{Name: "b", ETag: `"2"`},
	}
	if diff := cmp.Diff(want, got); diff != "" || next != "" || err != nil {
		t.Errorf("marker %q, %v (-want +got)\n%s", next, err, diff)
	}
	if w.query["prefix"][0] != "b" || w.query["marker"][0] != "m" {
		t.Errorf("the query is %v", w.query)
	}
}

// cutBody fails in the middle.
type cutBody struct{}

func (cutBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
func (cutBody) Close() error             { return nil }

type cutter struct{}

// Do implements policy.Policy.
func (cutter) Do(req *policy.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: cutBody{}, Request: req.Raw()}, nil
}

func TestTapSaysThatABodyIsCut(t *testing.T) {
	t.Parallel()
	opt := &service.ClientOptions{ClientOptions: policy.ClientOptions{Transport: &wire{}, PerCallPolicies: []policy.Policy{Tap{}, cutter{}}}}
	c, err := service.NewClientWithNoCredential("https://a.blob.core.windows.net/", opt)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Page(context.Background(), c.NewContainerClient("c"), Query{}, func(*Entry) bool { return true })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

func BenchmarkParse(b *testing.B) {
	one := page[strings.Index(page, "<Blob>"):strings.Index(page, "<BlobPrefix>")]
	doc := "<EnumerationResults><Blobs>" + strings.Repeat(one, PageSize) + "</Blobs></EnumerationResults>"
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := parse(doc, "Blob", func(*Entry) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
}
