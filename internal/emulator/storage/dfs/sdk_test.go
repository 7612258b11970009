package dfs_test

import (
	"crypto/md5"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/filesystem"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/lease"
)

// TestFilesAndDirectories goes through a file's life by path.
func TestFilesAndDirectories(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	l.write(fs, "a/b/one.txt", "hello")
	l.write(fs, "a-b", "beside")
	_, err := fs.NewDirectoryClient("empty").Create(t.Context(), nil)
	l.ok(err)
	if got := l.paths(fs, "", true, 0); !slices.Equal(got, []string{"a/", "a/b/", "a/b/one.txt", "a-b", "empty/"}) {
		t.Errorf("recursive: %q", got)
	}
	if got := l.paths(fs, "", true, 2); !slices.Equal(got, []string{"a/", "a/b/", "a/b/one.txt", "a-b", "empty/"}) {
		t.Errorf("by pages of two: %q", got)
	}
	for _, page := range []int32{0, 1} {
		if got := l.paths(fs, "", false, page); !slices.Equal(got, []string{"a/", "a-b", "empty/"}) {
			t.Errorf("not recursive, %d: %q", page, got)
		}
	}
	if got := l.paths(fs, "a", false, 0); !slices.Equal(got, []string{"a/b/"}) {
		t.Errorf("below a: %q", got)
	}
	if got := l.read(fs, "a/b/one.txt"); got != "hello" {
		t.Errorf("content %q", got)
	}
	f := fs.NewFileClient("a/b/one.txt")
	_, err = f.SetMetadata(t.Context(), map[string]*string{"k": ptr("v")}, nil)
	l.ok(err)
	_, err = f.SetHTTPHeaders(t.Context(), file.HTTPHeaders{ContentType: ptr("text/plain")}, nil)
	l.ok(err)
	p, err := f.GetProperties(t.Context(), nil)
	l.ok(err)
	if *p.ContentType != "text/plain" || *p.ContentLength != 5 || p.Metadata["K"] == nil && p.Metadata["k"] == nil || *p.ResourceType != "file" || *p.Permissions != "rw-r-----" {
		t.Errorf("properties %+v", p)
	}
	d, err := fs.NewDirectoryClient("a").GetProperties(t.Context(), nil)
	l.ok(err)
	if *d.ResourceType != "directory" || *d.Permissions != "rwxr-x---" || *d.Owner != "$superuser" {
		t.Errorf("directory %+v", d)
	}
	_, err = f.Delete(t.Context(), nil)
	l.ok(err)
	_, err = fs.NewDirectoryClient("a").Delete(t.Context(), nil)
	l.ok(err)
	if got := l.paths(fs, "", true, 0); !slices.Equal(got, []string{"a-b", "empty/"}) {
		t.Errorf("in the end: %q", got)
	}
}

// TestAppend: data waits where it belongs until it is flushed.
func TestAppend(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	f := fs.NewFileClient("f")
	_, err := f.Create(t.Context(), nil)
	l.ok(err)
	add := func(at int64, s string) {
		_, err := f.AppendData(t.Context(), at, body(s), nil)
		l.ok(err)
	}
	flush := func(at int64, opt *file.FlushDataOptions) error {
		_, err := f.FlushData(t.Context(), at, opt)
		return err
	}
	add(5, "world")
	l.want("a gap", flush(10, nil), "InvalidFlushPosition")
	add(0, "hello")
	if got := l.read(fs, "f"); got != "" {
		t.Errorf("before the flush: %q", got)
	}
	l.want("too far", flush(11, nil), "InvalidFlushPosition")
	l.want("in the middle of an append", flush(3, nil), "InvalidFlushPosition")
	sum := md5.Sum([]byte("hello"))
	l.want("half of it", flush(5, &file.FlushDataOptions{RetainUncommittedData: ptr(true), HTTPHeaders: &file.HTTPHeaders{ContentMD5: sum[:], ContentType: ptr("text/plain")}}), "")
	if got := l.read(fs, "f"); got != "hello" {
		t.Errorf("half: %q", got)
	}
	p, err := f.GetProperties(t.Context(), nil)
	l.ok(err)
	if !slices.Equal(p.ContentMD5, sum[:]) || *p.ContentType != "text/plain" {
		t.Errorf("headers of the flush: %x %v", p.ContentMD5, *p.ContentType)
	}
	l.want("the rest", flush(10, nil), "")
	if got := l.read(fs, "f"); got != "helloworld" {
		t.Errorf("all: %q", got)
	}
	_, err = f.AppendData(t.Context(), 10, body("!"), &file.AppendDataOptions{Flush: ptr(true)})
	l.ok(err)
	if got := l.read(fs, "f"); got != "helloworld!" {
		t.Errorf("append and flush: %q", got)
	}
	_, err = f.Create(t.Context(), nil)
	l.ok(err)
	l.ok(f.UploadBuffer(t.Context(), []byte("another"), nil))
	if got := l.read(fs, "f"); got != "another" {
		t.Errorf("overwritten: %q", got)
	}
	_, err = l.blobs(lake, "docs").NewBlockBlobClient("byblob").Upload(t.Context(), body("x"), nil)
	l.ok(err)
	other := fs.NewFileClient("byblob")
	_, err = other.AppendData(t.Context(), 1, body("y"), nil)
	l.ok(err)
	_, err = other.FlushData(t.Context(), 2, nil)
	l.want("a blob's end", err, "InvalidFlushOperation")
	_, err = fs.NewFileClient("nowhere").AppendData(t.Context(), 0, body("y"), nil)
	l.want("no file", err, "PathNotFound")
}

