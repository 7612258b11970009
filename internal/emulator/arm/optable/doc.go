// Package optable knows which ARM operations exist: method, path, api-versions, accepted
// status codes, and whether the operation is long-running.
//
// The table is generated from the sources of the Azure SDK for Go (see gen), so an
// operation or api-version that it lacks is one that Microsoft's own clients of the
// pinned versions never send. ops.tsv has one operation a line, tab-separated: method,
// path template, api-version ("*": the caller's choice), name, status codes. A template
// parameter is one segment; {+name} spans any number of them, none included.
package optable

//go:generate go run ./gen -o ops.tsv
