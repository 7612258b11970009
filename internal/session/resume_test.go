package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// newer is the plugin in a later version.
type newer struct{ *keyvault.Plugin }

func (n newer) Info() plugin.Info {
	info := n.Plugin.Info()
	info.Version = "99.0.0"
	return info
}

// stopped applies with a journal and is canceled after the first of two items.
func stopped(t testing.TB, w *world) (opt Options, id string) {
	t.Helper()
	opt = w.options(t)
	opt.StateDir = t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	first := opt
	first.Workers = 1
	first.Emit = func(e event.Event) {
		if _, done := e.(event.ItemDone); done {
			cancel()
		}
	}
	s, err := Open(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Apply(ctx)
	if err != nil || !r.Run.Canceled || !s.Journaled() {
		t.Fatalf("%+v, %v", r, err)
	}
	s.Close()
	return opt, s.Run()
}

func statusOf(t testing.TB, opt Options, id string) journal.Status {
	t.Helper()
	run, err := viewed(t.Context(), opt.StateDir, id)
	if err != nil {
		t.Fatal(err)
	}
	return run.Status
}

func TestResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt, id := stopped(t, w)
	if got := statusOf(t, opt, id); got != journal.Canceled {
		t.Errorf("status %s", got)
	}
	again := opt
	again.Mode, again.Command = "", "run resume"
	s, err := Resume(t.Context(), id, again)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(t.Context(), id, again); errs.Find(err) == nil || errs.Find(err).Code != "RunLocked" || !strings.Contains(err.Error(), "process ") {
		t.Errorf("a second one on the run: %v", err)
	}
	r, err := s.Apply(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if s.Run() != id || r.Run.ID != id || !r.Run.Resumed || r.Run.Command != "apply" || r.Run.Mode != plugin.Replication || len(r.Pairs) != 1 || len(r.Unpaired) != 1 || r.FailTotal != 0 {
		t.Errorf("%+v", r)
	}
	var finished Finished
	if _, err := Resume(t.Context(), id, again); !errors.As(err, &finished) || finished.Run.ID != id {
		t.Errorf("a finished run: %v", err)
	}
}

func TestResumeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt, id := stopped(t, w)
	registry, err := plugin.NewRegistry(newer{keyvault.New()})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"mode":                        {func(o *Options) { o.Mode = plugin.Template }, "it was begun in replication mode, not template"},
		"tenant by flag":              {func(o *Options) { o.Source.TenantID = "99999999-9999-4999-8999-999999999999" }, "its source tenant is"},
		"tenants the other way round": {func(o *Options) { o.Source, o.Target = o.Target, o.Source }, "its source tenant is"},
		"plugin version":              {func(o *Options) { o.Registry = registry }, "it was begun with plugin keyvault 1.0.0, this is keyvault 99.0.0"},
	} {
		again := opt
		tc.change(&again)
		s, err := Resume(t.Context(), id, again)
		if err == nil {
			_, err = s.Apply(t.Context())
			s.Close()
		}
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Resume(t.Context(), "NOWHERE", opt); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
}

// TestResumeLeavesARunAsItWas has a resumption that ends before it has done anything.
func TestResumeLeavesARunAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt, id := stopped(t, w)
	s, err := Resume(t.Context(), id, opt)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if got := statusOf(t, opt, id); got != journal.Canceled {
		t.Errorf("status %s after nothing was done", got)
	}
	opt.Source.Principal.ClientSecret = opt.Target.Principal.ClientSecret
	if _, err := Resume(t.Context(), id, opt); errs.KindOf(err) != errs.Unauthenticated {
		t.Errorf("%v", err)
	}
	if got := statusOf(t, opt, id); got != journal.Canceled {
		t.Errorf("status %s after nobody could sign in", got)
	}
}

func TestPlanFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	r, plan, err := s.PlanToFile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Estimate == nil || r.Estimate.Items != 2 || r.Estimate.Calls < 6 || !r.Estimate.Exact || len(r.Estimate.Basis) == 0 {
		t.Errorf("estimate: %+v", r.Estimate)
	}
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := plan.Write(path); err != nil {
		t.Fatal(err)
	}
	read, err := ReadPlanFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan, read, cmp.AllowUnexported(PlanPair{}), cmpopts.IgnoreFields(engine.Unpaired{}, "Resource")); diff != "" {
		t.Error(diff)
	}
	opt.Mode, opt.StateDir = "", t.TempDir()
	if s, err = OpenPlan(t.Context(), read, opt); err != nil {
		t.Fatal(err)
	}
	r, err = s.Apply(t.Context())
	if err != nil || r.Outcomes[plugin.Created] != 2 || len(r.Unpaired) != 1 || r.Run.ID == plan.Run {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPlanFileThatIsStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	_, plan, err := s.PlanToFile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	registry, err := plugin.NewRegistry(newer{keyvault.New()})
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name, want string, opt Options) {
		t.Helper()
		_, err := OpenPlan(t.Context(), plan, opt)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	other := opt
	other.Registry = registry
	refused("plugin", "plugin keyvault was 1.0.0 and is now 99.0.0", other)
	other = opt
	other.Mode = plugin.Template
	refused("mode", "it was made in replication mode, not template", other)
	other = opt
	other.Source, other.Target = opt.Target, opt.Source
	refused("tenants", "its source tenant is", other)
	if err := w.Seed(sourceID("kv-session-a"), []byte(`{"secrets":[{"name":"late","value":"x"}]}`)); err != nil {
		t.Fatal(err)
	}
	refused("item", "kv-session-a had 2 items of kind secret and now has 3", opt)
	w.vault(t, sourceID("kv-session-late"), scenario.ContosoTenant, nil, "")
	refused("vault", "new at the source: kv-session-late", opt)
}

func TestReadPlanFileRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for text, want := range map[string]errs.Kind{
		`{}`: errs.Invalid, `[`: errs.Invalid, `{"format":"atg-plan","schema":2}`: errs.Unsupported,
	} {
		path := filepath.Join(dir, "plan")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPlanFile(path); errs.KindOf(err) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ReadPlanFile(filepath.Join(dir, "nowhere")); errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
	if err := (&PlanFile{}).Write(filepath.Join(dir, "no", "such", "plan")); errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	then := []KindDigest{{"key", 1, "a"}, {"secret", 2, "b"}, {"gone", 1, "c"}}
	now := []KindDigest{{"key", 1, "z"}, {"secret", 2, "b"}, {"new", 3, "d"}}
	want := []string{"items of kind key changed in kv", "kv had 0 items of kind new and now has 3", "kv had 1 items of kind gone and now has 0"}
	if diff := cmp.Diff(want, differences("kv", then, now)); diff != "" {
		t.Error(diff)
	}
}
