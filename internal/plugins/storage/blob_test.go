package storage

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// everything has a blob of each shape.
var everything = fmt.Sprintf(`{"containers": [
 {"name": "$web", "blobs": [{"name": "index.html", "content": "<p>hi</p>", "contentType": "text/html"}]},
 {"name": "data", "publicAccess": "blob", "metadata": {"Owner": "red"}, "policies": [{"id": "readers", "start": "2026-01-02T03:04:05Z", "expiry": "2030-01-02T03:04:05Z", "permission": "r"}, {"id": "open", "permission": "rl"}], "blobs": [
  {"name": "plain", "content": "hello"},
  {"name": "empty", "size": 0},
  {"name": "ümläut/日本 語&<x>'\"+%%25#?.txt", "content": "x"},
  {"name": "trailing.", "content": "x"}, {"name": "a//b/", "content": "x"},
  {"name": "%s", "content": "long"},
  {"name": "rich", "size": 3000, "seed": 7, "contentType": "text/html; charset=utf-8", "contentEncoding": "identity", "contentLanguage": "de-DE", "contentDisposition": "attachment; filename=\"a b\"", "cacheControl": "max-age=60", "metadata": {"Camel_Case": "kept", "plain": "a=b; c"}, "tags": {"team": "red", "cost centre": "7/8"}, "tier": "Cool"},
  {"name": "folder", "size": 0, "metadata": {"hdi_isfolder": "true"}},
  {"name": "unsummed", "size": 5000, "seed": 3, "noMD5": true},
  {"name": "big", "size": 40000123, "seed": 9, "blockSize": 8388608},
  {"name": "leased", "content": "at the source it does not matter", "leased": true},
  {"name": "disk.vhd", "type": "page", "size": 10485760, "sequenceNumber": 9, "metadata": {"os": "none"}, "ranges": [{"offset": 0, "size": 512, "seed": 1}, {"offset": 1048576, "size": 6291456, "seed": 2}]},
  {"name": "app.log", "type": "append", "size": 9000000, "seed": 4, "contentType": "text/plain"},
  {"name": "sealed.log", "type": "append", "content": "end", "sealed": true},
  {"name": "empty.log", "type": "append", "size": 0},
  {"name": "gone", "content": "x", "deleted": true},
  {"name": "staged", "size": 10, "uncommitted": [{"id": "AAAA", "content": "more"}]}
 ]},
 {"name": "nothing"}]}`, strings.Repeat("n", 1023))

func TestEverythingIsCopied(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"server", "stream"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, side{data: everything, properties: map[string]any{"allowBlobPublicAccess": true}}, side{properties: map[string]any{"allowBlobPublicAccess": true}})
			r := blobs("copy", path, "verify", "unsummed", "single-mib", "8")
			for key, out := range l.all(r) {
				if out.Status != plugin.Created || len(out.Warnings) > 0 {
					t.Errorf("%s: %+v", key, out)
				}
			}
			want, got := l.objects(l.source), l.objects(l.target)
			for key, o := range got {
				if path == "stream" && o["contentMD5"] != "" && want[key]["contentMD5"] == "" && want[key]["type"] == "BlockBlob" {
					want[key]["contentMD5"] = o["contentMD5"] // what went through this program has one
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-source +target)\n%s", diff)
			}
			for _, it := range l.items(r) {
				c, err := l.plugin.Compare(t.Context(), l.task(r, it))
				if err != nil || c.State != plugin.Same || !c.Proven {
					t.Errorf("Compare %s: %+v, %v", it.Key, c, err)
				}
			}
		})
	}
}

