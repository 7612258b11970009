package iac_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"pgregory.net/rapid"

	decl "github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/iac"
	"github.com/azure-tenant-grapher/atg/internal/iac/azurerm"
	"github.com/azure-tenant-grapher/atg/test/golden"
)

const (
	subA = "f0000000-0000-4000-8000-00000000000a"
	subB = "f1111111-0000-4000-8000-00000000000b"
)

func vault(sub, group, name string) iac.Place {
	return iac.Place{
		ID:   "/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/Microsoft.KeyVault/vaults/" + name,
		Name: name, Type: "Microsoft.KeyVault/vaults", TenantID: "f0000000-0000-4000-8000-000000000001", SubscriptionID: sub, ResourceGroup: group,
	}
}

// secret is an item whose value is a parameter.
func secret(v iac.Place, name string) iac.Item {
	p := decl.Param{Name: "secret_" + name, Description: "Value of the secret " + name + ".", Sensitive: true}
	return iac.Item{Key: "secrets/" + name, Blocks: []decl.Block{{
		Name: name, Params: []decl.Param{p},
		TF: &decl.TFForm{
			Type:     "azurerm_key_vault_secret",
			Attrs:    decl.Object{{Name: "name", Value: name}, {Name: "key_vault_id", Value: v.ID}, {Name: "value", Value: decl.Ref(p.Name)}},
			ImportID: "https://" + v.Name + ".vault.azure.net/secrets/" + name + "/1",
		},
		ARM: &decl.ARMForm{
			Type: "Microsoft.KeyVault/vaults/secrets", APIVersion: "2023-07-01", Name: v.Name + "/" + name,
			Attrs: decl.Object{{Name: "properties", Value: decl.Object{{Name: "value", Value: decl.Ref(p.Name)}}}},
		},
	}}}
}

// chain are two items, one below the other, and one that must come after both.
func chain(v iac.Place) []iac.Item {
	issuer := iac.Item{Key: "issuers/ca", Blocks: []decl.Block{{
		Name: "ca", Note: "The issuer ca has no ARM type.",
		TF: &decl.TFForm{Type: "azurerm_key_vault_certificate_issuer", Attrs: decl.Object{
			{Name: "name", Value: "ca"}, {Name: "key_vault_id", Value: v.ID}, {Name: "provider_name", Value: "DigiCert"},
		}},
	}}}
	after := secret(v, "after")
	after.Blocks[0].After = []string{"issuers/ca", "secrets/under", "secrets/not-there", "secrets/after"}
	under := secret(v, "under")
	under.Parent = "secrets/z-first"
	return []iac.Item{after, issuer, under, secret(v, "z-first")}
}

// tenant is a project with what a project can have.
func tenant(format decl.Format) iac.Project {
	a, b, other := vault(subA, "rg-a", "kv-a"), vault(subA, "RG-A", "kv-override"), vault(subB, "rg-a", "kv-a")
	source := func(name string) iac.Place { return vault("c0000000-0000-4000-8000-00000000000a", "rg-c", name) }
	return iac.Project{
		Format: format, Imports: true, Undeclared: []string{"kv-x has no target"},
		Units: []iac.Unit{
			{Source: source("kv-three"), Target: other, Items: []iac.Item{secret(other, "same")}},
			{Source: source("kv-two"), Target: b, Items: []iac.Item{secret(b, "same")}},
			{Source: source("kv-one"), Target: a, Items: chain(a)},
		},
	}
}

func files(t testing.TB, p iac.Project) (map[string]string, []string, iac.Summary) {
	t.Helper()
	list, sum, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	var order []string
	for _, f := range list {
		out[f.Path] = string(f.Content)
		order = append(order, f.Path)
	}
	return out, order, sum
}

func TestProjectGolden(t *testing.T) {
	t.Parallel()
	for _, format := range decl.Formats() {
		got, order, sum := files(t, tenant(format))
		var all strings.Builder
		for _, path := range order {
			fmt.Fprintf(&all, "-- %s --\n%s", path, got[path])
		}
		golden.File(t, filepath.Join("testdata", "project."+string(format)+".txt"), all.String())
		if sum.Secrets != 5 || len(sum.Parameters) != 5 {
			t.Errorf("%s: %+v", format, sum)
		}
		if want := map[decl.Format]int{decl.Terraform: 6, decl.Bicep: 5, decl.ARM: 5}[format]; sum.Resources != want {
			t.Errorf("%s: %d resources, want %d", format, sum.Resources, want)
		}
	}
}

