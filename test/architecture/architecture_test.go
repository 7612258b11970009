// Package architecture holds the direction of imports: from the command down to the wire.
package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/test/components"
)

const module = "github.com/azure-tenant-grapher/atg/"

// leaves may be imported by every room of the product.
var leaves = []string{"errs", "secret", "iac"}

// suite stands above the engine, though its folder is inside plugin: a room that may
// import plugin may not therefore import it.
const suite = "plugin/plugintest"

// rooms says which rooms each room may import, beside itself, the rooms inside it and the
// leaves. The most specific room that holds a package is the one whose line counts.
var rooms = map[string][]string{
	"cmd/atg":          {"internal/cli", "internal/plugins", "plugin", suite},
	"internal/cli":     {suite, "internal/deploy", "internal/filter", "internal/view", "internal/session", "internal/engine", "internal/journal", "internal/event", "internal/retry", "internal/azure", "internal/iac", "internal/emulator", "internal/inventory", "examples/contoso", "plugin"},
	"internal/view":    {"internal/engine", "internal/event", "internal/deploy/change", "plugin"},
	"internal/session": {"internal/filter", "internal/engine", "internal/journal", "internal/event", "internal/inventory", "internal/azure", "plugin"},

	"internal/filter":            {"plugin"},
	"internal/deploy":            {"internal/engine", "internal/event", "internal/retry", "internal/azure/classify", "internal/inventory/tfstate", "plugin"},
	"internal/deploy/change":     {"plugin"},
	"internal/engine":            {"internal/filter", "internal/journal", "internal/event", "internal/retry", "plugin"},
	"internal/engine/enginetest": {"internal/engine", "internal/journal", "internal/event", "internal/retry", "plugin"},
	"internal/journal":           {"plugin"},
	"internal/inventory":         {"internal/azure", "plugin"},
	"internal/plugins":           {"internal/azure/classify", "internal/azure/cloud", "plugin"},
	// What the suite must know to judge a plugin; the program hands it on to the suite.
	"internal/plugins/storage/parttest":     {"internal/plugins/storage", "internal/emulator", "plugin"}, // imported by tests only
	"internal/plugins/keyvault/conformance": {"internal/plugins/keyvault", "plugin", suite, "internal/emulator/wire", "internal/azure/rbac/catalog"},
	"internal/plugins/storage/conformance":  {"internal/plugins/storage", "plugin", suite, "internal/emulator/wire", "internal/azure/rbac/catalog"},

	"internal/azure":      {"internal/retry", "plugin"},
	"internal/azure/auth": {"internal/azure/cloud", "plugin"},
	"internal/azure/rbac": {"internal/azure/classify", "plugin"},
	"internal/iac":        {},
	"internal/event":      {"plugin"},
	"internal/retry":      {},
	"plugin":              {},
	suite:                 {"plugin", "internal/engine", "internal/azure/pipeline", "internal/emulator", "internal/event", "internal/iac", "internal/retry"},

	"internal/emulator": {},
	"examples/contoso":  {},
	"errs":              {},
	"secret":            {},
	"iac":               {},
	"test/components":   {},
	"test/golden":       {},
}

// only names the rooms that alone may import a package of somebody else.
var only = map[string][]string{
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity": {"internal/azure/auth"},
	"charm.land/bubbletea":                             {"internal/view"},
	"modernc.org/sqlite":                               {"internal/journal"},
	"github.com/neo4j/neo4j-go-driver":                 {"internal/inventory/neo4j"},
	"go.temporal.io":                                   {"internal/engine/temporal"},
	"github.com/spf13/cobra":                           {"internal/cli"},
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization": {"internal/azure/rbac"},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func TestImportsGoDown(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasPrefix(path, "bench") {
			continue // a program of its own, above everything
		}
		room := roomOf(path)
		if room == "" {
			t.Errorf("%s stands in no room: add it to the table and to docs/ARCHITECTURE.md", path)
			continue
		}
		for _, imported := range p.Imports {
			if why := refused(room, path, imported); why != "" {
				t.Errorf("%s imports %s: %s", path, strings.TrimPrefix(imported, module), why)
			}
		}
	}
}

func TestPluginsDoNotKnowEachOther(t *testing.T) {
	t.Parallel()
	const plugins = "internal/plugins/"
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		own, isPlugin := strings.CutPrefix(path, plugins)
		if !isPlugin {
			continue
		}
		own, _, _ = strings.Cut(own, "/")
		for _, imported := range p.Imports {
			other, found := strings.CutPrefix(imported, module+plugins)
			if other, _, _ = strings.Cut(other, "/"); found && other != own {
				t.Errorf("plugin %s imports plugin %s", own, other)
			}
		}
	}
}

// refused says why path, which stands in room, may not import imported; "" if it may.
func refused(room, path, imported string) string {
	for prefix, allowed := range only {
		if strings.HasPrefix(imported, prefix) && !slices.ContainsFunc(allowed, func(r string) bool { return within(path, r) }) {
			return "only " + strings.Join(allowed, ", ") + " may"
		}
	}
	own, ours := strings.CutPrefix(imported, module)
	if !ours || within(own, room) || slices.Contains(leaves, own) {
		return ""
	}
	if slices.ContainsFunc(rooms[room], func(r string) bool {
		return within(own, r) && (r == suite || !within(own, suite))
	}) {
		return ""
	}
	return room + " may not"
}

func within(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }

// roomOf returns the most specific room that holds path.
func roomOf(path string) string {
	best := ""
	for room := range rooms {
		if within(path, room) && len(room) > len(best) {
			best = room
		}
	}
	return best
}

// packages lists the project's packages that hold more than tests, with what they import.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,GoFiles", "./...")
	cmd.Dir = components.Root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var found []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			pkg
			GoFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			found = append(found, p.pkg)
		}
	}
}
