package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/plugin"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
	goldenfile "github.com/azure-tenant-grapher/atg/test/golden"
)

// golden compares got with testdata/name.
func golden(t testing.TB, name, got string) {
	t.Helper()
	goldenfile.File(t, filepath.Join("testdata", name), got)
}

// toy is a plugin with settings; nothing of it is ever run.
type toy struct{ name, typ string }

func (p toy) Info() plugin.Info {
	return plugin.Info{
		Name: p.name, Title: p.name, Version: "1.0.0", Contract: plugin.ContractVersion, Type: p.typ, Modes: plugin.Modes(),
		Settings: []plugin.Setting{{Name: "versions", Default: "latest", Values: []string{"latest", "all"}, Help: "Which versions.", Flag: p.flag("versions")}, {Name: "deleted", Default: "report", Values: []string{"report", "recover"}, Help: "Deleted names."}, {Name: "prefix", Help: "Free text.", Flag: p.flag("prefix")}},
	}
}

// flag names a flag of a setting's own, which only boxes have.
func (p toy) flag(setting string) string {
	if p.name != "boxes" {
		return ""
	}
	return "box-" + setting
}

func (toy) Permissions(plugin.Mode) []plugin.Permission { return nil }
func (toy) Discover(context.Context, plugin.Endpoint, plugin.DiscoverOptions) iter.Seq2[plugin.Item, error] {
	return func(func(plugin.Item, error) bool) {}
}

func (toy) Replicate(context.Context, plugin.Task) (plugin.Outcome, error) {
	return plugin.Outcome{}, errors.New("toys do not replicate")
}

type fakeTerminal struct {
	app      *App
	out, err *bytes.Buffer
	env      map[string]string
}

// newTerminal is an App whose streams are buffers and no terminals.
func newTerminal(t testing.TB, in string) *fakeTerminal {
	t.Helper()
	f := &fakeTerminal{out: &bytes.Buffer{}, err: &bytes.Buffer{}, env: map[string]string{"XDG_STATE_HOME": t.TempDir()}}
	f.app = &App{
		IO: IO{
			In: strings.NewReader(in), Out: f.out, Err: f.err, Width: func() int { return 80 },
			Env: func(name string) (string, bool) { v, ok := f.env[name]; return v, ok },
		},
		Version: "v0.0.0-test",
		Registry: func() (*plugin.Registry, error) {
			return plugin.NewRegistry(toy{"keyvault", "Microsoft.KeyVault/vaults"}, toy{"boxes", "Microsoft.Toy/boxes"})
		},
		Subject: func(plugin.Plugin) (plugintest.Subject, bool) { return plugintest.Subject{}, false },
	}
	return f
}

func (f *fakeTerminal) run(t testing.TB, args ...string) int {
	t.Helper()
	return f.app.Run(t.Context(), args)
}

func TestHelpTexts(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, args := range []string{
		"", "plan --help", "apply --help", "verify --help", "deploy --help", "demo --help", "emulator", "emulator start --help",
		"plugin", "plugin list --help", "plugin show --help", "plugin check --help", "run", "run list --help", "run show --help", "run resume --help", "run rm --help",
		"auth", "auth status --help", "version --help",
		"help exit-codes", "help environment", "exit-codes",
	} {
		f := newTerminal(t, "")
		if code := f.run(t, strings.Fields(args)...); code != exitDone {
			t.Errorf("atg %s: exit code %d: %s", args, code, f.err)
		}
		if f.err.Len() > 0 {
			t.Errorf("atg %s writes to standard error: %s", args, f.err)
		}
		for line := range strings.Lines(f.out.String()) {
			if n := len(strings.TrimRight(line, "\n")); n > 100 {
				t.Errorf("atg %s: a line of %d columns: %s", args, n, line)
			}
		}
		fmt.Fprintf(&all, "$ atg %s\n%s\n", args, f.out)
	}
	golden(t, "help.golden", all.String())
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"bogus":                           `unknown command "bogus"`,
		"plan extra":                      `unknown command "extra"`,
		"plan --bogus":                    "unknown flag: --bogus",
		"plan --mode half":                `"half" is not one of template, replication`,
		"plan -o yaml":                    `"yaml" is not one of text, json, jsonl`,
		"plan --cloud mars":               "is not one of public, usgovernment, china",
		"plan --workers -1":               "--workers -1: want 1 to 1024",
		"plan --workers many":             "invalid argument",
		"plan --type Microsoft.X/y":       "no plugin is for this resource type; there are: Microsoft.KeyVault/vaults, Microsoft.Toy/boxes",
		"plan --box-versions some":        `"some" is not one of latest, all`,
		"plan --set keyvault":             "want PLUGIN.SETTING=VALUE",
		"plan --set keyvault=1":           "want PLUGIN.SETTING=VALUE",
		"plan --set safe.versions=all":    `there is no plugin "safe"; there are: boxes, keyvault`,
		"plan --set keyvault.color=red":   `has no setting "color"; it has: versions, deleted, prefix`,
		"plan --set keyvault.versions=no": "versions is one of latest, all",
		"plan --mapping /nowhere.json":    "no such file",
		"plan --source-inventory /none":   "no such file",
		"plan --target-inventory /":       "is a directory",
		"plan --source-sp-client-secret x --source-sp-client-secret-file " + secretFile: "given twice",
		"plan --sp-client-secret-file /nowhere":                                         "no such file",
		"plan --sp-client-secret-file - --source-sp-client-secret-file -":               "standard input can be read for one flag only",
		"plan --log-file /nowhere/x.log":                                                "cannot write the log",
		"apply":                                                                         "add --yes",
		"apply --exit-code":                                                             "unknown flag",
		"verify --overwrite":                                                            "unknown flag",
		"demo --seed x":                                                                 "invalid argument",
		"demo --source-tenant-id x":                                                     "unknown flag",
		"emulator start --scenario /nowhere.json":                                       "no such file",
		"emulator start --latency -1s":                                                  "want 0 or more",
		"emulator start --log /nowhere/x":                                               "cannot write the request log",
		"plugin show":                                                                   "accepts 1 arg(s)",
		"plugin show safe":                                                              `there is no plugin "safe"; there are: boxes, keyvault`,
		"plugin check safe":                                                             `there is no plugin "safe"`,
		"plugin check boxes":                                                            "no conformance subject",
		"docs --dir " + secretFile:                                                      "not a directory",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			f := newTerminal(t, "")
			if code := f.run(t, strings.Fields(args)...); code != exitUsage {
				t.Errorf("exit code %d, want %d", code, exitUsage)
			}
			if !strings.Contains(f.err.String(), want) {
				t.Errorf("standard error lacks %q:\n%s", want, f.err)
			}
			if !strings.HasPrefix(f.err.String(), "error: ") || !strings.Contains(f.err.String(), "--help`") {
				t.Errorf("the form of the error:\n%s", f.err)
			}
			if f.out.Len() > 0 {
				t.Errorf("standard output is not empty: %s", f.out)
			}
		})
	}
}

