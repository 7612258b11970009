package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// recordRun keeps a journal of a run with one item that was copied and three failures.
func recordRun(t testing.TB, dir, id string, status journal.Status) {
	t.Helper()
	j, err := journal.Begin(t.Context(), dir, journal.Run{
		ID: id, Command: "apply", Version: "v1", Mode: plugin.Replication, SourceTenant: "s", TargetTenant: "t",
	}, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pair := journal.Pair{Source: "/x/kv-source", Target: "/x/kv-target", Type: "Microsoft.KeyVault/vaults", Plugin: "keyvault", PluginVersion: "1.0.0"}
	if err := j.RecordPairs(t.Context(), []journal.Pair{pair}); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		it := plugin.Item{Key: plugin.Key(fmt.Sprintf("secrets/s%d", i)), Kind: "secret"}
		ref, err := j.RecordDiscovered(0, it, "")
		if err != nil {
			t.Fatal(err)
		}
		end := journal.Ending{From: journal.Pending, To: journal.State(plugin.Created), Attempts: 1}
		if i > 0 {
			code := map[bool]string{true: "SecretDisabled", false: "ForbiddenByPolicy"}[i == 1]
			end.To, end.Attempts = journal.State(plugin.Failed), i
			end.Err = &errs.Error{Op: "read the secret", Kind: errs.PermissionDenied, Side: "source", Resource: "/x/kv-source", Item: string(it.Key), Code: code, RequestID: "r-1", Err: errors.New("no")}
		}
		j.RecordEnded(ref, it, end)
	}
	if err := errors.Join(j.Finish(t.Context(), status, nil), j.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestRunCommandsReadTheJournalAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recordRun(t, dir, "FIRST", journal.Finished)
	recordRun(t, dir, "SECOND", journal.Partial)
	for _, tc := range []struct {
		args string
		code int
		want []string
	}{
		{"run list", exitDone, []string{"SECOND  apply    replication", "partial      1   4       3"}},
		{"run show SECOND", exitDone, []string{"run SECOND, partial: apply in replication mode", "CREATED  FAILED", "atg run resume SECOND --state-dir " + dir, "atg run show SECOND --failed"}},
		{"run show FIRST", exitDone, []string{"run FIRST, finished"}},
		{"run show SECOND --failed", exitDone, []string{
			"2 failures: permission-denied, ForbiddenByPolicy", "1 failure: permission-denied, SecretDisabled",
			"hint: add the source principal to the vault's access policies", "kv-source secrets/s3  apply, ", "3 attempts, request id r-1",
		}},
		{"run resume FIRST", exitDone, nil},
		{"run rm SECOND", exitUsage, nil},
		{"run rm FIRST", exitDone, nil},
		{"run show FIRST", exitFailed, nil},
		{"run resume ../etc", exitUsage, nil},
	} {
		f := newTerminal(t, "")
		if code := f.run(t, append(strings.Fields(tc.args), "--state-dir", dir)...); code != tc.code {
			t.Errorf("atg %s: exit code %d, want %d: %s", tc.args, code, tc.code, f.err)
		}
		for _, want := range tc.want {
			if !strings.Contains(f.out.String(), want) {
				t.Errorf("atg %s lacks %q:\n%s", tc.args, want, f.out)
			}
		}
	}
}

func TestRunJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recordRun(t, dir, "ONE", journal.Partial)
	f := newTerminal(t, "")
	f.run(t, "run", "show", "--failed", "-o", "json", "--state-dir", dir)
	var doc struct {
		Run      view.RunRow
		Failures []struct{ Item, ErrorKind, Code, Phase, Hint, RequestID string }
	}
	if err := json.Unmarshal(f.out.Bytes(), &doc); err != nil {
		t.Fatalf("%v\n%s", err, f.out)
	}
	if doc.Run.ID != "ONE" || doc.Run.Failed != 3 || len(doc.Failures) != 3 || doc.Failures[0].Code != "SecretDisabled" || doc.Failures[1].Hint == "" {
		t.Errorf("%+v", doc)
	}
	f = newTerminal(t, "")
	f.run(t, "run", "list", "-o", "json", "--state-dir", t.TempDir())
	if got := strings.TrimSpace(f.out.String()); got != "[]" {
		t.Errorf("no runs: %s", got)
	}
}

