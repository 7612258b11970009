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

var certificateFields = []string{"x5t", "policy", "exportable", "contentType", "hasPrivateKey", "keyThumbprint", "tags", "enabled", "versions"}

func TestCertificatesAreCopiedWithTheirKeys(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[
		{"name":"pfx","subject":"CN=a, O=b","sans":{"dns_names":["b.example","a.example"]},"tags":{"a":"b"}},
		{"name":"pem","subject":"CN=pem","contentType":"application/x-pem-file","keyType":"RSA","keySize":2048},
		{"name":"ca","subject":"CN=ca","issuer":"digi","lifetimeActions":[{"trigger":{"days_before_expiry":30},"action":{"action_type":"AutoRenew"}}]}],
		"issuers":[{"name":"digi","provider":"DigiCert","accountId":"acc","password":"pw","orgId":"org"}]}`})
	for _, key := range []string{"certificates/pfx", "certificates/pem", "certificates/ca"} {
		if c := l.compare(full(), key); c.State != plugin.Missing {
			t.Errorf("%s before: %+v", key, c)
		}
		out := l.replicate(full(), key)
		l.wantStatus(out, plugin.Created)
		if out.Bytes == 0 {
			t.Errorf("%s: no bytes are counted", key)
		}
		l.sameFields(key, certificateFields...)
		it := l.item(full(), key)
		l.calls()
		if out, err := l.plugin.Replicate(t.Context(), l.task(full(), it)); err != nil || out.Status != plugin.Unchanged {
			t.Errorf("%s again: %+v, %v", key, out, err)
		}
		if c := l.calls(); len(c) != 2 || writes(c) != 0 {
			t.Errorf("%s: a second run makes %d calls:%s", key, len(c), show(c))
		}
		if c := l.compare(full(), key); c.State != plugin.Same || !c.Proven {
			t.Errorf("%s after: %+v", key, c)
		}
	}
	if l.fields(l.target, "issuers/digi")["password"] != "" {
		t.Error("the issuer has a password, which cannot be")
	}
}

func TestCertificateThatCannotBeCopied(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[
		{"name":"fixed","subject":"CN=fixed","exportable":false},{"name":"off","subject":"CN=off","enabled":false}]}`})
	for key, reason := range map[string]string{"certificates/fixed": reasonNotExportable, "certificates/off": reasonCertificateDisabled} {
		out := l.replicate(full(), key)
		l.wantStatus(out, plugin.Skipped)
		if c := l.compare(full(), key); out.Reason != reason || c.State != plugin.Cannot || c.Reason != reason {
			t.Errorf("%s: reported as %q, compared as %+v", key, out.Reason, c)
		}
	}
	if objects, err := l.Objects(l.target.Resource.ID); err != nil || len(objects) != 0 {
		t.Errorf("the target holds %v, %v", objects, err)
	}
}

func TestDisabledCertificateIsReadOnRequest(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[{"name":"off","subject":"CN=off","enabled":false}]}`})
	r := full("disabled", "read")
	before := l.fields(l.source, "certificates/off")
	l.wantStatus(l.replicate(r, "certificates/off"), plugin.Created)
	if diff := cmp.Diff(before, l.fields(l.source, "certificates/off")); diff != "" {
		t.Errorf("the source is not as it was:\n%s", diff)
	}
	l.sameFields("certificates/off", certificateFields...)
	l.wantStatus(l.replicate(r, "certificates/off"), plugin.Unchanged)
	l.wantStatus(l.replicate(full(), "certificates/off"), plugin.Unchanged) // to see that it is the same nothing secret is needed
}

func TestCertificateThatDiffers(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{
		source: `{"certificates":[{"name":"c","subject":"CN=c","tags":{"a":"b"}}]}`,
		target: `{"certificates":[{"name":"c","subject":"CN=other"}]}`,
	})
	if c := l.compare(full(), "certificates/c"); c.State != plugin.Different || !slices.Equal(c.Fields, []string{"certificate", "tags", "policy"}) {
		t.Errorf("compared: %+v", c)
	}
	l.wantKind(l.refused(full(), "certificates/c"), errs.Conflict)
	l.wantStatus(l.replicate(full().over(), "certificates/c"), plugin.Updated)
	l.sameFields("certificates/c", certificateFields[:len(certificateFields)-1]...)
	l.wantStatus(l.replicate(full(), "certificates/c"), plugin.Unchanged)
}

func TestCertificatePropertiesAreChangedInPlace(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[{"name":"c","subject":"CN=c","tags":{"a":"b"}}]}`})
	for _, versions := range []string{"latest", "all"} {
		r := full("versions", versions)
		if versions == "latest" {
			l.wantStatus(l.replicate(r, "certificates/c"), plugin.Created)
		}
		j, _, err := l.plugin.job(l.task(r, l.item(r, "certificates/c")))
		if err != nil {
			t.Fatal(err)
		}
		dst, err := j.readCertificate(t.Context(), plugin.Target)
		if err != nil {
			t.Fatal(err)
		}
		changed := dst.certVersion
		changed.tags, changed.disabled = map[string]string{"x": "y"}, true
		if err := j.updateCertificate(t.Context(), dst.id, changed); err != nil {
			t.Fatal(err)
		}
		p := dst
		p.policy, p.wire = dst.policy, writable(dst.wire, "application/x-pem-file")
		if err := j.setPolicy(t.Context(), p, certPolicy{}); err != nil {
			t.Fatal(err)
		}
		if c := l.compare(r, "certificates/c"); c.State != plugin.Different || !slices.Contains(c.Fields, "enabled") || !slices.Contains(c.Fields, "policy") {
			t.Errorf("%s compared: %+v", versions, c)
		}
		l.wantKind(l.refused(r, "certificates/c"), errs.Conflict)
		l.wantStatus(l.replicate(r.over(), "certificates/c"), plugin.Updated)
		l.sameFields("certificates/c", certificateFields...)
	}
}