func TestSmallBlobsCostOneRequest(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"server": {"1 GET list", "1 POST userdelegationkey", "20 PUT from URL"},
		"stream": {"1 GET list", "20 GET", "20 PUT"},
	} {
		l := newLab(t, side{data: `{"virtual": {"container": "ccc", "count": 20, "size": 1024}}`}, side{data: `{"containers": [{"name": "ccc"}]}`})
		r := blobs("copy", path)
		items := l.items(r)[1:]
		l.calls.take()
		for _, it := range items {
			if out, err := l.plugin.Replicate(t.Context(), l.task(r, it)); err != nil || out.Status != plugin.Created || out.Bytes != 1024 {
				t.Fatalf("%+v, %v", out, err)
			}
		}
		if diff := cmp.Diff(want[1:], l.calls.take()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", path, diff)
		}
	}
}

func TestUnchangedBlobsCostNoRequest(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"virtual": {"container": "ccc", "count": 10100, "size": 10}}`}, side{data: `{"virtual": {"container": "ccc", "count": 10100, "size": 10}}`})
	r := blobs()
	l.calls.take()
	items := l.items(r)
	// Three pages at each side, and the containers.
	if diff := cmp.Diff([]string{"7 GET list"}, l.calls.take()); diff != "" || len(items) != 10101 {
		t.Errorf("%d items (-want +got)\n%s", len(items), diff)
	}
	for _, it := range items[1:] {
		out, err := l.plugin.Replicate(t.Context(), l.task(r, it))
		c, err2 := l.plugin.Compare(t.Context(), l.task(r, it))
		if err != nil || err2 != nil || out.Status != plugin.Unchanged || !c.Proven {
			t.Fatalf("%s: %+v, %+v, %v, %v", it.Key, out, c, err, err2)
		}
	}
	if got := l.calls.take(); len(got) > 0 {
		t.Errorf("they cost %v", got)
	}
}

func TestListingGoesOnBehindACursor(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"containers": [{"name": "aaa"}, {"name": "zzz", "blobs": [{"name": "x", "content": "x"}]}], "virtual": {"container": "mmm", "count": 5010, "size": 1}}`}, side{data: `{"virtual": {"container": "mmm", "count": 5010, "size": 1}}`})
	r := blobs()
	all := l.items(r)
	for _, at := range []int{0, 1, 5001, 5002, len(all) - 2, len(all) - 1} {
		rest, failed := r.list(l, all[at].Cursor)
		if len(failed) > 0 || len(rest) != len(all)-at-1 {
			t.Errorf("behind item %d there are %d, want %d; %v", at, len(rest), len(all)-at-1, failed)
			continue
		}
		for i, it := range rest {
			if it.Key != all[at+1+i].Key {
				t.Errorf("behind item %d stands %s, want %s", at, it.Key, all[at+1+i].Key)
				break
			}
		}
	}
	for _, bad := range []string{"nonsense", "queue:x"} {
		if _, failed := r.list(l, bad); len(failed) != 1 || errs.KindOf(failed[0]) != errs.Invalid {
			t.Errorf("cursor %q: %v", bad, failed)
		}
	}
}

// hereAndThere has one blob that the target has too, in another form.
const there = `{"containers": [{"name": "ccc", "blobs": [%s]}]}`

