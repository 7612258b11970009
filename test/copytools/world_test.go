// Package copytools drives the emulator with AzCopy and rclone, the copy tools of other
// makers: unmodified, under Azure's true names, told of the emulator by environment
// variables alone. What they say they copied is read again with Azure's SDK.
package copytools

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// The accounts: three of contoso, two of fabrikam. The lakes have a hierarchical namespace.
const (
	source     = "contosodata"
	neighbour  = "contosoarchive"
	sourceLake = "contosolake"
	target     = "fabrikamdata"
	targetLake = "fabrikamlake"
)

// reader is a second principal of contoso: it may read blobs and nothing else.
const reader = "reader"

// box is what the source holds: a blob of every type, short ones, and one that takes
// several requests.
const box = `"containers":[{"name":"box","blobs":[
	{"name":"text","content":"hello world","contentType":"text/plain","contentLanguage":"en","cacheControl":"no-store","metadata":{"k":"v"},"tags":{"t":"1"}},
	{"name":"empty","content":""},
	{"name":"dir/big","size":20971521,"seed":3,"contentType":"application/x-big","metadata":{"a":"b"}},
	{"name":"dir/log","type":"append","content":"one\ntwo\n","contentType":"text/x-log","metadata":{"l":"1"}},
	{"name":"disk","type":"page","size":9437184,"ranges":[{"offset":512,"size":512,"seed":2},{"offset":8388608,"size":1536,"seed":5}],"contentType":"application/x-disk"}
]}],
"shares":[{"name":"files","quota":5,"files":[
	{"path":"d/e/one.txt","content":"a file","contentType":"text/plain","metadata":{"k":"v"}},
	{"path":"two.bin","size":6291456,"seed":9}
]}]`

// key is an account's first key.
func key(account string) string {
	return base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%-64s", "the first key of "+account)))
}

// world is an emulator with the accounts, and where programs find it.
type world struct {
	emu  *emulator.Emulator
	ca   string
	home string
}

// newWorld starts the emulator. Each tenant's principal may change its accounts' blobs
// and files, and holds no right in the other tenant.
func newWorld(t *testing.T) *world {
	t.Helper()
	s := scenario.Default()
	for i, accounts := range [][]string{{source, neighbour, sourceLake}, {target, targetLake}} {
		tn := &s.Tenants[i]
		group := &tn.Subscriptions[0].ResourceGroups[0]
		for _, name := range accounts {
			group.Resources = append(group.Resources, scenario.Resource{
				Type: "Microsoft.Storage/storageAccounts", Name: name, Kind: "StorageV2", SKU: map[string]any{"name": "Standard_LRS"},
				Properties: map[string]any{"isHnsEnabled": strings.HasSuffix(name, "lake")}, Data: holds(name),
			})
		}
		grant(tn, tn.Principals[0].Name, "Storage Blob Data Contributor")
		grant(tn, tn.Principals[0].Name, "Storage File Data Privileged Contributor")
	}
	contoso := &s.Tenants[0]
	contoso.Principals = append(contoso.Principals, scenario.Principal{
		AppID: "c0000000-0000-4000-8000-000000000005", ObjectID: "c0000000-0000-4000-8000-000000000006", Name: reader,
	})
	grant(contoso, reader, "Storage Blob Data Reader")
	emu, err := emulator.Start(emulator.Options{Scenario: s})
	must(t, err)
	t.Cleanup(func() { _ = emu.Close() })
	w := &world{emu: emu, home: t.TempDir()}
	w.ca, err = emu.CAFile(t.TempDir())
	must(t, err)
	return w
}

func grant(tn *scenario.Tenant, principal, role string) {
	tn.RoleAssignments = append(tn.RoleAssignments, scenario.RoleAssignment{Principal: principal, Role: role, Scope: "/subscriptions/" + tn.Subscriptions[0].ID})
}

// holds is the content of an account.
func holds(account string) json.RawMessage {
	content := `"containers":[{"name":"into"}],"shares":[{"name":"into","quota":5}]`
	if account == source {
		content = box
	}
	return fmt.Appendf(nil, `{"accountKeys":[%q],%s}`, key(account), content)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// principal returns a principal of a tenant by its name; of the name "" it is the first.
func (w *world) principal(t *testing.T, tenant, name string) emulator.Identity {
	t.Helper()
	all, err := w.emu.Principals(tenant)
	must(t, err)
	for _, id := range all {
		if name == "" || id.Name == name {
			return id
		}
	}
	t.Fatalf("%s has no principal %q", tenant, name)
	return emulator.Identity{}
}

func (w *world) options() policy.ClientOptions {
	return policy.ClientOptions{Transport: &http.Client{Transport: w.emu.Transport()}, Retry: policy.RetryOptions{MaxRetries: -1}}
}

func (w *world) credential(t *testing.T, tenant string) azcore.TokenCredential {
	t.Helper()
	id := w.principal(t, tenant, "")
	cred, err := azidentity.NewClientSecretCredential(id.TenantID, id.AppID, id.Secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: w.options()})
	must(t, err)
	return cred
}

