package storage

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/filesystem"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Object IDs of two tenants; dave has no counterpart.
const (
	aliceThere, alice = "a1a1a1a1-0000-4000-8000-000000000001", "b1b1b1b1-0000-4000-8000-000000000001"
	staffThere, staff = "a2a2a2a2-0000-4000-8000-000000000002", "b2b2b2b2-0000-4000-8000-000000000002"
	dave              = "a3a3a3a3-0000-4000-8000-000000000003"
)

// hierarchical is an account with a hierarchical namespace.
func hierarchical(data string) side {
	return side{data: data, properties: map[string]any{"isHnsEnabled": true}}
}

// lakeData is a file system with nested directories, access and default lists and owners.
const lakeData = `{"containers":[{"name":"lake","directories":[
	{"path":"/","owner":"` + aliceThere + `","acl":"user::rwx,group::r-x,other::--x,default:user::rwx,default:group::r-x,default:other::---"},
	{"path":"raw","owner":"` + aliceThere + `","group":"` + staffThere + `","metadata":{"stage":"one"},
	 "acl":"user::rwx,user:` + dave + `:rwx,group::r-x,group:` + staffThere + `:rwx,mask::rwx,other::---,default:user::rwx,default:group::r-x,default:group:` + staffThere + `:rwx,default:mask::rwx,default:other::---"},
	{"path":"raw/2026/01","permissions":"rwxrwx--x"},
	{"path":"raw/empty","owner":"` + dave + `","permissions":"rwxr-x--T"},
	{"path":"raw-beside","group":"` + staffThere + `"}],
	"blobs":[
	{"name":"raw/2026/01/a.csv","content":"a,b","contentType":"text/csv","metadata":{"rows":"1"},"owner":"` + aliceThere + `"},
	{"name":"raw/2026/b c.csv","content":"c","acl":"user::rw-,user:` + aliceThere + `:r--,group::---,mask::r--,other::---"},
	{"name":"raw-beside/grosse Straße","size":70000,"seed":3,"blockSize":30000},
	{"name":"top","content":"top","permissions":"0600"},
	{"name":"log","type":"append","content":"line"}]}]}`

// root is the item of the file system's root directory, which is there with the container.
const root = plugin.Key("blobs/lake//")

