package optable

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	sub   = "/subscriptions/0000"
	group = sub + "/resourceGroups/rg"
	vault = group + "/providers/Microsoft.KeyVault/vaults/kv"
)

func table(t testing.TB) *Table {
	t.Helper()
	tab, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestFind(t *testing.T) {
	t.Parallel()
	tab := table(t)
	for _, tc := range []struct{ name, method, path, want string }{
		{"item", "GET", vault, "armkeyvault.VaultsClient.Get"},
		{"other casing", "GET", strings.ToUpper(vault), "armkeyvault.VaultsClient.Get"},
		{"trailing slash", "GET", vault + "/", "armkeyvault.VaultsClient.Get"},
		{"collection in a subscription", "GET", sub + "/providers/Microsoft.KeyVault/vaults", "armkeyvault.VaultsClient.NewListBySubscriptionPager"},
		{"action", "POST", sub + "/providers/microsoft.keyvault/locations/westeurope/deletedVaults/kv/purge", "armkeyvault.VaultsClient.BeginPurgeDeleted"},
		{"the named type wins over any resource", "DELETE", vault, "armkeyvault.VaultsClient.Delete"},
		{"any resource of a group", "PUT", group + "/providers/Microsoft.Web/sites/app", "armresources.Client.BeginCreateOrUpdate"},
		{"any nested resource of a group", "GET", group + "/providers/Microsoft.Sql/servers/s/databases/d", "armresources.Client.Get"},
		{"any resource of a subscription", "GET", sub + "/providers/Microsoft.Foo/bars/b", "armauthorization.DenyAssignmentsClient.GetByID"},
		{"span at the start, named namespace", "PUT", group + "/providers/Microsoft.Authorization/roleAssignments/1", "armauthorization.RoleAssignmentsClient.Create"},
		{"span of no segments", "GET", "/providers/Microsoft.Authorization/roleDefinitions", "armauthorization.RoleDefinitionsClient.NewListPager"},
		{"span inside", "GET", group + "/providers/Microsoft.Sql/servers/s/databases/d/providers/Microsoft.Authorization/permissions", "armauthorization.PermissionsClient.NewListForResourcePager"},
		{"empty span inside, double slash", "GET", group + "/providers/Microsoft.KeyVault//vaults/kv/providers/Microsoft.Authorization/permissions", "armauthorization.PermissionsClient.NewListForResourcePager"},
		{"two leading slashes", "GET", "/" + vault + "/providers/Microsoft.Authorization/roleAssignments", "armauthorization.RoleAssignmentsClient.NewListForResourcePager"},
		{"tags of a resource", "PATCH", vault + "/providers/Microsoft.Resources/tags/default", "armresources.TagsClient.BeginUpdateAtScope"},
		{"group", "HEAD", group, "armresources.ResourceGroupsClient.CheckExistence"},
		{"no such method", "POST", group, ""},
		{"no such path", "POST", "/nowhere", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if op := tab.Find(tc.method, tc.path); op != nil {
				got = op.Names[0]
			}
			if got != tc.want {
				t.Errorf("Find(%s %s) = %q, want %q", tc.method, tc.path, got, tc.want)
			}
		})
	}
}

func TestOpFacts(t *testing.T) {
	t.Parallel()
	tab := table(t)
	put := tab.Find(http.MethodPut, vault)
	if !put.LRO || put.Generic || !put.Knows("2024-11-01") || put.Knows("2023-07-01") {
		t.Errorf("vault PUT: %+v", *put)
	}
	if got := put.Pick(http.StatusAccepted, http.StatusCreated); got != http.StatusCreated {
		t.Errorf("vault PUT picks %d, its client does not accept 202", got)
	}
	if got := put.Pick(http.StatusTeapot); got != http.StatusTeapot {
		t.Errorf("nothing accepted: %d, want the first wish", got)
	}
	if del := tab.Find(http.MethodDelete, vault); del.LRO {
		t.Errorf("vault DELETE is synchronous: %+v", *del)
	}
	generic := tab.Find(http.MethodGet, group+"/providers/Microsoft.Web/sites/app")
	if !generic.Generic || !generic.Knows("1999-01-01") {
		t.Errorf("generic GET: %+v", *generic)
	}
	two := tab.Find(http.MethodGet, sub+"/resources")
	if len(two.Names) != 2 || !two.Knows("2015-11-01") || !two.Knows("2025-04-01") || two.Knows("2020-01-01") {
		t.Errorf("two clients, one path: %+v", *two)
	}
	if got := (*Op)(nil).Pick(http.StatusOK, http.StatusCreated); got != http.StatusOK {
		t.Errorf("nil picks %d", got)
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	tab := table(t)
	want := []string{"Microsoft.Authorization", "Microsoft.KeyVault", "Microsoft.Resources"}
	for _, ns := range want {
		if !slices.Contains(tab.Namespaces(), ns) {
			t.Errorf("namespaces %v lack %s", tab.Namespaces(), ns)
		}
	}
	secret, ok := tab.Type("microsoft.keyvault", "Vaults/Secrets")
	if !ok {
		t.Fatal("vaults/secrets is not known")
	}
	if diff := cmp.Diff(Type{Namespace: "Microsoft.KeyVault", Name: "vaults/secrets", Versions: []string{"2024-11-01"}, Methods: []string{"GET", "HEAD", "PATCH", "PUT"}}, secret); diff != "" {
		t.Error(diff)
	}
	deleted, ok := tab.Type("Microsoft.KeyVault", "locations/deletedVaults")
	if !ok || !slices.Contains(deleted.Methods, "POST") {
		t.Errorf("an action belongs to its item's type: %+v", deleted)
	}
	if _, ok := tab.Type("Microsoft.KeyVault", "locations/deletedVaults/purge"); ok {
		t.Error("an action is no type")
	}
	if _, ok := tab.Type("Microsoft.KeyVault", "nothing"); ok {
		t.Error("unknown type found")
	}
	if got := tab.Types("Microsoft.Nowhere"); len(got) != 0 {
		t.Errorf("types of an unknown namespace: %v", got)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"GET\t/x\t*\tn", "GET\tx\t*\tn\t200", "GET\t/x\t*\tn\tOK"} {
		if _, err := Parse(strings.NewReader("# ok\n\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("Parse(%q): %v", bad, err)
		}
	}
}

// TestLoadTime holds the table to the time a start of the emulator has for it.
func TestLoadTime(t *testing.T) {
	start := time.Now()
	tab, err := Parse(strings.NewReader(embedded))
	took := time.Since(start)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d operations in %v", tab.Len(), took)
	if took > 50*time.Millisecond {
		t.Errorf("loading %d operations took %v, want < 50 ms", tab.Len(), took)
	}
}

func BenchmarkFind(b *testing.B) {
	tab := table(b)
	for b.Loop() {
		tab.Find(http.MethodGet, vault)
	}
}
