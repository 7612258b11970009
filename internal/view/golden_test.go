package view

import (
	"path/filepath"
	"strings"
	"testing"

	goldenfile "github.com/azure-tenant-grapher/atg/test/golden"
)

// golden compares got with testdata/name.
func golden(t testing.TB, name, got string) {
	t.Helper()
	goldenfile.File(t, filepath.Join("testdata", name), got)
}

// render returns what f writes.
func render(t testing.TB, f func(b *strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
