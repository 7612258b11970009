package relaxed_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/azure-tenant-grapher/atg/internal/emulator/arm/relaxed"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":1}`:                              `{"a":1}`,
		`{"p": {"x": 1}, template:{"a":true}}`: `{"p": {"x": 1}, "template":{"a":true}}`,
		"{// one\n\"a\":1,/* two\nlines */}":   "{\n\"a\":1\n}",
		"[1, 2, ]":                             "[1, 2 ]",
		`{'a':'it\'s "b"'}`:                    `{"a":"it's \"b\""}`,
		"{\"a\":\"x\ny\\n\t\\\"\"}":            `{"a":"x\ny\n\t\""}`,
		`{a:null, b_1 : [true,]}`:              `{"a":null, "b_1" : [true]}`,
		`{"a":"// no comment, ]"}`:             `{"a":"// no comment, ]"}`,
	} {
		if got, ok := relaxed.JSON([]byte(in)); !ok || string(got) != want {
			t.Errorf("JSON(%s) = %s, %v, want %s", in, got, ok, want)
		}
	}
	for _, in := range []string{``, `{`, `{"a"`, `{"a":}`, `/*`, `'`, `{a b:1}`, `[1,,2]`, `"\`} {
		if got, ok := relaxed.JSON([]byte(in)); ok {
			t.Errorf("JSON(%s) = %s", in, got)
		}
	}
}

// TestAnyText: no text makes it panic, and what it calls JSON is JSON.
func TestAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringOf(rapid.SampledFrom([]rune("{}[]:,'\"\\/* \na1_"))).Draw(t, "in")
		if out, ok := relaxed.JSON([]byte(in)); ok && !json.Valid(out) {
			t.Fatalf("JSON(%q) = %q", in, out)
		}
	})
}
