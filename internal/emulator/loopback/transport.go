package loopback

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// ErrOutside is wrapped by a Transport's error for a host that is no Azure name.
var ErrOutside = errors.New("the emulator lets nothing out")

// Transport returns a new transport that reaches this server alone, for Azure names
// alone, and trusts its authority alone. A host that does not exist is a *net.DNSError,
// as it would be without the emulator. Close closes its idle connections.
func (s *Server) Transport() *http.Transport {
	addr := s.direct.Addr().String()
	var d net.Dialer
	t := newTransport(s.ca.Pool())
	t.DialContext = func(ctx context.Context, network, target string) (net.Conn, error) {
		if err := allowed(target); err != nil {
			return nil, err
		}
		if host := Canonical(target); !s.exists(host) {
			return nil, &net.OpError{Op: "dial", Net: network, Err: noSuchHost(host)}
		}
		return d.DialContext(ctx, network, addr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transports = append(s.transports, t)
	return t
}

// Via returns the same for a server in another process: through its proxy, trusting
// the given authority. proxyAddr is "127.0.0.1:port".
func Via(proxyAddr string, ca *x509.CertPool) (*http.Transport, error) {
	if host, _, err := net.SplitHostPort(proxyAddr); err != nil || !IsLoopback(host) {
		return nil, fmt.Errorf("emulator address %q: %w", proxyAddr, ErrNotLoopback)
	}
	t := newTransport(ca)
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if err := allowed(r.URL.Host); err != nil {
			return nil, err
		}
		if r.URL.Scheme != "https" {
			return nil, errPlain(r.URL.Host)
		}
		return &url.URL{Scheme: "http", Host: proxyAddr}, nil
	}
	return t, nil
}

func allowed(target string) error {
	if !IsAzure(target) {
		return fmt.Errorf("%w: %q is no Azure name", ErrOutside, target)
	}
	if _, port, err := net.SplitHostPort(target); err == nil && port == "80" {
		return errPlain(target)
	}
	return nil
}

// noSuchHost is what the net package says of a name that DNS does not have.
func noSuchHost(host string) *net.DNSError {
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func errPlain(target string) error {
	return fmt.Errorf("the emulator answers HTTPS only, not plain HTTP to %q", target)
}

func newTransport(ca *x509.CertPool) *http.Transport {
	return &http.Transport{
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca},
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}