// TestRename moves files and directories, within a file system and to another.
func TestRename(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs, other := l.files(lake, "docs"), l.files(lake, "more")
	for _, f := range []string{"a/b/one", "a/two", "a-b", "c/x"} {
		l.write(fs, f, f)
	}
	dir := func(name string) *directory.Client { return fs.NewDirectoryClient(name) }
	_, err := dir("empty").Create(t.Context(), nil)
	l.ok(err)
	rename := func(from, to string) error {
		_, err := dir(from).Rename(t.Context(), to, nil)
		return err
	}
	l.want("into itself", rename("a", "a/b/c"), "InvalidRenameSourcePath")
	l.want("from nowhere", rename("nowhere", "x"), "SourcePathNotFound")
	l.want("into nowhere", rename("a", "nowhere/a"), "RenameDestinationParentPathNotFound")
	l.want("onto a full directory", rename("a", "c"), "PathAlreadyExists")
	l.want("onto a file", rename("a", "a-b"), "InvalidSourceOrDestinationResourceType")
	l.want("a file onto a directory", rename("a-b", "empty"), "InvalidSourceOrDestinationResourceType")
	l.want("below a file", rename("a", "a-b/a"), "PathConflict")
	l.want("onto an empty directory", rename("a", "empty"), "")
	if got := l.paths(fs, "", true, 0); !slices.Equal(got, []string{"a-b", "c/", "c/x", "empty/", "empty/b/", "empty/b/one", "empty/two"}) {
		t.Errorf("after the rename: %q", got)
	}
	if got := l.read(fs, "empty/b/one"); got != "a/b/one" {
		t.Errorf("content %q", got)
	}
	_, err = fs.NewFileClient("a-b").Rename(t.Context(), "c/x", nil)
	l.ok(err)
	if got := l.read(fs, "c/x"); got != "a-b" {
		t.Errorf("overwritten: %q", got)
	}
	_, err = fs.NewFileClient("c/x").Rename(t.Context(), "c/y", &file.RenameOptions{
		SourceAccessConditions: &file.SourceAccessConditions{SourceModifiedAccessConditions: &file.SourceModifiedAccessConditions{SourceIfMatch: ptr(azcore.ETag(`"no"`))}},
	})
	l.want("another source", err, "SourceConditionNotMet")
	status, h, text := l.raw("PUT", l.signed("more/moved"), "", map[string]string{"x-ms-rename-source": "/docs/empty"})
	if status != 201 || h.Get("Etag") == "" {
		t.Errorf("to another file system: %d %s", status, text)
	}
	if got := l.paths(other, "", true, 0); !slices.Equal(got, []string{"moved/", "moved/b/", "moved/b/one", "moved/two"}) {
		t.Errorf("in the other file system: %q", got)
	}
	if got := l.paths(fs, "", true, 0); !slices.Equal(got, []string{"c/", "c/x"}) {
		t.Errorf("left behind: %q", got)
	}
}

