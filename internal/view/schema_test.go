package view

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/engine"
	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/internal/view/schema"
	"github.com/azure-tenant-grapher/atg/plugin"
	goldenfile "github.com/azure-tenant-grapher/atg/test/golden"
)

// allEvents has a value of each event type; TestEveryEventIsInTheSchema holds the list.
var allEvents = []event.Event{
	event.DeployStarted{},
	event.DeployStep{},
	event.DeployOutput{},
	event.DeployPlanned{},
	event.DeployResource{},
	event.DeployFinished{},
	event.RunStarted{},
	event.PhaseStarted{},
	event.Paired{},
	event.Unpaired{},
	event.ResourceStarted{},
	event.ResourceDone{},
	event.ResourceSkipped{},
	event.ItemPlanned{},
	event.ItemStarted{},
	event.ItemProgress{},
	event.ItemDone{},
	event.ItemVerified{},
	event.Retrying{},
	event.Throttled{},
	event.RunFinished{},
}

// enums are the types that take only some values.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[plugin.Mode]():         words(plugin.Modes()),
	reflect.TypeFor[plugin.Status]():       words(plugin.Statuses()),
	reflect.TypeFor[plugin.State]():        words([]plugin.State{plugin.Missing, plugin.Same, plugin.Different, plugin.Cannot}),
	reflect.TypeFor[errs.Kind]():           words(errs.Kinds()),
	reflect.TypeFor[event.ResourceState](): words([]event.ResourceState{event.ResourceRunning, event.ResourceReady, event.ResourceFailed}),
	reflect.TypeFor[event.Phase]():         words([]event.Phase{event.Deploying, event.Inventory, event.Pairing, event.Planning, event.Applying, event.Verifying}),
}

func words[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

type object = map[string]any

// drawer makes a schema from Go types and the comments in their source.
type drawer struct {
	comments map[string]string // by "Type" and "Type.Field"
	defs     object
}

func newDrawer(t testing.TB) *drawer {
	t.Helper()
	d := &drawer{comments: map[string]string{}, defs: object{}}
	for _, pattern := range []string{"json.go", "authstatus.go", "pairs.go", "generated.go", "../engine/*.go", "../event/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, path := range paths {
			if !strings.HasSuffix(path, "_test.go") {
				d.read(t, path)
			}
		}
	}
	return d
}

// read collects the comments of the types of a file and of their fields.
func (d *drawer) read(t testing.TB, path string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, spec := range gen.Specs {
			typ := spec.(*ast.TypeSpec)
			d.comments[typ.Name.Name] = sentence(gen.Doc.Text())
			if st, ok := typ.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					for _, name := range f.Names {
						d.comments[typ.Name.Name+"."+name.Name] = sentence(f.Doc.Text() + f.Comment.Text())
					}
				}
			}
		}
	}
}

func sentence(comment string) string { return strings.Join(strings.Fields(comment), " ") }

// schema is the schema of a type; structs become definitions of their own.
func (d *drawer) schema(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[time.Duration]():
		return object{"type": "integer", "description": "nanoseconds"}
	case enums[t] != nil:
		return object{"type": "string", "enum": enums[t]}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Struct:
		return d.define(t)
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		out := object{"type": "object", "additionalProperties": d.schema(t.Elem())}
		if legal := enums[t.Key()]; legal != nil {
			out["propertyNames"] = object{"enum": legal}
		}
		return out
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	default:
		return object{"type": "string"}
	}
}

func (d *drawer) define(t reflect.Type) object {
	ref := object{"$ref": "#/$defs/" + t.Name()}
	if d.defs[t.Name()] != nil {
		return ref
	}
	def := object{"type": "object"}
	d.defs[t.Name()] = def
	if text := d.comments[t.Name()]; text != "" {
		def["description"] = text
	}
	properties, required := object{}, []string{}
	d.fields(t, properties, &required)
	def["properties"] = properties
	if len(required) > 0 {
		def["required"] = required
	}
	return ref
}

// fields adds the fields of t; those of embedded structs count as its own, as in JSON.
func (d *drawer) fields(t reflect.Type, properties object, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || t.Name() == "eventRecord" && f.Name == "Event":
			continue
		case f.Anonymous && name == "":
			d.fields(f.Type, properties, required)
			continue
		}
		property := d.schema(f.Type)
		if text := d.comments[t.Name()+"."+f.Name]; text != "" {
			if more, ok := property["description"].(string); ok {
				text += "; " + more
			}
			property["description"] = text
		}
		properties[name] = property
		if options != "omitempty" && options != "omitzero" {
			*required = append(*required, name)
		}
	}
}

