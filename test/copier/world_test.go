//go:build unix

package copier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/test/components"
)

// childVar makes this test binary the program under test.
const childVar = "ATG_COPIER_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		app := &cli.App{
			IO: cli.SystemIO(), Version: "copier-test",
			Registry: func() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) },
		}
		os.Exit(app.Run(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

const (
	source = "stcontosocopier"
	target = "stfabrikamcopier"

	// What the source holds: a container, small blobs and four others.
	small = 200
	all   = 1 + small + 4
	total = small*1024 + 20_000_000 + 9_000_000 + 1024 + 7
	// The writes of a copy: the container; a request for each small blob and one of the two
	// larger ones, and blocks for the other; page and append blob in three requests each.
	oneByOne = 1 + small + 1 + 4 + 3 + 3

	holds = `{"virtual": {"container": "box", "count": 200, "size": 1024}, "containers": [{"name": "box", "blobs": [
 {"name": "large", "size": 20000000, "seed": 5, "metadata": {"Camel_Case": "kept"}, "tags": {"team": "red"}, "contentType": "application/x-large"},
 {"name": "larger", "size": 9000000, "seed": 6, "tier": "Cool"},
 {"name": "disk", "type": "page", "size": 1048576, "ranges": [{"offset": 512, "size": 1024, "seed": 1}]},
 {"name": "log", "type": "append", "content": "seven b"}]}]}`
)

// world is an emulator with an account in each tenant, and where the program keeps things.
type world struct {
	em                   *emulator.Emulator
	azcopy, state, cache string
	env                  []string
	ids                  [2]string // of the accounts
	secrets              []string
	said                 bytes.Buffer // all that the program has written
}

func newWorld(t *testing.T, latency time.Duration) *world {
	t.Helper()
	w := &world{state: t.TempDir(), cache: t.TempDir()}
	w.azcopy = components.Find(t, "azcopy", "ATG_AZCOPY", "azcopy-*/node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64")
	s := scenario.Default()
	for i, res := range []scenario.Resource{
		{Name: source, Data: json.RawMessage(holds)},
		{Name: target, Tags: map[string]string{}},
	} {
		res.Type, res.Kind, res.SKU = "Microsoft.Storage/storageAccounts", "StorageV2", map[string]any{"name": "Standard_LRS"}
		sub := &s.Tenants[i].Subscriptions[0]
		w.ids[i] = scenario.ResourceID(sub.ID, sub.ResourceGroups[0].Name, res)
		if i == 1 {
			res.Tags["atg-source-id"] = w.ids[0]
		}
		sub.ResourceGroups[0].Resources = append(sub.ResourceGroups[0].Resources, res)
		who := s.Tenants[i].RoleAssignments[0]
		who.Role = "Storage Blob Data Owner"
		s.Tenants[i].RoleAssignments = append(s.Tenants[i].RoleAssignments, who)
	}
	var err error
	if w.em, err = emulator.Start(emulator.Options{Scenario: s, Latency: latency}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.em.Close(); err != nil {
			t.Error(err)
		}
	})
	w.env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "XDG_CACHE_HOME=" + w.cache, "AZCOPY_CONCURRENCY_VALUE=4", childVar + "=1", "GORACE=atexit_sleep_ms=0"}
	for prefix, tenant := range map[string]string{"ATG_SOURCE_": "contoso", "AZURE_DATAPLANE_": "fabrikam"} {
		p, err := w.em.Principal(tenant)
		if err != nil {
			t.Fatal(err)
		}
		w.env = append(w.env, prefix+"TENANT_ID="+p.TenantID, prefix+"CLIENT_ID="+p.AppID, prefix+"CLIENT_SECRET="+p.Secret)
		w.secrets = append(w.secrets, p.Secret)
	}
	return w
}

var applyArgs = []string{"apply", "--mode", "replication", "--storage-copier", "azcopy", "--set", "storage.parts=blobs", "--set", "storage.verify=content", "--yes", "-o", "json"}

// command is a process of atg.
func (w *world) command(ctx context.Context, t *testing.T, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args = append(args, "--state-dir", w.state, "--emulator", strings.TrimPrefix(w.em.ProxyURL(), "http://"), "--progress", "none")
	cmd, stderr = exec.CommandContext(ctx, self, args...), &bytes.Buffer{}
	cmd.Env, cmd.Stderr = append([]string{"ATG_AZCOPY=" + w.azcopy}, w.env...), stderr
	return cmd, stderr
}

// atg runs a command to its end.
func (w *world) atg(t *testing.T, args ...string) (code int, stdout string) {
	t.Helper()
	cmd, stderr := w.command(t.Context(), t, args...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	fmt.Fprintln(&w.said, string(out), stderr)
	return cmd.ProcessState.ExitCode(), string(out)
}

// apply runs atg apply, which must succeed, and returns its report.
func (w *world) apply(t *testing.T) engine.Report {
	t.Helper()
	code, out := w.atg(t, applyArgs...)
	var r engine.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || len(r.Pairs) != 1 {
		t.Fatalf("exit code %d, %v\n%s", code, err, w.said.String())
	}
	return r
}

// commandLines are those of the machine's processes that have a text in them; none where
// there is no /proc.
func commandLines(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil && bytes.Contains(raw, []byte(text)) { // it may have ended meanwhile
			out = append(out, strings.ReplaceAll(string(raw), "\x00", " "))
		}
	}
	return out
}

// writes are the requests to the target that changed something, or tried to.
func (w *world) writes() []wire.Request {
	var out []wire.Request
	for _, q := range w.em.Requests() {
		if strings.HasPrefix(q.Host, target+".") && q.Write() {
			out = append(out, q)
		}
	}
	return out
}

// own are the fields of an object that are the service's.
var own = []string{"etag", "modified", "blocks", "appends", "tierInferred", "copyStatus"}

// same demands that the target holds what the source holds.
func (w *world) same(t *testing.T) {
	t.Helper()
	var sides [2]map[string]map[string]string
	for i, id := range w.ids {
		list, err := w.em.Objects(id)
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = map[string]map[string]string{}
		for _, o := range list {
			for _, f := range own {
				delete(o.Fields, f)
			}
			sides[i][o.Key] = o.Fields
		}
	}
	if diff := cmp.Diff(sides[0], sides[1]); diff != "" || len(sides[0]) < all {
		t.Errorf("%d objects at the source (-source +target)\n%s", len(sides[0]), diff)
	}
}

// noSecret demands that neither signature nor secret is in what was written or kept.
func (w *world) noSecret(t *testing.T) {
	t.Helper()
	look := func(where, text string) {
		for _, needle := range append([]string{"sig=", "sig%3D", "skoid="}, w.secrets...) {
			if strings.Contains(strings.ReplaceAll(text, "sig=none", ""), needle) {
				t.Errorf("%q is in %s", needle, where)
			}
		}
	}
	look("what was written", w.said.String())
	for _, dir := range []string{w.state, w.cache} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			look(path, string(raw))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
