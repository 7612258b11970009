package tfstate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
)

// The names of Terraform's own files in a working folder.
const (
	stateName     = "terraform.tfstate"
	dataDir       = ".terraform"
	workspacesDir = "terraform.tfstate.d"
)

// pullHint says how to get at a state that is kept elsewhere.
const pullHint = "write it to a file, with `terraform state pull > FILE`, and give tfstate:FILE"

// locate returns the state files that path stands for.
func locate(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &refusal{errs.NotFound, errors.Unwrap(err).Error(), "give the path of a state file, or of the folder in which Terraform was run"}
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	if file, err := selected(path); file != "" || err != nil {
		return []string{file}, err
	}
	found, err := filepath.Glob(filepath.Join(escape(path), "*.tfstate"))
	if err != nil {
		return nil, err
	}
	if found = slices.DeleteFunc(found, empty); len(found) > 0 {
		return found, nil
	}
	return nil, missing(path)
}

// selected returns the state that Terraform itself would use in a folder, if it is a file
// there: that of the chosen workspace, at the path that the local backend was given.
func selected(dir string) (string, error) {
	workspace := "default"
	if name, err := os.ReadFile(filepath.Join(dir, dataDir, "environment")); err == nil && len(name) > 0 {
		workspace = strings.TrimSpace(string(name))
	}
	b := backendOf(dir)
	file, workspaces := stateName, workspacesDir
	if b.Type == "local" {
		file, workspaces = or(b.Config.Path, file), or(b.Config.WorkspaceDir, workspaces)
	}
	if workspace != "default" {
		file = filepath.Join(workspaces, workspace, stateName)
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	if !empty(file) {
		return file, nil
	}
	if workspace != "default" && (b.Type == "" || b.Type == "local") {
		return "", &refusal{errs.NotFound, fmt.Sprintf("the chosen workspace %q has no state", workspace), "name the state file itself"}
	}
	return "", nil
}

// backend is what Terraform notes about where a folder's state is kept.
type backend struct {
	Type   string `json:"type"`
	Config struct {
		Path         string `json:"path"`
		WorkspaceDir string `json:"workspace_dir"`
	} `json:"config"`
}

func backendOf(dir string) backend {
	var stub struct {
		Backend backend `json:"backend"`
	}
	raw, err := os.ReadFile(filepath.Join(dir, dataDir, stateName))
	if err != nil || json.Unmarshal(raw, &stub) != nil {
		return backend{} // without a note the state is local
	}
	return stub.Backend
}

// missing says why a folder has no state.
func missing(dir string) error {
	if b := backendOf(dir); b.Type != "" && b.Type != "local" {
		return remote(b.Type)
	}
	if spaces, err := filepath.Glob(filepath.Join(escape(dir), workspacesDir, "*", stateName)); err == nil && len(spaces) > 0 {
		return &refusal{errs.NotFound, "the folder has the states of workspaces: " + strings.Join(spaces, ", "), "name one of these files"}
	}
	return &refusal{errs.NotFound, "the folder has no " + stateName + " and no *.tfstate", "give the folder in which Terraform was run, or the state file itself"}
}

func remote(kind string) error {
	return &refusal{errs.Invalid, fmt.Sprintf("the state is kept remotely, in the backend %q; what is here only says so", kind), pullHint}
}

// escape makes a path fit for the front of a pattern.
func escape(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// empty tells whether there is nothing at path: Terraform leaves an empty file behind when
// a state moves to a remote backend.
func empty(path string) bool {
	info, err := os.Stat(path) //nolint:gosec // Terraform's own notes say where its state is; it is only read
	return err != nil || info.IsDir() || info.Size() == 0
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
