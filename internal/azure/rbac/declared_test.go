package rbac_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// TestEveryDeclaredActionIsAzures: each action that a plugin declares is an operation in
// Azure's list for its provider, and some set of built-in roles grants all of a side's.
func TestEveryDeclaredActionIsAzures(t *testing.T) {
	t.Parallel()
	for _, p := range plugins.All() {
		for _, mode := range p.Info().Modes {
			for _, side := range []plugin.Side{plugin.Source, plugin.Target} {
				need := rbac.Needs(p, side, mode, nil, "")
				for _, op := range need {
					if err := catalog.Known(op); err != nil {
						t.Errorf("plugin %s, %s mode, %s: %v", p.Info().Name, mode, side, err)
					}
				}
				for _, prefer := range catalog.Preferences() {
					if c := catalog.Least(need, prefer); len(c.Uncovered) > 0 {
						t.Errorf("plugin %s, %s mode, %s: no built-in role in roles.json grants %v", p.Info().Name, mode, side, c.Uncovered)
					}
				}
			}
		}
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	p := needs(list(readVault), list(getSecret))
	got := rbac.Needs(p, plugin.Source, plugin.Template, nil, rbac.AzureRBAC)
	want := []catalog.Operation{{Name: readVault}, {Name: getSecret, Data: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by Azure RBAC: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(want[:1], rbac.Needs(p, plugin.Source, plugin.Template, nil, "access policies")); diff != "" {
		t.Errorf("by something else: -want +got\n%s", diff)
	}
}

// TestTable: every declared action has a row for its side, and every side and mode has
// roles.
func TestTable(t *testing.T) {
	t.Parallel()
	text := rbac.Table(plugins.All())
	rows := strings.Split(text, "\n")
	for _, p := range plugins.All() {
		for _, mode := range p.Info().Modes {
			for _, perm := range p.Permissions(mode) {
				for _, a := range slices.Concat(perm.Actions, perm.DataActions) {
					found := slices.ContainsFunc(rows, func(r string) bool {
						cells := strings.Split(r, "|")
						return len(cells) == 7 && strings.TrimSpace(cells[1]) == string(perm.Side) && strings.Contains(cells[2], "`"+a+"`") && strings.Contains(cells[4], string(mode))
					})
					if !found {
						t.Errorf("no row for %s of the %s in %s mode", a, perm.Side, mode)
					}
				}
			}
		}
	}
	for _, want := range []string{"# Permissions\n", "## Key Vault\n", "of 2024-03-01", "Built-in roles as of 2026-08-22.", "| source | replication | Key Vault Administrator, Reader (+"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	odd := rbac.Table([]plugin.Plugin{needs(nil, list("Contoso.Boxes/boxes/a|b/action"))})
	if !strings.Contains(odd, `a\|b`) || !strings.Contains(odd, "a custom role for the rest") {
		t.Errorf("a plugin for nobody's operations:\n%s", odd)
	}
}

// TestAssignmentsOnTheEmulator: the question about conditions is one that Azure's own
// grammar of filters takes.
func TestAssignmentsOnTheEmulator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app()
	w.role(a, subscriptionScope, own, nil, list("*"), nil)
	got := w.check(w.subject(a, needs(nil, list(blobRow)), plugin.Template))
	if got.Rights[0].State != rbac.Held {
		t.Errorf("%+v", got.Rights[0])
	}
	asked := slices.ContainsFunc(w.Requests(), func(r wire.Request) bool { return strings.HasSuffix(r.Path, "/roleAssignments") && r.Status == 200 })
	if !asked {
		t.Error("the role assignments were not read")
	}
}
