package blob

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/account"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/blob/containers"
	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/part"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

// path is a file or directory of a lake.
type path struct {
	dir               bool
	content           string
	owner, group, acl string
	metadata          map[string]string
	etag              int
}

// lake is just enough of an account with a hierarchical namespace (or, if flat, without
// one) for the operations that this package uses. It has one container, "files".
type lake struct {
	mu    sync.Mutex // guards what follows
	paths map[string]*path
	n     int
	flat  bool
	log   []string
}

// Do implements policy.Transporter.
func (l *lake) Do(req *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := req.URL.Query()
	name := strings.TrimPrefix(req.URL.Path, "/files/")
	what := req.Method + " " + name
	switch {
	case q.Get("comp") == "list" && q.Get("restype") == "":
		return answer(req, 200, `<EnumerationResults><Containers><Container><Name>files</Name><Properties><Etag>1</Etag></Properties></Container></Containers></EnumerationResults>`, nil)
	case q.Get("comp") == "list":
		return answer(req, 200, l.list(q.Get("prefix"), q.Get("maxresults") == "1", strings.Contains(q.Get("include"), "permissions")), nil)
	case req.Method == http.MethodPatch:
		l.log = append(l.log, what+" acl")
		p := l.paths[name]
		if v := header(req, "x-ms-owner"); v != "" {
			p.owner = v
		}
		if v := header(req, "x-ms-group"); v != "" {
			p.group = v
		}
		p.acl = header(req, "x-ms-acl")
		return answer(req, 200, "", nil)
	case req.Method == http.MethodPut:
		return l.put(req, name, q.Get("resource") == "directory")
	case req.Method == http.MethodGet:
		return answer(req, 200, l.paths[name].content, nil)
	}
	return answer(req, 501, "", nil)
}

// header returns a header however the client spells its name.
func header(req *http.Request, name string) string {
	for k, v := range req.Header {
		if strings.EqualFold(k, name) {
			return v[0]
		}
	}
	return ""
}

func (l *lake) put(req *http.Request, name string, dir bool) (*http.Response, error) {
	l.log = append(l.log, fmt.Sprintf("PUT %s dir=%v", name, dir))
	if header(req, "x-ms-copy-source") != "" {
		return answer(req, 501, "", nil)
	}
	if l.paths[name] != nil && header(req, "If-None-Match") == "*" {
		return answer(req, 409, "", map[string]string{"x-ms-error-code": "BlobAlreadyExists"})
	}
	var content []byte
	if req.Body != nil {
		content, _ = io.ReadAll(req.Body)
	}
	l.n++
	p := &path{dir: dir, content: string(content), owner: "$superuser", group: "$superuser", acl: "user::rwx,group::r-x,other::---", etag: l.n, metadata: map[string]string{}}
	for k, v := range req.Header {
		if key, ok := strings.CutPrefix(strings.ToLower(k), "x-ms-meta-"); ok {
			p.metadata[key] = v[0]
		}
	}
	l.paths[name] = p
	return answer(req, 201, "", map[string]string{"ETag": fmt.Sprintf(`"%d"`, p.etag)})
}

func (l *lake) list(prefix string, one, access bool) string {
	var names []string
	for name := range l.paths {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
	})
	if one && len(names) > 1 {
		names = names[:1]
	}
	out := "<EnumerationResults><Blobs>"
	for _, name := range names {
		p := l.paths[name]
		out += fmt.Sprintf("<Blob><Name>%s</Name><Properties><Etag>%d</Etag><Content-Length>%d</Content-Length><BlobType>BlockBlob</BlobType><Last-Modified>%s</Last-Modified>",
			html.EscapeString(name), p.etag, len(p.content), time.Unix(int64(p.etag), 0).UTC().Format(http.TimeFormat))
		if p.dir {
			out += "<ResourceType>directory</ResourceType>"
		}
		if access && !l.flat {
			out += "<Owner>" + p.owner + "</Owner><Group>" + p.group + "</Group><Acl>" + p.acl + "</Acl>"
		}
		out += "</Properties><Metadata>"
		for k, v := range p.metadata {
			out += "<" + k + ">" + v + "</" + k + ">"
		}
		out += "</Metadata></Blob>"
	}
	return out + "</Blobs></EnumerationResults>"
}

func answer(req *http.Request, status int, body string, header map[string]string) (*http.Response, error) {
	h := http.Header{"Content-Type": {"application/xml"}}
	for k, v := range header {
		h.Set(k, v)
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: req, ContentLength: int64(len(body))}, nil
}