func TestMistakeInJSON(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "")
	code := f.run(t, "plan", "-o", "json", "--set", "x")
	lines := strings.Split(strings.TrimSpace(f.err.String()), "\n")
	want := `{"type":"exit","code":2,"error":{"errorKind":"invalid","message":"--set x: want PLUGIN.SETTING=VALUE","hint":"mend the input named above; ` + "`atg help` lists the commands and their flags\"}}"
	if code != exitUsage || lines[len(lines)-1] != want {
		t.Errorf("code %d, last line %s\nwant %s", code, lines[len(lines)-1], want)
	}
	if f.out.Len() > 0 {
		t.Errorf("standard output is not empty: %s", f.out)
	}
}

func TestSmallCommands(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"version":              "atg v0.0.0-test (",
		"version -o json":      `"version": "v0.0.0-test"`,
		"--version":            "atg v0.0.0-test\n",
		"plugin list":          "keyvault  Microsoft.KeyVault/vaults  1.0.0",
		"plugin list -o json":  `"name": "keyvault"`,
		"plugin show KeyVault": "--set keyvault.versions=latest (latest | all)",
		"plugin show Microsoft.Toy/boxes -o json": `"name": "boxes"`,
		"completion bash":                         "bash completion",
		"__complete plugin show ":                 "boxes\nkeyvault\n",
		"__complete plan --mode ":                 "template\nreplication\n",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			f := newTerminal(t, "")
			list := strings.Fields(args)
			if strings.HasSuffix(args, " ") {
				list = append(list, "")
			}
			if code := f.run(t, list...); code != exitDone {
				t.Errorf("exit code %d: %s", code, f.err)
			}
			if !strings.Contains(f.out.String(), want) {
				t.Errorf("standard output lacks %q:\n%s", want, f.out)
			}
		})
	}
}

func TestDocs(t *testing.T) {
	t.Parallel()
	f, dir := newTerminal(t, ""), t.TempDir()
	if code := f.run(t, "docs", "--dir", dir); code != exitDone {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	for name, want := range map[string]string{
		"commands.md": "## atg emulator start", "exit-codes.md": "130  interrupted", "environment.md": "ATG_MODE", "plugins.md": "## boxes",
		"man/atg-apply.1": ".SS Output\n.TP\n\\fB\\-\\-debug", "man/atg-exit-codes.7": "130", "man/atg.1": "atg\\-plan(1)",
		"completion/atg.bash": "__start_atg", "completion/_atg": "#compdef atg", "completion/atg.fish": "atg", "completion/atg.ps1": "atg",
		"schema/report.schema.json": "draft/2020-12", "schema/stream.schema.json": "item-verified",
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
}

// TestPluginCheckFails gives the suite a subject that says nothing: that fails a check.
func TestPluginCheckFails(t *testing.T) {
	t.Parallel()
	for _, form := range []string{outputText, outputJSON} {
		f := newTerminal(t, "")
		f.app.Subject = func(p plugin.Plugin) (plugintest.Subject, bool) { return plugintest.Subject{Plugin: p}, true }
		if code := f.run(t, "plugin", "check", "boxes", "-o", form); code != exitFailed {
			t.Errorf("%s: exit code %d: %s", form, code, f.err)
		}
		want := map[string]string{outputText: "FAIL   Subject", outputJSON: `"status": "failed"`}[form]
		if !strings.Contains(f.out.String(), want) {
			t.Errorf("%s: standard output lacks %q:\n%s", form, want, f.out)
		}
	}
}