// mapping writes a map of object IDs.
func (l *lab) mapping(text string) string {
	l.Helper()
	file := filepath.Join(l.TempDir(), "ids.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
	return file
}

// identities maps all that has a counterpart.
func (l *lab) identities() string {
	return l.mapping(`{"` + strings.ToUpper(aliceThere) + `":"` + alice + `","` + staffThere + `":"` + staff + `"}`)
}

// paths lists a file system through the SDK of paths, with each path's list.
func (l *lab) paths(e plugin.Endpoint, name string) map[string]string {
	l.Helper()
	c, err := filesystem.NewClient("https://"+e.Resource.Name+".dfs.core.windows.net/"+name, e.Credential, &filesystem.ClientOptions{
		ClientOptions: policy.ClientOptions{Transport: &http.Client{Transport: l.Transport()}},
	})
	if err != nil {
		l.Fatal(err)
	}
	out := map[string]string{}
	for pager := c.NewListPathsPager(true, nil); pager.More(); {
		page, err := pager.NextPage(l.Context())
		if err != nil {
			l.Fatal(err)
		}
		for _, p := range page.Paths {
			kind := "file"
			if p.IsDirectory != nil && *p.IsDirectory {
				kind = "directory"
			}
			r, err := c.NewDirectoryClient(*p.Name).GetAccessControl(l.Context(), nil)
			if err != nil {
				l.Fatal(err)
			}
			out[*p.Name] = strings.Join([]string{kind, *p.Owner, *p.Group, *p.Permissions, *r.ACL}, " ")
		}
	}
	return out
}

// counterpart is what a path of the source is to be at the target.
func counterpart(text string) string {
	text = strings.NewReplacer(aliceThere, alice, staffThere, staff).Replace(text)
	text = strings.ReplaceAll(text, "user:"+dave+":rwx,", "")
	return strings.ReplaceAll(text, "directory "+dave, "directory "+alice)
}

func TestLake(t *testing.T) {
	t.Parallel()
	l := newLab(t, hierarchical(lakeData), hierarchical(""))
	r := blobs("acl-map", l.identities())
	out := l.all(r)
	warned := 0
	for key, o := range out {
		if want := plugin.Created; o.Status != want && key != root {
			t.Errorf("%s: %+v", key, o)
		}
		warned += len(o.Warnings)
	}
	if len(out) != 12 || warned != 3 { // dave stands in raw's list and owns raw/empty, which has a sticky bit
		t.Errorf("%d items, %d warnings", len(out), warned)
	}
	got, want := l.paths(l.target, "lake"), l.paths(l.source, "lake")
	for name, text := range want {
		want[name] = counterpart(text)
	}
	// Who has no counterpart is nobody at the target: the path stays with who made it.
	want["raw/empty"] = strings.Replace(strings.ReplaceAll(want["raw/empty"], alice, l.me("fabrikam")), "--T+", "---+", 1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got)\n%s", diff)
	}
	if c := l.rootOf(l.target); out[root].Status != plugin.Updated || c["owner"] != alice || c["acl"] != l.rootOf(l.source)["acl"] {
		t.Errorf("root directory: %+v %v", out[root], c)
	}
	src, dst := l.objects(l.source), l.objects(l.target)
	for key := range src {
		for _, f := range []string{"owner", "group", "permissions", "acl"} {
			delete(src[key], f)
			delete(dst[key], f)
		}
	}
	if diff := cmp.Diff(src, dst); diff != "" {
		t.Errorf("objects (-source +target)\n%s", diff)
	}
	l.calls.take()
	for key, o := range l.all(r.over()) {
		if o.Status != plugin.Unchanged {
			t.Errorf("%s, a second time: %+v", key, o)
		}
	}
	for _, it := range l.items(r) {
		if c := l.compare(r, it.Key); c.State != plugin.Same {
			t.Errorf("%s: %+v", it.Key, c)
		}
	}
	for _, what := range l.calls.take() {
		if !strings.Contains(what, " GET") && !strings.Contains(what, " HEAD") && !strings.Contains(what, "POST userdelegationkey") {
			t.Errorf("a second time sends %s", what)
		}
	}
}

// rootOf are owner and list of the root directory.
func (l *lab) rootOf(e plugin.Endpoint) map[string]string {
	l.Helper()
	return l.objects(e)["containers/lake"]
}

// me is the object ID of a tenant's principal.
func (l *lab) me(tenant string) string {
	l.Helper()
	who, err := l.Principal(tenant)
	if err != nil {
		l.Fatal(err)
	}
	return who.ObjectID
}

// TestLakeInOrder: a directory comes before what is in it, is missing before, and its
// rights are this program's to set from the moment it is made.
func TestLakeInOrder(t *testing.T) {
	t.Parallel()
	l := newLab(t, hierarchical(lakeData), hierarchical(""))
	r := blobs("acl-map", l.identities())
	parents := map[plugin.Key]plugin.Key{}
	seen := map[plugin.Key]bool{}
	for _, it := range l.items(r) {
		if it.Parent != "" && !seen[it.Parent] {
			t.Errorf("%s comes before %s", it.Key, it.Parent)
		}
		seen[it.Key] = true
		if c := l.compare(r, it.Key); c.State != plugin.Missing && it.Key != root {
			t.Errorf("Compare %s before: %+v", it.Key, c)
		}
		saved := 0
		task := l.task(r, it)
		task.Save = func([]byte) error { saved++; return nil }
		if _, err := l.plugin.Replicate(t.Context(), task); err != nil {
			t.Errorf("%s: %v", it.Key, err)
		}
		if it.Kind != "container" && it.Key != root && saved == 0 {
			t.Errorf("%s: no checkpoint", it.Key)
		}
		parents[it.Key] = it.Parent
	}
	for key, want := range map[plugin.Key]plugin.Key{
		"blobs/lake/raw": "containers/lake", "blobs/lake/raw/2026/01": "blobs/lake/raw/2026", "blobs/lake/raw/2026/01/a.csv": "blobs/lake/raw/2026/01",
		"blobs/lake/raw-beside": "containers/lake", "blobs/lake/top": "containers/lake",
	} {
		if parents[key] != want {
			t.Errorf("%s is in %s, want %s", key, parents[key], want)
		}
	}
	for name, value := range map[string]string{"acl-map": filepath.Join(t.TempDir(), "nowhere"), "acl-map ": l.mapping("[]"), "single-mib": "all"} {
		_, failed := blobs(strings.TrimSpace(name), value).list(l, "")
		if len(failed) != 1 || errs.KindOf(failed[0]) != errs.Invalid {
			t.Errorf("%s=%s: %v", name, value, failed)
		}
	}
}

