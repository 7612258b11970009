package storage

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// files is a run over the file service alone.
func files(settings ...string) run {
	r := blobs(settings...)
	r.settings["parts"] = "files"
	return r
}

// shares is the SDK's client of an account's file service.
func (l *lab) shares(e plugin.Endpoint) *service.Client {
	l.Helper()
	c, err := service.NewClient("https://"+e.Resource.Name+".file.core.windows.net/", e.Credential, &service.ClientOptions{
		ClientOptions: e.Options, FileRequestIntent: to.Ptr(service.ShareTokenIntentBackup), AllowTrailingDot: to.Ptr(true),
	})
	if err != nil {
		l.Fatal(err)
	}
	return c
}

// file is a client of a file in the root directory of the share "sss".
func (l *lab) file(e plugin.Endpoint, name string) *file.Client {
	l.Helper()
	return l.shares(e).NewShareClient("sss").NewRootDirectoryClient().NewFileClient(name)
}

func (l *lab) must(_ any, err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func content(n int) *bytes.Reader { return bytes.NewReader(bytes.Repeat([]byte{7}, n)) }

// written is how many ranges a sparse file has, of 64 KiB each.
const written = 30

// sparse makes a file of the source that is nearly all holes.
func (l *lab) sparse(name string) {
	l.Helper()
	f := l.file(l.source, name)
	l.must(f.Create(l.Context(), written*8<<20, nil))
	for i := range int64(written) {
		l.must(f.UploadRange(l.Context(), i*8<<20, streaming.NopCloser(content(64<<10)), nil))
	}
}

// ranges counts the requests in a log that write content.
func ranges(log []string) (n int) {
	for _, call := range log {
		if strings.HasSuffix(call, "PUT range") || strings.HasSuffix(call, "PUT range from URL") {
			_, _ = fmt.Sscan(call, &n)
		}
	}
	return n
}

func TestALargeFileIsGoneOnWith(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"server", "stream"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, side{data: `{"shares": [{"name": "sss"}]}`}, side{data: `{"shares": [{"name": "sss"}]}`})
			l.sparse("x")
			r, key := files("copy", path, "verify", "content"), plugin.Key("shares/sss/x")
			it := l.item(r, key)
			l.calls.take()
			const done = 5
			if _, err := l.plugin.Replicate(l.cutAfter(done, comp("range")), l.task(r, it)); errs.KindOf(err) != errs.Canceled {
				t.Fatalf("it was not cut: %v", err)
			}
			l.free()
			if c := l.compare(r, key); c.State != plugin.Different {
				t.Errorf("a part is taken for a whole: %+v", c)
			}
			l.plugin = New() // what another process knows
			l.calls.take()
			progress := int64(0)
			task := l.task(r, it)
			task.Progress = func(n int64) { progress = max(progress, n) }
			out, err := l.plugin.Replicate(t.Context(), task)
			if err != nil || out.Status != plugin.Created || progress != written*64<<10 {
				t.Fatalf("%+v, progress %d, %v", out, progress, err)
			}
			// Those in flight when it was cut may have arrived or not.
			if sent := ranges(l.calls.take()); sent > written-done || sent < written-done-8 || out.Bytes != int64(sent)*64<<10 {
				t.Errorf("%d of %d ranges are sent again (%d bytes), where %d had arrived", sent, written, out.Bytes, done)
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

// TestAChangedFileStartsAnew: what a cut run left of a file is worth nothing once the
// source has changed, and a source that changes meanwhile is copied as it is in the end.
func TestAChangedFileStartsAnew(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"server", "stream"} {
		for _, cut := range []bool{true, false} {
			t.Run(fmt.Sprint(path, " cut ", cut), func(t *testing.T) {
				t.Parallel()
				l := newLab(t, side{data: `{"shares": [{"name": "sss"}]}`}, side{data: `{"shares": [{"name": "sss"}]}`})
				l.sparse("x")
				r, key := files("copy", path, "verify", "content"), plugin.Key("shares/sss/x")
				it := l.item(r, key)
				change := func() {
					_, _ = l.file(l.source, "x").UploadRange(context.WithoutCancel(t.Context()), 8<<20, streaming.NopCloser(content(100)), nil)
				}
				if cut {
					if _, err := l.plugin.Replicate(l.cutAfter(2, comp("range")), l.task(r, it)); errs.KindOf(err) != errs.Canceled {
						t.Fatalf("it was not cut: %v", err)
					}
					l.free()
					change()
				} else {
					l.once(comp("range"), change)
				}
				out, err := l.plugin.Replicate(t.Context(), l.task(r, it))
				if err != nil || out.Status != plugin.Created {
					t.Fatalf("%+v, %v", out, err)
				}
				if diff := cmp.Diff(l.objects(l.source)[string(key)], l.objects(l.target)[string(key)]); diff != "" {
					t.Errorf("(-source +target)\n%s", diff)
				}
			})
		}
	}
}

// once does something when the first request that picks takes was answered.
func (l *lab) once(picks func(*http.Request) bool, do func()) {
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	l.calls.done = func(r *http.Request) {
		if !picks(r) {
			return
		}
		l.calls.mu.Lock()
		first := l.calls.done != nil
		l.calls.done = nil
		l.calls.mu.Unlock()
		if first {
			do()
		}
	}
}

const tree3 = `{"shares": [{"name": "sss", "files": [{"path": "a/b/x", "content": "one", "metadata": {"k": "v"}}, {"path": "a/y", "content": "two"}, {"path": "z", "size": 0}]}]}`

// TestAnUnchangedShareCostsListings: a second run asks for the share and lists, and no more.
func TestAnUnchangedShareCostsListings(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: tree3}, side{})
	l.later(time.Minute)
	r := files()
	l.all(r)
	l.plugin = New() // what another process knows
	l.calls.take()
	for key, out := range l.all(r) {
		if out.Status != plugin.Unchanged {
			t.Errorf("%s: %+v", key, out)
		}
	}
	want := []string{
		"2 GET acl", "2 GET filepermission", // each text is asked for once for all files
		"4 GET", // the share and its root directory, on both sides
		"7 GET list",
	}
	if diff := cmp.Diff(want, l.calls.take()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, it := range l.items(r) {
		c, err := l.plugin.Compare(t.Context(), l.task(r, it))
		if err != nil || c.State != plugin.Same || c.Reason == "" && !c.Proven {
			t.Errorf("%s: %+v, %v", it.Key, c, err)
		}
	}
}

