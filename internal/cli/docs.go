package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azure-tenant-grapher/atg/internal/view"
	"github.com/azure-tenant-grapher/atg/internal/view/schema"
)

// generated starts every generated document.
const generated = "<!-- Written by \"atg docs\" from the program itself. Change the program, not this file. -->\n\n"

// newDocsCmd is a hidden command: it is for those who build the program.
func newDocsCmd(a *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:    "docs",
		Short:  "Write the documents that come from the program itself",
		Hidden: true,
		Args:   cobra.NoArgs,
	}
	dir := cmd.Flags().String("dir", "docs/generated", "`directory` to write to")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.docs(cmd.Root(), *dir) }
	return cmd
}

// docs writes one Markdown file for the commands, one for each help topic and one for the
// plugins; manual pages, completion scripts and JSON Schemas go to folders of their own.
func (a *App) docs(root *cobra.Command, dir string) error {
	plugins, err := a.pluginDocs()
	if err != nil {
		return err
	}
	permissions, err := a.permissionsTable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return usagef("%w", err)
	}
	for name, text := range map[string]string{
		"commands.md":    commandDocs(root),
		"exit-codes.md":  "# Exit codes\n\n" + fenced(exitCodesText(root)),
		"environment.md": "# Environment variables\n\n" + fenced(environmentText(root)),
		"plugins.md":     plugins,
		"permissions.md": permissions,
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(generated+text), 0o600))
	}
	completions, failed := completionScripts(root)
	schemas, missing := schemaTexts()
	return errors.Join(err, failed, missing, writeAll(filepath.Join(dir, "man"), a.manPages(root)),
		writeAll(filepath.Join(dir, "completion"), completions), writeAll(filepath.Join(dir, "schema"), schemas))
}

// writeAll writes files to a directory, which it makes.
func writeAll(dir string, files map[string]string) error {
	err := os.MkdirAll(dir, 0o750)
	for name, text := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return err
}

// completionScripts returns the completion script of each shell that cobra knows.
func completionScripts(root *cobra.Command) (map[string]string, error) {
	var bash, zsh, fish, power bytes.Buffer
	err := errors.Join(root.GenBashCompletionV2(&bash, true), root.GenZshCompletion(&zsh),
		root.GenFishCompletion(&fish, true), root.GenPowerShellCompletionWithDesc(&power))
	return map[string]string{"atg.bash": bash.String(), "_atg": zsh.String(), "atg.fish": fish.String(), "atg.ps1": power.String()}, err
}

// schemaTexts returns the JSON Schemas of what the program writes for machines.
func schemaTexts() (map[string]string, error) {
	out := map[string]string{}
	for _, name := range schema.Names() {
		text, err := schema.Text(name)
		if err != nil {
			return nil, err
		}
		out[name] = string(text)
	}
	return out, nil
}

// commandDocs holds the help text of every command that is not hidden.
func commandDocs(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n")
	for _, c := range commands(root) {
		if c.Hidden || c.IsAdditionalHelpTopicCommand() || c.Name() == "help" || isCompletion(c) {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s", c.CommandPath(), fenced(helpText(c)))
	}
	return b.String()
}

// isCompletion tells whether c makes shell completions: cobra's own commands, whose help
// says nothing about this program.
func isCompletion(c *cobra.Command) bool {
	return strings.HasPrefix(c.CommandPath(), c.Root().Name()+" completion")
}

// helpText is what --help prints.
func helpText(c *cobra.Command) string {
	c.InitDefaultHelpFlag()
	text := c.Long
	if text == "" {
		text = c.Short
	}
	return strings.TrimSpace(text) + "\n\n" + usageText(c)
}

func fenced(text string) string { return "```\n" + strings.TrimSpace(text) + "\n```\n" }

// pluginDocs holds what "atg plugin show" says of every plugin.
func (a *App) pluginDocs() (string, error) {
	reg, err := a.Registry()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Plugins\n")
	for _, p := range reg.All() {
		var text strings.Builder
		if err := view.PluginShow(&text, view.PluginOf(p), view.Style{Width: helpWidth}); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s", p.Info().Name, fenced(text.String()))
	}
	return b.String(), nil
}