func TestCertificateHistory(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[{"name":"c","subject":"CN=c","versions":3}]}`})
	r := full("versions", "all")
	l.wantStatus(l.replicate(r, "certificates/c"), plugin.Created)
	l.sameFields("certificates/c", append(certificateFields, "v0.x5t", "v1.x5t", "v2.x5t")...)
	l.calls()
	l.wantStatus(l.replicate(r, "certificates/c"), plugin.Unchanged)
	if c := l.calls(); writes(c) != 0 {
		t.Errorf("a second run writes:%s", show(c))
	}
	if c := l.compare(r, "certificates/c"); c.State != plugin.Same || !c.Proven {
		t.Errorf("after: %+v", c)
	}
	l.wantStatus(l.replicate(full(), "certificates/c"), plugin.Unchanged)
}

func TestCertificateHistoryGoesOn(t *testing.T) {
	t.Parallel()
	for skip := range 3 {
		l := newLab(t, vaults{source: `{"certificates":[{"name":"c","subject":"CN=c","versions":3}]}`})
		r := full("versions", "all")
		it := l.item(r, "certificates/c")
		if _, err := l.plugin.Compare(t.Context(), l.task(r, it)); err != nil {
			t.Fatal(err)
		}
		if err := l.AddFault(wire.Fault{Name: "lost", Path: "/import$", Kind: "lost", Skip: skip, Count: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.plugin.Replicate(t.Context(), l.task(r, it)); errs.KindOf(err) != errs.Unavailable {
			t.Fatalf("at %d: error = %v", skip, err)
		}
		if _, err := l.plugin.Replicate(t.Context(), l.task(r, it)); err != nil {
			t.Fatalf("at %d: going on: %v", skip, err)
		}
		l.sameFields("certificates/c", append(certificateFields, "v0.x5t", "v1.x5t", "v2.x5t")...)
	}
}

func TestCertificateHistoryOverAnother(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{
		source: `{"certificates":[{"name":"c","subject":"CN=c","versions":2}]}`,
		target: `{"certificates":[{"name":"c","subject":"CN=c"}]}`,
	})
	r := full("versions", "all")
	if c := l.compare(r, "certificates/c"); c.State != plugin.Different || !slices.Equal(c.Fields, []string{"certificate", "versions"}) {
		t.Errorf("compared: %+v", c)
	}
	l.wantKind(l.refused(r, "certificates/c"), errs.Conflict)
	l.wantStatus(l.replicate(r.over(), "certificates/c"), plugin.Updated)
	l.sameFields("certificates/c", "x5t", "policy")
	if c := l.compare(r, "certificates/c"); c.State != plugin.Same || c.Proven || !strings.Contains(c.Reason, "1 further version") {
		t.Errorf("after: %+v", c)
	}
}

func TestCertificatesFromTheirPolicies(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[
		{"name":"self","subject":"CN=self","tags":{"a":"b"}},
		{"name":"fixed","subject":"CN=fixed","exportable":false,"enabled":false},
		{"name":"csr","subject":"CN=csr","issuer":"Unknown"}]}`})
	for _, key := range []string{"certificates/self", "certificates/fixed"} {
		if c := l.compare(template(), key); c.State != plugin.Missing {
			t.Errorf("%s before: %+v", key, c)
		}
		l.wantStatus(l.replicate(template(), key), plugin.Created)
		l.sameFields(key, "policy", "exportable", "contentType", "tags", "enabled", "versions")
		l.wantStatus(l.replicate(template(), key), plugin.Unchanged)
		if c := l.compare(template(), key); c.State != plugin.Same || !c.Proven {
			t.Errorf("%s after: %+v", key, c)
		}
		if c := l.compare(full(), key); c.State == plugin.Same {
			t.Errorf("%s is another certificate, and compared %+v", key, c)
		}
	}
	out := l.replicate(template(), "certificates/csr")
	l.wantStatus(out, plugin.Skipped)
	if c := l.compare(template(), "certificates/csr"); out.Reason != reasonUnknownIssuer || c.State != plugin.Cannot || c.Reason != reasonUnknownIssuer {
		t.Errorf("reported as %q, compared as %+v", out.Reason, c)
	}
	if slices.ContainsFunc(l.calls(), readsValue) {
		t.Error("a value was read")
	}
}

