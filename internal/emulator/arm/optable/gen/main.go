// Command gen writes ops.tsv: every operation that the ARM modules of the Azure SDK for
// Go know, one a line: method, path template, api-versions, name, accepted status codes.
//
// It reads the sources of the modules at the versions that go.mod pins, so the table
// says what Microsoft's own clients send, not what somebody remembers of it.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const sdk = "github.com/Azure/azure-sdk-for-go/sdk/"

// sources are the modules whose operations the emulator knows, each with the folder in
// which its clients are. azcore itself registers resource providers.
var sources = []struct{ module, folder string }{
	{sdk + "azcore", "arm/runtime"},
	{sdk + "resourcemanager/authorization/armauthorization/v2", "."},
	{sdk + "resourcemanager/keyvault/armkeyvault", "."},
	{sdk + "resourcemanager/resourcegraph/armresourcegraph", "."},
	{sdk + "resourcemanager/resources/armdeployments", "."},
	{sdk + "resourcemanager/resources/armresources/v4", "."},
	{sdk + "resourcemanager/resources/armsubscriptions/v2", "."},
	{sdk + "resourcemanager/storage/armstorage/v4", "."},
}

func main() {
	out := flag.String("o", "ops.tsv", "file to write")
	flag.Parse()
	if err := run(context.Background(), *out); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out string) error {
	table, err := generate(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(out, table, 0o644) //nolint:gosec // a source file that everybody may read
}

// generate scans every module and gives the sorted table.
func generate(ctx context.Context) ([]byte, error) {
	var all []row
	for _, s := range sources {
		dir, err := moduleDir(ctx, s.module)
		if err != nil {
			return nil, err
		}
		rows, err := scan(filepath.Join(dir, filepath.FromSlash(s.folder)))
		if err != nil {
			return nil, fmt.Errorf("scan %s: %w", s.module, err)
		}
		all = append(all, rows...)
	}
	return render(all), nil
}

// moduleDir asks the go command where the pinned version of a module lies.
func moduleDir(ctx context.Context, module string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module) //nolint:gosec // the modules are constants
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s: %w: %s", module, err, stderr.String())
	}
	dir := strings.TrimSpace(string(out))
	if dir == "" {
		return "", fmt.Errorf("module %s is not downloaded", module)
	}
	return dir, nil
}