func TestForgetAsks(t *testing.T) {
	t.Parallel()
	for answer, left := range map[string]int{"yes\n": 0, "no\n": 1, "": 1} {
		dir := t.TempDir()
		recordRun(t, dir, "ONE", journal.Canceled)
		f := newTerminal(t, answer)
		f.app.InTTY, f.app.ErrTTY = true, true
		code := f.run(t, "run", "rm", "ONE", "--state-dir", dir)
		all, err := journal.List(t.Context(), dir)
		if err != nil || len(all) != left || (code == exitDone) != (left == 0) {
			t.Errorf("answer %q: exit code %d, %d runs left, %v", answer, code, len(all), err)
		}
		if !strings.Contains(f.err.String(), "Run ONE is stopped, with 1 of 4 items done") {
			t.Errorf("standard error: %s", f.err)
		}
	}
}

func TestStateDir(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		said string
		env  map[string]string
		want string
	}{
		"flag":          {"/a/b", map[string]string{"XDG_STATE_HOME": "/x"}, "/a/b"},
		"xdg":           {"", map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/atg"},
		"relative xdg":  {"", map[string]string{"XDG_STATE_HOME": "x", "HOME": "/h"}, "/h/.local/state/atg"},
		"home":          {"", map[string]string{"HOME": "/h"}, "/h/.local/state/atg"},
		"no home":       {"", nil, ""},
		"relative home": {"", map[string]string{"HOME": "h"}, ""},
	} {
		f := newTerminal(t, "")
		f.env = tc.env
		f.app.Env = func(n string) (string, bool) { v, ok := tc.env[n]; return v, ok }
		got, err := f.app.stateDir(tc.said)
		if got != tc.want || (err == nil) == (tc.want == "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestCompleteRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recordRun(t, dir, "ONE", journal.Canceled)
	f := newTerminal(t, "")
	f.env["ATG_STATE_DIR"] = dir
	f.run(t, "__complete", "run", "resume", "")
	if !strings.HasPrefix(f.out.String(), "ONE\tapply, stopped\n") {
		t.Errorf("%s", f.out)
	}
}

func TestResumeOptions(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	f.env["ATG_MODE"], f.env["ATG_STATE_DIR"] = "template", "/state"
	if _, err := parse(t, f, newRunResumeCmd, "ABC", "--sp-client-secret-file", "-"); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Fatalf("an empty secret: %v", err)
	}
	opt, err := parse(t, f, newRunResumeCmd, "ABC", "--workers", "3", "--pace", "adaptive", "--source-tenant-id", "contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	if opt.run != "ABC" || opt.Mode != "" || opt.Workers != 3 || !opt.Unpaced || opt.StateDir != "/state" {
		t.Errorf("%+v", opt)
	}
	want := "atg run resume X --state-dir /state --pace adaptive --source-tenant-id contoso.com --workers 3"
	if got := opt.resumeCommand("/elsewhere", "X"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := opt.resumeCommand("/state", "X"); strings.Contains(got, "--state-dir") {
		t.Error(got)
	}
}

func TestPlanFileOptions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "plan.json")
	plan := session.PlanFile{Format: "atg-plan", Schema: session.PlanSchema, Mode: plugin.Replication, Overwrite: true}
	if err := plan.Write(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	f := newTerminal(t, "")
	opt, err := parse(t, f, newApplyCmd, path)
	if err != nil {
		t.Fatal(err)
	}
	if opt.Mode != plugin.Replication || !opt.Overwrite || !opt.yes || opt.Choose != nil {
		t.Errorf("%+v", opt)
	}
	if diff := cmp.Diff(&plan, opt.plan); diff != "" {
		t.Error(diff)
	}
	for _, args := range [][]string{{path, "--set", "keyvault.versions=all"}, {path, "--mode", "template"}, {path, "--overwrite=false"}, {path + "x"}, {filepath.Dir(path)}} {
		if _, err := parse(t, newTerminal(t, ""), newApplyCmd, args...); codeOf(err) != exitUsage {
			t.Errorf("%v: %v", args[1:], err)
		}
	}
}
