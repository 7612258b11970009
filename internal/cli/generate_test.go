package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	decl "github.com/azure-tenant-grapher/atg/iac"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/session"
	"github.com/azure-tenant-grapher/atg/plugin"
)

func TestGenerateOptions(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	var got *generateOptions
	cmd := newGenerateCmd(f.app, func(_ context.Context, opt *generateOptions) error {
		got = opt
		return nil
	})
	cmd.SetArgs(strings.Fields("--out code --no-target --target-resource-group rg --target-subscription-id s --target-tenant-id t --mode replication --type keyvault --format bicep --force"))
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := (session.Place{TenantID: "t", SubscriptionID: "s", ResourceGroup: "rg"}); got.Alone == nil || *got.Alone != want {
		t.Errorf("place %+v", got.Alone)
	}
	if got.format != decl.Bicep || got.dir != "code" || !got.force || got.imports || got.Mode != plugin.Replication || len(got.Types) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestGenerateMistakes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"generate":                                                        `required flag(s) "out" not set`,
		"generate --out=":                                                 "--out needs a directory",
		"generate --out d --format pulumi":                                `"pulumi" is not one of terraform, bicep, arm`,
		"generate --out d --format arm --import":                          "only Terraform has import blocks, not arm",
		"generate --out d -o jsonl":                                       `"jsonl" is not one of text, json`,
		"generate --out d --no-target --mapping " + file:                  "about a target",
		"generate --out d --no-target --target-inventory " + file:         "about a target",
		"generate --out d --no-target --import --target-resource-group x": "nobody can tell",
	} {
		f := newTerminal(t, "")
		if code := f.run(t, strings.Fields(args)...); code != exitUsage || !strings.Contains(f.err.String(), want) {
			t.Errorf("atg %s: exit code %d, %s", args, code, f.err)
		}
	}
}

// declaration is one vault with a secret, an issuer that only Terraform has a type for, and
// what goes wrong as often as failed says.
func declaration(failed int64) session.Declaration {
	vault := func(tenant, name string) plugin.Resource {
		id := "/subscriptions/" + tenant + "/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/" + name
		return plugin.Resource{ID: id, Name: name, Type: "Microsoft.KeyVault/vaults", TenantID: tenant, SubscriptionID: tenant, ResourceGroup: "rg"}
	}
	d := session.Declaration{
		Plugin: plugin.Info{Title: "Key Vault"}, Source: vault("c", "kv-c"), Target: vault("f", "kv-f"), Bare: 2, Failed: failed,
		Items: []session.DeclaredItem{
			{Key: "secrets/s", Blocks: []decl.Block{{
				Name: "s", Params: []decl.Param{{Name: "s", Sensitive: true}},
				TF:  &decl.TFForm{Type: "azurerm_key_vault_secret", Attrs: decl.Object{{Name: "value", Value: decl.Ref("s")}}},
				ARM: &decl.ARMForm{Type: "Microsoft.KeyVault/vaults/secrets", APIVersion: "2023-07-01", Name: "kv-f/s"},
			}}},
			{Key: "issuers/i", Blocks: []decl.Block{{Name: "i", TF: &decl.TFForm{Type: "azurerm_key_vault_certificate_issuer"}}}},
		},
	}
	if failed > 0 {
		d.Failures = []session.Failure{{Item: "keys/k", Err: &errs.Error{Op: "read the key", Kind: errs.PermissionDenied, Err: errors.New("request 42")}}, {Err: errors.New("no page")}}
	}
	return d
}

func generateInto(t testing.TB, format decl.Format, dir string, force bool, found ...session.Declaration) (*generation, error) {
	t.Helper()
	opt := &generateOptions{format: format, dir: dir, force: force}
	lost := engine.Unpaired{Resource: plugin.Resource{Name: "kv-lost"}, ID: "/lost", Reason: "nothing of that name"}
	g := newGeneration(opt, found, []engine.Unpaired{lost})
	return g, g.write(opt)
}

func TestGeneration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	g, err := generateInto(t, decl.ARM, dir, false, declaration(0), session.Declaration{Plugin: plugin.Info{Title: "Virtual machines"}, Source: plugin.Resource{Name: "vm"}, CannotDeclare: true})
	if err != nil {
		t.Fatal(err)
	}
	r := g.result
	if r.Declared != 1 || r.Parameters != 1 || r.Secrets != 1 || r.Unpaired != 1 || len(r.Files) != 4 || r.Resources[0].Items != 4 || r.Resources[0].Declared != 1 {
		t.Errorf("%+v", r)
	}
	want := []string{
		"kv-c: 2 items of content, not structure: atg apply copies that",
		"kv-c: without a type in ARM templates: 1 item",
		"kv-lost (/lost) has no target: nothing of that name",
		"vm: the plugin for Virtual machines writes no declarations; atg apply copies what it holds",
	}
	if diff := cmp.Diff(want, r.Undeclared); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if !strings.Contains(string(readme), w) {
			t.Errorf("the README lacks %q", w)
		}
	}
}

// TestIncompleteGeneration: what could not be declared must not look as if it was gone.
func TestIncompleteGeneration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := generateInto(t, decl.Terraform, dir, false, declaration(3)); err != nil {
		t.Fatalf("into an empty directory: %v", err)
	}
	if _, err := generateInto(t, decl.Terraform, dir, false, declaration(0)); err != nil {
		t.Fatalf("the whole over a part: %v", err)
	}
	g, err := generateInto(t, decl.Terraform, dir, false, declaration(12))
	if !errors.Is(err, errIncomplete) || errs.KindOf(err) != errs.Conflict || len(g.result.Files) > 0 {
		t.Fatalf("a part over the whole: %v, %+v", err, g.result)
	}
	if g.result.Failed != 12 || len(g.result.Failures) != 2 {
		t.Errorf("%+v", g.result)
	}
	if text := strings.Join(g.result.Undeclared, "\n"); !strings.Contains(text, "kv-c: keys/k could not be declared (permission-denied)") ||
		!strings.Contains(text, "kv-c: a part of the listing could not be declared") || !strings.Contains(text, "could not be declared either: 10 items") || strings.Contains(text, "42") {
		t.Errorf("undeclared: %s", text)
	}
	if _, err := generateInto(t, decl.Terraform, dir, true, declaration(12)); err != nil {
		t.Errorf("with --force: %v", err)
	}
}

func TestNextSteps(t *testing.T) {
	t.Parallel()
	if got := nextSteps(decl.Terraform, "my code"); !cmp.Equal(got, []string{"terraform -chdir='my code' init", "terraform -chdir='my code' plan"}) {
		t.Errorf("%q", got)
	}
	if got := nextSteps(decl.Bicep, "code/"); !cmp.Equal(got, []string{"cat code/README.md"}) {
		t.Errorf("%q", got)
	}
}
