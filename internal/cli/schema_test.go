package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/azure-tenant-grapher/atg/internal/view/schema"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// compiled is one of the published schemas.
func compiled(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	text, err := schema.Text(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t testing.TB, s *jsonschema.Schema, text string) map[string]any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	m, ok := doc.(map[string]any)
	if !ok {
		t.Fatalf("no object: %s", text)
	}
	return m
}

// validStream holds a stream against its schema and returns how often each type of record
// is in it, the first type, and the last.
func validStream(t testing.TB, text string) (count map[string]int, first, last string) {
	t.Helper()
	s := compiled(t, schema.Stream)
	count = map[string]int{}
	for line := range strings.Lines(text) {
		last, _ = valid(t, s, line)["type"].(string)
		if first == "" {
			first = last
		}
		count[last]++
	}
	return count, first, last
}

// TestOutputFollowsTheSchemas runs every command that reports against the demo's tenants.
func TestOutputFollowsTheSchemas(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "").withPlugins()
	opt := atDemo(t, f, "")
	report := compiled(t, schema.Report)
	opt.yes = true
	for _, step := range []struct {
		name string
		run  func(context.Context, *runOptions) error
	}{{"plan", f.app.plan}, {"apply", f.app.apply}, {"verify", f.app.verify}} {
		opt.Command, opt.Mode = step.name, plugin.Replication
		for _, form := range []string{outputJSON, outputLines} {
			f.out.Reset()
			f.app.lines = nil
			opt.output = form
			// The vaults hold what cannot be copied: a partial result is the right one.
			if err := step.run(t.Context(), opt); codeOf(err) == exitFailed || codeOf(err) == exitUsage {
				t.Fatalf("%s: %v", step.name, err)
			}
			if form == outputJSON {
				valid(t, report, f.out.String())
				continue
			}
			count, first, last := validStream(t, f.out.String())
			if first != "version" || last != "report" || count["run-started"] != 1 || count["run-finished"] != 1 || count["report"] != 1 {
				t.Errorf("%s: from %s to %s: %v", step.name, first, last, count)
			}
		}
	}
}

func TestStreamOfTheDemo(t *testing.T) {
	t.Parallel()
	f := newTerminal(t, "").withPlugins()
	if code := f.run(t, "demo", "-o", "jsonl", "--progress", "none"); code != exitDone {
		t.Fatalf("exit code %d: %s", code, f.err)
	}
	count, first, last := validStream(t, f.out.String())
	if first != "version" || last != "exit" || count["report"] != 1 || count["item-done"] < 250 || count["item-verified"] != count["item-done"] {
		t.Errorf("from %s to %s: %v", first, last, count)
	}
}

func TestStreamOfWhatFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		code int
	}{
		"a mistake in the command line": {[]string{"plan", "-o", "jsonl", "--set", "x"}, exitUsage},
		"no run at all":                 {[]string{"apply", "-o", "jsonl"}, exitUsage},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTerminal(t, "")
			if code := f.run(t, tt.args...); code != tt.code {
				t.Fatalf("exit code %d: %s", code, f.err)
			}
			count, first, last := validStream(t, f.out.String())
			if first != "version" || last != "exit" || len(count) != 2 {
				t.Errorf("from %s to %s: %v", first, last, count)
			}
		})
	}
	t.Run("an interrupted run", func(t *testing.T) {
		t.Parallel()
		f := newTerminal(t, "").withPlugins()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(InterruptedBy(os.Interrupt))
		if code := f.app.Run(ctx, []string{"demo", "-o", "jsonl", "--progress", "none"}); code != exitInterrupted {
			t.Fatalf("exit code %d", code)
		}
		if _, first, last := validStream(t, f.out.String()); first != "version" || last != "exit" {
			t.Errorf("from %s to %s", first, last)
		}
	})
}

// TestSchemasRefuse makes sure that the schemas can fail.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	stream, report := compiled(t, schema.Stream), compiled(t, schema.Report)
	for text, s := range map[string]*jsonschema.Schema{
		`{"type":"version","schema":"1","version":"v1"}`: stream,
		`{"type":"exit"}`:                                                stream,
		`{"type":"rumour","event":{}}`:                                   stream,
		`{"type":"throttled","event":{"host":"x"}}`:                      stream,
		`{"type":"phase-started","event":{"phase":"lunch"}}`:             stream,
		`{"schema":1}`:                                                   report,
		`{"type":"run-finished","event":{"run":"x","time":"yesterday"}}`: stream,
	} {
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if s.Validate(doc) == nil {
			t.Errorf("accepted: %s", text)
		}
	}
}
