package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/emulator"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

const vaultType = "Microsoft.KeyVault/vaults"

func vaultID(sub, group, name string) string {
	return "/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/" + vaultType + "/" + name
}

func sourceID(name string) string {
	return vaultID(scenario.ContosoSubscription, "rg-contoso", name)
}

func targetID(name string) string {
	return vaultID(scenario.FabrikamSubscription, "rg-fabrikam", name)
}

// world is an emulator with vaults, and what a run against it emitted.
type world struct {
	*emulator.Emulator
	mu     sync.Mutex
	events []event.Event // mu guards events
}

// newWorld starts the emulator with two source vaults and two target vaults, one of which
// is tagged with its source.
func newWorld(t testing.TB) *world {
	t.Helper()
	em, err := emulator.Start(emulator.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := em.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Emulator: em}
	w.vault(t, sourceID("kv-session-a"), scenario.ContosoTenant, nil, `{"secrets":[{"name":"one","value":"1"},{"name":"two","value":"2"}]}`)
	w.vault(t, sourceID("kv-session-b"), scenario.ContosoTenant, nil, `{"secrets":[{"name":"three","value":"3"}]}`)
	w.vault(t, targetID("kv-session-x"), scenario.FabrikamTenant, map[string]any{"atg-source-id": sourceID("kv-session-a")}, "")
	w.vault(t, targetID("kv-session-y"), scenario.FabrikamTenant, nil, "")
	return w
}

func (w *world) vault(t testing.TB, id, tenant string, tags map[string]any, data string) {
	t.Helper()
	body := map[string]any{"location": "westeurope", "tags": tags, "properties": map[string]any{
		"tenantId": tenant, "enableRbacAuthorization": true, "sku": map[string]any{"family": "A", "name": "standard"},
	}}
	if err := w.ARM().Put(id, body); err != nil {
		t.Fatal(err)
	}
	if data != "" {
		if err := w.Seed(id, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
}

// options are those of a replication between the two tenants.
func (w *world) options(t testing.TB) Options {
	t.Helper()
	reg, err := plugin.NewRegistry(plugins.All()...)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Command: "apply", Version: "v0", Mode: plugin.Replication, Registry: reg,
		Source: w.side(t, "contoso"), Target: w.side(t, "fabrikam"),
		Env:       func(string) (string, bool) { return "", false },
		Transport: &http.Client{Transport: w.Transport()},
		Emit: func(e event.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		},
	}
}

func (w *world) side(t testing.TB, tenant string) Side {
	t.Helper()
	p, err := w.Principal(tenant)
	if err != nil {
		t.Fatal(err)
	}
	return Side{Principal: auth.Principal{Origin: "test", TenantID: p.TenantID, ClientID: p.AppID, ClientSecret: secret.New(p.Secret)}}
}

// inputFile writes an input file.
func inputFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "input.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWholePath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	opt.Mapping = inputFile(t, `{"pairs":[{"source":"kv-session-b","target":"kv-session-y"}]}`)
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := s.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if planned.Plan[plugin.Missing] != 3 || planned.Run.Command != "plan" {
		t.Errorf("plan: %+v", planned)
	}
	for _, r := range w.Requests() {
		if r.Write() && r.Service != "entra" {
			t.Errorf("a plan writes: %s %s%s", r.Method, r.Host, r.Path)
		}
	}
	applied, err := s.Apply(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if applied.Outcomes[plugin.Created] != 3 || applied.Fidelity.Percent != 100 || applied.Run.Command != "apply" || applied.Run.ID != s.Run() {
		t.Errorf("apply: %+v", applied)
	}
	verified, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if verified.Fidelity.Verified != 3 || verified.Run.SourceTenant != scenario.ContosoTenant || verified.Run.TargetTenant != scenario.FabrikamTenant {
		t.Errorf("verify: %+v", verified)
	}
	got, err := w.Objects(targetID("kv-session-y"))
	if err != nil || len(got) != 1 || got[0].Fields["value"] != "3" {
		t.Errorf("the target holds %v, %v", got, err)
	}
	w.checkEvents(t)
}

// checkEvents wants the run opened and closed once, and the phases in order.
func (w *world) checkEvents(t testing.TB) {
	t.Helper()
	var phases []event.Phase
	pairs, opened, closed := 0, 0, 0
	for i, e := range w.events {
		switch e := e.(type) {
		case event.RunStarted:
			opened++
			if i != 0 || e.Mode != plugin.Replication || e.TargetTenant != scenario.FabrikamTenant {
				t.Errorf("event %d: %+v", i, e)
			}
		case event.RunFinished:
			closed++
			if i != len(w.events)-1 {
				t.Error("something comes after the end of the run")
			}
		case event.PhaseStarted:
			phases = append(phases, e.Phase)
		case event.Paired:
			pairs++
		}
	}
	want := []event.Phase{event.Inventory, event.Pairing, event.Planning, event.Applying, event.Verifying, event.Verifying}
	if diff := cmp.Diff(want, phases); diff != "" || pairs != 2 || opened != 1 || closed != 1 {
		t.Errorf("phases: %s\n%d pairs, opened %d times, closed %d times", diff, pairs, opened, closed)
	}
}

func TestUnpairedIsReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := Open(t.Context(), w.options(t))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Unpaired) != 1 || r.Unpaired[0].ID != sourceID("kv-session-b") || r.Unpaired[0].Reason == "" || r.Resources.Percent != 50 {
		t.Errorf("%+v", r.Unpaired)
	}
	if !slices.ContainsFunc(w.events, func(e event.Event) bool {
		u, ok := e.(event.Unpaired)
		return ok && u.Source == sourceID("kv-session-b")
	}) {
		t.Error("no event says so")
	}
}

func TestInventoryFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	opt.Source.Inventory = inputFile(t, fmt.Sprintf(`[{"id":%q}]`, sourceID("kv-session-a")))
	opt.Target.Inventory = inputFile(t, fmt.Sprintf(`{"resources":[{"id":%q,"tags":{"atg-source-id":%q}}]}`, targetID("kv-session-y"), sourceID("kv-session-a")))
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Pairs) != 1 || r.Pairs[0].Target != targetID("kv-session-y") || r.Resources.Source != 1 || r.Plan[plugin.Missing] != 2 {
		t.Errorf("%+v", r)
	}
}

func TestOneVaultThatIsGoneStopsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	opt.Source.Inventory = inputFile(t, fmt.Sprintf(`[{"id":%q},{"id":%q}]`, sourceID("kv-session-a"), sourceID("kv-gone")))
	opt.Mapping = inputFile(t, fmt.Sprintf(`{"pairs":[{"source":%q,"target":%q}]}`, sourceID("kv-gone"), targetID("kv-session-y")))
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Pairs) != 1 || len(r.Unpaired) != 1 || r.Unpaired[0].ID != sourceID("kv-gone") || !strings.Contains(r.Unpaired[0].Reason, "ResourceNotFound") {
		t.Errorf("pairs %+v, unpaired %+v", r.Pairs, r.Unpaired)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*world, *Options)
		kind   errs.Kind
		side   string
	}{
		"no such cloud":          {func(_ *world, o *Options) { o.Cloud = "mars" }, errs.Invalid, ""},
		"wrong secret, source":   {func(_ *world, o *Options) { o.Source.Principal.ClientSecret = secret.New("x") }, errs.Unauthenticated, "source"},
		"wrong secret, target":   {func(_ *world, o *Options) { o.Target.Principal.ClientSecret = secret.New("x") }, errs.Unauthenticated, "target"},
		"no such subscription":   {func(_ *world, o *Options) { o.Target.SubscriptionID = "99999999-9999-4999-8999-999999999999" }, errs.NotFound, "target"},
		"no such group":          {func(_ *world, o *Options) { o.Source.ResourceGroup = "rg-none" }, errs.NotFound, "source"},
		"no such mapping":        {func(_ *world, o *Options) { o.Mapping = "/nowhere" }, errs.NotFound, ""},
		"no such type":           {func(_ *world, o *Options) { o.Types = []string{"Microsoft.Storage/storageAccounts"} }, errs.NotFound, "source"},
		"no right at the source": {func(w *world, _ *Options) { w.ARM().Unassign(scenario.ContosoObject) }, errs.PermissionDenied, "source"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			opt := w.options(t)
			opt.Source.SubscriptionID = scenario.ContosoSubscription
			tc.change(w, &opt)
			_, err := Open(t.Context(), opt)
			e := errs.Find(err)
			if e == nil || errs.KindOf(err) != tc.kind || e.Side != tc.side {
				t.Errorf("kind %q, error %+v", errs.KindOf(err), err)
			}
		})
	}
}

func TestOnlyVaultsThatAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	opt.Source.Inventory = inputFile(t, fmt.Sprintf(`[{"id":%q}]`, sourceID("kv-gone")))
	opt.Mapping = inputFile(t, fmt.Sprintf(`{"pairs":[{"source":%q,"target":%q}]}`, sourceID("kv-gone"), targetID("kv-session-y")))
	if _, err := Open(t.Context(), opt); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
}

func TestSourceIsNeverATarget(t *testing.T) {
	t.Parallel()
	a, b := sourceID("kv-session-a"), sourceID("kv-session-b")
	for name, mapping := range map[string]string{
		"itself":    fmt.Sprintf(`{"pairs":[{"source":%q,"target":%q}]}`, a, a),
		"crosswise": fmt.Sprintf(`{"pairs":[{"source":%q,"target":%q},{"source":%q,"target":%q}]}`, a, b, b, a),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			opt := w.options(t)
			opt.Target, opt.Mapping = opt.Source, inputFile(t, mapping)
			s, err := Open(t.Context(), opt)
			if err == nil {
				_, err = s.Apply(t.Context())
			}
			if errs.KindOf(err) != errs.Invalid {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestThrottlingIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.AddFault(wire.Fault{Host: "management.azure.com", Count: 1, Kind: "status", Status: http.StatusTooManyRequests}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), w.options(t)); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(w.events, func(e event.Event) bool {
		th, ok := e.(event.Throttled)
		return ok && th.Host == "management.azure.com"
	}) {
		t.Error("no event tells of it")
	}
}

func TestOpenCanBeCanceled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	opt := w.options(t)
	emit := opt.Emit
	opt.Emit = func(e event.Event) {
		emit(e)
		if p, ok := e.(event.PhaseStarted); ok && p.Phase == event.Pairing {
			cancel(stop)
		}
	}
	if _, err := Open(ctx, opt); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

func TestRunIDs(t *testing.T) {
	t.Parallel()
	form, seen := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{8}$`), map[string]bool{}
	for range 1000 {
		id := NewRunID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("%s", id)
		}
		seen[id] = true
	}
}
