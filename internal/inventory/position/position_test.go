package position_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/inventory/position"
)

// read reads a list of objects, as the inventories do: tokens and values in turn.
func read(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	dec := json.NewDecoder(in)
	if _, err := dec.Token(); err != nil {
		return position.Of(dec, err)
	}
	for dec.More() {
		var v map[string]int
		if err := dec.Decode(&v); err != nil {
			return position.Of(dec, err)
		}
		if v["bad"] > 0 {
			return position.Of(dec, errors.New("bad"))
		}
	}
	_, err = dec.Token()
	return position.Of(dec, err)
}

func TestLocate(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("{\"a\": 1},\n", 500)
	tests := []struct{ name, text, want string }{
		{"in a value", "[\n" + many + "{\"a\":\n oops}]", "line 503: invalid character 'o'"},
		{"between values", "[\n" + many + "\n\n oops]", "line 504: invalid character 'o'"},
		{"behind a name", "[{\"a\"\n oops}]", "line 2: invalid character 'o'"},
		{"at the end", "[\n" + many + "{\"a\": 1}", "line 502: the file ends too early"},
		{"in the middle of a value", "[\n{\"a\"", "line 2: the file ends too early"},
		{"of another type", "[\n" + many + "{\"a\": \"x\"}]", "line 502: json: cannot unmarshal string"},
		{"what was just read", "[\n{},\n{\"bad\": 1},\n{}]", "line 3: bad"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := position.Locate(path, read(path)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestNoPlace(t *testing.T) {
	t.Parallel()
	plain := errors.New("plain")
	if err := position.Locate("/nowhere", plain); !errors.Is(err, plain) || err.Error() != "plain" {
		t.Error(err)
	}
	for _, offset := range []int64{7, position.Syntax} { // the file went away
		if err := position.Locate("/nowhere", &position.Error{Offset: offset, Err: plain}); !errors.Is(err, plain) || err.Error() != "plain" {
			t.Error(err)
		}
	}
	dec := json.NewDecoder(strings.NewReader(""))
	placed := &position.Error{Offset: 7, Err: plain}
	if err := position.Of(dec, placed); !errors.Is(err, placed) {
		t.Error(err)
	}
}
