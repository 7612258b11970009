package iac_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	decl "github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/iac"
	"github.com/azure-tenant-grapher/atg/test/golden"
)

// blocks exercise every feature of a declaration.
func blocks() []decl.Block {
	secret := decl.Param{Name: "db-password", Description: "Value of the secret db-password, it's \"secret\".", Sensitive: true}
	return []decl.Block{
		{
			Name:   "db-password",
			Note:   "A secret.\nIts value is given at deployment.",
			Params: []decl.Param{secret},
			TF: &decl.TFForm{
				Type: "azurerm_key_vault_secret",
				Attrs: decl.Object{
					{Name: "name", Value: "db-password"},
					{Name: "value", Value: decl.Ref("db-password")},
					{Name: "tags", Value: decl.Object{{Name: "owner", Value: "${not.an.expression}"}, {Name: "cost center", Value: "a\"b"}, {Name: "null", Value: "x"}}},
				},
				ImportID:      "https://kv-prod.vault.azure.net/secrets/db-password/0",
				IgnoreChanges: []string{"value", "tags"},
			},
			ARM: &decl.ARMForm{
				Type: "Microsoft.KeyVault/vaults/secrets", APIVersion: "2023-07-01", Name: "kv-prod/db-password",
				Attrs: decl.Object{
					{Name: "tags", Value: decl.Object{{Name: "owner", Value: "${it's}"}, {Name: "cost center", Value: "tab\tnew\nline\r\x01\\"}}},
					{Name: "properties", Value: decl.Object{
						{Name: "value", Value: decl.Ref("db-password")},
						{Name: "contentType", Value: "[not an expression]"},
						{Name: "attributes", Value: decl.Nested{{Name: "enabled", Value: true}, {Name: "exp", Value: int64(4102444800)}}},
						{Name: "empty", Value: decl.Object{}},
						{Name: "none", Value: []string{}},
					}},
				},
			},
		},
		{
			Name: "db_password", // the same name, once it is legal
			TF: &decl.TFForm{
				Type: "azurerm_key_vault_secret",
				Attrs: decl.Object{
					{Name: "name", Value: "db-password2"},
					{Name: "value", Value: decl.Ref("again")},
				},
			},
			Params: []decl.Param{{Name: "again", Description: "Another <one>."}},
			ARM: &decl.ARMForm{
				Type: "Microsoft.KeyVault/vaults/secrets", APIVersion: "2023-07-01", Name: "kv-prod/db-password2",
				Attrs: decl.Object{{Name: "properties", Value: decl.Object{{Name: "value", Value: decl.Ref("again")}}}},
			},
		},
		{
			Name:   "sign",
			Params: []decl.Param{secret}, // shared with the first block
			TF: &decl.TFForm{
				Type: "azurerm_key_vault_key",
				Attrs: decl.Object{
					{Name: "name", Value: "sign"},
					{Name: "key_size", Value: 2048},
					{Name: "key_opts", Value: []string{"sign", "verify"}},
					{Name: "mixed", Value: []any{1, true, decl.Ref("db-password"), decl.Object{{Name: "a", Value: int64(-1)}}}},
					{Name: "rotation_policy", Value: decl.Nested{
						{Name: "expire_after", Value: "P90D"},
						{Name: "automatic", Value: decl.Nested{{Name: "time_before_expiry", Value: "P30D"}}},
					}},
				},
			},
			ARM: &decl.ARMForm{
				Type: "Microsoft.KeyVault/vaults/keys", APIVersion: "2023-07-01", Name: "kv-prod/sign",
				Attrs: decl.Object{{Name: "properties", Value: decl.Object{
					{Name: "keySize", Value: 2048},
					{Name: "keyOps", Value: []any{"sign", decl.Object{{Name: "x", Value: false}}, []string{"y"}}},
				}}},
			},
		},
		{Name: "tls", Note: "The certificate tls has no type in this language."},
		{Name: "silent"},
		{
			Name: "2-storage!",
			ARM: &decl.ARMForm{
				Type: "Microsoft.Storage/storageAccounts", APIVersion: "2024-01-01", Name: "stprod",
				Attrs: decl.Object{{Name: "location", Value: "westeurope"}},
			},
		},
		{
			Name: "container",
			Note: "Below an account that this file declares.",
			ARM: &decl.ARMForm{
				Type: "Microsoft.Storage/storageAccounts/blobServices", APIVersion: "2024-01-01", Name: "stprod/default",
			},
		},
	}
}

