package storage

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// cutAfter cancels the context when n requests that picks takes have been answered.
func (l *lab) cutAfter(n int64, picks func(*http.Request) bool) context.Context {
	ctx, cancel := context.WithCancel(l.Context())
	l.Cleanup(cancel)
	var seen atomic.Int64
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	l.calls.done = func(r *http.Request) {
		if picks(r) && seen.Add(1) >= n {
			cancel()
		}
	}
	return ctx
}

// free lets requests pass again.
func (l *lab) free() {
	l.calls.mu.Lock()
	l.calls.rule, l.calls.done = nil, nil
	l.calls.mu.Unlock()
	l.calls.take()
}

func comp(name string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == http.MethodPut && r.URL.Query().Get("comp") == name }
}

func TestALargeBlobIsGoneOnWith(t *testing.T) {
	t.Parallel()
	for path, block := range map[string]int{"server": 32 << 20, "stream": 8 << 20} {
		size := 8 * block
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, side{data: fmt.Sprintf(there, fmt.Sprintf(`{"name": "x", "size": %d, "seed": 1}`, size))}, side{data: `{"containers": [{"name": "ccc"}], "discardWrites": true}`})
			r, key := blobs("copy", path, "single-mib", "8"), plugin.Key("blobs/ccc/x")
			it := l.item(r, key)
			done := int64(4)
			if _, err := l.plugin.Replicate(l.cutAfter(done, comp("block")), l.task(r, it)); errs.KindOf(err) != errs.Canceled {
				t.Fatalf("it was not cut: %v", err)
			}
			l.free()
			l.plugin = New() // what another process knows
			progress := int64(0)
			task := l.task(r, it)
			task.Progress = func(n int64) { progress = max(progress, n) }
			out, err := l.plugin.Replicate(t.Context(), task)
			if err != nil || out.Status != plugin.Created || progress != int64(size) {
				t.Fatalf("%+v, progress %d, %v", out, progress, err)
			}
			blocks := 0
			for _, call := range l.calls.take() {
				if strings.HasSuffix(call, "PUT block") || strings.HasSuffix(call, "PUT block from URL") {
					_, _ = fmt.Sscan(call, &blocks)
				}
			}
			// Those in flight when it was cut may have arrived or not.
			if most := size/block - int(done); blocks > most || blocks < most-8 || int64(blocks)*int64(block) != out.Bytes {
				t.Errorf("%d blocks are sent again (%d bytes), want the %d that are missing", blocks, out.Bytes, most)
			}
			if c := l.compare(r, key); c.State != plugin.Same {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestPagesAndAppendsAreGoneOnWith(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ blob, comp string }{
		// %d is the size: a server moves larger pieces at once.
		"page":   {`{"name": "x", "type": "page", "size": %d, "seed": 1, "sequenceNumber": 3, "metadata": {"a": "b"}, "tags": {"t": "1"}}`, "page"},
		"append": {`{"name": "x", "type": "append", "size": %d, "seed": 1, "sealed": true, "metadata": {"a": "b"}}`, "appendblock"},
	}
	for name, tt := range tests {
		for path, size := range map[string]int{"server": 100 << 20, "stream": 20 << 20} {
			t.Run(name+" "+path, func(t *testing.T) {
				t.Parallel()
				l := newLab(t, side{data: fmt.Sprintf(there, fmt.Sprintf(tt.blob, size))}, side{data: `{"containers": [{"name": "ccc"}]}`})
				r, key := blobs("copy", path, "verify", "unsummed"), plugin.Key("blobs/ccc/x")
				it := l.item(r, key)
				if _, err := l.plugin.Replicate(l.cutAfter(2, comp(tt.comp)), l.task(r, it)); errs.KindOf(err) != errs.Canceled {
					t.Fatalf("it was not cut: %v", err)
				}
				l.free()
				if c := l.compare(r, key); c.State != plugin.Different {
					t.Errorf("a part is taken for a whole: %+v", c)
				}
				l.plugin = New()
				l.calls.take()
				out, err := l.plugin.Replicate(t.Context(), l.task(r, it))
				if err != nil || out.Status != plugin.Created || out.Bytes >= it.Size {
					t.Fatalf("%+v of %d bytes, %v", out, it.Size, err)
				}
				if diff := cmp.Diff(l.objects(l.source)[string(key)], l.objects(l.target)[string(key)]); diff != "" {
					t.Errorf("(-source +target)\n%s", diff)
				}
				if c := l.compare(r, key); !c.Proven {
					t.Errorf("%+v", c)
				}
			})
		}
	}
}

// client is the SDK's of an account.
func (l *lab) client(e plugin.Endpoint) *service.Client {
	l.Helper()
	c, err := service.NewClient("https://"+e.Resource.Name+".blob.core.windows.net/", e.Credential, &service.ClientOptions{ClientOptions: e.Options})
	if err != nil {
		l.Fatal(err)
	}
	return c
}

func TestBlocksOfAnotherUpload(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"server", "stream"} {
		l := newLab(t, side{data: fmt.Sprintf(there, `{"name": "x", "size": 20000000, "seed": 1}`)}, side{data: `{"containers": [{"name": "ccc"}]}`})
		_, err := l.client(l.target).NewContainerClient("ccc").NewBlockBlobClient("x").StageBlock(t.Context(), base64.StdEncoding.EncodeToString([]byte("theirs")), streaming.NopCloser(bytes.NewReader([]byte("x"))), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, key := blobs("copy", path, "single-mib", "8"), plugin.Key("blobs/ccc/x")
		if e := l.refused(r, key); e.Kind != errs.Conflict || !strings.Contains(e.Hint, "--overwrite") {
			t.Errorf("%s: %v, hint %q", path, e, e.Hint)
		}
		if out, err := l.replicate(r.over(), key); err != nil || out.Status != plugin.Created {
			t.Errorf("%s: %+v, %v", path, out, err)
		}
		if diff := cmp.Diff(l.objects(l.source)[string(key)]["sha256"], l.objects(l.target)[string(key)]["sha256"]); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestWhatStandsInTheWayAtTheTarget(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ target, want string }{
		"a lease":                {`{"name": "x", "content": "old", "leased": true}`, "Lease"},
		"an immutability policy": {`{"name": "x", "content": "old", "immutableUntil": "2099-01-01T00:00:00Z", "immutabilityLocked": true}`, "mmutab"},
	}
	for name, tt := range tests {
		data := strings.Replace(fmt.Sprintf(there, tt.target), `"name": "ccc"`, `"name": "ccc", "versionImmutability": true`, 1)
		l := newLab(t, side{data: fmt.Sprintf(there, `{"name": "x", "content": "new"}`)}, side{data: data, properties: map[string]any{}})
		for _, path := range []string{"server", "stream"} {
			before := l.objects(l.target)["blobs/ccc/x"]
			out, err := l.replicate(blobs("copy", path).over(), "blobs/ccc/x")
			e := errs.Find(err)
			if e == nil {
				t.Errorf("%s, %s: %+v, %v", name, path, out, err)
				continue
			}
			if e.Kind != errs.Conflict || !strings.Contains(e.Code, tt.want) {
				t.Errorf("%s, %s: kind %s, %v", name, path, e.Kind, e)
			}
			if diff := cmp.Diff(before, l.objects(l.target)["blobs/ccc/x"]); diff != "" {
				t.Errorf("%s, %s: it changed\n%s", name, path, diff)
			}
		}
	}
}

func TestWhatChangesAfterItWasListed(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"server", "stream"} {
		for _, typ := range []string{"block", "page", "append"} {
			name := path + " " + typ
			l := newLab(t, side{data: fmt.Sprintf(there, `{"name": "x", "type": "`+typ+`", "size": 1024, "seed": 1}, {"name": "y", "content": "y"}`)}, side{data: `{"containers": [{"name": "ccc"}]}`})
			r := blobs("copy", path)
			x, y := l.item(r, "blobs/ccc/x"), l.item(r, "blobs/ccc/y")
			source, target := l.client(l.source).NewContainerClient("ccc"), l.client(l.target).NewContainerClient("ccc")
			value := "later"
			if _, err := source.NewBlobClient("x").SetMetadata(t.Context(), map[string]*string{"changed": &value}, nil); err != nil {
				t.Fatal(err)
			}
			if out, err := l.plugin.Replicate(t.Context(), l.task(r, x)); err != nil || out.Status != plugin.Created {
				t.Errorf("%s, another source: %+v, %v", name, out, err)
			}
			if diff := cmp.Diff(l.objects(l.source)["blobs/ccc/x"], l.objects(l.target)["blobs/ccc/x"]); diff != "" {
				t.Errorf("%s (-source +target)\n%s", name, diff)
			}
			if _, err := target.NewAppendBlobClient("y").Create(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := l.plugin.Replicate(t.Context(), l.task(r, y)); errs.KindOf(err) != errs.Conflict {
				t.Errorf("%s, the name is taken meanwhile: %v", name, err)
			}
			if _, err := source.NewBlobClient("y").Delete(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := target.NewBlobClient("y").Delete(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := l.plugin.Replicate(t.Context(), l.task(r, y)); errs.KindOf(err) != errs.NotFound {
				t.Errorf("%s, the source is gone: %v", name, err)
			}
		}
	}
}

func TestAnMD5ThatIsWrongAtTheSource(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"server", "stream"} {
		l := newLab(t, side{data: fmt.Sprintf(there, `{"name": "x", "content": "hello"}`)}, side{data: `{"containers": [{"name": "ccc"}]}`})
		text := "text/plain"
		wrong := bytes.Repeat([]byte{7}, 16)
		if _, err := l.client(l.source).NewContainerClient("ccc").NewBlobClient("x").SetHTTPHeaders(t.Context(), blob.HTTPHeaders{BlobContentMD5: wrong, BlobContentType: &text}, nil); err != nil {
			t.Fatal(err)
		}
		out, err := l.replicate(blobs("copy", path), "blobs/ccc/x")
		if err != nil || out.Status != plugin.Created || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "MD5") {
			t.Errorf("%s: %+v, %v", path, out, err)
		}
		if diff := cmp.Diff(l.objects(l.source)["blobs/ccc/x"], l.objects(l.target)["blobs/ccc/x"]); diff != "" {
			t.Errorf("%s (-source +target)\n%s", path, diff)
		}
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	past := `"%s": [{"content": "one", "metadata": {"n": "1"}}, {"content": "two"}, {"content": "two", "contentType": "a/b"}]`
	for _, history := range []string{"snapshots", "versions"} {
		t.Run(history, func(t *testing.T) {
			t.Parallel()
			data := fmt.Sprintf(there, `{"name": "x", "content": "now", `+fmt.Sprintf(past, history)+`}, {"name": "y", "content": "no past"}`)
			versioned := `"blobService": {"isVersioningEnabled": ` + fmt.Sprint(history == "versions") + `}`
			l := newLab(t, side{data: strings.Replace(data, "{", "{"+versioned+",", 1)}, side{data: "{" + versioned + "}"})
			r := blobs("history", history)
			for key, out := range l.all(r) {
				if out.Status != plugin.Created {
					t.Errorf("%s: %+v", key, out)
				}
			}
			l.same(t, "blobs/ccc/x", "content", "metadata", "contentType")
			for i := range 3 {
				l.same(t, fmt.Sprintf("blobs/ccc/x@%d", i), "content", "metadata")
			}
			if c := l.compare(r, "blobs/ccc/x"); !c.Proven {
				t.Errorf("%+v", c)
			}
			for key, out := range l.all(r) {
				if out.Status != plugin.Unchanged {
					t.Errorf("%s, a second time: %+v", key, out)
				}
			}
			other := newLab(t, side{data: strings.Replace(data, "{", "{"+versioned+",", 1)}, side{data: strings.Replace(fmt.Sprintf(there, `{"name": "x", "content": "now", "`+history+`": [{"content": "another past"}]}`), "{", "{"+versioned+",", 1)})
			if e := other.refused(r.over(), "blobs/ccc/x"); e.Kind != errs.Conflict {
				t.Errorf("another past: %v", e)
			}
			if c := other.compare(r, "blobs/ccc/x"); c.State != plugin.Different {
				t.Errorf("another past: %+v", c)
			}
		})
	}
}

// same demands that fields of an object are equal at both sides.
func (l *lab) same(t *testing.T, key string, fields ...string) {
	t.Helper()
	want, got := l.objects(l.source)[key], l.objects(l.target)[key]
	if want == nil || got == nil {
		t.Errorf("%s is at the source: %v, at the target: %v", key, want != nil, got != nil)
		return
	}
	for _, f := range fields {
		if want[f] != got[f] {
			t.Errorf("%s: %s is %q, want %q", key, f, got[f], want[f])
		}
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	data := fmt.Sprintf(there, `{"name": "x", "content": "cold", "tier": "Archive"}`)
	l := newLab(t, side{data: data}, side{data: `{"containers": [{"name": "ccc"}]}`})
	r, key := blobs(), plugin.Key("blobs/ccc/x")
	if out, err := l.replicate(r, key); err != nil || out.Status != plugin.Skipped || !strings.Contains(out.Reason, "archive") {
		t.Errorf("%+v, %v", out, err)
	}
	if c := l.compare(r, key); c.State != plugin.Cannot {
		t.Errorf("%+v", c)
	}
	warm := blobs("archive", "rehydrate")
	for _, want := range []string{"asked back", "being brought back"} {
		if out, err := l.replicate(warm, key); err != nil || out.Status != plugin.Skipped || !strings.Contains(out.Reason, want) {
			t.Errorf("%+v, %v; want %q", out, err, want)
		}
	}
	both := newLab(t, side{data: data}, side{data: data})
	if c := both.compare(blobs("verify", "content"), key); c.State != plugin.Same || c.Proven {
		t.Errorf("archived at both sides: %+v", c)
	}
	if out, err := both.replicate(r, key); err != nil || out.Status != plugin.Unchanged {
		t.Errorf("archived at both sides: %+v, %v", out, err)
	}
}

func TestBlobsThatTheTargetCannotHold(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: fmt.Sprintf(there, `{"name": "disk", "type": "page", "size": 512}, {"name": "doc", "content": "x", "tier": "Cool", "tags": {"a": "b"}}`)},
		side{data: `{"containers": [{"name": "ccc"}]}`, kind: "BlockBlobStorage", sku: "Premium_LRS"})
	r := blobs()
	if out, err := l.replicate(r, "blobs/ccc/disk"); err != nil || out.Status != plugin.Skipped {
		t.Errorf("%+v, %v", out, err)
	}
	if c := l.compare(r, "blobs/ccc/disk"); c.State != plugin.Cannot {
		t.Errorf("%+v", c)
	}
	out, err := l.replicate(r, "blobs/ccc/doc")
	if err != nil || out.Status != plugin.Created || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "index tags") {
		t.Errorf("%+v, %v", out, err)
	}
	if c := l.compare(r, "blobs/ccc/doc"); c.State != plugin.Same {
		t.Errorf("%+v", c)
	}
}

func TestTagsCanBeLeftOut(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: fmt.Sprintf(there, `{"name": "doc", "content": "x", "tags": {"a": "b"}}`)}, side{})
	r := blobs("tags", "skip")
	l.all(r)
	if got := l.objects(l.target)["blobs/ccc/doc"]["tags"]; got != "" {
		t.Errorf("the tags are %q", got)
	}
	if c := l.compare(r, "blobs/ccc/doc"); !c.Proven {
		t.Errorf("%+v", c)
	}
}

