package rbac_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/rbac"
	"github.com/azure-tenant-grapher/atg/internal/emulator/entra"
	"github.com/azure-tenant-grapher/atg/internal/emulator/scenario"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
	"github.com/azure-tenant-grapher/atg/internal/plugins/keyvault"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	getSecret  = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
	setSecret  = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
	readVault  = "Microsoft.KeyVault/vaults/read"
	writeVault = "Microsoft.KeyVault/vaults/write"
)

func list(s ...string) []string { return s }

// TestRoles holds the judgement against what Azure says of a principal's roles. Each case
// is judged by the emulator's own evaluation too, which shares no code with this one.
func TestRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		name string
		give func(a entra.App)
		want string
	}{
		{"nothing but to read its own rights", func(entra.App) {}, "read=missing write=missing secrets/getSecret/action=missing secrets/setSecret/action=missing"},
		{"exactly two", func(a entra.App) { w.role(a, vaultScope, list(readVault), nil, list(getSecret), nil) }, "read=held write=missing secrets/getSecret/action=held secrets/setSecret/action=missing"},
		{"in another case", func(a entra.App) {
			w.role(a, vaultScope, list("MICROSOFT.KEYVAULT/VAULTS/READ"), nil, list(strings.ToLower(getSecret)), nil)
		}, "read=held write=missing secrets/getSecret/action=held secrets/setSecret/action=missing"},
		{"wildcards", func(a entra.App) {
			w.role(a, vaultScope, list("*/read"), nil, list("Microsoft.KeyVault/vaults/secrets/*"), nil)
		}, "read=held write=missing secrets/getSecret/action=held secrets/setSecret/action=held"},
		{"from the subscription", func(a entra.App) { w.role(a, subscriptionScope, list("*"), nil, nil, nil) }, "read=held write=held secrets/getSecret/action=missing secrets/setSecret/action=missing"},
		{"from the group", func(a entra.App) { w.role(a, groupScope, nil, nil, list("*"), nil) }, "read=missing write=missing secrets/getSecret/action=held secrets/setSecret/action=held"},
		{"taken back by the role itself", func(a entra.App) {
			w.role(a, groupScope, list("*"), list("*/write"), list("Microsoft.KeyVault/*"), list("Microsoft.KeyVault/*/getsecret/ACTION"))
		}, "read=held write=missing secrets/getSecret/action=missing secrets/setSecret/action=held"},
		{"taken back by one role, given by another", func(a entra.App) {
			w.role(a, groupScope, list("*"), list("*/write"), list("Microsoft.KeyVault/*"), list(getSecret))
			w.role(a, subscriptionScope, list(writeVault), nil, list(getSecret), nil)
		}, "read=held write=held secrets/getSecret/action=held secrets/setSecret/action=held"},
		{"at another vault", func(a entra.App) {
			w.role(a, vaultScope+"-other", list("*"), nil, list("*"), nil)
		}, "read=missing write=missing secrets/getSecret/action=missing secrets/setSecret/action=missing"},
		{"a built-in role", func(a entra.App) {
			w.must(w.ARM().Assign(scenario.ContosoTenant, a.ObjectID, vaultScope, "Key Vault Secrets User"))
		}, "read=missing write=missing secrets/getSecret/action=held secrets/setSecret/action=missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := w.app()
			w.role(a, subscriptionScope, own, nil, nil, nil)
			tt.give(a)
			got := w.check(w.subject(a, needs(list(readVault, writeVault), list(getSecret, setSecret)), plugin.Template))
			if statesOf(got) != tt.want {
				t.Errorf("got  %s\nwant %s", statesOf(got), tt.want)
			}
			if got.By != rbac.AzureRBAC || got.Principal != a.ObjectID || got.Network != nil {
				t.Errorf("%+v", got)
			}
			for _, right := range got.Rights {
				claims := wire.Claims{TenantID: scenario.ContosoTenant, ObjectID: a.ObjectID}
				if held := w.ARM().Allowed(claims, vaultScope, right.Action, right.Data); held != (right.State == rbac.Held) {
					t.Errorf("%s: %s, and the emulator says %v", right.Action, right.State, held)
				}
				if (right.Why == "") != (right.State == rbac.Held) || (right.State == rbac.Missing && right.Role == "") {
					t.Errorf("%s: %s without a reason or a role: %q %q", right.Action, right.State, right.Why, right.Role)
				}
			}
		})
	}
}

