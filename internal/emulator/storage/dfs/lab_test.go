package dfs_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/filesystem"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/service"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The accounts: one with a hierarchy and one without, and who has no role at all, and who
// may write but is no super user.
const (
	lake, flat = "lakeacct", "flatacct"
	plainID    = "c0000000-0000-4000-8000-0000000000aa"
	plainApp   = "c0000000-0000-4000-8000-0000000000ab"
	writerID   = "c0000000-0000-4000-8000-0000000000ba"
	writerApp  = "c0000000-0000-4000-8000-0000000000bb"
	owner      = "" // the scenario's own principal, who owns all data
	secret     = "a secret of the test"
)

func key(account string) string {
	return base64.StdEncoding.EncodeToString([]byte("the first key of " + account))
}

// lab is an emulator with both accounts.
type lab struct {
	testing.TB
	emu *emulator.Emulator

	mu sync.Mutex
	at time.Time
}

// newLab starts an emulator; data is that of the lake.
func newLab(tb testing.TB, data string) *lab {
	tb.Helper()
	l := &lab{TB: tb, at: time.Now().UTC()}
	s := scenario.Default()
	t := &s.Tenants[0]
	for _, name := range []string{lake, flat} {
		r := scenario.Resource{
			Type: "Microsoft.Storage/storageAccounts", Name: name, Kind: "StorageV2", SKU: map[string]any{"name": "Standard_LRS"},
			Properties: map[string]any{"isHnsEnabled": name == lake}, Data: fmt.Appendf(nil, `{"accountKeys":[%q]}`, key(name)),
		}
		if name == lake && data != "" {
			r.Data = fmt.Appendf(nil, `{"accountKeys":[%q],%s}`, key(name), data)
		}
		t.Subscriptions[0].ResourceGroups[0].Resources = append(t.Subscriptions[0].ResourceGroups[0].Resources, r)
	}
	t.Principals = append(t.Principals,
		scenario.Principal{AppID: plainApp, ObjectID: plainID, Name: "plain", Secret: secret},
		scenario.Principal{AppID: writerApp, ObjectID: writerID, Name: "writer", Secret: secret})
	scope := "/subscriptions/" + t.Subscriptions[0].ID
	t.RoleAssignments = append(t.RoleAssignments,
		scenario.RoleAssignment{Principal: t.Principals[0].Name, Role: "Storage Blob Data Owner", Scope: scope},
		scenario.RoleAssignment{Principal: "writer", Role: "Storage Blob Data Contributor", Scope: scope})
	emu, err := emulator.Start(emulator.Options{Scenario: s, Clock: l.now})
	l.ok(err)
	tb.Cleanup(func() { _ = emu.Close() })
	l.emu = emu
	return l
}

func (l *lab) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// pass lets time go by for the emulator.
func (l *lab) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = l.at.Add(d)
}

func (l *lab) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *lab) options() policy.ClientOptions {
	return policy.ClientOptions{Transport: &http.Client{Transport: l.emu.Transport()}, Retry: policy.RetryOptions{MaxRetries: -1}}
}

func url(account, kind string) string {
	return "https://" + account + "." + kind + ".core.windows.net/"
}

// service is a client with the account's key.
func (l *lab) service(account string) *service.Client {
	l.Helper()
	cred, err := azdatalake.NewSharedKeyCredential(account, key(account))
	l.ok(err)
	c, err := service.NewClientWithSharedKeyCredential(url(account, "dfs"), cred, &service.ClientOptions{ClientOptions: l.options()})
	l.ok(err)
	return c
}

// files makes a file system.
func (l *lab) files(account, name string) *filesystem.Client {
	l.Helper()
	c := l.service(account).NewFileSystemClient(name)
	_, err := c.Create(l.Context(), nil)
	l.ok(err)
	return c
}

// token signs in as an application.
func (l *lab) token(app string) azcore.TokenCredential {
	l.Helper()
	id, err := l.emu.Principal("contoso")
	l.ok(err)
	value := secret
	if app == owner {
		app, value = id.AppID, id.Secret
	}
	cred, err := azidentity.NewClientSecretCredential(id.TenantID, app, value, &azidentity.ClientSecretCredentialOptions{ClientOptions: l.options()})
	l.ok(err)
	return cred
}

