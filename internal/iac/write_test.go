package iac_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/iac"
)

func list(paths ...string) []iac.File {
	var out []iac.File
	for _, p := range paths {
		name, content, _ := strings.Cut(p, "=")
		out = append(out, iac.File{Path: name, Content: []byte(content)})
	}
	return out
}

// tree returns the files below dir, but for the list of what was written.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".atg-generated.json" {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t testing.TB, dir string, force bool, paths ...string) iac.Written {
	t.Helper()
	got, err := iac.Write(dir, list(paths...), force)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func put(t testing.TB, dir, path, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, path), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "code")
	if earlier, err := iac.Earlier(dir); earlier || err != nil {
		t.Fatalf("%v, %v", earlier, err)
	}
	first := write(t, dir, false, "main.tf=1", "sub/a.bicep=2")
	if first.Changed != 2 || !cmp.Equal(first.Files, []string{"main.tf", "sub/a.bicep"}) {
		t.Errorf("first: %+v", first)
	}
	info, err := os.Stat(filepath.Join(dir, "main.tf"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if again := write(t, dir, false, "main.tf=1", "sub/a.bicep=2"); again.Changed != 0 {
		t.Errorf("again: %+v", again)
	}
	put(t, dir, "terraform.tfvars", "somebody's own")
	next := write(t, dir, false, "main.tf=3", "b.tf=4")
	if next.Changed != 2 || !cmp.Equal(next.Removed, []string{"sub/a.bicep"}) {
		t.Errorf("next: %+v", next)
	}
	want := map[string]string{"main.tf": "3", "b.tf": "4", "terraform.tfvars": "somebody's own"}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if earlier, err := iac.Earlier(dir); !earlier || err != nil {
		t.Errorf("%v, %v", earlier, err)
	}
}

func TestWriteKeepsWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(t testing.TB, dir string)
		want    string
	}{
		{"a file that was there before", func(t testing.TB, dir string) { put(t, dir, "main.tf", "mine") }, "main.tf is not as this program wrote it"},
		{"a file that was changed", func(t testing.TB, dir string) {
			write(t, dir, false, "main.tf=1")
			put(t, dir, "main.tf", "changed")
		}, "main.tf is not as"},
		{"a changed file that would be removed", func(t testing.TB, dir string) {
			write(t, dir, false, "main.tf=1", "old.tf=2", "older.tf=2")
			put(t, dir, "old.tf", "changed")
			put(t, dir, "older.tf", "changed")
		}, "old.tf, older.tf are not as"},
		{"another list of files", func(t testing.TB, dir string) { put(t, dir, ".atg-generated.json", "{}") }, "was not written by this program"},
		{"a directory in the way", func(t testing.TB, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "main.tf"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tt.prepare(t, dir)
			before := tree(t, dir)
			_, err := iac.Write(dir, list("main.tf=new", "other.tf=new"), false)
			if err == nil || !strings.Contains(err.Error(), tt.want) || errs.KindOf(err) != errs.Conflict {
				t.Fatalf("error = %v, want %q", err, tt.want)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("something was written\n%s", diff)
			}
			if tt.name == "a directory in the way" {
				return
			}
			write(t, dir, true, "main.tf=new", "other.tf=new")
			if got := tree(t, dir); got["main.tf"] != "new" || got["other.tf"] != "new" {
				t.Errorf("with force: %v", got)
			}
		})
	}
}

// TestWriteStaysInside gives it a list of files that was forged.
func TestWriteStaysInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	put(t, dir, "outside", "x")
	code := filepath.Join(dir, "code")
	if err := os.Mkdir(code, 0o700); err != nil {
		t.Fatal(err)
	}
	// The digest is that of "x".
	put(t, code, ".atg-generated.json", `{"format":"atg-generated","sha256":{"../outside":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}`)
	write(t, code, false, "main.tf=1")
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("a file outside was removed: %v", err)
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "file", "")
	if _, err := iac.Write(filepath.Join(dir, "file"), list("main.tf=1"), true); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a file as directory: %v", err)
	}
}
