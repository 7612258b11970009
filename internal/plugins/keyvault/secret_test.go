package keyvault

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var secretFields = []string{"value", "contentType", "tags", "enabled", "notBefore", "expires", "versions"}

const oneSecret = `{"secrets":[{"name":"db","value":"s3cret \"é","contentType":"text/plain","tags":{"a":"b","c":""},
	"notBefore":"2020-01-01T00:00:00Z","expires":"2021-01-01T00:00:00Z"}]}`

func TestSecretCopiedOnceInThreeCalls(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: oneSecret})
	if c := l.compare(full(), "secrets/db"); c.State != plugin.Missing {
		t.Errorf("before: %+v", c)
	}
	it := l.item(full(), "secrets/db")
	l.calls()
	out, err := l.plugin.Replicate(t.Context(), l.task(full(), it))
	if err != nil {
		t.Fatal(err)
	}
	l.wantStatus(out, plugin.Created)
	if out.Bytes != int64(len("s3cret \"é")) {
		t.Errorf("%d bytes", out.Bytes)
	}
	if c := l.calls(); len(c) != 3 || writes(c) != 1 {
		t.Errorf("a first copy makes %d calls:%s", len(c), show(c))
	}
	l.sameFields("secrets/db", secretFields...)
	out, err = l.plugin.Replicate(t.Context(), l.task(full(), it))
	if err != nil {
		t.Fatal(err)
	}
	l.wantStatus(out, plugin.Unchanged)
	if c := l.calls(); len(c) != 2 || writes(c) != 0 {
		t.Errorf("a second run makes %d calls:%s", len(c), show(c))
	}
	if c := l.compare(full(), "secrets/db"); c.State != plugin.Same || !c.Proven {
		t.Errorf("after: %+v", c)
	}
	if c := l.calls(); writes(c) != 0 {
		t.Errorf("Compare writes:%s", show(c))
	}
}

// TestManySecretsCostOneChallenge shows what clients that are made anew would cost.
func TestManySecretsCostOneChallenge(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"generate":{"secrets":60,"prefix":"s-","seed":1}}`})
	items := l.list(full())
	for _, it := range items {
		if _, err := l.plugin.Replicate(t.Context(), l.task(full(), it)); err != nil {
			t.Fatal(err)
		}
	}
	refused, all := 0, 0
	for _, r := range l.Requests() {
		if r.Service != "keyvault" {
			continue
		}
		all++
		if r.Status == 401 {
			refused++
		}
	}
	// 60 secrets are 3 pages; keys, certificates, issuers and contacts one each.
	if refused != 2 || all != 3*60+7+2 {
		t.Errorf("%d requests, %d of them challenges; want %d and 2", all, refused, 3*60+7+2)
	}
}

func TestSecretThatDiffers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		target string // the secret at the target, without its name
		fields []string
		method string // of the one write with Overwrite
	}{
		{"value", `"value":"other","contentType":"t","tags":{"a":"b"},"expires":2000000000`, []string{"value"}, "PUT"},
		{"properties", `"value":"v","contentType":"u","tags":{"a":"c"},"expires":2100000000`, []string{"expires", "contentType", "tags"}, "PATCH"},
		{"disabled", `"value":"v","contentType":"t","tags":{"a":"b"},"expires":2000000000,"enabled":false`, []string{"value", "enabled", "notBefore"}, "PUT"},
		{"a date too many", `"value":"v","contentType":"t","tags":{"a":"b"},"expires":2000000000,"notBefore":1500000000`, []string{"notBefore"}, "PUT"},
		{"too many tags", `"value":"v","contentType":"t","tags":{"a":"b","x":"y"},"expires":2000000000`, []string{"tags"}, "PATCH"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, vaults{
				source: `{"secrets":[{"name":"db","value":"v","contentType":"t","tags":{"a":"b"},"expires":2000000000}]}`,
				target: `{"secrets":[{"name":"db",` + tt.target + `}]}`,
			})
			c := l.compare(full(), "secrets/db")
			if c.State != plugin.Different || tt.name != "disabled" && !slices.Equal(c.Fields, tt.fields) {
				t.Errorf("compared: %+v, want %v", c, tt.fields)
			}
			before := l.fields(l.target, "secrets/db")
			e := l.refused(full(), "secrets/db")
			l.wantKind(e, errs.Conflict)
			if strings.Contains(e.Error(), "other") || !strings.Contains(e.Error(), c.Fields[0]) {
				t.Errorf("the error names the wrong things: %v", e)
			}
			if diff := cmp.Diff(before, l.fields(l.target, "secrets/db")); diff != "" {
				t.Errorf("written without Overwrite:\n%s", diff)
			}
			l.calls()
			l.wantStatus(l.replicate(full().over(), "secrets/db"), plugin.Updated)
			calls := slices.DeleteFunc(l.calls(), func(r wire.Request) bool { return !r.Write() })
			if len(calls) != 1 || calls[0].Method != tt.method {
				t.Errorf("wrote%s\nwant one %s", show(calls), tt.method)
			}
			l.sameFields("secrets/db", secretFields[:len(secretFields)-1]...)
			l.wantStatus(l.replicate(full().over(), "secrets/db"), plugin.Unchanged)
		})
	}
}

func TestDisabledSecretIsReported(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"secrets":[{"name":"off","value":"v","enabled":false}]}`})
	for _, key := range []string{"latest", "all"} {
		r := full("versions", key)
		out := l.replicate(r, "secrets/off")
		l.wantStatus(out, plugin.Skipped)
		if c := l.compare(r, "secrets/off"); out.Reason != reasonDisabled || c.State != plugin.Cannot || c.Reason != reasonDisabled {
			t.Errorf("%s: reported as %q, compared as %+v", key, out.Reason, c)
		}
	}
	if l.fields(l.target, "secrets/off") != nil {
		t.Error("something was written")
	}
}

