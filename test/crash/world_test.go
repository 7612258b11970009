//go:build unix

// Package crash kills a real apply of key vaults, in a process of its own, and has it go
// on: what is at the target afterwards must be what an uninterrupted run leaves.
package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/cli"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// Variables that make this test binary the program under test.
const (
	childVar = "ATG_CRASH_CHILD"
	dieVar   = "ATG_CRASH_AT" // the journal record after which it is killed; "": none
)

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// child is the command line of atg. It kills itself, as kill -9 would, once the journal
// holds as many records as dieVar says.
func child() int {
	app := &cli.App{
		IO: cli.SystemIO(), Version: "crash-test",
		Registry: func() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) },
	}
	if at, err := strconv.ParseInt(os.Getenv(dieVar), 10, 64); err == nil {
		app.Journal = journal.Options{OnRecord: func(n int64) {
			if n == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // the signal is on its way
			}
		}}
	}
	return app.Run(context.Background(), os.Args[1:])
}

const (
	sourceVault = "/subscriptions/" + scenario.ContosoSubscription + "/resourceGroups/rg-contoso/providers/Microsoft.KeyVault/vaults/"
	targetVault = "/subscriptions/" + scenario.FabrikamSubscription + "/resourceGroups/rg-fabrikam/providers/Microsoft.KeyVault/vaults/"
)

// world is an emulator with two pairs of vaults, and a state directory.
type world struct {
	em    *emulator.Emulator
	state string
	env   []string
}

// What the vaults hold: plain secrets, one that cannot be copied, one that the target
// has already and, in the long form, one that it has in the trash; a key, a certificate.
const (
	seedA = `{"secrets":[{"name":"one","value":"1"},{"name":"two","value":"2","contentType":"text/plain","tags":{"team":"a"}},
 {"name":"trashed","value":"3"},{"name":"there","value":"4"},{"name":"off","value":"5","enabled":false}],
 "keys":[{"name":"sign","kty":"EC","curve":"P-256"}]}`
	seedB = `{"secrets":[{"name":"five","value":"5"},{"name":"six","value":"6"}],
 "certificates":[{"name":"tls","subject":"CN=crash.example","keyType":"EC","curve":"P-256","exportable":true,"contentType":"application/x-pkcs12","validityMonths":12}]}`
	seedX = `{"secrets":[{"name":"there","value":"4"}]}`
	// A recovery takes the client some seconds, in which it looks again and again.
	seedTrash = `{"deletedSecrets":[{"name":"trashed","value":"old"}]}`
)

func newWorld(t testing.TB, latency time.Duration) *world {
	t.Helper()
	em, err := emulator.Start(emulator.Options{Strict: true, Latency: latency})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := em.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{em: em, state: filepath.Join(t.TempDir(), "state")}
	w.vault(t, sourceVault+"kv-crash-a", scenario.ContosoTenant, "", seedA)
	w.vault(t, sourceVault+"kv-crash-b", scenario.ContosoTenant, "", seedB)
	w.vault(t, targetVault+"kv-crash-x", scenario.FabrikamTenant, sourceVault+"kv-crash-a", seedX)
	if long() {
		if err := em.Seed(targetVault+"kv-crash-x", []byte(seedTrash)); err != nil {
			t.Fatal(err)
		}
	}
	w.vault(t, targetVault+"kv-crash-y", scenario.FabrikamTenant, sourceVault+"kv-crash-b", "")
	w.env = []string{"HOME=" + t.TempDir(), childVar + "=1"}
	for prefix, tenant := range map[string]string{"ATG_SOURCE_": "contoso", "AZURE_DATAPLANE_": "fabrikam"} {
		p, err := em.Principal(tenant)
		if err != nil {
			t.Fatal(err)
		}
		w.env = append(w.env, prefix+"TENANT_ID="+p.TenantID, prefix+"CLIENT_ID="+p.AppID, prefix+"CLIENT_SECRET="+p.Secret)
	}
	return w
}

