package loopback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// DefaultListen is a free port on the loopback interface.
const DefaultListen = "127.0.0.1:0"

const (
	// headerTimeout bounds a TLS handshake and the head of a request: probes that open a
	// tunnel and say nothing go away in the end.
	headerTimeout = 30 * time.Second
	idleTimeout   = 5 * time.Minute
)

// Options of a Server.
type Options struct {
	Listen  string       // address of the proxy; "": DefaultListen. Must be loopback
	Handler http.Handler // answers for the Azure names
	Control http.Handler // answers plain requests to the proxy's own address; nil: 404
	CA      *CA

	// Exists is the emulator's DNS: it is asked before a connection whether there is such
	// an Azure host. nil: all exist.
	Exists func(host string) bool
}

// Server is the emulator's place on the network: a proxy and a TLS listener.
type Server struct {
	ca      *CA
	exists  func(host string) bool
	proxy   net.Listener
	direct  net.Listener
	tunnels *tunnelListener
	servers []*http.Server
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu         sync.Mutex // guards transports
	transports []*http.Transport
}

// ErrNotLoopback is wrapped by Start's error for an address that others could reach.
var ErrNotLoopback = errors.New("the emulator listens on loopback addresses only")

// Start listens and serves. The caller closes the Server.
func Start(opt Options) (*Server, error) {
	proxy, direct, err := listen(opt.Listen)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	if opt.Exists == nil {
		opt.Exists = func(string) bool { return true }
	}
	s := &Server{ca: opt.CA, exists: opt.Exists, proxy: proxy, direct: direct, tunnels: newTunnelListener(proxy.Addr()), cancel: cancel}
	control := opt.Control
	if control == nil {
		control = http.NotFoundHandler()
	}
	azure := s.newServer(ctx, opt.Handler)
	tlsConfig := opt.CA.serverTLS()
	s.serve(azure, tls.NewListener(direct, tlsConfig))
	s.serve(azure, tls.NewListener(s.tunnels, tlsConfig))
	s.serve(s.newServer(ctx, proxyHandler{tunnels: s.tunnels, control: control, exists: s.exists}), proxy)
	return s, nil
}

func listen(addr string) (proxy, direct net.Listener, err error) {
	if addr == "" {
		addr = DefaultListen
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, fmt.Errorf("listen address %q: %w", addr, err)
	}
	if !IsLoopback(host) {
		return nil, nil, fmt.Errorf("listen address %q: %w (127.0.0.1, [::1], localhost)", addr, ErrNotLoopback)
	}
	var lc net.ListenConfig
	if proxy, err = lc.Listen(context.Background(), "tcp", addr); err != nil {
		return nil, nil, fmt.Errorf("listen: %w", err)
	}
	ip, _, _ := net.SplitHostPort(proxy.Addr().String())
	if direct, err = lc.Listen(context.Background(), "tcp", net.JoinHostPort(ip, "0")); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen: %w", err), proxy.Close())
	}
	return proxy, direct, nil
}

func (s *Server) newServer(ctx context.Context, h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	srv := &http.Server{
		Handler:           h,
		Protocols:         protocols,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         s.track,
		// Failed handshakes of probes are no news; requests have a log of their own.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.servers = append(s.servers, srv)
	return srv
}

func (s *Server) serve(srv *http.Server, l net.Listener) {
	s.running.Go(func() {
		// Serve ends with ErrServerClosed; a listener that breaks before leaves its
		// clients with refused connections.
		_ = srv.Serve(l)
	})
}

// track counts connections, so that Close can wait for their goroutines.
func (s *Server) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.running.Done()
	case http.StateActive, http.StateIdle:
	}
}

// ProxyAddr is the address of the proxy, "127.0.0.1:port".
func (s *Server) ProxyAddr() string { return s.proxy.Addr().String() }

// Close stops listening, cuts every connection and waits until all is gone.
func (s *Server) Close() error {
	errs := make([]error, 0, len(s.servers)+1)
	errs = append(errs, s.tunnels.Close())
	for _, srv := range s.servers {
		errs = append(errs, srv.Close())
	}
	s.cancel() // after the connections, so that no handler that is woken gets its answer out
	s.mu.Lock()
	for _, t := range s.transports {
		t.CloseIdleConnections()
	}
	s.mu.Unlock()
	s.running.Wait()
	return errors.Join(errs...)
}
