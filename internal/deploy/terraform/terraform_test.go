package terraform

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// log keeps events.
type log struct {
	mu     sync.Mutex
	events []event.Event
	on     func(event.Event)
}

func (l *log) emit(e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	if l.on != nil {
		l.on(e)
	}
}

// lines are what the program printed.
func (l *log) lines() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, e := range l.events {
		if o, ok := e.(event.DeployOutput); ok {
			b.WriteString(o.Line + "\n")
		}
	}
	return b.String()
}

func directory(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// realTerraform returns the real program, or skips the test; in CI it has to be there.
func realTerraform(t testing.TB) string {
	t.Helper()
	for _, name := range Names() {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("neither terraform nor tofu is installed")
	}
	t.Skip("*** TERRAFORM IS NOT AVAILABLE, THIS TEST DID NOT RUN: install terraform or tofu")
	return ""
}

func open(t testing.TB, opt Options) *Driver {
	t.Helper()
	d, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

const module = `
variable "subscription_id" {}
resource "terraform_data" "a" { input = var.subscription_id }
resource "terraform_data" "b" {
  count = 2
  input = terraform_data.a.output
}
`

// TestRealTerraform goes from init to a state and back to nothing to do, with the provider
// that is built in.
func TestRealTerraform(t *testing.T) {
	t.Parallel()
	var seen log
	opt := Options{Dir: directory(t, map[string]string{"main.tf": module}), Binary: realTerraform(t), SubscriptionID: "sub-1", Emit: seen.emit}
	d := open(t, opt)
	plan, err := d.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if plan.Count(change.Create) != 3 || plan.Resources() != 3 {
		t.Fatalf("plan: %+v", plan)
	}
	if _, err := os.Stat(filepath.Join(opt.Dir, "terraform.tfstate")); !os.IsNotExist(err) {
		t.Errorf("a plan has left a state: %v", err)
	}
	got, err := d.Deploy(t.Context())
	if err != nil || got.Resources != 3 || got.Deployed != 3 || len(got.Failures) > 0 {
		t.Fatalf("deploy: %+v, %v", got, err)
	}
	state, err := os.ReadFile(filepath.Join(opt.Dir, "terraform.tfstate"))
	if err != nil || !strings.Contains(string(state), "sub-1") {
		t.Errorf("the state does not hold the variable: %v", err)
	}
	for _, want := range []string{"successfully initialized", "terraform_data.a: Plan to create", "terraform_data.a: Creation complete"} {
		if !strings.Contains(seen.lines(), want) {
			t.Errorf("no line says %q in:\n%s", want, seen.lines())
		}
	}
	ready := 0
	for _, e := range seen.events {
		if r, ok := e.(event.DeployResource); ok && r.State == event.ResourceReady {
			ready++
		}
	}
	if ready != 3 {
		t.Errorf("%d resources were told to be ready", ready)
	}
	again := open(t, opt)
	if plan, err = again.Plan(t.Context()); err != nil || plan.Count(change.Same) != 3 {
		t.Errorf("the second plan: %+v, %v", plan, err)
	}
}

// TestRealTrouble holds errors of the real program against what is made of them.
func TestRealTrouble(t *testing.T) {
	t.Parallel()
	binary := realTerraform(t)
	for name, c := range map[string]struct {
		files     map[string]string
		workspace string
		kind      errs.Kind
		text      string
		hint      string
		deployed  int64
	}{
		"a resource fails": {
			files: map[string]string{"main.tf": `
resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  input = terraform_data.a.id
  provisioner "local-exec" { command = "exit 3" }
}`},
			kind: errs.Conflict, text: "terraform_data.b: local-exec provisioner error", hint: "mend it in the Terraform files", deployed: 1,
		},
		"a variable is missing": {
			files: map[string]string{"main.tf": `variable "name" {}`},
			kind:  errs.Invalid, text: "No value for required variable", hint: "TF_VAR_NAME",
		},
		"a mistake in the files": {
			files: map[string]string{"main.tf": `resource "terraform_data" "a" { input = nowhere.x }`},
			kind:  errs.Conflict, text: "Reference to undeclared resource", hint: "mend it in the Terraform files",
		},
		"a backend that needs more": {
			files: map[string]string{"main.tf": "terraform {\n  backend \"http\" {}\n}\n"},
			kind:  errs.Conflict, text: "address", hint: "mend it",
		},
		"another workspace": {
			files: map[string]string{"main.tf": ""}, workspace: "staging",
			kind: errs.Invalid, text: "TF_WORKSPACE is staging, but the directory is at workspace default", hint: "workspace select staging",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, Options{Dir: directory(t, c.files), Binary: binary, Workspace: c.workspace})
			got, err := d.Deploy(t.Context())
			if errs.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.text) || !strings.Contains(errs.HintOf(err), c.hint) {
				t.Errorf("%s: %v; hint %q", errs.KindOf(err), err, errs.HintOf(err))
			}
			if got.Deployed != c.deployed {
				t.Errorf("deployed %d", got.Deployed)
			}
		})
	}
}

