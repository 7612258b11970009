package keyvault

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const someOfAll = `{
	"secrets":[{"name":"s1","value":"v"},{"name":"s2","value":"v","enabled":false,"expires":"2030-01-02T03:04:05Z"}],
	"generate":{"secrets":60,"prefix":"gen-","seed":1},
	"keys":[{"name":"k1"},{"name":"k2"}],
	"certificates":[{"name":"c1","subject":"CN=c1"},{"name":"c2","subject":"CN=c2"}],
	"issuers":[{"name":"i1","provider":"DigiCert"}],"contacts":[{"email":"a@b.example"}],
	"deletedSecrets":[{"name":"gone","value":"v"}]}`

// discover returns the keys and the errors of a stream.
func (l *lab) discover(ctx context.Context, opt plugin.DiscoverOptions) (keys []string, failed []error) {
	for it, err := range l.plugin.Discover(ctx, l.source, opt) {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		keys = append(keys, string(it.Key))
	}
	return keys, failed
}

func TestDiscoverListsEachOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: someOfAll})
	keys, failed := l.discover(t.Context(), plugin.DiscoverOptions{})
	if len(failed) > 0 {
		t.Fatal(failed)
	}
	if len(keys) != 68 || keys[0] != "issuers/i1" || keys[1] != "contacts" || keys[67] != "certificates/c2" {
		t.Errorf("%d keys, first %q, last %q", len(keys), keys[0], keys[len(keys)-1])
	}
	if sorted := slices.Sorted(slices.Values(keys)); len(slices.Compact(sorted)) != len(keys) {
		t.Error("a key comes twice")
	}
	if slices.ContainsFunc(l.calls(), readsValue) {
		t.Error("a value was read")
	}
	it := l.item(full(), "secrets/s2")
	if diff := cmp.Diff(map[string]string{"enabled": "false", "expires": "2030-01-02"}, it.Attrs); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if it.Size != -1 || it.Rev == "" || it.Digest != "" {
		t.Errorf("item = %+v", it)
	}
}

func TestDiscoverGoesOnBehindEveryCursor(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: someOfAll})
	var all []plugin.Item
	for it, err := range l.plugin.Discover(t.Context(), l.source, plugin.DiscoverOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, it)
	}
	for i, it := range all {
		var want []string
		for _, rest := range all[i+1:] {
			want = append(want, string(rest.Key))
		}
		got, failed := l.discover(t.Context(), plugin.DiscoverOptions{After: it.Cursor})
		if len(failed) > 0 || !slices.Equal(got, want) {
			t.Fatalf("behind %s: %d items, want %d; errors %v", it.Cursor, len(got), len(want), failed)
		}
	}
	l.ResetRequests()
	if _, failed := l.discover(t.Context(), plugin.DiscoverOptions{After: "keys/k2"}); len(failed) > 0 {
		t.Fatal(failed)
	}
	if c := l.calls(); len(c) != 2 {
		t.Errorf("behind the keys %d requests are made, want one for the keys and one for the certificates:%s", len(c), show(c))
	}
	got, failed := l.discover(t.Context(), plugin.DiscoverOptions{After: "secrets/purged"})
	if len(failed) > 0 || len(got) != 66 {
		t.Errorf("behind a secret that is gone: %d items, %v; want all from the secrets on", len(got), failed)
	}
}

func TestDiscoverRefusesBadInput(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{})
	for name, opt := range map[string]plugin.DiscoverOptions{
		"cursor": {After: "blobs/x"},
		"kind":   {Settings: plugin.Settings{setKinds: "secret,blob"}},
	} {
		if _, failed := l.discover(t.Context(), opt); len(failed) != 1 || errs.KindOf(failed[0]) != errs.Invalid {
			t.Errorf("%s: errors %v", name, failed)
		}
	}
	l.source.Resource.Properties = []byte(`{"vaultUri":"ftp://x"}`)
	if _, failed := l.discover(t.Context(), plugin.DiscoverOptions{}); len(failed) != 1 || errs.KindOf(failed[0]) != errs.Invalid {
		t.Errorf("address: errors %v", failed)
	}
	if _, err := l.plugin.Estimate(t.Context(), l.source, plugin.Template); errs.KindOf(err) != errs.Invalid {
		t.Errorf("address: Estimate gives %v", err)
	}
}

