package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/azure-tenant-grapher/atg/internal/view/schema"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"atg": main})
}

// TestScripts runs test/scripts/*.txtar: each drives the real main function as a process
// of its own, in an environment that holds nothing of this machine's.
func TestScripts(t *testing.T) {
	t.Parallel()
	contoso, err := filepath.Abs("../../examples/contoso")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../test/scripts",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("CONTOSO", contoso)
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, ".state"))
			e.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector has a process linger for a second
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"waitfile": waitFile,
			"dotenv":   dotEnv,
			"field":    field,
			"capture":  capture,
			"code":     code,
			"oneline":  oneLine,
			"valid":    valid,
		},
	})
}

// waitFile PATTERN [REGEXP] waits until a file of that name is there, and holds a match.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: waitfile PATTERN [REGEXP]")
	}
	want := regexp.MustCompile(strings.Join(args[1:], ""))
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	end := time.After(time.Minute)
	for {
		found, _ := filepath.Glob(ts.MkAbs(args[0]))
		for _, path := range found {
			if text, err := os.ReadFile(path); err == nil && want.Match(text) {
				return
			}
		}
		select {
		case <-ticker.C:
		case <-end:
			ts.Fatalf("%s does not come", args[0])
		}
	}
}

// dotEnv FILE sets the variables that a file of "export NAME=VALUE" lines sets.
func dotEnv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: dotenv FILE")
	}
	sc := bufio.NewScanner(strings.NewReader(ts.ReadFile(args[0])))
	for sc.Scan() {
		name, value, ok := strings.Cut(strings.TrimPrefix(sc.Text(), "export "), "=")
		if !ok {
			ts.Fatalf("%s: not a variable: %s", args[0], sc.Text())
		}
		ts.Setenv(name, strings.Trim(value, "'"))
	}
}

// field FILE PATH VALUE holds a field of a JSON document against a value; the path is
// written with dots. FILE may be stdout or stderr.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: field FILE PATH VALUE")
	}
	var doc any
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	if err := dec.Decode(&doc); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	if dec.More() {
		ts.Fatalf("%s holds more than one document", args[0])
	}
	for name := range strings.SplitSeq(args[1], ".") {
		m, ok := doc.(map[string]any)
		if !ok {
			ts.Fatalf("%s: nothing at %s", args[0], args[1])
		}
		doc = m[name]
	}
	if got := fmt.Sprint(doc); (got == args[2]) == neg {
		ts.Fatalf("%s is %s, want %s (or not)", args[1], got, args[2])
	}
}

// capture NAME FILE REGEXP sets a variable to the first group of the first match.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: capture NAME FILE REGEXP")
	}
	found := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if len(found) < 2 {
		ts.Fatalf("%s holds no match of %s", args[1], args[2])
	}
	ts.Setenv(args[0], found[1])
}

// code N runs a command and wants that exit code: code 2 atg apply.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// oneLine FILE wants exactly one line.
func oneLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: oneline FILE")
	}
	if n := strings.Count(ts.ReadFile(args[0]), "\n"); n != 1 {
		ts.Fatalf("%s has %d lines", args[0], n)
	}
}

// valid FILE report|stream holds a document, or each line of a file, against a published
// JSON Schema.
func valid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: valid FILE report|stream|code")
	}
	name, docs := schema.Report, []string{ts.ReadFile(args[0])}
	switch args[1] {
	case "code":
		name = schema.Code
	case "stream":
		name, docs = schema.Stream, strings.Split(strings.TrimSpace(docs[0]), "\n")
	}
	text, err := schema.Text(name)
	ts.Check(err)
	against, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	ts.Check(err)
	c := jsonschema.NewCompiler()
	ts.Check(c.AddResource(name, against))
	s, err := c.Compile(name)
	ts.Check(err)
	for i, d := range docs {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(d))
		if err == nil {
			err = s.Validate(doc)
		}
		if err != nil {
			ts.Fatalf("%s, document %d: %v\n%s", args[0], i+1, err, d)
		}
	}
}