func TestTemplateCertificateThatDiffers(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{
		source: `{"certificates":[{"name":"c","subject":"CN=c","tags":{"a":"b"},"validityMonths":6}]}`,
		target: `{"certificates":[{"name":"c","subject":"CN=c"}]}`,
	})
	if c := l.compare(template(), "certificates/c"); c.State != plugin.Different || !slices.Equal(c.Fields, []string{"tags", "policy"}) {
		t.Errorf("compared: %+v", c)
	}
	l.wantKind(l.refused(template(), "certificates/c"), errs.Conflict)
	x5t := l.fields(l.target, "certificates/c")["x5t"]
	l.wantStatus(l.replicate(template().over(), "certificates/c"), plugin.Updated)
	l.sameFields("certificates/c", "tags", "policy", "versions")
	if l.fields(l.target, "certificates/c")["x5t"] != x5t {
		t.Error("the certificate itself was replaced")
	}
}

func TestTemplateCertificateOfAnAuthority(t *testing.T) {
	t.Parallel()
	const source = `{"certificates":[{"name":"c","subject":"CN=c","issuer":"digi"}],"issuers":[{"name":"digi","provider":"DigiCert","accountId":"a","password":"p","orgId":"o"}]}`
	for target, want := range map[string]string{
		``: "does not exist at the target",
		`{"issuers":[{"name":"digi","provider":"DigiCert","orgId":"o"}]}`: "has no credentials at the target",
	} {
		l := newLab(t, vaults{source: source, target: target})
		out := l.replicate(template(), "certificates/c")
		l.wantStatus(out, plugin.Skipped)
		if c := l.compare(template(), "certificates/c"); !strings.Contains(out.Reason, want) || c.State != plugin.Cannot || c.Reason != out.Reason {
			t.Errorf("reported as %q, compared as %+v", out.Reason, c)
		}
	}
	// With credentials the request is made. The emulator reaches no authority: it fails.
	l := newLab(t, vaults{source: source, target: `{"issuers":[{"name":"digi","provider":"DigiCert","accountId":"a","password":"p","orgId":"o"}]}`})
	out, err := l.plugin.Replicate(t.Context(), l.task(template(), l.item(template(), "certificates/c")))
	if err != nil || out.Status != plugin.Created || out.Reason != reasonIssuing {
		t.Errorf("got %+v, %v", out, err)
	}
	if c := l.compare(template(), "certificates/c"); c.State != plugin.Different || c.Reason != reasonIssuing {
		t.Errorf("compared: %+v", c)
	}
	if e := l.refused(template(), "certificates/c"); e.Kind != errs.Conflict || !strings.Contains(e.Error(), "failed") {
		t.Errorf("a request that failed gives %v", e)
	}
}