func TestDiscoverSomeKinds(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: someOfAll})
	got, failed := l.discover(t.Context(), plugin.DiscoverOptions{Settings: plugin.Settings{setKinds: "key, contacts"}})
	if len(failed) > 0 || !slices.Equal(got, []string{"contacts", "keys/k1", "keys/k2"}) {
		t.Errorf("got %v, %v", got, failed)
	}
	if c := l.calls(); len(c) != 2 {
		t.Errorf("%d requests:%s", len(c), show(c))
	}
}

func TestDiscoverGoesOnWithTheNextKind(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: someOfAll})
	l.source.Options.Retry.MaxRetries = -1
	if err := l.AddFault(wire.Fault{Name: "second page", Path: "^/secrets$", Kind: "status", Status: http.StatusInternalServerError, Skip: 1, Count: 1}); err != nil {
		t.Fatal(err)
	}
	got, failed := l.discover(t.Context(), plugin.DiscoverOptions{})
	if len(failed) != 1 || errs.KindOf(failed[0]) != errs.Unavailable {
		t.Fatalf("errors %v", failed)
	}
	if len(got) != 2+(25-2)+4 || // the first page holds two secrets of certificates
		got[len(got)-1] != "certificates/c2" {
		t.Errorf("%d items, the last %q", len(got), got[len(got)-1])
	}
}

func TestDiscoverStopsWhenItShould(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: someOfAll})
	n := 0
	for _, err := range l.plugin.Discover(t.Context(), l.source, plugin.DiscoverOptions{Settings: plugin.Settings{setKinds: "secret"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 10 {
			break
		}
	}
	if c := l.calls(); len(c) != 1 {
		t.Errorf("10 items cost %d requests:%s", len(c), show(c))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var failed []error
	n = 0
	for _, err := range l.plugin.Discover(ctx, l.source, plugin.DiscoverOptions{}) {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if n++; n == 5 {
			cancel()
		}
	}
	if n != 5 || len(failed) != 1 || errs.KindOf(failed[0]) != errs.Canceled {
		t.Errorf("%d items and the errors %v", n, failed)
	}
}

func TestEstimateCountsNames(t *testing.T) {
	t.Parallel()
	l := newLab(t, vaults{source: someOfAll})
	for mode, want := range map[plugin.Mode]time.Duration{
		plugin.Template:    62*time.Second/30 + time.Second + 12*time.Second/400,
		plugin.Replication: 64*time.Second/30 + time.Second + 6*time.Second/400,
	} {
		est, err := l.plugin.Estimate(t.Context(), l.source, mode)
		if err != nil {
			t.Fatal(err)
		}
		if est.Items != 68 || !est.Exact || est.Duration != want {
			t.Errorf("%s: %+v, want 68 items in %v", mode, est, want)
		}
	}
	if slices.ContainsFunc(l.calls(), readsValue) {
		t.Error("a value was read")
	}
	if err := l.AddFault(wire.Fault{Name: "keys", Path: "^/keys$", Kind: "status", Status: http.StatusForbidden}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.plugin.Estimate(t.Context(), l.source, plugin.Template); errs.KindOf(err) != errs.PermissionDenied {
		t.Errorf("error = %v", err)
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][2]string{
		"https://kv.vault.azure.net/secrets/db":           {"db", ""},
		"https://kv.vault.azure.net:8443/keys/k/0123abcd": {"k", "0123abcd"},
		"odd": {"", ""},
		"":    {"", ""},
	} {
		if got := [2]string{nameOf(&id), versionOf(&id)}; got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
	if nameOf(nil) != "" {
		t.Error("no ID has a name")
	}
}