// TestWhatNoListingShows: headers and metadata that changed are found, since the service
// then moves Last-Modified.
func TestWhatNoListingShows(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: tree3}, side{})
	l.later(time.Minute)
	r := files()
	l.all(r)
	l.later(time.Minute)
	l.must(l.file(l.source, "z").SetMetadata(t.Context(), &file.SetMetadataOptions{Metadata: map[string]*string{"new": to.Ptr("1")}}))
	if e := l.refused(r, "shares/sss/z"); e.Kind != errs.Conflict || !strings.Contains(e.Error(), "metadata") {
		t.Errorf("without leave to overwrite: %v", e)
	}
	if c := l.compare(r, "shares/sss/z"); c.State != plugin.Different || !slices.Equal(c.Fields, []string{"metadata"}) {
		t.Errorf("%+v", c)
	}
	for key, out := range l.all(r.over()) {
		if want := map[bool]plugin.Status{true: plugin.Updated, false: plugin.Unchanged}[key == "shares/sss/z"]; out.Status != want {
			t.Errorf("%s: %+v", key, out)
		}
	}
	if diff := cmp.Diff(l.objects(l.source), l.objects(l.target)); diff != "" {
		t.Errorf("(-source +target)\n%s", diff)
	}
}

// TestLeasesAtTheTarget: they are not broken, and the error says what to do.
func TestLeasesAtTheTarget(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: tree3}, side{data: `{"shares": [{"name": "sss", "files": [{"path": "z", "content": "other"}]}]}`})
	held, err := lease.NewFileClient(l.file(l.target, "z"), nil)
	l.must(held, err)
	l.must(held.Acquire(t.Context(), nil))
	if e := l.refused(files().over(), "shares/sss/z"); e.Kind != errs.Conflict || e.Code != "LeaseIdMissing" || !strings.Contains(e.Hint, "lease break") {
		t.Errorf("%v, hint %q", e, e.Hint)
	}
	l.must(held.Release(t.Context(), nil))
	if out, err := l.replicate(files().over(), "shares/sss/z"); err != nil || out.Status != plugin.Updated {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestNamesThatAreKept: a share that was deleted may stand in the way of a new one.
func TestNamesThatAreKept(t *testing.T) {
	t.Parallel()
	create := func(r *http.Request) bool {
		return r.Method == http.MethodPut && r.URL.RawQuery == "restype=share"
	}
	for code, kind := range map[string]errs.Kind{"ShareBeingDeleted": errs.Unavailable, "ShareAlreadyExists": errs.Unavailable} {
		l := newLab(t, side{data: tree3}, side{})
		l.calls.answer(http.StatusConflict, code, create)
		if e := l.refused(files(), "shares/sss"); e.Kind != kind || !strings.Contains(e.Hint, "restore") {
			t.Errorf("%s: %v, hint %q", code, e, e.Hint)
		}
	}
}

// TestFilesThroughThisProgram: where the source signs nothing, the run goes on and says so.
func TestFilesThroughThisProgram(t *testing.T) {
	t.Parallel()
	unsigned := func() *lab {
		l := newLab(t, side{data: tree3, properties: map[string]any{"allowSharedKeyAccess": false}}, side{})
		l.calls.answer(http.StatusForbidden, "AuthorizationPermissionMismatch", func(r *http.Request) bool {
			return r.URL.Query().Get("comp") == "userdelegationkey"
		})
		return l
	}
	l := unsigned()
	told := 0
	for key, out := range l.all(files()) {
		if out.Status != plugin.Created {
			t.Errorf("%s: %+v", key, out)
		}
		told += len(out.Warnings)
	}
	if told != 1 {
		t.Errorf("it is said %d times that files go through this program", told)
	}
	l = unsigned()
	r := files("copy", "server")
	l.must(l.replicate(r, "shares/sss"))
	l.must(l.replicate(r, "shares/sss/a"))
	e := l.refused(r, "shares/sss/a/y")
	if e.Kind != errs.PermissionDenied || e.Side != string(plugin.Source) || !strings.Contains(e.Action, "generateUserDelegationKey") {
		t.Errorf("%v, lacks %q", e, e.Action)
	}
}

// TestSomebodyWasFaster: what appears between the look and the write is looked at again.
func TestSomebodyWasFaster(t *testing.T) {
	t.Parallel()
	created := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	source := `{"shares": [{"name": "sss", "metadata": {"a": "1"}, "policies": [{"id": "p", "permission": "r"}], "directories": [{"path": "d", "attributes": "Hidden", "created": "2020-01-02T03:04:05Z"}]}]}`
	atTarget := func(what string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Host, "stfabrikam.") && r.URL.Query().Get("restype") == what && r.URL.Query().Get("comp") == ""
		}
	}
	for name, same := range map[string]bool{"the same": true, "another": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, side{data: source}, side{})
			r := files()
			metadata := map[string]*string{"a": to.Ptr(map[bool]string{true: "1", false: "2"}[same])}
			l.once(atTarget("share"), func() {
				l.must(l.shares(l.target).CreateShare(t.Context(), "sss", &service.CreateShareOptions{Metadata: metadata}))
			})
			out, err := l.replicate(r, "shares/sss")
			if same && (err != nil || out.Status != plugin.Created) || !same && errs.KindOf(err) != errs.Conflict {
				t.Errorf("share: %+v, %v", out, err)
			}
			a := &file.NTFSFileAttributes{Hidden: same, System: !same}
			l.once(atTarget("directory"), func() {
				_, err := l.shares(l.target).NewShareClient("sss").NewDirectoryClient("d").Create(t.Context(), &directory.CreateOptions{FileSMBProperties: &file.SMBProperties{Attributes: a, CreationTime: &created}})
				l.must(nil, err)
			})
			out, err = l.replicate(r, "shares/sss/d")
			if same && (err != nil || out.Status != plugin.Created) || !same && errs.KindOf(err) != errs.Conflict {
				t.Errorf("directory: %+v, %v", out, err)
			}
			if !same {
				l.all(r.over())
			}
			if diff := cmp.Diff(l.objects(l.source)["shares/sss"], l.objects(l.target)["shares/sss"]); diff != "" {
				t.Errorf("(-source +target)\n%s", diff)
			}
		})
	}
}

