package storage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

const someBlobs = `"containers":[{"name":"docs","publicAccess":"","policies":[{"id":"reader","expiry":"2099-01-01T00:00:00Z","permission":"rl"}],
	"blobs":[{"name":"a/b.txt","content":"hello"},{"name":"c.txt","content":"other"}]},
	{"name":"open","publicAccess":"container","blobs":[{"name":"x","content":"public"}]},
	{"name":"openblobs","publicAccess":"blob","blobs":[{"name":"x","content":"public"}]}]`

// TestAccountSAS signs with the SDK and changes what is signed.
func TestAccountSAS(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	cred, err := service.NewSharedKeyCredential(source, key(source))
	ok(t, err)
	sign := func(v sas.AccountSignatureValues) string {
		p, err := v.SignWithSharedKey(cred)
		ok(t, err)
		return blobURL(source) + "?" + p.Encode()
	}
	later := l.now().Add(time.Hour)
	all := (&sas.AccountPermissions{Read: true, Write: true, Delete: true, List: true, Create: true, Add: true, Tag: true}).String()
	types := (&sas.AccountResourceTypes{Service: true, Container: true, Object: true}).String()
	read := func(url string) error {
		_, err := text(t.Context(), l.bare(t, url).NewContainerClient("docs").NewBlobClient("a/b.txt"), nil)
		return err
	}
	for name, c := range map[string]struct {
		v    sas.AccountSignatureValues
		bend func(string) string
		want string
	}{
		"good":       {v: sas.AccountSignatureValues{Permissions: all, ResourceTypes: types, ExpiryTime: later}},
		"old":        {v: sas.AccountSignatureValues{Permissions: all, ResourceTypes: types, ExpiryTime: later, Version: "2020-12-06"}},
		"expired":    {v: sas.AccountSignatureValues{Permissions: all, ResourceTypes: types, ExpiryTime: l.now().Add(-time.Hour)}, want: "AuthenticationFailed"},
		"not yet":    {v: sas.AccountSignatureValues{Permissions: all, ResourceTypes: types, StartTime: later, ExpiryTime: later.Add(time.Hour)}, want: "AuthenticationFailed"},
		"no read":    {v: sas.AccountSignatureValues{Permissions: "l", ResourceTypes: types, ExpiryTime: later}, want: "AuthorizationPermissionMismatch"},
		"no objects": {v: sas.AccountSignatureValues{Permissions: all, ResourceTypes: "sc", ExpiryTime: later}, want: "AuthorizationResourceTypeMismatch"},
		"elsewhere":  {v: sas.AccountSignatureValues{Permissions: all, ResourceTypes: types, ExpiryTime: later, IPRange: sas.IPRange{Start: []byte{10, 0, 0, 1}}}, want: "AuthorizationSourceIPMismatch"},
		"here":       {v: sas.AccountSignatureValues{Permissions: all, ResourceTypes: types, ExpiryTime: later, IPRange: sas.IPRange{Start: []byte{203, 0, 113, 1}, End: []byte{203, 0, 113, 99}}}},
		"bent": {
			v:    sas.AccountSignatureValues{Permissions: "l", ResourceTypes: types, ExpiryTime: later},
			bend: func(s string) string { return strings.Replace(s, "sp=l", "sp=rl", 1) }, want: "AuthenticationFailed",
		},
		"queues only": {
			v:    sas.AccountSignatureValues{Permissions: all, ResourceTypes: types, ExpiryTime: later},
			bend: func(s string) string { return strings.Replace(s, "ss=b", "ss=q", 1) }, want: "AuthenticationFailed",
		},
	} {
		url := sign(c.v)
		if c.bend != nil {
			url = c.bend(url)
		}
		wantCode(t, name, read(url), c.want)
	}
}

