package template

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Position is a place in the text of a template; both count from 1.
type Position struct{ Line, Column int }

// String is the position as Azure's messages write it.
func (p Position) String() string {
	return fmt.Sprintf("line '%d' and column '%d'", p.Line, p.Column)
}

// places knows where the values of a JSON text end, by path: "/parameters/name",
// "/resources/0". Azure gives the position of a value's first character; which character
// of a text it counts could not be confirmed.
type places map[string]Position

func findPlaces(text []byte) places {
	w := &placer{text: text, dec: json.NewDecoder(bytes.NewReader(text)), found: places{}}
	w.value("", 0)
	return w.found
}

type placer struct {
	text   []byte
	dec    *json.Decoder
	found  places
	offset int // up to which lines have been counted
	line   int
	start  int // of the line
}

// maxPlaceDepth: what lies deeper has no position of its own.
const maxPlaceDepth = 3

// value walks one value and tells whether there was one.
func (w *placer) value(path string, depth int) bool {
	tok, err := w.dec.Token()
	if err != nil {
		return false
	}
	if depth <= maxPlaceDepth {
		w.found[path] = w.position(int(w.dec.InputOffset()))
	}
	delim, nested := tok.(json.Delim)
	if !nested {
		return true
	}
	for i := 0; w.dec.More(); i++ {
		name := fmt.Sprint(i)
		if delim == '{' {
			key, err := w.dec.Token()
			if err != nil {
				return false
			}
			name = fmt.Sprint(key)
		}
		if !w.value(path+"/"+name, depth+1) {
			return false
		}
	}
	_, err = w.dec.Token()
	return err == nil
}

// position counts lines up to an offset; offsets only grow.
func (w *placer) position(offset int) Position {
	for ; w.offset < offset && w.offset < len(w.text); w.offset++ {
		if w.text[w.offset] == '\n' {
			w.line++
			w.start = w.offset + 1
		}
	}
	return Position{Line: w.line + 1, Column: max(1, offset-w.start)}
}

func (p places) at(path string) Position {
	if at, ok := p[path]; ok {
		return at
	}
	return Position{Line: 1, Column: 1}
}
