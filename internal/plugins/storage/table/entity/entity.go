// Package entity reads entities as Table Storage writes them, in JSON with full metadata,
// and writes them again without loss. Values stay the texts that they are: decoded into
// numbers, the double 5.0 would come back as the integer 5
// (https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations).
package entity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Types of properties, as the service names them.
const (
	text    = "Edm.String"
	boolean = "Edm.Boolean"
	int32s  = "Edm.Int32"
	int64s  = "Edm.Int64"
	double  = "Edm.Double"
	date    = "Edm.DateTime"
	guid    = "Edm.Guid"
)

const annotation = "@odata.type"

// Entity is one entity.
type Entity struct {
	Partition, Row string
	Modified       time.Time // the service's Timestamp; zero if it was not given
	ETag           string
	Size           int // bytes of JSON that were read

	properties map[string]property
}

type property struct {
	typ   string
	value json.RawMessage
}

// Parse reads an entity. An error says what is not as the service writes it.
func Parse(raw []byte) (*Entity, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("an entity that cannot be read: %w", err)
	}
	e := &Entity{Size: len(raw), properties: map[string]property{}}
	for name, value := range fields {
		if err := e.take(name, value, fields); err != nil {
			return nil, err
		}
	}
	if _, ok := fields["PartitionKey"]; !ok {
		return nil, errors.New("an entity without a partition key")
	}
	return e, nil
}

func (e *Entity) take(name string, value json.RawMessage, fields map[string]json.RawMessage) error {
	switch {
	case name == "PartitionKey":
		return json.Unmarshal(value, &e.Partition)
	case name == "RowKey":
		return json.Unmarshal(value, &e.Row)
	case name == "Timestamp":
		return json.Unmarshal(value, &e.Modified)
	case name == "odata.etag":
		return json.Unmarshal(value, &e.ETag)
	case strings.HasPrefix(name, "odata."), strings.HasSuffix(name, annotation):
		return nil
	}
	p := property{value: bytes.TrimSpace(value)}
	if bytes.Equal(p.value, []byte("null")) {
		return nil // there is no such property
	}
	if said, ok := fields[name+annotation]; ok {
		if err := json.Unmarshal(said, &p.typ); err != nil {
			return fmt.Errorf("the type of property %s cannot be read: %w", name, err)
		}
	} else {
		p.typ = implied(p.value)
	}
	e.properties[name] = p
	return nil
}

// implied is the type of a value that has no annotation: those types that JSON has too.
func implied(value []byte) string {
	switch {
	case value[0] == '"':
		return text
	case value[0] == 't' || value[0] == 'f':
		return boolean
	case bytes.ContainsAny(value, ".eE"):
		return double
	}
	return int32s
}

// JSON writes the entity as the service takes it, every type named that a reader could
// mistake. ETag and Timestamp are the service's own.
func (e *Entity) JSON() ([]byte, error) {
	out := map[string]any{"PartitionKey": e.Partition, "RowKey": e.Row}
	for name, p := range e.properties {
		out[name] = p.value
		if p.typ != text && p.typ != boolean && p.typ != int32s {
			out[name+annotation] = p.typ
		}
	}
	return json.Marshal(out)
}

// Differences names the properties that are not the same in both, by type or by value.
func (e *Entity) Differences(other *Entity) []string {
	names := map[string]bool{}
	for name, p := range e.properties {
		o, ok := other.properties[name]
		if !ok || p.typ != o.typ || !p.equal(o) {
			names[name] = true
		}
	}
	for name := range other.properties {
		if _, ok := e.properties[name]; !ok {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// equal compares values of one type. The service may write the same value in other words.
func (p property) equal(o property) bool {
	if bytes.Equal(p.value, o.value) {
		return true
	}
	a, b := p.text(), o.text()
	switch p.typ {
	case double:
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		return errX == nil && errY == nil && (math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y))
	case int32s, int64s:
		x, errX := strconv.ParseInt(a, 10, 64)
		y, errY := strconv.ParseInt(b, 10, 64)
		return errX == nil && errY == nil && x == y
	case date:
		x, errX := time.Parse(time.RFC3339Nano, a)
		y, errY := time.Parse(time.RFC3339Nano, b)
		return errX == nil && errY == nil && x.Equal(y)
	case guid:
		return strings.EqualFold(a, b)
	}
	return a == b
}

// text is the value without the quotes of JSON.
func (p property) text() string {
	var s string
	if json.Unmarshal(p.value, &s) == nil {
		return s
	}
	return string(p.value)
}