func TestWhatDiffersIsKept(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, source, target, field string }{
		{"content", `{"name": "x", "content": "new"}`, `{"name": "x", "content": "old"}`, "content"},
		{"size", `{"name": "x", "content": "new"}`, `{"name": "x", "content": "older"}`, "size"},
		{"metadata", `{"name": "x", "content": "a", "metadata": {"k": "1"}}`, `{"name": "x", "content": "a"}`, "metadata"},
		{"tags", `{"name": "x", "content": "a"}`, `{"name": "x", "content": "a", "tags": {"k": "1"}}`, "index tags"},
		{"tier", `{"name": "x", "content": "a", "tier": "Cool"}`, `{"name": "x", "content": "a"}`, "tier"},
		{"no checksum, written before", `{"name": "x", "content": "abc", "noMD5": true}`, `{"name": "x", "content": "abd", "noMD5": true}`, "content"},
		{"large, properties alone", `{"name": "x", "size": 5000000, "seed": 1, "contentType": "a/b", "metadata": {"k": "1"}, "tags": {"t": "1"}, "tier": "Cool"}`, `{"name": "x", "size": 5000000, "seed": 1}`, "content type"},
		{"page", `{"name": "x", "type": "page", "size": 1024, "seed": 1}`, `{"name": "x", "type": "page", "size": 1024, "seed": 2}`, "content"},
		{"append", `{"name": "x", "type": "append", "content": "abc"}`, `{"name": "x", "type": "append", "content": "ab"}`, "size"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, side{}, side{data: fmt.Sprintf(there, tt.target)})
			l.later(time.Minute)
			l.seed(l.source, fmt.Sprintf(there, tt.source))
			r, key := blobs("verify", "unsummed"), plugin.Key("blobs/ccc/x")
			before := l.objects(l.target)[string(key)]
			if e := l.refused(r, key); e.Kind != errs.Conflict || !strings.Contains(e.Error(), tt.field) {
				t.Errorf("%v", e)
			}
			if c := l.compare(r, key); c.State != plugin.Different || !strings.Contains(strings.Join(c.Fields, ","), tt.field) {
				t.Errorf("%+v", c)
			}
			if diff := cmp.Diff(before, l.objects(l.target)[string(key)]); diff != "" {
				t.Errorf("it changed:\n%s", diff)
			}
			out, err := l.replicate(r.over(), key)
			if err != nil || out.Status != plugin.Updated {
				t.Fatalf("%+v, %v", out, err)
			}
			if diff := cmp.Diff(l.objects(l.source)[string(key)], l.objects(l.target)[string(key)]); diff != "" {
				t.Errorf("(-source +target)\n%s", diff)
			}
			if out, err := l.replicate(r.over(), key); err != nil || out.Status != plugin.Unchanged {
				t.Errorf("a second time: %+v, %v", out, err)
			}
		})
	}
}

func TestUnsummedContentIsReadWhereTheListingCannotTell(t *testing.T) {
	t.Parallel()
	blob := fmt.Sprintf(there, `{"name": "x", "size": 20000, "seed": 5, "noMD5": true}`)
	l := newLab(t, side{}, side{data: blob})
	l.seed(l.source, blob)
	r, key := blobs(), plugin.Key("blobs/ccc/x")
	if out, err := l.replicate(r, key); err != nil || out.Status != plugin.Unchanged { // in the same second
		t.Errorf("equal content written before: %+v, %v", out, err)
	}
	later := newLab(t, side{data: blob}, side{})
	later.later(time.Minute)
	later.seed(later.target, blob)
	for verify, proven := range map[string]bool{"listing": false, "unsummed": true, "content": true} {
		c := later.compare(blobs("verify", verify), key)
		if c.State != plugin.Same || c.Proven != proven || (c.Reason == "") != proven {
			t.Errorf("verify=%s: %+v", verify, c)
		}
	}
}