// TestRefusals is the table of what is not done, and why.
func TestRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	l.write(fs, "dir/file", "x")
	star := azcore.ETagAny
	create := func(name string, cond bool) error {
		opt := &file.CreateOptions{}
		if cond {
			opt.AccessConditions = &file.AccessConditions{ModifiedAccessConditions: &file.ModifiedAccessConditions{IfNoneMatch: &star}}
		}
		_, err := fs.NewFileClient(name).Create(t.Context(), opt)
		return err
	}
	mkdir := func(name string, cond bool) error {
		opt := &directory.CreateOptions{}
		if cond {
			opt.AccessConditions = &directory.AccessConditions{ModifiedAccessConditions: &directory.ModifiedAccessConditions{IfNoneMatch: &star}}
		}
		_, err := fs.NewDirectoryClient(name).Create(t.Context(), opt)
		return err
	}
	l.want("a file that is there", create("dir/file", true), "PathAlreadyExists")
	l.want("a file over a directory", create("dir", false), "PathAlreadyExists")
	l.want("a file below a file", create("dir/file/x", false), "PathConflict")
	l.want("a directory that is there", mkdir("dir", true), "PathAlreadyExists")
	l.want("a directory that is there, again", mkdir("dir", false), "")
	l.want("a directory over a file", mkdir("dir/file", false), "PathAlreadyExists")
	l.want("a directory below a file", mkdir("dir/file/x", false), "PathConflict")
	_, err := fs.NewFileClient("nowhere").Delete(t.Context(), nil)
	l.want("delete nothing", err, "PathNotFound")
	_, err = fs.NewFileClient("nowhere").GetProperties(t.Context(), nil)
	l.want("properties of nothing", err, "PathNotFound") // the SDK translates what the blob service says
	_, err = fs.NewDirectoryClient("nowhere").GetAccessControl(t.Context(), nil)
	l.want("list of nothing", err, "PathNotFound")
	gone := l.service(lake).NewFileSystemClient("gone")
	_, err = gone.NewListPathsPager(true, nil).NextPage(t.Context())
	l.want("no file system", err, "FilesystemNotFound")
	_, err = fs.NewListPathsPager(true, &filesystem.ListPathsOptions{Prefix: ptr("nowhere")}).NextPage(t.Context())
	l.want("no directory", err, "PathNotFound")
	for name, c := range map[string]struct {
		method, path string
		header       map[string]string
		status       int
		code         string
	}{
		"directory that is full":    {"DELETE", "docs/dir?recursive=false", nil, 409, "DirectoryNotEmpty"},
		"no resource":               {"PUT", "docs/x", nil, 400, "MissingRequiredQueryParameter"},
		"strange resource":          {"PUT", "docs/x?resource=link", nil, 400, "InvalidQueryParameterValue"},
		"strange action":            {"PATCH", "docs/dir/file?action=truncate", nil, 400, "InvalidQueryParameterValue"},
		"no action":                 {"PATCH", "docs/dir/file", nil, 400, "MissingRequiredQueryParameter"},
		"no position":               {"PATCH", "docs/dir/file?action=flush", nil, 400, "MissingRequiredQueryParameter"},
		"recursive is no boolean":   {"GET", "docs?resource=filesystem&recursive=x", nil, 400, "InvalidQueryParameterValue"},
		"recursive is absent":       {"GET", "docs?resource=filesystem", nil, 400, "MissingRequiredQueryParameter"},
		"strange continuation":      {"GET", "docs?resource=filesystem&recursive=true&continuation=!", nil, 400, "InvalidQueryParameterValue"},
		"no results wanted":         {"GET", "docs?resource=filesystem&recursive=true&maxResults=0", nil, 400, "OutOfRangeQueryParameterValue"},
		"file system that is there": {"PUT", "docs?resource=filesystem", nil, 409, "FilesystemAlreadyExists"},
		"file system without name":  {"PUT", "UPPER?resource=filesystem", nil, 400, "InvalidResourceName"},
		"strange verb":              {"OPTIONS", "docs/dir", nil, 405, "UnsupportedHttpVerb"},
		"properties":                {"PUT", "docs/x?resource=file", map[string]string{"x-ms-properties": "k=!"}, 400, "InvalidHeaderValue"},
		"property without name":     {"PUT", "docs/x?resource=file", map[string]string{"x-ms-properties": "=dg=="}, 400, "InvalidPropertyName"},
		"permissions":               {"PUT", "docs/x?resource=file", map[string]string{"x-ms-permissions": "rwx"}, 400, "InvalidHeaderValue"},
		"list and permissions":      {"PATCH", "docs/dir?action=setAccessControl", map[string]string{"x-ms-permissions": "0750", "x-ms-acl": "user::rwx,group::r-x,other::---"}, 400, "InvalidHeaderValue"},
		"list without others":       {"PATCH", "docs/dir?action=setAccessControl", map[string]string{"x-ms-acl": "user::rwx"}, 400, "InvalidHeaderValue"},
		"default list of a file":    {"PATCH", "docs/dir/file?action=setAccessControl", map[string]string{"x-ms-acl": "user::rwx,group::r-x,other::---,default:user::rwx"}, 400, "InvalidHeaderValue"},
		"strange mode":              {"PATCH", "docs/dir?action=setAccessControlRecursive&mode=all", map[string]string{"x-ms-acl": "user::rwx"}, 400, "InvalidQueryParameterValue"},
		"source that is no path":    {"PUT", "docs/x", map[string]string{"x-ms-rename-source": "docs"}, 400, "InvalidSourceUri"},
		"read of a directory":       {"GET", "docs/dir", nil, 409, "OperationNotSupportedOnDirectory"},
		"length of a flush":         {"PATCH", "docs/dir/file?action=flush&position=1&body", nil, 400, "ContentLengthMustBeZero"},
		"expiry":                    {"PUT", "docs/x?resource=file", map[string]string{"x-ms-expiry-option": "Soon"}, 400, "InvalidHeaderValue"},
	} {
		text := ""
		if name == "length of a flush" {
			text = "x"
		}
		status, h, answer := l.raw(c.method, l.signed(c.path), text, c.header)
		if status != c.status || h.Get("X-Ms-Error-Code") != c.code || !errorBody(answer, c.code) {
			t.Errorf("%s: %d %s %s, want %d %s", name, status, h.Get("X-Ms-Error-Code"), answer, c.status, c.code)
		}
	}
}

