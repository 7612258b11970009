// Package relaxed reads the JSON that Azure Resource Manager takes beyond the standard:
// comments, names without quotes, texts in single quotes or over several lines, and a
// comma behind the last element. Templates are written that way, and the Azure CLI sends
// them that way.
package relaxed

import (
	"encoding/json"
	"strings"
)

// JSON gives the text as standard JSON, on the same lines. ok is false if it cannot be
// read even so.
func JSON(text []byte) (standard []byte, ok bool) {
	if json.Valid(text) {
		return text, true
	}
	w := writer{in: string(text)}
	for w.at < len(w.in) {
		w.step()
	}
	out := []byte(w.out.String())
	return out, json.Valid(out)
}

type writer struct {
	in  string
	at  int
	out strings.Builder
	// pending is a comma with the white space behind it that is written only if another
	// element follows.
	pending strings.Builder
}

// step reads one token.
func (w *writer) step() {
	rest := w.in[w.at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "//"):
		w.skip(until(rest, "\n", 0))
	case strings.HasPrefix(rest, "/*"):
		w.skip(until(rest, "*/", len("*/")))
	case c == '"' || c == '\'':
		w.quoted(c)
	case c == ',':
		w.flush()
		w.pending.WriteByte(c)
		w.at++
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		w.space(c)
	case c == '}' || c == ']':
		w.dropComma()
		w.out.WriteByte(c)
		w.at++
	case letter(c):
		w.word()
	default:
		w.flush()
		w.out.WriteByte(c)
		w.at++
	}
}

func until(s, end string, more int) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + more
	}
	return len(s)
}

// skip leaves a comment out, but for its line feeds.
func (w *writer) skip(n int) {
	for range strings.Count(w.in[w.at:w.at+n], "\n") {
		w.space('\n')
		w.at--
	}
	w.at += n
}

func (w *writer) space(c byte) {
	if w.pending.Len() > 0 {
		w.pending.WriteByte(c)
	} else {
		w.out.WriteByte(c)
	}
	w.at++
}

// flush writes the comma that was held back.
func (w *writer) flush() {
	w.out.WriteString(w.pending.String())
	w.pending.Reset()
}

func (w *writer) dropComma() {
	w.out.WriteString(strings.TrimPrefix(w.pending.String(), ","))
	w.pending.Reset()
}

// quoted reads a text in either quotes.
func (w *writer) quoted(quote byte) {
	w.flush()
	w.out.WriteByte('"')
	for w.at++; w.at < len(w.in) && w.in[w.at] != quote; w.at++ {
		switch c := w.in[w.at]; {
		case c == '\\' && w.at+1 < len(w.in):
			w.at++
			if w.in[w.at] != '\'' {
				w.out.WriteByte('\\')
			}
			w.out.WriteByte(w.in[w.at])
		case c == '"':
			w.out.WriteString(`\"`)
		case c == '\n':
			w.out.WriteString(`\n`)
		case c == '\r':
			w.out.WriteString(`\r`)
		case c == '\t':
			w.out.WriteString(`\t`)
		default:
			w.out.WriteByte(c)
		}
	}
	if w.at < len(w.in) {
		w.out.WriteByte('"')
		w.at++
	}
}

func letter(c byte) bool {
	return c == '_' || c == '$' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
}

// word reads a name without quotes, or true, false and null.
func (w *writer) word() {
	w.flush()
	start := w.at
	for w.at < len(w.in) && (letter(w.in[w.at]) || (w.in[w.at] >= '0' && w.in[w.at] <= '9')) {
		w.at++
	}
	name := w.in[start:w.at]
	if strings.HasPrefix(strings.TrimLeft(w.in[w.at:], " \t\r\n"), ":") {
		name = `"` + name + `"`
	}
	w.out.WriteString(name)
}
