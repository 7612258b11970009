package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/azure-tenant-grapher/atg/internal/azure/rbac/catalog"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	const get = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", get, true},
		{get, get, true},
		{"MICROSOFT.keyvault/VAULTS/secrets/getsecret/ACTION", get, true},
		{"Microsoft.KeyVault/vaults/*", get, true},
		{"Microsoft.KeyVault/vaults/secrets/*", get, true},
		{"Microsoft.KeyVault/*/action", get, true},
		{"Microsoft.KeyVault/*/secrets/*/action", get, true},
		{"*/action", get, true},
		{"Microsoft.KeyVault/vaults/secrets/get*", get, true},
		{"**", get, true},
		{"Microsoft.KeyVault/*/s*t/action", get, true}, // the first try of a * is not the last
		{"", get, false},
		{"*/read", get, false},
		{"Microsoft.KeyVault/vaults", get, false},
		{"Microsoft.KeyVault/vaults/keys/*", get, false},
		{"Microsoft.KeyVault/vaults/secrets/getSecret/action/more", get, false},
		{"vaults/secrets/getSecret/action", get, false},
		{"Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/read", false},
		{"Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/keys/versions/read", true},
		{"Microsoft.KeyVault/vaults/?ecrets/*", get, false},
		{"*", "", true},
		{"a*a", "a", false},
	} {
		if got := catalog.Match(tt.pattern, tt.name); got != tt.want {
			t.Errorf("Match(%q, %q) = %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}

// TestElementCovers: what an element takes back it takes from itself alone, and the two
// planes do not mix.
func TestElementCovers(t *testing.T) {
	t.Parallel()
	e := catalog.Element{
		Actions: []string{"*"}, NotActions: []string{"Microsoft.KeyVault/*/write"},
		DataActions: []string{"Microsoft.KeyVault/vaults/*"}, NotDataActions: []string{"microsoft.keyvault/vaults/secrets/getsecret/action"},
	}
	for op, want := range map[catalog.Operation]bool{
		{Name: "Microsoft.KeyVault/vaults/read"}:                                           true,
		{Name: "Microsoft.KeyVault/vaults/write"}:                                          false,
		{Name: "Microsoft.KeyVault/vaults/secrets/setSecret/action", Data: true}:           true,
		{Name: "Microsoft.KeyVault/vaults/secrets/getSecret/action", Data: true}:           false,
		{Name: "Microsoft.KeyVault/vaults/secrets/getSecret/action"}:                       true, // "*" of the control plane
		{Name: "Microsoft.Storage/storageAccounts/blobServices/containers/x", Data: true}:  false,
		{Name: "Microsoft.Storage/storageAccounts/blobServices/containers/x", Data: false}: true,
	} {
		if got := e.Covers(op); got != want {
			t.Errorf("%+v: %v, want %v", op, got, want)
		}
	}
	owner := catalog.Element{Actions: []string{"*"}}
	if owner.Covers(catalog.Operation{Name: "Microsoft.KeyVault/vaults/secrets/getSecret/action", Data: true}) {
		t.Error("an owner's * grants a data action")
	}
}

func TestOperationsOf(t *testing.T) {
	t.Parallel()
	got := catalog.OperationsOf(plugin.Source, []plugin.Permission{
		{Side: plugin.Source, Actions: []string{"A/b/read"}, DataActions: []string{"A/b/read", "A/c/read"}},
		{Side: plugin.Target, Actions: []string{"A/b/write"}},
		{Side: plugin.Source, DataActions: []string{"a/C/READ"}},
	})
	want := []catalog.Operation{{Name: "A/b/read"}, {Name: "A/b/read", Data: true}, {Name: "A/c/read", Data: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		op   catalog.Operation
		want string // of the error; "": none
	}{
		{catalog.Operation{Name: "Microsoft.KeyVault/vaults/secrets/readMetadata/action", Data: true}, ""},
		{catalog.Operation{Name: "microsoft.keyvault/VAULTS/read"}, ""},
		{catalog.Operation{Name: "Microsoft.KeyVault/vaults/secrets/getMetadata/action", Data: true}, "Microsoft.KeyVault has no operation Microsoft.KeyVault/vaults/secrets/getMetadata/action (https://learn.microsoft.com/"},
		{catalog.Operation{Name: "Microsoft.KeyVault/vaults/secrets/getSecret/action"}, "is a data action, not a control plane action"},
		{catalog.Operation{Name: "Microsoft.KeyVault/vaults/write", Data: true}, "is a control plane action, not a data action"},
		{catalog.Operation{Name: "Contoso.Boxes/boxes/read"}, "there is no list of the operations of Contoso.Boxes"},
	} {
		err := catalog.Known(tt.op)
		if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v, want %q", tt.op, err, tt.want)
		}
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	p, ok := catalog.Operations("MICROSOFT.KEYVAULT")
	if !ok || p.Namespace != "Microsoft.KeyVault" || p.Date != "2024-03-01" || !strings.HasPrefix(p.Source, "https://learn.microsoft.com/") {
		t.Fatalf("%v %+v", ok, p)
	}
	if len(p.Actions) != 70 || len(p.DataActions) != 52 || len(p.All()) != 122 {
		t.Errorf("%d actions, %d data actions", len(p.Actions), len(p.DataActions))
	}
	if _, ok := catalog.Operations("Contoso.Boxes"); ok {
		t.Error("there is a list of a provider that does not exist")
	}
}

func TestBuiltInRoles(t *testing.T) {
	t.Parallel()
	got := catalog.BuiltIn()
	if got.Date == "" || len(got.Sources) == 0 || len(got.Roles) < 19 {
		t.Fatalf("%q, %d sources, %d roles", got.Date, len(got.Sources), len(got.Roles))
	}
	seen := map[string]bool{}
	for _, r := range got.Roles {
		if uuid.Validate(r.ID) != nil || r.Name == "" || seen[r.ID] || seen[r.Name] {
			t.Errorf("role %q %s: no GUID, no name or named twice", r.Name, r.ID)
		}
		seen[r.ID], seen[r.Name] = true, true
		if len(r.Actions)+len(r.DataActions) == 0 {
			t.Errorf("role %s grants nothing", r.Name)
		}
	}
	got.Roles[0].Name = "changed"
	if catalog.BuiltIn().Roles[0].Name == "changed" {
		t.Error("a caller can change the list")
	}
}