// TestLease: who does not hold the lease does not write.
func TestLease(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	l.write(fs, "f", "x")
	f := fs.NewFileClient("f")
	pl, err := lease.NewPathClient(f, &lease.PathClientOptions{LeaseID: ptr("11111111-1111-4111-8111-111111111111")})
	l.ok(err)
	_, err = pl.AcquireLease(t.Context(), 15, nil)
	l.ok(err)
	_, err = f.AppendData(t.Context(), 1, body("y"), nil)
	l.want("without the lease", err, "LeaseIdMissing")
	with := &file.AppendDataOptions{LeaseAccessConditions: &file.LeaseAccessConditions{LeaseID: pl.LeaseID()}}
	_, err = f.AppendData(t.Context(), 1, body("y"), with)
	l.ok(err)
	with.LeaseAccessConditions.LeaseID = ptr("22222222-2222-4222-8222-222222222222")
	_, err = f.AppendData(t.Context(), 1, body("y"), with)
	l.want("with another", err, "LeaseIdMismatch")
	_, err = f.Rename(t.Context(), "g", nil)
	l.want("rename", err, "LeaseIdMissing")
	status, h, text := l.raw("POST", l.signed("docs/f"), "", map[string]string{"x-ms-lease-action": "renew", "x-ms-lease-id": *pl.LeaseID()})
	if status != 200 || h.Get("X-Ms-Lease-Id") == "" {
		t.Errorf("renewed by path: %d %s", status, text)
	}
	l.writesUnderLease(fs)
	l.pass(20 * time.Second)
	_, err = f.Rename(t.Context(), "g", nil)
	l.want("when it is over", err, "")
}