func render(t *testing.T, format decl.Format, in []decl.Block, opt iac.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := iac.Render(&b, format, in, opt); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file   string
		format decl.Format
		opt    iac.Options
	}{
		{"main.tf", decl.Terraform, iac.Options{}},
		{"imports.tf", decl.Terraform, iac.Options{Imports: true}},
		{"main.bicep", decl.Bicep, iac.Options{}},
		{"azuredeploy.json", decl.ARM, iac.Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			got := render(t, tt.format, blocks(), tt.opt)
			path := filepath.Join("testdata", tt.file)
			golden.File(t, path, got)
		})
	}
}

// TestTerraformParses reads the file back: the values must be those of the declaration.
func TestTerraformParses(t *testing.T) {
	t.Parallel()
	src := render(t, decl.Terraform, blocks(), iac.Options{Imports: true})
	file, diags := hclsyntax.ParseConfig([]byte(src), "main.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, src)
	}
	if formatted := string(hclwrite.Format([]byte(src))); formatted != src {
		t.Errorf("not formatted:\n%s", cmp.Diff(formatted, src))
	}
	count := map[string]int{}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		count[block.Type]++
		if block.Type == "variable" && block.Labels[0] == "db_password" {
			if v, d := block.Body.Attributes["sensitive"].Expr.Value(nil); d.HasErrors() || v.False() {
				t.Error("the secret's variable is not sensitive")
			}
		}
		if block.Type == "resource" && block.Labels[1] == "db_password" {
			tags, d := block.Body.Attributes["tags"].Expr.Value(nil)
			if d.HasErrors() {
				t.Fatal(d)
			}
			got := map[string]string{}
			for k, v := range tags.AsValueMap() {
				got[k] = v.AsString()
			}
			if diff := cmp.Diff(map[string]string{"owner": "${not.an.expression}", "cost center": `a"b`, "null": "x"}, got); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		}
	}
	if diff := cmp.Diff(map[string]int{"variable": 2, "resource": 3, "import": 1}, count); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

func TestARMParses(t *testing.T) {
	t.Parallel()
	var got struct {
		Schema     string `json:"$schema"`
		Parameters map[string]struct{ Type string }
		Resources  []struct {
			Type, APIVersion, Name, Comments string
			Tags                             map[string]string
			Properties                       map[string]any
		}
		Metadata struct{ Notes []string }
	}
	if err := json.Unmarshal([]byte(render(t, decl.ARM, blocks(), iac.Options{})), &got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.Schema, "deploymentTemplate.json") || len(got.Resources) != 5 || len(got.Metadata.Notes) != 1 {
		t.Fatalf("got %+v", got)
	}
	if got.Parameters["db_password"].Type != "securestring" || got.Parameters["again"].Type != "string" {
		t.Errorf("parameters = %+v", got.Parameters)
	}
	first := got.Resources[0]
	if first.Properties["value"] != "[parameters('db_password')]" || first.Properties["contentType"] != "[[not an expression]" {
		t.Errorf("properties = %v", first.Properties)
	}
	if first.Tags["cost center"] != "tab\tnew\nline\r\x01\\" {
		t.Errorf("tags = %q", first.Tags)
	}
}