// document completes the schema of one document.
func (d *drawer) document(name, title, text string, body object) object {
	out := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name,
		"title": title, "description": text, "$defs": d.defs,
	}
	for k, v := range body {
		out[k] = v
	}
	return out
}

func reportSchema(t testing.TB) object {
	d := newDrawer(t)
	body := d.schema(reflect.TypeFor[engine.Report]())
	return d.document(schema.Report, "Report of a run",
		"The document that atg plan, apply, verify and demo write with -o json. Its version is the field schema. Fields may be added within a version: ignore those that you do not know.", body)
}

func pairsSchema(t testing.TB) object {
	d := newDrawer(t)
	body := d.schema(reflect.TypeFor[Pairs]())
	return d.document(schema.Pairs, "Sources and their targets",
		"The document that atg pairs writes with -o json. Its version is the field schema. Fields may be added within a version: ignore those that you do not know.", body)
}

func codeSchema(t testing.TB) object {
	d := newDrawer(t)
	body := d.schema(reflect.TypeFor[Generated]())
	return d.document(schema.Code, "Code that was generated",
		"The document that atg generate writes with -o json. Its version is the field schema. Fields may be added within a version: ignore those that you do not know.", body)
}

func authSchema(t testing.TB) object {
	d := newDrawer(t)
	body := d.schema(reflect.TypeFor[AuthStatus]())
	return d.document(schema.Auth, "How both sides sign in",
		"The document that atg auth status writes with -o json. Its version is the field schema. Fields may be added within a version: ignore those that you do not know.", body)
}

func streamSchema(t testing.TB) object {
	d := newDrawer(t)
	record := func(of reflect.Type, kind string) object {
		out := object{"properties": object{"type": object{"const": kind}}}
		if of != nil {
			out = object{"allOf": []any{d.schema(of), out}}
		}
		return out
	}
	records := []any{record(reflect.TypeFor[versionRecord](), "version")}
	for _, e := range allEvents {
		r := record(nil, e.Type())
		properties := r["properties"].(object)
		properties["event"] = d.schema(reflect.TypeOf(e))
		if _, failed := reflect.TypeOf(e).FieldByName("Err"); failed {
			properties["error"] = d.schema(reflect.TypeFor[failure]())
		}
		properties["time"] = d.schema(reflect.TypeFor[time.Time]())
		r["type"], r["required"] = "object", []string{"type", "event", "time"}
		records = append(records, r)
	}
	records = append(records, record(reflect.TypeFor[reportRecord](), "report"), record(reflect.TypeFor[exitRecord](), "exit"))
	return d.document(schema.Stream, "Record of a run's stream",
		"One line of what atg plan, apply, verify, deploy and demo write with -o jsonl. The first record is of type version and names the version of the stream, the last is of type exit; between them stand events and, if the run came that far, one report. Fields and record types may be added within a version: ignore those that you do not know.",
		object{"oneOf": records})
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]object{schema.Report: reportSchema(t), schema.Stream: streamSchema(t), schema.Auth: authSchema(t), schema.Pairs: pairsSchema(t), schema.Code: codeSchema(t)} {
		var text strings.Builder
		if err := JSON(&text, want); err != nil {
			t.Fatal(err)
		}
		if goldenfile.Update() {
			if err := os.WriteFile(filepath.Join("schema", name), []byte(text.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := schema.Text(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != text.String() {
			t.Errorf("%s is not what the types say: run the tests of this package with -update", name)
		}
		if !json.Valid(got) {
			t.Errorf("%s is no JSON", name)
		}
	}
	if !slices.Equal(schema.Names(), []string{schema.Report, schema.Stream, schema.Auth, schema.Pairs, schema.Code}) {
		t.Error(schema.Names())
	}
}

// TestEveryEventIsInTheSchema reads the source for event types.
func TestEveryEventIsInTheSchema(t *testing.T) {
	t.Parallel()
	found := 0
	for _, path := range []string{"../event/event.go", "../event/deploy.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Name.Name != "Type" || fn.Recv == nil {
				continue
			}
			found++
			name := fn.Recv.List[0].Type.(*ast.Ident).Name
			if !slices.ContainsFunc(allEvents, func(e event.Event) bool { return reflect.TypeOf(e).Name() == name }) {
				t.Errorf("%s is not in allEvents", name)
			}
		}
	}
	if found != len(allEvents) {
		t.Errorf("%d events in the source, %d in the list", found, len(allEvents))
	}
}
