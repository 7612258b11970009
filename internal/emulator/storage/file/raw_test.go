package file_test

import (
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/file"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kit"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/kittest"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	root := l.share(t, "docs").NewRootDirectoryClient()
	upload(t, root.NewFileClient("f"), "12345")
	if _, err := root.NewSubdirectoryClient("d").Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	h := func(s ...string) []string { return s }
	tests := []struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		{"PUT", "docs/a%3Ab?restype=directory", "", nil, 400, "InvalidResourceName"},
		{"PUT", "docs/" + strings.Repeat("n", 256) + "?restype=directory", "", nil, 400, "InvalidResourceName"},
		{"PUT", "docs/" + strings.Repeat("n/", 1025) + "x?restype=directory", "", nil, 400, "InvalidFileOrDirectoryPathName"},
		{"PUT", "docs/" + strings.Repeat("n/", 251) + "x?restype=directory", "", nil, 400, "InvalidFileOrDirectoryPathName"},
		{"PUT", "docs/d//x?restype=directory", "", nil, 400, "InvalidFileOrDirectoryPathName"},
		{"PUT", "docs?restype=directory", "", nil, 409, "ResourceAlreadyExists"},
		{"PUT", "docs/f/x?restype=directory", "", nil, 404, "ParentNotFound"},
		{"PUT", "docs/n?restype=directory", "", h("x-ms-file-attributes", "Big"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/n?restype=directory", "", h("x-ms-file-creation-time", "preserve"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/n?restype=directory", "", h("x-ms-file-permission", "nonsense"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/n?restype=directory", "", h("x-ms-file-permission", "O:G:D:"+strings.Repeat("x", 8<<10)), 400, "InvalidHeaderValue"},
		{"PUT", "docs/n?restype=directory", "", h("x-ms-file-permission-key", "1*2"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/n?restype=directory", "", h("x-ms-file-permission", "inherit", "x-ms-file-permission-key", "1*2"), 400, "InvalidInput"},
		{"PUT", "docs/n?restype=directory", "", h("x-ms-mode", "0755"), 400, "UnsupportedHeader"},
		{"PUT", "docs/n?restype=directory", "", h("x-ms-meta-a-b", "c"), 400, "InvalidMetadata"},
		{"GET", "docs/f?restype=directory", "", nil, 409, "ResourceTypeMismatch"},
		{"GET", "docs/f?restype=directory&comp=list", "", nil, 409, "ResourceTypeMismatch"},
		{"DELETE", "docs/f?restype=directory", "", nil, 409, "ResourceTypeMismatch"},
		{"DELETE", "docs?restype=directory", "", nil, 409, "CannotDeleteFileOrDirectory"},
		{"DELETE", "docs/none/x", "", nil, 404, "ParentNotFound"},
		{"DELETE", "docs/none", "", nil, 404, "ResourceNotFound"},
		{"DELETE", "docs/d", "", nil, 409, "ResourceTypeMismatch"},
		{"GET", "docs/d/x", "", nil, 404, "ResourceNotFound"},
		{"GET", "docs/", "", nil, 400, "InvalidQueryParameterValue"},
		{"HEAD", "docs", "", nil, 400, "InvalidQueryParameterValue"},
		{"GET", "docs/d?comp=rangelist", "", nil, 409, "ResourceTypeMismatch"},
		{"GET", "none/x", "", nil, 404, "ShareNotFound"},
		{"PUT", "docs/x", "", h("x-ms-type", "file"), 400, "MissingRequiredHeader"},
		{"PUT", "docs/x", "", h("x-ms-content-length", "5"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/x", "", h("x-ms-type", "file", "x-ms-content-length", "5000000000000"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/x", "123456", h("x-ms-type", "file", "x-ms-content-length", "5"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/x", "", h("x-ms-type", "file", "x-ms-content-length", "5", "x-ms-content-md5", "x"), 400, "InvalidMd5"},
		{"PUT", "docs/d", "", h("x-ms-type", "file", "x-ms-content-length", "5"), 409, "ResourceTypeMismatch"},
		{"PUT", "docs/f?comp=range", "", nil, 400, "MissingRequiredHeader"},
		{"PUT", "docs/f?comp=range", "", h("x-ms-range", "bytes=5-", "x-ms-write", "update"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?comp=range", "ab", h("x-ms-range", "bytes=0-3", "x-ms-write", "update"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?comp=range", "ab", h("x-ms-range", "bytes=0-1", "x-ms-write", "clear"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?comp=range", "ab", h("x-ms-range", "bytes=0-1", "x-ms-write", "append"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?comp=range", "ab", h("x-ms-range", "bytes=0-4194304", "x-ms-write", "update"), 413, "RequestBodyTooLarge"},
		{"PUT", "docs/f?comp=range", "ab", h("x-ms-range", "bytes=0-1", "x-ms-write", "update", "Content-MD5", "x"), 400, "InvalidMd5"},
		{"PUT", "docs/d?comp=range", "ab", h("x-ms-range", "bytes=0-1", "x-ms-write", "update"), 409, "ResourceTypeMismatch"},
		{"PUT", "docs/f?comp=range", "", h("x-ms-range", "bytes=0-1", "x-ms-write", "update", "x-ms-copy-source", "http://x"), 400, "MissingRequiredHeader"},
		{"PUT", "docs/f?comp=range", "", h("x-ms-range", "bytes=0-1", "x-ms-write", "update", "x-ms-copy-source", "http://x", "x-ms-source-range", "bytes=0-4"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?comp=range", "", h("x-ms-range", "bytes=0-1", "x-ms-write", "update", "x-ms-copy-source", "nowhere", "x-ms-source-range", "bytes=0-1"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?comp=range&sharesnapshot=2020", "", h("x-ms-range", "bytes=0-1"), 400, "InvalidQueryParameterValue"},
		{"GET", "docs/f", "", h("x-ms-range-get-content-md5", "true"), 400, "InvalidHeaderValue"},
		{"GET", "docs/f", "", h("x-ms-lease-id", "1"), 412, "LeaseNotPresentWithFileOperation"},
		{"GET", "docs/f?sharesnapshot=2020", "", nil, 404, "ShareSnapshotNotFound"},
		{"PUT", "docs/f?comp=lease", "", h("x-ms-lease-action", "renew"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?comp=lease", "", h("x-ms-lease-action", "acquire", "x-ms-lease-duration", "30"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/d?comp=lease", "", h("x-ms-lease-action", "acquire"), 409, "ResourceTypeMismatch"},
		{"PUT", "docs/none?comp=lease", "", h("x-ms-lease-action", "acquire"), 404, "ResourceNotFound"},
		{"PUT", "docs?restype=share&comp=lease", "", h("x-ms-lease-action", "acquire"), 400, "MissingRequiredHeader"},
		{"PUT", "docs?restype=share&comp=lease", "", h("x-ms-lease-action", "break", "x-ms-lease-break-period", "61"), 400, "InvalidHeaderValue"},
		{"PUT", "docs?restype=share&comp=filepermission", "{}", nil, 400, "InvalidInput"},
		{"PUT", "docs?restype=share&comp=filepermission", `{"permission":"x","format":"binary"}`, nil, 400, "InvalidInput"},
		{"GET", "docs?restype=share&comp=filepermission", "", nil, 400, "MissingRequiredHeader"},
		{"GET", "docs?restype=share&comp=filepermission", "", h("x-ms-file-permission-key", "1*2"), 400, "InvalidHeaderValue"},
		{"PUT", "docs?restype=share&comp=acl", "<x", nil, 400, "InvalidXmlDocument"},
		{"PUT", "docs?restype=share&comp=undelete", "", nil, 400, "MissingRequiredHeader"},
		{"PUT", "docs?restype=share&comp=properties", "", h("x-ms-access-tier", "Premium"), 400, "InvalidHeaderValue"},
		{"DELETE", "docs?restype=share", "", h("x-ms-delete-snapshots", "some"), 400, "InvalidHeaderValue"},
		{"PATCH", "docs/f", "", nil, 405, "UnsupportedHttpVerb"},
		{"GET", "?comp=list&maxresults=0", "", nil, 400, "OutOfRangeQueryParameterValue"},
		{"GET", "?comp=list&maxresults=x", "", nil, 400, "InvalidQueryParameterValue"},
		{"GET", "docs?restype=directory&comp=list&include=owner", "", nil, 400, "InvalidQueryParameterValue"},
		{"PUT", "?restype=service&comp=properties", "<x", nil, 400, "InvalidXmlDocument"},
		{"PUT", "docs/f?comp=properties", "", h("x-ms-content-length", "-1"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?restype=directory&comp=properties", "", nil, 409, "ResourceTypeMismatch"},
		{"PUT", "docs/f?restype=directory&comp=metadata", "", nil, 409, "ResourceTypeMismatch"},
		{"PUT", "docs/g?comp=rename", "", nil, 400, "MissingRequiredHeader"},
		{"PUT", "docs/g?comp=rename", "", h("x-ms-file-rename-source", "https://acct.file.core.windows.net/other/f"), 400, "InvalidHeaderValue"},
		{"PUT", "docs/g?comp=rename", "", h("x-ms-file-rename-source", "https://acct.file.core.windows.net/docs/d"), 409, "ResourceTypeMismatch"},
		{"PUT", "docs/f?comp=copy&copyid=1", "", nil, 400, "InvalidHeaderValue"},
		{"PUT", "docs/f?comp=forceclosehandles", "", nil, 400, "MissingRequiredHeader"},
		{"PUT", "docs/l?restype=symboliclink", "", nil, 400, "InvalidHeaderValue"},
		{"PUT", "docs/l?restype=hardlink", "", h("x-ms-file-target-file", "/f"), 400, "UnsupportedQueryParameter"},
	}
	for _, tc := range tests {
		a := l.Do(t, tc.method, host+tc.path, tc.body, append(h("x-ms-version", "2026-02-06"), tc.header...)...)
		if a.Status != tc.status || a.Header.Get("x-ms-error-code") != tc.code {
			t.Errorf("%s %.80s %.90v: %d %s, want %d %s", tc.method, tc.path, tc.header, a.Status, a.Body, tc.status, tc.code)
		}
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	upload(t, l.share(t, "docs").NewRootDirectoryClient().NewFileClient("f"), "12345")
	tests := []struct{ method, path, want string }{
		{"GET", "?comp=list", "shares/read|l|s|"},
		{"GET", "?restype=service&comp=properties", "read|r|s|"},
		{"PUT", "?restype=service&comp=properties", "write|w|s|"},
		{"PUT", "docs?restype=share", "shares/write|cw|c|docs/"},
		{"GET", "docs?restype=share", "shares/read|r|c|docs/"},
		{"GET", "docs?restype=share&comp=acl", "shares/read||c|docs/"},
		{"PUT", "docs?restype=share&comp=filepermission", "fileshares/files/modifypermissions/action|cw|c|docs/ writeFileBackupSemantics/action|cw|c|docs/"},
		{"PUT", "docs/d?restype=directory", "fileshares/files/write|cw|o|docs/d writeFileBackupSemantics/action|cw|o|docs/d"},
		{"GET", "docs?restype=directory&comp=list", "fileshares/files/read|l|c|docs/ readFileBackupSemantics/action|l|c|docs/"},
		{"GET", "docs/f", "fileshares/files/read|r|o|docs/f readFileBackupSemantics/action|r|o|docs/f"},
		{"PUT", "docs/f?comp=range", "fileshares/files/write|w|o|docs/f writeFileBackupSemantics/action|w|o|docs/f"},
		{"DELETE", "docs/f", "fileshares/files/delete|d|o|docs/f writeFileBackupSemantics/action|d|o|docs/f"},
	}
	for _, tc := range tests {
		l.Needs()
		l.Do(t, tc.method, host+tc.path, "")
		var got []string
		for _, n := range l.Needs() {
			where := ""
			if n.Container != "" {
				where = n.Container + "/" + n.Object
			}
			got = append(got, strings.TrimPrefix(n.Actions[0], "Microsoft.Storage/storageAccounts/fileServices/")+"|"+n.Letters+"|"+n.Type+"|"+where)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s %s asks for %v, want %s", tc.method, tc.path, got, tc.want)
		}
	}
	l.Deny(func(kit.Need) bool { return true })
	for _, tc := range tests {
		if a := l.Do(t, tc.method, host+tc.path, ""); a.Status != 403 {
			t.Errorf("%s %s without rights: %d", tc.method, tc.path, a.Status)
		}
	}
	l.Deny(nil)
	l.SignIn("Bearer")
	for intent, want := range map[string]string{"": "MissingRequiredHeader", "restore": "InvalidHeaderValue", "backup": ""} {
		var h []string
		if intent != "" {
			h = []string{"x-ms-file-request-intent", intent}
		}
		if a := l.Do(t, "GET", host+"docs?restype=directory&comp=list", "", h...); a.Header.Get("x-ms-error-code") != want {
			t.Errorf("a token with intent %q: %d %s", intent, a.Status, a.Body)
		}
	}
}

func TestTrailingDots(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	l.share(t, "docs")
	create := func(name string, header ...string) {
		t.Helper()
		if a := l.Do(t, "PUT", host+"docs/"+name, "", append([]string{"x-ms-type", "file", "x-ms-content-length", "0"}, header...)...); a.Status != 201 {
			t.Errorf("create %s: %d %s", name, a.Status, a.Body)
		}
	}
	create("one..")
	create("two.", "x-ms-allow-trailing-dot", "true")
	objs, err := l.Objects(kittest.Account("acct"))
	if err != nil || len(objs) != 3 || objs[1].Key != "shares/docs/one" || objs[2].Key != "shares/docs/two." {
		t.Errorf("objects: %v %v", objs, err)
	}
}

func TestSettingsAndContentInOneRequest(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{})
	l.share(t, "docs")
	a := l.Do(t, "PUT", host+"?restype=service&comp=properties", "<StorageServiceProperties><ProtocolSettings><SMB><Multichannel><Enabled>true</Enabled></Multichannel></SMB></ProtocolSettings></StorageServiceProperties>")
	b := l.Do(t, "GET", host+"?restype=service&comp=properties", "")
	if a.Status != 202 || !strings.Contains(b.Body, "<Multichannel><Enabled>true</Enabled></Multichannel>") || strings.Contains(b.Body, "Logging") {
		t.Errorf("settings: %d %s", a.Status, b.Body)
	}
	a = l.Do(t, "PUT", host+"docs/f", "12345", "x-ms-type", "file", "x-ms-content-length", "8")
	if b := l.Do(t, "GET", host+"docs/f", ""); a.Status != 201 || b.Body != "12345\x00\x00\x00" {
		t.Errorf("content with the request: %d %q", a.Status, b.Body)
	}
	if a := l.Do(t, "GET", host+"docs/f?comp=metadata", ""); a.Status != 200 || a.Body != "" {
		t.Errorf("metadata: %d %q", a.Status, a.Body)
	}
}

func TestSeed(t *testing.T) {
	t.Parallel()
	l := newLab(t, file.Options{Limits: true})
	l.kind = "FileStorage"
	acct := kittest.Account("acct")
	acct.Kind = "FileStorage"
	data := `{"queues":1,"discardWrites":true,"shares":[
		{"name":"docs","quota":5,"metadata":{"A":"b"},"policies":[{"id":"p","permission":"r"}],"snapshots":1,
		 "directories":[{"path":"x/y","attributes":"Hidden","created":"2020-01-02T03:04:05Z"}],
		 "files":[{"path":"x/y/f","content":"hello","attributes":"ReadOnly","permission":"` + sddl + `","contentType":"text/plain","md5":true,"metadata":{"k":"v"}},
		          {"path":"big","size":100000,"seed":0}],
		 "generate":{"count":5,"size":1000,"seed":3,"prefix":"gen","perDirectory":2}},
		{"name":"unix","protocol":"NFS","rootSquash":"RootSquash","tier":"Premium","files":[{"path":"a","content":"","mode":"0600","owner":"1","group":"2"},{"path":"l","link":"a"}]}]}`
	if err := l.Seed(acct, []byte(data), kittest.Start); err != nil {
		t.Fatal(err)
	}
	objs, err := l.Objects(acct)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range objs {
		f := o.Fields
		got[o.Key] = strings.Join([]string{o.Kind, f["attributes"], f["content"], f["size"], f["mode"], f["link"], f["permission"]}, "|")
		if strings.HasPrefix(o.Key, "shares/docs/big") && f["ranges"] != "" {
			t.Errorf("%s has ranges %s", o.Key, f["ranges"])
		}
	}
	for key, want := range map[string]string{
		"shares/docs/x/y":                  "directory|Hidden | Directory||||",
		"shares/docs/x/y/f":                "file|ReadOnly|hello|5|||" + sddl,
		"shares/unix/a":                    "file|||0|0600||",
		"shares/unix/l":                    "link||||0777|a|",
		"shares/docs/gen/000002/000000004": "file|Archive||1000|||",
	} {
		if !strings.HasPrefix(got[key], want) {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if objs[0].Fields["snapshots"] != "1" || objs[0].Fields["metadata"] != "a=b" || objs[0].Fields["quota"] != "5" {
		t.Errorf("share: %v", objs[0])
	}
	if a := l.Do(t, "PUT", host+"docs/big?comp=range", "abc", "x-ms-range", "bytes=0-2", "x-ms-write", "update"); a.Status != 201 || a.Header.Get("Content-MD5") == "" {
		t.Errorf("a write that is dropped: %d %s", a.Status, a.Body)
	}
	for _, bad := range []string{
		`{"shares":5}`, `{"shares":[{"nam":1}]}`, `{"shares":[{"name":"A"}]}`, `{"shares":[{"name":"abc","protocol":"FTP"}]}`, `{"shares":[{"name":"abc","files":[{"path":""}]}]}`,
		`{"shares":[{"name":"abc","files":[{"path":"l","link":"x"}]}]}`, `{"shares":[{"name":"docs","files":[{"path":"big/x"}]}]}`, `{"shares":[{"name":"abc","directories":[{"path":"d","attributes":"Big"}]}]}`,
		`{"shares":[{"name":"abc","policies":[{"id":""}]}]}`, `{"shares":[{"name":"abc","metadata":{"a-b":"c"}}]}`, `{"shares":[{"name":"abc","files":[{"path":"f","metadata":{"a-b":"c"}}]}]}`,
		`{"shares":[{"name":"unix","files":[{"path":"m","mode":"9"}]}]}`, `{"shares":[{"name":"unix","files":[{"path":"m","owner":"me"}]}]}`,
	} {
		if l.Seed(acct, []byte(bad), kittest.Start) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	status := 0
	for i := 0; i <= 1000 && status != 503; i++ {
		status = l.Do(t, "HEAD", host+"docs/big", "").Status
	}
	if status != 503 {
		t.Errorf("the 1,001st request of a second is answered with %d", status)
	}
	l.Drop(acct.ID)
	if objs, err := l.Objects(acct); err != nil || len(objs) != 0 {
		t.Errorf("objects of a dropped account: %v %v", objs, err)
	}
}