// TestBicepParameters checks what a compiler would: each parameter and symbol is declared
// once, and each use is declared.
func TestBicepParameters(t *testing.T) {
	t.Parallel()
	src := render(t, decl.Bicep, blocks(), iac.Options{})
	declared := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^(?:param|resource) (\w+) `).FindAllStringSubmatch(src, -1) {
		declared[m[1]]++
	}
	for name, n := range declared {
		if n != 1 {
			t.Errorf("%s is declared %d times", name, n)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^ +(?:parent|value): (\w+)$`).FindAllStringSubmatch(src, -1) {
		if declared[m[1]] == 0 {
			t.Errorf("%s is used and not declared", m[1])
		}
	}
	if !strings.Contains(src, "@secure()\nparam db_password string\n") {
		t.Error("the secret's parameter is not secure")
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	for format, want := range map[decl.Format]string{decl.Terraform: "", decl.Bicep: ""} {
		if got := render(t, format, nil, iac.Options{}); got != want {
			t.Errorf("%s = %q", format, got)
		}
	}
	if got := render(t, decl.ARM, nil, iac.Options{}); !json.Valid([]byte(got)) {
		t.Errorf("arm = %q", got)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	both := func(attrs ...decl.Attr) []decl.Block {
		return []decl.Block{{
			Name: "x",
			TF:   &decl.TFForm{Type: "azurerm_x", Attrs: attrs},
			ARM:  &decl.ARMForm{Type: "A/b", Name: "n", APIVersion: "1", Attrs: attrs},
		}}
	}
	tests := []struct {
		name   string
		blocks []decl.Block
		want   string
		only   []decl.Format
	}{
		{"unknown parameter", both(decl.Attr{Name: "a", Value: decl.Ref("p")}), `parameter "p" is not declared`, nil},
		{"unknown parameter in a map", both(decl.Attr{Name: "a", Value: decl.Object{{Name: "b", Value: decl.Ref("p")}}}), `parameter "p" is not declared`, nil},
		{"unknown parameter in a list", both(decl.Attr{Name: "a", Value: []any{decl.Ref("p")}}), `parameter "p" is not declared`, nil},
		{"unknown parameter in a block", both(decl.Attr{Name: "a", Value: decl.Nested{{Name: "b", Value: decl.Ref("p")}}}), `parameter "p" is not declared`, nil},
		{"foreign type", both(decl.Attr{Name: "a", Value: 1.5}), "type float64", nil},
		{"bad attribute name", both(decl.Attr{Name: "a b", Value: "x"}), `"a b" is no attribute name`, []decl.Format{decl.Terraform}},
		{"bad resource type", []decl.Block{{TF: &decl.TFForm{Type: "a b"}}}, `"a b" is no resource type`, []decl.Format{decl.Terraform}},
		{"segments", []decl.Block{{ARM: &decl.ARMForm{Type: "A/b/c", Name: "n"}}}, "number of segments", []decl.Format{decl.Bicep, decl.ARM}},
		{"parameter twice", []decl.Block{{Name: "x", Params: []decl.Param{{Name: "p"}, {Name: "p"}}}}, `declares parameter "p" twice`, nil},
	}
	for _, tt := range tests {
		formats := tt.only
		if formats == nil {
			formats = decl.Formats()
		}
		for _, format := range formats {
			t.Run(tt.name+"/"+string(format), func(t *testing.T) {
				t.Parallel()
				var b bytes.Buffer
				err := iac.Render(&b, format, tt.blocks, iac.Options{})
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error = %v, want one with %q", err, tt.want)
				}
				if b.Len() > 0 {
					t.Errorf("wrote %q", b.String())
				}
			})
		}
	}
	if err := iac.Render(&bytes.Buffer{}, "pulumi", nil, iac.Options{}); err == nil {
		t.Error("an unknown format is taken")
	}
	if err := iac.Render(full{}, decl.ARM, nil, iac.Options{}); !errors.Is(err, errFull) {
		t.Errorf("error of the writer is lost: %v", err)
	}
}

var errFull = errors.New("full")

// full is a writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
