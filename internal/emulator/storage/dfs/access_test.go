package dfs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/filesystem"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/service"

	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
)

// list is the access control list of a path.
func (l *lab) list(fs *filesystem.Client, path string) string {
	l.Helper()
	r, err := fs.NewDirectoryClient(path).GetAccessControl(l.Context(), nil)
	l.ok(err)
	return *r.ACL
}

// TestAccessControl sets, changes and inherits owners and lists.
func TestAccessControl(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	d := fs.NewDirectoryClient("d")
	_, err := d.Create(t.Context(), &directory.CreateOptions{Permissions: ptr("0777"), Umask: ptr("0022"), Owner: ptr("o1"), Group: ptr("g1")})
	l.ok(err)
	r, err := d.GetAccessControl(t.Context(), nil)
	l.ok(err)
	if *r.Permissions != "rwxr-xr-x" || *r.Owner != "o1" || *r.Group != "g1" {
		t.Errorf("made with rules: %s %s %s", *r.Permissions, *r.Owner, *r.Group)
	}
	const acl = "user::rwx,user:u1:r-x,group::r-x,mask::r-x,other::---,default:user::rwx,default:user:u1:rwx,default:group::r-x,default:mask::rwx,default:other::---"
	_, err = d.SetAccessControl(t.Context(), &directory.SetAccessControlOptions{ACL: ptr(acl), Owner: ptr("o2")})
	l.ok(err)
	if got := l.list(fs, "d"); got != acl {
		t.Errorf("set: %s", got)
	}
	l.write(fs, "d/sub/f", "x")
	if got := l.list(fs, "d/sub"); got != strings.Replace(acl, "user:u1:r-x,group::r-x,mask::r-x", "user:u1:rwx,group::r-x,mask::rwx", 1) {
		t.Errorf("a directory inherits %s", got)
	}
	if got := l.list(fs, "d/sub/f"); got != "user::rw-,user:u1:rwx,group::r-x,mask::rw-,other::---" {
		t.Errorf("a file inherits %s", got)
	}
	p, err := fs.NewFileClient("d/sub/f").GetAccessControl(t.Context(), nil)
	l.ok(err)
	if *p.Group != "g1" || *p.Owner != "$superuser" || *p.Permissions != "rw-rw----+" {
		t.Errorf("owner %s, group %s, %s", *p.Owner, *p.Group, *p.Permissions)
	}
	_, err = d.SetAccessControl(t.Context(), &directory.SetAccessControlOptions{Permissions: ptr("rwx--x--T")})
	l.ok(err)
	r, err = d.GetAccessControl(t.Context(), nil)
	l.ok(err)
	if *r.Permissions != "rwx--x--T+" || *r.Owner != "o2" {
		t.Errorf("chmod: %s of %s", *r.Permissions, *r.Owner)
	}
	root := fs.NewDirectoryClient("")
	_, err = root.SetAccessControl(t.Context(), &directory.SetAccessControlOptions{ACL: ptr("user::rwx,group::r-x,other::--x,default:user::rwx,default:group::---,default:other::---")})
	l.ok(err)
	l.write(fs, "top", "")
	if got := l.list(fs, "top"); got != "user::rw-,group::---,other::---" {
		t.Errorf("below the root: %s", got)
	}
}

// TestRecursive changes a tree page by page.
func TestRecursive(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	for i := range 5 {
		l.write(fs, fmt.Sprintf("d/sub%d/f", i), "x")
	}
	l.write(fs, "d-beside", "x")
	d := fs.NewDirectoryClient("d")
	r, err := d.UpdateAccessControlRecursive(t.Context(), "user:u:r-x,default:user:u:rwx", &directory.UpdateAccessControlRecursiveOptions{BatchSize: ptr[int32](4)})
	l.ok(err)
	if *r.DirectoriesSuccessful != 6 || *r.FilesSuccessful != 5 || *r.FailureCount != 0 { // the SDK asks for all pages
		t.Errorf("%d directories, %d files", *r.DirectoriesSuccessful, *r.FilesSuccessful)
	}
	next, done := "", 0
	for {
		status, h, text := l.raw("PATCH", l.signed("docs/d?action=setAccessControlRecursive&mode=modify&maxRecords=4&continuation="+query(next)), "", map[string]string{"x-ms-acl": "user:u:r-x,default:user:u:rwx"})
		if status != 200 {
			t.Fatal(text)
		}
		done++
		if next = h.Get("X-Ms-Continuation"); next == "" {
			break
		}
	}
	if done != 3 {
		t.Errorf("%d pages, want 3 for 11 paths", done)
	}
	if got := l.list(fs, "d/sub4"); got != "user::rwx,user:u:r-x,group::r-x,mask::r-x,other::---,default:user::rwx,default:user:u:rwx,default:group::r-x,default:mask::rwx,default:other::---" {
		t.Errorf("a directory has %s", got)
	}
	if got := l.list(fs, "d/sub4/f"); got != "user::rw-,user:u:r-x,group::r--,mask::r-x,other::---" {
		t.Errorf("a file has %s", got)
	}
	if got := l.list(fs, "d-beside"); got != "user::rw-,group::r--,other::---" {
		t.Errorf("beside it: %s", got)
	}
	_, err = d.RemoveAccessControlRecursive(t.Context(), "user:u,mask,default:user:u,default:mask", nil)
	l.ok(err)
	if got := l.list(fs, "d/sub4"); got != "user::rwx,group::r-x,other::---,default:user::rwx,default:group::r-x,default:other::---" {
		t.Errorf("removed: %s", got)
	}
	_, err = d.SetAccessControlRecursive(t.Context(), "user::rwx,group::r--,other::r--", nil)
	l.ok(err)
	if a, b := l.list(fs, "d"), l.list(fs, "d/sub1/f"); a != "user::rwx,group::r--,other::r--" || a != b {
		t.Errorf("set: %s and %s", a, b)
	}
}

