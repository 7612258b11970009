package pairing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/azure-tenant-grapher/atg/errs"
)

// Mapping says which target stands for which source. Its file is a JSON object:
//
//	{"pairs": [
//	   {"source": "/subscriptions/…/vaults/kv-app", "target": "/subscriptions/…/vaults/kv-app-copy"},
//	   {"source": "kv-web", "target": "kv-web-copy"}
//	]}
//
// Source and target are resource IDs or names. A name must be unique among the resources of
// its side; a target's name among those of the source's type. The fields "rule" in a pair
// and "unpaired" beside "pairs", as WriteMapping writes them, are for people and are not read.
type Mapping struct {
	path  string
	pairs []mapped
}

// mapped is an entry of a mapping file and where it stands.
type mapped struct {
	source, target string
	line           int
}

// Len returns the number of pairs.
func (m *Mapping) Len() int { return len(m.pairs) }

// mappingFile is the JSON form.
type mappingFile struct {
	Pairs    []json.RawMessage `json:"pairs"`
	Unpaired json.RawMessage   `json:"unpaired,omitempty"`
}

type mappingPair struct {
	Source string `json:"source"`
	Target string `json:"target"`
	Rule   string `json:"rule,omitempty"`
}

type mappingRest struct {
	Source string        `json:"source"`
	Reason string        `json:"reason"`
	Near   []mappingNear `json:"near,omitempty"`
}

type mappingNear struct {
	Target string `json:"target"`
	Why    string `json:"why"`
}

// ReadMapping reads a mapping file. A file that is not there is an *errs.Error of kind
// NotFound; what is wrong in it is one of kind Invalid that names the line.
func ReadMapping(path string) (*Mapping, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &errs.Error{Op: "read the mapping " + path, Kind: errs.NotFound, Err: err}
	}
	if err == nil {
		var m *Mapping
		if m, err = parseMapping(path, raw); err == nil {
			return m, nil
		}
	}
	return nil, &errs.Error{Op: "read the mapping " + path, Kind: errs.Invalid, Err: err, Hint: mappingHint}
}

// mappingHint shows the form of a mapping.
const mappingHint = `a mapping is {"pairs": [{"source": "NAME-OR-ID", "target": "NAME-OR-ID"}]}`

func parseMapping(path string, raw []byte) (*Mapping, error) {
	var file mappingFile
	if err := strict(raw, &file); err != nil {
		return nil, lined(raw, 0, err)
	}
	if file.Pairs == nil {
		return nil, errors.New(`"pairs" is missing`)
	}
	m := &Mapping{path: path}
	offset := 0
	for _, entry := range file.Pairs {
		offset += bytes.Index(raw[offset:], entry)
		var pair mappingPair
		if err := strict(entry, &pair); err != nil {
			return nil, lined(raw, offset, err)
		}
		if pair.Source == "" || pair.Target == "" {
			return nil, lined(raw, offset, errors.New(`a pair must have "source" and "target"`))
		}
		m.pairs = append(m.pairs, mapped{pair.Source, pair.Target, lineOf(raw, offset)})
		offset += len(entry)
	}
	return m, nil
}

// strict decodes the whole of raw and refuses unknown fields.
func strict(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the end of the mapping")
	}
	return nil
}

// lined puts before err the line in which it is: of the decoder's errors that know their
// place, that; else the one at offset, where what was decoded begins.
func lined(raw []byte, offset int, err error) error {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset += int(syntax.Offset)
	case errors.As(err, &typed):
		offset += int(typed.Offset)
		err = fmt.Errorf("%q must not be %s", typed.Field, typed.Value)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		offset = len(raw)
		err = errors.New("the file ends too early")
	}
	return fmt.Errorf("line %d: %s", lineOf(raw, offset), strings.TrimPrefix(err.Error(), "json: "))
}

func lineOf(raw []byte, offset int) int {
	return 1 + bytes.Count(raw[:min(offset, len(raw))], []byte("\n"))
}

// WriteMapping writes a mapping file of what was paired, to edit and to give back: sources
// without a target stand under "unpaired" with what nearly matched.
func WriteMapping(w io.Writer, res Result) error {
	file := struct {
		Pairs    []mappingPair `json:"pairs"`
		Unpaired []mappingRest `json:"unpaired,omitempty"`
	}{Pairs: []mappingPair{}}
	for _, m := range res.Matches {
		file.Pairs = append(file.Pairs, mappingPair{m.Source.ID, m.Target.ID, m.Rule})
	}
	for _, u := range res.Unpaired {
		rest := mappingRest{Source: u.Source.ID, Reason: u.Reason}
		for _, n := range u.Near {
			rest.Near = append(rest.Near, mappingNear{n.ID, n.Why})
		}
		file.Unpaired = append(file.Unpaired, rest)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(file)
}
