package keyvault

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

var keyFields = []string{"kty", "size", "curve", "ops", "exportable", "tags", "enabled", "notBefore", "expires", "rotationPolicy"}

const rotating = `"rotationPolicy":{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P90D"},"action":{"type":"Rotate"}},{"trigger":{"timeBeforeExpiry":"P30D"},"action":{"type":"Notify"}}],"attributes":{"expiryTime":"P2Y"}}`

func TestKeysAreRecreated(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"keys":[
		{"name":"rsa","kty":"RSA","size":2048,"keyOps":["sign","verify"],"tags":{"a":"b"},"expires":2000000000},
		{"name":"ec","kty":"EC","curve":"P-384","enabled":false},
		{"name":"hsm","kty":"EC-HSM","curve":"P-256"},
		{"name":"old","expires":1600000000,"notBefore":1500000000},
		{"name":"rotating",` + rotating + `}]}`})
	for _, key := range []string{"keys/rsa", "keys/ec", "keys/hsm", "keys/old", "keys/rotating"} {
		if c := l.compare(full(), key); c.State != plugin.Missing {
			t.Errorf("%s before: %+v", key, c)
		}
		out := l.replicate(full(), key)
		l.wantStatus(out, plugin.Created)
		if out.Reason != reasonRecreated {
			t.Errorf("%s: reason %q", key, out.Reason)
		}
		l.sameFields(key, keyFields...)
		if l.fields(l.source, key)["thumbprint"] == l.fields(l.target, key)["thumbprint"] {
			t.Errorf("%s: both sides have the same material, which cannot be", key)
		}
		l.calls()
		l.wantStatus(l.replicate(full(), key), plugin.Unchanged)
		if c := l.calls(); writes(c) != 0 {
			t.Errorf("%s: a second run writes:%s", key, show(c))
		}
		if c := l.compare(full(), key); c.State != plugin.Same || c.Proven || c.Reason != reasonRecreated {
			t.Errorf("%s after: %+v", key, c)
		}
		if c := l.compare(template(), key); c.State != plugin.Same || !c.Proven {
			t.Errorf("%s after, in template mode: %+v", key, c)
		}
	}
}

func TestKeyThatDiffers(t *testing.T) {
	t.Parallel()
	const source = `"kty":"EC","curve":"P-256","keyOps":["sign"],"tags":{"a":"b"},"expires":2000000000`
	tests := []struct {
		name, source, target string
		fields               []string
		versions             string // at the target, with Overwrite
	}{
		{"operations and tags", source, `"kty":"EC","curve":"P-256","tags":{"a":"c"},"expires":2000000000`, []string{"operations", "tags"}, "1"},
		{"curve", source, `"kty":"EC","curve":"P-384","keyOps":["sign"],"tags":{"a":"b"},"expires":2000000000`, []string{"curve"}, "2"},
		{"type", source, `"kty":"EC-HSM","curve":"P-256","keyOps":["sign"],"tags":{"a":"b"},"expires":2000000000`, []string{"type"}, "2"},
		{"a date too many", source, `"kty":"EC","curve":"P-256","keyOps":["sign"],"tags":{"a":"b"},"expires":2000000000,"notBefore":1500000000`, []string{"notBefore"}, "2"},
		{"rotation", rotating, `"rotationPolicy":{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"Rotate"}}]}`, []string{"rotationPolicy"}, "1"},
		{"rotation too many", `"tags":{}`, rotating, []string{"rotationPolicy"}, "1"},
		{"disabled", source, source + `,"enabled":false`, []string{"enabled"}, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, vaults{
				source: `{"keys":[{"name":"k",` + tt.source + `}]}`,
				target: `{"keys":[{"name":"k",` + tt.target + `}]}`,
			})
			for _, r := range []run{full(), template()} {
				if c := l.compare(r, "keys/k"); c.State != plugin.Different || !slices.Equal(c.Fields, tt.fields) {
					t.Errorf("compared: %+v, want %v", c, tt.fields)
				}
				e := l.refused(r, "keys/k")
				l.wantKind(e, errs.Conflict)
				if !strings.Contains(e.Error(), tt.fields[0]) {
					t.Errorf("error = %v", e)
				}
			}
			l.wantStatus(l.replicate(full().over(), "keys/k"), plugin.Updated)
			l.sameFields("keys/k", keyFields[:len(keyFields)-1]...) // an emptied policy is kept as an empty one
			if got := l.fields(l.target, "keys/k")["versions"]; got != tt.versions {
				t.Errorf("the target has %s versions, want %s", got, tt.versions)
			}
			l.wantStatus(l.replicate(full().over(), "keys/k"), plugin.Unchanged)
		})
	}
}

// TestCutKeyCreationGoesOn stops between the key and its rotation policy.
func TestCutKeyCreationGoesOn(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"keys":[{"name":"k",` + rotating + `}]}`})
	if err := l.AddFault(wire.Fault{Name: "cut", Method: "PUT", Path: "/rotationpolicy$", Kind: "reset", Count: 9}); err != nil {
		t.Fatal(err)
	}
	l.wantKind(l.refused(full(), "keys/k"), errs.Unavailable)
	l.ClearFaults()
	l.wantStatus(l.replicate(full(), "keys/k"), plugin.Updated)
	l.sameFields("keys/k", append(keyFields, "versions")...)
}