// TestLongPaths: an address that does not fit into a request is no reason to give up, nor
// to send all other files through this program.
func TestLongPaths(t *testing.T) {
	t.Parallel()
	long := strings.TrimSuffix(strings.Repeat(strings.Repeat("ä", 60)+"/", 6), "/") // percent-encoded it is six times as long
	l := newLab(t, side{data: `{"shares": [{"name": "sss", "files": [{"path": "` + long + `", "content": "x"}, {"path": "z", "content": "x"}]}]}`}, side{})
	out := l.all(files())
	if got := out[plugin.Key("shares/sss/"+long)]; got.Path != "streamed" || len(got.Warnings) > 0 {
		t.Errorf("%+v", got)
	}
	if got := out["shares/sss/z"]; got.Path != "server to server" {
		t.Errorf("%+v", got)
	}
	l = newLab(t, side{data: `{"shares": [{"name": "sss", "files": [{"path": "` + long + `", "content": "x"}]}]}`}, side{data: `{"shares": [{"name": "sss", "directories": [{"path": "` + long[:strings.LastIndexByte(long, '/')] + `"}]}]}`})
	if e := l.refused(files("copy", "server"), plugin.Key("shares/sss/"+long)); e.Kind != errs.Unsupported || !strings.Contains(e.Error(), "too long") || !strings.Contains(e.Hint, "copy=auto") {
		t.Errorf("%v, kind %s, hint %q", e, e.Kind, e.Hint)
	}
}

func TestFilesWithTheAccountsKey(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"server", "stream"} {
		l := newLab(t, side{data: tree3}, side{})
		for key, out := range l.all(files("sign-in", "key", "copy", path)) {
			if out.Status != plugin.Created {
				t.Errorf("%s: %s: %+v", path, key, out)
			}
		}
		if diff := cmp.Diff(l.objects(l.source), l.objects(l.target)); diff != "" {
			t.Errorf("%s: (-source +target)\n%s", path, diff)
		}
	}
}
