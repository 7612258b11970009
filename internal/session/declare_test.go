package session

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// keys are those of what was declared, with the import ID of each.
func keys(d Declaration) map[string]string {
	out := map[string]string{}
	for _, it := range d.Items {
		out[string(it.Key)] = it.Blocks[0].TF.ImportID
	}
	return out
}

func TestDeclare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Seed(targetID("kv-session-x"), []byte(`{"secrets":[{"name":"one","value":"there already"}]}`)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), w.options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, imports := range []bool{false, true} {
		got, err := s.Declare(t.Context(), imports)
		if err != nil || len(got) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		d := got[0]
		if d.Source.ID != sourceID("kv-session-a") || d.Target.ID != targetID("kv-session-x") || d.CannotDeclare || d.Failed > 0 {
			t.Errorf("%+v", d)
		}
		found := keys(d)
		if found["secrets/two"] != "" || imports != strings.HasPrefix(found["secrets/one"], "https://kv-session-x.vault.azure.net/secrets/one/") || len(found) != 2 {
			t.Errorf("imports %v: %v", imports, found)
		}
	}
	if left := s.Unpaired(); len(left) != 1 || left[0].ID != sourceID("kv-session-b") {
		t.Errorf("unpaired: %+v", left)
	}
	for _, r := range w.Requests() {
		if r.Service != "entra" && r.Write() {
			t.Errorf("declaring writes: %s %s%s", r.Method, r.Host, r.Path)
		}
	}
}

func TestDeclareFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := Open(t.Context(), w.options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := w.AddFault(wire.Fault{Name: "no", Host: "kv-session-a.vault.azure.net", Path: "^/certificates$", Kind: "status", Status: 403, Code: "Forbidden"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Declare(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if d := got[0]; d.Failed != 1 || len(d.Items) != 2 || d.Failures[0].Item != "" || errs.KindOf(d.Failures[0].Err) != errs.PermissionDenied {
		t.Errorf("%+v", d)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := s.Declare(ctx, false); !errors.Is(err, stop) {
		t.Errorf("after the end of ctx: %v", err)
	}
}

func TestDeclareAlone(t *testing.T) {
	t.Parallel()
	elsewhere := Place{TenantID: scenario.FabrikamTenant, SubscriptionID: scenario.FabrikamSubscription, ResourceGroup: "rg-copy"}
	tests := []struct {
		name  string
		place Place
		want  []string // targets
	}{
		{"in its place", Place{}, []string{sourceID("kv-session-a"), sourceID("kv-session-b")}},
		{"elsewhere", elsewhere, []string{vaultID(scenario.FabrikamSubscription, "rg-copy", "kv-session-a"), vaultID(scenario.FabrikamSubscription, "rg-copy", "kv-session-b")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			opt := w.options(t)
			opt.Alone, opt.Target = &tt.place, Side{}
			s, err := Open(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			list, err := s.Declare(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range list {
				got = append(got, d.Target.ID)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("targets: -want +got\n%s", diff)
			}
			for _, r := range w.Requests() {
				if r.TenantID == scenario.FabrikamTenant {
					t.Errorf("the target's tenant is asked: %s %s%s", r.Method, r.Host, r.Path)
				}
			}
			if _, err := s.Apply(t.Context()); errs.KindOf(err) != errs.Invalid {
				t.Errorf("Apply: %v", err)
			}
		})
	}
	if _, err := elsewhere.moved(plugin.Resource{ID: "/subscriptions/s"}); errs.KindOf(err) != errs.Unsupported {
		t.Errorf("a subscription is moved: %v", err)
	}
}

// declares is a plugin whose items are declared by a function.
type declares struct {
	plugin.Plugin
	declare func(plugin.Item) []iac.Block
}

func (declares) Info() plugin.Info { return plugin.Info{Name: "declares"} }

func (declares) Discover(context.Context, plugin.Endpoint, plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(yield func(plugin.Item, error) bool) {
		for _, key := range []plugin.Key{"there", "absent", "content"} {
			if !yield(plugin.Item{Key: key}, nil) {
				return
			}
		}
	}
}

func (d declares) Declare(_ context.Context, t plugin.Task) ([]iac.Block, error) {
	return d.declare(t.Item), nil
}

func (declares) Compare(_ context.Context, t plugin.Task) (plugin.Comparison, error) {
	if t.Item.Key == "absent" {
		return plugin.Comparison{State: plugin.Missing}, nil
	}
	return plugin.Comparison{State: plugin.Different}, nil
}

// silent is a plugin without declarations.
type silent struct{ plugin.Plugin }

func (silent) Info() plugin.Info { return plugin.Info{Name: "silent"} }

// TestFixedImportIDs: an ID that needs no question is for things that the target has.
func TestFixedImportIDs(t *testing.T) {
	t.Parallel()
	p := declares{declare: func(it plugin.Item) []iac.Block {
		if it.Key == "content" {
			return nil
		}
		return []iac.Block{{Name: string(it.Key), TF: &iac.TFForm{ImportID: "/" + string(it.Key)}}, {Name: "note"}}
	}}
	s := &Session{pairs: []engine.Pair{{Plugin: p}, {Plugin: silent{}}}}
	got, err := s.Declare(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"there": "/there", "absent": ""}, keys(got[0])); diff != "" || got[0].Bare != 1 {
		t.Errorf("%d bare, -want +got\n%s", got[0].Bare, diff)
	}
	if !got[1].CannotDeclare {
		t.Errorf("%+v", got[1])
	}
}
