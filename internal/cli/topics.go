package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/internal/view"
)

// newExitCodesTopic is "atg help exit-codes". A command that does nothing is a help topic
// to cobra.
func newExitCodesTopic() *cobra.Command {
	return topic("exit-codes", "What the exit codes mean", exitCodesText)
}

// newEnvironmentTopic is "atg help environment".
func newEnvironmentTopic() *cobra.Command {
	return topic("environment", "Which environment variables atg reads", environmentText)
}

// topic makes a help topic whose text is written when it is asked for.
func topic(name, short string, text func(root *cobra.Command) string) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short}
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) { cmd.Print(text(cmd.Root())) })
	return cmd
}

func exitCodesText(*cobra.Command) string {
	rows := make([]view.Row, len(exitCodes))
	for i, c := range exitCodes {
		rows[i] = view.Row{Name: fmt.Sprint(c.code), Text: c.meaning}
	}
	return exitCodesPreface + "\n\n" + view.Rows(rows)
}

// credentialVariables are read by package auth, in this order; TestEnvironmentTopic
// holds them against what auth really asks for.
var credentialVariables = []view.Row{
	{Name: "ATG_SOURCE_*", Text: "the source's service principal"},
	{Name: "AZURE_DATAPLANE_*", Text: "the target's service principal"},
	{Name: "AZURE_*", Text: "either side's, as every Azure SDK knows them"},
	{Name: "AZURE_TENANT_1_*", Text: "the source's, as Azure Tenant Grapher names them; AZURE_TENANT_1_ID for the tenant"},
	{Name: "AZURE_TENANT_2_*", Text: "the target's, likewise; AZURE_TENANT_2_ID for the tenant"},
}

const afterVariables = `
* is one of TENANT_ID, SUBSCRIPTION_ID, CLIENT_ID, CLIENT_SECRET,
CLIENT_CERTIFICATE_PATH and CLIENT_CERTIFICATE_PASSWORD. A service principal that
the flags name for the other side is tried before AZURE_*. After all of these comes
the identity of this machine: workload identity (AZURE_FEDERATED_TOKEN_FILE),
managed identity, Azure CLI, Azure Developer CLI, Azure PowerShell;
AZURE_TOKEN_CREDENTIALS narrows these down. On a terminal a person may sign in at
last, by a device code or a browser (--sign-in). "atg auth status" shows who won.
`

// neo4jVariables are those of Azure Tenant Grapher, and NEO4J_DATABASE.
var neo4jVariables = []view.Row{
	{Name: "NEO4J_URI", Text: "--neo4j-uri: the address of the server"},
	{Name: "NEO4J_PORT", Text: "the port on this machine, where there is no NEO4J_URI"},
	{Name: "NEO4J_USER", Text: "--neo4j-user: who reads the graph"},
	{Name: "NEO4J_PASSWORD", Text: "the password"},
	{Name: "NEO4J_DATABASE", Text: "--neo4j-database: the database, where it is not the server's default"},
}

var terminalVariables = []view.Row{
	{Name: "NO_COLOR", Text: "set to anything: no colours (no-color.org)"},
	{Name: "CLICOLOR_FORCE", Text: "set and not 0: colours even where there is no terminal"},
	{Name: "HTTPS_PROXY, NO_PROXY", Text: "the proxy for every request to Azure, and the exceptions"},
	{Name: "SSL_CERT_FILE", Text: "further certificate authorities, as a PEM file (Linux)"},
}

func environmentText(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("A flag wins over its variable, and a variable over the default.\n\nFlags:\n\n")
	b.WriteString(view.Rows(flagVariables(root)))
	b.WriteString("\nSigning in, after the flags --source-* and --target-*, in this order:\n\n")
	b.WriteString(view.Rows(credentialVariables))
	b.WriteString(afterVariables + "\nThe inventory neo4j:\n\n")
	b.WriteString(view.Rows(neo4jVariables))
	b.WriteString("\nTerminal and network:\n\n")
	b.WriteString(view.Rows(terminalVariables))
	return b.String()
}

// flagVariables has a row for each flag of any command that a variable stands for.
func flagVariables(root *cobra.Command) []view.Row {
	var rows []view.Row
	seen := map[string]bool{}
	for _, cmd := range commands(root) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if name := envName(f); name != "" && !f.Hidden && !seen[name] && readsEnv(cmd) {
				seen[name] = true
				_, text := pflag.UnquoteUsage(f)
				rows = append(rows, view.Row{Name: name, Text: "--" + f.Name + ": " + text})
			}
		})
	}
	slices.SortFunc(rows, func(x, y view.Row) int { return strings.Compare(x.Name, y.Name) })
	return rows
}

// readsEnv tells whether a command takes flags from the environment.
func readsEnv(cmd *cobra.Command) bool {
	return cmd.GroupID == groupRun || cmd.HasParent() && cmd.Parent().GroupID == groupRun
}

// commands returns cmd and all below it, in the order of the help text.
func commands(cmd *cobra.Command) []*cobra.Command {
	out := make([]*cobra.Command, 1, 1+len(cmd.Commands()))
	out[0] = cmd
	for _, c := range cmd.Commands() {
		out = append(out, commands(c)...)
	}
	return out
}