// TestLakeGoesOn: a listing that goes on behind an item has the rest and nothing twice.
func TestLakeGoesOn(t *testing.T) {
	t.Parallel()
	l := newLab(t, hierarchical(lakeData), hierarchical(""))
	r := blobs("acl-map", l.identities())
	all := l.items(r)
	for i, it := range all {
		rest, failed := r.list(l, it.Cursor)
		if len(failed) > 0 || !slices.EqualFunc(rest, all[i+1:], func(a, b plugin.Item) bool { return a.Key == b.Key }) {
			t.Errorf("behind %s: %d items, want %d; %v", it.Key, len(rest), len(all)-i-1, failed)
		}
	}
}

func TestLakeWithoutAMap(t *testing.T) {
	t.Parallel()
	l := newLab(t, hierarchical(lakeData), hierarchical(""))
	l.all(blobs())
	for name, text := range l.paths(l.target, "lake") {
		if strings.Contains(text, aliceThere) || strings.Contains(text, dave) || strings.Contains(text, staffThere) {
			t.Errorf("%s: an ID of the source's tenant came along: %s", name, text)
		}
	}
	for key, o := range l.all(blobs()) {
		if o.Status != plugin.Unchanged {
			t.Errorf("%s, a second time: %+v", key, o)
		}
	}
}

// TestLakeThatDiffers: rights that are another's are a conflict, those of a cut run are
// set, and with leave all are.
func TestLakeThatDiffers(t *testing.T) {
	t.Parallel()
	l := newLab(t, hierarchical(lakeData), hierarchical(`{"containers":[{"name":"lake","directories":[{"path":"/","permissions":"0700"},{"path":"raw","owner":"somebody","metadata":{"stage":"one"}}],"blobs":[{"name":"raw-beside","content":"in the way"}]}]}`))
	r := blobs("acl-map", l.identities())
	const dir, way = plugin.Key("blobs/lake/raw"), plugin.Key("blobs/lake/raw-beside")
	if c := l.compare(r, dir); !slices.Equal(c.Fields, []string{"access control"}) {
		t.Errorf("%+v", c)
	}
	if err := l.refused(r, dir); err.Kind != errs.Conflict {
		t.Errorf("%v", err)
	}
	begun := l.task(r, l.item(r, dir))
	begun.Checkpoint = []byte(`{"begun":true}`)
	if out, err := l.plugin.Replicate(t.Context(), begun); err != nil || out.Status != plugin.Updated {
		t.Errorf("begun by an earlier attempt: %+v, %v", out, err)
	}
	if err := l.refused(r, root); err.Kind != errs.Conflict {
		t.Errorf("a root directory that somebody set: %v", err)
	}
	if out, err := l.replicate(r.over(), root); err != nil || out.Status != plugin.Updated {
		t.Errorf("a root directory with leave: %+v, %v", out, err)
	}
	if c := l.compare(r, dir); c.State != plugin.Same {
		t.Errorf("after that: %+v", c)
	}
	if c := l.compare(r, way); !slices.Contains(c.Fields, "kind") {
		t.Errorf("a blob in the way: %+v", c)
	}
	if err := l.refused(r.over(), way); err.Kind != errs.Conflict || err.Hint == "" {
		t.Errorf("a blob in the way: %v", err)
	}
	if err := l.refused(r.over(), "blobs/lake/raw-beside/grosse Straße"); err.Kind != errs.Conflict {
		t.Errorf("below a blob in the way: %v", err)
	}
}