func (w *world) vault(t testing.TB, id, tenant, from, data string) {
	t.Helper()
	tags := map[string]any{}
	if from != "" {
		tags["atg-source-id"] = from
	}
	err := w.em.ARM().Put(id, map[string]any{"location": "westeurope", "tags": tags, "properties": map[string]any{
		"tenantId": tenant, "enableRbacAuthorization": true, "enableSoftDelete": true, "sku": map[string]any{"family": "A", "name": "standard"},
	}})
	if err == nil && data != "" {
		err = w.em.Seed(id, []byte(data))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// command is a process of atg.
func (w *world) command(ctx context.Context, t testing.TB, env []string, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args = append(args, "--state-dir", w.state)
	if args[0] == "apply" || args[1] == "resume" {
		args = append(args, "--emulator", strings.TrimPrefix(w.em.ProxyURL(), "http://"), "--workers", "3")
	}
	cmd, stderr = exec.CommandContext(ctx, self, args...), &bytes.Buffer{}
	cmd.Env, cmd.Stderr = slices.Concat(w.env, env, []string{"GORACE=atexit_sleep_ms=0"}), stderr
	return cmd, stderr
}

var applyArgs = []string{"apply", "--mode", "replication", "--set", "keyvault.deleted=recover", "--yes"}

// atg runs a command to its end and returns its exit code, or -1 if a signal ended it.
func (w *world) atg(t testing.TB, env []string, args ...string) (code int, stderr string) {
	t.Helper()
	cmd, errs := w.command(t.Context(), t, env, args...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), errs.String()
}

// goOn resumes what is recorded or, if a crash came before there was anything, applies.
func (w *world) goOn(t testing.TB) {
	t.Helper()
	args := []string{"run", "resume"}
	if len(w.runs(t)) == 0 {
		args = applyArgs
	}
	if code, stderr := w.atg(t, nil, args...); code != 0 {
		t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
	}
}

func (w *world) runs(t testing.TB) []journal.Summary {
	t.Helper()
	all, err := journal.List(t.Context(), w.state)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(s journal.Summary) bool { return s.Err != nil })
}

// targets is all that is in the target vaults. What is made anew each time, and so never
// the same twice, is left out: key material and what follows from it.
func (w *world) targets(t testing.TB) []wire.Object {
	t.Helper()
	var out []wire.Object
	for _, name := range []string{"kv-crash-x", "kv-crash-y"} {
		objects, err := w.em.Objects(targetVault + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			delete(o.Fields, "thumbprint")
			delete(o.Fields, "keyThumbprint")
			delete(o.Fields, "x5t")
			delete(o.Fields, "expires")
			delete(o.Fields, "notBefore")
			if o.Fields["versions"] == "" {
				t.Errorf("%s has no number of versions", o.Key)
			}
			out = append(out, o)
		}
	}
	return out
}

// same fails if the target is not as want.
func (w *world) same(t testing.TB, want []wire.Object) {
	t.Helper()
	if diff := cmp.Diff(want, w.targets(t)); diff != "" {
		t.Errorf("the target is not what an uninterrupted run leaves: -want +got\n%s", diff)
	}
	for _, r := range w.runs(t) {
		if r.Status != journal.Finished {
			t.Errorf("run %s is %s", r.ID, r.Status)
		}
	}
}

// uninterrupted is what a run leaves that nothing disturbs, and how long it took.
func uninterrupted(t testing.TB, latency time.Duration) (want []wire.Object, took time.Duration) {
	t.Helper()
	w := newWorld(t, latency)
	start := time.Now()
	if code, stderr := w.atg(t, nil, applyArgs...); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	took = time.Since(start)
	want = w.targets(t)
	if len(want) < 7 {
		t.Fatalf("only %d objects were copied: %s", len(want), fmt.Sprint(want))
	}
	return want, took
}