func TestContainers(t *testing.T) {
	t.Parallel()
	source := `{"containers": [{"name": "ccc", "publicAccess": "container", "metadata": {"a": "1"}, "policies": [{"id": "p", "permission": "r"}], "immutability": {"days": 3}, "legalHolds": ["hold"]}]}`
	l := newLab(t, side{data: source, properties: map[string]any{"allowBlobPublicAccess": true}}, side{properties: map[string]any{"allowBlobPublicAccess": false}})
	r, key := blobs(), plugin.Key("containers/ccc")
	if c := l.compare(r, key); c.State != plugin.Missing {
		t.Errorf("%+v", c)
	}
	out, err := l.replicate(r, key)
	if err != nil || out.Status != plugin.Created || len(out.Warnings) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	for _, want := range []string{"public access", "immutability policy", "legal hold"} {
		if !strings.Contains(out.Warnings[0], want) {
			t.Errorf("the warning %q lacks %q", out.Warnings[0], want)
		}
	}
	if c := l.compare(r, key); c.State != plugin.Same || c.Proven || c.Reason == "" {
		t.Errorf("%+v", c)
	}
	open := newLab(t, side{data: source, properties: map[string]any{"allowBlobPublicAccess": true}}, side{data: `{"containers": [{"name": "ccc", "metadata": {"a": "2"}}]}`, properties: map[string]any{"allowBlobPublicAccess": true}})
	e := open.refused(r, key)
	for _, want := range []string{"public access", "metadata", "stored access policies"} {
		if e.Kind != errs.Conflict || !strings.Contains(e.Error(), want) {
			t.Errorf("%v lacks %q", e, want)
		}
	}
	if out, err := open.replicate(r.over(), key); err != nil || out.Status != plugin.Updated {
		t.Fatalf("%+v, %v", out, err)
	}
	want, got := open.objects(open.source)[string(key)], open.objects(open.target)[string(key)]
	for _, f := range []string{"metadata", "publicAccess", "policies"} {
		if want[f] != got[f] {
			t.Errorf("%s is %q, want %q", f, got[f], want[f])
		}
	}
	if c := open.compare(r, key); !c.Proven {
		t.Errorf("%+v", c)
	}
}

func TestAFirewalledSourceIsStreamed(t *testing.T) {
	t.Parallel()
	rules := map[string]any{"networkAcls": map[string]any{"defaultAction": "Deny", "ipRules": []any{map[string]any{"value": "203.0.113.10", "action": "Allow"}}}}
	data := `{"virtual": {"container": "ccc", "count": 3, "size": 100}}`
	l := newLab(t, side{data: data, properties: rules}, side{})
	told := 0
	l.calls.take()
	for key, out := range l.all(blobs()) {
		if out.Status != plugin.Created {
			t.Errorf("%s: %+v", key, out)
		}
		told += len(out.Warnings)
	}
	if told != 1 {
		t.Errorf("it is said %d times that blobs go through the program, want once", told)
	}
	if got := strings.Join(l.calls.take(), ";"); !strings.Contains(got, "2 PUT from URL") {
		t.Errorf("%s: the way that is closed is tried for more than one blob", got)
	}
	strict := newLab(t, side{data: data, properties: rules}, side{data: `{"containers": [{"name": "ccc"}]}`})
	r := blobs("copy", "server")
	e := strict.refused(r, strict.items(r)[1].Key)
	if e.Code != "CannotVerifyCopySource" || strings.Contains(e.Error(), "sig=") {
		t.Errorf("%v", e)
	}
}

func TestWithoutTheRightToDelegate(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"virtual": {"container": "ccc", "count": 3, "size": 100}}`, properties: map[string]any{"allowSharedKeyAccess": false}}, side{data: `{"containers": [{"name": "ccc"}]}`})
	l.calls.answer(http.StatusForbidden, "AuthorizationPermissionMismatch", func(r *http.Request) bool { return r.URL.Query().Get("comp") == "userdelegationkey" })
	r := blobs("copy", "server")
	e := l.refused(r, l.items(r)[1].Key)
	if e.Kind != errs.PermissionDenied || e.Side != "source" || !strings.Contains(e.Action, "generateUserDelegationKey") {
		t.Errorf("%v, action %q", e, e.Action)
	}
	for key, out := range l.all(blobs()) {
		if key != "containers/ccc" && out.Status != plugin.Created {
			t.Errorf("%s: %+v", key, out)
		}
	}
}

func TestSignInWithTheKey(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: `{"virtual": {"container": "ccc", "count": 3, "size": 100}}`}, side{})
	r := blobs("sign-in", "key", "copy", "server")
	l.all(r)
	if diff := cmp.Diff(l.objects(l.source), l.objects(l.target)); diff != "" {
		t.Errorf("(-source +target)\n%s", diff)
	}
}
