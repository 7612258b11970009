package file_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory/file"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	sub    = "11111111-0000-4000-8000-000000000001"
	tenant = "22222222-0000-4000-8000-000000000001"
	group  = "/subscriptions/" + sub + "/resourceGroups/rg-app/providers/"
	vault  = group + "Microsoft.KeyVault/vaults/kv-app"
)

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inventory.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// find reads a whole inventory, up to its first error.
func find(t testing.TB, path string, types ...string) ([]plugin.Resource, error) {
	t.Helper()
	var out []plugin.Resource
	for r, err := range file.New(path, tenant).Find(t.Context(), types) {
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

func TestFind(t *testing.T) {
	t.Parallel()
	kv := plugin.Resource{
		ID: vault, Type: "Microsoft.KeyVault/vaults", Name: "kv-app", ResourceGroup: "rg-app", SubscriptionID: sub, TenantID: tenant,
	}
	rich := kv
	rich.Kind, rich.Location, rich.SKU, rich.TenantID = "k", "westeurope", "standard", "other"
	rich.Tags = map[string]string{"env": "prod"}
	rich.Properties = []byte(`{"n": 9007199254740993, "vaultUri": "https://x/"}`)
	db := plugin.Resource{
		ID: group + "Microsoft.Sql/servers/s/databases/d", Type: "Microsoft.Sql/servers/databases", Name: "d",
		ResourceGroup: "rg-app", SubscriptionID: sub, TenantID: tenant,
	}
	tests := []struct {
		name, text string
		types      []string
		want       []plugin.Resource
	}{
		{name: "empty object", text: `{"resources":[]}`},
		{name: "empty array", text: ` [ ] `},
		{name: "an ID is enough", text: `{"resources":[{"id":"` + vault + `"}]}`, want: []plugin.Resource{kv}},
		{
			name: "everything",
			text: `[{"id":"` + vault + `","type":"microsoft.keyvault/VAULTS","name":"KV-app","resourceGroup":"RG-APP","subscriptionId":"` + sub + `",
				"kind":"k","location":"westeurope","sku":"standard","tenantId":"other","tags":{"env":"prod"},
				"properties":{"n": 9007199254740993, "vaultUri": "https://x/"}}]`,
			want: []plugin.Resource{rich},
		},
		{
			name: "as az resource list prints it",
			text: `[{"changedTime":"2026-01-01T00:00:00+00:00","createdTime":null,"extendedLocation":null,"id":"` + db.ID + `","identity":null,
				"kind":null,"location":null,"managedBy":null,"name":"s/d","plan":null,"properties":null,"provisioningState":"Succeeded",
				"resourceGroup":"rg-app","sku":{"capacity":10,"name":null,"tier":"Standard"},"systemData":null,"tags":null,
				"type":"Microsoft.Sql/servers/databases","zones":[],"etag":"x"}]`,
			want: []plugin.Resource{db},
		},
		{
			name: "by type", text: `[{"id":"` + vault + `"},{"id":"` + db.ID + `"}]`, types: []string{"MICROSOFT.keyvault/vaults", "a/b"},
			want: []plugin.Resource{kv},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := find(t, write(t, tt.text), tt.types...)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	one := `{"id":"` + vault + `"}`
	tests := []struct{ name, text, want string }{
		{"empty file", "", "line 1: the file ends too early"},
		{"no JSON", "id,name\n", "line 1: "},
		{"a number", "7", `line 1: the file must hold an object {"resources":[…]} or an array`},
		{"another field", "{\n\"things\": []}", `line 2: there is no field "things" here; "resources" is the only one`},
		{"no resources", "{}", `line 1: "resources" is missing`},
		{"twice", "{\"resources\":[],\n\"resources\":[]}", `line 2: "resources" is there twice`},
		{"no array", "{\"resources\":\n{}}", `line 2: "resources" must be an array`},
		{"cut off in the list", "[" + one + ",\n", "line 2: resource 2: the file ends too early"},
		{"cut off in a resource", "[" + one + ",\n{\"id\":", "line 2: resource 2: the file ends too early"},
		{"cut off at the end", "{\"resources\":[" + one + "]\n", "line 2: the file ends too early"},
		{"something behind", "[" + one + "]\n[]", "line 2: there is something behind the end of the inventory"},
		{"broken", "[\n" + one + "\n{}]", "line 3: "},
		{"an entry that is no object", "[\n" + one + ",\n\"" + vault + "\"]", "line 3: resource 2: an entry must be an object"},
		{"no ID", "[\n{\"name\":\"kv\"}]", `line 2: resource 1: "id" is missing`},
		{"no resource ID", "[\n\n{\"id\":\"kv\"}]", `line 3: resource 1: "kv" is not a resource ID`},
		{"unknown field", "[{\"id\":\"" + vault + "\",\n\n\"colour\":1}]", `line 3: resource 1: there is no field "colour" in an inventory`},
		{"wrong type of a text", "[{\"id\":\"" + vault + "\",\n\"location\":7}]", `line 2: resource 1: "location" must be a text, not number`},
		{"wrong type of tags", "[{\"id\":\"" + vault + "\",\n\"tags\":[]}]", `line 2: resource 1: "tags" must be an object of texts, not array`},
		{"wrong type of a tag", "[{\"id\":\"" + vault + "\",\n\"tags\":{\"a\":1}}]", `line 2: resource 1: "tags" must be`},
		{"wrong type of the SKU", "[\n{\"id\":\"" + vault + "\",\"sku\":1}]", `line 2: resource 1: "sku" must be a text, or an object with "name"`},
		{"wrong type of properties", "[\n{\"id\":\"" + vault + "\",\"properties\":[]}]", `line 2: resource 1: "properties" must be an object`},
		{"type against ID", "[\n{\"id\":\"" + vault + "\",\"type\":\"Microsoft.Web/sites\"}]", `line 2: resource 1: "type" is "Microsoft.Web/sites", but the ID says "Microsoft.KeyVault/vaults"`},
		{"name against ID", "[\n{\"id\":\"" + vault + "\",\"name\":\"x\"}]", `line 2: resource 1: "name" is "x", but the ID says "kv-app"`},
		{"listed twice", "[" + one + ",\n{\"id\":\"" + strings.ToUpper(vault) + "\"}]", "line 2: resource 2: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, tt.text)
			_, err := find(t, path)
			if errs.KindOf(err) != errs.Invalid {
				t.Fatalf("kind %q: %v", errs.KindOf(err), err)
			}
			if want := "read the inventory " + path + ": " + tt.want; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error %q\n want %q", err, want)
			}
		})
	}
}

func TestNoFile(t *testing.T) {
	t.Parallel()
	if _, err := find(t, filepath.Join(t.TempDir(), "none.json")); errs.KindOf(err) != errs.NotFound {
		t.Errorf("kind %q: %v", errs.KindOf(err), err)
	}
}

func TestBreak(t *testing.T) {
	t.Parallel()
	// The second entry is wrong; who stops before it does not hear of it.
	for r, err := range file.New(write(t, `[{"id":"`+vault+`"},7]`), tenant).Find(t.Context(), nil) {
		if err != nil || r.ID != vault {
			t.Errorf("%+v: %v", r, err)
		}
		break
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range file.New(write(t, `[{"id":"`+vault+`"}]`), tenant).Find(ctx, nil) {
		if errs.KindOf(err) != errs.Canceled {
			t.Errorf("%v", err)
		}
	}
}

// An inventory is read as a stream: what is kept is the IDs.
func TestMemory(t *testing.T) {
	const n = 10_000
	path := filepath.Join(t.TempDir(), "big.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	filler := strings.Repeat("x", 1000)
	fmt.Fprint(w, `{"resources":[`)
	for i := range n {
		if i > 0 {
			fmt.Fprint(w, ",\n")
		}
		fmt.Fprintf(w, `{"id":"%sMicrosoft.KeyVault/vaults/kv-%06d","properties":{"text":%q}}`, group, i, filler)
	}
	fmt.Fprint(w, "]}")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	found := 0
	for _, err := range file.New(path, tenant).Find(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if found++; found == n-1 {
			runtime.GC()
			runtime.ReadMemStats(&now)
		}
	}
	if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); found != n || grown > 6<<20 {
		t.Errorf("%d resources; the heap grew by %d MiB", found, grown>>20)
	}
}
