// Command gen writes the schema extract of package azurerm: it reads what "terraform
// providers schema -json" prints from standard input and keeps the resource types that
// declarations may have, without descriptions.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/iac/azurerm"
)

// kept are path.Match patterns of the resource types that declarations may have.
var kept = []string{
	"azurerm_key_vault_*",
	"azurerm_storage_account_*", "azurerm_storage_blob*", "azurerm_storage_container*", "azurerm_storage_data_lake_*",
	"azurerm_storage_management_policy", "azurerm_storage_queue", "azurerm_storage_share*", "azurerm_storage_table*",
	"azurerm_container_registry_*",
	"azurerm_cosmosdb_*",
	"azurerm_mssql_database*",
	"azurerm_api_management_*",
	"azurerm_virtual_machine_extension", "azurerm_virtual_machine_run_command",
}

// provider is the part of the input that is read.
type provider struct {
	Schemas map[string]struct {
		Resources map[string]struct {
			Block azurerm.Block `json:"block"`
		} `json:"resource_schemas"`
	} `json:"provider_schemas"`
}

func main() {
	log.SetFlags(0)
	out := flag.String("out", "", "file to write")
	version := flag.String("version", "", "version of the provider")
	flag.Parse()
	text, err := extract(os.Stdin, *version)
	if err == nil {
		err = os.WriteFile(*out, text, 0o600)
	}
	if err != nil {
		log.Fatalf("gen: %v", err)
	}
}

// extract returns the lines of the extract, by type.
func extract(r io.Reader, version string) ([]byte, error) {
	var in provider
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, err
	}
	lines := []azurerm.Line{{Provider: "azurerm " + version}}
	for name, p := range in.Schemas {
		if !strings.HasSuffix(name, "/azurerm") {
			continue
		}
		for _, typ := range slices.Sorted(maps.Keys(p.Resources)) {
			if slices.ContainsFunc(kept, func(pattern string) bool { ok, _ := path.Match(pattern, typ); return ok }) {
				block := p.Resources[typ].Block
				lines = append(lines, azurerm.Line{Type: typ, Block: &block})
			}
		}
	}
	if len(lines) == 1 {
		return nil, errors.New("the input has no schema of azurerm")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
