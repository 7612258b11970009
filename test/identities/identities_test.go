package identities

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

func TestRightIdentities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.want(w.apply(w.right()), done)
	w.copied()
	if contoso, fabrikam := w.apart(); contoso < secrets || fabrikam < secrets {
		t.Errorf("%d requests of contoso, %d of fabrikam: the log does not show the run", contoso, fabrikam)
	}
}

// in is an identity that claims to be of another tenant.
func in(id, other emulator.Identity) emulator.Identity {
	id.TenantID = other.TenantID
	return id
}

// Wrong identities that the sign-in service or atg itself refuses: nothing else is asked.
func TestRefusedIdentities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	lapsed := app(w.fabrikam)
	lapsed.AppID, lapsed.SecretExpires = "aaaaaaaa-0000-4000-8000-00000000e001", expired
	w.must(w.Entra().AddApp(w.fabrikam.TenantID, lapsed))
	gone := emulator.Identity{TenantID: w.fabrikam.TenantID, AppID: lapsed.AppID, Secret: lapsed.Secret}
	mixed := w.contoso
	mixed.Secret = w.fabrikam.Secret
	nobody := emulator.Identity{TenantID: w.fabrikam.TenantID}
	for name, tt := range map[string]struct {
		as   who
		args []string
		code int
		says []string
	}{
		"swapped": {
			who{in(w.fabrikam, w.contoso), in(w.contoso, w.fabrikam)},
			nil, signIn,
			[]string{"cannot sign in (source)", "AADSTS700016", "client ID and tenant ID, they belong together"},
		},
		"the target's principal in the source's tenant": {
			who{in(w.fabrikam, w.contoso), w.fabrikam}, nil, signIn, []string{"cannot sign in (source)", "AADSTS700016"},
		},
		"an application with the other's secret": {
			who{mixed, w.fabrikam}, nil, signIn, []string{"cannot sign in (source)", "AADSTS7000215", "make a new one with: az ad app credential reset"},
		},
		"swapped, and the flags say which tenant is meant": {
			who{w.fabrikam, w.contoso},
			[]string{"--source-tenant-id", w.contoso.TenantID, "--target-tenant-id", w.fabrikam.TenantID},
			signIn,
			[]string{"ATG_SOURCE_*: is of tenant " + w.fabrikam.TenantID + "; this side is tenant " + w.contoso.TenantID},
		},
		"the source's principal for both": {
			who{w.contoso, nobody},
			[]string{"--source-sp-client-id", w.contoso.AppID, "--source-sp-client-secret-file", w.file("secret", w.contoso.Secret)},
			signIn,
			[]string{"cannot sign in (target)", "AADSTS700016"},
		},
		"a secret that has expired": {
			who{w.contoso, gone}, nil, signIn, []string{"cannot sign in (target)", "AADSTS7000222", "the secret has expired; make a new one with: az ad app credential reset"},
		},
	} {
		w.ResetRequests()
		t.Run(name, func(t *testing.T) { // one after the other: they share the request log
			w := *w
			w.TB = t
			w.want(w.apply(tt.as, tt.args...), tt.code, tt.says...)
			w.untouched()
		})
	}
}

// Whoever swaps whole identities signs in without an error. What names the other tenant's
// resources is then refused before Azure is asked about them.
func TestSwappedWholly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	list := func(id, tenant string) string {
		return fmt.Sprintf(`[{"id":%q,"name":%q,"type":"Microsoft.KeyVault/vaults","tenantId":%q}]`, id, id[strings.LastIndex(id, "/")+1:], tenant)
	}
	source, target := w.file("source.json", list(sourceVault, w.contoso.TenantID)), w.file("target.json", list(targetVault, w.fabrikam.TenantID))
	for name, args := range map[string][]string{
		"the subscription by flag": {"--source-subscription-id", w.contoso.SubscriptionID},
		"the target's by flag":     {"--target-subscription-id", w.fabrikam.SubscriptionID},
		"resources in files":       {"--source-inventory", source, "--target-inventory", target},
		"a mapping": {
			"--source-inventory", source, "--target-inventory", target, "--mapping",
			w.file("pairs.json", fmt.Sprintf(`{"pairs":[{"source":%q,"target":%q}]}`, sourceVault, targetVault)),
		},
	} {
		w.ResetRequests()
		t.Run(name, func(t *testing.T) {
			w := *w
			w.TB = t
			r := w.apply(who{w.fabrikam, w.contoso}, args...)
			if r.code == done {
				t.Error("it is taken for a success")
			}
			w.want(r, r.code, "tenant")
			w.apart()
			for _, q := range w.Requests() {
				if q.Service == "keyvault" || q.Service == "arm" && q.Write() {
					t.Errorf("%s %s%s", q.Method, q.Host, q.Path)
				}
			}
		})
	}
}

