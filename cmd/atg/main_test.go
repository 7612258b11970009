package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/internal/cli"
)

// TestEveryPluginCanBeChecked holds the two lists of plugins against each other.
func TestEveryPluginCanBeChecked(t *testing.T) {
	t.Parallel()
	reg, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range reg.All() {
		name := p.Info().Name
		s, ok := subject(p)
		if !ok {
			t.Errorf("plugin %s has no conformance subject", name)
			continue
		}
		if problems := s.Problems(); len(problems) > 0 {
			t.Errorf("the subject of %s: %q", name, problems)
		}
		if s.Plugin.Info().Name != name {
			t.Errorf("the subject of %s is for %s", name, s.Plugin.Info().Name)
		}
	}
}

// TestGeneratedDocs holds docs/generated against the program; "make docs" writes it anew.
func TestGeneratedDocs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	app := &cli.App{IO: cli.SystemIO(), Version: version, Registry: registry, Subject: subject}
	if code := app.Run(t.Context(), []string{"docs", "--dir", dir}); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for _, name := range []string{"commands.md", "environment.md", "exit-codes.md", "permissions.md", "plugins.md"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../docs/generated", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/generated/%s is old; run make docs\n%s", name, diff)
		}
	}
}
