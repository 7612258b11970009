package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/azure-tenant-grapher/atg/examples/contoso"
	"github.com/azure-tenant-grapher/atg/internal/deploy"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// withPlugins gives the terminal the plugins of the program.
func (f *fakeTerminal) withPlugins() *fakeTerminal {
	f.app.Registry = func() (*plugin.Registry, error) { return plugin.NewRegistry(plugins.All()...) }
	return f
}

func TestDemo(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "").withPlugins()
	if code := f.run(t, "demo", "-o", "json", "--mode", "template"); code != exitDone {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	var r engine.Report
	if err := json.Unmarshal(f.out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Run.Command != "demo" || r.Run.Mode != plugin.Template || len(r.Pairs) != 4 || len(r.Unpaired) != 0 || r.FailTotal != 0 || r.Fidelity.Items < 250 {
		t.Errorf("%+v", r)
	}
	if c := r.ControlPlane; c == nil || c.Status != deploy.Deployed || c.Resources != 4 || c.Deployed != 4 || !c.DataPlane {
		t.Errorf("control plane %+v", c)
	}
	for _, want := range []string{"control plane deployed: 4 of 4", "apply kv-contoso-app: ", "apply stcontosoprod: ", `{"type":"exit","code":0}`} {
		if !strings.Contains(f.err.String(), want) {
			t.Errorf("standard error lacks %q", want)
		}
	}
}

// TestDemoTellsNoSecret looks for every value of the source, and for what its blobs, files
// and messages say, in all that the demo writes.
func TestDemoTellsNoSecret(t *testing.T) {
	t.Parallel()
	w := contoso.Generate(7)
	f := newTerminal(t, "").withPlugins()
	if code := f.run(t, "demo", "-o", "jsonl", "--seed", "7"); code != exitDone {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	all := f.out.String() + f.err.String()
	looked := 0
	for name, value := range valuesOf(w) {
		if len(value) < 12 {
			continue
		}
		looked++
		if strings.Contains(all, value) {
			t.Errorf("the value of %s is told", name)
		}
	}
	if looked < 300 {
		t.Errorf("only %d values were looked for", looked)
	}
}

// valuesOf returns what the source holds and nobody may be told, by name.
func valuesOf(w contoso.World) map[string]string {
	out := map[string]string{}
	for _, r := range w.Tenants[0].Subscriptions[0].ResourceGroups[0].Resources {
		switch data := r.Data.(type) {
		case *contoso.Vault:
			for _, s := range data.Secrets {
				out[r.Name+" "+s.Name] = s.Value
			}
		case *contoso.Account:
			for _, c := range data.Containers {
				for _, b := range c.Blobs {
					out[c.Name+" "+b.Name] = b.Content
				}
			}
			for _, s := range data.Shares {
				for _, f := range s.Files {
					out[s.Name+" "+f.Path] = f.Content
				}
			}
			for _, q := range data.Queues {
				for i, m := range q.Messages {
					out[fmt.Sprint(q.Name, " ", i)] = m.Text
				}
			}
		}
	}
	return out
}

func TestDemoStopsWhenInterrupted(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "").withPlugins()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(InterruptedBy(os.Interrupt))
	if code := f.app.Run(ctx, []string{"demo", "--keep", "--progress", "none"}); code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, f.err)
	}
}

// lockedBuffer is written by a command and read by a test at once.
type lockedBuffer struct {
	mu      sync.Mutex
	text    bytes.Buffer // mu guards text
	written chan struct{}
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.written <- struct{}{}:
	default:
	}
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// background runs a command until its first output, and returns how to interrupt it.
func background(t *testing.T, f *fakeTerminal, args ...string) (out *lockedBuffer, stop func() int) {
	t.Helper()
	out = &lockedBuffer{written: make(chan struct{}, 1)}
	f.app.Out = out
	ctx, cancel := context.WithCancelCause(t.Context())
	code := make(chan int, 1)
	go func() { code <- f.app.Run(ctx, args) }()
	select {
	case <-out.written:
	case c := <-code:
		t.Fatalf("ended at once with exit code %d: %s", c, f.err)
	}
	return out, func() int {
		cancel(InterruptedBy(os.Interrupt))
		return <-code
	}
}