func TestDenyAssignments(t *testing.T) {
	t.Parallel()
	const everyone, somebody = "00000000-0000-0000-0000-000000000000", "99999999-9999-9999-9999-999999999999"
	who := func(id, kind string) []any { return []any{map[string]any{"id": id, "type": kind}} }
	denied := []any{map[string]any{"dataActions": []any{"Microsoft.KeyVault/vaults/secrets/*"}, "notDataActions": []any{setSecret}}}
	for _, tt := range []struct {
		name  string
		scope string
		deny  func(a entra.App) map[string]any
		want  rbac.State
		why   string
	}{
		{"of everyone", groupScope, func(entra.App) map[string]any {
			return map[string]any{"denyAssignmentName": "stack", "permissions": denied, "principals": who(everyone, "SystemDefined")}
		}, rbac.Missing, "deny assignment stack takes it away"},
		{"of the principal", vaultScope, func(a entra.App) map[string]any {
			return map[string]any{"permissions": denied, "principals": who(strings.ToUpper(a.ObjectID), "ServicePrincipal")}
		}, rbac.Missing, "takes it away"},
		{"of somebody else", vaultScope, func(entra.App) map[string]any {
			return map[string]any{"permissions": denied, "principals": who(somebody, "ServicePrincipal")}
		}, rbac.Held, ""},
		{"of everyone but the principal", vaultScope, func(a entra.App) map[string]any {
			return map[string]any{"permissions": denied, "principals": who(everyone, "SystemDefined"), "excludePrincipals": who(a.ObjectID, "ServicePrincipal")}
		}, rbac.Held, ""},
		{"of a group", vaultScope, func(entra.App) map[string]any {
			return map[string]any{"denyAssignmentName": "team", "permissions": denied, "principals": who(somebody, "Group")}
		}, rbac.Unknown, "deny assignment team may take it away"},
		{"of everyone but a group", vaultScope, func(entra.App) map[string]any {
			return map[string]any{"permissions": denied, "principals": who(everyone, "SystemDefined"), "excludePrincipals": who(somebody, "Group")}
		}, rbac.Unknown, "may take it away"},
		{"of the group's own scope alone", groupScope, func(entra.App) map[string]any {
			return map[string]any{"permissions": denied, "principals": who(everyone, "SystemDefined"), "doNotApplyToChildScopes": true}
		}, rbac.Held, ""},
		{"of the vault's own scope alone", vaultScope, func(entra.App) map[string]any {
			return map[string]any{"permissions": denied, "principals": who(everyone, "SystemDefined"), "doNotApplyToChildScopes": true}
		}, rbac.Missing, "takes it away"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.app()
			w.role(a, subscriptionScope, own, nil, list("*"), nil)
			w.deny(tt.scope, tt.deny(a))
			got := w.check(w.subject(a, needs(nil, list(getSecret, setSecret)), plugin.Template))
			if right := got.Rights[0]; right.State != tt.want || !strings.Contains(right.Why, tt.why) {
				t.Errorf("%s: %q, want %s", right.State, right.Why, tt.want)
			}
			if got.Rights[1].State != rbac.Held {
				t.Errorf("what the deny assignment leaves out is %s: %s", got.Rights[1].State, got.Rights[1].Why)
			}
		})
	}
}

// TestNoRightToReadRights: roles that have data actions alone let nobody read their own
// permissions; that is unknown, not held and not missing.
func TestNoRightToReadRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app()
	w.role(a, vaultScope, nil, nil, list("*"), nil)
	got := w.check(w.subject(a, needs(nil, list(getSecret)), plugin.Template))
	if r := got.Rights[0]; r.State != rbac.Unknown || r.Why != "the principal has no right to Microsoft.Authorization/permissions/read" || r.Role != "" {
		t.Errorf("%+v", r)
	}
	// With the permissions alone, a deny assignment may still hide.
	w.role(a, vaultScope, list("Microsoft.Authorization/permissions/read"), nil, nil, nil)
	got = w.check(w.subject(a, needs(nil, list(getSecret)), plugin.Template))
	if r := got.Rights[0]; r.State != rbac.Unknown || !strings.Contains(r.Why, "Microsoft.Authorization/denyAssignments/read") {
		t.Errorf("%+v", r)
	}
	// What no role grants is missing all the same.
	got = w.check(w.subject(a, needs(list(writeVault), nil), plugin.Template))
	if r := got.Rights[0]; r.State != rbac.Missing {
		t.Errorf("%+v", r)
	}
}

// TestTrouble: what cannot be found out is unknown; a side that cannot sign in and a
// canceled check are errors.
func TestTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app()
	w.role(a, subscriptionScope, list("*"), nil, list("*"), nil)
	s := w.subject(a, needs(nil, list(getSecret)), plugin.Template)
	for _, path := range []string{"permissions$", "denyAssignments$"} {
		w.must(w.AddFault(wire.Fault{Host: "management.azure.com", Path: path, Kind: "status", Status: http.StatusServiceUnavailable}))
		if r := w.check(s).Rights[0]; r.State != rbac.Unknown || !strings.Contains(r.Why, "503") && !strings.Contains(strings.ToLower(r.Why), "unavailable") {
			t.Errorf("%s: %+v", path, r)
		}
		w.ClearFaults()
	}
	odd := s
	odd.Endpoint.Resource.ID = "/subscriptions/" + scenario.ContosoSubscription
	if r := w.check(odd).Rights[0]; r.State != rbac.Unknown || !strings.Contains(r.Why, "no resource in a resource group") {
		t.Errorf("%+v", r)
	}
	odd.Endpoint.Resource.ID = "nonsense"
	if r := w.check(odd).Rights[0]; r.State != rbac.Unknown {
		t.Errorf("%+v", r)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rbac.NewChecker().Check(canceled, []rbac.Subject{s}); errs.KindOf(err) != errs.Canceled {
		t.Errorf("canceled: %v", err)
	}
}