// TestIssuerComesWithItsCertificate imports a certificate before its issuer's own item.
func TestIssuerComesWithItsCertificate(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[{"name":"c","subject":"CN=c","issuer":"digi"}],"issuers":[{` + digi + `}]}`})
	l.wantStatus(l.replicate(full(), "certificates/c"), plugin.Created)
	l.sameFields("issuers/digi", "provider", "orgDetails")
	out := l.replicate(full(), "issuers/digi")
	if l.wantStatus(out, plugin.Unchanged); !slices.Equal(out.Warnings, []string{warnNoCredentials}) {
		t.Errorf("warnings = %q", out.Warnings)
	}
}

// TestOldVersionThatIsRefused is reported, and does not keep the current one back.
func TestOldVersionThatIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[{"name":"c","subject":"CN=c","versions":2}]}`})
	r := full("versions", "all")
	it := l.item(r, "certificates/c")
	if _, err := l.plugin.Compare(t.Context(), l.task(r, it)); err != nil {
		t.Fatal(err)
	}
	if err := l.AddFault(wire.Fault{Name: "expired", Path: "/import$", Kind: "status", Status: 400, Code: "BadParameter", Count: 1}); err != nil {
		t.Fatal(err)
	}
	out, err := l.plugin.Replicate(t.Context(), l.task(r, it))
	if err != nil || out.Status != plugin.Created || len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "refused the old version") {
		t.Errorf("got %+v, %v", out, err)
	}
	l.sameFields("certificates/c", "x5t", "policy")
	out = l.replicate(r, "certificates/c")
	if l.wantStatus(out, plugin.Unchanged); len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "lacks 1 older version,") {
		t.Errorf("again: warnings %q", out.Warnings)
	}
	l.wantStatus(l.replicate(r.over(), "certificates/c"), plugin.Updated)
	if got := l.fields(l.target, "certificates/c")["versions"]; got != "3" {
		t.Errorf("the target has %s versions, want the current one, the old one and the current one", got)
	}
}

func TestFailuresOfTheSourceAreErrors(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: declared})
	l.source.Options.Retry.MaxRetries = -1
	items := l.list(full())
	if err := l.AddFault(wire.Fault{Name: "down", Host: "kv-contoso.vault.azure.net", Kind: "status", Status: 503}); err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		for _, r := range []run{full(), full("versions", "all")} {
			if r.mode == plugin.Replication && it.Key == "secrets/off" {
				continue // nothing of it is read
			}
			if _, err := l.plugin.Replicate(t.Context(), l.task(r, it)); errs.KindOf(err) != errs.Unavailable || errs.Find(err).Side != "source" {
				t.Errorf("%s: error = %v", it.Key, err)
			}
		}
	}
}

func TestFailuresOfTheTargetAreErrors(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: declared})
	l.target.Options.Retry.MaxRetries = -1
	if err := l.AddFault(wire.Fault{Name: "down", Host: "kv-fabrikam.vault.azure.net", Kind: "status", Status: 503}); err != nil {
		t.Fatal(err)
	}
	for _, r := range []run{full(), full("versions", "all", "disabled", "read"), template()} {
		for _, it := range l.list(r) {
			if r.mode == plugin.Replication && len(r.settings) == 0 && it.Key == "secrets/off" {
				continue // nothing of it is looked at
			}
			for what, err := range map[string]error{
				"Replicate": second(l.plugin.Replicate(t.Context(), l.task(r, it))),
				"Compare":   second(l.plugin.Compare(t.Context(), l.task(r, it))),
			} {
				if errs.KindOf(err) != errs.Unavailable || errs.Find(err).Side != "target" {
					t.Errorf("%s %s %s: error = %v", r.mode, what, it.Key, err)
				}
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestCutCertificateRequestGoesOn stops between the request and the certificate.
func TestCutCertificateRequestGoesOn(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[{"name":"c","subject":"CN=c"}]}`})
	if err := l.AddFault(wire.Fault{Name: "cut", Path: "/pending$", Kind: "reset", Count: 20}); err != nil {
		t.Fatal(err)
	}
	l.wantKind(l.refused(template(), "certificates/c"), errs.Unavailable)
	l.ClearFaults()
	if _, err := l.plugin.Replicate(t.Context(), l.task(template(), l.item(template(), "certificates/c"))); err != nil {
		t.Fatal(err)
	}
	l.sameFields("certificates/c", "policy", "versions")
}

func TestHSMCertificateForAStandardVault(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"certificates":[{"name":"c","subject":"CN=c","keyType":"EC-HSM","exportable":false}]}`, targetSKU: "standard"})
	if out := l.replicate(template(), "certificates/c"); out.Status != plugin.Skipped || out.Reason != reasonStandard {
		t.Errorf("got %+v", out)
	}
}