func TestLongMetadataIsReadAgain(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("v", 3000)
	l := newLab(t, side{data: `{"containers": [{"name": "ccc", "metadata": {"a": "` + long + `"}, "blobs": [{"name": "x", "content": "x", "metadata": {"a": "` + long + `"}}]}]}`}, side{})
	r := blobs()
	for _, it := range l.items(r) {
		if len(it.Ref) > 1000 {
			t.Errorf("the reference of %s has %d bytes", it.Key, len(it.Ref))
		}
	}
	l.all(r)
	if diff := cmp.Diff(l.objects(l.source), l.objects(l.target)); diff != "" {
		t.Errorf("(-source +target)\n%s", diff)
	}
	for key, out := range l.all(r) {
		if out.Status != plugin.Unchanged {
			t.Errorf("%s: %+v", key, out)
		}
	}
}

func TestForeignItemsAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: fmt.Sprintf(there, `{"name": "x", "content": "x"}`)}, side{})
	for _, it := range []plugin.Item{
		{Key: "blobs/ccc/x", Kind: "blob", Ref: []byte("{")},
		{Key: "nothing", Kind: "blob", Ref: []byte("{}")},
		{Key: "containers/ccc", Kind: "container", Ref: []byte("[")},
		{Key: "x", Kind: "unheard-of"},
		{Key: "cors/unheard-of", Kind: "cors-rules", Ref: []byte("{}")},
	} {
		_, err1 := l.plugin.Replicate(t.Context(), l.task(blobs(), it))
		_, err2 := l.plugin.Compare(t.Context(), l.task(blobs(), it))
		_, err3 := l.plugin.Declare(t.Context(), l.task(blobs(), it))
		for _, err := range []error{err1, err2, err3} {
			if kind := errs.KindOf(err); it.Kind != "blob" && kind != errs.Invalid && kind != errs.Unsupported || err != nil && kind != errs.Invalid && kind != errs.Unsupported {
				t.Errorf("%s %s: %v", it.Kind, it.Key, err)
			}
		}
	}
	broken := l.target
	broken.Resource.Properties = nil
	_, err := l.plugin.Replicate(t.Context(), plugin.Task{Source: l.source, Target: broken, Item: l.item(blobs(), "blobs/ccc/x")})
	if errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
	r := blobs()
	r.settings["parts"] = "blob,nonsense"
	if _, failed := r.list(l, ""); len(failed) != 1 || errs.KindOf(failed[0]) != errs.Invalid {
		t.Errorf("a part that there is not: %v", failed)
	}
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"virtual": {"container": "ccc", "count": 1000, "size": 100000000}}`}, side{})
	got, err := l.plugin.Estimate(t.Context(), l.source, plugin.Replication)
	if err != nil || got.Items != 1001 || got.Bytes != 1000*100000000 || !got.Exact || got.Duration < 60e9 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := l.plugin.Estimate(t.Context(), l.source, plugin.Template); err != nil || got.Items != 1 || got.Bytes != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
