package storage

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// TestEncodedContentStaysAsItIs: what says that it is compressed is content like any other,
// whether it is compressed or only says so.
func TestEncodedContentStaysAsItIs(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(bytes.Repeat([]byte("the same line\n"), 1000)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	data := fmt.Sprintf(`{
	 "containers": [{"name": "ccc", "blobs": [
	  {"name": "packed", "base64": %q, "contentEncoding": "gzip", "noMD5": true}, {"name": "not", "content": "not packed", "contentEncoding": "gzip", "noMD5": true}]}],
	 "shares": [{"name": "sss", "files": [{"path": "not", "content": "not packed", "contentEncoding": "gzip"}]}]}`,
		base64.StdEncoding.EncodeToString(packed.Bytes()))
	for _, path := range []string{"server", "stream"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, side{data: data}, side{})
			r := blobs("parts", "blobs,files", "copy", path, "verify", "content")
			l.all(r)
			want, got := l.objects(l.source), l.objects(l.target)
			for _, o := range got {
				delete(o, "contentMD5") // what went through this program has one
			}
			for _, o := range want {
				delete(o, "contentMD5")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-source +target)\n%s", diff)
			}
			for _, key := range []plugin.Key{"blobs/ccc/packed", "blobs/ccc/not", "shares/sss/not"} {
				if c := l.compare(r, key); c.State != plugin.Same || !c.Proven {
					t.Errorf("%s: %+v", key, c)
				}
			}
		})
	}
}
