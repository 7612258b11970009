package cli

import (
	"cmp"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/azure-tenant-grapher/atg/internal/inventory"
	"github.com/azure-tenant-grapher/atg/internal/inventory/neo4j"
	"github.com/azure-tenant-grapher/atg/secret"
)

const inventoryHelp = "where the resources are read: arm, graph, tfstate:PATH, neo4j or file:PATH, see \"atg help inventories\""

// neo4jFlags are the flags that say where the graph of a side is.
type neo4jFlags struct{ uri, user, passwordFile, database string }

var neo4jNames = []string{"neo4j-uri", "neo4j-user", "neo4j-password-file", "neo4j-database"}

// addNeo4j adds the flags. There is none for the password: others can read a command line.
func addNeo4j(f *pflag.FlagSet) *neo4jFlags {
	n := &neo4jFlags{}
	f.StringVar(&n.uri, "neo4j-uri", "", "`address` of the graph for inventory neo4j (default NEO4J_URI, else bolt://localhost:7687)")
	f.StringVar(&n.user, "neo4j-user", "", "`name` of the user who reads it (default NEO4J_USER, else neo4j)")
	f.StringVar(&n.passwordFile, "neo4j-password-file", "", "`file` with the password (default NEO4J_PASSWORD); - reads standard input")
	f.StringVar(&n.database, "neo4j-database", "", "`name` of the database (default NEO4J_DATABASE, else the server's)")
	credential(f, neo4jNames...) // NEO4J_* stand for them
	inGroup(f, "Neo4j", neo4jNames...)
	return n
}

// addInventory adds --inventory, which stands for both sides.
func addInventory(cmd *cobra.Command, r *runFlags) {
	cmd.Flags().StringVar(&r.inventory, "inventory", "", "of both sides: `KIND[:PATH]`, as in --source-inventory")
}

// places completes and checks the inventories of both sides, before anybody signs in.
func (f *runFlags) places() error {
	f.source.inventory, f.target.inventory = cmp.Or(f.source.inventory, f.inventory), cmp.Or(f.target.inventory, f.inventory)
	for _, text := range []string{f.source.inventory, f.target.inventory} {
		place, err := inventory.ParsePlace(text)
		if err != nil {
			return usagef("%w", err)
		}
		switch place.Kind {
		case inventory.File:
			err = readable(place.Path)
		case inventory.Terraform:
			if _, missing := os.Stat(place.Path); missing != nil {
				err = readable(place.Path)
			}
		case inventory.ARM, inventory.Graph, inventory.Neo4j: // no file
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// config says where the graph is: flags, then the variables that Azure Tenant Grapher reads.
func (n *neo4jFlags) config(env func(string) string, in io.Reader) (neo4j.Config, error) {
	uri := cmp.Or(n.uri, env("NEO4J_URI"))
	if port := env("NEO4J_PORT"); uri == "" && port != "" {
		uri = "bolt://localhost:" + port
	}
	out := neo4j.Config{
		URI: cmp.Or(uri, "bolt://localhost:7687"), User: cmp.Or(n.user, env("NEO4J_USER"), "neo4j"),
		Password: secret.New(env("NEO4J_PASSWORD")), Database: cmp.Or(n.database, env("NEO4J_DATABASE")),
	}
	if n.passwordFile == "" {
		return out, nil
	}
	if n.passwordFile != "-" {
		f, err := os.Open(n.passwordFile)
		if err != nil {
			return out, usagef("cannot read the password of Neo4j: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSecretFile+1))
	if err != nil {
		return out, usagef("cannot read the password of Neo4j: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" || len(b) > maxSecretFile {
		return out, usagef("the file for the password of Neo4j is empty, or too large for a password")
	}
	out.Password = secret.New(password)
	return out, nil
}

// newInventoriesTopic is "atg help inventories".
func newInventoriesTopic() *cobra.Command {
	return topic("inventories", "Where resources are read from", func(*cobra.Command) string { return inventoriesText })
}

const inventoriesText = `Each side's resources are read from one place: --source-inventory and
--target-inventory name it, or --inventory for both sides. Whatever the place,
Azure is asked for the whole of each paired resource before anything is copied.

  arm           Azure Resource Manager, live, type by type. The default.
  graph         Azure Resource Graph, live: one query for all subscriptions and
                types, which is faster where a tenant is large. What was deployed
                within the last minutes may not be there yet.
  tfstate:PATH  a Terraform or OpenTofu state: a state file of version 4, what
                "terraform show -json" prints, or the folder in which Terraform
                was run. A state that is kept remotely is written to a file first:
                terraform state pull > FILE. Providers azurerm and azapi.
  neo4j         the graph of Azure Tenant Grapher; neo4j:ADDRESS for another one
                than --neo4j-uri names. It is narrowed to the side's subscription,
                or to those of its tenant that the principal sees.
  file:PATH     a JSON file, as "az resource list -o json" prints it. The path
                alone will do.

An inventory that cannot be read to its end is refused: a resource that is missing
in it might change which target another one gets.
`