// TestServiceSAS covers what a signature may be bound to.
func TestServiceSAS(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	cred, err := service.NewSharedKeyCredential(source, key(source))
	ok(t, err)
	later := l.now().Add(time.Hour)
	snap, err := l.withKey(t, source).NewContainerClient("docs").NewBlobClient("c.txt").CreateSnapshot(t.Context(), nil)
	ok(t, err)
	at, err := time.Parse(time.RFC3339Nano, *snap.Snapshot)
	ok(t, err)
	for name, c := range map[string]struct {
		v    sas.BlobSignatureValues
		path string
		want string
	}{
		"blob":            {sas.BlobSignatureValues{ContainerName: "docs", BlobName: "a/b.txt", Permissions: "r", ExpiryTime: later}, "docs/a/b.txt", ""},
		"blob, old":       {sas.BlobSignatureValues{ContainerName: "docs", BlobName: "a/b.txt", Permissions: "r", ExpiryTime: later, Version: "2020-12-06"}, "docs/a/b.txt", ""},
		"other blob":      {sas.BlobSignatureValues{ContainerName: "docs", BlobName: "a/b.txt", Permissions: "r", ExpiryTime: later}, "docs/c.txt", "AuthenticationFailed"},
		"container":       {sas.BlobSignatureValues{ContainerName: "docs", Permissions: "rl", ExpiryTime: later}, "docs/c.txt", ""},
		"other container": {sas.BlobSignatureValues{ContainerName: "docs", Permissions: "rl", ExpiryTime: later}, "open/x", "AuthenticationFailed"},
		"directory":       {sas.BlobSignatureValues{ContainerName: "docs", Directory: "a", Permissions: "r", ExpiryTime: later}, "docs/a/b.txt", ""},
		"write only":      {sas.BlobSignatureValues{ContainerName: "docs", BlobName: "a/b.txt", Permissions: "w", ExpiryTime: later}, "docs/a/b.txt", "AuthorizationPermissionMismatch"},
		"policy":          {sas.BlobSignatureValues{ContainerName: "docs", Identifier: "reader"}, "docs/c.txt", ""},
		"no policy":       {sas.BlobSignatureValues{ContainerName: "docs", Identifier: "nobody"}, "docs/c.txt", "AuthenticationFailed"},
		"policy twice":    {sas.BlobSignatureValues{ContainerName: "docs", Identifier: "reader", Permissions: "r"}, "docs/c.txt", "AuthenticationFailed"},
		"headers":         {sas.BlobSignatureValues{ContainerName: "docs", BlobName: "c.txt", Permissions: "r", ExpiryTime: later, ContentType: "text/x", CacheControl: "no-store", ContentDisposition: "d", ContentEncoding: "e", ContentLanguage: "l"}, "docs/c.txt", ""},
		"snapshot":        {sas.BlobSignatureValues{ContainerName: "docs", BlobName: "c.txt", SnapshotTime: at, Permissions: "r", ExpiryTime: later}, "docs/c.txt", ""},
	} {
		p, err := c.v.SignWithSharedKey(cred)
		ok(t, err)
		url := blobURL(source) + c.path + "?" + p.Encode()
		if !c.v.SnapshotTime.IsZero() {
			url += "&snapshot=" + *snap.Snapshot
		}
		r, err := l.bareBlob(t, url).DownloadStream(t.Context(), nil)
		wantCode(t, name, err, c.want)
		if err == nil {
			_ = r.Body.Close()
		}
		if name == "headers" && err == nil && (*r.ContentType != "text/x" || *r.CacheControl != "no-store" || *r.ContentLanguage != "l") {
			t.Errorf("headers: %v %v", *r.ContentType, *r.CacheControl)
		}
	}
}

// TestServiceSASOpensNoContainer: it is for blobs, and for lists of them.
func TestServiceSASOpensNoContainer(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	cred, err := service.NewSharedKeyCredential(source, key(source))
	ok(t, err)
	p, err := sas.BlobSignatureValues{ContainerName: "docs", Permissions: (&sas.ContainerPermissions{Read: true, Write: true, Create: true, Delete: true, List: true, Tag: true}).String(), ExpiryTime: l.now().Add(time.Hour)}.SignWithSharedKey(cred)
	ok(t, err)
	c := l.bare(t, blobURL(source)+"?"+p.Encode()).NewContainerClient("docs")
	_, err = c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Tags: true}}).NextPage(t.Context())
	ok(t, err)
	_, err = c.GetProperties(t.Context(), nil)
	wantCode(t, "properties", err, "AuthorizationFailure")
	_, err = c.SetMetadata(t.Context(), nil)
	wantCode(t, "metadata", err, "AuthorizationFailure")
	_, err = c.Delete(t.Context(), nil)
	wantCode(t, "delete", err, "AuthorizationFailure")
}

