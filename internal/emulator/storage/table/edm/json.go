package edm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// FromJSON reads a property's JSON value. Annotation is the text of its "@odata.type", ""
// for none: the type then is what the JSON says, and a whole number beyond 32 bits is a
// double. null is told by ok being false: Table Storage does not store it.
func FromJSON(raw json.RawMessage, annotation string) (v Value, ok bool, err error) {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return Value{}, false, nil
	}
	if annotation == "" {
		v, err = inferred(raw)
		return v, err == nil, err
	}
	t, known := TypeOf(annotation)
	if !known {
		return Value{}, false, fmt.Errorf("%q: %w", annotation, ErrSyntax)
	}
	text, err := scalar(raw)
	if err != nil {
		return Value{}, false, err
	}
	v, err = Parse(t, text)
	return v, err == nil, err
}

// scalar returns the text of a JSON string, number or truth value.
func scalar(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0 || raw[0] == '{' || raw[0] == '[':
		return "", fmt.Errorf("an object or array: %w", ErrSyntax)
	case raw[0] != '"':
		return string(raw), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("string: %w", ErrSyntax)
	}
	return s, nil
}

func inferred(raw json.RawMessage) (Value, error) {
	text, err := scalar(raw)
	if err != nil {
		return Value{}, err
	}
	switch raw[0] {
	case '"':
		return Text(text), nil
	case 't', 'f':
		return Parse(Boolean, text)
	}
	if strings.Trim(text, "-0123456789") == "" {
		if v, err := Parse(Int32, text); err == nil {
			return v, nil
		}
	}
	return parseDouble(text)
}

// AppendJSON writes the value as JSON to dst.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case Int32, Boolean:
		return append(dst, v.String()...)
	case Double:
		if !v.special() {
			return append(dst, v.String()...)
		}
	case Int64, DateTime, GUID, Binary, String:
	}
	return AppendString(dst, v.String())
}

func (v Value) special() bool {
	f := v.float()
	return math.IsNaN(f) || math.IsInf(f, 0)
}

// Annotated tells whether minimal metadata names the value's type: where the JSON alone
// would read back as another one.
func (v Value) Annotated() bool {
	switch v.kind {
	case Int64, DateTime, GUID, Binary:
		return true
	case Double:
		return v.special()
	case String, Int32, Boolean:
	}
	return false
}

// AppendString writes a JSON string to dst.
func AppendString(dst []byte, s string) []byte {
	if simple(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	// A string always marshals; the encoder ends it with a newline.
	_ = enc.Encode(s)
	return append(dst, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// simple tells whether a text needs no escape in JSON.
func simple(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