// scene is a lake in which who has no role is in some lists.
const scene = `"containers":[{"name":"docs","directories":[
	{"path":"/","acl":"user::rwx,group::r-x,other::--x"},
	{"path":"open","acl":"user::rwx,user:` + plainID + `:r-x,group::---,other::---","defaultAcl":"user:` + plainID + `:r--,mask::rwx"},
	{"path":"open/sub","permissions":"rwx------"},
	{"path":"drop","owner":"` + plainID + `","group":"gg","permissions":"0700","metadata":{"k":"v"}},
	{"path":"shut","permissions":"0700"},
	{"path":"tmp","permissions":"1777"}],
	"blobs":[{"name":"open/r","content":"readable","acl":"user::rw-,user:` + plainID + `:r--,group::---,mask::r--,other::---"},
	{"name":"open/w","content":"masked","acl":"user::rw-,user:` + plainID + `:rw-,group::---,mask::r--,other::---"},
	{"name":"open/sub/x","content":"behind","permissions":"0666"},
	{"name":"shut/x","content":"behind","permissions":"0666"},
	{"name":"tmp/theirs","content":"t"},
	{"name":"tmp/mine","content":"m","owner":"` + plainID + `"},
	{"name":"drop/mine","content":"m","owner":"` + plainID + `"}]}]`

// TestLists: roles give nothing here, the lists alone decide, by path and by blob.
func TestLists(t *testing.T) {
	t.Parallel()
	l := newLab(t, scene)
	me := l.withToken("docs", plainApp)
	const no = "AuthorizationPermissionMismatch"
	read := func(path string) error {
		r, err := me.NewFileClient(path).DownloadStream(t.Context(), nil) // of the blob service
		if err == nil {
			_ = r.Body.Close()
		}
		return err
	}
	l.want("a file with an entry", read("open/r"), "")
	l.want("a file behind a directory that lets nobody pass", read("open/sub/x"), no)
	l.want("another", read("shut/x"), no)
	l.want("what is not there", read("open/none"), "PathNotFound")
	_, err := me.NewFileClient("open/w").AppendData(t.Context(), 6, body("x"), nil)
	l.want("what the mask takes", err, no)
	_, err = me.NewFileClient("open/new").Create(t.Context(), nil)
	l.want("a directory without w", err, no)
	_, err = me.NewFileClient("drop/new").Create(t.Context(), nil)
	l.want("one's own directory", err, "")
	_, err = me.NewFileClient("drop/mine").Delete(t.Context(), nil)
	l.want("delete in it", err, "")
	_, err = me.NewFileClient("open/r").Delete(t.Context(), nil)
	l.want("delete elsewhere", err, no)
	_, err = me.NewFileClient("drop/new").Rename(t.Context(), "open/new", nil)
	l.want("move where one may not write", err, no)
	_, err = me.NewFileClient("drop/new").Rename(t.Context(), "drop/newer", nil)
	l.want("move at home", err, "")
	list := func(dir string) error {
		_, err := me.NewListPathsPager(false, &filesystem.ListPathsOptions{Prefix: &dir}).NextPage(t.Context())
		return err
	}
	l.want("list", list("open"), "")
	l.want("list without r", list("shut"), no)
	_, err = me.NewListPathsPager(true, &filesystem.ListPathsOptions{Prefix: ptr("open")}).NextPage(t.Context())
	l.want("list what is below, which is shut", err, no)
	_, err = me.NewListPathsPager(true, &filesystem.ListPathsOptions{Prefix: ptr("tmp")}).NextPage(t.Context())
	l.want("list what is below", err, "")
	_, err = me.NewFileClient("tmp/theirs").Delete(t.Context(), nil)
	l.want("delete another's under a sticky bit", err, no)
	_, err = me.NewFileClient("tmp/theirs").Rename(t.Context(), "tmp/x", nil)
	l.want("move another's under a sticky bit", err, no)
	_, err = me.NewFileClient("tmp/mine").Rename(t.Context(), "tmp/x", nil)
	l.want("move one's own", err, "")
	_, err = me.NewFileClient("tmp/x").Delete(t.Context(), nil)
	l.want("delete one's own", err, "")
	_, err = me.NewFileClient("open/r").GetAccessControl(t.Context(), nil)
	l.want("look at a list", err, "")
	_, err = me.NewFileClient("drop/newer").SetAccessControl(t.Context(), &file.SetAccessControlOptions{Permissions: ptr("0640")})
	l.want("chmod of one's own", err, "")
	_, err = me.NewFileClient("drop/newer").SetAccessControl(t.Context(), &file.SetAccessControlOptions{Owner: ptr("x")})
	l.want("giving away", err, no)
	_, err = me.NewFileClient("open/r").SetAccessControl(t.Context(), &file.SetAccessControlOptions{Permissions: ptr("0666")})
	l.want("chmod of another's", err, no)
	all := l.withToken("docs", owner)
	if got := l.read(all, "shut/x"); got != "behind" {
		t.Errorf("the data owner reads %q", got)
	}
	_, err = all.NewFileClient("own").Create(t.Context(), nil)
	l.ok(err)
	p, err := all.NewFileClient("own").GetAccessControl(t.Context(), nil)
	l.ok(err)
	if *p.Owner != scenario.ContosoObject || *p.Group != "$superuser" {
		t.Errorf("made with a token: %s %s", *p.Owner, *p.Group)
	}
}