// TestUserDelegationSAS signs with a key that the service gives and takes it back.
func TestUserDelegationSAS(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	now := l.now()
	svc := l.withToken(t, source, "contoso")
	info := service.KeyInfo{Start: ptr(now.Format(sas.TimeFormat)), Expiry: ptr(now.Add(48 * time.Hour).Format(sas.TimeFormat))}
	udc, err := svc.GetUserDelegationCredential(t.Context(), info, nil)
	ok(t, err)
	sign := func(v sas.BlobSignatureValues) string {
		p, err := v.SignWithUserDelegation(udc)
		ok(t, err)
		return blobURL(source) + "docs/a/b.txt?" + p.Encode()
	}
	read := func(url string) error {
		_, err := text(t.Context(), l.bareBlob(t, url), nil)
		return err
	}
	good := sign(sas.BlobSignatureValues{ContainerName: "docs", BlobName: "a/b.txt", Permissions: "r", ExpiryTime: now.Add(time.Hour)})
	wantCode(t, "good", read(good), "")
	wantCode(t, "container", read(sign(sas.BlobSignatureValues{ContainerName: "docs", Permissions: "rl", ExpiryTime: now.Add(time.Hour)})), "")
	wantCode(t, "other blob", read(sign(sas.BlobSignatureValues{ContainerName: "docs", BlobName: "c.txt", Permissions: "r", ExpiryTime: now.Add(time.Hour)})), "AuthenticationFailed")
	wantCode(t, "no read", read(sign(sas.BlobSignatureValues{ContainerName: "docs", BlobName: "a/b.txt", Permissions: "w", ExpiryTime: now.Add(time.Hour)})), "AuthorizationPermissionMismatch")
	wantCode(t, "bent", read(strings.Replace(good, "skoid=c", "skoid=d", 1)), "AuthenticationFailed")
	_, err = svc.GetUserDelegationCredential(t.Context(), service.KeyInfo{Start: info.Start, Expiry: ptr(now.Add(8 * 24 * time.Hour).Format(sas.TimeFormat))}, nil)
	wantCode(t, "eight days", err, "InvalidXmlNodeValue")
	_, err = l.withKey(t, source).GetUserDelegationCredential(t.Context(), info, nil)
	wantCode(t, "by key", err, "AuthenticationFailed")

	sub, cred, opt := l.arm(t, "contoso")
	accounts := newAccounts(t, sub, cred, opt)
	_, err = accounts.RevokeUserDelegationKeys(t.Context(), group(source), source, nil)
	ok(t, err)
	wantCode(t, "revoked", read(good), "AuthenticationFailed")
}

// TestBearer: the token's tenant and the role assignments decide.
func TestBearer(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	_, err := text(t.Context(), l.withToken(t, source, "contoso").NewContainerClient("docs").NewBlobClient("a/b.txt"), nil)
	wantCode(t, "own tenant", err, "")
	_, err = text(t.Context(), l.withToken(t, source, "fabrikam").NewContainerClient("docs").NewBlobClient("a/b.txt"), nil)
	wantCode(t, "other tenant", err, "InvalidAuthenticationInfo")
	r := get(t, l, blobURL(source)+"docs/a/b.txt", http.Header{"Authorization": {"Bearer junk"}, "X-Ms-Version": {"2023-11-03"}})
	if r.StatusCode != http.StatusUnauthorized || !strings.Contains(r.Header.Get("Www-Authenticate"), "authorization_uri=https://login.microsoftonline.com/") {
		t.Errorf("junk: %d %v", r.StatusCode, r.Header)
	}
	r = get(t, l, blobURL(source)+"docs/a/b.txt", http.Header{"Authorization": {"Bearer junk"}})
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("token without a version: %d", r.StatusCode)
	}
}

func get(tb testing.TB, l *lab, url string, h http.Header) *http.Response {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, http.NoBody)
	ok(tb, err)
	r.Header = h
	resp, err := (&http.Client{Transport: l.emu.Transport()}).Do(r)
	ok(tb, err)
	_ = resp.Body.Close()
	return resp
}

// TestAnonymous: the account and the container must allow it.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, map[string]any{"allowBlobPublicAccess": true})
	c := l.bare(t, blobURL(source))
	list := func(name string) error {
		_, err := c.NewContainerClient(name).NewListBlobsFlatPager(nil).NextPage(t.Context())
		return err
	}
	read := func(name, b string) error {
		_, err := text(t.Context(), c.NewContainerClient(name).NewBlobClient(b), nil)
		return err
	}
	wantCode(t, "list of a public container", list("open"), "")
	wantCode(t, "blob of a public container", read("open", "x"), "")
	wantCode(t, "blob of public blobs", read("openblobs", "x"), "")
	wantCode(t, "list of public blobs", list("openblobs"), "ResourceNotFound")
	wantCode(t, "private", read("docs", "c.txt"), "NoAuthenticationInformation")
	if r := get(t, l, blobURL(source)+"docs/c.txt", nil); r.StatusCode != http.StatusNotFound {
		t.Errorf("private, as a browser asks: %d", r.StatusCode)
	}
	closed := newLab(t, someBlobs, nil)
	if r := get(t, closed, blobURL(source)+"open/x", nil); r.StatusCode != http.StatusConflict || r.Header.Get("X-Ms-Error-Code") != "PublicAccessNotPermitted" {
		t.Errorf("account without public access: %d", r.StatusCode)
	}
}