// lakes are a source and a target with the part between them.
type lakes struct {
	testing.TB
	part     *Part
	src, dst *lake
	from, to *account.Account
	settings map[string]string
}

func newLakes(t testing.TB, targetFlat bool) *lakes {
	t.Helper()
	l := &lakes{TB: t, part: New(), src: &lake{paths: map[string]*path{}}, dst: &lake{paths: map[string]*path{}, flat: targetFlat}, settings: map[string]string{"copy": "stream"}}
	l.from, l.to = l.account("src", l.src), l.account("dst", l.dst)
	return l
}

func (l *lakes) account(name string, on *lake) *account.Account {
	l.Helper()
	a, err := new(account.Cache).For(plugin.Endpoint{
		Resource: plugin.Resource{
			ID: "/subscriptions/s/" + name, Name: name, Kind: "StorageV2", SKU: "Standard_LRS",
			Properties: fmt.Appendf(nil, `{"isHnsEnabled":%v,"primaryEndpoints":{"blob":"https://%s.blob.core.windows.net/","dfs":"https://%s.dfs.core.windows.net/"}}`, !on.flat, name, name),
		},
		Options: policy.ClientOptions{Cloud: cloud.AzurePublic, Transport: on, Retry: policy.RetryOptions{MaxRetries: -1}},
		Secret:  func(n string) (secret.Value, bool) { return secret.New("a2V5"), n == "accountKey" },
	}, false)
	if err != nil {
		l.Fatal(err)
	}
	return a
}

func (l *lakes) setting(name string) string {
	if v, ok := l.settings[name]; ok {
		return v
	}
	return plugin.Info{Settings: settings()}.Setting(nil, name)
}

func (l *lakes) items() []plugin.Item {
	l.Helper()
	var out []plugin.Item
	listing := part.Listing{Source: l.from, Target: l.to, Mode: plugin.Replication, Setting: l.setting}
	l.part.Discover(l.Context(), listing, func(it plugin.Item, err error) bool {
		if err != nil {
			l.Fatal(err)
		}
		if it.Kind != containers.Kind {
			out = append(out, it)
		}
		return true
	})
	return out
}

func (l *lakes) job(it plugin.Item, overwrite bool) part.Job {
	return part.Job{Task: plugin.Task{Item: it, Mode: plugin.Replication, Overwrite: overwrite}, From: l.from, To: l.to, Setting: l.setting}
}

func (l *lakes) mapped(content string) {
	l.Helper()
	file := filepath.Join(l.TempDir(), "ids.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		l.Fatal(err)
	}
	l.settings[setACLMap] = file
}

func (l *lakes) fill() {
	const acl = "user::rwx,user:aaa:r-x,user:zzz:rwx,group::r-x,mask::rwx,other::---"
	l.src.paths = map[string]*path{
		"dir":        {dir: true, owner: "aaa", group: "ggg", acl: acl, metadata: map[string]string{"hdi_isfolder": "true"}},
		"dir/sub":    {dir: true, owner: "aaa", group: "$superuser", acl: "user::rwx,group::r-x,other::---", metadata: map[string]string{"hdi_isfolder": "true"}},
		"dir/sub/f":  {content: "hello", owner: "zzz", group: "ggg", acl: acl},
		"dir-beside": {content: "x", owner: "aaa", group: "ggg", acl: "user::rw-,group::r--,other::---"},
	}
}