// TestLakeToFlat: directories become empty blobs that say so; owners and lists do not come
// along, which is said.
func TestLakeToFlat(t *testing.T) {
	t.Parallel()
	l := newLab(t, hierarchical(lakeData), side{})
	r := blobs("acl-map", l.identities())
	for key, o := range l.all(r) {
		said := slices.ContainsFunc(o.Warnings, func(w string) bool { return strings.Contains(w, "owner and access control list") })
		switch {
		case key == root:
			if o.Status != plugin.Skipped || o.Reason == "" {
				t.Errorf("%s: %+v", key, o)
			}
		case o.Status != plugin.Created || said != strings.HasPrefix(string(key), "blobs/"):
			t.Errorf("%s: %+v", key, o)
		}
	}
	got := l.objects(l.target)
	if d := got["blobs/lake/raw"]; d["size"] != "0" || d["metadata"] != "hdi_isfolder=true\nstage=one" {
		t.Errorf("a directory became %v", d)
	}
	if f := got["blobs/lake/raw/2026/01/a.csv"]; f["content"] != "a,b" || f["metadata"] != "rows=1" || f["contentType"] != "text/csv" {
		t.Errorf("a file became %v", f)
	}
	if c := l.compare(r, root); c.State != plugin.Cannot {
		t.Errorf("root directory: %+v", c)
	}
	for key, o := range l.all(r) {
		if o.Status != plugin.Unchanged && key != root {
			t.Errorf("%s, a second time: %+v", key, o)
		}
	}
}

// flatData has what a hierarchy has no place for.
const flatData = `{"containers":[{"name":"lake","blobs":[
	{"name":"dir","content":"","metadata":{"hdi_isfolder":"true","k":"v"}},
	{"name":"dir/f","content":"f","tags":{"t":"1"}},
	{"name":"lone/","content":""},
	{"name":"twice//f","content":"x"},
	{"name":"both","content":"a file"},
	{"name":"both/f","content":"below it"},
	{"name":"disk","type":"page","size":512}]}]}`

// TestFlatToLake: names that say directories become ones; what cannot be in a hierarchy is
// skipped or refused, each with its reason.
func TestFlatToLake(t *testing.T) {
	t.Parallel()
	l := newLab(t, side{data: flatData}, hierarchical(""))
	r := blobs()
	for _, key := range []plugin.Key{"containers/lake", "blobs/lake/dir/f", "blobs/lake/dir", "blobs/lake/both"} {
		if out, err := l.replicate(r, key); err != nil || out.Status == plugin.Skipped {
			t.Errorf("%s: %+v, %v", key, out, err)
		}
	}
	for _, key := range []plugin.Key{"blobs/lake/lone/", "blobs/lake/twice//f", "blobs/lake/disk"} {
		if out, err := l.replicate(r, key); err != nil || out.Status != plugin.Skipped || out.Reason == "" {
			t.Errorf("%s: %+v, %v", key, out, err)
		}
		if c := l.compare(r, key); c.State != plugin.Cannot || c.Reason == "" {
			t.Errorf("%s: %+v", key, c)
		}
	}
	if err := l.refused(r.over(), "blobs/lake/both/f"); err.Kind != errs.Conflict || err.Hint == "" {
		t.Errorf("below a file: %v", err)
	}
	got := l.objects(l.target)
	if d := got["blobs/lake/dir"]; d["permissions"] != "rwxr-x---" || d["metadata"] != "hdi_isfolder=true\nk=v" {
		t.Errorf("a directory: %v", d)
	}
	if f := got["blobs/lake/dir/f"]; f["content"] != "f" || f["tags"] != "" {
		t.Errorf("a file: %v", f)
	}
	for _, key := range []plugin.Key{"blobs/lake/dir/f", "blobs/lake/dir", "blobs/lake/both"} {
		if out, err := l.replicate(r, key); err != nil || out.Status != plugin.Unchanged {
			t.Errorf("%s, a second time: %+v, %v", key, out, err)
		}
		if c := l.compare(r, key); c.State != plugin.Same {
			t.Errorf("%s: %+v", key, c)
		}
	}
}