// writesUnderLease takes and gives back leases with the writes themselves.
func (l *lab) writesUnderLease(fs *filesystem.Client) {
	l.Helper()
	id := ptr("33333333-3333-4333-8333-333333333333")
	held := &file.LeaseAccessConditions{LeaseID: id}
	f := fs.NewFileClient("leased")
	_, err := f.Create(l.Context(), nil)
	l.ok(err)
	_, err = f.AppendData(l.Context(), 0, body("ab"), &file.AppendDataOptions{LeaseAction: ptr(file.LeaseActionAcquire), LeaseDuration: ptr[int64](15), ProposedLeaseID: id})
	l.ok(err)
	_, err = f.FlushData(l.Context(), 2, nil)
	l.want("flush without the lease of the append", err, "LeaseIdMissing")
	_, err = f.FlushData(l.Context(), 2, &file.FlushDataOptions{LeaseAction: ptr(file.LeaseActionRenew), AccessConditions: &file.AccessConditions{LeaseAccessConditions: held}})
	l.ok(err)
	_, err = f.AppendData(l.Context(), 2, body("c"), &file.AppendDataOptions{Flush: ptr(true), LeaseAction: ptr(file.LeaseActionRelease), LeaseAccessConditions: held})
	l.ok(err)
	_, err = f.AppendData(l.Context(), 3, body("d"), &file.AppendDataOptions{Flush: ptr(true), LeaseAction: ptr(file.LeaseActionAcquireRelease), LeaseDuration: ptr[int64](15), ProposedLeaseID: id})
	l.ok(err)
	_, err = f.AppendData(l.Context(), 4, body("e"), &file.AppendDataOptions{Flush: ptr(true)})
	l.want("when all is given back", err, "")
	if got := l.read(fs, "leased"); got != "abcde" {
		l.Errorf("content %q", got)
	}
	_, err = fs.NewFileClient("born").Create(l.Context(), &file.CreateOptions{ProposedLeaseID: id, LeaseDuration: ptr[int64](15)})
	l.ok(err)
	_, err = fs.NewFileClient("born").Delete(l.Context(), nil)
	l.want("a file that was made with a lease", err, "LeaseIdMissing")
}

// TestFilesystems makes, lists and describes them in this service's own words.
func TestFilesystems(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	for _, name := range []string{"one", "two", "three"} {
		status, h, text := l.raw("PUT", l.signed(name+"?resource=filesystem"), "", map[string]string{"x-ms-properties": "Kind=ZG9jcw=="})
		if status != 201 || h.Get("X-Ms-Namespace-Enabled") != "true" {
			t.Fatalf("%s: %d %s", name, status, text)
		}
	}
	status, h, _ := l.raw("HEAD", l.signed("one?resource=filesystem"), "", nil)
	if status != 200 || h.Get("X-Ms-Properties") != "kind=ZG9jcw==" || h.Get("X-Ms-Meta-Kind") != "" {
		t.Errorf("properties: %d %v", status, h)
	}
	status, _, _ = l.raw("PATCH", l.signed("one?resource=filesystem"), "", map[string]string{"x-ms-properties": "a=YQ==,b=Yg=="})
	_, h, _ = l.raw("HEAD", l.signed("one?resource=filesystem"), "", nil)
	if status != 200 || h.Get("X-Ms-Properties") != "a=YQ==,b=Yg==" {
		t.Errorf("set: %d %v", status, h)
	}
	status, h, text := l.raw("GET", l.signed("?resource=account&maxResults=2"), "", nil)
	if status != 200 || h.Get("X-Ms-Continuation") == "" || names(t, text) != "one three" {
		t.Errorf("first page: %d %s", status, text)
	}
	_, _, text = l.raw("GET", l.signed("?resource=account&continuation="+query(h.Get("X-Ms-Continuation"))), "", nil)
	if names(t, text) != "two" {
		t.Errorf("second page: %s", text)
	}
	_, _, text = l.raw("GET", l.signed("?resource=account&prefix=t"), "", nil)
	if names(t, text) != "three two" {
		t.Errorf("by prefix: %s", text)
	}
	status, _, _ = l.raw("DELETE", l.signed("one?resource=filesystem"), "", nil)
	if status != 202 {
		t.Errorf("deleted: %d", status)
	}
	status, _, text = l.raw("HEAD", l.signed("one?resource=filesystem"), "", nil)
	if status != 404 {
		t.Errorf("after that: %d %s", status, text)
	}
}

// TestExpiry: a file goes when its time is over.
func TestExpiry(t *testing.T) {
	t.Parallel()
	l := newLab(t, "")
	fs := l.files(lake, "docs")
	l.write(fs, "dir/f", "x")
	f := fs.NewFileClient("dir/f")
	_, err := f.SetExpiry(t.Context(), file.SetExpiryValues{ExpiryType: file.SetExpiryTypeRelativeToNow, ExpiresOn: "60000"}, nil)
	l.ok(err)
	p, err := f.GetProperties(t.Context(), nil)
	l.ok(err)
	if p.ExpiresOn == nil {
		t.Error("nothing says when")
	}
	l.pass(2 * time.Minute)
	if got := l.paths(fs, "", true, 0); !slices.Equal(got, []string{"dir/"}) {
		t.Errorf("after its time: %q", got)
	}
	_, err = f.GetProperties(t.Context(), nil)
	l.want("after its time", err, "PathNotFound")
	_, err = fs.NewDirectoryClient("dir").Delete(t.Context(), nil)
	l.ok(err)
}
