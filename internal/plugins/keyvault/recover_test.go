package keyvault

import (
	"net/http"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	oneOfEach = `{"secrets":[{"name":"s","value":"v"}],"keys":[{"name":"k","tags":{"a":"b"}}],"certificates":[{"name":"c","subject":"CN=c"}]}`
	deleted   = `{"deletedSecrets":[{"name":"s","value":"old"}],"deletedKeys":[{"name":"k"}],"deletedCertificates":[{"name":"c","subject":"CN=old"}]}`
)

func TestDeletedNamesAreReported(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: oneOfEach, target: deleted})
	for _, key := range []string{"secrets/s", "keys/k", "certificates/c"} {
		for _, r := range []run{full(), template()} {
			if c := l.compare(r, key); c.State != plugin.Cannot || !strings.Contains(c.Reason, "soft-deleted") {
				t.Errorf("%s %s compared: %+v", r.mode, key, c)
			}
			e := l.refused(r, key)
			l.wantKind(e, errs.Conflict)
			if e.Code != codeDeleted || !strings.Contains(e.Hint, "keyvault.deleted=recover") {
				t.Errorf("%s %s: code %q, hint %q", r.mode, key, e.Code, e.Hint)
			}
		}
	}
	if objects, err := l.Objects(l.target.Resource.ID); err != nil || len(objects) != 0 {
		t.Errorf("the target holds %v, %v", objects, err)
	}
}

func TestDeletedNamesAreRecovered(t *testing.T) {
	t.Parallel()
	for _, mode := range []func(...string) run{full, template} {
		l := newLab(t, vaults{source: oneOfEach, target: deleted})
		r := mode("deleted", "recover")
		for _, key := range []string{"secrets/s", "keys/k", "certificates/c"} {
			if c := l.compare(r, key); c.State != plugin.Missing || !strings.Contains(c.Reason, "recovered") {
				t.Errorf("%s %s before: %+v", r.mode, key, c)
			}
			out := l.replicate(r, key)
			l.wantStatus(out, plugin.Updated)
			if len(out.Warnings) == 0 || !strings.Contains(out.Warnings[0], "recovered") {
				t.Errorf("%s %s: warnings %q", r.mode, key, out.Warnings)
			}
			if c := l.compare(r, key); c.State != plugin.Same {
				t.Errorf("%s %s after: %+v", r.mode, key, c)
			}
			l.wantStatus(l.replicate(r, key), plugin.Unchanged)
		}
		if r.mode == plugin.Template && l.fields(l.target, "secrets/s")["value"] != "old" {
			t.Error("template mode replaced a recovered value")
		}
	}
}

// TestRecoveryGoesOn stops between the recovery and the write.
func TestRecoveryGoesOn(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: oneOfEach, target: deleted})
	r := full("deleted", "recover")
	it := l.item(r, "secrets/s")
	var saved []byte
	task := l.task(r, it)
	task.Save = func(b []byte) error { saved = b; return nil }
	if err := l.AddFault(wire.Fault{Name: "versions", Host: "kv-fabrikam.vault.azure.net", Path: "/versions$", Kind: "status", Status: http.StatusInternalServerError}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.plugin.Replicate(t.Context(), task); errs.KindOf(err) != errs.Unavailable {
		t.Fatalf("error = %v", err)
	}
	l.ClearFaults()
	task.Checkpoint = saved
	out, err := l.plugin.Replicate(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	l.wantStatus(out, plugin.Updated)
	l.sameFields("secrets/s", "value")
}

func TestRecoveryThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: oneOfEach, target: deleted})
	for _, f := range []wire.Fault{
		{Name: "gone", Host: "kv-fabrikam.vault.azure.net", Method: "GET", Path: "/keys/k", Kind: "status", Status: http.StatusNotFound, Code: "KeyNotFound"},
	} {
		if err := l.AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
	e := l.refused(full("deleted", "recover"), "keys/k")
	l.wantKind(e, errs.Unavailable)
	if !strings.Contains(e.Error(), "still not done") {
		t.Errorf("error = %v", e)
	}
}

func TestWhoMayNotLookForDeletedObjects(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: oneOfEach})
	if err := l.AddFault(wire.Fault{Name: "denied", Host: "kv-fabrikam.vault.azure.net", Path: "^/deletedsecrets/", Kind: "status", Status: http.StatusForbidden, Code: "Forbidden"}); err != nil {
		t.Fatal(err)
	}
	if c := l.compare(full(), "secrets/s"); c.State != plugin.Missing {
		t.Errorf("compared: %+v", c)
	}
}
