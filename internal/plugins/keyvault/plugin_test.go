package keyvault

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestTasksThatMakeNoSense(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{})
	good := plugin.Item{Key: "secrets/s", Kind: kindSecret, Ref: plugin.Encode(ref{Name: "s"})}
	bad := func(change func(*plugin.Task)) plugin.Task {
		task := l.task(full(), good)
		change(&task)
		return task
	}
	tests := map[string]struct {
		task plugin.Task
		kind errs.Kind
	}{
		"kind":       {bad(func(t *plugin.Task) { t.Item.Kind = "blob" }), errs.Unsupported},
		"reference":  {bad(func(t *plugin.Task) { t.Item.Ref = []byte(`[]`) }), errs.Invalid},
		"no name":    {bad(func(t *plugin.Task) { t.Item.Ref = []byte(`{}`) }), errs.Invalid},
		"checkpoint": {bad(func(t *plugin.Task) { t.Checkpoint = []byte(`x`) }), errs.Invalid},
		"source":     {bad(func(t *plugin.Task) { t.Source.Resource.Properties = []byte(`x`) }), errs.Invalid},
		"target":     {bad(func(t *plugin.Task) { t.Target.Resource.Properties = []byte(`x`) }), errs.Invalid},
	}
	for name, tt := range tests {
		_, err := l.plugin.Replicate(t.Context(), tt.task)
		_, cmpErr := l.plugin.Compare(t.Context(), tt.task)
		_, decErr := l.plugin.Declare(t.Context(), tt.task)
		for _, err := range []error{err, cmpErr, decErr} {
			if errs.KindOf(err) != tt.kind {
				t.Errorf("%s: error = %v, want one of kind %s", name, err, tt.kind)
			}
		}
	}
}

// TestSwappedCredentials would write into the source's tenant.
func TestSwappedCredentials(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: oneSecret})
	it := l.item(full(), "secrets/db")
	task := l.task(full(), it)
	task.Target.Credential = task.Source.Credential
	_, err := l.plugin.Replicate(t.Context(), task)
	if e := errs.Find(err); errs.KindOf(err) != errs.Unauthenticated || e.Side != "target" {
		t.Errorf("error = %v", err)
	}
}

func TestUnsavedCheckpointStopsTheWork(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"secrets":[{"name":"off","value":"v","enabled":false}]}`})
	r := full("disabled", "read")
	task := l.task(r, l.item(r, "secrets/off"))
	full := errors.New("disk full")
	task.Save = func([]byte) error { return full }
	l.calls()
	if _, err := l.plugin.Replicate(t.Context(), task); !errors.Is(err, full) {
		t.Errorf("error = %v", err)
	}
	if c := l.calls(); writes(c) != 0 {
		t.Errorf("something was written all the same:%s", show(c))
	}
}

func TestRefusalsNameTheRight(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: oneSecret})
	who, err := l.Principal("fabrikam")
	if err != nil {
		t.Fatal(err)
	}
	l.ARM().Unassign(who.ObjectID)
	e := l.refused(full(), "secrets/db")
	l.wantKind(e, errs.PermissionDenied)
	if e.Action != "Microsoft.KeyVault/vaults/secrets/getSecret/action" || e.Side != "target" || e.Code != "ForbiddenByRbac" || e.RequestID == "" {
		t.Errorf("error = %+v", *e)
	}
}

func TestThrottledWritesWait(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: oneSecret})
	if err := l.AddFault(wire.Fault{Name: "throttle", Host: "kv-fabrikam.vault.azure.net", Method: "PUT", Kind: "status", Status: 429, Count: 2}); err != nil {
		t.Fatal(err)
	}
	l.wantStatus(l.replicate(full(), "secrets/db"), plugin.Created)
	if got := l.fields(l.target, "secrets/db")["versions"]; got != "1" {
		t.Errorf("the target has %s versions", got)
	}
}

func TestSleepObeysTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := sleep(t.Context(), time.Minute); err != nil || time.Since(start) != time.Minute {
			t.Errorf("slept %v, %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v", err)
		}
	})
}

func TestInfoSpeaksToPeople(t *testing.T) {
	t.Parallel()
	info := New().Info()
	if len(info.Cannot) == 0 {
		t.Error("nothing is said about what is not copied")
	}
	for _, s := range info.Cannot {
		if !strings.HasSuffix(s, ".") {
			t.Errorf("no sentence: %q", s)
		}
	}
	for _, s := range info.Settings {
		if s.Name == setDisabled && (s.Default == readDisabled || !strings.Contains(s.Help, "CHANGES THE SOURCE")) {
			t.Errorf("the setting that changes the source is %+v", s)
		}
	}
}

func TestPermissionsNeverWriteToTheSource(t *testing.T) {
	t.Parallel()
	for _, mode := range plugin.Modes() {
		for _, p := range New().Permissions(mode) {
			if p.Side == plugin.Source && strings.HasSuffix(p.DataActions[0], "/write") && !strings.Contains(p.DataActions[0], "certificatecontacts") {
				t.Errorf("%s mode: %v at the source", mode, p.DataActions)
			}
			if mode == plugin.Template && strings.Contains(p.DataActions[0], "getSecret") {
				t.Errorf("template mode asks for %v", p.DataActions)
			}
		}
	}
}
