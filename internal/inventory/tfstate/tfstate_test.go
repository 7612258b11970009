package tfstate_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/inventory/tfstate"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const sub = "11111111-0000-4000-8000-000000000001"

// find reads the whole of a state.
func find(t testing.TB, f *tfstate.Finder, types ...string) ([]plugin.Resource, error) {
	t.Helper()
	var out []plugin.Resource
	for r, err := range f.Find(t.Context(), types) {
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

// lines renders resources as "type name kind sku", parents' names before children's.
func lines(all []plugin.Resource) []string {
	out := make([]string, 0, len(all))
	for _, r := range all {
		_, path, _ := strings.Cut(r.ID, "/providers/")
		words := []string{strings.TrimPrefix(path, "Microsoft.")}
		for _, w := range []string{r.Kind, r.SKU} {
			if w != "" {
				words = append(words, w)
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

// since4 is what both providers' generations write of one application.
var since4 = []string{
	"KeyVault/vaults/kv-app standard",
	"Storage/storageAccounts/stappdata StorageV2 Standard_ZRS",
	"ContainerRegistry/registries/acrapp Premium",
	"DocumentDB/databaseAccounts/cosmos-app GlobalDocumentDB",
	"Sql/servers/sql-app",
	"Sql/servers/sql-app/databases/orders S0",
	"Web/sites/app-shop app,linux",
	"Web/sites/app-back app",
	"Web/sites/app-shop/slots/green app,linux",
	"Web/sites/func-jobs functionapp,linux",
	"Web/sites/func-mail functionapp",
	"Web/sites/func-flex functionapp,linux",
	"Web/sites/logic-flow functionapp,workflowapp",
	"ApiManagement/service/apim-app Developer",
	"Compute/virtualMachines/vm-web",
	"Compute/virtualMachines/vm-dc",
	"Compute/virtualMachines/vm-web/extensions/monitor",
	"Compute/disks/disk-data Premium_LRS",
}

var until4 = []string{
	"Web/sites/app-old app", "Web/sites/func-old functionapp", "Sql/servers/sql-app/databases/old", "Compute/virtualMachines/vm-old",
}

var throughAzapi = []string{
	"KeyVault/vaults/kv-api",
	"Storage/storageAccounts/stapi BlobStorage Standard_LRS",
	"ContainerRegistry/registries/acrapi Basic",
	"DocumentDB/databaseAccounts/cosmos-api MongoDB",
	"Sql/servers/sql-api",
	"Sql/servers/sql-api/databases/orders GP_S_Gen5_1",
	"Web/sites/app-api app,linux",
	"Web/sites/func-api functionapp",
	"ApiManagement/service/apim-api Consumption",
	"Compute/virtualMachines/vm-api",
	"Compute/virtualMachines/vm-api/extensions/monitor",
	"Compute/disks/disk-api StandardSSD_LRS",
}

var modules = []string{
	"KeyVault/vaults/kv-count-0 premium", "KeyVault/vaults/kv-count-1 premium", "KeyVault/vaults/kv-each-blue premium",
	"KeyVault/vaults/kv-each-green premium", "KeyVault/vaults/kv-deep premium", "KeyVault/vaults/kv-new premium",
}

var moduleNotes = []string{
	"azurerm_key_vault.counted[1] is tainted: Terraform will replace it with the next apply",
	"azurerm_key_vault.replaced has an object that Terraform has replaced and not deleted yet: it is left out",
	"azurerm_key_vault.unborn has no ID yet: it is left out",
}

func TestStates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file        string
		want, notes []string
	}{
		{"azurerm4.tfstate", append(slices.Clone(since4), until4...), nil},
		{"azurerm5.tfstate", since4, nil},
		{"azapi.tfstate", throughAzapi, nil},
		{"modules.tfstate", modules, moduleNotes},
		{"sorted.tfstate", modules, moduleNotes},
		{
			"show.json",
			[]string{
				"Storage/storageAccounts/stappdata StorageV2 Standard_LRS", "KeyVault/vaults/kv-count-1 premium", "Compute/virtualMachines/vm-api k",
				"KeyVault/vaults/kv-each-blue premium", "KeyVault/vaults/kv-deep premium",
			},
			moduleNotes[:2],
		},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			f := tfstate.New(filepath.Join("testdata", tt.file), tfstate.Scope{TenantID: "tenant"})
			for range 2 { // the second time as the first
				got, err := find(t, f)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, lines(got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.notes, f.Notes()); diff != "" {
					t.Errorf("notes (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestResource(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"azurerm4.tfstate", "azurerm5.tfstate"} {
		got, err := find(t, tfstate.New("testdata/"+file, tfstate.Scope{TenantID: "tenant"}), "microsoft.keyvault/VAULTS")
		if err != nil {
			t.Fatal(err)
		}
		want := []plugin.Resource{{
			ID:   "/subscriptions/" + sub + "/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-app",
			Type: "Microsoft.KeyVault/vaults", Name: "kv-app", ResourceGroup: "rg-app", SubscriptionID: sub, TenantID: "tenant",
			Location: "westeurope", SKU: "standard",
			Tags: map[string]string{
				"env": "prod", "atg-source-id": "/subscriptions/22222222-0000-4000-8000-000000000001/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-app",
			},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// The names of blocks are kept for pairing.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"modules.tfstate", "show.json"} {
		f := tfstate.New(filepath.Join("testdata", file), tfstate.Scope{})
		if _, err := find(t, f, "Microsoft.KeyVault/vaults"); err != nil {
			t.Fatal(err)
		}
		links := f.Links()
		id := "/subscriptions/" + sub + "/resourcegroups/rg-app/providers/microsoft.keyvault/vaults/"
		if links.Blocks[id+"kv-count-1"] != "counted" || links.Blocks[id+"kv-deep"] != "deep" || links.Blocks[id+"kv-old"] != "" {
			t.Errorf("%s: %v", file, links.Blocks)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	const file = "testdata/modules.tfstate"
	tests := []struct {
		name  string
		scope tfstate.Scope
		want  int
	}{
		{"everything", tfstate.Scope{}, 6},
		{"a group", tfstate.Scope{ResourceGroup: "RG-OTHER"}, 1},
		{"the subscription", tfstate.Scope{SubscriptionID: strings.ToUpper(sub)}, 6},
		{"another subscription", tfstate.Scope{SubscriptionID: "99999999-0000-4000-8000-000000000001"}, 0},
	}
	for _, tt := range tests {
		if got, err := find(t, tfstate.New(file, tt.scope)); err != nil || len(got) != tt.want {
			t.Errorf("%s: %v, %v", tt.name, lines(got), err)
		}
	}
	if got, err := find(t, tfstate.New(file, tfstate.Scope{}), "Microsoft.Storage/storageAccounts"); err != nil || len(got) != 0 {
		t.Errorf("another type: %v, %v", lines(got), err)
	}
	n := 0
	for _, err := range tfstate.New(file, tfstate.Scope{}).Find(t.Context(), nil) {
		if n++; n == 2 || err != nil {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d resources after the wish to stop", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range tfstate.New(file, tfstate.Scope{}).Find(ctx, nil) {
		if errs.KindOf(err) != errs.Canceled {
			t.Errorf("canceled: %v", err)
		}
	}
}

// read returns a fixture.
func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// folder makes a folder with files by path.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolders(t *testing.T) {
	t.Parallel()
	state, other, stub := read(t, "modules.tfstate"), read(t, "azapi.tfstate"), read(t, "stub.json")
	local := `{"version":3,"backend":{"type":"local","config":{"path":"states/mine.tfstate","workspace_dir":"spaces"}}}`
	tests := []struct {
		name  string
		files map[string]string
		want  int // resources
		text  string
		hint  string
	}{
		{name: "the state", files: map[string]string{"terraform.tfstate": state, "old.tfstate": other, "main.tf": ""}, want: 6},
		{name: "other states, all of them", files: map[string]string{"a.tfstate": state, "b.tfstate": other, "c.tfstate.backup": "{"}, want: 18},
		{name: "the chosen workspace", files: map[string]string{
			".terraform/environment": "dev\n", "terraform.tfstate": other, "terraform.tfstate.d/dev/terraform.tfstate": state,
		}, want: 6},
		{name: "where the local backend was told to", files: map[string]string{".terraform/terraform.tfstate": local, "states/mine.tfstate": state}, want: 6},
		{name: "its workspaces", files: map[string]string{
			".terraform/terraform.tfstate": local, ".terraform/environment": "dev", "spaces/dev/terraform.tfstate": state,
		}, want: 6},
		{name: "pulled from a remote backend", files: map[string]string{".terraform/terraform.tfstate": stub, "pulled.tfstate": state}, want: 6},
		{
			name: "a remote backend", files: map[string]string{".terraform/terraform.tfstate": stub, "terraform.tfstate": "", "main.tf": ""},
			text: `the state is kept remotely, in the backend "azurerm"`, hint: "terraform state pull > FILE",
		},
		{
			name: "a workspace without a state", files: map[string]string{".terraform/environment": "dev", "terraform.tfstate": state},
			text: `the chosen workspace "dev" has no state`, hint: "state file",
		},
		{
			name: "workspaces", files: map[string]string{"terraform.tfstate.d/dev/terraform.tfstate": state, "terraform.tfstate.d/prod/terraform.tfstate": state},
			text: "prod/terraform.tfstate", hint: "name one",
		},
		{name: "nothing", files: map[string]string{"main.tf": ""}, text: "no terraform.tfstate and no *.tfstate", hint: "folder in which Terraform was run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := find(t, tfstate.New(folder(t, tt.files), tfstate.Scope{}))
			if tt.text != "" {
				refused(t, err, "", tt.text, tt.hint)
			} else if err != nil || len(got) != tt.want {
				t.Errorf("%d resources, %v", len(got), err)
			}
		})
	}
}

func refused(t *testing.T, err error, kind errs.Kind, text, hint string) {
	t.Helper()
	e := errs.Find(err)
	if e == nil || kind != "" && e.Kind != kind || !strings.Contains(err.Error(), text) || !strings.Contains(e.Hint, hint) {
		t.Errorf("want %s with %q and hint %q, got %s: %v", kind, text, hint, errs.KindOf(err), err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string // of the file
		kind       errs.Kind
		want, hint string
	}{
		{"version 3", read(t, "v3.tfstate"), errs.Unsupported, "version 3, as Terraform before 0.12 wrote it", "terraform apply -refresh-only"},
		{"version 5", `{"version":5,"resources":[{"mode":"x"}]}`, errs.Unsupported, "version 5", "terraform show -json"},
		{"a stub", read(t, "stub.json"), errs.Invalid, `kept remotely, in the backend "azurerm"`, "terraform state pull > FILE"},
		{"broken", read(t, "broken.tfstate"), errs.Invalid, "line 31: invalid character 'o'", ""},
		{"cut off", read(t, "modules.tfstate")[:2000], errs.Invalid, "the file ends too early", ""},
		{"empty", "", errs.Invalid, "the file ends too early", ""},
		{"a list", "[]", errs.Invalid, "must be a JSON object", ""},
		{"no state", `{"name":"x"}`, errs.Invalid, `"version" is missing`, ""},
		{"two states", `{"version":4,"resources":[]}{}`, errs.Invalid, "behind the end", ""},
		{"a plan", `{"format_version":"1.2","planned_values":{"root_module":{}},"resource_changes":[]}`, errs.Invalid, "a plan, not a state", "without the name of a plan"},
		{"an unknown form of show", `{"format_version":"7.0","values":{}}`, errs.Unsupported, "7.0", "terraform show -json"},
		{"show without a version", `{"values":{"root_module":{}}}`, errs.Unsupported, "format version is missing", ""},
		{"encrypted", `{"serial":1,"encrypted_data":"AA==","encryption_version":"v0"}`, errs.Unsupported, "encrypted", "tofu state pull"},
		{"UTF-16", "\xff\xfe{\x00", errs.Unsupported, "UTF-16", "Out-File -Encoding utf8"},
		{"resources of another form", "{\"version\":4,\n\"resources\":{}}", errs.Invalid, "line 2: an array must stand here", ""},
		{"a resource of another form", "{\"version\":4,\n\"resources\":[7]}", errs.Invalid, "line 2: an object must stand here", ""},
		{"a version of another form", `{"version":"4"}`, errs.Invalid, "cannot unmarshal", ""},
		{
			"an ID of another type",
			`{"version":4,"resources":[{"mode":"managed","type":"azurerm_key_vault","name":"a","instances":[{"attributes":{"id":"/subscriptions/` + sub + `/resourceGroups/rg/providers/Microsoft.Sql/servers/s"}}]}]}`,
			errs.Invalid, "azurerm_key_vault.a: its ID", "",
		},
		{
			"an ID that is none, late",
			`{"version":4,"resources":[{"instances":[{"attributes":{"id":"x"}}],"mode":"managed","type":"azurerm_key_vault","name":"a"}]}`,
			errs.Invalid, `azurerm_key_vault.a: "x" is not a resource ID`, "",
		},
		{"late instances of another form", `{"version":4,"resources":[{"instances":{},"mode":"managed","type":"azurerm_key_vault","name":"a"}]}`, errs.Invalid, "the instances of azurerm_key_vault.a", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := find(t, tfstate.New(filepath.Join(folder(t, map[string]string{"x.tfstate": tt.text}), "x.tfstate"), tfstate.Scope{}))
			refused(t, err, tt.kind, tt.want, tt.hint)
		})
	}
	_, err := find(t, tfstate.New("/nowhere/x.tfstate", tfstate.Scope{}))
	refused(t, err, errs.NotFound, "no such file", "path of a state file")
}

// What is empty is a state without resources, not a mistake.
func TestEmpty(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"version":4,"resources":[]}`, `{"version":4,"resources":null}`, `{"format_version":"1.0"}`, `{"format_version":"1.0","values":null}`,
		`{"format_version":"1.0","values":{"root_module":{}}}`, "\xef\xbb\xbf" + `{"version":4}`,
		`{"version":4,"resources":[{"instances":[{"attributes":{}}],"mode":"data","type":"azurerm_key_vault","name":"a"}]}`,
	} {
		dir := folder(t, map[string]string{"terraform.tfstate": text})
		if got, err := find(t, tfstate.New(dir, tfstate.Scope{})); err != nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", text, lines(got), err)
		}
	}
}

// A secret in a state leaves it in no form.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"azurerm4.tfstate", "azapi.tfstate"} {
		got, err := find(t, tfstate.New("testdata/"+file, tfstate.Scope{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			if len(r.Properties) > 0 {
				t.Errorf("%s has properties", r.ID)
			}
		}
	}
}
