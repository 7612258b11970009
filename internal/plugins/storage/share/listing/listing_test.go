package listing

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const page = "\ufeff" + `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a/" ShareName="s" DirectoryPath=""><Entries>
	<File><FileId>1</FileId><Name>b &amp; c</Name><Properties><Content-Length>7</Content-Length><CreationTime>2020-01-02T03:04:05.1234567Z</CreationTime><LastWriteTime>2021-01-02T03:04:05Z</LastWriteTime><Last-Modified>Sat, 02 Jan 2021 03:04:06 GMT</Last-Modified><Etag>"0x1"</Etag></Properties><Attributes>ReadOnly | Archive</Attributes><PermissionKey>1*2</PermissionKey></File>
	<Directory><Name Encoded="true">d+%EF%BF%BE</Name><Properties><Etag>0x2</Etag></Properties></Directory>
	</Entries><NextMarker>m&amp;1</NextMarker></EnumerationResults>`
	got, next, err := parse([]byte(page))
	if err != nil || next != "m&1" {
		t.Fatalf("next %q, %v", next, err)
	}
	want := []Entry{
		{Name: "b & c", Size: 7, Created: time.Date(2020, 1, 2, 3, 4, 5, 123456700, time.UTC), Written: time.Date(2021, 1, 2, 3, 4, 5, 0, time.UTC), Modified: time.Date(2021, 1, 2, 3, 4, 6, 0, time.UTC), ETag: `"0x1"`, Attributes: "ReadOnly | Archive", Permission: "1*2"},
		{Name: "d+\ufffe", Directory: true, ETag: `"0x2"`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{
		"cut":            `<EnumerationResults><Entries><File><Name>x</Name>`,
		"without an end": `<EnumerationResults><Entries></Entries></EnumerationResults>`,
		"name":           `<EnumerationResults><Entries><File><Name Encoded="true">%zz</Name></File></Entries><NextMarker/></EnumerationResults>`,
		"time":           `<EnumerationResults><Entries><File><Name>x</Name><Properties><CreationTime>yesterday</CreationTime></Properties></File></Entries><NextMarker/></EnumerationResults>`,
		"size":           `<EnumerationResults><Entries><File><Name>x</Name><Properties><Content-Length>much</Content-Length></Properties></File></Entries><NextMarker/></EnumerationResults>`,
	} {
		if got, _, err := parse([]byte(page)); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