// TestContributor: who may write everywhere is no super user: rights are the owner's to
// give.
func TestContributor(t *testing.T) {
	t.Parallel()
	l := newLab(t, scene)
	fs := l.withToken("docs", writerApp)
	const no = "AuthorizationPermissionMismatch"
	if got := l.read(fs, "shut/x"); got != "behind" {
		t.Errorf("reads %q", got)
	}
	chmod := func(path string) error {
		_, err := fs.NewFileClient(path).SetAccessControl(t.Context(), &file.SetAccessControlOptions{Permissions: ptr("0640")})
		return err
	}
	l.want("another's", chmod("shut/x"), no)
	l.write(fs, "shut/own", "x")
	l.want("one's own", chmod("shut/own"), "")
	_, err := fs.NewFileClient("shut/own").SetAccessControl(t.Context(), &file.SetAccessControlOptions{Owner: ptr(plainID)})
	l.want("given away", err, no)
	_, err = fs.NewFileClient("shut/x").Rename(t.Context(), "open/x", nil)
	l.want("move", err, "")
	_, err = fs.NewDirectoryClient("shut").UpdateAccessControlRecursive(t.Context(), "user:u:r-x", nil)
	l.want("a directory that is another's", err, no)
	_, err = fs.NewDirectoryClient("mine").Create(t.Context(), nil)
	l.ok(err)
	l.write(l.withToken("docs", owner), "mine/theirs", "x")
	r, err := fs.NewDirectoryClient("mine").UpdateAccessControlRecursive(t.Context(), "user:u:r-x", nil)
	l.ok(err)
	if *r.DirectoriesSuccessful != 1 || *r.FailureCount != 1 || len(r.FailedEntries) != 1 || *r.FailedEntries[0].Name != "mine/theirs" || *r.FailedEntries[0].Type != "FILE" {
		t.Errorf("a tree that is partly another's: %+v", r)
	}
}