// blobs is the SDK's client of an account, with the account's key.
func (w *world) blobs(t *testing.T, account string) *service.Client {
	t.Helper()
	cred, err := service.NewSharedKeyCredential(account, key(account))
	must(t, err)
	c, err := service.NewClientWithSharedKeyCredential(blobURL(account, ""), cred, &service.ClientOptions{ClientOptions: w.options()})
	must(t, err)
	return c
}

func blobURL(account, path string) string {
	return "https://" + account + ".blob.core.windows.net/" + path
}

func lakeURL(account, path string) string {
	return "https://" + account + ".dfs.core.windows.net/" + path
}

func fileURL(account, path string) string {
	return "https://" + account + ".file.core.windows.net/" + path
}

// program is a copy tool with an environment of its own.
type program struct {
	path string
	env  []string
	args []string // that every call ends with
}

// run calls the program and returns what it said, in whatever place.
func (p program) run(t *testing.T, args ...string) (said string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, append(args, p.args...)...)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// must calls the program, which must succeed and say all of want.
func (p program) must(t *testing.T, args []string, want ...string) string {
	t.Helper()
	said, ok := p.run(t, args...)
	if !ok {
		t.Fatalf("%s %s failed:\n%s", filepath.Base(p.path), strings.Join(args, " "), said)
	}
	for _, s := range want {
		if !strings.Contains(said, s) {
			t.Fatalf("%s %s does not say %q:\n%s", filepath.Base(p.path), strings.Join(args, " "), s, said)
		}
	}
	return said
}

// refused calls the program, which must fail, say why and not crash.
func (p program) refused(t *testing.T, args []string, want ...string) {
	t.Helper()
	said, ok := p.run(t, args...)
	if ok || strings.Contains(said, "goroutine ") {
		t.Errorf("%s %s: ok=%v\n%s", filepath.Base(p.path), strings.Join(args, " "), ok, said)
	}
	for _, s := range want {
		if !strings.Contains(said, s) {
			t.Errorf("%s %s does not say %q:\n%s", filepath.Base(p.path), strings.Join(args, " "), s, said)
		}
	}
}

// env are the variables that point a program at the emulator, signed in to a tenant.
func (w *world) env(t *testing.T, tenant string) []string {
	t.Helper()
	env, err := w.emu.Env(tenant, w.ca)
	must(t, err)
	return append(env, "PATH="+os.Getenv("PATH"), "HOME="+w.home, "LANG=C.UTF-8")
}

// tree writes a folder of files for a program to copy.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"one.txt": "one\n", "empty": "", "sub/two words.txt": "two\n", "sub/ünïcode.txt": "three\n", "sub/deep/big.bin": strings.Repeat("0123456789abcdef", 9<<16),
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

// sameTree compares two folders, file by file.
func sameTree(t *testing.T, want, got string) {
	t.Helper()
	a, b := files(t, want), files(t, got)
	for name, text := range a {
		if b[name] != text {
			t.Errorf("%s differs: %d bytes, want %d", name, len(b[name]), len(text))
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d files, want %d", len(b), len(a))
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(b)
		return err
	}))
	return out
}

// serverSide fails if contents went through the client, or nothing was written.
func (w *world) serverSide(t *testing.T) {
	t.Helper()
	if through := w.through(); len(through) > 0 {
		t.Errorf("contents went through the client:\n%s", strings.Join(through, "\n"))
	}
	if len(w.requests(http.MethodPut)) == 0 {
		t.Error("nothing was written")
	}
}

// through are the requests that carried contents of blobs and files.
func (w *world) through() (out []string) {
	for _, r := range w.emu.Requests() {
		if storage(r) && r.Status < http.StatusMultipleChoices && content(r) {
			out = append(out, fmt.Sprintf("%s %s: %d in, %d out", r.Method, address(r), r.In, r.Out))
		}
	}
	return out
}

// requests are the addresses of the requests for blobs and files with a method.
func (w *world) requests(method string) (out []string) {
	for _, r := range w.emu.Requests() {
		if storage(r) && r.Method == method {
			out = append(out, address(r))
		}
	}
	return out
}

func storage(r wire.Request) bool { return strings.HasSuffix(r.Host, ".core.windows.net") }

// address is a request's URL with no parameter but comp, which names its operation.
func address(r wire.Request) string {
	out := "https://" + r.Host + r.Path
	if q, err := url.ParseQuery(r.Query); err == nil && q.Has("comp") {
		out += "?comp=" + q.Get("comp")
	}
	return out
}

// content tells whether a request carries octets of blobs or files. Lists, also those of
// blocks, and keys are none.
func content(r wire.Request) bool {
	if r.Method == http.MethodGet {
		return r.Out > 0 && !strings.Contains(r.Query, "comp=")
	}
	return r.In > 0 && !strings.Contains(r.Query, "comp=blocklist") && !strings.Contains(r.Query, "comp=userdelegationkey")
}