// TestEachScopeOnce: many subjects at one resource cost one look at it.
func TestEachScopeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app()
	w.role(a, subscriptionScope, list("*"), nil, list("*"), nil)
	s := w.subject(a, needs(nil, list(getSecret)), plugin.Template)
	subjects := make([]rbac.Subject, 40)
	for i := range subjects {
		subjects[i] = s
		if i%2 == 0 {
			subjects[i].Endpoint.Resource.ID = strings.ToUpper(s.Endpoint.Resource.ID[:20]) + s.Endpoint.Resource.ID[20:]
		}
	}
	c := rbac.NewChecker()
	for range 2 {
		report, err := c.Check(t.Context(), subjects)
		if err != nil {
			t.Fatal(err)
		}
		if report.Held != 40 || report.Missing+report.Unknown+report.Warnings != 0 || report.Err() != nil {
			t.Errorf("%+v", report)
		}
	}
	asked := 0
	for _, r := range w.Requests() {
		if r.Host == "management.azure.com" {
			asked++
			if r.Write() {
				t.Errorf("a check writes: %s %s", r.Method, r.Path)
			}
		}
	}
	if asked != 2 {
		t.Errorf("%d requests to Resource Manager, want one for permissions and one for deny assignments", asked)
	}
}

func TestAccessPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app()
	policy := func(secrets ...any) map[string]any {
		return map[string]any{"enableRbacAuthorization": false, "accessPolicies": []any{map[string]any{
			"tenantId": scenario.ContosoTenant, "objectId": a.ObjectID, "permissions": map[string]any{
				"secrets": secrets, "keys": []any{"all"}, "certificates": []any{"all"},
			},
		}}}
	}
	w.vault(policy("get", "list"))
	got := w.check(w.subject(a, keyvault.New(), plugin.Replication))
	for _, r := range got.Rights {
		if r.State != rbac.Held {
			t.Errorf("%+v", r)
		}
	}
	w.vault(policy("list"))
	got = w.check(w.subject(a, keyvault.New(), plugin.Replication))
	if got.By != "access policies" {
		t.Errorf("by %s", got.By)
	}
	for _, r := range got.Rights {
		if want := map[bool]rbac.State{true: rbac.Missing, false: rbac.Held}[r.Action == getSecret]; r.State != want {
			t.Errorf("%+v, want %s", r, want)
		}
	}
	// An entry for somebody else, perhaps a group: nobody can tell.
	other := policy("get", "list")
	other["accessPolicies"].([]any)[0].(map[string]any)["objectId"] = "99999999-9999-9999-9999-999999999999"
	w.vault(other)
	for _, r := range w.check(w.subject(a, keyvault.New(), plugin.Replication)).Rights {
		if r.State != rbac.Unknown || !strings.Contains(r.Why, "group") {
			t.Errorf("%+v", r)
		}
	}
	// Properties that were not read say nothing.
	s := w.subject(a, keyvault.New(), plugin.Replication)
	s.Endpoint.Resource.Properties = nil
	if r := w.check(s).Rights[0]; r.State != rbac.Unknown {
		t.Errorf("%+v", r)
	}
}

func TestReportErr(t *testing.T) {
	t.Parallel()
	if err := (&rbac.Report{}).Err(); err != nil {
		t.Errorf("an empty report: %v", err)
	}
	missing := rbac.Right{Action: getSecret, Data: true, State: rbac.Missing}
	r := &rbac.Report{Missing: 1, Resources: []rbac.Resource{{Side: plugin.Source, ID: vaultScope, Name: "kv", Rights: []rbac.Right{{Action: readVault, State: rbac.Held}, missing}}}}
	var e *errs.Error
	if !errors.As(r.Err(), &e) || e.Kind != errs.PermissionDenied || !strings.Contains(e.Error(), getSecret) || e.Side != "source" || e.Resource != vaultScope {
		t.Errorf("%#v", e)
	}
	for range 6 {
		r.Resources[0].Rights = append(r.Resources[0].Rights, missing)
	}
	r.Missing = 7
	if text := r.Err().Error(); !strings.HasSuffix(text, "and 2 more") || strings.Count(text, getSecret) != 5 {
		t.Error(text)
	}
}
