package view

import (
	"strings"
	"testing"
)

func generations() Generated {
	return Generated{
		Schema: GeneratedSchema, Format: "terraform", Directory: "code", Files: []string{"README.md", "kv-fabrikam.tf"}, Changed: 1, Removed: []string{"old.tf"},
		Resources: []GeneratedFor{
			{Source: "/subscriptions/c/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-contoso", Target: "/subscriptions/f/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-fabrikam", Type: "Microsoft.KeyVault/vaults", Items: 1200, Declared: 1198},
		},
		Declared: 1198, Imports: 1, Parameters: 2, Secrets: 1, Undeclared: []string{"kv-lost has no target: nothing of that name"},
		Failed: 3, Failures: []GeneratedFailed{{Resource: "kv", Item: "keys/a", Message: "read the key of keys/a: 403 Forbidden", Hint: "ask for the right"}},
		Command: []string{"terraform -chdir=code init", "terraform -chdir=code plan"},
	}
}

func TestGeneration(t *testing.T) {
	t.Parallel()
	nothing := generations()
	nothing.Files = nil
	for name, tt := range map[string]struct {
		g  Generated
		st Style
	}{
		"generated.golden":        {generations(), Style{}},
		"generated_narrow.golden": {generations(), Style{Width: 60, Color: true}},
		"generated_kept.golden":   {nothing, Style{}},
	} {
		golden(t, name, render(t, func(b *strings.Builder) error { return Generation(b, tt.g, tt.st) }))
	}
	if err := Generation(full{}, generations(), Style{}); err == nil {
		t.Error("an error of the writer is lost")
	}
}
