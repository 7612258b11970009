package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Decode reads a scenario as JSON. It refuses unknown fields, wrong types, text behind
// the end, and whatever Check refuses; each error names the place.
func Decode(r io.Reader) (*Scenario, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	if err := checkShape(text); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	var s Scenario
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return &s, nil
}

// checkShape compares a document with the Go types, which encoding/json does without
// saying where.
func checkShape(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	tree, err := read(dec, "")
	if err != nil {
		return syntax(text, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: text behind the end of the scenario", position(text, dec.InputOffset()))
	}
	return shape("", tree, reflect.TypeFor[Scenario]())
}

// read is json.Unmarshal into an any, but a field that is given twice is an error.
func read(dec *json.Decoder, path string) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return readObject(dec, path)
	case json.Delim('['):
		return readList(dec, path)
	}
	return token, nil
}

func readObject(dec *json.Decoder, path string) (any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("%s: is given twice", join(path, name))
		}
		if object[name], err = read(dec, join(path, name)); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return object, err
}

func readList(dec *json.Decoder, path string) (any, error) {
	list := []any{}
	for dec.More() {
		element, err := read(dec, fmt.Sprintf("%s[%d]", path, len(list)))
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	_, err := dec.Token()
	return list, err
}

// syntax says where a document is broken.
func syntax(text []byte, err error) error {
	var bad *json.SyntaxError
	switch {
	case errors.As(err, &bad):
		return fmt.Errorf("%s: %w", position(text, bad.Offset), err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the document ends early", position(text, int64(len(text))))
	}
	return err
}

func position(text []byte, offset int64) string {
	before := text[:min(int(offset), len(text))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("near line %d, column %d", line, len(before)-bytes.LastIndexByte(before, '\n')-1)
}

// shape checks one value against the Go type it is going to fill.
func shape(path string, v any, t reflect.Type) error {
	if v == nil || t == reflect.TypeFor[json.RawMessage]() {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		if _, ok := v.(string); ok && t.Name() == "Time" {
			return nil // json.Unmarshal checks the text
		}
		return shapeStruct(path, v, t)
	case reflect.Slice:
		return shapeSlice(path, v, t)
	case reflect.Map:
		return shapeMap(path, v, t)
	case reflect.String:
		return want[string](path, v, "a text")
	case reflect.Bool:
		return want[bool](path, v, "true or false")
	default: // any: whatever the service makes of it
		return nil
	}
}

func want[T any](path string, v any, what string) error {
	if _, ok := v.(T); !ok {
		return fmt.Errorf("%s: %s is expected, not %s", place(path), what, describe(v))
	}
	return nil
}

func shapeStruct(path string, v any, t reflect.Type) error {
	if err := want[map[string]any](path, v, "an object"); err != nil {
		return err
	}
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = t.Field(i).Type
	}
	object, _ := v.(map[string]any)
	for _, name := range sortedKeys(object) {
		field, ok := fields[name]
		if !ok {
			return fmt.Errorf("%s: unknown field; here may stand %s", join(path, name), strings.Join(sortedKeys(fields), ", "))
		}
		if err := shape(join(path, name), object[name], field); err != nil {
			return err
		}
	}
	return nil
}

func shapeSlice(path string, v any, t reflect.Type) error {
	if err := want[[]any](path, v, "a list"); err != nil {
		return err
	}
	list, _ := v.([]any)
	for i, element := range list {
		if err := shape(fmt.Sprintf("%s[%d]", path, i), element, t.Elem()); err != nil {
			return err
		}
	}
	return nil
}

func shapeMap(path string, v any, t reflect.Type) error {
	if err := want[map[string]any](path, v, "an object"); err != nil {
		return err
	}
	object, _ := v.(map[string]any)
	for _, name := range sortedKeys(object) {
		if err := shape(join(path, name), object[name], t.Elem()); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func place(path string) string {
	if path == "" {
		return "the document"
	}
	return path
}

func describe(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a text"
	case json.Number:
		return "a number"
	default:
		return "true or false"
	}
}