// One application may be registered in both tenants: that is two principals, and works.
func TestOneApplicationInBothTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	both := app(w.fabrikam)
	both.AppID, both.Secret = w.contoso.AppID, w.contoso.Secret
	w.must(w.Entra().AddApp(w.fabrikam.TenantID, both))
	w.want(w.apply(who{w.contoso, in(w.contoso, w.fabrikam)}), done)
	w.copied()
	w.apart()
}

// Tokens that are good for two minutes only are fetched anew before they end: a token with
// less than five minutes left is not used again.
func TestTokensAreRefreshedAheadOfTheirEnd(t *testing.T) {
	t.Parallel()
	long, short := newWorld(t, emulator.Options{}), newWorld(t, emulator.Options{TokenLifetime: 2 * time.Minute})
	for _, w := range []*world{long, short} {
		w.want(w.apply(w.right()), done)
		w.copied()
		w.apart()
		for _, r := range w.Requests() {
			if r.Status == 401 && r.TenantID != "" {
				t.Errorf("%s %s%s: a token was refused", r.Method, r.Host, r.Path)
			}
		}
	}
	if l, s := long.tokens(long.fabrikam), short.tokens(short.fabrikam); l != 2 || s <= l { // Resource Manager and vault
		t.Errorf("%d tokens of an hour, %d of two minutes", l, s)
	}
}

// Revoked tokens are answered with a claims challenge, and a new one goes on.
func TestRevokedInMidRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.at(3, func() {
		w.Entra().RevokeTokens(w.fabrikam.AppID)
		w.Entra().RevokeTokens(w.contoso.AppID)
	})
	w.want(w.apply(w.right()), done)
	w.copied()
	w.apart()
	challenged := 0
	for _, r := range w.Requests() {
		if r.Status == 401 && r.TenantID != "" {
			challenged++
		}
	}
	if challenged == 0 {
		t.Error("no token was refused: nothing was revoked in mid-run")
	}
}

// A principal that is taken away in mid-run fails what is left, and nothing else; once it
// is back the run goes on.
func TestTakenAwayInMidRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.at(3, func() { w.Entra().RemoveApp(w.fabrikam.TenantID, w.fabrikam.AppID) })
	w.want(w.apply(w.right()), partial, "AADSTS700016", "check client ID and tenant ID")
	w.apart()
	if n := w.written(); n == 0 || n == secrets {
		t.Errorf("%d secrets were written", n)
	}
	w.must(w.Entra().AddApp(w.fabrikam.TenantID, app(w.fabrikam)))
	w.want(w.atg(w.right(), "run", "resume"), done)
	w.copied()
	w.apart()
}

// A secret that has expired when a new token is due is told as such.
func TestSecretExpiresInMidRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.at(3, func() {
		lapsed := app(w.contoso)
		lapsed.SecretExpires = expired
		w.must(w.Entra().AddApp(w.contoso.TenantID, lapsed))
		w.Entra().RevokeTokens(lapsed.AppID)
	})
	w.want(w.apply(w.right()), partial, "AADSTS7000222", "the secret has expired")
	w.apart()
	w.must(w.Entra().AddApp(w.contoso.TenantID, app(w.contoso)))
	w.want(w.atg(w.right(), "run", "resume"), done)
	w.copied()
}

// A service that calls a token expired which this machine takes for good (their clocks
// differ) is told with its own words, and the run can go on later.
func TestServiceCallsTokensExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{})
	w.at(3, func() {
		if err := w.AddFault(wire.Fault{Name: "clock", Host: targetHost, Method: "PUT", Kind: "expired"}); err != nil {
			t.Error(err)
		}
	})
	w.want(w.apply(w.right()), partial, "TokenExpired", "compare its clock with the true time")
	w.apart()
	w.ClearFaults()
	w.want(w.atg(w.right(), "run", "resume"), done)
	w.copied()
}

// written counts the target's secrets.
func (w *world) written() int {
	objects, err := w.Objects(targetVault)
	w.must(err)
	return len(objects)
}
