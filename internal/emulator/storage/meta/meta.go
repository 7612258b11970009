// Package meta reads and writes the x-ms-meta- headers of storage objects (Azure: Setting
// and retrieving properties and metadata). The names arrive through net/http, which does
// not keep their case: they are kept in lower case here. Azure keeps the case of a name
// but compares it without.
package meta

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"unicode"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

const (
	wired = "x-ms-meta-"
	// Most is how many bytes names and values may have together.
	Most = 8 << 10
)

// Map is the metadata of one object: lower-case names and their values.
type Map map[string]string

// FromHeader collects the metadata of a request, or of an answer. The error is InvalidMetadata,
// EmptyMetadataKey or MetadataTooLarge.
func FromHeader(h http.Header) (Map, *wire.Error) {
	m := Map{}
	for k, v := range h {
		if len(k) >= len(wired) && strings.EqualFold(k[:len(wired)], wired) {
			m[strings.ToLower(k[len(wired):])] = strings.Join(v, ",")
		}
	}
	return m, m.Check()
}

// Check tells whether Azure would take the metadata: names are C# identifiers.
func (m Map) Check() *wire.Error {
	size := 0
	for k, v := range m {
		size += len(k) + len(v)
		if k == "" {
			return fail("EmptyMetadataKey", "The key for one of the metadata key-value pairs is empty.")
		}
		if !Identifier(k) {
			return fail("InvalidMetadata", "The metadata specified is invalid. It has characters that are not permitted.")
		}
	}
	if size > Most {
		return fail("MetadataTooLarge", "The metadata specified exceeds the maximum allowed limit (8KB).")
	}
	return nil
}

func fail(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusBadRequest, Code: code, Message: message}
}

// Identifier tells whether a name is a C# identifier: a letter or underscore, then
// letters, digits, underscores and marks.
func Identifier(s string) bool {
	for i, r := range s {
		switch {
		case r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r):
		case i > 0 && (unicode.IsDigit(r) || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Pc, unicode.Cf)):
		default:
			return false
		}
	}
	return s != ""
}

// Write sets the headers of an answer.
func (m Map) Write(h http.Header) {
	for k, v := range m {
		h[wired+k] = []string{v}
	}
}

// Text is the canonical form in a wire.Object: lines "name=value", sorted.
func (m Map) Text() string {
	lines := make([]string, 0, len(m))
	for k, v := range m {
		lines = append(lines, k+"="+v)
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// FromSeed takes the metadata of a scenario.
func FromSeed(in map[string]string) (Map, error) {
	m := Map{}
	for k, v := range in {
		m[strings.ToLower(k)] = v
	}
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return m, nil
}

// MarshalXML writes the element of a listing: one child a name, sorted.
func (m Map) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		if err := e.EncodeElement(m[k], xml.StartElement{Name: xml.Name{Local: k}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}