// TestScenario: what a scenario says of directories is there, and shown.
func TestScenario(t *testing.T) {
	t.Parallel()
	l := newLab(t, scene)
	got := l.objects()
	d := got["blobs/docs/drop"]
	if d.Kind != "directory" || d.Fields["owner"] != plainID || d.Fields["group"] != "gg" || d.Fields["permissions"] != "rwx------" || d.Fields["acl"] != "user::rwx,group::---,other::---" || d.Fields["metadata"] != "hdi_isfolder=true\nk=v" {
		t.Errorf("directory: %+v", d)
	}
	if f := got["blobs/docs/open/r"]; f.Kind != "blob" || f.Fields["permissions"] != "rw-r-----+" || f.Fields["content"] != "readable" {
		t.Errorf("file: %+v", f)
	}
	if c := got["containers/docs"]; c.Fields["acl"] != "user::rwx,group::r-x,other::--x" {
		t.Errorf("root: %+v", c)
	}
	for name, data := range map[string]string{
		"directory without a path":      `"containers":[{"name":"docs","directories":[{"path":""}]}]`,
		"directory twice":               `"containers":[{"name":"docs","directories":[{"path":"a"},{"path":"a/"}]}]`,
		"list that is none":             `"containers":[{"name":"docs","directories":[{"path":"a","acl":"everybody"}]}]`,
		"permissions that are none":     `"containers":[{"name":"docs","directories":[{"path":"a","permissions":"7"}]}]`,
		"blob below a blob":             `"containers":[{"name":"docs","blobs":[{"name":"a"},{"name":"a/b"}]}]`,
		"blob in place of a directory":  `"containers":[{"name":"docs","directories":[{"path":"a"}],"blobs":[{"name":"a"}]}]`,
		"generated blobs":               `"virtual":{"container":"docs","count":1}`,
		"default list of a file":        `"containers":[{"name":"docs","blobs":[{"name":"a","defaultAcl":"user::rwx"}]}]`,
		"an unknown member of a folder": `"containers":[{"name":"docs","directories":[{"path":"a","mode":"7"}]}]`,
	} {
		id, err := l.emu.Principal("contoso")
		l.ok(err)
		fresh := newLab(t, "")
		err = fresh.emu.Seed("/subscriptions/"+id.SubscriptionID+"/resourceGroups/rg-contoso/providers/Microsoft.Storage/storageAccounts/"+lake, []byte("{"+data+"}"))
		if err == nil {
			t.Errorf("%s is taken", name)
		}
		flatly := fresh.emu.Seed("/subscriptions/"+id.SubscriptionID+"/resourceGroups/rg-contoso/providers/Microsoft.Storage/storageAccounts/"+flat, []byte(`{"containers":[{"name":"docs","directories":[{"path":"a"}]}]}`))
		if flatly == nil {
			t.Error("an account without a hierarchy takes directories")
		}
	}
}

// TestSignatures: of a directory, of the account, of a delegated key; and what is missing.
func TestSignatures(t *testing.T) {
	t.Parallel()
	l := newLab(t, scene)
	cred, err := azdatalake.NewSharedKeyCredential(lake, key(lake))
	l.ok(err)
	later := l.now().Add(time.Hour)
	sign := func(dir, permissions string) *filesystem.Client {
		p, err := sas.DatalakeSignatureValues{FileSystemName: "docs", DirectoryPath: dir, Permissions: permissions, ExpiryTime: later}.SignWithSharedKey(cred)
		l.ok(err)
		return l.bare(url(lake, "dfs") + "docs?" + p.Encode())
	}
	read := func(fs *filesystem.Client, path string) error {
		_, err := fs.NewFileClient(path).GetAccessControl(t.Context(), nil)
		return err
	}
	const no = "AuthorizationPermissionMismatch"
	l.want("directory", read(sign("open", "re"), "open/r"), "")
	l.want("deep in it", read(sign("open", "re"), "open/sub/x"), "")
	l.want("beside it", read(sign("open", "re"), "shut/x"), "AuthenticationFailed")
	l.want("list alone", read(sign("open", "l"), "open/r"), no)
	_, err = sign("open", "r").NewFileClient("open/r").Delete(t.Context(), nil)
	l.want("read alone", err, no)
	_, err = sign("open", "racwdlmeop").NewFileClient("open/r").Rename(t.Context(), "open/r2", nil)
	l.want("rename in it", err, "")
	_, err = sign("", "rp").NewFileClient("open/r2").SetAccessControl(t.Context(), &file.SetAccessControlOptions{Permissions: ptr("0640")})
	l.want("permissions", err, "")
	_, err = sign("", "rp").NewFileClient("open/r2").SetAccessControl(t.Context(), &file.SetAccessControlOptions{Owner: ptr("x")})
	l.want("owner without o", err, no)

	svc, err := service.NewClient(url(lake, "dfs"), l.token(owner), &service.ClientOptions{ClientOptions: l.options()})
	l.ok(err)
	info := service.KeyInfo{Start: ptr(l.now().UTC().Format(sas.TimeFormat)), Expiry: ptr(later.UTC().Format(sas.TimeFormat))}
	udc, err := svc.GetUserDelegationCredential(t.Context(), info, nil)
	l.ok(err)
	p, err := sas.DatalakeSignatureValues{FileSystemName: "docs", DirectoryPath: "open", Permissions: "rle", ExpiryTime: later}.SignWithUserDelegation(udc)
	l.ok(err)
	l.want("delegated", read(l.bare(url(lake, "dfs")+"docs?"+p.Encode()), "open/w"), "")
	l.want("delegated, elsewhere", read(l.bare(url(lake, "dfs")+"docs?"+p.Encode()), "shut/x"), "AuthenticationFailed")
}