func TestTerraformProject(t *testing.T) {
	t.Parallel()
	got, _, sum := files(t, tenant(decl.Terraform))
	code := map[string][]byte{}
	for path, text := range got {
		if strings.HasSuffix(path, ".tf") {
			code[path] = []byte(text)
			if formatted := string(hclwrite.Format([]byte(text))); formatted != text {
				t.Errorf("%s is not formatted", path)
			}
		}
	}
	for _, err := range azurerm.Check(code) {
		t.Error(err)
	}
	if sum.Imports != 5 {
		t.Errorf("%d imports", sum.Imports)
	}
	// A secret named alike in three vaults; names differ, and each finds its own provider.
	for path, want := range map[string]string{
		"kv-a.tf":        `depends_on = [azurerm_key_vault_certificate_issuer.kv_a_ca, azurerm_key_vault_secret.kv_a_under]`,
		"kv-override.tf": `"kv_override_same"`,
		"kv-a-2.tf":      "provider = azurerm.subscription_f1111111",
		"variables.tf":   "sensitive   = true", "terraform.tfvars.example": "kv_a_secret_after = null",
	} {
		if !strings.Contains(got[path], want) {
			t.Errorf("%s lacks %q:\n%s", path, want, got[path])
		}
	}
}

func TestProjectWithoutParameters(t *testing.T) {
	t.Parallel()
	v := vault(subA, "rg", "kv")
	block := decl.Block{Name: "k", ARM: &decl.ARMForm{Type: "Microsoft.KeyVault/vaults/keys", APIVersion: "2023-07-01", Name: "kv/k"}, TF: &decl.TFForm{Type: "azurerm_storage_container"}}
	for _, format := range decl.Formats() {
		p := iac.Project{Format: format, Units: []iac.Unit{{Source: v, Target: v, Items: []iac.Item{{Key: "k", Blocks: []decl.Block{block}}}}}}
		got, order, _ := files(t, p)
		for _, path := range order {
			if strings.Contains(path, "example") || path == "variables.tf" {
				t.Errorf("%s: %s is there for no parameter", format, path)
			}
		}
		if !strings.Contains(got["README.md"], "no value is missing") {
			t.Errorf("%s: %s", format, got["README.md"])
		}
		if format == decl.Terraform && !strings.Contains(got["providers.tf"], "storage_use_azuread") {
			t.Error("the provider would ask for account keys")
		}
	}
	if _, _, err := (iac.Project{Format: "pulumi"}).Files(); err == nil {
		t.Error("an unknown format is taken")
	}
	bad := decl.Block{Name: "x", TF: &decl.TFForm{Type: "a b"}, ARM: &decl.ARMForm{Type: "A/b", Name: "n", Attrs: decl.Object{{Name: "a", Value: 1.5}}}}
	for _, format := range decl.Formats() {
		p := iac.Project{Format: format, Units: []iac.Unit{{Items: []iac.Item{{Blocks: []decl.Block{bad}}}}}}
		if _, _, err := p.Files(); err == nil {
			t.Errorf("%s: a bad block is taken", format)
		}
	}
}

