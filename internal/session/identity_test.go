package session

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth/keyfile"
	"github.com/azure-tenant-grapher/atg/internal/azure/cloud"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/secret"
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	where, both, err := Identify(t.Context(), opt, true)
	if err != nil || where.Cloud != cloud.Public || len(both) != 2 {
		t.Fatalf("%+v, %d sides: %v", where, len(both), err)
	}
	for i, want := range []struct {
		side        plugin.Side
		tenant, sub string
	}{{plugin.Source, scenario.ContosoTenant, scenario.ContosoSubscription}, {plugin.Target, scenario.FabrikamTenant, scenario.FabrikamSubscription}} {
		id := both[i]
		if id.Err != nil || id.Side != want.side || id.Result.TenantID != want.tenant || len(id.Subscriptions) != 1 || id.Subscriptions[0].ID != want.sub {
			t.Errorf("%+v", id)
		}
		if last := id.Attempts[len(id.Attempts)-1]; !last.Won || last.Link != "test" {
			t.Errorf("the last attempt is %+v", last)
		}
	}

	// One side that fails does not keep the other from being told.
	opt.Source.Principal.ClientSecret = secret.New("wrong")
	w.ARM().Unassign(scenario.FabrikamObject)
	_, both, err = Identify(t.Context(), opt, true)
	if err != nil {
		t.Fatal(err)
	}
	if errs.KindOf(both[0].Err) != errs.Unauthenticated || both[0].Result != nil || len(both[0].Attempts) != 1 {
		t.Errorf("source: %+v", both[0])
	}
	if errs.KindOf(both[1].Err) != errs.PermissionDenied || both[1].Result == nil || !strings.Contains(errs.HintOf(both[1].Err), "Reader") {
		t.Errorf("target: %+v", both[1])
	}
	opt.Cloud = "mars"
	if _, _, err = Identify(t.Context(), opt, false); errs.KindOf(err) != errs.Invalid {
		t.Errorf("no such cloud: %v", err)
	}
}

func TestIdentifyStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Identify(ctx, newWorld(t).options(t), true); errs.KindOf(err) != errs.Canceled {
		t.Errorf("%v", err)
	}
}

// A resource whose subscription is not of the side's tenant is not asked for, wherever its
// ID comes from.
func TestNoTokenLeavesItsTenant(t *testing.T) {
	t.Parallel()
	swap := func(o *Options) { o.Source, o.Target = o.Target, o.Source }
	for name, tt := range map[string]struct {
		change func(*testing.T, *Options)
		kind   errs.Kind
		code   string
	}{
		"a subscription": {func(_ *testing.T, o *Options) {
			swap(o)
			o.Source.SubscriptionID = scenario.ContosoSubscription
		}, errs.NotFound, "SubscriptionNotFound"},
		"a file and a mapping": {func(t *testing.T, o *Options) {
			swap(o)
			o.Source.Inventory = inputFile(t, fmt.Sprintf(`[{"id":%q}]`, sourceID("kv-session-a")))
			o.Target.Inventory = inputFile(t, fmt.Sprintf(`[{"id":%q}]`, targetID("kv-session-x")))
			o.Mapping = inputFile(t, fmt.Sprintf(`{"pairs":[{"source":%q,"target":%q}]}`, sourceID("kv-session-a"), targetID("kv-session-x")))
		}, errs.NotFound, "SubscriptionNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			opt := w.options(t)
			tt.change(t, &opt)
			_, err := Open(t.Context(), opt)
			if e := errs.Find(err); e == nil || errs.KindOf(err) != tt.kind || e.Code != tt.code || !strings.Contains(e.Hint, "atg auth status --check") {
				t.Errorf("%+v", err)
			}
			for _, r := range w.Requests() {
				if r.Service != "entra" && r.TenantID != scenario.ContosoTenant && strings.Contains(r.Path, scenario.ContosoSubscription) {
					t.Errorf("%s %s with a token of %s", r.Method, r.Path, r.TenantID)
				}
			}
		})
	}
}