// TestRealLock has a state that somebody else has locked.
func TestRealLock(t *testing.T) {
	t.Parallel()
	binary := realTerraform(t)
	dir := directory(t, map[string]string{"main.tf": `resource "terraform_data" "a" {
  provisioner "local-exec" { command = "exec sleep 60" }
}`})
	started := make(chan struct{})
	var once sync.Once
	first := open(t, Options{Dir: dir, Binary: binary, Emit: func(e event.Event) {
		if r, ok := e.(event.DeployResource); ok && r.State == event.ResourceRunning {
			once.Do(func() { close(started) })
		}
	}})
	ctx, cancel := context.WithCancelCause(t.Context())
	type end struct {
		result change.Result
		err    error
	}
	ended := make(chan end, 1)
	go func() {
		r, err := first.Deploy(ctx)
		ended <- end{r, err}
	}()
	<-started
	_, err := open(t, Options{Dir: dir, Binary: binary}).Plan(t.Context())
	if e := errs.Find(err); e == nil || e.Code != "StateLocked" || !strings.Contains(e.Hint, "force-unlock ") || strings.Contains(e.Hint, "unlock ID") {
		t.Errorf("%v; hint %q", err, errs.HintOf(err))
	}
	cancel(errors.New("interrupted")) // the first one then stops in order
	got := <-ended
	if errs.KindOf(got.err) != errs.Canceled || !strings.Contains(got.result.State, "0 of 1 resources") || got.result.GoOn == "" {
		t.Errorf("the interrupted one: %+v, %v", got.result, got.err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".terraform.tfstate.lock.info")); !os.IsNotExist(err) {
		t.Errorf("the state is locked still: %v", err)
	}
}

// stub writes a program that answers as Terraform does, with body for what it does.
func stub(t testing.TB, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform")
	script := `#!/bin/sh
case "$1" in
version) echo '{"terraform_version": "1.11.4", "platform": "linux_amd64", "provider_selections": {}}'; exit 0 ;;
esac
` + body
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStubTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  string
		limit time.Duration
		kind  errs.Kind
		code  string
		text  string
		hint  string
	}{
		"the backend has changed": {body: "echo 'Error: Backend configuration changed' >&2; echo 'A change was detected.' >&2; exit 1", kind: errs.Invalid, code: "BackendChanged", text: "A change was detected", hint: "init -reconfigure"},
		"no provider":             {body: "printf '\\342\\224\\202 Error: Failed to query available provider packages\\n' >&2; exit 1", kind: errs.Unavailable, code: "ProviderUnavailable", text: "Failed to query", hint: "mirror"},
		"no words":                {body: "exit 7", kind: errs.Conflict, text: "exit status 7", hint: "own"},
		"too slow":                {body: "exec sleep 60", limit: 50 * time.Millisecond, kind: errs.Canceled, text: "not done after 50ms", hint: "--init-timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, Options{Dir: directory(t, map[string]string{"main.tf": ""}), Binary: stub(t, c.body), Timeouts: Timeouts{Init: c.limit}, Grace: time.Second})
			_, err := d.Plan(t.Context())
			e := errs.Find(err)
			if e == nil || e.Kind != c.kind || e.Code != c.code || !strings.Contains(e.Error(), c.text) || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestSecondSignal(t *testing.T) {
	t.Parallel()
	abort := make(chan struct{})
	close(abort)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := open(t, Options{Dir: directory(t, map[string]string{"main.tf": ""}), Binary: stub(t, "trap '' INT; exec sleep 60"), Grace: time.Second, Abort: abort})
	d.planned = true
	got, err := d.Deploy(ctx)
	if !errors.Is(err, errCut) || !strings.Contains(got.State, "cut off") || !strings.Contains(got.GoOn, "force-unlock") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, named := range []string{"no-such-program-anywhere", "/nowhere/terraform"} {
		_, err := New(Options{Dir: t.TempDir(), Binary: named})
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.HintOf(err), "--terraform-bin") {
			t.Errorf("%s: %v", named, err)
		}
	}
	if _, err := New(Options{Dir: "/nowhere", Binary: stub(t, "")}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("no directory: %v", err)
	}
}

func TestDeclares(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
		bad   bool
	}{
		"declared":         {files: map[string]string{"a.tf": "", "b.tf": `variable "subscription_id" { type = string }`}, want: true},
		"declared in JSON": {files: map[string]string{"v.tf.json": `{"variable": {"subscription_id": {}}}`}, want: true},
		"another one":      {files: map[string]string{"a.tf": `variable "subscription" {}` + "\n# variable \"subscription_id\" {}"}},
		"broken":           {files: map[string]string{"a.tf": `variable "x" {`}, bad: true},
	} {
		got, err := Declares(directory(t, c.files), "subscription_id")
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	if _, err := Declares("/nowhere", "x"); err == nil {
		t.Error("no directory: no error")
	}
}

func TestGroupOf(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"/subscriptions/s/resourceGroups/RG-a/providers/x/y/z": "rg-a", "/subscriptions/s/resourceGroups/rg": "rg", "/subscriptions/s": "", "fad10734": "",
	} {
		if got := groupOf(id); got != want {
			t.Errorf("%s: %q", id, got)
		}
	}
}

func TestDiagnosticsAreShortened(t *testing.T) {
	t.Parallel()
	d := Diagnostics(slices.Repeat([]string{"no"}, 7))
	if len(d.Clauses(true)) != 7 || d.Clauses(false)[5] != "and 2 more" || len(firstSentence(strings.Repeat("x", 999))) > maxDetail+3 {
		t.Errorf("%q", d.Clauses(false))
	}
}
