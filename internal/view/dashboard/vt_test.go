package dashboard

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// vt is a small terminal in the way of a VT100 with what xterm added: enough to see what
// a reader would see, history included. It is in the usual output mode: a line feed
// also returns the carriage. It is safe for concurrent use.
type vt struct {
	mu       sync.Mutex
	w, h     int
	x, y     int
	cells    [][]string
	history  []string // rows that scrolled out at the top
	pending  bool     // the last column was written: the next letter wraps
	noWrap   bool
	hidden   bool // the cursor
	last     string
	rest     []byte // of an escape sequence or a letter that was cut
	unknown  []string
	gate     chan struct{} // nil, or closed once output is taken again
	writings int
}

func newVT(w, h int) *vt {
	v := &vt{w: w, h: h}
	for range h {
		v.cells = append(v.cells, v.blankRow())
	}
	return v
}

func (v *vt) blankRow() []string {
	row := make([]string, v.w)
	for i := range row {
		row[i] = " "
	}
	return row
}

// Write implements io.Writer.
func (v *vt) Write(p []byte) (int, error) {
	v.mu.Lock()
	gate := v.gate
	v.mu.Unlock()
	if gate != nil {
		<-gate
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.writings++
	b := append(v.rest, p...)
	for len(b) > 0 {
		n := v.one(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	v.rest = bytes.Clone(b)
	return len(p), nil
}

// one interprets the first thing in b and returns its length, or 0 if it is incomplete.
func (v *vt) one(b []byte) int {
	switch {
	case b[0] == '\r':
		v.x, v.pending = 0, false
	case b[0] == '\n':
		v.x, v.pending = 0, false
		v.down()
	case b[0] == '\b':
		v.x = max(v.x-1, 0)
	case b[0] == 0x1b:
		return v.escape(b)
	case b[0] < ' ':
		v.unknown = append(v.unknown, strconv.Quote(string(b[0])))
	default:
		if !utf8.FullRune(b) {
			return 0
		}
		r, n := utf8.DecodeRune(b)
		v.put(string(r))
		return n
	}
	return 1
}

func (v *vt) down() {
	if v.y < v.h-1 {
		v.y++
		return
	}
	v.history = append(v.history, strings.TrimRight(strings.Join(v.cells[0], ""), " "))
	v.cells = append(v.cells[1:], v.blankRow())
}

func (v *vt) put(s string) {
	n := columns(s)
	if v.pending && !v.noWrap || v.x+n > v.w && !v.noWrap {
		v.x, v.pending = 0, false
		v.down()
	}
	v.x = min(v.x, v.w-n)
	v.cells[v.y][v.x] = s
	for i := 1; i < n; i++ {
		v.cells[v.y][v.x+i] = ""
	}
	v.last = s
	if v.x+n >= v.w {
		v.pending = true
		v.x = v.w - 1
		return
	}
	v.x += n
}

// escape interprets a control sequence.
func (v *vt) escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != '[' {
		v.unknown = append(v.unknown, strconv.Quote(string(b[:2])))
		return 2
	}
	end := bytes.IndexFunc(b[2:], func(r rune) bool { return r >= '@' && r <= '~' })
	if end < 0 {
		return 0
	}
	v.control(string(b[2:2+end]), b[2+end])
	return end + 3
}

func (v *vt) control(args string, final byte) {
	n := 1
	if i, err := strconv.Atoi(args); err == nil {
		n = i
	}
	if final != 'm' && final != 'b' {
		v.pending = false
	}
	switch final {
	case 'm':
	case 'A':
		v.y = max(v.y-n, 0)
	case 'B':
		v.y = min(v.y+n, v.h-1)
	case 'C':
		v.x = min(v.x+n, v.w-1)
	case 'D':
		v.x = max(v.x-n, 0)
	case 'G':
		v.x = min(n-1, v.w-1)
	case 'X':
		v.erase(v.y, v.x, min(v.x+n, v.w))
	case 'K':
		v.erase(v.y, v.x, v.w)
	case 'J':
		v.erase(v.y, v.x, v.w)
		for y := v.y + 1; y < v.h; y++ {
			v.erase(y, 0, v.w)
		}
	case 'L':
		for range n {
			v.cells = append(v.cells[:v.h-1], nil)
			copy(v.cells[v.y+1:], v.cells[v.y:])
			v.cells[v.y] = v.blankRow()
		}
	case 'b':
		for range n {
			v.put(v.last)
		}
	case 'h', 'l':
		v.mode(args, final == 'h')
	default:
		v.unknown = append(v.unknown, fmt.Sprintf("CSI %s %c", args, final))
	}
}

func (v *vt) mode(args string, on bool) {
	switch args {
	case "?7":
		v.noWrap = !on
	case "?25":
		v.hidden = !on
	default:
		v.unknown = append(v.unknown, "mode "+args)
	}
}

func (v *vt) erase(y, from, to int) {
	for x := from; x < to; x++ {
		v.cells[y][x] = " "
	}
}

// screen returns what stands on the screen, without the empty rows at its end.
func (v *vt) screen() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.text(nil)
}

// all returns the history and the screen.
func (v *vt) all() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.text(v.history)
}

func (v *vt) text(before []string) string {
	rows := append([]string(nil), before...)
	for _, row := range v.cells {
		rows = append(rows, strings.TrimRight(strings.Join(row, ""), " "))
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n") + "\n"
}