func (l *lab) withToken(name, app string) *filesystem.Client {
	l.Helper()
	c, err := filesystem.NewClient(url(lake, "dfs")+name, l.token(app), &filesystem.ClientOptions{ClientOptions: l.options()})
	l.ok(err)
	return c
}

// bare is a client of a URL with a signature.
func (l *lab) bare(u string) *filesystem.Client {
	l.Helper()
	c, err := filesystem.NewClientWithNoCredential(u, &filesystem.ClientOptions{ClientOptions: l.options()})
	l.ok(err)
	return c
}

// blobs is the same container as the blob service has it.
func (l *lab) blobs(account, name string) *container.Client {
	l.Helper()
	cred, err := container.NewSharedKeyCredential(account, key(account))
	l.ok(err)
	c, err := container.NewClientWithSharedKeyCredential(url(account, "blob")+name, cred, &container.ClientOptions{ClientOptions: l.options()})
	l.ok(err)
	return c
}

// objects are those of the lake, by key.
func (l *lab) objects() map[string]wire.Object {
	l.Helper()
	id, err := l.emu.Principal("contoso")
	l.ok(err)
	list, err := l.emu.Objects("/subscriptions/" + id.SubscriptionID + "/resourceGroups/rg-contoso/providers/Microsoft.Storage/storageAccounts/" + lake)
	l.ok(err)
	out := map[string]wire.Object{}
	for _, o := range list {
		out[o.Key] = o
	}
	return out
}

// code is the error code of a refusal, "" for none.
func code(err error) string {
	var re *azcore.ResponseError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &re):
		return re.ErrorCode
	}
	return err.Error()
}

func (l *lab) want(what string, err error, want string) {
	l.Helper()
	if got := code(err); got != want {
		l.Errorf("%s: %q, want %q (%v)", what, got, want, err)
	}
}

// write makes a file as the SDK does: create, append, flush.
func (l *lab) write(fs *filesystem.Client, path, content string) {
	l.Helper()
	if content != "" {
		l.ok(l.tryWrite(fs, path, content))
		return
	}
	_, err := fs.NewFileClient(path).Create(l.Context(), nil)
	l.ok(err)
}

func (l *lab) read(fs *filesystem.Client, path string) string {
	l.Helper()
	r, err := fs.NewFileClient(path).DownloadStream(l.Context(), nil)
	l.ok(err)
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	l.ok(err)
	return string(text)
}

// paths lists names, those of directories with a slash behind.
func (l *lab) paths(fs *filesystem.Client, dir string, recursive bool, page int32) []string {
	l.Helper()
	opt := &filesystem.ListPathsOptions{}
	if dir != "" {
		opt.Prefix = &dir
	}
	if page > 0 {
		opt.MaxResults = &page
	}
	out := []string{}
	for pager := fs.NewListPathsPager(recursive, opt); pager.More(); {
		p, err := pager.NextPage(l.Context())
		l.ok(err)
		for _, path := range p.Paths {
			name := *path.Name
			if path.IsDirectory != nil && *path.IsDirectory {
				name += "/"
			}
			out = append(out, name)
		}
	}
	return out
}

func body(s string) io.ReadSeekCloser { return nopCloser{strings.NewReader(s)} }

type nopCloser struct{ io.ReadSeeker }

// Close implements io.Closer.
func (nopCloser) Close() error { return nil }

func ptr[T any](v T) *T { return &v }

// raw sends a request that a key signature over the whole account opens.
func (l *lab) raw(method, u, text string, header map[string]string) (int, http.Header, string) {
	l.Helper()
	r, err := http.NewRequestWithContext(l.Context(), method, u, strings.NewReader(text))
	l.ok(err)
	r.Header.Set("x-ms-version", "2023-11-03")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := (&http.Client{Transport: l.emu.Transport()}).Do(r)
	l.ok(err)
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	l.ok(err)
	return resp.StatusCode, resp.Header, string(out)
}