// A subscription that is seen, but is at home in another tenant, is managed through a
// delegation: it is not the side's own.
func TestSubscriptionOfAnotherTenant(t *testing.T) {
	t.Parallel()
	s := &side{name: plugin.Target, tenant: scenario.FabrikamTenant, home: &home{listed: true, away: map[string]string{"sub-a": "tenant-a"}}}
	err := s.atHome(t.Context(), "SUB-A")
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "it is of tenant tenant-a; this side is tenant "+scenario.FabrikamTenant) {
		t.Errorf("%v", err)
	}
	if err := s.owns(t.Context(), "nonsense"); errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
}

// keeper is a plugin for vaults that looks for the secrets of its resources alone.
type keeper struct {
	mu   sync.Mutex
	seen map[string]string // by side and name; mu guards it
}

func (*keeper) Info() plugin.Info {
	return plugin.Info{
		Name: "keeper", Title: "Keeper", Version: "1.0.0", Contract: plugin.ContractVersion, Type: vaultType,
		Modes: plugin.Modes(), Items: []plugin.ItemKind{{Name: "thing", Plural: "things"}},
	}
}

func (*keeper) Permissions(plugin.Mode) []plugin.Permission { return nil }

func (k *keeper) note(side string, e plugin.Endpoint) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.Secret == nil {
		k.seen[side] = "none"
		return
	}
	for _, name := range []string{"connectionString", "accountKey"} {
		if v, ok := e.Secret(name); ok {
			k.seen[side+" "+name] = v.Reveal()
		}
	}
}

func (k *keeper) Discover(_ context.Context, src plugin.Endpoint, _ plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	k.note("source", src)
	return func(yield func(plugin.Item, error) bool) {
		yield(plugin.Item{Key: "things/one", Kind: "thing"}, nil)
	}
}

func (k *keeper) Replicate(_ context.Context, t plugin.Task) (plugin.Outcome, error) {
	k.note("target", t.Target)
	return plugin.Outcome{Status: plugin.Created}, nil
}

func TestSecretsReachThePlugin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := &keeper{seen: map[string]string{}}
	opt := w.options(t)
	var err error
	if opt.Registry, err = plugin.NewRegistry(k); err != nil {
		t.Fatal(err)
	}
	read := func(side plugin.Side, text string) *keyfile.File {
		f, err := keyfile.Read(side, inputFile(t, text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	opt.Source.Secrets = read(plugin.Source, `{"kv-session-a":{"accountKey":"key of a"}}`)
	opt.Target.Secrets = read(plugin.Target, fmt.Sprintf(`{%q:{"connectionString":"of x"}}`, targetID("kv-session-x")))
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k.seen["source accountKey"] != "key of a" || k.seen["target connectionString"] != "of x" || len(k.seen) != 2 {
		t.Errorf("%v", k.seen)
	}

	opt.Target.Secrets = read(plugin.Target, `{"kv-nobody":{"accountKey":"x"}}`)
	if _, err = Open(t.Context(), opt); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "the target inventory has no resource kv-nobody") {
		t.Errorf("a secret for a resource that is not there: %v", err)
	}
}

// A person who may be asked is the chain's last link; the reason why not is its answer.
func TestNobodyIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opt := w.options(t)
	opt.Source.Principal, opt.Source.TenantID = auth.Principal{}, scenario.ContosoTenant
	opt.Target.Principal = auth.Principal{}
	vars := map[string]string{"AZURE_TOKEN_CREDENTIALS": "prod"}
	opt.Env = func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	for why, change := range map[string]func(*Options){
		"interactive: there is no terminal": func(o *Options) { o.NoSignIn = "there is no terminal" },
		"device code: ":                     func(o *Options) { o.DevicePrompt = func(string) {} },
	} {
		o := opt
		change(&o)
		_, both, err := Identify(t.Context(), o, false)
		if err != nil {
			t.Fatal(err)
		}
		last := both[0].Attempts[len(both[0].Attempts)-1]
		if text := last.Link + ": " + last.Said; !strings.HasPrefix(text, why) {
			t.Errorf("%q, want %q", text, why)
		}
	}
}