func TestDisabledSecretIsReadOnRequest(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"secrets":[{"name":"off","value":"v","enabled":false,"tags":{"a":"b"}}]}`})
	r := full("disabled", "read")
	if c := l.compare(r, "secrets/off"); c.State != plugin.Missing {
		t.Errorf("before: %+v", c)
	}
	before := l.fields(l.source, "secrets/off")
	l.wantStatus(l.replicate(r, "secrets/off"), plugin.Created)
	if diff := cmp.Diff(before, l.fields(l.source, "secrets/off")); diff != "" {
		t.Errorf("the source is not as it was:\n%s", diff)
	}
	l.sameFields("secrets/off", secretFields...)
	l.calls()
	l.wantStatus(l.replicate(r, "secrets/off"), plugin.Unchanged)
	if c := l.calls(); writes(c) != 0 {
		t.Errorf("a second run writes:%s", show(c))
	}
	if c := l.compare(r, "secrets/off"); c.State != plugin.Same || c.Proven || c.Reason == "" {
		t.Errorf("after: %+v", c)
	}
}

// TestDisabledSecretIsDisabledAgain interrupts the reading in the middle.
func TestDisabledSecretIsDisabledAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"secrets":[{"name":"off","value":"v","enabled":false}]}`})
	r := full("disabled", "read")
	it := l.item(r, "secrets/off")
	if err := l.AddFault(wire.Fault{Name: "read", Host: "kv-contoso.vault.azure.net", Method: "GET", Path: "^/secrets/off/[0-9a-f]+$", Kind: "status", Status: 500}); err != nil {
		t.Fatal(err)
	}
	var saved []byte
	task := l.task(r, it)
	task.Save = func(b []byte) error { saved = b; return nil }
	if _, err := l.plugin.Replicate(t.Context(), task); errs.KindOf(err) != errs.Unavailable {
		t.Fatalf("error = %v, want one of kind unavailable", err)
	}
	if l.fields(l.source, "secrets/off")["enabled"] != "false" {
		t.Error("the source stays enabled after a failure")
	}
	// A crash between enabling and disabling: the next attempt disables first.
	l.ClearFaults()
	j, _, err := l.plugin.job(task)
	if err != nil {
		t.Fatal(err)
	}
	src, err := j.newest(t.Context(), plugin.Source)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.enableSource(t.Context(), src.id, true); err != nil {
		t.Fatal(err)
	}
	task.Checkpoint = saved
	out, err := l.plugin.Replicate(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	l.wantStatus(out, plugin.Created)
	l.sameFields("secrets/off", secretFields...)
	if l.fields(l.source, "secrets/off")["enabled"] != "false" {
		t.Error("the source stays enabled after a crash")
	}
}

func TestDisabledSecretOverAnother(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, target string
		versions     string
	}{
		{"an enabled one of the same value", `"value":"v"`, "1"},
		{"an enabled one of another value", `"value":"w"`, "2"},
		{"a disabled one with other tags", `"value":"v","enabled":false,"tags":{"x":"y"}`, "2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, vaults{
				source: `{"secrets":[{"name":"off","value":"v","enabled":false}]}`,
				target: `{"secrets":[{"name":"off",` + tt.target + `}]}`,
			})
			r := full("disabled", "read")
			if c := l.compare(r, "secrets/off"); c.State != plugin.Different {
				t.Errorf("compared: %+v", c)
			}
			l.wantKind(l.refused(r, "secrets/off"), errs.Conflict)
			l.wantStatus(l.replicate(r.over(), "secrets/off"), plugin.Updated)
			l.sameFields("secrets/off", "value", "enabled", "tags")
			if got := l.fields(l.target, "secrets/off")["versions"]; got != tt.versions {
				t.Errorf("the target has %s versions, want %s", got, tt.versions)
			}
		})
	}
}

