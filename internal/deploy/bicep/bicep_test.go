package bicep

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// stub writes a compiler: a shell script that says how it was called, and does body.
func stub(t testing.TB, name, body string) func(string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho called: \"$@\"\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return func(wanted string) (string, error) {
		if wanted == name {
			return path, nil
		}
		return "", exec.ErrNotFound
	}
}

// last writes TEXT to the file that the last argument names.
func last(text string) string { return "for out; do :; done\nprintf '%s' '" + text + "' > \"$out\"\n" }

func TestCompile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ tool, called string }{
		"Bicep CLI": {"bicep", "called: build /d/main.bicep --outfile "},
		"Azure CLI": {"az", "called: bicep build --file /d/main.bicep --outfile "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			compiler := Compiler{LookPath: stub(t, c.tool, last(`{"a":1}`)), Timeout: time.Minute, Emit: func(e event.Event) {
				if o, ok := e.(event.DeployOutput); ok {
					lines = append(lines, o.Line)
				}
			}}
			got, err := compiler.Template(t.Context(), "/d/main.bicep")
			if err != nil || string(got) != `{"a":1}` {
				t.Fatalf("%s, %v", got, err)
			}
			if len(lines) != 1 || !strings.HasPrefix(lines[0], c.called) {
				t.Errorf("lines %q", lines)
			}
			out := lines[0][strings.LastIndexByte(lines[0], ' ')+1:]
			if _, err := os.Stat(filepath.Dir(out)); !os.IsNotExist(err) {
				t.Errorf("the output is left at %s", out)
			}
		})
	}
}

func TestParametersAreCompiled(t *testing.T) {
	t.Parallel()
	got, err := Compiler{LookPath: stub(t, "bicep", `[ "$1" = build-params ] || exit 9`+"\n"+last("{}"))}.Parameters(t.Context(), "/d/main.bicepparam")
	if err != nil || string(got) != "{}" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	for name, c := range map[string]struct {
		look func(string) (string, error)
		ctx  context.Context
		kind errs.Kind
		text string
		hint string
	}{
		"missing": {
			look: func(string) (string, error) { return "", exec.ErrNotFound }, kind: errs.Invalid,
			text: "neither bicep nor az is on the PATH", hint: "install the Bicep CLI",
		},
		"error in the file": {
			look: stub(t, "bicep", "echo '/d/main.bicep(3,7) : Error BCP057: The name \"x\" does not exist. [https://aka.ms/bicep]' >&2\nexit 1"), kind: errs.Invalid,
			text: `BCP057: main.bicep(3,7): BCP057: The name "x" does not exist.`, hint: "mend the Bicep file",
		},
		"error without a place": {look: stub(t, "bicep", "exit 3"), kind: errs.Invalid, text: "exit status 3"},
		"no output":             {look: stub(t, "bicep", ""), kind: errs.Invalid, text: "wrote no output"},
		"interrupted":           {look: stub(t, "bicep", ""), ctx: canceled, kind: errs.Canceled, text: "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			_, err := Compiler{LookPath: c.look}.Template(ctx, "/d/main.bicep")
			if errs.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.text) || !strings.Contains(errs.HintOf(err), c.hint) {
				t.Errorf("%s: %v; hint %q", errs.KindOf(err), err, errs.HintOf(err))
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	_, err := Compiler{LookPath: stub(t, "bicep", "exec sleep 60"), Timeout: 50 * time.Millisecond}.Template(t.Context(), "/d/main.bicep")
	if errs.KindOf(err) != errs.Canceled || !strings.Contains(errs.HintOf(err), "--plan-timeout") {
		t.Errorf("%v", err)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	for range 7 {
		said.WriteString("ERROR: /d/x.bicep(1,2) : Error BCP001: no\n/d/x.bicep(1,1) : Warning no-unused: w\n")
	}
	p := problems(said.String())
	if len(p) != 7 || len(p.Clauses(true)) != 7 || len(p.Clauses(false)) != 6 || p.Clauses(false)[5] != "and 2 more" {
		t.Errorf("%q", p.Clauses(false))
	}
}