// TestNoSharedKey: an account may refuse its keys and what they sign.
func TestNoSharedKey(t *testing.T) {
	t.Parallel()
	l := newLab(t, "", map[string]any{"allowSharedKeyAccess": false})
	_, err := l.withKey(t, target).NewContainerClient("x12").Create(t.Context(), nil)
	wantCode(t, "key", err, "KeyBasedAuthenticationNotPermitted")
	cred, err := service.NewSharedKeyCredential(target, key(target))
	ok(t, err)
	p, err := sas.AccountSignatureValues{Permissions: "r", ResourceTypes: "sco", ExpiryTime: l.now().Add(time.Hour)}.SignWithSharedKey(cred)
	ok(t, err)
	_, err = l.bare(t, blobURL(target)+"?"+p.Encode()).GetProperties(t.Context(), nil)
	wantCode(t, "SAS", err, "KeyBasedAuthenticationNotPermitted")
	_, err = l.withToken(t, target, "fabrikam").NewContainerClient("x12").Create(t.Context(), nil)
	wantCode(t, "token", err, "")
}

// TestWrongKey is refused with the string that the service signed.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	l := newLab(t, "", nil)
	cred, err := service.NewSharedKeyCredential(source, key(target))
	ok(t, err)
	c, err := service.NewClientWithSharedKeyCredential(blobURL(source), cred, &service.ClientOptions{ClientOptions: l.options()})
	ok(t, err)
	_, err = c.GetProperties(t.Context(), nil)
	wantCode(t, "wrong key", err, "AuthenticationFailed")
	if !strings.Contains(err.Error(), "string to sign") {
		t.Error(err)
	}
	l.pass(time.Hour)
	_, err = l.withKey(t, source).GetProperties(t.Context(), nil)
	wantCode(t, "clock an hour off", err, "AuthenticationFailed")
}

// TestNetwork: who is not let in gets nothing, whatever he signs.
func TestNetwork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		properties map[string]any
		want       string
	}{
		"closed":     {map[string]any{"publicNetworkAccess": "Disabled"}, "AuthorizationFailure"},
		"denied":     {map[string]any{"networkAcls": map[string]any{"defaultAction": "Deny"}}, "AuthorizationFailure"},
		"other rule": {map[string]any{"networkAcls": map[string]any{"defaultAction": "Deny", "ipRules": []any{map[string]any{"value": "198.51.100.0/24"}}}}, "AuthorizationFailure"},
		"own rule":   {map[string]any{"networkAcls": map[string]any{"defaultAction": "Deny", "ipRules": []any{map[string]any{"value": "203.0.113.10"}}}}, ""},
	} {
		l := newLab(t, "", c.properties)
		_, err := l.withKey(t, source).GetProperties(t.Context(), nil)
		wantCode(t, name, err, c.want)
	}
}

// TestCreateOnly: the right to create is none to overwrite.
func TestCreateOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t, someBlobs, nil)
	cred, err := service.NewSharedKeyCredential(source, key(source))
	ok(t, err)
	p, err := sas.BlobSignatureValues{ContainerName: "docs", Permissions: "c", ExpiryTime: l.now().Add(time.Hour)}.SignWithSharedKey(cred)
	ok(t, err)
	cc, err := container.NewClientWithNoCredential(blobURL(source)+"docs?"+p.Encode(), &container.ClientOptions{ClientOptions: l.options()})
	ok(t, err)
	_, err = cc.NewBlockBlobClient("new").Upload(t.Context(), body("x"), &blockblob.UploadOptions{})
	wantCode(t, "new blob", err, "")
	_, err = cc.NewBlockBlobClient("new").Upload(t.Context(), body("y"), nil)
	wantCode(t, "again", err, "UnauthorizedBlobOverwrite")
}
