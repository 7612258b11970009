package front

import (
	"net"
	"net/http"
	"strconv"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// cutPoint says where a fault cuts the connection.
type cutPoint int

const (
	cutNowhere cutPoint = iota
	cutBefore           // before the first byte of the answer
	cutMiddle           // in the middle of the answer's body
)

// holdBack is how much of an answer is kept in memory until the request is logged.
// Longer answers flow, all but their last byte.
const holdBack = 64 << 10

var _ wire.Noter = (*answer)(nil)

// answer is the http.ResponseWriter that services see.
type answer struct {
	w    http.ResponseWriter
	head bool // a HEAD request: the body is counted as nothing
	hold bool // keep the whole body in memory

	// For the log: the error code, and the caller as the service knows it.
	code, tenantID, appID string

	stat      int
	buf       []byte
	sent      int64
	committed bool // the status line has left
}

func newAnswer(w http.ResponseWriter, method string) *answer {
	return &answer{w: w, head: method == http.MethodHead}
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.w.Header() }

// NoteCode implements wire.Noter.
func (a *answer) NoteCode(code string) { a.code = code }

// NoteCaller implements wire.Noter.
func (a *answer) NoteCaller(tenantID, appID string) { a.tenantID, a.appID = tenantID, appID }

// WriteHeader implements http.ResponseWriter; only the first final status counts.
func (a *answer) WriteHeader(status int) {
	if a.stat == 0 && status >= http.StatusOK {
		a.stat = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !a.hasBody() {
		return len(p), nil
	}
	if a.hold || len(a.buf)+len(p) <= holdBack {
		a.buf = append(a.buf, p...)
		return len(p), nil
	}
	if err := a.flow(a.buf); err != nil {
		return 0, err
	}
	last := len(p) - 1
	if err := a.flow(p[:last]); err != nil {
		return 0, err
	}
	a.buf = append(a.buf[:0], p[last])
	return len(p), nil
}

func (a *answer) flow(p []byte) error {
	a.commit()
	n, err := a.w.Write(p) //nolint:gosec // services answer JSON and octets, with their content types
	a.sent += int64(n)
	return err
}

func (a *answer) commit() {
	if !a.committed {
		a.committed = true
		a.w.WriteHeader(a.status())
	}
}

func (a *answer) hasBody() bool {
	return !a.head && a.stat != http.StatusNoContent && a.stat != http.StatusNotModified
}

func (a *answer) status() int {
	if a.stat == 0 {
		return http.StatusOK
	}
	return a.stat
}

// discard forgets an answer; it is false if a part of it has left already.
func (a *answer) discard() bool {
	if a.committed {
		return false
	}
	a.stat, a.buf = 0, nil
	a.Header().Del("Content-Length")
	return true
}

// length is the number of body bytes that the client gets.
func (a *answer) length(cut cutPoint) int64 {
	switch cut {
	case cutBefore:
		return 0
	case cutMiddle:
		return int64(len(a.buf) / 2)
	case cutNowhere:
	}
	return a.sent + int64(len(a.buf))
}

// release lets the answer go to the client, as far as cut allows.
func (a *answer) release(cut cutPoint) {
	if cut == cutMiddle && len(a.buf) == 0 {
		cut = cutBefore // there is no middle
	}
	if cut == cutBefore {
		a.drop(true)
		return
	}
	if a.hasBody() && !a.committed {
		a.Header().Set("Content-Length", strconv.Itoa(len(a.buf)))
	}
	a.commit()
	body := a.buf
	if cut == cutMiddle {
		body = body[:len(body)/2]
	}
	// An error means that the client has gone; the log has been written already.
	_, _ = a.w.Write(body) //nolint:gosec // see flow
	if cut == cutMiddle {
		_ = http.NewResponseController(a.w).Flush()
		a.drop(false)
	}
}

// drop closes the TCP connection below TLS, with a reset or plainly. What was written
// before a plain close still arrives.
func (a *answer) drop(reset bool) {
	conn, _, err := http.NewResponseController(a.w).Hijack()
	if err != nil {
		return // closed already
	}
	for {
		below, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = below.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