func TestDirectoriesAndTheirRights(t *testing.T) {
	t.Parallel()
	l := newLakes(t, false)
	l.fill()
	l.mapped(`{"aaa": "AAA", "ggg": "GGG"}`)
	parents := map[plugin.Key]plugin.Key{}
	warned := 0
	for _, it := range l.items() {
		parents[it.Key] = it.Parent
		if c, err := l.part.Compare(t.Context(), l.job(it, false)); err != nil || c.State != plugin.Missing {
			t.Errorf("Compare %s before: %+v, %v", it.Key, c, err)
		}
		saved := 0
		j := l.job(it, false)
		j.Save = func([]byte) error { saved++; return nil }
		out, err := l.part.Replicate(t.Context(), j)
		if err != nil || out.Status != plugin.Created || saved != 1 {
			t.Errorf("%s: %+v, %d checkpoints, %v", it.Key, out, saved, err)
		}
		warned += len(out.Warnings)
	}
	want := map[plugin.Key]plugin.Key{
		"blobs/files/dir": "containers/files", "blobs/files/dir/sub": "blobs/files/dir", "blobs/files/dir/sub/f": "blobs/files/dir/sub", "blobs/files/dir-beside": "containers/files",
	}
	if diff := cmp.Diff(want, parents); diff != "" {
		t.Errorf("parents (-want +got)\n%s", diff)
	}
	if warned != 2 {
		t.Errorf("%d warnings, want one for each path with an ID that has no counterpart", warned)
	}
	const acl = "user::rwx,user:AAA:r-x,group::r-x,mask::rwx,other::---"
	for name, want := range map[string]path{
		"dir": {dir: true, owner: "AAA", group: "GGG", acl: acl}, "dir/sub": {dir: true, owner: "AAA", group: "$superuser", acl: "user::rwx,group::r-x,other::---"},
		"dir/sub/f": {content: "hello", owner: "$superuser", group: "GGG", acl: acl}, "dir-beside": {content: "x", owner: "AAA", group: "GGG", acl: "user::rw-,group::r--,other::---"},
	} {
		got := l.dst.paths[name]
		if got == nil || got.dir != want.dir || got.content != want.content || got.owner != want.owner || got.group != want.group || got.acl != want.acl {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	l.dst.log = nil
	for _, it := range l.items() {
		if out, err := l.part.Replicate(t.Context(), l.job(it, true)); err != nil || out.Status != plugin.Unchanged {
			t.Errorf("%s, a second time: %+v, %v", it.Key, out, err)
		}
		if c, err := l.part.Compare(t.Context(), l.job(it, false)); err != nil || c.State != plugin.Same {
			t.Errorf("Compare %s: %+v, %v", it.Key, c, err)
		}
	}
	if len(l.dst.log) > 0 {
		t.Errorf("a second time writes %v", l.dst.log)
	}
}

func TestRightsThatDiffer(t *testing.T) {
	t.Parallel()
	l := newLakes(t, false)
	l.fill()
	l.mapped(`{"aaa": "AAA", "ggg": "GGG", "zzz": "ZZZ"}`)
	for _, it := range l.items() {
		if _, err := l.part.Replicate(t.Context(), l.job(it, false)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range l.dst.paths {
		p.owner = "somebody"
	}
	for _, it := range l.items() {
		if c, err := l.part.Compare(t.Context(), l.job(it, false)); err != nil || !slices.Equal(c.Fields, []string{"access control"}) {
			t.Errorf("Compare %s: %+v, %v", it.Key, c, err)
		}
		if _, err := l.part.Replicate(t.Context(), l.job(it, false)); errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v", it.Key, err)
		}
		resumed := l.job(it, false)
		resumed.Checkpoint = []byte(begun)
		if out, err := l.part.Replicate(t.Context(), resumed); err != nil || out.Status != plugin.Updated {
			t.Errorf("%s, begun by an earlier attempt: %+v, %v", it.Key, out, err)
		}
	}
}

func TestDirectoriesWithoutAHierarchy(t *testing.T) {
	t.Parallel()
	l := newLakes(t, true)
	l.fill()
	for _, it := range l.items() {
		if out, err := l.part.Replicate(t.Context(), l.job(it, false)); err != nil || out.Status != plugin.Created {
			t.Errorf("%s: %+v, %v", it.Key, out, err)
		}
	}
	if p := l.dst.paths["dir/sub"]; p == nil || p.dir || p.content != "" || p.metadata["hdi_isfolder"] != "true" {
		t.Errorf("a directory became %+v", p)
	}
	for _, it := range l.items() {
		if out, err := l.part.Replicate(t.Context(), l.job(it, false)); err != nil || out.Status != plugin.Unchanged {
			t.Errorf("%s, a second time: %+v, %v", it.Key, out, err)
		}
	}
}

func TestABlobInTheWayOfADirectory(t *testing.T) {
	t.Parallel()
	l := newLakes(t, false)
	l.fill()
	l.dst.paths["dir"] = &path{content: "not a directory", etag: 1}
	it := l.items()[0]
	if c, err := l.part.Compare(t.Context(), l.job(it, false)); err != nil || !slices.Equal(c.Fields, []string{"kind"}) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := l.part.Replicate(t.Context(), l.job(it, true)); errs.KindOf(err) != errs.Conflict || errs.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	file := filepath.Join(t.TempDir(), "nowhere")
	for name, value := range map[string]string{setACLMap: file, setSingle: "all"} {
		bad := newLakes(t, false)
		bad.settings[name] = value
		var failed error
		listing := part.Listing{Source: bad.from, Mode: plugin.Replication, Setting: bad.setting}
		bad.part.Discover(t.Context(), listing, func(_ plugin.Item, err error) bool { failed = err; return true })
		if errs.KindOf(failed) != errs.Invalid {
			t.Errorf("%s=%s: %v", name, value, failed)
		}
	}
}