func TestHSMKeyForAStandardVault(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: `{"keys":[{"name":"hsm","kty":"RSA-HSM","size":2048}]}`, targetSKU: "standard"})
	for _, r := range []run{full(), template()} {
		out := l.replicate(r, "keys/hsm")
		l.wantStatus(out, plugin.Skipped)
		if c := l.compare(r, "keys/hsm"); out.Reason != reasonStandard || c.State != plugin.Cannot || c.Reason != reasonStandard {
			t.Errorf("reported as %q, compared as %+v", out.Reason, c)
		}
	}
	l.target.Resource.SKU, l.target.Resource.Properties = "", json.RawMessage(`{"vaultUri":"https://kv-fabrikam.vault.azure.net"}`)
	if e := l.refused(full(), "keys/hsm"); e.Kind == errs.Conflict {
		t.Errorf("with an unknown SKU the service decides, and says: %v", e)
	}
}

func TestShapeOf(t *testing.T) {
	t.Parallel()
	kty, crv, on := azkeys.KeyTypeRSA, azkeys.CurveNameP256, true
	id := azkeys.ID("https://kv.vault.azure.net/keys/k/0123")
	verify, sign := azkeys.KeyOperationVerify, azkeys.KeyOperationSign
	got := shapeOf(azkeys.KeyBundle{
		Attributes: &azkeys.KeyAttributes{Exportable: &on},
		Key: &azkeys.JSONWebKey{
			Kty: &kty, Crv: &crv, KID: &id, N: append([]byte{0}, make256(0xff)...), E: []byte{3},
			KeyOps: []*azkeys.KeyOperation{&verify, nil, &sign},
		},
		ReleasePolicy: &azkeys.KeyReleasePolicy{EncodedPolicy: []byte("{}"), Immutable: &on},
		Managed:       &on,
	})
	want := keyShape{
		Type: kty, Curve: crv, Size: 2048, Exponent: 3, Operations: []azkeys.KeyOperation{sign, verify},
		Exportable: true, Release: releasePolicy{Policy: "{}", Immutable: true}, id: "0123", managed: true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(keyShape{})); diff != "" {
		t.Errorf("shape (-want +got):\n%s", diff)
	}
	other := want
	other.Exponent, other.Exportable, other.Release, other.Size = 0, false, releasePolicy{}, 4096
	if diff := cmp.Diff([]string{"exponent", "exportable", "releasePolicy", "size"}, want.material(other)); diff != "" {
		t.Errorf("material differences (-want +got):\n%s", diff)
	}
	if empty := shapeOf(azkeys.KeyBundle{}); empty.Size != 0 || empty.Type != "" {
		t.Errorf("an empty bundle has the shape %+v", empty)
	}
}

func make256(b byte) []byte {
	out := make([]byte, 256)
	for i := range out {
		out[i] = b
	}
	return out
}

func TestRotationIgnoresTheDefault(t *testing.T) {
	t.Parallel()
	notify, rotate := azkeys.KeyRotationPolicyAction("notify"), azkeys.KeyRotationPolicyAction("ROTATE")
	odd := azkeys.KeyRotationPolicyAction("Odd")
	month, quarter := "P30D", "P90D"
	p := azkeys.KeyRotationPolicy{LifetimeActions: []*azkeys.LifetimeAction{
		nil,
		{Action: &azkeys.LifetimeActionType{Type: &rotate}, Trigger: &azkeys.LifetimeActionTrigger{TimeAfterCreate: &quarter}},
		{Action: &azkeys.LifetimeActionType{Type: &notify}, Trigger: &azkeys.LifetimeActionTrigger{TimeBeforeExpiry: &month}},
	}}
	want := rotation{Actions: []rotationAction{byDefault, {Type: "Rotate", TimeAfterCreate: "P90D"}}}
	if got := rotationOf(p); !got.equal(want) {
		t.Errorf("policy = %+v, want %+v", got, want)
	}
	p.LifetimeActions = p.LifetimeActions[2:]
	if got := rotationOf(p); !got.empty() {
		t.Errorf("the default policy is %+v", got)
	}
	p.LifetimeActions = []*azkeys.LifetimeAction{{Action: &azkeys.LifetimeActionType{Type: &odd}}}
	if got := rotationOf(p); got.empty() || got.Actions[0].Type != "Odd" {
		t.Errorf("an unknown action is %+v", got)
	}
}

func TestSKU(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ sku, props, want string }{
		{"premium", `{"sku":{"name":"standard"}}`, "premium"},
		{"", `{"sku":{"name":"standard"}}`, "standard"},
		{"", `{}`, ""},
		{"", ``, ""},
	} {
		if got := sku(plugin.Resource{SKU: tt.sku, Properties: json.RawMessage(tt.props)}); got != tt.want {
			t.Errorf("sku(%q, %q) = %q, want %q", tt.sku, tt.props, got, tt.want)
		}
	}
}