func TestSecretUnderACertificatesName(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{
		source: `{"secrets":[{"name":"tls","value":"v"}],"keys":[{"name":"tls"}]}`,
		target: `{"certificates":[{"name":"tls","subject":"CN=tls"}]}`,
	})
	for _, key := range []string{"secrets/tls", "keys/tls"} {
		for _, r := range []run{full().over(), template().over(), full("versions", "all").over()} {
			e := l.refused(r, key)
			l.wantKind(e, errs.Conflict)
			if !strings.Contains(e.Error(), "belongs to a certificate") {
				t.Errorf("%s: %v", key, e)
			}
			if c := l.compare(r, key); c.State != plugin.Different || c.Reason != reasonTaken {
				t.Errorf("%s %s: compared %+v", r.mode, key, c)
			}
		}
	}
}

func TestCertificatesSecretIsNotASecret(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[{"name":"tls","subject":"CN=tls"}]}`})
	it := plugin.Item{Key: "secrets/tls", Kind: kindSecret, Ref: plugin.Encode(ref{Name: "tls"})}
	for _, r := range []run{full(), full("versions", "all")} {
		out, err := l.plugin.Replicate(t.Context(), l.task(r, it))
		if err != nil || out.Status != plugin.Skipped || out.Reason != reasonManaged {
			t.Errorf("got %+v, %v", out, err)
		}
		task := l.task(r, it)
		task.Target = task.Source // where something of the name is, so that both sides are looked at
		if c, err := l.plugin.Compare(t.Context(), task); err != nil || c.State == plugin.Same {
			t.Errorf("compared %+v, %v", c, err)
		}
	}
}

// TestSecretThatChangesMeanwhile was enabled when it was listed, or the other way round.
func TestSecretThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"secrets":[{"name":"on","value":"v"},{"name":"off","value":"v","enabled":false}]}`, target: `{"secrets":[{"name":"off","value":"v"}]}`})
	off, on := l.item(full(), "secrets/off"), l.item(full(), "secrets/on")
	off.Ref, on.Ref = plugin.Encode(ref{Name: "off"}), plugin.Encode(ref{Name: "on", Disabled: true})
	if out, err := l.plugin.Replicate(t.Context(), l.task(full(), off)); err != nil || out.Status != plugin.Skipped || out.Reason != reasonDisabled {
		t.Errorf("disabled since: %+v, %v", out, err)
	}
	if c, err := l.plugin.Compare(t.Context(), l.task(full(), off)); err != nil || c.State != plugin.Cannot {
		t.Errorf("disabled since: compared %+v, %v", c, err)
	}
	if _, err := l.plugin.Replicate(t.Context(), l.task(full("disabled", "read"), on)); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "run again") {
		t.Errorf("enabled since: %v", err)
	}
}

// TestLostAnswerMakesNoSecondVersion cuts the connection behind a write.
func TestLostAnswerMakesNoSecondVersion(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"lost", "cut"} {
		for key, path := range map[string]string{"secrets/db": "^/secrets/db", "keys/k": "/create$", "certificates/c": "/import$"} {
			l := newLab(t, vaults{source: `{"secrets":[{"name":"db","value":"v"}],"keys":[{"name":"k"}],"certificates":[{"name":"c","subject":"CN=c"}]}`})
			it := l.item(full(), key)
			method := "POST"
			if it.Kind == kindSecret {
				method = "PUT"
			}
			if _, err := l.plugin.Compare(t.Context(), l.task(full(), it)); err != nil { // the challenge is over
				t.Fatal(err)
			}
			if err := l.AddFault(wire.Fault{Name: kind, Host: "kv-fabrikam.vault.azure.net", Method: method, Path: path, Kind: kind, Count: 1}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.plugin.Replicate(t.Context(), l.task(full(), it)); errs.KindOf(err) != errs.Unavailable {
				t.Errorf("%s %s: error = %v, want one of kind unavailable", kind, key, err)
			}
			out, err := l.plugin.Replicate(t.Context(), l.task(full(), it))
			if err != nil || out.Status != plugin.Unchanged {
				t.Errorf("%s %s: the next attempt gives %+v, %v", kind, key, out, err)
			}
			if n := l.fields(l.target, key)["versions"]; n != "1" {
				t.Errorf("%s %s: the target has %s versions", kind, key, n)
			}
		}
	}
}