// TestTemplateLimits holds templates within 256 parameters, 800 resources and their size.
func TestTemplateLimits(t *testing.T) {
	t.Parallel()
	v := vault(subA, "rg", "kv")
	item := func(i int, params bool, note string) iac.Item {
		it := secret(v, fmt.Sprintf("s%04d", i))
		it.Blocks[0].Note = note
		if !params {
			it.Blocks[0].Params, it.Blocks[0].ARM.Attrs = nil, nil
		}
		return it
	}
	tests := []struct {
		name   string
		count  int
		params bool
		note   string
		want   []int // resources in each template
	}{
		{"as many parameters as can be", 256, true, "", []int{256}},
		{"more parameters", 600, true, "", []int{256, 256, 88}},
		{"more resources", 1700, false, "", []int{800, 800, 100}},
		{"more bytes", 20, false, strings.Repeat("x", 100<<10), []int{5, 5, 5, 5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u := iac.Unit{Source: v, Target: v}
			for i := range tt.count {
				u.Items = append(u.Items, item(i, tt.params, tt.note))
			}
			got, order, _ := files(t, iac.Project{Format: decl.ARM, Units: []iac.Unit{u}})
			var sizes []int
			for _, path := range order {
				if !strings.HasSuffix(path, ".json") {
					continue
				}
				var doc struct {
					Parameters map[string]any
					Resources  []any
				}
				if err := json.Unmarshal([]byte(got[path]), &doc); err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, len(doc.Resources))
				if len(doc.Parameters) > 256 || len(got[path]) > 1<<20 {
					t.Errorf("%s has %d parameters and %d bytes", path, len(doc.Parameters), len(got[path]))
				}
			}
			if !cmp.Equal(sizes, tt.want) {
				t.Errorf("resources = %v, want %v", sizes, tt.want)
			}
		})
	}
}

// TestProjectKeepsOrder shuffles units and items: not a byte may change.
func TestProjectKeepsOrder(t *testing.T) {
	t.Parallel()
	for _, format := range decl.Formats() {
		want, _, _ := files(t, tenant(format))
		rapid.Check(t, func(r *rapid.T) {
			p := tenant(format)
			p.Units = rapid.Permutation(p.Units).Draw(r, "units")
			for i := range p.Units {
				p.Units[i].Items = rapid.Permutation(p.Units[i].Items).Draw(r, "items")
			}
			got, _, err := p.Files()
			if err != nil {
				r.Fatal(err)
			}
			for _, f := range got {
				if string(f.Content) != want[f.Path] {
					r.Fatalf("%s depends on the order", f.Path)
				}
			}
		})
	}
}

var (
	bicepName = regexp.MustCompile(`(?m)^(?:param|resource) ([A-Za-z_]\w*) `)
	declared  = regexp.MustCompile(`(?m)^(?:param|resource) `)
)

// TestNames lets names be anything: code parses, and no name is given twice.
func TestNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		v := vault(subA, "rg", "kv")
		word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a-b", "a_b", "A_B", "a_b_2", "null", "for", "existing", "1", "", "ä", "a.b"}))
		u := iac.Unit{Source: v, Target: v}
		for i, name := range rapid.SliceOfN(word, 1, 6).Draw(r, "names") {
			it := secret(v, fmt.Sprintf("s%d", i))
			it.Blocks[0].Name, it.Blocks[0].Note = name, name
			it.Blocks[0].Params[0].Description = name
			it.Blocks[0].Params[0].Name = name
			for _, at := range []*decl.Object{&it.Blocks[0].TF.Attrs} {
				(*at)[2].Value = decl.Ref(name)
			}
			it.Blocks[0].ARM.Attrs = decl.Object{{Name: "properties", Value: decl.Object{{Name: "value", Value: decl.Ref(name)}, {Name: name + "x", Value: name}}}}
			u.Items = append(u.Items, it)
		}
		checkNames(r, u)
	})
}

func checkNames(r *rapid.T, u iac.Unit) {
	code := map[string][]byte{}
	for _, format := range decl.Formats() {
		list, _, err := iac.Project{Format: format, Imports: true, Units: []iac.Unit{u}}.Files()
		if err != nil {
			r.Fatal(err)
		}
		for _, f := range list {
			switch filepath.Ext(f.Path) {
			case ".tf":
				code[f.Path] = f.Content
			case ".json":
				if !json.Valid(f.Content) {
					r.Fatalf("%s is no JSON: %s", f.Path, f.Content)
				}
			case ".bicep":
				var names []string
				for _, m := range bicepName.FindAllStringSubmatch(string(f.Content), -1) {
					names = append(names, strings.ToLower(m[1]))
				}
				slices.Sort(names)
				if len(slices.Compact(slices.Clone(names))) != len(names) || len(declared.FindAllString(string(f.Content), -1)) != len(names) {
					r.Fatalf("names %q in\n%s", names, f.Content)
				}
			}
		}
	}
	for _, err := range azurerm.Check(code) {
		r.Fatal(err)
	}
}
