// Package components finds the servers and clients that tests use and nobody here wrote.
// scripts/components installs them.
package components

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Root is the project's folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Find returns the path of an installed component: the value of the environment variable
// override if that is set, else the one match of pattern under .cache/components. If there is none
// the test is skipped with a loud line; where CI=true it fails, unless the registry itself
// refuses to serve the component (a file NAME.refused stands beside it).
func Find(t testing.TB, name, override, pattern string) string {
	t.Helper()
	if path := os.Getenv(override); path != "" {
		return path
	}
	dir := filepath.Join(Root(), ".cache", "components")
	if found, err := filepath.Glob(filepath.Join(dir, pattern)); err == nil && len(found) > 0 {
		return found[len(found)-1]
	}
	_, err := os.Stat(filepath.Join(dir, name+".refused"))
	if refused := err == nil; os.Getenv("CI") == "true" && !refused {
		t.Fatalf("%s is not installed; run: scripts/components %s", name, name)
	}
	t.Skipf("*** %s IS NOT AVAILABLE, THIS TEST DID NOT RUN: run scripts/components %s, or set %s", name, name, override)
	return ""
}