func TestEmulatorStart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "emu")
	faults := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(faults, []byte(`[{"kind":"status","status":503,"retryAfter":"2s"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newTerminal(t, "")
	out, stop := background(t, f, "emulator", "start", "--dir", dir, "--log", filepath.Join(t.TempDir(), "log"), "--fault", faults)
	if code := stop(); code != exitDone {
		t.Errorf("exit code %d: %s", code, f.err)
	}
	for _, want := range []string{"The emulated Azure is ready: 2 tenants", "export AZURE_TENANT_ID=c0000000", "atg plan --mode replication"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("standard output lacks %q:\n%s", want, out)
		}
	}
	env, err := os.ReadFile(filepath.Join(dir, "atg.env"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"export ATG_SOURCE_CLIENT_SECRET=emulator.", "export AZURE_DATAPLANE_TENANT_ID=f0000000", "export HTTPS_PROXY=http://127.0.0.1:", "export SSL_CERT_FILE="} {
		if !strings.Contains(string(env), want) {
			t.Errorf("atg.env lacks %q:\n%s", want, env)
		}
	}
	if strings.Contains(string(env), "export AZURE_CLIENT_SECRET") {
		t.Error("atg.env sets variables that both sides would read")
	}
}

func TestEmulatorRefusesFaultsThatCannotWork(t *testing.T) {
	t.Parallel()
	faults := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(faults, []byte(`{"kind":"earthquake"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newTerminal(t, "")
	if code := f.run(t, "emulator", "start", "--fault", faults); code != exitUsage || !strings.Contains(f.err.String(), "earthquake") {
		t.Errorf("exit code %d: %s", code, f.err)
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"contoso": "contoso", "../etc/x": "---etc-x", "Zürich 2": "Zürich-2"} {
		if got := fileName(name); got != want {
			t.Errorf("fileName(%q) = %q, want %q", name, got, want)
		}
	}
}

// atDemo runs work with options that lead to the demo's emulator.
func atDemo(t *testing.T, f *fakeTerminal, command string) *runOptions {
	t.Helper()
	em, err := startEmulator(contoso.Scenario, contoso.DefaultSeed, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = em.Close() })
	reg, err := f.app.Registry()
	if err != nil {
		t.Fatal(err)
	}
	opt := &runOptions{output: outputText, progress: "none"}
	opt.Command, opt.Mode, opt.Registry = command, plugin.Template, reg
	if err := f.app.aim(opt, em); err != nil {
		t.Fatal(err)
	}
	return opt
}

func TestApplyAsks(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]int{"yes\n": exitDone, "no\n": exitFailed} {
		t.Run(strings.TrimSpace(answer), func(t *testing.T) {
			t.Parallel()
			f := newTerminal(t, answer).withPlugins()
			f.app.InTTY, f.app.ErrTTY = true, true
			opt := atDemo(t, f, "apply")
			opt.ask, opt.Mode = true, plugin.Replication
			opt.Settings = map[string]plugin.Settings{"keyvault": {"deleted": "recover", "kinds": "contacts"}}
			opt.Types = []string{"Microsoft.KeyVault/vaults"}
			err := f.app.apply(t.Context(), opt)
			if codeOf(err) != want {
				t.Errorf("%v", err)
			}
			for _, want := range []string{
				"to create", "created in the target tenant fabrikam (f0000000-0000-4000-8000-000000000001).",
				"source tenant contoso (c0000000-0000-4000-8000-000000000001)", "Type yes to go on:",
			} {
				if !strings.Contains(strings.Join(strings.Fields(f.err.String()), " "), want) {
					t.Errorf("standard error lacks %q:\n%s", want, f.err)
				}
			}
			if wrote := strings.Contains(f.out.String(), "created"); wrote != (want == exitDone) {
				t.Errorf("standard output:\n%s", f.out)
			}
		})
	}
}

func TestPlanAndVerify(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "").withPlugins()
	opt := atDemo(t, f, "plan")
	opt.exitCode = true
	if err := f.app.plan(t.Context(), opt); codeOf(err) != exitDifferent {
		t.Errorf("plan: %v", err)
	}
	opt.Command, opt.output = "verify", outputLines
	if err := f.app.verify(t.Context(), opt); codeOf(err) != exitDifferent {
		t.Errorf("verify: %v", err)
	}
	if !strings.Contains(f.out.String(), "to create") || !strings.Contains(f.out.String(), `{"type":"report"`) {
		t.Errorf("standard output:\n%s", f.out)
	}
}
