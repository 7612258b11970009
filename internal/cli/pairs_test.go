package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/internal/view/schema"
)

const (
	pairedVault = "/subscriptions/%s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/"
	oneSub      = "11111111-0000-4000-8000-000000000001"
	otherSub    = "99999999-0000-4000-8000-000000000001"
)

// writeInventory writes a JSON inventory of key vaults.
func writeInventory(t testing.TB, sub string, names ...string) string {
	t.Helper()
	var list []map[string]string
	for _, n := range names {
		list = append(list, map[string]string{"id": strings.Replace(pairedVault, "%s", sub, 1) + n})
	}
	raw, err := json.Marshal(list)
	path := filepath.Join(t.TempDir(), "inventory.json")
	if err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// What pairs writes can be edited and given back.
func TestPairsAndBack(t *testing.T) {
	t.Parallel()
	source, target := writeInventory(t, oneSub, "a", "b"), writeInventory(t, otherSub, "a", "b-copy")
	mapping := filepath.Join(t.TempDir(), "pairs.json")
	f := newTerminal(t, "")
	args := []string{"pairs", "--source-inventory", source, "--target-inventory", "file:" + target, "-o", "json"}
	if code := f.run(t, append(args, "--exit-code", "--write-mapping", mapping)...); code != exitPartial {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	doc := valid(t, compiled(t, schema.Pairs), f.out.String())
	if len(doc["pairs"].([]any)) != 1 || len(doc["unpaired"].([]any)) != 1 {
		t.Fatalf("%s", f.out)
	}
	near := doc["unpaired"].([]any)[0].(map[string]any)["near"].([]any)[0].(map[string]any)
	if !strings.HasSuffix(near["target"].(string), "/b-copy") || near["why"] != "it has another name" {
		t.Errorf("near: %v", near)
	}
	text, err := os.ReadFile(mapping)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(text), "\n  ],", `, {"source": "b", "target": "b-copy"}],`, 1)
	if err := os.WriteFile(mapping, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	f.out.Reset()
	if code := f.run(t, append(args, "--exit-code", "--mapping", mapping)...); code != exitDone {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	if got := f.out.String(); !strings.Contains(got, `"mapping": 2`) {
		t.Errorf("%s", got)
	}
	// What somebody edited is not overwritten.
	if code := f.run(t, append(args, "--write-mapping", mapping)...); code != exitUsage || !strings.Contains(f.err.String(), "file exists") {
		t.Errorf("exit code %d: %s", code, f.err)
	}
	if again, err := os.ReadFile(mapping); err != nil || string(again) != edited {
		t.Errorf("%v: %s", err, again)
	}
}

func TestPairsText(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	both := writeInventory(t, oneSub, "a")
	if code := f.run(t, "pairs", "--inventory", both, "--target-inventory", writeInventory(t, otherSub, "a")); code != exitDone {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	if got := f.out.String(); !strings.Contains(got, "same-path") || !strings.HasSuffix(got, "1 pair (same-path 1), 0 source resources without a target\n") {
		t.Errorf("%s", got)
	}
}

func TestInventoryMistakes(t *testing.T) {
	t.Parallel()
	file := writeInventory(t, oneSub, "a")
	for line, want := range map[string]string{
		"plan --inventory terraform:x":                                          "there is no inventory of kind",
		"apply --yes --source-inventory arm:x":                                  "takes no path",
		"verify --target-inventory tfstate:/nowhere/x":                          "no such file",
		"pairs --inventory tfstate:":                                            "wants a path",
		"pairs --inventory " + file + " -o jsonl":                               "is not one of text, json",
		"pairs --neo4j-password-file /nowhere":                                  "no such file",
		"pairs --neo4j-password-file /dev/null":                                 "is empty",
		"pairs --neo4j-password-file - --sp-client-secret-file -":               "standard input can be read for one flag only",
		"pairs --neo4j-password secret":                                         "unknown flag",
		"pairs --inventory " + file + " --write-mapping /nowhere/x":             "no such file",
		"pairs --inventory " + file + " --emulator 127.0.0.1:1":                 "--emulator",
		"permissions script --source-inventory terraform:x --source-assignee x": "there is no inventory of kind",
	} {
		f := newTerminal(t, "")
		if code := f.run(t, strings.Fields(line)...); code != exitUsage || !strings.Contains(f.err.String(), want) {
			t.Errorf("%s: exit code %d: %s", line, code, f.err)
		}
	}
}

// Where the graph is: flags, then the variables that Azure Tenant Grapher reads.
func TestNeo4jOptions(t *testing.T) {
	t.Parallel()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	type want struct{ uri, user, password, database string }
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want want
	}{
		{"nothing", nil, nil, want{"bolt://localhost:7687", "neo4j", "", ""}},
		{"a port", map[string]string{"NEO4J_PORT": "7688", "NEO4J_PASSWORD": "p"}, nil, want{"bolt://localhost:7688", "neo4j", "p", ""}},
		{
			"an address wins over a port",
			map[string]string{"NEO4J_PORT": "7688", "NEO4J_URI": "neo4j://h", "NEO4J_USER": "u", "NEO4J_DATABASE": "d"},
			nil,
			want{"neo4j://h", "u", "", "d"},
		},
		{
			"flags win",
			map[string]string{"NEO4J_URI": "neo4j://h", "NEO4J_USER": "u", "NEO4J_PASSWORD": "p", "NEO4J_DATABASE": "d"},
			[]string{"--neo4j-uri", "bolt://f", "--neo4j-user", "f", "--neo4j-password-file", password, "--neo4j-database", "g"},
			want{"bolt://f", "f", "from-file", "g"},
		},
		{"standard input", nil, []string{"--neo4j-password-file", "-"}, want{"bolt://localhost:7687", "neo4j", "from-stdin", ""}},
	}
	for _, tt := range tests {
		f := newTerminal(t, "from-stdin\r\n")
		for k, v := range tt.env {
			f.env[k] = v
		}
		opt, err := parse(t, f, newPlanCmd, append(tt.args, "--inventory", "neo4j")...)
		if err != nil {
			t.Fatal(err)
		}
		got := opt.Neo4j
		if (want{got.URI, got.User, got.Password.Reveal(), got.Database}) != tt.want {
			t.Errorf("%s: %+v, password %q", tt.name, got, got.Password.Reveal())
		}
		if opt.Source.Inventory != "neo4j" || opt.Target.Inventory != "neo4j" {
			t.Errorf("%s: %q and %q", tt.name, opt.Source.Inventory, opt.Target.Inventory)
		}
	}
}

func TestPairsOptions(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	var mapping string
	build := func(a *App, runF func(context.Context, *runOptions) error) *cobra.Command {
		return newPairsCmd(a, func(ctx context.Context, opt *runOptions, path string) error {
			mapping = path
			return runF(ctx, opt)
		})
	}
	opt, err := parse(t, f, build, "--type", "keyvault", "--write-mapping", "out.json", "--source-subscription-id", oneSub)
	if err != nil {
		t.Fatal(err)
	}
	if mapping != "out.json" || len(opt.Types) != 1 || opt.Source.SubscriptionID != oneSub || opt.Command != "pairs" {
		t.Errorf("%+v", opt)
	}
}

// The server that is not there is said, with what to do.
func TestPairsWithoutNeo4j(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	f.env["NEO4J_URI"], f.env["NEO4J_PASSWORD"] = "bolt://127.0.0.1:1", "cAnArY-neo4j"
	code := f.run(t, "pairs", "--source-inventory", "neo4j", "--source-subscription-id", oneSub, "--target-inventory", writeInventory(t, otherSub, "a"))
	if code != exitFailed || !strings.Contains(f.err.String(), "connection refused") || !strings.Contains(f.err.String(), "NEO4J_URI") {
		t.Errorf("exit code %d: %s", code, f.err)
	}
	if strings.Contains(f.err.String()+f.out.String(), "cAnArY") {
		t.Errorf("the password is shown: %s", f.err)
	}
}
