package pipeline

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const defaultWorkers = 16

// NewTransport returns an HTTP transport for a number of requests at once: 0 means 16. It
// keeps as many idle connections per host as there are workers, so that a busy pool does
// not open a connection per request. It speaks HTTP/1.1, as Azure Storage does: one slow
// body then delays no other request. Proxies come from HTTPS_PROXY and NO_PROXY.
func NewTransport(workers int) *http.Transport {
	if workers <= 0 {
		workers = defaultWorkers
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		MaxIdleConns:          4 * workers,
		MaxIdleConnsPerHost:   workers,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute,
		ExpectContinueTimeout: time.Second,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		// A non-nil empty map keeps the transport from offering HTTP/2.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
}
