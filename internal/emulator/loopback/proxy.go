package loopback

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// proxyHandler is a forward proxy whose tunnels all end in the emulator.
type proxyHandler struct {
	tunnels *tunnelListener
	control http.Handler
	exists  func(host string) bool
}

// ServeHTTP tells the three kinds of request apart: CONNECT (a tunnel), absolute form (a
// plain-HTTP request to be forwarded), and origin form (a request to the emulator itself).
func (p proxyHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	case r.URL.Host != "":
		refuse(w, fmt.Sprintf("the emulator answers HTTPS only, through CONNECT; it does not forward plain HTTP to %q", r.URL.Host))
	case !IsLoopback(r.Host):
		// A page in a browser that rebinds its own name to 127.0.0.1 ends here.
		refuse(w, fmt.Sprintf("the emulator's own address is a loopback address, not %q", r.Host))
	default:
		p.control.ServeHTTP(w, r)
	}
}

func refuse(w http.ResponseWriter, why string) {
	http.Error(w, why, http.StatusForbidden)
}

// connect opens a tunnel to any port of an Azure name.
func (p proxyHandler) connect(w http.ResponseWriter, r *http.Request) {
	if !IsAzure(r.Host) {
		refuse(w, fmt.Sprintf("the emulator lets nothing out: %q is no Azure name", r.Host))
		return
	}
	if host := Canonical(r.Host); !p.exists(host) {
		http.Error(w, noSuchHost(host).Error(), http.StatusBadGateway)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "no tunnel: "+err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = conn.Close() // the client has gone
		return
	}
	p.tunnels.deliver(&tunnel{Conn: conn, early: rw.Reader})
}

// tunnel is a hijacked connection; early holds what the client sent behind its CONNECT
// without waiting for the answer.
type tunnel struct {
	net.Conn
	early *bufio.Reader
}

func (t *tunnel) Read(p []byte) (int, error) {
	if t.early != nil && t.early.Buffered() > 0 {
		return t.early.Read(p[:min(len(p), t.early.Buffered())])
	}
	t.early = nil
	return t.Conn.Read(p)
}

// NetConn gives the TCP connection, as tls.Conn does.
func (t *tunnel) NetConn() net.Conn { return t.Conn }

// tunnelListener hands hijacked connections to an http.Server.
type tunnelListener struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newTunnelListener(addr net.Addr) *tunnelListener {
	return &tunnelListener{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *tunnelListener) deliver(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.done:
		_ = c.Close()
	}
}

func (l *tunnelListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *tunnelListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *tunnelListener) Addr() net.Addr { return l.addr }
