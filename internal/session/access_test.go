package session

import (
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// asked counts the questions about rights since the last reset.
func (w *world) asked() int {
	n := 0
	for _, r := range w.Requests() {
		if strings.Contains(r.Path, "Microsoft.Authorization") {
			n++
		}
	}
	return n
}

func TestAccessIsCheckedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := Open(t.Context(), w.options(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Access() != nil {
		t.Error("a report before anybody asked")
	}
	w.ResetRequests()
	if _, err := s.Plan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.asked(); got != 4 { // permissions and deny assignments of both ends of the one pair
		t.Errorf("%d questions about rights", got)
	}
	if err := s.MayApply(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.asked(); got != 4 {
		t.Errorf("%d questions about rights after apply", got)
	}
	if a := s.Access(); a == nil || a.Missing+a.Unknown > 0 || len(a.Resources) != 2 || a.Resources[0].Mode != plugin.Replication {
		t.Errorf("%+v", a)
	}
}

func TestApplyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ARM().Unassign(scenario.FabrikamObject)
	if err := w.ARM().Assign(scenario.FabrikamTenant, scenario.FabrikamObject, "/subscriptions/"+scenario.FabrikamSubscription, "Reader"); err != nil {
		t.Fatal(err)
	}
	opt := w.options(t)
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	w.ResetRequests()
	if _, err := s.Apply(t.Context()); errs.KindOf(err) != errs.PermissionDenied || !strings.Contains(err.Error(), "(target)") {
		t.Errorf("%v", err)
	}
	for _, r := range w.Requests() {
		if r.Service == "keyvault" {
			t.Errorf("a vault was asked: %s %s", r.Method, r.Path)
		}
	}
	opt.SkipAccessCheck = true
	if s, err = Open(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	w.ResetRequests()
	if r, err := s.Apply(t.Context()); err != nil || r.FailTotal == 0 || w.asked() > 0 || s.Access() != nil {
		t.Errorf("unchecked: %v, %d questions", err, w.asked())
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := Open(t.Context(), w.options(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Grants(t.Context(), []plugin.Side{plugin.Target, plugin.Source}, map[plugin.Side]string{plugin.Source: "somebody@contoso.com"})
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if it := got[0]; it.Side != plugin.Target || it.Who.ObjectID != scenario.FabrikamObject || it.TenantID != scenario.FabrikamTenant || it.Resource.ID != targetID("kv-session-x") {
		t.Errorf("%+v", it)
	}
	if it := got[1]; it.Side != plugin.Source || it.Who.ObjectID != "" || it.Who.Name != "somebody@contoso.com" || it.TenantID != scenario.ContosoTenant {
		t.Errorf("%+v", it)
	}
}
