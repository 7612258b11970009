// Package schema holds the JSON Schemas of what the program writes for machines. They are
// made from the Go types and their comments by the tests of package view; run those with
// -update after a change.
package schema

import "embed"

//go:embed *.schema.json
var files embed.FS

// The names of the schemas.
const (
	Report = "report.schema.json" // of the document that -o json writes
	Stream = "stream.schema.json" // of each line that -o jsonl writes
	Auth   = "auth.schema.json"   // of the document that atg auth status -o json writes
	Pairs  = "pairs.schema.json"  // of the document that atg pairs -o json writes
	Code   = "code.schema.json"   // of the document that atg generate -o json writes
)

// Names lists the schemas.
func Names() []string { return []string{Report, Stream, Auth, Pairs, Code} }

// Text returns a schema: a JSON Schema of draft 2020-12. The error says that there is none
// of that name.
func Text(name string) ([]byte, error) { return files.ReadFile(name) }
