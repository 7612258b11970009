package keyfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/azure/auth/keyfile"
	"github.com/azure-tenant-grapher/atg/plugin"
)

const (
	storage = "Microsoft.Storage/storageAccounts"
	prefix  = "/subscriptions/s/resourceGroups/rg/providers/"
	canary  = "canary-9f3c"
)

func resource(typ, name string) plugin.Resource {
	return plugin.Resource{ID: prefix + typ + "/" + name, Type: typ, Name: name}
}

// write writes a file with a mode.
func write(t testing.TB, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretsReachTheirResource(t *testing.T) {
	t.Parallel()
	text := `{
		"ST-one": {"accountKey": "by-name", "connectionString": "` + canary + `"},
		"` + prefix + `microsoft.storage/STORAGEACCOUNTS/st-one": {"accountKey": "by-id"},
		"other": {"accountKey": "x"}}`
	for name, read := range map[string]func() (*keyfile.File, error){
		"file":           func() (*keyfile.File, error) { return keyfile.Read(plugin.Source, write(t, text, 0o600), nil) },
		"read-only file": func() (*keyfile.File, error) { return keyfile.Read(plugin.Source, write(t, text, 0o400), nil) },
		"standard input": func() (*keyfile.File, error) { return keyfile.Read(plugin.Source, "-", strings.NewReader(text)) },
	} {
		f, err := read()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		get := f.Of(resource(storage, "st-one"))
		if key, ok := get("AccountKey"); !ok || key.Reveal() != "by-id" {
			t.Errorf("%s: the key is %v (%q)", name, ok, key.Reveal())
		}
		if text, ok := get("connectionString"); !ok || text.Reveal() != canary {
			t.Errorf("%s: the connection string is %v", name, ok)
		}
		if _, ok := get("sas"); ok {
			t.Errorf("%s: there is a secret that nobody gave", name)
		}
		if f.Of(resource(storage, "st-two")) != nil {
			t.Errorf("%s: there are secrets for a resource that the file does not name", name)
		}
		if shown := fmt.Sprintf("%+v %#v", f, *f); strings.Contains(shown, canary) {
			t.Errorf("%s: it is printed: %s", name, shown)
		}
	}
	var none *keyfile.File
	if none.Of(resource(storage, "st-one")) != nil || none.Check(nil, nil) != nil {
		t.Error("no file holds something")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path, text string
		hint             string
	}{
		{name: "no such file", path: "/no/such/file", text: "no such file"},
		{name: "no JSON", path: write(t, canary, 0o600), text: "it is no JSON object"},
		{name: "a list", path: write(t, `["`+canary+`"]`, 0o600), text: "it is no JSON object"},
		{name: "cut", path: write(t, `{"a":{"k":"`+canary+`"}`, 0o600), text: "ends too early"},
		{name: "no key", path: write(t, `{"a":{"k":"`+canary+`"}, 1`, 0o600), text: "not JSON at byte"},
		{name: "a text for a resource", path: write(t, `{"st-one":"`+canary+`"}`, 0o600), text: "st-one: want an object of texts: there is a string"},
		{name: "a number", path: write(t, `{"st-one":{"accountKey":1}}`, 0o600), text: "there is a number"},
		{name: "broken inside", path: write(t, `{"st-one":{"accountKey":`+canary, 0o600), text: "st-one: want an object of texts: it is not JSON"},
		{name: "twice", path: write(t, `{"st-one":{"a":"b"},"ST-ONE":{"a":"b"}}`, 0o600), text: "ST-ONE stands there twice"},
		{name: "empty", path: write(t, `{"st-one":{"accountKey":""}}`, 0o600), text: `st-one: "accountKey" is empty`},
		{name: "nothing", path: write(t, `{"st-one":{}}`, 0o600), text: "there is no secret"},
		{name: "two objects", path: write(t, `{} {}`, 0o600), text: "something follows"},
		{name: "too long", path: write(t, strings.Repeat(" ", 4<<20+1), 0o600), text: "more than 4194304 bytes"},
	}
	if runtime.GOOS != "windows" {
		for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666} {
			path := write(t, `{}`, mode)
			tests = append(tests, struct{ name, path, text, hint string }{
				fmt.Sprintf("mode %04o", mode), path, fmt.Sprintf("others than its owner can read or write it (mode %04o)", mode), "chmod 600 " + path,
			})
		}
	}
	for _, tt := range tests {
		_, err := keyfile.Read(plugin.Target, tt.path, nil)
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), tt.text) || errs.Find(err).Side != "target" {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if hint := errs.HintOf(err); hint == "" || !strings.Contains(hint, tt.hint) {
			t.Errorf("%s: hint %q", tt.name, hint)
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error quotes the file: %v", tt.name, err)
		}
	}
	if _, err := keyfile.Read(plugin.Source, "-", iotest.ErrReader(errors.New("gone"))); err == nil || !strings.Contains(err.Error(), "standard input") {
		t.Errorf("standard input that cannot be read: %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	found := []plugin.Resource{resource(storage, "one"), resource(storage, "two"), resource("Microsoft.KeyVault/vaults", "two")}
	for name, tt := range map[string]struct {
		text  string
		types []string
		want  []string // in the error; none: no error
	}{
		"known":             {`{"one":{"a":"b"},"` + prefix + storage + `/TWO":{"a":"b"}}`, nil, nil},
		"nothing":           {`{}`, nil, nil},
		"unknown":           {`{"one":{"a":"b"},"three":{"a":"b"},"` + prefix + storage + `/four":{"a":"b"}}`, []string{storage}, []string{"the source inventory has no resource three, ", "/four"}},
		"of another type":   {`{"` + prefix + `Microsoft.Sql/servers/s/databases/d":{"a":"b"}}`, []string{storage}, nil},
		"no type to narrow": {`{"` + prefix + `Microsoft.Sql/servers/s":{"a":"b"}}`, nil, []string{"no resource " + prefix + "Microsoft.Sql/servers/s"}},
		"no ID":             {`{"/one":{"a":"b"}}`, []string{storage}, []string{"no resource /one"}},
		"of two":            {`{"two":{"a":"b"}}`, nil, []string{"several resources have the name two"}},
	} {
		f, err := keyfile.Read(plugin.Source, "-", strings.NewReader(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		err = f.Check(found, tt.types)
		if (err == nil) != (len(tt.want) == 0) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) || errs.KindOf(err) != errs.Invalid || !strings.Contains(errs.HintOf(err), "az resource list") {
				t.Errorf("%s: %v (%s)", name, err, errs.HintOf(err))
			}
		}
	}
}
